"""Reports that are wrong for good: velocities that don't fit the way flown, heights that jump, single garbled ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from airpicture.kernels.layout import NUMBERS, VAR_V
from airpicture.tables import Status
from airpicture.tracker import Tracker
from tracking_scenes import Target, assemble, confirmed, error_m, ns, position_rows, sensors_of

SENSORS = sensors_of({"id": "adsb", "kind": "adsb"})
Seen = list[tuple[float, float, float, float]]  # time [s], distance from the truth [m], height [m], climb [m/s]


def tracked(spoil: Callable[[dict[str, Any], float], None], every: float, seconds: float) -> tuple[Seen, Tracker]:
    """Track one aircraft whose reports are spoilt; return its track at each report, and the tracker."""
    target = Target(-40e3, 10e3, 2000.0, 60.0, 110.0, codes={"address": 0x4B1234})
    rows = position_rows([target], seconds, np.random.default_rng(3), every=every, sigma=15.0, height=False)
    for row in rows:
        del row["sigma_pos"]
        row["h_baro"] = 2000.0
        spoil(row, row["t_ns"] * 1e-9 - ns(0) * 1e-9)
    plots = assemble(rows, SENSORS)
    tracker = Tracker(SENSORS)
    seen = []
    for k in range(len(plots)):
        t = (int(plots.t_ns[k]) - ns(0)) * 1e-9
        tracks = confirmed(tracker.step(plots.take(slice(k, k + 1)), int(plots.t_ns[k])).tracks)
        if t > 60.0:
            assert len(tracks) == 1
            seen.append((t, error_m(tracks, 0, target, t), float(tracks.h_baro[0]), float(tracks.v_up[0])))
    assert tracker._store.number[: tracker._store.n][tracker._store.status[: tracker._store.n] == Status.CONFIRMED] == 1
    return seen, tracker


def faster(by: float) -> Callable[[dict[str, Any], float], None]:
    """Return what makes reported velocities too fast, by so many of their own."""

    def spoil(row: dict[str, Any], t: float) -> None:
        row["v_east"], row["v_north"] = (1.0 + by) * row["v_east"], (1.0 + by) * row["v_north"]

    return spoil


def turned(by_deg: float) -> Callable[[dict[str, Any], float], None]:
    """Return what makes reported velocities point elsewhere, after they were right for a minute."""

    def spoil(row: dict[str, Any], t: float) -> None:
        if t > 60.0:
            way = np.exp(1j * np.radians(by_deg)) * complex(row["v_east"], row["v_north"])
            row["v_east"], row["v_north"] = way.real, way.imag

    return spoil


@pytest.mark.parametrize("spoil", [faster(0.15), faster(0.4), turned(25.0), turned(120.0)])
@pytest.mark.parametrize("every", [1.0, 5.0])
def test_velocities_that_do_not_fit_the_way_flown_lose_their_weight(
    spoil: Callable[[dict[str, Any], float], None], every: float
) -> None:
    """The track stays with its positions, which are good to 15 m, instead of running ahead of them."""
    seen, _ = tracked(spoil, every, 400.0)
    off = np.array([error for t, error, _, _ in seen if t > 150.0])
    assert np.median(off) < 35.0
    assert np.percentile(off, 95) < 80.0


@pytest.mark.parametrize("every", [1.0, 5.0])
def test_velocities_that_fit_keep_theirs(every: float) -> None:
    _, tracker = tracked(lambda row, t: None, every, 400.0)
    assert (
        tracker._store.spreads[0, NUMBERS + VAR_V] < 0.2
    )  # m²/s², which counts ten times beside the 4 that they claim


@pytest.mark.parametrize("step", [-1900.0, 1200.0, 9000.0])
def test_a_height_that_jumps_for_good_is_followed_after_a_few_reports(step: float) -> None:
    """As where "on the ground" was reported as 0 ft at a high aerodrome; and the climb isn't torn along."""

    def spoil(row: dict[str, Any], t: float) -> None:
        row["h_baro"] = 2000.0 + step * (t > 120.0)

    seen, _ = tracked(spoil, 1.0, 200.0)
    late = [(h, climb) for t, _, h, climb in seen if t > 126.0]
    assert max(abs(h - 2000.0 - step) for h, _ in late) < 60.0
    assert max(abs(climb) for _, _, _, climb in seen) < 45.0  # three times what climbs are taken to be


@pytest.mark.parametrize("garbled", [0.0, 3200.0, 12_000.0])
def test_a_single_garbled_height_leaves_the_height_alone(garbled: float) -> None:
    def spoil(row: dict[str, Any], t: float) -> None:
        if 120.0 < t <= 121.0 or 140.0 < t <= 142.0:
            row["h_baro"] = garbled

    seen, _ = tracked(spoil, 1.0, 200.0)
    assert max(abs(h - 2000.0) for _, _, h, _ in seen) < 30.0
    assert max(abs(climb) for _, _, _, climb in seen) < 10.0


@pytest.mark.parametrize("climb", [105.0, -80.0])
def test_climbs_beside_heights_that_stand_still_do_not_cost_the_track(climb: float) -> None:
    """As in zero gravity, where the climb was told each second and the height of before again and again."""

    def spoil(row: dict[str, Any], t: float) -> None:
        row["v_up"] = climb * np.clip((t - 120.0) / 15.0, 0.0, 1.0) * (t < 160.0)

    seen, _ = tracked(spoil, 1.0, 240.0)  # which asserts that it's one track, number 1
    assert max(error for _, error, _, _ in seen) < 60.0
    assert max(abs(h - 2000.0) for t, _, h, _ in seen if t > 170.0) < 60.0


def test_a_place_of_another_time_does_not_turn_a_track_that_says_how_fast_it_is() -> None:
    """One report in three is stamped 0.4 s too early or too late, 85 m at 215 m/s, after a minute of good ones.

    A model that turns and brakes with 20 g would explain each, were the velocity beside it garbled. It's the velocity
    that the track has had all along, so it is the place that is wrong; tracks were 274 m off until caught again.
    """
    target = Target(-40e3, 10e3, 2000.0, 120.0, 180.0, codes={"address": 0x4B1234})
    rng = np.random.default_rng(7)
    rows = position_rows([target], 400.0, rng, every=1.0, sigma=2.0, height=False)
    for k, row in enumerate(rows):
        del row["sigma_pos"]
        row["h_baro"] = 2000.0
        if k > 60 and k % 3 == 0:
            row["t_ns"] += int(rng.choice([-0.4, 0.4]) * 1e9)
    plots = assemble(rows, SENSORS).in_time_order()
    tracker, off = Tracker(SENSORS), []
    for k in range(len(plots)):
        t = (int(plots.t_ns[k]) - ns(0)) * 1e-9
        tracks = confirmed(tracker.step(plots.take(slice(k, k + 1)), int(plots.t_ns[k])).tracks)
        if t > 60.0:
            assert len(tracks) == 1
            off.append(error_m(tracks, 0, target, t))
    assert max(off) < 120.0
    assert np.percentile(off, 95) < 90.0
