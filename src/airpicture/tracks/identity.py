"""Identity: what the codes of a plot say about whose it is, and which codes a track carries.

Codes are evidence. They weigh in the likelihood, within bounds, and never widen a gate: physics decides what is
possible. A code that a track carries changes only after several plots in a row agree on another.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels.begin import SAME_ADDRESS, SAME_CODE
from airpicture.kernels.layout import INTERVAL
from airpicture.reports import Reports
from airpicture.store import Store
from airpicture.tables import F64, I32, I64

OTHER_ADDRESS = -7.0  # log ratio: one reply in a thousand carries a wrong address
FRESH = 2.5  # intervals since the last plot, up to which a track counts as coming in under its own address
INTERVAL_LEAST = 1.0  # s
OTHER_CODE = -2.5  # garbled or changed Mode A codes are common: some 2 % of replies, more in crowds
SAME_CALLSIGN = 3.0
AGREE = (3, 2, 3)  # plots in a row before address, code, callsign change
SHARED_CODES = np.array([0o0000, 0o1000, 0o1200, 0o2000, 0o7000, 0o7500, 0o7600, 0o7700], np.int32)  # name nobody


def identity_score(store: Store, tracks: I64, reports: Reports, plots: I32) -> F64:
    """Return the log ratio that codes add to each pair: (E,); tracks are rows of the store, plots rows of reports."""
    score = np.zeros(len(tracks))
    held, seen = store.address[tracks], reports.address[plots]
    both = (held >= 0) & (seen >= 0)
    if both.any():
        score[both] = np.where(held[both] == seen[both], SAME_ADDRESS, OTHER_ADDRESS)
        # while a track keeps coming in under its own address, a plot of another one is another aircraft's
        age = (reports.t_ns[plots] - store.t_plot[tracks]) * 1e-9
        fresh = age < FRESH * np.maximum(store.rows[tracks, INTERVAL], INTERVAL_LEAST)
        score[both & (held != seen) & fresh] = -np.inf
    codes, codes_seen = store.mode_3a[tracks], reports.mode_3a[plots]
    use = ~both & (codes >= 0) & (codes_seen >= 0)
    if use.any():
        use[use] = ~np.isin(codes[use], SHARED_CODES) & ~np.isin(codes_seen[use], SHARED_CODES)
        score[use] = np.where(codes[use] == codes_seen[use], SAME_CODE, OTHER_CODE)
    names = ~both & (store.callsign[tracks] != 0) & (store.callsign[tracks] == reports.callsign[plots])
    score[names] += SAME_CALLSIGN
    return score


def identify(store: Store, tracks: I64, reports: Reports, plots: I64) -> None:
    """Let each track (row of the store) learn the codes of the plot it took."""
    columns: list[tuple[NDArray[Any], NDArray[Any], int]] = [
        (store.address, reports.address, -1),
        (store.mode_3a, reports.mode_3a, -1),
        (store.callsign, reports.callsign, 0),
    ]
    for k, (held, seen, missing) in enumerate(columns):
        new = seen[plots]
        old = held[tracks]
        first = (old == missing) & (new != missing)
        other = (old != missing) & (new != missing) & (new != old)
        same = (new != missing) & (new == old)
        doubt = store.doubt[tracks, k]
        doubt = np.where(other, np.minimum(doubt + 1, 255), np.where(same | first, 0, doubt)).astype(np.uint8)
        change = other & (doubt >= AGREE[k])
        held[tracks] = np.where(first | change, new, old)
        store.doubt[tracks, k] = np.where(change, 0, doubt)
