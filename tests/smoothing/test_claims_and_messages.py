"""What a Mode S receiver brings, in hindsight: claims that positions don't keep, and velocities by themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_clean import SENSORS, T0

import airpicture as ap
from airpicture.kernels.folding import VAR_COMMON_MOST
from airpicture.smoothing.owned import own
from airpicture.smoothing.smoother import _hidden
from airpicture.tables import F64, Plots, Tracks

H = 9000.0
ADDRESS = 0x4B1901
SPEED = 220.0
NS = 1_000_000_000


def metres(lat: F64) -> tuple[F64, F64]:
    """Return metres a radian north and east, on WGS-84: by a sphere, velocities would be 1 m/s off."""
    bend = 1.0 - 6.69437999014e-3 * np.sin(lat) ** 2
    north = 6_378_137.0 * (1.0 - 6.69437999014e-3) / bend**1.5 + H
    return north, (6_378_137.0 / np.sqrt(bend) + H) * np.cos(lat)


GRID = np.arange(0.0, 700.0, 0.05)


def way(t: F64) -> tuple[F64, F64]:
    """Return latitude and longitude after t seconds: straight, half a turn of 1.5 degrees a second, straight."""
    course = course_at(GRID + 0.025)  # in the middle of each step
    lat = np.full(len(GRID), 0.83)
    for _ in range(3):  # radii are those of the latitude that's flown
        lat = 0.83 + np.append(0.0, np.cumsum(0.05 * SPEED * np.cos(course) / metres(lat)[0])[:-1])
    lon = 0.15 + np.append(0.0, np.cumsum(0.05 * SPEED * np.sin(course) / metres(lat)[1])[:-1])
    return np.interp(t, GRID, lat), np.interp(t, GRID, lon)


def course_at(t: F64) -> F64:
    return np.radians(1.5) * np.clip(t - 200.0, 0.0, 120.0)


def positions(rng: np.random.Generator, t: F64, *, sigma: float, jitter: float, claimed: float) -> Plots:
    lat, lon = way(t + rng.normal(0.0, jitter, len(t)))
    off = rng.normal(0.0, sigma, (2, len(t)))
    return Plots.blank(
        len(t), SENSORS, t_ns=T0 + (t * NS).astype(np.int64), lat=lat + off[0] / metres(lat)[0],
        lon=lon + off[1] / metres(lat)[1], sigma_pos=np.full(len(t), claimed), h_ell=np.full(len(t), H),
        address=np.full(len(t), ADDRESS),
    )  # fmt: skip


def velocities(rng: np.random.Generator, t: F64, sigma: float = 0.3) -> Plots:
    course = course_at(t)
    return Plots.blank(
        len(t), SENSORS, t_ns=T0 + (t * NS).astype(np.int64), address=np.full(len(t), ADDRESS),
        v_east=SPEED * np.sin(course) + rng.normal(0.0, sigma, len(t)),
        v_north=SPEED * np.cos(course) + rng.normal(0.0, sigma, len(t)), sigma_v=np.full(len(t), sigma),
    )  # fmt: skip


def rms(tracks: Tracks) -> float:
    t = (tracks.t_ns - T0) / NS
    lat, lon = way(t)
    north, east = metres(lat)
    off = np.hypot(north * (tracks.lat - lat), east * (tracks.lon - lon))
    return float(np.sqrt((off[(t > 20) & (t < 560)] ** 2).mean()))


def test_velocities_by_themselves_help_in_hindsight() -> None:
    rng = np.random.default_rng(1)
    alone = positions(rng, np.arange(0.0, 580.0, 4.0), sigma=60.0, jitter=0.0, claimed=60.0)
    both = Plots.concat([alone, velocities(rng, np.arange(0.3, 580.0, 0.5))]).in_time_order()
    assert rms(ap.smooth(both)) < 0.6 * rms(ap.smooth(alone))


@pytest.mark.parametrize("told", [False, True])
def test_places_whose_times_wander_are_not_followed_because_they_claim_to_be_good(told: bool) -> None:
    """0.08 s are 18 m along the course, from places that claim 4 m: a smoother must be better than what it's given."""
    rng = np.random.default_rng(2)
    plots = positions(rng, np.arange(0.0, 580.0, 0.5), sigma=2.0, jitter=0.08, claimed=4.0)
    if told:
        plots = Plots.concat([plots, velocities(rng, np.arange(0.3, 580.0, 0.5))]).in_time_order()
    tracked, smoothed = ap.track(plots), ap.smooth(plots)
    raw = np.hypot(2.0 * np.sqrt(2.0), 0.08 * SPEED)
    assert rms(tracked) < 0.8 * raw
    assert rms(smoothed) < 0.8 * rms(tracked)
    assert rms(smoothed) < (2.5 if told else 9.0)


def test_claims_that_scatter_less_are_followed_and_shown_with_what_they_may_hide() -> None:
    rng = np.random.default_rng(3)
    plots = positions(rng, np.arange(0.0, 580.0, 2.0), sigma=5.0, jitter=0.0, claimed=200.0)
    smoothed = ap.smooth(plots)
    assert rms(smoothed) < 6.0
    inner = smoothed.sigma_east[20:-20]
    assert np.median(inner) == pytest.approx(np.sqrt(VAR_COMMON_MOST), rel=0.1)
    np.testing.assert_allclose(
        _hidden(np.array([100.0, 100.0, 4.0, 1e6]), np.array([0.0, 1.3, 0.1, 0.1])), [0.0, 0.0, 3.6, VAR_COMMON_MOST]
    )


def test_messages_are_given_to_the_one_track_that_has_the_address_then() -> None:
    rng = np.random.default_rng(4)
    t = np.arange(0.0, 300.0)
    plots = positions(rng, t, sigma=10.0, jitter=0.0, claimed=10.0)
    told = velocities(rng, np.array([-50.0, 100.5, 150.5, 400.0]))
    silent = replace(told, v_east=np.full(4, np.nan), v_north=np.full(4, np.nan), mode_3a=np.full(4, 0o1234, np.int32))
    twice = told.take(np.array([1]))
    owned = own(Plots.concat([plots, told, twice, silent]), SENSORS, ap.Config())
    is_message = np.isin(owned.row, np.arange(len(plots), len(plots) + 9))
    number = int(owned.owner[owned.owner >= 0][0])
    whose = dict(zip(owned.row[is_message].tolist(), owned.owner[is_message].tolist(), strict=True))
    first = len(plots)
    assert [whose[first + k] for k in range(4)] == [-1, number, number, -1]
    assert whose[first + 4] == -1  # the same once more
    assert {whose[first + k] for k in range(5, 9)} == {-1}  # tells of no motion
    far = replace(plots, lat=plots.lat + 0.02)  # another that sends this address
    shared = own(Plots.concat([plots, far, told]).in_time_order(), SENSORS, ap.Config())
    assert len(np.unique(shared.owner[shared.owner >= 0])) == 2
    assert (shared.owner[np.isnan(Plots.concat([plots, far, told]).in_time_order().lat[shared.row])] == -1).all()


def test_cleaning_keeps_messages_and_finds_nothing_against_right_ones() -> None:
    rng = np.random.default_rng(5)
    t = np.arange(0.0, 400.0)
    plots = positions(rng, t, sigma=10.0, jitter=0.0, claimed=10.0)
    plots = Plots.concat([plots, velocities(rng, t[5:-5] + 0.4)]).in_time_order()
    cleaned = ap.clean(plots)
    assert len(cleaned) == len(plots)
    assert not cleaned.flags.any()
    assert (cleaned.track[10:-10] >= 0).all()
    assert np.isfinite(cleaned.smoothed.lat[10:-10]).all()
