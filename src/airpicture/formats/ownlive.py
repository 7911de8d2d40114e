"""Plots of own sensors as they arrive: JSON lines or an Arrow stream, with the columns of a ``plots`` file.

    {"sensor": "north", "range_m": 81200.0, "azimuth_deg": 12.5, "t_ns": 1764334800000000000}

``t_ns`` may be left out: it's the time of reception then. One payload (a request's body, a message) stands by itself.
A line that can't be used is refused by reason; its neighbours are taken.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any, Final, NoReturn

import numpy as np

from airpicture.errors import AirpictureError, Reason
from airpicture.formats.arrow import Table, pa, pc
from airpicture.formats.columns import plots_from_loaded
from airpicture.formats.schemas import PLOTS
from airpicture.formats.tablefiles import typed
from airpicture.tables import Plots, Sensors

ROWS_MAX: Final = 200_000  # of one payload
_COLUMNS: Final = {column.name: column for column in PLOTS}


class PlotsDecoder:
    """Decodes payloads of JSON lines or Arrow IPC; a `formats.live.LiveDecoder` whose `feed` takes whole payloads."""

    def __init__(self, sensors: Sensors) -> None:
        self.counts: Counter[str] = Counter()
        self._sensors = sensors

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take one payload; see `formats.live.LiveDecoder.feed`."""
        if not data.strip():
            self.counts["refused payload empty"] += 1
            return Plots.empty(self._sensors)
        try:
            table = self._lines(data) if data.lstrip()[:1] in b"{[" else _arrow(data)
            if table.num_rows > ROWS_MAX:
                self.counts["refused payload of too many rows"] += 1
                return Plots.empty(self._sensors)
            table = _stamped(table, received_ns)
            checked = plots_from_loaded(typed(table, "plots"), self._sensors)
        except (AirpictureError, ValueError, TypeError, OSError, pa.ArrowException) as error:
            self.counts[f"refused payload {_brief(error)}"] += 1
            return Plots.empty(self._sensors)
        for reason, count in checked.refused.items():
            self.counts[f"refused row {reason}"] += count
        self.counts["decoded row"] += len(checked.plots)
        return checked.plots

    def _lines(self, data: bytes) -> Table:
        """Return the rows of JSON lines that are objects with values of the right types; count the others."""
        rows: list[dict[str, Any]] = []
        for line in data.splitlines():
            if not line.strip():
                continue
            try:
                row = json.loads(line, parse_constant=_no_number)
            except (ValueError, RecursionError):
                self.counts["refused row no JSON"] += 1
                continue
            for one in row if isinstance(row, list) else [row]:
                why = _wrong(one)
                if why:
                    self.counts[f"refused row {why}"] += 1
                else:
                    rows.append(one)
        names = [name for name in _COLUMNS if any(name in row for row in rows)] or ["sensor"]
        table: Table = pa.table(
            {name: pa.array([row.get(name) for row in rows], _COLUMNS[name].type) for name in names}
        )
        return table


def _arrow(data: bytes) -> Table:
    """Return an Arrow IPC stream's table."""
    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        table: Table = reader.read_all()
    return table


def _stamped(table: Table, received_ns: int) -> Table:
    """Give rows without a time that of reception."""
    received = pa.scalar(received_ns, pa.int64())
    if "t_ns" not in table.column_names:
        whole: Table = table.append_column("t_ns", pa.array(np.full(table.num_rows, received_ns)))
    else:
        place = table.column_names.index("t_ns")
        whole = table.set_column(place, "t_ns", pc.fill_null(table["t_ns"], received))
    return whole


def _wrong(row: Any) -> str:
    """Return what's wrong with a row of JSON, "" where nothing is; whether values make sense is judged later."""
    if not isinstance(row, dict):
        return "no object"
    for name, value in row.items():
        column = _COLUMNS.get(name)
        if column is None:
            return "unknown column"
        if value is None:
            continue
        if pa.types.is_string(column.type):
            fits = isinstance(value, str) and len(value) <= 256
        elif pa.types.is_integer(column.type):
            low, high = (-(2**63), 2**63) if column.type == pa.int64() else (-(2**31), 2**31)
            fits = isinstance(value, int) and not isinstance(value, bool) and low <= value < high
        else:
            fits = isinstance(value, (int, float)) and not isinstance(value, bool) and _finite(value)
        if not fits:
            return Reason.BAD_VALUE.name.lower()
    return "" if isinstance(row.get("sensor"), str) else "without sensor"


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _brief(error: Exception) -> str:
    """Return what kind of fault an error is: a bounded set of names, for texts hold what the sender chose."""
    return type(error).__name__
