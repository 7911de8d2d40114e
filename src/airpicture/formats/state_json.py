"""Tables of positions as JSON: data frames of pandas in any orient (``traffic``), and OpenSky's REST answers."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from airpicture.errors import InputError
from airpicture.formats.arrow import Table, pa
from airpicture.formats.dialects import how_to_say, understand
from airpicture.formats.files import read_bytes
from airpicture.formats.foreign import NAMES, heard_from, recording_of
from airpicture.formats.jsontext import UNREADABLE, half_document, parse, parse_lines
from airpicture.formats.motions import Motions
from airpicture.formats.recording import Recording, with_breaks
from airpicture.formats.reported import Given, reported_sensors, take_in, tally
from airpicture.formats.tablefiles import listed
from airpicture.tables import Plots, Sensors

# The cells of a state, in this order; the names are those of the columns of OpenSky's history.
_STATE: Final = (
    *("icao24", "callsign", "origin_country", "lastposupdate", "lastcontact", "lon", "lat", "baroaltitude", "onground"),
    *("velocity", "heading", "vertrate", "sensors", "geoaltitude", "squawk", "spi", "position_source", "category"),
)


def read_state_json(
    path: str | os.PathLike[str],
    *,
    sensors: Sensors | None = None,
    columns: Mapping[str, str] | None = None,
    repeats: bool = False,
) -> Recording:
    """Read a data frame's JSON, or one or more answers of OpenSky (one a line), as plots in time order.

    Raises
    ------
    InputError : it can't be read, or time, latitude and longitude can't be told among its columns
    """
    name = os.fspath(path)
    told: list[str] = []
    data = read_bytes(path, told)
    faults: list[tuple[int, str]] = []
    try:
        document = parse(data.decode("utf-8-sig", "replace"))
    except UNREADABLE as error:
        lines = [one for one in parse_lines(data.decode("utf-8-sig", "replace"), faults) if isinstance(one, dict)]
        if not lines:
            raise InputError(
                half_document(told, error),
                expected="a whole file",
                todo="If it breaks off, copy it again",
                path=name,
            ) from None
        document = lines
    table = _table(document)
    if table is None:
        raise InputError(
            "JSON, but no table of positions",
            expected="a data frame (orient 'records' or 'columns'), or OpenSky's 'time' and 'states'",
            path=name,
        )
    meaning = understand(table.column_names, columns, name)
    if meaning is None:
        raise InputError(
            f"no known table: its columns are {listed(table.column_names)}",
            expected="time, latitude and longitude",
            todo=how_to_say(table.column_names),
            path=name,
        )
    read = recording_of(table, meaning, path=name, size=len(data), sensors=sensors, lost=faults, repeats=repeats)
    return replace(read, report=with_breaks(read.report, told))


class OpenSkyDecoder:
    """Turns polls of OpenSky's REST interface (``/api/states/all``) into plots: each position once, at its own time."""

    def __init__(self, sensors: Sensors | None = None, *, only: Sequence[str] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self.sensors, self._rows, _ = reported_sensors(sensors, NAMES, only)
        self._given, self._motions = Given(), Motions()

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take one whole answer. Its own times are used, not that of reception."""
        try:
            document = parse(data)
        except UNREADABLE:
            document = None
        if not isinstance(document, dict) or "states" not in document:
            self.counts["refused half a document"] += 1
            return Plots.empty(self.sensors)
        table = _from_states([document])
        meaning = understand(table.column_names)
        assert meaning is not None
        try:
            heard, _, names = heard_from(table, meaning, [], "")
        except InputError:  # a column without a single cell of its type
            self.counts["refused BAD_VALUE"] += table.num_rows
            return Plots.empty(self.sensors)
        if not len(heard.who):
            return Plots.empty(self.sensors)
        taken = take_in(heard, names, self.sensors, self._rows, given=self._given, motions=self._motions)
        tally(self.counts, taken.reasons)
        return taken.plots


def _table(document: Any) -> Table | None:
    """Return a table of whatever form it's in, None if it's none."""
    answers = document if isinstance(document, list) else [document]
    if answers and all(isinstance(one, dict) and "states" in one for one in answers):
        return _from_states(answers)
    if isinstance(document, list):
        rows = [row if isinstance(row, dict) else {} for row in document]  # what's no row has no position
        names = list(dict.fromkeys(key for row in rows for key in row))
        return _columns({name: [row.get(name) for row in rows] for name in names}) if names else None
    if not isinstance(document, dict):
        return None
    heads, cells = document.get("columns"), document.get("data")
    if isinstance(heads, list) and isinstance(cells, list):  # orient "split"
        none = [None] * len(heads)
        split = [row if isinstance(row, list) and len(row) == len(heads) else none for row in cells]
        return _columns({str(head): [row[k] for row in split] for k, head in enumerate(heads)})
    if document and all(isinstance(column, dict) for column in document.values()):  # orient "columns"
        keys = list(dict.fromkeys(key for column in document.values() for key in column))
        return _columns({name: [column.get(key) for key in keys] for name, column in document.items()})
    if document and all(isinstance(column, list) for column in document.values()):
        longest = max(len(column) for column in document.values())
        return _columns({name: column + [None] * (longest - len(column)) for name, column in document.items()})
    return None


def _from_states(answers: list[dict[str, Any]]) -> Table:
    cells: dict[str, list[Any]] = {name: [] for name in (*_STATE, "time")}
    for answer in answers:
        states = answer["states"]
        for state in states if isinstance(states, list) else []:  # null where nothing was in the area
            known = state[: len(_STATE)] if isinstance(state, list) else []
            for name, cell in zip(_STATE, known + [None] * (len(_STATE) - len(known)), strict=True):
                cells[name].append(cell)
            cells["time"].append(answer.get("time"))
    return _columns(cells)


def _columns(cells: Mapping[str, list[Any]]) -> Table:
    table: Table = pa.table({name: _column(values) for name, values in cells.items()})
    return table


def _column(values: list[Any]) -> Any:
    """Return numbers as floats or whole numbers, flags as flags, and everything mixed as text."""
    kinds = {type(value) for value in values} - {type(None)}
    try:
        if kinds <= {int, float}:
            return pa.array(values, pa.float64() if float in kinds else pa.int64())
        if kinds == {bool}:
            return pa.array(values, pa.bool_())
    except (pa.ArrowException, OverflowError):
        pass
    flat = (value if isinstance(value, (str, int, float)) else None for value in values)
    return pa.array([None if value is None else str(value) for value in flat], pa.string())


__all__ = ["OpenSkyDecoder", "read_state_json"]
