"""A service under more than its machine can do: what it sheds, whom it tells, and how soon it's well again.

    python benchmarks/service_overload.py                  4,000 targets; 150,000 plots/s for 20 s
    python benchmarks/service_overload.py --plots 40000    on a machine with other work
    python benchmarks/service_overload.py --primary 0      of reports of the targets alone

The usual load comes first (30 sensors, a report of each target every 4 s, each in a datagram), then a flood, then the
usual load again. The flood is nine tenths primary plots anywhere and one tenth reports of the same targets, many in a
datagram, as radars send them, so that receiving isn't what gives way. Everything is as in `service.py`: the service
that users start, real sockets, an open loop. Each second the service is asked how far behind it is, what it left out,
and whether it says so (alerts; I065/040 is made of the same).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
from service_load import DAY_NS, NMI, SENSORS, S, consumer, forked, make_load, receive, send

import service

EVERY_S = 4  # a report of each target, usually
SETTLE_S, AFTER_S = 30.0, 40.0
WATCH_S = 1.0  # between looks
PACKED = 40  # plots in a datagram of it
REACH_M = 400e3  # of a radar's clutter
LEAD_S = 10.0  # before the first report is due
MADE_PER_S = 100_000  # plots that are made beforehand in a second, on a busy machine
HEAD = 3  # octets before the records of a block
KEPT_LEAST = 0.97  # of the tracks


def packed(load: service.Load) -> service.Load:
    """Return reports of one a datagram with `PACKED` in each; of every radar a few at the end are left out."""
    rows = []
    for k in range(SENSORS):
        own = np.flatnonzero(load.port == k)
        rows.append(own[: len(own) // PACKED * PACKED].reshape(-1, PACKED))
    groups = np.concatenate(rows)
    return _blocks(load.due_s[groups[:, -1]], load.port[groups[:, 0]], load.data[groups, HEAD:])


def clutter(start_ns: int, begin_s: float, end_s: float, per_second: float, seed: int = 7) -> service.Load:
    """Return plots of primary radar anywhere around each radar, `PACKED` in a datagram.

    CAT048 edition 1.32: FSPEC 010, 140, 020 and 040; TYP 1, a single primary plot.
    """
    lots = np.random.default_rng(seed)
    count = round(per_second * (end_s - begin_s) / PACKED)
    due_s = np.sort(lots.uniform(begin_s, end_s, count))
    port = lots.integers(0, SENSORS, count)
    record = np.zeros((count, PACKED, 11), np.uint8)
    record[..., 0], record[..., 1], record[..., 2] = 0b11110000, 1, (port + 1)[:, None]
    t_ns = start_ns + np.rint(due_s * S).astype(np.int64)
    record[..., 3:6] = _octets(np.broadcast_to((t_ns % DAY_NS * 128 // S)[:, None], (count, PACKED)), 3)
    record[..., 6] = 0b00100000
    slant = REACH_M * np.sqrt(lots.uniform(0.001, 1.0, (count, PACKED)))
    record[..., 7:9] = _octets(np.rint(slant / NMI * 256), 2)
    record[..., 9:11] = _octets(lots.integers(0, 65536, (count, PACKED)), 2)
    return _blocks(due_s, port, record)


def _octets(values: np.ndarray, count: int) -> np.ndarray:
    return np.ascontiguousarray(values.astype(">i8"))[..., None].view(np.uint8)[..., 8 - count :]


def _blocks(due_s: np.ndarray, port: np.ndarray, records: np.ndarray) -> service.Load:
    """Return datagrams of one block each, in time order; (P, `PACKED`, octets) records."""
    body = records.reshape(len(records), records.shape[1] * records.shape[2])
    size = body.shape[1] + HEAD
    data = np.empty((len(body), size), np.uint8)
    data[:, :HEAD] = [48, size >> 8, size & 255]
    data[:, HEAD:] = body
    order = np.argsort(due_s, kind="stable")
    return service.Load(due_s[order], port[order], np.zeros(len(order), np.int64), data[order])


class Watcher:
    """Asks a service once a second how it does."""

    def __init__(self, web: int, start_ns: int, flood_s: float) -> None:
        self.seen: list[dict[str, float]] = []
        self.numbers: list[tuple[float, dict[str, int]]] = []  # time [s], and of each address the track's number
        self._web, self._start_ns, self._flood_s = web, start_ns, flood_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(WATCH_S):
            metrics = self._get("/metrics")
            said = self._get("/alerts.json")
            t_s = (time.time_ns() - self._start_ns) / S
            if not (self.numbers and t_s < SETTLE_S + self._flood_s + AFTER_S / 2) and t_s > SETTLE_S - 3 * WATCH_S:
                known = {one["address"]: one["track"] for one in json.loads(self._get("/tracks.json"))}
                self.numbers.append((t_s, {address: k for address, k in known.items() if address}))
            self.seen.append(
                {
                    "t_s": t_s,
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


def run(targets: int, plots: int, primary: float, flood_s: float) -> None:
    """Run a service through a flood; print a line for every two seconds, and what it comes to."""
    listening = consumer()
    folder = Path(tempfile.mkdtemp(prefix="airpicture-overload-"))
    (folder / "serve.toml").write_text(service.config([listening.getsockname()[1]], targets, folder))
    process = service.started(folder)
    ports, web, _ = service.ready(process)
    end_s, seconds = SETTLE_S + flood_s, SETTLE_S + flood_s + AFTER_S
    again = max(1, round(plots * (1 - primary) / (targets / EVERY_S)))  # reports of each target in the flood
    start_ns = time.time_ns() + round((LEAD_S + plots * flood_s / MADE_PER_S) * S)
    usual = make_load(start_ns, seconds, targets, targets // EVERY_S)
    parts = [make_load(start_ns, end_s, targets, targets // EVERY_S, again=k) for k in range(1, again + 1)]
    parts = [service.Load(*(column[one.due_s >= SETTLE_S] for column in one)) for one in parts]
    more = packed(service.Load(*(np.concatenate(columns) for columns in zip(*parts, strict=True))))
    false = clutter(start_ns, SETTLE_S, end_s, plots * primary)
    assert time.time_ns() < start_ns, "the load took too long to make"
    until_ns = start_ns + round(seconds * S)
    own = [
        *(forked(lambda one=one: send(one, ports, start_ns), folder / f"sender-{k}.npz")
          for k, one in enumerate((usual, more, false))),
        forked(lambda: receive(listening, until_ns), folder / "measured.npz"),
    ]  # fmt: skip
    watcher = Watcher(web, start_ns, flood_s)
    for number in own:
        assert os.waitpid(number, 0)[1] == 0
    watcher.stop()
    service._end(process)
    found = service.latencies(usual, start_ns, np.load(folder / "measured.npz"))
    shutil.rmtree(folder, ignore_errors=True)
    sent = len(usual.due_s) + PACKED * (len(more.due_s) + len(false.due_s))
    report(usual, found, watcher, sent, targets, flood_s)


def report(load: service.Load, found: np.ndarray, watcher: Watcher, sent: int, targets: int, flood_s: float) -> None:
    """Print what happened; end with an error where nothing was shed or told of, or it didn't get well."""
    end_s, seen = SETTLE_S + flood_s, watcher.seen
    print(f"{targets:,} targets, {targets // EVERY_S:,} reports/s; from {SETTLE_S:g} to {end_s:g} s besides "
          f"{(sent - len(load.due_s)) / flood_s:,.0f} plots/s; plots are counted from the start")  # fmt: skip
    print("     s    told   p50 ms   p99 ms  lag s  merged    primary      other  drops   tracks  overload")
    for one in [one for one in seen if one["t_s"] > 0.0][1::2]:
        rows = (load.due_s > one["t_s"] - 2.0) & (load.due_s <= one["t_s"])
        times_ms = 1000 * found[rows & np.isfinite(found)]
        middle, most = np.quantile(times_ms, [0.5, 0.99]) if len(times_ms) else (np.nan, np.nan)
        print(f"{one['t_s']:6.0f}{np.isfinite(found[rows]).mean():8.0%}{middle:9.0f}{most:9.0f}"
              f"{one['lag_s']:7.1f}{one['merged']:8,.0f}{one['primary']:11,.0f}{one['other']:11,.0f}"
              f"{one['drops']:7,.0f}{one['tracks']:9,.0f}  {'yes' if one['told'] else ''}")  # fmt: skip
    told = [one["t_s"] for one in seen if one["told"]]
    before, last = _p99(load, found, SETTLE_S - 8.0, SETTLE_S), seen[-1]
    begins = np.arange(end_s, load.due_s[-1] - 2.0)
    well = next((t for t in begins if _p99(load, found, t, t + 2.0) < 2 * before), np.nan) - end_s
    shed = last["primary"] + last["other"]
    (_, first), (_, after) = watcher.numbers[0], watcher.numbers[-1]
    kept = sum(after.get(address) == number for address, number in first.items()) / max(1, len(first))
    print(f"left out {shed:,.0f} of {sent:,} plots: of primary radar alone {last['primary']:,.0f}, others "
          f"{last['other']:,.0f}; datagrams dropped by the system {last['drops']:,.0f}; steps taken together "
          f"{last['merged']:,.0f}")  # fmt: skip
    if told:
        print(f"overload told of from {told[0] - SETTLE_S:.0f} s after the flood's begin to {told[-1] - end_s:.0f} s "
              "after its end")  # fmt: skip
    print(f"p99 {1000 * before:.0f} ms before; less than twice that again {well:.0f} s after the flood's end")
    print(f"{len(first):,} addresses had a track before the flood; {kept:.1%} have the same one some time after it")
    if not (shed and told and told[-1] < last["t_s"] and np.isfinite(well) and kept > KEPT_LEAST):
        raise SystemExit("nothing was shed, or nobody told, or it isn't well again")


def _p99(load: service.Load, found: np.ndarray, begin_s: float, end_s: float) -> float:
    """Return the latency of 99 of 100 reports of some seconds [s]; those that nothing tells of count as never."""
    part = found[(load.due_s >= begin_s) & (load.due_s < end_s)]
    return float(np.quantile(np.nan_to_num(part, nan=np.inf), 0.99, method="higher"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=4_000)
    parser.add_argument("--plots", type=int, default=150_000, help="a second, in the flood")
    parser.add_argument("--primary", type=float, default=0.9, help="share of it that's plots of primary radar alone")
    parser.add_argument("--flood", type=float, default=20.0, help="seconds of it")
    arguments = parser.parse_args()
    run(arguments.targets, arguments.plots, arguments.primary, arguments.flood)
