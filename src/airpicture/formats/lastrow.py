"""The last row of each target, so that one that says the same again is known, however the stream was cut."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airpicture.tables import I64

TARGETS_MAX: Final = 100_000  # remembered; the world's record sky had 23,158 aircraft


class LastRow:
    """Keeps for each target its last row of some columns.

    Parameters
    ----------
    **columns : type of each; the first is a time, by which the longest silent targets are forgotten
    """

    def __init__(self, targets_max: int = TARGETS_MAX, **columns: Any) -> None:
        self._max = targets_max
        self._who = np.zeros(0, np.int64)  # rising
        self._kept: dict[str, NDArray[Any]] = {name: np.zeros(0, dtype) for name, dtype in columns.items()}

    def __len__(self) -> int:
        return len(self._who)

    def before(self, who: I64, **columns: NDArray[Any]) -> tuple[NDArray[np.bool_], dict[str, NDArray[Any]]]:
        """Return whether each row's target had one before it, and that row's columns; the last ones are kept.

        Parameters
        ----------
        who : (M,) number of the target; negative where it isn't known, which has none before and isn't kept
        columns : (M,) in the order in which they came
        """
        met, place = np.unique(who, return_inverse=True)
        spot = np.minimum(np.searchsorted(self._who, met), max(len(self._who) - 1, 0))
        known = self._who[spot] == met if len(self._who) else np.zeros(len(met), np.bool_)
        old = spot[known]
        first = len(old)
        target = np.concatenate([np.flatnonzero(known), place])
        order = np.argsort(target, kind="stable")
        follows = np.zeros(len(order), np.bool_)
        follows[1:] = target[order[1:]] == target[order[:-1]]
        had = np.zeros(len(order), np.bool_)
        had[order] = follows
        ends = order[np.flatnonzero(np.append(~follows[1:], True))] if len(order) else order
        was, last = {}, {}
        for name, column in columns.items():
            values = np.concatenate([self._kept[name][old], column])
            earlier = values.copy()
            earlier[order[1:]] = values[order[:-1]]
            was[name], last[name] = earlier[first:], values[ends]
        self._keep(met, known, spot, last)
        return had[first:] & (who >= 0), was

    def _keep(self, met: I64, known: NDArray[np.bool_], spot: I64, last: dict[str, NDArray[Any]]) -> None:
        for name, values in last.items():
            self._kept[name][spot[known]] = values[known]
        new = ~known & (met >= 0)
        if not new.any():
            return
        who = np.concatenate([self._who, met[new]])
        joined = {name: np.concatenate([values, last[name][new]]) for name, values in self._kept.items()}
        time = next(iter(joined.values()))
        kept = np.argsort(time, kind="stable")[-self._max // 2 :] if len(who) > self._max else np.arange(len(who))
        kept = kept[np.argsort(who[kept], kind="stable")]
        self._who = who[kept]
        self._kept = {name: values[kept] for name, values in joined.items()}
