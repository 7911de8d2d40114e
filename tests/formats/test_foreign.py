"""Tables of other programs: OpenSky, traffic, EUROCONTROL, and any by a mapping. All rows here are made up."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reported_streams import STATES, T0

from airpicture.errors import InputError
from airpicture.formats import open_recording
from airpicture.formats.dialects import input_columns, understand
from airpicture.formats.recording import Recording
from airpicture.formats.state_json import OpenSkyDecoder
from airpicture.tables import Technology, unpack_callsigns

S0 = T0 // 10**9


def states(**changes: Any) -> dict[str, list[Any]]:
    """Return four rows of OpenSky's history: fresh, stale, stale again, fresh."""
    rows: dict[str, list[Any]] = {
        "time": [S0 + k for k in range(4)],
        "icao24": ["4d2271"] * 4,
        "lat": [45.8, 45.8, 45.8, 45.79],
        "lon": [4.9, 4.9, 4.9, 4.89],
        "velocity": [216.0] * 4,
        "heading": [90.0] * 4,
        "vertrate": [0.0, -3.25, 0.0, 0.0],
        "callsign": ["RYR2RG  "] * 4,
        "onground": [False, False, False, True],
        "alert": [False] * 4,
        "spi": [False] * 4,
        "squawk": ["6675", None, "0042", "6675"],
        "baroaltitude": [11277.6, 11277.6, 11277.6, 11277.6],
        "geoaltitude": [11483.34] * 4,
        "lastposupdate": [S0 - 0.068, S0 - 0.068, S0 - 0.068, S0 + 2.819],
        "lastcontact": [S0 - 0.017] * 4,
    }
    return rows | changes


def parquet(path: Path, rows: dict[str, list[Any]]) -> Path:
    table = pa.table(rows)
    if "time" in rows and isinstance(rows["time"][0], int):
        seconds = pa.array([one * 10**9 for one in rows["time"]], pa.timestamp("ns", "UTC"))
        table = table.set_column(0, "time", seconds)
    table = table.append_column("serials", pa.array([[1, 2]] * table.num_rows, pa.list_(pa.int64())))
    pq.write_table(table, path)
    return path


def csv(path: Path, rows: dict[str, list[Any]]) -> Path:
    lines = [",".join(rows)]
    lines += [",".join("" if cell is None else str(cell) for cell in row) for row in zip(*rows.values(), strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_opensky_positions_are_taken_once_at_their_own_time(tmp_path: Path, form: str) -> None:
    recording = open_recording({"parquet": parquet, "csv": csv}[form](tmp_path / f"states.{form}", states()))
    plots = recording.plots
    assert recording.report.format == "OpenSky state vectors"
    assert recording.report.refused == {"DUPLICATE": 2}
    assert plots.t_ns.tolist() == [T0 - 68_000_000, T0 + 2_819_000_000]
    assert plots.h_baro[0] == 11277.6
    assert plots.h_ell[0] == 11483.34
    assert plots.v_east[0] == pytest.approx(216.0)
    assert plots.mode_3a.tolist() == [0o6675, 0o6675]
    assert plots.address.tolist() == [0x4D2271] * 2
    assert unpack_callsigns(plots.callsign) == ["RYR2RG"] * 2
    assert np.isnan(plots.h_baro[1])  # on the ground
    assert plots.v_up.tolist() == [0.0, 0.0]


def test_altitudes_out_of_this_world_are_kept_for_the_tracker_and_impossible_ones_are_not(tmp_path: Path) -> None:
    """123,100 ft has been reported, and may be wrong or a balloon; 3000 km isn't a pressure altitude of anything."""
    rows = states(lat=[45.1, 45.2, 45.3, 45.4], baroaltitude=[37_520.0, 3e6, -500.0, None], onground=[False] * 4,
                  lastposupdate=[float(S0 + k) for k in range(4)])  # fmt: skip
    plots = open_recording(csv(tmp_path / "a.csv", rows)).plots
    assert len(plots) == 4
    np.testing.assert_array_equal(plots.h_baro, [37_520.0, np.nan, -500.0, np.nan])


def test_rows_without_a_position_or_time_are_counted(tmp_path: Path) -> None:
    rows = states(lat=[None, 95.0, 45.0, 45.1], time=[S0, S0, None, S0 + 9], lastposupdate=[None, None, None, None])
    recording = open_recording(csv(tmp_path / "a.csv", rows))
    assert recording.report.refused == {"NO_POSITION": 1, "BAD_VALUE": 1, "NOT_FINITE": 1}
    assert sorted(number for number, _ in recording.report.refusals) == [2, 3]
    assert len(recording.plots) == 1


def test_without_an_age_a_moving_target_that_stands_still_is_stale(tmp_path: Path) -> None:
    rows = states()
    del rows["lastposupdate"]
    recording = open_recording(csv(tmp_path / "a.csv", rows))
    assert recording.report.refused == {"DUPLICATE": 2}
    assert recording.plots.t_ns.tolist() == [T0, T0 + 3 * 10**9]
    parked = states(velocity=[0.0] * 4)
    del parked["lastposupdate"]
    assert len(open_recording(csv(tmp_path / "b.csv", parked)).plots) == 4


def test_an_age_from_the_future_isnt_believed(tmp_path: Path) -> None:
    rows = states(lastposupdate=[S0 + 5000.0] * 4, lat=[1.0, 2.0, 3.0, 4.0])
    assert open_recording(csv(tmp_path / "a.csv", rows)).plots.t_ns.tolist() == [T0 + k * 10**9 for k in range(4)]


def test_files_hour_by_hour_or_aircraft_by_aircraft_are_put_in_order(tmp_path: Path) -> None:
    rows = {name: column[2:] + column[:2] for name, column in states().items()}
    recording = open_recording(csv(tmp_path / "a.csv", rows))
    assert len(recording.plots) == 2
    assert (np.diff(recording.plots.t_ns) > 0).all()


def test_cells_that_are_no_numbers_are_named(tmp_path: Path) -> None:
    recording = open_recording(csv(tmp_path / "a.csv", states(velocity=[216.0, "fast", 216.0, 216.0])))
    assert recording.report.records["cells that can't be read"] == 1
    assert (2, "column 'velocity': 'fast' is not a number") in recording.report.refusals


FLIGHT: list[dict[str, Any]] = [
    {"timestamp": S0 * 1000, "icao24": "3cce6f", "latitude": 48.1, "longitude": 16.5, "groundspeed": 138.0,
     "track": -47, "vertical_rate": 2496, "callsign": "FCK211", "altitude": 1675, "squawk": 3766.0},
    {"timestamp": S0 * 1000 + 5000, "icao24": "3cce6f", "latitude": 48.11, "longitude": 16.51, "groundspeed": None,
     "track": None, "vertical_rate": None, "callsign": None, "altitude": None, "squawk": 0},
]  # fmt: skip


@pytest.mark.parametrize("orient", ["records", "columns", "index", "split", "iso"])
def test_flights_of_traffic_in_every_form_that_pandas_writes(tmp_path: Path, orient: str) -> None:
    """pandas itself writes the files: the anchor that its forms are understood."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(FLIGHT).assign(timestamp=lambda f: pd.to_datetime(f.timestamp, unit="ms", utc=True))
    path = tmp_path / "flight.json.gz"
    if orient == "index":
        orient = "columns"
        frame.index = [7, 9]
    if orient == "iso":
        frame.to_json(path, orient="records", date_format="iso", compression="gzip")
    else:
        frame = frame.assign(timestamp=[row["timestamp"] for row in FLIGHT])
        path.write_bytes(gzip.compress(frame.to_json(orient=orient).encode()))
    recording = open_recording(path)
    plots = recording.plots
    assert recording.report.format == "traffic flights"
    assert plots.t_ns.tolist() == [T0, T0 + 5 * 10**9]
    assert plots.h_baro[0] == pytest.approx(1675 * 0.3048)
    speed = 138 * 1852 / 3600
    assert [plots.v_east[0], plots.v_north[0]] == pytest.approx(
        [speed * np.sin(np.radians(-47)), speed * np.cos(np.radians(-47))]
    )
    assert plots.v_up[0] == pytest.approx(2496 * 0.3048 / 60)
    assert plots.mode_3a.tolist() == [0o3766, -1]  # floats of pandas; a lone 0 is none
    assert np.isnan([plots.v_east[1], plots.h_baro[1]]).all()


def test_flights_of_traffic_as_parquet_and_csv(tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(FLIGHT).assign(timestamp=lambda f: pd.to_datetime(f.timestamp, unit="ms", utc=True))
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "a.csv", index=False)
    for name in ("a.parquet", "a.csv"):
        assert open_recording(tmp_path / name).plots.t_ns.tolist() == [T0, T0 + 5 * 10**9]


def test_answers_of_opensky(tmp_path: Path) -> None:
    """One answer, or one a line; the source of a position makes it another sensor's."""
    second = json.loads(STATES) | {"time": S0 + 10}
    (tmp_path / "one.json").write_bytes(STATES)
    (tmp_path / "two.jsonl").write_bytes(STATES + b"\n" + json.dumps(second).encode() + b"\n")
    one, two = open_recording(tmp_path / "one.json"), open_recording(tmp_path / "two.jsonl")
    assert one.plots.t_ns.tolist() == two.plots.t_ns.tolist() == [T0 - 2 * 10**9]
    assert one.report.refused == {"NO_POSITION": 1}
    assert two.report.refused == {"NO_POSITION": 2, "DUPLICATE": 1}
    moved = json.loads(STATES)
    moved["states"] = [[*moved["states"][0][:16], source] for source in (0, 1, 2, 3)]
    plots = OpenSkyDecoder().feed(json.dumps(moved).encode(), T0)
    assert len(plots) == 1  # the same aircraft at the same place, whoever says so
    for k, state in enumerate(moved["states"]):
        state[0] = f"00000{k}"
    plots = OpenSkyDecoder().feed(json.dumps(moved).encode(), T0)
    assert [plots.sensors.ids[k] for k in plots.sensor] == ["adsb", "asterix", "mlat", "flarm"]
    assert plots.technology.tolist() == [Technology.ADS, Technology.MDS, Technology.MLT, Technology.ADS]


@pytest.mark.parametrize(
    "answer", [b'{"time": 1, "states": null}', b'{"time": 1, "states": [5, [], ["a"]]}', b"[]", b"{}"]
)
def test_answers_with_nothing_in_them(answer: bytes) -> None:
    assert len(OpenSkyDecoder().feed(answer, T0)) == 0


CPR = {
    "t_track": [S0, S0 + 5, S0 + 5, S0 + 30], "t_received": [S0 + 60] * 4, "callsign": ["CSA190"] * 4,
    "sac": [96, 98, 96, 96], "sic": [1, 1, 1, 1], "lat": [54.0, 54.1, 54.0, 54.2], "lon": [27.0, 27.1, 27.0, 27.2],
    "flight_level": [350, 351, 350, 352], "ssr": [1401, 1401, 1401, 17], "speed_kt": [477] * 4,
    "heading_deg": [64.3] * 4, "address": ["49D2FD"] * 4,
}  # fmt: skip


def test_tracks_of_other_systems_belong_to_their_systems(tmp_path: Path) -> None:
    """The time is that of the track, which may be received a minute later."""
    recording = open_recording(csv(tmp_path / "cpr.csv", CPR))
    plots = recording.plots
    assert plots.sensors.ids == ("system:96/1", "system:98/1")
    assert plots.t_ns.tolist() == [T0, T0 + 5 * 10**9, T0 + 30 * 10**9]
    assert recording.report.refused == {"DUPLICATE": 1}
    assert plots.h_baro[0] == pytest.approx(350 * 100 * 0.3048)
    assert plots.mode_3a.tolist() == [0o1401, 0o1401, 0o17]
    assert any("tracks of other systems" in note for note in recording.report.notes)


def test_systems_that_are_described_are_found_by_their_codes(tmp_path: Path) -> None:
    from airpicture.formats.sensors import sensors_from_rows

    sensors = sensors_from_rows([{"id": "minsk", "kind": "mlat", "sac": 96, "sic": 1, "sigma_pos_m": 60.0}])
    recording = open_recording(csv(tmp_path / "cpr.csv", CPR), sensors=sensors)
    assert recording.sensors.ids == ("minsk", "system:98/1")
    assert recording.plots.sensor.tolist() == [0, 1, 0]


def own(tmp_path: Path, text: str, columns: str | None = None, name: str = "own.csv") -> Recording:
    (tmp_path / name).write_text(text)
    return open_recording(tmp_path / name, columns=input_columns(columns) if columns else None)


def test_names_that_tell_their_unit_are_understood(tmp_path: Path) -> None:
    text = f"time,lat,lon,altitude_ft,speed_kt,heading_deg,icao24\n{S0},51.5,-0.1,36000,450,90,4ca2d6\n"
    recording = own(tmp_path, text)
    assert recording.plots.h_baro[0] == pytest.approx(36_000 * 0.3048)
    assert recording.plots.v_east[0] == pytest.approx(450 * 1852 / 3600)
    assert any("h_baro=altitude_ft:ft" in note for note in recording.report.notes)


def test_names_that_do_not_are_left_out_with_advice(tmp_path: Path) -> None:
    text = f"time,lat,lon,altitude,speed\n{S0},51.5,-0.1,11000,230\n"
    recording = own(tmp_path, text)
    assert np.isnan([recording.plots.h_baro[0], recording.plots.v_east[0]]).all()
    assert any("--input-columns h_baro=altitude:ft,speed=speed:kt" in note for note in recording.report.notes)


def test_a_mapping_says_what_is_what(tmp_path: Path) -> None:
    text = f"id,zeit,y,x,hoehe,v,richtung\n1,{S0}500,0.9,-0.001,11,828,90\n"
    recording = own(tmp_path, text, "t=zeit:ms,lat=y:rad,lon=x:rad,h_ell=hoehe:km,speed=v:kmh,course=richtung")
    plots = recording.plots
    assert plots.t_ns.tolist() == [T0 + 500_000_000]
    assert plots.lat[0] == pytest.approx(0.9)
    assert plots.h_ell[0] == pytest.approx(11_000)
    assert plots.v_east[0] == pytest.approx(230)


@pytest.mark.parametrize(
    ("cell", "t_ns"),
    [
        ("2024-05-01T12:00:00Z", T0),
        ("2024-05-01 12:00:00", T0),
        ("2024-05-01 14:00:00.250+02:00", T0 + 250_000_000),
        (str(S0), T0),
        (f"{S0}.125", T0 + 125_000_000),
        (f"{S0}125", T0 + 125_000_000),
        (f"{S0}125000", T0 + 125_000_000),
        (f"{S0}125000001", T0 + 125_000_001),
    ],
)
def test_times_in_every_form(tmp_path: Path, cell: str, t_ns: int) -> None:
    assert own(tmp_path, f"time,lat,lon\n{cell},51.5,-0.1\n").plots.t_ns.tolist() == [t_ns]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("t=time,lat=lat,lon=lng", ("'lng'", "no such column", "Did you mean 'long'?")),
        ("t=time,lat=lat,lon=long,height=alt", ("'height'", "unknown field", "h_baro")),
        ("t=time,lat=lat,lon=long,h_baro=alt:feet", ("unknown unit", "'feet'", "ft")),
        ("t=time,lat", ("'lat'", "FIELD=COLUMN")),
    ],
)
def test_mistakes_in_a_mapping_are_named(tmp_path: Path, columns: str, words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        own(tmp_path, "time,lat,long,alt\n1,2,3,4\n", columns)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_a_table_that_is_not_understood_comes_with_a_mapping_to_complete(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        own(tmp_path, "ts,lat,lon,roll\n7,51.9,4.4,0\n")
    assert "'ts', 'lat', 'lon', 'roll'" in str(caught.value)
    assert "--input-columns t=ts,lat=lat,lon=lon" in str(caught.value)
    assert len(own(tmp_path, "ts,lat,lon,roll\n7,51.9,4.4,0\n", "t=ts,lat=lat,lon=lon").plots) == 1


def test_refusals_are_listed_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "time,lat,lon\n2023-11-14T22:13:20Z,51,0\n2023-11-14T22:13:21Z,95,0\nnever,51,0\n"
    assert [row for row, _ in own(tmp_path, text).report.refusals] == [2, 3]


def test_no_column_is_made_up_for_a_mapping(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        own(tmp_path, "type,latitude,longitude,tilt\nradar,51.9,4.4,0\n")
    assert "--input-columns t=?,lat=latitude,lon=longitude" in str(caught.value)


@pytest.mark.parametrize(("sign", "told"), [(";", "semicolons"), ("\t", "tabs")])
@pytest.mark.parametrize("columns", ["", "t=time,lat=lat,lon=lon"])
def test_other_separators_are_named(tmp_path: Path, sign: str, told: str, columns: str) -> None:
    with pytest.raises(InputError, match=f"its columns are separated by {told}"):
        own(tmp_path, sign.join(["time", "lat", "lon"]) + "\n" + sign.join(["7", "51,9", "4,4"]) + "\n", columns)


def test_columns_of_locards_are_known() -> None:
    names = [
        "id",
        "timeAtServer",
        "aircraft",
        "latitude",
        "longitude",
        "baroAltitude",
        "geoAltitude",
        "numMeasurements",
    ]
    meaning = understand([*names, "measurements"])
    assert meaning is not None
    assert meaning.dialect == "LocaRDS"
    assert {field: column.unit for field, column in meaning.columns.items() if field[0] == "h"} == {
        "h_baro": "m",
        "h_ell": "m",
    }


def test_real_tables(recordings: Path) -> None:
    """Distinct positions counted with pandas."""
    pd = pytest.importorskip("pandas")
    folder = recordings / "adsb" / "opensky_states"
    for name in ("states_native_20220202.parquet", "states_same_flight_20240406.parquet"):
        frame = pd.read_parquet(folder / name, columns=["lat", "lon", "lastposupdate"]).dropna()
        distinct = frame.drop_duplicates()
        found = open_recording(folder / name).report.records["rows"]
        assert len(distinct) * 0.99 <= found <= len(distinct) < len(frame)  # some few are sent twice in 0.25 s
    swiss = open_recording(folder / "switzerland_10s_842ac.csv.gz")
    assert len(swiss.plots) + swiss.report.refused["DUPLICATE"] == 139_098
    assert len(np.unique(swiss.plots.address)) == 842
    for path in sorted((recordings / "adsb" / "single_flights").iterdir()):
        recording = open_recording(path)
        assert len(recording.plots) > 500, path
        assert recording.report.format == "traffic flights"
    assert open_recording(recordings / "adsb" / "locards_mlat" / "set_5.csv").report.format == "LocaRDS"
    assert len(open_recording(recordings / "adsb" / "cpr_vs_adsb" / "cpr_20170205.csv.gz").sensors) == 20
