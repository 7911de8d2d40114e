"""Warnings to people, drawn from the picture: what they are and when they are raised and withdrawn.

Pure like the tracker: tracks and time in, alerts out; no clock and no socket. Airpicture ends here, at telling people.
``watch`` is the way through the room, ``settings`` and ``table`` what can be set, ``standing`` how causes become
alerts; each other module finds the causes of one kind.
"""

from airpicture.alerts.alert import Alert, AlertKind, Level
from airpicture.alerts.settings import AlertSettings, Area
from airpicture.alerts.table import alert_settings_from_table
from airpicture.alerts.watch import Watch

__all__ = ["Alert", "AlertKind", "AlertSettings", "Area", "Level", "Watch", "alert_settings_from_table"]
