"""The live decoder: any cut, several receivers, bounds, counts that add up, noise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference_modes as ref
from airpicture.errors import ConfigError
from airpicture.formats.decoding import Source, make_decoder
from airpicture.formats.live import LiveDecoder
from airpicture.formats.modes import ModesDecoder
from airpicture.formats.sensors import sensors_from_rows
from airpicture.tables import Plots, SensorKind, Technology, unpack_callsigns
from airpicture.units import DEG, FPM, FT, KT

HERE = Path(__file__).parent / "recordings"
NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
SAMPLE = (HERE / "sample_dump1090.beast.bin").read_bytes()


def flight(
    count: int = 12, address: int = 0x4840D6, lat: float = 48.0, lon: float = 11.0, tick: int = 6_000_000
) -> bytes:
    """Return squitters each half second: identity, status, positions even and odd with velocities between."""
    stream = ref.beast(ref.squitter(ref.identity("KLM1023"), address), 1)
    stream += ref.beast(ref.squitter(ref.operational_status(9), address), 2)
    for k in range(count):
        me = ref.air_position(lat + 0.001 * k, lon, k % 2)
        stream += ref.beast(ref.squitter(me, address), (k + 1) * tick)
        stream += ref.beast(ref.squitter(ref.velocity(100, 440, 3, 10), address), (k + 1) * tick + 1000)
    return stream


def fed(stream: bytes, cuts: Sequence[int] = (), **how: object) -> tuple[Plots, ModesDecoder]:
    """Decode a stream with the times of its counter alone."""
    decoder = ModesDecoder(start_ns=NOW, **how)  # type: ignore[arg-type]
    ends = [*sorted(cuts), len(stream)]
    parts = [decoder.feed(stream[a:b], -1) for a, b in zip([0, *ends], ends, strict=False)]
    return Plots.concat(parts), decoder


def same(a: Plots, b: Plots) -> None:
    for name in Plots.column_names():
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), name)


def live(decoder: LiveDecoder) -> LiveDecoder:
    return decoder


def test_it_is_a_live_decoder() -> None:
    assert live(ModesDecoder()).counts == {}


@settings(max_examples=40)
@given(st.lists(st.integers(0, len(SAMPLE)), max_size=20))
def test_any_cut_of_a_recording_gives_the_same_plots(cuts: list[int]) -> None:
    whole, first = fed(SAMPLE)
    parts, second = fed(SAMPLE, cuts)
    same(whole, parts)
    assert first.counts == second.counts
    assert len(whole) > 100


def test_byte_by_byte_and_far_more_than_a_block_at_once() -> None:
    stream = flight(20)
    same(fed(stream)[0], fed(stream, range(len(stream)))[0])
    long_one = SAMPLE * 60
    assert fed(long_one)[1].counts.total() == 60 * fed(SAMPLE)[1].counts.total()


def test_what_a_flight_becomes() -> None:
    plots, decoder = fed(flight())
    at = ~np.isnan(plots.lat)
    assert decoder.counts["decoded position"] == at.sum() == 11  # the first one waits for its other half
    assert decoder.counts["decoded velocity"] == (~at).sum() == 12
    expected = 48.0 + 0.001 * np.arange(1, 12)
    np.testing.assert_allclose(plots.lat[at] / DEG, expected, atol=5e-5)
    np.testing.assert_allclose(plots.lon[at] / DEG, 11.0, atol=1e-4)
    np.testing.assert_allclose(plots.h_baro[at], 30_000 * FT)
    np.testing.assert_allclose(plots.h_ell[at], 30_250 * FT)
    np.testing.assert_allclose(plots.sigma_pos[at], 30.0 / np.sqrt(-2 * np.log(0.05)))  # NACp 9: 30 m
    assert set(unpack_callsigns(plots.callsign[at])) == {"KLM1023"}
    assert (plots.address == 0x4840D6).all()
    assert (plots.technology == Technology.ADS).all()
    np.testing.assert_allclose(plots.v_east[~at], 100 * KT)
    np.testing.assert_allclose(plots.v_north[~at], 440 * KT)
    np.testing.assert_allclose(plots.v_up[~at], 192 * FPM)
    np.testing.assert_allclose(plots.sigma_v[~at], 3.0 / np.sqrt(-2 * np.log(0.05)))  # NACv 2: 3 m/s
    assert np.isnan(plots.slant_range).all()
    assert np.isnan(plots.v_east[at]).all()  # told once, by its own message
    np.testing.assert_array_equal(np.diff(plots.t_ns[at]), SECOND // 2)


def test_replies_are_rows_of_their_address() -> None:
    address = 0x3C6444
    mb = ref.track_and_turn(10.0, 45.0, 420, 0.46, 430)
    stream = ref.beast(ref.all_call(address), 12_000_000)
    stream += ref.beast(ref.reply(4, ref.feet_field(12_000), address), 24_000_000)
    stream += ref.beast(ref.reply(5, ref.squawk_field(0o7700), address), 36_000_000)
    stream += ref.beast(ref.reply(20, ref.gillham_field(11_900), address, mb=mb), 48_000_000)
    stream += ref.beast(
        ref.reply(21, ref.squawk_field(0o1234), address, mb=ref.heading_and_speed(40.0, 350, 0.66, 1024, 960)),
        60_000_000,
    )
    plots, decoder = fed(stream)
    assert plots.h_baro.tolist() == pytest.approx([12_000 * FT, np.nan, 11_900 * FT, np.nan], nan_ok=True)
    assert plots.mode_3a.tolist() == [-1, 0o7700, -1, 0o1234]
    assert (plots.technology == Technology.MDS).all()
    east = 420 * KT * np.sqrt(0.5)
    np.testing.assert_allclose([plots.v_east[2], plots.v_north[2]], east, rtol=2e-3)
    assert plots.turn_rate[2] == pytest.approx(-0.46 * DEG, abs=0.02 * DEG)  # a right turn is negative here
    assert plots.v_up[3] == pytest.approx(960 * FPM)
    assert np.isnan(plots.lat).all()
    assert sum(decoder.counts.values()) == 5


def test_an_address_that_nothing_vouches_for_is_not_invented() -> None:
    reply = ref.reply(4, ref.feet_field(12_000), 0x3C6444)
    plots, decoder = fed(ref.beast(reply, 1) * 3)
    assert len(plots) == 0
    assert decoder.counts == {"refused address that nothing vouches for": 3}
    # Noise: other addresses each time.
    rng = np.random.default_rng(1)
    stream = b"".join(
        ref.beast(ref.reply(4, 1000, int(a)), 1000 * k + 1) for k, a in enumerate(rng.integers(0, 1 << 24, 5000))
    )
    assert len(fed(stream)[0]) == 0


def test_an_address_that_comes_again_and_again_is_believed() -> None:
    stream = b"".join(ref.beast(ref.reply(4, 1000, 0x4B1901), k * 60_000_000 + 1) for k in range(6))
    plots, decoder = fed(stream)
    assert len(plots) == 3
    assert decoder.counts["refused address that nothing vouches for"] == 3


def test_a_reply_to_an_interrogator_is_believed_the_second_time() -> None:
    height = ref.beast(ref.reply(4, 1000, 0x4B1901), 24_000_000)
    once = ref.beast(ref.all_call(0x4B1901, interrogator=17), 1)
    assert len(fed(once + height)[0]) == 0
    assert len(fed(once + ref.beast(ref.all_call(0x4B1901, interrogator=17), 12_000_000) + height)[0]) == 1
    assert fed(ref.beast(ref.all_call(0x4B1901, interrogator=200), 1))[1].counts == {"refused parity": 1}


def test_an_address_ages() -> None:
    call = ref.beast(ref.all_call(0x4B1901), 1)
    late = ref.beast(ref.reply(4, 1000, 0x4B1901), 121 * 12_000_000)
    decoder = ModesDecoder(form="beast", clock="counter")
    assert len(decoder.feed(call, NOW)) == 0
    assert len(decoder.feed(late, NOW + 121 * SECOND)) == 0
    assert decoder.counts["refused address that nothing vouches for"] == 1


def test_what_two_receivers_hear_is_one_plot() -> None:
    one = flight(8)
    decoder = ModesDecoder()
    parts = []
    frames = ref.frames_of_beast(one)
    for k, (clock, signal, message, _) in enumerate(frames):
        sent = NOW + clock * 250 // 3
        for receiver, offset, late in ((0xA1, 0, 3_000_000), (0xB2, 77_777_777_777, 40_000_000 + k % 3 * 9_000_000)):
            data = ref.beast_receiver(receiver) + ref.beast(message, clock + offset, signal)
            parts.append(decoder.feed(data, sent + late))
    plots = Plots.concat(parts)
    alone = fed(one)[0]
    assert len(plots) == len(alone)
    np.testing.assert_allclose(plots.lat, alone.lat)
    assert decoder.counts["refused duplicate"] == len(frames)
    assert decoder.state["receivers"] == 2


def test_a_squitter_passed_on_twice_is_one_plot_and_a_second_reply_is_another() -> None:
    stream = flight(4)
    doubled = b"".join(ref.beast(m, c, s) * 2 for c, s, m, _ in ref.frames_of_beast(stream))
    assert len(fed(doubled)[0]) == len(fed(stream)[0])
    call = ref.beast(ref.all_call(), 1)
    replies = b"".join(ref.beast(ref.reply(4, 1000), 12_000_000 + k) for k in (0, 120_000))
    assert len(fed(call + replies)[0]) == 2


def test_memory_is_bounded_and_the_silent_go_first() -> None:
    decoder = ModesDecoder(form="beast", clock="counter", addresses_max=64)
    for k in range(500):
        message = ref.squitter(ref.identity("ABC"), address=0x400000 + k)
        decoder.feed(ref.beast(message, 12_000_000 * (k + 1)), NOW + k * SECOND)
        if k % 5 == 0:
            decoder.feed(ref.beast(ref.all_call(0x111111), 12_000_000 * (k + 1) + 1), NOW + k * SECOND)
    assert decoder.state["addresses"] <= 64
    assert decoder.state["addresses_forgotten"] >= 400
    plots = decoder.feed(ref.beast(ref.reply(4, 1000, 0x111111), 12_000_000 * 501), NOW + 500 * SECOND)
    assert len(plots) == 1  # who was heard all the while is still known


@settings(max_examples=60)
@given(st.data())
def test_damage_is_counted_and_the_rest_goes_on(data: st.DataObject) -> None:
    stream = bytearray(flight(6))
    for _ in range(data.draw(st.integers(1, 30))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    plots, decoder = fed(bytes(stream), form="beast")
    assert set(np.unique(plots.address).tolist()) <= {0x4840D6}
    assert np.isfinite(plots.lat[~np.isnan(plots.lat)]).all()
    assert sum(n for name, n in decoder.counts.items() if name != "bytes outside frames") >= 1


@settings(max_examples=60)
@given(st.lists(st.binary(min_size=14, max_size=14) | st.binary(min_size=7, max_size=7), max_size=60), st.booleans())
def test_any_messages_are_survived_and_each_is_counted_once(messages: list[bytes], sealed: bool) -> None:
    if sealed:
        messages = [ref.sealed(one[:-3]) for one in messages]
    stream = b"".join(ref.beast(one, 12_000 * k + 1) for k, one in enumerate(messages))
    plots, decoder = fed(stream, form="beast", clock="counter")
    assert decoder.counts.total() == len(messages)
    assert all(name.startswith(("decoded ", "refused ")) for name in decoder.counts)
    assert np.abs(plots.lat[~np.isnan(plots.lat)]).max(initial=0.0) <= np.pi / 2


def test_computed_positions_belong_to_the_mlat_sensor() -> None:
    stream = b"".join(
        ref.beast(ref.squitter(ref.air_position(48.0, 11.0 + 0.001 * k, k % 2), df=18, cf=2), 0xFF004D4C4154)
        for k in range(2)
    )
    decoder = ModesDecoder()
    first = decoder.feed(stream[: len(stream) // 2], NOW)
    plots = decoder.feed(stream[len(stream) // 2 :], NOW + SECOND)
    assert len(first) == 0
    assert decoder.sensors.kind[plots.sensor[0]] == SensorKind.MLAT
    assert plots.technology[0] == Technology.MLT
    assert plots.t_ns[0] == NOW + SECOND
    assert np.isnan(plots.sigma_pos[0])
    only_adsb = ModesDecoder(sensors_from_rows([{"id": "home", "kind": "adsb"}]))
    only_adsb.feed(stream[: len(stream) // 2], NOW)
    assert len(only_adsb.feed(stream[len(stream) // 2 :], NOW + SECOND)) == 0


def test_a_receivers_place_refuses_what_is_beyond_its_range_and_places_those_on_the_ground() -> None:
    site = sensors_from_rows(
        [{"id": "home", "kind": "adsb", "lat_deg": 48.3, "lon_deg": 11.7, "h_ell_m": 500.0, "range_m_max": 400_000.0}]
    )
    taxi = b"".join(
        ref.beast(ref.squitter(ref.surface_position(48.35, 11.78 + 1e-4 * k, k % 2)), (k + 1) * 6_000_000)
        for k in range(4)
    )
    assert len(fed(taxi)[0]) == 0
    plots, decoder = fed(taxi, sensors=site)
    np.testing.assert_allclose(plots.lat / DEG, 48.35, atol=1e-4)
    np.testing.assert_allclose(plots.v_east, 5.5 * KT)  # movement 20; due east
    far = flight(6, lat=60.0)
    plots, decoder = fed(far, sensors=site)
    assert np.isnan(plots.lat).all()
    assert decoder.counts["refused position beyond the receiver's range"] == 5


def test_jumps_are_refused_until_they_are_the_rule() -> None:
    """One false position does nothing; four that agree overrule what was believed."""
    jump = b"".join(
        ref.beast(ref.squitter(ref.air_position(50.0, 14.0, k % 2)), 60_000_000 + k * 6_000_000) for k in range(7)
    )
    plots, decoder = fed(flight(6) + jump)
    assert decoder.counts["refused position farther than anything flies"] == 3
    assert abs(plots.lat[~np.isnan(plots.lat)][-1] / DEG - 50.0) < 1e-3


def test_halves_too_old_are_no_pair() -> None:
    even = ref.beast(ref.squitter(ref.air_position(48.0, 11.0, 0)), 12_000_000)
    for seconds, placed in ((9.9, 1), (10.1, 0)):
        odd = ref.beast(ref.squitter(ref.air_position(48.0, 11.0, 1)), 12_000_000 + int(seconds * 12e6))
        decoder = ModesDecoder(form="beast", clock="counter")
        decoder.feed(even, NOW)
        assert len(decoder.feed(odd, NOW + int(seconds * SECOND))) == placed


def test_avr_live_takes_the_hosts_time() -> None:
    text = "".join(f"*{m.hex()};\r\n" for _, _, m, _ in ref.frames_of_beast(flight(4))).encode()
    decoder = ModesDecoder()
    plots = decoder.feed(text[:100], NOW)
    plots = Plots.concat([plots, decoder.feed(text[100:], NOW + SECOND)])
    assert (~np.isnan(plots.lat)).sum() == 3
    assert set(plots.t_ns.tolist()) <= {NOW, NOW + SECOND}


def test_a_stream_that_is_none_is_counted_and_not_kept() -> None:
    decoder = ModesDecoder()
    for _ in range(100):
        assert len(decoder.feed(b"hello world " * 100, NOW)) == 0
    assert decoder.counts["bytes outside frames"] > 100_000
    assert len(decoder.feed(flight(4), NOW)) > 0


@pytest.mark.parametrize(
    "how", [{"form": "sbs"}, {"clock": "sundial"}, {"addresses_max": 0}, {"receivers_max": 0},
            {"sensors": sensors_from_rows([{"id": "m", "kind": "mlat"}])}],
)  # fmt: skip
def test_settings_that_make_no_sense(how: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        ModesDecoder(**how)  # type: ignore[arg-type]


def test_a_service_finds_it_by_the_name_of_the_format() -> None:
    rows = [{"id": "radar", "kind": "radar", "lat_deg": 1.0, "lon_deg": 1.0}]
    home = sensors_from_rows([*rows, *({"id": name, "kind": "adsb"} for name in ("home", "club"))])
    text = b"".join(b"*%s;" % message.hex().encode() for _, _, message, _ in ref.frames_of_beast(flight(4)))
    for name, stream in (("beast", flight(4)), ("avr", text)):
        decoder = make_decoder(Source("in", name, stream=True, sensors=("club",)), home)
        plots = decoder.feed(stream, NOW)
        assert len(plots) > 0
        assert {home.ids[k] for k in plots.sensor} == {"club"}
