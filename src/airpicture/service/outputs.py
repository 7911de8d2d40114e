"""Outputs of a service: what of each update goes out, in which form and how often.

`Output.take` is called with every update, in order, by the one who publishes: so no track's end is missed, however
slow anybody reads. It never waits; what can't be sent is counted.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from airpicture.alerts import Alert, AlertKind
from airpicture.errors import ConfigError
from airpicture.formats.aircraftjson import aircraft_json, receiver_json
from airpicture.formats.asterix.encode import Cat062Writer, split_datagrams
from airpicture.formats.asterix.encode_alerts import AlertWriter
from airpicture.formats.asterix.encode_status import Condition
from airpicture.formats.cot import cot_events
from airpicture.formats.sbswrite import sbs_lines
from airpicture.service.address import Address
from airpicture.service.history import HistoryOutput
from airpicture.service.hub import SensorHealth, SensorState, Update
from airpicture.service.period import Period
from airpicture.service.process import log, shown
from airpicture.service.sent import SentOutput
from airpicture.service.settings import OutputSettings
from airpicture.service.webhook import WebhookOutput
from airpicture.tables import U8, Sensors, Tracks
from airpicture.units import SECOND_NS

ALIVE_S: Final = 10  # between signs of life in CAT004
STALE_LEAST_S: Final = 15.0  # for which a TAK display should trust an event, three periods being less

_CONDITIONS: Final = {
    SensorHealth.OK: Condition.OPERATIONAL,
    SensorHealth.DEGRADED: Condition.DEGRADED,
    SensorHealth.SILENT: Condition.NOT_CONNECTED,
    SensorHealth.UNKNOWN: Condition.INITIALISING,
}


class Output(Protocol):
    """One output."""

    name: str
    counts: Counter[str]

    @property
    def port(self) -> int:
        """Port that it listens on; 0 where it doesn't."""

    async def open(self) -> None:
        """Make ready."""

    def take(self, update: Update) -> None:
        """Send what's due."""

    async def close(self) -> None:
        """End; what waits is written where that can be done at once."""


def overloaded(alerts: Iterable[Alert]) -> bool:
    """Say whether plots or tracks are being shed now."""
    return any(alert.kind == AlertKind.OVERLOAD and alert.t_ns_ended < 0 for alert in alerts)


def conditions(states: Iterable[SensorState], count: int) -> U8:
    """Return the state of each sensor in the words of I063/060."""
    found = np.full(count, int(Condition.INITIALISING), np.uint8)
    for state in states:
        found[state.sensor] = int(_CONDITIONS[state.health])
    return found


def cat062_writer(settings: OutputSettings, sensors: Sensors) -> Cat062Writer:
    """Return a writer of CAT062 and what goes with it."""
    return Cat062Writer(
        sensors,
        sac=settings.sac,
        sic=settings.sic,
        tentative=settings.tentative,
        batch_s=1.0 if settings.changes else settings.period_s,
    )


def alike(settings: OutputSettings) -> OutputSettings:
    """Return what of an output's settings makes its bytes; outputs that are alike are encoded for once."""
    address = Address("udp" if settings.address.transport == "udp" else "tcp")  # datagrams, or a stream
    return replace(settings, name="", address=address, interface="", ttl=1, clients_max=1)


class Cat062Encoder:
    """ASTERIX CAT062 with CAT065 and CAT063, all tracks each period; once for all outputs that are alike."""

    def __init__(self, settings: OutputSettings, sensors: Sensors) -> None:
        self._count = len(sensors)
        self._period = Period(settings.period_s)
        self._writer = cat062_writer(settings, sensors)
        self._datagrams = settings.address.transport == "udp"
        self._update: Update | None = None
        self._messages: list[bytes] = []

    def messages(self, update: Update) -> list[bytes]:
        """Return what's due, none where nothing is."""
        if update is not self._update:
            self._update = update
            self._messages = cut(self._encoded(update), self._datagrams)
        return self._messages

    def _encoded(self, update: Update) -> bytes:
        tracks = self._period.due(update)
        if tracks is None:
            return b""
        return self._writer.batch(
            tracks,
            update.now_ns,
            overload=overloaded(update.alerts),
            sensor_conditions=conditions(update.sensors, self._count),
        )


class Cat004Encoder:
    """ASTERIX CAT004: alerts as they're raised, while they stand, and as they end; and a sign of life."""

    def __init__(self, settings: OutputSettings) -> None:
        self._writer = AlertWriter(sac=settings.sac, sic=settings.sic)
        self._second = -1
        self._datagrams = settings.address.transport == "udp"

    def messages(self, update: Update) -> list[bytes]:
        """Return what's due once a second, which is as often as alerts are reckoned."""
        second = update.now_ns // SECOND_NS
        if second == self._second:
            return []
        self._second = second
        blocks = self._writer.encode(update.alerts, update.tracks, update.now_ns)
        if second % ALIVE_S == 0:
            blocks.append(self._writer.alive(update.now_ns, overload=overloaded(update.alerts)))
        return cut(b"".join(blocks), self._datagrams)


def cut(data: bytes, datagrams: bool) -> list[bytes]:
    """Return blocks as datagrams, or as one piece of a stream."""
    if not data:
        return []
    return split_datagrams(data) if datagrams else [data]


def each_period(
    settings: OutputSettings, render: Callable[[Tracks, int], list[bytes]]
) -> Callable[[Update], list[bytes]]:
    """Return what makes messages of a text format, each period, by a function of tracks and time."""
    period = Period(settings.period_s)

    def messages(update: Update) -> list[bytes]:
        tracks = period.due(update)
        return [] if tracks is None else render(tracks, update.now_ns)

    return messages


class FolderOutput:
    """Files that are replaced each period, whole or not at all, as readers of aircraft.json expect it."""

    def __init__(self, settings: OutputSettings, render: Callable[[Update, Tracks], dict[str, bytes]]) -> None:
        self.name, self.counts, self.port = settings.name, Counter[str](), 0
        self._folder, self._render = Path(settings.address.path), render
        self._period = Period(settings.period_s)
        self._failing = False

    async def open(self) -> None:
        """Make the folder.

        Raises
        ------
        ConfigError : it can't be made
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{self.name}: {self._folder} can't be made: {error.strerror}") from None

    def take(self, update: Update) -> None:
        """Write what's due."""
        tracks = self._period.due(update)
        if tracks is None:
            return
        for name, data in self._render(update, tracks).items():
            path = self._folder / name
            temporary = path.with_name(f".{name}.{os.getpid()}.part")
            try:
                temporary.write_bytes(data)
                os.replace(temporary, path)
            except OSError as error:
                self.counts["failures"] += 1
                if not self._failing:
                    log("front", f"{self.name}: {path} can't be written: {shown(error.strerror)}; trying again")
                self._failing = True
            else:
                self.counts["sent"] += 1
                self.counts["octets"] += len(data)
                self._failing = False

    async def close(self) -> None:
        """Leave the last picture where it is; its time tells its age."""


def aircraft_files(update: Update, refresh_s: float = 1.0) -> dict[str, bytes]:
    """Return what readers of readsb's files look for: ``aircraft.json`` and ``receiver.json``."""
    sensors = update.tracks.sensors
    known = np.isfinite(sensors.lat)
    middle = (
        (float(np.mean(sensors.lat[known])), float(np.mean(sensors.lon[known]))) if known.any() else (math.nan,) * 2
    )
    received = update.counts.get("plots_received", 0)
    return {
        "aircraft.json": aircraft_json(update.tracks, update.now_ns, messages=received),
        "receiver.json": receiver_json(refresh_s=refresh_s, lat=middle[0], lon=middle[1]),
    }


def make_outputs(settings: Sequence[OutputSettings], sensors: Sensors) -> list[Output]:
    """Return outputs that aren't open yet; those of CAT062 that are alike share their encoder.

    Raises
    ------
    ConfigError : a setting that can't be used
    """
    encoders: dict[OutputSettings, Cat062Encoder] = {}
    return [_make(one, sensors, encoders) for one in settings]


def _make(settings: OutputSettings, sensors: Sensors, encoders: dict[OutputSettings, Cat062Encoder]) -> Output:
    if settings.format == "parquet":
        return HistoryOutput(settings)
    if settings.format == "webhook":
        return WebhookOutput(settings)
    if settings.format == "aircraft-json":
        return FolderOutput(settings, lambda update, tracks: aircraft_files(update, settings.period_s))
    if settings.format == "cat062":
        same = alike(settings)
        if same not in encoders:
            encoders[same] = Cat062Encoder(settings, sensors)
        return SentOutput(settings, encoders[same].messages)
    if settings.format == "cat004":
        return SentOutput(settings, Cat004Encoder(settings).messages)
    if settings.format == "sbs":
        return SentOutput(settings, each_period(settings, lambda tracks, now_ns: [sbs_lines(tracks, now_ns)]))
    assert settings.format == "cot", settings.format
    stale_s = max(3.0 * settings.period_s, STALE_LEAST_S)
    return SentOutput(settings, each_period(settings, partial(cot_events, stale_s=stale_s)))
