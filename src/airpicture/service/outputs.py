"""Outputs of a service: what of each update goes out, in which form and how often.

`Output.take` is called with every update, in order, by the one who publishes: so no track's end is missed, however
slow anybody reads. It never waits; what can't be sent is counted.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from airpicture.alerts import Alert, AlertKind
from airpicture.errors import ConfigError
from airpicture.formats.asterix.encode import Cat062Writer, split_datagrams
from airpicture.formats.asterix.encode_status import Condition
from airpicture.service.address import Address
from airpicture.service.config import read_token
from airpicture.service.hub import SensorHealth, Update
from airpicture.service.process import log, shown
from airpicture.service.senders import Sender, make_sender
from airpicture.service.settings import OutputSettings
from airpicture.tables import U8, Sensors, Status, Tracks
from airpicture.units import SECOND_NS

HELD_MAX: Final = 100_000  # rows of ended tracks, or of history, that wait to be written
WEBHOOK_WAITING: Final = 1000  # alerts that wait for a receiver of web hooks; the oldest give way
WEBHOOK_TIMEOUT_S: Final = 5.0
WEBHOOK_TRIES: Final = 6  # within a minute; then the next alert is more worth than this one
HISTORY_FLUSH_S: Final = 10.0

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


class Period:
    """Says when a period on the grid of UTC is over, and gathers the tracks that ended meanwhile."""

    def __init__(self, period_s: float) -> None:
        self._period_ns = round(period_s * SECOND_NS)
        self._slot = -1
        self._ended: list[Tracks] = []
        self._held = 0

    def due(self, update: Update) -> Tracks | None:
        """Return all live tracks and those that ended since it last was due; None where it isn't."""
        slot = update.now_ns // self._period_ns
        if slot == self._slot:
            ended = update.tracks.status == Status.ENDED
            if ended.any() and self._held < HELD_MAX:
                self._ended.append(update.tracks.take(ended))
                self._held += int(ended.sum())
            return None
        self._slot = slot
        found, self._ended, self._held = self._ended, [], 0
        return Tracks.concat([update.tracks, *found]) if found else update.tracks


def overloaded(alerts: Iterable[Alert]) -> bool:
    """Say whether plots or tracks are being shed now."""
    return any(alert.kind == AlertKind.OVERLOAD and alert.t_ns_ended < 0 for alert in alerts)


def conditions(update: Update, count: int) -> U8:
    """Return the state of each sensor in the words of I063/060."""
    found = np.full(count, int(Condition.INITIALISING), np.uint8)
    for state in update.sensors:
        found[state.sensor] = int(_CONDITIONS[state.health])
    return found


class Cat062Encoder:
    """Encodes each update once for all outputs that want it alike."""

    def __init__(self, settings: OutputSettings, sensors: Sensors) -> None:
        self._count = len(sensors)
        self._period = None if settings.changes else Period(settings.period_s)
        self._writer = Cat062Writer(
            sensors,
            sac=settings.sac,
            sic=settings.sic,
            tentative=settings.tentative,
            batch_s=1.0 if settings.changes else settings.period_s,
        )
        self._update: Update | None = None
        self._data = b""

    def data(self, update: Update) -> bytes:
        """Return the blocks that are due, none where none are."""
        if update is not self._update:
            self._update = update
            self._data = self._encoded(update)
        return self._data

    def _encoded(self, update: Update) -> bytes:
        tracks = update.tracks.take(update.changed) if self._period is None else self._period.due(update)
        if tracks is None:
            return b""
        return self._writer.batch(
            tracks,
            update.now_ns,
            overload=overloaded(update.alerts),
            sensor_conditions=conditions(update, self._count),
        )


class Cat062Output:
    """ASTERIX CAT062 with CAT065 and CAT063: all tracks each period, or each as it changes."""

    def __init__(self, settings: OutputSettings, encoder: Cat062Encoder, sender: Sender) -> None:
        self.name, self.counts = settings.name, sender.counts
        self._sender, self._encoder = sender, encoder
        self._datagrams = settings.address.transport == "udp"

    @property
    def port(self) -> int:
        """Port that it listens on."""
        return self._sender.port

    async def open(self) -> None:
        """Make ready."""
        await self._sender.open()

    def take(self, update: Update) -> None:
        """Send what's due."""
        data = self._encoder.data(update)
        if data:
            self._sender.send(split_datagrams(data) if self._datagrams else [data])

    async def close(self) -> None:
        """End."""
        await self._sender.close()


Render = Callable[[Update, Tracks], list[bytes]]  # messages of an update, of the tracks that are due


class RenderedOutput:
    """Messages of a text format, each period, by a function of the picture."""

    def __init__(self, settings: OutputSettings, sender: Sender, render: Render) -> None:
        self.name, self.counts = settings.name, sender.counts
        self._sender, self._render = sender, render
        self._period = Period(settings.period_s)

    @property
    def port(self) -> int:
        """Port that it listens on."""
        return self._sender.port

    async def open(self) -> None:
        """Make ready."""
        await self._sender.open()

    def take(self, update: Update) -> None:
        """Send what's due."""
        tracks = self._period.due(update)
        if tracks is not None:
            self._sender.send(self._render(update, tracks))

    async def close(self) -> None:
        """End."""
        await self._sender.close()


class FolderOutput:
    """Files that are replaced each period, whole or not at all, as readers of aircraft.json expect it."""

    def __init__(self, settings: OutputSettings, render: Callable[[Update, Tracks], dict[str, bytes]]) -> None:
        self.name, self.counts, self.port = settings.name, Counter[str](), 0
        self._folder, self._render = Path(settings.address.path), render
        self._period = Period(settings.period_s)

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
            except OSError:
                self.counts["failures"] += 1
            else:
                self.counts["sent"] += 1
                self.counts["octets"] += len(data)

    async def close(self) -> None:
        """Leave the last picture where it is; its time tells its age."""


class HistoryOutput:
    """Tracks as Parquet files, one for each `rotate_s`; a file has its name once it's whole.

    A thread writes; what it can't keep up with is dropped and counted, since the journal has all of it.
    """

    def __init__(self, settings: OutputSettings) -> None:
        self.name, self.counts, self.port = settings.name, Counter[str](), 0
        self._settings = settings
        self._folder = Path(settings.address.path)
        self._period = Period(settings.period_s)
        self._waiting: list[Tracks] = []
        self._rows = 0
        self._writing: asyncio.Task[None] | None = None
        self._flushed = 0.0
        self._file: Any = None
        self._slot = -1

    async def open(self) -> None:
        """Make the folder; what an earlier run left half written is removed."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for old in self._folder.glob("tracks-*.parquet.part"):
                old.unlink()
        except OSError as error:
            raise ConfigError(f"{self.name}: {self._folder} can't be used: {error.strerror}") from None

    def take(self, update: Update) -> None:
        """Put the rows that are due in line."""
        tracks = self._period.due(update)
        if tracks is not None and len(tracks):
            if self._rows + len(tracks) > HELD_MAX:
                self.counts["dropped"] += len(tracks)
            else:
                self._waiting.append(tracks)
                self._rows += len(tracks)
        slot = update.now_ns // round(self._settings.rotate_s * SECOND_NS)
        late = time.monotonic() - self._flushed > HISTORY_FLUSH_S
        if (late or slot != self._slot) and (self._writing is None or self._writing.done()):
            self._flushed = time.monotonic()
            parts, self._waiting, self._rows = self._waiting, [], 0
            rotate, self._slot = slot != self._slot, slot
            self._writing = asyncio.get_running_loop().create_task(
                asyncio.to_thread(self._write, parts, rotate, update.now_ns)
            )

    def _write(self, parts: list[Tracks], rotate: bool, now_ns: int) -> None:
        from airpicture.formats.arrow import pa, pq

        try:
            if rotate:
                self._finish()
                self._prune()
            if not parts:
                return
            table = pa.concat_tables([part.to_arrow() for part in parts])
            if self._file is None:
                stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ns // SECOND_NS))
                self._path = self._folder / f"tracks-{stamp}.parquet"
                self._file = pq.ParquetWriter(f"{self._path}.part", table.schema, compression="zstd")
            self._file.write_table(table)
            self.counts["sent"] += table.num_rows
        except (OSError, pa.ArrowException) as error:
            self.counts["failures"] += 1
            log("core", f"{self.name}: history can't be written: {shown(error)}")
            self._file = None

    def _finish(self) -> None:
        if self._file is not None:
            self._file.close()
            os.replace(f"{self._path}.part", self._path)
            self._file = None
            self.counts["files"] += 1

    def _prune(self) -> None:
        oldest = time.time() - self._settings.keep_h * 3600
        for old in self._folder.glob("tracks-*.parquet"):
            if old.stat().st_mtime < oldest:
                old.unlink()

    async def close(self) -> None:
        """Finish the file."""
        if self._writing is not None:
            with suppress(Exception):
                await self._writing
        self._write(self._waiting, False, time.time_ns())
        self._waiting = []
        self._finish()


class WebhookOutput:
    """Posts each alert as it's raised and as it ends: a JSON object, in a thread that waits as long as it takes."""

    def __init__(self, settings: OutputSettings) -> None:
        self.name, self.counts, self.port = settings.name, Counter[str](), 0
        self._settings = settings
        self._token = read_token(settings.token_file) if settings.token_file else ""
        self._standing: dict[str, Alert] = {}
        self._waiting: deque[bytes] = deque()
        self._more = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"webhook {self.name}", daemon=True)

    async def open(self) -> None:
        """Start the thread."""
        self._thread.start()

    def take(self, update: Update) -> None:
        """Put what was raised and what ended in line."""
        for alert in update.alerts:
            known = self._standing.get(alert.key)
            if alert.t_ns_ended >= 0:
                if self._standing.pop(alert.key, None) is not None:
                    self._put(alert)
            elif known is None or known.level != alert.level:
                self._standing[alert.key] = alert
                self._put(alert)

    def _put(self, alert: Alert) -> None:
        if len(self._waiting) >= WEBHOOK_WAITING:
            self._waiting.popleft()
            self.counts["dropped"] += 1
        self._waiting.append(json.dumps(alert_values(alert), ensure_ascii=False).encode())
        self._more.set()

    def _run(self) -> None:
        while not self._closing:
            self._more.wait()
            self._more.clear()
            while self._waiting and not self._closing:
                body = self._waiting.popleft()
                self.counts["sent" if self._post(body) else "dropped"] += 1

    def _post(self, body: bytes) -> bool:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        for attempt in range(WEBHOOK_TRIES):
            request = urllib.request.Request(str(self._settings.address), body, headers, method="POST")
            try:
                with urllib.request.urlopen(request, timeout=WEBHOOK_TIMEOUT_S):
                    return True
            except (OSError, ValueError) as error:
                self.counts["failures"] += 1
                if attempt == 0:
                    log("core", f"{self.name}: {shown(getattr(error, 'reason', error))}; trying again")
            if self._closing:
                return False
            time.sleep(min(0.5 * 2**attempt, 15.0))
        return False

    async def close(self) -> None:
        """End; what waits is lost with its receiver away."""
        self._closing = True
        self._more.set()


def alert_values(alert: Alert) -> dict[str, Any]:
    """Return an alert as JSON values: null for what isn't meant."""
    return {
        "key": alert.key,
        "kind": alert.kind.name.lower(),
        "level": alert.level.name.lower(),
        "t_ns": alert.t_ns,
        "text": alert.text,
        "tracks": list(alert.tracks),
        "sensor": alert.sensor or None,
        "area": alert.area or None,
        "t_ns_expected": alert.t_ns_expected if alert.t_ns_expected >= 0 else None,
        "value": alert.value if np.isfinite(alert.value) else None,
        "t_ns_ended": alert.t_ns_ended if alert.t_ns_ended >= 0 else None,
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
    sender = make_sender(
        settings.address,
        name=settings.name,
        interface=settings.interface,
        ttl=settings.ttl,
        clients_max=settings.clients_max,
    )
    if settings.format == "cat062":
        alike = replace(settings, name="", address=Address("udp"), interface="", ttl=1, clients_max=1)
        if alike not in encoders:
            encoders[alike] = Cat062Encoder(settings, sensors)
        return Cat062Output(settings, encoders[alike], sender)
    raise ConfigError(f"{settings.name}: no writer for {settings.format}")
