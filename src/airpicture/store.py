"""The store: all live tracks as contiguous columns of one capacity, allocated once.

Live tracks are rows 0..n, in the order of their beginning. Rows move when others end, so nobody outside holds a row
number across frames; the track number is what lasts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels.layout import ROW, SUMMARY
from airpicture.kernels.learn import Learnt
from airpicture.tables import SEEN_MAX, Technology


class Store:
    """Columns of live tracks; ``n`` of ``capacity`` rows are in use.

    Memory a track: 1,024 B of states, 64 B of summary, 160 B of sensors seen and 171 B of codes, times and counts.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.n = 0
        self.ended = 0  # of these n, rows that wait for `tracks.close_ranks`, each with status ENDED
        self.next_number = 1
        # np.zeros: the system hands out pages when they're first used, so that capacity costs nothing in advance
        self.rows = np.zeros((capacity, ROW))  # see kernels.layout
        self.summary = np.zeros((capacity, SUMMARY))
        self.t_ns = np.zeros(capacity, np.int64)  # time of the state
        self.number = np.zeros(capacity, np.int64)
        self.status = np.zeros(capacity, np.uint8)  # tables.Status
        self.t_plot = np.zeros(capacity, np.int64)  # last plot
        self.t_first = np.zeros(capacity, np.int64)
        self.plots = np.zeros(capacity, np.int32)
        self.misses = np.zeros(capacity, np.int32)  # looks missed since the last plot
        self.rivalry = np.zeros(
            capacity, np.int32
        )  # looks in a row in which an older track fitted the same plot as well
        self.seen_sensor = np.zeros((capacity, SEEN_MAX), np.int32)  # -1 none
        self.seen_look = np.zeros((capacity, SEEN_MAX), np.int64)  # last look that counted
        self.seen_hit = np.zeros((capacity, SEEN_MAX), np.int64)  # last plot taken
        self.t_technology = np.zeros((capacity, len(Technology)), np.int64)
        self.address = np.zeros(capacity, np.int32)
        self.mode_3a = np.zeros(capacity, np.int32)
        self.callsign = np.zeros(capacity, np.uint64)
        self.doubt = np.zeros((capacity, 3), np.uint8)  # plots in a row that contradict address, code, callsign
        self.h_source = np.zeros(capacity, np.uint8)  # 0 none, 1 pressure, 2 reported height, 3 elevation
        self.t_height = np.zeros(capacity, np.int64)  # last plot that told the height
        self.has_baro = np.zeros(capacity, np.uint8)  # 1 once a pressure altitude came in
        self.plot_sensor = np.zeros(capacity, np.int32)
        self.plot_range = np.zeros(capacity)
        self.plot_azimuth = np.zeros(capacity)
        self.plot_h_baro = np.zeros(capacity)
        self.plot_mode_3a = np.zeros(capacity, np.int32)
        self.due_ns = np.zeros(capacity, np.int64)  # nothing happens to it by itself before this; 0 after any change
        self.t_aged = np.zeros(capacity, np.int64)  # time at which the existence probability was true
        self.learnt = Learnt(*(getattr(self, name) for name in Learnt._fields))  # the same arrays, as kernels take them

    def columns(self) -> list[NDArray[Any]]:
        """Return all columns, always in the same order."""
        return [value for value in vars(self).values() if isinstance(value, np.ndarray)]

    def save(self, index: NDArray[np.int64]) -> Saved:
        """Copy the chosen rows, so that `restore` can take back what is done to them and what is appended after."""
        return Saved(self.n, self.next_number, index.copy(), [column[index] for column in self.columns()])

    def restore(self, saved: Saved) -> None:
        """Undo all changes since `saved` was made, provided they touched only its rows and rows appended since."""
        self.n, self.next_number = saved.n, saved.next_number
        for column, rows in zip(self.columns(), saved.rows, strict=True):
            column[saved.index] = rows

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Close the ranks: the chosen rows become rows 0..len(rows); all others are gone."""
        if len(rows) == self.n:
            return
        for column in self.columns():
            column[: len(rows)] = column[rows]
        self.n = len(rows)


class Saved:
    """What `Store.save` keeps."""

    __slots__ = ("index", "n", "next_number", "rows")

    def __init__(self, n: int, next_number: int, index: NDArray[np.int64], rows: list[NDArray[Any]]) -> None:
        self.n, self.next_number, self.index, self.rows = n, next_number, index, rows
