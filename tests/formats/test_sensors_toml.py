"""sensors.toml: what's read is what was written, defaults of the kinds, and a message for each mistake."""

import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.errors import AirpictureError, ConfigError
from airpicture.formats import load_sensors
from airpicture.formats.sensors import (
    KEYS,
    discovered,
    merge_sensors,
    sensors_from_rows,
    sensors_to_toml,
    write_sensors,
)
from airpicture.tables import Sensors

# As the design document shows it, plus the accuracy of reported positions.
FULL = """
[[sensor]]
id = "north"                 # the text used in plots.sensor
kind = "radar"
sac = 25
sic = 10
lat_deg = 41.3
lon_deg = 2.1
h_ell_m = 60.0
period_s = 10.0
range_m_min = 1000.0
range_m_max = 600000.0
pd = 0.9
clutter_per_scan = 150.0
sigma_range_m = 70.0
sigma_azimuth_deg = 0.08
sigma_elevation_deg = 0.2
sigma_range_rate_mps = 2.0
bias_range_m = 10.0
bias_azimuth_deg = -0.5
bias_time_s = 0.25

[[sensor]]
id = "adsb"
kind = "adsb"
sigma_pos_m = 25
"""


def load(tmp_path: Path, text: str) -> Sensors:
    path = tmp_path / "sensors.toml"
    path.write_text(text)
    return load_sensors(path)


def test_all_keys_arrive_in_si(tmp_path: Path) -> None:
    sensors = load(tmp_path, FULL)
    assert sensors.ids == ("north", "adsb")
    assert sensors.kind.tolist() == [0, 1]
    first = {name: getattr(sensors, name)[0] for name in Sensors.column_names()[2:]}
    assert first == {
        "sac": 25,
        "sic": 10,
        "lat": pytest.approx(math.radians(41.3), abs=1e-15),
        "lon": pytest.approx(math.radians(2.1), abs=1e-15),
        "h_ell": 60,
        "period": 10,
        "range_min": 1000,
        "range_max": 600_000,
        "pd": 0.9,
        "clutter_per_scan": 150,
        "sigma_range": 70,
        "sigma_azimuth": pytest.approx(0.08 * math.pi / 180, abs=1e-15),
        "sigma_elevation": pytest.approx(0.2 * math.pi / 180, abs=1e-15),
        "sigma_range_rate": 2,
        "sigma_pos": pytest.approx(math.nan, nan_ok=True),
        "bias_range": 10,
        "bias_azimuth": pytest.approx(math.radians(-0.5), abs=1e-15),
        "bias_time": 0.25,
    }
    assert sensors.sigma_pos[1] == 25


def test_rows_make_the_same_table(tmp_path: Path) -> None:
    (tmp_path / "sensors.toml").write_text(FULL)
    read, built = load_sensors(tmp_path / "sensors.toml"), Sensors.from_rows(tomllib.loads(FULL)["sensor"])
    assert sensors_to_toml(built) == sensors_to_toml(read)
    with pytest.raises(ConfigError, match=r"sensor 'a': unknown key 'lat'.*Did you mean 'lat_deg'"):
        Sensors.from_rows([{"id": "a", "kind": "radar", "lat": 41.3}])


def test_a_radar_may_say_almost_nothing() -> None:
    sensors = sensors_from_rows([{"id": "r", "kind": "radar"}])
    assert math.isnan(sensors.lat[0])
    assert math.isnan(sensors.period[0])
    # Random errors of the 1997 radar standard.
    assert sensors.sigma_range[0] == 70
    assert sensors.sigma_azimuth[0] == pytest.approx(math.radians(0.08))
    assert math.isnan(sensors.sigma_elevation[0])
    assert sensors.range_max[0] == 600_000
    assert sensors.pd[0] == 0.9


def test_kinds_differ_in_their_defaults() -> None:
    sensors = sensors_from_rows([{"id": kind, "kind": kind} for kind in ("radar", "adsb", "mlat", "passive")])
    assert np.isnan(sensors.sigma_pos).tolist() == [True, False, False, True]
    assert sensors.range_max.tolist() == [600_000, math.inf, math.inf, 600_000]
    assert (sensors.clutter_per_scan > 0).all()
    assert np.isfinite(sensors.sigma_range).all()
    assert np.isfinite(sensors.sigma_azimuth).all()


R = '[[sensor]]\nid = "north"\nkind = "radar"\n'
MISTAKES: list[tuple[str, str, tuple[str, ...]]] = [
    ("empty", "", ("no [[sensor]] table",)),
    ("not TOML", "[[sensor]]\nid = north", ("not valid TOML", "line 2")),
    ("other table", R + "[radar]\nx = 1", ("unknown table or key 'radar'",)),
    ("typo in table", '[[sensr]]\nid = "a"', ("unknown table or key 'sensr'", "Did you mean 'sensor'?")),
    ("a single table", '[sensor]\nid = "a"', ("no [[sensor]] table",)),
    ("unknown key", R + "sigma_azimut_deg = 1", ("sensor 'north'", "'sigma_azimut_deg'", "'sigma_azimuth_deg'?")),
    ("no id", '[[sensor]]\nkind = "radar"', ("sensor number 1 has no id",)),
    ("id a number", '[[sensor]]\nid = 5\nkind = "radar"', ("id is 5", "text without spaces")),
    ("id with space", '[[sensor]]\nid = "a b"\nkind = "radar"', ("'a b'", "without spaces")),
    ("no kind", '[[sensor]]\nid = "a"', ("'a' has no kind", "radar, adsb, mlat, passive")),
    ("wrong kind", '[[sensor]]\nid = "a"\nkind = "rader"', ("kind is 'rader'", "Did you mean 'radar'?")),
    ("text for number", R + 'pd = "high"', ("'north'", "pd is 'high'", "a number from 0 to 1")),
    ("true for number", R + "pd = true", ("pd is True",)),
    ("pd", R + "pd = 90", ("pd is 90", "from 0 to 1")),
    ("lat", R + "lat_deg = 95\nlon_deg = 2", ("lat_deg is 95", "-90 to 90")),
    ("nan pd", R + "pd = nan", ("pd is nan",)),
    ("inf height", R + "h_ell_m = inf", ("h_ell_m is inf",)),
    ("half a site", R + "lat_deg = 41", ("only one of lat_deg and lon_deg",)),
    ("half a code", R + "sac = 25", ("only one of sac and sic",)),
    ("sac", R + "sac = 256\nsic = 1", ("sac is 256", "0 to 255")),
    ("sac a fraction", R + "sac = 2.5\nsic = 1", ("sac is 2.5", "a whole number")),
    ("negative sigma", R + "sigma_range_m = -70", ("sigma_range_m is -70",)),
    ("zero sigma", R + "sigma_azimuth_deg = 0", ("sigma_azimuth_deg is 0",)),
    ("ranges", R + "range_m_min = 900000", ("range_m_min is 900000", "range_m_max is 600000", "below")),
    ("period", R + "period_s = 0", ("period_s is 0",)),
    ("id twice", R + R, ("'north' is described twice",)),
    (
        "SAC/SIC twice",
        R + "sac = 25\nsic = 10\n" + R.replace("north", "south") + "sac = 25\nsic = 10",
        ("'north' and 'south' (radar) both have SAC/SIC 25/10",),
    ),
]


@pytest.mark.parametrize(("name", "text", "words"), MISTAKES, ids=[name for name, _, _ in MISTAKES])
def test_message_for_a_mistake(tmp_path: Path, name: str, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(AirpictureError) as caught:
        load(tmp_path, text)
    for word in ("sensors.toml", *words):
        assert word in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(AirpictureError, match="there is no such file"):
        load_sensors(tmp_path / "sensors.toml")
    with pytest.raises(AirpictureError, match="can't be read"):
        load_sensors(tmp_path)
    (tmp_path / "x.toml").write_bytes(b"PAR1\xff\xfe")
    with pytest.raises(AirpictureError, match="not text"):
        load_sensors(tmp_path / "x.toml")


def test_one_code_may_serve_two_kinds() -> None:
    """At Barcelona airport 0/107 is both the ADS-B and the multilateration system."""
    codes = {"sac": 0, "sic": 107}
    assert sensors_from_rows([{"id": "a", "kind": "adsb", **codes}, {"id": "m", "kind": "mlat", **codes}]).ids == (
        "a",
        "m",
    )
    assert discovered([{"kind": "adsb", **codes}, {"kind": "mlat", **codes}]).ids == ("0/107", "0/107-mlat")


@st.composite
def described(draw: st.DrawFn) -> dict[str, object]:
    row: dict[str, object] = {"id": "x", "kind": draw(st.sampled_from(["radar", "adsb", "mlat", "passive"]))}
    optional = draw(
        st.sets(st.sampled_from([k for k in KEYS if not k.startswith(("lat", "lon", "sa", "si", "range"))]))
    )
    for name in sorted(optional | {k for k in KEYS if k.startswith("sigma")} if draw(st.booleans()) else optional):
        key = KEYS[name]
        row[name] = draw(st.floats(key.low, key.high, allow_nan=False))
    if draw(st.booleans()):
        row |= {"lat_deg": draw(st.floats(-90, 90)), "lon_deg": draw(st.floats(-180, 180))}
    if draw(st.booleans()):
        row |= {"sac": draw(st.integers(0, 255)), "sic": draw(st.integers(0, 255))}
    if draw(st.booleans()):
        row |= {"range_m_min": draw(st.floats(0, 1e5)), "range_m_max": draw(st.floats(1.1e5, 1e9))}
    return row


@given(described())
def test_round_trip_through_toml(row: dict[str, object]) -> None:
    import tomllib

    sensors = sensors_from_rows([row])
    back = sensors_from_rows(tomllib.loads(sensors_to_toml(sensors))["sensor"])
    for name in Sensors.column_names():
        left, right = getattr(sensors, name), getattr(back, name)
        if name in ("lat", "lon", "bias_azimuth") or name.startswith("sigma"):
            np.testing.assert_allclose(left, right, rtol=4e-16, err_msg=name)
        else:
            np.testing.assert_array_equal(left, right, err_msg=name)


def test_written_numbers_are_those_a_person_wrote(tmp_path: Path) -> None:
    sensors = load(tmp_path, FULL)
    write_sensors(sensors, tmp_path / "again.toml")
    text = (tmp_path / "again.toml").read_text()
    for line in ("lat_deg = 41.3", "sic = 10", "sigma_elevation_deg = 0.2", "bias_azimuth_deg = -0.5", 'id = "north"'):
        assert line + "\n" in text
    assert "pd" not in text  # the default of its kind
    assert load_sensors(tmp_path / "again.toml").ids == sensors.ids


def test_merging_takes_one_id_for_one_sensor() -> None:
    one = discovered([{"id": "a", "kind": "radar"}, {"id": "b", "kind": "adsb"}])
    two = sensors_from_rows([{"id": "c", "kind": "mlat"}, {"id": "a", "kind": "radar", "lat_deg": 1, "lon_deg": 2}])
    merged, (first, second) = merge_sensors([one, two])
    assert merged.ids == ("a", "b", "c")
    assert (first.tolist(), second.tolist()) == ([0, 1], [2, 0])
    assert merged.lat[0] == pytest.approx(math.radians(1))  # the site comes from the table that knows it


def test_messages_name_the_place_they_were_given() -> None:
    with pytest.raises(ConfigError, match=r"scenario\.toml: sensor 'a': pd is 2"):
        sensors_from_rows([{"id": "a", "kind": "radar", "pd": 2}], where="scenario.toml")


def test_one_id_of_two_kinds_becomes_two_sensors() -> None:
    """Barcelona's ADS-B and multilateration both call themselves 0/107; joined, they must not become one."""
    adsb = sensors_from_rows([{"id": "0/107", "kind": "adsb", "sac": 0, "sic": 107}])
    mlat = sensors_from_rows([{"id": "0/107", "kind": "mlat", "sac": 0, "sic": 107}])
    merged, lookups = merge_sensors([adsb, mlat, mlat])
    assert merged.ids == ("0/107", "0/107-mlat")
    assert [int(lookup[0]) for lookup in lookups] == [0, 1, 1]
