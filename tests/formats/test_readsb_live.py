"""aircraft.json as it comes: each trap of polling a receiver's file, and what entries say of their accuracy."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from reported_streams import T0, aircraft, snapshot

from airpicture.formats import open_recording
from airpicture.formats.quality import SIGMA_NACP, SIGMA_NACV, sigma_from_radius, sigma_without_satellites
from airpicture.formats.readsb_live import AircraftJsonDecoder
from airpicture.tables import Plots

NOW = T0 / 1e9


def fed(*documents: bytes) -> tuple[list[Plots], AircraftJsonDecoder]:
    decoder = AircraftJsonDecoder()
    return [decoder.feed(document, T0) for document in documents], decoder


def test_each_position_is_given_once_at_its_own_time() -> None:
    """Polled every second, a position that is 1.5 s old gets older; ages are rounded to tenths."""
    polls = [snapshot(aircraft(seen_pos=1.5 + k + 0.1 * (k % 2)), now=NOW + k) for k in range(5)]
    polls.append(snapshot(aircraft(seen_pos=0.3, lat=35.21), now=NOW + 5))
    parts, decoder = fed(*polls)
    assert [len(part) for part in parts] == [1, 0, 0, 0, 0, 1]
    assert [int(part.t_ns[0]) for part in (parts[0], parts[5])] == [T0 - 1_500_000_000, T0 + 4_700_000_000]
    assert decoder.counts["refused DUPLICATE"] == 4
    assert decoder.counts["decoded position"] == 2


def test_the_time_is_the_files_not_the_polls() -> None:
    decoder = AircraftJsonDecoder()
    plots = decoder.feed(snapshot(aircraft(seen_pos=0)), T0 + 7_000_000_000)
    assert plots.t_ns.tolist() == [T0]


def test_a_file_that_nobody_writes_any_more_gives_nothing_new() -> None:
    document = snapshot(aircraft())
    parts, decoder = fed(document, document, document)
    assert [len(part) for part in parts] == [1, 0, 0]
    assert decoder.counts["refused unchanged document"] == 2


def test_a_file_met_half_written_is_told_by_the_next_poll() -> None:
    document = snapshot(aircraft(), aircraft(hex="000001"))
    for cut in (0, 1, 40, len(document) - 1):
        parts, decoder = fed(document[:cut], document)
        assert [len(part) for part in parts] == [0, 2]
        assert decoder.counts["refused half a document"] == 1


def test_gzip_whole_and_broken_off() -> None:
    packed = gzip.compress(snapshot(aircraft()))
    parts, decoder = fed(packed[:-9], packed)
    assert [len(part) for part in parts] == [0, 1]
    assert decoder.counts["refused half a document"] == 1


def test_a_clock_that_jumps_back_repeats_nothing() -> None:
    """A receiver's clock is put right by an hour: what it said before, it now says with older times."""
    parts, _ = fed(
        snapshot(aircraft(), now=NOW),
        snapshot(aircraft(seen_pos=2.5), now=NOW - 3600),
        snapshot(aircraft(seen_pos=0.5, lat=35.3), now=NOW - 3599),
    )
    assert [len(part) for part in parts] == [1, 0, 1]
    assert parts[2].t_ns[0] == T0 - 3_599_500_000_000


def test_a_recording_with_such_a_clock_says_so(tmp_path: Path) -> None:
    documents = [snapshot(aircraft(lat=35.0 + k / 10), now=NOW - 3600 * (k == 2)) for k in range(4)]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(documents))
    report = open_recording(tmp_path / "a.jsonl").report
    assert any("went back 1 time, by up to 3600 s" in note for note in report.notes)


def test_files_are_taken_in_the_order_of_their_times(tmp_path: Path) -> None:
    """history_10.json stands before history_2.json, and the same position must be taken at its first time."""
    for k in range(12):
        (tmp_path / f"history_{k}.json").write_bytes(snapshot(aircraft(seen_pos=0.2 + 30 * k), now=NOW + 30 * k))
    recording = open_recording(tmp_path)
    assert recording.plots.t_ns.tolist() == [T0 - 200_000_000]
    assert recording.report.refused == {"DUPLICATE": 11}
    assert not any("went back" in note for note in recording.report.notes)


def test_on_the_ground_there_is_no_height_and_no_climb() -> None:
    plots = fed(snapshot(aircraft(alt_baro="ground", alt_geom=None, gs=12.0)))[0][0]
    assert np.isnan(plots.h_baro[0])
    assert plots.v_up[0] == 0
    assert plots.v_east[0] == pytest.approx(12 * 1852 / 3600)


def test_an_address_with_a_tilde_is_a_target_of_its_own() -> None:
    """The number of a track file may be some aircraft's address: neither repeats the other."""
    parts, _ = fed(
        snapshot(aircraft(), aircraft(hex="~a3e31a")), snapshot(aircraft(hex="~a3e31a", seen_pos=2.5), now=NOW + 1)
    )
    assert sorted(parts[0].address.tolist()) == [-1, 0xA3E31A]
    assert len(parts[1]) == 0


def test_lists_of_fields_tell_who_computed_what() -> None:
    rows = [
        aircraft(hex="000001", type=None, mlat=["lat", "lon", "gs", "track"]),
        aircraft(hex="000002", type=None, tisb=["lat", "lon"]),
        aircraft(hex="000003", type="mode_s", mlat=["lat", "lon"]),
        aircraft(hex="000004", mlat=["gs", "track", "baro_rate"]),
        aircraft(hex="000005", type="adsr_icao"),
        aircraft(hex="000006", type="tisb_trackfile"),
    ]
    plots = fed(snapshot(*rows))[0][0]
    ids = {int(a): plots.sensors.ids[s] for a, s in zip(plots.address, plots.sensor, strict=True)}
    assert ids == {1: "mlat", 2: "tisb", 3: "mlat", 4: "adsb", 5: "adsr", 6: "tisb"}
    # A velocity that MLAT computed comes from positions that are used already.
    assert np.isnan(plots.v_east[plots.address == 1]).all()
    assert np.isnan(plots.v_east[plots.address == 4]).all()
    assert np.isnan(plots.v_up[plots.address == 4]).all()
    assert np.isfinite(plots.v_east[plots.address == 5]).all()


def test_accuracy_by_nacp_else_by_radius_else_by_nic() -> None:
    changes = [{}, {"nac_p": 0}, {"nac_p": None, "rc": None}, {"nac_p": None, "rc": 0, "nic": 0}, {"nac_p": 99}]
    plots = fed(snapshot(*(aircraft(hex=f"00000{k}", **c) for k, c in enumerate(changes, 1))))[0][0]
    sigma = dict(zip(plots.address.tolist(), plots.sigma_pos.tolist(), strict=True))
    assert sigma[1] == pytest.approx(SIGMA_NACP[10])
    # 1e-7 beyond 186 m: sqrt(-2 ln 1e-7) = 5.678 sigma
    assert sigma[2] == sigma[5] == pytest.approx(186 / 5.678, rel=1e-4)
    assert sigma[3] == pytest.approx(0.1 * 1852 / 5.678, rel=1e-4)
    assert np.isnan(sigma[4])
    assert plots.sigma_v[0] == pytest.approx(SIGMA_NACV[2]) == pytest.approx(3.0 / 2.4477, rel=1e-4)


def test_an_aircraft_that_lost_its_satellites_drifts() -> None:
    """Half an hour without: 2 NMI an hour on 0.1 NMI, 95 %, is 1.1 NMI, whatever NACp says."""
    lost = aircraft(gpsOkBefore=NOW - 1.5 - 1800, nac_p=10)
    plots = fed(snapshot(lost, aircraft(hex="000001")))[0][0]
    sigma = dict(zip(plots.address.tolist(), plots.sigma_pos.tolist(), strict=True))
    assert sigma[0xA3E31A] == pytest.approx(1.1 * 1852 / 2.4477, rel=1e-3)
    assert sigma[1] == pytest.approx(SIGMA_NACP[10])
    assert sigma_without_satellites(np.array([-5.0]))[0] == sigma_from_radius(np.array([185.2]))[0]


def test_a_last_position_of_long_ago_is_none() -> None:
    gone = {"hex": "a1b2c3", "type": "mode_s", "lastPosition": {"lat": 35.0, "lon": -110.0, "seen_pos": 100.0}}
    parts, decoder = fed(snapshot(gone))
    assert len(parts[0]) == 0
    assert decoder.counts["refused NO_POSITION"] == 1


def test_climb_and_turn_are_in_metres_and_counter_clockwise() -> None:
    plots = fed(snapshot(aircraft(geom_rate=None, track_rate=3.0)))[0][0]
    assert plots.v_up[0] == pytest.approx(-640 * 0.3048 / 60)
    assert plots.turn_rate[0] == pytest.approx(-np.radians(3.0))


def test_older_programs_name_things_otherwise() -> None:
    """dump1090-mutability: altitude, speed, vert_rate."""
    old = {"hex": "a3e31a", "lat": 35.2, "lon": -110.3, "seen_pos": 0.5, "altitude": 1000, "speed": 100, "track": 0,
           "vert_rate": 600, "squawk": "1200"}  # fmt: skip
    plots = fed(snapshot(old))[0][0]
    assert plots.h_baro[0] == pytest.approx(304.8)
    assert plots.v_north[0] == pytest.approx(100 * 1852 / 3600)
    assert plots.v_up[0] == pytest.approx(3.048)


def test_lines_without_a_time_take_that_of_reception() -> None:
    decoder = AircraftJsonDecoder(lines=True)
    line = json.dumps({"hex": "a3e31a", "lat": 35.2, "lon": -110.3, "seen_pos": 0.5}).encode() + b"\n"
    assert decoder.feed(line, T0).t_ns.tolist() == [T0 - 500_000_000]


def test_what_is_remembered_is_bounded() -> None:
    from airpicture.formats.reported import Given, Heard

    given = Given(targets_max=100)
    for k in range(30):
        who = np.arange(k * 10, k * 10 + 10, dtype=np.int64)
        heard = Heard.of(10, who=who, t_ns=np.full(10, k * 10**9), lat=np.zeros(10), lon=np.zeros(10))
        assert not given.repeated(heard).any()
        assert given.repeated(heard).all()
        assert len(given) <= 110


def test_columns_that_a_reader_leaves_out_are_missing() -> None:
    from airpicture.formats.reported import Heard

    heard = Heard.of(2, lat=np.ones(2))
    assert heard.lat.tolist() == [1, 1]
    for name in ("lon", "h_ell", "h_baro", "speed", "course", "v_up", "sigma_pos", "sigma_v", "turn_rate"):
        assert np.isnan(getattr(heard, name)).all(), name
    assert (heard.who.tolist(), heard.address.tolist(), heard.mode_3a.tolist()) == ([-1, -1],) * 3
    assert heard.callsign.tolist() == heard.source.tolist() == [0, 0]
    assert heard.timely.all()
