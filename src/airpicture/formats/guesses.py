"""A sensor table for plots whose sensors nobody has described, and the sentences that say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from airpicture.errors import InputError
from airpicture.formats.sensors import discovered
from airpicture.tables import I32, SensorKind, Sensors


def guess_sensors(ids: Sequence[str], sensor: I32, columns: dict[str, Any], path: str) -> tuple[Sensors, I32]:
    """Make a sensor of each id, its kind guessed by what its plots measure; return them and each id's row in them.

    Parameters
    ----------
    ids : as they stand in the file
    sensor : (rows,) which of the ids each plot has, -1 for none
    columns : (rows,) each; ``range_m``, ``lat_deg`` and ``azimuth_deg`` are looked at, NaN where they aren't measured
    path : for messages

    Raises
    ------
    InputError : an id with a space in it
    """
    known = sensor >= 0
    counts = {}
    for name in ("range_m", "lat_deg", "azimuth_deg"):
        counts[name] = np.bincount(sensor[known & ~np.isnan(columns[name])], minlength=len(ids))
    rows = []
    for k, sensor_id in enumerate(ids):
        if any(c.isspace() for c in sensor_id):
            raise InputError(
                f"sensor id {sensor_id!r} holds a space",
                expected="ids without spaces (tracks join them by spaces)",
                path=path,
                column="sensor",
            )
        bearings = counts["azimuth_deg"][k] and not counts["lat_deg"][k]
        kind = "radar" if counts["range_m"][k] else "passive" if bearings else "adsb"
        rows.append({"id": sensor_id, "kind": kind})
    return discovered(rows), np.arange(len(ids), dtype=np.int32)


def guess_notes(sensors: Sensors) -> list[str]:
    """Return what a user is to be told of guessed sensors."""
    placeless = [
        name
        for name, kind in zip(sensors.ids, sensors.kind, strict=True)
        if kind in (SensorKind.RADAR, SensorKind.PASSIVE)
    ]
    notes = []
    if len(placeless) < len(sensors.ids):
        others = [name for name in sensors.ids if name not in placeless]
        notes.append(f"no sensor table: {some(others)} taken as ADS-B, with the usual accuracy where plots have none")
    if placeless:
        notes.append(
            f"no sensor table: where {some(placeless)} stands isn't known, so range and azimuth can't be placed on "
            "the Earth; describe the sensors in a sensors.toml and pass it"
        )
    return notes


def some(names: Sequence[str]) -> str:
    """Name things to a person, the first eight."""
    shown = ", ".join(repr(name) for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
