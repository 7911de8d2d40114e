"""Crossing tracks: four aircraft through one point at one time, none with a code, and a pair that weaves.

Joint probabilities, the default, against the best single assignment. Nothing but position tells the targets apart.
"""

from dataclasses import replace

import airpicture as ap


def main() -> None:
    run = ap.simulate("crossing")
    joint = ap.Config()
    nearest = replace(joint, association=replace(joint.association, method="nearest"))
    reports = {}
    for name, config in (("joint", joint), ("nearest", nearest)):
        reports[name] = report = ap.evaluate(run.truth, ap.track(run.plots, run.sensors, config), switching_m=1000.0)
        print(
            f"{name:8s} held {100 * report.completeness:.1f} % of the time, GOSPA {report.gospa_m:.0f} m, "
            f"{report.switches} switches, {report.breaks} breaks"
        )
    assert reports["joint"].completeness > 0.85
    assert reports["joint"].gospa_m <= 1.1 * reports["nearest"].gospa_m
    assert reports["joint"].switches <= 12  # two a meeting that goes wrong; six targets without names, which all meet


if __name__ == "__main__":
    main()
