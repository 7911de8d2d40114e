"""Accounts that several commands give: of a recording that was read, of a run of the tracker, of tracks."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from airpicture.commands.console import count, metres, note, progress, rate, seconds
from airpicture.tables import F64, Plots, Sensors, Status, Tracks
from airpicture.units import SECOND_NS
from airpicture.words import counted

if TYPE_CHECKING:
    from airpicture.config import Config, Method
    from airpicture.formats.recording import ReadReport, Recording

NOTES_SHOWN = 8
REFUSALS_SHOWN = 5
REFUSED = "refused_"  # begins the names of the tracker's counts of refused plots
# What the tracker leaves out where a bound is reached, by the names of its counts.
SHED = {
    "births_shed": ("new track (no room for more)", "new tracks (no room for more)"),
    "pool_overflow": ("plot that waited for a second one (likewise)", "plots that waited for a second one (likewise)"),
    "pairs_shed": ("trial of a plot on a far track", "trials of plots on far tracks"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """Tracks of one run of the tracker, what was refused and left out by reason, and how long it took."""

    tracks: Tracks
    refused: Mapping[str, int] | None  # None: not counted
    plots: int
    span_s: float  # of the recording
    took_s: float  # of the tracker, without reading
    shed: Mapping[str, int] = field(default_factory=dict)

    @property
    def confirmed(self) -> int:
        """Number of tracks that were confirmed at some time."""
        return len(np.unique(self.tracks.track[confirmed_rows(self.tracks)]))


def confirmed_rows(tracks: Tracks) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which rows are of a confirmed or coasting track."""
    return np.asarray((tracks.status == Status.CONFIRMED) | (tracks.status == Status.COASTING))


def sigma_per_axis(tracks: Tracks) -> F64:
    """Return the horizontal standard deviation per axis [m] of each confirmed row."""
    rows = tracks.status == Status.CONFIRMED
    sigma: F64 = np.sqrt((tracks.sigma_east[rows] ** 2 + tracks.sigma_north[rows] ** 2) / 2)
    return sigma[np.isfinite(sigma)]


def utc(t_ns: int) -> str:
    """Return a time for reading."""
    return datetime.fromtimestamp(t_ns / SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M:%S")


def span_s(plots: Plots) -> float:
    """Return the time between the first and the last plot [s]."""
    return float(plots.t_ns.max() - plots.t_ns.min()) / SECOND_NS if len(plots) else 0.0


def read_inputs(inputs: Sequence[str], how: Mapping[str, Any], quiet: bool = False) -> Recording:
    """Read recordings as one; folders, which may hold thousands of files, with a bar on standard error."""
    from airpicture.commands.warm import tell_of_mode_s
    from airpicture.formats import open_recording

    tell_of_mode_s(inputs, quiet)
    if not any(os.path.isdir(name) for name in inputs):
        return open_recording(list(inputs), **how)
    with progress("Reading", "files", quiet) as report:
        return open_recording(list(inputs), progress=report, **how)


def tracker_settings(
    recording: Recording, quiet: bool = False, *, association: Method | None = None, period_s: float | None = None
) -> Config:
    """Return the settings to track a recording with, and say which aren't those of any recording.

    These are what its live service tracked with, where it tells so that the tracks are what they were; what a command
    asks for comes first. None: it doesn't ask.
    """
    from airpicture.config import Config

    config = recording.config or Config()
    if asked := {**({"association": association} if association else {}), **({"period": period_s} if period_s else {})}:
        method = association or config.association.method
        config = replace(
            config,
            association=replace(config.association, method=method),
            output_period_s=period_s or config.output_period_s,
        )
    if recording.config is not None:
        told = ", ".join(f"{name} = {value}" for name, value in recording.config.differing(Config()).items())
        but = f", but for {' and '.join(f'--{name}' for name in asked)}" if asked else ""
        note(f"Note: tracked with its service's settings{f' ({told})' if told else ''}{but}", quiet)
    return config


def run_tracker(
    plots: Plots,
    sensors: Sensors,
    config: Config,
    title: str,
    quiet: bool = False,
    in_hindsight: bool = False,
    period_s: float | None = None,
) -> Run:
    """Track plots on all cores, with a bar on standard error; on how many there are the tracks don't depend.

    in_hindsight : smooth the tracks; period_s : then, between rows; None: rows at the plots
    """
    from airpicture.bench.machine import cores
    from airpicture.commands.warm import tell_of_messages
    from airpicture.parallel import workers
    from airpicture.tracker import track_with_counts

    if not (np.isfinite(plots.azimuth) | np.isfinite(plots.lat)).any():
        note(f"Note: {counted(len(plots), 'report tells', 'reports tell')} no position, so no track begins", quiet)
    tell_of_messages(plots, quiet)
    begun = time.monotonic()
    with workers(cores()) as run, progress(title, "plots", quiet) as report:
        if in_hindsight:
            from airpicture.smoothing import smooth

            tracks = smooth(plots, sensors, config, period_s=period_s, run=run, progress=report)
            return Run(tracks, None, len(plots), span_s(plots), time.monotonic() - begun)
        tracks, counts = track_with_counts(plots, sensors, config, progress=report, run=run)
    took = time.monotonic() - begun
    refused = {name.removeprefix(REFUSED): n for name, n in counts.items() if n and name.startswith(REFUSED)}
    shed = {words[n != 1]: n for name, words in SHED.items() if (n := counts.get(name, 0))}
    return Run(tracks, refused, len(plots), span_s(plots), took, shed)


def reading_rows(report: ReadReport, plots: Plots) -> list[tuple[str, str]]:
    """Return what was read, as names and values."""
    rows = [("input", report.path), ("format", f"{report.format}, {counted(report.size, 'byte')}")]
    if report.records:
        rows.append(("records", ", ".join(f"{label(name)}: {count(n)}" for name, n in sorted(report.records.items()))))
    if report.editions:
        rows.append(("editions", ", ".join(f"{label(name)} {text}" for name, text in sorted(report.editions.items()))))
    rows.append(("refused in reading", by_reason(report.refused)))
    rows.append(("plots", count(len(plots))))
    if len(plots):
        rows.append(("time", f"{utc(int(plots.t_ns.min()))} to {utc(int(plots.t_ns.max()))} UTC"))
    return rows


def run_rows(run: Run) -> list[tuple[str, str]]:
    """Return what the tracker did, as names and values."""
    sigma = sigma_per_axis(run.tracks)
    rows = [
        ("refused in tracking", by_reason(run.refused) if run.refused is not None else "not counted in hindsight"),
        *([("shed in tracking", by_reason(run.shed))] if run.shed else []),
        ("tracks confirmed", f"{count(run.confirmed)}, {counted(len(run.tracks), 'state')}"),
    ]
    if len(sigma):
        rows.append(("sigma per axis", f"median {metres(float(np.median(sigma)))}, mean {metres(float(sigma.mean()))}"))
    rows.append(("duration", f"{seconds(run.span_s)} of recording, tracked in {seconds(run.took_s)}"))
    if run.took_s > 0:
        pace = f"{rate(run.plots / run.took_s)} plots/s"
        rows.append(("speed", f"{pace}, {run.span_s / run.took_s:.0f} x real time" if run.span_s else pace))
    return rows


def by_reason(refused: Mapping[str, int]) -> str:
    """Return counts by reason in one line."""
    if not refused:
        return "none"
    return ", ".join(
        f"{count(n)} {name.replace('_', ' ')}" for name, n in sorted(refused.items(), key=lambda item: -item[1])
    )


def label(category: str) -> str:
    """Return CAT048 for 048, CAT021 0/107 for 021@0/107, and other names as they are."""
    return f"CAT{category.replace('@', ' ')}" if category[:3].isdigit() else category


def tell_notes(report: ReadReport, quiet: bool = False) -> None:
    """Print what the reader wants the user to know, and the first refusals, on standard error."""
    for text in report.notes[:NOTES_SHOWN]:
        note(f"Note: {text}", quiet)
    if len(report.notes) > NOTES_SHOWN:
        note(f"Note: and {len(report.notes) - NOTES_SHOWN} more, see 'airpicture info'", quiet)
    for at, text in report.refusals[:REFUSALS_SHOWN]:
        note(f"Refused at {at}: {text}", quiet)
    left = sum(report.refused.values()) - min(len(report.refusals), REFUSALS_SHOWN)
    if report.refusals and left > 0:
        note(f"Refused: and {left:,} more, see 'airpicture info'", quiet)
