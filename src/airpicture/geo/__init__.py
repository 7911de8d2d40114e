"""Where things are: WGS-84, frames, kinds of height."""

from airpicture.geo.polar import (
    geodetic_to_polar,
    horizon_range,
    polar_to_geodetic,
    slant_to_geodetic,
)
from airpicture.geo.wgs84 import (
    distance,
    ecef_to_enu,
    ecef_to_geodetic,
    enu_to_ecef,
    enu_to_geodetic,
    geodetic_to_ecef,
    rotation_enu_ecef,
    wrap_lon,
)

__all__ = [
    "distance",
    "ecef_to_enu",
    "ecef_to_geodetic",
    "enu_to_ecef",
    "enu_to_geodetic",
    "geodetic_to_ecef",
    "geodetic_to_polar",
    "horizon_range",
    "polar_to_geodetic",
    "rotation_enu_ecef",
    "slant_to_geodetic",
    "wrap_lon",
]
