"""Every field of every message of recordings beside rs1090 (MIT) and pyModeS (GPL; used here, never shipped).

Where both tell a field and agree, so must the decoder here. Where they differ, or one of them tells a field and the
other doesn't, docs/modes.md says who is right; the rows of its table are the exceptions below.
"""

from __future__ import annotations

import gzip
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference_modes as ref
from airpicture.formats.modes import ModesTable, decode
from airpicture.formats.modes.frames import split
from airpicture.formats.modes.table import hex_of

rs1090 = pytest.importorskip("rs1090")
pymodes = pytest.importorskip("pyModeS")

HERE = Path(__file__).parent / "recordings"

Message = dict[str, Any]
# Our column, theirs in rs1090, theirs in pyModeS ("": it has none), tolerance. rs1090 rounds angles and speeds not at
# all, pyModeS cuts ground speeds to whole knots.
SQUITTER = (
    ("h_baro_ft", "altitude", "altitude", 0.0),
    ("lat_deg", "latitude", "latitude", 1e-9),
    ("lon_deg", "longitude", "longitude", 1e-9),
    ("gs_kt", "groundspeed", "", 1e-4),
    ("track_deg", "track", "track", 1e-4),
    ("heading_deg", "heading", "heading", 1e-4),
    ("rate_fpm", "vertical_rate", "vertical_rate", 0.0),
    ("diff_ft", "geo_minus_baro", "geo_minus_baro", 0.0),
    ("nacv", "NACv", "nac_v", 0.0),
    ("nacp", "NACp", "nac_p", 0.0),
    ("sil", "SIL", "sil", 0.0),
    ("version", "version", "version", 0.0),
    ("qnh_hpa", "barometric_setting", "baro_pressure_setting", 0.05),
    ("selected_heading_deg", "selected_heading", "selected_heading", 1e-3),
)
REGISTER = {
    "5,0": (
        ("roll_deg", "roll", "roll"), ("track_deg", "track", "true_track"), ("gs_kt", "groundspeed", "groundspeed"),
        ("turn_degps", "track_rate", "track_rate"), ("tas_kt", "TAS", "true_airspeed"),
    ),
    "6,0": (
        ("heading_deg", "heading", "magnetic_heading"), ("ias_kt", "IAS", "indicated_airspeed"),
        ("mach", "Mach", "mach"), ("rate_fpm", "vrate_barometric", "baro_vertical_rate"),
        ("rate_inertial_fpm", "vrate_inertial", "inertial_vertical_rate"),
    ),
    "4,0": (
        ("selected_ft", "selected_mcp", "selected_altitude_mcp"),
        ("selected_fms_ft", "selected_fms", "selected_altitude_fms"),
        ("qnh_hpa", "barometric_setting", "baro_pressure_setting"),
    ),
}  # fmt: skip


class Compared:
    """What came out of all three."""

    def __init__(self, messages: list[str], t_ns: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        seconds = (t_ns / 1e9).tolist()
        self.table: ModesTable = decode(messages, t_ns)
        self.ours: list[Message] = self.table.to_arrow().to_pylist()
        # rs1090 leaves out what it can't read; each of its messages holds its frame.
        told = iter(rs1090.decode(messages, seconds))
        following = next(told, {})
        self.theirs: list[Message | None] = []
        for one in messages:
            fits = following.get("frame") == one.lower()
            self.theirs.append(following if fits else None)
            following = next(told, {}) if fits else following
        assert not following
        pipe = pymodes.PipeDecoder()
        self.others: list[Message] = [
            dict(pipe.decode(one, timestamp=at)) for one, at in zip(messages, seconds, strict=True)
        ]
        assert len(self.ours) == len(self.theirs) == len(self.others)
        self.checked: Counter[str] = Counter()
        self.faults: list[str] = []

    def field(self, row: int, name: str, values: tuple[Any, Any, Any], tolerance: float) -> None:
        """Compare one value, where both others tell it and agree."""
        our, their, other = values
        if their is None or other is None or not close(their, other, tolerance):
            return
        self.checked[name] += 1
        if our is None or not close(our, their, tolerance):
            self.faults.append(f"{row} {self.ours[row]['frame']} {name}: {our} for {their}")

    def all(self) -> None:
        """Compare everything."""
        for row, (our, their, other) in enumerate(zip(self.ours, self.theirs, self.others, strict=True)):
            if their is None:
                continue
            self.checked["message"] += 1
            df = our["df"]
            assert df == int(their["df"]) == other["df"]
            address = our["address"] if df in (11, 17, 18) else our["remainder"]
            self.field(row, f"DF{df} address", (address, int(their["icao24"], 16), int(other["icao"], 16)), 0.0)
            self.field(row, "squawk", (our["squawk"], octal(their), octal(other)), 0.0)
            if df in (0, 4, 16, 20):
                values = (our["h_baro_ft"], their.get("altitude"), other.get("altitude"))
                self.field(row, f"DF{df} altitude", values, 0.0)
            if df in (17, 18):
                self._squitter(row, our, their, other)
            if df in (20, 21):
                self._register(row, our, their, other)

    def _squitter(self, row: int, our: Message, their: Message, other: Message) -> None:
        for name, rs_name, pm_name, tolerance in SQUITTER:
            if name == "h_baro_ft" and our["typecode"] >= 20:
                continue  # heights above the ellipsoid, which pyModeS reads as metres
            second = other.get(pm_name) if pm_name else their.get(rs_name)
            self.field(row, name, (our[name], their.get(rs_name), second), tolerance)
        if "callsign" in their and "#" not in their["callsign"]:
            # Blanks within are left out by rs1090, and are no part of a callsign anyway.
            texts = {(text or "").replace(" ", "") for text in (our["callsign"], their["callsign"], other["callsign"])}
            assert len(texts) == 1, texts
            self.checked["callsign"] += 1
        if "selected_altitude" in their:
            name = "selected_fms_ft" if their["source"] == "FMS" else "selected_ft"
            self.field(row, name, (our[name], their["selected_altitude"], other.get("selected_altitude")), 0.0)

    def _register(self, row: int, our: Message, their: Message, other: Message) -> None:
        """Compare a Comm-B reply that both take for one register alone; silence here is counted, not a fault."""
        told = [name for name in their if name.startswith("bds")]
        register = other.get("bds")
        if register is None or told != [f"bds{register.replace(',', '')}"]:
            return
        if our["register"] is None:
            self.checked["register left open"] += 1
            return
        self.checked["register"] += 1
        if our["register"] != register:
            self.faults.append(f"{row} {our['frame']}: {our['register']} for {register}, {our['confidence']}")
            return
        values = their[told[0]]
        for name, rs_name, pm_name in REGISTER.get(register, ()):
            self.field(row, f"{register} {name}", (our[name], values.get(rs_name), other.get(pm_name)), 0.06)


def close(a: float, b: float, tolerance: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=tolerance)


def octal(message: Message) -> int | None:
    return int(message["squawk"], 8) if message.get("squawk") else None


def host_timed(path: Path) -> tuple[list[str], np.ndarray[Any, np.dtype[np.int64]]]:
    with gzip.open(path, "rt") as file:
        rows = [line.strip().split(",") for line in file]
    t_ns = np.rint(np.array([float(row[0]) for row in rows]) * 1e6).astype(np.int64) * 1000
    return [row[1][18:] for row in rows], t_ns


def compared(messages: list[str], t_ns: np.ndarray[Any, np.dtype[np.int64]]) -> Compared:
    result = Compared(messages, t_ns)
    result.all()
    assert not result.faults, (len(result.faults), result.faults[:10])
    return result


def test_a_part_of_a_flight() -> None:
    """Taxiing out and in the air: 4,000 messages, each field."""
    found = compared(*host_timed(HERE / "long_flight_part.csv.gz")).checked
    assert min(found[name] for name in ("lat_deg", "rate_fpm", "nacp", "register", "squawk", "callsign")) > 20, found
    assert found["register left open"] <= 0.02 * found["register"]


def test_a_stream_of_dump1090() -> None:
    found = split((HERE / "sample_dump1090.beast.bin").read_bytes(), "beast").frames
    t_ns = 1_700_000_000_000_000_000 + found.clock * 250 // 3
    assert compared(hex_of(found), t_ns).checked["DF17 address"] == 23


def test_made_messages() -> None:
    """Any content of every format that the standards define, each of another aircraft."""
    rng = np.random.default_rng(5)
    messages = []
    for k in range(6000):
        address = int(rng.integers(1, 1 << 24))
        me = int(rng.integers(0, 1 << 51))
        typecode = int(rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 18, 19, 19, 19, 29, 31]))
        if typecode in (19, 29, 31):
            subtype = int(rng.choice({19: [1, 3, 4], 29: [1], 31: [0, 1]}[typecode]))
            me = me & (1 << 48) - 1 | subtype << (49 if typecode == 29 else 48)
            me |= (1 << 48) * int(rng.integers(0, 2)) if typecode == 29 else 0
        if typecode == 31:
            me = me & ~(7 << 13) | int(rng.integers(1, 3)) << 13  # versions 1 and 2
        if typecode <= 4:
            me = ref.identity("".join(rng.choice(list("ABCXYZ019 "), 8)), typecode=typecode) & (1 << 51) - 1
        df = (0, 4, 5, 16, 20, 21)[k // 6 % 6]
        kinds = (
            ref.squitter(typecode << 51 | me, address),
            ref.reply(df, int(rng.integers(0, 1 << 13)), address),
            ref.all_call(address, int(rng.choice([4, 5, 6, 7])), int(rng.integers(0, 128))),
        )
        messages.append(kinds[0 if k % 3 else 1 + k // 3 % 2].hex())
    found = compared(messages, 1_700_000_000_000_000_000 + np.arange(len(messages)) * 100_000_000_000).checked
    names = (
        "h_baro_ft",
        "gs_kt",
        "heading_deg",
        "rate_fpm",
        "diff_ft",
        "nacv",
        "nacp",
        "squawk",
        "qnh_hpa",
        "callsign",
    )
    replies = ("DF0 altitude", "DF4 altitude", "DF16 altitude", "DF20 altitude", "DF5 address", "DF21 address")
    assert min(found[name] for name in (*names, *replies, "DF11 address")) > 40, found
    assert min(found["sil"], found["version"]) > 5, found  # most made contents of TC 31 are refused by rs1090


@pytest.mark.slow
def test_the_whole_flight(recordings: Path) -> None:
    found = compared(*host_timed(recordings / "adsb" / "modes_raw" / "long_flight_beast.csv.gz")).checked
    assert found["message"] == 172_432
    assert found["lat_deg"] > 10_000
    assert found["register"] > 40_000
    for register, fields in REGISTER.items():
        assert all(found[f"{register} {field[0]}"] > 500 for field in fields), found
    assert found["register left open"] <= 0.001 * found["register"]


@pytest.mark.slow
def test_a_flight_by_its_replies(recordings: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(recordings / "adsb" / "modes_raw" / "rawmsg_400xxx_20240406.parquet").sort_by("mintime")
    t_ns = np.rint(np.array(table["mintime"]) * 1e6).astype(np.int64) * 1000
    found = compared(table["rawmsg"].to_pylist(), t_ns).checked
    assert found["register"] > 1000


@pytest.mark.slow
def test_surface_positions_of_the_whole_flight(recordings: Path) -> None:
    """pyModeS tells none here (it wants a receiver's place), so they're compared with rs1090 alone."""
    messages, t_ns = host_timed(recordings / "adsb" / "modes_raw" / "long_flight_beast.csv.gz")
    ours = decode(messages, t_ns)
    theirs = rs1090.decode(messages, (t_ns / 1e9).tolist())
    ground = [k for k, one in enumerate(theirs) if one.get("bds") == "06" and "latitude" in one]
    assert len(ground) == 1047
    for k in ground:
        assert ours.lat_deg[k] == pytest.approx(theirs[k]["latitude"], abs=1e-9)
        assert ours.lon_deg[k] == pytest.approx(theirs[k]["longitude"], abs=1e-9)
