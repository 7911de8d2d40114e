"""The picture going out: a snapshot of tracks, and what changed."""

from airpicture.picture.ended import Ended
from airpicture.picture.picture import Picture
from airpicture.picture.snapshot import Gathered, shown_rows, snapshot

__all__ = ["Ended", "Gathered", "Picture", "shown_rows", "snapshot"]
