"""Asking the memory ahead for what a look reads soon: it's slow, but many lines can be asked for at a time."""

from typing import Any

from airpicture.kernels._jit import inline, part, prefetch
from airpicture.kernels.arrays import F64, I32
from airpicture.kernels.learn import Held
from airpicture.kernels.life import ENDED
from airpicture.kernels.room import Room

LINE = 8  # words of a line of the cache
ASKED = 32  # tracks ahead that the memory is asked for; more would drive one another out of the caches
WITHIN = 512  # tracks of a chunk whose rows stay in a core's cache
ROWS = 4  # tracks ahead that rows are asked for
BRIEFS = 16  # plots of a track that are asked for while the one before it is worked on


@inline
def _fetch_four(table: F64, i: int, k: int) -> None:
    """Ask for four lines of row i of a table, from place k on: one by one, since a loop would count them."""
    prefetch(table, i, k)
    prefetch(table, i, k + LINE)
    prefetch(table, i, k + 2 * LINE)
    prefetch(table, i, k + 3 * LINE)


@inline
def fetch_states(i: int, of: Held) -> None:
    """Ask for the states of track i, all RECORD words, unless it ended and waits to be taken out."""
    if of.status[i] != ENDED:
        _fetch_four(of.states, i, 0)
        _fetch_four(of.states, i, 4 * LINE)
        prefetch(of.states, i, 8 * LINE)
        prefetch(of.states, i, 9 * LINE)


@inline
def fetch_side(i: int, plain: bool, of: Held) -> None:
    """Ask for what else is known of track i, unless it ended.

    plain : whether only for what plots without codes and heights need, see `store.SIDE`
    """
    if of.status[i] != ENDED:
        prefetch(of.summary, i, 0)
        prefetch(of.t_ns, i, 0)
        prefetch(of.due_ns, i, 0)
        prefetch(of.side, i, LINE)
        prefetch(of.side, i, 2 * LINE)
        if not plain:
            prefetch(of.side, i, 0)
            prefetch(of.side, i, 3 * LINE)


@inline
def _fetch_columns(j: int, R: Any) -> None:
    """Ask for the columns of plot j."""
    prefetch(R.t_ns, j, 0)
    prefetch(R.sensor, j, 0)
    prefetch(R.address, j, 0)
    prefetch(R.mode_3a, j, 0)
    prefetch(R.callsign, j, 0)
    prefetch(R.slant_range, j, 0)
    prefetch(R.azimuth, j, 0)


@inline
def fetch_plot(j: int, R: Any) -> None:
    """Ask for each line of the cache that plot j takes, PLOT words and its columns."""
    _fetch_four(R.Z, j, 0)
    _fetch_columns(j, R)


@inline
def fetch_plain(j: int, R: Any) -> None:
    """Ask for what a look reads of plot j, if it's plain: see `layout`."""
    prefetch(R.Z, j, 0)
    prefetch(R.Z, j, LINE)
    _fetch_columns(j, R)


@inline
def _fetch_briefed(k: int, room: Room) -> None:
    """Ask for what is read of the k-th plot of a chunk, which is plain."""
    prefetch(room.brief, k, 0)
    prefetch(room.after, k, 0)


@inline
def _fetch_row(w: int, room: Room) -> None:
    """Ask for each line of the cache that the w-th track's predicted row takes, ROW words."""
    _fetch_four(room.W, w, 0)
    _fetch_four(room.W, w, 4 * LINE)
    _fetch_four(room.W, w, 8 * LINE)
    _fetch_four(room.W, w, 12 * LINE)


@inline
def fetch_row(w: int, n: int, room: Room) -> None:
    """Ask for the predicted row of the w-th of n tracks, where they are more than a core's cache holds."""
    if n > WITHIN and w < n:
        _fetch_row(w, room)


@inline
def fetch_briefs(e_from: int, e_to: int, plot: I32, room: Room) -> None:
    """Ask for the briefs of the plots of some pairs, anywhere in a chunk; of a crowd's the first few."""
    for e in range(e_from, min(e_to, e_from + BRIEFS)):
        prefetch(room.brief, room.local[plot[e]], 0)


@part
def fetch_again(w: int, n: int, briefed: bool, telling: bool, R: Any, of: Held, room: Room) -> None:
    """Ask for what folding plots into the w-th of n tracks takes: others have been scored meanwhile.

    Of a few tracks all of it still is in a core's cache, though no longer in the nearest one: what is read first, in
    one go, is asked for.

    briefed : whether the chunk's plots are plain, with briefs; telling : whether any says more, see `briefs`
    """
    if w < n and room.first[w] < room.first[w + 1]:
        _fetch_row(w, room)
        if n > WITHIN:
            i = room.row[w]
            fetch_states(i, of)
            fetch_side(i, briefed and not telling, of)
            for e in range(room.first[w], room.first[w + 1]):
                if briefed:
                    _fetch_briefed(room.near[e], room)
                    if telling:
                        _fetch_columns(room.plot[e], R)
                else:
                    fetch_plot(room.plot[e], R)
