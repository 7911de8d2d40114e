"""Plots on their way in: biases off, one frame, refusals by name."""

from airpicture.plots.clutter import Clutter
from airpicture.plots.looks import looks, waves
from airpicture.plots.places import plot_positions
from airpicture.plots.register import Past, register, repeated
from airpicture.plots.stations import station_columns

__all__ = ["Clutter", "Past", "looks", "plot_positions", "register", "repeated", "station_columns", "waves"]
