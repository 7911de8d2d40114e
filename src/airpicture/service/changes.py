"""Outputs that send each track as soon as it changes: CAT062 with ``changes = true``, from the process that tracks."""

from __future__ import annotations

from collections.abc import Sequence

from airpicture.formats.asterix.encode import split_datagrams
from airpicture.service.outputs import alike, cat062_writer, conditions, overloaded, sender_of
from airpicture.service.pipeline import Step
from airpicture.service.settings import OutputSettings
from airpicture.tables import Sensors, Tracks


class ChangesEncoder:
    """Encodes the changes of each step once for all outputs that want them alike."""

    def __init__(self, settings: OutputSettings, sensors: Sensors) -> None:
        self._count = len(sensors)
        self._writer = cat062_writer(settings, sensors)
        self._now_ns = -1  # of the step that was encoded last
        self._data = b""
        self._datagrams: list[bytes] = []

    def messages(self, moved: Tracks, step: Step, datagrams: bool) -> list[bytes]:
        """Return what's to be sent of a step: in datagrams, or as a piece of a stream."""
        if step.now_ns != self._now_ns:
            self._now_ns = step.now_ns
            self._data = self._writer.batch(
                moved,
                step.now_ns,
                overload=overloaded(step.alerts),
                sensor_conditions=conditions(step.sensors, self._count),
            )
            self._datagrams = split_datagrams(self._data) if self._data else []
        if datagrams:
            return self._datagrams
        return [self._data] if self._data else []


class ChangesOutput:
    """ASTERIX CAT062 with CAT065 and CAT063, each track as it changes."""

    def __init__(self, settings: OutputSettings, encoder: ChangesEncoder) -> None:
        self._sender = sender_of(settings)
        self.name, self.counts = settings.name, self._sender.counts
        self._encoder = encoder
        self._datagrams = settings.address.transport == "udp"

    @property
    def port(self) -> int:
        """Port that it listens on."""
        return self._sender.port

    async def open(self) -> None:
        """Make ready."""
        await self._sender.open()

    def take(self, moved: Tracks, step: Step) -> None:
        """Send the tracks that changed."""
        messages = self._encoder.messages(moved, step, self._datagrams)
        if messages:
            self._sender.send(messages)

    async def close(self) -> None:
        """End."""
        await self._sender.close()


def make_changes(settings: Sequence[OutputSettings], sensors: Sensors) -> list[ChangesOutput]:
    """Return outputs that aren't open yet; those that are alike share their encoder."""
    encoders: dict[OutputSettings, ChangesEncoder] = {}
    made = []
    for one in settings:
        same = alike(one)
        if same not in encoders:
            encoders[same] = ChangesEncoder(one, sensors)
        made.append(ChangesOutput(one, encoders[same]))
    return made
