"""Plots, truth and tracks in Parquet and CSV: exactly the published columns, for us and for other programs."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from table_files import assert_same, some_plots, some_tracks, some_truth, two_sensors

from airpicture.errors import InputError
from airpicture.formats import open_recording, read, read_tracks, read_truth, write_tracks
from airpicture.formats.columns import (
    plots_from_arrow,
    plots_to_arrow,
    read_table,
    tracks_from_arrow,
    tracks_to_arrow,
    truth_from_arrow,
    write_table,
)
from airpicture.tables import Plots, SensorKind

# The contract, written out by hand and on purpose a second time: other programs rely on it.
F, T = "double", "string"
PLOTS = {
    "t_ns": "int64",
    "sensor": T,
    "range_m": F,
    "azimuth_deg": F,
    "elevation_deg": F,
    "range_rate_mps": F,
    "lat_deg": F,
    "lon_deg": F,
    "h_ell_m": F,
    "sigma_pos_m": F,
    "h_baro_ft": F,
    "mode_3a": "int32",
    "address": "int32",
    "callsign": T,
    "v_east_mps": F,
    "v_north_mps": F,
    "v_up_mps": F,
    "sigma_v_mps": F,
    "turn_rate_degps": F,
    "truth": T,
    "on_ground": "bool",
    "category": T,
}
TRUTH = {
    "t_ns": "int64",
    "target": T,
    "class": T,
    "lat_deg": F,
    "lon_deg": F,
    "h_ell_m": F,
    "v_east_mps": F,
    "v_north_mps": F,
    "v_up_mps": F,
}
TRACKS = {
    "t_ns": "int64",
    "track": "int64",
    "status": T,
    "existence": F,
    "lat_deg": F,
    "lon_deg": F,
    "h_ell_m": F,
    "h_baro_ft": F,
    "v_east_mps": F,
    "v_north_mps": F,
    "v_up_mps": F,
    "sigma_east_m": F,
    "sigma_north_m": F,
    "rho_east_north": F,
    "sigma_up_m": F,
    "sigma_v_east_mps": F,
    "sigma_v_north_mps": F,
    "mode_3a": "int32",
    "address": "int32",
    "callsign": T,
    "plot_count": "int32",
    "t_ns_plot": "int64",
    "sensors": "list<item: string>",
    "on_ground": "bool",
    "category": T,
}
WRITTEN = {"plots": (some_plots, PLOTS), "truth": (some_truth, TRUTH), "tracks": (some_tracks, TRACKS)}


@pytest.mark.parametrize("kind", WRITTEN)
def test_parquet_schema_is_the_published_one(tmp_path: Path, kind: str) -> None:
    make, wanted = WRITTEN[kind]
    make().write(tmp_path / "t.parquet")
    schema = pq.read_schema(tmp_path / "t.parquet")
    found = {field.name: str(field.type).replace("element:", "item:") for field in schema}
    assert list(found.items()) == list(wanted.items())


@pytest.mark.parametrize("kind", WRITTEN)
def test_unknown_is_null_and_never_nan(kind: str) -> None:
    table = WRITTEN[kind][0]().to_arrow()
    for name in table.column_names:
        column = table[name]
        if pa.types.is_floating(column.type):
            assert not np.isnan(column.drop_null().to_numpy()).any(), name
    assert any(column.null_count for column in table.columns)


def test_values_in_files_are_degrees_feet_and_text(tmp_path: Path) -> None:
    some_plots().write(tmp_path / "plots.parquet")
    pandas = pytest.importorskip("pandas")
    row = pandas.read_parquet(tmp_path / "plots.parquet").iloc[0]
    assert row["azimuth_deg"] == pytest.approx(359.5, abs=1e-12)
    assert row["h_baro_ft"] == pytest.approx(35_000, abs=1e-9)
    assert (row["sensor"], row["callsign"], row["truth"]) == ("north", "IBE3166", "one")
    assert (row["mode_3a"], row["address"], row["t_ns"]) == (4032, 10589954, 1_700_000_000_000_000_001)
    some_tracks().write(tmp_path / "tracks.parquet")
    frame = pandas.read_parquet(tmp_path / "tracks.parquet")
    assert list(frame["status"]) == ["tentative", "confirmed", "coasting", "ended"]
    assert [list(s) for s in frame["sensors"]] == [["north"], ["north", "adsb"], [], []]
    assert frame["h_ell_m"].isna().tolist() == [False, False, True, True]


@pytest.mark.parametrize("kind", WRITTEN)
def test_polars_and_duckdb_read_the_same(tmp_path: Path, kind: str) -> None:
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    table = WRITTEN[kind][0]().to_arrow()
    path = tmp_path / "t.parquet"
    write_table(table, path)
    assert polars.read_parquet(path).to_dict(as_series=False) == table.to_pydict()
    rows = duckdb.sql(f"select * from '{path}'").fetchall()
    assert rows == [tuple(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_each_table_comes_back(tmp_path: Path, ending: str) -> None:
    plots, tracks, truth = some_plots(), some_tracks(), some_truth()
    for name, table in (("plots", plots), ("tracks", tracks), ("truth", truth)):
        table.write(tmp_path / f"{name}.{ending}")
    back = read(tmp_path / f"plots.{ending}", sensors=two_sensors())
    assert_same(plots, back)
    assert back.truth_names == plots.truth_names
    again = read_tracks(tmp_path / f"tracks.{ending}")
    assert_same(tracks, again)
    assert again.sensors.ids == ("north", "adsb")
    assert_same(truth, read_truth(tmp_path / f"truth.{ending}"))


FINITE = {"allow_nan": False, "allow_infinity": False}


@st.composite
def plot_tables(draw: st.DrawFn) -> Plots:
    size = draw(st.integers(1, 6))

    def column(low: float, high: float) -> list[float]:
        values = st.floats(low, high, **FINITE) | st.just(float("nan"))
        return draw(st.lists(values, min_size=size, max_size=size))

    def whole(low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=size, max_size=size))

    text = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
    texts = draw(st.lists(text | st.none(), min_size=size, max_size=size))
    return Plots.from_columns(
        sensors=two_sensors(),
        t_ns=np.array(whole(0, 2**62)),
        sensor=np.array(whole(0, 1)),
        azimuth_deg=draw(st.lists(st.floats(0, 359.9, **FINITE), min_size=size, max_size=size)),
        range_m=column(0, 1e6),
        elevation_deg=column(-90, 90),
        range_rate_mps=column(-1000, 1000),
        h_ell_m=column(-100, 1e5),
        h_baro_ft=column(-1000, 1e5),
        mode_3a=whole(-1, 4095),
        address=whole(-1, 0xFFFFFF),
        callsign=texts,
        truth=texts,
    )


@given(plot_tables())
def test_round_trip_through_arrow_keeps_everything(plots: Plots) -> None:
    back = plots_from_arrow(plots_to_arrow(plots), sensors=plots.sensors)
    assert_same(plots, back, but=("azimuth",))
    # A full turn may come back as 0: what counts is the direction.
    np.testing.assert_allclose(np.exp(1j * plots.azimuth), np.exp(1j * back.azimuth), atol=1e-15)
    assert back.truth_names == plots.truth_names


def test_csv_keeps_every_digit(tmp_path: Path) -> None:
    table = some_plots().to_arrow()
    write_table(table, tmp_path / "plots.csv")
    assert read_table(tmp_path / "plots.csv").equals(table)
    first = (tmp_path / "plots.csv").read_text().splitlines()[0]
    assert first == ",".join(PLOTS)


def test_csv_of_tracks_joins_sensors_by_spaces(tmp_path: Path) -> None:
    write_tracks(some_tracks(), tmp_path / "tracks.csv")
    lines = (tmp_path / "tracks.csv").read_text().splitlines()
    assert lines[2].endswith('"north adsb",false,')


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    some_plots().write(tmp_path / "plots.csv")
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress((tmp_path / "plots.csv").read_bytes()))
    assert_same(some_plots(), read(tmp_path / "packed.csv.gz", sensors=two_sensors()))


def test_other_programs_types_are_taken(tmp_path: Path) -> None:
    """Dictionary text, timestamps, wide and floating integers, large text: what others write."""
    table = some_plots().to_arrow()
    changes = {
        "sensor": table["sensor"].dictionary_encode(),
        "t_ns": table["t_ns"].cast(pa.timestamp("ns", "UTC")),
        "mode_3a": table["mode_3a"].cast(pa.float64()),
        "address": table["address"].cast(pa.uint64()),
        "callsign": table["callsign"].cast(pa.large_string()),
        "range_m": table["range_m"].cast(pa.float32()),
    }
    for name, column in changes.items():
        table = table.set_column(table.column_names.index(name), name, column)
    pq.write_table(table, tmp_path / "plots.parquet")
    back = read(tmp_path / "plots.parquet", sensors=two_sensors())
    assert_same(some_plots(), back, but=("slant_range",))
    assert back.slant_range[0] == np.float64(np.float32(120_000.5))


def test_a_pandas_frame_with_nan_is_taken() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"t_ns": [1, 2], "sensor": ["a", "a"], "lat_deg": [1.0, 2.0], "lon_deg": [3.0, 4.0]})
    frame["h_ell_m"] = [np.nan, 5.0]
    frame["mode_3a"] = [np.nan, 5.0]
    plots = plots_from_arrow(pa.Table.from_pandas(frame, preserve_index=False))
    assert np.isnan(plots.h_ell[0])
    assert plots.mode_3a.tolist() == [-1, 5]


def test_few_columns_are_enough(tmp_path: Path) -> None:
    (tmp_path / "plots.csv").write_text("t_ns,sensor,azimuth_deg,range_m,colour\n5,x,10,2000,red\n6,x,370,2001,red\n")
    recording = open_recording(tmp_path / "plots.csv")
    assert recording.plots.sensors.ids == ("x",)
    np.testing.assert_allclose(np.degrees(recording.plots.azimuth), 10, atol=1e-12)
    assert np.isnan(recording.plots.h_baro).all()
    assert any("'colour'" in note and "ignored" in note for note in recording.report.notes)
    assert any("'x'" in note and "sensors.toml" in note for note in recording.report.notes)


def test_kinds_of_undescribed_sensors_are_guessed(tmp_path: Path) -> None:
    text = "t_ns,sensor,azimuth_deg,range_m,lat_deg,lon_deg\n1,r,1,2,,\n2,a,,,40,-3\n3,b,7,,,\n"
    (tmp_path / "plots.csv").write_text(text)
    sensors = open_recording(tmp_path / "plots.csv").sensors
    assert dict(zip(sensors.ids, sensors.kind.tolist(), strict=True)) == {"r": 0, "a": 1, "b": 3}
    assert np.isnan(sensors.lat).all()


def test_sensors_lying_beside_are_used(tmp_path: Path) -> None:
    some_plots().write(tmp_path / "plots.parquet")
    (tmp_path / "sensors.toml").write_text(
        '[[sensor]]\nid="adsb"\nkind="adsb"\n[[sensor]]\nid="north"\nkind="radar"\nlat_deg=41.3\nlon_deg=2.1\n'
    )
    recording = open_recording(tmp_path / "plots.parquet")
    assert recording.sensors.ids == ("adsb", "north")
    assert recording.plots.sensor.tolist() == [1, 0, 1]
    assert recording.plots.sensors is recording.sensors
    assert "sensors.toml" in recording.report.notes[0]


def test_a_status_column_may_be_absent() -> None:
    table = tracks_to_arrow(some_tracks()).drop_columns(["status", "sensors", "t_ns_plot"])
    tracks = tracks_from_arrow(table)
    assert tracks.status.tolist() == [1, 1, 1, 1]
    assert (tracks.seen == -1).all()
    assert (tracks.t_ns_plot == -1).all()


def test_sensors_of_tracks_that_nobody_described_are_added() -> None:
    table = tracks_to_arrow(some_tracks())
    described = two_sensors().take(slice(1, 2))
    tracks = tracks_from_arrow(table, sensors=described)
    assert tracks.sensors.ids == ("adsb", "north")
    assert tracks.seen[1, :2].tolist() == [1, 0]


def test_more_sensors_than_a_track_remembers() -> None:
    ids = [f"s{k}" for k in range(11)]
    table = pa.table({"t_ns": [1], "track": [1], "lat_deg": [0.0], "lon_deg": [0.0], "sensors": [ids]})
    tracks = tracks_from_arrow(table)
    assert tracks.seen.tolist() == [list(range(8))]


def test_empty_tables_are_tables(tmp_path: Path) -> None:
    Plots.empty(two_sensors()).write(tmp_path / "plots.parquet")
    assert len(read(tmp_path / "plots.parquet")) == 0
    Plots.empty(two_sensors()).write(tmp_path / "plots.csv")
    assert len(read(tmp_path / "plots.csv")) == 0
    write_tracks(some_tracks().take(slice(0, 0)), tmp_path / "tracks.csv")
    assert len(read_tracks(tmp_path / "tracks.csv")) == 0


def test_longitudes_beyond_180_are_the_west() -> None:
    table = pa.table({"t_ns": [1, 2], "target": ["a", "a"], "lat_deg": [0.0, 0.0], "lon_deg": [190.0, 180.0]})
    np.testing.assert_allclose(np.degrees(truth_from_arrow(table).lon), [-170, 180], rtol=1e-15)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="doesn't exist"):
        some_plots().write(tmp_path / "no" / "plots.parquet")
    with pytest.raises(InputError, match=r"\.parquet or \.csv"):
        some_plots().write(tmp_path / "plots.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_rows_of_an_address_that_tell_something_need_no_place(tmp_path: Path) -> None:
    (tmp_path / "plots.csv").write_text(
        "t_ns,sensor,address,h_baro_ft,mode_3a,callsign,v_east_mps,v_north_mps,v_up_mps,turn_rate_degps,lat_deg,lon_deg\n"
        "1,a,77,1000,,,,,,,,\n2,a,77,,5,,,,,,,\n3,a,77,,,IBE1,,,,,,\n"
        "4,a,77,,,,10,20,,,,\n5,a,77,,,,,,3,,,\n6,a,77,,,,,,,3,,\n7,a,77,,,,10,,,,,\n"
    )
    recording = open_recording(tmp_path / "plots.csv")
    assert recording.plots.t_ns.tolist() == [1, 2, 3, 4, 5, 6]
    assert recording.report.refused == {"NO_POSITION": 1}
    assert recording.plots.sensors.kind.tolist() == [SensorKind.ADSB]
    assert recording.plots.turn_rate[5] == pytest.approx(-np.radians(3))


def test_files_of_before_the_newer_columns_are_read(tmp_path: Path) -> None:
    newer = ["v_up_mps", "sigma_v_mps", "turn_rate_degps"]
    write_table(some_plots().to_arrow().drop_columns(newer), tmp_path / "plots.parquet")
    plots = read(tmp_path / "plots.parquet", sensors=two_sensors())
    assert isinstance(plots, Plots)
    assert np.isnan([plots.v_up, plots.sigma_v, plots.turn_rate]).all()
