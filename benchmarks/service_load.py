"""The load of the service's benchmark: reports made beforehand, a sender and readers that leave the machine to it.

All of them are processes of their own, which tell how much CPU they took. What they do per datagram the system does
for many at a time (sendmmsg(2), recvmmsg(2)), so that they take little of the two cores that the service has, too.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from shared import of_tests

from airpicture.formats.sensors import sensors_from_rows
from airpicture.geo import geodetic_to_polar

radar_bytes = of_tests("radar_bytes")
block, report = radar_bytes.block, radar_bytes.report

SENSORS = 30
TURN_S = 8.0
S = 10**9
DAY_NS = 86_400 * S
EARTH = 6.371e6
NMI = 1852.0

# struct mmsghdr, iovec and sockaddr_in of Linux on 64 bits, as sendmmsg(2) takes them
MESSAGE = np.dtype(
    [("name", "u8"), ("namelen", "u4"), ("_1", "u4"), ("iov", "u8"), ("iovlen", "u8"), ("control", "u8"),
     ("controllen", "u8"), ("flags", "u4"), ("_2", "u4"), ("len", "u4"), ("_3", "u4")]
)  # fmt: skip
PIECE = np.dtype([("base", "u8"), ("len", "u8")])
ADDRESS = np.dtype([("family", "u2"), ("port", ">u2"), ("host", "u1", 4), ("zero", "u1", 8)])
AT_ONCE = 512  # datagrams in one call
SPACING_S = 0.001  # between calls of the sender: what's due meanwhile goes out together
EMPTYING_S = 0.005  # between looks of the readers that only count
LIBC = ctypes.CDLL(None, use_errno=True)


class Load(NamedTuple):
    """What is sent: P datagrams in the order of their times."""

    due_s: np.ndarray  # (P,) after the start
    port: np.ndarray  # (P,) which sensor's
    target: np.ndarray  # (P,)
    data: np.ndarray  # (P, octets) uint8


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


def make_load(
    start_ns: int, seconds: float, tracks: int, per_second: int, seed: int = 1, *, again: int | None = None
) -> Load:
    """Return the reports: each target is seen by the same few radars, each once a turn at its own azimuth's time.

    again : seed of other azimuths, for more reports of the same targets
    """
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
    phase = (lots if again is None else np.random.default_rng(again)).uniform(0, TURN_S, len(target))
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
    t_ns = start_ns + np.rint(due * S).astype(np.int64)
    data = datagrams(t_ns, sensor, slant, azimuth, target, h[target] / 30.48)
    return Load(due, sensor, target, data)


def datagrams(
    t_ns: np.ndarray, sensor: np.ndarray, slant: np.ndarray, azimuth: np.ndarray, target: np.ndarray, level: np.ndarray
) -> np.ndarray:
    """Return a datagram a row, each with one report of CAT048 as `radar_bytes.report` writes it."""

    def octets(values: np.ndarray, count: int) -> np.ndarray:
        return values.astype(">i8")[:, None].view(np.uint8)[:, 8 - count :]

    def at(k: int) -> bytes:
        return block(48, [report(sac=1, sic=int(sensor[k]) + 1, t_ns=int(t_ns[k]), range_m=float(slant[k]),
                                 azimuth_rad=float(azimuth[k]), address=0x400000 + int(target[k]),
                                 mode_3a=int(target[k]) % 4096, level=float(level[k]))])  # fmt: skip

    first = np.frombuffer(at(0), np.uint8)
    made = np.tile(first, (len(t_ns), 1))
    made[:, 6] = sensor + 1
    made[:, 7:10] = octets(t_ns % DAY_NS * 128 // S, 3)
    made[:, 11:13] = octets(np.rint(slant / NMI * 256), 2)
    made[:, 13:15] = octets(np.rint(azimuth / (2 * math.pi) * 65536) % 65536, 2)
    made[:, 15:17] = octets(target % 4096, 2)
    made[:, 17:19] = octets(np.rint(level * 4), 2)
    made[:, 19:22] = octets(0x400000 + target, 3)
    for k in np.linspace(0, len(t_ns) - 1, 100).astype(int).tolist():
        assert made[k].tobytes() == at(k)
    return made


def forked(work: Callable[[], Any], place: Path) -> int:
    """Run work in a process of its own; return its number. What it returns and its CPU time go to a file."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            result = work()
            usage = resource.getrusage(resource.RUSAGE_SELF)
            np.savez(place, cpu_s=usage.ru_utime + usage.ru_stime, **result)
            code = 0
        finally:
            os._exit(code)
    return pid


def messages(data: np.ndarray, ports: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return what sendmmsg takes for datagrams to ports of this machine, and what must live as long as that."""
    addresses = np.zeros(len(ports), ADDRESS)
    addresses["family"], addresses["port"], addresses["host"] = socket.AF_INET, ports, [127, 0, 0, 1]
    pieces = np.zeros(len(data), PIECE)
    pieces["base"] = data.ctypes.data + data.strides[0] * np.arange(len(data), dtype=np.uint64)
    pieces["len"] = data.shape[1]
    heads = np.zeros(len(data), MESSAGE)
    heads["name"] = addresses.ctypes.data + ADDRESS.itemsize * np.arange(len(data), dtype=np.uint64)
    heads["namelen"] = ADDRESS.itemsize
    heads["iov"] = pieces.ctypes.data + PIECE.itemsize * np.arange(len(data), dtype=np.uint64)
    heads["iovlen"] = 1
    return heads, [addresses, pieces, data]


def send(load: Load, ports: list[int], start_ns: int) -> dict[str, Any]:
    """Send at the due times; return by how much each was late."""
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * 2**20)
    heads, _kept = messages(load.data, np.array(ports)[load.port])
    late = np.empty(len(load.due_s))
    at, total = 0, len(load.due_s)
    while at < total:
        now_s = (time.time_ns() - start_ns) / S
        upto = int(np.searchsorted(load.due_s, now_s, side="right"))
        while at < upto:
            where = heads.ctypes.data + MESSAGE.itemsize * at
            sent = LIBC.sendmmsg(out.fileno(), ctypes.c_void_p(where), min(upto - at, AT_ONCE), 0)
            if sent <= 0:
                raise OSError(ctypes.get_errno(), "sendmmsg")
            late[at : at + sent] = (time.time_ns() - start_ns) / S - load.due_s[at : at + sent]
            at += sent
        if at < total:
            time.sleep(max(SPACING_S, load.due_s[at] - (time.time_ns() - start_ns) / S))
    return {"late": late}


def consumer() -> socket.socket:
    """Return the socket of one that is sent CAT062."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 2**20)
    opened.bind(("127.0.0.1", 0))
    return opened


def receive(opened: socket.socket, until_ns: int) -> dict[str, Any]:
    """Take datagrams until a time with the times at which this process had each."""
    opened.settimeout(0.2)
    got, t_ns = [], []
    while time.time_ns() < until_ns:
        try:
            got.append(opened.recv(65_535))
        except TimeoutError:
            continue
        t_ns.append(time.time_ns())
    sizes = np.array([len(one) for one in got], np.int64)
    return {"t_ns": np.array(t_ns, np.int64), "sizes": sizes, "data": np.frombuffer(b"".join(got), np.uint8)}


def count(sockets: list[socket.socket], until_ns: int) -> dict[str, Any]:
    """Take what other consumers are sent until a time, and count it; only the first octets are looked at."""
    counts = np.zeros(len(sockets), np.int64)
    first = np.zeros((AT_ONCE, 64), np.uint8)
    heads, _kept = messages(first, np.zeros(AT_ONCE))
    heads["name"], heads["namelen"] = 0, 0
    pointer = ctypes.c_void_p(heads.ctypes.data)
    while time.time_ns() < until_ns:
        time.sleep(EMPTYING_S)
        for k, one in enumerate(sockets):
            while (found := LIBC.recvmmsg(one.fileno(), pointer, AT_ONCE, socket.MSG_DONTWAIT, None)) > 0:
                counts[k] += found
    return {"counts": counts}


def follow(web: int, readers: int, until_ns: int) -> dict[str, Any]:
    """Read the change stream over HTTP, by so many readers at a time, until a time; count what came."""
    opened = []
    for _ in range(readers):
        one = socket.create_connection(("127.0.0.1", web), timeout=60)
        one.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        one.setblocking(False)
        opened.append(one)
    octets, ended = [0] * readers, 0
    room = bytearray(2**18)
    while time.time_ns() < until_ns:
        ready, _, _ = select.select(opened, [], [], 0.2)
        for one in ready:
            size = one.recv_into(room)
            octets[opened.index(one)] += size
            if not size:
                ended += 1
                one.close()
                opened.remove(one)
        time.sleep(EMPTYING_S)
    return {"octets": np.array(octets), "ended": ended}
