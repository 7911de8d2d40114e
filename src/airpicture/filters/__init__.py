"""Filters: a look's plots folded into the tracks that may have caused them."""

from airpicture.filters.listener import Heard, Listener
from airpicture.filters.look import Looked, Looker

__all__ = ["Heard", "Listener", "Looked", "Looker"]
