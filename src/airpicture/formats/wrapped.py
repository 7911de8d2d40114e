"""Courses that were stored in eight bits with a sign: 209° comes as -47°, 272° as 16°.

Tables are squeezed into the smallest type that holds most of a column, and values beyond it wrap. Nothing in the table
says so. The way between an aircraft's positions does: where hundreds of courses below 0 point elsewhere than the
aircraft went, and all of them point there with 256 added, they were wrapped.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from airpicture.tables import F64, I64
from airpicture.units import DEG

LEAST, MOST = -128, 127  # of eight bits with a sign
TURN: Final = 256.0  # what went lost, degrees
SPAN_MOST_NS: Final = 30_000_000_000  # between the positions before and after a course
WAY_LEAST_M: Final = 100.0  # below it a way's direction is noise
AGREES_DEG: Final = 30.0  # chords of turns, and clocks
PAIRS_LEAST: Final = 30  # courses below 0 that must show it
SHARE_LEAST: Final = 0.8  # of them that point along the way once they're mended
SHARE_MOST: Final = 0.2  # of them that do so as they are
RADIUS: Final = 6_371_000.0  # m; directions need no ellipsoid


def unwrap_courses(course: F64, who: I64, t_ns: I64, lat: F64, lon: F64) -> tuple[F64, int]:
    """Mend courses that were stored in eight bits; return them [deg], and how many were taken for wrapped.

    Where a course may have been either (0 to 103 is 256 to 359, too) the way flown decides; where it's not known
    the course isn't either (NaN). A column that shows no such thing is returned as it is, with 0.

    Parameters
    ----------
    course : (M,) deg, NaN missing; who : (M,) number of the target; t_ns : (M,); lat, lon : (M,) deg, NaN missing
    """
    known = np.isfinite(course)
    values = course[known]
    if not len(values) or values.min() < LEAST or values.max() > MOST or values.min() >= 0:
        return course, 0
    if (values != np.rint(values)).any():
        return course, 0
    way = _ways(who, t_ns, lat * DEG, lon * DEG)
    plain, mended = _apart(course, way) < AGREES_DEG, _apart(course + TURN, way) < AGREES_DEG
    shows = known & (course < 0) & np.isfinite(way)
    count = int(np.count_nonzero(shows))
    if count < PAIRS_LEAST or mended[shows].mean() < SHARE_LEAST or plain[shows].mean() > SHARE_MOST:
        return course, 0
    both = known & (course >= 0) & (course < 360 - TURN)
    further = both & mended & ~plain
    wrapped = (known & (course < 0)) | further
    out = np.where(wrapped, course + TURN, course)
    out[both & ~further & ~plain] = np.nan
    return out, int(np.count_nonzero(wrapped))


def _ways(who: I64, t_ns: I64, lat: F64, lon: F64) -> F64:
    """Return the direction [deg] from each target's position before a row to that after it, NaN where there's none."""
    way = np.full(len(who), np.nan)
    rows = np.flatnonzero((who >= 0) & np.isfinite(lat) & np.isfinite(lon))
    rows = rows[np.lexsort((t_ns[rows], who[rows]))]
    before, here, after = rows[:-2], rows[1:-1], rows[2:]
    north = RADIUS * (lat[after] - lat[before])
    east = RADIUS * np.cos(lat[here]) * (np.mod(lon[after] - lon[before] + np.pi, 2 * np.pi) - np.pi)
    good: NDArray[np.bool_] = (who[before] == who[after]) & (t_ns[after] - t_ns[before] <= SPAN_MOST_NS)
    good &= np.hypot(east, north) >= WAY_LEAST_M
    way[here[good]] = np.arctan2(east, north)[good] / DEG
    return way


def _apart(one: F64, other: F64) -> F64:
    """Return the angle between two directions [deg]; NaN where either is."""
    return np.asarray(np.abs(np.mod(one - other + 180.0, 360.0) - 180.0))
