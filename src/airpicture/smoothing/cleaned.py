"""The table of a cleaned recording: every report as it came, what is wrong with it, and where its target really was."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING, Any

import numpy as np

from airpicture.tables import F64, I64, U8, Plots, Tracks
from airpicture.units import DEG, FT

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class Flag(IntFlag):
    """What can be wrong with a report. The values are part of exchanged files."""

    OUTLIER = 1  # its place can't be, given all other reports of its track
    HEIGHT_WRONG = 2  # likewise its height; the place may be right
    STALE = 4  # it repeats a place that its target has left
    DUPLICATE = 8  # it repeats a report, of the same source or another
    TIME_WRONG = 16  # its place is one where the target was or will be at another time
    IDENTITY_WRONG = 32  # its address or callsign is another track's


@dataclass(frozen=True, slots=True, eq=False)
class Cleaned:
    """A recording's reports in their own order, one row each, and what all of them together say of each."""

    plots: Plots
    flags: U8  # (M,) Flag, summed; 0: nothing against it, as far as it can be judged
    track: I64  # (M,) number of the track that it belongs to, -1 for none: nothing to judge it by
    off_m: F64  # (M,) m, horizontally from where the others say the target was; NaN where not judged
    off_sigmas: F64  # (M,) the same in sigmas: the root of the squared distance in terms of both errors
    off_up: F64  # (M,) m, its height less that of the others
    off_up_sigmas: F64  # (M,)
    late: F64  # (M,) s, how long before its time the target was there; below 0: will be; 0 where the time fits
    smoothed: Tracks  # (M,) the track's state at each report's time; NaN where there's none

    def __len__(self) -> int:
        return len(self.plots)

    def marked(self, flag: Flag) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which reports carry a flag."""
        return np.asarray((self.flags & np.uint8(flag)) != 0)

    def good(self) -> Plots:
        """Return the reports that nothing was found against, in their order."""
        return self.plots.take(self.flags == 0)

    def to_arrow(self) -> pa.Table:
        """Return the columns of a ``plots`` file, then flags, sizes and the smoothed state beside each report."""
        from airpicture.formats.onecolumn import floats

        table = self.plots.to_arrow()
        known = self.track >= 0
        columns: dict[str, Any] = {"flags": _arrow(self.flags)}
        columns |= {flag.name.lower(): _arrow(self.marked(flag)) for flag in Flag if flag.name}
        columns |= {
            "of_track": _arrow(self.track, ~known),
            "off_m": floats(self.off_m),
            "off_sigmas": floats(self.off_sigmas),
            "off_up_m": floats(self.off_up),
            "off_up_sigmas": floats(self.off_up_sigmas),
            "late_s": floats(self.late),
        }
        s = self.smoothed
        for name, values, unit in (
            ("lat_deg", s.lat, DEG),
            ("lon_deg", s.lon, DEG),
            ("h_ell_m", s.h_ell, 1.0),
            ("h_baro_ft", s.h_baro, FT),
            ("v_east_mps", s.v_east, 1.0),
            ("v_north_mps", s.v_north, 1.0),
            ("v_up_mps", s.v_up, 1.0),
            ("sigma_east_m", s.sigma_east, 1.0),
            ("sigma_north_m", s.sigma_north, 1.0),
            ("rho_east_north", s.rho_east_north, 1.0),
            ("sigma_up_m", s.sigma_up, 1.0),
            ("sigma_v_east_mps", s.sigma_v_east, 1.0),
            ("sigma_v_north_mps", s.sigma_v_north, 1.0),
        ):
            columns[f"smooth_{name}"] = floats(values, unit)
        for name, column in columns.items():
            table = table.append_column(name, column)
        return table

    def to_pandas(self) -> pd.DataFrame:
        """Return `to_arrow` as a data frame (needs pandas)."""
        return self.to_arrow().to_pandas()

    def write(self, path: str | os.PathLike[str], *, good_only: bool = False) -> None:
        """Write `to_arrow`; the ending (.parquet, .csv) chooses the format.

        good_only : leave out the reports that anything was found against
        """
        from airpicture.formats.tablefiles import write_table

        table = self.to_arrow()
        write_table(table.filter(_arrow(self.flags == 0)) if good_only else table, path)


def _arrow(values: Any, mask: Any = None) -> Any:
    from airpicture.formats.arrow import pa

    return pa.array(values, mask=mask)
