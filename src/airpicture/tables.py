"""The tables that pass between rooms: Sensors, Plots, Tracks, Truth. Read this first.

Each table is a frozen record of contiguous numpy columns of one length. Angles are radians, lengths metres, time int64
nanoseconds of UTC since 1970. A missing float is NaN. Codes that can be missing hold -1: the sign bit is their validity
bit, and none of the codes uses it. Reading and writing files (degrees, feet, text) is the business of
``formats.columns``; the methods here that speak of files only lead there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import os

    import pandas as pd
    import pyarrow as pa

F64: TypeAlias = NDArray[np.float64]
F32: TypeAlias = NDArray[np.float32]
I64: TypeAlias = NDArray[np.int64]
I32: TypeAlias = NDArray[np.int32]
U64: TypeAlias = NDArray[np.uint64]
U8: TypeAlias = NDArray[np.uint8]
I8: TypeAlias = NDArray[np.int8]

_NUMPY: dict[str, Any] = {
    "I64": np.int64, "I32": np.int32, "I8": np.int8, "F64": np.float64, "U64": np.uint64, "U8": np.uint8,
}  # fmt: skip

SEEN_MAX = 8  # sensors remembered per track; the longest silent one gives way to a ninth


class SensorKind(IntEnum):
    """What a sensor measures. The order is part of stored tables."""

    RADAR = 0  # slant range and azimuth, perhaps elevation and range rate
    ADSB = 1  # positions that the target itself reports
    MLAT = 2  # positions that a network of receivers computes
    PASSIVE = 3  # bearings only


class Status(IntEnum):
    """Life of a track."""

    TENTATIVE = 0
    CONFIRMED = 1
    COASTING = 2  # confirmed, and the sensors that should see it do not
    ENDED = 3


class Technology(IntEnum):
    """How a plot was obtained, in the words of I062/290 (ages of the last plot of each kind)."""

    PSR = 0  # primary radar
    SSR = 1  # secondary radar, modes A and C
    MDS = 2  # Mode S radar
    ADS = 3  # ADS-B
    MLT = 4  # multilateration


def pack_callsigns(texts: Iterable[str | None]) -> U64:
    """Pack texts of at most 8 ASCII characters into integers, first character highest; None and "" give 0."""
    joined = b"".join((text or "").encode("ascii", "replace")[:8].ljust(8, b"\0") for text in texts)
    return np.frombuffer(joined, dtype=">u8").astype(np.uint64)


def unpack_callsigns(packed: U64) -> list[str | None]:
    """Undo `pack_callsigns`; 0 gives None."""
    raw = np.ascontiguousarray(packed).astype(">u8").tobytes()
    return [raw[k : k + 8].rstrip(b"\0 ").decode("ascii", "replace") or None for k in range(0, len(raw), 8)]


class _Table:
    """What all tables do alike: length, choice of rows, end-to-end joining. Holds no fields of its own."""

    _shared: ClassVar[tuple[str, ...]] = ()  # fields that are not columns

    @classmethod
    @cache
    def column_names(cls) -> tuple[str, ...]:
        """Return the names of the fields that are columns."""
        return tuple(f.name for f in fields(cls) if f.name not in cls._shared)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(getattr(self, self.column_names()[0]))

    def take(self, rows: NDArray[Any] | slice) -> Self:
        """Return the chosen rows (indices, mask or slice) as a new table."""
        picked = {name: np.ascontiguousarray(getattr(self, name)[rows]) for name in self.column_names()}
        return replace(self, **picked)  # type: ignore[type-var]

    @classmethod
    def _check(cls, table: _Table) -> None:
        lengths = {name: len(getattr(table, name)) for name in cls.column_names()}
        assert len(set(lengths.values())) == 1, f"columns of unequal length: {lengths}"


@dataclass(frozen=True, slots=True, eq=False)
class Sensors(_Table):
    """The sensors, one row each; plots and tracks name a sensor by its row.

    Built by `from_rows` or ``airpicture.load_sensors``. NaN in a ``sigma_*`` column other than range and azimuth
    says that the sensor doesn't measure that.
    """

    ids: tuple[str, ...]  # text used in files
    kind: U8  # (S,) SensorKind
    sac: I32  # (S,) ASTERIX system area code, -1 unknown
    sic: I32  # (S,) ASTERIX system identification code, -1 unknown
    lat: F64  # (S,) rad, WGS-84; NaN where the site isn't known
    lon: F64  # (S,) rad
    h_ell: F64  # (S,) m, antenna above the ellipsoid
    period: F64  # (S,) s, one turn; NaN for sensors that don't rotate
    range_min: F64  # (S,) m, slant
    range_max: F64  # (S,) m, slant
    pd: F64  # (S,) detection probability inside coverage
    clutter_per_scan: F64  # (S,) expected false plots in a turn (in a second where there's no period)
    sigma_range: F64  # (S,) m
    sigma_azimuth: F64  # (S,) rad
    sigma_elevation: F64  # (S,) rad
    sigma_range_rate: F64  # (S,) m/s
    sigma_pos: F64  # (S,) m, per horizontal axis, where a reported position brings no accuracy of its own
    bias_range: F64  # (S,) m, subtracted from measured range
    bias_azimuth: F64  # (S,) rad, subtracted from measured azimuth
    bias_time: F64  # (S,) s, subtracted from the time stamp

    _shared: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Sensors:
        """Build the table from descriptions, each with the keys of a ``[[sensor]]`` table of ``sensors.toml``.

        ``id`` and ``kind`` are needed; what else is absent takes the default of the kind.

        Raises
        ------
        ConfigError : names sensor and key: unknown, of a wrong type, outside its limits, or given twice
        """
        from airpicture.formats.sensors import sensors_from_rows

        return sensors_from_rows(rows)

    def index(self, sensor_id: str) -> int:
        """Return the row of a sensor id, -1 where there's none."""
        return self.ids.index(sensor_id) if sensor_id in self.ids else -1

    def take(self, rows: NDArray[Any] | slice) -> Sensors:
        """Return the chosen sensors as a new table."""
        chosen = np.arange(len(self.ids))[rows]
        columns = {name: np.ascontiguousarray(getattr(self, name)[chosen]) for name in self.column_names()[1:]}
        return replace(self, ids=tuple(self.ids[k] for k in chosen), **columns)


@dataclass(frozen=True, slots=True, eq=False)
class Plots(_Table):
    """Sensor reports, one row each, as they came: nothing corrected, nothing projected.

    A radar plot has ``slant_range`` and ``azimuth``, a passive one ``azimuth`` alone, a reported position ``lat`` and
    ``lon``. A plot without any of these, with an ``address`` and something told of its target (velocity, climb, height,
    turn, Mode A code, callsign), is a message: it goes to the track of that address. Whatever isn't measured is NaN
    (floats) or -1 (codes).
    """

    t_ns: I64  # (M,) ns UTC since 1970
    sensor: I32  # (M,) row in sensors
    slant_range: F64  # (M,) m
    azimuth: F64  # (M,) rad, clockwise from true north at the sensor
    elevation: F64  # (M,) rad, above the sensor's horizontal
    range_rate: F64  # (M,) m/s, positive going away
    lat: F64  # (M,) rad, WGS-84
    lon: F64  # (M,) rad
    h_ell: F64  # (M,) m above the ellipsoid
    sigma_pos: F64  # (M,) m, standard deviation of a reported position, per horizontal axis
    h_baro: F64  # (M,) m, pressure altitude (1013.25 hPa)
    mode_3a: I32  # (M,) value of the 12 bits, -1 missing
    address: I32  # (M,) 24-bit aircraft address, -1 missing
    callsign: U64  # (M,) packed, see pack_callsigns; 0 missing
    v_east: F64  # (M,) m/s, reported
    v_north: F64  # (M,) m/s, reported
    v_up: F64  # (M,) m/s, reported climb, by pressure or geometric
    sigma_v: F64  # (M,) m/s, standard deviation of the reported velocity, per horizontal axis
    turn_rate: F64  # (M,) rad/s, reported rate of the track angle, counter-clockwise (files: clockwise, as azimuths)
    technology: U8  # (M,) Technology
    on_ground: I8  # (M,) 1 on the ground, 0 in the air, -1 not said
    category: U8  # (M,) emitter category of ADS-B as its two characters in hexadecimal, 0xA3; 0 missing
    truth: I32  # (M,) row in truth_names, -1 clutter or not simulated; the tracker never reads it
    sensors: Sensors
    truth_names: tuple[str, ...] = ()

    _shared: ClassVar[tuple[str, ...]] = ("sensors", "truth_names")

    @classmethod
    def from_columns(cls, *, sensors: Sensors, **columns: Any) -> Plots:
        """Build plots from arrays: the columns of a ``plots`` file, angles as ``*_rad`` or ``*_deg``.

        ``t_ns`` and ``sensor`` (text ids or row numbers) are needed; all else that's absent is taken as not measured.
        Parameters are described in ``formats.columns.plots_from_columns``.

        Raises
        ------
        InputError : an unknown column or sensor, columns of unequal length, or a position that's incomplete
        """
        from airpicture.formats.columns import plots_from_columns

        return plots_from_columns(sensors=sensors, **columns)

    @classmethod
    def empty(cls, sensors: Sensors) -> Plots:
        """Return a table without rows."""
        return cls.blank(0, sensors)

    @classmethod
    def blank(cls, size: int, sensors: Sensors, **columns: Any) -> Plots:
        """Return `size` rows with the given columns (SI units, named as here) and all others missing."""
        filled: dict[str, Any] = {}
        for name in cls.column_names():
            dtype = PLOT_DTYPES[name]
            if name in columns:
                filled[name] = np.ascontiguousarray(columns.pop(name), dtype=dtype)
            elif dtype is np.float64:
                filled[name] = np.full(size, np.nan)
            elif name in ("mode_3a", "address", "on_ground", "truth"):
                filled[name] = np.full(size, -1, dtype)
            else:
                filled[name] = np.zeros(size, dtype)
        plots = cls(**filled, sensors=sensors, **columns)
        cls._check(plots)
        return plots

    @classmethod
    def concat(cls, parts: Sequence[Plots]) -> Plots:
        """Join tables that share one sensor table; rows keep their order."""
        first = parts[0]
        names: dict[str, int] = {}
        truths = []
        for part in parts:
            lookup = np.array([names.setdefault(name, len(names)) for name in part.truth_names] or [-1], np.int32)
            truths.append(np.where(part.truth >= 0, lookup[part.truth], np.int32(-1)).astype(np.int32))
        joined: dict[str, Any] = {
            n: np.concatenate([getattr(p, n) for p in parts]) for n in cls.column_names() if n != "truth"
        }
        return replace(first, **joined, truth=np.concatenate(truths), truth_names=tuple(names))

    def in_time_order(self) -> Plots:
        """Return the plots sorted by time; plots of one time keep their order."""
        return self.take(np.argsort(self.t_ns, kind="stable"))

    def to_arrow(self) -> pa.Table:
        """Return the columns of a ``plots`` file."""
        from airpicture.formats.columns import plots_to_arrow

        return plots_to_arrow(self)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a ``plots`` file; the ending (.parquet, .csv) chooses the format."""
        from airpicture.formats.columns import write_table

        write_table(self.to_arrow(), path)


PLOT_DTYPES: dict[str, Any] = {
    name: _NUMPY[str(f.type)]
    for name, f in ((f.name, f) for f in fields(Plots))
    if name not in ("sensors", "truth_names")
}


@dataclass(frozen=True, slots=True, eq=False)
class Tracks(_Table):
    """System tracks, one row per track and instant. Rows of one instant make a picture; a file holds many instants.

    The first block are the columns of a ``tracks`` file. The second is what CAT062 and the map need beyond it; a table
    that was read from a file has it as missing (NaN, -1).
    """

    t_ns: I64  # (N,) time of the state
    track: I64  # (N,) number; never used twice in a run, but by one aircraft: see `tracks.revival`
    status: U8  # (N,) Status
    existence: F64  # (N,) probability that there's a target at all
    lat: F64  # (N,) rad
    lon: F64  # (N,) rad
    h_ell: F64  # (N,) m; NaN where nothing measured the height
    h_baro: F64  # (N,) m, pressure altitude; NaN where none was received
    v_east: F64  # (N,) m/s
    v_north: F64  # (N,) m/s
    v_up: F64  # (N,) m/s; NaN with h_ell
    sigma_east: F64  # (N,) m
    sigma_north: F64  # (N,) m
    rho_east_north: F64  # (N,) correlation of the east and north errors
    sigma_up: F64  # (N,) m; NaN with h_ell
    sigma_v_east: F64  # (N,) m/s
    sigma_v_north: F64  # (N,) m/s
    mode_3a: I32  # (N,) value of the 12 bits, -1 missing
    address: I32  # (N,) 24-bit aircraft address, -1 missing
    callsign: U64  # (N,) packed; 0 missing
    plot_count: I32  # (N,) plots that made this track
    t_ns_plot: I64  # (N,) time of the last plot
    seen: I32  # (N, SEEN_MAX) rows in sensors that hold this track now, -1 padding

    sigma_v_up: F64  # (N,) m/s
    a_east: F64  # (N,) m/s², from the turn and manoeuvre models
    a_north: F64  # (N,) m/s²
    turn_left: F64  # (N,) probability of the counter-clockwise turn model
    turn_right: F64  # (N,) probability of the clockwise turn model
    h_from_baro: U8  # (N,) 1 where h_ell rests on pressure altitude
    t_ns_technology: I64  # (N, 5) time of the last plot of each Technology, -1 never
    t_ns_first: I64  # (N,) time of the first plot, -1 unknown
    plot_sensor: I32  # (N,) sensor of the last plot, -1 unknown
    plot_range: F64  # (N,) m, slant range of the last plot
    plot_azimuth: F64  # (N,) rad
    plot_h_baro: F64  # (N,) m
    plot_mode_3a: I32  # (N,) -1 missing
    on_ground: I8  # (N,) as last told by a plot or message: 1 on the ground, 0 in the air, -1 never
    category: U8  # (N,) likewise, emitter category as in Plots; 0 never

    sensors: Sensors

    _shared: ClassVar[tuple[str, ...]] = ("sensors",)

    @classmethod
    def empty(cls, sensors: Sensors) -> Tracks:
        """Return a table without rows."""
        return cls.blank(0, sensors)

    @classmethod
    def blank(cls, size: int, sensors: Sensors, **columns: Any) -> Tracks:
        """Return `size` rows with the given columns (SI units, named as here) and all others missing."""
        shapes = {"seen": (size, SEEN_MAX), "t_ns_technology": (size, len(Technology))}
        filled: dict[str, Any] = {}
        for name in cls.column_names():
            dtype = TRACK_DTYPES[name]
            if name in columns:
                filled[name] = np.ascontiguousarray(columns[name], dtype=dtype)
            elif dtype is np.float64:
                filled[name] = np.full(size, np.nan)
            elif dtype is np.uint8 or name in ("callsign", "plot_count"):
                filled[name] = np.zeros(size, dtype)
            else:
                filled[name] = np.full(shapes.get(name, (size,)), -1, dtype)
        tracks = cls(**filled, sensors=sensors)
        cls._check(tracks)
        return tracks

    @classmethod
    def concat(cls, parts: Sequence[Tracks]) -> Tracks:
        """Join tables that share one sensor table; rows keep their order."""
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in cls.column_names()
        }
        return replace(parts[0], **joined)

    def to_arrow(self) -> pa.Table:
        """Return the columns of a ``tracks`` file: degrees, status and sensors as text, null for unknown."""
        from airpicture.formats.columns import tracks_to_arrow

        return tracks_to_arrow(self)

    def to_pandas(self) -> pd.DataFrame:
        """Return the columns of a ``tracks`` file as a data frame (needs pandas)."""
        return self.to_arrow().to_pandas()

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the tracks; the ending chooses the format.

        Endings are those of ``airpicture track -o`` but .html: .parquet .csv .ast (ASTERIX CAT062) .geojson .geojsonl
        .kml .czml .gpx.

        Raises
        ------
        InputError : another ending, or a place that can't be written to
        """
        from airpicture.formats import write_tracks

        write_tracks(self, path)


TRACK_DTYPES: dict[str, Any] = {
    name: _NUMPY[str(f.type)] for name, f in ((f.name, f) for f in fields(Tracks)) if name != "sensors"
}


@dataclass(frozen=True, slots=True, eq=False)
class Truth(_Table):
    """Where targets really were, from a simulation or a reference."""

    t_ns: I64  # (T,) ns UTC since 1970
    target: I32  # (T,) row in target_names
    kind: I32  # (T,) row in class_names, -1 unknown
    lat: F64  # (T,) rad
    lon: F64  # (T,) rad
    h_ell: F64  # (T,) m
    v_east: F64  # (T,) m/s
    v_north: F64  # (T,) m/s
    v_up: F64  # (T,) m/s
    target_names: tuple[str, ...]
    class_names: tuple[str, ...] = ()

    _shared: ClassVar[tuple[str, ...]] = ("target_names", "class_names")

    def to_arrow(self) -> pa.Table:
        """Return the columns of a ``truth`` file."""
        from airpicture.formats.columns import truth_to_arrow

        return truth_to_arrow(self)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a ``truth`` file; the ending (.parquet, .csv) chooses the format."""
        from airpicture.formats.columns import write_table

        write_table(self.to_arrow(), path)
