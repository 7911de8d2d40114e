"""Reports that lie about how good they are: errors as with true claims, covariances that mean what they say."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from airpicture.kernels.layout import NUMBERS, SCALE_POS, VAR_TIME
from airpicture.tables import Status
from airpicture.tracker import Tracker
from reference_tracking import axes, geodetic
from tracking_scenes import Target, assemble, confirmed, message_rows, ns, position_rows, sensors_of

pytestmark = pytest.mark.slow
SENSORS = sensors_of({"id": "adsb", "kind": "adsb"})
SECONDS = 160.0


class Flown(NamedTuple):
    rms_m: float
    rms_mps: float
    nees: float  # mean, of 2
    scale: float  # median, variance found over claimed
    jitter_s: float  # median
    two: float  # share of pictures with two tracks of one address


@cache
def flown(sigma: float, claim: float, jitter: float = 0.0, tells: tuple[str, ...] = (), velocity: bool = True) -> Flown:
    """Track six aircraft, half of which turn; judge from 100 s on. velocity : it comes with the positions."""
    rng = np.random.default_rng(7)
    targets = [Target(-40e3 + 9e3 * k, 10e3, 5000.0 + 400 * k, 37.0 * k, 120.0 + 12.0 * k) for k in range(6)]
    for k, target in enumerate(targets):
        target.codes = {"address": 5000 + k}
        if k % 2:
            target.turn = (105.0, 140.0, 0.03)
    rows = position_rows(targets, SECONDS, rng, every=0.5, sigma=sigma, velocity=velocity)
    for row in rows:
        row["sigma_pos"] = claim
        row["t_ns"] += round(rng.normal() * jitter * 1e9)
    if tells:
        rows += message_rows(targets, SECONDS, rng, tells=tells, every=4.0 if tells == ("turn",) else 0.5)
    plots = assemble(rows, SENSORS)
    tracker = Tracker(SENSORS)
    errors, speeds, nees, two, done = [], [], [], [], 0
    for second in range(1, round(SECONDS)):
        upto = int(np.searchsorted(plots.t_ns, ns(second)))
        tracks = confirmed(tracker.step(plots.take(slice(done, upto)), ns(second)).tracks)
        done = upto
        if second < 100:
            continue
        two.append(len(tracks) > len(np.unique(tracks.address)))
        for k in range(len(tracks)):
            state = targets[int(tracks.address[k]) - 5000].at(second)
            lat, lon, h = geodetic(state[:3])
            R = axes(lat, lon)
            there = np.array([(tracks.lon[k] - lon) * np.cos(lat), tracks.lat[k] - lat]) * (6_371_000.0 + h)
            v = R[:2] @ state[3:]
            errors.append(there @ there)
            speeds.append((tracks.v_east[k] - v[0]) ** 2 + (tracks.v_north[k] - v[1]) ** 2)
            both = tracks.rho_east_north[k] * tracks.sigma_east[k] * tracks.sigma_north[k]
            P = np.array([[tracks.sigma_east[k] ** 2, both], [both, tracks.sigma_north[k] ** 2]])
            nees.append(there @ np.linalg.solve(P, there))
    store = tracker._store
    held = store.status[: store.n] == Status.CONFIRMED
    assert held.sum() == len(targets)
    scale, late = store.spreads[: store.n][held][:, [NUMBERS + SCALE_POS, NUMBERS + VAR_TIME]].T.astype(float)
    rms, rms_v = float(np.sqrt(np.mean(errors))), float(np.sqrt(np.mean(speeds)))
    jitter = float(np.sqrt(max(np.median(late), 0.0)))
    return Flown(rms, rms_v, float(np.mean(nees)), float(np.median(scale)), jitter, float(np.mean(two)))


def test_true_claims_stay_as_they_are() -> None:
    found = flown(10.0, 10.0)
    assert 0.7 < found.scale < 1.5
    assert found.jitter_s < 0.06
    assert 0.8 < found.nees < 2.8


@pytest.mark.parametrize(("sigma", "claim", "worse", "most"), [(40.0, 8.0, 1.15, 2.8), (60.0, 4.0, 1.4, 4.5)])
def test_claims_that_are_too_good_are_found_out(sigma: float, claim: float, worse: float, most: float) -> None:
    """Five times too good within a minute, fifteen times within two: what shows it falls outside the gate at first."""
    found, honest = flown(sigma, claim), flown(sigma, sigma)
    assert 0.5 * (sigma / claim) ** 2 < found.scale < 2.0 * (sigma / claim) ** 2
    assert found.rms_m < worse * honest.rms_m
    assert 0.8 < found.nees < most
    assert found.two == 0.0


@pytest.mark.parametrize("claim", [100.0, 400.0])
def test_claims_that_are_too_bad_are_not_held_against_it(claim: float) -> None:
    found, honest = flown(10.0, claim), flown(10.0, 10.0)
    assert found.rms_m < 1.15 * honest.rms_m
    assert found.nees < 2.8  # what all its errors may have in common is shown, and no filtering tells it


def test_the_jitter_of_time_stamps_is_told_from_that_of_positions() -> None:
    """A quarter of a second at 120 to 230 m/s is 30 to 57 m along the course, with 8 m across it."""
    found = flown(8.0, 8.0, jitter=0.25)
    assert 0.15 < found.jitter_s < 0.35
    assert found.scale < 3.5
    assert 0.5 < found.nees < 3.5


def test_velocities_and_turns_make_it_better_as_measured() -> None:
    plain = flown(10.0, 10.0, velocity=False)
    moving = flown(10.0, 10.0, tells=("velocity", "climb"), velocity=False)
    turning = flown(10.0, 10.0, tells=("turn",), velocity=False)
    assert moving.rms_m < 0.5 * plain.rms_m
    assert moving.rms_mps < 0.3 * plain.rms_mps
    assert 0.8 < moving.nees < 3.0
    assert turning.rms_mps < 0.95 * plain.rms_mps
    assert turning.rms_m < 1.02 * plain.rms_m
