r"""Where things are: positions on WGS-84, what a radar sees of them, and the kinds of height.

::

    ECEF, turning with the Earth      ENU, seen from above         ENU, seen from the side, along the azimuth

         z (north pole)                  n (true north)              u (normal of the ellipsoid)
         |       u  n                    |                           |             . x target
         |        \ \/                    |     x target              |         .
      .--+--.      O-- e                 |    /                      |     r .
    .'   |    '. .' at lat0,             |az /                       |     .
    |    |    .'|   lon0, h0             |--/                        |   .  \ el
    |    +------+--- y (90° east)        | /                         | .     |
    |   /       |                        |/                          O-------+--------- horizontal plane
    '. /      .'                         O-------- e (east)           ' - .
      /'-----'                                                              ' - . the Earth falls away:
     x (Greenwich)                    az from north through east,                 28 km at 600 km
                                      in [0, 2 pi)

    e = r cos(el) sin(az)             p_ecef = p0_ecef + R_enu_ecef.T @ p_enu
    n = r cos(el) cos(az)             v_enu  = R_enu_ecef @ v_ecef
    u = r sin(el)

Angles are radians, lengths metres, ``h`` is height above the ellipsoid. Order: ``lat, lon, h`` and ``range, azimuth,
elevation``. Functions take floats or arrays, broadcast them, and return arrays (numbers, if all are numbers); NaN in
gives NaN out, for that point alone. Inside kernels, the scalar functions of `airpicture.kernels.wgs84` do the same
without allocation.

`multilaterate` places transmissions by their times of arrival, `clock_offsets` compares receivers' clocks for it.

Left out: models of the geoid and the terrain, refraction beyond the 4/3 Earth of `horizon_range`, other ellipsoids,
map projections.
"""

from airpicture.geo.height import (
    geometric_to_geopotential,
    geopotential_to_geometric,
    isa_pressure,
    pressure_altitude,
    pressure_to_ellipsoid,
    qnh_altitude,
    qnh_to_pressure_altitude,
)
from airpicture.geo.multilateration import Located, clock_offsets, multilaterate
from airpicture.geo.polar import (
    Spread,
    geodetic_to_polar,
    horizon_height,
    horizon_range,
    polar_to_geodetic,
    slant_to_geodetic,
    slant_unknown_height,
)
from airpicture.geo.wgs84 import (
    distance,
    ecef_to_enu,
    ecef_to_geodetic,
    enu_to_ecef,
    enu_to_geodetic,
    geodetic_to_ecef,
    rotation_enu_ecef,
)

__all__ = [
    "Located",
    "Spread",
    "clock_offsets",
    "distance",
    "ecef_to_enu",
    "ecef_to_geodetic",
    "enu_to_ecef",
    "enu_to_geodetic",
    "geodetic_to_ecef",
    "geodetic_to_polar",
    "geometric_to_geopotential",
    "geopotential_to_geometric",
    "horizon_height",
    "horizon_range",
    "isa_pressure",
    "multilaterate",
    "polar_to_geodetic",
    "pressure_altitude",
    "pressure_to_ellipsoid",
    "qnh_altitude",
    "qnh_to_pressure_altitude",
    "rotation_enu_ecef",
    "slant_to_geodetic",
    "slant_unknown_height",
]
