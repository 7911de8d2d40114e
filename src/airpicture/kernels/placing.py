"""Where plots of range and azimuth lie at a height: many side by side, so that the arithmetic becomes vectors.

Each waits for some ten roots and quotients that stand one behind another (see `slant`): measured, 70 of the 105 ns that
registering a plot took. As numbers of one kind side by side (see `lanes`) eight take as long as one::

    number k of plot b stands at W[64 k + b]

All 64 are always worked out, whatever stands there, so that a plot's bits don't depend on its neighbours. For the most
part plots come sensor by sensor: what is known of a site is written only where it's another one than before.
"""

import math
from typing import Final

import numpy as np

from airpicture.kernels._jit import lane, part
from airpicture.kernels.arrays import F64
from airpicture.kernels.elementary import sine_cosine
from airpicture.kernels.lanes import U
from airpicture.kernels.slant import ground_of, radii_of, radius_along
from airpicture.kernels.vertical import holds, near_ground

ABREAST: Final = 64  # plots
NEAR_ENOUGH: Final = 20.0  # m of height, of which one correction leaves 0.2 mm at 600 km (see `slant`)
FLAT_LEAST: Final = 1.0  # m², of the horizontal part of a range, squared

# Given: range [m], azimuth [rad], height of the target and of the site [m], the 12 numbers of the site
P_RANGE = U(0)
P_AZIMUTH = U(1 * ABREAST)
P_HEIGHT = U(2 * ABREAST)
P_FROM = U(3 * ABREAST)
P_SITE = U(4 * ABREAST)
# Found: sine and cosine of the azimuth, how far above the site's horizontal it is [m], ECEF [m], 1 where that holds
P_SIN = U(16 * ABREAST)
P_COS = U(17 * ABREAST)
P_UP = U(18 * ABREAST)
P_X = U(19 * ABREAST)
P_Y = U(20 * ABREAST)
P_Z = U(21 * ABREAST)
P_HOLDS = U(22 * ABREAST)
# Of the site, too: which sensor's it is, and the radii of curvature there, along the meridian and across it [m]
P_SENSOR = U(23 * ABREAST)
P_MERIDIAN = U(24 * ABREAST)
P_ACROSS = U(25 * ABREAST)
# Between the two halves of the work: radius of curvature along the azimuth [m], one over that at the site's height,
# and the horizontal part of the range [m]
P_RADIUS = U(26 * ABREAST)
P_OVER = U(27 * ABREAST)
P_FLAT = U(28 * ABREAST)
PLACED: Final = 29 * ABREAST  # numbers of a workspace

SIN_LAT: Final = 11  # number of a site: its vertical along the Earth's axis


def workspace(before: float = 1.0) -> F64:
    """Return the workspace of `place_abreast`; where no plot was given it holds a number that can be worked with."""
    W = np.full(PLACED, before)
    W[int(P_SENSOR) : int(P_SENSOR) + ABREAST] = -1.0
    return W


@lane
def _ecef(W: F64, b: U, e: float, n: float, u: float) -> tuple[float, float, float]:
    """Return the ECEF position [m] of ENU coordinates at plot b's site."""
    of = P_SITE + b
    x = W[of] + (W[of + U(192)] * e + W[of + U(384)] * n + W[of + U(576)] * u)
    y = W[of + U(64)] + (W[of + U(256)] * e + W[of + U(448)] * n + W[of + U(640)] * u)
    z = W[of + U(128)] + (W[of + U(320)] * e + W[of + U(512)] * n + W[of + U(704)] * u)
    return x, y, z


@lane
def _start(W: F64, b: U) -> None:
    """Note where plot b lies on a sphere as curved as the ground there: `slant.up_at_height`, its start."""
    r, h, h0 = W[P_RANGE + b], W[P_HEIGHT + b], W[P_FROM + b]
    sine, cosine = sine_cosine(W[P_AZIMUTH + b])
    radius = radius_along(W[P_MERIDIAN + b], W[P_ACROSS + b], cosine)
    over = 1.0 / (radius + h0)
    u = ((h - h0) * (2.0 * radius + h + h0) - r * r) * 0.5 * over
    W[P_SIN + b], W[P_COS + b], W[P_RADIUS + b], W[P_OVER + b] = sine, cosine, radius, over
    W[P_UP + b], W[P_FLAT + b] = u, ground_of(r, u)  # NaN where u is more than the range


@lane
def _correct(W: F64, b: U) -> None:
    """Place plot b by one correction of its start, where that's near enough."""
    r, h = W[P_RANGE + b], W[P_HEIGHT + b]
    sine, cosine, radius, u, flat = W[P_SIN + b], W[P_COS + b], W[P_RADIUS + b], W[P_UP + b], W[P_FLAT + b]
    x, y, z = _ecef(W, b, flat * sine, flat * cosine, u)
    error = h - near_ground(x, y, z)[0]
    near = abs(error) < NEAR_ENOUGH and abs(u) < r and holds(x, y, z)
    u = min(max(u + error * (radius + h) * W[P_OVER + b], -r), r)
    flat = math.sqrt(max(r * r - u * u, FLAT_LEAST))
    W[P_UP + b] = u
    W[P_X + b], W[P_Y + b], W[P_Z + b] = _ecef(W, b, flat * sine, flat * cosine, u)
    W[P_HOLDS + b] = 1.0 if near else 0.0


@part
def give(W: F64, b: U, rng: float, azimuth: float, h: float, h0: float, sites: F64, s: int) -> None:
    """Note what's given of plot b; of the same sites all the time."""
    W[P_RANGE + b], W[P_AZIMUTH + b], W[P_HEIGHT + b], W[P_FROM + b] = rng, azimuth, h, h0
    if W[P_SENSOR + b] != s:
        W[P_SENSOR + b] = s
        for k in range(12):
            W[P_SITE + U(ABREAST * k) + b] = sites[s, k]
        W[P_MERIDIAN + b], W[P_ACROSS + b] = radii_of(sites[s, SIN_LAT])


@part
def place_abreast(W: F64, lanes: U) -> None:
    """Place all plots of a workspace; lanes : ABREAST, as a number that the compiler doesn't know.

    In two halves: each waits for its roots and quotients half as long, so that a core works on twice as many plots.
    """
    for b in range(lanes):
        _start(W, b)
    for b in range(lanes):
        _correct(W, b)
