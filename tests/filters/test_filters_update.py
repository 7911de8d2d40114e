"""The update of a frame's tracks: who got what, and that tracks and plots don't mix."""

import math

import numpy as np
import pytest

from airpicture.association import associate
from airpicture.association.gate import Workspace, association_ratio, gate
from airpicture.config import Config
from airpicture.filters import update
from airpicture.kernels import layout as lay
from airpicture.kernels.pairs import PAIR_SCRATCH
from airpicture.kernels.predict import summarise
from airpicture.models import gate_limits, motion_settings
from airpicture.plots import register, station_columns
from airpicture.reports import Reports
from reference_tracking import F64, Mixture, Plot, axes, geodetic, predict
from reference_tracking import update as update_twin
from tracking_scenes import T0, Target, assemble, ns, radar, radar_rows, sensors_of

CONFIG = Config()
MOTION, GATES = motion_settings(CONFIG), gate_limits(CONFIG)
SENSORS = sensors_of(radar(clutter_per_scan=20.0))
STATIONS = station_columns(SENSORS)


def held(target: Target, seed: int, t: float = 0.0) -> Mixture:
    """Return a track on a target, as after some plots: 100 m and 10 m/s."""
    rng = np.random.default_rng(seed)
    state = target.at(t)
    R = axes(*geodetic(state[:3])[:2])
    sigma = np.array([100.0, 100.0, 60.0, 10.0, 10.0, 3.0])
    T = np.kron(np.eye(2), R)
    x = state + T.T @ (rng.normal(size=6) * sigma)
    P = T.T @ np.diag(sigma**2) @ T
    return Mixture(np.tile(x, (4, 1)), np.tile(P, (4, 1, 1)), np.array([0.9, 0.04, 0.04, 0.02]), 0.9, 0.0, 150.0**2)


def step(tracks: list[Mixture], reports: Reports, detect: float = 0.9) -> tuple[list[Mixture], F64, list[list[int]]]:
    n = len(tracks)
    rows = np.array([track.row() for track in tracks])
    summary = np.zeros((n, lay.SUMMARY))
    summarise(rows, np.arange(n), 0, n, np.empty(PAIR_SCRATCH), summary)
    t = np.full(n, T0, np.int64)
    args = (reports.Z, reports.t_ns, reports.sensor, STATIONS.sites, MOTION)
    pairs = gate(rows, summary, t, n, *args, GATES, CONFIG, Workspace(n))
    chance = np.full(len(pairs.track), detect)
    shares = associate(
        pairs.start, pairs.plot, association_ratio(pairs, np.zeros(len(pairs.plot)), chance), reports.size
    )
    got = update(pairs.W, pairs.t_ns, pairs.start, pairs.plot, pairs.share, shares.weight, chance, *args)
    mine = [pairs.plot[a:b].tolist() for a, b in zip(pairs.start[:-1], pairs.start[1:], strict=True)]
    assert ((shares.claimed >= 0.0) & (shares.claimed <= 1.0 + 1e-12)).all()
    np.testing.assert_allclose(got.got, np.add.reduceat(shares.weight, pairs.start[:-1]), rtol=0, atol=1e-12)
    return [Mixture.of_row(row) for row in pairs.W], got.got, mine


def reports_of(targets: list[Target], seed: int = 0) -> Reports:
    rows = radar_rows(targets, SENSORS, 4.0, np.random.default_rng(seed))
    return register(assemble(rows, SENSORS), STATIONS, CONFIG)[0]


def test_a_lone_track_is_updated_as_the_enumerating_twin_updates_it() -> None:
    """Gate, association, update and existence together, from the track's own time to the plot's."""
    for seed in range(6):
        target = Target(course_deg=60.0 * seed)
        track = held(target, seed)
        reports = reports_of([target], seed)
        (got,), _, _ = step([track], reports)
        z = reports.Z[0]
        dt = float(reports.t_ns[0] - T0) * 1e-9
        plot = Plot(lay.POLAR, STATIONS.sites[0], z[lay.Z_P : lay.Z_P + 3], float(z[lay.Z_RANGE]))
        plot.azimuth = math.atan2(z[lay.Z_SIN], z[lay.Z_COS])
        plot.var_range, plot.var_azimuth = float(z[lay.Z_VAR_RANGE]), float(z[lay.Z_VAR_AZIMUTH])
        plot.h_baro, plot.log_clutter = float(z[lay.Z_H_BARO]), float(z[lay.Z_LOG_CLUTTER])
        expected, _ = update_twin(predict(track, dt, MOTION), [plot], [0.0], 0.9, MOTION)
        assert got.existence == pytest.approx(expected.existence, rel=1e-9)
        np.testing.assert_allclose(got.mu, expected.mu, rtol=0, atol=1e-8)
        np.testing.assert_allclose(got.x[:, :3], expected.x[:, :3], rtol=0, atol=1e-5)
        np.testing.assert_allclose(got.x[:, 3:], expected.x[:, 3:], rtol=0, atol=1e-6)


def test_far_tracks_are_updated_as_if_alone_whatever_else_flies() -> None:
    targets = [Target(20e3 + 12e3 * k, -15e3 - 5e3 * k, course_deg=35.0 * k) for k in range(6)]
    tracks = [held(target, k) for k, target in enumerate(targets)]
    together, _, mine = step(tracks, reports_of(targets))
    assert all(len(plots) == 1 for plots in mine)
    for k in range(6):
        rows = radar_rows(targets, SENSORS, 4.0, np.random.default_rng(0))
        reports = register(assemble([rows[k]], SENSORS), STATIONS, CONFIG)[0]
        (alone,), _, _ = step([tracks[k]], reports)
        np.testing.assert_array_equal(alone.row(), together[k].row())


def test_the_order_of_tracks_and_plots_does_not_matter() -> None:
    targets = [Target(20e3, 15e3 + 250.0 * k) for k in range(4)]
    tracks = [held(target, k) for k, target in enumerate(targets)]
    reports = reports_of(targets)
    one, got, _ = step(tracks, reports)
    order = [2, 0, 3, 1]
    two, got2, _ = step([tracks[k] for k in order], reports)
    np.testing.assert_allclose(got2, got[order], rtol=0, atol=1e-10)
    for k, track in zip(order, two, strict=True):
        np.testing.assert_allclose(track.x, one[k].x, rtol=0, atol=1e-6)
    same_time = reports._replace(t_ns=np.full(4, ns(1.0)))
    shuffle = np.array([3, 1, 0, 2])
    a, _, _ = step(tracks, same_time)
    b, _, _ = step(tracks, same_time.take(shuffle))
    for left, right in zip(a, b, strict=True):
        np.testing.assert_allclose(left.x, right.x, rtol=0, atol=1e-6)
        assert left.existence == pytest.approx(right.existence, abs=1e-10)


def test_two_tracks_and_one_plot_share_it_and_existence_stays_within_bounds() -> None:
    a, b = Target(20e3, 15e3), Target(20e3, 15.1e3)
    tracks = [held(a, 1), held(b, 1)]
    updated, got, _ = step(tracks, reports_of([a]))
    assert got.sum() <= 1.0 + 1e-9
    assert got.min() > 0.1
    for track in updated:
        assert 0.0 <= track.existence <= 1.0
        for P in track.P:
            sigma = np.sqrt(np.diag(P))
            assert np.linalg.eigvalsh(P / np.outer(sigma, sigma)).min() > 0.0
