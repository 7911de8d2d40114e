"""AIS sentences: times, names, what's not available; pyais encodes the messages and is the anchor of their contents."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reported_streams import AIS, T0

from airpicture.errors import InputError
from airpicture.formats import open_recording
from airpicture.formats.ais import AisDecoder
from airpicture.tables import Plots, unpack_callsigns

pyais = pytest.importorskip("pyais")
KT = 1852 / 3600
SHIP: dict[str, Any] = {
    "type": 1, "mmsi": 244123456, "lat": 51.95, "lon": 4.05, "speed": 12.3, "course": 270.0, "second": 59,
    "accuracy": 1,
}  # fmt: skip


def sentences(**fields: Any) -> list[str]:
    return [str(one) for one in pyais.encode_dict(fields, talker_id="AI")]


def ship(**changes: Any) -> str:
    return sentences(**(SHIP | changes))[0]


def fed(*lines: str, received_ns: int = T0) -> tuple[Plots, AisDecoder]:
    decoder = AisDecoder()
    return decoder.feed(("\r\n".join(lines) + "\r\n").encode(), received_ns), decoder


@pytest.mark.parametrize("kind", [1, 2, 3, 18, 19, 27, 9])
def test_positions_of_every_kind(kind: int) -> None:
    plots, _ = fed(ship(type=kind, speed=12, shipname="X"))
    assert [np.degrees(plots.lat[0]), np.degrees(plots.lon[0])] == pytest.approx([51.95, 4.05], abs=1.1e-3)
    assert [plots.v_east[0], plots.v_north[0]] == pytest.approx([-12 * KT, 0], abs=1e-3)
    assert plots.sensors.ids == ("ais",)
    assert plots.address.tolist() == [-1]  # an MMSI isn't an aircraft address


def test_the_second_of_the_minute_goes_before_the_time_of_reception() -> None:
    received = T0 + 2_300_000_000
    for second, expected in [(59, -1), (2, 2), (40, -20), (32, -28), (4, 4), (10, 2.3), (60, 2.3)]:
        plots, _ = fed(ship(second=second), received_ns=received)
        assert plots.t_ns[0] - T0 == pytest.approx(expected * 1e9), second


def test_estimated_positions_are_inaccurate() -> None:
    sigma = [float(fed(ship(second=s, accuracy=a))[0].sigma_pos[0]) for s, a in [(0, 1), (0, 0), (62, 1), (63, 1)]]
    assert sigma[0] == pytest.approx(10 / 2.4477, rel=1e-4)
    assert np.isnan(sigma[1])  # the sensor's
    assert sigma[2] == sigma[3] == 200.0


def test_what_is_not_available_is_unknown() -> None:
    plots, decoder = fed(ship(speed=102.3, course=360.0), ship(lat=91, lon=181, mmsi=1))
    assert np.isnan([plots.v_east[0], plots.v_north[0]]).all()
    assert decoder.counts["refused NO_POSITION"] == 1


def closed(body: str) -> str:
    """Return a sentence with the checksum that fits it."""
    value = 0
    for character in body:
        value ^= ord(character)
    return f"!{body}*{value:02X}"


def test_a_message_that_is_cut_short_is_counted() -> None:
    """Its checksum may fit: whoever passes a message on cuts it as it came over the air."""
    body = ship().partition("*")[0][1:]
    payload = body.split(",")[5]
    for octets in range(1, len(payload)):
        short = body.replace(payload, payload[:octets])
        plots, decoder = fed(closed(short))
        assert len(plots) + sum(decoder.counts.values()) >= 1
    plots, decoder = fed(closed(body.replace(payload, payload[:20])))
    assert (len(plots), dict(decoder.counts)) == (0, {"refused message cut short": 1})


def test_a_sentence_whose_checksum_is_wrong_is_refused() -> None:
    """One bit of a payload is another place."""
    sound = ship()
    payload = sound.split(",")[5]
    other = chr(ord(payload[12]) ^ 1)
    plots, decoder = fed(sound.replace(payload, payload[:12] + other + payload[13:]))
    assert (len(plots), dict(decoder.counts)) == (0, {"refused checksum wrong": 1})


def test_names_come_in_messages_of_their_own() -> None:
    """Until then the end of the MMSI; afterwards the name, or what fits of it."""
    decoder = AisDecoder()
    name = sentences(type=5, mmsi=244123456, shipname="MAERSK MC-KINNEY", callsign="PABC")
    assert len(name) == 2
    first = decoder.feed((ship() + "\n").encode(), T0)
    decoder.feed((name[0] + "\n").encode(), T0)
    decoder.feed((name[1] + "\n").encode(), T0)
    second = decoder.feed((ship(second=30) + "\n").encode(), T0 + 30 * 10**9)
    assert unpack_callsigns(first.callsign) == ["44123456"]
    assert unpack_callsigns(second.callsign) == ["MAERSK M"]


def test_a_recording_knows_names_from_the_beginning(tmp_path: Path) -> None:
    lines = [ship() + f",{T0 // 10**9}", *sentences(type=24, partno=0, mmsi=244123456, shipname="ANNA")]
    (tmp_path / "ais.txt").write_text("\n".join(lines) + "\n")
    assert unpack_callsigns(open_recording(tmp_path / "ais.txt").plots.callsign) == ["ANNA"]


def test_search_and_rescue_aircraft_are_air_targets() -> None:
    plots, _ = fed(ship(type=9, mmsi=111232506, alt=303, speed=142, second=0))
    assert np.hypot(plots.v_east[0], plots.v_north[0]) == pytest.approx(142 * KT)
    assert unpack_callsigns(plots.callsign) == ["11232506"]


def test_times_of_tag_blocks_and_behind_sentences() -> None:
    decoder = AisDecoder()
    plots = decoder.feed(AIS, 0)
    # The first was received at 12:00:01 with a position of second 59; the other has 15 in it, later than its time.
    assert (plots.t_ns - T0).tolist() == [-1 * 10**9, 5 * 10**9]
    assert unpack_callsigns(plots.callsign) == ["66053209", "11265591"]


def base(minute: int, second: int) -> str:
    return sentences(
        type=4, mmsi=2442000, year=2024, month=5, day=1, hour=12, minute=minute, second=second, lat=52, lon=4
    )[0]


def test_a_recording_without_times_is_dated_by_base_stations(tmp_path: Path) -> None:
    lines = [ship(second=50), ship(second=55, lat=51.96), base(0, 0), ship(second=5, lat=51.97), base(0, 50),
             ship(second=2, lat=51.98)]  # fmt: skip
    (tmp_path / "ais.txt").write_text("\n".join(lines) + "\n")
    recording = open_recording(tmp_path / "ais.txt")
    assert ((recording.plots.t_ns - T0) // 10**9).tolist() == [-10, -5, 5, 62]
    assert any("dated by the base stations" in note for note in recording.report.notes)
    (tmp_path / "none.txt").write_text(ship() + "\n")
    nothing = open_recording(tmp_path / "none.txt")
    assert nothing.report.refused == {"NOT_FINITE": 1}
    assert any("no sentence says when" in note for note in nothing.report.notes)


def test_bad_sentences_are_counted_and_the_rest_goes_on() -> None:
    good = ship()
    lines = [good.replace("*", "x*"), "!AIVDM,1,1,,B,,0*25", "!AIVDM,2,1,3,A,55?MbV,0*00", "hello", good]
    plots, decoder = fed(*lines)
    assert len(plots) == 1
    refused = {name: n for name, n in decoder.counts.items() if name.startswith("refused")}
    assert sum(refused.values()) == 3, refused


def test_halves_that_never_become_whole_are_bounded() -> None:
    decoder = AisDecoder()
    half = sentences(type=5, mmsi=244123456, shipname="X" * 20, callsign="PABC")[0]
    for k in range(1000):
        key = f",{2 + k % 8},1,{k % 10},{chr(65 + k % 26)},"
        decoder.feed((half.replace(",2,1,0,A,", key) + "\n").encode(), T0)
    assert decoder.counts["refused part of a message"] > 0


def test_without_pyais_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyais", None)
    (tmp_path / "ais.txt").write_text(ship() + "\n")
    with pytest.raises(InputError, match=r"airpicture\[ais\]"):
        open_recording(tmp_path / "ais.txt")
    with pytest.raises(InputError, match=r"airpicture\[ais\]"):
        AisDecoder()


def test_a_real_minute(recordings: Path) -> None:
    """Counts by pyais alone: 667 and 76 and 19 positions, of which 4 have none; base stations every ten seconds."""
    recording = open_recording(recordings / "adsb" / "feeds" / "ais_nmea_sample.txt.gz")
    assert len(recording.plots) + recording.report.refused["DUPLICATE"] + 4 == 667 + 76 + 19
    assert recording.plots.t_ns.max() - recording.plots.t_ns.min() < 150 * 10**9
    assert recording.report.records["base stations"] == 6
