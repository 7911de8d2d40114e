"""Time of writing a picture and of watching over it, by number of tracks, one thread.

    python benchmarks/outputs.py [--tracks 300 10000 100000] [--repeats 5] [--check]

Tracks lie as thick as over Europe at noon (10,000 in 3 million square kilometres), half of them in cruise, the rest
climbing or descending; three quarters have an address and a callsign. Times are of this thread's CPU, the best of
several runs. ``--check`` runs a small case, reads everything back and compares it with the tracks, and ends.
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np

from airpicture.alerts import AlertSettings, Watch, alert_settings_from_table
from airpicture.formats.aircraftjson import aircraft_json
from airpicture.formats.columnsets import tracks_as
from airpicture.formats.cot import cot_events
from airpicture.formats.geojson import points_to_geojson
from airpicture.formats.sbswrite import sbs_lines
from airpicture.formats.sensors import sensors_from_rows
from airpicture.tables import Tracks, pack_callsigns
from airpicture.units import DEG, FL, KT, SECOND_NS

NOW = 1_700_000_000 * SECOND_NS
PER_KM2 = 10_000 / 3e6
CRUISE_SHARE = 0.5


def picture(count: int, now_ns: int = NOW, seed: int = 1) -> Tracks:
    """Return a picture of so many airliners; later ones fly on from the same start."""
    rng = np.random.default_rng(seed)
    side = math.sqrt(count / PER_KM2) * 1000.0
    course, speed = rng.uniform(0, 2 * np.pi, count), rng.uniform(380, 480, count) * KT
    cruise = rng.random(count) < CRUISE_SHARE
    climb = np.where(cruise, 0.0, rng.choice([-9.0, 9.0], count))
    level = np.where(cruise, 10 * rng.integers(29, 42, count), rng.uniform(30, 290, count)) * FL
    v_east, v_north = speed * np.sin(course), speed * np.cos(course)
    dt = (now_ns - NOW) / SECOND_NS
    east = rng.uniform(-side / 2, side / 2, count) + v_east * dt
    north = rng.uniform(-side / 2, side / 2, count) + v_north * dt
    named = rng.random(count) < 0.75
    technology = np.full((count, 5), now_ns - SECOND_NS)
    technology[~named, 3] = -1
    return Tracks.blank(
        count,
        sensors_from_rows([{"id": "radar", "kind": "radar", "lat_deg": 50.0, "lon_deg": 8.0, "period_s": 4.0}]),
        t_ns=np.full(count, now_ns),
        track=np.arange(1, count + 1),
        status=np.full(count, 1),
        existence=np.full(count, 0.999),
        lat=20 * DEG + north / 6.37e6,  # a third of the way to the pole, so that a million fit
        lon=8 * DEG + east / (6.37e6 * np.cos(20 * DEG)),
        h_ell=level + climb * dt + 40.0,
        h_baro=level + climb * dt,
        v_east=v_east,
        v_north=v_north,
        v_up=climb,
        sigma_east=np.full(count, 40.0),
        sigma_north=np.full(count, 40.0),
        rho_east_north=np.zeros(count),
        sigma_up=np.full(count, 30.0),
        sigma_v_east=np.full(count, 1.5),
        sigma_v_north=np.full(count, 1.5),
        sigma_v_up=np.full(count, 0.5),
        mode_3a=rng.integers(0, 4096, count),
        address=np.where(named, rng.permutation(count) + 0x400000, -1),
        callsign=np.where(named, pack_callsigns([f"ABC{k % 10_000}" for k in range(count)]), 0).astype(np.uint64),
        plot_count=np.full(count, 100),
        t_ns_plot=np.full(count, now_ns - SECOND_NS),
        a_east=np.zeros(count),
        a_north=np.zeros(count),
        turn_left=np.zeros(count),
        turn_right=np.zeros(count),
        t_ns_technology=technology,
        plot_h_baro=level + climb * dt,
        seen=np.tile([0, -1, -1, -1, -1, -1, -1, -1], (count, 1)),
    )


def watching(count: int) -> tuple[Watch, Callable[[], object]]:
    """Return a watch with ten areas, and a call that gives it the next picture, four seconds on."""
    areas = [
        {"name": f"area {k}", "lat_deg": 20 + 0.4 * (k % 4), "lon_deg": 8 + 0.5 * (k // 4), "radius_m": 20_000}
        for k in range(10)
    ]
    watch = Watch(alert_settings_from_table({"area": areas}, "alerts"))
    pictures = iter([picture(count, NOW + 4 * k * SECOND_NS) for k in range(12)])

    def step() -> object:
        tracks = next(pictures)
        begin = time.thread_time()
        watch.step(tracks, int(tracks.t_ns[0]))
        return time.thread_time() - begin

    step()
    return watch, step


def best_time(call: Callable[[], object], repeats: int) -> float:
    """Return the shortest of several runs [s], in time of this thread: other programs can only add to it."""
    times = []
    for _ in range(repeats):
        begin = time.thread_time()
        taken = call()
        times.append(taken if isinstance(taken, float) else time.thread_time() - begin)
    return min(times)


def check() -> None:
    """Read a small case back and compare it."""
    tracks = picture(500)
    document = json.loads(aircraft_json(tracks, NOW))
    assert [a["lat"] for a in document["aircraft"]] == [round(lat, 6) for lat in (tracks.lat / DEG).tolist()]
    points = json.loads(points_to_geojson(tracks))["features"]
    assert [p["properties"]["track"] for p in points] == tracks.track.tolist()
    events = [ElementTree.fromstring(event) for event in cot_events(tracks, NOW)]
    assert len({event.get("uid") for event in events}) == len(tracks)
    lines = sbs_lines(tracks, NOW).decode().splitlines()
    assert sum(line.startswith(("MSG,3", "MLAT,3")) for line in lines) == len(tracks)
    assert len(tracks_as(tracks, "traffic")) == len(tracks)
    assert Watch(AlertSettings()).step(tracks, NOW) is not None
    watch, step = watching(500)
    step()
    assert watch.counts["pairs shed"] == 0
    print("all read back as written")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, nargs="+", default=[300, 10_000, 100_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    if arguments.check:
        check()
        return
    print(f"{'':<22}" + "".join(f"{count:>14,}" for count in arguments.tracks) + "   tracks, ms of CPU")
    pictures = {count: picture(count) for count in arguments.tracks}
    calls: dict[str, Callable[[Tracks], object]] = {
        "aircraft.json": lambda tracks: aircraft_json(tracks, NOW),
        "SBS-1 lines": lambda tracks: sbs_lines(tracks, NOW),
        "Cursor on Target": lambda tracks: cot_events(tracks, NOW),
        "GeoJSON points": points_to_geojson,
        "--columns traffic": lambda tracks: tracks_as(tracks, "traffic"),
    }
    for name, call in calls.items():
        call(pictures[arguments.tracks[0]])  # compiles
        times = [best_time(lambda c=count, f=call: f(pictures[c]), arguments.repeats) for count in arguments.tracks]
        print(f"{name:<22}" + "".join(f"{1000 * t:>14.2f}" for t in times))
    times, standing = [], []
    for count in arguments.tracks:
        watch, step = watching(count)
        times.append(best_time(step, arguments.repeats))
        standing.append(sum(v for k, v in watch.counts.items() if k.startswith("raised")))
    print(f"{'alerts, ten areas':<22}" + "".join(f"{1000 * t:>14.2f}" for t in times))
    print(f"{'  of them raised':<22}" + "".join(f"{n:>14,}" for n in standing))


if __name__ == "__main__":
    main()
