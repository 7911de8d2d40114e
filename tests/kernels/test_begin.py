"""Beginnings: what one plot tells, the odds of a pair, the pool as a ring, bounds."""

import math
import sys
from typing import Any

import numpy as np
import pytest

import airpicture.tracks.begin  # noqa: F401  (the name in `tracks` is the function)
from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels.begin import begin_state
from airpicture.models import gate_limits, motion_settings
from airpicture.plots import register, station_columns
from airpicture.reports import Reports
from airpicture.store import Store
from airpicture.tables import Sensors
from airpicture.tracks import Pool, begin, life_settings
from reference_tracking import Mixture, Plot, axes, condition, geodetic, move, unpacked
from tracking_scenes import Target, assemble, ns, position_rows, radar, radar_rows, sensors_of

CONFIG = Config()
begin_module = sys.modules["airpicture.tracks.begin"]


class Beginnings:
    def __init__(self, sensors: Sensors, config: Config = CONFIG) -> None:
        self.config, self.stations = config, station_columns(sensors)
        self.store, self.pool = Store(config.capacity), Pool(config.life.pool_max)
        self.motion, self.life, self.gates = motion_settings(config), life_settings(config), gate_limits(config)
        self.sensors = sensors

    def reports(self, rows: list[dict[str, Any]]) -> Reports:
        return register(assemble(rows, self.sensors), self.stations, self.config)[0]

    def __call__(self, rows: list[dict[str, Any]], free: Any = 1.0) -> tuple[np.ndarray, int]:
        reports = self.reports(rows)
        free = np.broadcast_to(np.asarray(free, float), (reports.size,)).copy()
        return begin(
            self.store, self.pool, reports, free, self.stations, self.config, self.motion, self.life, self.gates
        )

    def track(self, row: int) -> Mixture:
        return Mixture.of_row(self.store.rows[row])


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
        world = Beginnings(sensors_of({"id": "m", "kind": "mlat"}))
        plots = position_rows([Target()], 3.0, np.random.default_rng(1), every=2.0, sigma=50.0, velocity=velocity)
        world([plots[0]])  # 50 m stands for "no accuracy of its own"
        world([plots[1]])
        assert world.store.n == 1
        rows.append(world.store.rows[0].tobytes())
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
    """From the pool's state, predicted by the twin: odds = Pd · birth odds · N(z) / density."""
    world, (first, second) = two_plots()
    first, second = ({k: v for k, v in row.items() if k != "h_baro"} for row in (first, second))
    world([first])
    a, b = world.reports([first]), world.reports([second])
    born, _ = world([second])
    assert len(born) == 1
    V = np.full((1, lay.ROW), np.nan)
    begin_state(a.Z, 0, world.stations.sites, 0, world.motion, world.life, V)
    x, P = V[0, :6].copy(), unpacked(V[0, 6:27])
    lat, lon, _ = geodetic(x[:3])
    dt = (int(b.t_ns[0]) - int(a.t_ns[0])) * 1e-9
    x, P = move(x, P, dt, 0.0, axes(lat, lon)[2], 20.0, world.motion[lay.M_Q_UP])
    z = b.Z[0]
    plot = Plot(lay.POLAR, world.stations.sites[0], z[lay.Z_P : lay.Z_P + 3], float(z[lay.Z_RANGE]))
    plot.azimuth = math.atan2(z[lay.Z_SIN], z[lay.Z_COS])
    plot.var_range, plot.var_azimuth = float(z[lay.Z_VAR_RANGE]), float(z[lay.Z_VAR_AZIMUTH])
    track = Mixture(x[None], P[None], np.ones(1), d_baro=0.0, var_baro=150.0**2)
    _, _, _, log_l, _ = condition(plot, track, 0, 0.0, 20.0, 1.0)
    odds = math.exp(log_l - z[lay.Z_LOG_CLUTTER]) * world.stations.pd[0] * CONFIG.life.birth_odds
    assert world.track(0).existence == pytest.approx(odds / (1.0 + odds), rel=1e-4)


def test_a_pool_that_is_taken_back_gives_the_same_births() -> None:
    sensors = sensors_of(radar())
    targets = [Target(20e3 + 4e3 * k, 15e3, course_deg=20.0 * k) for k in range(12)]
    rows = radar_rows(targets, sensors, 8.0, np.random.default_rng(2), clutter=40)
    world = Beginnings(sensors)
    early = [row for row in rows if row["t_ns"] < ns(4.0)]
    late = [row for row in rows if row["t_ns"] >= ns(4.0)]
    world(early)
    count, heads = world.pool.count, world.pool.head.copy()
    world(late[: len(late) // 2])
    world.pool.restore(count)
    world.store.n, world.store.next_number = 0, 1
    np.testing.assert_array_equal(world.pool.head, heads)
    born, _ = world(late)
    other = Beginnings(sensors)
    other(early)
    expected, _ = other(late)
    assert len(born) == len(expected) > 5
    n = world.store.n
    np.testing.assert_array_equal(world.store.rows[:n], other.store.rows[:n])


def test_no_room_is_counted() -> None:
    sensors = sensors_of(radar())
    targets = [Target(20e3 + 4e3 * k, 15e3 + 2e3 * k) for k in range(25)]
    rows = radar_rows(targets, sensors, 8.0, np.random.default_rng(2))
    world = Beginnings(sensors, Config(capacity=16))
    world([row for row in rows if row["t_ns"] < ns(4.0)])
    born, shed = world([row for row in rows if row["t_ns"] >= ns(4.0)])
    assert len(born) == world.store.n == 16
    assert shed >= 9
