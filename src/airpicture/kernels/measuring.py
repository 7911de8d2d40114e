"""Scalar measurements folded into a track's four states: height, range and azimuth, positions, velocities; see `lanes`.

Each is a row h of 6, an innovation nu and a variance R at a model's state, and `fold_...` folds it in. Where the models
stand apart they are linearised apart.
"""

import math
from typing import TypeAlias

from airpicture.kernels._jit import inline, lane
from airpicture.kernels.arrays import F64
from airpicture.kernels.bank import T_FREE, T_P, T_Q, T_Q_UP, T_X
from airpicture.kernels.lanes import (
    Covariance,
    Six,
    U,
    Vector,
    dot,
    inner,
    load_covariance,
    load_state,
    moved,
    plus_outer,
    raised,
    scaled,
    store_covariance,
    store_state,
    times,
)
from airpicture.kernels.moving import MEAN_RADIUS
from airpicture.kernels.register import LOG_CLIMBS, LOG_SPEEDS

HEIGHT_GARBLED = 36.0  # d² of a height beyond which it's taken as garbled and left out of the plot
LOG_TWO_PI = math.log(2.0 * math.pi)
HEIGHT_STEP = 9.0  # d² from which on a height tells of a step of the height, not of a climb beyond all that is usual
HEIGHT_UNLIKELY = 18.0  # d² beyond which it's no less likely: there a garbled one is as likely as one so far off
LOG_HEIGHTS = math.log(15_000.0)  # false heights are spread over 15 km
LOG_GARBLED = math.log(0.02)  # share of real replies whose height is wrong
DOUBT = 0.34 / HEIGHT_GARBLED  # of how far off a refused height is, squared: after three it is taken
DOUBT_CLIMB = 0.01  # 1/s²: what adds 10 m to the doubt about height adds 1 m/s to that about the climb, ...
DOUBT_CLIMB_MOST = 25.0  # m²/s²: ... and 5 m/s at most
VELOCITY_GARBLED = 36.0  # d² of a velocity beside a position beyond which it's taken as wrong and left out
D2_OUTSIDE = 1e6  # that no gate holds
CLIMB_GARBLED = 36.0  # likewise of a climb: beside heights that stand still, say

# Of each model: d², product of the S, measurements folded, log of what else makes the plot likely, 1 where it fits
# the measurement model at all, square off beyond the prediction's across the course (reported positions), and 1 where
# it doesn't know its height, see `blind`
C_D2 = U(T_FREE)
C_DET = U(T_FREE + 4)
C_COUNT = U(T_FREE + 8)
C_EXTRA = U(T_FREE + 12)
C_FINE = U(T_FREE + 16)
C_FOUND = U(T_FREE + 20)
C_BLIND = U(T_FREE + 24)
C_ALONG = U(T_FREE + 28)  # as C_FOUND, along the course
C_DOUBT = U(T_FREE + 32)  # m², what a refused height adds to the variance along up
C_FIT = U(T_FREE + 36)  # likelihood over that of the model that fits best
C_END = T_FREE + 40  # from here on `polar` uses it


Site: TypeAlias = tuple[
    float, float, float, float, float, float, float, float, float, float, float, float
]  # ECEF position [m] and unit vectors east, north, up of a sensor


@inline
def numbers_of(site: F64) -> Site:
    """Return the numbers of a site as a tuple, which stays in registers."""
    return (
        site[0],
        site[1],
        site[2],
        site[3],
        site[4],
        site[5],
        site[6],
        site[7],
        site[8],
        site[9],
        site[10],
        site[11],
    )


@lane
def seen_from(x: Six, delta: float, site: Site) -> tuple[Vector, float, float, float]:
    """Return a state's position `delta` seconds on [m]: from a site in ECEF, and its parts east, north and up."""
    sx, sy, sz, ex, ey, ez, nx, ny, nz, wx, wy, wz = site
    dx, dy, dz = x[0] + delta * x[3] - sx, x[1] + delta * x[4] - sy, x[2] + delta * x[5] - sz
    east = dx * ex + dy * ey + dz * ez
    north = dx * nx + dy * ny + dz * nz
    return (dx, dy, dz), east, north, dx * wx + dy * wy + dz * wz


@lane
def arcsine(s: float) -> float:
    """Return the arcsine of a small number, by its series; 3e-6 rad off at 0.25 rad."""
    return s * (1.0 + s * s * (1.0 / 6.0 + s * s * 0.075))


@lane
def _fold(T: F64, l: U, x: Six, P: Covariance, h: Six, nu: float, r: float) -> None:
    """Fold one measurement into a model.

    P - (P h)(P h)'/S stays symmetric by storage and positive because S > R > 0.
    """
    ph = times(P, h)
    s = r + inner(ph, h)
    gain = 1.0 / s
    store_state(T, T_X + l, moved(x, gain * nu, ph))
    store_covariance(T, T_P + l, plus_outer(1.0, P, scaled(-gain, ph), ph))
    T[C_D2 + l] += nu * nu * gain
    T[C_DET + l] *= s


@lane
def _fold_two(T: F64, l: U, x: Six, P: Covariance, h: Six, nu: float, r: float, h2: Six, nu2: float, r2: float) -> None:
    """Fold two measurements linearised at one point."""
    ph, ph2 = times(P, h), times(P, h2)
    s, both = r + inner(ph, h), inner(ph, h2)
    gain = 1.0 / s
    less = scaled(-gain, ph)
    nu2 = nu2 - gain * nu * both
    ph2 = moved(ph2, both, less)  # of what the first has left
    s2 = r2 + inner(ph2, h2)
    gain2 = 1.0 / s2
    store_state(T, T_X + l, moved(moved(x, gain * nu, ph), gain2 * nu2, ph2))
    store_covariance(T, T_P + l, plus_outer(1.0, plus_outer(1.0, P, less, ph), scaled(-gain2, ph2), ph2))
    T[C_D2 + l] += gain * nu * nu + gain2 * nu2 * nu2
    T[C_DET + l] *= s * s2


@lane
def fold_height(
    T: F64,
    l: U,
    rx: float,
    ry: float,
    rz: float,
    ux: float,
    uy: float,
    uz: float,
    h: float,
    delta: float,
    z: float,
    r: float,
) -> None:
    """Fold a height, unless it is so far off that it must be garbled. rx ... h: a point nearby, its vertical, height.

    Height near that point is h + u d + (d² - (u d)²) / 2R, its gradient u + (d - (u d) u) / R.
    """
    x = load_state(T, T_X + l)
    P = load_covariance(T, T_P + l)
    d = (x[0] + delta * x[3] - rx, x[1] + delta * x[4] - ry, x[2] + delta * x[5] - rz)
    rise = d[0] * ux + d[1] * uy + d[2] * uz
    nu = z - h - rise - (dot(d, d) - rise * rise) * (0.5 / MEAN_RADIUS)
    tilt = 1.0 / MEAN_RADIUS
    gx, gy, gz = ux + tilt * (d[0] - rise * ux), uy + tilt * (d[1] - rise * uy), uz + tilt * (d[2] - rise * uz)
    row = (gx, gy, gz, delta * gx, delta * gy, delta * gz)
    ph = times(P, row)
    s = r + T[T_Q_UP + l] * abs(delta * delta * delta) * (1.0 / 3.0) + inner(ph, row)
    d2 = nu * nu / s
    right = d2 < HEIGHT_GARBLED
    # what surprises by more than 3 sigma is taken with 3: the doubt is the height's, and the climb isn't torn along
    step = max(nu * nu / HEIGHT_STEP - s, 0.0) if right else 0.0
    P = raised(P, (gx, gy, gz), step, 0.0, 0.0)
    ph = times(P, row)
    gain = 1.0 / (s + step) if right else 0.0
    store_state(T, T_X + l, moved(x, gain * nu, ph))
    store_covariance(T, T_P + l, plus_outer(1.0, P, scaled(-gain, ph), ph))
    T[C_D2 + l] = min(d2, HEIGHT_STEP) if right else 0.0  # what gates; what more there is, is in the likelihood alone
    T[C_DET + l] = s if right else 1.0
    T[C_COUNT + l] = 1.0 if right else 0.0
    unlikely = -0.5 * max(min(d2, HEIGHT_UNLIKELY) - HEIGHT_STEP, 0.0)
    T[C_EXTRA + l] = unlikely if right else LOG_GARBLED - LOG_HEIGHTS
    T[C_DOUBT + l] = 0.0 if right else DOUBT * nu * nu


@lane
def doubt_height(T: F64, l: U, ux: float, uy: float, uz: float) -> None:
    """Let the variance along up grow by what a refused height speaks against it.

    A single garbled one moves nothing, and the next right one takes the doubt away; but what was refused three times
    in a row, and was right, is taken.
    """
    more = T[C_DOUBT + l]
    climb = min(DOUBT_CLIMB * more, DOUBT_CLIMB_MOST)
    store_covariance(T, T_P + l, raised(load_covariance(T, T_P + l), (ux, uy, uz), more, 0.0, climb))


@lane
def fold_elevation(
    T: F64,
    l: U,
    site: Site,
    delta: float,
    sine: float,
    cosine: float,
    var: float,
) -> None:
    """Fold the elevation whose sine and cosine are given."""
    x = load_state(T, T_X + l)
    _, _, _, ex, ey, ez, nx, ny, nz, wx, wy, wz = site
    _, east, north, up = seen_from(x, delta, site)
    level = max(east * east + north * north, 1.0)
    g, r2 = math.sqrt(level), level + up * up
    s = (sine * g - cosine * up) / math.sqrt(r2)
    nu = arcsine(s)
    b1, b2 = g / r2, up / (r2 * g)
    hx = b1 * wx - b2 * (east * ex + north * nx)
    hy = b1 * wy - b2 * (east * ey + north * ny)
    hz = b1 * wz - b2 * (east * ez + north * nz)
    grown = T[T_Q + l] * abs(delta * delta * delta) * (1.0 / 3.0) * (hx * hx + hy * hy + hz * hz)
    _fold(T, l, x, load_covariance(T, T_P + l), (hx, hy, hz, delta * hx, delta * hy, delta * hz), nu, var + grown)


@lane
def fold_range_rate(T: F64, l: U, site: Site, delta: float, rate: float, var: float) -> None:
    """Fold the rate of the slant range."""
    x = load_state(T, T_X + l)
    d, _, _, _ = seen_from(x, delta, site)
    r = math.sqrt(max(dot(d, d), 1.0))
    lx, ly, lz = d[0] / r, d[1] / r, d[2] / r
    own = x[3] * lx + x[4] * ly + x[5] * lz
    h = ((x[3] - own * lx) / r, (x[4] - own * ly) / r, (x[5] - own * lz) / r, lx, ly, lz)
    _fold(T, l, x, load_covariance(T, T_P + l), h, rate - own, var + T[T_Q + l] * abs(delta))


@lane
def fold_position(
    T: F64,
    l: U,
    px: float,
    py: float,
    pz: float,
    ax: float,
    ay: float,
    az: float,
    cx: float,
    cy: float,
    cz: float,
    delta: float,
    var_along: float,
    var_across: float,
) -> None:
    """Fold a reported position; note how far it lies off beyond what the prediction explains.

    ax ... : unit vector along the course, cx ... : level and across it (any two level directions where it stands still)
    """
    x = load_state(T, T_X + l)
    P = load_covariance(T, T_P + l)
    dx, dy, dz = px - x[0] - delta * x[3], py - x[1] - delta * x[4], pz - x[2] - delta * x[5]
    grown = T[T_Q + l] * abs(delta * delta * delta) * (1.0 / 3.0)
    along = (ax, ay, az, delta * ax, delta * ay, delta * az)
    across = (cx, cy, cz, delta * cx, delta * cy, delta * cz)
    ahead, aside = dx * ax + dy * ay + dz * az, dx * cx + dy * cy + dz * cz
    T[C_ALONG + l] = ahead * ahead - inner(times(P, along), along)
    T[C_FOUND + l] = aside * aside - inner(times(P, across), across)
    _fold_two(T, l, x, P, along, ahead, var_along + grown, across, aside, var_across + grown)


@lane
def fold_velocity(
    T: F64,
    l: U,
    ex: float,
    ey: float,
    ez: float,
    nx: float,
    ny: float,
    nz: float,
    delta: float,
    east: float,
    north: float,
    var: float,
    garbled: float,
    steady: float,
) -> None:
    """Fold a reported velocity, unless its d² is beyond `garbled`: then it's left out of the plot.

    steady : 1 where it's the velocity that the track has had so far, else 0. Such a one isn't garbled because a model
        would believe the position beside it and jump: by that model the plot is none of the track's
    """
    x = load_state(T, T_X + l)
    P = load_covariance(T, T_P + l)
    r = var + T[T_Q + l] * abs(delta)
    nu_e = east - (x[3] * ex + x[4] * ey + x[5] * ez)
    nu_n = north - (x[3] * nx + x[4] * ny + x[5] * nz)
    to_east, to_north = (0.0, 0.0, 0.0, ex, ey, ez), (0.0, 0.0, 0.0, nx, ny, nz)
    a = times(P, to_east)
    s_e, s_n, s_en = r + inner(a, to_east), r + inner(times(P, to_north), to_north), inner(a, to_north)
    det = s_e * s_n - s_en * s_en
    d2 = nu_e * nu_e * s_n - 2.0 * nu_e * nu_n * s_en + nu_n * nu_n * s_e
    kept = 1.0 if d2 < garbled * det else 0.0
    # left out, it says 0 of nothing: rows of 0 and variances of 1 change neither state, d² nor determinant
    east_row = (0.0, 0.0, 0.0, kept * ex, kept * ey, kept * ez)
    north_row = (0.0, 0.0, 0.0, kept * nx, kept * ny, kept * nz)
    r = kept * r + (1.0 - kept)
    T[C_EXTRA + l] += (1.0 - kept) * (LOG_GARBLED + LOG_SPEEDS + LOG_TWO_PI)
    T[C_D2 + l] += (1.0 - kept) * steady * D2_OUTSIDE
    _fold_two(T, l, x, P, east_row, kept * nu_e, r, north_row, kept * nu_n, r)


@lane
def fold_climb(
    T: F64, l: U, ux: float, uy: float, uz: float, delta: float, climb: float, var: float, garbled: float
) -> None:
    """Fold a reported climb, unless its d² is beyond `garbled`: then it's left out. ux ... : the vertical near by."""
    x = load_state(T, T_X + l)
    P = load_covariance(T, T_P + l)
    nu = climb - (x[3] * ux + x[4] * uy + x[5] * uz)
    r = var + T[T_Q_UP + l] * abs(delta)
    up = (0.0, 0.0, 0.0, ux, uy, uz)
    kept = 1.0 if nu * nu < garbled * (r + inner(times(P, up), up)) else 0.0
    # left out, it says 0 of nothing, as in `fold_velocity`
    T[C_EXTRA + l] += (1.0 - kept) * (LOG_GARBLED + LOG_CLIMBS + 0.5 * LOG_TWO_PI)
    row = (0.0, 0.0, 0.0, kept * ux, kept * uy, kept * uz)
    _fold(T, l, x, P, row, kept * nu, kept * r + (1.0 - kept))
