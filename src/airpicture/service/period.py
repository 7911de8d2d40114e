"""When an output is due, on the grid of UTC, and which tracks ended since it was last."""

from __future__ import annotations

from typing import Final

from airpicture.service.hub import Update
from airpicture.tables import Status, Tracks
from airpicture.units import SECOND_NS

HELD_MAX: Final = 100_000  # rows of ended tracks that wait for a period's end


class Period:
    """Says when a period on the grid of UTC is over, and gathers the tracks that ended meanwhile."""

    def __init__(self, period_s: float) -> None:
        self._period_ns = round(period_s * SECOND_NS)
        self._slot = -1
        self._ended: list[Tracks] = []
        self._held = 0

    def due(self, update: Update) -> Tracks | None:
        """Return all live tracks and those that ended since it last was due; None where it isn't."""
        slot = update.now_ns // self._period_ns
        if slot == self._slot:
            ended = update.tracks.status == Status.ENDED
            if ended.any() and self._held < HELD_MAX:
                self._ended.append(update.tracks.take(ended))
                self._held += int(ended.sum())
            return None
        self._slot = slot
        found, self._ended, self._held = self._ended, [], 0
        return Tracks.concat([update.tracks, *found]) if found else update.tracks
