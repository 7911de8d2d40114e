"""Measurement models: what each kind of plot says about a state in ECEF, as scalar measurements one after another.

The errors of range, azimuth, elevation, height and reported velocity are independent in the coordinates in which they
are measured. So a plot is a short list of scalar measurements (a row h of 6, an innovation nu, a variance R). Folding
them in one by one equals the matrix update exactly, needs no inverse, and simply leaves out what is not measured.

    tmp[X_H + 6 c : ...]  row of component c        tmp[X_NU + c]  innovation        tmp[X_R + c]  variance
"""

import math

from airpicture.kernels._jit import inline
from airpicture.kernels.arrays import F64
from airpicture.kernels.layout import (
    BEARING,
    D_BARO,
    POLAR,
    SHARED,
    STATE,
    VAR_BARO,
    VAR_POS,
    Z_COS,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LEARN,
    Z_P,
    Z_RANGE,
    Z_RANGE_RATE,
    Z_SIN,
    Z_V_EAST,
    Z_V_NORTH,
    Z_VAR_AZIMUTH,
    Z_VAR_ELEVATION,
    Z_VAR_H,
    Z_VAR_P,
    Z_VAR_RANGE,
    Z_VAR_RANGE_RATE,
    Z_VAR_V,
)
from airpicture.kernels.predict import at
from airpicture.kernels.wgs84 import basis_of_up, height_of, up_of

COMPONENTS = 8
X_H = 96  # in the scratch of `predict`, behind what that needs
X_NU = X_H + 6 * COMPONENTS  # 144
X_R = X_NU + COMPONENTS  # 152
X_PH = X_R + COMPONENTS  # 160, P h of the component being folded

VAR_MODE_C = 100.0  # m²: steps of 100 ft are 8.8 m rms (ICAO Annex 10 vol. IV, 3.1.1.7.12), and some jitter
HEIGHT_GARBLED = 36.0  # d² of a height beyond which it's taken as garbled and left out of the plot


@inline
def _set(tmp: F64, c: int, hx: float, hy: float, hz: float, delta: float, nu: float, r: float, q: float) -> None:
    """Store a component that looks at the position at time offset delta; its noise grows with the motion's own."""
    o = X_H + 6 * c
    tmp[o] = hx
    tmp[o + 1] = hy
    tmp[o + 2] = hz
    tmp[o + 3] = delta * hx
    tmp[o + 4] = delta * hy
    tmp[o + 5] = delta * hz
    tmp[X_NU + c] = nu
    d = abs(delta)
    tmp[X_R + c] = r + q * d * d * d * (1.0 / 3.0) * (hx * hx + hy * hy + hz * hz)


@inline
def height_component(Z: F64, j: int, W: F64, w: int, o: int, delta: float, q_up: float, tmp: F64) -> int:
    """Write component 0 from a plot's height; return 1, or 0 where there's none."""
    z = Z[j, Z_H]
    r = Z[j, Z_VAR_H]
    if not math.isfinite(z):
        z = Z[j, Z_H_BARO] + W[w, D_BARO]
        r = VAR_MODE_C
        if not math.isfinite(z):
            return 0
    x = W[w, o] + delta * W[w, o + 3]
    y = W[w, o + 1] + delta * W[w, o + 4]
    zz = W[w, o + 2] + delta * W[w, o + 5]
    ux, uy, uz = up_of(x, y, zz)
    _set(tmp, 0, ux, uy, uz, delta, z - height_of(x, y, zz), r, q_up)
    return 1


@inline
def plane_components(
    Z: F64, j: int, sites: F64, k0: int, W: F64, w: int, o: int, delta: float, q: float, tmp: F64, c: int
) -> int:
    """Write the components of position and velocity from c on; return the count after them, or -1 where the plot lies
    outside what the model can say (more than 90 degrees off, at the sensor itself).

    sites : (S, 12) float64, see `wgs84`; k0 : the plot's sensor
    """
    vx, vy, vz = W[w, o + 3], W[w, o + 4], W[w, o + 5]
    x = W[w, o] + delta * vx
    y = W[w, o + 1] + delta * vy
    z = W[w, o + 2] + delta * vz
    kind = int(Z[j, Z_KIND])
    if kind in (POLAR, BEARING):
        dx, dy, dz = x - sites[k0, 0], y - sites[k0, 1], z - sites[k0, 2]
        ex, ey, ez = sites[k0, 3], sites[k0, 4], sites[k0, 5]
        nx, ny, nz = sites[k0, 6], sites[k0, 7], sites[k0, 8]
        sx, sy, sz = sites[k0, 9], sites[k0, 10], sites[k0, 11]
        east = dx * ex + dy * ey + dz * ez
        north = dx * nx + dy * ny + dz * nz
        up = dx * sx + dy * sy + dz * sz
        g2 = east * east + north * north
        r2 = g2 + up * up
        if g2 < 1.0:
            return -1
        g = math.sqrt(g2)
        rng = math.sqrt(r2)
        lx, ly, lz = dx / rng, dy / rng, dz / rng
        if kind == POLAR:
            # the air's pressure offset shifts the assumed height, and with it the ground range under a slant range
            steep = up / rng
            var = Z[j, Z_VAR_RANGE]
            if not (math.isfinite(Z[j, Z_H]) or math.isfinite(Z[j, Z_ELEVATION])):
                var += steep * steep * W[w, VAR_BARO]
            _set(tmp, c, lx, ly, lz, delta, Z[j, Z_RANGE] - rng, var, q)
            c += 1
        sine = (Z[j, Z_SIN] * north - Z[j, Z_COS] * east) / g
        cosine = (Z[j, Z_COS] * north + Z[j, Z_SIN] * east) / g
        if cosine <= 0.0:
            return -1
        nu = sine * (1.0 + sine * sine * (1.0 / 6.0 + sine * sine * 0.075))  # arcsine; 3e-6 rad at 0.25 rad
        a1, a2 = north / g2, east / g2
        _set(tmp, c, a1 * ex - a2 * nx, a1 * ey - a2 * ny, a1 * ez - a2 * nz, delta, nu, Z[j, Z_VAR_AZIMUTH], q)
        c += 1
        if math.isfinite(Z[j, Z_ELEVATION]):
            b1 = g / r2
            b2 = up / (r2 * g)
            _set(
                tmp,
                c,
                b1 * sx - b2 * (east * ex + north * nx),
                b1 * sy - b2 * (east * ey + north * ny),
                b1 * sz - b2 * (east * ez + north * nz),
                delta,
                Z[j, Z_ELEVATION] - math.atan2(up, g),
                Z[j, Z_VAR_ELEVATION],
                q,
            )
            c += 1
        if math.isfinite(Z[j, Z_RANGE_RATE]):
            rate = vx * lx + vy * ly + vz * lz
            k = X_H + 6 * c
            tmp[k] = (vx - rate * lx) / rng
            tmp[k + 1] = (vy - rate * ly) / rng
            tmp[k + 2] = (vz - rate * lz) / rng
            tmp[k + 3] = lx
            tmp[k + 4] = ly
            tmp[k + 5] = lz
            tmp[X_NU + c] = Z[j, Z_RANGE_RATE] - rate
            tmp[X_R + c] = Z[j, Z_VAR_RANGE_RATE] + q * abs(delta)
            c += 1
    else:
        ux, uy, uz = up_of(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
        ex, ey, ez, nx, ny, nz, _, _, _ = basis_of_up(ux, uy, uz)
        dx, dy, dz = Z[j, Z_P] - x, Z[j, Z_P + 1] - y, Z[j, Z_P + 2] - z
        var = Z[j, Z_VAR_P]
        if Z[j, Z_LEARN] == 1.0 and W[w, VAR_POS] > 0.0:
            # errors that one sensor's reports have in common don't show in their scatter; between two sensors they do
            var = W[w, VAR_POS] + (var if W[w, SHARED] > 0.0 else 0.0)
        _set(tmp, c, ex, ey, ez, delta, dx * ex + dy * ey + dz * ez, var, q)
        c += 1
        _set(tmp, c, nx, ny, nz, delta, dx * nx + dy * ny + dz * nz, var, q)
        c += 1
        if math.isfinite(Z[j, Z_V_EAST]) and math.isfinite(Z[j, Z_V_NORTH]):
            for axis in range(2):
                ax, ay, az = (ex, ey, ez) if axis == 0 else (nx, ny, nz)
                k = X_H + 6 * c
                tmp[k] = 0.0
                tmp[k + 1] = 0.0
                tmp[k + 2] = 0.0
                tmp[k + 3] = ax
                tmp[k + 4] = ay
                tmp[k + 5] = az
                seen = Z[j, Z_V_EAST] if axis == 0 else Z[j, Z_V_NORTH]
                tmp[X_NU + c] = seen - (vx * ax + vy * ay + vz * az)
                tmp[X_R + c] = Z[j, Z_VAR_V] + q * abs(delta)
                c += 1
    return c


@inline
def fold(W: F64, w: int, o: int, tmp: F64, c: int) -> tuple[float, float]:
    """Fold component c into the state at W[w, o:]; return (nu²/S, S) of the innovation.

    The stored innovations of later components are corrected for the shift, so that all stay linearised at one point.
    P - (P h)(P h)'/S stays symmetric by storage and positive because S > R > 0.
    """
    p = o + STATE
    h = X_H + 6 * c
    s = tmp[X_R + c]
    for a in range(STATE):
        r = 0.0
        for b in range(STATE):
            r += W[w, p + at(a, b)] * tmp[h + b]
        tmp[X_PH + a] = r
        s += r * tmp[h + a]
    nu = tmp[X_NU + c]
    g = 1.0 / s
    k = 0
    for a in range(STATE):
        ga = g * tmp[X_PH + a]
        W[w, o + a] += ga * nu
        for b in range(a + 1):
            W[w, p + k] -= ga * tmp[X_PH + b]
            k += 1
    return nu * nu * g, s


@inline
def shift_innovations(tmp: F64, c: int, count: int, nu_over_s: float) -> None:
    """Correct the innovations of components c + 1 .. count for the state's shift by folding component c.

    The shift is P h nu / S, with P h still in tmp[X_PH:].
    """
    for d in range(c + 1, count):
        h = X_H + 6 * d
        s = 0.0
        for a in range(STATE):
            s += tmp[h + a] * tmp[X_PH + a]
        tmp[X_NU + d] -= s * nu_over_s
