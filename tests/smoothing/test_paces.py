"""Velocities that are wrong for a while, in hindsight: found by the way between positions, and given no weight."""

from dataclasses import replace

import numpy as np
import pytest
from test_clean import SENSORS, T0, flight

import airpicture as ap
from airpicture.smoothing.owned import own
from airpicture.smoothing.paces import SPAN_MOST_S, STEP_VAR, lasting_errors
from airpicture.smoothing.paths import lay
from airpicture.tables import F64, Plots

RADIUS = 6.37e6


def told(plots: Plots, every: float, spoilt: complex = 1.0) -> Plots:
    """Return the plots with the velocities of the way that `flight` flies, times a complex number; right ones: 1."""
    t = np.arange(len(plots)) * every
    turn = np.where((t > 90) & (t < 180), 0.03, 0.0) * every
    v = 170.0 * np.exp(1j * (np.cumsum(turn) + 0.5 * turn)) * spoilt  # in the middle between two ways
    return replace(plots, v_east=v.real, v_north=v.imag)


def variance(plots: Plots) -> F64:
    owned = own(plots, SENSORS, ap.Config())
    return lasting_errors(lay(owned), owned.reports)


@pytest.mark.parametrize("every", [1.0, 5.0])
def test_right_velocities_are_left_their_weight(every: float) -> None:
    assert variance(told(flight(1, step=every), every)).max() < 6.0  # m²/s², what chance leaves of 8 m


@pytest.mark.parametrize("every", [1.0, 5.0])
@pytest.mark.parametrize("spoilt", [1.2, 0.8, np.exp(1j * np.radians(25.0)), np.exp(1j * np.radians(-104.0))])
def test_lasting_errors_are_found_with_their_size(every: float, spoilt: complex) -> None:
    found = variance(told(flight(2, step=every), every, spoilt))
    wanted = 0.5 * abs(170.0 * (spoilt - 1.0)) ** 2  # per axis
    inner = found[40:-40]
    assert np.median(inner) == pytest.approx(wanted, rel=0.15)
    assert inner.min() > 0.4 * wanted  # where a turn begins, too


def test_scatter_of_positions_and_jitter_of_times_are_no_errors_of_velocities() -> None:
    plots = told(flight(3), 1.0)
    rng = np.random.default_rng(8)
    off = rng.normal(0.0, 150.0, (2, len(plots)))
    scattered = replace(plots, lat=plots.lat + off[0] / RADIUS, lon=plots.lon + off[1] / RADIUS / np.cos(0.83))
    assert np.median(variance(scattered)) < 15.0
    late = rng.uniform(0.0, 0.8, len(plots)) * plots.v_east
    assert np.median(variance(replace(plots, lon=plots.lon - late / RADIUS / np.cos(0.83)))) < 15.0


def test_nothing_is_said_where_nothing_can_be_compared() -> None:
    assert (variance(flight(4)) == STEP_VAR).all()
    plots = told(flight(4, n=60, step=SPAN_MOST_S), SPAN_MOST_S, 1.5)  # the ways would be too long
    assert (variance(plots) == STEP_VAR).all()


def test_velocities_of_one_time_alone_tell_of_no_way() -> None:
    """Two messages that two receivers stamped alike, say, in a track that otherwise has positions alone."""
    plots = flight(4, n=30)
    nowhere = {name: np.full(2, np.nan) for name in ("lat", "lon", "sigma_pos", "h_baro")}
    heard = replace(plots.take(np.array([12, 12])), v_east=np.array([170.0, 171.0]), v_north=np.zeros(2), **nowhere)
    plots = Plots.concat([plots, heard]).in_time_order()
    assert (variance(plots) == STEP_VAR).all()
    assert len(ap.clean(plots)) == 32


@pytest.mark.parametrize("spoilt", [1.3, np.exp(1j * np.radians(-104.0))])
@pytest.mark.parametrize("every", [1.0, 5.0])
def test_smoothed_tracks_stay_with_their_positions(every: float, spoilt: complex) -> None:
    """As well as if there were no velocities at all, and right ones make it better."""
    right = flight(5, step=every)
    without, good, bad = ap.smooth(right), ap.smooth(told(right, every)), ap.smooth(told(right, every, spoilt))
    truth = {int(t): (lat, lon) for t, lat, lon in zip(right.t_ns, *way(every), strict=True)}

    def error(tracks: ap.Tracks) -> float:
        lat, lon = np.array([truth[int(t)] for t in tracks.t_ns]).T
        off = RADIUS * np.hypot(tracks.lat - lat, np.cos(0.83) * (tracks.lon - lon))
        return float(np.sqrt((off**2).mean()))

    assert len(bad) > 0.97 * len(right)
    assert error(bad) < 1.25 * error(without)
    assert error(good) < error(without)
    assert error(without) < 12.0


def way(every: float) -> tuple[F64, F64]:
    """Return latitudes and longitudes that `flight` scatters about."""
    t = np.arange(300) * every
    course = np.cumsum(np.where((t > 90) & (t < 180), 0.03, 0.0)) * every
    x, y = np.cumsum(170.0 * np.cos(course)) * every, np.cumsum(170.0 * np.sin(course)) * every
    assert T0 > 0
    return 0.83 + y / RADIUS, 0.15 + x / RADIUS / np.cos(0.83)
