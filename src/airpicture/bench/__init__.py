"""The tracker measured on the machine at hand: speed, memory and accuracy of one run, never one without the others.

A room of its own because it must read clocks, which nothing below the commands may, and because tests and scripts use
it without a command line. ``airpicture bench`` prints what it finds. Figures of time are taken with other programs
beside: medians, and ratios of runs that took turns, are what carries over to another day.
"""

from airpicture.bench.load import Load, Sample, Timed, run_load
from airpicture.bench.machine import Machine, describe
from airpicture.bench.score import Keeping, Score

__all__ = ["Keeping", "Load", "Machine", "Sample", "Score", "Timed", "describe", "run_load"]
