"""Plain twins of `kernels.learn`: the same rules as array expressions over all tracks of a look at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels.layout import (
    EXISTENCE,
    NUMBERS,
    POLAR,
    POSITION,
    SHARED,
    SHARED_FADES,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_P,
)
from airpicture.reports import Reports
from airpicture.store import Store
from airpicture.tables import Status, Technology
from reference_records import put_row, ticks, times

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

SHARED_CODES = [0o0000, 0o1000, 0o1200, 0o2000, 0o7000, 0o7500, 0o7600, 0o7700]


def _times(tick: NDArray[np.int32], t_ns: I64) -> I64:
    near = [times(row, t) for row, t in zip(tick, t_ns, strict=True)]
    return np.array(near, np.int64).reshape(tick.shape)


def looks_of(store: Store, tracks: I64, t_ns: I64) -> I64:
    """Return when each sensor's look counted last [ns], (n, SEEN)."""
    return _times(store.seen_look[tracks], t_ns)


def hits_of(store: Store, tracks: I64, t_ns: I64) -> I64:
    """Return when each sensor's plot was taken last [ns], (n, SEEN)."""
    return _times(store.seen_hit[tracks], t_ns)


def detection(store: Store, tracks: I64, t_ns: I64, sensor: int, turn: float, pd: float) -> F64:
    """Return the chance of a report of each track in this look."""
    if not turn > 0.0:
        return np.full(len(tracks), min(0.05, pd))
    mine = store.seen_sensor[tracks] == sensor
    since = np.where(mine, np.abs(t_ns[:, None] - looks_of(store, tracks, t_ns)), np.iinfo(np.int64).max).min(axis=1)
    return np.where(since < 0.5e9 * turn, 0.02, pd)


def expected(store: Store, tracks: I64, t_ns: I64, sensor: int, turn: float, pd: float) -> F64:
    """Return the chance that a plot of each track comes that hasn't come in this turn."""
    if not turn > 0.0:
        return np.full(len(tracks), min(0.05, pd))
    mine = store.seen_sensor[tracks] == sensor
    since = np.where(mine, np.abs(t_ns[:, None] - hits_of(store, tracks, t_ns)), np.iinfo(np.int64).max).min(axis=1)
    return np.where(since < 0.5e9 * turn, 0.02, pd)


def identity_score(store: Store, tracks: I64, reports: Reports, plots: NDArray[np.int32]) -> F64:
    """Return what codes add to each pair."""
    score = np.zeros(len(tracks))
    held, seen = store.address[tracks], reports.address[plots]
    both = (held >= 0) & (seen >= 0)
    other = np.where(reports.technology[plots] == Technology.ADS, -16.0, -7.0)
    score[both] = np.where(held[both] == seen[both], 9.0, other[both])
    age = (reports.t_ns[plots] - store.t_plot[tracks]) * 1e-9
    score[both & (held != seen) & (age < 2.5 * np.maximum(store.interval[tracks], 1.0))] = -np.inf
    code, code_seen = store.mode_3a[tracks], reports.mode_3a[plots]
    use = ~both & (code >= 0) & (code_seen >= 0) & ~np.isin(code, SHARED_CODES) & ~np.isin(code_seen, SHARED_CODES)
    score[use] = np.where(code[use] == code_seen[use], 4.0, -2.5)
    names = ~both & (store.callsign[tracks] != 0) & (store.callsign[tracks] == reports.callsign[plots])
    score[names] += 3.0
    return score


def identify(store: Store, tracks: I64, reports: Reports, plots: I64) -> None:
    """Let tracks learn codes."""
    columns: list[tuple[NDArray[Any], NDArray[Any], int, int]] = [
        (store.address, reports.address, -1, 3),
        (store.mode_3a, reports.mode_3a, -1, 2),
        (store.callsign, reports.callsign, 0, 3),
    ]
    for k, (held, seen, missing, agree) in enumerate(columns):
        new, old = seen[plots], held[tracks]
        first = (old == missing) & (new != missing)
        other = (old != missing) & (new != missing) & (new != old)
        same = (new != missing) & (new == old)
        doubt = store.doubt[tracks, k].astype(int)
        doubt = np.where(other, np.minimum(doubt + 1, 255), np.where(same | first, 0, doubt))
        change = other & (doubt >= agree)
        held[tracks] = np.where(first | change, new, old)
        store.doubt[tracks, k] = np.where(change, 0, doubt)


def height_source(Z: F64, before: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return what heights rest on: 0 nothing, 1 pressure, 2 reported, 3 elevation."""
    geometric, pressure = np.isfinite(Z[:, Z_H]), np.isfinite(Z[:, Z_H_BARO])
    measured = np.isfinite(Z[:, Z_ELEVATION])
    source = np.where(pressure & (before != 2), 1, np.where(measured & (before == 0), 3, before))
    return np.where(geometric, 2, source).astype(np.uint8)


def learn(
    store: Store,
    tracks: I64,
    W: F64,
    t_w: I64,
    got: F64,
    best: I64,
    reports: Reports,
    sensor: int,
    turn: float,
    confirm: float,
    confirm_plots: int,
) -> I64:
    """Write states back, let tracks learn; return the rows of those that took a plot."""
    moved, taken = got >= 1e-4, got >= 0.5
    for i, row in zip(tracks[moved], W[moved], strict=True):
        put_row(store, i, row)
    store.t_ns[tracks[moved]] = t_w[moved]
    store.existence[tracks] = np.minimum(W[:, EXISTENCE], 0.998)
    store.t_aged[tracks] = np.maximum(store.t_aged[tracks], t_w)
    looked = store.seen_sensor[tracks] == sensor
    look = looks_of(store, tracks, t_w)
    store.seen_look[tracks] = np.where(looked, ticks(np.maximum(look, t_w[:, None])), store.seen_look[tracks])
    if turn > 0.0:
        again = looked & (np.abs(t_w[:, None] - look) < 0.5e9 * turn)
        store.misses[tracks[~taken & looked.any(axis=1) & ~again.any(axis=1)]] += 1
    own, plot = tracks[taken], best[taken]
    t = reports.t_ns[plot]
    gap = np.maximum((t - store.t_plot[own]) * 1e-9, 0.0)
    interval = store.interval[own].astype(float)
    followed = interval + np.where(store.plots[own] > 1, 0.2, 1.0) * (np.minimum(gap, 60.0) - interval)
    store.interval[own] = np.where(gap > 0.02, followed, interval)
    newest = t >= store.t_plot[own]
    store.t_plot[own] = np.maximum(store.t_plot[own], t)
    store.plots[own] += 1
    store.misses[own] = 0
    mine = store.seen_sensor[own] == sensor
    vacant = np.where(store.seen_sensor[own] < 0, np.iinfo(np.int64).min, hits_of(store, own, t))
    slot = np.where(mine.any(axis=1), mine.argmax(axis=1), vacant.argmin(axis=1))
    had, each = mine.any(axis=1), np.arange(len(own))
    look, hit = looks_of(store, own, t)[each, slot], hits_of(store, own, t)[each, slot]
    store.seen_sensor[own, slot] = sensor
    store.seen_look[own, slot] = ticks(np.where(had, np.maximum(t, look), t))
    store.seen_hit[own, slot] = ticks(np.where(had, np.maximum(t, hit), t))
    kind = reports.technology[plot]
    same = store.t_technology[own, kind] == store.t_technology[own].max(axis=1)  # the technology of the last plot
    store.t_technology[own, kind] = np.maximum(store.t_technology[own, kind], t)
    identify(store, own, reports, plot)
    store.h_source[own] = height_source(reports.Z[plot], store.h_source[own])
    told = height_source(reports.Z[plot], np.zeros(len(own), np.uint8)) > 0
    store.t_height[own] = np.where(told, np.maximum(store.t_height[own], t), store.t_height[own])
    store.has_baro[own] |= np.isfinite(reports.Z[plot, Z_H_BARO])
    last, plot = own[newest], plot[newest]
    fading = np.maximum(store.spreads[last, NUMBERS + SHARED].astype(float) - SHARED_FADES, 0.0)
    other = np.where(same[newest], np.maximum(fading, 1.0), 2.0)
    store.spreads[last, NUMBERS + SHARED] = np.where(store.plot_sensor[last] == sensor, fading, other)
    Z = reports.Z[plot]
    told = height_source(Z, np.zeros(len(plot), np.uint8)) > 0
    kind = Z[:, Z_KIND].astype(int)
    placed = (kind == POSITION) | ((kind == POLAR) & told)
    store.last_p[last] = np.where(placed[:, None], Z[:, Z_P : Z_P + 3], 0.0)
    store.plot_sensor[last] = sensor
    store.plot_range[last] = reports.slant_range[plot]
    store.plot_azimuth[last] = reports.azimuth[plot]
    store.plot_h_baro[last] = reports.Z[plot, Z_H_BARO]
    store.plot_mode_3a[last] = reports.mode_3a[plot]
    same = (reports.address[plot] < 0) | (reports.address[plot] == store.address[last])
    same &= t[newest] >= store.t_heard[last]
    said = same & (reports.on_ground[plot] >= 0)
    store.on_ground[last[said]] = reports.on_ground[plot[said]]
    said = same & (reports.category[plot] != 0)
    store.category[last[said]] = reports.category[plot[said]]
    sure = (store.existence[own] >= confirm) & (store.plots[own] >= confirm_plots)
    store.status[own] = np.where((store.status[own] == Status.COASTING) | sure, Status.CONFIRMED, store.status[own])
    return own
