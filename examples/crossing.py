"""Crossing tracks: four aircraft through one point at one time, none with a code, and a pair that weaves.

Joint probabilities, the default, against the best single assignment. Nothing but position tells the targets apart. With
few false plots the two are alike; among many the single assignment takes them for targets, and tracks follow them.
"""

from dataclasses import replace

import numpy as np

import airpicture as ap
from airpicture.simulation import load_scenario

FALSE_PLOTS = (20.0, 800.0)  # a turn: as the scenario has it, and forty times as many


def main() -> None:
    scenario = load_scenario("crossing")
    joint = ap.Config()
    nearest = replace(joint, association=replace(joint.association, method="nearest"))
    reports = {}
    for false in FALSE_PLOTS:
        sensors = replace(scenario.sensors, clutter_per_scan=np.array([false]))
        run = ap.simulate(replace(scenario, sensors=sensors))
        for name, config in (("joint", joint), ("nearest", nearest)):
            tracks = ap.track(run.plots, run.sensors, config)
            reports[name, false] = report = ap.evaluate(run.truth, tracks, switching_m=1000.0)
            print(
                f"{false:3.0f} false plots a turn, {name:8s} held {100 * report.completeness:.1f} % of the time, "
                f"GOSPA {report.gospa_m:5.0f} m, {report.switches} switches, {report.breaks} breaks"
            )
    for false in FALSE_PLOTS:
        assert reports["joint", false].completeness > 0.85
        assert (
            reports["joint", false].switches <= 12
        )  # two a meeting that goes wrong; six without names, which all meet
    few, many = FALSE_PLOTS
    assert reports["joint", few].gospa_m <= 1.1 * reports["nearest", few].gospa_m
    assert reports["joint", many].gospa_m <= 0.7 * reports["nearest", many].gospa_m


if __name__ == "__main__":
    main()
