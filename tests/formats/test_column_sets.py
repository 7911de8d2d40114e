"""Tables with other programs' columns: exact names and types, values by hand, and those programs where present."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airpicture.commands.options import COLUMN_SETS as OFFERED
from airpicture.errors import InputError
from airpicture.formats import write_tracks
from airpicture.formats.columnsets import COLUMN_SETS, OWN, tracks_as
from airpicture.tables import Status, Tracks
from airpicture.units import DEG, SECOND_NS
from output_scenes import NOW, one, picture

F, T = pa.float64(), pa.string()
TYPES = {
    "traffic": {
        "timestamp": pa.timestamp("ns", "UTC"), "icao24": T, "callsign": T, "flight_id": T, "latitude": F,
        "longitude": F, "altitude": F, "geoaltitude": F, "groundspeed": F, "track": F, "vertical_rate": F,
        "onground": pa.bool_(), "squawk": T, "status": T,
    },
    "movingpandas": {
        "traj_id": pa.int64(), "t": pa.timestamp("ns"), "x": F, "y": F, "z": F, "speed": F, "direction": F,
        "callsign": T, "icao24": T, "status": T,
    },
    "opensky": {
        "time": pa.int64(), "icao24": T, "lat": F, "lon": F, "velocity": F, "heading": F, "vertrate": F,
        "callsign": T, "onground": pa.bool_(), "alert": pa.bool_(), "spi": pa.bool_(), "squawk": T,
        "baroaltitude": F, "geoaltitude": F, "lastposupdate": F, "lastcontact": F,
    },
}  # fmt: skip
AIRLINER = {
    "traffic": {
        "icao24": "4ca2d6", "callsign": "RYR4A", "flight_id": "17", "latitude": 50.5, "longitude": -0.25,
        "altitude": 10_850.0, "geoaltitude": 11_000.0, "groundspeed": 388.77, "track": 90.0, "vertical_rate": 1000.0,
        "onground": False, "squawk": "7421", "status": "confirmed",
    },
    "movingpandas": {
        "traj_id": 17, "x": -0.25, "y": 50.5, "z": 3352.8, "speed": 200.0, "direction": 90.0, "callsign": "RYR4A",
        "icao24": "4ca2d6", "status": "confirmed",
    },
    "opensky": {
        "time": 1_700_000_000, "icao24": "4ca2d6", "lat": 50.5, "lon": -0.25, "velocity": 200.0, "heading": 90.0,
        "vertrate": 5.08, "callsign": "RYR4A", "onground": False, "alert": False, "spi": False, "squawk": "7421",
        "baroaltitude": 3307.08, "geoaltitude": 3352.8, "lastposupdate": 1_700_000_000.25,
        "lastcontact": 1_699_999_998.25,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", COLUMN_SETS)
def test_names_types_and_values(name: str) -> None:
    table = tracks_as(one(), name)
    assert {field.name: field.type for field in table.schema} == TYPES[name]
    (row,) = table.to_pylist()
    for column, value in AIRLINER[name].items():
        assert row[column] == (pytest.approx(value, rel=1e-6) if isinstance(value, float) else value), column


def test_the_command_line_offers_all() -> None:
    assert (OWN, *COLUMN_SETS) == OFFERED


@pytest.mark.parametrize("name", COLUMN_SETS)
@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_unknown_values_are_null_and_ended_rows_left_out(tmp_path: Path, name: str, ending: str) -> None:
    tracks = picture(300)
    table = tracks_as(tracks, name)
    assert len(table) == np.count_nonzero(tracks.status != Status.ENDED)
    for column in table.columns:
        if pa.types.is_floating(column.type):
            assert not np.isnan(column.drop_null().to_numpy()).any()
    assert table["icao24"].null_count > 20
    write_tracks(tracks, tmp_path / f"t{ending}", columns=name)
    if ending == ".parquet":
        assert pq.read_table(tmp_path / "t.parquet").equals(table)
    else:
        assert (tmp_path / "t.csv").read_text().split("\n")[0].split(",") == table.column_names


def test_rows_are_sorted_by_track_and_time() -> None:
    later = picture(50, now_ns=NOW + SECOND_NS)
    both = Tracks.concat([later, picture(50)])
    table = tracks_as(both, "movingpandas").to_pandas()
    assert table.equals(table.sort_values(["traj_id", "t"]).reset_index(drop=True))


def test_what_is_no_table_or_unknown_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no table"):
        write_tracks(one(), tmp_path / "t.kml", columns="traffic")
    with pytest.raises(InputError, match=r"unknown columns 'x'.*traffic"):
        write_tracks(one(), tmp_path / "t.csv", columns="x")
    assert tracks_as(one(), OWN).column_names[0] == "t_ns"


def test_pandas_gets_times_with_a_zone(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    write_tracks(one(), tmp_path / "t.parquet", columns="traffic")
    frame = pandas.read_parquet(tmp_path / "t.parquet")
    assert str(frame.timestamp.dt.tz) == "UTC"
    assert frame.timestamp[0] == pandas.Timestamp("2023-11-14T22:13:20.250Z")
    assert frame.onground.dtype == bool


def three_pictures(columns: str, path: Path) -> Tracks:
    """Write 40 tracks at three seconds as a program's table; return them."""
    tracks = Tracks.concat([picture(40, now_ns=NOW + k * SECOND_NS) for k in range(3)])
    write_tracks(tracks, path, columns=columns)
    return tracks


@pytest.mark.parametrize("columns", ["traffic", "movingpandas", "opensky"])
def test_duckdb_and_polars_read_every_set(tmp_path: Path, columns: str) -> None:
    duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    path = tmp_path / "t.parquet"
    tracks = three_pictures(columns, path)
    expected = tracks_as(tracks, columns)
    lat = next(name for name in ("latitude", "lat", "y") if name in expected.column_names)
    [(rows, top)] = duckdb.sql(f"select count(*), max({lat}) from '{path}'").fetchall()
    assert rows == len(expected)
    assert top == pytest.approx(tracks.lat[tracks.status != Status.ENDED].max() / DEG)
    assert polars.read_parquet(path).drop_nulls(lat)[lat].to_list() == expected.column(lat).drop_null().to_pylist()
    if columns == "traffic":
        assert polars.read_parquet(path).schema["timestamp"] == polars.Datetime("ns", "UTC")


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # movingpandas itself with pandas 3.1
def test_movingpandas_makes_trajectories_of_it(tmp_path: Path) -> None:
    """As docs/outputs.md shows it."""
    pandas, movingpandas = pytest.importorskip("pandas"), pytest.importorskip("movingpandas")
    tracks = three_pictures("movingpandas", tmp_path / "t.parquet")
    rows = pandas.read_parquet(tmp_path / "t.parquet")
    paths = movingpandas.TrajectoryCollection(rows, traj_id_col="traj_id", t="t", x="x", y="y", crs=4326)
    going = tracks.take(tracks.status != Status.ENDED)
    numbers, counts = np.unique(going.track, return_counts=True)
    assert sorted(int(one.id) for one in paths.trajectories) == numbers[counts > 1].tolist()
    one = going.take(going.track == int(paths.trajectories[0].id))
    place = paths.trajectories[0].get_start_location()
    assert (place.y, place.x) == pytest.approx((one.lat[0] / DEG, one.lon[0] / DEG))
