"""Sockets in: each input's transport, what it refuses before anything is decoded, and what it counts.

All of it runs in the process that receives. An input hands bytes to a `Sink` and knows nothing of what they mean.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import random
import socket
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from airpicture.service.process import log, plain, shown
from airpicture.service.settings import InputSettings

BUFFER_OCTETS: Final = 4 * 2**20  # of the system for a UDP socket: 2 s of 2,000 datagrams a second, with their overhead
DATAGRAM_MAX: Final = 65_535
DATAGRAMS_AT_ONCE: Final = 512  # read before others have their turn
PUMP_S: Final = 0.004  # between readings of all UDP inputs, while much comes
PUMP_FROM: Final = 3_000.0  # datagrams a second in all, from which on they're read so; down to half of it
WINDOW_S: Final = 0.1  # over which that's counted
CHUNK: Final = 65_536  # octets of a stream at once
SO_RXQ_OVFL: Final = 40  # Linux: how many datagrams the system dropped, beside each one that it didn't
TWIN_NS: Final = 2_000_000_000  # twin networks bring the same within this: their delays differ by milliseconds
TWINS_MAX: Final = 100_000
BACK_OFF_S: Final = (0.5, 30.0)  # between attempts to connect, doubling
HOSTS_MAX: Final = 4096  # senders whose permission is remembered


class Sink(Protocol):
    """Takes what inputs receive."""

    def data(self, link: int, payload: bytes) -> None:
        """Take bytes: a datagram, or a piece of a stream."""

    def opened(self, link: int, peer: str) -> None:
        """Note that a connection began."""

    def closed(self, link: int, why: str) -> None:
        """Note that it ended."""


class Gate:
    """Who may send to an input."""

    def __init__(self, allow: tuple[str, ...]) -> None:
        self._networks = [ipaddress.ip_network(text) for text in allow]
        self._known: OrderedDict[str, bool] = OrderedDict()

    def lets(self, host: str) -> bool:
        """Say whether a host may send."""
        if not self._networks:
            return True
        if host not in self._known:
            if len(self._known) >= HOSTS_MAX:
                self._known.popitem(last=False)
            address = ipaddress.ip_address(host.partition("%")[0])
            self._known[host] = any(address in network for network in self._networks)
        return self._known[host]


class Twins:
    """Drops what the other of twin networks has brought already; each copy stands for one."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, bytes], tuple[str, int]] = OrderedDict()

    def repeats(self, twin: str, name: str, payload: bytes, t_ns: int) -> bool:
        """Say whether another input of the same name brought these bytes just now."""
        while self._seen:
            first = next(iter(self._seen))
            if t_ns - self._seen[first][1] <= TWIN_NS and len(self._seen) < TWINS_MAX:
                break
            del self._seen[first]
        key = (twin, payload)
        before = self._seen.get(key)
        if before is not None and before[0] != name:
            del self._seen[key]
            return True
        self._seen[key] = (name, t_ns)
        return False


class Rate:
    """Lets so many records a second through, and a second's worth at once."""

    def __init__(self, rate: float) -> None:
        self._rate, self._left, self._t_ns = rate, rate, 0

    def lets(self, t_ns: int) -> bool:
        """Say whether one more is let through."""
        self._left = min(self._rate, self._left + self._rate * max(t_ns - self._t_ns, 0) * 1e-9)
        self._t_ns = t_ns
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


def udp_socket(host: str, port: int, interface: str) -> socket.socket:
    """Return a socket that receives datagrams of an address or a multicast group."""
    address = ipaddress.ip_address(socket.getaddrinfo(host, None)[0][4][0])
    v6 = address.version == 6
    opened = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_OCTETS)
        with suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)
        if address.is_multicast:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind((str(address), port))  # to the group: others on the same port are no business of ours
            if v6:
                scope = socket.if_nametoindex(interface) if interface and not interface[0].isdigit() else 0
                opened.setsockopt(
                    socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, address.packed + struct.pack("@I", scope)
                )
            else:
                joined = address.packed + ipaddress.ip_address(interface or "0.0.0.0").packed
                opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
        else:
            opened.bind((str(address), port))
    except OSError:
        opened.close()
        raise
    return opened


class Pump:
    """Reads all UDP inputs of a process: each as it's woken while little comes, all in turn while much comes.

    To be woken for a datagram takes five times as long as to read it. Read every `PUMP_S`, a datagram waits for that
    long at most, in the system's buffer, and is stamped as received when it's read.
    """

    def __init__(self) -> None:
        self._inputs: list[UdpInput] = []
        self._pumping = False
        self._since, self._count = 0.0, 0  # begin of a window of time, and what was read since

    def add(self, one: UdpInput) -> None:
        """Begin to read an input."""
        self._inputs.append(one)
        if not self._pumping:
            asyncio.get_running_loop().add_reader(one.socket, self._woken, one)

    def remove(self, one: UdpInput) -> None:
        """Read an input no more."""
        self._inputs.remove(one)
        asyncio.get_running_loop().remove_reader(one.socket)

    def _woken(self, one: UdpInput) -> None:
        self._count += one.read()
        if self._window() > PUMP_FROM:
            loop = asyncio.get_running_loop()
            for other in self._inputs:
                loop.remove_reader(other.socket)
            self._pumping = True
            loop.call_later(PUMP_S, self._pump)

    def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        self._count += sum(one.read() for one in self._inputs)
        if 0 <= self._window() < PUMP_FROM / 2:
            self._pumping = False
            for one in self._inputs:
                loop.add_reader(one.socket, self._woken, one)
        else:
            loop.call_later(PUMP_S, self._pump)

    def _window(self) -> float:
        """Return datagrams a second over the window of time that ends now, -1 within one."""
        now = asyncio.get_running_loop().time()
        if now - self._since < WINDOW_S:
            return -1.0
        rate, self._count, self._since = self._count / (now - self._since), 0, now
        return rate


class UdpInput:
    """Receives datagrams; counts what the system had to drop.

    Attributes
    ----------
    port : that it listens on
    """

    def __init__(self, settings: InputSettings, sink: Sink, counts: Counter[str], pump: Pump) -> None:
        self._settings, self._sink, self._counts, self._pump = settings, sink, counts, pump
        self._gate = Gate(settings.allow)
        self.socket = udp_socket(settings.address.host, settings.address.port, settings.interface)
        self._drops = 0
        self._refused_told = False
        self.port: int = self.socket.getsockname()[1]
        got = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        if got < BUFFER_OCTETS:
            log("ingest", f"{settings.name}: the system grants a buffer of {got} octets: raise net.core.rmem_max")

    async def run(self) -> None:
        """Receive until cancelled."""
        self._pump.add(self)
        try:
            await asyncio.Event().wait()
        finally:
            self._pump.remove(self)
            self.socket.close()

    def read(self) -> int:
        """Take what waits in the system's buffer, up to a bound; return how many datagrams."""
        for number in range(DATAGRAMS_AT_ONCE):
            try:
                payload, beside, _, sender = self.socket.recvmsg(DATAGRAM_MAX, 64)
            except (BlockingIOError, InterruptedError):
                return number
            except OSError as error:  # an ICMP error of a peer, an interface that went down
                self._counts["errors"] += 1
                log("ingest", f"{self._settings.name}: {error.strerror}")
                return number
            for level, kind, data in beside:
                if level == socket.SOL_SOCKET and kind == SO_RXQ_OVFL:
                    drops = int.from_bytes(data[:4], "little" if struct.pack("=H", 1)[0] else "big")
                    self._counts["kernel_drops"] += (drops - self._drops) % 2**32
                    self._drops = drops
            self._counts["received"] += 1
            if not self._gate.lets(sender[0]):
                self._counts["refused_sender"] += 1
                if not self._refused_told:
                    self._refused_told = True
                    log("ingest", f"{self._settings.name}: {shown(sender[0])} isn't in its list of senders; counted")
                continue
            self._sink.data(0, payload)
        return DATAGRAMS_AT_ONCE


class Streams:
    """Connections of one input: numbers for them, and what all have in common."""

    def __init__(self, settings: InputSettings, sink: Sink, counts: Counter[str]) -> None:
        self._settings, self._sink, self._counts = settings, sink, counts
        self._links = 0
        self.open = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """Hand on what a connection brings until it ends; return why it did."""
        peer = str((writer.get_extra_info("peername") or ["?"])[0])
        keep_alive(writer)
        self._links += 1
        link = self._links
        self.open += 1
        self._counts["connected"] += 1
        self._sink.opened(link, peer)
        why = "closed by the other side"
        try:
            while data := await reader.read(CHUNK):
                self._counts["received"] += 1
                self._sink.data(link, data)
        except OSError as error:
            why = error.strerror or type(error).__name__
        except asyncio.CancelledError:
            why = "the service ends"
            raise
        finally:
            self.open -= 1
            self._sink.closed(link, why)
            writer.close()
        return why


def keep_alive(writer: asyncio.StreamWriter) -> None:
    """Have the system notice within a minute that a peer is gone that said nothing."""
    raw = writer.get_extra_info("socket")
    with suppress(OSError, AttributeError):
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 20)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


class TcpClient:
    """Connects, and connects again; waits longer each time, by a different length for each of many."""

    def __init__(self, settings: InputSettings, sink: Sink, counts: Counter[str], seed: int) -> None:
        self._settings, self._counts = settings, counts
        self._streams = Streams(settings, sink, counts)
        self._random = random.Random(f"{seed} {settings.name}")
        self.port = 0

    async def run(self) -> None:
        """Receive until cancelled."""
        where = self._settings.address
        wait = BACK_OFF_S[0]
        told = ""
        while True:
            try:
                reader, writer = await asyncio.wait_for(asyncio.open_connection(where.host, where.port), 10)
            except (OSError, TimeoutError) as error:
                why = f"can't connect to {where}: {plain(error) if str(error) else 'no answer in time'}"
            else:
                log("ingest", f"{self._settings.name}: connected to {where}")
                if self._settings.hello:
                    writer.write(self._settings.hello.encode() + b"\r\n")
                began = asyncio.get_running_loop().time()
                why = f"{where}: {await self._streams.take(reader, writer)}"
                if asyncio.get_running_loop().time() - began > 2 * BACK_OFF_S[1]:
                    wait, told = BACK_OFF_S[0], ""
            self._counts["connect_failures"] += 1
            if why != told:
                log("ingest", f"{self._settings.name}: {shown(why)}; trying again")
                told = why
            await asyncio.sleep(wait * self._random.uniform(0.5, 1.0))
            wait = min(2 * wait, BACK_OFF_S[1])


class TcpServer:
    """Lets senders connect."""

    def __init__(self, settings: InputSettings, sink: Sink, counts: Counter[str]) -> None:
        self._settings, self._counts = settings, counts
        self._gate = Gate(settings.allow)
        self._streams = Streams(settings, sink, counts)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[str]] = set()
        self.port = 0

    async def open(self) -> None:
        """Begin to listen."""
        where = self._settings.address
        self._server = await asyncio.start_server(self._meet, where.host, where.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def run(self) -> None:
        """Receive until cancelled."""
        assert self._server is not None
        try:
            await asyncio.Event().wait()
        finally:
            self._server.close()
            for task in self._tasks:
                task.cancel()

    def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str((writer.get_extra_info("peername") or ["?"])[0])
        if not self._gate.lets(peer) or self._streams.open >= self._settings.clients_max:
            self._counts["refused_connection"] += 1
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._streams.take(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class StandardInput:
    """Reads what is piped in; `ended` is called at its end."""

    def __init__(self, sink: Sink, counts: Counter[str], ended: Callable[[], None], descriptor: int = 0) -> None:
        self._sink, self._counts, self._ended, self._descriptor = sink, counts, ended, descriptor
        self.port = 0

    async def run(self) -> None:
        """Read to the end. A thread waits for the bytes: not every standard input can be watched."""
        self._sink.opened(1, "standard input")
        while data := await asyncio.to_thread(os.read, self._descriptor, CHUNK):
            self._counts["received"] += 1
            self._sink.data(1, data)
        self._sink.closed(1, "its end")
        self._ended()
