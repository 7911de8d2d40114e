"""System tracks (CAT062) as a `Tracks` table.

Velocity (I062/185) and acceleration (I062/210) are taken as east and north: they lie in the sender's system plane,
whose north differs from true north by the convergence of the meridians, which the message doesn't tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from airpicture.formats import emitters
from airpicture.formats.asterix.decode import Blocks, Records
from airpicture.formats.asterix.sources import source_of
from airpicture.formats.asterix.units import ascii_texts, callsigns, codes, si
from airpicture.formats.reported import ground_word
from airpicture.kernels.asterix import MISSING, composed_numbers
from airpicture.kernels.asterix_stream import count_lives
from airpicture.tables import F64, I8, I64, SEEN_MAX, Sensors, Status, Technology, Tracks
from airpicture.units import SECOND_NS

# Ages of I062/290 in quarters of a second, by technology; the youngest counts.
_AGES: dict[Technology, tuple[str, ...]] = {
    Technology.PSR: ("290/PSR",),
    Technology.SSR: ("290/SSR",),
    Technology.MDS: ("290/MDS",),
    Technology.ADS: ("290/ES", "290/VDL", "290/UAT", "290/ADS"),
    Technology.MLT: ("290/MLT",),
}
_SATURATED = {"290/ADS": 0xFFFF}  # greatest value: that age or more; 0xFF for the others
_AGE_NS = SECOND_NS // 4  # the unit of ages in I062/290
LIFE_STEP = 1 << 32  # between the numbers of a track number's lives, which I062/040 and 510 don't reach
SERVICE_STEP = 1 << 48  # between those of services

FIELDS: tuple[str, ...] = (
    "015", "040", "105/LAT", "105/LON", "185/VX", "185/VY", "210/AX", "210/AY", "060/V", "060/G", "060/MODE3A",
    "245/CHR", "380/ADR", "380/ID", "380/EMC", "380/SAB/GBS", "380/COM/STAT", "390/CS", "080/CNF", "080/SIM", "080/TSE",
    "080/TSB", "080/CST", "200/TRANS", "136", "130", "135/CTB", "135/QNH", "220", "290/TRK",
    *(path for paths in _AGES.values() for path in paths),
    "500/APW/LAT", "500/APW/LON", "500/APC/X", "500/APC/Y", "500/COV", "500/AGA", "500/ABA", "500/ATV/X", "500/ATV/Y",
    "500/ARC",
    "340/SID/SAC", "340/SID/SIC", "340/POS/RHO", "340/POS/THETA", "340/MDC/LMC", "340/MDA/MODE3A", "510",
)  # fmt: skip

NEW_LIFE_NS = 120 * SECOND_NS  # a track number unheard for so long stands for another aircraft


def _numbers(records: Records, blocks: Blocks) -> I64:
    """Return the track number of each record: I062/040, or what I062/510 says where it goes with it."""
    short = records.integers("040")
    offsets = records.raw["510"]
    number, valid = np.zeros(len(short), np.int64), np.zeros(len(short), np.bool_)
    composed_numbers(blocks.data, np.where(offsets == MISSING, -1, offsets), number, valid)
    return np.where(valid & ((number & 0xFFFF) == short), number, short)


def _kept(records: Records, t_ns: I64, left: Counter[str]) -> I64:
    """Return the rows of records that can be shown, in the order of time; the others are counted in `left`."""
    keep = np.ones(len(records), np.bool_)
    for mask, why in (
        (t_ns < 0, "no time (record)"),
        (~records.has("040"), "no track number (record)"),
        (records.flags("080/SIM"), "simulated track (record)"),
        (~(records.has("105/LAT") & records.has("105/LON")) & ~records.flags("080/TSE"), "no position (record)"),
    ):
        if count := int((mask & keep).sum()):
            left[f"CAT062 {why}"] += count
        keep &= ~mask
    rows = np.flatnonzero(keep)
    kept: I64 = rows[np.argsort(t_ns[rows], kind="stable")]
    return kept


def _one_number_a_track(records: Records, blocks: Blocks, rows: I64, t: I64) -> tuple[I64, tuple[str, ...]]:
    """Return a number for each of some records, in the order of time, that no other track has; and notes on that."""
    service = (source_of(records) * 256 + records.integers("015", 0))[rows]
    names, service_row = np.unique(service, return_inverse=True)
    number = _numbers(records, blocks)[rows] + service_row.astype(np.int64) * SERVICE_STEP
    dense = np.unique(number, return_inverse=True)[1].astype(np.int64)
    life = np.zeros(len(rows), np.int64)
    count_lives(dense, t, records.flags("080/TSE")[rows], NEW_LIFE_NS, life)
    notes = []
    if len(names) > 1:
        notes.append(f"CAT062 comes from {len(names)} services; their tracks are numbered apart")
    if reused := len(np.unique(number[life > 0])):
        notes.append(
            f"{reused:,} CAT062 track numbers were used again for another track; the later ones are numbered anew"
        )
    return number + life * LIFE_STEP, tuple(notes)


def _last_plots(records: Records, rows: I64, t: I64) -> I64:
    """Return when the last plot of each `Technology` was, by the ages of I062/290: (N, 5) ns, -1 never."""
    last = np.full((len(rows), len(Technology)), -1, np.int64)
    for kind, paths in _AGES.items():
        for path in paths:
            raw = records.raw[path][rows]
            known = (raw != MISSING) & (raw != _SATURATED.get(path, 0xFF))
            last[:, kind] = np.maximum(last[:, kind], np.where(known, t - raw * _AGE_NS, -1))
    return last


def read_tracks_062(
    records: Records, t_ns: I64, blocks: Blocks, sensors: Sensors, left: Counter[str]
) -> tuple[Tracks, tuple[str, ...]]:
    """Read CAT062 into a table, in the order of time.

    Numbers stay as sent while they stand for one track. One that's used again gets the next multiple of 2^32 added for
    each life, and other services' tracks (SAC, SIC, I062/015) another multiple of 2^48: a number is used once in a run.

    Returns the tracks and notes for the user.
    """
    rows = _kept(records, t_ns, left)
    t = t_ns[rows]
    size = len(rows)

    def value(path: str) -> F64:
        return si(records, path)[rows]

    def flag(path: str) -> NDArray[np.bool_]:
        return records.flags(path)[rows]

    number, notes = _one_number_a_track(records, blocks, rows, t)
    status = np.full(size, Status.CONFIRMED, np.uint8)
    status[flag("080/CST")] = Status.COASTING
    status[flag("080/CNF")] = Status.TENTATIVE
    status[flag("080/TSE")] = Status.ENDED

    lat, lon, h_geo = value("105/LAT"), value("105/LON"), value("130")
    sigma_east, sigma_north, rho = _position_accuracy(value, lat, h_geo)
    technology = _last_plots(records, rows, t)
    age = records.raw["290/TRK"][rows]
    first = np.where((age != MISSING) & (age != 0xFF), t - age * _AGE_NS, -1)

    mode_3a = np.where(flag("060/V") | flag("060/G"), -1, codes(records, "060/MODE3A")[rows])
    callsign = callsigns(records, "245/CHR")[rows]
    for other in (callsigns(records, "380/ID")[rows], ascii_texts(records, "390/CS")[rows]):
        callsign = np.where(callsign == 0, other, callsign)
    level, track_level = value("136"), value("135/CTB")
    track_level = np.where(flag("135/QNH"), np.nan, track_level)  # corrected for QNH: no pressure altitude any more
    turn = records.integers("200/TRANS", 3)[rows]  # 0 straight, 1 right, 2 left, 3 not known
    vertical = value("500/AGA")
    plot_sensor = _plot_sensors(records, rows, sensors)
    tracks = Tracks.blank(
        size,
        sensors,
        t_ns=t,
        track=number,
        status=status,
        lat=lat,
        lon=lon,
        h_ell=h_geo,
        h_baro=np.where(np.isnan(track_level), level, track_level),
        v_east=value("185/VX"),
        v_north=value("185/VY"),
        v_up=value("220"),
        a_east=value("210/AX"),
        a_north=value("210/AY"),
        sigma_east=sigma_east,
        sigma_north=sigma_north,
        rho_east_north=rho,
        sigma_up=np.where(np.isnan(vertical), value("500/ABA"), vertical),
        sigma_v_east=value("500/ATV/X"),
        sigma_v_north=value("500/ATV/Y"),
        sigma_v_up=value("500/ARC"),
        mode_3a=mode_3a,
        address=codes(records, "380/ADR")[rows],
        callsign=callsign,
        on_ground=_ground(records)[rows],
        category=emitters.from_asterix(records.integers("380/EMC"))[rows],
        turn_left=np.where(turn == 3, np.nan, turn == 2),
        turn_right=np.where(turn == 3, np.nan, turn == 1),
        t_ns_technology=technology,
        t_ns_plot=technology.max(axis=1, initial=-1),
        t_ns_first=first,
        plot_sensor=plot_sensor,
        plot_range=value("340/POS/RHO"),
        plot_azimuth=value("340/POS/THETA"),
        plot_h_baro=value("340/MDC/LMC"),
        plot_mode_3a=codes(records, "340/MDA/MODE3A")[rows],
        seen=np.concatenate([plot_sensor[:, None], np.full((size, SEEN_MAX - 1), -1, np.int32)], axis=1),
    )
    return tracks, notes


def _ground(records: Records) -> I8:
    """Return `on_ground` of the flight status of Mode S, and of the ground bit of ADS-B, whose 0 says nothing."""
    status = records.integers("380/COM/STAT")
    grounded = (status == 1) | (status == 3) | records.flags("380/SAB/GBS")
    return ground_word(grounded, (status == 0) | (status == 2))


def _position_accuracy(value: Callable[[str], F64], lat: F64, h: F64) -> tuple[F64, F64, F64]:
    """Return sigma east, sigma north [m] and their correlation from I062/500.

    APW gives them along the meridian and the parallel; APC in the system plane, used where there's no APW. COV is the
    square root of the covariance in that plane, with its sign.
    """
    # Radii of curvature on WGS-84 (a, e²: NIMA TR8350.2, third edition, table 3.1).
    a, e2 = 6_378_137.0, 6.694379990141e-3
    w = np.sqrt(1 - e2 * np.sin(lat) ** 2)
    height = np.where(np.isnan(h), 0.0, h)
    north = value("500/APW/LAT") * (a * (1 - e2) / w**3 + height)
    east = value("500/APW/LON") * (a / w + height) * np.cos(lat)
    x, y, covariance = value("500/APC/X"), value("500/APC/Y"), value("500/COV")
    # Half a metre is the step of X and Y: what is known better than a quarter arrives as 0, and tells no correlation.
    rho = np.sign(covariance) * covariance**2 / np.where(x * y > 0.0, x * y, np.nan)
    rho = np.where(np.isfinite(rho), np.clip(rho, -1.0, 1.0), np.nan)
    return np.where(np.isnan(east), x, east), np.where(np.isnan(north), y, north), rho


def _plot_sensors(records: Records, rows: I64, sensors: Sensors) -> NDArray[np.int32]:
    """Return the row of the sensor of the last plot (I062/340 SID), -1 where it's not in the table."""
    sac, sic = records.integers("340/SID/SAC")[rows], records.integers("340/SID/SIC")[rows]
    found = np.full(len(rows), -1, np.int32)
    for row in range(len(sensors.ids)):
        if sensors.sac[row] >= 0:
            found[(sac == sensors.sac[row]) & (sic == sensors.sic[row]) & (found < 0)] = row
    return found
