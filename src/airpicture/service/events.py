"""The stream of changes as server-sent events, for programs."""

from __future__ import annotations

import asyncio
import json
import math
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from airpicture.alerts import Alert
from airpicture.service.hub import Hub, Update
from airpicture.service.trackrows import tracks_text
from airpicture.service.webhook import alert_values
from airpicture.tables import I64, U8, Status, Tracks

EVENTS_S: Final = 1.0  # between messages of the change stream
BEHIND: Final = 16  # messages of the change stream that are kept for slow readers


class _Told(NamedTuple):
    """Live tracks by number, and what of them says that they changed."""

    track: I64
    t_ns_plot: I64
    status: U8
    rows: I64  # of the picture

    @classmethod
    def nothing(cls) -> Self:
        none = np.zeros(0, np.int64)
        return cls(none, none, np.zeros(0, np.uint8), none)

    @classmethod
    def of(cls, tracks: Tracks) -> Self:
        rows = np.flatnonzero(tracks.status != Status.ENDED)
        rows = rows[np.argsort(tracks.track[rows], kind="stable")]
        return cls(tracks.track[rows], tracks.t_ns_plot[rows], tracks.status[rows], rows)

    def among(self, before: Self) -> NDArray[np.bool_]:
        """Return which were told before as they are."""
        if not len(before.track):
            return np.zeros(len(self.track), bool)
        at = np.minimum(np.searchsorted(before.track, self.track), len(before.track) - 1)
        same: NDArray[np.bool_] = before.track[at] == self.track
        same &= (before.t_ns_plot[at] == self.t_ns_plot) & (before.status[at] == self.status)
        return same


class Events:
    """The stream of changes: worked out once for all readers, at most once in `EVENTS_S`, while there are any.

    A reader that's slow skips nothing while it's less than `BEHIND` messages behind; beyond, it's given the whole
    picture again, as at its beginning.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=BEHIND)
        self._number = 0
        self._told = _Told.nothing()
        self._standing: dict[str, Alert] = {}
        self._update: Update | None = None
        self._more = asyncio.Condition()
        self._readers = 0
        self._task: asyncio.Task[None] | None = None
        self.closed = False

    async def follow(self) -> AsyncIterator[bytes]:
        """Yield server-sent events: all there is, then what changes."""
        self._readers += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        at = -1
        try:
            while True:
                async with self._more:
                    while not self.closed and (self._number == at or self._update is None):
                        await self._more.wait()
                    if self.closed:
                        return
                    late = [data for number, data in self._recent if number > at]
                    whole = at < 0 or (self._number - at > len(late))
                    at = self._number
                yield self._whole() if whole else b"".join(late)
        finally:
            self._readers -= 1

    async def _run(self) -> None:
        last = -math.inf
        loop = asyncio.get_running_loop()
        async for update in self._hub.follow():
            if not self._readers:
                break
            if (wait := last + EVENTS_S - loop.time()) > 0:
                await asyncio.sleep(wait)
                update = self._hub.latest or update
            last = loop.time()
            data = self._changes(update)
            async with self._more:
                self._number += 1
                self._recent.append((self._number, data))
                self._more.notify_all()
        self._told, self._standing, self._update = _Told.nothing(), {}, None
        self._recent.clear()
        async with self._more:
            self.closed = bool(self._readers)
            self._more.notify_all()

    def _whole(self) -> bytes:
        assert self._update is not None
        tracks = self._update.tracks
        live = tracks.take(np.flatnonzero(tracks.status != Status.ENDED))
        body = _tracks_event(self._update.now_ns, live, [], ',"whole":true')
        alerts = {"whole": True, "alerts": [alert_values(one) for one in self._standing.values()], "ended": []}
        return body + _event("alerts", alerts)

    def _changes(self, update: Update) -> bytes:
        told, before = _Told.of(update.tracks), self._told
        self._told, self._update = told, update
        changed = update.tracks.take(told.rows[~told.among(before)])
        ended = np.setdiff1d(before.track, told.track, assume_unique=True)
        data = _tracks_event(update.now_ns, changed, ended.tolist())
        raised = {alert.key: alert for alert in update.alerts if alert.t_ns_ended < 0}
        fresh = [alert_values(alert) for key, alert in raised.items() if self._standing.get(key) != alert]
        gone = [key for key in self._standing if key not in raised]
        self._standing = raised
        if fresh or gone:
            data += _event("alerts", {"alerts": fresh, "ended": gone})
        return data


def _tracks_event(now_ns: int, tracks: Tracks, ended: list[int], also: str = "") -> bytes:
    head = f'event: tracks\ndata: {{"now_ns":{now_ns}{also},"tracks":'.encode()
    return head + tracks_text(tracks) + b',"ended":' + json.dumps(ended, separators=(",", ":")).encode() + b"}\n\n"


def _event(name: str, body: Any) -> bytes:
    return (
        b"event: "
        + name.encode()
        + b"\ndata: "
        + json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
        + b"\n\n"
    )
