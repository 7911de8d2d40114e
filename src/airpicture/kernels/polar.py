"""Slant ranges and azimuths: seen first, then folded in, since many lie beyond every gate; see `lanes`.

Both are linearised at a model's state. `see_polar` works out how far off they lie, which is all that a gate asks, and
keeps for `fold_polar` what that needs, too. Of a track and a plot beside it that was never its own, the second half
is spared.

What the height has to do with it where nobody measured it stands in `blind`.
"""

import math

from airpicture.kernels._jit import inline, lane
from airpicture.kernels.arrays import F64
from airpicture.kernels.bank import T_P, T_Q, T_X
from airpicture.kernels.lanes import (
    S1,
    S2,
    Covariance,
    Six,
    U,
    inner,
    load_covariance,
    load_state,
    moved,
    plus_outer,
    scaled,
    store_covariance,
    store_state,
    times,
)
from airpicture.kernels.measuring import C_BLIND, C_D2, C_DET, C_END, C_FINE, Site, arcsine, seen_from

# Regions of T, of each model: the rows of range and azimuth (3 numbers along position; along velocity they're as much
# times delta), P h of either, the innovations, their variances and covariance
C_ROW = U(C_END)
C_ROW2 = U(C_END + 12)
C_PH = U(C_END + 24)
C_PH2 = U(C_END + 48)
C_NU = U(C_END + 72)
C_NU2 = U(C_END + 76)
C_S = U(C_END + 80)
C_S2 = U(C_END + 84)
C_BOTH = U(C_END + 88)
C_R = U(C_END + 92)  # variances of the measurements alone
C_R2 = U(C_END + 96)


@lane
def see_polar(
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
    with_range: float,
) -> None:
    """Work out how far slant range (or none) and azimuth lie off.

    with_range : 1, or 0 for a bearing alone; var_steep : see `conditioning.condition`
    """
    x = load_state(T, T_X + l)
    P = load_covariance(T, T_P + l)
    _, _, _, ex, ey, ez, nx, ny, nz, _, _, _ = site
    d, east, north, up = seen_from(x, delta, site)
    level = east * east + north * north
    far = level > 1.0  # at the sensor itself azimuth means nothing
    level = max(level, 1.0)
    g, r = math.sqrt(level), math.sqrt(level + up * up)
    grown = T[T_Q + l] * abs(delta * delta * delta) * (1.0 / 3.0)
    over, flat = 1.0 / r, 1.0 / g
    lx, ly, lz = d[0] * over, d[1] * over, d[2] * over
    steep = up * over
    east, north = east * flat, north * flat
    s = sine * north - cosine * east
    fine = 1.0 if far and cosine * north + sine * east > 0.0 else 0.0
    a1, a2 = north * flat, east * flat
    ax, ay, az = a1 * ex - a2 * nx, a1 * ey - a2 * ny, a1 * ez - a2 * nz
    r1 = var_range + (1.0 - T[C_BLIND + l]) * steep * steep * var_steep + grown
    r2 = var_azimuth + grown * (ax * ax + ay * ay + az * az)
    # a bearing alone: an innovation of 0 with the row 0 leaves S = R = 1 and changes nothing
    lx, ly, lz = with_range * lx, with_range * ly, with_range * lz
    nu, nu2 = with_range * (rng - r), arcsine(s)
    r1 = with_range * r1 + (1.0 - with_range)
    h, h2 = (lx, ly, lz, delta * lx, delta * ly, delta * lz), (ax, ay, az, delta * ax, delta * ay, delta * az)
    ph, ph2 = times(P, h), times(P, h2)
    s11, s12, s22 = r1 + inner(ph, h), inner(ph, h2), r2 + inner(ph2, h2)
    det = s11 * s22 - s12 * s12
    T[C_ROW + l], T[C_ROW + S1 + l], T[C_ROW + S2 + l] = lx, ly, lz
    T[C_ROW2 + l], T[C_ROW2 + S1 + l], T[C_ROW2 + S2 + l] = ax, ay, az
    store_state(T, C_PH + l, ph)
    store_state(T, C_PH2 + l, ph2)
    T[C_NU + l], T[C_NU2 + l] = nu, nu2
    T[C_S + l], T[C_S2 + l], T[C_BOTH + l] = s11, s22, s12
    T[C_R + l], T[C_R2 + l] = r1, r2
    T[C_D2 + l] += (nu * nu * s22 - 2.0 * nu * nu2 * s12 + nu2 * nu2 * s11) / det
    T[C_DET + l] *= det
    T[C_FINE + l] = fine


@inline
def beyond(T: F64, gate: float, lanes: U) -> bool:
    """Return whether what `see_polar` saw lies beyond the gate of every model, or none fits it at all."""
    all_beyond = True
    for m in range(int(lanes)):
        # a d² that isn't finite is left to `likelihood`
        all_beyond = all_beyond and (T[int(C_FINE) + m] == 0.0 or T[int(C_D2) + m] >= gate)
    return all_beyond


@lane
def row_at(T: F64, at: U, delta: float) -> Six:
    """Return the row of 6 of which `see_polar` kept the half along position."""
    x, y, z = T[at], T[at + S1], T[at + S2]
    return x, y, z, delta * x, delta * y, delta * z


@lane
def fold_polar(T: F64, l: U, delta: float) -> None:
    """Fold in what `see_polar` saw; where a model doesn't fit it at all, it changes nothing."""
    fine = T[C_FINE + l]
    ph, ph2 = load_state(T, C_PH + l), load_state(T, C_PH2 + l)
    gain = fine / T[C_S + l]
    less = scaled(-gain, ph)
    nu2 = T[C_NU2 + l] - gain * T[C_NU + l] * T[C_BOTH + l]
    ph2 = moved(ph2, T[C_BOTH + l], less)  # of what the range has left
    gain2 = fine / (T[C_R2 + l] + inner(ph2, row_at(T, C_ROW2 + l, delta)))
    x: Six = moved(load_state(T, T_X + l), gain * T[C_NU + l], ph)
    P: Covariance = plus_outer(1.0, load_covariance(T, T_P + l), less, ph)
    store_state(T, T_X + l, moved(x, gain2 * nu2, ph2))
    store_covariance(T, T_P + l, plus_outer(1.0, P, scaled(-gain2, ph2), ph2))
