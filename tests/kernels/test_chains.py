"""Three plots in line: tracks that begin where two plots say too little."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from airpicture.config import Config, Life
from airpicture.kernels import layout as lay
from airpicture.tables import Sensors
from begin_scenes import CONFIG, Beginnings, frames
from reference_begin import PlainBeginnings
from tracking_scenes import Target, ns, radar, radar_rows, sensors_of

PERIOD = 4.0


def thick(clutter: float) -> Sensors:
    """Return a radar that measures no height, among so many false plots a turn."""
    return sensors_of(radar(clutter_per_scan=clutter, sigma_azimuth_deg=0.08))


def rows_of(target: Target, sensors: Sensors, turns: float, seed: int = 1) -> list[dict[str, Any]]:
    rows = radar_rows([target], sensors, turns * PERIOD, np.random.default_rng(seed))
    for row in rows:
        row.pop("h_baro", None)
    return rows


@pytest.mark.parametrize(("clutter", "begins_with"), [(100.0, 2), (20_000.0, 3), (500_000.0, 0)])
def test_as_many_plots_begin_a_fast_target_as_clutter_asks_for(clutter: float, begins_with: int) -> None:
    """Two where false plots are thin, three in line where they're thick, none where three say too little, too."""
    world = Beginnings(thick(clutter))
    rows = rows_of(Target(70e3, 30e3, speed=290.0), world.sensors, 3.2)
    born = [len(world([row])[0]) > 0 for row in rows[:3]]
    assert born == [False, begins_with == 2, begins_with > 0]
    if begins_with == 3:
        store = world.store
        assert (store.plots[0], store.t_first[0], store.t_plot[0]) == (3, rows[0]["t_ns"], rows[2]["t_ns"])
        assert CONFIG.life.retire_tentative <= store.existence[0] < 0.9


def test_three_plots_know_the_velocity_better_than_two() -> None:
    sigma = {}
    for clutter in (100.0, 20_000.0):
        world = Beginnings(thick(clutter))
        for row in rows_of(Target(70e3, 30e3, speed=290.0), world.sensors, 3.2)[:3]:
            world([row])
        last = world.store.n - 1 if clutter > 1000.0 else 0
        sigma[clutter] = float(world.store.summary[last, lay.S_SIGMA_V])
    assert sigma[20_000.0] < 0.7 * sigma[100.0]


@pytest.mark.parametrize("off", ["to the side", "too soon", "named"])
def test_what_isnt_in_line_or_no_turn_apart_or_named_makes_no_chain(off: str) -> None:
    world = Beginnings(thick(20_000.0))
    rows = rows_of(Target(70e3, 30e3, speed=290.0), world.sensors, 3.2)[:3]
    if off == "to the side":
        rows[0] = {**rows[0], "slant_range": rows[0]["slant_range"] + 4000.0}
    if off == "too soon":
        rows[0] = {**rows[0], "t_ns": rows[1]["t_ns"] - ns(1.0) + ns(0.0)}
    if off == "named":
        rows[1] = {**rows[1], "mode_3a": 0o1234}
    assert [len(world([row])[0]) for row in rows] == [0, 0, 0]


@pytest.mark.parametrize(
    ("clutter", "pairs", "chains"), [(9_000.0, 10, 5), pytest.param(20_000.0, 0, 10, marks=pytest.mark.compiled)]
)
@pytest.mark.parametrize("seed", [1, 2])
def test_births_are_those_of_the_plain_search_in_thick_clutter(
    seed: int, clutter: float, pairs: int, chains: int
) -> None:
    """The twin makes chains of all plots that wait, with matrices and in double precision."""
    rng = np.random.default_rng(seed)
    sensors = thick(clutter)
    targets = [
        Target(*rng.uniform(-60e3, 60e3, 2), course_deg=rng.uniform(0, 360), speed=rng.uniform(60, 420))
        for _ in range(25)
    ]
    rows = radar_rows(targets, sensors, 12.5, rng, clutter=150)
    for row in rows:
        row.pop("h_baro", None)
    world = Beginnings(sensors)
    plain = PlainBeginnings(world.stations, world.motion, world.life, world.gates, CONFIG)
    kinds: Counter[int] = Counter()
    for part in frames(rows):
        reports = world.reports(part)
        n = world.store.n
        world(part)
        new = slice(n, world.store.n)
        kinds.update(world.store.plots[new].tolist())
        expected = sorted(plain(reports))
        got = zip(world.store.t_ns[new].tolist(), world.store.existence[new], world.store.states[new, 0], strict=True)
        got = sorted(got)
        assert len(got) == len(expected)
        for (t, existence, x), twin in zip(got, expected, strict=True):
            assert t == twin[0]
            assert existence == pytest.approx(twin[1], rel=5e-2)
            assert x == pytest.approx(twin[2], abs=20.0)  # an unknown height is kept along another vertical
    assert kinds[3] > chains
    assert kinds[2] >= pairs


@pytest.mark.compiled
def test_where_clutter_is_thick_a_beginning_must_be_likelier() -> None:
    """The same plots under settings that differ in that alone; where it's thin, they begin what they began."""
    least = {}
    for clutter in (20.0, 20_000.0):
        rng = np.random.default_rng(5)
        sensors = thick(clutter)
        targets = [Target(*rng.uniform(-60e3, 60e3, 2), speed=rng.uniform(60, 300)) for _ in range(25)]
        rows = radar_rows(targets, sensors, 12.5, rng, clutter=150)
        for row in rows:
            row.pop("h_baro", None)
        for begin_thick, pool_max in ((0.01, 4096), (0.05, 4096), (0.05, 240)):
            world = Beginnings(sensors, Config(life=Life(begin_thick=begin_thick, pool_max=pool_max)))
            for part in frames(rows):
                world(part)
            least[clutter, begin_thick, pool_max] = float(world.store.existence[: world.store.n].min())
    assert least[20.0, 0.01, 4096] == least[20.0, 0.05, 4096]
    assert 0.01 <= least[20_000.0, 0.01, 4096] < 0.05 <= least[20_000.0, 0.05, 4096]
    # where too many wait for three in line ever to be seen, weak pairs begin tracks as well
    assert 0.01 <= least[20_000.0, 0.05, 240] < 0.05


def test_the_likeliest_begin_where_there_isnt_room_for_all() -> None:
    sensors = thick(100.0)
    rng = np.random.default_rng(4)
    targets = [Target(30e3 + 3e3 * k, 20e3, speed=60.0 + 20.0 * k) for k in range(24)]
    rows = radar_rows(targets, sensors, 8.0, rng)
    many, few = Beginnings(sensors), Beginnings(sensors, Config(capacity=16))
    first, second = [row for row in rows if row["t_ns"] < ns(4.0)], [row for row in rows if row["t_ns"] >= ns(4.0)]
    for world in (many, few):
        world(first)
        world(second)
    assert many.store.n > 16 == few.store.n
    best = np.sort(many.store.existence[: many.store.n])[-16:]
    np.testing.assert_array_equal(np.sort(few.store.existence[:16]), best)
