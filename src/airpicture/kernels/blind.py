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
    plus_outer,
    scaled,
    store_covariance,
    store_state,
    times,
    times_position,
    times_velocity,
)
from airpicture.kernels.measuring import C_BLIND, C_COUNT, C_D2, C_DET, C_FINE, Site, seen_from
from airpicture.kernels.polar import C_BOTH, C_NU, C_NU2, C_PH, C_PH2, C_R, C_R2, C_ROW, C_ROW2, C_S, row_at


@lane
def note_blind(T: F64, l: U, ux: float, uy: float, uz: float, limit: float) -> None:
    """Note whether a model doesn't know its height: its variance along up is beyond a limit [m²], and none came."""
    a = times_position(load_covariance(T, T_P + l), (ux, uy, uz))
    unknown = a[0] * ux + a[1] * uy + a[2] * uz > limit
    T[C_BLIND + l] = 1.0 if unknown and T[C_COUNT + l] == 0.0 else 0.0


@lane
def _given_up(ph: Six, a: Six, b: Six, u: Vector, pp: float, pv: float, vv: float) -> Six:
    """Return P|U h of P h; the others as `_up_of` returns them."""
    p = ph[0] * u[0] + ph[1] * u[1] + ph[2] * u[2]
    v = ph[3] * u[0] + ph[4] * u[1] + ph[5] * u[2]
    return moved(moved(ph, pv * v - vv * p, a), pv * p - pp * v, b)


@lane
def _up_of(P: Covariance, u: Vector, blind: float) -> tuple[Six, Six, float, float, float]:
    """Return both columns of P U, and U' P U over its determinant where blind is 1, 0 where it's 0."""
    a, b = times_position(P, u), times_velocity(P, u)
    pp = a[0] * u[0] + a[1] * u[1] + a[2] * u[2]
    pv = a[3] * u[0] + a[4] * u[1] + a[5] * u[2]
    vv = b[3] * u[0] + b[4] * u[1] + b[5] * u[2]
    scale = blind / (pp * vv - pv * pv)  # both variances are above 0
    return a, b, scale * pp, scale * pv, scale * vv


@lane
def _after(P: Covariance, ph: Six, s: float, K: Six) -> Covariance:
    """Return P - K (P h)' - (P h) K' + s K K' = (I - K h') P (I - K h')' + R K K'."""
    return plus_outer(1.0, plus_outer(1.0, P, K, moved(scaled(s, K), -1.0, ph)), ph, scaled(-1.0, K))


@lane
def fold_polar_blind(T: F64, l: U, delta: float, ux: float, uy: float, uz: float) -> None:
    """Fold in what `polar.see_polar` saw, given the height where a model is blind, as `polar.fold_polar` where not.

    That the range comes first and the azimuth second changes nothing: K has no part along U, so U' P U stays, and P|U
    shrinks as a covariance does that is conditioned as usual. So P h2 and P|U h2 of what the range has left follow from
    those before it.
    """
    u = (ux, uy, uz)
    fine = T[C_FINE + l]
    P = load_covariance(T, T_P + l)
    h, h2 = row_at(T, C_ROW + l, delta), row_at(T, C_ROW2 + l, delta)
    ph, ph2 = load_state(T, C_PH + l), load_state(T, C_PH2 + l)
    a, b, pp, pv, vv = _up_of(P, u, T[C_BLIND + l])
    s, nu = T[C_S + l], T[C_NU + l]
    k = _given_up(ph, a, b, u, pp, pv, vv)
    k2 = _given_up(ph2, a, b, u, pp, pv, vv)
    K = scaled(fine / (T[C_R + l] + inner(k, h)), k)
    both = inner(K, h2)
    k2 = moved(k2, -inner(k, h2), K)
    ph2 = moved(moved(ph2, -both, ph), s * both - T[C_BOTH + l], K)
    s2 = T[C_R2 + l] + inner(ph2, h2)
    K2 = scaled(fine / (T[C_R2 + l] + inner(k2, h2)), k2)
    x = moved(load_state(T, T_X + l), nu, K)
    store_state(T, T_X + l, moved(x, T[C_NU2 + l] - nu * both, K2))
    store_covariance(T, T_P + l, _after(_after(P, ph, s, K), ph2, s2, K2))


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
    a, b, pp, pv, vv = _up_of(P, (ux, uy, uz), T[C_BLIND + l])
    k = _given_up(ph, a, b, (ux, uy, uz), pp, pv, vv)
    K = scaled(1.0 / (noise + inner(k, h)), k)
    nu = rate - own
    store_state(T, T_X + l, moved(x, nu, K))
    store_covariance(T, T_P + l, _after(P, ph, s, K))
    T[C_D2 + l] += nu * nu / s
    T[C_DET + l] *= s
