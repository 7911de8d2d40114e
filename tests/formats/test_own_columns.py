"""Plots.from_columns: arrays of users' own programs, and what is said when they can't be right."""

from typing import Any

import numpy as np
import pytest
from table_files import two_sensors

from airpicture.errors import InputError
from airpicture.formats.sensors import sensors_from_rows
from airpicture.tables import Plots, Technology, unpack_callsigns


def build(**columns: Any) -> Plots:
    given = {"t_ns": np.array([0, 10]), "sensor": "north", "range_m": [1.0, 2.0], "azimuth_rad": [0.0, 1.0]} | columns
    return Plots.from_columns(sensors=two_sensors(), **{k: v for k, v in given.items() if v is not None})


def test_units_and_single_values() -> None:
    plots = build(azimuth_rad=None, azimuth_deg=90, elevation_deg=[1, 2], h_baro_ft=1000, sensor=0)
    np.testing.assert_allclose(plots.azimuth, np.pi / 2)
    np.testing.assert_allclose(plots.elevation, np.radians([1, 2]))
    np.testing.assert_allclose(plots.h_baro, 304.8)
    assert plots.sensor.tolist() == [0, 0]
    assert plots.slant_range.flags.c_contiguous
    assert plots.azimuth.flags.writeable


def test_one_plot_of_single_values() -> None:
    plots = Plots.from_columns(sensors=two_sensors(), t_ns=5, sensor="adsb", lat_deg=1.0, lon_deg=2.0)
    assert len(plots) == 1
    assert plots.technology[0] == Technology.ADS


def test_azimuths_are_wrapped_and_longitudes_too() -> None:
    np.testing.assert_allclose(build(azimuth_rad=[-0.5, 7.0]).azimuth, [2 * np.pi - 0.5, 7.0 - 2 * np.pi])
    plots = build(range_m=None, azimuth_rad=None, lat_deg=[0, 0], lon_deg=[190, -170], sensor="adsb")
    np.testing.assert_allclose(plots.lon, np.radians([-170, -170]))


def test_datetime64_times() -> None:
    times = np.array(["2024-05-01T12:00:00.000000001", "2024-05-01T12:00:01"], "datetime64[ns]")
    assert build(t_ns=times).t_ns.tolist() == [1714564800_000000001, 1714564801_000000000]
    assert build(t_ns=times.astype("datetime64[ms]")).t_ns.tolist() == [1714564800_000000000, 1714564801_000000000]


def test_identity_in_the_forms_people_have() -> None:
    plots = build(address=["a19702", None], mode_3a=["7700", "0012"], callsign=["IBE3166", None], truth=[None, "x"])
    assert plots.address.tolist() == [0xA19702, -1]
    assert plots.mode_3a.tolist() == [0o7700, 0o12]
    assert unpack_callsigns(plots.callsign) == ["IBE3166", None]
    assert plots.truth.tolist() == [-1, 0]
    assert build(address=[1.0, np.nan]).address.tolist() == [1, -1]
    assert build(callsign=plots.callsign).callsign.tolist() == plots.callsign.tolist()


def test_objects_of_several_kinds_are_texts() -> None:
    mixed = np.array(["one", 2], object)
    assert build(truth=mixed).truth_names == ("one", "2")
    assert build(truth=np.array(["x", np.nan], object)).truth.tolist() == [0, -1]
    assert build(truth=np.array(["", "x"])).truth.tolist() == [-1, 0]


def test_masked_entries_are_not_measured() -> None:
    masked = np.ma.masked_array([1, 2], [False, True])
    assert build(address=masked).address.tolist() == [1, -1]
    assert np.isnan(build(elevation_deg=masked.astype(float)).elevation).tolist() == [False, True]
    with pytest.raises(InputError, match="before 1970"):
        build(t_ns=masked)


def test_technology_follows_sensor_and_identity() -> None:
    sensors = sensors_from_rows([{"id": kind, "kind": kind} for kind in ("radar", "adsb", "mlat", "passive")])
    plots = Plots.from_columns(
        sensors=sensors,
        t_ns=np.arange(7),
        sensor=["radar", "radar", "radar", "radar", "adsb", "mlat", "passive"],
        azimuth_deg=0,
        range_m=1,
        mode_3a=[-1, 5, -1, 5, 5, 5, -1],
        h_baro_ft=[np.nan, np.nan, 100, 100, 100, 100, np.nan],
        address=[-1, -1, -1, 7, 7, 7, -1],
    )
    wanted = ["PSR", "SSR", "SSR", "MDS", "ADS", "MLT", "PSR"]
    assert [Technology(int(k)).name for k in plots.technology] == wanted
    assert build(technology=Technology.SSR).technology.tolist() == [1, 1]


def test_unmeasured_rows_are_left_to_the_tracker() -> None:
    plots = build(range_m=[np.nan, 2.0], azimuth_rad=[np.nan, 1.0])
    assert np.isnan(plots.slant_range[0])


def test_messages_have_an_address_instead_of_a_place() -> None:
    plots = build(range_m=None, azimuth_rad=None, sensor="adsb", address=7, v_up_mps=[1.0, np.nan], turn_rate_degps=3)
    assert np.isnan(plots.lat).all()
    assert np.isnan(plots.v_up).tolist() == [False, True]
    np.testing.assert_allclose(plots.turn_rate, -np.radians(3))  # clockwise as an azimuth outside, inside against it


MISTAKES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"azimut_deg": [1, 2]}, ("unknown column 'azimut_deg'", "Did you mean 'azimuth_deg'?")),
    ({"sensor": "nord"}, ("unknown sensor 'nord'", "north, adsb", "Did you mean 'north'?", "row 1")),
    ({"sensor": ["north", None]}, ("unknown sensor None", "row 2")),
    ({"sensor": [0, 2]}, ("sensor row 2", "rows 0 to 1", "row 2")),
    ({"range_m": [1.0, 2.0, 3.0]}, ("'range_m': 3 values, but t_ns has 2",)),
    ({"range_m": [[1.0, 2.0]]}, ("shape (1, 2)",)),
    ({"t_ns": [1.5, 2.5]}, ("times are floating point", "int64 nanoseconds", "0.24 µs")),
    ({"t_ns": ["a", "b"]}, ("times are <U1",)),
    ({"t_ns": [-1, 2]}, ("before 1970", "row 1")),
    ({"t_ns": np.array(["NaT", "2024-01-01"], "datetime64[ns]")}, ("NaT", "row 1")),
    ({"range_m": [1.0, -2.0]}, ("row 2, column 'range_m': -2 is outside 0 to 1e+09",)),
    ({"range_m": [1.0, np.inf]}, ("inf is outside", "NaN where it isn't measured")),
    ({"range_m": ["x", "y"]}, ("expected numbers".capitalize(),)),
    ({"azimuth_rad": [0.0, 271.0]}, ("271 is outside", "call the column azimuth_deg")),
    ({"azimuth_rad": None}, ("range_m is given without azimuth",)),
    ({"azimuth_deg": [1, 2]}, ("azimuth is given twice",)),
    ({"azimuth_rad": None, "range_m": None}, ("no position given", "lat with lon")),
    ({"lat_deg": [1, 2]}, ("lat is given without lon",)),
    ({"lat_deg": [1, 91], "lon_deg": [1, 2]}, ("91 is outside -90 to 90", "row 2")),
    ({"lat_rad": [1, 41], "lon_rad": [1, 2]}, ("41 is outside", "call the column lat_deg")),
    ({"mode_3a": [7700, 1]}, ("7700 is outside 0 to 4095",)),
    ({"mode_3a": ["7800", "0001"]}, ("'7800' is not octal",)),
    ({"address": ["xyz", "1"]}, ("'xyz' is not hexadecimal",)),
    ({"address": [2**24, 1]}, ("16777216 is outside",)),
    ({"address": [1.5, 1]}, ("not a whole number",)),
    ({"sigma_pos_m": 0}, ("0 is outside 0.001",)),
    ({"technology": 9}, ("not a technology",)),
]


@pytest.mark.parametrize(("columns", "words"), MISTAKES, ids=[str(c)[:60] for c, _ in MISTAKES])
def test_message_for_a_mistake(columns: dict[str, Any], words: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        build(**columns)
    for word in words:
        assert word in str(caught.value)


def test_what_every_plot_needs_is_asked_for_by_name() -> None:
    for name in ("t_ns", "sensor"):
        with pytest.raises(InputError, match=f"column '{name}': it's missing"):
            build(**{name: None})
    with pytest.raises(InputError, match=r"sensors is of the type str\. .*load_sensors"):
        Plots.from_columns(sensors="sensors.toml", t_ns=0, sensor="north")  # type: ignore[arg-type]
