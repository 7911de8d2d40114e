"""Target reports (CAT001, 010, 020, 021, 048) as columns of plots: what each item means, and which reports are no
plots.

A report that the sensor marks as simulated, as a test or as coming from a field monitor is left out; so is a track
update that no plot stands behind, said (I048/020) or not (see `extrapolated`). All are counted. What isn't read:
velocities that a sensor's own tracker computed (I048/200, I020/202, ...), since taking a filter's output for a
measurement counts the same plots twice; Doppler speed (I048/120, I001/120), whose sign sensors don't agree on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.formats import emitters
from airpicture.formats.asterix.decode import Records
from airpicture.formats.asterix.extrapolated import NEEDED, extrapolated
from airpicture.formats.asterix.units import callsigns, codes, si
from airpicture.formats.reported import ground_word
from airpicture.tables import F64, I8, I32, I64, U8, U64, SensorKind, Technology
from airpicture.units import FL, NMI

Mask = NDArray[np.bool_]


@dataclass(slots=True)
class Targets:
    """Target reports of one category. M rows; missing floats NaN, missing codes -1."""

    rows: I64  # (M,) rows in the records
    kind: U8  # (M,) SensorKind of what sent it
    technology: U8  # (M,) Technology
    slant_range: F64  # (M,) m
    azimuth: F64  # (M,) rad
    lat: F64  # (M,) rad
    lon: F64  # (M,) rad
    x: F64  # (M,) m, east in the plane at the sensor's reference point
    y: F64  # (M,) m, north in it
    z: F64  # (M,) m, above it
    h_ell: F64  # (M,) m
    sigma_pos: F64  # (M,) m
    h_baro: F64  # (M,) m
    mode_3a: I32  # (M,)
    address: I32  # (M,)
    callsign: U64  # (M,)
    v_east: F64  # (M,) m/s
    v_north: F64  # (M,) m/s
    on_ground: I8  # (M,) 1 on the ground, 0 in the air, -1 not said
    category: U8  # (M,) emitter category, see `formats.emitters`; 0 missing


@dataclass(slots=True)
class _Reader:
    """A category's records on their way to `Targets`."""

    records: Records
    left: Counter[str]
    keep: Mask

    def leave(self, mask: Mask, why: str) -> None:
        """Leave out the reports in `mask` that are still in, and count them."""
        out = mask & self.keep
        if count := int(out.sum()):
            self.left[f"CAT{self.records.category:03d} {why}"] += count
        self.keep &= ~out

    def has(self, path: str) -> Mask:
        return self.records.has(path)

    def set(self, *paths: str) -> Mask:
        """Return where any of the bits is set."""
        found = np.zeros(len(self.records), np.bool_)
        for path in paths:
            found |= self.records.flags(path)
        return found

    def mode_3a(self, item: str) -> I32:
        """Return Mode A codes; -1 where not validated or garbled."""
        return np.where(self.set(f"{item}/V", f"{item}/G"), -1, codes(self.records, f"{item}/MODE3A")).astype(np.int32)

    def level(self, item: str, name: str = "FL") -> F64:
        """Return pressure altitude [m]; NaN where not validated or garbled.

        Some editions call these 14 bits unsigned, and sensors send two's complement all the same: nothing flies above
        flight level 2,048.
        """
        height = si(self.records, f"{item}/{name}")
        height = np.where(height >= 2048 * FL, height - 4096 * FL, height)
        return np.where(self.set(f"{item}/V", f"{item}/G"), np.nan, height)

    def flight_status(self, item: str) -> I8:
        """Return `on_ground` of the flight status of Mode S (STAT): 0 and 2 in the air, 1 and 3 on the ground."""
        status = self.records.integers(item)
        return ground_word((status == 1) | (status == 3), (status == 0) | (status == 2))

    def ground_bit(self, bit: str) -> I8:
        """Return `on_ground` of a ground bit: its 0 is what is sent where nothing is known, and says nothing."""
        return ground_word(self.set(bit), np.zeros(len(self.records), np.bool_))

    def targets(self, kind: U8, technology: U8, **columns: F64 | I8 | I32 | U8 | U64) -> Targets:
        rows = np.flatnonzero(self.keep)
        size = len(self.records)
        filled: dict[str, NDArray[Any]] = {}
        for name in Targets.__dataclass_fields__:
            if name in ("rows", "kind", "technology"):
                continue
            column: NDArray[Any]
            if name in columns:
                column = columns[name]
            elif name in ("mode_3a", "address"):
                column = np.full(size, -1, np.int32)
            elif name == "on_ground":
                column = np.full(size, -1, np.int8)
            elif name in ("callsign", "category"):
                column = np.zeros(size, np.uint64 if name == "callsign" else np.uint8)
            else:
                column = np.full(size, np.nan)
            filled[name] = column[rows]
        return Targets(rows, kind[rows], technology[rows], **filled)


_FALSE_REPORTS = {
    "SIM": "simulated target (report)",
    "TST": "test target (report)",
    "RAB": "field monitor (report)",
}

EXTRAPOLATED = "extrapolated without plot (report)"


def _start(records: Records, left: Counter[str], descriptor: str) -> _Reader:
    reader = _Reader(records, left, np.ones(len(records), np.bool_))
    for bit, why in _FALSE_REPORTS.items():
        reader.leave(reader.set(f"{descriptor}/{bit}"), why)
    return reader


def _filled(size: int, value: int) -> U8:
    return np.full(size, value, np.uint8)


def read_048(records: Records, left: Counter[str]) -> Targets:
    """CAT048: I048/040 range and azimuth, 090 flight level, 070 Mode A, 220 address, 240 identification."""
    reader = _start(records, left, "020")
    reader.leave(~reader.has("040/RHO"), "track without plot (report)")
    # TYP: 0 no detection, 1 PSR, 2 SSR, 3 both, 4 to 7 Mode S (all-call, roll-call, each with PSR)
    kind_of_report = records.integers("020/TYP")
    reader.leave(kind_of_report == 0, "track without detection (report)")
    technology = np.array(
        [Technology.SSR, Technology.PSR, Technology.SSR, Technology.SSR, *[Technology.MDS] * 4], np.uint8
    )
    return reader.targets(
        _filled(len(records), SensorKind.RADAR),
        technology[np.maximum(kind_of_report, 0)],
        slant_range=si(records, "040/RHO"),
        azimuth=si(records, "040/THETA"),
        h_baro=reader.level("090"),
        mode_3a=reader.mode_3a("070"),
        address=codes(records, "220"),
        callsign=callsigns(records, "240"),
        on_ground=reader.flight_status("230/STAT"),
    )


def read_001(records: Records, left: Counter[str]) -> Targets:
    """CAT001: I001/040 range and azimuth, 090 flight level, 070 Mode A."""
    reader = _start(records, left, "020")
    reader.leave(~reader.has("040/RHO"), "track without plot (report)")
    kind_of_report = records.integers("020/SSRPSR")  # 0 no detection, 1 primary, 2 secondary, 3 both
    reader.leave(kind_of_report == 0, "track without detection (report)")
    return reader.targets(
        _filled(len(records), SensorKind.RADAR),
        np.where(kind_of_report == 1, Technology.PSR, Technology.SSR).astype(np.uint8),
        slant_range=si(records, "040/RHO"),
        azimuth=si(records, "040/THETA"),
        h_baro=reader.level("090", "HGT"),
        mode_3a=reader.mode_3a("070"),
    )


def read_010(records: Records, left: Counter[str]) -> Targets:
    """CAT010: a surface radar's I010/040 or a multilateration system's 041, 042; 090, 060, 220, 245; accuracy 500."""
    reader = _start(records, left, "020")
    message = records.integers("000")  # 1 target report, 2 start of update cycle, 3 periodic status, 4 event status
    reader.leave((message >= 0) & (message != 1), "service message (record)")
    primary = records.integers("020/TYP") == 3  # 0, 1, 5 multilateration, 2 ADS-B, 3 PSR, 4 magnetic loop
    polar = reader.has("040/RHO")
    reader.leave(~polar & ~reader.has("041/LAT") & ~reader.has("042/X"), "without position (report)")
    reader.leave(extrapolated(records, "161/TRK") & ~primary, EXTRAPOLATED)
    use_polar = polar & primary
    sigma = np.sqrt((si(records, "500/DEVX") ** 2 + si(records, "500/DEVY") ** 2) / 2)

    def reported(path: str) -> F64:
        return np.where(use_polar, np.nan, si(records, path))

    return reader.targets(
        np.where(primary, SensorKind.RADAR, SensorKind.MLAT).astype(np.uint8),
        np.where(primary, Technology.PSR, Technology.MLT).astype(np.uint8),
        slant_range=np.where(use_polar, si(records, "040/RHO"), np.nan),
        azimuth=np.where(use_polar, si(records, "040/TH"), np.nan),
        lat=reported("041/LAT"),
        lon=reported("041/LON"),
        x=reported("042/X"),
        y=reported("042/Y"),
        z=si(records, "091"),
        sigma_pos=np.where(sigma > 0, sigma, np.nan),
        h_baro=reader.level("090"),
        mode_3a=reader.mode_3a("060"),
        address=codes(records, "220"),
        callsign=callsigns(records, "245/CHR"),
        on_ground=reader.ground_bit("020/GBS"),
    )


def read_020(records: Records, left: Counter[str]) -> Targets:
    """CAT020: I020/041 or 042, heights 105 and 110, 090, 070, 220, 245; accuracy 500/SDP."""
    reader = _start(records, left, "020")
    reader.leave(~reader.has("041/LAT") & ~reader.has("042/X"), "without position (report)")
    reader.leave(extrapolated(records, "161/TRN"), EXTRAPOLATED)
    sigma = np.sqrt((si(records, "500/SDP/X") ** 2 + si(records, "500/SDP/Y") ** 2) / 2)
    return reader.targets(
        _filled(len(records), SensorKind.MLAT),
        _filled(len(records), Technology.MLT),
        lat=si(records, "041/LAT"),
        lon=si(records, "041/LON"),
        x=si(records, "042/X"),
        y=si(records, "042/Y"),
        z=si(records, "110"),
        h_ell=si(records, "105"),
        sigma_pos=np.where(sigma > 0, sigma, np.nan),
        h_baro=reader.level("090"),
        mode_3a=reader.mode_3a("070"),
        address=codes(records, "220"),
        callsign=callsigns(records, "245/CHR"),
        on_ground=np.where(reader.set("020/GBS"), np.int8(1), reader.flight_status("230/STAT")).astype(np.int8),
    )


# 95 % bounds of the horizontal position error [m] by quality figure. A circular normal error has 95 % within 2.4477
# standard deviations. NACp: RTCA DO-260B table 2-16 (EPU); NUCp: DO-260 table 2-11 (95 % horizontal bound).
_NACP_95 = np.array(
    [np.nan, 10 * NMI, 4 * NMI, 2 * NMI, NMI, 0.5 * NMI, 0.3 * NMI, 0.1 * NMI, 0.05 * NMI, 30.0, 10.0, 3.0]
)
_NUCP_95 = np.array([np.nan, 10 * NMI, 5 * NMI, NMI, 0.5 * NMI, 0.25 * NMI, 0.1 * NMI, 0.05 * NMI, 10.0, 3.0])
CIRCLE_95 = 2.4477


def _sigma_of(bounds: F64, figure: I64) -> F64:
    known = (figure >= 0) & (figure < len(bounds))
    return np.where(known, bounds[np.where(known, figure, 0)], np.nan) / CIRCLE_95


def _quality(records: Records) -> F64:
    """Return the standard deviation of ADS-B positions.

    Since edition 1.0 NACp where it's sent (MOPS version 1 and up), else NUCp where I021/210 says version 0 or there's
    no word of it. Before, the position accuracy of the figure of merit (I021/090 PA), taken as NUCp.
    """
    version = records.integers("210/VN", 0)
    nucp = np.where(version == 0, records.integers("090/NUCPNIC"), -1)
    nacp = np.where(version > 0, records.integers("090/NACP"), -1)
    old = records.of_edition(lambda name: name.startswith("0."))
    by_nucp = _sigma_of(_NUCP_95, np.where(old, records.integers("090/PA"), nucp))
    return np.where(~old & (version > 0), _sigma_of(_NACP_95, nacp), by_nucp)


def read_021(records: Records, left: Counter[str]) -> Targets:
    """CAT021: I021/131 (else 130) position, 140 height, 145 level, 160 velocity, 090 quality, 080, 070, 170."""
    reader = _start(records, left, "040")
    fine = reader.has("131/LAT")
    lat = np.where(fine, si(records, "131/LAT"), si(records, "130/LAT"))
    lon = np.where(fine, si(records, "131/LON"), si(records, "130/LON"))
    reader.leave(np.isnan(lat), "without position (report)")
    reader.leave((np.abs(lat) > np.pi / 2) | (np.abs(lon) > np.pi), "position outside the Earth (report)")
    speed, angle = si(records, "160/GS"), si(records, "160/TA")
    speed = np.where(reader.set("160/RE"), np.nan, speed)  # beyond the range of the item
    h_ell = np.where(records.raw["140"] == 0x7FFF, np.nan, si(records, "140"))  # likewise
    return reader.targets(
        _filled(len(records), SensorKind.ADSB),
        _filled(len(records), Technology.ADS),
        lat=lat,
        lon=lon,
        h_ell=h_ell,
        sigma_pos=_quality(records),
        h_baro=si(records, "145"),
        mode_3a=reader.mode_3a("070"),
        address=codes(records, "080"),
        callsign=callsigns(records, "170"),
        v_east=speed * np.sin(angle),
        v_north=speed * np.cos(angle),
        on_ground=ground_word(reader.set("040/GBS"), reader.has("145")),
        category=emitters.from_asterix(records.integers("020")),
    )


READERS: dict[int, Callable[[Records, Counter[str]], Targets]] = {
    1: read_001,
    10: read_010,
    20: read_020,
    21: read_021,
    48: read_048,
}

_FALSE_020 = ("020/SIM", "020/TST", "020/RAB")
FIELDS: dict[int, tuple[str, ...]] = {
    1: (*_FALSE_020, "020/SSRPSR", "040/RHO", "040/THETA", "070/V", "070/G", "070/MODE3A", "090/V", "090/G", "090/HGT"),
    10: (
        *_FALSE_020, "000", "020/TYP", "040/RHO", "040/TH", "041/LAT", "041/LON", "042/X", "042/Y", "060/V", "060/G",
        "060/MODE3A",
        "090/V", "090/G", "090/FL", "091", "220", "245/CHR", "500/DEVX", "500/DEVY", "161/TRK", "020/GBS", *NEEDED,
    ),
    20: (
        *_FALSE_020, "041/LAT", "041/LON", "042/X", "042/Y", "070/V", "070/G", "070/MODE3A", "090/V", "090/G", "090/FL",
        "105", "110",
        "220", "245/CHR", "500/SDP/X", "500/SDP/Y", "161/TRN", "020/GBS", "230/STAT",
        *NEEDED,
    ),
    21: (
        "040/SIM", "040/TST", "040/RAB", "130/LAT", "130/LON", "131/LAT", "131/LON", "140", "145", "160/RE", "160/GS",
        "160/TA",
        "070/V", "070/G", "070/MODE3A", "080", "170", "090/PA", "090/NUCPNIC", "090/NACP", "210/VN",
        "040/GBS", "020",
    ),
    48: (
        *_FALSE_020, "020/TYP", "040/RHO", "040/THETA", "070/V", "070/G", "070/MODE3A", "090/V", "090/G", "090/FL",
        "220", "240", "230/STAT",
    ),
}  # fmt: skip
