"""Accuracy on published and own scenarios, with the published figures beside ours; one default configuration for all.

    python benchmarks/accuracy.py [--only manoeuvres,crossing,...] [--runs 100] [--markdown docs/accuracy.md]
    python benchmarks/accuracy.py --check          a short run with bounds, half a minute
    python benchmarks/accuracy.py --file h300.npz  a neutral scenario file, see `anchors.peers`
    python benchmarks/accuracy.py --causes h300.npz  what is missed and false in it, and why

What each scenario is stands in ``benchmarks/anchors``. Seeds are fixed; other seeds move the figures by 1 to 3 %.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from anchors import causes, crossing, faint, lateness, longrange, manoeuvres, marginals, oracle, pairs, peers, told

from airpicture.config import Association, Config
from airpicture.evaluation.consistency import bounds

FLAT = 200.0  # m, heights in the neutral files
KEPT = "<!-- by hand: begin -->"  # from here on the page is written by hand, and then another script's
HEAD = """# Accuracy

Made by `python benchmarks/accuracy.py --markdown docs/accuracy.md`: published scenarios with exact truth, one default
configuration for all, and the published figures beside ours; then [real recordings](#on-real-recordings). Seeds are
fixed; others move the figures by 1 to 3 %. What each scenario is stands in `benchmarks/anchors`. ATC: Bar-Shalom, Li,
Kirubarajan, *Estimation with Applications to Tracking and Navigation*, 2001, section 11.7.4. LBB: Li, Bar-Shalom,
Blair in *Multitarget-Multisensor Tracking: Applications and Advances III*, 2000, section 10.8.3. Four targets meet:
Williams, *Marginal multi-Bernoulli filters*, IEEE TAES 51(3), 2015. The bound: Tichavsky, Muravchik, Nehorai, IEEE
Trans. Signal Processing 46(5), 1998.

"""


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


def honesty(nees: Sequence[float], inside: Sequence[float]) -> list[str]:
    """Write NEES and the shares of scans inside their band."""
    return [*(f"{n:.2f}" for n in nees), *(f"{100 * share:.0f} %" for share in inside)]


def turns(runs: int) -> str:
    """Single targets that turn."""
    rows = []
    low, high = bounds(runs, 2)
    for course in manoeuvres.COURSES:
        for name, figures in course.published.items():
            rows.append([course.name, name, *(number(v) for v in figures), *["-"] * 6])
        others = {"told all but when": told.know, "likewise, FilterPy": told.ask_peer}
        others |= {"two rates, 5": told.guess_two, "every rate, 25": told.guess}
        for name, others_filter in others.items():
            if name.endswith("FilterPy") and not told.has_peer():
                continue
            best = others_filter(course, runs)
            rows.append([course.name, name, *(number(v) for v in best.row()), *honesty(best.nees, best.inside)])
        found = manoeuvres.fly(course, runs)
        nees = [n[0] for n in (found.nees_straight, found.nees_turn, found.nees_whole, found.nees_velocity)]
        inside = manoeuvres.inside(course, found)
        rows.append([f"**{course.name}**", "**airpicture**", *(number(v) for v in found.row()), *honesty(nees, inside)])
    return table(
        "Turns",
        "RMS over the runs, position in m and velocity in m/s, after the first four scans; NEES of two degrees of "
        f"freedom (2 is right), straight, turning, of the whole course, and of the velocity. {runs} runs. Inside: the "
        "share of scans, straight and turning, at which the mean of the runs lies in their 95 % band, "
        f"{low:.2f} to {high:.2f} (Bar-Shalom, Li, Kirubarajan 2001, section 5.4.2). ATC: T = 5 s, sigma 100 m; LBB: T "
        "= 4 s, sigma 50 m. The turn rates (1 and 3, 3.74, 4.68, 1.87 to 5.6 °/s) are unknown to airpicture. Four "
        "filters for comparison (`benchmarks/anchors/told.py`): one that is told each rate of the course, and that "
        "nothing else happens, but not when turns begin and end; the same in FilterPy; one with five models, straight "
        "and two rates either way (1.2 and 3.5 °/s), told nothing else; and one with 25, a rate every half degree up "
        "to 6 °/s: what six times our models would bring.",
        [
            "course",
            "filter",
            "all",
            "straight",
            "turn",
            "velocity",
            "NEES str.",
            "turn",
            "whole",
            "vel.",
            "inside",
            "turn",
        ],
        rows,
    )


def covariances(runs: int) -> str:
    """Targets that move as the models say."""
    rows = []
    paths = manoeuvres.roam(runs, Config().motion)
    for sigma in (50.0, 100.0, 300.0):
        found = manoeuvres.follow(*paths, sigma, 5.0, 6)
        parts = (found.nees_straight, found.nees_turn, found.nees_whole)
        rows.append([f"{sigma:g}", *(f"{mean:.2f} ({low:.2f} to {high:.2f})" for mean, low, high in parts)])
    return table(
        "Whether covariances mean what they say",
        f"{runs} targets for twenty minutes at 5 s that move as the models say: straight in moving air for eight "
        "minutes in the mean, turns of 1 to 4 °/s for a minute or so. NEES of the position, and in brackets the 95 % "
        "bounds of the mean, for as many independent scans as there are. A filter that mixes models takes a weighted "
        "sum of Gaussians for one, which is a little too wide while nothing happens and too narrow when it does, the "
        "more so the longer a turn takes to show in the noise. The courses above have no air and turn when nobody "
        "expects it: on the straight legs of ATC FilterPy's filter, told the rates, has less than 2 as well.",
        ["sigma m", "straight", "turning", "all"],
        rows,
    )


def meeting(runs: int) -> str:
    """Four targets that meet."""
    rows = [[name, *(number(v, 2) for v in figures), "-"] for name, figures in crossing.PUBLISHED.items()]
    found = crossing.meet(runs)
    rows.append(["**airpicture**", *(number(v, 2) for v in found.row()), f"{100 * found.coalesced:.1f} %"])
    known = crossing.meet(runs, config=crossing.KNOWN)
    rows.append(["told the prior", *(number(v, 2) for v in known.row()), f"{100 * known.coalesced:.1f} %"])
    sure = crossing.meet(runs, tentative=False)
    rows.append(["confirmed only", *(number(v, 2) for v in sure.row()), f"{100 * sure.coalesced:.1f} %"])
    return table(
        "Four targets meet",
        "RMS GOSPA (order 2, cut-off 10) and its parts, in the scenario's unit (sigma 1), after "
        f"{runs} runs. Fallen together: pairs of tracks in scans 36 to 56 that stand closer than a quarter of the "
        "nearest two targets. The published filters know how fast targets are (1 a scan), that hardly any comes in "
        "later (0.005 a scan), and the noise of their motion. Airpicture expects aircraft: up to 28 a scan, one plot "
        "in a hundred that nobody claims new. `Told the prior` is airpicture with those three settings "
        "(`anchors.crossing.KNOWN`): as good as the multi-Bernoulli reference, so that what is left of the difference "
        "is what it isn't told.",
        ["filter", "GOSPA", "localisation", "false", "missed", "fallen together"],
        rows,
    )


def partings(runs: int) -> str:
    """Pairs that cross, or fly side by side and part."""
    rows = []
    for name, crossing_pairs in (("crossing, 5 to 60 degrees", True), ("side by side for two minutes", False)):
        for share in (0.0, Config().association.apart):
            config = Config(association=Association(apart=share))
            found = pairs.keep(2 * runs, crossing_pairs, config)
            kept = [f"{100 * v:.1f} %" for v in (found.kept, found.swapped, found.lost, found.coalesced)]
            rows.append([name, f"{share:g}{' (default)' if share else ''}", *kept])
    return table(
        "Pairs",
        "T = 10 s, sigma 150 m, Pd 0.9; closest 0 to 3 sigma, or 2 to 4 sigma side by side, after which half of the "
        f"pairs have changed sides, so that one half kept is what can be known. {2 * runs} pairs. `apart` is the share "
        "of weight that the likeliest order gets of the others (`Association.apart`).",
        ["pairs", "apart", "kept", "swapped", "lost", "fallen together"],
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
        f"Eight tracks in a square (sides in sigma), {runs} draws. Error: mean total variation a track / worst single "
        "probability. Marginals of all joint events; that the tracker then shifts half of the weight between orders "
        "(`Association.apart`) isn't in it.",
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
             number(r.rms, 0), number(r.raw, 0), f"{r.nees:.2f}", number(r.straight.rms, 0),
             number(r.straight.bound, 0), number(r.straight.ratio, 2), str(r.breaks), str(r.switches)]
        )  # fmt: skip
    return table(
        "600 km, every class",
        f"`airpicture simulate long-range`. GOSPA {found.gospa:,.0f} m, missed {found.missed:.1f} and false "
        f"{found.false:.1f} a picture, tracks that never were on a target {found.false_tracks_an_hour:.0f} an hour. "
        f"Straight flight (60 airliners, 100 to 580 km, at updates): RMS {bound.rms:.0f} m, Cramer-Rao bound "
        f"{bound.bound:.0f} m, ratio {bound.ratio:.2f}, raw plots {bound.raw:.0f} m, NEES {bound.nees:.2f}. Fighters "
        "fly in pairs 300 m apart and vehicles in columns 50 m apart, nearer than the radar can tell; the switches "
        "are theirs. Straight: updates of tracks whose target kept its velocity for a minute, and the bound of the "
        "same plots for a target that moves as the straight model does (0.4 m²/s³); what moves less can come out below "
        "it. A fighter's is that of its pair. False tracks have no class.",
        [
            "class",
            "targets",
            "confirmed after s",
            "95 %",
            "complete",
            "RMS m",
            "raw m",
            "NEES",
            "straight RMS m",
            "bound m",
            "ratio",
            "breaks",
            "switches",
        ],
        rows,
    )


def faintness(runs: int) -> str:
    """Little information."""
    found = faint.faint()
    rows = [[f"{lo:g} to {hi:g}", str(n), f"{mean:.3f}", f"{real:.3f}"] for lo, hi, n, mean, real in found.bins if n]
    return table(
        "Little to go by",
        "Pd 0.5, ten false plots a target and turn, range and azimuth only, turns of 10 s. Tracks shown at 0.9 or more "
        f"are real in {100 * found.shown_090:.1f} %. {found.targets:g} targets a radar: {found.live:.0f} tracks held "
        f"in the mean, confirmed on {100 * found.completeness:.0f} % of the targets at any time, "
        f"{found.confirmed_false:.2f} confirmed ones a picture further than 3 km from any target.",
        ["existence", "rows", "mean", "share real"],
        rows,
    )


PARTS: dict[str, Callable[[int], str]] = {
    "manoeuvres": turns,
    "covariances": covariances,
    "crossing": meeting,
    "pairs": partings,
    "marginals": probabilities,
    "lateness": lateness_of,
    "longrange": reach,
    "faint": faintness,
}


def figures_of(c: peers.Compared) -> list[str]:
    """Write what a neutral file's pictures are worth."""
    figures = [number(v, 0) for v in (c.targets, c.gospa, c.per_root_target, c.rms)]
    return [*figures, number(c.missed), number(c.false), number(c.switches, 2), number(1e3 * c.seconds)]


def files(paths: list[str]) -> str:
    """Score neutral scenario files."""
    rows = []
    for path in paths:
        flat = Config(height_max=FLAT)
        for name, config, named in (("", Config(), False), (", told flat", flat, False), (", told whose", flat, True)):
            rows.append([Path(path).stem + name, *figures_of(peers.compare(path, config, named=named))])
        for name, world in ((", knows all but when", oracle.FILE), (", and not how straight", oracle.AIR)):
            rows.append([Path(path).stem + name, *figures_of(oracle.know(path, world))])
    return table(
        "Neutral scenario files",
        "GOSPA (order 2, cut-off 2 km), means over the scans from the tenth on; CPU time a scan. The world of these "
        "files is flat and its ranges are ground ranges. By default airpicture takes them for slant ranges to targets "
        "of unknown height, up to 18 km, which costs a little within 30 km; `told flat` is `height_max = 200` m, `told "
        "whose` that and an address on each plot of a target: what knowing whose each plot is would bring. `Knows all "
        "but when`: whose each plot is, when targets come and go, and how they move, but not when they turn "
        "(`benchmarks/anchors/oracle.py`); `and not how straight` takes air to move and any target to turn as "
        "airpicture does.",
        ["file", "targets", "GOSPA m", "per root target", "RMS m", "missed", "false", "switches", "ms"],
        rows,
    )


def reasons(paths: list[str]) -> str:
    """Count what is missed, false and switched in neutral scenario files, by cause."""
    counted = [causes.causes(path) for path in paths]
    total = sum((found for found, _ in counted), Counter[str]())
    scans = sum(scans for _, scans in counted)
    rows = [[cause, f"{count / scans:.2f}"] for cause, count in sorted(total.items())]
    return table("Why", "Means a scan, from the tenth on; see `anchors.causes`.", ["cause", "a scan"], rows)


def check() -> int:
    """Run the scenarios small and compare with loose bounds; return how many are broken."""
    bounds: list[tuple[str, float, float]] = []
    for course, most in zip(manoeuvres.COURSES, (98.0, 58.0, 57.5, 61.5), strict=True):
        bounds.append((f"{course.name} RMS, m", manoeuvres.fly(course, 20).position, most))
    roaming = manoeuvres.follow(*manoeuvres.roam(40, Config().motion), 50.0, 5.0, 6)
    bounds.append(("NEES of targets that move as the models say, off 2", abs(roaming.nees_whole[0] - 2.0), 0.1))
    bounds.append(("meeting, RMS GOSPA", crossing.meet(20).gospa, 4.0))
    bounds.append(("little to go by, 1 - share real at 0.9", 1.0 - faint.faint(runs=3).shown_090, 0.15))
    bounds.append(("marginals, worst", marginals.agree(8.0, 0.9, 1e-3, draws=20).worst_exact, 1e-9))
    bounds.append(("straight flight over its bound", longrange.straight(seconds=600.0).ratio, 1.1))
    broken = 0
    for name, value, most in bounds:
        broken += value > most
        print(f"{name:52} {value:10.3g}   at most {most:g}{'' if value <= most else '   BROKEN'}")
    return broken


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default=",".join(PARTS), help="parts, comma between: " + ", ".join(PARTS))
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--markdown", help="write the tables to this file, too")
    parser.add_argument("--file", nargs="*", default=[], help="neutral scenario files (.npz) to score instead")
    parser.add_argument("--causes", nargs="*", default=[], help="neutral scenario files to find causes in instead")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if args.check:
        return 1 if check() else 0
    if args.causes:
        print(reasons(args.causes))
        return 0
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
        page = Path(args.markdown)
        _, mark, kept = (page.read_text("utf-8") if page.exists() else "").partition(KEPT)
        page.write_text(HEAD + "\n".join(texts) + (f"\n{mark}{kept}" if mark else ""), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
