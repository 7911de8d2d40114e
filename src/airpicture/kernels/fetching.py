"""Asking the memory ahead for what a look reads soon: it's slow, but many lines can be asked for at a time."""

from typing import Any

from airpicture.kernels._jit import inline, part, prefetch
from airpicture.kernels.layout import PLOT, RECORD, ROW
from airpicture.kernels.learn import Held
from airpicture.kernels.life import ENDED
from airpicture.kernels.room import Room

ASKED = 32  # tracks ahead that the memory is asked for; more would drive one another out of the caches
WITHIN = 512  # tracks of a chunk whose rows stay in a core's cache
ROWS = 4  # tracks ahead that rows are asked for


@inline
def _fetch(i: int, of: Held) -> None:
    """Ask for each line of the cache that track i takes."""
    for k in range(0, RECORD, 8):
        prefetch(of.states, i, k)
    prefetch(of.summary, i, 0)
    prefetch(of.t_ns, i, 0)
    prefetch(of.due_ns, i, 0)
    prefetch(of.seen_sensor, i, 0)  # each of these begins another line of the track's side
    prefetch(of.t_technology, i, 0)
    prefetch(of.t_technology, i, 4)
    prefetch(of.t_aged, i, 0)


@inline
def fetch(i: int, of: Held) -> None:
    """Ask for what track i takes, unless it ended and waits to be taken out."""
    if of.status[i] != ENDED:
        _fetch(i, of)


@inline
def fetch_plot(j: int, R: Any) -> None:
    """Ask for each line of the cache that plot j takes."""
    for k in range(0, PLOT, 8):
        prefetch(R.Z, j, k)
    prefetch(R.t_ns, j, 0)
    prefetch(R.sensor, j, 0)
    prefetch(R.address, j, 0)
    prefetch(R.mode_3a, j, 0)
    prefetch(R.callsign, j, 0)
    prefetch(R.slant_range, j, 0)
    prefetch(R.azimuth, j, 0)


@inline
def fetch_row(w: int, n: int, room: Room) -> None:
    """Ask for the predicted row of the w-th of n tracks, where they are more than a core's cache holds."""
    if n > WITHIN and w < n:
        for k in range(0, ROW, 8):
            prefetch(room.W, w, k)


@part
def fetch_again(w: int, n: int, R: Any, of: Held, room: Room) -> None:
    """Ask for what folding plots into the w-th of n tracks takes, where too many others have been scored since."""
    if n > WITHIN and w < n and room.first[w] < room.first[w + 1]:
        fetch_row(w, n, room)
        _fetch(room.row[w], of)
        for e in range(room.first[w], room.first[w + 1]):
            fetch_plot(room.plot[e], R)
