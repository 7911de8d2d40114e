"""Conversion factors between the units of messages and files and the SI units used inside; two constants of nature.

Conversions happen in ``formats`` and in display only; everything between works in metres, seconds and radians.
"""

import math
from typing import Final

FT: Final = 0.3048  # m, international foot (1959 agreement)
NMI: Final = 1852.0  # m, international nautical mile
KT: Final = NMI / 3600.0  # m/s
FL: Final = 100.0 * FT  # m, one flight level
FPM: Final = FT / 60.0  # m/s
DEG: Final = math.pi / 180.0  # rad
TAU: Final = 2.0 * math.pi
SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS
G0: Final = 9.80665  # m/s², standard gravity (CGPM 1901)
EARTH_M: Final = 6_371_008.8  # m, mean radius of GRS 80 (IUGG): for displays, where a sphere will do
