"""Recordings in hindsight: tracks that know what comes after, and every report judged by all others of its track.

The tracker says which plot is which track's (``owned``); ``paths`` lays a track's plots out in time; ``smoother`` runs
the kernels and settles which plots are used; ``judging`` says what's wrong with the others, and ``cleaned`` is the
table of that. A live picture can't wait for what comes after: this room is for recordings.
"""

from airpicture.smoothing.cleaned import Cleaned, Flag
from airpicture.smoothing.judging import clean
from airpicture.smoothing.smoother import smooth

__all__ = ["Cleaned", "Flag", "clean", "smooth"]
