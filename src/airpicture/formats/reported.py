"""What all readers of self-reported positions share: columns, sensors, judging, repetitions, plots, the account.

A reader fills `Heard`, columns in the units of ``Plots`` (positions and courses still in degrees), and says of each row
from which source it came. `take_in` judges the rows, leaves out what was given before and makes plots of the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from airpicture.errors import Reason
from airpicture.formats.lastrow import TARGETS_MAX, LastRow
from airpicture.formats.motions import Motions
from airpicture.formats.owncolumns import wrap_longitude
from airpicture.formats.rows import REFUSALS_MAX
from airpicture.formats.sensors import merge_sensors, sensors_from_rows
from airpicture.tables import F64, I8, I32, I64, U8, U64, Plots, SensorKind, Sensors, Technology
from airpicture.units import DEG, KT

GROUND_SPEED_MAX: Final = 20_000.0  # m/s, the limit of the plots schema
CLIMB_MAX: Final = 1_000.0  # m/s; rockets climb faster, nothing that reports its rate of climb does
TURN_MAX: Final = 1.0  # rad/s; what stands still may turn, with nothing to be learnt from it
# Ages are sent in steps of 0.1 s, and so is the time of a snapshot at worst: the time of one and the same position
# comes out with up to twice that between snapshots. Aircraft send positions 0.4 to 0.6 s apart (DO-260B 2.2.3.3).
REPEAT_NS: Final = 250_000_000
MOVING: Final = 5 * KT  # m/s; faster than this, a position doesn't stay the same to the last digit
T_MAX_NS: Final = 4_000_000_000 * 1_000_000_000  # ns UTC, year 2096: times beyond are mistakes


class Source(NamedTuple):
    """Who says where a target is: what kind of sensor that makes, and its usual accuracy."""

    kind: SensorKind
    technology: Technology
    sigma_pos_m: float | None = None  # None: the default of the kind


# What differs in accuracy, in delay or in the way from the aircraft is a sensor of its own. Two reports of one aircraft
# by one sensor at a time would be two aircraft; by two sensors they can be one.
SOURCES: Final[dict[str, Source]] = {
    "adsb": Source(SensorKind.ADSB, Technology.ADS),
    "adsr": Source(SensorKind.ADSB, Technology.ADS),  # ADS-B heard on another link and sent again from the ground
    "tisb": Source(SensorKind.MLAT, Technology.ADS, 100.0),  # what a radar sees, sent from the ground: NACp 6 to 8
    "mlat": Source(SensorKind.MLAT, Technology.MLT),
    "adsc": Source(SensorKind.ADSB, Technology.ADS),  # by contract over satellites or HF, minutes apart
    "other": Source(SensorKind.ADSB, Technology.ADS, 100.0),  # nobody says how it was obtained
    "uat": Source(SensorKind.ADSB, Technology.ADS),
    "flarm": Source(SensorKind.ADSB, Technology.ADS, 10.0),  # satellites without augmentation
    "ais": Source(SensorKind.ADSB, Technology.ADS, 10.0),
    "asterix": Source(SensorKind.MLAT, Technology.MDS, 100.0),  # radars' positions by way of OpenSky
    "system": Source(SensorKind.MLAT, Technology.MDS, 100.0),  # another system's tracks
}


class Heard(NamedTuple):
    """Reports of targets, one row each, as a reader understood them."""

    who: I64  # (M,) number of the target, the same whenever it's met; negative: unknown, each its own target
    t_ns: I64  # (M,) time of validity
    timely: NDArray[np.bool_]  # (M,) the time is known
    source: I32  # (M,) index in the names of sources
    lat: F64  # (M,) deg; NaN where absent or not a number
    lon: F64  # (M,) deg
    given: NDArray[np.bool_]  # (M,) the report has fields for a position at all
    aged: NDArray[np.bool_]  # (M,) the time is that of the position, not of the report
    h_ell: F64  # (M,) m
    h_baro: F64  # (M,) m
    speed: F64  # (M,) m/s over ground
    course: F64  # (M,) deg clockwise from true north, any turn
    v_up: F64  # (M,) m/s
    sigma_pos: F64  # (M,) m per axis
    sigma_v: F64  # (M,) m/s per axis
    turn_rate: F64  # (M,) rad/s counter-clockwise
    mode_3a: I32  # (M,) -1 missing
    address: I32  # (M,) -1 missing
    callsign: U64  # (M,) 0 missing
    on_ground: I8  # (M,) 1 on the ground, 0 in the air, -1 not said
    category: U8  # (M,) emitter category, see `emitters`; 0 missing
    t_said: I64  # (M,) ns, when anything was heard of the target last, -1 not said

    @classmethod
    def of(cls, size: int, **columns: Any) -> Self:
        """Return `size` rows with the given columns and all others missing; positions are taken as given and aged."""
        missing = {
            name: np.full(size, _MISSING.get(name, np.float64(np.nan))) for name in cls._fields if name not in columns
        }
        return cls(**missing, **columns)

    def take(self, rows: NDArray[Any]) -> Self:
        """Return the chosen rows."""
        columns: list[Any] = [column[rows] for column in self]
        return type(self)(*columns)


# What stands for "missing" in the columns that aren't floats.
_MISSING: Final[dict[str, Any]] = {
    "who": np.int64(-1), "timely": np.True_, "source": np.int32(0), "given": np.True_, "aged": np.True_,
    "mode_3a": np.int32(-1), "address": np.int32(-1), "callsign": np.uint64(0), "t_ns": np.int64(0),
    "on_ground": np.int8(-1), "category": np.uint8(0), "t_said": np.int64(-1),
}  # fmt: skip


def ground_word(grounded: NDArray[np.bool_], flying: NDArray[np.bool_]) -> I8:
    """Return `Heard.on_ground` of what says that its target is on the ground, or in the air, or neither."""
    return np.where(grounded, 1, np.where(flying, 0, -1)).astype(np.int8)


class Given:
    """The last position of each target, so that one that comes again is known, however the stream was cut."""

    def __init__(self, targets_max: int = TARGETS_MAX) -> None:
        self._last = LastRow(targets_max, t=np.int64, lat=np.float64, lon=np.float64)

    def __len__(self) -> int:
        return len(self._last)

    def repeated(self, heard: Heard) -> NDArray[np.bool_]:
        """Find reports that only say again where the target was: the same digits for the same time, or an older one.

        Where a report doesn't say how old its position is (`aged` False), one that stays the same to the last digit
        though the target moves is taken for a repetition too. Rows count in the order they came in.
        """
        had, was = self._last.before(heard.who, t=heard.t_ns, lat=heard.lat, lon=heard.lon)
        same = had & (heard.lat == was["lat"]) & (heard.lon == was["lon"])
        stuck = ~heard.aged & (heard.speed > MOVING)
        return np.asarray(same & ((heard.t_ns - was["t"] <= REPEAT_NS) | stuck))


class Taken(NamedTuple):
    """Plots, and what became of each row that was heard."""

    plots: Plots  # in time order
    reasons: U8  # (M,) Reason; OK are the plots


def take_in(
    heard: Heard,
    names: Sequence[str],
    sensors: Sensors,
    rows: I32,
    *,
    given: Given | None = None,
    motions: Motions | None = None,
) -> Taken:
    """Judge reports and make plots of the good ones.

    Parameters
    ----------
    names : of the sources that `heard.source` points to, see `SOURCES`
    rows : (n,) row in `sensors` of each source
    given : what was given before (overwritten); None where the format repeats nothing
    motions : what motion was told before (overwritten); None where it's always of the position's time. What is new and
        of another time becomes a message of `t_said` where the target has an address, with the height where the report
        has no position
    """
    reasons = judge_positions(heard.lat, heard.lon, heard.given, heard.timely)
    if given is not None:
        sound = np.flatnonzero(reasons == Reason.OK)
        reasons[sound[given.repeated(heard.take(sound))]] = Reason.DUPLICATE
    good = np.flatnonzero(reasons == Reason.OK)
    kept = heard.take(good)
    technology = np.array([_usual(name).technology for name in names], np.uint8)
    alone = np.zeros(len(reasons), np.bool_)
    if motions is not None:
        motion = heard.speed, heard.course, heard.v_up
        alone = motions.apart(heard.who, heard.t_ns, heard.t_said, reasons == Reason.OK, *motion)
        alone &= heard.address >= 0
    if not alone.any():
        return Taken(_plots_of(kept, sensors, rows, technology), reasons)
    unknown = np.where(alone[good], np.nan, 0.0)
    kept = kept._replace(speed=kept.speed + unknown, v_up=kept.v_up + unknown, turn_rate=kept.turn_rate + unknown)
    said = heard.take(np.flatnonzero(alone))
    nowhere = np.full(len(said.who), np.nan)
    elsewhere = np.where(said.given, np.nan, 0.0)
    said = said._replace(
        t_ns=said.t_said, lat=nowhere, lon=nowhere, h_ell=said.h_ell + elsewhere, h_baro=said.h_baro + elsewhere
    )
    both = [_plots_of(part, sensors, rows, technology) for part in (kept, said)]
    return Taken(Plots.concat(both).in_time_order(), reasons)


def _plots_of(heard: Heard, sensors: Sensors, rows: I32, technology: U8) -> Plots:
    """Return reports as plots, in time order; rows, technology : (n,) of each source."""
    return reported_plots(
        sensors,
        t_ns=heard.t_ns,
        sensor=rows[heard.source],
        lat_deg=heard.lat,
        lon_deg=heard.lon,
        h_ell=heard.h_ell,
        h_baro=heard.h_baro,
        speed=heard.speed,
        course_deg=heard.course,
        v_up=heard.v_up,
        sigma_pos=heard.sigma_pos,
        sigma_v=heard.sigma_v,
        turn_rate=heard.turn_rate,
        mode_3a=heard.mode_3a,
        address=heard.address,
        callsign=heard.callsign,
        on_ground=heard.on_ground,
        category=heard.category,
        technology=technology[heard.source],
    )


def reported_sensors(
    sensors: Sensors | None, names: Sequence[str], only: Sequence[str] = ()
) -> tuple[Sensors, I32, tuple[str, ...]]:
    """Find the sensors of sources, by their names in `SOURCES`.

    A described sensor is taken by that id; "adsb" and "mlat" also for being the only one of their kind. What's missing
    is added with the usual accuracy, behind the described ones.

    Parameters
    ----------
    only : ids that may be taken, where one of several receivers is meant: nothing is added then, and a source without
        a sensor of its own goes to the first of its kind, else to the first of all

    Returns
    -------
    sensors, (n,) rows in it, notes
    """
    if sensors is not None and only:
        return sensors, np.array([_among(sensors, name, only) for name in names], np.int32), ()
    table = sensors
    notes = []
    rows = []
    for name in names:
        row = -1 if table is None else _described(table, name, alone=name in ("adsb", "mlat") and sensors is not None)
        if row < 0:
            if sensors is not None:
                notes.append(f"the sensor table has no sensor {name!r}; one with the usual accuracy was added")
            usual = _usual(name)
            described: dict[str, Any] = {"id": name, "kind": usual.kind.name.lower()}
            if usual.sigma_pos_m is not None:
                described["sigma_pos_m"] = usual.sigma_pos_m
            fresh = sensors_from_rows([described])
            table = fresh if table is None else merge_sensors([table, fresh])[0]
            row = table.index(name)
        rows.append(row)
    assert table is not None
    return table, np.array(rows, np.int32), tuple(notes)


def _described(sensors: Sensors, name: str, alone: bool) -> int:
    """Return the row of a source's sensor, -1 where there's none."""
    row = sensors.index(name)
    kind = _usual(name).kind
    if row < 0 and ":" in name:  # another system, by its SAC/SIC
        sac, _, sic = name.partition(":")[2].partition("/")
        same = np.flatnonzero((sensors.sac == int(sac)) & (sensors.sic == int(sic)) & (sensors.kind == kind))
        row = int(same[0]) if len(same) else -1
    if row < 0 and alone:
        sole = np.flatnonzero(sensors.kind == kind)
        row = int(sole[0]) if len(sole) == 1 else -1
    return row


def _among(sensors: Sensors, name: str, only: Sequence[str]) -> int:
    """Return the row of the chosen sensor that fits a source best: by its id, the beginning of its id, its kind."""
    chosen = [one for one in only if sensors.index(one) >= 0]
    alike = [one for one in chosen if sensors.kind[sensors.index(one)] == _usual(name).kind]
    named = [one for one in alike if one == name] or [one for one in alike if one.startswith(name)]
    best = (named or alike or chosen)[:1]
    return sensors.index(best[0]) if best else 0


def _usual(name: str) -> Source:
    """Return what is known of a source: its name is a key of `SOURCES`, or one with a colon and more behind it."""
    return SOURCES[name.partition(":")[0]]


def sources_met(sensors: Sensors | None, heard: Heard, names: Sequence[str]) -> tuple[Sensors, I32, tuple[str, ...]]:
    """Find the sensors of the sources that occur among good positions; "adsb", or the first, where there's none.

    Returns
    -------
    sensors, (n,) row in it of each of `names` (0 where it doesn't occur), notes
    """
    good = judge_positions(heard.lat, heard.lon, heard.given, heard.timely) == Reason.OK
    met = np.flatnonzero(np.bincount(heard.source[good], minlength=len(names)))
    chosen = met.tolist() or [names.index("adsb") if "adsb" in names else 0]
    table, found, notes = reported_sensors(sensors, [names[k] for k in chosen])
    rows = np.zeros(len(names), np.int32)
    rows[chosen] = found
    return table, rows, notes


def judge_positions(
    lat_deg: F64, lon_deg: F64, given: NDArray[np.bool_], timely: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Return the `Reason` of each report.

    Parameters
    ----------
    lat_deg, lon_deg : (M,) deg; NaN where absent or not a number
    given : (M,) the report has fields for a position at all
    timely : (M,) the time is known
    """
    reasons = np.zeros(len(lat_deg), np.uint8)
    reasons[~((np.abs(lat_deg) <= 90) & (lon_deg >= -180) & (lon_deg <= 360))] = Reason.BAD_VALUE
    reasons[~(np.isfinite(lat_deg) & np.isfinite(lon_deg) & timely)] = Reason.NOT_FINITE
    reasons[~given] = Reason.NO_POSITION
    return reasons


def account(
    reasons: NDArray[np.uint8], numbers: I64, faults: Sequence[tuple[int, str]] = (), *, silence: bool = False
) -> tuple[dict[str, int], tuple[tuple[int, str], ...]]:
    """Count refusals by name, and list the first that are more than silence or repetition, with their numbers.

    Parameters
    ----------
    reasons, numbers : (M,) of the rows that were understood
    faults : rows that weren't: their number, and what was wrong
    silence : rows without a position are messages of another kind, and no refusals
    """
    if silence:
        reasons = np.where(reasons == Reason.NO_POSITION, Reason.OK, reasons).astype(np.uint8)
    counts = {reason.name: int(n) for reason in Reason if reason and (n := np.count_nonzero(reasons == reason))}
    if faults:
        counts[Reason.BAD_VALUE.name] = counts.get(Reason.BAD_VALUE.name, 0) + len(faults)
    quiet = (reasons == Reason.NO_POSITION) | (reasons == Reason.DUPLICATE) | (reasons == Reason.OK)
    rows = np.flatnonzero(~quiet)[:REFUSALS_MAX]
    said = {
        Reason.NOT_FINITE: "time, latitude or longitude is not a finite number",
        Reason.BAD_VALUE: "latitude or longitude outside its limits",
    }
    named = [(int(numbers[k]), said[Reason(int(reasons[k]))]) for k in rows]
    return counts, tuple(sorted([*named, *faults])[:REFUSALS_MAX])


def rows_of(plots: Plots) -> dict[str, int]:
    """Return how many plots are positions, and how many velocities of another time than a position's."""
    placed = int(np.isfinite(plots.lat).sum())
    return {"rows": placed} | ({"velocities of their own time": len(plots) - placed} if len(plots) > placed else {})


def tally(counts: Counter[str], reasons: U8, silent: str = f"refused {Reason.NO_POSITION.name}") -> None:
    """Add what became of rows to the counts of a live decoder (overwritten); `silent` names those without position."""
    for value, n in enumerate(np.bincount(reasons, minlength=1).tolist()):
        if n:
            reason = Reason(value)
            named = {Reason.OK: "decoded position", Reason.NO_POSITION: silent}
            counts[named.get(reason, f"refused {reason.name}")] += n


def reported_plots(sensors: Sensors, **columns: Any) -> Plots:
    """Build plots from degrees, in time order; optional values outside their limits become unknown."""
    lat, lon = columns.pop("lat_deg") * DEG, wrap_longitude(columns.pop("lon_deg") * DEG)
    limits = (
        ("h_ell", -12_000, 5e7),
        ("h_baro", -3_048, 304_800),
        ("sigma_pos", 1e-3, 1e6),
        ("sigma_v", 1e-3, 1e4),
        ("v_up", -CLIMB_MAX, CLIMB_MAX),
        ("turn_rate", -TURN_MAX, TURN_MAX),
    )
    for name, low, high in limits:
        if name in columns:
            values = columns[name]
            columns[name] = np.where((values >= low) & (values <= high), values, np.nan)
    speed = columns.pop("speed")
    course = columns.pop("course_deg") * DEG
    speed = np.where((speed >= 0) & (speed <= GROUND_SPEED_MAX), speed, np.nan)
    course = np.where(speed == 0, 0.0, np.where(np.isfinite(course), course, np.nan))  # standing still needs no course
    plots = Plots.blank(
        len(lat), sensors, lat=lat, lon=lon, v_east=speed * np.sin(course), v_north=speed * np.cos(course), **columns
    )
    return plots.in_time_order()
