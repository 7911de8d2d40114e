"""Little to go by: Pd 0.5, ten false plots for each target, range and azimuth only, a turn of 10 s.

Do existence probabilities mean what they say? Each track that a picture shows, tentative or confirmed, goes into a bin
of its existence; the share of real ones (the nearest target within the cut-off, which no older track holds) should
be the bin's mean.
"""

from dataclasses import dataclass

import numpy as np

from airpicture.config import Config
from airpicture.evaluation import gospa
from airpicture.tables import Plots, SensorKind, Status
from airpicture.tracker import Tracker
from anchors.plane import F64, T0_NS, Planes, sensors_at

EDGES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0)
CUTOFF = 3000.0
RANGE = 150e3
PERIOD = 10.0
SIGMA_RANGE, SIGMA_AZIMUTH = 70.0, np.radians(0.08)


@dataclass(frozen=True)
class Faint:
    """Calibration by bin, and how many tracks there are."""

    bins: list[tuple[float, float, int, float, float]]  # from, to, rows, mean existence, share real
    shown_090: float  # share real of all rows with existence of 0.9 or more
    targets: float
    live: float  # mean tracks in the store, tentative ones included
    most: int
    confirmed_false: float  # a picture
    completeness: float


def faint(
    runs: int = 8,
    targets: int = 20,
    pd: float = 0.5,
    clutter: float = 10.0,
    scans: int = 60,
    config: Config | None = None,
    seed: int = 1,
    declared: float | None = None,
) -> Faint:
    """Track straight and gently turning targets at 9 km, each plane with a radar of its own.

    clutter : false plots per target and turn; declared : what the sensor table says of them (default: the truth)
    """
    rng = np.random.default_rng(seed)
    planes = Planes.of(runs)
    per_turn = clutter * targets
    sensors = sensors_at(
        planes,
        kind=SensorKind.RADAR,
        period=PERIOD,
        pd=pd,
        range_max=RANGE,
        sigma_range=SIGMA_RANGE,
        sigma_azimuth=SIGMA_AZIMUTH,
        clutter_per_turn=per_turn if declared is None else declared,
        range_min=2e3,
    )
    n = runs * targets
    plane = np.repeat(np.arange(runs), targets)
    radius, angle = 0.9 * RANGE * np.sqrt(rng.random(n)), rng.uniform(0.0, 2.0 * np.pi, n)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    speed, course = rng.uniform(80.0, 280.0, n), rng.uniform(0.0, 2.0 * np.pi, n)
    rate = np.where(rng.random(n) < 0.2, rng.choice([-1.0, 1.0], n) * np.radians(1.0), 0.0)
    tracker = Tracker(sensors, config)
    counts = np.zeros((len(EDGES) - 1, 3))
    real_090 = np.zeros(2)
    live: list[int] = []
    false, held, there = 0.0, 0, 0
    for k in range(scans):
        vx, vy = speed * np.cos(course), speed * np.sin(course)
        r = np.hypot(x, y)
        inside = r < RANGE
        slant, azimuth = _polar(x, y)
        seen = inside & (rng.random(n) < pd)
        fp = rng.poisson(per_turn, runs)
        f_plane = np.repeat(np.arange(runs), fp)
        f_r, f_a = rng.uniform(2e3, RANGE, fp.sum()), rng.uniform(0.0, 2.0 * np.pi, fp.sum())
        m = int(seen.sum())
        columns_r = np.concatenate([slant[seen] + SIGMA_RANGE * rng.normal(size=m), f_r])
        columns_a = np.concatenate([azimuth[seen] + SIGMA_AZIMUTH * rng.normal(size=m), f_a])
        sensor = np.concatenate([plane[seen], f_plane])
        order = rng.permutation(len(sensor))
        now = T0_NS + round((k + 1) * PERIOD * 1e9)
        plots = Plots.blank(
            len(order),
            sensors,
            t_ns=np.full(len(order), now),
            sensor=sensor[order].astype(np.int32),
            slant_range=columns_r[order],
            azimuth=np.mod(columns_a[order], 2.0 * np.pi),
        )
        picture = tracker.step(plots, now)
        live.append(tracker._store.n)
        tracks = picture.tracks.take(picture.tracks.status != Status.ENDED)
        if k >= 8:
            run = planes.nearest(tracks.lat, tracks.lon)
            ex, ey = planes.back(run, tracks.lat, tracks.lon)
            real = np.zeros(len(tracks), bool)
            for p in range(runs):
                mine, its = np.flatnonzero(run == p), np.flatnonzero((plane == p) & inside)
                older = mine[np.argsort(tracks.track[mine])]
                found = gospa(np.column_stack([x, y])[its], np.column_stack([ex, ey])[older], cutoff=CUTOFF, order=2.0)
                real[older[found.pairs[:, 1]]] = True
                firm = tracks.status[older] != Status.TENTATIVE
                sure = gospa(
                    np.column_stack([x, y])[its], np.column_stack([ex, ey])[older[firm]], cutoff=CUTOFF, order=2.0
                )
                false += sure.false
                held += len(sure.pairs)
                there += len(its)
            bin_of = np.clip(np.searchsorted(EDGES, tracks.existence, side="right") - 1, 0, len(EDGES) - 2)
            np.add.at(counts, bin_of, np.column_stack([np.ones(len(real)), tracks.existence, real]))
            high = tracks.existence >= 0.9
            real_090 += (high.sum(), real[high].sum())
        # move to the next turn: along the chord of a turn
        half = 0.5 * rate * PERIOD
        chord = np.sinc(half / np.pi) * PERIOD
        x = x + chord * (vx * np.cos(half) - vy * np.sin(half))
        y = y + chord * (vx * np.sin(half) + vy * np.cos(half))
        course = course + rate * PERIOD
    bins = [
        (EDGES[b], EDGES[b + 1], int(c[0]), float(c[1] / max(c[0], 1)), float(c[2] / max(c[0], 1)))
        for b, c in enumerate(counts)
    ]
    pictures = (scans - 8) * runs
    return Faint(
        bins,
        float(real_090[1] / max(real_090[0], 1)),
        targets,
        float(np.mean(live)) / runs,
        max(live),
        false / pictures,
        held / max(there, 1),
    )


def _polar(x: F64, y: F64) -> tuple[F64, F64]:
    """Return slant range and azimuth of points of a plane at 9 km above a round Earth, seen from its origin."""
    d, earth = np.hypot(x, y), 6_371_000.0
    slant = np.sqrt(earth**2 + (earth + 9000.0) ** 2 - 2.0 * earth * (earth + 9000.0) * np.cos(d / earth))
    return slant, np.arctan2(x, y)
