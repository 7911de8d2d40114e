"""Clocks of sensors told from targets that they share: known lags come out, with a sigma that holds."""

import numpy as np
import pytest

from airpicture.kernels.latency import PAIR_COUNT, PAIR_MEAN, PAIR_VAR, add_lags
from airpicture.plots import Latency
from airpicture.tables import Plots, SensorKind
from airpicture.tracker import Tracker
from tracking_scenes import F64, Target, assemble, confirmed, error_m, ns, position_rows, radar, radar_rows, sensors_of

SENSORS = sensors_of(radar("a"), {"id": "adsb", "kind": "adsb"}, {"id": "mlat", "kind": "mlat"})
LAG = {"adsb": 0.6, "mlat": 0.0}


def flown(lag: float, seconds: float = 100.0, seed: int = 1) -> tuple[list[Target], Plots]:
    """Aircraft all ways, seen by a radar, by ADS-B that is late and by multilateration."""
    rng = np.random.default_rng(seed)
    targets = [Target(-20e3 + 6e3 * k, 10e3, 6000.0 + 300.0 * k, 47.0 * k, 140.0 + 9.0 * k) for k in range(10)]
    for k, target in enumerate(targets):
        target.codes = {"address": 1000 + k}
    late = position_rows(targets, seconds, rng, sensor=1, sigma=10.0, height=True)
    for row in late:
        row["t_ns"] += round(lag * 1e9)
    rows = radar_rows(targets, SENSORS, seconds, rng, sensor=0, pd=0.95)
    rows += late + position_rows(targets, seconds, rng, sensor=2, sigma=25.0, every=1.7)
    return targets, assemble(rows, SENSORS)


def fly(plots: Plots, step_s: float = 1.0, seconds: float = 100.0) -> Tracker:
    tracker = Tracker(SENSORS)
    done = 0
    for k in range(1, round(seconds / step_s) + 1):
        upto = int(np.searchsorted(plots.t_ns, ns(k * step_s)))
        tracker.step(plots.take(slice(done, upto)), ns(k * step_s))
        done = upto
    return tracker


@pytest.mark.parametrize("lag", [0.6, -0.3])
def test_a_known_lag_comes_out_with_a_sigma_that_holds(lag: float) -> None:
    _, plots = flown(lag)
    latency = fly(plots).latency
    assert latency.known.all()
    off = np.abs(latency.lag - [0.0, lag, 0.0])
    assert (off < 3.0 * latency.sigma).all(), (latency.lag, latency.sigma)
    assert off[1] < 0.1
    assert latency.sigma[1] < 0.1


def test_it_is_taken_off_and_the_picture_is_nearer() -> None:
    """With ADS-B 0.6 s late, 90 m at 150 m/s, the tracks stand where multilateration and radar say."""
    targets, plots = flown(0.6)
    tracker = fly(plots)
    tracks = confirmed(tracker.step(Plots.empty(SENSORS), ns(100.0)).tracks)
    assert len(tracks) == len(targets)
    errors = [error_m(tracks, k, targets[int(tracks.address[k]) - 1000], 100.0) for k in range(len(tracks))]
    assert np.median(errors) < 25.0


def test_no_cut_of_batches_changes_what_is_learnt() -> None:
    _, plots = flown(0.4, 45.0)
    fine, coarse = fly(plots, 0.1, 45.0), fly(plots, 5.0, 45.0)
    assert fine.latency.lag.tobytes() == coarse.latency.lag.tobytes()
    assert fine.latency.known.any()


def test_one_sensor_tells_nothing_of_its_clock() -> None:
    latency = Latency(sensors_of({"id": "adsb", "kind": "adsb"}))
    assert not latency.learns
    latency.note(np.array([[0.5, 0.0, 0.0]]))
    latency.commit()
    latency.settle()
    assert latency.lag.tolist() == [0.0]


def pairs_told(lags: list[tuple[float, int, int]], sensors: int = 3) -> F64:
    pairs = np.zeros((sensors, sensors, 3))
    add_lags(np.array(lags, float), pairs)
    return pairs


def test_means_and_variances_of_pairs_are_what_numpy_says_either_way_round() -> None:
    rng = np.random.default_rng(1)
    told = rng.normal(0.3, 0.01, 18)
    there = pairs_told([(x, 0, 2) for x in told])
    back = pairs_told([(-x, 2, 0) for x in told])
    assert there.tobytes() == back.tobytes()
    assert there[0, 2, PAIR_COUNT] == 18
    assert there[0, 2, PAIR_MEAN] == pytest.approx(told.mean())
    assert there[0, 2, PAIR_VAR] == pytest.approx(told.var())


def test_one_wild_pair_does_not_move_a_mean() -> None:
    rng = np.random.default_rng(1)
    calm = [(float(x), 0, 1) for x in rng.normal(0.3, 0.02, 200)]
    assert abs(pairs_told([*calm, (9.0, 0, 1)])[0, 1, PAIR_MEAN] - pairs_told(calm)[0, 1, PAIR_MEAN]) < 1e-3


def test_lags_add_up_round_three_sensors() -> None:
    """Least squares by hand: a chain of differences, the common part settled by what's likely beforehand."""
    kinds = {"radar": 0.05, "adsb": 1.0, "mlat": 0.1}
    latency = Latency(SENSORS)
    assert [SensorKind(int(k)).name.lower() for k in SENSORS.kind] == list(kinds)
    rng = np.random.default_rng(2)
    lags = [(0.0 - 0.5 + x, 0, 1) for x in rng.normal(0, 0.05, 900)] + [
        (0.5 + x, 1, 2) for x in rng.normal(0, 0.05, 900)
    ]
    latency.note(np.array(lags))
    latency.drop()
    latency.settle()
    assert not latency.known.any()
    latency.note(np.array(lags))
    latency.commit()
    latency.settle()
    np.testing.assert_allclose(latency.lag, [0.0, 0.5, 0.0], atol=0.03)
    assert latency.sigma[1] < latency.sigma[0] + 0.05 < 0.1
