"""A track's plots laid out in time: those that it took, those that may be its own, and instants that somebody asks for.

Candidates are plots that no track took: of the track's own address, near its time; and for what has no address, the one
or two plots that began it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels.layout import MESSAGE, Z_KIND, Z_LEARN, Z_P, Z_VAR_P
from airpicture.kernels.pressure import pressure_offsets
from airpicture.kernels.smooth import Paths
from airpicture.smoothing.owned import BRIDGE_S, Owned
from airpicture.tables import F64, I64, U8

AROUND_S = 60.0  # a plot of a track's address belongs to it this long before its first and after its last one
VAR_LEAST = 1e-6  # m², of a claim: what divides by it
AROUND_NS = round(AROUND_S * 1e9)


class Laid(NamedTuple):
    """Tracks laid out; instants stand track by track, in the order of time."""

    number: I64  # (n,) of each track, rising
    start: I64  # (n + 1,)
    t_ns: I64  # (I,)
    plot: I64  # (I,) row of the reports, -1 for an instant without
    used: U8  # (I,)


def lay(owned: Owned, period_s: float | None = None) -> Laid:
    """Lay tracks out: owned plots used, candidates looked at; with `period_s`, its whole multiples in between.

    Nothing is asked of a silence longer than `BRIDGE_S`: one number, and nobody knows where it was.
    """
    whose = np.where(owned.owner >= 0, owned.owner, candidates(owned))
    plot = np.flatnonzero(whose >= 0)
    number, track = np.unique(whose[plot], return_inverse=True)
    used = (owned.owner[plot] >= 0).astype(np.uint8)
    t_ns = owned.reports.t_ns[plot]
    if period_s is not None:
        mine = used > 0
        extra_track, extra_t = _grid(track[mine], t_ns[mine], len(number), round(period_s * 1e9))
        heard = _inside(track[mine], t_ns[mine], extra_track, extra_t)
        extra_track, extra_t = extra_track[heard], extra_t[heard]
        track, t_ns = np.concatenate([track, extra_track]), np.concatenate([t_ns, extra_t])
        plot = np.concatenate([plot, np.full(len(extra_t), -1, np.int64)])
        used = np.concatenate([used, np.zeros(len(extra_t), np.uint8)])
    order = np.lexsort((t_ns, track))
    start = np.searchsorted(track[order], np.arange(len(number) + 1)).astype(np.int64)
    return Laid(number, start, t_ns[order], plot[order].astype(np.int64), used[order])


def _grid(track: I64, t_ns: I64, count: int, period_ns: int) -> tuple[I64, I64]:
    """Return the whole multiples of a period between the first and last plot of each track."""
    first = np.full(count, np.iinfo(np.int64).max)
    last = np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(first, track, t_ns)
    np.maximum.at(last, track, t_ns)
    some = last >= first
    begin = np.where(some, -(-first // period_ns), 0)
    length = np.where(some, last // period_ns - begin + 1, 0)
    whose = np.repeat(np.arange(count), length)
    step = np.arange(len(whose)) - np.repeat(np.cumsum(length) - length, length)
    return whose, (begin[whose] + step) * period_ns


def _inside(track: I64, t_ns: I64, extra_track: I64, extra_t: I64) -> NDArray[np.bool_]:
    """Return which of some instants lie between plots of their track no more than `BRIDGE_S` apart.

    None lies before the first or behind the last plot of its track. Tracks are laid end to end: had each the span of
    the recording, those of a week had no room in 64 bits.
    """
    if not len(track) or not len(extra_t):
        return np.zeros(len(extra_t), bool)
    order = np.lexsort((t_ns, track))
    track, t_ns = track[order], t_ns[order]
    first = np.searchsorted(track, np.arange(int(track[-1]) + 2))
    some = np.flatnonzero(np.diff(first))
    begin, end = np.zeros((2, len(first) - 1), np.int64)
    begin[some], end[some] = t_ns[first[some]], t_ns[first[some + 1] - 1] + 1
    shift = np.cumsum(end - begin) - end
    key = shift[track] + t_ns
    asked = shift[extra_track] + extra_t
    before = np.searchsorted(key, asked, side="right") - 1
    after = np.minimum(before + 1, len(key) - 1)
    return np.asarray((key[before] == asked) | (key[after] - key[before] <= round(BRIDGE_S * 1e9)))


def candidates(owned: Owned) -> I64:
    """Return for each report that nobody took the track that it may be one of, -1 for none."""
    reports = owned.reports
    of = np.full(reports.size, -1, np.int64)
    taken = np.flatnonzero(owned.owner >= 0)
    if not len(taken):
        return of
    free = np.flatnonzero((owned.owner < 0) & (reports.Z[:, Z_KIND] != MESSAGE))
    number, track = np.unique(owned.owner[taken], return_inverse=True)
    first, last = np.full(len(number), reports.size), np.zeros(len(number), np.int64)
    np.minimum.at(first, track, taken)
    np.maximum.at(last, track, taken)
    address = addresses_of(owned, number)
    begin, end = reports.t_ns[first] - AROUND_NS, reports.t_ns[last] + AROUND_NS
    named = free[reports.address[free] >= 0]
    named = named[np.argsort(reports.address[named], kind="stable")]
    best = np.full(reports.size, np.iinfo(np.int64).max)
    for k in np.flatnonzero(address >= 0):  # a report that lies within two tracks of its address goes to the nearer
        lo, hi = np.searchsorted(reports.address[named], (address[k], address[k] + 1))
        rows = named[lo:hi]
        lo, hi = np.searchsorted(reports.t_ns[rows], (begin[k], end[k] + 1))
        rows = rows[lo:hi]
        if len(rows):
            outside = np.maximum(begin[k] + AROUND_NS - reports.t_ns[rows], reports.t_ns[rows] - end[k] + AROUND_NS)
            nearer = rows[outside < best[rows]]
            best[nearer] = outside[outside < best[rows]]
            of[nearer] = number[k]
    for k in np.flatnonzero(address < 0):
        _begun_by(owned, number[k], int(first[k]), free, of)
    return of


def _begun_by(owned: Owned, number: int, first: int, free: I64, of: I64) -> None:
    """Find the plots that began a track without address, those before the first one that it took; `of` is overwritten.

    Only a place that the track comes from at its first speed, by the widest gate, is a candidate: the smoother judges.
    """
    reports, tracks = owned.reports, owned.tracks
    row = int(np.searchsorted(tracks.track, number))
    since = int(tracks.t_ns_first[row])
    lo, hi = np.searchsorted(reports.t_ns[free], (since, reports.t_ns[first]))
    rows = free[lo:hi]
    rows = rows[(of[rows] < 0) & (reports.address[rows] < 0)]
    if not len(rows):
        return
    gap = (reports.t_ns[first] - reports.t_ns[rows]) * 1e-9
    apart = np.linalg.norm(reports.Z[rows, Z_P : Z_P + 3] - reports.Z[first, Z_P : Z_P + 3], axis=1)
    speed = float(np.hypot(tracks.v_east[row], tracks.v_north[row]))
    off = np.abs(apart - speed * gap)
    for t_ns in np.unique(reports.t_ns[rows]):
        same = np.flatnonzero(reports.t_ns[rows] == t_ns)
        best = same[np.argmin(off[same])]
        if off[best] < 3_000.0 + 0.5 * speed * gap[best]:
            of[rows[best]] = number


def addresses_of(owned: Owned, number: I64) -> NDArray[np.int32]:
    """Return the last address of each track, -1 where it never had one."""
    last = np.searchsorted(owned.tracks.track, number, side="right") - 1
    return owned.tracks.address[last]


def paths(laid: Laid, Z: F64, var_most: float, scatter: F64, jitter: F64, pace: F64) -> Paths:
    """Return tracks as kernels take them, with the air's pressure offset smoothed along each.

    scatter : (I,) m², of positions, 0 where nothing is known of it
    """
    rows = np.maximum(laid.plot, 0)
    claims = (laid.plot >= 0) & (scatter > 0.0) & (Z[rows, Z_LEARN] != 1.0)
    scale = np.where(claims, scatter / np.maximum(Z[rows, Z_VAR_P], VAR_LEAST), 0.0)
    offset, var_offset = np.zeros(len(laid.plot)), np.full(len(laid.plot), var_most)
    pressure_offsets(laid.start, laid.plot, laid.used, Z, var_most, offset, var_offset)
    return Paths(laid.start, laid.t_ns, laid.plot, laid.used, offset, var_offset, scatter, scale, jitter, pace)
