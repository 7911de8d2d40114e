"""Plots on their way in: biases off, one frame, refusals by name."""

from airpicture.plots.register import register, repeated
from airpicture.plots.stations import station_columns

__all__ = ["register", "repeated", "station_columns"]
