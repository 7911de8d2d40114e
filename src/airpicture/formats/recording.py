"""What reading a recording gives: plots, perhaps tracks, the sensors met, and an account of every record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from airpicture.config import Config
from airpicture.tables import Plots, Sensors, Tracks

# The reason under which files are counted that were unpacked only up to damage, or with damage in them.
BROKEN_OFF: Final = "gzip file cut off or damaged"
UNREAD_FILE: Final = "file that can't be read"  # likewise, one of many that gave nothing


class FromSource(NamedTuple):
    """Records of one ASTERIX category that one source sent, read in one edition."""

    category: str  # "021"
    source: str  # SAC/SIC, "0/107"; "" where the records don't say
    edition: str  # "0.23"
    records: int


@dataclass(frozen=True, slots=True)
class ReadReport:
    """An account of one input: what was read, what was refused and why. Counts add up: nothing is lost silently."""

    path: str
    format: str  # "ASTERIX in pcap", "plots parquet", "readsb aircraft.json", ...
    size: int = 0  # bytes
    records: dict[str, int] = field(default_factory=dict)  # "048" -> records decoded; other formats: "rows"
    refused: dict[str, int] = field(default_factory=dict)  # reason -> count of blocks, records or rows
    refusals: tuple[tuple[int, str], ...] = ()  # the first hundred: (byte offset or row, what was wrong)
    # As used: "021" -> "2.4", and "021@0/107" -> "0.23" for a source that was read in another; in this form they're
    # taken for reading, too.
    editions: dict[str, str] = field(default_factory=dict)
    sources: tuple[FromSource, ...] = ()  # ASTERIX: who sent what, in which edition it was read
    notes: tuple[str, ...] = ()  # sentences for the user: an edition that fits better, a sensor without site, ...


def with_breaks(report: ReadReport, told: Sequence[str]) -> ReadReport:
    """Add to an account what `files.read_bytes` told of files that are cut off or damaged."""
    if not told:
        return report
    return replace(report, refused=report.refused | {BROKEN_OFF: len(told)}, notes=(*told, *report.notes))


@dataclass(frozen=True, slots=True)
class Recording:
    """One input, read whole. ``plots.sensors``, ``tracks.sensors`` and ``sensors`` are the same table."""

    plots: Plots
    sensors: Sensors
    report: ReadReport
    tracks: Tracks | None = None  # system tracks, where the input holds them (CAT062, a tracks file)
    config: Config | None = None  # with which its plots were tracked live, where the input tells (a journal)
