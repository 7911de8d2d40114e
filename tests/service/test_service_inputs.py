"""Inputs by themselves, on loopback: groups, kernel buffers, twins, senders' lists, connections that break."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import Callable

import pytest

from airpicture.service import inputs
from airpicture.service.address import Address
from airpicture.service.inputs import Gate, Pump, Rate, TcpClient, TcpServer, Twins, UdpInput
from airpicture.service.senders import Datagrams, Server
from airpicture.service.settings import InputSettings

S = 10**9


class Heard:
    """A sink that keeps what it's given."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []
        self.opens: list[int] = []
        self.closes: list[str] = []

    def data(self, link: int, payload: bytes) -> None:
        self.payloads.append(payload)

    def opened(self, link: int, peer: str) -> None:
        self.opens.append(link)

    def closed(self, link: int, why: str) -> None:
        self.closes.append(why)


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not what():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(one: UdpInput | TcpClient | TcpServer):  # type: ignore[no-untyped-def]
    task = asyncio.create_task(one.run())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_a_group_is_received_on_the_interface_that_was_chosen() -> None:
    async def run() -> None:
        heard, counts = Heard(), Counter[str]()
        where = Address("udp", "239.255.77.77", 0)
        try:
            one = UdpInput(InputSettings("group", "asterix", where, interface="127.0.0.1"), heard, counts, Pump())
        except OSError:
            pytest.skip("no multicast on loopback here")
        async with running(one):
            sender = Datagrams(Address("udp", "239.255.77.77", one.port), interface="127.0.0.1")
            await sender.open()
            for k in range(50):
                sender.send([b"x%d" % k])
            await until(lambda: len(heard.payloads) == 50)
            await sender.close()
        assert counts == {"received": 50}
        assert sender.counts["sent"] == 50

    asyncio.run(run())


def test_only_listed_senders_are_heard() -> None:
    async def run() -> None:
        heard, counts = Heard(), Counter[str]()
        where = Address("udp", "127.0.0.1", 0)
        one = UdpInput(InputSettings("radar", "asterix", where, allow=("192.0.2.0/24",)), heard, counts, Pump())
        async with running(one):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                for _ in range(9):
                    out.sendto(b"forged", ("127.0.0.1", one.port))
            await until(lambda: counts["received"] == 9)
        assert heard.payloads == []
        assert counts["refused_sender"] == 9

    asyncio.run(run())


def test_many_datagrams_are_read_in_turn_and_few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "WINDOW_S", 0.02)

    async def run() -> None:
        heard, counts, pump = Heard(), Counter[str](), Pump()
        where = Address("udp", "127.0.0.1", 0)
        made = [UdpInput(InputSettings(f"radar {k}", "asterix", where), heard, counts, pump) for k in range(3)]
        async with running(made[0]), running(made[1]):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                pumped, sent = False, 0
                for _ in range(200):
                    for one in made[:2]:
                        for _ in range(20):
                            out.sendto(b"x%d" % sent, ("127.0.0.1", one.port))
                            sent += 1
                    await asyncio.sleep(0.001)
                    pumped |= pump._pumping
                assert pumped
                await until(lambda: counts["received"] == sent)
                await until(lambda: not pump._pumping)
                async with running(made[2]):
                    out.sendto(b"last", ("127.0.0.1", made[2].port))
                    await until(lambda: heard.payloads[-1] == b"last")
        assert sorted(heard.payloads) == sorted([b"x%d" % k for k in range(sent)] + [b"last"])

    asyncio.run(run())


def test_what_the_system_drops_is_counted() -> None:
    async def run() -> None:
        heard, counts = Heard(), Counter[str]()
        one = UdpInput(InputSettings("radar", "asterix", Address("udp", "127.0.0.1", 0)), heard, counts, Pump())
        one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for _ in range(200):
                out.sendto(bytes(500), ("127.0.0.1", one.port))
            async with running(one):
                await until(lambda: counts["received"] > 0)
                await asyncio.sleep(0.05)
                out.sendto(b"last", ("127.0.0.1", one.port))  # brings the count of those before it
                await until(lambda: heard.payloads[-1:] == [b"last"])
        assert counts["received"] + counts["kernel_drops"] == 201
        assert counts["kernel_drops"] > 100

    asyncio.run(run())


def test_twins_pair_copy_for_copy() -> None:
    twins = Twins()
    assert not twins.repeats("lan", "a", b"1", 0)
    assert twins.repeats("lan", "b", b"1", 5)
    assert not twins.repeats("lan", "b", b"1", 6)  # the second of its kind
    assert twins.repeats("lan", "a", b"1", 7)
    assert not twins.repeats("lan", "a", b"2", 8)
    assert not twins.repeats("other", "b", b"2", 9)
    assert not twins.repeats("lan", "b", b"2", 8 + 3 * S)  # too late to be the same
    for k in range(10):
        assert not twins.repeats("lan", "a", b"3", 20 * S + k)  # one network alone


def test_a_flood_is_cut_to_its_rate() -> None:
    rate = Rate(100.0)
    assert sum(rate.lets(10 * S + k) for k in range(1000)) == 100
    assert sum(rate.lets(10 * S + S // 2 + k) for k in range(1000)) == 50


def test_gates() -> None:
    gate = Gate(("192.0.2.0/25", "2001:db8::/32"))
    assert [gate.lets(host) for host in ("192.0.2.5", "192.0.2.200", "2001:db8::1", "::1")] == [
        True,
        False,
        True,
        False,
    ]
    assert Gate(()).lets("10.0.0.1")


def test_a_client_connects_again_and_again() -> None:
    async def run() -> None:
        server = Server(Address("listen", "127.0.0.1", 0), clients_max=2)
        await server.open()
        heard, counts = Heard(), Counter[str]()
        where = Address("tcp", "127.0.0.1", server.port)
        one = TcpClient(InputSettings("receiver", "beast", where), heard, counts, 1)
        async with running(one):
            await until(lambda: server.counts["connected"] == 1)
            server.send([b"first"])
            await until(lambda: heard.payloads == [b"first"])
            await server.close()
            again = Server(Address("listen", "127.0.0.1", server.port), clients_max=2)
            await until(lambda: len(heard.closes) == 1)
            await again.open()
            await until(lambda: again.counts["connected"] == 1)
            again.send([b"second"])
            await until(lambda: heard.payloads == [b"first", b"second"])
            await again.close()
        assert heard.opens == [1, 2]
        assert counts["connected"] == 2

    asyncio.run(run())


def test_a_server_takes_so_many_and_no_more() -> None:
    async def run() -> None:
        heard, counts = Heard(), Counter[str]()
        where = Address("listen", "127.0.0.1", 0)
        one = TcpServer(InputSettings("feeders", "beast", where, clients_max=2), heard, counts)
        await one.open()
        async with running(one):
            writers = []
            for k in range(3):
                _, writer = await asyncio.open_connection("127.0.0.1", one.port)
                writer.write(b"%d" % k)
                writers.append(writer)
            await until(lambda: counts["refused_connection"] == 1 and len(heard.payloads) == 2)
            for writer in writers:
                writer.close()
            await until(lambda: len(heard.closes) == 2)
        assert sorted(heard.opens) == [1, 2]

    asyncio.run(run())


def test_a_reader_that_takes_nothing_is_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    from airpicture.service import senders

    monkeypatch.setattr(senders, "STUCK_S", 0.3)
    monkeypatch.setattr(senders, "WAITING_MAX", 100_000)

    async def run() -> None:
        server = Server(Address("listen", "127.0.0.1", 0), clients_max=8)
        await server.open()
        stuck = socket.socket()
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", server.port))
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await until(lambda: server.counts["connected"] == 2)
        got = 0
        sent = 0
        async with asyncio.timeout(60):
            while not server.counts["stuck"]:
                server.send([bytes(10_000)])
                sent += 10_000
                got += len(await reader.readexactly(10_000))
                await asyncio.sleep(0.002)
        assert got == sent  # the one that reads got all of it
        assert server.counts["dropped"] > 0
        writer.close()
        stuck.close()
        await server.close()

    asyncio.run(run())
