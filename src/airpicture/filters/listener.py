"""Messages given to the tracks of their addresses: sizes the workspaces, hands tracks out, counts what came of it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from airpicture.kernels.addresses import NOBODY, SEVERAL
from airpicture.kernels.bank import SCRATCH
from airpicture.kernels.lanes import LANES
from airpicture.kernels.messages import IMPLAUSIBLE, TAKEN, WORK, group_messages, take_messages
from airpicture.parallel import Run, do
from airpicture.reports import Reports, Stations
from airpicture.store import Store
from airpicture.tables import F64, I64, U8

GROUPS_LEAST: Final = 256  # tracks of one task: some 0.2 ms
TASKS: Final = 8


class Heard(NamedTuple):
    """What a frame's messages are to the tracks of their addresses."""

    found: I64  # (M,) row of each message's track, NOBODY or SEVERAL
    order: I64  # (M',) messages, track by track
    start: I64  # (G + 1,)
    row: I64  # (G,) rows of the store


class Listener:
    """Gives messages to tracks; nothing is carried from one frame to the next."""

    def __init__(self, capacity: int, motion: F64, gates: F64) -> None:
        self._motion = motion
        self._gates = gates.copy()
        self._gates[0] = 1.0  # what tells nothing that can be compared passes
        self._place = np.full(capacity, -1, np.int32)
        self._rooms: list[tuple[F64, F64, F64]] = []

    def sort(self, reports: Reports, found: I64) -> Heard:
        """Put messages in the order of the tracks they were found to belong to, see `kernels.addresses`."""
        size = reports.size
        order, start, row = np.empty(size, np.int64), np.empty(size + 1, np.int64), np.empty(size, np.int64)
        last = np.empty(size, np.int32)
        columns = reports.t_ns, reports.sensor, reports.Z
        groups = group_messages(found, *columns, self._place, last, order, start, row)
        return Heard(found, order[: start[groups]], start[: groups + 1], row[:groups])

    def hear(
        self, heard: Heard, reports: Reports, stations: Stations, store: Store, run: Run | None = None
    ) -> tuple[I64, dict[str, int]]:
        """Let tracks take their messages; return the rows that changed, and what became of the messages.

        store : overwritten in rows `heard.row`
        """
        groups = len(heard.row)
        outcome = np.zeros(reports.size, np.uint8)
        changed: U8 = np.zeros(groups, np.uint8)
        tasks = 1 if run is None else min(max(groups // GROUPS_LEAST, 1), TASKS)
        while len(self._rooms) < tasks:
            self._rooms.append((np.zeros(SCRATCH), np.zeros(WORK), np.zeros((1, LANES))))
        jobs = [
            (
                groups * k // tasks,
                groups * (k + 1) // tasks,
                heard.order,
                heard.start,
                heard.row,
                reports,
                stations,
                self._motion,
                self._gates,
                store.held,
                *self._rooms[k],
                np.uint64(LANES),
                outcome,
                changed,
            )
            for k in range(tasks)
        ]
        do(take_messages, jobs, run)
        rows: I64 = heard.row[changed == 1]
        became = {
            "taken": outcome == TAKEN,
            "implausible": outcome == IMPLAUSIBLE,
            "without_track": heard.found == NOBODY,
            "of_several_tracks": heard.found == SEVERAL,
        }
        return rows, {f"messages_{name}": int(np.count_nonzero(mask)) for name, mask in became.items()}
