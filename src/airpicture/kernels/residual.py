"""How far a plot lies from where the others of its track say the target was, in metres east, north and up."""

import math
from typing import Final

from airpicture.kernels._jit import inline
from airpicture.kernels.arrays import F64
from airpicture.kernels.bank import T_MEAN, T_SPREAD
from airpicture.kernels.conditioning import SHARING, var_of_pressure, variance_of_position
from airpicture.kernels.layout import (
    BEARING,
    D_BARO,
    MESSAGE,
    POLAR,
    VAR_TIME,
    VAR_V,
    Z_COS,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LAG,
    Z_P,
    Z_RANGE,
    Z_SIN,
    Z_V_EAST,
    Z_V_NORTH,
    Z_VAR_AZIMUTH,
    Z_VAR_H,
    Z_VAR_RANGE,
    Z_VAR_V,
)
from airpicture.kernels.wgs84 import basis_of_up, height_up_of

# What is told of a plot against the rest of its track
R_EAST: Final = 0  # m, plot less rest; NaN where there's nothing to compare
R_NORTH: Final = 1
R_VAR_EAST: Final = 2  # m², of what both together leave open
R_VAR_NORTH: Final = 3
R_COVARIANCE: Final = 4
R_D2: Final = 5  # squared distance in those terms
R_COUNT: Final = 6  # components of it: 2, a bearing's 1, 0 for none; of messages those of velocity
R_UP: Final = 7  # m
R_VAR_UP: Final = 8
R_V_EAST: Final = 9  # m/s, of the rest
R_V_NORTH: Final = 10
R_SIDES: Final = 11  # sides that the rest lies on: 2 in the middle, 1 at an end, 0 where it's alone
R_VAR: Final = 12  # m², of a reported position's own error, per axis; its time's jitter comes on top, along
TOLD: Final = 13


@inline
def _between(P: F64, a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    """Return a' P b for the position block of the mixture in T_SPREAD."""
    o = T_SPREAD
    cx = P[o] * b[0] + P[o + 1] * b[1] + P[o + 3] * b[2]
    cy = P[o + 1] * b[0] + P[o + 2] * b[1] + P[o + 4] * b[2]
    cz = P[o + 3] * b[0] + P[o + 4] * b[1] + P[o + 5] * b[2]
    return float(a[0] * cx + a[1] * cy + a[2] * cz)


@inline
def _put(told: F64, i: int, one: float, two: float, s11: float, s12: float, s22: float, count: int) -> None:
    """Write an offset east and north and its covariance."""
    told[i, R_EAST], told[i, R_NORTH] = one, two
    told[i, R_VAR_EAST], told[i, R_VAR_NORTH], told[i, R_COVARIANCE] = s11, s22, s12
    told[i, R_COUNT] = count


@inline
def _compare_velocity(
    Z: F64, j: int, T: F64, east: tuple[float, float, float], north: tuple[float, float, float], told: F64, i: int
) -> None:
    """Write how far a message's velocity lies off, in terms of both errors; it has no place."""
    told[i, R_EAST], told[i, R_NORTH], told[i, R_D2], told[i, R_COUNT] = math.nan, math.nan, math.nan, 0.0
    if not (math.isfinite(Z[j, Z_V_EAST]) and math.isfinite(Z[j, Z_V_NORTH])):
        return
    o = T_SPREAD
    var = Z[j, Z_VAR_V] + SHARING * T[VAR_V]
    s11, s12, s22 = var, 0.0, var
    for a in range(3):
        for b in range(3):
            k, m = max(a, b) + 3, min(a, b) + 3
            P = T[o + k * (k + 1) // 2 + m]
            s11 += P * east[a] * east[b]
            s12 += P * east[a] * north[b]
            s22 += P * north[a] * north[b]
    e, n = Z[j, Z_V_EAST] - told[i, R_V_EAST], Z[j, Z_V_NORTH] - told[i, R_V_NORTH]
    told[i, R_D2], told[i, R_COUNT] = _distance(e, n, s11, s12, s22), 2.0


@inline
def compare(Z: F64, j: int, site: F64, T: F64, told: F64, i: int) -> None:
    """Write to told[i] how far plot j lies from the track in T, which hasn't used it.

    Z : (M, PLOT); site : (12,) of the plot's sensor; T : mixture moments in T_MEAN and T_SPREAD, offset in T[D_BARO]
    told : (I, TOLD) float64; row i overwritten, all but R_SIDES
    """
    x, y, z = T[T_MEAN], T[T_MEAN + 1], T[T_MEAN + 2]
    h, ux, uy, uz = height_up_of(x, y, z)
    ex, ey, ez, nx, ny, nz, _, _, _ = basis_of_up(ux, uy, uz)
    east, north, up = (ex, ey, ez), (nx, ny, nz), (ux, uy, uz)
    vx, vy, vz = T[T_MEAN + 3], T[T_MEAN + 4], T[T_MEAN + 5]
    told[i, R_V_EAST], told[i, R_V_NORTH] = vx * ex + vy * ey + vz * ez, vx * nx + vy * ny + vz * nz
    told[i, R_UP], told[i, R_VAR_UP] = math.nan, math.nan
    if math.isfinite(Z[j, Z_H]):
        told[i, R_UP], told[i, R_VAR_UP] = Z[j, Z_H] - h, _between(T, up, up) + Z[j, Z_VAR_H]
    elif math.isfinite(Z[j, Z_H_BARO]):
        told[i, R_UP] = Z[j, Z_H_BARO] + T[D_BARO] - h
        told[i, R_VAR_UP] = _between(T, up, up) + var_of_pressure(Z[j, Z_H_BARO])
    kind = int(Z[j, Z_KIND])
    if kind in (POLAR, BEARING):
        dx, dy, dz = x - site[0], y - site[1], z - site[2]
        e = dx * site[3] + dy * site[4] + dz * site[5]
        n = dx * site[6] + dy * site[7] + dz * site[8]
        level = math.sqrt(max(e * e + n * n, 1.0))
        r = math.sqrt(dx * dx + dy * dy + dz * dz)
        sine, cosine = e / level, n / level
        # along the beam on the ground, and to its right
        along = (dx / r, dy / r, dz / r)
        right = (
            cosine * site[3] - sine * site[6],
            cosine * site[4] - sine * site[7],
            cosine * site[5] - sine * site[8],
        )
        turned = math.atan2(Z[j, Z_SIN] * cosine - Z[j, Z_COS] * sine, Z[j, Z_COS] * cosine + Z[j, Z_SIN] * sine)
        aside, var_aside = turned * level, _between(T, right, right) + Z[j, Z_VAR_AZIMUTH] * level * level
        if kind == BEARING:
            _put(told, i, aside * cosine, -aside * sine, math.nan, math.nan, math.nan, 1)
            told[i, R_D2] = aside * aside / var_aside
            return
        flat = r / level
        out = (Z[j, Z_RANGE] - r) * flat
        var_out = (_between(T, along, along) + Z[j, Z_VAR_RANGE]) * flat * flat
        both = _between(T, along, right) * flat
        told[i, R_D2] = _distance(out, aside, var_out, both, var_aside)
        _put(
            told,
            i,
            out * sine + aside * cosine,
            out * cosine - aside * sine,
            var_out * sine * sine + 2.0 * both * sine * cosine + var_aside * cosine * cosine,
            (var_out - var_aside) * sine * cosine + both * (cosine * cosine - sine * sine),
            var_out * cosine * cosine - 2.0 * both * sine * cosine + var_aside * sine * sine,
            2,
        )
        return
    dx, dy, dz = Z[j, Z_P] - x, Z[j, Z_P + 1] - y, Z[j, Z_P + 2] - z
    if kind == MESSAGE:
        _compare_velocity(Z, j, T, east, north, told, i)
        return
    lag = Z[j, Z_LAG]  # the place is that of so long before
    dx, dy, dz = dx + lag * vx, dy + lag * vy, dz + lag * vz
    var = variance_of_position(Z, j, T)
    e, n = dx * ex + dy * ey + dz * ez, dx * nx + dy * ny + dz * nz
    ve, vn, timed = told[i, R_V_EAST], told[i, R_V_NORTH], max(T[VAR_TIME], 0.0)
    s11 = _between(T, east, east) + var + timed * ve * ve
    s12 = _between(T, east, north) + timed * ve * vn
    s22 = _between(T, north, north) + var + timed * vn * vn
    told[i, R_VAR] = var
    told[i, R_D2] = _distance(e, n, s11, s12, s22)
    _put(told, i, e, n, s11, s12, s22, 2)


@inline
def _distance(a: float, b: float, s11: float, s12: float, s22: float) -> float:
    """Return (a, b) S⁻¹ (a, b)'."""
    return (a * a * s22 - 2.0 * a * b * s12 + b * b * s11) / max(s11 * s22 - s12 * s12, 1e-300)
