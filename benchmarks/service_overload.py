"""A service under more than its machine can do: what it sheds, whom it tells, and how soon it's well again.

    python benchmarks/service_overload.py                  20,000 targets; 40 times the usual reports for 20 s
    python benchmarks/service_overload.py --targets 1000   on a machine with other work

The usual load comes first (30 sensors, a report of each target every 4 s), then a flood in which each target is told of
so many times as often, then the usual load again. Everything is as in `service.py`: the service that users start, real
sockets, an open loop. Each second the service is asked how far behind it is, what it left out, and whether it says so
(alerts; I065/040 is made of the same).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from service_load import S, consumer, forked, make_load, receive, send

import service

EVERY_S = 4  # a report of each target, usually
SETTLE_S, AFTER_S = 30.0, 40.0


def flooded(start_ns: int, targets: int, times: int, flood_s: float) -> service.Load:
    """Return the load: the usual one, and in its middle so many times as many reports of the same targets."""
    usual = make_load(start_ns, SETTLE_S + flood_s + AFTER_S, targets, targets // EVERY_S)
    parts = [usual]
    for k in range(1, times):
        more = make_load(start_ns, SETTLE_S + flood_s, targets, targets // EVERY_S, again=k)
        rows = more.due_s >= SETTLE_S
        parts.append(service.Load(*(column[rows] for column in more)))
    whole = service.Load(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    order = np.argsort(whole.due_s, kind="stable")
    return service.Load(*(column[order] for column in whole))


class Watcher:
    """Asks a service once a second how it does."""

    def __init__(self, web: int, start_ns: int) -> None:
        self.seen: list[dict[str, float]] = []
        self._web, self._start_ns = web, start_ns
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(1.0):
            metrics = self._get("/metrics")
            said = self._get("/alerts.json")
            self.seen.append(
                {
                    "t_s": (time.time_ns() - self._start_ns) / S,
                    "lag_s": _of(metrics, "airpicture_lag_seconds"),
                    "merged": _of(metrics, 'airpicture_core_total{what="steps merged"}'),
                    "primary": _of(metrics, 'airpicture_tracker_total{what="pipeline shed primary plots"}'),
                    "other": _of(metrics, 'airpicture_tracker_total{what="pipeline shed other plots"}'),
                    "tracks": _of(metrics, "airpicture_tracks"),
                    "drops": _sum(metrics, "kernel_drops"),
                    "told": float('"kind":"overload"' in said),
                }
            )

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._web}{path}", timeout=60) as answer:
            return str(answer.read().decode())

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()
        self._thread.join()


def _of(metrics: str, name: str) -> float:
    match = re.search(rf"^{re.escape(name)} (\S+)", metrics, re.MULTILINE)
    return float(match[1]) if match else 0.0


def _sum(metrics: str, what: str) -> float:
    return sum(map(float, re.findall(rf'^airpicture_input_total{{[^}}]*what="{what}"}} (\S+)', metrics, re.MULTILINE)))


def run(targets: int, times: int, flood_s: float) -> None:
    """Run a service through a flood; print a line for every two seconds, and what it comes to."""
    listening = consumer()
    folder = Path(tempfile.mkdtemp(prefix="airpicture-overload-"))
    (folder / "serve.toml").write_text(service.config([listening.getsockname()[1]], targets, folder))
    process = service.started(folder)
    ports, web, _ = service.ready(process)
    seconds = SETTLE_S + flood_s + AFTER_S
    start_ns = time.time_ns() + round((10.0 + targets // EVERY_S * (seconds + times * flood_s) / 100_000) * S)
    load = flooded(start_ns, targets, times, flood_s)
    assert time.time_ns() < start_ns, "the load took too long to make"
    until_ns = start_ns + round(seconds * S)
    own = [
        forked(lambda: send(load, ports, start_ns), folder / "sender.npz"),
        forked(lambda: receive(listening, until_ns), folder / "measured.npz"),
    ]
    watcher = Watcher(web, start_ns)
    for number in own:
        assert os.waitpid(number, 0)[1] == 0
    watcher.stop()
    service._end(process)
    found = service.latencies(load, start_ns, np.load(folder / "measured.npz"))
    shutil.rmtree(folder, ignore_errors=True)
    report(load, found, watcher.seen, targets, times, flood_s)


def report(
    load: service.Load, found: np.ndarray, seen: list[dict[str, Any]], targets: int, times: int, flood_s: float
) -> None:
    """Print what happened; end with an error where nothing was shed or told of, or it didn't get well."""
    end_s = SETTLE_S + flood_s
    usual = targets // EVERY_S
    print(f"{usual:,} reports/s of {targets:,} targets; from {SETTLE_S:g} to {end_s:g} s {usual * times:,}")
    print("     s   reports    told   p50 ms   p99 ms  lag s  merged    primary      other  drops   tracks  overload")
    for one in [one for one in seen if one["t_s"] > 0.0][1::2]:
        rows = (load.due_s > one["t_s"] - 2.0) & (load.due_s <= one["t_s"])
        times_ms = 1000 * found[rows & np.isfinite(found)]
        middle, most = np.quantile(times_ms, [0.5, 0.99]) if len(times_ms) else (np.nan, np.nan)
        print(f"{one['t_s']:6.0f}{rows.sum():10,}{np.isfinite(found[rows]).mean():8.0%}{middle:9.0f}{most:9.0f}"
              f"{one['lag_s']:7.1f}{one['merged']:8,.0f}{one['primary']:11,.0f}{one['other']:11,.0f}"
              f"{one['drops']:7,.0f}{one['tracks']:9,.0f}  {'yes' if one['told'] else ''}")  # fmt: skip
    told = [one["t_s"] for one in seen if one["told"]]
    before, last = _p99(load, found, SETTLE_S - 8.0, SETTLE_S), seen[-1]
    begins = np.arange(end_s, load.due_s[-1] - 2.0)
    well = next((t for t in begins if _p99(load, found, t, t + 2.0) < 2 * before), np.nan) - end_s
    shed = last["primary"] + last["other"] + last["drops"]
    print(f"shed {shed:,.0f} of {len(load.due_s):,}: plots {last['other']:,.0f}, of primary radar alone "
          f"{last['primary']:,.0f}, in the system's buffers {last['drops']:,.0f}; steps taken together "
          f"{last['merged']:,.0f}")  # fmt: skip
    if told:
        print(f"overload told of from {told[0] - SETTLE_S:.0f} s after the flood's begin to {told[-1] - end_s:.0f} s "
              "after its end")  # fmt: skip
    print(f"p99 {1000 * before:.0f} ms before; less than twice that again {well:.0f} s after the flood's end")
    if not (shed and told and told[-1] < last["t_s"] and np.isfinite(well) and last["tracks"] > 0.95 * targets):
        raise SystemExit("nothing was shed, or nobody told, or it isn't well again")


def _p99(load: service.Load, found: np.ndarray, begin_s: float, end_s: float) -> float:
    """Return the latency of 99 of 100 reports of some seconds [s]; those that nothing tells of count as never."""
    part = found[(load.due_s >= begin_s) & (load.due_s < end_s)]
    return float(np.quantile(np.nan_to_num(part, nan=np.inf), 0.99, method="higher"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=40, help="the usual reports, in the flood")
    parser.add_argument("--flood", type=float, default=20.0, help="seconds of it")
    arguments = parser.parse_args()
    run(arguments.targets, arguments.times, arguments.flood)
