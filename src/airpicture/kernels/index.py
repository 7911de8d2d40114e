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

from airpicture.kernels._jit import inline, jit, lane, part, prefetch
from airpicture.kernels.arrays import F32, F64, I32, I64, U8, table
from airpicture.kernels.lanes import U
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
# Cells are numbered by bands, as wide as the largest cells, so that tracks that are near one another have numbers that
# are, whatever their levels: 16 rows of the first level, 8 of the next ...
OF_LEVEL: Final = (0, 12_528, 15_664, 16_452, 16_650)  # where a level's cells begin among those of a band ...
BAND: Final = 16_700  # ... of so many
BANDS: Final = 1 + 6 * ACROSS[4]  # the first are the codes of no cells
WORD: Final = 3  # log2 of the cells whose bits stand in one byte ...
MAP: Final = ((CODES + 6 * ACROSS[4] * BAND) >> WORD) + 1  # ... of so many
TRAIL: Final = 4096
ROWS: Final = 6  # log2 of the rows of which it's known together in which bands they are
STALE: Final = 0  # it isn't: in place of a number, see `Grid.span`

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

# Tracks that are placed, side by side, number P_... of track b at W[P_... + b]: age at the latest plot [s], position,
# velocity and sigmas as in the summary; then begin of the stay [s after the state], radius there [m], speed [m/s],
# reach [m], length of the stay [s], in place of the position the point where it's placed, on the ground; how far that
# is from the Earth's centre, how near it comes in its stay, a number that's finite where all of the summary is, and
# when it's at that point [s after the state]
BESIDE: Final = 32
P_AGE = U(0)
P_X, P_Y, P_Z = U(BESIDE), U(2 * BESIDE), U(3 * BESIDE)
P_VX, P_VY, P_VZ = U(4 * BESIDE), U(5 * BESIDE), U(6 * BESIDE)
P_SIGMA_P, P_SIGMA_V = U(7 * BESIDE), U(8 * BESIDE)
P_BEGIN, P_FIRST, P_SPEED = U(9 * BESIDE), U(10 * BESIDE), U(11 * BESIDE)
P_REACH, P_STAY = U(12 * BESIDE), U(13 * BESIDE)
P_FAR, P_LEAST, P_FINITE = U(14 * BESIDE), U(15 * BESIDE), U(16 * BESIDE)
P_AT = U(17 * BESIDE)
PLACED: Final = 18 * BESIDE  # numbers of a workspace

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
    band: I32  # (BANDS + 1,) how many bands before each have bits, `kernels.near`'s, too
    span: I32  # (cap / 2^ROWS + 1, 2) of rows together: 1 + the first of their bands and 1 + the last, or STALE
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
    wide = TOP - level  # log2 of the rows of a band
    row = OF_LEVEL[level] + (a & ((1 << wide) - 1)) * ACROSS[level]
    return CODES + (face * ACROSS[TOP] + (a >> wide)) * BAND + row + b


@inline
def band_of(code: int) -> int:
    """Return the band of a cell; 0 for codes of no cells."""
    return (code - CODES + BAND) // BAND


@lane
def radius_at(age: float, sigma_p: float, sigma_v: float, q_third: float, radius_max: float) -> float:
    """Return the search radius of a track [m] at an age [s]: four sigma of where the most agile model lets it be.

    Errors of position and velocity may be of one sign, what it does since is independent. Convex in age.
    """
    drifted = sigma_p + age * sigma_v
    r = 4.0 * math.sqrt(drifted * drifted + q_third * age * age * age) + 50.0
    return radius_max if r > radius_max else r  # NaN stays NaN


@lane
def _begin_stay(W: F64, b: U, back: float, q_third: float, radius_max: float) -> None:
    """Note when a track of a workspace has to be placed from, and what it could reach then.

    back : s, from the first time for which places have to hold to that of the latest plot of all looks
    """
    vx, vy, vz = W[P_VX + b], W[P_VY + b], W[P_VZ + b]
    begin = W[P_AGE + b] - back
    W[P_BEGIN + b], W[P_SPEED + b] = begin, math.sqrt(vx * vx + vy * vy + vz * vz)
    W[P_FIRST + b] = radius_at(abs(begin), W[P_SIGMA_P + b], W[P_SIGMA_V + b], q_third, radius_max)
    W[P_REACH + b] = math.inf


@lane
def _try_stay(W: F64, b: U, stay: float, q_third: float, radius_max: float) -> None:
    """Work out the best time for a track's point and the reach that it needs then, for a stay of so many seconds.

    One that has fitted the lowest level by a longer stay is left as it is.

    Radius and distance from the point are convex in time, so their sum is largest at an end of the stay, and least
    where both ends need the same. Where the radius meets its bound, it counts as at the bound all the time.
    """
    begin, first, way, before = W[P_BEGIN + b], W[P_FIRST + b], STRETCH * W[P_SPEED + b], W[P_REACH + b]
    end = W[P_AGE + b] + stay
    last = radius_at(abs(end), W[P_SIGMA_P + b], W[P_SIGMA_V + b], q_third, radius_max)
    bound = (first >= radius_max) | (last >= radius_max)
    drift = way + 1e-3
    middle = 0.5 * (begin + end)
    at = min(max(middle + 0.5 * (last - first) / drift, begin), end)
    reach = max(first + drift * (at - begin), last + drift * (end - at))
    at = middle if bound else at
    reach = radius_max + 0.5 * (end - begin) * way if bound else reach
    fits = before <= REACH[0]
    W[P_REACH + b] = before if fits else reach
    W[P_AT + b] = W[P_AT + b] if fits else at
    W[P_STAY + b] = W[P_STAY + b] if fits else stay


@lane
def _find_point(W: F64, b: U) -> None:
    """Work out where a track of a workspace is placed, after `_try_stay`."""
    px, py, pz, vx, vy, vz = W[P_X + b], W[P_Y + b], W[P_Z + b], W[P_VX + b], W[P_VY + b], W[P_VZ + b]
    at = W[P_AT + b]
    x, y, z = px + at * vx, py + at * vy, pz + at * vz
    far = math.sqrt(x * x + y * y + z * z)
    W[P_FINITE + b] = px + py + pz + vx + vy + vz + W[P_SIGMA_P + b] + W[P_SIGMA_V + b]
    W[P_FAR + b] = far
    W[P_LEAST + b] = far - W[P_SPEED + b] * (W[P_AGE + b] + W[P_STAY + b] - W[P_BEGIN + b])
    W[P_X + b], W[P_Y + b], W[P_Z + b] = ground(x, y, z)


@part
def _code_at(W: F64, b: U, peak: F64) -> int:
    """Return the code of a track of a workspace, after `_find_point`; note the largest of its level.

    One whose summary isn't finite meets nothing.
    """
    if not math.isfinite(W[P_FINITE + b]):
        return NOWHERE
    reach = W[P_REACH + b]
    if not (reach <= REACH[TOP] and W[P_LEAST + b] >= LOWEST and W[P_FAR + b] <= HIGHEST):
        return WILD
    level = int(reach > REACH[0]) + int(reach > REACH[1]) + int(reach > REACH[2]) + int(reach > REACH[3])
    peak[USED + level] = max(peak[USED + level], reach + MARGIN + 1.0)
    peak[SPEED + level] = max(peak[SPEED + level], W[P_SPEED + b])
    peak[SPREAD + level] = max(peak[SPREAD + level], W[P_SIGMA_V + b])
    peak[EARLY] = max(peak[EARLY], -W[P_BEGIN + b])
    x, y, z = W[P_X + b], W[P_Y + b], W[P_Z + b]
    face = face_of(x, y, z)
    at_a, at_b = on_face(face, x, y, z)
    return code_of(level, face, (at_a + LIMIT) >> SHIFT[level], (at_b + LIMIT) >> SHIFT[level])


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
    W: F64,
) -> None:
    """Place tracks whose summaries have changed; rows that the index doesn't know yet are left to `refresh`.

    Ranges may run side by side.

    Parameters
    ----------
    rows : (n,) int64, rows of the store, lo..hi are looked at
    summary : (cap, SUMMARY) float32; t_track : (cap,) int64 [ns]
    q_third : m²/s³, a third of the noise of the most agile model; radius_max : m
    grid : code and expiry of these rows overwritten, and `span`
    peak : (PEAKS,) raised to the largest of each level, for `note_peaks`
    W : (PLACED,) workspace
    """
    ints = grid.ints
    known, latest = ints[N], ints[LAST]
    back = (latest - ints[NOW] + BACK) * 1e-9
    for first in range(lo, hi, BESIDE):
        count = min(BESIDE, hi - first)
        for own in range(count):
            ahead = int(rows[min(first + own + FETCHED, hi - 1)])
            prefetch(summary, ahead, 0)
            prefetch(t_track, ahead, 0)
            prefetch(grid.code, ahead, 0)
            prefetch(grid.expiry, ahead, 0)
            b, i = U(own), int(rows[first + own])
            of = summary[i]
            W[P_AGE + b] = (latest - t_track[i]) * 1e-9
            W[P_X + b], W[P_Y + b], W[P_Z + b] = of[S_POSITION], of[S_POSITION + 1], of[S_POSITION + 2]
            W[P_VX + b], W[P_VY + b], W[P_VZ + b] = of[S_VELOCITY], of[S_VELOCITY + 1], of[S_VELOCITY + 2]
            W[P_SIGMA_P + b], W[P_SIGMA_V + b] = of[S_SIGMA_P], of[S_SIGMA_V]
        for b in range(U(count)):
            _begin_stay(W, b, back, q_third, radius_max)
        for stay in (STAY, STAY_BRIEF, STAY_HIGHER):
            for b in range(U(count)):
                _try_stay(W, b, stay, q_third, radius_max)
        for b in range(U(count)):
            _find_point(W, b)
        for own in range(count):
            b, i = U(own), int(rows[first + own])
            if i < known:
                code = _code_at(W, b, peak)
                stay = latest - ints[BASE] + math.floor(W[P_STAY + b] * 1e9)
                grid.code[i], grid.expiry[i] = code, NEVER if code == NOWHERE else stay >> TICK
                grid.span[U(i >> ROWS), 0] = STALE  # by several threads, it may be: all write the same


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
            for i in range(U(first), U(last)):
                soonest = min(soonest, grid.expiry[i])
            if soonest >= limit:
                continue
            if count + last - first <= rows.size:
                for i in range(U(first), U(last)):  # no branch: one in ten, anywhere
                    rows[U(count)] = i
                    count += grid.expiry[i] < limit
            else:  # the block may have more than there's room for, or few
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
