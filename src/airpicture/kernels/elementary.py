"""Exponentials, sines and cosines as plain arithmetic, so that a loop with them becomes vector instructions.

The C library's are called one by one, and no loop that calls anything becomes vectors (see `lanes`): four or eight
values take as many calls, before and after each of which all vector registers are put away. Here the argument is
reduced by rounding to whole multiples (adding 1.5 2^52 to a number leaves them in its last bits) and the rest is a
Taylor series, as long as float64 can tell. Source: Muller et al., "Handbook of Floating-Point Arithmetic", 2018,
ch. 11.
"""

from typing import Final

import numpy as np

from airpicture.kernels._jit import lane

WHOLE: Final = 6755399441055744.0  # 1.5 * 2^52
LOG2_E: Final = 1.4426950408889634
LN2: Final = 0.693147180369123816  # its first 33 bits, so that up to a thousand times it is exact ...
LN2_REST: Final = 1.90821492927058770e-10  # ... and the rest
TWO_OVER_PI: Final = 0.6366197723675814
HALF_PI: Final = 1.57079632673412561  # its first 33 bits ...
HALF_PI_REST: Final = 6.07710050650619224e-11  # ... and the rest
ONE_BITS: Final = 0x3FF0000000000000  # of 1.0
EXPONENT_AT: Final = 52  # bits, in a float64


@lane
def exponential(x: float) -> float:
    """Return e^x to 3 units in the last place for x from -700 to 700; beyond, 0 and e^700."""
    y = min(max(x, -700.0), 700.0)
    told = y * LOG2_E + WHOLE
    k = told - WHOLE
    r = (y - k * LN2) - k * LN2_REST
    r2 = r * r
    r4 = r2 * r2
    low = (1.0 + r) + r2 * (1 / 2 + r * (1 / 6))
    middle = (1 / 24 + r * (1 / 120)) + r2 * (1 / 720 + r * (1 / 5040))
    high = (1 / 40320 + r * (1 / 362880)) + r2 * (1 / 3628800 + r * (1 / 39916800)) + r4 * (1 / 479001600)
    power = np.int64((np.float64(told).view(np.int64) << np.int64(EXPONENT_AT)) + np.int64(ONE_BITS)).view(np.float64)
    return float(power * (low + r4 * (middle + r4 * high))) if x >= -700.0 else 0.0


@lane
def sine_cosine(x: float) -> tuple[float, float]:
    """Return sine and cosine of an angle [rad] up to 1e5 either way, to 2e-16 + 1e-16 |x|."""
    told = x * TWO_OVER_PI + WHOLE
    k = told - WHOLE
    r = (x - k * HALF_PI) - k * HALF_PI_REST
    q = r * r
    q2 = q * q
    q4 = q2 * q2
    sine = (1.0 - q * (1 / 6)) + q2 * (1 / 120 - q * (1 / 5040))
    sine += q4 * ((1 / 362880 - q * (1 / 39916800)) + q2 * (1 / 6227020800 - q * (1 / 1307674368000)))
    sine *= r
    cosine = (1.0 - q * (1 / 2)) + q2 * (1 / 24 - q * (1 / 720))
    cosine += q4 * ((1 / 40320 - q * (1 / 3628800)) + q2 * (1 / 479001600 - q * (1 / 87178291200)))
    cosine += q4 * q4 * (1 / 20922789888000)
    quarter = np.float64(told).view(np.int64)
    odd = (quarter & np.int64(1)) != 0
    s, c = (cosine, sine) if odd else (sine, cosine)
    s = -s if (quarter & np.int64(2)) != 0 else s
    c = -c if ((quarter + np.int64(1)) & np.int64(2)) != 0 else c
    return s, c
