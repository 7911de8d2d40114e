"""A feed of several receivers made of a real flight, with labelled wrong reports in it.

As a network delivers them (of the 17,521 reports of flight JL516 each position comes twice in the mean, half a second
late in the median, 5 s at worst, out of order): each of five receivers hears a part of the positions and stamps them by
its clock. Of what several heard the first copy is good, the others are duplicates. Beside these:

late         far behind its place in the order of the file, and right
stale        a receiver says again, 1 to 8 s later, where the aircraft was
time_wrong   stamped 2 to 40 s before or after
identity     a position of another aircraft, under this one's address
outlier      300 m to 60 km off, to any side
height       200 to 8,000 m off
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.formats import read
from airpicture.formats.sensors import sensors_from_rows
from airpicture.smoothing import Flag
from airpicture.tables import Plots

RADIUS: Final = 6_371_000.0  # m
RECEIVERS: Final = 5
LABELS: Final = ("good", "late", "duplicate", "stale", "time_wrong", "identity", "outlier", "height")
NAMED: Final = (  # what cleaning is to call each
    Flag(0), Flag(0), Flag.DUPLICATE, Flag.STALE, Flag.TIME_WRONG, Flag.IDENTITY_WRONG, Flag.OUTLIER, Flag.HEIGHT_WRONG
)  # fmt: skip
HEARD: Final = 0.35  # of positions, by each receiver: two copies of each in the mean
CLOCK_S: Final = 0.02  # of a receiver's stamps
SHARE: Final = 0.004  # of reports, of each wrong kind
OTHER: Final = 0x780A01  # another aircraft: the same flight, elsewhere and some minutes later
APART: Final = 0.4, 0.9  # degrees north and east
EDGE_NS: Final = 60_000_000_000  # at either end of the flight nothing is spoilt

Rows = NDArray[np.int64]


class Mixed(NamedTuple):
    """A feed and what each of its reports is."""

    plots: Plots
    label: Rows  # (M,) place in LABELS


def longest(path: Path) -> Plots:
    """Return the positions with a height of the address that most positions of a recording are of."""
    plots = read(path)
    plots = plots.take(np.isfinite(plots.lat) & np.isfinite(plots.h_baro) & (plots.address >= 0))
    met, count = np.unique(plots.address, return_counts=True)
    return plots.take(plots.address == met[np.argmax(count)]).in_time_order()


def unclaimed(flight: Plots) -> Plots:
    """Return positions without what they say of their accuracy."""
    return replace(flight, sigma_pos=np.full(len(flight), np.nan))


def mixed_feed(flight: Plots, rng: np.random.Generator) -> Mixed:
    """Make a feed of one flight's positions (one address, in the order of time, every place told once)."""
    address = int(flight.address[0])
    second = replace(
        flight,
        address=np.full(len(flight), OTHER, np.int32),
        t_ns=flight.t_ns + (flight.t_ns[-1] - flight.t_ns[0]) // 7,
        lat=flight.lat + np.radians(APART[0]),
        lon=flight.lon + np.radians(APART[1]),
    )
    both = Plots.concat([flight, second])
    heard = rng.random((RECEIVERS, len(both))) < HEARD
    heard[rng.integers(0, RECEIVERS, len(both)), np.arange(len(both))] = True
    row, sensor = np.nonzero(heard.T)
    order = np.lexsort((rng.random(len(row)), row))  # any of them may be the first
    row, sensor = row[order], sensor[order]
    first = np.append(True, row[1:] != row[:-1])
    lag = np.where(first, 0.0, rng.lognormal(np.log(0.56), 0.9, len(row)).clip(0.1, 14.0))  # of the network
    stamp = lag + rng.normal(0.0, CLOCK_S, len(row)).clip(-2 * CLOCK_S, 2 * CLOCK_S)
    plots = both.take(row)
    plots = replace(
        plots,
        sensor=sensor.astype(np.int32),
        sensors=sensors_from_rows([{"id": f"receiver-{k}", "kind": "adsb"} for k in range(RECEIVERS)]),
        t_ns=plots.t_ns + np.rint(1e9 * stamp).astype(np.int64),
    )
    label = np.where(first, LABELS.index("good"), LABELS.index("duplicate"))
    alone = np.flatnonzero(np.bincount(row)[row] == 1)  # so that no copy of a spoilt one is left
    inside = (plots.t_ns[alone] > flight.t_ns[0] + EDGE_NS) & (plots.t_ns[alone] < flight.t_ns[-1] - EDGE_NS)
    chosen = rng.permutation(alone[inside & (plots.address[alone] == address)])
    kinds = [name for name in LABELS if name not in ("good", "duplicate")]
    count = min(max(int(SHARE * len(plots)), 5), len(chosen) // len(kinds))
    taken = {name: chosen[k * count : (k + 1) * count] for k, name in enumerate(kinds)}
    return _in_order(_spoilt(plots, label, taken, rng), rng)


def _spoilt(plots: Plots, label: Rows, taken: dict[str, Rows], rng: np.random.Generator) -> Mixed:
    """Spoil the chosen reports, each in its way; stale ones are said in addition."""
    t_ns, lat, lon, h = plots.t_ns.copy(), plots.lat.copy(), plots.lon.copy(), plots.h_baro.copy()
    h_ell = plots.h_ell.copy()
    label = label.copy()
    for name, rows in taken.items():
        if name != "stale":
            label[rows] = LABELS.index(name)
    rows = taken["time_wrong"]
    late = rng.uniform(2.0, 40.0, len(rows)) * rng.choice([-1, 1], len(rows))
    t_ns[rows] += np.rint(1e9 * late).astype(np.int64)
    rows = taken["identity"]
    theirs = np.flatnonzero((plots.address == OTHER) & (label == LABELS.index("good")))
    theirs = theirs[np.argsort(plots.t_ns[theirs], kind="stable")]
    at = theirs[np.searchsorted(plots.t_ns[theirs], plots.t_ns[rows]).clip(0, len(theirs) - 1)]
    # near the aircraft, and no place that it told itself
    lat[rows], lon[rows], h[rows] = plots.lat[at] + rng.normal(0.0, 5e-7, len(rows)), plots.lon[at], plots.h_baro[at]
    t_ns[rows], h_ell[rows] = plots.t_ns[at], plots.h_ell[at]
    rows = taken["outlier"]
    off, way = np.exp(rng.uniform(np.log(300.0), np.log(60e3), len(rows))), rng.uniform(0.0, 2 * np.pi, len(rows))
    lat[rows] += off * np.cos(way) / RADIUS
    lon[rows] += off * np.sin(way) / RADIUS / np.cos(lat[rows])
    rows = taken["height"]
    off = np.exp(rng.uniform(np.log(200.0), np.log(8000.0), len(rows)))
    h[rows] += off * np.where(h[rows] > 9000.0, rng.choice([-1, 1], len(rows)), 1)
    rows = taken["stale"]
    again = plots.take(rows)
    again = replace(again, t_ns=again.t_ns + np.rint(1e9 * rng.uniform(1.0, 8.0, len(rows))).astype(np.int64))
    spoilt = replace(plots, t_ns=t_ns, lat=lat, lon=lon, h_baro=h, h_ell=h_ell)
    return Mixed(Plots.concat([spoilt, again]), np.append(label, np.full(len(rows), LABELS.index("stale"))))


def _in_order(made: Mixed, rng: np.random.Generator) -> Mixed:
    """Put reports in the order of a file: late ones some minutes behind their time."""
    behind = np.where(made.label == LABELS.index("late"), rng.uniform(20.0, 300.0, len(made.label)), 0.0)
    order = np.argsort(made.plots.t_ns + np.rint(1e9 * behind).astype(np.int64), kind="stable")
    return Mixed(made.plots.take(order), made.label[order])
