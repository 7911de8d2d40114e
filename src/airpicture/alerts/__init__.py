"""Warnings to people, drawn from the picture: what they are and when they are raised and withdrawn.

Pure like the tracker: tracks and time in, alerts out; no clock and no socket. Airpicture ends here, at telling people.
"""

from airpicture.alerts.alert import Alert, AlertKind, Level

__all__ = ["Alert", "AlertKind", "Level"]
