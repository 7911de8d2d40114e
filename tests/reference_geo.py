"""Plain twins of the geodesy kernels: one point at a time, by definition or bisection, slow and obviously right."""

import math

import numpy as np

A = 6378137.0
F = 1.0 / 298.257223563
B = A * (1.0 - F)
E2 = F * (2.0 - F)


def geodetic_to_ecef(lat, lon, h):
    """Go along the ellipsoid's normal: foot on the ellipsoid plus h times the normal."""
    normal = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
    squares = np.array([A * A, A * A, B * B])
    foot = (
        squares * normal / math.sqrt(squares @ (normal * normal))
    )  # where the gradient x/a², y/a², z/b² is the normal
    return foot + h * normal


def ecef_to_geodetic(p):
    """Bisect the latitude whose normal, drawn through the point, meets the axis where it should."""
    w, z = math.hypot(p[0], p[1]), abs(p[2])

    def residual(lat):
        n = A / math.sqrt(1.0 - E2 * math.sin(lat) ** 2)
        return w * math.sin(lat) - (z + n * E2 * math.sin(lat)) * math.cos(lat)

    low, high = 0.0, math.pi / 2
    for _ in range(80):
        middle = 0.5 * (low + high)
        if residual(middle) < 0.0:
            low = middle
        else:
            high = middle
    lat = 0.5 * (low + high)
    h = w * math.cos(lat) + z * math.sin(lat) - A * math.sqrt(1.0 - E2 * math.sin(lat) ** 2)
    return math.copysign(lat, p[2]), math.atan2(p[1], p[0]), h


def basis(lat, lon):
    """Differentiate the normal: up, and its derivatives north and east."""
    up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
    north = np.array([-math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat)])
    return np.array([np.cross(north, up), north, up])


def polar_to_ecef(slant_range, azimuth, elevation, site):
    """Add the line of sight, drawn along the site's basis, to the site; site is (lat, lon, h)."""
    east, north, up = basis(site[0], site[1])
    level = math.sin(azimuth) * east + math.cos(azimuth) * north
    line = math.cos(elevation) * level + math.sin(elevation) * up
    return geodetic_to_ecef(*site) + slant_range * line


def slant_to_ecef(slant_range, azimuth, h, site):
    """Bisect the elevation at which the line of sight ends at height h; None where it never does."""
    low, high = -math.pi / 2, math.pi / 2

    def height(elevation):
        return ecef_to_geodetic(polar_to_ecef(slant_range, azimuth, elevation, site))[2]

    if not height(low) <= h <= height(high):
        return None
    for _ in range(60):
        middle = 0.5 * (low + high)
        if height(middle) < h:
            low = middle
        else:
            high = middle
    return polar_to_ecef(slant_range, azimuth, 0.5 * (low + high), site)
