"""Tracks from birth to death: beginning, twins, ageing, ending, and numbers that are taken up again."""

from airpicture.tracks.begin import begin, life_settings
from airpicture.tracks.pool import Pool
from airpicture.tracks.retire import close_ranks, ended_among, ending_settings, sweep
from airpicture.tracks.revival import Retired
from airpicture.tracks.twins import settle_twins, spoken_for

__all__ = [
    "Pool",
    "Retired",
    "begin",
    "close_ranks",
    "ended_among",
    "ending_settings",
    "life_settings",
    "settle_twins",
    "spoken_for",
    "sweep",
]
