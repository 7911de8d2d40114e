"""Parity, codes of height and identity, and compact positions, each against its plain twin."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference_modes as ref
from airpicture.kernels import modes_cpr, modes_crc, modes_reply, modes_squitter
from airpicture.kernels.modes_commb import mach_of

words = st.integers(0, (1 << 56) - 1)


def left(message: bytes) -> int:
    data = np.zeros((1, 14), np.uint8)
    data[0, : len(message)] = np.frombuffer(message, np.uint8)
    out = np.empty(1, np.int32)
    modes_crc.remainders(data, np.array([len(message)], np.uint8), out)
    return int(out[0])


@given(st.binary(min_size=11, max_size=11), st.integers(0, (1 << 24) - 1))
def test_parity_leaves_what_was_added_in(data: bytes, added: int) -> None:
    assert left(ref.sealed(data, added)) == added
    assert left(ref.sealed(data[:4], added)) == added


def test_parity_of_published_messages() -> None:
    """An airliner's identity and an all-call reply, as printed in The 1090 Megahertz Riddle (2nd edition, ch. 9)."""
    assert left(bytes.fromhex("8D406B902015A678D4D220AA4BDA")) == 0
    assert left(bytes.fromhex("8D406B902015A678D4D220AA4BDB")) != 0


@given(st.binary(min_size=11, max_size=11), st.integers(0, 111), st.integers(1, (1 << 24) - 1))
def test_no_burst_of_24_bits_passes(data: bytes, at: int, burst: int) -> None:
    message = int.from_bytes(ref.sealed(data), "big") ^ (burst << at & (1 << 112) - 1)
    damaged = message != int.from_bytes(ref.sealed(data), "big")
    assert (left(message.to_bytes(14, "big")) != 0) == damaged


def test_other_lengths_have_no_parity() -> None:
    out = np.empty(3, np.int32)
    modes_crc.remainders(np.zeros((3, 14), np.uint8), np.array([0, 2, 255], np.uint8), out)
    assert out.tolist() == [-1, -1, -1]


@given(st.integers(0, 0o7777))
def test_mode_a_codes(code: int) -> None:
    assert modes_reply.squawk_13(ref.squawk_field(code)) == code


def test_gillham_heights_all_of_them() -> None:
    """Every code that stands for a height comes back, and no other code stands for any."""
    known = {ref.gillham_field(height): float(height) for height in range(-1200, 126_800, 100)}
    assert len(known) == 1280
    for code in range(1 << 13):
        if code & 0x50 or not code:
            continue  # M or Q set
        height = modes_reply.height_13_ft(code)
        assert height == known[code] if code in known else math.isnan(height), code


@pytest.mark.parametrize(("text", "feet"), [("0000000000010", -1000.0), ("0110001000010", -1200.0)])
def test_gillham_by_the_table_of_the_annex(text: str, feet: float) -> None:
    """Annex 10 Volume IV, appendix to chapter 3: -1000 ft is C2 (and B4 alone of the rest), -1200 C4."""
    fields = {-1000.0: {"C2"}, -1200.0: {"C4"}}[feet]
    names = ["C1", "A1", "C2", "A2", "C4", "A4", "M", "B1", "Q", "B2", "D2", "B4", "D4"]
    assert modes_reply.height_13_ft(int("".join(str(int(n in fields)) for n in names), 2)) == feet


@given(st.integers(0, 2047))
def test_heights_of_25_ft(step: int) -> None:
    feet = 25 * step - 1000
    assert modes_reply.height_13_ft(ref.feet_field(feet)) == feet


def test_heights_in_metres_and_none() -> None:
    assert modes_reply.height_13_ft(1000 // 64 << 7 | 0x40 | 1000 % 64) == pytest.approx(1000 / 0.3048)
    assert math.isnan(modes_reply.height_13_ft(0))
    assert math.isnan(modes_reply.height_12_ft(0))


latitudes = st.floats(-89.9, 89.9)
longitudes = st.floats(-180.0, 180.0, exclude_max=True)


def near_a_transition(lat: float) -> bool:
    return bool(np.min(np.abs(np.abs(lat) - modes_cpr.TRANSITIONS)) < 1e-9)


@given(st.floats(-90.0, 90.0))
def test_zones_of_longitude(lat: float) -> None:
    if not near_a_transition(lat):
        assert modes_cpr.zones_of_longitude(lat) == ref.zones_of_longitude(lat)


def test_zones_at_their_ends() -> None:
    """RTCA DO-260B, A.1.7.2: 59 at the equator, 2 at 87 degrees, 1 beyond; the first and last lines of its table."""
    ends = [0.0, 87.0, -87.0, 87.1, 90.0, 10.47, 10.48, 86.53, 86.54]
    assert [modes_cpr.zones_of_longitude(lat) for lat in ends] == [59, 2, 2, 1, 1, 59, 58, 3, 2]
    assert modes_cpr.TRANSITIONS[0] == pytest.approx(10.47047130, abs=1e-8)
    assert modes_cpr.TRANSITIONS[-2] == pytest.approx(86.53536998, abs=1e-8)


@given(latitudes, longitudes, st.booleans())
def test_a_pair_in_the_air_comes_back(lat: float, lon: float, newer: bool) -> None:
    even, odd = ref.cpr(lat, lon, 0), ref.cpr(lat, lon, 1)
    expected = ref.global_air(even, odd, int(newer))
    found = modes_cpr.global_air(int(newer), *even, *odd)
    if expected is None or abs(lat) > 87.0:
        return
    if near_a_transition(found[0]):
        return
    assert found == pytest.approx(expected, abs=1e-9)
    assert abs(found[0] - lat) < 6 / 2**17
    nl = ref.zones_of_longitude(found[0])
    assert abs((found[1] - lon + 180) % 360 - 180) <= 360 / max(nl - newer, 1) / 2**17


@given(st.integers(0, 2**17 - 1), st.integers(0, 2**17 - 1), st.integers(0, 2**17 - 1), st.integers(0, 2**17 - 1))
def test_any_pair_is_on_the_earth_or_nowhere(a: int, b: int, c: int, d: int) -> None:
    expected = ref.global_air((a, b), (c, d), 1)
    lat, lon = modes_cpr.global_air(1, a, b, c, d)
    if lat == 99.0 or math.isnan(lat):
        return
    assert -90.0 <= lat <= 90.0
    assert -180.0 <= lon < 180.0
    if expected is not None:
        assert (lat, lon) == pytest.approx(expected, abs=1e-9)


@given(latitudes, longitudes, st.booleans(), st.booleans(), st.floats(-0.6, 0.6), st.floats(-0.6, 0.6))
def test_one_message_near_a_place(lat: float, lon: float, odd: bool, surface: bool, north: float, east: float) -> None:
    if abs(lat) > 85.0:
        return
    value = ref.cpr(lat, lon, int(odd), surface)
    near = (lat + north, lon + east)  # within half a zone, which is 0.75 degrees on the surface
    whole = 90.0 if surface else 360.0
    found = modes_cpr.local(int(odd), *value, whole, *near, float(1 << 17))
    expected = ref.local(value, int(odd), near, surface)
    if near_a_transition(found[0]):
        return
    assert found[0] == pytest.approx(expected[0], abs=1e-9)
    assert abs((found[1] - expected[1] + 180) % 360 - 180) < 1e-9
    assert abs(found[0] - lat) < 6 / 2**17


@given(st.floats(-84.0, 84.0), longitudes, st.booleans(), st.floats(-30.0, 30.0), st.floats(-30.0, 30.0))
def test_a_pair_on_the_surface(lat: float, lon: float, newer: bool, north: float, east: float) -> None:
    """The quarter is told by a place, up to 45 degrees away."""
    even, odd = ref.cpr(lat, lon, 0, True), ref.cpr(lat, lon, 1, True)
    near = (max(min(lat + north, 90.0), -90.0), lon + east)
    found = modes_cpr.global_surface(int(newer), *even, *odd, *near)
    shown = [ref.local(value, k, (lat, lon), True)[0] for k, value in enumerate((even, odd))]
    if ref.zones_of_longitude(shown[0]) != ref.zones_of_longitude(shown[1]):
        return
    if any(near_a_transition(one) for one in shown):
        return
    assert abs(found[0] - lat) < 1e-4
    assert abs((found[1] - lon + 180) % 360 - 180) < 1e-2


def test_published_positions() -> None:
    """The 1090 Megahertz Riddle, 2nd edition, 5.2 (air, pair), 5.3 (air, local) and 6.2 (surface)."""
    assert modes_cpr.global_air(0, 93000, 51372, 74158, 50194) == pytest.approx((52.2572021, 3.9193726), abs=1e-6)
    near = modes_cpr.local(0, 93000, 51372, 360.0, 52.258, 3.918, float(1 << 17))
    assert near == pytest.approx((52.2572021, 3.9193726), abs=1e-6)
    surface = modes_cpr.global_surface(1, 115609, 116941, 39199, 110269, 51.990, 4.375)
    assert surface == pytest.approx((52.3206078, 4.7347341), abs=1e-4)


@pytest.mark.parametrize(
    ("code", "kt"),
    [(0, math.nan), (1, 0.0), (2, 0.125), (8, 0.875), (9, 1.0), (12, 1.75), (13, 2.0), (38, 14.5), (39, 15.0),
     (93, 69.0), (94, 70.0), (108, 98.0), (109, 100.0), (123, 170.0), (124, 175.0), (125, math.nan)],
)  # fmt: skip
def test_movement_by_the_table(code: int, kt: float) -> None:
    """DO-260B, 2.2.3.2.4.2: the lower end of each step."""
    assert modes_squitter.movement_kt(code) == pytest.approx(kt, nan_ok=True)


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ", min_size=8, max_size=8))
def test_callsigns(text: str) -> None:
    packed = modes_squitter.callsign_of(ref.identity(text) & 0xFFFFFFFFFFFF)
    assert int(packed).to_bytes(8, "big").decode() == text


def test_a_character_that_is_none_spoils_the_callsign() -> None:
    assert modes_squitter.callsign_of(27 << 42) == 0


@pytest.mark.parametrize(
    ("typecode", "version", "a", "b", "c", "nic", "rc"),
    [(11, 2, 1, 1, 0, 9, 75.0), (11, 2, 0, 0, 0, 8, 185.2), (11, 1, 1, 0, 0, 9, 75.0), (11, 0, 1, 1, 0, 7, 185.2),
     (13, 2, 0, 1, 0, 6, 555.6), (13, 2, 0, 0, 0, 6, 926.0), (13, 2, 1, 1, 0, 6, 1111.2), (16, 2, 1, 1, 0, 3, 7408.0),
     (16, 2, 0, 0, 0, 2, 14816.0), (17, 2, 0, 0, 0, 1, 37040.0), (18, 2, 0, 0, 0, 0, math.nan),
     (7, 2, 1, 0, 0, 9, 75.0), (7, 2, 0, 0, 1, 8, 185.2), (8, 2, 1, 0, 1, 7, 370.4), (8, 2, 1, 0, 0, 6, 555.6),
     (8, 2, 0, 0, 1, 6, 1111.2), (8, 2, 0, 0, 0, 0, math.nan), (20, 2, 0, 0, 0, 11, 7.5), (9, 0, 0, 0, 0, 9, 7.5)],
)  # fmt: skip
def test_integrity_by_the_tables(typecode: int, version: int, a: int, b: int, c: int, nic: int, rc: float) -> None:
    """DO-260B, 2.2.3.2.7.2.6 (NIC and its supplements); DO-260 for NUCp."""
    found = modes_squitter.containment(typecode, version, a, b, c)
    assert found[0] == nic
    assert found[1] == pytest.approx(rc, nan_ok=True)


@pytest.mark.parametrize(("feet", "ratio"), [(0.0, 1.0), (10_000.0, 0.68770), (35_000.0, 0.23531), (40_000.0, 0.18509)])
@pytest.mark.parametrize("ias", [150.0, 280.0, 340.0])
def test_mach_in_the_standard_atmosphere(ias: float, feet: float, ratio: float) -> None:
    """Pressures from the table of the standard atmosphere (ICAO Doc 7488); what a pitot tube makes of them."""
    impact = (1.0 + ias**2 / (5.0 * 661.4788**2)) ** 3.5 - 1.0
    mach = math.sqrt(5.0 * ((impact / ratio + 1.0) ** (2.0 / 7.0) - 1.0))
    assert mach_of(ias, feet) == pytest.approx(mach, abs=2e-4)
