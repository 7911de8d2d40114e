"""What reports of ADS-B cost a tracker: many aircraft at 2 Hz of positions and 2 Hz of velocities, in one thread.

    python benchmarks/adsb.py [--aircraft 10000 40000] [--seconds 12] [--check]

Aircraft fly over a continent, each reporting its position and, half a second shifted by chance, its velocity and climb
in a message without a place: what an aggregator of receivers hears. A step takes a frame of 0.25 s, and every fourth
looks at the picture. Time is that of the thread, from the fifth second on, when all tracks stand. ``--check`` runs a
small piece, holds the picture to the same bytes when steps are cut otherwise, and ends.
"""

import argparse
import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.bench.profile import PHASES, clocked
from airpicture.config import Config
from airpicture.formats.sensors import sensors_from_rows
from airpicture.picture import Picture
from airpicture.tables import Plots, Status, Technology
from airpicture.tracker import Tracker

F64 = NDArray[np.float64]

SENSORS = sensors_from_rows([{"id": "adsb", "kind": "adsb"}])
RADIUS = 6_371_000.0  # m
START_NS = 1_700_000_000 * 1_000_000_000
FRAME_S = 0.25
WARM_S = 5.0
SIGMA_POS, SIGMA_V = 8.0, 0.5  # m, m/s: NACp 10, NACv 2 and better


class World:
    """Aircraft on great circles, near enough, and what they send."""

    def __init__(self, aircraft: int, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self.lat, self.lon = np.radians(rng.uniform(30, 60, aircraft)), np.radians(rng.uniform(-20, 40, aircraft))
        self.height = np.rint(rng.uniform(1000, 12_000, aircraft) / 7.62) * 7.62
        self.speed, self.course = rng.uniform(60, 260, aircraft), rng.uniform(0, 2 * np.pi, aircraft)
        self.phase = rng.uniform(0, 0.5, (2, aircraft))  # s, of position and velocity
        self._rng = rng

    def sent(self, from_s: float, to_s: float, messages: bool) -> Plots:
        """Return what is sent in a span of time."""
        who, when, message = [], [], []
        for kind in range(1 + messages):
            for half in range(int(from_s * 2) - 1, int(to_s * 2) + 1):
                t = 0.5 * half + self.phase[kind]
                k = np.flatnonzero((t >= from_s) & (t < to_s))
                who.append(k)
                when.append(t[k])
                message.append(np.full(len(k), kind == 1))
        order = np.argsort(np.concatenate(when), kind="stable")
        k, t, m = (np.concatenate(part)[order] for part in (who, when, message))
        east, north = self.speed[k] * np.sin(self.course[k]), self.speed[k] * np.cos(self.course[k])
        lat = self.lat[k] + north * t / RADIUS
        lon = self.lon[k] + east * t / (RADIUS * np.cos(self.lat[k]))
        noise = self._rng.normal(size=(4, len(k)))
        return Plots.blank(
            len(k),
            SENSORS,
            t_ns=START_NS + np.rint(t * 1e9).astype(np.int64),
            lat=np.where(m, np.nan, lat + SIGMA_POS * noise[0] / RADIUS),
            lon=np.where(m, np.nan, lon + SIGMA_POS * noise[1] / (RADIUS * np.cos(lat))),
            h_baro=np.where(m, np.nan, self.height[k]),
            sigma_pos=np.where(m, np.nan, SIGMA_POS),
            v_east=np.where(m, east + SIGMA_V * noise[2], np.nan),
            v_north=np.where(m, north + SIGMA_V * noise[3], np.nan),
            v_up=np.where(m, 0.0, np.nan),
            sigma_v=np.where(m, SIGMA_V, np.nan),
            address=4096 + k,
            technology=np.full(len(k), Technology.ADS),
        )


class Run(NamedTuple):
    """One run."""

    plots: int  # on the clock
    seconds: float  # of the thread, steps alone
    shown: float  # likewise, of the pictures
    phases: dict[str, float]  # s
    last: Picture


def run(aircraft: int, seconds: float, messages: bool, step_s: float = FRAME_S) -> Run:
    """Track a world from its first report on."""
    world = World(aircraft)
    tracker = Tracker(SENSORS, Config(capacity=max(65_536, 2 * aircraft)))
    plots, spent, shown = 0, 0.0, 0.0
    phases = dict(PHASES) | {"messages": ("airpicture.filters.listener:do", "airpicture.tracker:gathered")}
    whole = [world.sent(second, second + 1.0, messages) for second in range(round(seconds))]
    sent = Plots.concat(whole)  # cut otherwise, the same reports
    edges = START_NS + np.rint(np.arange(1, round(seconds / step_s) + 1) * step_s * 1e9).astype(np.int64)
    lo = 0
    with clocked(phases) as by_phase:
        for k, edge in enumerate(edges):
            hi = int(np.searchsorted(sent.t_ns, edge))
            part = sent.take(slice(lo, hi))
            lo = hi
            begun = time.thread_time()
            picture = tracker.step(part, int(edge))
            took = time.thread_time() - begun
            counts = (k + 1) * step_s > WARM_S
            if not counts:
                by_phase.clear()
            else:
                plots, spent = plots + len(part), spent + took
            if (k + 1) % max(round(1.0 / step_s), 1) == 0:
                begun = time.thread_time()
                len(picture.tracks)
                shown += (time.thread_time() - begun) * counts
    return Run(plots, spent, shown, dict(by_phase), picture)


def check() -> None:
    """Hold the picture to the same bytes however steps are cut, and the cost to what it can't exceed by noise."""
    fine, coarse = run(300, 8.0, True), run(300, 8.0, True, step_s=2.0)
    for column in ("track", "lat", "lon", "h_ell", "v_east", "v_up", "sigma_north", "existence", "turn_left"):
        left, right = (
            getattr(each.last.tracks, column)[each.last.tracks.status != Status.ENDED] for each in (fine, coarse)
        )
        assert left.tobytes() == right.tobytes(), column
    assert int((fine.last.tracks.status == Status.CONFIRMED).sum()) == 300
    assert fine.last.counts["messages_taken"] > 4000, fine.last.counts
    big = run(4000, 7.0, True)
    each = big.seconds / big.plots * 1e6
    assert each < 10.0, f"{each:.1f} µs a report"
    print(f"check passed: the same picture after steps of 0.25 and 2 s; {each:.1f} µs a report")


def main() -> None:
    """Print the table, or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--aircraft", type=int, nargs="+", default=[10_000, 40_000])
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    check()
    if arguments.check:
        return
    print("aircraft  reports      a second | µs a report  ms a frame | picture µs a track | of a report, µs")
    for aircraft in arguments.aircraft:
        for messages in (False, True):
            one = run(aircraft, arguments.seconds, messages)
            timed = arguments.seconds - WARM_S
            each = one.seconds / one.plots * 1e6
            whole = sum(one.phases.values())
            parts = ", ".join(f"{name} {s / whole:.0%}" for name, s in one.phases.items() if s > 0.005 * whole)
            print(
                f"{aircraft:8d}  {'with messages' if messages else 'positions':13s} {one.plots / timed:6.0f} |"
                f" {each:11.2f}  {one.seconds / timed * FRAME_S * 1e3:10.2f} |"
                f" {one.shown / timed / aircraft * 1e6:18.2f} | {parts}"
            )


if __name__ == "__main__":
    main()
