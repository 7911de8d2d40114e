"""`read_asterix`: bytes of a recording in, plots, system tracks, sensors and an account of every record out."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping

import numpy as np

from airpicture.errors import InputError
from airpicture.formats.asterix import clock, sources, systemtracks, targets
from airpicture.formats.asterix.decode import (
    REASONS,
    Records,
    Walked,
    extract,
    in_one,
    sources_of_blocks,
    walk_by_source,
)
from airpicture.formats.asterix.editions import Choice, choose_editions, edition_key, source_name
from airpicture.formats.asterix.fitting import notes_on_editions
from airpicture.formats.asterix.framing import Framed, frame
from airpicture.formats.asterix.targets import Targets
from airpicture.formats.recording import FromSource, ReadReport, Recording
from airpicture.geo import enu_to_geodetic
from airpicture.tables import F64, I32, I64, Plots, Sensors
from airpicture.words import counted

REFUSALS_SHOWN = 100
EARTH_RADIUS = 6_371_000.0  # m, mean; for the fall of the Earth below a plane, where a percent doesn't matter


def fields_of(category: int) -> list[str]:
    """Return the fields that reading a category needs."""
    paths = ["010/SAC", "010/SIC", *clock.TIME_FIELDS[category]]
    if category == 1:
        paths.append(clock.TRUNCATED_FIELD)
    if category == 21:
        paths += clock.PRECISE_FIELDS
    if category == 62:
        paths += systemtracks.FIELDS
    paths += targets.FIELDS.get(category, ())
    paths += sources.FIELDS.get(category, ())
    return list(dict.fromkeys(paths))


def read_asterix(
    data: bytes,
    *,
    path: str = "",
    sensors: Sensors | None = None,
    editions: Mapping[str, str] | None = None,
    date: datetime.date | None = None,
) -> Recording:
    """Read a recording of ASTERIX data blocks, raw or captured.

    Parameters
    ----------
    data : the file's contents
    path : for messages
    sensors : the described sensors, found by SAC, SIC and kind; others are added as discovered
    editions : by category, as {"021": "2.4"}, and by category and source (SAC/SIC) where one sends another, as
        {"021@0/107": "0.23"}; the newest where none is given. A block is read in the edition of the source of its first
        record
    date : day of the first time stamp; None: the capture tells, else 1970-01-01 is taken and noted

    Raises
    ------
    ConfigError : an unknown category or edition, SAC or SIC beyond 255
    InputError : no data, or no data block in it
    """
    chosen = choose_editions(editions)
    if not data:
        raise InputError("the file is empty", expected="ASTERIX data blocks", path=path)
    framed = frame(data)
    if not len(framed.blocks):
        raise InputError(
            f"no ASTERIX data block found in {counted(len(data), 'byte')}",
            expected="blocks end to end, pcap, pcapng, final (.ff) or reader_network (.gps) frames",
            todo="Look at its first bytes: a block starts with the category and two bytes of length. (Samples of a "
            "radio want a demodulator first: dump1090 and readsb make Beast or AVR of them)",
            path=path,
        )
    records, used = _decode(framed, chosen)
    origin = {category: sources.source_of(found) for category, found in records.items()}
    times = clock.assign_times(records, origin, framed.blocks, date)
    framed.notes += times.notes
    if times.impossible:
        framed.notes.append(f"{counted(times.impossible, 'record has', 'records have')} a time of day beyond 24 h")
    if times.borrowed:
        framed.notes.append(f"{counted(times.borrowed, 'record')} without time got the last known time of the source")

    left: Counter[str] = Counter()
    reports = {c: read(records[c], left) for c, read in targets.READERS.items() if c in records}
    for category, found in reports.items():
        leave(found, times.t_ns[category][found.rows] < 0, left, f"CAT{category:03d} no time (report)")
    senders, needs_site = _senders(records, reports, origin)
    table = sources.find_sensors(senders, records, reports, times.t_ns, sensors, needs_site=needs_site)
    plots = [
        plots_of(found, category, times.t_ns[category], origin[category], table, left)
        for category, found in reports.items()
    ]
    tracks = None
    if 62 in records:
        tracks, notes = systemtracks.read_tracks_062(records[62], times.t_ns[62], framed.blocks, table.sensors, left)
        framed.notes += notes
    if sum(left.values()):
        framed.refused += left
    report = ReadReport(
        path=path,
        format=framed.form,
        size=len(data),
        records={f"{category:03d}": len(found) for category, found in records.items()},
        refused=dict(framed.refused),
        refusals=tuple(sorted(framed.refusals)[:REFUSALS_SHOWN]),
        editions=used,
        sources=tuple(part for found in records.values() for part in _by_source(found)),
        notes=(*framed.notes, *table.notes),
    )
    whole = Plots.concat(plots) if plots else Plots.empty(table.sensors)
    return Recording(whole.in_time_order(), table.sensors, report, tracks)


def _decode(framed: Framed, choice: Choice) -> tuple[dict[int, Records], dict[str, str]]:
    """Decode all categories; refused blocks go to the account, with the edition that would fit them better.

    Returns the records by category, and the editions used in the form of `ReadReport.editions`.
    """
    blocks = framed.blocks
    kinds = blocks.category()
    decoded, used = {}, {}
    for category in np.unique(kinds).tolist():
        rows = np.flatnonzero(kinds == category)
        if category not in choice.of_category:
            framed.refused[f"CAT{category:03d} isn't decoded (block)"] += len(rows)
            framed.refusals += [
                (framed.file_offset(int(blocks.offset[row])), f"CAT{category:03d} isn't decoded")
                for row in rows[:REFUSALS_SHOWN]
            ]
            continue
        parts = walk_by_source(blocks, rows, category, choice)
        for walked in parts:
            _account(walked, framed)
        framed.notes += notes_on_editions(blocks, parts, choice)
        decoded[category] = in_one([extract(blocks, walked, fields_of(category)) for walked in parts])
        if choice.of_category[category] in decoded[category].editions:
            used[edition_key(category)] = choice.of_category[category]
        if own := choice.of_source.get(category):
            sent = set(np.unique(sources_of_blocks(blocks, rows)).tolist())
            used |= {edition_key(category, source): name for source, name in own.items() if source in sent}
            framed.notes += _strays(decoded[category], choice)
    return decoded, used


def _account(walked: Walked, framed: Framed) -> None:
    """Count the refused blocks by reason, and say where the first are."""
    name = f"CAT{walked.edition.category:03d}"
    bad = np.flatnonzero(walked.reasons != 0)
    for reason, count in zip(*np.unique(walked.reasons[bad], return_counts=True), strict=True):
        framed.refused[f"{name} {REASONS[int(reason)]} (block)"] += int(count)
    for k in bad[:REFUSALS_SHOWN].tolist():
        start = int(framed.blocks.offset[walked.rows[k]])
        what, inside = REASONS[int(walked.reasons[k])], int(walked.faults[k]) - start
        text = f"{name} block refused: {what}, at byte {inside} of the block"
        framed.refusals.append((framed.file_offset(start), text))


def _strays(records: Records, choice: Choice) -> list[str]:
    """Return the note on records in blocks that begin with a record of another source, which sends another edition."""
    source = sources.source_of(records)
    editions, which = choice.split(records.category, source)
    expected = np.array([records.editions.index(e.name) if e.name in records.editions else -1 for e in editions])
    count = int(((expected[which] != records.which) & (source >= 0)).sum())
    if not count:
        return []
    return [
        counted(count, f"CAT{records.category:03d} record stands", f"CAT{records.category:03d} records stand")
        + " in blocks that begin with a record of another source, whose edition they're read in: a block is read in one"
    ]


def _by_source(records: Records) -> list[FromSource]:
    """Return how many records each source sent in each edition."""
    key = (sources.source_of(records) + 1) * len(records.editions) + records.which
    counts = np.bincount(key)
    return [
        FromSource(
            f"{records.category:03d}",
            source_name(k // len(records.editions) - 1),
            records.editions[k % len(records.editions)],
            int(counts[k]),
        )
        for k in np.flatnonzero(counts).tolist()
    ]


def leave(found: Targets, mask: np.ndarray[tuple[int], np.dtype[np.bool_]], left: Counter[str], why: str) -> None:
    """Drop rows of a table of targets, and count them."""
    if count := int(mask.sum()):
        left[why] += count
        for name in Targets.__dataclass_fields__:
            setattr(found, name, getattr(found, name)[~mask])


def _senders(
    records: Mapping[int, Records], reports: Mapping[int, Targets], origin: Mapping[int, I64]
) -> tuple[dict[tuple[int, int], int], set[tuple[int, int]]]:
    """Return who sent how many reports, in the order of the input, and whose reports need a site."""
    first: dict[tuple[int, int], int] = {}
    counts: Counter[tuple[int, int]] = Counter()
    needs_site = set()
    for category, found in reports.items():
        keys = origin[category][found.rows] * 256 + found.kind
        unplaced = np.isnan(found.lat)
        for key, start, count in zip(*np.unique(keys, return_index=True, return_counts=True), strict=True):
            sender = (int(key) >> 8, int(key) & 255)
            if sender[0] < 0:
                continue
            counts[sender] += int(count)
            first[sender] = min(first.get(sender, 1 << 62), int(records[category].offset[found.rows[start]]))
            if (unplaced & (keys == key)).any():
                needs_site.add(sender)
    for category, kind in sources.SERVICE_KINDS.items():
        if category in records:
            for source in np.unique(origin[category]).tolist():
                if source >= 0 and (source, int(kind)) not in first:
                    start = int(np.argmax(origin[category] == source))
                    first[source, int(kind)] = int(records[category].offset[start])
    return {sender: counts[sender] for sender in sorted(first, key=lambda sender: first[sender])}, needs_site


def plots_of(found: Targets, category: int, t_ns: I64, origin: I64, table: sources.Found, left: Counter[str]) -> Plots:
    """Return the plots of one category, Cartesian positions placed on the Earth."""
    sensor = table.lookup(origin[found.rows], found.kind)
    unknown = sensor < 0
    if unknown.any():
        leave(found, unknown, left, f"CAT{category:03d} no source (report)")
        sensor = sensor[~unknown]
    lat, lon = _placed(found, sensor, table.sensors)
    lost = np.isnan(lat) & np.isnan(found.slant_range)
    if lost.any():
        leave(found, lost, left, f"CAT{category:03d} position in a plane without reference point (report)")
        sensor, lat, lon = sensor[~lost], lat[~lost], lon[~lost]
    return Plots.blank(
        len(found.rows),
        table.sensors,
        t_ns=t_ns[found.rows],
        sensor=sensor,
        slant_range=found.slant_range,
        azimuth=found.azimuth,
        lat=lat,
        lon=lon,
        h_ell=found.h_ell,
        sigma_pos=found.sigma_pos,
        h_baro=found.h_baro,
        mode_3a=found.mode_3a,
        address=found.address,
        callsign=found.callsign,
        v_east=found.v_east,
        v_north=found.v_north,
        on_ground=found.on_ground,
        category=found.category,
        technology=found.technology,
    )


def _placed(found: Targets, sensor: I32, sensors: Sensors) -> tuple[F64, F64]:
    """Return latitude and longitude: as reported, or from x and y in the plane at the sensor's reference point.

    ::

        plane  ----O-----x,y------      the target is z above (x, y), or as far above it as its height and the
                     '-.   |            fall of the Earth (d²/2R) tell
        Earth              '-.*         no height at all: on the ground

    The height matters: 10 km up and 30 km away, the foot on the plane and the foot on the Earth lie 47 m apart.
    """
    lat, lon = found.lat.copy(), found.lon.copy()
    flat = np.flatnonzero(np.isnan(lat) & ~np.isnan(found.x))
    if not len(flat):
        return lat, lon
    x, y, row = found.x[flat], found.y[flat], sensor[flat]
    h0 = sensors.h_ell[row]
    height = np.where(np.isnan(found.h_ell[flat]), found.h_baro[flat], found.h_ell[flat])
    height = np.where(np.isnan(height), h0, height)
    up = np.where(np.isnan(found.z[flat]), height - h0 - (x * x + y * y) / (2 * EARTH_RADIUS), found.z[flat])
    lat[flat], lon[flat], _ = enu_to_geodetic(x, y, up, sensors.lat[row], sensors.lon[row], h0)
    return lat, lon
