"""Simulated sensors over simulated traffic, with the truth beside the plots: scenarios in, tables out.

For tests, demonstrations and Monte Carlo runs. Nothing that tracks imports this room. Left out on purpose: terrain,
wind, refraction beyond the radio horizon, transponder antenna patterns and sidelobes.
"""

from airpicture.simulation.run import Simulation, simulate
from airpicture.simulation.scenario import Scenario, available, load_scenario

__all__ = ["Scenario", "Simulation", "available", "load_scenario", "simulate"]
