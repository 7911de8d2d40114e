"""What each target last said of something, at each message: for formats that spread one report over several messages.

A receiver's text formats send position, velocity, height, code and callsign in messages of their own. A position takes
of each what came last before it, if that's fresh. What was said is kept from call to call, so that a stream gives the
same however it's cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.tables import I64

TARGETS_MAX: Final = 100_000


class Quantity(NamedTuple):
    """Something that messages say: the columns it has, what stands for "unknown" in them, how long it may be used."""

    columns: tuple[str, ...]
    unknown: tuple[Any, ...]
    age_ns: int


class LastState:
    """Keeps for each target and quantity what was last said, and when."""

    def __init__(self, quantities: Mapping[str, Quantity]) -> None:
        self._quantities = dict(quantities)
        self._who = np.zeros(0, np.int64)  # rising
        self._t = {name: np.zeros(0, np.int64) for name in quantities}  # -1 never
        self._kept: dict[str, NDArray[Any]] = {
            column: np.zeros(0, np.asarray(unknown).dtype)
            for quantity in quantities.values()
            for column, unknown in zip(quantity.columns, quantity.unknown, strict=True)
        }

    def __len__(self) -> int:
        return len(self._who)

    def join(self, who: I64, t_ns: I64, timely: NDArray[np.bool_], **said: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return each column as it stood at each message, unknown where that's too old, or from later than it.

        Parameters
        ----------
        who : (M,) number of the target; negative where it isn't known, which takes from nobody
        t_ns, timely : (M,) time of the message, and whether it's known
        said : (M,) the columns of the quantities, unknown values where the message doesn't say
        """
        usable = timely & (who >= 0)
        met, place = np.unique(who[usable], return_inverse=True)
        self._admit(met)
        spot = np.searchsorted(self._who, met)
        first = len(met)
        order = np.argsort(np.concatenate([np.arange(first), place]), kind="stable")
        starts = np.maximum.accumulate(np.where(order < first, np.arange(len(order)), 0))
        ends = np.flatnonzero(np.append(order[1:] < first, True)) if first else np.zeros(0, np.int64)
        rows = np.flatnonzero(usable)
        t_now = np.concatenate([np.full(first, -1), t_ns[rows]])[order]
        found: dict[str, NDArray[Any]] = {}
        for name, quantity in self._quantities.items():
            known = np.concatenate([self._t[name][spot] >= 0, self._knows(quantity, said)[rows]])[order]
            t_said = np.concatenate([self._t[name][spot], t_ns[rows]])[order]
            last = np.maximum.accumulate(np.where(known, np.arange(len(order)), -1))
            held = last >= starts
            age = t_now - t_said[last]
            fresh = held & (age >= 0) & (age <= quantity.age_ns)
            into = order >= first
            source = order[last]
            for column, unknown in zip(quantity.columns, quantity.unknown, strict=True):
                values = np.concatenate([self._kept[column][spot], said[column][rows]])
                result = np.full(len(who), unknown, said[column].dtype)
                result[rows[order[into] - first]] = np.where(fresh, values[source], unknown)[into]
                found[column] = result
                self._kept[column][spot[held[ends]]] = values[source[ends][held[ends]]]
            self._t[name][spot[held[ends]]] = t_said[last[ends][held[ends]]]
        return found

    @staticmethod
    def _knows(quantity: Quantity, said: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        known = np.ones(len(said[quantity.columns[0]]), np.bool_)
        for column, unknown in zip(quantity.columns, quantity.unknown, strict=True):
            values = said[column]
            known &= ~np.isnan(values) if values.dtype == np.float64 else values != unknown
        return known

    def _admit(self, met: I64) -> None:
        """Make room for targets that are new; where there are too many, forget the half that was silent longest."""
        fresh = met[~np.isin(met, self._who, assume_unique=True)]
        if not len(fresh):
            return
        if len(self._who) + len(fresh) > TARGETS_MAX:
            latest = np.max(list(self._t.values()), axis=0, initial=-1)
            latest[np.isin(self._who, met)] = np.iinfo(np.int64).max
            self._choose(np.sort(np.argsort(latest, kind="stable")[len(latest) // 2 :]))
        who = np.concatenate([self._who, fresh])
        self._t = {name: np.concatenate([t, np.full(len(fresh), -1)]) for name, t in self._t.items()}
        for quantity in self._quantities.values():
            for column, unknown in zip(quantity.columns, quantity.unknown, strict=True):
                old = self._kept[column]
                self._kept[column] = np.concatenate([old, np.full(len(fresh), unknown, old.dtype)])
        self._who = who
        self._choose(np.argsort(who, kind="stable"))

    def _choose(self, rows: NDArray[np.int64]) -> None:
        self._who = self._who[rows]
        self._t = {name: t[rows] for name, t in self._t.items()}
        self._kept = {column: values[rows] for column, values in self._kept.items()}
