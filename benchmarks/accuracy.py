"""Accuracy on published and own scenarios, with the published figures beside ours; one default configuration for all.

    python benchmarks/accuracy.py [--only manoeuvres,crossing,...] [--runs 100] [--markdown docs/accuracy.md]
    python benchmarks/accuracy.py --check          a short run with bounds, half a minute
    python benchmarks/accuracy.py --file h300.npz  a neutral scenario file, see `anchors.peers`

What each scenario is stands in ``benchmarks/anchors``. Seeds are fixed; other seeds move the figures by 1 to 3 %.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from anchors import crossing, faint, lateness, longrange, manoeuvres, marginals, peers


def table(title: str, note: str, head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown section with one table."""
    widths = [max(len(r[c]) for r in [head, *rows]) for c in range(len(head))]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([f"## {title}", "", note, "", line(head), rule, *(line(r) for r in rows), ""])


def number(value: float, digits: int = 1) -> str:
    """Write a number, or a dash for none."""
    return "-" if not np.isfinite(value) else f"{value:,.{digits}f}"


def turns(runs: int) -> str:
    """Single targets that turn."""
    rows = []
    for course in manoeuvres.COURSES:
        found = manoeuvres.fly(course, runs)
        for name, figures in course.published.items():
            rows.append([course.name, name, *(number(v) for v in figures), "-", "-", "-"])
        nees = [f"{n[0]:.2f}" for n in (found.nees_straight, found.nees_turn, found.nees_velocity)]
        rows.append([f"**{course.name}**", "**airpicture**", *(number(v) for v in found.row()), *nees])
    return table(
        "Turns",
        "RMS over the runs, position in m and velocity in m/s, after the first four scans; NEES of two degrees of "
        f"freedom (2 is right), straight, turning, and of the velocity. {runs} runs. ATC: T = 5 s, sigma 100 m; LBB: T "
        "= 4 s, sigma 50 m. The turn rates (1 and 3, 3.74, 4.68, 1.87 to 5.6 °/s) are unknown to airpicture.",
        ["course", "filter", "all", "straight", "turn", "velocity", "NEES str.", "turn", "vel."],
        rows,
    )


def meeting(runs: int) -> str:
    """Four targets that meet."""
    rows = [[name, *(number(v, 2) for v in figures), "-"] for name, figures in crossing.PUBLISHED.items()]
    found = crossing.meet(runs)
    rows.append(["**airpicture**", *(number(v, 2) for v in found.row()), f"{100 * found.coalesced:.1f} %"])
    sure = crossing.meet(runs, tentative=False)
    rows.append(["confirmed only", *(number(v, 2) for v in sure.row()), f"{100 * sure.coalesced:.1f} %"])
    return table(
        "Four targets meet",
        f"RMS GOSPA (order 2, cut-off 10) and its parts, in the scenario's unit (sigma 1). {runs} runs. Fallen together: pairs of tracks in "
        "scans 36 to 56 that stand closer than a quarter of the nearest two targets.",
        ["filter", "GOSPA", "localisation", "false", "missed", "fallen together"],
        rows,
    )


def probabilities(runs: int) -> str:
    """Association against plain summation."""
    rows = []
    for side, pd, clutter, variation, worst in marginals.CASES:
        found = marginals.agree(side, pd, clutter, draws=runs)
        rows.append(
            [
                f"{side:g}",
                f"{pd:g}",
                f"{clutter:g}",
                f"{variation:.3f} / {worst:.2f}",
                f"{found.mean_variation:.3f} / {found.worst_belief:.2f}",
                f"{found.worst_exact:.0e}",
            ]
        )
    text = table(
        "Association probabilities",
        f"Eight tracks in a square (sides in sigma), {runs} draws. Error: mean total variation a track / worst single probability.",
        ["side", "Pd", "clutter", "published BP", "our BP alone", "as used, worst"],
        rows,
    )
    cost = []
    for n in (4, 8, 10, 12, 14):
        median, largest, left = marginals.cost(n)
        cost.append([str(n), f"{1e6 * median:.0f}", f"{1e6 * largest:.0f}", str(left)])
    return (
        text
        + "\n"
        + table(
            "Cost of a cluster",
            "As dense as side 8, Pd 0.9, clutter 1e-3; 20 draws, microseconds of one core.",
            ["tracks", "median µs", "largest µs", "left to BP"],
            cost,
        )
    )


def lateness_of(runs: int) -> str:
    """Late plots."""
    found = lateness.late(min(runs, 40))
    return table(
        "Late plots",
        "One plot in five is late by a Poisson(1) number of scans (ATC course). RMS at the scans' ends, m.",
        ["late, as it comes", "begun anew in order", "late ones dropped", "no plot late"],
        [[number(v) for v in (found.late, found.in_order, found.dropped, found.never_late)]],
    )


def reach(runs: int) -> str:
    """The long-range scenario by class."""
    bound = longrange.straight()
    rows = []
    found = longrange.classes()
    for r in found.rows:
        rows.append(
            [r.name, str(r.targets), number(r.latency_median, 0), number(r.latency_95, 0), f"{r.completeness:.3f}",
             number(r.rms, 0), number(r.raw, 0), f"{r.nees:.2f}", str(r.breaks), str(r.switches)]
        )  # fmt: skip
    return table(
        "600 km, every class",
        f"`airpicture simulate long-range`. GOSPA {found.gospa:,.0f} m, missed {found.missed:.1f} and false {found.false:.1f} a picture, "
        f"tracks that never were on a target {found.false_tracks_an_hour:.0f} an hour. Straight flight (60 airliners, 100 to 580 km, updates): "
        f"RMS {bound.rms:.0f} m, Cramer-Rao bound {bound.bound:.0f} m, ratio {bound.ratio:.2f}, raw plots {bound.raw:.0f} m, NEES {bound.nees:.2f}.",
        ["class", "targets", "confirmed after s", "95 %", "complete", "RMS m", "raw m", "NEES", "breaks", "switches"],
        rows,
    )


def faintness(runs: int) -> str:
    """Little information."""
    found = faint.faint()
    rows = [[f"{lo:g} to {hi:g}", str(n), f"{mean:.3f}", f"{real:.3f}"] for lo, hi, n, mean, real in found.bins if n]
    return table(
        "Little to go by",
        "Pd 0.5, ten false plots a target and turn, range and azimuth only, turns of 10 s. Tracks shown at 0.9 or more are real in "
        f"{100 * found.shown_090:.1f} %. {found.targets:g} targets a radar: {found.live:.0f} tracks held in the mean, confirmed on {100 * found.completeness:.0f} % "
        f"of the targets at any time, {found.confirmed_false:.2f} confirmed false ones a picture.",
        ["existence", "rows", "mean", "share real"],
        rows,
    )


PARTS: dict[str, Callable[[int], str]] = {
    "manoeuvres": turns,
    "crossing": meeting,
    "marginals": probabilities,
    "lateness": lateness_of,
    "longrange": reach,
    "faint": faintness,
}


def files(paths: list[str]) -> str:
    """Score neutral scenario files."""
    rows = []
    for path in paths:
        c = peers.compare(path)
        rows.append(
            [Path(path).stem, number(c.targets, 0), number(c.gospa, 0), number(c.per_root_target, 0), number(c.rms, 0),
             number(c.missed), number(c.false), number(c.switches, 2), number(1e3 * c.seconds, 1)]
        )  # fmt: skip
    return table(
        "Neutral scenario files",
        "GOSPA (order 2, cut-off 2 km), means over the scans from the tenth on; CPU time a scan.",
        ["file", "targets", "GOSPA m", "per root target", "RMS m", "missed", "false", "switches", "ms"],
        rows,
    )


def check() -> int:
    """Run the scenarios small and compare with loose bounds; return how many are broken."""
    bounds: list[tuple[str, float, float]] = []
    for course, most in zip(manoeuvres.COURSES, (108.0, 64.0, 63.0, 67.0), strict=True):
        bounds.append((f"{course.name} RMS, m", manoeuvres.fly(course, 20).position, most))
    bounds.append(("meeting, RMS GOSPA", crossing.meet(20).gospa, 4.5))
    bounds.append(("marginals, worst", marginals.agree(8.0, 0.9, 1e-3, draws=20).worst_exact, 1e-9))
    bounds.append(("straight flight over its bound", longrange.straight(seconds=600.0).ratio, 1.15))
    broken = 0
    for name, value, most in bounds:
        broken += value > most
        print(f"{name:32} {value:10.3g}   at most {most:g}{'' if value <= most else '   BROKEN'}")
    return broken


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default=",".join(PARTS), help="parts, comma between: " + ", ".join(PARTS))
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--markdown", help="write the tables to this file, too")
    parser.add_argument("--file", nargs="*", default=[], help="neutral scenario files (.npz) to score instead")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if args.check:
        return 1 if check() else 0
    if args.file:
        print(files(args.file))
        return 0
    texts = []
    for name in args.only.split(","):
        begin = time.time()
        texts.append(PARTS[name](args.runs))
        print(texts[-1])
        print(f"({name}: {time.time() - begin:.0f} s)\n", file=sys.stderr)
    if args.markdown:
        Path(args.markdown).write_text("# Accuracy\n\n" + "\n".join(texts), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
