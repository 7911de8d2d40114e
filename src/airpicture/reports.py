"""What passes between the flow rooms, as kernels read it: registered plots, their sensors, the tracks near them."""

from typing import Any, NamedTuple, Self

import numpy as np

from airpicture.kernels.arrays import ruled, table
from airpicture.tables import F64, I8, I32, I64, U8, U64


@ruled
class Stations(NamedTuple):
    """Columns of sensors for kernels, one row a sensor."""

    sites: F64  # (S, 12) ECEF position and ENU axes, NaN where the site isn't known
    traits: F64  # (S, TRAITS) see kernels.layout
    period: F64  # (S,) s, NaN for sensors that don't turn
    pd: F64  # (S,)
    range_min: F64  # (S,) m
    range_max: F64  # (S,) m
    bias_time: F64  # (S,) s


@table
class Reports(NamedTuple):
    """Registered plots, in time order: numbers for kernels, and the codes beside them."""

    Z: F64  # (M, PLOT) see kernels.layout
    t_ns: I64  # (M,)
    sensor: I32  # (M,)
    address: I32  # (M,)
    mode_3a: I32  # (M,)
    callsign: U64  # (M,)
    technology: U8  # (M,)
    slant_range: F64  # (M,) m, as measured
    azimuth: F64  # (M,) rad, as measured
    on_ground: I8  # (M,)
    category: U8  # (M,)
    place: F64  # (M, PLACE) see kernels.layout

    def take(self, rows: I64) -> Self:
        """Return the chosen rows."""
        columns: list[Any] = [np.ascontiguousarray(column[rows]) for column in self]
        return type(self)(*columns)

    def part(self, lo: int, hi: int) -> Self:
        """Return rows lo..hi, as views."""
        if lo == 0 and hi == self.size:
            return self
        rows = slice(lo, hi)
        columns: list[Any] = [column[rows] for column in self]
        return type(self)(*columns)

    @property
    def size(self) -> int:
        """Number of reports."""
        return len(self.t_ns)

    def join(self, later: "Reports") -> "Reports":
        """Return the rows of both in time order, at equal times these first."""
        if self.size == 0:
            return later
        if later.size == 0:
            return self
        columns: list[Any] = [np.concatenate([a, b]) for a, b in zip(list(self), list(later), strict=True)]
        both = Reports(*columns)
        if self.t_ns[-1] <= later.t_ns[0]:
            return both
        return both.take(np.argsort(both.t_ns, kind="stable"))


class Nearby(NamedTuple):
    """Tracks that may have caused plots of a look, and their pairs, track by track, in connected parts.

    The arrays are the index's own: they hold until it is asked again.
    """

    track: I64  # (n,) rows of the store: part by part (parts by their lowest plot), inside a part in order
    start: I64  # (n + 1,) pairs of track w are start[w]..start[w + 1]
    plot: I32  # (E,) rising for each track
    chunk: I64  # (C + 1,) tracks chunk[c]..chunk[c + 1] are whole parts
    tracks_most: int  # of a chunk
    pairs_most: int
    shed: int  # pairs left out because a plot had more than pairs_max
