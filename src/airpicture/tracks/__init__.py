"""Tracks from birth to death: beginning, identity, rivals, ageing, ending."""

from airpicture.tracks.begin import begin, life_settings
from airpicture.tracks.identity import identify, identity_score
from airpicture.tracks.learn import detection, learn
from airpicture.tracks.pool import Pool
from airpicture.tracks.retire import age, close_ranks, ending_settings, retire, sweep
from airpicture.tracks.rivals import settle_rivals

__all__ = [
    "Pool",
    "age",
    "begin",
    "close_ranks",
    "detection",
    "ending_settings",
    "identify",
    "identity_score",
    "learn",
    "life_settings",
    "retire",
    "settle_rivals",
    "sweep",
]
