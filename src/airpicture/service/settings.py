"""The settings of a service as values; `config` reads them from a file and checks them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from airpicture.alerts import AlertSettings
from airpicture.config import Config
from airpicture.formats.decoding import Source
from airpicture.map import MapSettings
from airpicture.service.address import Address
from airpicture.tables import Sensors

LOOPBACK: Final = "127.0.0.1"
STEPPED_S_MAX: Final = 3600.0  # of one step of a replay
RECENT_MB: Final = 64.0  # half an hour of 450 tracks, and of where their plots lay
REPLAY_SPEEDS: Final = (0.01, 1000.0)  # limits of a replay's


@dataclass(frozen=True, slots=True)
class InputSettings:
    """One input: where its bytes come from, and how they are read."""

    name: str
    format: str  # of `address.IN`; "" standard input of a kind that its first bytes tell
    address: Address
    interface: str = ""  # UDP: address of the interface to receive multicast on; "" the system's choice
    allow: tuple[str, ...] = ()  # networks that may send; () any
    twin: str = ""  # inputs of one name bring the same, over two networks: what comes second is dropped
    stamps: str = "sensor"  # see `formats.asterix.live.Stamps`
    editions: tuple[tuple[str, str], ...] = ()
    sensors: tuple[str, ...] = ()  # ids that it may bring; () all
    poll_s: float = 1.0  # of what is asked again and again
    hello: str = ""  # sent when connected: what APRS servers want to know first
    clients_max: int = 8  # that may connect, of listen
    speed: float = 1.0  # of replay; seconds of recording per second
    loop: bool = False  # of replay
    stepped_s: float = 0.0  # of replay: time stands until somebody asks for a step, and goes by this; 0 it runs
    rate_max: float = 50_000.0  # records a second; what's beyond is shed and counted, so that one flood hurts one input

    def source(self) -> Source:
        """Return what decoding must know of it."""
        if self.format == "replay":
            return Source(self.name, "plots")
        if not self.format:
            return Source(self.name, "auto", True)
        stream = self.format != "plots" and self.address.transport in ("tcp", "listen", "stdin")
        return Source(self.name, self.format, stream, self.stamps, self.editions, self.sensors)


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """One output: what is sent where, and how often."""

    name: str
    format: str  # of `address.OUT`
    address: Address
    period_s: float = 1.0  # between updates
    changes: bool = False  # CAT062: send each track as soon as it changes, instead of all of them each period
    interface: str = ""  # UDP: address of the interface to send multicast on
    ttl: int = 1  # of multicast
    sac: int = 0
    sic: int = 1
    tentative: bool = False  # CAT062: send tentative tracks too, marked so
    clients_max: int = 32  # of listen
    rotate_s: float = 3600.0  # of parquet
    keep_h: float = 24 * 30.0  # of parquet
    token_file: str = ""  # of webhook: sent as a bearer token


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The HTTP side: map, snapshots, metrics."""

    host: str = LOOPBACK
    port: int = 8080
    token_file: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    origins: tuple[str, ...] = ()  # further origins that pages may come from, and hosts that the service goes by
    clients_max: int = 64  # connections at a time
    title: str = "Airpicture"


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """Where what comes in is kept, and how much of it."""

    folder: str = ""  # "" a temporary one in memory, of a few minutes: enough for a restart of the tracker
    rotate_mb: float = 64.0
    rotate_s: float = 3600.0
    keep_mb: float = 4096.0
    keep_h: float = 24 * 7.0
    sync_s: float = 0.1  # what a power cut may cost; a crash of a process costs nothing that was written


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it."""

    sensors: Sensors
    inputs: tuple[InputSettings, ...]
    outputs: tuple[OutputSettings, ...] = ()
    web: WebSettings = field(default_factory=WebSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    tracker: Config = field(default_factory=Config)
    step_s: float = 0.05  # least time between pictures; with data coming in, also the longest wait of a report
    checkpoint_s: float = 10.0
    alerts: AlertSettings = field(default_factory=AlertSettings)
    map: MapSettings = field(default_factory=MapSettings)
    recent_mb: float = RECENT_MB  # of history in memory, for displays that go back, where none is written to disk
    text: str = ""  # the file
    name: str = ""  # of the file, for messages
    notes: tuple[str, ...] = ()  # sentences for whoever starts it

    @property
    def replaying(self) -> bool:
        """Whether all there is comes from recordings: time is theirs then, and may run faster."""
        return all(one.format == "replay" for one in self.inputs)

    @property
    def stepped_s(self) -> float:
        """Seconds of a step where the time of the recordings stands between steps, 0 where it runs."""
        return self.inputs[0].stepped_s if self.replaying and self.inputs else 0.0

    def sources(self) -> list[Source]:
        """Return what decoding must know of the inputs."""
        return [one.source() for one in self.inputs]
