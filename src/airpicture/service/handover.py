"""From the process that tracks to the one that shows: the newest update, with all that changed meanwhile.

The file is replaced as a whole; a byte on a socket says that there's another one, a byte back that it was read. Who
shows may be slow, or die: what waits for it is one update, in which ended tracks, plots and changes are gathered up to
a bound. Who tracks never waits.

    core:   steps -> Merged -> picture.block -> "there's one" --- socket --- "read it" <- front: Hub -> outputs, web
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from airpicture.alerts import Alert
from airpicture.errors import InputError
from airpicture.plots import plot_positions
from airpicture.service.block import AlertTexts, Buffer, pack, unpack
from airpicture.service.hub import Update
from airpicture.service.period import HELD_MAX
from airpicture.service.pipeline import Step
from airpicture.tables import I64, Plots, Sensors, Status, Tracks

NAME: Final = "picture.block"
PLOTS_HELD_MAX: Final = 50_000  # that wait to be shown; a display draws fewer
CHANGES_HELD_MAX: Final = 1_000_000  # numbers of tracks that changed
ALERTS_HELD_MAX: Final = 10_000  # that ended
# So many tracks are handed over in a second, at most: more than a display can follow, a twentieth of a core's time.
TRACKS_PER_S: Final = 100_000.0
OVERDUE_S: Final = 1.0  # after which a picture is handed over although the next step waits
ANSWER_S: Final = 2.0  # that an answer is waited for; later the other one has died in between
PIECES: Final = 64  # written in one call: fewer than any system's limit


class _Held:
    """What waits of steps that were taken together."""

    def __init__(self) -> None:
        self.changed: list[I64] = []
        self.ended: list[Tracks] = []
        self.plots: list[Plots] = []
        self.alerts: list[Alert] = []
        self.sizes: Counter[str] = Counter()

    def whole(self, step: Step) -> tuple[Tracks, I64]:
        """Return all tracks of the last step with those that ended meanwhile, and the rows that changed."""
        tracks = step.picture.tracks
        if len(self.changed) <= 1:
            return tracks, step.picture.changed
        if self.ended:
            tracks = Tracks.concat([tracks.take(np.flatnonzero(tracks.status != Status.ENDED)), *self.ended])
        return tracks, np.flatnonzero(np.isin(tracks.track, np.concatenate(self.changed)))

    def update(self, step: Step) -> Update:
        """Return the picture of the last step, telling of all of them."""
        tracks, changed = self.whole(step)
        plots = Plots.concat(self.plots) if self.plots else step.plots
        lat, lon = plot_positions(plots)
        known = {alert.key for alert in step.alerts}
        return Update(
            now_ns=step.now_ns,
            arrived_ns=step.arrived_ns,
            mode=step.mode,
            tracks=tracks,
            changed=changed,
            plots=plots,
            plot_lat=lat,
            plot_lon=lon,
            alerts=(*step.alerts, *(alert for alert in self.alerts if alert.key not in known)),
            sensors=step.sensors,
            counts=step.picture.counts,
        )


class Merged:
    """Steps taken together: what changed in any of them, and what would be missed by who sees the last one alone."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()  # what there was no room for
        self._held = _Held()

    def add(self, step: Step) -> None:
        """Take the next step."""
        moved, held = step.picture.moved(), self._held
        gone = moved.status == Status.ENDED
        if self._room("changes", len(moved), CHANGES_HELD_MAX):
            held.changed.append(moved.track)
        if gone.any() and self._room("ended tracks", int(gone.sum()), HELD_MAX):
            held.ended.append(moved.take(gone))
        if len(step.plots) and self._room("plots", len(step.plots), PLOTS_HELD_MAX):
            held.plots.append(step.plots)
        ended = [alert for alert in step.alerts if alert.t_ns_ended >= 0]
        if ended and self._room("ended alerts", len(ended), ALERTS_HELD_MAX):
            held.alerts += ended

    def _room(self, what: str, more: int, most: int) -> bool:
        if self._held.sizes[what] + more > most:
            self.counts[f"{what} not handed over"] += more
            return False
        self._held.sizes[what] += more
        return True

    def moved(self, step: Step) -> Tracks:
        """Return the tracks that changed since this was asked last, as they are in the last step that was added."""
        held, self._held = self._held, _Held()
        if len(held.changed) == 1:
            return step.picture.moved()
        tracks, changed = held.whole(step)
        return tracks.take(changed)

    def update(self, step: Step) -> Callable[[], Update]:
        """Return what makes the picture of the last step that was added, telling of all since this was asked last.

        All that needs the tracker is done here; what's returned may be called on another thread.
        """
        held, self._held = self._held, _Held()
        step.picture.settle()
        return lambda: held.update(step)


def at_once(work: Callable[[], None]) -> None:
    """Do work."""
    work()


class Giver:
    """The end of the process that tracks.

    Parameters
    ----------
    beside : begins work that may be done beside the next steps; one at a time, in turn
    """

    def __init__(self, descriptor: int, folder: str, beside: Callable[[Callable[[], None]], object] = at_once) -> None:
        self.counts: Counter[str] = Counter()
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)
        self._path = Path(folder) / NAME
        self._beside = beside
        self._merged = Merged()
        self._alerts = AlertTexts()
        self._given = -np.inf
        self._size = 0  # tracks in the picture that was handed over last
        self._waiting = False  # for an answer to it, or for it to be written

    def take(self, step: Step, facts: Callable[[], dict[str, Any]], *, pressed: bool = False) -> None:
        """Take a step, and hand it over with what waits if the other one is ready for it.

        Parameters
        ----------
        facts : asked for what goes with it, see `block.pack`
        pressed : the next step waits already: only a picture that's overdue is handed over
        """
        self._merged.add(step)
        self._hear()
        now = time.monotonic()
        if self._waiting and now - self._given > ANSWER_S:
            self.counts["not answered"] += 1
            self._waiting = False
        wait = max(self._size / TRACKS_PER_S, OVERDUE_S if pressed else 0.0)
        if self._waiting or now - self._given < wait:
            self.counts["merged"] += 1
            return
        self._given, self._waiting = now, True
        update = self._merged.update(step)
        self._size = len(step.picture)
        told = facts()
        self._beside(lambda: self._give(update, told))

    def _give(self, update: Callable[[], Update], facts: dict[str, Any]) -> None:
        try:
            self._write(pack(update(), facts, self._alerts))
            self._socket.send(b"\1")
        except OSError:  # no room in memory, nobody at the other end
            self.counts["failures"] += 1
            self._waiting = False
        else:
            self.counts["handed over"] += 1

    def _hear(self) -> None:
        with suppress(BlockingIOError, ConnectionError):
            while self._socket.recv(64):
                self._waiting = False

    def _write(self, pieces: list[Buffer]) -> None:
        temporary = self._path.with_suffix(".part")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            for at in range(0, len(pieces), PIECES):
                part = pieces[at : at + PIECES]
                if os.writev(fd, part) != sum(map(len, part)):
                    raise OSError("no room for a picture")
        finally:
            os.close(fd)
        os.replace(temporary, self._path)

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    @property
    def lost(self) -> Counter[str]:
        """What there was no room for."""
        return self._merged.counts


class Taker:
    """The end of the process that shows."""

    def __init__(self, descriptor: int, folder: str, sensors: Sensors) -> None:
        self.counts: Counter[str] = Counter()
        self.socket = socket.socket(fileno=descriptor)
        self.socket.setblocking(False)
        self._path = Path(folder) / NAME
        self._sensors = sensors

    def take(self) -> tuple[Update, dict[str, Any]] | None:
        """Return the newest update and what goes with it, None where there's none that wasn't returned."""
        told = False
        with suppress(BlockingIOError, ConnectionError):
            while self.socket.recv(64):
                told = True
        if not told:
            return None
        try:
            with self._path.open("rb", buffering=0) as file:
                data = bytearray(os.fstat(file.fileno()).st_size)
                if file.readinto(data) != len(data):
                    raise InputError("a picture that's shorter than it was")
            return unpack(data, self._sensors)
        except (OSError, InputError):
            self.counts["blocks that can't be read"] += 1
            return None
        finally:
            with suppress(OSError):
                self.socket.send(b"\1")

    def close(self) -> None:
        """Let go of the socket."""
        self.socket.close()
