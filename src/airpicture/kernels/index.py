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
from airpicture.kernels.arrays import F32, F64, I32, I64, U8, U32, table
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
NOWHERE: Final = 0  # code of tracks that meet nothing
WILD: Final = 1  # of those that fit no level
CODES: Final = 2
# Cells are numbered by tiles, as wide as the largest cells, so that those near one another have their bits in a line of
# the cache, whatever their levels. A tile has 2^TILE numbers: its cells of a level, row by row, from OF_LEVEL on
TILE: Final = 9
OF_LEVEL: Final = (256, 64, 16, 4, 2)
ALONG: Final = 6  # log2 of the tiles along a face, of which 50 are in use
FACES: Final = 6
WORD: Final = 5  # log2 of the cells whose bits stand in one word: whole rows of a tile ...
MAP: Final = FACES << (2 * ALONG + TILE - WORD)  # ... of so many
ROWS: Final = 6  # log2 of the rows of which it's known together in which tiles they are, see `Grid.span`
STALE: Final = 0  # it isn't
NOBODY: Final = 1  # they're in none
ANYWHERE: Final = 2  # on several faces
BOX: Final = 1 << 28  # the face, the first and the last tile along it one way and the other, six bits each, and this

STAY: Final = 12.0  # s that a track is placed for on the lowest level: a turn and some
STAY_BRIEF: Final = 4.0  # s, there, if it can't stay as long
STAY_HIGHER: Final = 8.0  # s, above: one that was missed grows fast
BACK: Final = 1_000_000_000  # ns before the present look from which places hold: the looks of one frame overlap
AHEAD: Final = 1_000_000_000  # ns: places whose stay ends so soon after a look are renewed; no sooner once more
AGE: Final = 16_000_000_000  # ns, longer than any place holds
FETCHED: Final = 16  # rows ahead whose summaries are asked for
BLOCK: Final = 256  # rows, of which none is looked at where no place ends soon
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
INTS: Final = 7

# Tracks that are placed, side by side, number P_... of track b at W[P_... + b]: age at the latest plot [s], position,
# velocity and sigmas as in the summary; then begin of the stay [s after the state], radius there [m], speed [m/s],
# reach [m], length of the stay [s], in place of the position the point where it's placed, on the ground; how far that
# is from the Earth's centre, how near it comes in its stay, a number that's finite where all of the summary is, when
# it's at that point [s after the state], and its row
BESIDE: Final = 32
P_AGE = U(0)
P_X, P_Y, P_Z = U(BESIDE), U(2 * BESIDE), U(3 * BESIDE)
P_VX, P_VY, P_VZ = U(4 * BESIDE), U(5 * BESIDE), U(6 * BESIDE)
P_SIGMA_P, P_SIGMA_V = U(7 * BESIDE), U(8 * BESIDE)
P_BEGIN, P_FIRST, P_SPEED = U(9 * BESIDE), U(10 * BESIDE), U(11 * BESIDE)
P_REACH, P_STAY = U(12 * BESIDE), U(13 * BESIDE)
P_FAR, P_LEAST, P_FINITE = U(14 * BESIDE), U(15 * BESIDE), U(16 * BESIDE)
P_AT = U(17 * BESIDE)
P_ROW = U(18 * BESIDE)
PLACED: Final = 19 * BESIDE  # numbers of a workspace

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
    bits: U32  # (MAP,) of all cells: 1 where tracks may meet any plot of the latest look that asked
    tiles: I64  # (FACES 2^ALONG,) of each row of tiles: a bit for each that has any, `kernels.near`'s, too
    span: I32  # (cap / 2^ROWS + 1,) of rows together: in which tiles they are, as BOX says, or NOBODY, ANYWHERE, STALE
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
def tile_of(face: int, a: int, b: int) -> int:
    """Return the first number of the a-th, b-th tile of a face."""
    return ((((face << ALONG) + a) << ALONG) + b) << TILE


@inline
def code_of(level: int, face: int, a: int, b: int) -> int:
    """Return the number of the cell on a level and face that a point [cells] lies in; the first is 0, 0."""
    wide = TOP - level  # log2 of the cells along a tile
    last = (1 << wide) - 1
    return tile_of(face, a >> wide, b >> wide) + OF_LEVEL[level] + ((a & last) << wide) + (b & last)


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


@part
def _within(code: int, span: int) -> bool:
    """Say whether it's known already that rows of a block may have this code: then it needn't be looked through."""
    last = (1 << ALONG) - 1
    row, b = code >> (TILE + ALONG), (code >> TILE) & last
    low, low_b = (span & (BOX - 1)) >> (3 * ALONG), (span >> ALONG) & last
    high, high_b = (low & ~last) + ((span >> (2 * ALONG)) & last), span & last
    inside = (span >= BOX) & (low <= row) & (row <= high) & (low_b <= b) & (b <= high_b)
    return inside | (span == ANYWHERE) | (code == NOWHERE)


@jit
def place_rows(
    rows: I64,
    moved: U8,
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
    moved : (n,) uint8, which of them changed, or empty: all
    summary : (cap, SUMMARY) float32; t_track : (cap,) int64 [ns]
    q_third : m²/s³, a third of the noise of the most agile model; radius_max : m
    grid : code and expiry of these rows overwritten, and `span`
    peak : (PEAKS,) raised to the largest of each level, for `note_peaks`
    W : (PLACED,) workspace
    """
    ints = grid.ints
    known, latest = ints[N], ints[LAST]
    back = (latest - ints[NOW] + BACK) * 1e-9
    some = len(moved) > 0
    w = lo
    while w < hi:
        count = 0
        while w < hi and count < BESIDE:
            ahead = int(rows[min(w + FETCHED, hi - 1)])
            prefetch(summary, ahead, 0)
            prefetch(t_track, ahead, 0)
            prefetch(grid.code, ahead, 0)
            prefetch(grid.expiry, ahead, 0)
            b, i = U(count), int(rows[w])
            of = summary[i]
            W[P_ROW + b] = i
            W[P_AGE + b] = (latest - t_track[i]) * 1e-9
            W[P_X + b], W[P_Y + b], W[P_Z + b] = of[S_POSITION], of[S_POSITION + 1], of[S_POSITION + 2]
            W[P_VX + b], W[P_VY + b], W[P_VZ + b] = of[S_VELOCITY], of[S_VELOCITY + 1], of[S_VELOCITY + 2]
            W[P_SIGMA_P + b], W[P_SIGMA_V + b] = of[S_SIGMA_P], of[S_SIGMA_V]
            count += int(moved[w]) if some else 1  # no branch
            w += 1
        for b in range(U(count)):
            _begin_stay(W, b, back, q_third, radius_max)
        for stay in (STAY, STAY_BRIEF, STAY_HIGHER):
            for b in range(U(count)):
                _try_stay(W, b, stay, q_third, radius_max)
        for b in range(U(count)):
            _find_point(W, b)
        for own in range(count):
            b, i = U(own), int(W[P_ROW + U(own)])
            if i < known:
                code = _code_at(W, b, peak)
                stay = latest - ints[BASE] + math.floor(W[P_STAY + b] * 1e9)
                grid.code[i], grid.expiry[i] = code, NEVER if code == NOWHERE else stay >> TICK
                if not _within(code, int(grid.span[U(i >> ROWS)])):
                    grid.span[U(i >> ROWS)] = STALE  # by several threads, it may be: all write the same


@jit
def note_peaks(peaks: F64, grid: Grid) -> None:
    """Finish what `place_rows` did, given the peaks of each range (tasks, PEAKS)."""
    for task in range(len(peaks)):
        for k in range(PEAKS):
            grid.peaks[0, k] = max(grid.peaks[0, k], peaks[task, k])
    grid.ints[FLOOR] = max(grid.ints[FLOOR], grid.ints[NOW] - BACK)


@jit
def move_rows(rows: I64, count: int, at: int, grid: Grid) -> None:
    """Take in that the tracks of rows[:count], rising, none before `at`, came to stand in the rows from `at` on."""
    code, expiry = grid.code, grid.expiry
    for k in range(count):
        i = int(rows[k])
        held, ends = code[i], expiry[i]
        code[i], expiry[i] = NOWHERE, NEVER
        code[at + k], expiry[at + k] = held, ends


@jit
def drop_rows(rows: I64, grid: Grid) -> None:
    """Take in that the tracks of some rows have ended."""
    for k in range(len(rows)):
        ahead = int(rows[min(k + FETCHED, len(rows) - 1)])
        prefetch(grid.code, ahead, 0)
        prefetch(grid.expiry, ahead, 0)
        i = U(rows[k])
        grid.code[i], grid.expiry[i] = NOWHERE, NEVER  # its block may be looked at in vain until another row changes


@jit
def begin_look(t_z: I64, plots: int, n: int, grid: Grid) -> tuple[int, int]:
    """Prepare the index for a look; return how many rows have a place, and which of these end too soon.

    The first time, and after ints[N] was set to 0, none has a place; and at most once a second of data time those are
    renewed whose stay is over. `list_stale` lists both.

    Parameters
    ----------
    t_z : (M,) int64 [ns], the first `plots` > 0 are the look's; n : rows of the store
    grid : overwritten

    Returns
    -------
    rows that have a place; the time in ticks of whose that ends before it is renewed, 0 where nobody's is
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
    ints[NOW] = max(ints[NOW], lo)
    ints[LAST] = max(ints[LAST], hi)
    if ints[LAST] - ints[SINCE] > AGE:
        ints[SINCE] = ints[LAST]
        for k in range(PEAKS):
            grid.peaks[1, k], grid.peaks[0, k] = grid.peaks[0, k], 0.0
    known = min(ints[N], n)
    limit = 0
    if hi > ints[VALID]:
        limit = ((hi + AHEAD - ints[BASE]) >> TICK) + 1
        ints[VALID] = hi + AHEAD
    ints[N] = n
    return known, limit


@jit
def list_stale(lo: int, hi: int, known: int, limit: int, grid: Grid, rows: I64) -> int:
    """List those of the rows lo..hi that have to be placed; return how many. Ranges may run side by side.

    known, limit : from `begin_look`; rows : (hi - lo,) overwritten
    """
    expiry = grid.expiry
    upto = max(min(known, hi), lo)
    count: int = 0
    for first in range(lo, upto if limit > 0 else lo, BLOCK):
        last = min(first + BLOCK, upto)
        soonest = expiry[first]
        for i in range(U(first), U(last)):
            soonest = min(soonest, expiry[i])
        if soonest < limit:
            for i in range(U(first), U(last)):  # no branch: one in ten, anywhere
                rows[U(count)] = i
                count += expiry[i] < limit
    for i in range(upto, hi):
        rows[count] = i
        count += 1
    return count
