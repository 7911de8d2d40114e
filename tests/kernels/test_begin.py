"""Beginnings: what one plot tells, the odds of a pair, the pool as a ring, bounds."""

import math
import sys
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import airpicture.tracks.begin  # noqa: F401  (the name in `tracks` is the function)
from airpicture.config import Config, Life
from airpicture.kernels import layout as lay
from airpicture.kernels.around import NEAR, list_cells
from airpicture.kernels.pool import NAMED, PLAIN, VAGUE, bucket, key_at, mark_of
from airpicture.kernels.wgs84 import ground
from airpicture.parallel import workers
from airpicture.tracks import begin
from begin_scenes import CONFIG, Beginnings, born_of, frames, scene
from reference_begin import PlainBeginnings, plot_of, state_of_one, usual_to_wide
from reference_tracking import Mixture, axes, condition, ecef, geodetic, move, up_at
from tracking_scenes import Target, ns, position_rows, radar, radar_rows, sensors_of

begin_module = sys.modules["airpicture.tracks.begin"]
pool_module = sys.modules["airpicture.tracks.pool"]


def two_plots(**keys: Any) -> tuple[Beginnings, list[dict[str, Any]]]:
    sensors = sensors_of(radar(**{"sigma_elevation_deg": 0.1, **keys}))
    target = Target(codes=keys.pop("codes", {}))
    period = float(sensors.period[0])
    return Beginnings(sensors), radar_rows([target], sensors, 2.2 * period, np.random.default_rng(1))[:2]


def test_two_plots_make_a_track_where_the_target_is() -> None:
    world, (first, second) = two_plots()
    born, shed = world([first])
    assert (len(born), shed, world.pool.count) == (0, 0, 1)
    born, shed = world([second])
    assert (len(born), shed, world.store.n) == (1, 0, 1)
    target = Target()
    state = target.at((second["t_ns"] - ns(0.0)) * 1e-9)
    track = world.track(0)
    mean, P = track.moments()
    R = axes(*geodetic(state[:3])[:2])
    d = R @ (mean[:3] - state[:3])
    sigma = np.sqrt(np.diag(R @ P[:3, :3] @ R.T))
    assert (np.abs(d) < 4.0 * sigma).all()
    dv = R @ (mean[3:] - state[3:])
    sigma_v = np.sqrt(np.diag(R @ P[3:, 3:] @ R.T))
    assert (np.abs(dv[:2]) < 4.0 * sigma_v[:2]).all()
    assert (sigma_v[:2] < 60.0).all()  # two plots 4 s apart, each some 70 m
    assert 0.0 < track.existence < 1.0
    assert np.linalg.eigvalsh(P / np.outer(np.sqrt(np.diag(P)), np.sqrt(np.diag(P)))).min() > 0.0


@pytest.mark.parametrize("velocity", [True, False])
def test_what_workspaces_hold_before_has_no_effect(monkeypatch: pytest.MonkeyPatch, velocity: bool) -> None:
    class Dirty:
        """numpy, but for memory that comes filled."""

        def __init__(self, value: float) -> None:
            self.value = value

        def __getattr__(self, name: str) -> Any:
            return getattr(np, name)

        def empty(self, shape: Any, dtype: Any = float) -> Any:
            filled = self.value if np.dtype(dtype).kind == "f" or math.isfinite(self.value) else 77
            return np.full(shape, filled, dtype)

    rows = []
    for value in (0.0, 1e6, -7.0, math.nan):
        monkeypatch.setattr(begin_module, "np", Dirty(value))
        monkeypatch.setattr(begin_module, "lined", Dirty(value).empty)
        world = Beginnings(sensors_of({"id": "m", "kind": "mlat"}))
        plots = position_rows([Target()], 3.0, np.random.default_rng(1), every=2.0, sigma=50.0, velocity=velocity)
        world([plots[0]])  # 50 m stands for "no accuracy of its own"
        world([plots[1]])
        assert world.store.n == 1
        rows.append(world.store.states[0].tobytes())
    assert len(set(rows)) == 1


def test_claimed_plots_and_bearings_begin_nothing() -> None:
    world, (first, second) = two_plots()
    world([first])
    born, _ = world([second], free=0.2)
    assert len(born) == 0
    assert world.pool.count == 1  # nor does a claimed plot wait


@pytest.mark.parametrize("period", [1.0, 10.0, 45.0, 120.0])
def test_slow_radars_begin_tracks_too(period: float) -> None:
    world, (first, second) = two_plots(period_s=period)
    world([first])
    born, _ = world([second])
    assert len(born) == 1


def test_physics_bounds_what_may_be_one_target() -> None:
    """40 km in 4 s, or a height that changes by 5 km in 4 s, are two false plots."""
    for change in ({"slant_range": 40e3}, {"h_baro": 5000.0}):
        world, (first, second) = two_plots()
        world([first])
        born, _ = world([{**second, **{k: second[k] + v for k, v in change.items()}}])
        assert len(born) == 0


def test_addresses_that_differ_do_not_join_and_equal_ones_raise_the_odds() -> None:
    existence = {}
    for name, codes in {"none": (-1, -1), "same": (7, 7), "other": (7, 8)}.items():
        world, (first, second) = two_plots()
        world([{**first, "address": codes[0]}])
        born, _ = world([{**second, "address": codes[1]}])
        existence[name] = world.track(0).existence if len(born) else 0.0
    assert existence["other"] == 0.0
    assert existence["same"] > existence["none"] > 0.0


def test_the_odds_are_the_likelihood_against_a_false_plot_times_the_prior() -> None:
    """From the pool's state, predicted by the twin: odds = Pd · birth odds · N(z) / density · Student(v) / Gauss(v)."""
    world, (first, second) = two_plots()
    first, second = ({k: v for k, v in row.items() if k != "h_baro"} for row in (first, second))
    world([first])
    a, b = world.reports([first]), world.reports([second])
    born, _ = world([second])
    assert len(born) == 1
    x, P = state_of_one(a, 0, world.stations, world.motion, world.life)
    lat, lon, _ = geodetic(x[:3])
    dt = (int(b.t_ns[0]) - int(a.t_ns[0])) * 1e-9
    x, P = move(x, P, dt, 0.0, axes(lat, lon)[2], 20.0, world.motion[lay.M_Q_UP])
    track = Mixture(x[None], P[None], np.ones(1), d_baro=0.0, var_baro=150.0**2)
    x, _, d2, log_l, _ = condition(plot_of(b, 0, world.stations), track, 0, 0.0, 20.0, 1.0)
    odds = (
        math.exp(log_l - b.Z[0, lay.Z_LOG_CLUTTER])
        * world.stations.pd[0]
        * CONFIG.life.birth_odds
        * usual_to_wide(x, CONFIG, d2)
    )
    assert world.track(0).existence == pytest.approx(odds / (1.0 + odds), rel=1e-4)


def test_no_track_begins_faster_than_anything_flies() -> None:
    """A place without height, taken for 9 km up, and an echo on the ground nearby: no pair, however sure it looks."""
    world = Beginnings(
        sensors_of(
            radar("ground", period_s=1.0, range_m_max=5e3, range_m_min=10.0, sigma_range_m=6.0, sigma_azimuth_deg=0.2),
            {"id": "adsb", "kind": "adsb", "lat_deg": 47.0, "lon_deg": 8.0, "range_m_max": 450e3},
        )
    )
    for k, (north, away, azimuth) in enumerate(
        [(1500.0, 2270.0, 30.0), (1700.0, 2270.0, 240.0), (900.0, 800.0, 170.0)]
    ):
        lat = math.radians(47.0) + north / 6.37e6
        world([{"t_ns": ns(100.0 * k), "sensor": 1, "lat": lat, "lon": math.radians(8.0), "sigma_pos": 38.0}])
        for second in (1.02, 2.02, 3.02, 4.02):
            t_ns = ns(100.0 * k + second)
            world([{"t_ns": t_ns, "sensor": 0, "slant_range": away, "azimuth": math.radians(azimuth)}])
    speeds = np.linalg.norm(world.store.summary[: world.store.n, 3:6], axis=1)
    assert world.store.n > 0
    assert speeds.max() < CONFIG.life.speed_max


def test_a_look_between_that_saw_nothing_counts_against_a_beginning() -> None:
    existence = []
    for pd in (0.3, 0.8):
        world = Beginnings(sensors_of(radar(pd=pd)))
        rows = radar_rows([Target()], world.sensors, 12.0, np.random.default_rng(1))
        world([rows[0]])
        world([rows[2]])  # two turns later
        existence.append(world.track(0).existence)
    odds = [r / (1.0 - r) for r in existence]
    assert odds[0] / odds[1] == pytest.approx((0.3 * 0.7) / (0.8 * 0.2), rel=1e-6)


def test_a_pool_that_is_taken_back_gives_the_same_births() -> None:
    sensors = sensors_of(radar())
    targets = [Target(20e3 + 4e3 * k, 15e3, course_deg=20.0 * k) for k in range(12)]
    rows = radar_rows(targets, sensors, 8.0, np.random.default_rng(2), clutter=40)
    world = Beginnings(sensors)
    early = [row for row in rows if row["t_ns"] < ns(4.0)]
    late = [row for row in rows if row["t_ns"] >= ns(4.0)]
    world(early)
    count, heads = world.pool.count, world.pool.waiting.head.copy()
    world(late[: len(late) // 2])
    world.pool.restore(count)
    world.store.n, world.store.next_number = 0, 1
    np.testing.assert_array_equal(world.pool.waiting.head, heads)
    born, _ = world(late)
    other = Beginnings(sensors)
    other(early)
    expected, _ = other(late)
    assert len(born) == len(expected) > 5
    n = world.store.n
    np.testing.assert_array_equal(world.store.states[:n].view(np.int64), other.store.states[:n].view(np.int64))


def test_no_room_is_counted() -> None:
    sensors = sensors_of(radar())
    targets = [Target(20e3 + 4e3 * k, 15e3 + 2e3 * k) for k in range(25)]
    rows = radar_rows(targets, sensors, 8.0, np.random.default_rng(2))
    world = Beginnings(sensors, Config(capacity=16))
    world([row for row in rows if row["t_ns"] < ns(4.0)])
    born, shed = world([row for row in rows if row["t_ns"] >= ns(4.0)])
    assert len(born) == world.store.n == 16
    assert shed >= 9


# --- at scale ---------------------------------------------------------------------------------------------------------


def test_births_are_those_of_the_plain_search() -> None:
    """The twin asks every waiting plot, without cells or bounds, in double precision."""
    sensors, rows = scene(60, 9.0, clutter=150, radars=2)
    world = Beginnings(sensors)
    plain = PlainBeginnings(world.stations, world.motion, world.life, world.gates, CONFIG)
    count = 0
    for part in frames(rows):
        reports = world.reports(part)
        n = world.store.n
        world(part)
        expected = plain(reports)
        born = slice(n, world.store.n)
        times, odds, x_new = (
            c[born].tolist() for c in (world.store.t_ns, world.store.existence, world.store.states[:, 0])
        )
        count += len(times)
        assert len(times) == len(expected)
        got = sorted(zip(times, odds, x_new, strict=True))
        for (t, existence, x), twin in zip(got, sorted(expected), strict=True):
            assert t == twin[0]
            assert existence == pytest.approx(twin[1], rel=2e-2)  # what the twin weighs though it's far too weak
            assert x == pytest.approx(twin[2], abs=5.0)  # an unknown height is kept along another vertical
    assert count > 50


@pytest.mark.parametrize(("parts", "patched"), [(1, 10**9), (2, 10**9), (7, 10**9), (2, 1), (7, 1)])
def test_any_split_and_order_of_ranges_gives_the_same_bits(
    monkeypatch: pytest.MonkeyPatch, parts: int, patched: int
) -> None:
    sensors, rows = scene(80, 9.0, clutter=200, radars=2)
    one, many = Beginnings(sensors), Beginnings(sensors)

    def backwards(search: Any, tasks: Any) -> list[Any]:
        return [search(*task) for task in reversed(tasks)][::-1]

    with workers(3) as side_by_side:
        for k, part in enumerate(frames(rows)):
            born, shed = one(part)
            with monkeypatch.context() as patched_module:
                patched_module.setattr(begin_module, "PART", 1)
                patched_module.setattr(begin_module, "PARTS", parts)
                patched_module.setattr(begin_module, "SCANNED", 7)
                patched_module.setattr(begin_module, "PATCHED", patched)
                again, shed_again = many(part, run=side_by_side if k % 2 else backwards)
            assert (born.tolist(), shed) == (again.tolist(), shed_again)
    assert one.store.n > 50
    assert born_of(one) == born_of(many)


def test_the_order_in_which_plots_wait_has_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    sensors, rows = scene(80, 9.0, clutter=400, radars=2)
    as_they_come, patch_by_patch = Beginnings(sensors), Beginnings(sensors)
    for part in frames(rows):
        for world, patched in ((as_they_come, 10**9), (patch_by_patch, 1)):
            monkeypatch.setattr(begin_module, "PATCHED", patched)
            world(part)
    n = as_they_come.store.n
    assert n == patch_by_patch.store.n > 50
    assert as_they_come.pool.waiting.spot[:200].tobytes() != patch_by_patch.pool.waiting.spot[:200].tobytes()
    np.testing.assert_array_equal(as_they_come.store.t_ns[:n], patch_by_patch.store.t_ns[:n])
    np.testing.assert_allclose(as_they_come.store.existence[:n], patch_by_patch.store.existence[:n], rtol=1e-12)


@pytest.mark.parametrize("most", [200, 1000, 10**6])
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("patched", [1, 10**9])
def test_a_frame_that_is_done_again_finds_the_same(
    monkeypatch: pytest.MonkeyPatch, most: int, seed: int, patched: int
) -> None:
    """Each frame is first done with some of its plots, as steps inside it do; growth and overflow included."""
    monkeypatch.setattr(begin_module, "PATCHED", patched)
    rng = np.random.default_rng(seed)
    sensors, rows = scene(50, 12.0, seed, clutter=120, radars=2)
    config = Config(life=Life(pool_max=most))
    once, again = Beginnings(sensors, config), Beginnings(sensors, config)
    for part in frames(rows):
        once(part)
        start = again.pool.count, again.store.n, again.store.next_number
        for _ in range(2):
            again([row for row in part if rng.random() < 0.6])
            again.pool.restore(start[0])
            again.store.n, again.store.next_number = start[1:]
        again(part)
        assert once.pool.count == again.pool.count
        assert once.pool.latest_ns == again.pool.latest_ns
    assert once.store.n > (0 if most == 200 else 50)
    assert born_of(once) == born_of(again)
    assert once.tally == {**again.tally, **once.tally}


def test_a_long_silence_empties_the_pool() -> None:
    world, (first, second) = two_plots()
    world([first])
    born, _ = world([{**second, "t_ns": second["t_ns"] + ns(100.0) - ns(0.0)}])
    assert len(born) == 0


@pytest.mark.parametrize(("claims", "begins"), [(3, True), (40, False)])
def test_pairs_that_had_no_trial_count_against_the_others(claims: int, begins: bool) -> None:
    """Each of forty about equal claims is improbable, though only a dozen are weighed with all numbers."""
    rng = np.random.default_rng(6)
    config = Config(life=Life(retire_tentative=0.08))
    world = Beginnings(sensors_of(radar(clutter_per_scan=30.0)), config)
    plain = PlainBeginnings(world.stations, world.motion, world.life, world.gates, config)
    far, azimuth = 80e3 + rng.uniform(-1e3, 1e3, claims), 1.0 + rng.uniform(-0.01, 0.01, claims)
    world(early := [{"t_ns": ns(0.0), "slant_range": r, "azimuth": a} for r, a in zip(far, azimuth, strict=True)])
    plain(world.reports(early))
    born, _ = world(late := [{"t_ns": ns(4.0), "slant_range": 80e3, "azimuth": 1.0}])
    assert world.tally["pairs_untried"] == max(claims - 3 * CONFIG.life.pairs_max, 0)
    assert len(born) == len(plain(world.reports(late)))
    assert (len(born) > 0) == begins


@given(
    st.floats(-89.9, 89.9),
    st.floats(-180.0, 180.0),
    st.sampled_from([PLAIN, NAMED, VAGUE]),
    st.integers(0, 2**32 - 1),
    st.floats(10.0, 60e3),
    st.sampled_from([0.0, 20e3, 90e3]),
)
@settings(max_examples=100, deadline=None)
def test_a_search_asks_every_cell_that_may_hold_a_plot_within_reach(
    lat: float, lon: float, level: int, seed: int, reach: float, apart: float
) -> None:
    """Of one plot, or of several round a point."""
    rng = np.random.default_rng(seed)
    middle = ground(*ecef(math.radians(lat), math.radians(lon), 0.0))
    R = axes(math.radians(lat), math.radians(lon))
    near = np.zeros((NEAR, 2), np.int64)
    heads = np.zeros(1 << 20, np.int64)
    p = ground(*(np.array(middle) + rng.uniform(-apart, apart, 2) @ R[:2]))
    widths = np.abs(np.subtract(p, middle)) + rng.uniform(0.0, apart, 3)
    n = list_cells(*middle, *widths, level, reach, heads, near, 0)
    assert 0 < n < NEAR
    assert len(set(near[:n, 0].tolist())) == n  # what stands for a cell tells it from the others
    way, far = rng.uniform(0, 2 * math.pi), reach * rng.random()
    q = ground(*(np.array(p) + far * (math.cos(way) * R[0] + math.sin(way) * R[1])))
    if math.dist(p, q) <= reach:
        key = key_at(*q, level)
        assert [mark_of(key), bucket(key, len(heads))] in near[:n].tolist()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_no_pair_that_is_left_untried_could_have_begun_a_track(seed: int) -> None:
    """The bound of the odds against the odds themselves, for pairs of any two kinds of plots at any time apart."""
    rng = np.random.default_rng(seed)
    world = Beginnings(
        sensors_of(radar(sigma_elevation_deg=float(rng.choice([math.nan, 0.2]))), {"id": "m", "kind": "mlat"})
    )
    dt = float(rng.choice([1.0, 4.0, 8.0]))
    speed = rng.uniform(0.0, 900.0)
    target = Target(*rng.uniform(-60e3, 60e3, 2), course_deg=rng.uniform(0, 360), speed=speed, h=rng.uniform(500, 14e3))
    rows = radar_rows([target], world.sensors, 13.0, rng)
    first, second = rows[0], next((r for r in rows[1:] if r["t_ns"] - rows[0]["t_ns"] > 0.9e9 * dt), rows[-1])
    for row in (first, second):
        if rng.random() < 0.5:
            row.pop("h_baro", None)
    a, b = world.reports([first]), world.reports([second])
    world([first])
    plain = PlainBeginnings(world.stations, world.motion, world.life, world.gates, CONFIG)
    plain(a)
    expected = plain(b)
    born, _ = world([second])
    assert len(born) == len(expected)


def test_nothing_free_costs_next_to_nothing() -> None:
    world, (first, _) = two_plots()
    world([first])
    reports, free = world.reports([first] * 1), np.zeros(1)
    arguments = (world.store, world.pool, reports, free, world.stations, world.config, world.motion, world.life)
    best = math.inf
    for _ in range(5):
        start = time.thread_time()
        for _ in range(200):
            begin(*arguments, world.ending, world.gates, world.counted)
        best = min(best, (time.thread_time() - start) / 200)
    assert best < 50e-6  # measured: 3 µs; some 40 array expressions took ten times as much


def test_a_birth_is_written_as_the_mixture_it_is() -> None:
    """All models of one state, the summary that of the mixture."""
    world, (first, second) = two_plots()
    world([first])
    world([second])
    mean, P = world.track(0).moments()
    level = np.eye(3) - np.outer(up_at(mean), up_at(mean))
    sigma = [math.sqrt(np.trace(level @ P[k : k + 3, k : k + 3])) for k in (0, 3)]
    np.testing.assert_allclose(world.store.summary[0], [*mean, *sigma], rtol=1e-6)
    assert world.store.plots[0] == 2
    assert world.store.t_first[0] == first["t_ns"]
    assert world.store.seen_sensor[0].tolist() == [0] + [-1] * (world.store.seen_sensor.shape[1] - 1)
