"""The picture going out: a snapshot of tracks, and what changed."""

from airpicture.picture.picture import Picture
from airpicture.picture.snapshot import Gathered, shown_rows, snapshot

__all__ = ["Gathered", "Picture", "shown_rows", "snapshot"]
