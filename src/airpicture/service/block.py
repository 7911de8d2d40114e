"""An update as bytes, from the process that tracks to the one that shows: arrays as they are, the rest as JSON.

Both ends are of one version and one machine. Nothing is converted or copied on the way but once into the file.

    MAGIC | octets of the head (u64) | head: JSON, padded to 8 | columns, each padded to 8
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.alerts import Alert, AlertKind, Level
from airpicture.errors import InputError
from airpicture.service.hub import Mode, SensorHealth, SensorState, Update
from airpicture.tables import PLOT_DTYPES, SEEN_MAX, TRACK_DTYPES, Plots, Sensors, Technology, Tracks

Buffer: TypeAlias = bytes | memoryview
MAGIC: Final = b"AIRPICB1"
_HEAD: Final = struct.Struct("<8sQ")
_WIDTHS: Final = {"seen": SEEN_MAX, "t_ns_technology": len(Technology)}


class AlertTexts:
    """Alerts as JSON. Those that were asked for the last time are kept: most stand for many updates."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Alert, str]] = {}  # by id, which holds for as long as the alert is kept

    def of(self, alerts: Iterable[Alert]) -> str:
        """Return a list of alerts."""
        self._known = {id(one): self._known.get(id(one)) or (one, json.dumps(_alert_values(one))) for one in alerts}
        return f"[{','.join(text for _, text in self._known.values())}]"


def pack(update: Update, facts: dict[str, Any], texts: AlertTexts | None = None) -> list[Buffer]:
    """Return the pieces of a block, to be written one after the other.

    facts : whatever goes with it, as JSON; texts : of the blocks before
    """
    head = {
        "now_ns": update.now_ns,
        "arrived_ns": update.arrived_ns,
        "mode": int(update.mode),
        "tracks": len(update.tracks),
        "changed": len(update.changed),
        "plots": len(update.plots),
        "sensors": [[one.sensor, int(one.health), *_plain(one)] for one in update.sensors],
        "counts": {name: int(count) for name, count in update.counts.items()},
        "facts": facts,
    }
    text = f'{{"alerts":{(texts or AlertTexts()).of(update.alerts)},{json.dumps(head)[1:]}'.encode()
    text += b" " * (-len(text) % 8)
    pieces: list[Buffer] = [_HEAD.pack(MAGIC, len(text)), text]
    columns: list[NDArray[Any]] = [getattr(update.tracks, name) for name in Tracks.column_names()]
    columns += [update.changed, *(getattr(update.plots, name) for name in Plots.column_names())]
    for column in (*columns, update.plot_lat, update.plot_lon):
        octets = np.ascontiguousarray(column).reshape(-1).view(np.uint8).data
        pieces.append(octets)
        if len(octets) % 8:
            pieces.append(bytes(-len(octets) % 8))
    return pieces


def unpack(data: bytearray, sensors: Sensors) -> tuple[Update, dict[str, Any]]:
    """Return what was packed; the update's columns lie in `data`.

    Raises
    ------
    InputError : it's no such block, or cut off
    """
    try:
        magic, length = _HEAD.unpack_from(data)
        if magic != MAGIC:
            raise ValueError("another beginning")
        head = json.loads(data[_HEAD.size : _HEAD.size + length])
        columns = _columns(data, _HEAD.size + length, head)
        tracks = Tracks(**{name: next(columns) for name in Tracks.column_names()}, sensors=sensors)
        changed = next(columns)
        plots = Plots.blank(head["plots"], sensors, **{name: next(columns) for name in Plots.column_names()})
        update = Update(
            now_ns=head["now_ns"],
            arrived_ns=head["arrived_ns"],
            mode=Mode(head["mode"]),
            tracks=tracks,
            changed=changed,
            plots=plots,
            plot_lat=next(columns),
            plot_lon=next(columns),
            alerts=tuple(_alert(values) for values in head["alerts"]),
            sensors=tuple(SensorState(row, SensorHealth(health), *rest) for row, health, *rest in head["sensors"]),
            counts=head["counts"],
        )
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"a block of a picture that can't be read: {error}", expected="one written by `pack`"
        ) from None
    return update, head["facts"]


def _columns(data: bytearray, at: int, head: dict[str, Any]) -> Iterator[NDArray[Any]]:
    """Yield the columns in the order of `pack`."""
    whole = memoryview(data)
    shapes = [(TRACK_DTYPES[name], head["tracks"], _WIDTHS.get(name, 1)) for name in Tracks.column_names()]
    shapes += [(np.int64, head["changed"], 1)]
    shapes += [(PLOT_DTYPES[name], head["plots"], 1) for name in Plots.column_names()]
    shapes += [(np.float64, head["plots"], 1)] * 2
    for dtype, rows, width in shapes:
        size = rows * width * np.dtype(dtype).itemsize
        column = np.frombuffer(whole[at : at + size], dtype)
        yield column.reshape(rows, width) if width > 1 else column.reshape(rows)
        at += size + -size % 8


def _plain(state: SensorState) -> tuple[int, float, float]:
    return state.t_ns_plot, float(state.plots_per_s), float(state.delay_s)


def _alert_values(alert: Alert) -> list[Any]:
    return [getattr(alert, name) for name in Alert.__dataclass_fields__]


def _alert(values: list[Any]) -> Alert:
    named = dict(zip(Alert.__dataclass_fields__, values, strict=True))
    return Alert(
        **named | {"kind": AlertKind(named["kind"]), "level": Level(named["level"]), "tracks": tuple(named["tracks"])}
    )
