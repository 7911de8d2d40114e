"""Where tracks are, roughly and for some seconds ahead: a cell for each, so that few plots find few tracks.

A track stands where it should be when its stay ends, some seconds ahead, and its reach covers all that the test can ask
for until then: its growing uncertainty, and how far it is from that point at other times. Its level is the smallest
whose bound holds the reach, and that says how large its cell is. When its stay is over, it's placed again (`refresh`);
a track that was updated is placed at once. What fits no level (nonsense far below the ground, absurd speeds) has
the cell of those that every plot asks.

      +z   cells of five levels on six faces of a cube, all numbered       code of a track: the number of its cell
     .---. a look's plots set the bits of those near them (kernels.near),  code -> bit: whether it may meet any plot
     | x | and one pass over the codes finds the tracks: 4 bytes each

A point is scaled down to the ellipsoid, so that an unknown height doesn't matter, and belongs to the face of its
largest coordinate; the other two, as they are, say where on the face it lies. That map shrinks lengths, by 1.73 at most
and in one direction, and never stretches them: what is within a reach on the ground is within it on the face.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from airpicture.kernels._jit import inline, jit, lane, prefetch
from airpicture.kernels.arrays import F32, F64, I32, I64, U8, table
from airpicture.kernels.layout import S_POSITION, S_SIGMA_P, S_SIGMA_V, S_VELOCITY
from airpicture.kernels.wgs84 import ground

LEVELS: Final = 5
REACH: Final = (7_000.0, 14_000.0, 28_000.0, 56_000.0, 1_000_000.0)  # m, most of a level: the first holds a track seen
# 12 s ago, the next one that was missed once
SHIFT: Final = (18, 19, 20, 21, 22)  # log2 of the edge of a level's cells [units]: 16, 33, 66, 131 and 262 km
TOP: Final = LEVELS - 1
UNITS: Final = 16.0  # of a and b, per m
LIMIT: Final = 102_400_000  # units, beyond any point of the ellipsoid on a face
ACROSS: Final = (783, 392, 197, 99, 50)  # cells along a face: 2 LIMIT of that edge, and one more
NOWHERE: Final = 0  # code of tracks that meet nothing
WILD: Final = 1  # of those that fit no level
CODES: Final = 2
BEGIN: Final = (2, 3_678_536, 4_600_520, 4_833_374, 4_892_180, 4_907_180)  # CODES, and 6 faces of each level more
WORD: Final = 3  # log2 of the cells whose bits stand in one byte ...
MAP: Final = (BEGIN[LEVELS] >> WORD) + 1  # ... of so many
TRAIL: Final = 4096

STAY: Final = 12.0  # s that a track is placed for on the lowest level: a turn and some
STAY_BRIEF: Final = 4.0  # s, there, if it can't stay as long
STAY_HIGHER: Final = 8.0  # s, above: one that was missed grows fast
BACK: Final = 1_000_000_000  # ns before the present look from which places hold: the looks of one frame overlap
AHEAD: Final = 1_000_000_000  # ns: places whose stay ends so soon after a look are renewed; no sooner once more
AGE: Final = 16_000_000_000  # ns, longer than any place holds
FETCHED: Final = 16  # rows ahead whose summaries are asked for
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
NOW: Final = 1  # ns, first plot of the latest look
LAST: Final = 2  # ns, latest plot of all looks
VALID: Final = 3  # ns, all places hold until then
BASE: Final = 4  # ns, zero of the times of expiry
FLOOR: Final = 5  # ns, all places hold from then
SINCE: Final = 6  # ns, from which on peaks are noted as the later ones
MARKS: Final = 7  # rows in the trail; more than it has room for: they may be anywhere
INTS: Final = 8

# The largest on each level; 0 where it has no tracks
USED: Final = 0  # LEVELS, m, reach
SPEED: Final = 5  # LEVELS, m/s
SPREAD: Final = 10  # LEVELS, m/s, sigma of speed
EARLY: Final = 15  # s, by which a place holds before its track's own time
PEAKS: Final = 16


@table
class Grid(NamedTuple):
    """The index's arrays, all overwritten by the kernels of this file; `bits` is `kernels.near`'s."""

    code: I32  # (cap,) number of the cell
    expiry: I32  # (cap,) end of the stay in ticks after ints[BASE]
    bits: U8  # (MAP,) of all cells: 1 where tracks may meet any plot of the latest look that asked
    trail: I32  # (TRAIL, 2) first and last byte of each row of these
    ints: I64  # (INTS,)
    peaks: (
        F64  # (2, PEAKS) of what was placed of late, and before that; all rows were placed again since what was earlier
    )


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
def code_of(level: int, face: int, a: int, b: int) -> int:
    """Return the number of the cell on a level and face that a point [cells] lies in; the first is 0, 0."""
    side = ACROSS[level]
    return BEGIN[level] + (face * side + a) * side + b


@lane
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
def _find_place(
    i: int, summary: F32, t_track: I64, q_third: float, radius_max: float, grid: Grid, peak: F64
) -> tuple[int, int]:
    """Return code and expiry of one track for the time to come; note the largest of its level.

    One whose summary isn't finite meets nothing.
    """
    ints = grid.ints
    of = summary[i]
    px, py, pz = np.float64(of[S_POSITION]), np.float64(of[S_POSITION + 1]), np.float64(of[S_POSITION + 2])
    vx, vy, vz = np.float64(of[S_VELOCITY]), np.float64(of[S_VELOCITY + 1]), np.float64(of[S_VELOCITY + 2])
    sigma_p, sigma_v = np.float64(of[S_SIGMA_P]), np.float64(of[S_SIGMA_V])
    if not math.isfinite(px + py + pz + vx + vy + vz + sigma_p + sigma_v):
        return NOWHERE, NEVER
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
    expiry = (ints[LAST] - ints[BASE] + math.floor(stay * 1e9)) >> TICK
    x, y, z = px + at * vx, py + at * vy, pz + at * vz
    far = math.sqrt(x * x + y * y + z * z)
    if not (reach <= REACH[TOP] and far - speed * (age + stay - begin) >= LOWEST and far <= HIGHEST):
        return WILD, expiry
    peak[USED + level] = max(peak[USED + level], reach + MARGIN + 1.0)
    peak[SPEED + level] = max(peak[SPEED + level], speed)
    peak[SPREAD + level] = max(peak[SPREAD + level], sigma_v)
    peak[EARLY] = max(peak[EARLY], -begin)
    gx, gy, gz = ground(x, y, z)
    face = face_of(gx, gy, gz)
    a, b = on_face(face, gx, gy, gz)
    return code_of(level, face, (a + LIMIT) >> SHIFT[level], (b + LIMIT) >> SHIFT[level]), expiry


@jit
def place_rows(
    rows: I64,
    lo: int,
    hi: int,
    summary: F32,
    t_track: I64,
    q_third: float,
    radius_max: float,
    grid: Grid,
    peak: F64,
) -> None:
    """Place tracks whose summaries have changed; rows that the index doesn't know yet are left to `refresh`.

    Ranges may run side by side.

    Parameters
    ----------
    rows : (n,) int64, rows of the store, lo..hi are looked at
    summary : (cap, SUMMARY) float32; t_track : (cap,) int64 [ns]
    q_third : m²/s³, a third of the noise of the most agile model; radius_max : m
    grid : code and expiry of these rows overwritten
    peak : (PEAKS,) raised to the largest of each level, for `note_peaks`
    """
    known = grid.ints[N]
    for k in range(lo, hi):
        ahead = int(rows[min(k + FETCHED, hi - 1)])
        prefetch(summary, ahead, 0)
        prefetch(t_track, ahead, 0)
        prefetch(grid.code, ahead, 0)
        prefetch(grid.expiry, ahead, 0)
        i = int(rows[k])
        if i < known:
            grid.code[i], grid.expiry[i] = _find_place(i, summary, t_track, q_third, radius_max, grid, peak)


@jit
def note_peaks(peaks: F64, grid: Grid) -> None:
    """Finish what `place_rows` did, given the peaks of each range (tasks, PEAKS)."""
    for task in range(len(peaks)):
        for k in range(PEAKS):
            grid.peaks[0, k] = max(grid.peaks[0, k], peaks[task, k])
    grid.ints[FLOOR] = max(grid.ints[FLOOR], grid.ints[NOW] - BACK)


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
    if ints[N] == 0 or (max(hi, ints[LAST]) - ints[BASE]) >> TICK > TICKS_MOST:
        ints[N] = 0
        ints[BASE] = ints[NOW] = ints[SINCE] = lo
        ints[LAST] = hi
        ints[VALID] = hi + AHEAD
        ints[FLOOR] = lo - BACK
        grid.peaks[:] = 0.0
        if n > rows.size:
            return n
    ints[NOW] = max(ints[NOW], lo)
    ints[LAST] = max(ints[LAST], hi)
    if ints[LAST] - ints[SINCE] > AGE:
        ints[SINCE] = ints[LAST]
        for k in range(PEAKS):
            grid.peaks[1, k], grid.peaks[0, k] = grid.peaks[0, k], 0.0
    known = min(ints[N], n)
    ints[N] = known
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
        rows[count - (n - known) + k] = known + k
    ints[N] = n
    return count
