"""The picture going out: a snapshot of tracks, and what changed."""

from airpicture.picture.snapshot import Picture, snapshot

__all__ = ["Picture", "snapshot"]
