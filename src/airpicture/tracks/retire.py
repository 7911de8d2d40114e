"""Ageing and ending: what time, silence and rivals do to tracks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.config import Config
from airpicture.kernels.kept import move_down
from airpicture.kernels.life import (
    E_COAST_LOOKS,
    E_COAST_S,
    E_CONFIRM,
    E_CONFIRM_PLOTS,
    E_END_FIRST_S,
    E_END_S,
    E_END_TENTATIVE_S,
    E_HEARD_S,
    E_LIFETIME,
    E_RETIRE,
    E_RETIRE_TENTATIVE,
    ENDING,
    SECOND_NS,
    age_due,
    find_due,
    find_ranks,
    list_ended,
    list_live,
    move_rows,
)
from airpicture.memory import Memory
from airpicture.parallel import Run, do
from airpicture.reports import Stations
from airpicture.store import Store, as_words
from airpicture.tables import F64, I64, U8

SHARE: Final = 3  # ranks are closed behind the row from which on one in so many has ended: of five, twice as many move
TIGHT: Final = 0.87  # of the capacity in use, from which on ...
TIGHT_SHARE: Final = 8  # ... it's one in so many
FULL: Final = 0.93  # likewise, from which on all goes at once: where many begin, each row that's free counts
ROOM: Final = 2  # of what live tracks leave free: if tracks that have ended take more than this part, ranks are closed
SLICES: Final = 12  # in so many goes, a second apart, ranks are closed if most rows have to move ...
TIGHT_SLICES: Final = 4  # ... or in so many where room is tight ...
SLICE_LEAST: Final = 8_192  # ... each go of so many rows at least
PART: Final = 65_536  # rows aged in one go
FEW: Final = 1_000  # rows moved in one go; fewer aren't worth a thread


def ending_settings(config: Config) -> F64:
    """Return the settings of ageing as `kernels.life` reads them."""
    ending = np.zeros(ENDING)
    life = config.life
    ending[E_RETIRE] = life.retire
    ending[E_RETIRE_TENTATIVE] = life.retire_tentative
    ending[E_CONFIRM] = life.confirm
    ending[E_CONFIRM_PLOTS] = life.confirm_plots
    ending[E_COAST_LOOKS] = life.coast_looks
    ending[E_COAST_S] = life.coast_s
    ending[E_END_S] = life.end_s
    ending[E_END_TENTATIVE_S] = life.end_tentative_s
    ending[E_END_FIRST_S] = life.end_first_s
    ending[E_LIFETIME] = life.lifetime_s
    ending[E_HEARD_S] = life.heard_s
    return ending


def sweep(
    store: Store,
    first_ns: int,
    last_ns: int,
    stations: Stations,
    sensor_last: I64,
    ending: F64,
    run: Run | None = None,
    memory: Memory | None = None,
) -> tuple[int, I64, U8]:
    """Age the tracks that are due, second by second until any status changes: missed looks, coasting, Status.ENDED.

    Tracks that ended stay in their rows until `close_ranks`: with status ENDED, S_SIGMA_P NaN and never due.

    Parameters
    ----------
    store : overwritten
    first_ns, last_ns : ns, of the first second, not before the last sweep, and of the last one
    sensor_last : (S,) int64 [ns], latest plot of each sensor
    run : see `parallel.Run`; memory : that what is returned may lie in

    Returns
    -------
    the second [ns] that all are aged to, last_ns or an earlier one; rows whose status changed there, rising, and what
    it was; a track that was ended from outside has been ENDED
    """
    n = store.n
    memory = memory or Memory()
    moved, was = memory.empty(n, np.int64), memory.empty(n, np.uint8)
    given = (store.held, stations, sensor_last, ending, moved, was)
    if n <= PART:
        t_ns, count, ended = age_due(first_ns, last_ns, 0, n, *given)
        moved, was = moved[:count], was[:count]
    else:
        soon = max(find_due(store.due_ns, n, first_ns), first_ns)  # a second at a time, as ranges know none but theirs
        t_ns = min(first_ns - (first_ns - soon) // SECOND_NS * SECOND_NS, last_ns)
        counts = do(age_due, [(t_ns, t_ns, lo, min(lo + PART, n), *given) for lo in range(0, n, PART)], run)
        moved = np.concatenate([moved[q * PART : q * PART + count] for q, (_, count, _) in enumerate(counts)])
        was = np.concatenate([was[q * PART : q * PART + count] for q, (_, count, _) in enumerate(counts)])
        ended = sum(ended for _, _, ended in counts)
    store.ended += ended
    return t_ns, moved, was


def compile_sweep(stations: Stations) -> None:
    """Compile the kernel of ageing, by ageing nothing."""
    sweep(Store(2), 0, 0, stations, np.zeros(len(stations.period), np.int64), np.zeros(ENDING))


def ended_among(store: Store, moved: I64, was: U8) -> tuple[I64, I64]:
    """Return the rows of those that ended in a sweep, and of these those that had been shown.

    moved, was : as `sweep` returns them
    """
    gone, shown = np.empty(len(moved), np.int64), np.empty(len(moved), np.int64)
    ended, seen = list_ended(moved, was, store.status, store.misses, gone, shown)
    return gone[:ended], shown[:seen]


class Closed(NamedTuple):
    """What `close_ranks` did: tracks of rows, rising, came to stand side by side from another row on."""

    rows: I64  # (n,) of the store, as they were
    at: int


def close_ranks(
    store: Store, *beside: NDArray[Any], before: Callable[[Store], None] | None = None, run: Run | None = None
) -> Closed:
    """Go on taking tracks that have ended out of the store, once it pays; a step of it takes a bounded time.

    The others keep their order. They move down past what has ended in slices, one at each call::

        before      1 2 . 4 . 6 | 7 . 9 | a b . d        . has ended
        one call    1 2 4 6 . . | 7 . 9 | a b . d        the gap reaches from closing_at to closing_to
        the next    1 2 4 6 7 9 | . . . | a b . d
        the last    1 2 4 6 7 9   a b d                  and the store is shorter

    Whether it pays depends on the statuses alone, so that any batching of the same plots gives the same rows. Most of
    those that end have just begun and stand at the end of the store, so that gaps close there time and again, and the
    others only once they take half of the room that is left. Where room is tight, slices are larger, and hardly any is
    left, all is done at once; so it is where no track lives, since none has to move.

    Parameters
    ----------
    store : overwritten
    beside : (cap, ...) tables whose rows stand for the same tracks; overwritten likewise
    before : is called before rows are used for others, if any are
    run : as for `sweep`
    """
    if not store.ended:
        return Closed(_NONE, store.n)
    if not store.live:
        if before is not None:
            before(store)
        store.n = store.ended = store.closing_at = store.closing_to = 0
        return Closed(_NONE, 0)
    tight = store.n > TIGHT * store.capacity
    if not store.closing_to:
        most = (store.capacity - store.live) // ROOM
        first = find_ranks(store.status, store.n, store.ended, TIGHT_SHARE if tight else SHARE, most)
        if first == store.n:
            return Closed(_NONE, store.n)
        store.closing_at = store.closing_to = first
    if before is not None:
        before(store)
    at, first = store.closing_at, store.closing_to
    go = max(store.n // (TIGHT_SLICES if tight else SLICES), SLICE_LEAST)
    last = store.n if store.n > FULL * store.capacity else min(first + go, store.n)
    source = np.empty(last - first, np.int64)
    count = list_live(store.status, first, last, source)
    if 0 < count < FEW:
        move_down(source, count, at, store.words)
        for column in beside:
            column[at : at + count] = column[source[:count]]
    elif count:
        tasks = []
        for words in (*store.widest, *map(as_words, beside)):
            half = words.shape[1] // 2 if words.shape[1] >= 64 else 0  # two threads share the widest
            tasks += [(words, source, at, count, 0, half)] * bool(half)
            tasks.append((words, source, at, count, half, words.shape[1]))
        do(move_rows, tasks, run)
    store.closing_at, store.closing_to = at + count, last
    if last < store.n:
        store.vacate(max(at + count, first), last)
    else:
        store.ended -= store.n - at - count
        store.n = at + count
        store.closing_at = store.closing_to = 0
    return Closed(source[:count], at)


_NONE: Final = np.zeros(0, np.int64)
