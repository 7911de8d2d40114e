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
import itertools
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from service_load import (
    DAY_NS,
    SENSORS,
    Load,
    S,
    consumer,
    count,
    follow,
    forked,
    make_load,
    receive,
    rows,
    send,
)

from airpicture.formats.asterix.decode import decode
from airpicture.service.latency import EDGES

REPORTS, TRACKS = 2_000, 4_000
UDP_CONSUMERS, HTTP_CONSUMERS = 20, 3
LEAD_S = 5.0  # before the first report is due: processes of the sender and readers start
MADE_PER_S = 300_000  # reports that are made beforehand in a second
LATE_S = 4.0  # after which a message is none on the report
# A report that's told so much later than nine of ten of those due in the same 50 ms, and not before its target's next
# one is due, wasn't held up, which would have hit them too: the tracker left it out (beyond its gate, or taken for that
# of another target), and the message is of the next one.
OWN_S = 0.25
SLICE_S = 0.05


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


def latencies(load: Load, start_ns: int, got: Any) -> np.ndarray:
    """Return the latency of each report [s], NaN where no message tells of it.

    got : what `service_load.receive` returned
    """
    heard: dict[int, tuple[list[int], list[int]]] = {}
    ends = np.cumsum(got["sizes"]).tolist()
    whole = got["data"].tobytes()
    for at_ns, begin, end in zip(got["t_ns"].tolist(), [0, *ends[:-1]], ends, strict=True):
        records = decode(whole[begin:end], fields={62: ("070", "380/ADR")}).get(62)
        if records is None:
            continue
        for tod, address in zip(records.raw["070"].tolist(), records.raw["380/ADR"].tolist(), strict=True):
            base = at_ns // DAY_NS * DAY_NS
            t_ns = base + tod * S // 128
            t_ns += DAY_NS * ((at_ns - t_ns + DAY_NS // 2) // DAY_NS)
            times, arrived = heard.setdefault(address, ([], []))
            times.append(t_ns)
            arrived.append(at_ns)
    found = np.full(len(load.due_s), np.nan)
    arrays = {address: (np.array(a), np.array(b)) for address, (a, b) in heard.items()}
    order = np.lexsort((load.due_s, load.target))
    following = np.full(len(order), np.inf)  # when the target's next report is due
    same = load.target[order[1:]] == load.target[order[:-1]]
    following[order[:-1]] = np.where(same, load.due_s[order[1:]], np.inf)
    for row, (due, target) in enumerate(zip(load.due_s.tolist(), load.target.tolist(), strict=True)):
        due_ns = start_ns + round(due * S)
        times, arrived = arrays.get(0x400000 + target, (np.empty(0, np.int64), np.empty(0, np.int64)))
        # 1/128 s is the step of I062/070: a message of the very step may be rounded to just before the report
        k = int(np.searchsorted(times, due_ns - S // 128)) if len(times) else 0
        while k < len(times) and arrived[k] < due_ns:
            k += 1
        if k < len(times):
            found[row] = (arrived[k] - due_ns) / S
    usual = np.full(len(found), np.inf)
    cuts = np.flatnonzero(np.diff((load.due_s / SLICE_S).astype(np.int64), prepend=-1, append=-1))
    for lo, hi in itertools.pairwise(cuts.tolist()):
        usual[lo:hi] = np.quantile(np.nan_to_num(found[lo:hi], nan=np.inf), 0.9, method="lower")
    found[(found > usual + OWN_S) & (load.due_s + found >= following)] = np.nan
    return found


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
    sockets = [consumer() for _ in range(UDP_CONSUMERS)]
    folder = Path(tempfile.mkdtemp(prefix="airpicture-bench-"))
    (folder / "serve.toml").write_text(config([one.getsockname()[1] for one in sockets], tracks, folder))
    process = started(folder)
    ports, web, _ = ready(process)
    lead_s = LEAD_S + per_second * seconds / MADE_PER_S
    start_ns = time.time_ns() + round(lead_s * S)
    load = make_load(start_ns, seconds, tracks, per_second)
    assert time.time_ns() < start_ns, "the load took too long to make"
    pids = children(process.pid)
    # Sender and readers are processes: threads of this one would wait for the interpreter's lock.
    until_ns = start_ns + round((seconds + LATE_S) * S)
    places = {name: folder / f"{name}.npz" for name in ("sender", "measured", "others", "http")}
    own = {
        "sender": forked(lambda: send(load, ports, start_ns), places["sender"]),
        "measured": forked(lambda: receive(sockets[0], until_ns), places["measured"]),
        "others": forked(lambda: count(sockets[1:], until_ns), places["others"]),
        "http": forked(lambda: follow(web, HTTP_CONSUMERS, until_ns), places["http"]),
    }
    time.sleep(max((start_ns - time.time_ns()) / S + settle_s, 0))
    before = {name: cpu_s(number) for name, number in (pids | own).items()}
    begun = time.monotonic()
    time.sleep(max((start_ns - time.time_ns()) / S + seconds, 0))
    took = time.monotonic() - begun
    cpu = {name: (cpu_s(number) - before[name]) / took for name, number in (pids | own).items()}
    load_average = os.getloadavg()
    for name, number in own.items():
        assert os.waitpid(number, 0)[1] == 0, name
    metrics = urllib.request.urlopen(f"http://127.0.0.1:{web}/metrics", timeout=60).read().decode()
    tracks_shown = int(float(re.search(r"^airpicture_tracks (\S+)", metrics, re.MULTILINE)[1]))  # type: ignore[index]
    memory = {name: memory_mb(number) for name, number in pids.items()}
    _end(process)
    results = {name: np.load(place) for name, place in places.items()}
    counted = load.due_s >= settle_s
    kept = Load(load.due_s[counted], load.port[counted], load.target[counted], load.data[:0])
    found = latencies(kept, start_ns, results["measured"])
    told = np.isfinite(found) & ~(found > LATE_S)
    late = results["sender"]["late"][counted]
    counts, octets = results["others"]["counts"], results["http"]["octets"]
    shutil.rmtree(folder, ignore_errors=True)

    def total(name: str, what: str) -> int:
        pattern = rf'^{name}{{[^}}]*what="{what}"}} (\d+)'
        return sum(int(one) for one in re.findall(pattern, metrics, re.MULTILINE))

    return {
        "reports_per_s": per_second,
        "tracks": tracks_shown,
        "sent": len(load.due_s),
        "received": total("airpicture_input_total", "received"),
        "kernel_drops": total("airpicture_input_total", "kernel_drops"),
        "decoded": total("airpicture_decoded_total", "decoded record CAT048"),
        "merged": total("airpicture_core_total", "steps merged"),
        "shed": total("airpicture_tracker_total", "pipeline shed primary plots"),
        "missed": int((~told).sum()),
        "found": found[told],
        "sender_late_p99_ms": float(np.quantile(late, 0.99)) * 1000,
        "cpu": cpu,
        "memory_mb": memory,
        "load_average": load_average,
        "consumer": len(results["measured"]["t_ns"]),
        "consumers_least": int(counts.min()),
        "http_mb_s": float(octets.min()) / (seconds + LATE_S) / 1e6,
        "http_ended": int(results["http"]["ended"]),
    }


def started(folder: Path) -> subprocess.Popen[str]:
    """Start the service of a folder's file; it ends with this process, if it isn't ended before."""
    process = subprocess.Popen(
        [sys.executable, "-m", "airpicture", "serve", str(folder / "serve.toml")],
        stderr=subprocess.PIPE,
        text=True,
    )
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def ready(process: subprocess.Popen[str], listening: int = SENSORS) -> tuple[list[int], int, dict[str, int]]:
    """Wait for a service that listens on so many ports; return those of the inputs, of the web, and all by name."""
    assert process.stderr is not None
    lines: list[str] = []
    ports: dict[str, int] = {}
    web = 0
    while not web:
        line = process.stderr.readline()
        assert line, "".join(lines)
        lines.append(line)
        if match := re.search(r"picture is at http://127.0.0.1:(\d+)/", line):
            web = int(match[1])
    while len(ports) < listening:
        line = process.stderr.readline()
        assert line, "".join(lines)
        lines.append(line)
        if match := re.search(r"^  (\S+): port (\d+)", line):
            ports[match[1]] = int(match[2])
    threading.Thread(target=lambda: lines.extend(process.stderr or []), daemon=True).start()
    return [ports[f"in-{k}"] for k in range(SENSORS)], web, ports


def show(result: dict[str, Any]) -> None:
    """Print a result."""
    found = result["found"]
    if not len(found):
        print(f"{result['reports_per_s']:,} reports/s: the service can't follow")
        print("  ".join(f"{name} {value}" for name, value in result.items() if name != "found"))
        return
    quantiles = {q: 1000 * float(np.quantile(found, q)) for q in (0.5, 0.9, 0.99, 0.999)}
    print(f"{SENSORS} sensors, {result['reports_per_s']:,} reports/s, {result['tracks']:,} tracks, "
          f"{UDP_CONSUMERS + HTTP_CONSUMERS} consumers")  # fmt: skip
    print(f"sent {result['sent']:,}  received {result['received']:,}  kernel drops {result['kernel_drops']:,}  "
          f"decoded {result['decoded']:,}  shed {result['shed']:,}  steps merged {result['merged']:,}")  # fmt: skip
    print("latency, datagram to consumer: " + "  ".join(f"p{100 * q:g} {ms:.1f} ms" for q, ms in quantiles.items())
          + f"  max {1000 * found.max():.1f} ms  ({len(found):,} reports; {result['missed']:,} that "
          "the tracker left out)")  # fmt: skip
    print("CPU, of one core (sender, measured, others and http are the benchmark's own): "
          + "  ".join(f"{name} {100 * part:.0f} %" for name, part in result["cpu"].items()))  # fmt: skip
    print("memory at the peak: " + "  ".join(f"{name} {mb:.0f} MB" for name, mb in result["memory_mb"].items()))
    print(f"messages to the consumer measured {result['consumer']:,}, to the others {result['consumers_least']:,} at "
          f"least; {result['http_mb_s']:.2f} MB/s to each of /events, {result['http_ended']} let go")  # fmt: skip
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
