"""Between the tables of this package and the columns of exchanged files: degrees, feet, text and null on one side.

The columns themselves are decided in ``schemas``, the files in ``tablefiles``, arrays from users' own programs in
``owncolumns``; their names are importable from here.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.errors import InputError, Reason
from airpicture.formats import emitters
from airpicture.formats.arrow import Table, pa, pc
from airpicture.formats.guesses import guess_notes, guess_sensors, some
from airpicture.formats.onecolumn import (
    callsigns,
    code,
    floats,
    from_yes_or_no,
    names_of,
    numbered,
    packed,
    seen_from,
    seen_lists,
    yes_or_no,
)
from airpicture.formats.owncolumns import guess_technology, plots_from_columns, wrap_longitude
from airpicture.formats.rows import REFUSALS_MAX, doubtful_times, judge, numbers, refuse, sound_numbers
from airpicture.formats.schemas import arrow_schema
from airpicture.formats.tablefiles import Loaded, load_table, read_table, typed, write_table
from airpicture.tables import I32, Plots, Sensors, Status, Tracks, Truth
from airpicture.units import DEG, FT, TAU

__all__ = [
    "Checked",
    "load_table",
    "plots_from_arrow",
    "plots_from_columns",
    "plots_from_loaded",
    "plots_to_arrow",
    "read_table",
    "tracks_from_arrow",
    "tracks_from_loaded",
    "tracks_to_arrow",
    "truth_from_arrow",
    "truth_from_loaded",
    "truth_to_arrow",
    "write_table",
]

_STATUS: Final = tuple(status.name.lower() for status in Status)


class Checked(NamedTuple):
    """Plots of a file and an account of the rows that were left out."""

    plots: Plots
    refused: dict[str, int]  # Reason name -> rows
    refusals: tuple[tuple[int, str], ...]  # the first hundred: number of the row, what was wrong
    notes: tuple[str, ...]


# ---------------------------------------------------------------------------------------------------------------------
# To files


def plots_to_arrow(plots: Plots) -> Table:
    """Return the columns of a ``plots`` file."""
    columns = {
        "t_ns": pa.array(plots.t_ns),
        "sensor": names_of(plots.sensor, plots.sensors.ids),
        "range_m": floats(plots.slant_range),
        "azimuth_deg": floats(plots.azimuth, DEG),
        "elevation_deg": floats(plots.elevation, DEG),
        "range_rate_mps": floats(plots.range_rate),
        "lat_deg": floats(plots.lat, DEG),
        "lon_deg": floats(plots.lon, DEG),
        "h_ell_m": floats(plots.h_ell),
        "sigma_pos_m": floats(plots.sigma_pos),
        "h_baro_ft": floats(plots.h_baro, FT),
        "mode_3a": code(plots.mode_3a),
        "address": code(plots.address),
        "callsign": callsigns(plots.callsign),
        "v_east_mps": floats(plots.v_east),
        "v_north_mps": floats(plots.v_north),
        "v_up_mps": floats(plots.v_up),
        "sigma_v_mps": floats(plots.sigma_v),
        "turn_rate_degps": floats(plots.turn_rate, -DEG),
        "truth": names_of(plots.truth, plots.truth_names),
        "on_ground": yes_or_no(plots.on_ground),
        "category": emitters.to_column(plots.category),
    }
    table: Table = pa.table(columns, schema=arrow_schema("plots"))
    return table


def truth_to_arrow(truth: Truth) -> Table:
    """Return the columns of a ``truth`` file."""
    columns = {
        "t_ns": pa.array(truth.t_ns),
        "target": names_of(truth.target, truth.target_names),
        "class": names_of(truth.kind, truth.class_names),
        "lat_deg": floats(truth.lat, DEG),
        "lon_deg": floats(truth.lon, DEG),
        "h_ell_m": floats(truth.h_ell),
        "v_east_mps": floats(truth.v_east),
        "v_north_mps": floats(truth.v_north),
        "v_up_mps": floats(truth.v_up),
    }
    table: Table = pa.table(columns, schema=arrow_schema("truth"))
    return table


def tracks_to_arrow(tracks: Tracks) -> Table:
    """Return the columns of a ``tracks`` file: degrees, status and sensors as text, null for unknown."""
    columns = {
        "t_ns": pa.array(tracks.t_ns),
        "track": pa.array(tracks.track),
        "status": names_of(tracks.status.astype(np.int32), _STATUS),
        "existence": floats(tracks.existence),
        "lat_deg": floats(tracks.lat, DEG),
        "lon_deg": floats(tracks.lon, DEG),
        "h_ell_m": floats(tracks.h_ell),
        "h_baro_ft": floats(tracks.h_baro, FT),
        "v_east_mps": floats(tracks.v_east),
        "v_north_mps": floats(tracks.v_north),
        "v_up_mps": floats(tracks.v_up),
        "sigma_east_m": floats(tracks.sigma_east),
        "sigma_north_m": floats(tracks.sigma_north),
        "rho_east_north": floats(tracks.rho_east_north),
        "sigma_up_m": floats(tracks.sigma_up),
        "sigma_v_east_mps": floats(tracks.sigma_v_east),
        "sigma_v_north_mps": floats(tracks.sigma_v_north),
        "mode_3a": code(tracks.mode_3a),
        "address": code(tracks.address),
        "callsign": callsigns(tracks.callsign),
        "plot_count": pa.array(tracks.plot_count),
        "t_ns_plot": pa.array(tracks.t_ns_plot, mask=tracks.t_ns_plot < 0),
        "sensors": seen_lists(tracks.seen, tracks.sensors.ids),
        "on_ground": yes_or_no(tracks.on_ground),
        "category": emitters.to_column(tracks.category),
    }
    table: Table = pa.table(columns, schema=arrow_schema("tracks"))
    return table


# ---------------------------------------------------------------------------------------------------------------------
# From files


def plots_from_arrow(table: Table, *, sensors: Sensors | None = None) -> Plots:
    """Build plots from a table with the columns of a ``plots`` file; every row must be usable.

    Without `sensors`, a table of sensors is made from the ids, see `plots_from_loaded`.

    Raises
    ------
    InputError : the first row that can't be used, or a column that's missing or of a wrong type
    """
    checked = plots_from_loaded(typed(table, "plots"), sensors)
    if checked.refusals:
        row, text = checked.refusals[0]
        raise InputError(text, row=row)
    return checked.plots


def _found_in(
    ids: list[str], sensor: I32, columns: dict[str, Any], loaded: Loaded, sensors: Sensors | None, found_beside: str
) -> tuple[Sensors, I32, list[str]]:
    """Return the sensors of a file's plots, the row in them of each of its `ids`, -1 for none, and what to say of it.

    sensor : (rows,) which of the ids each plot has

    Raises
    ------
    InputError : none of the ids is described
    """
    if sensors is None:
        sensors, lookup = guess_sensors(ids, sensor, columns, loaded.path)
        return sensors, lookup, guess_notes(sensors)
    lookup = np.array([sensors.index(name) for name in ids], np.int32)
    missing = [name for name, place in zip(ids, lookup, strict=True) if place < 0]
    if missing and len(missing) == len(ids):
        raise InputError(
            f"none of its sensors is described: {some(missing)}",
            expected=f"ids of the sensor table: {some(sensors.ids)}",
            todo=f"Correct the ids, or take {found_beside!r} away: it's used since it lies beside the plots"
            if found_beside
            else "Correct the ids, or leave the sensor table out",
            path=loaded.path,
            column="sensor",
        )
    told = f"plots of sensors that the sensor table doesn't have were refused: {some(missing)}"
    return sensors, lookup, [told] if missing else []


def plots_from_loaded(loaded: Loaded, sensors: Sensors | None = None, found_beside: str = "") -> Checked:
    """Build plots from a table file; rows that can't be used are left out, each for a named reason.

    Without `sensors` the ids become sensors of a guessed kind, at a place that isn't known: radar where there's a
    range, ADS-B where there's a latitude, passive where there's only an azimuth. A note says so.

    found_beside : the file that `sensors` is from, where nobody named it and it merely lies beside the plots

    Raises
    ------
    InputError : no row can be used, or no sensor of the file is in `sensors`
    """
    table = loaded.table
    columns = numbers(table, "plots")
    reasons, faults = judge(loaded, columns)
    lat, lon = columns["lat_deg"], columns["lon_deg"]
    refuse(loaded, reasons, faults, np.asarray(pc.is_null(table["t_ns"])), Reason.NOT_FINITE, "t_ns is unknown")
    half = np.isnan(lat) != np.isnan(lon)
    refuse(loaded, reasons, faults, half, Reason.NOT_FINITE, "only one of lat_deg and lon_deg is known")
    message = (columns["address"] >= 0) & np.isnan(columns["range_m"]) & _tells(columns, table)
    nowhere = np.isnan(columns["azimuth_deg"]) & np.isnan(lat) & ~message
    text = "no position: neither azimuth_deg (with or without range_m) nor lat_deg with lon_deg is known"
    refuse(loaded, reasons, faults, nowhere, Reason.NO_POSITION, text)
    sensor, ids = numbered(table["sensor"])
    refuse(loaded, reasons, faults, sensor < 0, Reason.UNKNOWN_SENSOR, "the sensor is unknown")
    sensors, lookup, notes = _found_in(ids, sensor, columns, loaded, sensors, found_beside)
    notes = [*loaded.notes, *doubtful_times(columns["t_ns"]), *notes]
    placed = np.append(lookup, np.int32(-1))[sensor]
    absent = (placed < 0) & (sensor >= 0)
    if absent.any():
        first = int(np.flatnonzero(absent)[0])
        text = f"sensor {ids[sensor[first]]!r} is not in the sensor table"
        refuse(loaded, reasons, faults, absent, Reason.UNKNOWN_SENSOR, text)
    truth, truth_names = numbered(table["truth"])
    azimuth = columns["azimuth_deg"] * DEG
    if ((azimuth < 0) | (azimuth >= TAU)).any():
        with np.errstate(invalid="ignore"):  # rows with an infinite one are refused below
            azimuth = np.mod(azimuth, TAU)
    plots = Plots(
        t_ns=columns["t_ns"],
        sensor=placed.astype(np.int32),
        slant_range=columns["range_m"],
        azimuth=azimuth,
        elevation=columns["elevation_deg"] * DEG,
        range_rate=columns["range_rate_mps"],
        lat=lat * DEG,
        lon=wrap_longitude(lon * DEG),
        h_ell=columns["h_ell_m"],
        sigma_pos=columns["sigma_pos_m"],
        h_baro=columns["h_baro_ft"] * FT,
        mode_3a=columns["mode_3a"],
        address=columns["address"],
        callsign=packed(table["callsign"]),
        v_east=columns["v_east_mps"],
        v_north=columns["v_north_mps"],
        v_up=columns["v_up_mps"],
        sigma_v=columns["sigma_v_mps"],
        turn_rate=columns["turn_rate_degps"] * -DEG,
        technology=np.zeros(len(lat), np.uint8),
        on_ground=from_yes_or_no(table["on_ground"]),
        category=emitters.from_column(table["category"]),
        truth=truth,
        sensors=sensors,
        truth_names=tuple(truth_names),
    )
    if reasons.any():
        if loaded.lost == 0 and (reasons > 0).all():
            row, text = sorted(faults)[0]
            none = f"none of its {len(reasons):,} rows can be used; the first"
            raise InputError(
                f"{none if len(reasons) > 1 else 'its only row cannot be used'}: {text}",
                todo=". ".join(note[:1].upper() + note[1:] for note in loaded.notes),
                path=loaded.path,
                row=row,
            )
        plots = plots.take(reasons == 0)
    plots = guess_technology(plots)
    counts = {reason.name: int(n) for reason in Reason if (n := np.count_nonzero(reasons == reason)) and reason > 0}
    if loaded.lost:
        counts["BAD_VALUE"] = counts.get("BAD_VALUE", 0) + loaded.lost
    faults = sorted(dict(reversed(faults)).items())  # the first fault of each row
    return Checked(plots, counts, tuple(faults[:REFUSALS_MAX]), tuple(notes))


def _tells(columns: dict[str, Any], table: Table) -> NDArray[np.bool_]:
    """Return which rows tell something of a target besides its place: what makes a message of an address."""
    told: NDArray[np.bool_] = (columns["mode_3a"] >= 0) | np.asarray(pc.is_valid(table["callsign"]))
    told |= np.isfinite(columns["v_east_mps"]) & np.isfinite(columns["v_north_mps"])
    for name in ("h_ell_m", "h_baro_ft", "v_up_mps", "turn_rate_degps"):
        told |= np.isfinite(columns[name])
    return told


def truth_from_arrow(table: Table) -> Truth:
    """Build truth from a table with the columns of a ``truth`` file.

    Raises
    ------
    InputError : the first row that can't be used, or a column that's missing or of a wrong type
    """
    return truth_from_loaded(typed(table, "truth"))


def truth_from_loaded(loaded: Loaded) -> Truth:
    """Build truth from a table file. A reference with holes would falsify every figure, so each row must be sound.

    Raises
    ------
    InputError : the first row that can't be used
    """
    columns = sound_numbers(loaded, ("t_ns", "target", "lat_deg", "lon_deg"))
    target, target_names = numbered(loaded.table["target"])
    kind, class_names = numbered(loaded.table["class"])
    return Truth(
        t_ns=columns["t_ns"],
        target=target,
        kind=kind,
        lat=columns["lat_deg"] * DEG,
        lon=wrap_longitude(columns["lon_deg"] * DEG),
        h_ell=columns["h_ell_m"],
        v_east=columns["v_east_mps"],
        v_north=columns["v_north_mps"],
        v_up=columns["v_up_mps"],
        target_names=tuple(target_names),
        class_names=tuple(class_names),
    )


def tracks_from_arrow(table: Table, *, sensors: Sensors | None = None) -> Tracks:
    """Build tracks from a table with the columns of a ``tracks`` file.

    Without `sensors`, the ids in ``sensors`` become a table of sensors at places that aren't known.

    Raises
    ------
    InputError : the first row that can't be used, or a column that's missing or of a wrong type
    """
    return tracks_from_loaded(typed(table, "tracks"), sensors)


def tracks_from_loaded(loaded: Loaded, sensors: Sensors | None = None) -> Tracks:
    """Build tracks from a table file; each row must be sound, as for truth.

    Raises
    ------
    InputError : the first row that can't be used
    """
    table = loaded.table
    columns = sound_numbers(loaded, ("t_ns", "track", "lat_deg", "lon_deg"))
    status, names = numbered(table["status"])
    for name in names:
        if name not in _STATUS:
            row = int(np.flatnonzero(status == names.index(name))[0])
            raise InputError(
                f"{name!r} is not a status",
                expected=" | ".join(_STATUS),
                path=loaded.path,
                row=loaded.number(row),
                column="status",
            )
    # A file that says nothing of status holds tracks that somebody thought fit to keep.
    meaning = np.array([*(_STATUS.index(name) for name in names), Status.CONFIRMED], np.uint8)
    seen, sensors = seen_from(table["sensors"].combine_chunks(), sensors)
    kept = {name: columns[name] for name in ("t_ns", "track", "existence", "mode_3a", "address", "t_ns_plot")}
    return Tracks.blank(
        len(status),
        sensors,
        **kept,
        status=meaning[status],
        lat=columns["lat_deg"] * DEG,
        lon=wrap_longitude(columns["lon_deg"] * DEG),
        h_ell=columns["h_ell_m"],
        h_baro=columns["h_baro_ft"] * FT,
        v_east=columns["v_east_mps"],
        v_north=columns["v_north_mps"],
        v_up=columns["v_up_mps"],
        sigma_east=columns["sigma_east_m"],
        sigma_north=columns["sigma_north_m"],
        rho_east_north=columns["rho_east_north"],
        sigma_up=columns["sigma_up_m"],
        sigma_v_east=columns["sigma_v_east_mps"],
        sigma_v_north=columns["sigma_v_north_mps"],
        callsign=packed(table["callsign"]),
        plot_count=np.maximum(columns["plot_count"], 0),
        seen=seen,
        on_ground=from_yes_or_no(table["on_ground"]),
        category=emitters.from_column(table["category"]),
    )
