"""Speed of smoothing in hindsight, beside a plain Rauch-Tung-Striebel smoother in numpy and FilterPy's.

    python benchmarks/smoothing.py [--aircraft 200] [--seconds 600] [--check]

Aircraft that fly straight and turn, with a position each second. Processor time of one thread, best of three: of all of
it, and of the smoothing alone, given whose each report is. FilterPy's filter and smoother have one model of constant
velocity in six states, and are told whose each report is; here there are four models, learnt variances, up to five
rounds of choosing reports, and the Earth is round. `--check` holds the bounds below.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from filterpy.kalman import KalmanFilter

import airpicture as ap
from airpicture.config import Config
from airpicture.formats.sensors import sensors_from_rows
from airpicture.smoothing.owned import own
from airpicture.smoothing.smoother import settle

RADIUS = 6_371_000.0  # m
LEAST_RATIO = 0.8  # to FilterPy's states a second, for four models and all rounds: half of what is measured
OFF_MOST = 0.75  # of the error of the reports


def recording(aircraft: int, seconds: int, rng: np.random.Generator) -> tuple[ap.Plots, Any]:
    """Return plots in the order of time, and where each aircraft was: (n,) latitudes and longitudes."""
    t = np.arange(seconds)
    turn = np.where((t % 200 > 80) & (t % 200 < 140), 0.03, 0.0)
    course = rng.uniform(0, 2 * np.pi, aircraft)[:, None] + np.cumsum(turn)[None]
    speed = rng.uniform(120, 250, aircraft)[:, None]
    north, east = (np.cumsum(speed * f(course), axis=1) for f in (np.cos, np.sin))
    lat0, lon0 = rng.uniform(0.7, 0.9, (aircraft, 1)), rng.uniform(0.0, 0.4, (aircraft, 1))
    lat, lon = lat0 + north / RADIUS, lon0 + east / RADIUS / np.cos(lat0)
    off = rng.normal(0.0, 10.0, (2, aircraft, seconds))
    who = np.repeat(np.arange(aircraft), seconds)
    plots = ap.Plots.from_columns(
        sensors=sensors_from_rows([{"id": "adsb", "kind": "adsb"}]),
        sensor="adsb",
        t_ns=1_767_225_600 * 10**9 + np.tile(t, aircraft) * 10**9 + who * 1_000_003,
        lat_rad=(lat + off[0] / RADIUS).ravel(),
        lon_rad=(lon + off[1] / RADIUS / np.cos(lat)).ravel(),
        h_baro_ft=np.full(aircraft * seconds, 30_000.0),
        sigma_pos_m=np.full(aircraft * seconds, 10.0),
        address=0x400000 + who,
    )
    order = np.argsort(plots.t_ns, kind="stable")
    return plots.take(order), (lat.ravel()[order], lon.ravel()[order])


def plain(seconds: int, rng: np.random.Generator) -> Callable[[], None]:
    """Return what filters and smooths one aircraft's positions with FilterPy."""
    F = np.kron([[1.0, 1.0], [0.0, 1.0]], np.eye(3))
    Q = 3.0 * np.kron([[1 / 3, 1 / 2], [1 / 2, 1.0]], np.eye(3))
    z = np.cumsum(rng.normal(200.0, 2.0, (seconds, 3)), axis=0)

    def run() -> None:
        kf = KalmanFilter(dim_x=6, dim_z=3)
        kf.F, kf.Q, kf.R, kf.H = F, Q, 100.0 * np.eye(3), np.eye(3, 6)
        kf.x, kf.P = np.concatenate([z[0], np.zeros(3)]), np.diag([100.0] * 3 + [1e4] * 3)
        means, covariances, _, _ = kf.batch_filter(z)
        kf.rts_smoother(means, covariances)

    return run


def best(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """Return the least processor time [s] of several runs, and what the last returned."""
    took, result = np.inf, None
    for _ in range(times):
        begun = time.process_time()
        result = work()
        took = min(took, time.process_time() - begun)
    return took, result


def main() -> None:
    """Measure, print, and hold the bounds if asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--aircraft", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    small, _ = recording(3, 60, rng)
    ap.smooth(small)  # compiles
    plots, (lat, lon) = recording(options.aircraft, options.seconds, rng)
    config = Config()
    whole, tracks = best(lambda: ap.smooth(plots, config=config), 2)
    owned, peer = own(plots, plots.sensors, config), plain(options.seconds, rng)
    alone, theirs = np.inf, np.inf
    for _ in range(3):  # in turns: what others leave of the machine changes
        took, done = best(lambda: settle(owned, config), 1)
        alone, theirs = min(alone, took), min(theirs, best(peer, 1)[0])
    states = int((done.laid.used > 0).sum())
    ratio = (states / alone) / (options.seconds / theirs)
    place = {int(t): k for k, t in enumerate(plots.t_ns)}
    rows = np.array([place[int(t)] for t in tracks.t_ns])
    off = RADIUS * np.hypot(tracks.lat - lat[rows], np.cos(lat[rows]) * (tracks.lon - lon[rows]))
    rms = float(np.sqrt((off**2).mean() / 2.0))
    print(f"{options.aircraft} aircraft, {len(plots):,} reports, {len(tracks):,} states out")
    print(
        f"tracking and smoothing: {len(tracks) / whole:,.0f} states a second, {1e6 * whole / len(tracks):.0f} us each"
    )
    print(f"smoothing alone: {states / alone:,.0f} states a second, {1e6 * alone / states:.0f} us each")
    print(f"FilterPy, one model: {options.seconds / theirs:,.0f} states a second; ratio {ratio:.1f}")
    print(f"error per axis: {rms:.1f} m RMS, of 10 m")
    if options.check:
        assert len(tracks) > 0.98 * len(plots), "states are missing"
        assert ratio > LEAST_RATIO, f"slower than {LEAST_RATIO} times FilterPy"
        assert rms < 10.0 * OFF_MOST, "smoothing doesn't make it better"
        print("held")


if __name__ == "__main__":
    main()
