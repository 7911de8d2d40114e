"""Velocities that are of another time than the position beside them: they become messages of their own time.

A receiver's snapshot, or a row of state vectors, holds what it last heard of each aircraft: a position, with its age,
and a velocity whose age it doesn't tell. What it does tell is when anything came last. A velocity that isn't, to the
digit, that of the row before came since then, so at about that time; one that is may be old, and holds at the time of
the position as well as at any.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.lastrow import TARGETS_MAX, LastRow
from airpicture.tables import F64, I64

JOIN_NS: Final = 250_000_000  # nearer in time, they're as good as one: at 1 g, 2 m/s
JOIN_FIRST_NS: Final = 2_000_000_000  # a target's first one: it may help to begin a track


class Motions:
    """The last motion that each target told.

    Parameters
    ----------
    each : every row's motion was heard when the row says, as where a row is one message
    """

    def __init__(self, targets_max: int = TARGETS_MAX, *, each: bool = False) -> None:
        self._each = each
        self._last = LastRow(targets_max, t=np.int64, speed=np.float64, course=np.float64, v_up=np.float64)

    def __len__(self) -> int:
        return len(self._last)

    def apart(
        self, who: I64, t_ns: I64, t_said: I64, placed: NDArray[np.bool_], speed: F64, course: F64, v_up: F64
    ) -> NDArray[np.bool_]:
        """Return which rows tell a new motion that isn't of the time of their position.

        Parameters
        ----------
        who : (M,) number of the target, negative where it isn't known
        t_ns, t_said : (M,) ns, of the position, and when anything came last, -1 unknown
        placed : (M,) there's a position that wasn't given before
        """
        told = np.flatnonzero((np.isfinite(speed) & np.isfinite(course)) | np.isfinite(v_up))
        motion = {"speed": speed[told], "course": course[told], "v_up": v_up[told]}
        had, was = self._last.before(who[told], t=t_said[told], **motion)
        fresh = np.zeros(len(told), np.bool_)
        for name, values in motion.items():
            fresh |= (values != was[name]) & ~(np.isnan(values) & np.isnan(was[name]))
        fresh = (fresh & (t_said[told] > was["t"])) | ~had | self._each
        far = ~placed[told] | (t_said[told] - t_ns[told] > np.where(had, JOIN_NS, JOIN_FIRST_NS))
        mask = np.zeros(len(who), np.bool_)
        mask[told] = fresh & far & (t_said[told] >= 0)
        return mask
