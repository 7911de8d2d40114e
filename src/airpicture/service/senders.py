"""Bytes out: datagrams, connections of ours, connections of others to us. None of them ever waits.

A message is sent whole or not at all. Whoever takes too little loses messages, counted, and is let go of when it takes
none for `STUCK_S`; the others don't notice.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final, Protocol

from airpicture.errors import ConfigError
from airpicture.service.address import Address
from airpicture.service.inputs import BACK_OFF_S, keep_alive
from airpicture.service.process import cannot_open, log, shown

WAITING_MAX: Final = 2 * 2**20  # octets that may wait for one receiver, besides what the system holds
STUCK_S: Final = 10.0


class Sender(Protocol):
    """Takes messages for one output."""

    port: int  # that it listens on; 0 where it doesn't
    counts: Counter[str]

    async def open(self) -> None:
        """Make ready to send."""

    def send(self, messages: Iterable[bytes]) -> None:
        """Send messages, or count that they couldn't be."""

    async def close(self) -> None:
        """End."""


class Datagrams:
    """Sends datagrams to an address or a group."""

    def __init__(self, where: Address, *, interface: str = "", ttl: int = 1) -> None:
        self.counts: Counter[str] = Counter()
        self.port = 0
        self._where, self._interface, self._ttl = where, interface, ttl
        self._socket: socket.socket | None = None
        self._target: Any = None

    async def open(self) -> None:
        """Find the address and open a socket.

        Raises
        ------
        ConfigError : the name can't be found, or the interface isn't one of this machine
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self._where.host, self._where.port, type=socket.SOCK_DGRAM)
        except socket.gaierror as error:
            raise ConfigError(f"{self._where}: the name can't be found ({error.strerror})") from None
        family, _, _, _, self._target = found[0]
        opened = socket.socket(family, socket.SOCK_DGRAM)
        opened.setblocking(False)
        with suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**21)
        if ipaddress.ip_address(str(self._target[0]).partition("%")[0]).is_multicast:
            if family == socket.AF_INET:
                opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, self._ttl)
                opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
                if self._interface:
                    self._send_on(opened)
            else:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, self._ttl)
        self._socket = opened

    def _send_on(self, opened: socket.socket) -> None:
        """Choose the interface that a group's data goes out on."""
        try:
            packed = ipaddress.ip_address(self._interface).packed
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, packed)
        except (ValueError, OSError):
            opened.close()
            raise ConfigError(
                f"{self._where}: {self._interface!r} is no interface to send on",
                expected="the address of an interface of this machine, for example 192.0.2.1",
            ) from None

    def send(self, messages: Iterable[bytes]) -> None:
        """Send each message as a datagram."""
        assert self._socket is not None
        for message in messages:
            try:
                self._socket.sendto(message, self._target)
            except OSError:  # the system's buffer is full, the network down, nobody listens: the next may do
                self.counts["dropped"] += 1
            else:
                self.counts["sent"] += 1
                self.counts["octets"] += len(message)

    async def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()


class _Receiver:
    """One connection that messages go to."""

    def __init__(self, writer: asyncio.StreamWriter, counts: Counter[str]) -> None:
        self._transport, self._counts = writer.transport, counts
        self._writer = writer
        self._moved = asyncio.get_running_loop().time()
        self._waiting = 0
        self.peer = shown((writer.get_extra_info("peername") or ["?"])[0])
        keep_alive(writer)
        self._transport.set_write_buffer_limits(high=WAITING_MAX)

    def send(self, message: bytes) -> bool:
        """Send a message; say whether the connection is worth keeping."""
        now = asyncio.get_running_loop().time()
        waiting = self._transport.get_write_buffer_size()
        if waiting < self._waiting or waiting == 0:
            self._moved = now
        self._waiting = waiting
        if self._transport.is_closing():
            return False
        if now - self._moved > STUCK_S:
            self._counts["stuck"] += 1
            self.abort()
            return False
        if waiting + len(message) > WAITING_MAX:
            self._counts["dropped"] += 1
        else:
            self._transport.write(message)
            self._waiting = self._transport.get_write_buffer_size()
            self._counts["sent"] += 1
            self._counts["octets"] += len(message)
        return True

    def abort(self) -> None:
        """End at once, without waiting for what isn't sent."""
        self._transport.abort()


class Server:
    """Lets receivers connect, and sends all of them the same."""

    def __init__(self, where: Address, *, clients_max: int) -> None:
        self.counts: Counter[str] = Counter()
        self.port = 0
        self._where, self._most = where, clients_max
        self._receivers: set[_Receiver] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to listen.

        Raises
        ------
        ConfigError : another program listens there, or the address isn't one of this machine
        """
        try:
            self._server = await asyncio.start_server(self._meet, self._where.host, self._where.port)
        except OSError as error:
            raise cannot_open(str(self._where), error) from None
        self.port = self._server.sockets[0].getsockname()[1]

    def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._receivers) >= self._most:
            self.counts["refused"] += 1
            writer.transport.abort()
            return
        receiver = _Receiver(writer, self.counts)
        self._receivers.add(receiver)
        self.counts["connected"] += 1
        task = asyncio.get_running_loop().create_task(self._until_gone(reader, receiver))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _until_gone(self, reader: asyncio.StreamReader, receiver: _Receiver) -> None:
        with suppress(OSError):
            while await reader.read(4096):  # what receivers say is nobody's business
                pass
        self._receivers.discard(receiver)
        receiver.abort()

    def send(self, messages: Iterable[bytes]) -> None:
        """Send all receivers the same."""
        whole = b"".join(messages)
        if whole:
            for receiver in list(self._receivers):
                if not receiver.send(whole):
                    self._receivers.discard(receiver)

    async def close(self) -> None:
        """Let all go."""
        if self._server is not None:
            self._server.close()
        for receiver in list(self._receivers):
            receiver.abort()


class Client:
    """Connects to a receiver, again and again."""

    def __init__(self, where: Address, *, name: str) -> None:
        self.counts: Counter[str] = Counter()
        self.port = 0
        self._where, self._name = where, name
        self._receiver: _Receiver | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to connect."""
        self._task = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        lots = random.Random(self._name)
        wait, told = BACK_OFF_S[0], False
        while True:
            try:
                reader, writer = await asyncio.wait_for(asyncio.open_connection(self._where.host, self._where.port), 10)
            except (OSError, TimeoutError):
                if not told:
                    log("output", f"{self._name}: can't connect to {self._where}; trying again")
                    told = True
            else:
                self.counts["connected"] += 1
                wait, told = BACK_OFF_S[0], False
                self._receiver = _Receiver(writer, self.counts)
                with suppress(OSError):
                    while await reader.read(4096):
                        pass
                self._receiver.abort()
                self._receiver = None
            self.counts["connect_failures"] += 1
            await asyncio.sleep(wait * lots.uniform(0.5, 1.0))
            wait = min(2 * wait, BACK_OFF_S[1])

    def send(self, messages: Iterable[bytes]) -> None:
        """Send, where somebody is there to take it."""
        whole = b"".join(messages)
        if not whole:
            return
        if self._receiver is None or not self._receiver.send(whole):
            self.counts["dropped"] += 1

    async def close(self) -> None:
        """Let go."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._receiver is not None:
            self._receiver.abort()


def make_sender(where: Address, *, name: str, interface: str, ttl: int, clients_max: int) -> Sender:
    """Return the sender of an address."""
    if where.transport == "udp":
        return Datagrams(where, interface=interface, ttl=ttl)
    if where.transport == "listen":
        return Server(where, clients_max=clients_max)
    return Client(where, name=name)
