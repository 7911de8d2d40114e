"""The store: all live tracks as contiguous columns of one capacity, allocated once.

Live tracks are rows 0..n, in the order of their beginning. Rows move when others end, so nobody outside holds a row
number across frames; the track number is what lasts.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airpicture.errors import ConfigError
from airpicture.kernels.arrays import LINE, laid, lined
from airpicture.kernels.kept import WORDS, Words, keep_rows, list_fresh, print_rows, put_back
from airpicture.kernels.layout import HELD_LAST_P, HELD_NUMBER, RECORD, S_SIGMA_P, SUMMARY
from airpicture.kernels.learn import Held
from airpicture.kernels.life import NEVER
from airpicture.memory import Memory
from airpicture.parallel import Run, do
from airpicture.tables import F32, F64, I8, I32, I64, SEEN_MAX, U8, U64, Status, Technology

PART: Final = 2_048  # rows copied in one go
MIX: Final = np.uint64(0x9E3779B97F4A7C15)  # odd, and its bits look random: 2^64 over the golden ratio
POWERS: Final = np.cumprod(np.full(WORDS, MIX), dtype=np.uint64)  # odd and unlike one another, modulo 2^64

# What a look or a birth reads and writes of a track besides its states. It stands together, a few lines of the cache,
# for these are visited track by track in any order, and each line that isn't in the cache costs as much as forty
# multiplications. `Store` has a view of each as a column.
#
# Looks at radars' plots, and ageing, are most visits. What they read and write fills the two lines in the middle, from
# the time of the last primary plot on, to the third sensor's place; they leave the others alone.
#
#     | heights, codes, other technologies | primary, times, last plot ... 3 sensors | 5 sensors |
#     0                                   64                                       192        256 bytes
SIDE: Final = np.dtype(
    [
        ("t_first", np.int64),
        ("t_height", np.int64),  # last plot that told the height
        ("callsign", np.uint64),
        ("mode_3a", np.int32),
        ("h_source", np.uint8),  # 0 none, 1 pressure, 2 reported height, 3 elevation
        ("has_baro", np.uint8),  # 1 once a pressure altitude came in
        ("on_ground", np.int8),  # as last told, -1 never
        ("category", np.uint8),  # likewise, 0 never
        ("t_technology", np.int64, len(Technology)),  # the last one first, so that primary radar's begins what follows
        ("t_plot", np.int64),  # last plot
        ("t_heard", np.int64),  # last message of its address that it took, `life.LONG_AGO` none
        ("t_aged", np.int64),  # time at which the existence probability was true
        ("existence", np.float64),  # probability, true at t_aged
        ("plot_range", np.float64),
        ("plot_azimuth", np.float64),
        ("plot_h_baro", np.float64),
        ("plot_sensor", np.int32),
        ("plot_mode_3a", np.int32),
        ("plots", np.int32),
        ("misses", np.int32),  # looks missed since the last plot
        ("interval", np.float32),  # s, mean time between used plots
        ("rivalry", np.int32),  # looks in a row in which an older track fitted the same plot as well
        ("address", np.int32),
        (
            "seen",
            [
                ("sensor", np.int32),  # -1 none
                ("look", np.int32),  # last look that counted, in `kernels.ticks`
                ("hit", np.int32),  # last plot taken, likewise
            ],
            SEEN_MAX,
        ),
        ("doubt", np.uint8, 3),  # plots in a row that contradict address, code, callsign
    ],
    align=True,
)


def _table(rows: int, width: int) -> NDArray[np.uint64]:
    """Return a table of zeros, (rows, width) words of 8 bytes, whose first row begins a line of the cache.

    The system hands out pages when they're first used, so that capacity costs nothing in advance.
    """
    try:
        return lined((rows, width), np.uint64)
    except MemoryError:
        raise ConfigError(
            f"the system grants no memory for capacity = {rows:,} tracks", expected="room for 954 bytes a track"
        ) from None


class Store:
    """Columns of live tracks; ``n`` of ``capacity`` rows are in use.

    Memory a track: 640 B of states, 32 B of summary, 256 B of what else is known and 18 B of what is scanned or marked.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.n = 0
        self.ended = 0  # of these n, rows that wait for `tracks.close_ranks`, each with status ENDED
        self.closing_at = self.closing_to = 0  # rows that wait in one piece, while the ranks are being closed; else 0 0
        self.next_number = 1
        self.states = _table(capacity, RECORD).view(np.float64)  # see kernels.records
        self.spreads = self.states.view(np.float32)  # the same memory
        self.number: I64 = self.states.view(np.int64)[:, HELD_NUMBER]
        self.last_p: F64 = self.states[:, HELD_LAST_P : HELD_LAST_P + 3]
        self.summary = _table(capacity, SUMMARY // 2).view(np.float32)
        self.side = _table(capacity, -(-SIDE.itemsize // LINE) * LINE // 8)
        side = np.ndarray(capacity, SIDE, self.side, strides=(self.side.strides[0],))
        self.t_ns = np.zeros(capacity, np.int64)  # time of the state
        self.status = np.zeros(capacity, np.uint8)  # tables.Status
        self.due_ns = np.zeros(capacity, np.int64)  # nothing happens to it by itself before this
        self.kept = np.zeros(capacity, np.uint8)  # 1 of rows that the undo of the open frame keeps, see `undo`
        self.seen_sensor: I32 = side["seen"]["sensor"]
        self.seen_look: I32 = side["seen"]["look"]
        self.seen_hit: I32 = side["seen"]["hit"]
        self.existence: F64 = side["existence"]
        self.interval: F32 = side["interval"]
        self.t_technology: I64 = side["t_technology"][:, ::-1]
        self.t_plot: I64 = side["t_plot"]
        self.t_first: I64 = side["t_first"]
        self.t_height: I64 = side["t_height"]
        self.t_heard: I64 = side["t_heard"]
        self.t_aged: I64 = side["t_aged"]
        self.plots: I32 = side["plots"]
        self.misses: I32 = side["misses"]
        self.rivalry: I32 = side["rivalry"]
        self.address: I32 = side["address"]
        self.mode_3a: I32 = side["mode_3a"]
        self.callsign: U64 = side["callsign"]
        self.doubt: U8 = side["doubt"]
        self.h_source: U8 = side["h_source"]
        self.has_baro: U8 = side["has_baro"]
        self.on_ground: I8 = side["on_ground"]
        self.category: U8 = side["category"]
        self.plot_sensor: I32 = side["plot_sensor"]
        self.plot_range: F64 = side["plot_range"]
        self.plot_azimuth: F64 = side["plot_azimuth"]
        self.plot_h_baro: F64 = side["plot_h_baro"]
        self.plot_mode_3a: I32 = side["plot_mode_3a"]
        words = Words(
            states=self.states.view(np.uint64),
            summary=self.summary.view(np.uint64),
            side=self.side,
            t_ns=self.t_ns.view(np.uint64),
            due=self.due_ns.view(np.uint64),
            status=self.status,
        )
        self.words = laid(words)  # all there is, as kernels take it ...
        self.held = laid(Held(*(getattr(self, name) for name in Held._fields)))  # ... and by columns
        self.widest = [as_words(column) for column in self.columns()]  # likewise all, in the order of `columns`

    @property
    def live(self) -> int:
        """Number of live tracks, those not worth showing among them."""
        return self.n - self.ended

    def vacate(self, first: int, last: int) -> None:
        """Make the rows first..last, whose tracks moved away, look like those of tracks that have ended."""
        self.status[first:last] = Status.ENDED
        self.summary[first:last, S_SIGMA_P] = np.nan
        self.due_ns[first:last] = NEVER

    def columns(self) -> list[NDArray[Any]]:
        """Return the tables and columns that hold all there is, always in the same order."""
        return [self.states, self.summary, self.side, self.t_ns, self.status, self.due_ns]

    def keep(self, rows: I64, first: int, last: int, kept: U64, run: Run | None = None) -> None:
        """Copy what stands in the first..last of a list of rows to the same rows of kept, (n, WORDS); overwritten.

        run : see `parallel.Run`
        """
        do(keep_rows, [(rows, lo, hi, self.words, kept) for lo, hi in _parts(first, last)], run)

    def put_back(self, rows: I64, kept: U64, run: Run | None = None) -> None:
        """Undo all that was done to a list of rows since they were kept."""
        do(put_back, [(rows, lo, hi, kept, self.words) for lo, hi in _parts(0, len(rows))], run)

    def save(self, rows: I64, run: Run | None = None) -> U64:
        """Return a copy of what stands in some rows: (k, WORDS)."""
        kept = np.empty((len(rows), WORDS), np.uint64)
        self.keep(rows, 0, len(rows), kept, run)
        return kept

    def prints(self, rows: I64, run: Run | None = None) -> U64:
        """Return a number for all that stands in each row; rows that differ have others, but for one chance in 2^60."""
        prints = np.empty(len(rows), np.uint64)
        do(
            print_rows,
            [
                (rows, lo, hi, self.words, POWERS, np.empty((1, WORDS), np.uint64), prints)
                for lo, hi in _parts(0, len(rows))
            ],
            run,
        )
        return prints


def as_words(column: NDArray[Any]) -> NDArray[Any]:
    """Return the same bytes as rows of the widest unsigned integers that fit."""
    width = column.strides[0]
    word = np.uint64 if width % 8 == 0 else (np.uint32 if width % 4 == 0 else np.uint8)
    return column.reshape(len(column), -1).view(word)


class Kept:
    """Rows of a store as they stood, each kept once, until they're forgotten; they may be put back time and again.

    room : for how many rows room is made at first; more are moved to more
    """

    def __init__(self, room: int = 0) -> None:
        self.count = 0
        self._room = room
        self._rows = np.empty(0, np.int64)  # (count or more,) which ...
        self._words = np.empty((0, WORDS), np.uint64)  # (count or more, WORDS) ... and what stood there

    @property
    def rows(self) -> I64:
        """The rows that are kept."""
        return self._rows[: self.count]

    @property
    def words(self) -> U64:
        """What stood in each: (count, WORDS)."""
        return self._words[: self.count]

    def add(self, store: Store, rows: I64, below: int, run: Run | None = None, memory: Memory | None = None) -> None:
        """Keep those rows below a row that aren't kept yet.

        run : see `parallel.Run`; memory : that the copies may lie in
        """
        first = self.count
        if first + len(rows) > len(self._rows):
            listed = np.empty(max(2 * first + len(rows), self._room), np.int64)
            listed[:first] = self.rows
            self._rows = listed
        self.count = list_fresh(rows, below, store.kept, self._rows, first)
        if self.count > len(self._words):
            words = (memory or Memory()).empty((max(self.count, 2 * first, self._room), WORDS), np.uint64)
            words[:first] = self._words[:first]
            self._words = words
        if self.count > first:
            store.keep(self._rows, first, self.count, self._words, run)

    def put_back(self, store: Store, run: Run | None = None) -> None:
        """Undo all that was done to the rows since they were kept."""
        store.put_back(self.rows, self._words, run)

    def forget(self, store: Store) -> None:
        """Keep nothing any more; what is kept can't be put back from then on."""
        store.kept[self.rows] = 0
        self.count = 0


def _parts(first: int, last: int) -> list[tuple[int, int]]:
    """Cut rows into what is copied in one go."""
    return [(lo, min(lo + PART, last)) for lo in range(first, last, PART)]
