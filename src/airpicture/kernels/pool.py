"""Unclaimed plots that wait for a second one: a ring of records, chained by cell from the newest back.

A record is in three parts (see `tracks.pool`): half a cache line of what each search that passes by looks at, another
half of what one asks of those that are near, and a line of what only a trial needs. Places are kept as the point on the
ground in single precision (0.5 m) and the rest of the position as an offset to that (1 mm).

Plots of a look that share a cell and come one after another are a *run*: they stand side by side in the ring, and only
runs are chained. Each plot knows how many of its run there are up to itself, and where the run before that ends:

    head of a bucket -> newest plot of a run, run - 1 more right below it -> back: newest of the run before, ...

Cells are cubes of ECEF over the ellipsoid, hashed. How far a search must look depends on what it looks for, and a cell
should be no larger than that, so plots wait on one of three levels:

    PLAIN   nothing but a place: joined only with what is near, the nearer the denser false plots are (see `search`)
    NAMED   a code or a height: may be joined across the whole way of a fast target with another that has them
    VAGUE   placed badly, or with a velocity: may be joined that far with any other
"""

import math
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import inline, jit, part, prefetch
from airpicture.kernels.arrays import F64, I64, table
from airpicture.kernels.layout import (
    POLAR,
    POSITION,
    Z_COS,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LAG,
    Z_LEARN,
    Z_LOG_CLUTTER,
    Z_P,
    Z_RADIUS,
    Z_RANGE,
    Z_RANGE_RATE,
    Z_SIN,
    Z_TURN,
    Z_V_EAST,
    Z_V_NORTH,
    Z_V_UP,
    Z_VAR_AZIMUTH,
    Z_VAR_ELEVATION,
    Z_VAR_H,
    Z_VAR_LAG,
    Z_VAR_P,
    Z_VAR_RANGE,
    Z_VAR_V,
)

Records: TypeAlias = NDArray[np.void]

PLAIN: Final = 0
NAMED: Final = 1
VAGUE: Final = 2
WAITING_LEVELS: Final = 3
CELLS: Final = (32_000.0, 32_000.0, 64_000.0)  # m, edges of cells by level
OWN_SHARE: Final = 0.75  # of a plot's radius that adds to a search: three sigma
OWN: Final = 9_000.0  # m, most that it adds on all levels but VAGUE
OWN_MOST: Final = 60_000.0  # m, there; as far as `register` searches
BLUR: Final = 2_200.0  # m, most sigma of a place on the ground on all levels but VAGUE
BLUR_STEP: Final = 2.0  # m
ASKED: Final = 16  # plots ahead, whose chains the memory is asked for
NEVER: Final = -(1 << 62)
RUN_BITS: Final = 15
RUN_MOST: Final = (1 << RUN_BITS) - 1  # plots of a run
NEIGHBOURS: Final = (1 << 2) | (1 << 21) | (1 << 40)  # of a cell's key: the last bits of its place along x, y and z


@table
class Waiting(NamedTuple):
    """The arrays of a pool."""

    spot: Records  # (ring,) tracks.pool.SPOT
    entry: Records  # (ring,) tracks.pool.ENTRY
    detail: Records  # (ring,) tracks.pool.DETAIL
    head: I64  # (buckets,) the newest plot of each chain, as how many had been put in with it
    last_ns: I64  # (WAITING_LEVELS,) when a plot was last put in on each level


@inline
def edge_of(level: int) -> float:
    """Return the edge of a level's cells [m]."""
    return CELLS[0] if level == PLAIN else (CELLS[1] if level == NAMED else CELLS[2])


@inline
def code_of(mode_3a: int) -> int:
    """Return a Mode A code as it's kept, in 15 bits."""
    return mode_3a & 0x7FFF if mode_3a >= 0 else -1


@inline
def cell_key(ix: int, iy: int, iz: int, level: int) -> int:
    """Return one integer for a cell of a level; indices stay within ±2^18 for any point near the Earth."""
    return (((ix + 262144) * 524288 + (iy + 262144)) * 524288 + (iz + 262144)) * 4 + level


@inline
def mark_of(key: int) -> int:
    """Return what tells a cell from the others that a search asks, in 17 bits: its level, and where it lies among 32
    along each axis."""
    key = int(key)
    return (key & 127) | (((key >> 21) & 31) << 7) | (((key >> 40) & 31) << 12)


@inline
def key_at(x: float, y: float, z: float, level: int) -> int:
    """Return the key of a place's cell [m], ECEF, on the ground in single precision: as it's kept."""
    edge = edge_of(level)
    x, y, z = np.float64(np.float32(x)), np.float64(np.float32(y)), np.float64(np.float32(z))
    return cell_key(math.floor(x / edge), math.floor(y / edge), math.floor(z / edge), level)


@inline
def family_of(key: int) -> int:
    """Return what the keys of 2 by 2 by 2 neighbouring cells of a level have in common."""
    return int(key) & ~NEIGHBOURS


@inline
def bucket(key: int, buckets: int) -> int:
    """Return the bucket of a cell key, of a power of two from 8 on (Fibonacci hashing).

    2 by 2 by 2 neighbours of a level have eight buckets that are one line of the cache: a search asks most of them.

    The factor is 2^64 over the golden ratio, as a signed number: so Python's integers, where nothing is compiled, end
    with the same bits without a warning.
    """
    key = int(key)
    beside = ((key >> 2) & 1) | (((key >> 21) & 1) << 1) | (((key >> 40) & 1) << 2)
    return ((((family_of(key) * -0x61C8864680B583EB) >> 32) << 3) | beside) & (buckets - 1)


@inline
def slot_of(count: int, put: int, newest: int, ring: int) -> int:
    """Return where in the ring the count-th plot stands; the put-th, at most a ring later, stands in slot `newest`."""
    q = newest - (put - count)
    return q + ring if q < 0 else q


@inline
def recall(waiting: Waiting, q: int, Z: F64) -> None:
    """Write what a waiting plot said, as far as `begin.begin_state` reads it, to Z[0]."""
    s = waiting.spot[q]
    e = waiting.entry[q]
    d = waiting.detail[q]
    Z[0, Z_P] = np.float64(s["x"]) + np.float64(d["dx"])
    Z[0, Z_P + 1] = np.float64(s["y"]) + np.float64(d["dy"])
    Z[0, Z_P + 2] = np.float64(s["z"]) + np.float64(d["dz"])
    Z[0, Z_H] = d["h"]
    Z[0, Z_VAR_H] = d["var_h"]
    Z[0, Z_H_BARO] = d["h_baro"]
    Z[0, Z_RADIUS] = e["radius"]
    Z[0, Z_ELEVATION] = d["elevation"]
    Z[0, Z_RANGE] = d["range"]
    if math.isfinite(d["range"]):
        Z[0, Z_KIND] = POLAR
        Z[0, Z_SIN] = d["sin"]
        Z[0, Z_COS] = d["cos"]
        Z[0, Z_VAR_RANGE] = d["var_a"]
        Z[0, Z_VAR_AZIMUTH] = d["var_b"]
        Z[0, Z_VAR_ELEVATION] = d["var_c"]
    else:
        Z[0, Z_KIND] = POSITION
        Z[0, Z_VAR_P] = d["var_a"]
        Z[0, Z_VAR_V] = d["var_b"]
    moves = e["speed"] == 1
    Z[0, Z_V_EAST] = d["sin"] if moves else math.nan
    Z[0, Z_V_NORTH] = d["cos"] if moves else math.nan


@inline
def complete(Zq: F64, Z: F64, j: int) -> None:
    """Fill in what else `conditioning.condition` reads of a plot that was recalled and brought nothing but a place.

    Z[j] is a later plot of the same sensor.
    """
    Zq[0, Z_RANGE_RATE] = math.nan
    Zq[0, Z_V_UP] = math.nan
    Zq[0, Z_TURN] = math.nan
    Zq[0, Z_LEARN] = Z[j, Z_LEARN]
    Zq[0, Z_LAG] = Z[j, Z_LAG]
    Zq[0, Z_VAR_LAG] = Z[j, Z_VAR_LAG]
    Zq[0, Z_LOG_CLUTTER] = Z[j, Z_LOG_CLUTTER]


@part
def note_plot(
    Z: F64,
    j: int,
    x: float,
    y: float,
    z: float,
    t_ns: int,
    sensor: int,
    address: int,
    mode_3a: int,
    callsign: int,
    blur: float,
    sigma_h: float,
    q: int,
    waiting: Waiting,
) -> None:
    """Write a plot to slot q, but for its place in the chains, which `link_plots` gives it.

    Parameters
    ----------
    Z, j, t_ns ... callsign : the plot, registered; x, y, z : its place on the ground [m], ECEF
    blur, sigma_h : sigmas of that, and of its height [m]
    waiting : spot, entry and detail overwritten
    """
    s = waiting.spot[q]
    e = waiting.entry[q]
    d = waiting.detail[q]
    s["t_ns"] = t_ns
    s["sensor"] = sensor
    s["x"] = np.float32(x)
    s["y"] = np.float32(y)
    s["z"] = np.float32(z)
    e["radius"] = np.float32(Z[j, Z_RADIUS])
    e["sigma_h"] = np.float32(sigma_h)
    e["address"] = address
    e["mode_3a"] = np.int16(code_of(mode_3a))
    e["blur"] = np.uint16(min(blur / BLUR_STEP, 65_535.0))
    d["callsign"] = callsign
    d["dx"] = np.float32(Z[j, Z_P] - np.float64(s["x"]))
    d["dy"] = np.float32(Z[j, Z_P + 1] - np.float64(s["y"]))
    d["dz"] = np.float32(Z[j, Z_P + 2] - np.float64(s["z"]))
    e["h"] = np.float32(Z[j, Z_H] if math.isfinite(Z[j, Z_H]) else Z[j, Z_H_BARO])
    d["h"] = np.float32(Z[j, Z_H])
    d["var_h"] = np.float32(Z[j, Z_VAR_H])
    d["h_baro"] = np.float32(Z[j, Z_H_BARO])
    d["elevation"] = np.float32(Z[j, Z_ELEVATION])
    e["speed"] = 0
    if int(Z[j, Z_KIND]) == POLAR:
        d["range"] = np.float32(Z[j, Z_RANGE])
        d["sin"] = np.float32(Z[j, Z_SIN])
        d["cos"] = np.float32(Z[j, Z_COS])
        d["var_a"] = np.float32(Z[j, Z_VAR_RANGE])
        d["var_b"] = np.float32(Z[j, Z_VAR_AZIMUTH])
        d["var_c"] = np.float32(Z[j, Z_VAR_ELEVATION])
    else:
        d["range"] = np.float32(math.nan)
        d["var_a"] = np.float32(Z[j, Z_VAR_P])
        d["var_b"] = np.float32(Z[j, Z_VAR_V])
        d["var_c"] = np.float32(0.0)
        d["sin"] = np.float32(Z[j, Z_V_EAST])
        d["cos"] = np.float32(Z[j, Z_V_NORTH])
        if math.isfinite(Z[j, Z_V_EAST]):
            e["speed"] = 1


@inline
def _link(count: int, key: int, key_before: int, run: int, back: int, head: I64) -> tuple[int, int]:
    """Make the count-th plot the newest of its chain; return how many of its run there are up to it, and how many plots
    before it the newest one of the next run was put in, or 0.

    key_before, run, back : of the plot that was put in right before it; run 0: not in the same look
    """
    b = bucket(key, len(head))
    before = head[b]
    head[b] = count
    if 0 < run < RUN_MOST and key == key_before:
        return run + 1, back + 1 if back > 0 else 0
    return 1, count - before if before > 0 and count - before < (1 << 31) - RUN_MOST else 0


@jit
def link_plots(key: I64, count: int, latest_ns: int, waiting: Waiting) -> None:
    """Give plots their places in the chains of a pool, in their order.

    Parameters
    ----------
    key : (n,) int64, the cell of each, from `births.find_births`
    count : plots that were put in before; latest_ns : the latest time of any, these among them
    waiting : spot, head and last_ns overwritten; its ring has these plots already (`note_plot`), each where its turn is
    """
    spot, head = waiting.spot, waiting.head
    n, ring = len(key), len(spot)
    before, length, behind = 0, 0, 0
    q = count % ring
    for w in range(n):
        prefetch(head, bucket(key[min(w + ASKED, n - 1)], len(head)), 0)
        own = key[w]
        length, behind = _link(count + w + 1, own, before, length, behind, head)
        s = spot[q]
        s["back"] = behind
        s["cell"] = np.uint32((mark_of(own) << RUN_BITS) | length)
        waiting.last_ns[own & 3] = latest_ns
        before = own
        q = q + 1 if q + 1 < ring else 0


@inline
def _key_of(s: Any) -> int:
    """Return the key of the cell of a spot."""
    return key_at(s["x"], s["y"], s["z"], (int(s["cell"]) >> RUN_BITS) & 3)


@jit
def take_back(put: int, count: int, waiting: Waiting) -> None:
    """Take out what was put in after `count` plots, of `put` in all."""
    ring = len(waiting.spot)
    for later in range(put, count, -1):
        s = waiting.spot[(later - 1) % ring]
        back = 1 if int(s["cell"]) & RUN_MOST > 1 else int(s["back"])
        waiting.head[bucket(_key_of(s), len(waiting.head))] = later - back if back > 0 else 0


@jit
def chain(floor: int, put: int, waiting: Waiting) -> None:
    """Chain the plots floor..put of a ring anew, in new buckets; waiting : head comes zeroed; overwritten."""
    ring = len(waiting.spot)
    before, length, behind = 0, 0, 0
    for count in range(floor + 1, put + 1):
        s = waiting.spot[(count - 1) % ring]
        key = _key_of(s)
        if int(s["cell"]) & RUN_MOST == 1:
            length = 0  # it began one: what is found doesn't depend on when a ring grew
        length, behind = _link(count, key, before, length, behind, waiting.head)
        s["back"] = behind
        s["cell"] = np.uint32((mark_of(key) << RUN_BITS) | length)
        before = key
