"""Pairs of aircraft that cross, or fly side by side for a while and part: do tracks keep their targets?

Each pair has a plane of its own. Crossing: courses differ by 5 to 60 degrees, closest approach 0 to 3 sigma.
Together: 2 to 4 sigma apart on one course for two minutes, then apart, half of them on the other's side. T = 10 s,
sigma 150 m per axis, Pd 0.9, some clutter. Judged when both have parted by 25 sigma again: held by the same tracks as
before, swapped, or not held by two tracks.
"""

from dataclasses import dataclass

import numpy as np

from airpicture.config import Config
from airpicture.tables import Status
from anchors.plane import F64, Planes, pictures, positions, sensors_at

PERIOD = 10.0
SIGMA = 150.0
PD = 0.9
CLUTTER = 2e-9  # per m²: a gate holds one false plot in a hundred looks
SIDE = 60e3  # m, round the pair
SCANS = 48


@dataclass(frozen=True)
class Kept:
    """Shares of pairs after they have parted."""

    kept: float
    swapped: float
    lost: float  # a target without a track of its own, or with another than one of the two before
    coalesced: float  # share of the scans at which the two tracks stood nearer than a quarter of the targets' distance


def courses(rng: np.random.Generator, pairs: int, crossing: bool) -> F64:
    """Return positions (scans, pairs, 2 targets, 2) [m], closest in the middle."""
    t = (np.arange(SCANS) - SCANS / 2) * PERIOD
    speed = rng.uniform(150.0, 250.0, (pairs, 2))
    if crossing:
        course = rng.uniform(0.0, 2 * np.pi, pairs)
        angle = np.radians(rng.uniform(5.0, 60.0, pairs)) * rng.choice([-1.0, 1.0], pairs)
        heading = np.column_stack([course, course + angle])
        v = speed[..., None] * np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        u = v[:, 1] - v[:, 0]
        away = np.column_stack([-u[:, 1], u[:, 0]]) / np.linalg.norm(u, axis=1)[:, None]
        gap = rng.uniform(0.0, 3.0 * SIGMA, pairs)[:, None] * away
        out = t[:, None, None, None] * v[None]
        out[:, :, 1] += gap
        return np.asarray(out)
    course = rng.uniform(0.0, 2 * np.pi, pairs)
    forward = np.column_stack([np.cos(course), np.sin(course)])
    across = np.column_stack([-forward[:, 1], forward[:, 0]])
    half = 0.5 * rng.uniform(2.0, 4.0, pairs) * SIGMA
    # together for two minutes, then (and before) apart at 8 degrees each
    beyond = np.maximum(np.abs(t) - 60.0, 0.0)
    along = speed[:, :1] * np.ones((1, 2))
    drift = np.tan(np.radians(8.0)) * along[:, 0]
    offset = half[None] + beyond[:, None] * drift[None]
    # a half of them changes sides before they part
    sides = np.where((rng.random(pairs) < 0.5)[None] & (t > 60.0)[:, None], -1.0, 1.0)
    settle = np.clip((t[:, None] - 60.0) / 30.0, 0.0, 1.0)
    offset = np.where(sides < 0.0, half[None] * (1.0 - 2.0 * settle) - (offset - half[None]), offset)
    middle = t[:, None, None] * along[None, :, :1] * forward[None]
    out = np.stack([middle + offset[..., None] * across, middle - offset[..., None] * across], axis=2)
    return np.asarray(out)


def keep(pairs: int = 300, crossing: bool = True, config: Config | None = None, seed: int = 1) -> Kept:
    """Track pairs, each with noise of its own, in one run of the tracker."""
    rng = np.random.default_rng(seed)
    truth = courses(rng, pairs, crossing)
    planes = Planes.of(pairs)
    sensors = sensors_at(planes, period=PERIOD, pd=PD, clutter_per_m2=CLUTTER, range_max=150e3)
    parts = []
    for k in range(SCANS):
        seen = rng.random((pairs, 2)) < PD
        noisy = truth[k] + SIGMA * rng.normal(size=truth[k].shape)
        plane = np.nonzero(seen)[0]
        false = rng.poisson(CLUTTER * SIDE**2, pairs)
        where = np.repeat(np.arange(pairs), false)
        xy = np.concatenate(
            [noisy[seen], truth[k].mean(1)[where] + rng.uniform(-0.5 * SIDE, 0.5 * SIDE, (len(where), 2))]
        )
        parts.append((np.concatenate([plane, where]), np.full(len(xy), k * PERIOD), xy[:, 0], xy[:, 1]))
    plane, t, x, y = (np.concatenate(column) for column in zip(*parts, strict=True))
    plots = positions(planes, sensors, plane.astype(np.int64), t, x, y, SIGMA)
    gap = np.linalg.norm(truth[:, :, 0] - truth[:, :, 1], axis=-1)
    far = gap > 25.0 * SIGMA
    before = np.full((pairs, 2), -1, np.int64)
    after = np.full((pairs, 2), -2, np.int64)
    together = np.zeros(2)
    for k, picture in pictures(plots, sensors, np.arange(SCANS) * PERIOD, config):
        tracks = picture.tracks.take(
            (picture.tracks.status == Status.CONFIRMED) | (picture.tracks.status == Status.COASTING)
        )
        if not len(tracks):
            continue
        run = planes.nearest(tracks.lat, tracks.lon)
        px, py = planes.back(run, tracks.lat, tracks.lon)
        for p in range(pairs):
            mine = np.flatnonzero(run == p)
            if not len(mine):
                continue
            d = np.hypot(px[mine][:, None] - truth[k, p, :, 0], py[mine][:, None] - truth[k, p, :, 1])
            if len(mine) == 2 and abs(k - SCANS / 2) < 10:
                apart = np.hypot(px[mine[0]] - px[mine[1]], py[mine[0]] - py[mine[1]])
                together += (apart < 0.25 * gap[k, p], 1.0)
            if not far[k, p]:
                continue
            best = d.argmin(0)
            held = np.where(d.min(0) < 8.0 * SIGMA, tracks.track[mine[best]], -1)
            if k < SCANS / 2:
                before[p] = held
            elif after[p, 0] == -2 and gap[k, p] > 30.0 * SIGMA:
                after[p] = held
    judged = (before >= 0).all(1) & (before[:, 0] != before[:, 1]) & (after[:, 0] != -2)
    b, a = before[judged], after[judged]
    same = (a == b).all(1)
    swapped = (a == b[:, ::-1]).all(1)
    return Kept(
        float(same.mean()),
        float(swapped.mean()),
        float((~same & ~swapped).mean()),
        float(together[0] / max(together[1], 1)),
    )
