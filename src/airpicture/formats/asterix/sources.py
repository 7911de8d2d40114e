"""Who sends: SAC/SIC of the records to rows of the sensor table, described sensors and discovered ones together.

A sensor is found by SAC, SIC and kind: at an airport one SAC/SIC often stands for the ADS-B receivers and for the
multilateration alike. What nobody described is taken from the service messages: sites (I034/120, I019/600 and 610) and
antenna periods (I034/041, I002/041, or the time between north marks). A radar that sends none tells its period by its
plots: see `formats.turns`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from airpicture.formats.asterix.decode import Records
from airpicture.formats.asterix.units import si
from airpicture.formats.sensors import discovered, merge_sensors
from airpicture.formats.turns import turn_note, turn_of
from airpicture.tables import F64, I32, I64, SensorKind, Sensors
from airpicture.units import DEG, SECOND_NS
from airpicture.words import counted

if TYPE_CHECKING:
    from airpicture.formats.asterix.targets import Targets

# The kind of sensor that a service category speaks of.
SERVICE_KINDS = {2: SensorKind.RADAR, 34: SensorKind.RADAR, 19: SensorKind.MLAT, 23: SensorKind.ADSB}
FIELDS: dict[int, tuple[str, ...]] = {
    2: ("000", "041"),
    19: ("600/LAT", "600/LON", "610"),
    34: ("000", "041", "120/HGT", "120/LAT", "120/LON"),
}
NORTH_MARK = {2: 1, 34: 1}  # message type in item 000
PERIOD_MAX = 60.0  # s: no antenna takes a minute; a longer gap between north marks is a gap in the recording


@dataclass(frozen=True, slots=True)
class Found:
    """The sensor table, and the row of each sender."""

    sensors: Sensors
    rows: dict[tuple[int, int], int]  # (SAC * 256 + SIC, kind) -> row
    notes: tuple[str, ...]

    def lookup(self, sources: I64, kinds: np.ndarray[Any, np.dtype[np.uint8]]) -> I32:
        """Return the row of each report."""
        found = np.full(len(sources), -1, np.int32)
        for (source, kind), row in self.rows.items():
            found[(sources == source) & (kinds == kind)] = row
        return found


def source_of(records: Records) -> I64:
    """Return SAC * 256 + SIC of each record, -1 where it doesn't say."""
    sac, sic = records.integers("010/SAC"), records.integers("010/SIC")
    return np.where((sac >= 0) & (sic >= 0), sac * 256 + sic, -1)


def _middle(values: F64) -> float:
    """Return the median of the finite values, NaN without any."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _learn(records: Mapping[int, Records], t_ns: Mapping[int, I64]) -> dict[tuple[int, int], dict[str, float]]:
    """Return what service messages tell of their senders, in the keys of sensors.toml."""
    learnt: dict[tuple[int, int], dict[str, float]] = {}
    for category, kind in SERVICE_KINDS.items():
        if category not in records:
            continue
        service = records[category]
        sources = source_of(service)
        for source in np.unique(sources[sources >= 0]).tolist():
            mine = sources == source
            known = learnt.setdefault((source, int(kind)), {})
            if category in NORTH_MARK:
                period = _middle(np.where(mine, si(service, "041"), np.nan))
                if not period > 0:
                    marks = t_ns[category][mine & (service.raw["000"] == NORTH_MARK[category])]
                    gaps = np.diff(np.sort(marks[marks >= 0])) / SECOND_NS
                    gaps = gaps[(gaps > 0.1) & (gaps < PERIOD_MAX)]
                    period = _middle(gaps) if len(gaps) >= 3 else float("nan")
                if 0.01 <= period <= PERIOD_MAX:
                    known["period_s"] = round(period, 4)
            if category in (19, 34):
                item, height = ("600", "610") if category == 19 else ("120", "120/HGT")
                lat = _middle(np.where(mine, si(service, f"{item}/LAT"), np.nan)) / DEG
                lon = _middle(np.where(mine, si(service, f"{item}/LON"), np.nan)) / DEG
                h = _middle(np.where(mine, si(service, height), np.nan))
                if abs(lat) <= 90 and abs(lon) <= 180 and (lat, lon) != (0.0, 0.0):
                    known |= {"lat_deg": lat, "lon_deg": lon}
                    if np.isfinite(h):
                        known["h_ell_m"] = h
    return learnt


def _turns(
    senders: Iterable[tuple[int, int]],
    records: Mapping[int, Records],
    reports: Mapping[int, Targets],
    t_ns: Mapping[int, I64],
) -> dict[tuple[int, int], float]:
    """Return the times [s] in which the antennas of radars turn, where their plots tell."""
    origin = {category: source_of(records[category])[found.rows] for category, found in reports.items()}
    turns = {}
    for source, kind in senders:
        if kind != SensorKind.RADAR:
            continue
        mine = {category: (origin[category] == source) & (reports[category].kind == kind) for category in reports}
        times = [t_ns[category][found.rows[mine[category]]] for category, found in reports.items()]
        azimuths = [found.azimuth[mine[category]] for category, found in reports.items()]
        turn = turn_of(np.concatenate(times), np.concatenate(azimuths)) if reports else float("nan")
        if np.isfinite(turn):
            turns[source, kind] = round(turn, 3)
    return turns


def find_sensors(
    senders: Mapping[tuple[int, int], int],
    records: Mapping[int, Records],
    reports: Mapping[int, Targets],
    t_ns: Mapping[int, I64],
    sensors: Sensors | None,
    *,
    needs_site: set[tuple[int, int]],
) -> Found:
    """Build the sensor table of a recording.

    Parameters
    ----------
    senders : (SAC * 256 + SIC, kind) -> number of reports, in the order in which they first occur
    records, t_ns : by category; reports : those of targets, likewise
    sensors : the described ones, or None
    needs_site : senders whose reports can't be placed on the Earth without a site
    """
    learnt = _learn(records, t_ns)
    notes: list[str] = []
    rows: dict[tuple[int, int], int] = {}
    new: list[tuple[int, int]] = []
    for sender in senders:
        row = _described(sensors, *sender) if sensors is not None else -1
        if row >= 0:
            rows[sender] = row
            assert sensors is not None
            if sensors.kind[row] != sender[1]:
                notes.append(_mixed_note(sensors, row, sender, senders[sender]))
        else:
            new.append(sender)
    silent = [sender for sender in senders if "period_s" not in learnt.get(sender, {})]
    if sensors is not None:
        silent = [sender for sender in silent if sender in new or np.isnan(sensors.period[rows[sender]])]
    turns = _turns(silent, records, reports, t_ns)
    for sender, turn in turns.items():
        learnt.setdefault(sender, {})["period_s"] = turn
    if sensors is not None:
        sensors = _completed(sensors, rows, learnt, notes)
    table = discovered(
        {
            "sac": source >> 8,
            "sic": source & 255,
            "kind": SensorKind(kind).name.lower(),
            **learnt.get((source, kind), {}),
        }
        for source, kind in new
    )
    if sensors is None:
        merged, places = table, np.arange(len(table.ids), dtype=np.int64)
    else:
        ids = list(table.ids)
        for k, (_, kind) in enumerate(new):
            if ids[k] in sensors.ids:  # described, but as another kind or under another SAC/SIC
                ids[k] = f"{ids[k]}-{SensorKind(kind).name.lower()}"
        merged, lookups = merge_sensors([sensors, replace(table, ids=tuple(ids))])
        places = lookups[1].astype(np.int64)
        rows = {sender: int(lookups[0][row]) for sender, row in rows.items()}
    for k, sender in enumerate(new):
        rows[sender] = int(places[k])
        if sensors is not None:
            notes.append(
                f"sensor {merged.ids[rows[sender]]!r} ({SensorKind(sender[1]).name.lower()}, "
                f"{counted(senders[sender], 'report')}) isn't in the sensor table and was added"
            )
    notes += [turn_note(merged.ids[rows[sender]], turn) for sender, turn in turns.items()]
    for sender in senders:
        row = rows[sender]
        if sender in needs_site and np.isnan(merged.lat[row]):
            notes.append(_site_note(merged, row, senders[sender]))
    return Found(merged, rows, tuple(notes))


def _described(sensors: Sensors, source: int, kind: int) -> int:
    """Return the row of a described sensor, -1 where there's none."""
    same = np.flatnonzero((sensors.sac == source >> 8) & (sensors.sic == (source & 255)))
    for row in same.tolist():
        if sensors.kind[row] == kind:
            return int(row)
    reported = (SensorKind.ADSB, SensorKind.MLAT)
    for row in same.tolist():  # ADS-B or multilateration: people call a mixed system either
        if kind in reported and sensors.kind[row] in reported:
            return int(row)
    return -1


def _completed(
    sensors: Sensors,
    rows: Mapping[tuple[int, int], int],
    learnt: Mapping[tuple[int, int], Mapping[str, float]],
    notes: list[str],
) -> Sensors:
    """Fill in what a description leaves open and the sensor itself tells."""
    columns = {name: getattr(sensors, name).copy() for name in ("lat", "lon", "h_ell", "period")}
    for sender, row in rows.items():
        told = learnt.get(sender, {})
        if np.isnan(columns["lat"][row]) and "lat_deg" in told:
            columns["lat"][row], columns["lon"][row] = told["lat_deg"] * DEG, told["lon_deg"] * DEG
            columns["h_ell"][row] = told.get("h_ell_m", columns["h_ell"][row])
            notes.append(f"the site of sensor {sensors.ids[row]!r} is taken from its own messages")
        if np.isnan(columns["period"][row]) and "period_s" in told:
            columns["period"][row] = told["period_s"]
    return replace(sensors, **columns)


def _mixed_note(sensors: Sensors, row: int, sender: tuple[int, int], reports: int) -> str:
    """Return the sentence that says whose reports were taken for a described sensor's of another kind."""
    kind, known = (SensorKind(int(k)).name.lower() for k in (sender[1], sensors.kind[row]))
    return (
        f"{counted(reports, f'{kind} report')} of {sender[0] >> 8}/{sender[0] & 255}: taken for those of sensor "
        f"{sensors.ids[row]!r} ({known}); where they are another system's, describe a sensor of kind "
        f"{kind!r} with that SAC/SIC"
    )


def _site_note(sensors: Sensors, row: int, reports: int) -> str:
    """Return the sentence that tells a user what to write for a sensor without site."""
    kind = SensorKind(int(sensors.kind[row])).name.lower()
    lines = ["[[sensor]]", f'id = "{sensors.ids[row]}"', f'kind = "{kind}"']
    lines += [f"sac = {sensors.sac[row]}", f"sic = {sensors.sic[row]}"]
    lines += ["lat_deg = ...  # of the antenna, WGS-84", "lon_deg = ...", "h_ell_m = ...  # above the ellipsoid"]
    if np.isfinite(sensors.period[row]):
        lines.append(f"period_s = {sensors.period[row]:g}")
    elif kind == "radar":
        lines.append("period_s = ...  # one turn of the antenna")
    return (
        f"where {kind} {sensors.ids[row]!r} stands isn't known, so {counted(reports, 'report')} of it can't be placed "
        "on the Earth; pass a sensors.toml with:\n" + "\n".join(lines)
    )
