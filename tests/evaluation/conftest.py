"""Small truths and tracks on a local plane: metres east and north of a place, seconds after a start."""

from dataclasses import replace

import numpy as np
import pytest

from airpicture.geo import enu_to_geodetic
from airpicture.tables import Sensors, Tracks, Truth

START = 1_750_000_000_000_000_000
LAT, LON = 0.84, 0.17
NO_SENSORS = Sensors(ids=(), **{name: np.empty(0, np.float64) for name in Sensors.column_names() if name != "ids"})


def place(east, north, height):
    """Geodetic positions with exact distances: points of the plane of a place, heights on its vertical."""
    lat, lon, h = enu_to_geodetic(np.asarray(east, float), np.asarray(north, float), height, LAT, LON, 0.0)
    return np.atleast_1d(lat), np.atleast_1d(lon), np.atleast_1d(h)


def columns_of(rows):
    """Turn rows (seconds, id, east, north[, up]) into columns."""
    table = np.array([[*row, 1000.0][:5] for row in rows], np.float64).reshape(-1, 5)
    lat, lon, h = place(table[:, 2], table[:, 3], table[:, 4])
    return np.round(table[:, 0] * 1e9).astype(np.int64) + START, table[:, 1].astype(np.int64), lat, lon, h


@pytest.fixture
def truth_of():
    """Build a Truth from rows (seconds, target, east, north[, up]); no velocities unless given as (v_e, v_n)."""

    def build(rows, *, velocity=None, classes=(), kinds=None, **columns):
        t_ns, target, lat, lon, h = columns_of(rows)
        size = len(t_ns)
        names = tuple(f"T{k}" for k in range(int(target.max(initial=-1)) + 1))
        kind = np.full(size, -1) if kinds is None else np.asarray(kinds)[target]
        v = np.full((size, 3), np.nan) if velocity is None else np.tile([*velocity, 0.0], (size, 1)).astype(float)
        truth = Truth(
            t_ns, target.astype(np.int32), kind.astype(np.int32), lat, lon, h, v[:, 0], v[:, 1], v[:, 2], names, classes
        )
        return replace(truth, **columns)

    return build


@pytest.fixture
def tracks_of():
    """Build Tracks from rows (seconds, track, east, north[, up]), confirmed unless `status` says otherwise."""

    def build(rows, *, velocity=None, status=1, **columns):
        t_ns, track, lat, lon, h = columns_of(rows)
        size = len(t_ns)
        if velocity is not None:
            v = np.tile([*velocity, 0.0], (size, 1)).astype(float)
            columns = {"v_east": v[:, 0], "v_north": v[:, 1], "v_up": v[:, 2], **columns}
        given = {"t_ns": t_ns, "track": track, "lat": lat, "lon": lon, "h_ell": h, **columns}
        return Tracks.blank(size, NO_SENSORS, status=np.broadcast_to(status, size), **given)

    return build
