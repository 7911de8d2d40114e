"""Random skies, sensors, settings and slips: what's promised of any input, by two trackers that are fed otherwise.

One tracker gets each frame at once. The other gets it in pieces, on two threads that share work out finely, is told to
close frames in between, and goes on from a checkpoint of itself half-way.
"""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from airpicture.config import Association, Config, Life, Motion
from airpicture.formats.sensors import sensors_from_rows
from airpicture.geo import enu_to_geodetic, geodetic_to_polar
from airpicture.kernels.addresses import NOBODY, SEVERAL
from airpicture.kernels.layout import FACTORS, HELD_NUMBER, MODELS, PACKED
from airpicture.kernels.life import NEVER
from airpicture.parallel import workers
from airpicture.picture import Picture
from airpicture.reports import Reports
from airpicture.service.frozen import freeze, thaw
from airpicture.tables import I64, PLOT_DTYPES, Plots, SensorKind, Sensors, Status
from airpicture.tracker import Tracker
from airpicture.undo import Left
from test_tracker_threads import small_tasks as small_tasks
from tracking_scenes import SECOND, T0, assert_bytes_equal

F64 = NDArray[np.float64]
ABSURD = (math.nan, math.inf, -math.inf, 1e300, -1e300, 1e-300, 0.0, -1.0, 1e5, 1e16, -1e9, 1e40, 1e-20, 1e100)
TIMES = (-(2**63), 2**63 - 1, 0, T0 - 10**15, T0 + 10**15)
DIAGONAL = [k * (k + 3) // 2 for k in range(6)]


def some_settings(rng: np.random.Generator) -> Config:
    """Settings of which every third is another than usual, bounds that are soon reached among them."""

    def one(usual: Any, *others: Any) -> Any:
        return usual if rng.random() < 0.65 else others[rng.integers(len(others))]

    return Config(
        motion=Motion(q_agile=one(2600.0, 10.0, 1e5), share_turn=one(0.07, 1e-4, 0.4), mode_seconds=one(70.0, 0.5)),
        association=Association(
            method=one("joint", "nearest"), exact_limit=one(12, 1, 3), apart=one(0.5, 0.0, 1.0), pairs_max=one(64, 1, 3)
        ),
        life=Life(
            birth_odds=one(0.01, 1.0), start_odds=one(0.3, 0.0), confirm=one(0.99, 0.6), confirm_plots=one(3, 1),
            retire_tentative=one(0.01, 0.3), pairs_max=one(4, 1, 9), coast_s=one(8.0, 0.5), end_s=one(60.0, 1.0, 5.0),
            heard_s=one(300.0, 5.0), lifetime_s=one(1e4, 5.0), pool_max=one(1 << 20, 16, 50), visits_max=one(512, 16),
        ),
        frame_s=one(0.25, 0.1, 1.0, 3.0),
        gate_radius_max=one(80e3, 500.0),
        height_max=one(18e3, 200.0),
        late_s_max=one(15.0, 0.0, 1.0),
        future_s_max=one(60.0, 0.0),
        capacity=one(5000, 16, 60),
    )  # fmt: skip


def some_sensors(rng: np.random.Generator, lat_deg: float, lon_deg: float) -> Sensors:
    rows: list[dict[str, Any]] = []
    for k in range(rng.integers(1, 6)):
        kind = str(rng.choice(["radar", "radar", "adsb", "mlat", "passive"]))
        row: dict[str, Any] = {"id": f"s{k}", "kind": kind, "bias_time_s": float(rng.choice([0.0, 0.0, 0.4]))}
        if kind in ("radar", "passive"):
            away = rng.uniform(-0.3, 0.3, 2)
            row |= {"lat_deg": float(np.clip(lat_deg + away[0], -90.0, 90.0)), "lon_deg": lon_deg + float(away[1])}
            row["lon_deg"] = (row["lon_deg"] + 180.0) % 360.0 - 180.0
        if kind == "radar":
            row |= {"period_s": float(rng.choice([1.0, 4.0])), "range_m_max": float(rng.choice([60e3, 250e3]))}
            row |= {name: value for name, value in MEASURED.items() if rng.random() < 0.4}
        rows.append(row)
    return sensors_from_rows(rows)


MEASURED = {"sigma_elevation_deg": 0.2, "sigma_range_rate_mps": 2.0, "range_m_min": 800.0, "bias_range_m": 60.0}


def some_plots(rng: np.random.Generator, sensors: Sensors, where: tuple[float, float], seconds: float) -> Plots:
    """Plots, positions, bearings and messages of a dozen targets, and false ones; here and there a number is absurd."""
    n, area = 12, float(rng.choice([3e3, 30e3]))
    east, north, h = *rng.uniform(-area, area, (2, n)), rng.uniform(0.0, 9e3, n)
    speed, course = rng.choice([0.0, 60.0, 230.0], n), rng.uniform(0.0, 2 * math.pi, n)
    address = np.where(rng.random(n) < 0.7, 0x400000 + rng.integers(0, 9, n), -1)
    parts = []
    for s, kind in enumerate(sensors.kind.tolist()):
        turn = float(np.nan_to_num(sensors.period[s], nan=1.0))
        for begin in np.arange(0.0, seconds, turn):
            some = np.flatnonzero(rng.random(n) < 0.85)
            t = begin + turn * np.sort(rng.random(len(some)))
            way = speed[some] * t
            at = (east[some] + way * np.sin(course[some]), north[some] + way * np.cos(course[some]))
            lat, lon, _ = enu_to_geodetic(*at, np.zeros(len(some)), *np.radians(where), 0.0)
            told: dict[str, Any] = {"t_ns": T0 + (1e9 * (t + sensors.bias_time[s])).astype(np.int64)}
            told |= {"sensor": np.full(len(some), s), "address": address[some]}
            told |= {"v_up": rng.normal(size=len(some))} if rng.random() < 0.3 else {}
            if rng.random() < 0.5:
                told["h_baro"] = np.round(h[some] / 30.48) * 30.48
            if kind in (SensorKind.RADAR, SensorKind.PASSIVE):
                site = (sensors.lat[s], sensors.lon[s], sensors.h_ell[s])
                far, azimuth, up = geodetic_to_polar(lat, lon, h[some], *site)[:3]
                told |= {"azimuth": azimuth + 1e-3 * rng.normal(size=len(some)), "elevation": up}
                told |= {"slant_range": far, "range_rate": 90.0 * up} if kind == SensorKind.RADAR else {}
                told |= {"address": np.full(len(some), -1)} if rng.random() < 0.5 else {}
                false = {**told, "azimuth": rng.uniform(0.0, 6.0, len(some)), "address": np.full(len(some), -1)}
                parts.append(Plots.blank(len(some), sensors, **false))
            elif rng.random() < 0.7:
                told |= {"lat": lat, "lon": lon, "sigma_pos": rng.choice([3.0, 30.0, math.nan], len(some))}
                moves = {"v_east": speed[some] * np.sin(course[some]), "v_north": speed[some] * np.cos(course[some])}
                told |= moves if rng.random() < 0.5 else {}
            parts.append(Plots.blank(len(some), sensors, **told))
    plots = Plots.concat(parts)
    names = [name for name, kind in PLOT_DTYPES.items() if kind is np.float64]
    for row in np.flatnonzero(rng.random(len(plots)) < rng.choice([0.0, 0.05, 0.3])).tolist():
        getattr(plots, str(rng.choice(names)))[row] = rng.choice(ABSURD)
        if row > 0 and rng.random() < 0.1:
            plots.t_ns[row] = rng.choice(np.array(TIMES))
        if rng.random() < 0.1:
            plots.sensor[row], plots.mode_3a[row] = rng.choice([-1, 99]), rng.choice([-2, 0, 40_000])
            plots.technology[row] = rng.integers(0, 256)
    return plots


def as_they_come(rng: np.random.Generator, plots: Plots, seconds: float) -> tuple[Plots, NDArray[np.int64]]:
    """Return the plots in the order in which they come, and when: some late, some twice."""
    arrival = np.clip(plots.t_ns, T0, T0 + round(1e9 * seconds) + 5 * SECOND)  # none but absurd ones before their time
    late = rng.random(len(plots)) < rng.choice([0.0, 0.15])
    arrival[late] += rng.integers(0, 4 * SECOND, int(late.sum()))
    twice = np.flatnonzero(rng.random(len(plots)) < rng.choice([0.0, 0.05]))
    rows = np.concatenate([np.arange(len(plots)), twice])
    arrival = np.concatenate([arrival, arrival[twice] + rng.integers(0, 2 * SECOND, len(twice))])
    order = np.argsort(arrival, kind="stable")
    return plots.take(rows[order]), arrival[order]


def assert_makes_sense(picture: Picture, sensors: Sensors) -> None:
    tracks = picture.tracks
    for name in ("lat", "lon", "v_east", "v_north", "existence", "rho_east_north", "a_east", "turn_left", "turn_right"):
        assert np.isfinite(getattr(tracks, name)).all(), name
    for name in ("sigma_east", "sigma_north", "sigma_v_east", "sigma_v_north"):
        assert (np.isfinite(getattr(tracks, name)) & (getattr(tracks, name) >= 0.0)).all(), name
    assert (np.isfinite(tracks.h_ell) == np.isfinite(tracks.sigma_up)).all()
    assert ((tracks.existence >= 0.0) & (tracks.existence <= 1.0)).all()
    assert (np.abs(tracks.rho_east_north) <= 1.0).all()
    assert (np.abs(tracks.lat) <= 0.5 * math.pi).all()
    assert (np.abs(tracks.lon) <= math.pi).all()
    assert ((tracks.seen >= -1) & (tracks.seen < len(sensors))).all()
    assert ((tracks.t_ns_first <= tracks.t_ns_plot) & (tracks.t_ns_plot <= picture.t_ns)).all()
    assert len(np.unique(tracks.track)) == len(tracks)
    assert_bytes_equal(picture.moved(), tracks.take(picture.changed))


def assert_holds(tracker: Tracker) -> None:
    """Numbers are given once, covariances are some, who ended is counted, and addresses lead to their tracks."""
    store = tracker._store
    live = np.flatnonzero(store.status[: store.n] != Status.ENDED)
    ended = np.flatnonzero(store.status[: store.n] == Status.ENDED)
    assert store.ended == np.count_nonzero(store.due_ns[ended] == NEVER)  # the others ended since the last second
    assert np.isfinite(store.states[live, :HELD_NUMBER]).all()
    factors = store.spreads[live, FACTORS : FACTORS + MODELS * PACKED].reshape(len(live), PACKED, MODELS)
    assert np.isfinite(factors).all()
    assert (factors[:, DIAGONAL] > 0.0).all()
    assert len(np.unique(store.number[live])) == len(live)
    assert (store.number[live] < store.next_number).all()
    asked = np.unique(store.address[live[store.address[live] >= 0]])
    for address, row in zip(asked, tracker._addresses.rows_of(store, asked).tolist(), strict=True):
        rows = live[store.address[live] == address]
        sure = rows[store.status[rows] != Status.TENTATIVE]
        held = sure if len(sure) else rows
        assert row == (held[0] if len(held) == 1 else SEVERAL) != NOBODY


@pytest.mark.usefixtures("small_tasks")
@pytest.mark.parametrize("seed", range(24))
def test_whatever_comes_however_it_is_fed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    where = float(rng.choice([47.0, -89.99, 90.0])), float(rng.choice([8.0, 180.0]))
    sensors, config, seconds = some_sensors(rng, *where), some_settings(rng), 6.0
    plots, arrival = as_they_come(rng, some_plots(rng, sensors, where, seconds), seconds)
    frame_ns, none, shared = (
        round(config.frame_s * 1e9),
        plots.take(slice(0, 0)),
        {"sensors": sensors, "config": config},
    )
    done, sizes = 0, list[int]()  # of frames
    with workers(2) as two:
        whole, pieces = Tracker(sensors, config), Tracker(sensors, config, run=two)
        do, take_back = whole._do, whole._undo_open_frame

        def noting(reports: Reports) -> list[I64]:
            sizes.append(reports.size)
            return do(reports)

        def taking_back() -> Left | None:
            if whole._undo is not None:
                sizes.pop()
            return take_back()

        whole._do, whole._undo_open_frame = noting, taking_back  # type: ignore[method-assign]
        while done < len(plots) and whole._frame is None:  # who comes first says when all begins
            for tracker in whole, pieces:
                tracker.step(plots.take(slice(done, done + 1)), int(arrival[done]) // frame_ns * frame_ns - 1)
            done += 1
        frames = np.unique(arrival[max(done - 1, 0) :] // frame_ns)
        frames = np.concatenate([frames, frames[-1] + [1, 10 * SECOND // frame_ns + 2, 90 * SECOND // frame_ns + 3]])
        for k, first in enumerate((frames * frame_ns).tolist()):
            end = first + frame_ns - 1
            last = max(done, int(np.searchsorted(arrival, end, side="right")))
            for tracker in whole, pieces:
                tracker.step(none, first)  # what comes late from now on is late for both
            expected = whole.step(plots.take(slice(done, last)), end)
            for now in np.sort(rng.integers(first, end, rng.integers(0, 4))).tolist():
                upto = max(done, int(np.searchsorted(arrival, now, side="right")))
                assert_makes_sense(pieces.step(plots.take(slice(done, upto)), now), sensors)
                pieces.advance(now)
                done = upto
            picture = pieces.step(plots.take(slice(done, last)), end)
            assert_bytes_equal(picture.tracks, expected.tracks)
            assert pieces.counts + pieces._tally == whole.counts + whole._tally
            assert_makes_sense(expected, sensors)
            assert_holds(whole)
            assert_holds(pieces)
            done = last
            if k == len(frames) // 2:
                pieces = thaw(freeze(pieces, shared), Tracker(sensors, config, run=two), shared)
    counts = whole.counts + whole._tally
    refused = sum(count for name, count in counts.items() if name.startswith("refused_"))
    assert counts["plots_received"] == len(plots) == refused + sum(sizes)
