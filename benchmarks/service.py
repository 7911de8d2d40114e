"""How much a service holds, and how long a report takes through it: from a radar's datagram to a consumer's.

    python benchmarks/service.py                 30 sensors, 2,000 reports/s, 4,000 tracks, 23 consumers
    python benchmarks/service.py --times 10      ten times the reports and tracks
    python benchmarks/service.py --check         ten seconds at a tenth of the load, with loose bounds: for CI

The service is the one that users start, with its processes, sockets and journal. Reports are CAT048, one a datagram,
made beforehand and sent at times that don't depend on how the service does (an open loop); the latency counts from the
time at which a report was due to be sent, so that what waits because the service is late counts in full. It ends when
a consumer of CAT062 has the first message on the report's target whose time (I062/070) isn't before it. Of the
23 consumers, 20 take CAT062 of each changed track over UDP and one is measured; 3 take the change stream over HTTP.
"""

from __future__ import annotations

import argparse
import atexit
import json
import math
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from airpicture.formats.asterix.decode import decode  # noqa: E402
from airpicture.formats.sensors import sensors_from_rows  # noqa: E402
from airpicture.geo import geodetic_to_polar  # noqa: E402
from airpicture.service.latency import EDGES  # noqa: E402
from radar_bytes import block, report  # noqa: E402

SENSORS, REPORTS, TRACKS = 30, 2_000, 4_000
UDP_CONSUMERS, HTTP_CONSUMERS = 20, 3
TURN_S = 8.0
S = 10**9
DAY_NS = 86_400 * S
EARTH = 6.371e6


class Load(NamedTuple):
    """What is sent: P datagrams in the order of their times."""

    due_s: np.ndarray  # (P,) after the start
    port: np.ndarray  # (P,) which sensor's
    target: np.ndarray  # (P,)
    data: list[bytes]


def rows() -> list[dict[str, Any]]:
    """Return the sensors: radars on a grid over a third of Europe, each seeing its neighbours' traffic too."""
    return [
        {
            "id": f"radar-{k + 1}", "kind": "radar", "sac": 1, "sic": k + 1, "lat_deg": 40.0 + 3 * (k // 6),
            "lon_deg": 4.0 * (k % 6), "h_ell_m": 200.0, "period_s": TURN_S, "range_m_max": 470_000.0,
            "clutter_per_scan": 5.0,
        }
        for k in range(SENSORS)
    ]  # fmt: skip


def make_load(start_ns: int, seconds: float, tracks: int, per_second: int, seed: int = 1) -> Load:
    """Return the reports: each target is seen by the same few radars, each once a turn at its own azimuth's time."""
    lots = np.random.default_rng(seed)
    sensors = sensors_from_rows(rows())
    lat, lon = np.radians(lots.uniform(40, 52, tracks)), np.radians(lots.uniform(0, 20, tracks))
    h = lots.integers(100, 410, tracks) // 10 * 10 * 30.48  # flight levels, in tens
    v_east, v_north = lots.normal(0, 150, tracks), lots.normal(0, 150, tracks)
    looks = max(round(per_second * TURN_S / tracks), 1)
    target = np.repeat(np.arange(tracks), looks)
    # each target by as many radars that are near it
    apart = (sensors.lat[None] - lat[:, None]) ** 2 + ((sensors.lon[None] - lon[:, None]) * 0.68) ** 2
    sensor = np.argsort(apart, axis=1)[:, :looks].reshape(-1)
    phase = lots.uniform(0, TURN_S, len(target))
    turns = math.ceil(seconds / TURN_S)
    due = (phase[None] + TURN_S * np.arange(turns)[:, None]).reshape(-1)
    target, sensor = np.tile(target, turns), np.tile(sensor, turns)
    order = np.argsort(due, kind="stable")
    order = order[due[order] < seconds]
    due, target, sensor = due[order], target[order], sensor[order]
    at_lat = lat[target] + v_north[target] * due / EARTH
    at_lon = lon[target] + v_east[target] * due / EARTH / np.cos(lat[target])
    slant, azimuth, _ = geodetic_to_polar(
        at_lat, at_lon, h[target], sensors.lat[sensor], sensors.lon[sensor], sensors.h_ell[sensor]
    )
    slant = slant + lots.normal(0, 60, len(due))
    azimuth = azimuth + lots.normal(0, 1.2e-3, len(due))
    data = [
        block(48, [report(sac=1, sic=s + 1, t_ns=start_ns + round(t * S), range_m=r, azimuth_rad=a,
                          address=0x400000 + k, mode_3a=k % 4096, level=f)])
        for t, s, r, a, k, f in zip(due.tolist(), sensor.tolist(), slant.tolist(), azimuth.tolist(), target.tolist(),
                                    (h[target] / 30.48).tolist(), strict=True)
    ]  # fmt: skip
    return Load(due, sensor, target, data)


def config(ports: list[int], tracks: int, folder: Path) -> str:
    """Return the service's file."""
    lines = []
    for row in rows():
        lines += ["[[sensor]]", *(f"{key} = {json.dumps(value)}" for key, value in row.items())]
    for k in range(SENSORS):
        lines += ["[[input]]", f'name = "in-{k}"', 'from = "asterix:udp://127.0.0.1:0"']
    for k, port in enumerate(ports):
        lines += ["[[output]]", f'name = "out-{k}"', f'to = "cat062:udp://127.0.0.1:{port}"', "changes = true"]
    lines += ["[web]", 'listen = "127.0.0.1:0"', "[journal]", f'folder = "{folder / "journal"}"']
    lines += ["[tracker]", f"capacity = {max(4 * tracks, 4096)}"]
    return "\n".join(lines)


class Receiver(threading.Thread):
    """Takes datagrams with the times at which they came."""

    def __init__(self, keep: bool) -> None:
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 2**20)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.keep, self.got, self.t_ns, self.count = keep, [], [], 0  # type: ignore[var-annotated]

    def run(self) -> None:
        while True:
            data = self.socket.recv(65_535)
            self.count += 1
            if self.keep:
                self.t_ns.append(time.time_ns())
                self.got.append(data)


def drain(sockets: list[socket.socket], counts: list[int]) -> None:
    """Take what other consumers are sent, and count it."""
    import selectors

    selector = selectors.DefaultSelector()
    for k, one in enumerate(sockets):
        one.setblocking(False)
        selector.register(one, selectors.EVENT_READ, k)
    while True:
        for key, _ in selector.select():
            try:
                while True:
                    key.fileobj.recv(65_535)  # type: ignore[union-attr]
                    counts[key.data] += 1
            except BlockingIOError:
                pass


def send(load: Load, ports: list[int], start_ns: int) -> np.ndarray:
    """Send at the due times; return by how much each was late."""
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * 2**20)
    targets = [("127.0.0.1", port) for port in ports]
    late = np.empty(len(load.due_s))
    due, port, data = load.due_s.tolist(), load.port.tolist(), load.data
    for k in range(len(due)):
        wait = start_ns / S + due[k] - time.time()
        if wait > 0.0005:
            time.sleep(wait)
        out.sendto(data[k], targets[port[k]])
        late[k] = time.time() - start_ns / S - due[k]
    return late


def latencies(load: Load, start_ns: int, receiver: Receiver) -> tuple[np.ndarray, int]:
    """Return the latency of each report [s] whose target was heard of after it, and how many weren't."""
    heard: dict[int, tuple[list[int], list[int]]] = {}
    for at_ns, data in zip(receiver.t_ns, receiver.got, strict=True):
        records = decode(data, fields={62: ("070", "380/ADR")}).get(62)
        if records is None:
            continue
        for tod, address in zip(records.raw["070"].tolist(), records.raw["380/ADR"].tolist(), strict=True):
            base = at_ns // DAY_NS * DAY_NS
            t_ns = base + tod * S // 128
            t_ns += DAY_NS * ((at_ns - t_ns + DAY_NS // 2) // DAY_NS)
            times, arrived = heard.setdefault(address, ([], []))
            times.append(t_ns)
            arrived.append(at_ns)
    found, missed = [], 0
    arrays = {address: (np.array(a), np.array(b)) for address, (a, b) in heard.items()}
    for due, target in zip(load.due_s.tolist(), load.target.tolist(), strict=True):
        due_ns = start_ns + round(due * S)
        times, arrived = arrays.get(0x400000 + target, (np.empty(0, np.int64), np.empty(0, np.int64)))
        # 1/128 s is the step of I062/070: a message of the very step may be rounded to just before the report
        k = int(np.searchsorted(times, due_ns - S // 128)) if len(times) else 0
        while k < len(times) and arrived[k] < due_ns:
            k += 1
        if k == len(times) or arrived[k] - due_ns > 4 * S:
            missed += 1
        else:
            found.append((arrived[k] - due_ns) / S)
    return np.array(found), missed


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def children(pid: int) -> dict[str, int]:
    """Return the process numbers of a service's processes."""
    found = {}
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                parent = int((place / "stat").read_text().rsplit(")", 1)[1].split()[1])
                name = (place / "cmdline").read_bytes().decode().split("\0")[2].rpartition(".")[2]
            except (OSError, IndexError, ValueError):
                continue
            if parent == pid:
                found[name] = int(place.name)
    return found


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process at its peak."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(match[1]) / 1024 if match else math.nan


def histogram(found: np.ndarray) -> str:
    """Return a histogram as text; buckets as in /metrics, ten a decade."""
    counts, _ = np.histogram(found, [0, *EDGES, math.inf])
    used = np.flatnonzero(counts)
    lines = []
    for k in range(used[0], used[-1] + 1):
        upper = f"{1000 * EDGES[k]:8.1f}" if k < len(EDGES) else "     inf"
        lines.append(f"{upper} ms  {counts[k]:8,}  {'#' * math.ceil(50 * counts[k] / counts.max())}")
    return "\n".join(lines)


def run(times: float, seconds: float, settle_s: float) -> dict[str, Any]:
    """Run a service under a load and measure it; the first `settle_s` seconds, in which tracks begin, don't count."""
    tracks, per_second = round(TRACKS * times), round(REPORTS * times)
    receiver = Receiver(keep=True)
    others = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(UDP_CONSUMERS - 1)]
    for one in others:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 2**20)
        one.bind(("127.0.0.1", 0))
    counts = [0] * len(others)
    folder = Path(tempfile.mkdtemp(prefix="airpicture-bench-"))
    (folder / "serve.toml").write_text(
        config([receiver.port, *(one.getsockname()[1] for one in others)], tracks, folder)
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "airpicture", "serve", str(folder / "serve.toml")],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    atexit.register(_end, process)
    assert process.stderr is not None
    lines: list[str] = []
    ports: dict[int, int] = {}
    web = 0
    while len(ports) < SENSORS:
        line = process.stderr.readline()
        assert line, "".join(lines)
        lines.append(line)
        if match := re.search(r"  in-(\d+): port (\d+)", line):
            ports[int(match[1])] = int(match[2])
        if match := re.search(r"picture is at http://127.0.0.1:(\d+)/", line):
            web = int(match[1])
    threading.Thread(target=lambda: lines.extend(process.stderr or []), daemon=True).start()
    for _ in range(HTTP_CONSUMERS):
        threading.Thread(target=_follow, args=(web,), daemon=True).start()
    lead_s = 3.0 + per_second * seconds / 30_000
    start_ns = time.time_ns() + round(lead_s * S)
    load = make_load(start_ns, seconds, tracks, per_second)
    start_ns_late = time.time_ns()
    assert start_ns_late < start_ns, "the load took too long to make"
    receiver.start()
    threading.Thread(target=drain, args=(others, counts), daemon=True).start()
    pids = children(process.pid)
    # The reports go out from a process of their own: a thread of this one would wait for the interpreter's lock.
    pid = os.fork()
    if pid == 0:
        late = send(load, [ports[k] for k in range(SENSORS)], start_ns)
        np.save(folder / "late.npy", late)
        os._exit(0)
    time.sleep(max((start_ns - time.time_ns()) / S + settle_s, 0))
    before = {name: cpu_s(number) for name, number in pids.items()}
    begun = time.monotonic()
    os.waitpid(pid, 0)
    took = time.monotonic() - begun
    cpu = {name: (cpu_s(number) - before[name]) / took for name, number in pids.items()}
    load_average = os.getloadavg()
    time.sleep(2.0)
    metrics = urllib.request.urlopen(f"http://127.0.0.1:{web}/metrics", timeout=60).read().decode()
    tracks_shown = int(float(re.search(r"^airpicture_tracks (\S+)", metrics, re.MULTILINE)[1]))  # type: ignore[index]
    memory = {name: memory_mb(number) for name, number in pids.items()}
    _end(process)
    shutil.rmtree(folder / "journal", ignore_errors=True)
    counted = load.due_s >= settle_s
    kept = Load(load.due_s[counted], load.port[counted], load.target[counted], [])
    found, missed = latencies(kept, start_ns, receiver)
    late = np.load(folder / "late.npy")[counted]

    def total(name: str, what: str) -> int:
        pattern = rf'^{name}{{[^}}]*what="{what}"}} (\d+)'
        return sum(int(one) for one in re.findall(pattern, metrics, re.MULTILINE))

    return {
        "reports_per_s": per_second,
        "tracks": tracks_shown,
        "sent": len(load.data),
        "received": total("airpicture_input_total", "received"),
        "kernel_drops": total("airpicture_input_total", "kernel_drops"),
        "decoded": total("airpicture_decoded_total", "decoded record CAT048"),
        "merged": total("airpicture_core_total", "steps merged"),
        "shed": total("airpicture_tracker_total", "pipeline shed primary plots"),
        "missed": missed,
        "found": found,
        "sender_late_p99_ms": float(np.quantile(late, 0.99)) * 1000,
        "cpu": cpu,
        "memory_mb": memory,
        "load_average": load_average,
        "consumers_least": min(counts) if counts else 0,
        "consumer": receiver.count,
    }


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _follow(web: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{web}/events", timeout=600) as stream:
        while stream.readline():
            pass


def show(result: dict[str, Any]) -> None:
    """Print a result."""
    found = result["found"]
    if not len(found):
        print(f"{result['reports_per_s']:,} reports/s: the service can't follow; sent {result['sent']:,}, received "
              f"{result['received']:,}, decoded {result['decoded']:,}, merged {result['merged']:,}")  # fmt: skip
        return
    quantiles = {q: 1000 * float(np.quantile(found, q)) for q in (0.5, 0.9, 0.99, 0.999)}
    print(f"{SENSORS} sensors, {result['reports_per_s']:,} reports/s, {result['tracks']:,} tracks, "
          f"{UDP_CONSUMERS + HTTP_CONSUMERS} consumers")  # fmt: skip
    print(f"sent {result['sent']:,}  received {result['received']:,}  kernel drops {result['kernel_drops']:,}  "
          f"decoded {result['decoded']:,}  shed {result['shed']:,}  steps merged {result['merged']:,}")  # fmt: skip
    print("latency, datagram to consumer: " + "  ".join(f"p{100 * q:g} {ms:.1f} ms" for q, ms in quantiles.items())
          + f"  max {1000 * found.max():.1f} ms  ({len(found):,} reports; {result['missed']:,} without a message "
          "of their own)")  # fmt: skip
    print("CPU, of one core: " + "  ".join(f"{name} {100 * part:.0f} %" for name, part in result["cpu"].items())
          + "; memory at the peak: "
          + "  ".join(f"{name} {mb:.0f} MB" for name, mb in result["memory_mb"].items()))  # fmt: skip
    print(f"sender late by {result['sender_late_p99_ms']:.1f} ms at p99; load average "
          + " ".join(f"{one:.1f}" for one in result["load_average"]))  # fmt: skip
    print(histogram(found))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=float, default=1.0, help="of the load")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--settle", type=float, default=30.0, help="seconds that don't count")
    parser.add_argument("--check", action="store_true", help="a short run with bounds")
    arguments = parser.parse_args()
    if arguments.check:
        result = run(0.1, 26.0, 18.0)
        show(result)
        assert result["sent"] == result["received"] + result["kernel_drops"], "reports are missing"
        assert result["decoded"] == result["received"]
        assert result["tracks"] > 0.9 * TRACKS * 0.1
        assert result["missed"] < 0.05 * len(result["found"])
        assert np.quantile(result["found"], 0.5) < 2.0
        return
    show(run(arguments.times, arguments.seconds, arguments.settle))


if __name__ == "__main__":
    main()
