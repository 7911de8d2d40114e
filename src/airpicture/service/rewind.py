"""A live picture's past, for one display: it goes back in time by itself, while all others look at the present.

    word of a display -> Playhead -> Stored.update, Watch (a thread) -> Frames -> this display's line

What a display sees here is the history: tracks, plots and how sensors did, as they were recorded, and alerts as the
watch finds them in those.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from airpicture.alerts import AlertSettings, Watch
from airpicture.service.frames import Frames
from airpicture.service.hub import Mode, SensorHealth, Update
from airpicture.service.player import BARS, LARGE, pace_s
from airpicture.service.playhead import Playhead
from airpicture.service.process import log, shown
from airpicture.service.stored import Stored
from airpicture.service.trails import TRAIL_S
from airpicture.tables import Tracks
from airpicture.units import SECOND_NS

REWINDS_MAX: Final = 8  # displays that look at the past at a time: each costs reading
JUMP_S: Final = 120.0  # as in `frames`: further ahead than this is another place
LINE_S: Final = (60.0, 366 * 86_400.0)  # limits of a time line's length


class History:
    """Lets displays look at the past.

    Parameters
    ----------
    stored : the history on disk; it may reach beyond the present, where a recording was played before
    alerts : settings of the watch over what's shown again

    Attributes
    ----------
    counts : displays that went back, and those that weren't let
    """

    def __init__(self, stored: Stored, alerts: AlertSettings) -> None:
        self.counts: Counter[str] = Counter()
        self.stored = stored
        self._alerts = alerts
        self._open = 0
        self._turn = asyncio.Semaphore(1)  # of reading: one at a time, whoever asks

    def begin(
        self, word: dict[str, Any], present: Callable[[], Update], more: Callable[[], None]
    ) -> Rewind | str | None:
        """Return a way into the past that begins with a word of a display; None where that leads nowhere, or why not.

        present : tells the picture that all others look at
        more : called when there's another frame, or it's over
        """
        if self._open >= REWINDS_MAX:
            self.counts["rewinds_refused"] += 1
            return f"{REWINDS_MAX} displays look at the past: too many for another one"
        live = present()
        head = Playhead(lambda: (0, live.now_ns), live.now_ns)
        if not head.ask(word) or head.over:
            return None
        self._open += 1
        self.counts["rewinds"] += 1
        return Rewind(self, Watch(self._alerts), head.now_ns, head.paused, present, more)

    def end(self) -> None:
        """Take note that a way into the past has ended."""
        self._open -= 1

    async def read(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a function that reads returns, worked out beside the event loop."""
        async with self._turn:
            return await asyncio.to_thread(work, *arguments)

    async def line(self, span_s: float, present_ns: int) -> dict[str, Any]:
        """Return the time line up to the newest that's recorded: its ends [ms UTC] and how much went on when."""

        def made() -> dict[str, Any]:
            first_ns, end_ns = self.stored.extent()
            end_ns = min(end_ns, present_ns)
            length_s = min(max(span_s, LINE_S[0]), LINE_S[1], max((end_ns - first_ns) / SECOND_NS, LINE_S[0]))
            begin_ns = end_ns - round(length_s * SECOND_NS)
            traffic = self.stored.traffic(begin_ns, end_ns, BARS) if end_ns else []
            return {"begin": begin_ns / 1e6, "end": end_ns / 1e6, "first": first_ns / 1e6, "traffic": traffic}

        told: dict[str, Any] = await self.read(made)
        return told


class Rewind:
    """One display's past, from where it went back until it returns.

    Attributes
    ----------
    frames : what the display is sent meanwhile
    update : the picture that's shown; None before the first
    over : it has come to the present
    """

    def __init__(
        self,
        history: History,
        watch: Watch,
        at_ns: int,
        paused: bool,
        present: Callable[[], Update],
        more: Callable[[], None],
    ) -> None:
        self.frames = Frames(past=self)
        self.update: Update | None = None
        self.over = False
        self._history, self._watch, self._present, self._more = history, watch, present, more
        live = present()
        self._head = Playhead(self._ends, at_ns, paused=paused)
        self._held = live if paused and at_ns == live.now_ns else None  # a live picture that was stopped
        self._last_ns = live.now_ns
        self._trails: Tracks | None = None
        self._running = asyncio.create_task(self._guarded())

    def _ends(self) -> tuple[int, int]:
        return 0, self._last_ns

    def ask(self, word: dict[str, Any]) -> bool:
        """Do what the display asks for, see `Playhead.ask`."""
        return self._head.ask(word)

    def close(self) -> None:
        """Let go."""
        self._running.cancel()
        self._history.end()

    # --- as `Past`, for the frames --------------------------------------------------------------------------------

    def before(self, now_ns: int, span_s: float) -> Tracks | None:
        """Return the trails that were read when it last jumped."""
        return self._trails

    def of(self, track: int, now_ns: int) -> Tracks | None:
        """Return the states of one track up to a time, in time order."""
        return self._history.stored.of(track, now_ns)

    # --- what is shown ----------------------------------------------------------------------------------------------

    async def _guarded(self) -> None:
        """Run; whatever a file holds that it shouldn't, the display comes back to the present."""
        try:
            await self._run()
        except Exception as error:
            self._history.counts["rewinds_failed"] += 1
            log("front", f"the past can't be shown: {type(error).__name__}: {shown(error)}")
        self.over = True
        self._more()

    async def _run(self) -> None:
        """Make frames until it has come to the present: at a steady pace, and at once when asked for something."""
        head = self._head
        while True:
            head.asked.clear()
            first_ns, last_ns = await self._history.read(self._history.stored.extent)
            self._last_ns = max(
                min(last_ns, self._present().now_ns), self._held.now_ns if self._held is not None else 0
            )
            if head.over or not last_ns:
                return
            head.go(max(head.now_ns, first_ns))
            mode = Mode.PAUSED if head.paused else Mode.REPLAY
            update = await self._history.read(self._make, head.now_ns, mode)
            if not head.paused and not len(update.tracks):
                head.go(self._history.stored.resume_ns(head.now_ns))  # nothing was recorded for a while
            self.frames.take(update, time.time_ns(), head.speed, self.line())
            self.update = update
            self._more()
            await head.wait(pace_s(head, len(update.tracks)))

    def _make(self, now_ns: int, mode: Mode) -> Update:
        """Return the picture of a time; whatever it takes to read."""
        stored, before = self._history.stored, self.update
        if self._held is not None and self._held.now_ns == now_ns and mode == Mode.PAUSED:
            if before is None:
                self._trails = stored.before(now_ns, TRAIL_S)
                return replace(self._held, mode=mode)
            return _unchanged(self._held, mode)
        if self._held is not None:
            self._held = before = None
        if before is not None and before.now_ns == now_ns:
            return _unchanged(before, mode)
        if before is None or not 0 <= now_ns - before.now_ns <= JUMP_S * SECOND_NS:
            self._trails = stored.before(now_ns, TRAIL_S)
        update = stored.update(now_ns, mode, before)
        if len(update.tracks) < LARGE:
            silent = [stored.sensors.ids[one.sensor] for one in update.sensors if one.health == SensorHealth.SILENT]
            update = replace(update, alerts=self._watch.step(update.tracks, now_ns, silent=silent))
        return update

    def line(self) -> dict[str, Any]:
        """Return what the display must know besides: that this is the past, and how it goes on."""
        return {"past": True, "paused": self._head.paused, "rate": self._head.rate}


def _unchanged(update: Update, mode: Mode) -> Update:
    """Return a picture that's shown already, for it to be shown on: nothing in it is new."""
    nothing = update.plots.take(slice(0))
    return replace(
        update, mode=mode, changed=update.changed[:0], plots=nothing, plot_lat=nothing.lat, plot_lon=nothing.lon
    )
