"""Plots on their way in: biases off, one frame, refusals by name."""

from airpicture.plots.clutter import Clutter
from airpicture.plots.described import described, need_same_sensors
from airpicture.plots.latency import Latency
from airpicture.plots.line import Line
from airpicture.plots.looks import Shelf, gathered, looks, waves
from airpicture.plots.places import plot_positions
from airpicture.plots.register import Past, register, register_all, repeated, true_times
from airpicture.plots.stations import need_sites, station_columns

__all__ = [
    "Clutter",
    "Latency",
    "Line",
    "Past",
    "Shelf",
    "described",
    "gathered",
    "looks",
    "need_same_sensors",
    "need_sites",
    "plot_positions",
    "register",
    "register_all",
    "repeated",
    "station_columns",
    "true_times",
    "waves",
]
