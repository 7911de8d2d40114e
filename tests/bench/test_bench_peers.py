"""The comparison with Stone Soup: same plots, same score, and a plain message where it isn't there."""

import importlib.util

import numpy as np
import pytest

from airpicture import geo
from airpicture.bench import peers
from airpicture.bench.load import config_for, tracker_of
from airpicture.errors import ConfigError, InputError
from airpicture.tables import F64

installed = pytest.mark.skipif(importlib.util.find_spec("stonesoup") is None, reason="Stone Soup isn't installed")


def test_without_stone_soup_a_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install stonesoup"):
        peers.check_peers([300])


@installed
def test_more_than_it_can_hold_is_refused() -> None:
    peers.check_peers([300, 1000])
    with pytest.raises(ConfigError, match="1,001 targets"):
        peers.check_peers([1001])


def test_a_plot_and_its_target_are_near_in_the_plane() -> None:
    sky = peers.flat_sky(100, seed=1)
    turn = peers.as_turn(sky, sky.next_scan())
    xy = np.stack([turn.slant * np.sin(turn.azimuth), turn.slant * np.cos(turn.azimuth)], axis=1)
    order = np.argsort(turn.truth_number)
    real = np.isin(turn.scan.target, turn.truth_number)
    row = order[np.searchsorted(turn.truth_number[order], turn.scan.target[real])]
    error = np.linalg.norm(xy[real] - turn.truth_xy[row], axis=1)
    across = sky.radar.sigma_azimuth * turn.slant[real]
    assert np.sqrt(np.mean(error**2 / (across**2 + sky.radar.sigma_range**2))) == pytest.approx(1.0, abs=0.15)
    assert float(sky.traffic.h.min()) == float(sky.traffic.h.max()) == peers.HEIGHT


def test_a_track_without_height_is_seen_where_the_radar_saw_it() -> None:
    """Of a target at 9 km that passes the radar at 10 km a place on the ground goes with the height it was taken at."""
    sky = peers.flat_sky(300, seed=1)
    tracker, s = tracker_of(sky.sensors, config_for(300), 1), sky.sensors
    for scan in sky.scans(12):
        tracks = tracker.step(scan.plots, scan.now_ns).tracks
    assert np.isnan(tracks.h_ell).all()
    held = peers.held_heights(tracker, tracks.track[::-1], scan.now_ns)[::-1]

    def gap(h: F64) -> F64:
        slant, _, _ = geo.geodetic_to_polar(tracks.lat, tracks.lon, h, s.lat[0], s.lon[0], s.h_ell[0])
        return np.asarray(np.abs(slant[:, None] - scan.plots.slant_range).min(axis=1))

    near = held < 5000.0  # taken for lower than it is: there's no room for more under so short a range
    assert near.any()
    assert gap(held)[near].max() < 210.0  # three sigma
    assert gap(np.full(len(tracks), peers.HEIGHT))[near].min() > 500.0


def test_tally_counts_switches_and_misses_from_the_first_scored_turn() -> None:
    tally = peers.Tally()
    truth, number = np.array([[0.0, 0.0], [10e3, 0.0]]), np.array([7, 8])
    for turn, names in ((peers.FIRST - 1, ["a", "b"]), (peers.FIRST, ["b", "a"]), (peers.FIRST + 1, ["b"])):
        tally.add(turn, truth, number, truth[: len(names)] + 300.0 / np.sqrt(2), names)
    mean = tally.mean()
    assert mean["switches"] == 1.0  # two, in two turns
    assert mean["missed"] == 0.5
    assert mean["false"] == 0.0
    assert mean["rms_m"] == pytest.approx(300.0)


@installed
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["nearest", "kd", "ehm", "belief"])
def test_stone_soup_tracks_what_we_track(kind: str) -> None:
    sky = peers.flat_sky(30, seed=2)
    turns = [peers.as_turn(sky, scan) for scan in sky.scans(14)]
    theirs = peers.run_peer(sky, turns, kind, lambda: None)
    ours = peers.run_own(sky, turns, config_for(30), lambda: None)
    # Put together wrongly (bearing the other way round, noise in wrong units) it would hold nothing: 30 missed.
    assert theirs["missed"] < 6.0
    assert theirs["false"] < 6.0
    assert theirs["rms_m"] < 600.0
    assert ours["gospa_m"] < 1.1 * theirs["gospa_m"]
    assert ours["cpu_s_turn"] < theirs["cpu_s_turn"]
