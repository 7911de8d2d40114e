"""Where the cells of all searches lie: on the ellipsoid, so that an unknown height doesn't matter.

Cubes in ECEF know no poles and no antimeridian.
"""

import math

from airpicture.kernels._jit import inline


@inline
def ground(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Scale a point down to the ellipsoid along its radius; return (x, y, z)."""
    s = 1.0 / math.sqrt((x * x + y * y) * (1.0 / 40680631590769.0) + z * z * (1.0 / 40408299984661.445))
    return x * s, y * s, z * s
