"""Which tracks are in an area, or will enter it, and how probable that is.

Seen from the Earth's centre, a shortest way is a straight line: areas, and the way that a track will fly, are turned
into the frame of the area's middle, in which the point (x, y, z) is seen at (x/z, y/z). No pole, no antimeridian, and
crossings of ways and edges come out exactly, with their times.

A track's way isn't one line but many that could be: its position, velocity and height are drawn from their covariance
at fixed points that fill the distribution evenly. The share of ways that enter is the probability.

::

       way 2 --------x----------          +--------+
       way 0 ==========================>  x        |        way 0: the mean itself
       way 1 ---------------------------- x        |        entry: when it's within the band of heights as well
                                          +--------+
"""

import math
from typing import Final, NamedTuple

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64, I64, table
from airpicture.kernels.wgs84 import basis_of, ecef_of

DRAWN: Final = 6  # position east and north, velocity east and north, height, climb

E_NOW: Final = 0  # share of ways that are inside now
E_AHEAD: Final = 1  # share of ways that are, or come, inside within the horizon
E_T: Final = 2  # s, mean time of entry of these
E_MEAN_NOW: Final = 3  # 1 where the mean itself is inside now
E_TOLD: Final = 4


@table
class Shapes(NamedTuple):
    """Areas, one row each; their corners end to end, those of each ring from `first` of one corner to the next."""

    middle: F64  # (A, 9) rows of the rotation into the frame of the area's middle
    begin: I64  # (A + 1,) first edge of each area
    corner: F64  # (E, 3) unit vectors where an edge begins, in the frame of its area's middle
    end: F64  # (E, 3) where it ends
    band: F64  # (A, 2) m
    horizon: F64  # (A,) s


@table
class Moving(NamedTuple):
    """Tracks, one row each."""

    place: F64  # (n, 2) rad: lat, lon
    v: F64  # (n, 2) m/s: east, north
    sigma: F64  # (n, 5) m, m, 1, m/s, m/s: east, north, correlation; velocity east, north
    h: F64  # (n, 2) m: height of the kind that the area's band is of, and its sigma; NaN unknown
    v_up: F64  # (n, 3) m/s, its sigma, and m²/s³ by which it is unsure


@inline
def _turned(R: F64, a: int, x: float, y: float, z: float) -> tuple[float, float, float]:
    return (
        R[a, 0] * x + R[a, 1] * y + R[a, 2] * z,
        R[a, 3] * x + R[a, 4] * y + R[a, 5] * z,
        R[a, 6] * x + R[a, 7] * y + R[a, 8] * z,
    )


@inline
def _inside(of: Shapes, a: int, x: float, y: float, z: float) -> bool:
    """Say whether a direction lies within an odd number of an area's rings: crossings of a ray to the right."""
    if not z > 0.0:
        return False
    u, v = x / z, y / z
    inside = False
    for e in range(of.begin[a], of.begin[a + 1]):
        va, vb = of.corner[e, 1] / of.corner[e, 2], of.end[e, 1] / of.end[e, 2]
        if (va > v) != (vb > v):
            ua, ub = of.corner[e, 0] / of.corner[e, 2], of.end[e, 0] / of.end[e, 2]
            if u < ua + (v - va) / (vb - va) * (ub - ua):
                inside = not inside
    return inside


@inline
def _crossings(of: Shapes, a: int, p: tuple[float, float, float], q: tuple[float, float, float], times: F64) -> int:
    """Write when the way from p to q crosses an area's edges, as shares of it, rising; return how many."""
    mx, my, mz = p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]
    count = 0
    for e in range(of.begin[a], of.begin[a + 1]):
        ax, ay, az = of.corner[e, 0], of.corner[e, 1], of.corner[e, 2]
        bx, by, bz = of.end[e, 0], of.end[e, 1], of.end[e, 2]
        if (mx * ax + my * ay + mz * az >= 0.0) == (mx * bx + my * by + mz * bz >= 0.0):
            continue
        nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        d0 = nx * p[0] + ny * p[1] + nz * p[2]
        d1 = nx * q[0] + ny * q[1] + nz * q[2]
        if (d0 >= 0.0) == (d1 >= 0.0):
            continue
        share = d0 / (d0 - d1)
        at = count
        while at > 0 and times[at - 1] > share:
            times[at] = times[at - 1]
            at -= 1
        times[at] = share
        count += 1
    return count


@inline
def _first_entry(inside: bool, count: int, times: F64, horizon: float, low: float, high: float) -> float:
    """Return the first time [s] that a way is inside while between times low and high; NaN never."""
    begin = 0.0
    for c in range(count + 1):
        end = times[c] * horizon if c < count else horizon
        if inside:
            first = max(begin, low)
            if first <= min(end, high):
                return first
        inside = not inside
        begin = end
    return math.nan


@inline
def _in_band(h: float, climb: float, low: float, high: float, horizon: float) -> tuple[float, float]:
    """Return the times within 0..horizon between which a height lies in a band; an empty span where it never does."""
    if not math.isfinite(h):
        return 0.0, horizon  # unknown: it may well be
    if climb == 0.0:
        return (0.0, horizon) if low <= h <= high else (1.0, 0.0)
    t1, t2 = (low - h) / climb, (high - h) / climb
    return max(min(t1, t2), 0.0), min(max(t1, t2), horizon)


@jit
def find_entries(of: Shapes, tracks: Moving, area: I64, row: I64, drawn: F64, q: float, times: F64, told: F64) -> None:
    """Tell how probably each of some tracks is in, or will enter, an area.

    Parameters
    ----------
    of : areas; tracks : n tracks; area, row : (k,) which of them to compare
    drawn : (W, DRAWN) standard normal; row 0 zeros, the mean itself
    q : m²/s³, by which straight flight is unsure; taken as an unsure velocity that does as much at the horizon
    times : workspace, as long as the area with most edges has edges; told : (k, E_TOLD), overwritten
    """
    for k in range(area.size):
        a, i = area[k], row[k]
        horizon = of.horizon[a]
        lat, lon = tracks.place[i, 0], tracks.place[i, 1]
        x, y, z = ecef_of(lat, lon, 0.0)
        ex, ey, _, nx, ny, nz, _, _, _ = basis_of(lat, lon)
        px, py, pz = _turned(of.middle, a, x, y, z)
        e1, e2, e3 = _turned(of.middle, a, ex, ey, 0.0)
        n1, n2, n3 = _turned(of.middle, a, nx, ny, nz)
        se, sn, rho = tracks.sigma[i, 0], tracks.sigma[i, 1], tracks.sigma[i, 2]
        across = math.sqrt(max(1.0 - rho * rho, 0.0))
        ve = math.sqrt(tracks.sigma[i, 3] * tracks.sigma[i, 3] + q * horizon / 3.0)
        vn = math.sqrt(tracks.sigma[i, 4] * tracks.sigma[i, 4] + q * horizon / 3.0)
        vu = math.sqrt(tracks.v_up[i, 1] * tracks.v_up[i, 1] + tracks.v_up[i, 2] * horizon / 3.0)
        now, ahead, late = 0, 0, 0.0
        told[k, E_MEAN_NOW] = 0.0
        for w in range(drawn.shape[0]):
            e = se * drawn[w, 0]
            n = sn * (rho * drawn[w, 0] + across * drawn[w, 1])
            east = e + horizon * (tracks.v[i, 0] + ve * drawn[w, 2])
            north = n + horizon * (tracks.v[i, 1] + vn * drawn[w, 3])
            h = tracks.h[i, 0] + tracks.h[i, 1] * drawn[w, 4]
            climb = tracks.v_up[i, 0] + vu * drawn[w, 5]
            p = (px + e1 * e + n1 * n, py + e2 * e + n2 * n, pz + e3 * e + n3 * n)
            q_ = (px + e1 * east + n1 * north, py + e2 * east + n2 * north, pz + e3 * east + n3 * north)
            inside = _inside(of, a, p[0], p[1], p[2])
            low, high = _in_band(h, climb, of.band[a, 0], of.band[a, 1], horizon)
            if inside and low <= 0.0 <= high:
                now += 1
                if w == 0:
                    told[k, E_MEAN_NOW] = 1.0
            count = _crossings(of, a, p, q_, times) if horizon > 0.0 else 0
            first = _first_entry(inside, count, times, horizon, low, high)
            if math.isfinite(first):
                ahead += 1
                late += first
        told[k, E_NOW] = now / drawn.shape[0]
        told[k, E_AHEAD] = ahead / drawn.shape[0]
        told[k, E_T] = late / ahead if ahead > 0 else math.nan
