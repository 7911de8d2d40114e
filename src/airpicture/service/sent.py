"""Outputs whose messages go to an address: all open, send and close alike, and a function makes what they send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic, ParamSpec

from airpicture.service.senders import make_sender
from airpicture.service.settings import OutputSettings

What = ParamSpec("What")


class SentOutput(Generic[What]):
    """Sends what a function makes of each update; none where it makes none.

    Parameters
    ----------
    messages : makes datagrams, or pieces of a stream where the address has connections
    """

    def __init__(self, settings: OutputSettings, messages: Callable[What, Sequence[bytes]]) -> None:
        self._sender = make_sender(
            settings.address,
            name=settings.name,
            interface=settings.interface,
            ttl=settings.ttl,
            clients_max=settings.clients_max,
        )
        self.name: str = settings.name
        self.counts: Counter[str] = self._sender.counts
        self._messages = messages

    @property
    def port(self) -> int:
        """Port that it listens on."""
        return self._sender.port

    async def open(self) -> None:
        """Make ready."""
        await self._sender.open()

    def take(self, *what: What.args, **named: What.kwargs) -> None:
        """Send what's due."""
        if messages := self._messages(*what, **named):
            self._sender.send(messages)

    async def close(self) -> None:
        """End."""
        await self._sender.close()
