"""``airpicture info``: what a recording holds, and what its reader made of it."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from airpicture.commands.options import how_to_read, reading
from airpicture.words import counted

if TYPE_CHECKING:
    from airpicture.formats.recording import FromSource, Recording

REFUSALS_SHOWN = 20
SOURCES_SHOWN = 60


@click.command("info")
@click.argument("inputs", nargs=-1, required=True, metavar="FILE...")
@reading
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    inputs: Sequence[str],
    sensor_file: str | None,
    editions: Sequence[tuple[str, str]],
    date: datetime.datetime | None,
    as_json: bool,
) -> None:
    """Say what recordings hold: records, sources and their editions, sensors, time, what was refused and where.

    For radars and bearings whose site isn't known a sensors.toml to complete is printed.
    """
    from airpicture.commands import account

    how = how_to_read(sensor_file, editions, date)
    found = [account.read_inputs([name], how, as_json) for name in inputs]
    if as_json:
        click.echo(
            json.dumps([_plain(recording) for recording in found], indent=2, ensure_ascii=False, allow_nan=False)
        )
        return
    for recording in found:
        _show(recording)


def _plain(recording: Recording) -> dict[str, Any]:
    """Return the account as plain values; null for unknown."""
    report, plots, tracks = recording.report, recording.plots, recording.tracks
    return {
        "path": report.path,
        "format": report.format,
        "bytes": report.size,
        "records": report.records,
        "editions": report.editions,
        "sources": [part._asdict() for part in report.sources],
        "refused": report.refused,
        "refusals": [{"at": at, "what": text} for at, text in report.refusals],
        "notes": list(report.notes),
        "plots": len(plots),
        "track_states": len(tracks) if tracks is not None else 0,
        "t_ns_first": int(plots.t_ns.min()) if len(plots) else None,
        "t_ns_last": int(plots.t_ns.max()) if len(plots) else None,
        "sensors": _sensors(recording),
    }


def _sensors(recording: Recording) -> list[dict[str, Any]]:
    import numpy as np

    from airpicture.tables import SensorKind
    from airpicture.units import DEG

    sensors, plots = recording.sensors, recording.plots
    counts = np.bincount(plots.sensor[plots.sensor >= 0], minlength=len(sensors))

    def known(value: float, factor: float = 1.0, digits: int = 6) -> float | None:
        return round(float(value) / factor, digits) if np.isfinite(value) else None

    return [
        {
            "id": sensors.ids[k],
            "kind": SensorKind(int(sensors.kind[k])).name.lower(),
            "sac": int(sensors.sac[k]) if sensors.sac[k] >= 0 else None,
            "sic": int(sensors.sic[k]) if sensors.sic[k] >= 0 else None,
            "lat_deg": known(sensors.lat[k], DEG),
            "lon_deg": known(sensors.lon[k], DEG),
            "period_s": known(sensors.period[k], digits=3),
            "plots": int(counts[k]),
        }
        for k in range(len(sensors))
    ]


def _show(recording: Recording) -> None:
    from airpicture.commands import account, console

    report, plots, tracks = recording.report, recording.plots, recording.tracks
    out = console.output()
    rows = account.reading_rows(report, plots)
    if tracks is not None and len(tracks):
        times = f"{account.utc(int(tracks.t_ns.min()))} to {account.utc(int(tracks.t_ns.max()))} UTC"
        import numpy as np

        held = f"{counted(len(np.unique(tracks.track)), 'track')}, {counted(len(tracks), 'state')}"
        rows.append(("system tracks", f"{held}, {times}"))
    out.print(console.table("", rows))
    sensors = _sensors(recording)
    if sensors:
        cells = [
            (
                s["id"],
                s["kind"],
                "-" if s["sac"] is None else f"{s['sac']}/{s['sic']}",
                "unknown" if s["lat_deg"] is None else f"{s['lat_deg']:.5f}, {s['lon_deg']:.5f}",
                "-" if s["period_s"] is None else f"{s['period_s']:g} s",
                console.count(s["plots"]),
            )
            for s in sensors
        ]
        out.print(console.grid("Sensors", ["id", "kind", "SAC/SIC", "site", "period", "plots"], cells, left=5))
    _show_sources(report.sources)
    for text in report.notes:
        out.print(console.clean(f"Note: {text}"), soft_wrap=True)
    if report.refusals:
        shown = [(str(at), text) for at, text in report.refusals[:REFUSALS_SHOWN]]
        out.print(console.grid(f"Refused, the first {len(shown)}", ["at byte or row", "what was wrong"], shown, left=2))
    if not any("[[sensor]]" in text for text in report.notes):  # some readers give the same advice themselves
        _skeleton(recording)


def _show_sources(parts: Sequence[FromSource]) -> None:
    """Print who sent what, and in which edition it was read."""
    from airpicture.commands import console

    if not parts:
        return
    cells = [(p.source or "unknown", f"CAT{p.category}", p.edition, console.count(p.records)) for p in parts]
    columns = ["SAC/SIC", "category", "read in edition", "records"]
    console.output().print(console.grid("Sources", columns, cells[:SOURCES_SHOWN], left=3))
    if (more := len(cells) - SOURCES_SHOWN) > 0:
        console.output().print(f"and {more:,} more, see --json")


def _skeleton(recording: Recording) -> None:
    """Print a sensors.toml for what measures from a site, has plots, and stands nobody knows where."""
    import numpy as np

    from airpicture.commands import console
    from airpicture.formats.sensors import sensors_to_toml
    from airpicture.tables import SensorKind

    sensors, plots = recording.sensors, recording.plots
    met = np.bincount(plots.sensor[plots.sensor >= 0], minlength=len(sensors)) > 0
    measures = (sensors.kind == SensorKind.RADAR) | (sensors.kind == SensorKind.PASSIVE)
    lost = met & measures & ~np.isfinite(sensors.lat + sensors.lon)
    if not lost.any():
        return
    text = sensors_to_toml(sensors.take(lost))
    missing = ["lat_deg = ...  # of the antenna, WGS-84", "lon_deg = ...", "h_ell_m = ...  # above the ellipsoid"]
    filled = []
    for table in text.split("\n\n"):
        for line in table.splitlines():
            filled.append(line)
            if line.startswith("kind = "):
                filled += missing
        if "period_s = " not in table and 'kind = "radar"' in table:
            filled.append("period_s = ...  # one turn of the antenna")
        filled.append("")
    out = console.output()
    out.print(
        f"Sensors without a known site: {int(lost.sum())}. Their plots can't be placed. Complete this, save it as "
        "sensors.toml and pass it with --sensors:\n",
        soft_wrap=True,
    )
    out.print(console.clean("\n".join(filled[:-1])), soft_wrap=True)
