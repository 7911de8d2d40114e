"""How far each sensor has been seen to see: the outline of its coverage, learnt from confirmed tracks that it held.

Not from its plots: false ones lie everywhere. The outline only grows, and begins anew with the service.
"""

from __future__ import annotations

import numpy as np

from airpicture.tables import F64, I64, Sensors, Status, Tracks
from airpicture.units import DEG, EARTH_M, TAU

SECTORS = 72  # of 5 degrees


class Coverage:
    """Distances by sensor and sector."""

    def __init__(self, sensors: Sensors) -> None:
        self._sensors = sensors
        self._reach: F64 = np.zeros((len(sensors), SECTORS))
        self.version = 0  # rises when an outline has grown

    def __len__(self) -> int:
        return len(self._sensors)

    def add(self, tracks: Tracks, rows: I64) -> None:
        """Learn from rows of tracks that a plot has just renewed."""
        sensor = np.where(tracks.plot_sensor[rows] >= 0, tracks.plot_sensor[rows], tracks.seen[rows, 0])
        good = (tracks.status[rows] == Status.CONFIRMED) & (sensor >= 0) & (sensor < len(self._sensors))
        good &= np.isfinite(self._sensors.lat[np.where(good, sensor, 0)]) if len(self._sensors) else good
        rows, sensor = rows[good], sensor[good]
        if not len(rows):
            return
        distance, azimuth = seen_from(
            self._sensors.lat[sensor], self._sensors.lon[sensor], tracks.lat[rows], tracks.lon[rows]
        )
        limit = self._sensors.range_max[sensor]
        near = np.isfinite(distance) & ~(distance > limit)
        cell = sensor * SECTORS + np.minimum((azimuth / TAU * SECTORS).astype(np.int64), SECTORS - 1)
        before = self._reach.sum()
        np.maximum.at(self._reach.reshape(-1), cell[near], distance[near])
        self.version += int(self._reach.sum() > before)

    def rings(self) -> list[list[list[float]]]:
        """Return each outline as a closed ring of [lon, lat] in degrees; none of sensors that saw little around.

        A sector is as far as something was seen in it, from edge to edge: lines from one sector's middle to the next
        one's would be spikes where few have flown yet.
        """
        rings = []
        for k in range(len(self._sensors)):
            reach = self._reach[k]
            if (reach > 0).sum() < SECTORS // 3:
                continue
            filled = reach  # a sector in which nobody flew far is as its neighbours are, two to each side
            for step in (1, 2):
                filled = np.maximum(filled, np.minimum(np.roll(filled, step), np.roll(filled, -step)))
            edges = (np.arange(SECTORS)[:, None] + [0, 1]).reshape(-1) / SECTORS * TAU
            lat, lon = beyond(float(self._sensors.lat[k]), float(self._sensors.lon[k]), np.repeat(filled, 2), edges)
            ring = [[round(float(x), 4), round(float(y), 4)] for x, y in zip(lon / DEG, lat / DEG, strict=True)]
            rings.append([*ring, ring[0]])
        return rings


def seen_from(lat0: F64, lon0: F64, lat: F64, lon: F64) -> tuple[F64, F64]:
    """Return distance over the ground [m] and azimuth in [0, 2 pi) on the sphere."""
    d = lon - lon0
    east = np.sin(d) * np.cos(lat)
    north = np.cos(lat0) * np.sin(lat) - np.sin(lat0) * np.cos(lat) * np.cos(d)
    along = np.sin(lat0) * np.sin(lat) + np.cos(lat0) * np.cos(lat) * np.cos(d)
    return EARTH_M * np.arctan2(np.hypot(east, north), along), np.arctan2(east, north) % TAU


def beyond(lat0: float, lon0: float, distance: F64, azimuth: F64) -> tuple[F64, F64]:
    """Return where one comes to over a distance [m] in a direction, on the sphere [rad]."""
    d = distance / EARTH_M
    lat = np.arcsin(np.sin(lat0) * np.cos(d) + np.cos(lat0) * np.sin(d) * np.cos(azimuth))
    east = np.sin(azimuth) * np.sin(d) * np.cos(lat0)
    return lat, lon0 + np.arctan2(east, np.cos(d) - np.sin(lat0) * np.sin(lat))
