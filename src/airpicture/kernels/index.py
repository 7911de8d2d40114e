"""The spatial index: where each track is kept, so that a plot finds the few it may belong to.

The index only saves time. Whether a plot meets a track is decided elsewhere (`kernels.near`), from the track's summary
at the plot's own time; here stands, for each track, a point and a reach that are sure to cover it for a while.

    face of a cube round the Earth, seen straight on          one tile of cells = one cache line of heads

          +---+---+---+---+---+---+---+---+                      head[tile * 16 + 0..15] -> entry -> entry -> 0
          |   |   | . |   |   |   |   |   |
          +---+---+---+---+---+---+---+---+                      entry: next | a | b | code, one track, 16 bytes
          |   | . |   |   |   | . |   |   |  b                   a, b: the point on its face, in 1/16 m
          +---+---+---+---+---+---+---+---+                      code: reach in m, level, face; 0 if not in the index

A point is scaled down to the ellipsoid, so that an unknown height doesn't matter, and belongs to the face of its
largest coordinate; the other two, as they are, say where on the face it lies. That map shrinks lengths, by 1.73 at most
and in one direction, and never stretches them: what is within a reach on the ground is within it on the face. The cells
of a face are hashed in tiles of 4 by 4, so memory goes with tracks, not with area.

A track stands where it should be when its stay ends, some seconds ahead, and its reach covers all that the test can ask
for until then: its growing uncertainty, and how far it is from that point at other times. Its level is the
smallest whose bound holds the reach. When its stay is over, it is placed again (`refresh`); a track that was updated
is placed at once (`kernels.placing`). What fits no level (nonsense far below the ground, absurd speeds) hangs on a list
that every plot walks.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F32, F64, I32, I64, table
from airpicture.kernels.layout import S_POSITION, S_SIGMA_P, S_SIGMA_V, S_VELOCITY
from airpicture.kernels.wgs84 import ground

LEVELS: Final = 5  # cells of 8, 16, 33, 66 and 131 km
REACH: Final = (7_000.0, 14_000.0, 28_000.0, 56_000.0, 1_000_000.0)  # m, most of a level: the first holds a track seen
# 12 s ago, the next one that was missed once
TOP: Final = LEVELS - 1
UNITS: Final = 16.0  # of a and b, per m
LIMIT: Final = 102_400_000  # units, beyond any point of the ellipsoid on a face

TILE: Final = 16  # cells in a tile, 4 by 4
WILD: Final = 63  # code of tracks that fit no level

STAY: Final = 12.0  # s that a track is placed for on the lowest level: a turn and some
STAY_BRIEF: Final = 4.0  # s, there, if it can't stay as long
STAY_HIGHER: Final = 8.0  # s, above: one that was missed grows fast
BACK: Final = 1_000_000_000  # ns before the present look from which places hold: the looks of one frame overlap
AHEAD: Final = 1_000_000_000  # ns: places whose stay ends so soon after a look are renewed; no sooner once more
TICK: Final = 24  # log2 of the unit of expiry in ns: 16.8 ms, 417 days in an int32
TICKS_MOST: Final = 1 << 30
NEVER: Final = 2_147_483_647

# The cubic cells' map needs points near the ground: scaling one down to the ellipsoid stretches by R / |p|.
LOWEST: Final = 6_190_000.0  # m from the centre, 170 km below the surface; stretches by less than ...
STRETCH: Final = 1.0304
HIGHEST: Final = 1e9  # m
MARGIN: Final = 2.0  # m, more than all rounding

# State of the index, int64
N: Final = 0  # rows of the store that it knows
TILES: Final = 1  # tiles in use
NOW: Final = 2  # ns, first plot of the latest look
LAST: Final = 3  # ns, latest plot of all looks
VALID: Final = 4  # ns, all places hold until then
BASE: Final = 5  # ns, zero of the times of expiry
FLOOR: Final = 6  # ns, all places hold from then
COUNT: Final = 7  # LEVELS, tracks on each level
WILDS: Final = 12
ROW_BITS: Final = 13  # of a head that tell the row; those above tell the tile
INTS: Final = 14

# State of the index, float64: the largest on each level since it was last empty
USED: Final = 0  # LEVELS, m, reach
SPEED: Final = 5  # LEVELS, m/s
SPREAD: Final = 10  # LEVELS, m/s, sigma of speed
EARLY: Final = 15  # s, by which a place holds before its track's own time
FLOATS: Final = 16


@table
class Grid(NamedTuple):
    """The index's arrays, all overwritten by the kernels of this file."""

    head: I32  # (TILE * tiles + 1,) tag and row + 1 of the first track of each cell, 0 if there's none; last: wild ones
    filled: I32  # (tiles,) a bit for each cell of a tile that has tracks
    entry: I32  # (cap, 4) row + 1 of the next, a, b [1/16 m], code
    expiry: I32  # (cap,) end of the stay in ticks after ints[BASE]
    ints: I64  # (INTS,)
    floats: F64  # (FLOATS,)


@inline
def face_of(x: float, y: float, z: float) -> int:
    """Return the face of a point: 0 +x, 1 -x, 2 +y, 3 -y, 4 +z, 5 -z."""
    ax, ay, az = abs(x), abs(y), abs(z)
    if ax >= ay and ax >= az:
        return 0 if x > 0.0 else 1
    if ay >= az:
        return 2 if y > 0.0 else 3
    return 4 if z > 0.0 else 5


@inline
def on_face(face: int, x: float, y: float, z: float) -> tuple[int, int]:
    """Return where a point lies on a face [units]."""
    a = y if face < 2 else x
    b = y if face > 3 else z
    return math.floor(a * UNITS), math.floor(b * UNITS)


@inline
def shift_of(level: int) -> int:
    """Return log2 of the edge of a level's cells [units]."""
    return 17 + level


@inline
def tile_at(code: int, ta: int, tb: int, tiles: int, tag_mask: int) -> tuple[int, int]:
    """Return the place in `head` of a tile of 4 by 4 cells, hashed (Fibonacci), and its tag.

    Tiles that are hashed to one place share its lists. A head is tagged with the tile of the tracks in its list, or
    with 0 if they're of several, so that a plot needn't follow the lists of others.
    """
    key = ((((code & 63) << 10) | (ta + 512)) << 10) | (tb + 512)
    mixed = (key * 2654435769) & 0xFFFFFFFF
    return ((mixed * tiles) >> 32) * 16, max((mixed >> 4) & tag_mask, 1) & tag_mask


@inline
def head_at(a: int, b: int, code: int, grid: Grid) -> tuple[int, int]:
    """Return the place in `head` of the cell of a point and code, and the tag."""
    if code & 63 == WILD:
        return grid.head.size - 1, 0
    shift = shift_of((code >> 3) & 7)
    a, b = a >> shift, b >> shift
    first, tag = tile_at(code, a >> 2, b >> 2, grid.ints[TILES], (1 << (31 - grid.ints[ROW_BITS])) - 1)
    return first + ((a & 3) << 2) + (b & 3), tag


@inline
def head_of(i: int, grid: Grid) -> tuple[int, int]:
    """Return the place in `head` of an entry's cell, and the tag."""
    return head_at(int(grid.entry[i, 1]), int(grid.entry[i, 2]), int(grid.entry[i, 3]), grid)


@inline
def take_out(i: int, h: int, grid: Grid) -> None:
    """Take a track out of the list at head h."""
    head = int(grid.head[h])
    bits = (1 << grid.ints[ROW_BITS]) - 1
    at = (head & bits) - 1
    if at == i:
        after = int(grid.entry[i, 0])
        grid.head[h] = (head & ~bits) | after if after != 0 else 0
        if after == 0 and h != grid.head.size - 1:
            grid.filled[h >> 4] &= ~(1 << (h & 15))
    else:
        while int(grid.entry[at, 0]) - 1 != i:
            at = int(grid.entry[at, 0]) - 1
        grid.entry[at, 0] = grid.entry[i, 0]
    grid.entry[i, 3] = 0


@inline
def kind_of(code: int) -> int:
    """Return which of the counts a code is of: its level, or LEVELS for wild ones."""
    return LEVELS if code & 63 == WILD else (code >> 3) & 7


@inline
def add_count(kind: int, change: int, grid: Grid) -> None:
    """Count tracks; the largest of a level are forgotten with its last track."""
    if kind == LEVELS:
        grid.ints[WILDS] += change
        return
    grid.ints[COUNT + kind] += change
    if grid.ints[COUNT + kind] == 0:
        grid.floats[USED + kind] = 0.0
        grid.floats[SPEED + kind] = 0.0
        grid.floats[SPREAD + kind] = 0.0


@inline
def _unlink(i: int, grid: Grid) -> None:
    """Take a track out of its list, and out of the counts."""
    code = int(grid.entry[i, 3])
    if code != 0:
        h, _ = head_of(i, grid)
        take_out(i, h, grid)
        add_count(kind_of(code), -1, grid)


@inline
def link_in(i: int, grid: Grid) -> None:
    """Put a track, whose entry has its place and code, at the head of its cell's list."""
    h, tag = head_of(i, grid)
    head = int(grid.head[h])
    bits = grid.ints[ROW_BITS]
    if head != 0 and head >> bits != tag:
        tag = 0
    grid.entry[i, 0] = head & ((1 << bits) - 1)
    grid.head[h] = (tag << bits) | (i + 1)
    if h != grid.head.size - 1:
        grid.filled[h >> 4] |= 1 << (h & 15)


@inline
def radius_at(age: float, sigma_p: float, sigma_v: float, q_third: float, radius_max: float) -> float:
    """Return the search radius of a track [m] at an age [s]: four sigma of where the most agile model lets it be.

    Errors of position and velocity may be of one sign, what it does since is independent. Convex in age.
    """
    drifted = sigma_p + age * sigma_v
    r = 4.0 * math.sqrt(drifted * drifted + q_third * age * age * age) + 50.0
    return radius_max if r > radius_max else r  # NaN stays NaN


@inline
def _reach(
    begin: float, end: float, speed: float, sigma_p: float, sigma_v: float, q_third: float, radius_max: float
) -> tuple[float, float]:
    """Return the best time for a track's point and the reach that it needs then, for a stay; seconds after its state.

    Radius and distance from the point are convex in time, so their sum is largest at an end of the stay, and least
    where both ends need the same. Where the radius meets its bound, it counts as at the bound all the time.
    """
    first = radius_at(abs(begin), sigma_p, sigma_v, q_third, radius_max)
    last = radius_at(abs(end), sigma_p, sigma_v, q_third, radius_max)
    if first >= radius_max or last >= radius_max:
        return 0.5 * (begin + end), radius_max + 0.5 * (end - begin) * STRETCH * speed
    drift = STRETCH * speed + 1e-3
    at = min(max(0.5 * (begin + end + (last - first) / drift), begin), end)
    return at, max(first + drift * (at - begin), last + drift * (end - at))


@inline
def find_place(
    i: int, summary: F32, t_track: I64, q_third: float, radius_max: float, grid: Grid, peak: F64
) -> tuple[int, int, int]:
    """Return a, b and code of one track for the time to come; note how long they hold, and the largest of its level.

    One whose summary isn't finite meets nothing and has no place: code 0.
    """
    ints = grid.ints
    of = summary[i]
    px, py, pz = np.float64(of[S_POSITION]), np.float64(of[S_POSITION + 1]), np.float64(of[S_POSITION + 2])
    vx, vy, vz = np.float64(of[S_VELOCITY]), np.float64(of[S_VELOCITY + 1]), np.float64(of[S_VELOCITY + 2])
    sigma_p, sigma_v = np.float64(of[S_SIGMA_P]), np.float64(of[S_SIGMA_V])
    if not math.isfinite(px + py + pz + vx + vy + vz + sigma_p + sigma_v):
        grid.expiry[i] = NEVER
        return 0, 0, 0
    speed = math.sqrt(vx * vx + vy * vy + vz * vz)
    begin = (ints[NOW] - BACK - t_track[i]) * 1e-9
    age = (ints[LAST] - t_track[i]) * 1e-9
    stay = STAY
    at, reach = _reach(begin, age + stay, speed, sigma_p, sigma_v, q_third, radius_max)
    level = 0
    if not reach <= REACH[0]:
        stay = STAY_BRIEF
        at, reach = _reach(begin, age + stay, speed, sigma_p, sigma_v, q_third, radius_max)
        if not reach <= REACH[0]:
            stay = STAY_HIGHER
            at, reach = _reach(begin, age + stay, speed, sigma_p, sigma_v, q_third, radius_max)
            level = 1 if reach <= REACH[1] else (2 if reach <= REACH[2] else (3 if reach <= REACH[3] else TOP))
    grid.expiry[i] = (ints[LAST] - ints[BASE] + math.floor(stay * 1e9)) >> TICK
    x, y, z = px + at * vx, py + at * vy, pz + at * vz
    far = math.sqrt(x * x + y * y + z * z)
    if not (reach <= REACH[TOP] and far - speed * (age + stay - begin) >= LOWEST and far <= HIGHEST):
        return 0, 0, WILD
    peak[USED + level] = max(peak[USED + level], reach + MARGIN + 1.0)
    peak[SPEED + level] = max(peak[SPEED + level], speed)
    peak[SPREAD + level] = max(peak[SPREAD + level], sigma_v)
    peak[EARLY] = max(peak[EARLY], -begin)
    gx, gy, gz = ground(x, y, z)
    face = face_of(gx, gy, gz)
    a, b = on_face(face, gx, gy, gz)
    return a, b, (math.ceil(reach + MARGIN) << 6) | (level << 3) | face


@inline
def _relink(n: int, most: int, grid: Grid) -> None:
    """Set up an empty table of heads for n tracks, with room for half as many again, and link those that have a place.

    most : tiles there is room for. Between 2 and 6 cells a track: fewer would mix far cells in one list, more would
    cost memory and cache.
    """
    tiles = min(max(3 * n // 8, 4), most)
    grid.ints[TILES] = tiles
    bits = 1
    while grid.expiry.size >> bits != 0:
        bits += 1
    grid.ints[ROW_BITS] = bits
    grid.head[: TILE * tiles] = 0
    grid.filled[:tiles] = 0
    grid.head[grid.head.size - 1] = 0
    for level in range(LEVELS):
        grid.ints[COUNT + level] = 0
    grid.ints[WILDS] = 0
    for i in range(grid.ints[N]):
        if grid.entry[i, 3] != 0:
            link_in(i, grid)
            add_count(kind_of(int(grid.entry[i, 3])), 1, grid)


@jit
def forget_from(n: int, grid: Grid) -> None:
    """Take rows n and above out of the index."""
    for i in range(n, grid.ints[N]):
        _unlink(i, grid)
    grid.ints[N] = min(n, grid.ints[N])


@jit
def refresh(t_z: I64, plots: int, n: int, grid: Grid, rows: I64) -> int:
    """Prepare the index for a look, and list the rows that have to be placed before its plots are looked at.

    The first time, and after ints[N] was set to 0, these are all rows; else those that are new, and, at most once a
    second of data time, those whose stay is over.

    Parameters
    ----------
    t_z : (M,) int64 [ns], the first `plots` > 0 are the look's; n : rows of the store
    grid : overwritten
    rows : (room,) int64; overwritten with the rows to place

    Returns the number of rows to place; if that's more than there is room for, the call is to be repeated.
    """
    ints = grid.ints
    lo = hi = t_z[0]
    for j in range(1, plots):
        lo = min(lo, t_z[j])
        hi = max(hi, t_z[j])
    most = (grid.head.size - 1) // TILE
    if ints[N] == 0 or (max(hi, ints[LAST]) - ints[BASE]) >> TICK > TICKS_MOST:
        ints[N] = 0
        ints[BASE] = ints[NOW] = lo
        ints[LAST] = hi
        ints[VALID] = hi + AHEAD
        ints[FLOOR] = lo - BACK
        grid.floats[:] = 0.0
        if n > rows.size:
            return n
        _relink(n, most, grid)
    ints[NOW] = max(ints[NOW], lo)
    ints[LAST] = max(ints[LAST], hi)
    for i in range(n, ints[N]):
        _unlink(i, grid)
    known = min(ints[N], n)
    ints[N] = known
    if n > 8 * ints[TILES] and ints[TILES] < most:
        _relink(n, most, grid)
    count: int = 0
    if hi > ints[VALID]:
        limit = ((hi + AHEAD - ints[BASE]) >> TICK) + 1
        for first in range(0, known, 256):
            last = min(first + 256, known)
            soonest = grid.expiry[first]
            for i in range(first, last):
                soonest = min(soonest, grid.expiry[i])
            if soonest < limit:
                for i in range(first, last):
                    if grid.expiry[i] < limit:
                        if count < rows.size:
                            rows[count] = i
                        count += 1
    count += n - known
    if count > rows.size:
        return count
    if hi > ints[VALID]:
        ints[VALID] = hi + AHEAD
    for k in range(n - known):
        grid.entry[known + k, 3] = 0
        rows[count - (n - known) + k] = known + k
    ints[N] = n
    return count
