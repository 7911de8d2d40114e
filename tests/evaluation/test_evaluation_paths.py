"""Truth and tracks at other instants than their rows: interpolation, hold, gaps, frames."""

from dataclasses import replace

import numpy as np
import pytest

from airpicture.evaluation import paths as room
from airpicture.geo import distance, enu_to_geodetic
from airpicture.tables import Status, Tracks, Truth

SHOWN = (Status.CONFIRMED, Status.COASTING)
SECOND = 1_000_000_000


def circle(t_ns, radius=20_000.0, omega=np.pi / 60, centre=(0.84, 0.17), height=5000.0):
    """A level standard-rate turn in the tangent plane of a place, with its exact velocity in the local axes there."""
    angle = omega * (t_ns - t_ns[0]) / SECOND
    size = len(t_ns)
    lat, lon, h = enu_to_geodetic(radius * np.sin(angle), radius * np.cos(angle), np.full(size, height), *centre, 0.0)
    v_plane = np.column_stack([radius * omega * np.cos(angle), -radius * omega * np.sin(angle), np.zeros(size)])
    v_ecef = room.enu_to_ecef_vector(v_plane, np.full(size, centre[0]), np.full(size, centre[1]))
    return lat, lon, h, room.ecef_to_enu_vector(v_ecef, lat, lon)


def truth_on(t_ns, lat, lon, h, v):
    size = len(t_ns)
    zero = np.zeros(size, np.int32)
    return Truth(t_ns, zero, zero - 1, lat, lon, h, v[:, 0], v[:, 1], v[:, 2], ("T0",))


def at(paths, t_ns):
    row, instant = room.spread(paths, t_ns)
    return room.interpolate(paths, row, t_ns[instant], instant)


def test_hermite_follows_a_turn_where_a_chord_would_not():
    dense = np.arange(0, 60 * SECOND, SECOND, dtype=np.int64)
    lat, lon, h, v = circle(dense)
    every = slice(0, None, 10)  # a 30 degree arc between rows
    rows = truth_on(dense[every], lat[every], lon[every], h[every], v[every])
    paths, _ = room.paths_of_truth(rows)
    got = at(paths, dense[:51])
    error = distance(lat[:51], lon[:51], got.lat, got.lon)
    # Cubic Hermite errs by at most h^4/384 |x''''| = 10^4/384 * 20000 * (pi/60)^4 = 3.9 m; the chord by 681 m.
    assert np.max(error) < 4.0
    assert np.max(np.abs(got.h_ell - h[:51])) < 0.2
    assert np.max(np.abs(got.v_enu[:, :2] - v[:51, :2])) < 0.2  # of 1047 m/s
    assert np.max(np.abs(got.v_enu[:, 2] - v[:51, 2])) < 0.5
    assert np.allclose(got.turn_rate[:50], np.radians(3.0), rtol=0.01)  # clockwise
    exact = got.instant % 10 == 0
    assert np.array_equal(got.lat[exact], rows.lat)
    assert np.array_equal(got.v_enu[exact], v[every][:6])

    bare = replace(rows, v_east=rows.v_east * np.nan, v_north=rows.v_north * np.nan, v_up=rows.v_up * np.nan)
    chord = at(room.paths_of_truth(bare)[0], dense[:51])
    assert 600 < np.max(distance(lat[:51], lon[:51], chord.lat, chord.lon)) < 700
    assert np.all(np.isnan(chord.v_enu))


def test_straight_stretches_keep_their_height_over_the_round_earth():
    t_ns = np.array([0, 1000], np.int64) * SECOND
    lat, lon, h = np.array([0.5, 0.5]), np.array([0.0, 0.04]), np.array([1000.0, 3000.0])
    paths, _ = room.paths_of_truth(truth_on(t_ns, lat, lon, h, np.full((2, 3), np.nan)), gap_s=2000)
    got = at(paths, np.array([500], np.int64) * SECOND)
    assert got.h_ell[0] == pytest.approx(2000.0)  # the chord alone is 980 m lower
    assert got.lon[0] == pytest.approx(0.02, rel=1e-3)


def test_unknown_height_stays_unknown_and_the_antimeridian_is_no_edge():
    t_ns = np.array([0, 10], np.int64) * SECOND
    lon = np.array([np.pi - 1e-4, -np.pi + 1e-4])
    truth = truth_on(t_ns, np.zeros(2), lon, np.array([np.nan, 100.0]), np.full((2, 3), np.nan))
    got = at(room.paths_of_truth(truth)[0], np.array([0, 5, 10], np.int64) * SECOND)
    assert np.isnan(got.h_ell).tolist() == [True, True, False]
    assert abs(abs(got.lon[1]) - np.pi) < 1e-9


def test_truth_is_not_interpolated_over_gaps(truth_of):
    rows = [(t, 0, 100.0 * t, 0.0) for t in (*range(10), *range(30, 40))]
    paths, _ = room.paths_of_truth(truth_of(rows))
    start = paths.t_ns[0]
    asked = start + np.arange(0, 45, dtype=np.int64) * SECOND
    assert np.flatnonzero(np.isin(np.arange(45), at(paths, asked).instant)).tolist() == [*range(10), *range(30, 40)]
    wide, _ = room.paths_of_truth(truth_of(rows), gap_s=25)
    assert len(at(wide, asked).instant) == 40
    # An instant on a row counts even when both neighbours are far.
    lonely, _ = room.paths_of_truth(truth_of([(0, 0, 0, 0), (7, 1, 0, 0), (100, 1, 0, 0)]), gap_s=5)
    assert at(lonely, asked).path.tolist() == [0, 1]


def test_a_track_is_shown_until_it_ends_or_is_held_too_long(tracks_of):
    tracks = tracks_of(
        [(0, 1, 0, 0), (10, 1, 0, 0), (20, 1, 0, 0), (0, 2, 0, 0), (10, 2, 0, 0), (14, 2, 0, 0), (3, 3, 0, 0)],
        status=[1, 2, 1, 0, 1, 3, 1],
    )
    paths, _ = room.paths_of_tracks(tracks, statuses=SHOWN, hold_s=12)
    instants = paths.t_ns.min() + np.arange(0, 50, dtype=np.int64) * SECOND
    row, instant = room.spread(paths, instants)
    seen = {int(paths.ids[k]): sorted(instant[paths.path[row] == k].tolist()) for k in range(3)}
    assert seen == {1: [*range(33)], 2: [*range(10, 14)], 3: [*range(3, 16)]}
    # Left to itself the hold time is 3.3 intervals: 33 s for tracks 1 and, by the median of the others, 3.
    paths, _ = room.paths_of_tracks(tracks, statuses=SHOWN, hold_s=None)
    row, instant = room.spread(paths, instants)
    assert max(instant[paths.path[row] == 0]) == 49
    assert paths.interval_s.tolist()[:2] == [10.0, 4.0]


def test_a_display_carries_a_track_straight_on(tracks_of):
    tracks = tracks_of([(0, 1, 0, 0, 2000.0)], v_east=[200.0], v_north=[0.0], v_up=[10.0])
    paths, _ = room.paths_of_tracks(tracks, statuses=SHOWN, hold_s=60)
    row = np.zeros(2, np.int64)
    got = room.carry(paths, row, paths.t_ns[0] + np.array([0, 30], np.int64) * SECOND, row)
    assert got.lat[0] == tracks.lat[0]
    moved = distance(tracks.lat[0], tracks.lon[0], got.lat[1], got.lon[1])
    assert moved == pytest.approx(6000.0 / (1 + 2000 / 6.37e6), abs=1.0)
    assert got.h_ell[1] == pytest.approx(2300.0)
    still = room.carry(
        room.paths_of_tracks(tracks_of([(0, 1, 0, 0)]), statuses=SHOWN, hold_s=60)[0],
        row,
        paths.t_ns[[0, 0]] + SECOND,
        row,
    )
    assert np.allclose(still.lat, tracks.lat[0], atol=1e-12)  # no velocity: it stays where it is


def test_rows_are_found_by_time_for_any_path():
    rng = np.random.default_rng(3)
    rows = 400
    t_ns = rng.integers(0, 10_000, rows) * 10
    tracks = Tracks.blank(
        rows,
        None,
        t_ns=t_ns,
        track=rng.integers(0, 12, rows),
        lat=np.zeros(rows),
        lon=np.zeros(rows),
        status=np.ones(rows),
    )
    paths, _ = room.paths_of_tracks(tracks, statuses=SHOWN, hold_s=1e-6)
    path, asked = rng.integers(0, 12, 500), rng.integers(0, 11_000, 500) * 10
    plain = []
    for p, t in zip(path, asked, strict=True):
        mine = [k for k in range(rows) if paths.path[k] == p and paths.t_ns[k] <= t < paths.until_ns[k]]
        plain.append(mine[-1] if mine else -1)
    assert room.row_at(paths, path, asked).tolist() == plain
    assert 0 < np.count_nonzero(np.array(plain) >= 0) < 500


def test_vectors_turn_as_pymap3d_turns_them():
    pymap3d = pytest.importorskip("pymap3d")
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(-np.pi / 2, np.pi / 2, 50), rng.uniform(-np.pi, np.pi, 50)
    d = rng.normal(0, 100, (50, 3))
    east, north, up = pymap3d.ecef2enuv(*d.T, lat, lon, deg=False)
    mine = room.ecef_to_enu_vector(d, lat, lon)
    assert np.allclose(mine, np.column_stack([east, north, up]), atol=1e-9)
    assert np.allclose(room.enu_to_ecef_vector(mine, lat, lon), d, atol=1e-9)


def test_usual_interval_takes_no_notice_of_one_long_pause():
    path = np.array([0] * 10 + [1] + [2] * 2)
    step = np.array([5.0] * 9 + [3600.0] + [0.0] + [4.0, 0.0])
    got = room.usual_interval(path, step, 3)
    assert got[0] == 5.0
    assert np.isnan(got[1])
    assert got[2] == 4.0
