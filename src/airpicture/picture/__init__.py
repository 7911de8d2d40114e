"""The picture going out: a snapshot of tracks, and what changed."""

from airpicture.picture.snapshot import Gathered, Picture, snapshot

__all__ = ["Gathered", "Picture", "snapshot"]
