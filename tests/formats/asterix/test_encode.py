"""CAT062 as written, read back by libasterix: every value to half a step, and nothing said that isn't known.

The steps and units below are typed from EUROCONTROL-SPEC-0149-9 on purpose: they are the anchor against the tables.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import oracle
import pymap3d
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Proj

from airpicture.errors import ConfigError
from airpicture.formats.asterix.encode import (
    Cat062Config,
    Cat062Writer,
    encode_cat062,
    split_datagrams,
    write_cat062,
)
from airpicture.formats.asterix.encode_layout import load_layout
from airpicture.formats.asterix.encode_number import compose, decompose
from airpicture.formats.asterix.encode_status import Condition
from airpicture.kernels import asterix_encode as fill
from airpicture.kernels import asterix_encode_announce as announce
from airpicture.kernels.asterix_encode_plane import centre, project
from airpicture.kernels.asterix_encode_words import RECORD_MAX
from airpicture.tables import SensorKind, Sensors, Status, Technology, Tracks, pack_callsigns

NAN = math.nan
DAY = 86_400 * 10**9
NOON = 19_700 * DAY + 43_200 * 10**9
FT, FL, NM = 0.3048, 30.48, 1852.0
DEG = math.pi / 180.0
EDITIONS = {62: "1.20", 63: "1.6", 65: "1.5"}


def sensors(**changes: Any) -> Sensors:
    columns: dict[str, Any] = {name: np.full(4, NAN) for name in Sensors.column_names()[1:]}
    columns |= {"kind": np.array([SensorKind.RADAR, SensorKind.ADSB, SensorKind.MLAT, SensorKind.RADAR], np.uint8)}
    columns |= {"sac": np.array([25, 25, 25, -1], np.int32), "sic": np.array([10, 11, 12, -1], np.int32)}
    columns |= {"lat": np.radians([41.0, 41.2, 41.4, 41.0]), "lon": np.radians([2.0, 2.0, 2.1, 1.9])}
    columns |= {"period": np.array([4.0, NAN, NAN, 10.0])}
    columns |= {"bias_range": np.array([120.0, 0, 0, 0]), "bias_azimuth": np.array([0.002, 0, 0, 0])}
    columns |= {"bias_time": np.array([-0.25, 0, 0, 0]), "sigma_elevation": np.array([NAN, NAN, NAN, 0.003])}
    return Sensors(ids=("south", "ads", "wam", "north"), **(columns | changes))


def blocks(data: bytes) -> list[tuple[int, bytes]]:
    found, pos = [], 0
    while pos < len(data):
        size = int.from_bytes(data[pos + 1 : pos + 3], "big")
        found.append((data[pos], data[pos : pos + size]))
        pos += size
    assert pos == len(data)
    return found


def read(data: bytes, category: int = 62, edition: str = "") -> list[dict[str, int]]:
    """Return the records of a category as libasterix reads them, strictly."""
    records = []
    for found, block in blocks(data):
        parsed = oracle.parse(block, found, edition if edition and found == 62 else EDITIONS[found])
        assert parsed is not None, block.hex()
        if found == category:
            for values, rest in parsed:
                if "510" in rest:
                    values["510"] = int.from_bytes(rest["510"], "big")
                records.append(values)
    return records


def one(**columns: Any) -> dict[str, int]:
    """Return the record of a table of one row."""
    given = {"t_ns": [NOON], "track": [7], "status": [Status.CONFIRMED]} | {k: [v] for k, v in columns.items()}
    (record,) = read(encode_cat062(Tracks.blank(1, sensors(), **given), centre_deg=(41.0, 2.0)))
    return record


def test_empty_row_says_only_what_is_mandatory() -> None:
    record = one()
    items = {path.split("/")[0] for path in record}
    assert items == {"010", "015", "040", "070", "080"}
    assert (record["040"], record["070"]) == (7, 43_200 * 128)
    assert record["080/MON"] == 1
    assert record["080/TSB"] == 1


def test_constants_of_kernels_are_those_of_tables() -> None:
    assert (fill.TENTATIVE, fill.COASTING) == (Status.TENTATIVE, Status.COASTING)
    assert (announce.TENTATIVE, announce.COASTING, announce.ENDED) == (
        Status.TENTATIVE,
        Status.COASTING,
        Status.ENDED,
    )
    assert list(Technology) == [fill.PSR, fill.SSR, fill.MDS, fill.ADS, fill.MLT]
    assert (fill.RADAR, fill.ADSB, fill.MLAT) == (SensorKind.RADAR, SensorKind.ADSB, SensorKind.MLAT)


def test_a_record_never_outgrows_its_room() -> None:
    layout = load_layout(62, "1.20")
    used = {layout.fields[name].leaf for name in fill.FIELDS}
    assert sum(3 * layout.leaves[leaf].octets + 1 for leaf in used) + 5 + 5 * len(layout.items) < RECORD_MAX


wild = st.one_of(st.just(NAN), st.floats(-1e7, 1e7), st.sampled_from([math.inf, -math.inf, 0.0, -0.0, 1e300]))
sigma = st.one_of(st.just(NAN), st.floats(0.0, 1e5))
share = st.one_of(st.just(NAN), st.floats(0.0, 1.0))
age_ns = st.one_of(st.none(), st.integers(-(10**9), 200 * 10**9))


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    t_ns = draw(st.integers(0, 40_000 * DAY))
    row: dict[str, Any] = {"t_ns": t_ns, "track": draw(st.one_of(st.integers(0, 70_000), st.integers(0, 2**63 - 1)))}
    row["status"] = draw(st.integers(0, 3))
    row["lat"] = draw(st.one_of(st.just(NAN), st.floats(-1.6, 1.6), st.sampled_from([math.pi / 2, -math.pi / 2])))
    row["lon"] = draw(st.one_of(st.just(NAN), st.floats(-7.0, 7.0), st.sampled_from([math.pi, -math.pi, 3.1415926535])))
    for name in ("h_ell", "h_baro", "plot_h_baro"):
        row[name] = draw(st.one_of(st.just(NAN), st.floats(-1000.0, 60_000.0)))
    for name in ("v_east", "v_north", "v_up", "a_east", "a_north"):
        row[name] = draw(wild if draw(st.booleans()) else st.floats(-300.0, 300.0))
    for name in ("sigma_east", "sigma_north", "sigma_up", "sigma_v_east", "sigma_v_north", "sigma_v_up"):
        row[name] = draw(sigma)
    row["rho_east_north"] = draw(st.one_of(st.just(NAN), st.floats(-1.0, 1.0)))
    row["existence"], row["turn_left"], row["turn_right"] = draw(share), draw(share), draw(share)
    row["mode_3a"], row["plot_mode_3a"] = draw(st.integers(-1, 4095)), draw(st.integers(-1, 4095))
    row["address"] = draw(st.integers(-1, 2**24 - 1))
    row["callsign"] = draw(st.text("ABZ019 az-é", max_size=8))
    row["h_from_baro"] = draw(st.integers(0, 1))
    row["plot_sensor"] = draw(st.integers(-1, 3))
    row["plot_range"], row["plot_azimuth"] = (
        draw(st.floats(0.0, 6e5)),
        draw(st.one_of(st.just(NAN), st.floats(0.0, 6.2832))),
    )
    seen = draw(st.lists(st.integers(0, 3), max_size=8, unique=True))
    row["seen"] = seen + [-1] * (8 - len(seen))

    def before(age: int | None) -> int:
        return -1 if age is None or age > t_ns else t_ns - age

    row["t_ns_technology"] = [before(draw(age_ns)) for _ in Technology]
    row["t_ns_first"], row["t_ns_plot"] = before(draw(age_ns)), before(draw(age_ns))
    if draw(st.booleans()):
        row["t_ns_plot"] = row["t_ns_technology"][draw(st.integers(0, 4))]
    return row


def steps(value: float, step: float, low: float, high: float, clip: bool = False) -> int | None:
    """Return the count that must be written for a value, None where none may be."""
    if math.isnan(value):
        return None
    count = value / step
    if not low - 0.5 <= count <= high + 0.5:
        return None if not clip or (count < low and low == 0) else (math.floor(high) if count > 0 else math.ceil(low))
    return count  # type: ignore[return-value]  # to half a step, see near


def near(found: int | None, wanted: float | None, at: str) -> None:
    if wanted is None:
        assert found is None, at
    elif found is None:  # at the very edge of a field's range rounding decides
        assert wanted is not None
        assert wanted % 1.0 in (0.0, 0.5) or abs(wanted % 1.0 - 0.5) < 1e-6, (at, wanted)
    else:
        assert abs(found - wanted) <= 0.5 + 1e-6 * max(1.0, abs(wanted) * 1e-6), (at, found, wanted)


def both(a: float | None, b: float | None) -> tuple[float | None, float | None]:
    return (None, None) if a is None or b is None else (a, b)


@settings(max_examples=150)
@given(row=rows())
def test_each_item_says_what_the_row_says(row: dict[str, Any]) -> None:
    text = row["callsign"]
    columns = {name: [value] for name, value in row.items()} | {"callsign": pack_callsigns([text])}
    table = Tracks.blank(1, sensors(), **columns)
    data = encode_cat062(table, centre_deg=(41.0, 2.0), sac=25, sic=200, sid=3, stale_s=12.0)
    (r,) = read(data)
    got = r.get
    assert (r["010/SAC"], r["010/SIC"], r["015"]) == (25, 200, 3)

    # number and time
    elements, word = [], got("510")
    while word:
        elements.insert(0, (word >> 16 & 0xFF, word >> 1 & 0x7FFF))
        word >>= 24
    assert decompose(r["040"], elements) == row["track"]
    assert elements == compose(row["track"])
    assert ("510" in r) == (row["track"] > 65_535)
    of_day = row["t_ns"] % DAY / 1e9 * 128
    assert min(abs(r["070"] - of_day), 86_400 * 128 - abs(r["070"] - of_day)) <= 0.5 + 1e-6
    assert 0 <= r["070"] < 86_400 * 128

    # position
    lat = steps(row["lat"] / DEG, 180 / 2**25, -(2**24), 2**24)
    lon = None if math.isnan(row["lon"]) else (row["lon"] / DEG + 180.0) % 360.0 - 180.0
    lat, lon = both(lat, None if lon is None else lon / (180 / 2**25))
    near(got("105/LAT"), lat, "105/LAT")
    if lon is None:
        assert got("105/LON") is None
    elif got("105/LON") is not None:
        assert -(2**25) <= r["105/LON"] < 2**25
        assert min(abs(r["105/LON"] - lon), 2**26 - abs(r["105/LON"] - lon)) <= 0.5 + 1e-6
    if "100/X" in r:
        x, y = Proj("+proj=stere +lat_0=41 +lon_0=2 +k=1 +ellps=WGS84")(row["lon"] / DEG, row["lat"] / DEG)
        near(r["100/X"], x / 0.5, "100/X")
        near(r["100/Y"], y / 0.5, "100/Y")

    # motion and height
    for first, second, names, step, bits, clip in (
        ("185/VX", "185/VY", ("v_east", "v_north"), 0.25, 16, False),
        ("210/AX", "210/AY", ("a_east", "a_north"), 0.25, 8, True),
    ):
        pair = [steps(row[name], step, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1, clip) for name in names]
        for path, wanted in zip((first, second), both(*pair), strict=True):
            near(got(path), wanted, path)
    near(got("220"), steps(row["v_up"], 6.25 * FT / 60, -(2**15), 2**15 - 1), "220")
    near(got("135/CTB"), steps(row["h_baro"], 0.25 * FL, -60, 6000), "135")
    assert got("135/QNH", 0) == 0
    near(got("136"), steps(row["plot_h_baro"], 0.25 * FL, -60, 6000), "136")
    geometric = NAN if row["h_from_baro"] else row["h_ell"]
    near(got("130"), steps(geometric, 6.25 * FT, -240, 24_000), "130")

    # identity
    near(got("060/MODE3A"), None if row["mode_3a"] < 0 else row["mode_3a"], "060")
    near(got("380/ADR"), None if row["address"] < 0 else row["address"], "380/ADR")
    folded = text.rstrip(" \0")
    packed = pack_callsigns([text])[0]
    if packed == 0 or any(c not in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 " for c in folded.upper()):
        assert "245/CHR" not in r
    else:
        raw = "".join(_letter(r["245/CHR"] >> (42 - 6 * k) & 63) for k in range(8))
        assert raw.rstrip() == folded.upper()
        assert r["380/ID"] == r["245/CHR"]
        assert r["245/STI"] == 0

    # ages
    for path, name in zip(("PSR", "SSR", "MDS", "ES", "MLT"), Technology, strict=True):
        last = row["t_ns_technology"][name]
        near(got(f"290/{path}"), steps(_age(row["t_ns"], last), 0.25, 0, 255, clip=True), path)
    near(got("290/TRK"), steps(_age(row["t_ns"], row["t_ns_first"]), 0.25, 0, 255, clip=True), "290/TRK")
    plot_age = _age(row["t_ns"], row["t_ns_plot"])
    near(got("295/MDA"), None if row["plot_mode_3a"] < 0 else steps(plot_age, 0.25, 0, 255), "295/MDA")
    near(got("295/MFL"), None if math.isnan(row["plot_h_baro"]) else steps(plot_age, 0.25, 0, 255), "295/MFL")

    # the last plot
    s = row["plot_sensor"]
    measured = s in (0, 2, 3)
    assert ("340/SID/SAC" in r) == (s in (0, 2))
    bias_range, bias_azimuth = (120.0, 0.002) if s == 0 else (0.0, 0.0)
    rho = steps(row["plot_range"] - bias_range, NM / 256, 0, 65_535) if measured else None
    theta = None if math.isnan(row["plot_azimuth"]) or not measured else (row["plot_azimuth"] - bias_azimuth) / DEG
    rho, theta = both(rho, theta)
    near(got("340/POS/RHO"), rho, "rho")
    if theta is not None and "340/POS/THETA" in r:
        apart = (r["340/POS/THETA"] - theta / (360 / 2**16)) % 2**16
        assert min(apart, 2**16 - apart) <= 0.5 + 1e-6
    near(got("340/MDC/LMC"), steps(row["plot_h_baro"], 0.25 * FL, -48, 5080) if measured else None, "340/MDC")
    near(got("340/MDA/MODE3A"), row["plot_mode_3a"] if measured and row["plot_mode_3a"] >= 0 else None, "340/MDA")

    # status
    assert r["080/CNF"] == (row["status"] == Status.TENTATIVE)
    assert got("080/TSB", 0) == 1
    assert got("080/TSE", 0) == (row["status"] == Status.ENDED)
    assert got("080/CST", 0) == (row["status"] == Status.COASTING)
    assert r["080/MON"] == (sum(k >= 0 for k in row["seen"]) <= 1)
    assert got("080/PFT", 0) == (row["existence"] < 0.5)
    assert r["080/MRH"] == ("130" in r and "135/CTB" not in r) or not -450 < row["h_baro"] < 45_000
    technologies = row["t_ns_technology"]
    for path, name in zip(("PSR", "SSR", "MDS", "ADS", "MLAT"), Technology, strict=True):
        lost = technologies[name] < 0 or row["t_ns"] - technologies[name] > 12 * 10**9
        assert got(f"080/{path}", 0) == (lost and max(technologies) >= 0)

    # accuracies that need no turning
    for path, name, step in (("AGA", "sigma_up", 6.25 * FT), ("ARC", "sigma_v_up", 6.25 * FT / 60)):
        if f"500/{path}" in r:
            near(r[f"500/{path}"], steps(row[name], step, 0, 255, clip=True), path)
    if "185/VX" in r:
        east = steps(row["sigma_v_east"], 0.25, 0, 255, clip=True)
        north = steps(row["sigma_v_north"], 0.25, 0, 255, clip=True)
        for path, wanted in zip(("500/ATV/X", "500/ATV/Y"), both(east, north), strict=True):
            near(got(path), wanted, path)


def _letter(code: int) -> str:
    return chr(code + 64) if 1 <= code <= 26 else chr(code)


def _age(t_ns: int, last: int) -> float:
    return NAN if last < 0 else (t_ns - last) / 1e9


@settings(max_examples=100)
@given(
    lat=st.floats(-1.4, 1.4),
    lon=st.floats(-3.1, 3.1),
    east=st.floats(1.0, 500.0),
    north=st.floats(1.0, 500.0),
    rho=st.floats(-0.99, 0.99),
)
def test_accuracy_in_the_plane_is_that_of_points_thrown_there(
    lat: float, lon: float, east: float, north: float, rho: float
) -> None:
    """The covariance carried through pyproj's projection by differences of a metre agrees with APC and COV."""
    centre_deg = (lat / DEG + 1.0 if lat < 0 else lat / DEG - 1.0, lon / DEG + 1.0)
    record = read(
        encode_cat062(
            Tracks.blank(
                1,
                sensors(),
                t_ns=[NOON],
                track=[1],
                lat=[lat],
                lon=[lon],
                h_ell=[0.0],
                sigma_east=[east],
                sigma_north=[north],
                rho_east_north=[rho],
            ),
            centre_deg=centre_deg,
        )
    )[0]
    plane = Proj(f"+proj=stere +lat_0={centre_deg[0]:.12f} +lon_0={centre_deg[1]:.12f} +k=1 +ellps=WGS84")

    def at(e: float, n: float) -> np.ndarray:
        to_lat, to_lon, _ = pymap3d.enu2geodetic(e, n, 0.0, lat / DEG, lon / DEG, 0.0)
        return np.array(plane(to_lon, to_lat))

    jacobian = np.column_stack([(at(1, 0) - at(-1, 0)) / 2, (at(0, 1) - at(0, -1)) / 2])
    cov = np.array([[east**2, rho * east * north], [rho * east * north, north**2]])
    turned = jacobian @ cov @ jacobian.T
    assert abs(record["500/APC/X"] * 0.5 - math.sqrt(turned[0, 0])) <= 0.25 + 1e-4 * east + 1e-4 * north
    assert abs(record["500/APC/Y"] * 0.5 - math.sqrt(turned[1, 1])) <= 0.25 + 1e-4 * east + 1e-4 * north
    root = math.copysign(math.sqrt(abs(turned[0, 1])), turned[0, 1])
    slack = 0.25 + 1e-2 * (east + north)  # the root is steep near 0
    assert abs(record["500/COV"] * 0.5 - root) <= slack
    lsb = 180 / 2**25 * DEG
    meridian = (np.diff([pymap3d.enu2geodetic(0, n, 0, lat / DEG, lon / DEG, 0)[0] for n in (-1, 1)])[0] / 2) * DEG
    assert abs(record["500/APW/LAT"] - min(north * meridian / lsb, 65_535)) <= 0.51


def test_plane_is_snyders_at_far_points_poles_and_antimeridian() -> None:
    lat = np.array([90.0, -89.9, 0.0, 60.0, 60.0, -33.0, 41.0])
    lon = np.array([0.0, 10.0, 180.0, -179.999, 179.999, 100.0, 2.0])
    for lat_0, lon_0 in ((41.0, 2.0), (90.0, 0.0), (-90.0, 0.0), (0.0, 0.0), (60.0, 180.0)):
        plane, out = np.zeros(4), np.zeros((len(lat), 5))
        centre(lat_0 * DEG, lon_0 * DEG, plane)
        project(lat * DEG, lon * DEG, plane, out)
        with np.errstate(all="ignore"):
            x, y = Proj(f"+proj=stere +lat_0={lat_0} +lon_0={lon_0} +k=1 +ellps=WGS84")(lon, lat)
        near_by = np.isfinite(x) & (np.hypot(x, y) < 2e7)
        assert near_by.sum() >= 3
        np.testing.assert_allclose(out[near_by, 0], x[near_by], atol=1e-3, rtol=1e-9)
        np.testing.assert_allclose(out[near_by, 1], y[near_by], atol=1e-3, rtol=1e-9)


def life(statuses: list[int], **columns: Any) -> Tracks:
    n = len(statuses)
    return Tracks.blank(n, sensors(), t_ns=NOON + np.arange(n) * 10**9, track=np.full(n, 5), status=statuses, **columns)


def test_first_and_last_message_are_marked_once() -> None:
    records = read(encode_cat062(life([0, 1, 2, 1, 3])))
    assert [r.get("080/TSB", 0) for r in records] == [1, 0, 0, 0, 0]
    assert [r.get("080/TSE", 0) for r in records] == [0, 0, 0, 0, 1]
    assert [r["080/CNF"] for r in records] == [1, 0, 0, 0, 0]
    assert [r.get("080/CST", 0) for r in records] == [0, 0, 1, 0, 0]


def test_change_of_code_is_marked_against_the_last_code_sent() -> None:
    records = read(encode_cat062(life([1] * 5, mode_3a=[0o1200, -1, 0o1200, 0o7700, 0o7700])))
    assert [r.get("060/CH") for r in records] == [0, None, 0, 1, 0]
    assert [r.get("080/EMS", 0) for r in records] == [0, 0, 0, 1, 1]


def test_tentative_tracks_can_be_held_back() -> None:
    writer = Cat062Writer(sensors(), tentative=False)
    both_lives = Tracks.concat([life([0, 1, 3]), life([0, 3, 0]).take(slice(0, 2))])
    records = read(b"".join(writer.recording(both_lives.take(np.array([0, 1, 2])))))
    assert [r["080/CNF"] for r in records] == [0, 0]
    assert writer.report.refused["tentative"] == 1
    assert read(encode_cat062(life([0, 3]), tentative=False)) == []


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=300), st.integers(1, 100))
def test_announcing_is_that_of_a_set_for_any_cut_of_the_stream(rows_: list[tuple[int, int]], cut: int) -> None:
    track = np.array([t * 2**31 + t for t, _ in rows_], np.int64)
    status = np.array([s for _, s in rows_], np.uint8)
    writer = Cat062Writer(sensors())
    told: set[int] = set()
    wanted = []
    for number, state in zip(track.tolist(), status.tolist(), strict=True):
        wanted.append((int(number not in told), int(state == Status.ENDED)))
        told.add(number)
        if state == Status.ENDED:
            told.discard(number)
    table = Tracks.blank(len(track), sensors(), t_ns=np.full(len(track), NOON), track=track, status=status)
    data = b"".join(writer.batch(table.take(slice(k, k + cut)), NOON) for k in range(0, len(track), cut))
    assert [(r.get("080/TSB", 0), r.get("080/TSE", 0)) for r in read(data)] == wanted


def test_a_million_tracks_are_remembered() -> None:
    keys, codes = np.full(2**21, -1, np.int64), np.full(2**21, -1, np.int32)
    track = np.random.default_rng(1).permutation(900_000)
    flags, refused, code = np.zeros(len(track), np.uint8), np.zeros(2, np.int64), np.full(len(track), -1, np.int32)
    live, ended = np.full(len(track), 1, np.uint8), np.full(len(track), 3, np.uint8)
    assert announce.announce(track, live, code, True, keys, codes, flags, refused) == 900_000
    assert np.all(flags == announce.FIRST)
    assert announce.announce(track[::-1].copy(), live, code, True, keys, codes, flags, refused) == 0
    assert np.all(flags == 0)
    assert announce.announce(track, ended, code, True, keys, codes, flags, refused) == -900_000
    assert np.all(flags == announce.LAST)
    assert np.all(keys == -1)


def test_batches_end_on_the_grid_and_status_comes_on_time() -> None:
    table = life([1] * 12, plot_sensor=np.zeros(12), t_ns_plot=NOON + np.arange(12) * 10**9)
    data = encode_cat062(table, batch_s=2.0, batches=3, status_s=5.0)
    messages = read(data, 65)
    ends = [m for m in messages if m["000"] == 2]
    assert [m["030"] / 128 - 43_200 for m in ends] == [2, 4, 6, 8, 10, 12]
    assert {m["020"] for m in ends} == {0, 1, 2}
    states = [m for m in messages if m["000"] == 1]
    assert [m["030"] / 128 - 43_200 for m in states] == [2, 8]
    assert all(m["040/NOGO"] == 0 and m["040/OVL"] == 0 for m in states)
    reports = read(data, 63)
    assert [m["050/SIC"] for m in reports] == [10, 11, 12] * 2  # the fourth sensor has no code
    first = reports[0]
    assert first["070"] == -250  # ms
    assert abs(first["080/SRB"] - 120.0 / (NM / 128)) <= 0.5
    assert first["080/SRG"] == 0
    assert abs(first["081"] - 0.002 / DEG / (360 / 2**16)) <= 0.5
    assert (first.get("060/NPW", 0), reports[1]["060/NPW"]) == (0, 1)
    assert "080/SRB" not in reports[1]


def test_states_given_by_a_service_are_sent() -> None:
    writer = Cat062Writer(sensors())
    con = np.array([0, 1, 3, 0], np.uint8)
    data = writer.batch(
        Tracks.empty(sensors()), NOON, overload=True, condition=Condition.DEGRADED, sensor_conditions=con
    )
    assert [m["060/CON"] for m in read(data, 63)] == [0, 1, 3]
    (state,) = (m for m in read(data, 65) if m["000"] == 1)
    assert (state["040/NOGO"], state["040/OVL"]) == (1, 1)
    assert read(data, 62) == []


def test_blocks_fit_datagrams_and_order_is_that_of_time() -> None:
    n = 500
    t = NOON + np.arange(n)[::-1] * 10**6
    table = Tracks.blank(n, sensors(), t_ns=t, track=np.arange(n), lat=np.full(n, 0.7), lon=np.full(n, 0.1))
    data = encode_cat062(table, block_bytes=600)
    assert max(len(block) for _, block in blocks(data)) <= 600
    assert [r["040"] for r in read(data)] == list(range(n))[::-1]
    pieces = split_datagrams(data, 1400)
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= 1400
    assert data == encode_cat062(table, block_bytes=600)


def test_what_cannot_be_said_is_counted(tmp_path: Any) -> None:
    table = Tracks.blank(
        3,
        sensors(),
        t_ns=[NOON] * 3,
        track=[1, 2, -1],
        v_up=[2000.0, 0.0, 0.0],
        a_east=[90.0, 0.0, 0.0],
        a_north=[0.0, 0.0, 0.0],
        plot_range=[500_000.0, 1.0, 1.0],
        plot_azimuth=[1.0, 1.0, 1.0],
        plot_sensor=[2, 2, 2],
        callsign=pack_callsigns(["A-B", "OK", "X"]),
    )
    report = write_cat062(table, tmp_path / "t.ast")
    assert report.saturated == {"210/AX": 1}
    assert report.left_out == {"220": 1, "340/POS/RHO": 1, "245/CHR": 1}
    assert report.refused["no track number"] == 1
    assert report.records == 2
    assert report.octets == (tmp_path / "t.ast").stat().st_size


@pytest.mark.parametrize("edition", ["1.16", "1.17", "1.18", "1.19", "1.20", "1.21"])
def test_every_edition_is_written(edition: str) -> None:
    table = Tracks.blank(
        1, sensors(), t_ns=[NOON], track=[1], t_ns_technology=[[NOON, -1, -1, -1, -1]], mode_3a=[0o7500]
    )
    (record,) = read(encode_cat062(table, edition=edition), edition=edition)
    assert record["080/SDS"] == 2
    assert ("080/MLAT" in record) == (edition in ("1.20", "1.21"))


def test_items_can_be_omitted() -> None:
    table = Tracks.blank(1, sensors(), t_ns=[NOON], track=[1], callsign=pack_callsigns(["IBE12"]))
    (record,) = read(encode_cat062(table, omit=("245",)))
    assert "380/ID" in record
    assert "245/CHR" not in record


@pytest.mark.parametrize(
    "settings_",
    [
        {"sac": 256},
        {"edition": "9.9"},
        {"batch_s": 0.0},
        {"block_bytes": 100},
        {"omit": ("999",)},
        {"omit": ("040",)},
        {"centre_deg": (91.0, 0.0)},
        {"colour": 1},
    ],
)
def test_settings_that_cannot_be_are_refused(settings_: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        encode_cat062(life([1]), **settings_)


def test_system_plane_lies_amid_the_sensors_or_nowhere() -> None:
    lat, lon = np.radians([10.0, 10.0, NAN, NAN]), np.radians([179.0, -179.0, NAN, NAN])
    middle = Cat062Writer(sensors(lat=lat, lon=lon)).centre_deg
    assert middle is not None
    assert abs(abs(middle[1]) - 180.0) < 1e-9
    nowhere = np.full(4, NAN)
    table = Tracks.blank(1, sensors(lat=nowhere, lon=nowhere), t_ns=[NOON], track=[1], lat=[0.7], lon=[0.1])
    (record,) = read(encode_cat062(table))
    assert "105/LAT" in record
    assert "100/X" not in record


def test_config_is_taken_whole_or_by_name() -> None:
    table = life([1])
    assert encode_cat062(table, Cat062Config(sac=9)) == encode_cat062(table, sac=9)
