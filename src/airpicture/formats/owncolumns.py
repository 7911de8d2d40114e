"""Plots from arrays of users' own programs: five lines from detections to tracks."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.errors import InputError
from airpicture.formats import emitters
from airpicture.formats.arrow import pa, pc
from airpicture.tables import F64, I8, I32, I64, U8, U64, Plots, SensorKind, Sensors, Technology, pack_callsigns
from airpicture.units import DEG, FT, TAU


class _Form(NamedTuple):
    """A name a user may give: the column it fills, the factor to SI, limits in the user's unit, the usual slip."""

    column: str
    factor: float
    low: float
    high: float
    slip: str = ""


_SPEED = 20_000.0  # m/s, the limit of the schema
_FORMS: Final[dict[str, _Form]] = {
    "range_m": _Form("slant_range", 1, 0, 1e9),
    "azimuth_rad": _Form("azimuth", 1, -2 * TAU, 2 * TAU, "azimuth_deg"),
    "azimuth_deg": _Form("azimuth", DEG, -720, 720),
    "elevation_rad": _Form("elevation", 1, -TAU / 4, TAU / 4, "elevation_deg"),
    "elevation_deg": _Form("elevation", DEG, -90, 90),
    "range_rate_mps": _Form("range_rate", 1, -_SPEED, _SPEED),
    "lat_rad": _Form("lat", 1, -TAU / 4, TAU / 4, "lat_deg"),
    "lat_deg": _Form("lat", DEG, -90, 90),
    "lon_rad": _Form("lon", 1, -TAU / 2, TAU, "lon_deg"),
    "lon_deg": _Form("lon", DEG, -180, 360),
    "h_ell_m": _Form("h_ell", 1, -12_000, 5e7),
    "sigma_pos_m": _Form("sigma_pos", 1, 1e-3, 1e6),
    "h_baro_ft": _Form("h_baro", FT, -10_000, 1e6),
    "h_baro_m": _Form("h_baro", 1, -3_048, 304_800),
    "v_east_mps": _Form("v_east", 1, -_SPEED, _SPEED),
    "v_north_mps": _Form("v_north", 1, -_SPEED, _SPEED),
    "v_up_mps": _Form("v_up", 1, -_SPEED, _SPEED),
    "sigma_v_mps": _Form("sigma_v", 1, 1e-3, 1e4),
    "turn_rate_degps": _Form("turn_rate", -DEG, -360, 360),
}
_OTHERS: Final = ("t_ns", "sensor", "mode_3a", "address", "callsign", "on_ground", "category", "technology", "truth")
_PARTNERS: Final = {"slant_range": "azimuth", "elevation": "azimuth", "lat": "lon", "lon": "lat"}
_SAID: Final = {"slant_range": "range_m", "elevation": "elevation", "azimuth": "azimuth", "lat": "lat", "lon": "lon"}


def plots_from_columns(*, sensors: Sensors, t_ns: Any = None, sensor: Any = None, **columns: Any) -> Plots:
    """Build plots from arrays.

    Single values stand for all rows. A NaN (None in texts and codes, or a masked entry) is "not measured". Rows that
    lack a position are messages where they have an address and tell something, else the tracker's to count and refuse.

    Parameters
    ----------
    sensors : Sensors
    t_ns : (M,) integers, ns UTC since 1970, or numpy datetime64
    sensor : (M,) ids as text, or rows in `sensors`
    range_m : (M,) slant range, with `azimuth_rad` or `azimuth_deg` (clockwise from true north)
    elevation_rad, elevation_deg, range_rate_mps : (M,)
    lat_rad, lat_deg, lon_rad, lon_deg, h_ell_m, sigma_pos_m : (M,) reported position, WGS-84
    h_baro_ft, h_baro_m : (M,) pressure altitude
    mode_3a : (M,) value of the 12 bits, -1 missing
    address : (M,) 24-bit, -1 missing; as integers or hexadecimal text
    callsign : (M,) text
    v_east_mps, v_north_mps, sigma_v_mps : (M,) reported velocity, and its standard deviation per axis
    on_ground : (M,) true or false, None (or -1) where nobody says
    category : (M,) emitter category as text, "A3"
    v_up_mps : (M,) reported climb; turn_rate_degps : (M,) reported rate of the track angle, clockwise
    technology : (M,) Technology; by default from the kind of sensor and the identity that came with the plot
    truth : (M,) text or None

    Raises
    ------
    InputError : an unknown name or sensor, unequal lengths, a value outside its limits, half a position, or sensors
        that are no table
    """
    if not isinstance(sensors, Sensors):
        raise InputError(
            f"sensors is of the type {type(sensors).__name__}",
            expected="Sensors",
            todo="Make them with load_sensors(FILE) or Sensors.from_rows([...])",
        )
    for name, values in (("t_ns", t_ns), ("sensor", sensor)):
        if values is None:
            raise InputError("it's missing", expected="t_ns and sensor with every plot", column=name)
    _check_names(columns)
    t = _times(_one_dimensional(t_ns, "t_ns") if isinstance(t_ns, np.ma.MaskedArray) else t_ns)
    given = {"t_ns": t, "sensor": _one_dimensional(sensor, "sensor")}
    given |= {name: _one_dimensional(values, name) for name, values in columns.items() if values is not None}
    size = _size(given)
    filled: dict[str, Any] = {
        "t_ns": np.broadcast_to(t, size),
        "sensor": _sensor_rows(given.pop("sensor"), sensors, size),
    }
    for name, form in _FORMS.items():
        if name in given:
            if form.column in filled:
                raise InputError(f"{form.column} is given twice", expected="one unit for each quantity", column=name)
            filled[form.column] = _real(given[name], name, form, size)
    for column, partner in _PARTNERS.items():
        if column in filled and partner not in filled:
            raise InputError(
                f"{_SAID[column]} is given without {_SAID[partner]}", expected="both", column=_SAID[column]
            )
    if "azimuth" not in filled and "lat" not in filled and "address" not in given:
        raise InputError(
            "no position given",
            expected="range_m with azimuth, azimuth alone (passive), lat with lon, or the address of what is told of",
        )
    if "azimuth" in filled:
        filled["azimuth"] = np.mod(filled["azimuth"], TAU)
    if "lon" in filled:
        filled["lon"] = wrap_longitude(filled["lon"])
    for name, high in (("mode_3a", 0o7777), ("address", 0xFFFFFF)):
        if name in given:
            filled[name] = np.broadcast_to(_codes(given[name], name, high), size)
    if "callsign" in given:
        filled["callsign"] = np.broadcast_to(_packed(given["callsign"]), size)
    if "on_ground" in given:
        filled["on_ground"] = np.broadcast_to(_yes_or_no(given["on_ground"]), size)
    if "category" in given:
        filled["category"] = np.broadcast_to(_categories(given["category"]), size)
    if "truth" in given:
        rows, names = _number_texts(given["truth"])
        filled |= {"truth": np.broadcast_to(rows, size), "truth_names": tuple(names)}
    plots = Plots.blank(size, sensors, **filled)
    if "technology" not in given:
        return guess_technology(plots)
    return replace(plots, technology=np.ascontiguousarray(np.broadcast_to(_technology(given["technology"]), size)))


def guess_technology(plots: Plots) -> Plots:
    """Return the plots with the technology that the kind of sensor and the identity tell.

    A radar's plot with a 24-bit address came by Mode S, one with a Mode A code or pressure altitude by modes A and C,
    any other by primary radar.
    """
    by_kind = np.array([Technology.PSR, Technology.ADS, Technology.MLT, Technology.PSR], np.uint8)
    known = (plots.sensor >= 0) & (plots.sensor < len(plots.sensors.ids))
    kinds = np.append(plots.sensors.kind, np.uint8(SensorKind.RADAR))
    kind = kinds[np.where(known, plots.sensor, len(plots.sensors.ids))]
    technology = by_kind[kind]
    radar = kind == SensorKind.RADAR
    technology[radar & ((plots.mode_3a >= 0) | ~np.isnan(plots.h_baro))] = Technology.SSR
    technology[radar & (plots.address >= 0)] = Technology.MDS
    return replace(plots, technology=technology)


def wrap_longitude(lon: F64) -> F64:
    """Return longitudes [rad] in -π..π; those that are already there keep their last bit."""
    return np.where(lon > TAU / 2, lon - TAU, lon) if (lon > TAU / 2).any() else lon


def _check_names(columns: dict[str, Any]) -> None:
    names = [*_OTHERS, *_FORMS]
    for name in columns:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1, 0.6)
            raise InputError(
                f"unknown column {name!r}",
                expected=f"columns among {', '.join(names)}",
                todo=f"Did you mean {near[0]!r}?" if near else "",
            )


def _one_dimensional(values: Any, name: str) -> NDArray[Any]:
    if isinstance(values, np.ma.MaskedArray):  # a masked entry is one that wasn't measured
        whole = values.dtype.kind in "iu"
        values = np.ma.filled(values.astype(np.int64 if whole else np.float64), -1 if whole else np.nan)
    array = np.asarray(values)
    if array.ndim > 1:
        raise InputError(f"an array of shape {array.shape}", expected="one value for each plot", column=name)
    return array


def _size(given: dict[str, NDArray[Any]]) -> int:
    sizes = {name: len(array) for name, array in given.items() if array.ndim == 1}
    if not sizes:
        return 1
    wanted = sizes.get("t_ns", max(sizes.values()))
    for name, size in sizes.items():
        if size != wanted:
            other = "t_ns" if "t_ns" in sizes else "the longest column"
            raise InputError(
                f"{size} values, but {other} has {wanted}", expected="one length (or single values)", column=name
            )
    return wanted


def _times(values: Any) -> I64:
    array = np.asarray(values)
    if array.dtype.kind == "M":
        if np.isnat(array).any():
            raise InputError(
                "not a time (NaT)", expected="a time for each plot", row=_first(np.isnat(array)), column="t_ns"
            )
        return array.astype("datetime64[ns]").astype(np.int64)
    if array.dtype.kind == "f" and array.size:
        raise InputError(
            "times are floating point",
            expected="int64 nanoseconds of UTC since 1970, or numpy datetime64[ns]",
            todo="A float of today's seconds steps by 0.24 µs and loses the nanoseconds: use "
            "np.round(seconds * 1e3).astype('int64') * 1_000_000 where milliseconds are meant",
            column="t_ns",
        )
    if array.dtype.kind not in "iuf" or array.ndim > 1:
        raise InputError(
            f"times are {array.dtype}", expected="int64 nanoseconds, or numpy datetime64[ns]", column="t_ns"
        )
    whole = array.astype(np.int64)
    if (whole < 0).any():
        raise InputError(
            "a time before 1970", expected="nanoseconds of UTC since 1970", row=_first(whole < 0), column="t_ns"
        )
    return whole


def _sensor_rows(values: NDArray[Any], sensors: Sensors, size: int) -> I32:
    if values.dtype.kind in "iu":
        outside = (values < 0) | (values >= len(sensors.ids))
        if outside.any():
            raise InputError(
                f"sensor row {values[outside].flat[0]}",
                expected=f"rows 0 to {len(sensors.ids) - 1} of the sensor table",
                row=_first(outside),
                column="sensor",
            )
        return np.broadcast_to(values.astype(np.int32), size)
    rows, names = _number_texts(values)
    lookup = np.array([*(sensors.index(name) for name in names), -1], np.int32)
    found = lookup[rows]
    if (found < 0).any():
        row = _first(found < 0)
        name = names[int(np.atleast_1d(rows)[row - 1])] if np.atleast_1d(rows)[row - 1] >= 0 else None
        near = difflib.get_close_matches(str(name), sensors.ids, 1, 0.6)
        raise InputError(
            f"unknown sensor {name!r}",
            expected=f"an id of the sensor table: {', '.join(sensors.ids)}",
            todo=f"Did you mean {near[0]!r}?" if near else "",
            row=row,
            column="sensor",
        )
    return np.broadcast_to(found, size)


def _real(values: NDArray[Any], name: str, form: _Form, size: int) -> F64:
    try:
        real = values.astype(np.float64)
    except (TypeError, ValueError):
        raise InputError(f"values are {values.dtype}", expected="numbers", column=name) from None
    outside = ~np.isnan(real) & ~((real >= form.low) & (real <= form.high))
    if outside.any():
        worst = np.atleast_1d(real)[np.atleast_1d(outside)][0]
        raise InputError(
            f"{worst:g} is outside {form.low:g} to {form.high:g}",
            expected="NaN where it isn't measured",
            todo=f"If these are degrees, call the column {form.slip}" if form.slip else "",
            row=_first(outside),
            column=name,
        )
    return np.broadcast_to(real * form.factor if form.factor != 1 else real, size)


_FAR_OUT: Final = 2**62  # beyond all codes, and fits into 64 bits


def _codes(values: NDArray[Any], name: str, high: int) -> I32:
    if values.dtype.kind in "iu":
        codes = values.astype(np.int64)
    elif values.dtype.kind == "f":
        whole = np.isnan(values) | (values == np.floor(values))
        if not whole.all():
            raise InputError("not a whole number", expected=f"0 to {high}", row=_first(~whole), column=name)
        codes = np.clip(np.where(np.isnan(values), -1, values), -_FAR_OUT, _FAR_OUT).astype(np.int64)
    else:
        rows, names = _number_texts(values)
        base = 16 if name == "address" else 8  # as both are written and spoken
        numbers = []
        for text in names:
            try:
                numbers.append(max(-_FAR_OUT, min(int(text, base), _FAR_OUT)))
            except ValueError:
                raise InputError(
                    f"{text!r} is not {'hexadecimal' if base == 16 else 'octal'}", expected=f"0 to {high}", column=name
                ) from None
        codes = np.array([*numbers, -1], np.int64)[rows]
    outside = (codes < -1) | (codes > high)
    if outside.any():
        raise InputError(
            f"{np.atleast_1d(codes)[np.atleast_1d(outside)][0]} is outside 0 to {high}",
            expected="-1 where it's missing",
            row=_first(outside),
            column=name,
        )
    return codes.astype(np.int32)


def _technology(values: NDArray[Any]) -> U8:
    if values.dtype.kind not in "iu" or (values < 0).any() or (values >= len(Technology)).any():
        raise InputError("not a technology", expected="values of airpicture.tables.Technology", column="technology")
    return values.astype(np.uint8)


def _yes_or_no(values: NDArray[Any]) -> I8:
    flat = np.atleast_1d(values)
    if flat.dtype.kind not in "biufO":
        raise InputError(f"values are {values.dtype}", expected="true or false", column="on_ground")
    said = [-1 if one is None or one != one else one for one in flat.tolist()]
    if wrong := next((one for one in said if one not in (-1, 0, 1)), None):
        raise InputError(f"{wrong!r} is neither true nor false", expected="-1 where nobody says", column="on_ground")
    return np.array(said, np.int8).reshape(values.shape)


def _categories(values: NDArray[Any]) -> U8:
    rows, names = _number_texts(values)
    found = emitters.from_texts(names)
    if len(bad := np.flatnonzero(found == 0)):
        raise InputError(f"{names[bad[0]]!r} is no emitter category", expected="A1 to D7", column="category")
    return np.append(found, np.uint8(0))[rows]


def _packed(values: NDArray[Any]) -> U64:
    if values.dtype.kind == "u" and values.dtype.itemsize == 8:
        return values.astype(np.uint64)  # packed already
    rows, names = _number_texts(values)
    return np.append(pack_callsigns(names), np.uint64(0)).astype(np.uint64)[rows]


def _number_texts(values: NDArray[Any]) -> tuple[I32, list[str]]:
    """Number the different texts of an array; None, NaN and "" are -1."""
    flat = np.atleast_1d(values)
    try:
        texts = pa.array(flat if flat.dtype.kind == "O" else flat.astype(str), pa.string(), from_pandas=True)
    except pa.ArrowException:  # objects that aren't all text
        texts = pa.array([None if v is None or v != v else str(v) for v in flat.tolist()], pa.string())
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    coded = texts.dictionary_encode()
    names: list[str] = coded.dictionary.to_pylist()
    rows = np.asarray(coded.indices.fill_null(-1)).astype(np.int32)
    return rows.reshape(values.shape), names


def _first(bad: NDArray[np.bool_]) -> int:
    """Return the number, from 1, of the first True."""
    return int(np.flatnonzero(np.atleast_1d(bad))[0]) + 1
