"""Reading scenarios: every mistake is named with file, table, key and remedy."""

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation_scenes import group, radar, scene

from airpicture.errors import ConfigError
from airpicture.simulation import available, load_scenario, simulate
from airpicture.simulation.classes import CLASSES
from airpicture.units import DEG, G0


def test_shipped_scenarios_load() -> None:
    assert available() == ["airport", "crossing", "long-range"]
    for name in available():
        scenario = load_scenario(name)
        assert scenario.name == name
        assert scenario.path == name
        assert len(scenario.models) == len(scenario.sensors.ids)


def test_headline_scenario_is_what_the_design_says() -> None:
    scenario = load_scenario("long-range")
    sensors = scenario.sensors
    assert len(sensors.ids) == 1
    assert (sensors.period[0], sensors.range_max[0], sensors.clutter_per_scan[0]) == (10.0, 600e3, 150.0)
    assert scenario.duration == 600.0
    assert {g.kind for g in scenario.groups} == set(CLASSES)
    assert sum(g.count for g in scenario.groups if g.life is None) == 300
    assert scenario.models[0].horizon


def test_units_are_converted_once() -> None:
    raw = scene(group(turn_deg=90.0, turn_g=[0.1, 0.2], heading_deg=[0, 180]), start="2026-01-01T00:00:01.5+01:00")
    scenario = load_scenario(raw)
    one = scenario.groups[0]
    assert one.turn == (90.0 * DEG, 90.0 * DEG)
    assert one.turn_lateral == pytest.approx((0.1 * G0, 0.2 * G0))
    assert one.headings == (0.0, math.pi)
    assert scenario.t_ns_start == 1_767_222_001_500_000_000  # date -d 2025-12-31T23:00:01.5Z +%s


def change(path: str, value: Any) -> dict[str, Any]:
    """Return the plain scenario with one place changed: keys and list places separated by slashes."""
    raw: Any = copy.deepcopy(scene(group(count=2)))
    *way, last = path.split("/")
    at = raw
    for part in way:
        at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
    if value is None:
        del at[last]
    else:
        at[last] = value
    return raw


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("scenario", None, ["there is no table [scenario]", "[[group]]"]),
        ("scenario/durations_s", 5.0, ["[scenario]", "'durations_s'", "Did you mean 'duration_s'?"]),
        ("scenario/duration_s", "600", ["'duration_s'", "'600'", "a number from 1"]),
        ("scenario/duration_s", float("nan"), ["'duration_s'", "nan", "a number"]),
        ("scenario/seed", 1.5, ["'seed'", "1.5", "a whole number"]),
        ("scenario/start", "noon", ["'start'", "'noon'", "2026-01-31T12:00:00Z"]),
        ("sensor", [], ["sensor", "at least one [[sensor]]"]),
        ("sensor", {"id": "r"}, ["'sensor'", "a single table", "[[sensor]]"]),
        ("sensor/0/perod_s", 4.0, ["sensor 'r'", "'perod_s'", "period_s"]),
        ("sensor/0/period_s", None, ["[[sensor]] number 1", "'period_s'", "missing"]),
        ("sensor/0/kind", "rader", ["'rader'", "radar"]),
        ("sensor/0/simulation/scan_phase", 4.0, ["[[sensor]] number 1.simulation", "Did you mean 'scan_phase_deg'?"]),
        ("sensor/0/simulation/rate_hz", 4.0, ["'rate_hz'", "not known"]),
        ("sensor/0/simulation/secondary", "modes", ["'modes'", "Did you mean 'mode-s'?"]),
        ("sensor/0/simulation/clockwise", "yes", ["'clockwise'", "true or false"]),
        ("sensor/0/simulation/clutter", [{"range_m": [0, 1]}], ["[[clutter]] number 1", "'per_scan'", "missing"]),
        ("groups", [], ["'groups'", "Did you mean 'group'?"]),
        ("group/0/class", "figther", ["[[group]] number 1", "'figther'", "Did you mean 'fighter'?"]),
        ("group/0/class", None, ["'class'", "is missing"]),
        ("group/0/speeds_mps", [1, 2], ["'speeds_mps'", "Did you mean 'speed_mps'?"]),
        ("group/0/speed_mps", [1, 2000], ["'speed_mps'", "beyond what a transport does", "60 to 275"]),
        ("group/0/speed_mps", [200, 100], ["'speed_mps'", "Exchange"]),
        ("group/0/h_ell_m", [1, 2, 3], ["'h_ell_m'", "a pair"]),
        ("group/0/count", 0, ["'count'", "0", "from 1"]),
        ("group/0/count", True, ["'count'", "True"]),
        ("group/0/area", None, ["'area'", "is missing", "polygon"]),
        ("group/0/area", "here", ["area", "a table"]),
        ("group/0/area/center", [1, 2], ["[[group]] number 1.area", "Did you mean 'centre'?"]),
        ("group/0/area/centre", "north", ["'north'", "the id of a sensor"]),
        ("group/0/area/centre", [95, 2], ["'centre'", "latitude from -90 to 90"]),
        ("group/0/area/range_m", [-1, 2], ["'range_m'", "-1", "from 0"]),
        ("group/0/area", {"polygon": [[1, 1], [2, 2]]}, ["'polygon'", "at least three"]),
        ("group/0/area", {"polygon": [[1, 1], [2, 2], [3, 3]]}, ["'polygon'", "encloses no area"]),
        ("group/0/heading_deg", "inbond", ["'inbond'", "Did you mean 'inbound'?"]),
        ("group/0/manoeuvre", "scisors", ["'scisors'", "Did you mean 'scissors'?"]),
        ("group/0/manoeuvre", "scissors", ["'manoeuvre'", "formation = 2"]),
        ("group/0/split_s", 10, ["'split_s'", "formation = 2"]),
        ("group/0/visible_to", "q", ["'visible_to'", "'q'"]),
        ("group/0/waypoints", [[1, 2, 3]], ["'waypoints'", "at least two"]),
        ("group/0/waypoints", [[1, 2, 9000, 200], [1, 2, 9000]], ["'waypoints'", "number 2"]),
        ("group/0/waypoints", [[1, 2, 9000, 200], [1, 2, 99000, 200]], ["height 99000", "number 2"]),
        ("group/0/waypoints", [[1, 2, 9000, 200], [1, 3, 9000, 200]], ["'area'", "beside waypoints"]),
    ],
)
def test_each_mistake_is_named(path: str, value: Any, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_scenario(change(path, value))
    message = str(caught.value)
    for word in words:
        assert word in message


def _keys(raw: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to every key of nested mappings and lists."""
    found: list[tuple[Any, ...]] = []
    items = raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    for key, value in items:
        if isinstance(raw, dict):
            found.append((*way, key))
        found += _keys(value, (*way, key))
    return found


FULL = scene(
    group(count=2, area={"centre": "r", "range_m": 1e4, "azimuth_deg": [0, 90]}, stay=False, start_s=1.0, life_s=5.0),
    group(**{"class": "fighter", "count": 2, "formation": 2, "spacing_m": 300.0, "split_s": 4.0, "turn_g": 3.0}),
    sensors=[radar(simulation={"scan_phase_deg": 4.0, "clutter": [{"range_m": [0, 1e4], "per_scan": 3.0}]})],
)


@given(way=st.sampled_from(_keys(FULL)), data=st.data())
def test_no_misspelt_key_passes(way: tuple[Any, ...], data: st.DataObject) -> None:
    """A key with a letter left out is refused wherever it stands; without the slip all is well."""
    raw = copy.deepcopy(FULL)
    load_scenario(raw)
    at: Any = raw
    for part in way[:-1]:
        at = at[part]
    key = way[-1]
    out = data.draw(st.integers(0, len(key) - 1))
    at[key[:out] + key[out + 1 :]] = at.pop(key)
    with pytest.raises(ConfigError):
        load_scenario(raw)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.floats(), max_size=3)
)


@given(way=st.sampled_from(_keys(FULL)), value=VALUES)
def test_any_value_loads_or_is_refused_by_name(way: tuple[Any, ...], value: Any) -> None:
    raw = copy.deepcopy(FULL)
    at: Any = raw
    for part in way[:-1]:
        at = at[part]
    at[way[-1]] = value
    message = "<mapping>: "
    try:
        load_scenario(raw)
    except ConfigError as error:
        message = str(error)
    assert message.startswith("<mapping>: ")


def test_files(tmp_path: Path) -> None:
    good = tmp_path / "good.toml"
    good.write_text(
        '[scenario]\n[[sensor]]\nid = "a"\nkind = "adsb"\n'
        '[[group]]\nclass = "transport"\narea = { centre = [1, 2], range_m = 1e5 }\n'
    )
    assert load_scenario(good).name == "good"
    bad = tmp_path / "bad.toml"
    bad.write_text("[scenario\n")
    with pytest.raises(ConfigError, match=r"bad\.toml.*TOML.*line 1"):
        load_scenario(bad)
    bad.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_scenario(bad)
    with pytest.raises(ConfigError, match=r"no such file.*Did you mean 'long-range'"):
        load_scenario("long-rang")
    with pytest.raises(ConfigError, match="directory"):
        load_scenario(tmp_path)
    bad.write_text('[scenario]\n[[sensor]]\nid = "a"\nkind = "adsb"\n')
    with pytest.raises(ConfigError, match=r"bad\.toml.*\[\[group\]\]"):
        simulate(bad)


def test_a_group_that_cannot_be_seen_is_refused() -> None:
    hidden = group(**{"class": "ship", "area": {"centre": "r", "range_m": [400e3, 500e3]}, "visible_to": "r"})
    with pytest.raises(ConfigError, match=r"\[\[group\]\] number 1 of class ship.*800 m"):
        simulate(scene(hidden))


@pytest.mark.parametrize("kind", CLASSES)
def test_habits_lie_within_bounds(kind: str) -> None:
    row = CLASSES[kind]
    for habit, bounds in ((row.cruise_speed, row.speed), (row.cruise_height, row.height)):
        assert bounds[0] <= habit[0] <= habit[1] <= bounds[1]
    assert 0.0 < row.turn_lateral[0] <= row.turn_lateral[1] <= row.lateral
    assert row.reason
    load_scenario(scene({"class": kind, "area": {"centre": "r", "range_m": 1e4}}))


def test_areas_hold_their_targets() -> None:
    box = [[-1.0, 179.5], [-1.0, -179.5], [1.0, -179.5], [1.0, 179.5]]  # across the antimeridian
    sector = {"centre": "r", "range_m": [50e3, 60e3], "azimuth_deg": [350.0, 10.0]}
    raw = scene(group(count=300, name="box", area={"polygon": box}), group(count=300, name="sector", area=sector))
    truth = simulate(raw, duration_s=1.0).truth
    first = truth.t_ns == truth.t_ns[0]
    lat, lon = np.degrees(truth.lat[first]), np.degrees(truth.lon[first])
    assert np.all(np.abs(lat[:300]) <= 1.0)
    assert np.all(np.abs(lon[:300]) >= 179.5)
    assert 100 < np.sum(lon[:300] > 0) < 200
    import pymap3d

    azimuth, _, slant = pymap3d.geodetic2aer(lat[300:], lon[300:], truth.h_ell[first][300:], 47.0, 8.0, 800.0)
    assert np.all((slant > 50e3) & (slant < 60e3))
    assert np.all((azimuth > 350.0) | (azimuth < 10.0))
