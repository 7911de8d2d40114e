"""Displays on the wire: each is sent the newest frame as fast as it takes them, and never holds up another one.

What waits for a display is one frame. One that is slow skips frames and then gets the whole picture; one that takes
nothing at all for a while is cut off by its transport, because a polite closing would wait for it too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from airpicture.service.coverage import Coverage
from airpicture.service.cut import WORLD, View
from airpicture.service.frames import Frames
from airpicture.service.hub import Hub, Mode, Update
from airpicture.service.playhead import number
from airpicture.service.story import tell
from airpicture.service.trails import Log, Past
from airpicture.service.wire import to_json
from airpicture.units import DEG

if TYPE_CHECKING:
    from airpicture.service.rewind import History, Rewind

VIEWERS_MAX = 64
SEND_S_MAX = 10.0  # for one frame; who takes longer is gone
WORD_BYTES_MAX = 4096  # of a message from a display
WORDS_PER_S = 20.0  # more than that are skipped
STORY_EVERY_S = 1.0
LINE_EVERY_S = 0.5  # a time line is worked out anew; the next picture brings what was asked for sooner

TRY_AGAIN_LATER = 1013  # close codes of RFC 6455, section 7.4.1, and its registry
TOO_BIG = 1009


class Controls(Protocol):
    """What can be asked of a replay, and what it tells of itself; see `player.Player`."""

    @property
    def speed(self) -> float:
        """Seconds of data per second, 0 while it stands."""
        ...

    @property
    def past(self) -> Past:
        """What the tracks did before."""
        ...

    @property
    def coverage(self) -> Coverage | None:
        """How far the sensors were seen to see, over the whole recording."""
        ...

    def line(self) -> dict[str, Any]:
        """Return the time line, ready for JSON."""
        ...

    def ask(self, word: dict[str, Any]) -> bool:
        """Do what a display asks for; False where it makes no sense."""
        ...


class Stream(Protocol):
    """What a display is sent frames of: the picture of all, or its own past."""

    @property
    def frames(self) -> Frames:
        """Made of the newest update."""
        ...

    @property
    def update(self) -> Update | None:
        """The newest one."""
        ...


class Viewers:
    """All displays of one hub.

    Parameters
    ----------
    player : takes what displays ask of a replay that all of them look at
    history : lets a display go back in time by itself
    besides : tells what displays show besides the picture, by name: ``feed``, how recordings that come in are played,
        and ``inputs``, how inputs do; see `front`
    """

    def __init__(
        self,
        hub: Hub,
        player: Controls | None = None,
        history: History | None = None,
        besides: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        self.counts: Counter[str] = Counter()  # viewers and frames by what became of them
        self._hub = hub
        self._player, self._history, self._besides = player, history, besides
        self._log = Log()
        self._past: Past = player.past if player is not None else self._log
        self.frames = Frames(self._past, player.coverage if player is not None else None)
        self.update: Update | None = None
        self._open: set[_Viewer] = set()

    def __len__(self) -> int:
        return len(self._open)

    async def run(self) -> None:
        """Follow the hub until it closes, waking all displays at each update."""
        async for update in self._hub.follow():
            if self._player is None:
                self._log.add(update.tracks, update.changed, update.now_ns)
            self.update = update
            besides = self._besides()
            speed, line = float(besides.get("feed", {}).get("rate", update.mode != Mode.PAUSED)), None
            if self._player is not None:
                speed, line = self._player.speed, self._player.line()
            self.frames.take(update, time.time_ns(), speed, line, besides)
            for viewer in self._open:
                viewer.more.set()
        for viewer in list(self._open):
            viewer.more.set()
            viewer.over = True

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one display until it goes."""
        if len(self._open) >= VIEWERS_MAX:
            self.counts["viewers_refused"] += 1
            await websocket.close(TRY_AGAIN_LATER, f"{VIEWERS_MAX} displays are open, that's all there may be")
            return
        await websocket.accept()
        viewer = _Viewer(websocket)
        with contextlib.suppress(ValueError):  # what it looks at from the first frame on
            viewer.view = _view([float(part) for part in websocket.query_params.get("view", "").split(",")])
        self._open.add(viewer)
        self.counts["viewers_opened"] += 1
        listening = asyncio.create_task(self._listen(viewer))
        try:
            await self._send(viewer)
        except (WebSocketDisconnect, RuntimeError, OSError):
            pass  # it went while something was being sent
        finally:
            self._open.discard(viewer)
            viewer.look(None)
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await listening

    async def _send(self, viewer: _Viewer) -> None:
        if self.update is not None:
            viewer.more.set()
        while True:
            await viewer.more.wait()
            viewer.more.clear()
            if viewer.over:
                return
            if viewer.rewind is not None and viewer.rewind.over:
                viewer.look(None)
            stream: Stream = viewer.rewind or self
            if viewer.number != stream.frames.number:
                frame = self._frame(viewer, stream.frames)
                if not await self._put(viewer, viewer.websocket.send_bytes(frame)):
                    return
                self.counts["frames_sent"] += 1
                self.counts["bytes_sent"] += len(frame)
            if viewer.note:
                text, viewer.note = to_json({"note": viewer.note}).decode(), ""
                if not await self._put(viewer, viewer.websocket.send_text(text)):
                    return
            if viewer.line_s is not None and self._history is not None and time.monotonic() >= viewer.line_due:
                span_s, viewer.line_s = viewer.line_s, None
                viewer.line_due = time.monotonic() + LINE_EVERY_S
                present_ns = self.update.now_ns if self.update is not None else 0
                text = to_json({"line": await self._history.line(span_s, present_ns)}).decode()
                if not await self._put(viewer, viewer.websocket.send_text(text)):
                    return
            if viewer.story is not None and time.monotonic() >= viewer.story_due and stream.update is not None:
                viewer.story_due = time.monotonic() + STORY_EVERY_S
                text = await self._story(viewer.story, stream.update, viewer.rewind)
                if not await self._put(viewer, viewer.websocket.send_text(text)):
                    return

    def _frame(self, viewer: _Viewer, frames: Frames) -> bytes:
        """Return the newest frame for a display, which counts as sent."""
        follows = viewer.number == frames.number - 1 and not frames.jumped and viewer.cut == frames.cut
        view, forget = viewer.view or WORLD, viewer.elsewhere
        if not frames.cut:
            frame = frames.change() if follows else frames.whole(forget=forget)
        elif follows:
            chosen = -1 if viewer.story is None else viewer.story
            frame, viewer.have = frames.change_cut(viewer.have, view, chosen=chosen, trails=viewer.moved)
        else:
            frame, viewer.have = frames.whole_cut(view, forget=forget)
        self.counts["frames_skipped"] += max(0, frames.number - viewer.number - 1) if viewer.number else 0
        viewer.number, viewer.moved, viewer.cut, viewer.elsewhere = frames.number, False, frames.cut, False
        return frame

    async def _put(self, viewer: _Viewer, sending: Any) -> bool:
        """Send something; cut the display off where it takes nothing."""
        try:
            await asyncio.wait_for(sending, SEND_S_MAX)
        except TimeoutError:
            self.counts["viewers_cut_off"] += 1
            viewer.abort()
            return False
        return True

    async def _story(self, track: int, update: Update, rewind: Rewind | None) -> str:
        """Return the story of a track, or that there's none, as JSON."""
        rows = np.flatnonzero(update.tracks.track == track)
        if not len(rows):
            return to_json({"story": {"track": track, "status": "ended"}}).decode()
        if rewind is not None and self._history is not None:
            past = await self._history.read(rewind.of, track, update.now_ns)
        else:
            past = self._past.of(track, update.now_ns)
        return to_json({"story": tell(update.tracks, int(rows[-1]), past)}).decode()

    async def _listen(self, viewer: _Viewer) -> None:
        """Take what a display says."""
        budget, before = WORDS_PER_S, time.monotonic()
        while not viewer.over:
            try:
                text = await viewer.websocket.receive_text()
            except (WebSocketDisconnect, RuntimeError, KeyError):  # KeyError: bytes, which no display of ours sends
                break
            if len(text) > WORD_BYTES_MAX:
                self.counts["words_too_long"] += 1
                with contextlib.suppress(RuntimeError):
                    await viewer.websocket.close(TOO_BIG)
                break
            now = time.monotonic()
            budget, before = min(WORDS_PER_S, budget + (now - before) * WORDS_PER_S), now
            if budget < 1:
                self.counts["words_skipped"] += 1
                continue
            budget -= 1
            if not self._hear(viewer, text):
                self.counts["words_not_understood"] += 1
        viewer.over = True
        viewer.more.set()

    def _hear(self, viewer: _Viewer, text: str) -> bool:
        try:
            word = json.loads(text)
        except ValueError:
            return False
        if not isinstance(word, dict):
            return False
        if "view" in word:
            view = _view(word["view"])
            viewer.moved, viewer.view = viewer.moved or view != viewer.view, view
            return view is not None
        if "story" in word:
            track = word["story"]
            if track is not None and (isinstance(track, bool) or not isinstance(track, int)):
                return False
            viewer.story, viewer.story_due = track, 0.0
            viewer.more.set()
            return True
        if "line" in word and self._history is not None:
            viewer.line_s = number(word["line"])
            viewer.more.set()
            return viewer.line_s is not None
        if "replay" in word and isinstance(word["replay"], dict):
            asked = word["replay"]
            return self._player.ask(asked) if self._player is not None else self._rewind(viewer, asked)
        return False

    def _present(self) -> Update:
        assert self.update is not None
        return self.update

    def _rewind(self, viewer: _Viewer, word: dict[str, Any]) -> bool:
        """Take one display back in time, on in it, or back to the present: ``{"do": "live"}``."""
        if self._history is None or self.update is None:
            return False
        if word.get("do") == "live":
            viewer.look(None)
            return True
        if viewer.rewind is not None:
            return viewer.rewind.ask(word)
        rewind = self._history.begin(word, self._present, viewer.more.set)
        if isinstance(rewind, str):
            viewer.note = rewind
            viewer.more.set()
            return True
        if rewind is not None:
            viewer.look(rewind)
        return rewind is not None


class _Viewer:
    """One display: how far it is, what it looks at, which track's story it wants."""

    def __init__(self, websocket: WebSocket) -> None:
        self.websocket = websocket
        self.more = asyncio.Event()
        self.over = False
        self.number = 0  # of the last frame it was sent
        self.view: View | None = None
        self.moved = False  # looks elsewhere since that frame
        self.cut = False  # that frame was cut to what it looked at
        self.have = np.zeros(0, np.uint8)  # what it has of which tracks then, see `cut`
        self.story: int | None = None
        self.story_due = 0.0
        self.line_s: float | None = None  # length of the time line that it wants to be told
        self.line_due = 0.0
        self.note = ""  # for the one who looks at it
        self.rewind: Rewind | None = None  # where it looks at the past
        self.elsewhere = False  # what it has is of another time
        self._abort: Callable[[], None] | None = websocket.scope.get("airpicture.abort")

    def look(self, rewind: Rewind | None) -> None:
        """Look at the past, or with None at the present again."""
        if self.rewind is rewind:
            return
        if self.rewind is not None:
            self.rewind.close()
        self.rewind, self.number, self.elsewhere, self.story_due = rewind, 0, True, 0.0
        self.more.set()

    def abort(self) -> None:
        """End the connection at once, without a word."""
        if self._abort is not None:
            self._abort()


def _view(values: Any) -> View | None:
    """Return a view from [west, south, east, north] in degrees, None where it's no such thing."""
    if not isinstance(values, list) or len(values) != 4:
        return None
    if not all(isinstance(v, (int, float)) and math.isfinite(v) and abs(v) <= 1000 for v in values):
        return None
    west, south, east, north = (float(v) * DEG for v in values)
    return View(west, south, east, north) if south < north else None
