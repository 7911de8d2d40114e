"""The sky of the benchmarks: motion against geodesics and arcs, plots against truth, population, repeatability."""

import math

import numpy as np
import pymap3d
import pyproj
import pytest
from scipy.spatial import cKDTree

from airpicture import geo
from airpicture.errors import ConfigError
from airpicture.simulation.sky import PLACED, Radar, Sky, long_range, region, round_earth
from airpicture.simulation.traffic import PAIR_MISS_M, Disc, Mix, Traffic, lattice
from airpicture.units import DEG

GEOD = pyproj.Geod(ellps="WGS84")


def disc(lat: float = 50.0, radius: float = 240e3) -> Disc:
    return Disc(np.array([lat * DEG]), np.array([10.0 * DEG]), np.array([50.0]), radius)


def traffic(
    count: int = 400, *, turning: float = 0.0, paired: float = 0.0, lat: float = 50.0, seed: int = 3
) -> Traffic:
    return Traffic(disc(lat), count, Mix(turning=turning, paired=paired), np.random.default_rng(seed))


@pytest.mark.parametrize("lat", [-89.0, -33.0, 0.0, 50.0])
def test_straight_flight_is_a_geodesic_at_constant_height_and_speed(lat: float) -> None:
    flown = traffic(lat=lat)
    lat0, lon0, h0 = geo.ecef_to_geodetic(flown.p)
    axes = geo.rotation_enu_ecef(lat0, lon0)
    east, north, climb = np.einsum("nij,nj->in", axes, flown.v)
    speed = np.hypot(east, north)
    assert np.abs(climb).max() < 1e-6
    assert np.abs(h0 - flown.h).max() < 1e-6
    for turn in range(30):
        flown.p, flown.v, flown.up = flown.moved(slice(None), 10.0 * turn, 10.0 * turn + 10.0)
    lat1, lon1, h1 = geo.ecef_to_geodetic(flown.p)
    assert np.abs(h1 - flown.h).max() < 1e-6
    assert np.abs(np.linalg.norm(flown.v, axis=1) - speed).max() < 1e-9
    # Level at height h, ground speed is slower by the curvature of the path: R / (R + h), R from 6,335 to 6,400 km.
    distance = 300.0 * speed
    to_lon, to_lat, _ = GEOD.fwd(
        np.degrees(lon0), np.degrees(lat0), np.degrees(np.arctan2(east, north)), distance * 6368e3 / (6368e3 + h0)
    )
    _, _, off = GEOD.inv(np.degrees(lon1), np.degrees(lat1), to_lon, to_lat)
    assert np.max(off) < 1.5  # m, after up to 90 km: the radius is that good


def test_turns_are_arcs_of_the_planned_rate() -> None:
    flown = traffic(turning=1.0)
    flown.on[:], flown.off[:] = 4.0, 60.0
    before, rate = flown.v.copy(), flown.rate.copy()
    p, v, up = flown.moved(slice(None), 0.0, 10.0)
    cosine = np.einsum("ij,ij->i", before, v) / np.einsum("ij,ij->i", v, v)
    assert np.arccos(np.clip(cosine, -1, 1)) == pytest.approx(np.abs(rate) * 6.0, abs=1e-3)
    side = np.einsum("ij,ij->i", np.cross(before, v), up)
    assert (np.sign(side) == np.sign(rate)).all()  # counter-clockwise from above is positive
    # In steps of a hundredth the same place, but for what the curvature does to the way of cutting: below 1 cm.
    for k in range(1000):
        flown.p, flown.v, flown.up = flown.moved(slice(None), 0.01 * k, 0.01 * (k + 1))
    assert np.linalg.norm(flown.p - p, axis=1).max() < 0.01
    assert (np.abs(rate) <= 3.0 * DEG + 1e-12).all()


def test_pairs_meet_as_closely_as_planned() -> None:
    flown = traffic(400, paired=1.0)
    leader = np.flatnonzero(flown.leads)
    nearest = np.full(len(leader), np.inf)
    for k in range(340):
        apart = flown.p[leader] - flown.p[leader + 1]
        apart -= np.einsum("ij,ij->i", apart, flown.up[leader])[:, None] * flown.up[leader]
        nearest = np.minimum(nearest, np.linalg.norm(apart, axis=1))
        flown.p, flown.v, flown.up = flown.moved(slice(None), float(k), k + 1.0)
    assert nearest.max() < PAIR_MISS_M[1] + 50.0
    assert np.median(nearest) > 100.0


def test_population_lasts_and_numbers_are_new() -> None:
    flown = traffic(1000, turning=0.2, paired=0.2)
    assert flown.pair.sum() == 200
    met = {int(number) for number in flown.number}
    for turn in range(60):
        before = flown.number.copy()
        flown.advance(10.0 * turn, 10.0 * turn + 10.0, turn + 1)
        came = set(flown.number[flown.number != before].tolist())
        assert not came & met
        met |= came
        assert (flown.since[flown.number != before] == turn + 1).all()
        inside = flown.inside()
        assert inside[~flown.pair].all()
        assert inside.mean() > 0.97
    assert 1300 < len(met) < 2500  # 190 m/s through a disc of 240 km: a fifth leave in ten minutes
    away = np.linalg.norm(flown.p - geo.geodetic_to_ecef(50 * DEG, 10 * DEG, 50.0), axis=1)
    # stays uniform: half of the area lies within 0.71 R
    assert np.mean(away < 240e3 / math.sqrt(2.0)) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("timing", ["rotating", "snapshot", "staggered"])
def test_plots_are_the_targets_with_the_stated_noise(timing: str) -> None:
    sky = round_earth(2000, timing=timing)  # type: ignore[arg-type]
    track: dict[str, list[float]] = {"range": [], "azimuth": [], "beam": []}
    share, false = [], []
    for _ in range(4):
        t0, flown = 10.0 * sky.turn, sky.traffic
        was = (flown.number.copy(), flown.p.copy(), flown.v.copy(), flown.up.copy())
        plan = (flown.h.copy(), flown.rate.copy(), flown.on.copy(), flown.off.copy())
        scan = sky.next_scan()
        later = Traffic(disc(), 2000, Mix(), np.random.default_rng(0))
        (later.number, later.p, later.v, later.up), (later.h, later.rate, later.on, later.off) = was, plan
        real = np.flatnonzero(scan.target >= 0)
        order = np.argsort(later.number)
        row = order[np.searchsorted(later.number[order], scan.target[real])]
        t = (scan.plots.t_ns[real] - scan.start_ns) * 1e-9
        assert ((t >= 0) & (t <= 10.0)).all()
        p, _, _ = later.moved(row, t0, t0 + t)
        s, sensor = sky.sensors, scan.plots.sensor[real]
        lat, lon, h = pymap3d.ecef2geodetic(*p.T)
        az, _, slant = pymap3d.geodetic2aer(
            lat, lon, h, np.degrees(s.lat[sensor]), np.degrees(s.lon[sensor]), s.h_ell[sensor]
        )
        track["range"] += list(scan.plots.slant_range[real] - slant)
        swing = np.mod(scan.plots.azimuth[real] - np.radians(az) + np.pi, 2 * np.pi) - np.pi
        track["azimuth"] += list(swing)
        beam = np.radians(az) / (2 * np.pi) - sky._phase[sensor] - t / 10.0
        track["beam"] += list(np.abs(beam - np.rint(beam)))
        share.append(len(real) / flown.inside().sum())
        false.append(int((scan.target < 0).sum()))
    n = len(track["range"])
    for name, sigma in (("range", 70.0), ("azimuth", 0.08 * DEG)):
        assert np.std(track[name]) == pytest.approx(sigma, rel=4.0 / math.sqrt(2 * n))
        assert abs(np.mean(track[name])) < 4.0 * sigma / math.sqrt(n)
    assert np.mean(share) == pytest.approx(0.9, abs=0.01)
    assert np.mean(false) == pytest.approx(1000.0, abs=4 * math.sqrt(1000.0 / 4))
    if timing == "rotating":
        assert np.percentile(track["beam"], 99) < 2e-3  # turns: a beam's width or less


def test_radars_that_see_all_at_once_take_turns() -> None:
    sky = round_earth(20_000, timing="staggered")  # 40 radars
    scan = sky.next_scan()
    assert (np.diff(scan.plots.t_ns) >= 0).all()
    times = [np.unique(scan.plots.t_ns[scan.plots.sensor == k]) for k in range(40)]
    assert [len(one) for one in times] == [1] * 40
    assert len(np.unique(np.concatenate(times))) == 40
    later = sky.next_scan()
    for k in range(40):  # each again after a turn
        assert (later.plots.t_ns[later.plots.sensor == k] == times[k] + 10_000_000_000).all()
    parts = list(scan.parts(8))
    assert sum(len(part) for part, _ in parts) == len(scan)
    assert all(len(part) > 0 for part, _ in parts)


def test_false_plots_are_uniform_in_range_and_azimuth() -> None:
    scan = round_earth(20_000).next_scan()
    false = scan.target < 0
    r = (scan.plots.slant_range[false] - 2e3) / 238e3
    a = scan.plots.azimuth[false] / (2 * np.pi)
    n = false.sum()
    for u in (r, a):
        assert np.abs(np.sort(u) - (np.arange(n) + 0.5) / n).max() < 1.95 / math.sqrt(n)  # Kolmogorov-Smirnov, 0.1 %


def test_same_seed_same_bytes() -> None:
    first, second, other = (list(round_earth(1500, seed=seed).scans(2))[-1] for seed in (5, 5, 6))
    for name in type(first.plots).column_names():
        assert getattr(first.plots, name).tobytes() == getattr(second.plots, name).tobytes(), name
    assert first.target.tobytes() == second.target.tobytes()
    assert first.plots.slant_range.tobytes() != other.plots.slant_range.tobytes()


def test_parts_are_the_turn_cut_by_time() -> None:
    scan = round_earth(2000).next_scan()
    parts = list(scan.parts(32))
    assert len(parts) == 32
    assert parts[-1][1] == scan.now_ns
    assert np.concatenate([part.t_ns for part, _ in parts]).tobytes() == scan.plots.t_ns.tobytes()
    before = scan.start_ns
    for part, now_ns in parts:
        assert ((part.t_ns > before) | (before == scan.start_ns)).all()
        assert (part.t_ns <= now_ns).all()
        before = now_ns


def test_truth_is_of_the_end_of_the_turn_and_no_later() -> None:
    sky = long_range(50)
    scan = sky.next_scan()
    truth = scan.truth
    assert truth.t_ns == scan.now_ns
    p = geo.geodetic_to_ecef(truth.lat, truth.lon, truth.h)
    v = np.stack([truth.v_east, truth.v_north, np.zeros(len(truth))], axis=1)
    axes = geo.rotation_enu_ecef(truth.lat, truth.lon)
    row = np.flatnonzero(sky.traffic.inside())
    assert (sky.traffic.number[row] == truth.number).all()
    assert np.abs(p - sky.traffic.p[row]).max() < 1e-6
    assert np.abs(np.einsum("nji,nj->ni", axes, v) - sky.traffic.v[row]).max() < 1e-6
    sky.next_scan()
    with pytest.raises(ValueError, match="moved on"):
        _ = scan.truth


def test_errors_of_plots_are_those_on_the_ground() -> None:
    known = long_range(3000, radius=240e3, radar=Radar(mode_c=1.0), timing="snapshot").next_scan()
    placed = known.error[np.isfinite(known.error)]
    assert PLACED / 2 < len(placed) <= 2 * PLACED
    # across: 0.08 degrees at 160 km (two thirds of the disc) is 223 m; along: 70 m
    assert np.sqrt(np.mean(placed**2)) == pytest.approx(math.hypot(70.0, 0.08 * DEG * 240e3 / math.sqrt(2)), rel=0.05)
    unknown = long_range(3000, radius=240e3, timing="snapshot").next_scan()
    assert np.nanmedian(unknown.error) > 1.2 * np.nanmedian(known.error)


def test_elevation_and_mode_c_are_measured_when_asked_for() -> None:
    scan = long_range(500, radar=Radar(sigma_elevation=0.2 * DEG, mode_c=0.5)).next_scan()
    real = scan.target >= 0
    assert np.isfinite(scan.plots.elevation).all()
    assert np.mean(np.isfinite(scan.plots.h_baro[real])) == pytest.approx(0.5, abs=0.1)
    assert np.isnan(scan.plots.h_baro[~real]).all()
    assert (np.isfinite(scan.plots.h_baro) == (scan.plots.technology == 1)).all()


@pytest.mark.parametrize("count", [1, 2, 20, 200, 2000])
def test_radars_stand_apart(count: int) -> None:
    lat, lon = lattice(count)
    assert (np.abs(lat) < np.pi / 2).all()
    assert (np.abs(lon) <= np.pi).all()
    if count > 1:
        apart = cKDTree(geo.geodetic_to_ecef(lat, lon, np.zeros(count))).query(geo.geodetic_to_ecef(lat, lon, 0.0), k=2)
        assert apart[0][:, 1].min() > 474e3


def test_radars_of_a_region_share_their_targets() -> None:
    sky = region()
    scans = list(sky.scans(2))
    assert len(scans[1].plots) == pytest.approx(20_000, rel=0.03)  # 2,000 a second
    real = scans[1].target >= 0
    seen = np.bincount(scans[1].target[real].astype(np.int64))
    assert 4.0 < seen[seen > 0].mean() < 6.0
    assert np.isfinite(scans[1].plots.h_baro[real]).all()
    assert len(scans[1].truth) > 3900


def test_a_storm_has_more_false_plots() -> None:
    sky = round_earth(1000)
    scan = sky.next_scan(clutter=100.0)
    assert (scan.target < 0).sum() == pytest.approx(50_000, rel=0.03)
    assert (sky.next_scan().target < 0).sum() < 700


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="30,000,000 targets"):
        round_earth(30_000_000)
    with pytest.raises(ConfigError, match="rotating"):
        Sky(disc(), 10, timing="random")  # type: ignore[arg-type]


def test_the_number_of_radars_stops_where_they_touch() -> None:
    assert len(round_earth(1500).sensors) == 3
    sky = round_earth(2_000_000)
    assert len(sky.sensors) == 2000
    assert np.bincount(sky.traffic.home).tolist() == [1000] * 2000
