"""CAT062 of each change at once, with ``changes = true``: what can't wait is sent by the process that tracks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from airpicture.service.outputs import alike, cat062_writer, conditions, cut, overloaded
from airpicture.service.pipeline import Step
from airpicture.service.sent import SentOutput
from airpicture.service.settings import OutputSettings
from airpicture.tables import Sensors, Tracks

ChangesOutput: TypeAlias = SentOutput[[Tracks, Step]]  # given the tracks that changed, and the step


class ChangesEncoder:
    """ASTERIX CAT062 with CAT065 and CAT063, each track as it changes; once for all outputs that are alike."""

    def __init__(self, settings: OutputSettings, sensors: Sensors) -> None:
        self._count = len(sensors)
        self._writer = cat062_writer(settings, sensors)
        self._datagrams = settings.address.transport == "udp"
        self._now_ns = -1  # of the step that was encoded last
        self._messages: list[bytes] = []

    def messages(self, moved: Tracks, step: Step) -> list[bytes]:
        """Return what's to be sent of a step: in datagrams, or as a piece of a stream."""
        if step.now_ns != self._now_ns:
            self._now_ns = step.now_ns
            data = self._writer.batch(
                moved,
                step.now_ns,
                overload=overloaded(step.alerts),
                sensor_conditions=conditions(step.sensors, self._count),
            )
            self._messages = cut(data, self._datagrams)
        return self._messages


def make_changes(settings: Sequence[OutputSettings], sensors: Sensors) -> list[ChangesOutput]:
    """Return outputs that aren't open yet; those that are alike share their encoder."""
    encoders: dict[OutputSettings, ChangesEncoder] = {}
    made: list[ChangesOutput] = []
    for one in settings:
        same = alike(one)
        if same not in encoders:
            encoders[same] = ChangesEncoder(one, sensors)
        made.append(SentOutput(one, encoders[same].messages))
    return made
