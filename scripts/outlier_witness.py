"""Hold the outliers that `airpicture clean` finds in a recording against lines through their neighbours.

    python scripts/outlier_witness.py RECORDING

Nothing of the smoother is used: of a report between good ones, the median of the lines through each pair of one before
and one after within 35 s; of one at an end (an aircraft that comes into the recorded area, or leaves it), the three
good ones next to it, by a line and by the velocity told. Printed beside the same of good reports, drawn at random.
"""

import argparse
from pathlib import Path

import numpy as np

import airpicture as ap
from airpicture.tables import F64, I64, Plots

RADIUS = 6_371_000.0  # m
NEAR_S, END_S = 35.0, 65.0
DRAWN = 4_000


def offsets(plots: Plots, row: int, others: I64) -> tuple[F64, F64]:
    """Return seconds and metres (n, 2) north and east from a report to others."""
    t = (plots.t_ns[others] - plots.t_ns[row]) * 1e-9
    north = RADIUS * (plots.lat[others] - plots.lat[row])
    east = RADIUS * np.cos(plots.lat[row]) * (plots.lon[others] - plots.lon[row])
    return t, np.column_stack([north, east])


def between(plots: Plots, row: int, good: I64) -> float:
    """Return how far a report lies off the median line through its neighbours [m]; NaN without two on either side."""
    t, p = offsets(plots, row, good)
    before, after = np.flatnonzero((t < 0) & (t > -NEAR_S)), np.flatnonzero((t > 0) & (t < NEAR_S))
    if min(len(before), len(after)) < 2:
        return float("nan")
    b, a = (one.ravel() for one in np.meshgrid(before, after))
    share = -t[b] / (t[a] - t[b])
    return float(np.linalg.norm(np.median(p[b] + share[:, None] * (p[a] - p[b]), axis=0)))


def beyond(plots: Plots, row: int, good: I64) -> float:
    """Return how far a report lies off where three good ones on one side lead [m], by line or velocity, the less."""
    t, p = offsets(plots, row, good)
    for side in (1.0, -1.0):
        near = np.flatnonzero((side * t > 0) & (side * t < END_S))
        near = near[np.argsort(np.abs(t[near]))][:3]
        if len(near) == 3:
            line = np.linalg.lstsq(np.column_stack([np.ones(3), t[near]]), p[near], rcond=None)[0][0]
            k = good[near[0]]
            told = p[near[0]] - t[near[0]] * np.array([plots.v_north[k], plots.v_east[k]])
            return float(np.nanmin([np.linalg.norm(line), np.linalg.norm(told)]))
    return float("nan")


def main() -> None:
    """Clean a recording, and print both distances of outliers and of good reports."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("recording", type=Path)
    options = parser.parse_args()
    plots = ap.read(options.recording, repeats=True)
    order = np.lexsort((plots.t_ns, plots.address))
    flags = ap.clean(plots).flags[order]
    plots = plots.take(order)
    drawn = np.random.default_rng(1).choice(np.flatnonzero(flags == 0), DRAWN, replace=False)
    for name, rows in (("outlier", np.flatnonzero(flags & ap.Flag.OUTLIER)), ("good", drawn)):
        off = np.full((2, len(rows)), np.nan)
        for n, row in enumerate(rows.tolist()):
            lo, hi = np.searchsorted(plots.address, (plots.address[row], plots.address[row] + 1))
            good = lo + np.flatnonzero(flags[lo:hi] == 0)
            good = good[good != row]
            off[0, n] = between(plots, row, good)
            if np.isnan(off[0, n]):
                off[1, n] = beyond(plots, row, good)
        for title, values in zip(("between neighbours", "at an end"), off, strict=True):
            known = values[np.isfinite(values)]
            if len(known):
                low, middle, high = np.percentile(known, (5, 50, 95))
                shown = f"5, 50, 95 %: {low:.0f}, {middle:.0f}, {high:.0f} m"
                print(
                    f"{name}, {title}: {len(known)} of {len(rows)}; {shown}; beyond 300 m: {(known > 300).mean():.3f}"
                )


if __name__ == "__main__":
    main()
