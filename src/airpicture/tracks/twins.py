"""Twins: tracks near each other that carry one 24-bit address. One aircraft, one track.

Sensors disagree about an aircraft by more than they know: its ADS-B may lag by one and a half seconds (200 m in
flight), and a multilateration system's errors last for seconds. What lies outside the gate of the aircraft's own track
would begin another, and the next such plots would keep it.

::

      *---*---*---*---*---*      the track that carries the address: its plots pass the gate
                o   o            plots of the same address beside it: errors, not a second aircraft

So near a live track its address begins no other (`spoken_for`), and of two tracks that came to carry one address one
ends (`settle_twins`). Far from it a second track does begin: addresses are set wrong at times, and physics decides.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels.layout import S_POSITION, S_SIGMA_P, S_VELOCITY, Z_P
from airpicture.kernels.life import LONG_AGO
from airpicture.kernels.rivals import SHOWN_ENDED
from airpicture.kernels.twins import MARKS, list_sharing
from airpicture.reports import Reports
from airpicture.store import Store
from airpicture.tables import F64, I64, Status
from airpicture.units import SECOND_NS

# m. Errors of fixes and clocks seen in recordings reach 1.5 km; two aircraft with one address so near each other are
# far rarer than that, and nobody could tell them apart by it.
NEAR = 2000.0
ALL_EVERY_S = 10  # s between looks at all tracks, which take 50 ms for a million of them
LATELY_NS = 15 * SECOND_NS  # of a coasting track: long enough to learn that its positions are worse than they claim
SIGMA_MOST = 1000.0  # m; a track vaguer than this says nothing of what is near it


class Beside(NamedTuple):
    """Reports that lie beside a track of their own address."""

    mask: NDArray[np.bool_]  # (M,)
    plot: I64  # (n,) the same by number, once for each such track
    row: I64  # (n,) of the store
    away: F64  # (n,) m


def spoken_for(store: Store, reports: Reports, free: F64) -> Beside:
    """Return which reports carry the address of a confirmed track that is near and still gets plots or messages.

    Parameters
    ----------
    store : tracks; reports : (M,) of one look; free : (M,) probability that no track claims each
    """
    mask = np.zeros(reports.size, bool)
    asking = np.flatnonzero((reports.address >= 0) & (free > 0.5))
    none = np.zeros(0, np.int64)
    if not len(asking) or not store.n:
        return Beside(mask, none, none, np.zeros(0))
    n = store.n
    holders = np.flatnonzero(np.isin(store.address[:n], reports.address[asking]))
    # a track that coasts because its target's positions miss the gate is where the target is, more or less
    since = np.maximum(store.t_heard[holders], store.t_plot[holders])
    status = store.status[holders]
    lately = since > int(reports.t_ns[0]) - LATELY_NS
    holders = holders[(status == Status.CONFIRMED) | ((status == Status.COASTING) & lately)]
    if not len(holders):
        return Beside(mask, none, none, np.zeros(0))
    holders = holders[np.argsort(store.address[holders], kind="stable")]
    held = store.address[holders]
    first = np.searchsorted(held, reports.address[asking], "left")
    count = np.searchsorted(held, reports.address[asking], "right") - first
    plot = np.repeat(asking, count)
    row = holders[np.repeat(first - np.cumsum(count) + count, count) + np.arange(int(count.sum()))]
    away = _apart(reports.Z[plot, Z_P : Z_P + 3], _places(store, row, reports.t_ns[plot]))
    near = away < NEAR + 3.0 * _sigma(store, row)
    mask[plot[near]] = True
    return Beside(mask, plot[near], row[near], away[near])


def settle_twins(store: Store, t_ns: int) -> int:
    """End one of each two tracks near each other that carry one address; return how many.

    The one that still gets plots stays; of two that do the confirmed, of two confirmed ones the elder. A tentative
    track beside a coasting one is left to show its worth.

    Parameters
    ----------
    store : status, existence and misses overwritten; t_ns : ns UTC, now
    """
    rows = _asking(store, t_ns)
    if len(rows) < 2:
        return 0
    # address and row in one number: sorting these is ten times as quick as sorting rows by address
    key = np.sort(store.address[rows].astype(np.int64) << 32 | rows)
    address, rows = key >> 32, key & 0xFFFFFFFF
    pair = np.flatnonzero(address[1:] == address[:-1])
    if not len(pair):
        return 0
    one, two = rows[pair], rows[pair + 1]
    when = np.full(len(pair), t_ns)
    away = _apart(_places(store, one, when), _places(store, two, when))
    near = away < NEAR + 3.0 * (_sigma(store, one) + _sigma(store, two))
    ended = 0
    for i, k in zip(one[near].tolist(), two[near].tolist(), strict=True):
        states = {int(store.status[i]), int(store.status[k])}
        if Status.ENDED in states or states == {Status.COASTING, Status.TENTATIVE}:
            continue
        loser = max(i, k, key=lambda row: (store.status[row] != Status.CONFIRMED, store.number[row]))
        if store.status[loser] != Status.TENTATIVE:
            store.misses[loser] = SHOWN_ENDED
        store.status[loser] = Status.ENDED
        store.existence[loser] = 0.0
        store.due_ns[loser] = LONG_AGO  # the sweep is to see it
        ended += 1
    return ended


def _asking(store: Store, t_ns: int) -> I64:
    """Return the rows among which twins are looked for: once in ten seconds all, else those of addresses newly held.

    Twins come about where a track begins, and seldom later, by a track that learns its address from another sensor.
    """
    n = store.n
    if t_ns // SECOND_NS % ALL_EVERY_S == 0:
        return np.flatnonzero((store.address[:n] >= 0) & (store.status[:n] != Status.ENDED))
    since_ns = t_ns - ALL_EVERY_S * SECOND_NS
    work = np.zeros(MARKS, np.uint8), np.empty(n, np.int32), np.empty(n, np.int32)
    rows = np.empty(n, np.int64)
    return rows[: list_sharing(n, store.address, store.status, store.t_first, since_ns, *work, rows)]


def _places(store: Store, rows: I64, t_ns: I64) -> F64:
    """Return where tracks are at given times, flying straight on: (n, 3) m, ECEF."""
    dt = (t_ns - store.t_ns[rows]) * 1e-9
    summary = store.summary[rows]
    places: F64 = summary[:, S_POSITION : S_POSITION + 3] + dt[:, None] * summary[:, S_VELOCITY : S_VELOCITY + 3]
    return places


def _apart(p: F64, q: F64) -> F64:
    """Return how far two places (n, 3) are from each other on the ground [m]: a height nobody told is a guess."""
    up = p / np.sqrt((p * p).sum(axis=1))[:, None]  # from the Earth's centre: near enough to the vertical here
    d = p - q
    d = d - (d * up).sum(axis=1)[:, None] * up
    apart: F64 = np.sqrt((d * d).sum(axis=1))
    return apart


def _sigma(store: Store, rows: I64) -> F64:
    """Return how vague the tracks' positions are [m], bounded."""
    sigma: F64 = np.minimum(store.summary[rows, S_SIGMA_P], SIGMA_MOST)
    return sigma
