"""From a journal's records to plots: which decoder each input has, and what becomes of what they can't decode.

`Decoding` is what a live service and the reader of journals share, so that a replay is what was live.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from airpicture.config import Config
from airpicture.errors import ConfigError, InputError
from airpicture.formats.asterix.live import AsterixDecoder, Stamps
from airpicture.formats.journal import Kind, Record, read_records, segments
from airpicture.formats.live import REPORTED, LiveDecoder, reported_decoder
from airpicture.formats.recording import ReadReport, Recording
from airpicture.formats.sensors import merge_sensors, sensors_from_rows, sensors_to_toml
from airpicture.formats.stretch import Stretch
from airpicture.tables import I64, Plots, Sensors
from airpicture.words import counted

LINKS_MAX: Final = 256  # connections of one input that are decoded at a time
FORMATS: Final = ("asterix", "beast", "avr", "plots", *REPORTED)


@dataclass(frozen=True, slots=True)
class Source:
    """What must be known of an input to decode what it brings; stands in each journal segment."""

    name: str
    format: str  # one of FORMATS
    stream: bool = False  # bytes are cut anywhere (TCP, a pipe); else each record stands by itself
    stamps: str = "sensor"  # `asterix.live.Stamps`
    editions: tuple[tuple[str, str], ...] = ()  # of ASTERIX, as in `choose_editions`
    sensors: tuple[str, ...] = ()  # ids of sensors that it may bring; () all

    def plain(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Source:
        """Undo `plain`.

        Raises
        ------
        ConfigError : it's another version's
        """
        try:
            editions = tuple((str(a), str(b)) for a, b in values.get("editions", ()))
            known = {name: values[name] for name in ("name", "format", "stream", "stamps") if name in values}
            return cls(**known, editions=editions, sensors=tuple(map(str, values.get("sensors", ()))))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"an input of a journal can't be read: {error}") from None


def start_payload(sensors: Sensors, inputs: Sequence[Source], tracker: Config | None = None, **more: Any) -> bytes:
    """Return the payload of a START record; tracker : settings of who tracks what comes in; `more` is kept beside."""
    start = {"sensors": sensors_to_toml(sensors), "inputs": [one.plain() for one in inputs], **more}
    if tracker is not None:
        start["tracker"] = tracker.plain()
    return json.dumps(start, ensure_ascii=False, sort_keys=True).encode()


def tracker_of(start: Mapping[str, Any]) -> Config | None:
    """Return the settings of the tracker that a START object tells of; None where it doesn't.

    Raises
    ------
    ConfigError : they're another version's
    """
    told = start.get("tracker")
    return Config.from_plain(told) if isinstance(told, dict) else None


def sensors_and_inputs(start: Mapping[str, Any]) -> tuple[Sensors, list[Source]]:
    """Return what a START object tells of."""
    rows = tomllib.loads(start["sensors"]).get("sensor", [])
    return sensors_from_rows(rows), [Source.from_plain(one) for one in start["inputs"]]


def make_decoder(source: Source, sensors: Sensors) -> LiveDecoder:
    """Return a decoder for one stream of an input.

    Raises
    ------
    ConfigError : an unknown format, edition, or sensor
    """
    if source.format == "asterix":
        return AsterixDecoder(
            sensors,
            editions=dict(source.editions) or None,
            stamps=Stamps(source.stamps),
            stream=source.stream,
            only=source.sensors,
        )
    if source.format not in _MAKERS:
        raise ConfigError(f"format {source.format!r} of input {source.name!r}", expected=f"one of {', '.join(FORMATS)}")
    return _MAKERS[source.format](source, sensors)


def _plots(source: Source, sensors: Sensors) -> LiveDecoder:
    from airpicture.formats.ownlive import PlotsDecoder

    return PlotsDecoder(sensors)


def _reported(source: Source, sensors: Sensors) -> LiveDecoder:
    # A stream of aircraft.json is one aircraft a line; the table must stay the service's, so nothing is added to it.
    options = {"lines": True} if source.format == "aircraft-json" and source.stream else {}
    return reported_decoder(source.format, sensors, only=source.sensors or sensors.ids, **options)


def _modes(source: Source, sensors: Sensors) -> LiveDecoder:
    from airpicture.formats.modes import ModesDecoder

    form: Literal["beast", "avr"] = "beast" if source.format == "beast" else "avr"
    return ModesDecoder(sensors, form=form, only=source.sensors)


def _sniffing(source: Source, sensors: Sensors) -> LiveDecoder:
    from airpicture.formats.sniffing import Sniffing

    return Sniffing(sensors, lambda name: make_decoder(replace(source, format=name), sensors))


_MAKERS: Final[dict[str, Callable[[Source, Sensors], LiveDecoder]]] = {
    "auto": _sniffing,
    "plots": _plots,
    "beast": _modes,
    "avr": _modes,
    **dict.fromkeys(REPORTED, _reported),
}


class Decoding:
    """Decodes records of any number of inputs.

    Datagrams of ASTERIX inputs that are read alike go to one decoder, many at a time: that's what makes thirty sensors
    cost little more than one. Each connection of a stream has its own. A record that a decoder fails on, which none
    should, is counted as a fault and left out; what comes with it is decoded without it.

    Attributes
    ----------
    records : of kind DATA that were taken, by input
    told : whether an input ever brought a plot, or a radar's sign of life; of those that share a decoder, together
    faults : records that a decoder failed on, by input and kind of error
    links : the decoder of each connection that stands, by (row of the input, number)
    """

    def __init__(self, sensors: Sensors, inputs: Sequence[Source]) -> None:
        self.sensors, self.inputs = sensors, tuple(inputs)
        self.records = [0] * len(inputs)
        self.told = [False] * len(inputs)
        self.faults: Counter[str] = Counter()
        self._gone: dict[str, Counter[str]] = {}  # counts of connections that ended
        self._shared: dict[Source, LiveDecoder] = {}
        self._of_input: list[LiveDecoder] = []
        self.links: dict[tuple[int, int], LiveDecoder] = {}
        for one in inputs:
            key = Source("", one.format, one.stream, one.stamps, one.editions, one.sensors)
            decoder = make_decoder(one, sensors)
            if not one.stream:
                decoder = self._shared.setdefault(key, decoder) if one.format == "asterix" else decoder
            self._of_input.append(decoder)
        # The first input with the same decoder; -1: it depends on the connection.
        first = {id(decoder): row for row, decoder in reversed(list(enumerate(self._of_input)))}
        self._like = np.array([first[id(one)] for one in self._of_input], np.int64)
        self._streams = np.array([one.stream for one in inputs], bool)

    def counts(self) -> dict[str, Counter[str]]:
        """Return what became of the records: the decoder's counts by input; inputs that share one are joined by "+"."""
        names: dict[int, list[str]] = {}
        total: dict[str, Counter[str]] = {}
        for one, decoder in zip(self.inputs, self._of_input, strict=True):
            names.setdefault(id(decoder), []).append(one.name)
        for decoder in {id(one): one for one in self._of_input}.values():
            total["+".join(names[id(decoder)])] = Counter(decoder.counts)
        for (row, _), decoder in self.links.items():
            total[self.inputs[row].name] = total[self.inputs[row].name] + decoder.counts
        for name, counts in self._gone.items():
            total[name] = total[name] + counts
        return total

    def heard_ns(self) -> I64:
        """Return when each sensor's last record of any kind was received, as far as decoders tell; -1 never."""
        heard = np.full(len(self.sensors), -1, np.int64)
        for decoder in {id(one): one for one in [*self._of_input, *self.links.values()]}.values():
            if isinstance(decoder, AsterixDecoder):
                heard = np.maximum(heard, decoder.heard_ns)
        return heard

    def take(self, records: Stretch) -> Plots:
        """Return the plots of records, input by input; those of connections that end here lose their decoder."""
        rows = np.flatnonzero((records.kind == Kind.DATA) & (records.input < len(self.inputs)))
        for row, count in enumerate(np.bincount(records.input[rows], minlength=len(self.inputs)).tolist()):
            self.records[row] += count
        linked = self._streams[records.input[rows]] & (records.link[rows] != 0)
        like = self._like[records.input[rows]]
        like[linked] = -1
        parts = []
        for row in np.unique(like).tolist():
            if row >= 0:
                mine = rows[like == row]
                parts.append(self._decode(self._of_input[row], records, mine))
                self._note(self._of_input[row], parts[-1], np.unique(records.input[mine]).tolist())
        parts += self._of_links(records)
        parts = [part for part in parts if len(part)]
        return Plots.concat(parts) if parts else Plots.empty(self.sensors)

    def _of_links(self, records: Stretch) -> list[Plots]:
        """Return the plots of connections, each of which has its decoder from its beginning to its end."""
        kinds = (records.kind == Kind.DATA) | (records.kind == Kind.OPEN) | (records.kind == Kind.CLOSE)
        rows = np.flatnonzero(kinds & (records.link != 0) & (records.input < len(self.inputs)))
        batches: dict[tuple[int, int], list[int]] = {}
        ended = []
        for at in rows[self._streams[records.input[rows]]].tolist():
            key, kind = (int(records.input[at]), int(records.link[at])), records.kind[at]
            if kind == Kind.CLOSE:
                ended.append(key)
            elif self._begun(key, kind) and kind == Kind.DATA:
                batches.setdefault(key, []).append(at)
        parts = []
        for key, found in batches.items():
            parts.append(self._decode(self.links[key], records, np.array(found)))
            self._note(self.links[key], parts[-1], [key[0]])
        for key in ended:
            if (gone := self.links.pop(key, None)) is not None:
                self._gone.setdefault(self.inputs[key[0]].name, Counter()).update(gone.counts)
        return parts

    def _note(self, decoder: LiveDecoder, plots: Plots, inputs: Sequence[int]) -> None:
        """Note which inputs brought what was understood."""
        fresh = [row for row in inputs if not self.told[row]]
        if not fresh:
            return
        alive = isinstance(decoder, AsterixDecoder) and bool((decoder.heard_ns >= 0).any())
        for row in fresh:
            self.told[row] = bool(len(plots)) or alive

    def _begun(self, key: tuple[int, int], kind: int) -> bool:
        """Say whether there's a decoder for a connection; make one where there's room."""
        source = self.inputs[key[0]]
        if key not in self.links:
            if len(self.links) >= LINKS_MAX:
                self.faults[f"{source.name} too many connections"] += kind == Kind.DATA
                return False
            self.links[key] = make_decoder(source, self.sensors)
        return True

    def _decode(self, decoder: LiveDecoder, records: Stretch, rows: I64) -> Plots:
        if isinstance(decoder, AsterixDecoder):
            try:
                if decoder.stream:
                    return decoder.feed_many([records.payload(row) for row in rows.tolist()], records.t_ns[rows])
                return decoder.feed_spans(records.data, records.start[rows], records.stop[rows], records.t_ns[rows])
            except Exception as error:  # one record must not take the others with it
                if len(rows) == 1:
                    return self._fault(records, int(rows[0]), error)
        parts = []
        for row in rows.tolist():
            try:
                parts.append(decoder.feed(records.payload(row), int(records.t_ns[row])))
            except Exception as error:
                parts.append(self._fault(records, row, error))
        return Plots.concat(parts)

    def _fault(self, records: Stretch, row: int, error: Exception) -> Plots:
        self.faults[f"{self.inputs[int(records.input[row])].name} {type(error).__name__}"] += 1
        return Plots.empty(self.sensors)


def read_journal(path: str | os.PathLike[str]) -> Recording:
    """Read a journal's folder, or one of its segments, as a recording: the plots that the live service had.

    Sensors and inputs are those that it was written with; segments of other ones follow with theirs, and are joined.
    So are the settings of the tracker, `Recording.config`; of several, the last ones.

    Raises
    ------
    InputError : no journal, or none of its segments can be read
    """
    damage: Counter[str] = Counter()
    parts: list[tuple[Plots, Decoding]] = []
    waiting: list[Record] = []
    decoding: Decoding | None = None
    told: tuple[str, Any] | None = None
    found: list[Plots] = []
    kinds: Counter[str] = Counter()
    trackers: list[Any] = []  # as told, one after another
    for start, record in read_records(path, damage):
        if not trackers or start.get("tracker") != trackers[-1]:
            trackers.append(start.get("tracker"))
        if decoding is None or (start["sensors"], start["inputs"]) != told:
            if decoding is not None:
                parts.append((_joined([*found, decoding.take(Stretch.of(waiting))], decoding), decoding))
            found, waiting, told = [], [], (start["sensors"], start["inputs"])
            decoding = Decoding(*sensors_and_inputs(start))
        waiting.append(record)
        kinds[_KINDS.get(record.kind, "unknown")] += 1
        if record.kind == Kind.TICK:
            found.append(decoding.take(Stretch.of(waiting)))
            waiting = []
    if decoding is None:
        raise InputError("no segment of the journal can be read", expected="segments with a start", path=str(path))
    parts.append((_joined([*found, decoding.take(Stretch.of(waiting))], decoding), decoding))
    refused = damage
    for _, one in parts:
        refused = refused + one.faults
        for name, counts in one.counts().items():
            refused.update(
                {f"{name}: {k.removeprefix('refused ')}": n for k, n in counts.items() if k[:7] == "refused"}
            )
    merged, lookups = merge_sensors([plots.sensors for plots, _ in parts])
    whole = Plots.concat(
        [
            replace(plots, sensor=lookup[plots.sensor].astype(np.int32), sensors=merged)
            for (plots, _), lookup in zip(parts, lookups, strict=True)
        ]
    ).in_time_order()
    place = Path(path)
    files = [part.path for part in segments(place)] if place.is_dir() else [place]
    notes = [f"{counted(count, 'time')}: {what}" for what, count in damage.items()]
    config = _tracker_told(trackers, notes)
    report = ReadReport(
        path=os.fspath(path),
        format="journal of airpicture",
        size=sum(file.stat().st_size for file in files),
        records=dict(kinds),
        refused=dict(refused),
        notes=tuple(notes),
    )
    return Recording(whole, merged, report, config=config)


def _tracker_told(trackers: Sequence[Any], notes: list[str]) -> Config | None:
    """Return the tracker's settings that a journal ends with; notes are added to where they aren't all there is."""
    if len(trackers) > 1:
        times = counted(len(trackers) - 1, "time")
        notes.append(f"the tracker's settings changed {times}: the last ones are taken for all of it")
    try:
        config = tracker_of({"tracker": trackers[-1]})
    except ConfigError as error:
        notes.append(f"the tracker's settings are another version's and are left out: {error.found}")
        return None
    if config is None:
        notes.append("it doesn't tell the tracker's settings (earlier versions kept none)")
    return config


_KINDS: Final = {int(kind): kind.name.lower() for kind in Kind}


def _joined(parts: Sequence[Plots], decoding: Decoding) -> Plots:
    kept = [part for part in parts if len(part)]
    return Plots.concat(kept) if kept else Plots.empty(decoding.sensors)
