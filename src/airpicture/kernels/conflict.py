"""Which tracks come too close to one another, and how probable that is.

Whom could a track meet within two minutes? Time is cut into slices; in the middle of each, tracks stand in a hash grid
of cubic cells, wide enough that a pair which comes too close within the slice stands in neighbouring cells. So where
traffic is thick a track is compared with fewer than all it could reach.

::

    now      slice 0      slice 1      slice 2          a ->      <- b     found in slice 2 alone,
     |----------x------------x------------x----                            weighed once over all its time

Each pair found is weighed once: both fly straight on, their errors are independent and grow, and the probability that
they're closer than the minima is that of the miss distance across and of the height difference, at the time when their
product is largest. That is a lower bound of the probability that it happens at any time, and near it: what is unsure
is mostly *where*, hardly *when*.

Straight is straight in ECEF, from the ground point below each track. Two minutes of flight leave the Earth by 70 m, at
Mach 3 by a kilometre: along the vertical where they meet, which is therefore taken out of their distance.
"""

import math
from typing import Final, NamedTuple

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64, I32, I64, table
from airpicture.kernels.wgs84 import basis_of_up

NEIGHBOURS_MAX: Final = 4096  # tracks that one is compared with in a slice; bounds time where thousands stand together
HALF: Final = 1 << 20  # cells are numbered from -HALF to HALF along each axis
WIDEST: Final = 4  # cells that the farthest reaching track searches to each side

# Columns of what is told of a pair
W_P: Final = 0  # probability of less than the minima
W_P_SUB: Final = 1  # of less than the sub-minima
W_T: Final = 2  # s ahead, when that is most probable
W_T_SUB: Final = 3
W_MISS: Final = 4  # m, least horizontal distance ahead, flying straight on
W_MISS_UP: Final = 5  # m, difference of heights then; NaN unknown
W_NOW: Final = 6  # m, horizontal distance now
W_NOW_UP: Final = 7  # m, difference of heights now; NaN unknown
W_SPEED: Final = 8  # m/s, horizontal, of one against the other
W_LOSS: Final = 9  # s ahead, when the minima are first undercut flying straight on; NaN where they aren't
TOLD: Final = 10


@table
class Flying(NamedTuple):
    """Tracks to be compared, one row each."""

    p: F64  # (n, 3) m, ECEF, on the ellipsoid below the track
    v: F64  # (n, 3) m/s, ECEF, horizontal
    up: F64  # (n, 3) the vertical
    sigma: F64  # (n, 5) m, m, 1, m/s, m/s: east, north, their correlation; velocity east, north
    h: F64  # (n, 2) m: pressure altitude, height above the ellipsoid; NaN unknown
    v_up: F64  # (n,) m/s; 0 unknown
    sigma_up: F64  # (n, 3) m, m, m/s: of the two heights, and of the rate
    q_up: F64  # (n,) m²/s³ by which the rate is unsure
    horizon: F64  # (n,) s for which straight on is believed
    reach: F64  # (n,) m, how far a track may be from the middle of its slice, in movement and error


@table
class Minima(NamedTuple):
    """What is too close, and how sure one has to be."""

    across: float  # m
    up: float  # m
    sub_across: float  # m
    sub_up: float  # m
    least: float  # probability from which on a pair is told of
    z: float  # quantile of 1 - least, in sigmas; 0 or more
    q: float  # m²/s³ per axis, by which straight flight is unsure
    slices: int
    horizon: float  # s
    cell: float  # m


@table
class Grid(NamedTuple):
    """Workspace: where tracks stand in one slice."""

    heads: I32  # (a power of two,) first track of each bucket of cells, -1 none
    following: I32  # (n,) next track in the same bucket
    keys: I64  # (n,) cell of each track
    at: F64  # (n, 3) m, ECEF, where each is in the middle of the slice
    sides: I32  # (n,) cells that each searches to each side


@inline
def _normal(x: float) -> float:
    """Return the distribution function of the standard normal."""
    return 0.5 * math.erfc(-x * 0.7071067811865476)


@inline
def within(away: float, sigma: float, limit: float) -> float:
    """Return the probability that a normal variable of mean `away` lies within -limit to limit."""
    if not sigma > 0.0:
        return 1.0 if abs(away) < limit else 0.0
    p: float = _normal((limit - away) / sigma) - _normal((-limit - away) / sigma)
    return p


@inline
def _var_along(of: Flying, i: int, x: float, y: float, z: float, t: float, q: float) -> float:
    """Return the variance [m²] of track i's position along a horizontal direction, t seconds ahead."""
    ex, ey, _, nx, ny, nz, _, _, _ = basis_of_up(of.up[i, 0], of.up[i, 1], of.up[i, 2])
    e, n = x * ex + y * ey, x * nx + y * ny + z * nz
    se, sn = of.sigma[i, 0], of.sigma[i, 1]
    ve, vn = of.sigma[i, 3] * t, of.sigma[i, 4] * t
    own: float = e * e * (se * se + ve * ve) + n * n * (sn * sn + vn * vn) + 2.0 * e * n * of.sigma[i, 2] * se * sn
    return own + q * t * t * t / 3.0


@inline
def _heights(of: Flying, i: int, j: int) -> tuple[float, float]:
    """Return the difference of heights [m] and its variance [m²]: both of pressure, or both above the ellipsoid."""
    for kind in range(2):
        d = of.h[i, kind] - of.h[j, kind]
        if math.isfinite(d):
            return d, of.sigma_up[i, kind] ** 2 + of.sigma_up[j, kind] ** 2
    return math.nan, math.nan


@inline
def _var_up(of: Flying, i: int, j: int, var_z: float, t: float) -> float:
    """Return the variance [m²] of the difference of heights, t seconds ahead; `var_z` is that of now."""
    var: float = var_z + t * t * (of.sigma_up[i, 2] ** 2 + of.sigma_up[j, 2] ** 2)
    var += (of.q_up[i] + of.q_up[j]) * t * t * t / 3.0
    return var


@inline
def _joint(
    of: Flying,
    i: int,
    j: int,
    d: tuple[float, float, float],
    w: tuple[float, float, float],
    dz: float,
    var_z: float,
    t: float,
    across: float,
    up: float,
    q: float,
) -> float:
    """Return the probability that i and j are closer than `across` and `up` [m] at t seconds ahead."""
    x, y, z = d[0] + w[0] * t, d[1] + w[1] * t, d[2] + w[2] * t
    away = math.sqrt(x * x + y * y + z * z)
    # Across: the errors that count are along the line between the two; where they meet, across their relative course.
    if away > 1.0:
        x, y, z = x / away, y / away, z / away
    else:
        x, y, z = w[1] * of.up[i, 2] - w[2] * of.up[i, 1], w[2] * of.up[i, 0] - w[0] * of.up[i, 2], 0.0
        z = w[0] * of.up[i, 1] - w[1] * of.up[i, 0]
        norm = math.sqrt(x * x + y * y + z * z)
        if norm > 0.0:
            x, y, z = x / norm, y / norm, z / norm
    p = within(away, math.sqrt(_var_along(of, i, x, y, z, t, q) + _var_along(of, j, x, y, z, t, q)), across)
    if math.isfinite(dz):
        rate = of.v_up[i] - of.v_up[j]
        p *= within(abs(dz + rate * t), math.sqrt(_var_up(of, i, j, var_z, t)), up)
    return p


@inline
def _span(dd: float, dw: float, ww: float, limit: float, horizon: float) -> tuple[float, float]:
    """Return the times within 0..horizon between which |d + w t| <= limit; NaN where there's none."""
    if not ww > 0.0:
        return (0.0, horizon) if dd <= limit * limit else (math.nan, math.nan)
    root = dw * dw - ww * (dd - limit * limit)
    if root < 0.0:
        return math.nan, math.nan
    root = math.sqrt(root)
    begin, end = max((-dw - root) / ww, 0.0), min((-dw + root) / ww, horizon)
    return (begin, end) if begin <= end else (math.nan, math.nan)


@inline
def _most_probable(
    of: Flying,
    i: int,
    j: int,
    d: tuple[float, float, float],
    w: tuple[float, float, float],
    dz: float,
    var_z: float,
    across: float,
    up: float,
    horizon: float,
    minima: Minima,
) -> tuple[float, float]:
    """Return the largest joint probability ahead, and when.

    Tried are the times when they're nearest across, when they're nearest in height while near across, half-way between
    these, and the middle of the time in which they're near in both.
    """
    dd = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    dw = d[0] * w[0] + d[1] * w[1] + d[2] * w[2]
    ww = w[0] * w[0] + w[1] * w[1] + w[2] * w[2]
    nearest = min(max(-dw / ww, 0.0), horizon) if ww > 0.0 else 0.0
    begin, end = _span(dd, dw, ww, across, horizon)
    if not begin <= end:
        begin, end = nearest, nearest
    level, both = nearest, 0.5 * (begin + end)
    rate = of.v_up[i] - of.v_up[j]
    if math.isfinite(dz):
        if rate != 0.0:
            level = min(max(-dz / rate, begin), end)
        low, high = _span(dz * dz, dz * rate, rate * rate, up, horizon)
        if max(begin, low) <= min(end, high):
            both = 0.5 * (max(begin, low) + min(end, high))
    best, when = -1.0, nearest
    for c in range(4):
        t = nearest
        if c == 1:
            t = level
        elif c == 2:
            t = both
        elif c == 3:
            t = 0.5 * (nearest + level)
        p = _joint(of, i, j, d, w, dz, var_z, t, across, up, minima.q)
        if p > best:
            best, when = p, t
    return best, when


@inline
def _level(of: Flying, i: int, j: int, x: tuple[float, float, float], t: float) -> tuple[float, float, float]:
    """Return a vector without its part along the vertical between where i and j will be at t seconds ahead."""
    ux = of.p[i, 0] + of.p[j, 0] + t * (of.v[i, 0] + of.v[j, 0])
    uy = of.p[i, 1] + of.p[j, 1] + t * (of.v[i, 1] + of.v[j, 1])
    uz = of.p[i, 2] + of.p[j, 2] + t * (of.v[i, 2] + of.v[j, 2])
    part = (x[0] * ux + x[1] * uy + x[2] * uz) / (ux * ux + uy * uy + uz * uz)
    return x[0] - part * ux, x[1] - part * uy, x[2] - part * uz


@inline
def weigh_pair(of: Flying, i: int, j: int, minima: Minima, told: F64, at: int) -> bool:
    """Weigh a pair over all its time and write row `at` of `told`; say whether it's worth telling of."""
    d = (of.p[i, 0] - of.p[j, 0], of.p[i, 1] - of.p[j, 1], of.p[i, 2] - of.p[j, 2])
    w = (of.v[i, 0] - of.v[j, 0], of.v[i, 1] - of.v[j, 1], of.v[i, 2] - of.v[j, 2])
    dd = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    dw = d[0] * w[0] + d[1] * w[1] + d[2] * w[2]
    ww = w[0] * w[0] + w[1] * w[1] + w[2] * w[2]
    horizon = min(of.horizon[i], of.horizon[j])
    nearest = min(max(-dw / ww, 0.0), horizon) if ww > 0.0 else 0.0
    d, w = _level(of, i, j, d, nearest), _level(of, i, j, w, nearest)
    dd = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    dw = d[0] * w[0] + d[1] * w[1] + d[2] * w[2]
    ww = w[0] * w[0] + w[1] * w[1] + w[2] * w[2]
    dz, var_z = _heights(of, i, j)
    rate = of.v_up[i] - of.v_up[j]
    p, t = _most_probable(of, i, j, d, w, dz, var_z, minima.across, minima.up, horizon, minima)
    close_now = dd < minima.across * minima.across and not abs(dz) >= minima.up
    if p < minima.least and not close_now:
        return False
    p_sub, t_sub = _most_probable(of, i, j, d, w, dz, var_z, minima.sub_across, minima.sub_up, horizon, minima)
    nearest = min(max(-dw / ww, 0.0), horizon) if ww > 0.0 else 0.0
    told[at, W_P], told[at, W_P_SUB], told[at, W_T], told[at, W_T_SUB] = p, p_sub, t, t_sub
    told[at, W_MISS] = math.sqrt(max(dd + nearest * (2.0 * dw + nearest * ww), 0.0))
    told[at, W_MISS_UP] = abs(dz + rate * nearest)
    told[at, W_NOW], told[at, W_NOW_UP], told[at, W_SPEED] = math.sqrt(dd), abs(dz), math.sqrt(ww)
    begin, end = _span(dd, dw, ww, minima.across, horizon)
    if math.isfinite(dz) and begin <= end:
        low, high = _span(dz * dz, dz * rate, rate * rate, minima.up, horizon)
        begin, end = max(begin, low), min(end, high)
    told[at, W_LOSS] = begin if begin <= end else math.nan
    return True


@inline
def _near_across(of: Flying, i: int, j: int, x: float, y: float, z: float, minima: Minima) -> bool:
    """Say whether two tracks that are (x, y, z) apart in the middle of a slice could come too close within it."""
    limit: float = minima.across + of.reach[i] + of.reach[j]
    across: float = x * x + y * y + z * z
    return across <= limit * limit


@inline
def _near_up(of: Flying, i: int, j: int, t: float, half: float, minima: Minima) -> bool:
    """Say whether two tracks could come too close in height within half a slice of time t."""
    dz, var_z = _heights(of, i, j)
    if not math.isfinite(dz):
        return True
    rate = of.v_up[i] - of.v_up[j]
    apart: float = abs(dz + rate * t) - abs(rate) * half
    return apart < minima.up + minima.z * math.sqrt(_var_up(of, i, j, var_z, t + half))


@inline
def _near(of: Flying, i: int, j: int, t: float, half: float, minima: Minima) -> bool:
    """Say whether two tracks could come too close within half a slice of time t."""
    x = of.p[i, 0] - of.p[j, 0] + t * (of.v[i, 0] - of.v[j, 0])
    y = of.p[i, 1] - of.p[j, 1] + t * (of.v[i, 1] - of.v[j, 1])
    z = of.p[i, 2] - of.p[j, 2] + t * (of.v[i, 2] - of.v[j, 2])
    return _near_across(of, i, j, x, y, z, minima) and _near_up(of, i, j, t, half, minima)


@inline
def _met_before(of: Flying, i: int, j: int, k: int, half: float, minima: Minima) -> bool:
    """Say whether an earlier slice than k has found the pair."""
    earlier = 0
    while earlier < k and not _near(of, i, j, (2 * earlier + 1) * half, half, minima):
        earlier += 1
    return earlier < k


@inline
def _cell(x: float, cell: float) -> int:
    """Return the number of the cell of a coordinate."""
    return math.floor(x / cell) + HALF


@inline
def _bucket(key: int, mask: int) -> int:
    """Return where a cell's list of tracks begins: its bits mixed, since neighbours are asked for together."""
    mixed = key ^ (key >> 31)
    mixed *= 0x5851F42D4C957F2D  # an odd number whose bits look random; what overflows is of no use
    return (mixed ^ (mixed >> 29)) & mask


@inline
def _side(of: Flying, i: int, farthest: float, minima: Minima) -> int:
    """Return how many cells a track searches to each side."""
    if minima.across + 2.0 * of.reach[i] <= minima.cell:
        return 1
    cells: int = math.ceil((minima.across + of.reach[i] + farthest) / minima.cell)
    return min(cells, WIDEST)


@inline
def _fill(of: Flying, t: float, cell: float, grid: Grid) -> None:
    """Put all tracks into the cells where they will be at t seconds ahead; the grid is overwritten."""
    for b in range(grid.heads.size):
        grid.heads[b] = -1
    for i in range(of.p.shape[0]):
        for c in range(3):
            grid.at[i, c] = of.p[i, c] + t * of.v[i, c]
        cx, cy, cz = _cell(grid.at[i, 0], cell), _cell(grid.at[i, 1], cell), _cell(grid.at[i, 2], cell)
        grid.keys[i] = (cx << 42) | (cy << 21) | cz
        b = _bucket(grid.keys[i], grid.heads.size - 1)
        grid.following[i] = grid.heads[b]
        grid.heads[b] = i


@jit
def widen(of: Flying, minima: Minima, grid: Grid) -> int:
    """Say how many cells each track searches to each side (`grid.sides` is overwritten); return who is cut short."""
    farthest, left_out = 0.0, 0
    for i in range(of.p.shape[0]):
        farthest = max(farthest, of.reach[i])
    for i in range(of.p.shape[0]):
        grid.sides[i] = _side(of, i, farthest, minima)
        if grid.sides[i] == WIDEST and minima.across + of.reach[i] + farthest > WIDEST * minima.cell:
            left_out += 1  # it may reach farther than it searches
    return left_out


@jit
def search_slice(
    of: Flying, minima: Minima, grid: Grid, k: int, lo: int, hi: int, count: int, pairs: I64, told: F64
) -> tuple[int, int]:
    """Find the pairs that are, or will come, closer than the minima with some probability: a part of the search.

    Slices follow one another, and in each of them the parts from row 0 to the last. In its slice each pair of a track
    lo..hi with any other is looked at that no earlier slice than k finds.

    Parameters
    ----------
    of : n tracks; those that reach farther than a cell allows search `WIDEST` cells to each side at most
    minima : ``cell`` at least the minimum and twice the reach of an ordinary track
    grid : workspace, begun by `widen`
    count : pairs found so far
    pairs : (m, 2) int64, overwritten with rows, the lower one first; told : (m, TOLD) float64, overwritten

    Returns
    -------
    pairs found so far, at most m; pairs, comparisons or farther searches that the bounds left out in this part
    """
    mask = grid.heads.size - 1
    half = 0.5 * minima.horizon / minima.slices
    t = (2 * k + 1) * half
    left_out = 0
    if lo == 0:
        _fill(of, t, minima.cell, grid)
    for i in range(lo, hi):
        side = int(grid.sides[i])
        width = 2 * side + 1
        visits = 0
        # Of two tracks that look one cell far, the one that has the other's cell ahead of its own finds it.
        for step in range(width**3 // 2 if side == 1 else 0, width**3):
            ax, ay, az = step // (width * width) - side, step // width % width - side, step % width - side
            own = step == width**3 // 2
            key = grid.keys[i] + (ax << 42) + (ay << 21) + az
            j = int(grid.heads[_bucket(key, mask)])
            while j >= 0:
                here, follower = grid.keys[j] == key and j != i, int(grid.following[j])
                if here:
                    other = int(grid.sides[j])
                    here = other < side or (other == side and (i < j or (side == 1 and not own)))
                if here and visits >= NEIGHBOURS_MAX:
                    left_out += 1
                elif here:
                    visits += 1
                    x = grid.at[i, 0] - grid.at[j, 0]
                    y, z = grid.at[i, 1] - grid.at[j, 1], grid.at[i, 2] - grid.at[j, 2]
                    close = _near_across(of, i, j, x, y, z, minima) and _near_up(of, i, j, t, half, minima)
                    if close and not _met_before(of, i, j, k, half, minima):
                        if count >= pairs.shape[0]:
                            left_out += 1
                        elif weigh_pair(of, min(i, j), max(i, j), minima, told, count):
                            pairs[count, 0], pairs[count, 1] = min(i, j), max(i, j)
                            count += 1
                j = follower
    return count, left_out
