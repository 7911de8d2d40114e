"""readsb snapshots: each trap of the format that real receivers set."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from table_files import two_sensors

from airpicture.errors import AirpictureError
from airpicture.formats import open_recording
from airpicture.formats.readsb import SIGMA_NACP
from airpicture.formats.recording import Recording
from airpicture.tables import Technology, unpack_callsigns

NOW = 1_700_513_836.875
FULL: dict[str, Any] = {
    "hex": "a3e31a",
    "type": "adsb_icao",
    "flight": "N35GR   ",
    "alt_baro": 45000,
    "alt_geom": 45700,
    "gs": 489.0,
    "track": 90.0,
    "squawk": "3471",
    "lat": 35.208109,
    "lon": -110.373001,
    "seen_pos": 1.939,
    "nac_p": 10,
    "mlat": [],
    "seen": 0.1,
}


def snapshot(*aircraft: dict[str, Any], now: float = NOW) -> dict[str, Any]:
    return {"now": now, "messages": 1, "aircraft": list(aircraft)}


def opened(tmp_path: Path, *documents: object, name: str = "aircraft.json") -> Recording:
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(document) for document in documents))
    return open_recording(path)


def test_a_full_entry(tmp_path: Path) -> None:
    plots = opened(tmp_path, snapshot(FULL)).plots
    assert plots.t_ns.tolist() == [1_700_513_834_936_000_000]  # now less seen_pos, to the millisecond
    np.testing.assert_allclose(np.degrees([plots.lat[0], plots.lon[0]]), [35.208109, -110.373001], rtol=1e-15)
    assert plots.h_baro[0] == pytest.approx(45_000 * 0.3048)
    assert plots.h_ell[0] == pytest.approx(45_700 * 0.3048)
    assert plots.v_east[0] == pytest.approx(489 * 1852 / 3600)
    assert plots.v_north[0] == pytest.approx(0, abs=1e-9)
    assert (plots.mode_3a[0], plots.address[0]) == (0o3471, 0xA3E31A)
    assert unpack_callsigns(plots.callsign) == ["N35GR"]
    assert plots.technology[0] == Technology.ADS
    assert plots.sensors.ids == ("adsb",)


def test_nacp_is_a_95_percent_radius() -> None:
    """A circle of 10 m that holds 95 % of a round normal distribution has sigma 4.09 m in each axis."""
    rng = np.random.default_rng(5)
    errors = rng.normal(0, SIGMA_NACP[10], (400_000, 2))
    assert np.mean(np.hypot(*errors.T) < 10.0) == pytest.approx(0.95, abs=0.002)
    assert SIGMA_NACP[8] == pytest.approx(37.83, abs=0.01)
    assert np.isnan(SIGMA_NACP[0])
    assert (np.diff(SIGMA_NACP[1:]) < 0).all()


def test_accuracy_unknown_stays_unknown(tmp_path: Path) -> None:
    rows = [FULL | {"nac_p": value, "hex": f"00000{k}"} for k, value in enumerate([0, None, 12, -1, "x", 9])]
    plots = opened(tmp_path, snapshot(*rows)).plots
    assert np.isnan(plots.sigma_pos).tolist() == [True] * 5 + [False]


def test_repeated_positions_give_no_second_plot(tmp_path: Path) -> None:
    """The next snapshot repeats the position, 5 s older; ages are rounded, so that the times differ a little."""
    again = FULL | {"seen_pos": 6.9}
    moved = FULL | {"seen_pos": 0.4, "lat": 35.3}
    recording = opened(
        tmp_path, snapshot(FULL), snapshot(again, now=NOW + 5), snapshot(moved, now=NOW + 6), name="a.jsonl"
    )
    assert len(recording.plots) == 2
    assert recording.report.refused == {"DUPLICATE": 1}
    assert recording.report.records == {"rows": 2}


def test_a_parked_aircraft_reports_anew(tmp_path: Path) -> None:
    parked = FULL | {"gs": 0, "seen_pos": 0.2}
    assert len(opened(tmp_path, snapshot(parked), snapshot(parked, now=NOW + 0.5), name="a.jsonl").plots) == 2


def test_snapshots_in_several_files_are_one_recording(tmp_path: Path) -> None:
    for k in range(3):
        document = snapshot(FULL | {"seen_pos": 1.9 + k}, now=NOW + k)
        (tmp_path / f"history_{k}.json.gz").write_bytes(gzip.compress(json.dumps(document).encode()))
    for given_path in (tmp_path, sorted(tmp_path.iterdir())):
        recording = open_recording(given_path)
        assert len(recording.plots) == 1
        assert recording.report.refused == {"DUPLICATE": 2}


def test_positions_come_in_time_order(tmp_path: Path) -> None:
    rows = [FULL | {"hex": f"00000{k}", "seen_pos": age} for k, age in enumerate([0.1, 9.0, 3.0])]
    plots = opened(tmp_path, snapshot(*rows)).plots
    assert (np.diff(plots.t_ns) >= 0).all()
    assert plots.address[np.isfinite(plots.lat)].tolist() == [1, 2, 0]


def test_mlat_is_a_sensor_of_its_own(tmp_path: Path) -> None:
    rows = [
        FULL | {"type": "mlat", "hex": "000001"},
        FULL | {"type": None, "hex": "000002", "mlat": ["lat", "lon"]},  # dump1090-fa
        FULL | {"type": "tisb_icao", "hex": "000003"},
        FULL | {"type": "adsb_icao", "hex": "000004", "mlat": ["nac_p"]},
    ]
    plots = opened(tmp_path, snapshot(*rows)).plots
    assert [plots.sensors.ids[k] for k in plots.sensor] == ["mlat", "mlat", "tisb", "adsb"]
    assert plots.technology.tolist() == [Technology.MLT, Technology.MLT, Technology.ADS, Technology.ADS]
    assert np.isnan(plots.sigma_pos).tolist() == [True, True, False, False]  # NACp is the aircraft's, not the network's


def test_addresses_with_a_tilde_are_not_addresses(tmp_path: Path) -> None:
    """A TIS-B track file may have the number of a real aircraft."""
    recording = opened(tmp_path, snapshot(FULL, FULL | {"hex": "~a3e31a"}, FULL | {"hex": "zzz"}))
    assert sorted(recording.plots.address.tolist()) == [-1, -1, 0xA3E31A]
    assert any("2 positions carry no aircraft address" in note for note in recording.report.notes)


def test_height_on_the_ground_is_unknown(tmp_path: Path) -> None:
    recording = opened(tmp_path, snapshot(FULL | {"alt_baro": "ground", "alt_geom": None}))
    assert np.isnan(recording.plots.h_baro[0])
    assert np.isnan(recording.plots.h_ell[0])


BAD: list[tuple[dict[str, Any], str]] = [
    ({"lat": float("nan")}, "NOT_FINITE"),
    ({"lon": float("inf")}, "NOT_FINITE"),
    ({"lat": 1e999}, "NOT_FINITE"),
    ({"lat": "35.2"}, "NOT_FINITE"),
    ({"lat": True}, "NOT_FINITE"),
    ({"lat": [1]}, "NOT_FINITE"),
    ({"lat": 10**400}, "NOT_FINITE"),
    ({"lat": 90.1}, "BAD_VALUE"),
    ({"lon": -180.1}, "BAD_VALUE"),
    ({"seen_pos": 1e12}, "NOT_FINITE"),
]


@pytest.mark.parametrize(("change", "reason"), BAD, ids=[str(c)[:40] for c, _ in BAD])
def test_bad_positions_are_refused_by_name(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    recording = opened(tmp_path, snapshot(FULL, FULL | change))
    assert len(recording.plots) == 1
    assert recording.report.refused == {reason: 1}
    assert recording.report.refusals[0][0] == 2


def test_aircraft_without_position_are_counted_not_listed(tmp_path: Path) -> None:
    silent = {"hex": "a1b2c3", "type": "mode_s", "seen": 1.0}
    last = silent | {"lastPosition": {"lat": 35.0, "lon": -110.0, "seen_pos": 100.0}}  # too old for readsb itself
    report = opened(tmp_path, snapshot(FULL, silent, last)).report
    assert report.refused == {"NO_POSITION": 2}
    assert report.refusals == ()


def test_absurd_side_values_become_unknown(tmp_path: Path) -> None:
    rows = [FULL | {"gs": -5, "alt_baro": 9e9, "squawk": "7x00", "flight": "@@@@@@@@", "alt_geom": float("inf")}]
    plots = opened(tmp_path, snapshot(*rows)).plots
    assert np.isnan([plots.v_east[0], plots.h_baro[0], plots.h_ell[0]]).all()
    assert (plots.mode_3a[0], plots.callsign[0]) == (-1, 0)


def test_web_interfaces_count_milliseconds(tmp_path: Path) -> None:
    document = {"ac": [FULL], "now": round(NOW * 1000), "total": 1, "msg": "No error"}
    assert opened(tmp_path, document).plots.t_ns.tolist() == [1_700_513_834_936_000_000]


def test_lines_of_single_aircraft(tmp_path: Path) -> None:
    line = {
        "now": 1693303200,
        "alt_baro": 3775,
        "gscp": 19,
        "lat": 40.765236,
        "lon": -119.192047,
        "track": 0.0,
        "hex": "a19702",
    }
    mark = {"flight": "N/A", "now": 1693303201}
    stale = line | {"now": 1693303205}  # no age is given, it moves at 19 kt, and is where it was to the last digit
    parked = [{**line, "hex": "a00000", "gscp": 0, "now": 1693303200 + k} for k in (0, 5)]
    recording = opened(tmp_path, line, mark, stale, *parked, name="a.jsonl")
    assert len(recording.plots) == 3
    assert recording.report.refused == {"NO_POSITION": 1, "DUPLICATE": 1}
    assert recording.plots.t_ns[0] == 1_693_303_200_000_000_000
    assert recording.plots.v_north[0] == pytest.approx(19 * 1852 / 3600)


def test_bad_lines_are_refused_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = json.dumps(snapshot(FULL))
    path.write_text("\n".join([good, '{"now": 17005', "[1, 2]", '{"a": 1}', "", good.replace("35.2", "36.2")]))
    recording = open_recording(path)
    assert len(recording.plots) == 2
    assert recording.report.refused == {"BAD_VALUE": 3}
    assert [number for number, _ in recording.report.refusals] == [2, 3, 4]


def test_trace_of_a_day(tmp_path: Path) -> None:
    rows = [
        [10.5, 37.0, -122.0, 5000, 120.0, 180.0, 0, -64, {"flight": "N1", "squawk": "1200"}, "adsb_icao", 5100, None],
        [20.5, 37.1, -122.1, "ground", 10.0, 0.0, 0, None, None, "mlat"],
        [30.5, 37.2],
    ]
    recording = opened(tmp_path, {"icao": "aa178d", "timestamp": 1692489600.0, "trace": rows})
    plots = recording.plots
    assert plots.t_ns.tolist() == [1692489610_500000000, 1692489620_500000000]
    assert plots.address.tolist() == [0xAA178D] * 2
    assert [plots.sensors.ids[k] for k in plots.sensor] == ["adsb", "mlat"]
    assert recording.report.refused == {"BAD_VALUE": 1}


def test_described_sensors_are_used(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(snapshot(FULL)))
    sensors = two_sensors()
    recording = open_recording(tmp_path / "a.json", sensors=sensors)
    assert recording.plots.sensors is sensors
    assert recording.plots.sensor.tolist() == [1]
    without = sensors.take(slice(0, 1))
    added = open_recording(tmp_path / "a.json", sensors=without)
    assert added.sensors.ids == ("north", "adsb")
    assert any("no sensor 'adsb'" in note for note in added.report.notes)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(FULL)), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from(list(FULL)), json_values), max_size=4), json_values)
def test_any_json_gives_plots_or_a_message(tmp_path_factory: pytest.TempPathFactory, rows: list[Any], now: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "a.json"
    path.write_text(json.dumps({"now": now, "aircraft": [FULL, *rows]}))
    try:
        recording = open_recording(path)
    except AirpictureError:
        return
    plots = recording.plots
    assert len(plots) + sum(recording.report.refused.values()) == 1 + len(rows)
    assert (np.abs(plots.lat) <= np.pi / 2).all()
    assert (plots.t_ns > 0).all()


def test_real_recordings(recordings: Path) -> None:
    """Counts taken from the files with a plain loop over json.loads (see the folder's README for 4,920)."""
    recording = open_recording(recordings / "adsb" / "ga_mixed" / "88nv_1hr.jsonl.gz")
    assert len(recording.plots) == 4920
    assert len(np.unique(recording.plots.address)) == 59
    assert recording.report.refused == {"NO_POSITION": 847}
    mixed = open_recording(recordings / "adsb" / "ga_mixed" / "kwvi_20251213.jsonl.gz")
    assert len(mixed.plots) + mixed.report.refused["DUPLICATE"] == 9614
    feeds = open_recording(sorted((recordings / "adsb" / "feeds").glob("aircraft_*.json.gz")))
    assert np.isfinite(feeds.plots.lat).sum() == 63 + 67 + 77 + 57 + 112
    assert feeds.sensors.ids == ("adsb", "adsr", "tisb", "mlat")


def test_the_shipped_recording() -> None:
    from importlib.resources import as_file, files

    with as_file(files("airpicture") / "data" / "88nv_1hr.jsonl.gz") as path:
        recording = open_recording(path)
    assert len(recording.plots) == 4920
    assert np.datetime64(int(recording.plots.t_ns[0]), "ns") == np.datetime64("2023-08-29T10:00:00")
    assert np.isnan(recording.plots.sigma_pos).all()
