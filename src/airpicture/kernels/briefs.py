"""A chunk's plots, numbered in order, and what a glance reads of them: one line of the cache each.

Neighbours share plots, so that each plot of a crowd is asked for by several tracks. They find it here, by its number
in the chunk, instead of in a row that is four lines long and in columns beside it. What the track that takes it reads
besides is another line.
"""

from typing import Any, Final

from airpicture.kernels._jit import inline, part
from airpicture.kernels.arrays import I32
from airpicture.kernels.conditioning import LOG_2PI, plain
from airpicture.kernels.fetching import fetch_plain
from airpicture.kernels.layout import (
    A_AZIMUTH,
    A_PLACE,
    A_RANGE,
    A_SINCE,
    A_TECHNOLOGY,
    B_COS,
    B_LOG,
    B_RANGE,
    B_SENSOR,
    B_SIN,
    B_TIME,
    B_VAR_AZIMUTH,
    B_VAR_RANGE,
    Z_COS,
    Z_LAG,
    Z_LOG_CLUTTER,
    Z_P,
    Z_RANGE,
    Z_SIN,
    Z_VAR_AZIMUTH,
    Z_VAR_RANGE,
)
from airpicture.kernels.learn import Said
from airpicture.kernels.room import Room
from airpicture.kernels.sorting import sort_numbers

SCANNED: Final = 8  # numbers between that are looked at for each plot, rather than plots sorted
ASKED: Final = 8  # plots ahead that the memory is asked for


@part
def number_plots(e_from: int, e_to: int, plot: I32, room: Room) -> int:
    """Number the plots of a chunk's candidates in rising order: names of all, local of each; return how many."""
    plots = 0
    low, high = len(room.local), 0
    for e in range(e_from, e_to):
        j = plot[e]
        if room.local[j] < 0:
            room.local[j] = 0
            room.names[plots] = j
            plots += 1
            low, high = min(low, j), max(high, j)
    if high - low < SCANNED * plots:  # most plots between belong to the chunk
        at = 0
        for j in range(low, high + 1):
            room.names[at] = j
            at += room.local[j] >= 0
    else:
        sort_numbers(plots, room.names, room.spare)
    for k in range(plots):
        room.local[room.names[k]] = k
    return plots


@inline
def _tells(R: Any, j: int) -> bool:
    """Say whether plot j brings a code that might be a track's, or says of what nature its target is."""
    named = R.address[j] != -1 or R.mode_3a[j] != -1 or R.callsign[j] != 0
    return bool(named or R.on_ground[j] >= 0 or R.category[j] != 0)


@inline
def said_after(k: int, R: Any, room: Room) -> Said:
    """Return what the track that takes the k-th plot of a chunk, a plain one, learns of it."""
    t = R.t_ns[0] + int(room.after[k, A_SINCE])
    return t, int(room.after[k, A_TECHNOLOGY]), room.after[k, A_RANGE], room.after[k, A_AZIMUTH]


@part
def brief_plots(plots: int, R: Any, room: Room) -> tuple[bool, bool, bool]:
    """Gather what is read of the chunk's plots, as far as all are plain (see `conditioning.plain`).

    Returns
    -------
    whether all are plain and are gathered, whether any may say more of its target than where it is, and whether all are
    of one time
    """
    telling, at_once = False, True
    t = R.t_ns[room.names[0]] if plots > 0 else 0
    for k in range(plots):
        if k + ASKED < plots:
            fetch_plain(room.names[k + ASKED], R)
        j = room.names[k]
        if not plain(R.Z, j):
            return False, True, at_once
        telling = telling or _tells(R, j)
        at_once = at_once and R.t_ns[j] == t
        brief = room.brief
        brief[k, B_RANGE] = R.Z[j, Z_RANGE]
        brief[k, B_SIN] = R.Z[j, Z_SIN]
        brief[k, B_COS] = R.Z[j, Z_COS]
        brief[k, B_VAR_RANGE] = R.Z[j, Z_VAR_RANGE]
        brief[k, B_VAR_AZIMUTH] = R.Z[j, Z_VAR_AZIMUTH]
        brief[k, B_LOG] = -R.Z[j, Z_LOG_CLUTTER] - LOG_2PI
        brief[k, B_TIME] = (R.t_ns[j] - R.t_ns[0]) * 1e-9 - R.Z[j, Z_LAG]
        brief[k, B_SENSOR] = R.sensor[j]
        after = room.after
        for axis in range(3):
            after[k, A_PLACE + axis] = R.Z[j, Z_P + axis]
        after[k, A_SINCE] = R.t_ns[j] - R.t_ns[0]
        after[k, A_TECHNOLOGY] = R.technology[j]
        after[k, A_RANGE], after[k, A_AZIMUTH] = R.slant_range[j], R.azimuth[j]
    return True, telling, at_once
