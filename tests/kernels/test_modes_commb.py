"""Registers of Comm-B replies: made ones are found, noise isn't, and the confidence keeps its word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference_modes as ref
from airpicture.formats.modes import ModesTable, decode

ADDRESS = 0x4840D6
NOW = 1_700_000_000_000_000_000


def asked(mbs: list[int], heights: list[int] | None = None, speed: tuple[int, int] | None = None) -> ModesTable:
    """Decode replies of one aircraft, after an all-call reply and perhaps a velocity that vouch for it."""
    messages = [ref.all_call(ADDRESS)]
    if speed is not None:
        messages.append(ref.squitter(ref.velocity(*speed), ADDRESS))
    first = len(messages)
    for k, mb in enumerate(mbs):
        height = heights[k] if heights else 35_000
        messages.append(ref.reply(20, ref.feet_field(height), ADDRESS, mb=mb))
    t_ns = NOW + np.arange(len(messages)) * 100_000_000
    table = decode(messages, t_ns)
    return ModesTable(
        t_ns[first:], table.frames.take(slice(first, None)), table.origin[first:],
        type(table.fields)(*(column[..., first:] for column in table.fields)),
    )  # fmt: skip


@given(st.floats(-35, 35), st.floats(-179, 179), st.integers(60, 290), st.integers(-30, 30), st.booleans())
def test_track_and_turn(roll: float, track: float, half_speed: int, wind: int, known: bool) -> None:
    speed = 2 * half_speed
    turn = 9.80665 / (speed * 1852 / 3600) * np.degrees(np.tan(np.radians(roll)))
    if abs(turn) > 7.5:
        return
    east, north = round(speed * np.sin(np.radians(track))), round(speed * np.cos(np.radians(track)))
    mb = ref.track_and_turn(roll, track, speed, turn, max(speed + 2 * wind, 62))
    found = asked([mb], speed=(east, north) if known else None).to_arrow().to_pylist()[0]
    if found["register"] is None:
        assert not known
        return
    assert found["register"] == "5,0"
    assert found["roll_deg"] == pytest.approx(roll, abs=0.1)
    assert (found["track_deg"] - track + 180) % 360 - 180 == pytest.approx(0, abs=0.1)
    assert found["gs_kt"] == speed
    assert found["turn_degps"] == pytest.approx(turn, abs=0.02)
    assert not known or found["confidence"] > 0.99


@given(st.floats(-179, 179), st.integers(150, 330), st.integers(5_000, 39_000), st.integers(-60, 60))
def test_heading_and_speed(heading: float, ias: int, feet: int, rate: int) -> None:
    from airpicture.kernels.modes_commb import mach_of

    height = feet // 25 * 25
    mach = float(mach_of(float(ias), float(height)))
    if mach > 0.95:
        return
    mb = ref.heading_and_speed(heading, ias, mach, 32 * rate, 32 * (rate + 3))
    found = asked([mb], [height]).to_arrow().to_pylist()[0]
    assert found["register"] == "6,0"
    assert found["confidence"] > 0.95
    assert found["ias_kt"] == ias
    assert found["mach"] == pytest.approx(mach, abs=0.003)
    assert (found["rate_fpm"], found["rate_inertial_fpm"]) == (32 * rate, 32 * (rate + 3))
    assert (found["heading_deg"] - heading + 180) % 360 - 180 == pytest.approx(0, abs=0.1)


@given(st.integers(10, 450), st.integers(10, 450), st.floats(970, 1045))
def test_what_is_selected(mcp: int, fms: int, qnh: float) -> None:
    mb = ref.selected(100 * mcp, 100 * fms, qnh)
    found = asked([mb]).to_arrow().to_pylist()[0]
    assert found["register"] == "4,0"
    assert found["selected_ft"] == pytest.approx(100 * mcp, abs=16)
    assert found["selected_fms_ft"] == pytest.approx(100 * fms, abs=16)
    assert found["qnh_hpa"] == pytest.approx(qnh, abs=0.06)


def test_registers_that_say_what_they_are() -> None:
    identity = 0x20 << 48 | ref.identity("DLH65A") & 0xFFFFFFFFFFFF
    capability = 0xFA81C100000000  # as an A320 sends it
    data_link = ref.packed_bits((0x10, 8), (0, 6), (1, 1), (0, 1), (5, 7), (0x12345678, 33))
    advisory = ref.packed_bits((0x30, 8), (1, 1), (0, 47))
    position = ref.air_position(48.0, 11.0, 0, 35_000)
    found = asked([identity, capability, data_link, advisory, position, 0]).to_arrow().to_pylist()
    assert [one["register"] for one in found] == ["2,0", "1,7", "1,0", "3,0", "0,5", None]
    assert found[0]["callsign"] == "DLH65A"


def test_noise_is_none_of_them() -> None:
    """Of 50,000 fields of a coin's bits less than one in 10,000 is taken for a register with any confidence."""
    rng = np.random.default_rng(11)
    table = asked([int(a) for a in rng.integers(0, 1 << 56, 50_000)], speed=(100, 400))
    sure = np.asarray(table.to_arrow()["confidence"].fill_null(0.0)) >= 0.95
    assert sure.sum() <= 5


def test_a_field_without_its_status_bit_breaks_the_rules() -> None:
    mb = ref.selected(35_000, 35_000, 1013.2)
    assert asked([mb]).to_arrow()["register"].to_pylist() == ["4,0"]
    assert asked([mb & ~(1 << 55)]).to_arrow()["register"].to_pylist() == [None]  # MCP's bit cleared, its value not
