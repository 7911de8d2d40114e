"""The picture going out: a snapshot of tracks, and what changed."""

from airpicture.picture.ended import Ended
from airpicture.picture.picture import Picture
from airpicture.picture.snapshot import Gathered, as_tracks, lay_out, shown_rows, snapshot

__all__ = ["Ended", "Gathered", "Picture", "as_tracks", "lay_out", "shown_rows", "snapshot"]
