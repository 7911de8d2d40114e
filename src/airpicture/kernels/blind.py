"""Slant ranges and azimuths folded into a track whose height nobody measured: given its height, whatever that is.

A radar without elevation tells next to nothing of height, but linearised at a wrong one, look after look, it seems to.
So the height (and the climb) keep what they are, and each measurement tells what it tells *given* the height:

    U            6 x 2, up of position and of velocity
    P|U          P - P U (U' P U)^-1 U' P
    K            P|U h / (h' P|U h + R), which has no part along up
    P            (I - K h') P (I - K h')' + R K K'

so that the mean stays on the slant range that was measured, at the height that is assumed, and the ground position
keeps how it hangs together with the height, along the arc of that range.

*Refused:* Schmidt's consider gain, P h / (h' P h + R) without its part along up. It is the best for the ground position
on average over all heights, and for the assumed one it's wrong: as a target comes near, the arc steepens, the error of
the range is put down to the height, and the published place stays a kilometre off the range that was measured.
"""

import math

from airpicture.kernels._jit import lane
from airpicture.kernels.arrays import F64
from airpicture.kernels.bank import T_P, T_Q, T_X
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
    outer,
    store_covariance,
    store_state,
    times,
    times_position,
    times_velocity,
    weighted,
)
from airpicture.kernels.measuring import C_BLIND, C_COUNT, C_D2, C_DET, C_FINE, Site, arcsine, seen_from


@lane
def note_blind(T: F64, l: U, ux: float, uy: float, uz: float, limit: float) -> None:
    """Note whether a model doesn't know its height: its variance along up is beyond a limit [m²], and none came."""
    a = times_position(load_covariance(T, T_P + l), (ux, uy, uz))
    unknown = a[0] * ux + a[1] * uy + a[2] * uz > limit
    T[C_BLIND + l] = 1.0 if unknown and T[C_COUNT + l] == 0.0 else 0.0


@lane
def _given_up(P: Covariance, ph: Six, u: Vector, blind: float) -> Six:
    """Return P|U h of P h where blind is 1, P h where it's 0."""
    a, b = times_position(P, u), times_velocity(P, u)
    pp = a[0] * u[0] + a[1] * u[1] + a[2] * u[2]
    pv = a[3] * u[0] + a[4] * u[1] + a[5] * u[2]
    vv = b[3] * u[0] + b[4] * u[1] + b[5] * u[2]
    p = ph[0] * u[0] + ph[1] * u[1] + ph[2] * u[2]
    v = ph[3] * u[0] + ph[4] * u[1] + ph[5] * u[2]
    scale = blind / (pp * vv - pv * pv)  # both variances are above 0
    return moved(moved(ph, -scale * (vv * p - pv * v), a), -scale * (pp * v - pv * p), b)


@lane
def _after(P: Covariance, ph: Six, s: float, K: Six) -> Covariance:
    """Return P - K (P h)' - (P h) K' + s K K', which is P - (P h)(P h)'/s + s d d' with d = K - (P h)/s."""
    d = moved(K, -1.0 / s, ph)
    return weighted(1.0, weighted(1.0, P, -1.0 / s, outer(ph)), s, outer(d))


@lane
def fold_polar_blind(
    T: F64,
    l: U,
    site: Site,
    delta: float,
    rng: float,
    sine: float,
    cosine: float,
    var_range: float,
    var_azimuth: float,
    var_steep: float,
    ux: float,
    uy: float,
    uz: float,
) -> None:
    """Fold slant range and azimuth, given the height where a model is blind. Arguments as `measuring.fold_polar`."""
    u = (ux, uy, uz)
    blind = T[C_BLIND + l]
    x = load_state(T, T_X + l)
    P = load_covariance(T, T_P + l)
    _, _, _, ex, ey, ez, nx, ny, nz, _, _, _ = site
    d, east, north, up = seen_from(x, delta, site)
    level = east * east + north * north
    far = level > 1.0
    level = max(level, 1.0)
    g, r = math.sqrt(level), math.sqrt(level + up * up)
    grown = T[T_Q + l] * abs(delta * delta * delta) * (1.0 / 3.0)
    lx, ly, lz = d[0] / r, d[1] / r, d[2] / r
    steep = up / r
    s = (sine * north - cosine * east) / g
    c = (cosine * north + sine * east) / g
    fine = 1.0 if far and c > 0.0 else 0.0
    a1, a2 = north / level, east / level
    ax, ay, az = a1 * ex - a2 * nx, a1 * ey - a2 * ny, a1 * ez - a2 * nz
    h1 = (lx, ly, lz, delta * lx, delta * ly, delta * lz)
    h2 = (ax, ay, az, delta * ax, delta * ay, delta * az)
    nu1, nu2 = rng - r, arcsine(s)
    r1 = var_range + (1.0 - blind) * steep * steep * var_steep + grown
    r2 = var_azimuth + grown * (ax * ax + ay * ay + az * az)
    ph1, ph2 = times(P, h1), times(P, h2)
    s11, s12, s22 = r1 + inner(ph1, h1), inner(ph1, h2), r2 + inner(ph2, h2)
    det = s11 * s22 - s12 * s12
    k = _given_up(P, ph1, u, blind)
    gain = fine / (r1 + inner(k, h1))
    K = moved((0.0, 0.0, 0.0, 0.0, 0.0, 0.0), gain, k)
    x = moved(x, nu1, K)
    after = _after(P, ph1, s11, K)
    P = weighted(1.0 - fine, P, fine, after)
    nu2_left = nu2 - nu1 * inner(K, h2)
    ph = times(P, h2)
    k = _given_up(P, ph, u, blind)
    gain = fine / (r2 + inner(k, h2))
    K = moved((0.0, 0.0, 0.0, 0.0, 0.0, 0.0), gain, k)
    store_state(T, T_X + l, moved(x, nu2_left, K))
    after = _after(P, ph, r2 + inner(ph, h2), K)
    store_covariance(T, T_P + l, weighted(1.0 - fine, P, fine, after))
    T[C_D2 + l] += (nu1 * nu1 * s22 - 2.0 * nu1 * nu2 * s12 + nu2 * nu2 * s11) / det
    T[C_DET + l] *= det
    T[C_FINE + l] = fine


@lane
def fold_range_rate_blind(
    T: F64, l: U, site: Site, delta: float, rate: float, var: float, ux: float, uy: float, uz: float
) -> None:
    """Fold the rate of the slant range, given height and climb where a model is blind."""
    x = load_state(T, T_X + l)
    P = load_covariance(T, T_P + l)
    d, _, _, _ = seen_from(x, delta, site)
    r = math.sqrt(max(dot(d, d), 1.0))
    lx, ly, lz = d[0] / r, d[1] / r, d[2] / r
    own = x[3] * lx + x[4] * ly + x[5] * lz
    h = ((x[3] - own * lx) / r, (x[4] - own * ly) / r, (x[5] - own * lz) / r, lx, ly, lz)
    noise = var + T[T_Q + l] * abs(delta)
    ph = times(P, h)
    s = noise + inner(ph, h)
    k = _given_up(P, ph, (ux, uy, uz), T[C_BLIND + l])
    K = moved((0.0, 0.0, 0.0, 0.0, 0.0, 0.0), 1.0 / (noise + inner(k, h)), k)
    nu = rate - own
    store_state(T, T_X + l, moved(x, nu, K))
    store_covariance(T, T_P + l, _after(P, ph, s, K))
    T[C_D2 + l] += nu * nu / s
    T[C_DET + l] *= s
