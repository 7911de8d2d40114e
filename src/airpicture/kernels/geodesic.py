"""Length of the shortest way on the WGS-84 ellipsoid between two points.

Vincenty's iteration serves all pairs but the nearly antipodal ones, where it fails to converge: the shortest way then
swings far from the great circle, and any azimuth may turn out to be the right one. There the azimuth at the first point
is bracketed and refined, as Karney showed to succeed always, with the integrals taken by Gauss-Legendre quadrature
instead of series: slower, short, and right for every pair.

Sources: Vincenty, Direct and inverse solutions of geodesics on the ellipsoid with application of nested equations,
Survey Review 23 (176), 1975, equations 3, 4, 6, 10, 11 and 13 to 19; Karney, Algorithms for geodesics, Journal of
Geodesy 87, 2013, equations 5 to 12, 38, 39, 44 to 46 and section 4.
"""

import math
from typing import Final

import numpy as np

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64
from airpicture.kernels.wgs84 import EC, EP2, TAU, A, B, F

STEPS: Final = 12  # Vincenty's iteration gains over two digits a step where it is used
ANTIPODAL: Final = -0.98  # cosine of the arc (169 degrees) from which on Vincenty's iteration isn't trusted
TOLERANCE: Final = 1e-14  # rad of longitude: 60 nm
TOLERANCE_ANTIPODAL: Final = 1e-13  # 0.6 micrometres: the quadrature sums round off more
TOLERANCE_LEAST: Final = 1e-12  # what rounding may leave of it; a length that's worse isn't shown
STEPS_ANTIPODAL: Final = 200  # halvings that bring any bracket to rest; Newton's method takes about six

# Nodes and weights on [0, pi] of the integrals over the arc. The integrands are nearly constant (k² < 0.0068) with
# period pi; 16 nodes leave nothing above rounding.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


@inline
def _shorten(lon: float) -> float:
    """Return a difference of longitudes wrapped to [-pi, pi]."""
    return lon - TAU * float(np.rint(lon / TAU))


@inline
def _try_azimuth(
    delta: float, sin_b1: float, cos_b1: float, sin_b2: float, cos_b2: float
) -> tuple[float, float, float]:
    """Follow the geodesic that leaves point 1 at azimuth pi/2 + delta up to the latitude of point 2.

    Returns
    -------
    lon12 : difference of longitude gained [rad]
    slope : its derivative by delta
    s12 : length [m]

    Karney's equations 10 to 12 and 45 for the spherical triangle, 8 and 7 for longitude and length, 38, 39 and 46 for
    the slope.
    """
    sin_a1, cos_a1 = math.cos(delta), -math.sin(delta)
    sin_a0 = sin_a1 * cos_b1
    cos_a0 = math.sqrt(cos_a1 * cos_a1 + (sin_a1 * sin_b1) * (sin_a1 * sin_b1))
    x1 = cos_a1 * cos_b1
    x2 = math.sqrt(x1 * x1 + (cos_b2 - cos_b1) * (cos_b2 + cos_b1))  # cos(a2) cos(b2), going north at point 2
    sigma1, sigma2 = math.atan2(sin_b1, x1), math.atan2(sin_b2, x2)
    omega12 = math.atan2(sin_a0 * sin_b2, x2) - math.atan2(sin_a0 * sin_b1, x1)
    k2 = EP2 * cos_a0 * cos_a0
    middle, half = 0.5 * (sigma2 + sigma1), 0.5 * (sigma2 - sigma1)
    i1, i3, j = 0.0, 0.0, 0.0
    for m in range(_NODES.size):
        t = math.sin(middle + half * _NODES[m])
        t = k2 * t * t
        root = math.sqrt(1.0 + t)
        i1 += _WEIGHTS[m] * root
        i3 += _WEIGHTS[m] * (2.0 - F) / (1.0 + (1.0 - F) * root)
        j += _WEIGHTS[m] * t / root
    s1, c1, s2, c2 = math.sin(sigma1), math.cos(sigma1), math.sin(sigma2), math.cos(sigma2)
    m12 = math.sqrt(1.0 + k2 * s2 * s2) * c1 * s2 - math.sqrt(1.0 + k2 * s1 * s1) * s1 * c2 - c1 * c2 * half * j
    return omega12 - F * sin_a0 * half * i3, EC * m12 / x2 if x2 > 0.0 else math.nan, B * half * i1


@inline
def _antipodal(sin_b1: float, cos_b1: float, sin_b2: float, cos_b2: float, lon12: float) -> float:
    """Return the length [m] for any pair by bracketing the azimuth; reduced latitudes b, lon12 in [0, pi]."""
    if abs(sin_b1) < abs(sin_b2):  # bring point 1 farthest from the equator, and south of it: one root is left then
        sin_b1, cos_b1, sin_b2, cos_b2 = sin_b2, cos_b2, sin_b1, cos_b1
    if sin_b1 > 0.0:
        sin_b1, sin_b2 = -sin_b1, -sin_b2
    if sin_b1 > -1e-18:  # on the equator, to 6 picometres
        if lon12 <= (1.0 - F) * math.pi:
            return A * lon12  # it is the shortest way itself up to here
        sin_b1, sin_b2 = -1e-200, 0.0  # beyond, azimuths past pi/2 are to begin at an arc of -pi
    low, high = -0.5 * math.pi, 0.5 * math.pi
    delta = 0.25 * math.pi
    before = math.inf
    for _ in range(STEPS_ANTIPODAL):
        lon, slope, s12 = _try_azimuth(delta, sin_b1, cos_b1, sin_b2, cos_b2)
        error = lon12 - lon
        if abs(error) < TOLERANCE_ANTIPODAL:
            return s12
        if error > 0.0:
            low = delta
        else:
            high = delta
        # Newton's method alone can swing from side to side of the bend in lon(delta) for ever: it goes on only while
        # each step leaves less than half of the error.
        newton = delta + error / slope if slope > 0.0 and abs(error) < 0.5 * before else math.nan
        delta = newton if low < newton < high else 0.5 * (low + high)
        before = abs(error)
    return s12 if before < TOLERANCE_LEAST else math.nan


@inline
def distance_of(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Return the length of the geodesic [m] between two points [rad]."""
    lon12 = abs(_shorten(lon2 - lon1))
    if not (abs(lat1) <= TAU and abs(lat2) <= TAU and lon12 <= TAU):
        return math.nan
    u1, u2 = math.atan2(EC * math.sin(lat1), math.cos(lat1)), math.atan2(EC * math.sin(lat2), math.cos(lat2))
    sin_u1, cos_u1, sin_u2, cos_u2 = math.sin(u1), math.cos(u1), math.sin(u2), math.cos(u2)
    lam = lon12
    for _ in range(STEPS):
        sin_l, cos_l = math.sin(lam), math.cos(lam)
        x, y = cos_u2 * sin_l, cos_u1 * sin_u2 - sin_u1 * cos_u2 * cos_l
        sin_s = math.sqrt(x * x + y * y)
        cos_s = sin_u1 * sin_u2 + cos_u1 * cos_u2 * cos_l
        if cos_s < ANTIPODAL:
            break
        if sin_s == 0.0:
            return 0.0
        sigma = math.atan2(sin_s, cos_s)
        sin_a = cos_u1 * cos_u2 * sin_l / sin_s
        cos2_a = 1.0 - sin_a * sin_a
        cos_2m = cos_s - 2.0 * sin_u1 * sin_u2 / cos2_a if cos2_a > 1e-15 else 0.0  # 0 along the equator
        c = F / 16.0 * cos2_a * (4.0 + F * (4.0 - 3.0 * cos2_a))
        before = lam
        lam = lon12 + (1.0 - c) * F * sin_a * (sigma + c * sin_s * (cos_2m + c * cos_s * (2.0 * cos_2m * cos_2m - 1.0)))
        if abs(lam - before) < TOLERANCE:
            k2 = cos2_a * EP2
            a1 = 1.0 + k2 / 16384.0 * (4096.0 + k2 * (-768.0 + k2 * (320.0 - 175.0 * k2)))
            b1 = k2 / 1024.0 * (256.0 + k2 * (-128.0 + k2 * (74.0 - 47.0 * k2)))
            q = 2.0 * cos_2m * cos_2m - 1.0
            last = b1 / 6.0 * cos_2m * (4.0 * sin_s * sin_s - 3.0) * (4.0 * cos_2m * cos_2m - 3.0)
            return B * a1 * (sigma - b1 * sin_s * (cos_2m + b1 / 4.0 * (cos_s * q - last)))
    return _antipodal(sin_u1, cos_u1, sin_u2, cos_u2, lon12)


@jit
def distance(lat1: F64, lon1: F64, lat2: F64, lon2: F64, s12: F64) -> None:
    """Measure the geodesic between each pair of points: (M,) rad -> s12 (M,) m, overwritten."""
    for i in range(lat1.size):
        s12[i] = distance_of(lat1[i], lon1[i], lat2[i], lon2[i])
