"""Numbers that are taken up again: an aircraft that fell silent, and is heard again under its 24-bit address.

A track ends a minute after its last plot, since nobody knows where its target is then. What its address says later on
comes from the same aircraft all the same, and people, displays and files should hear of one, not of five::

    -*--*--*--*-- - - - - |            |-*--*--*--      number 7, twice
                   coasts  ended        begun with the address, where the aircraft can have flown meanwhile

Physics has the say here, too: who is too far away for the time that has passed begins a track of its own, and so does
one that is heard while another live track carries the address, or the number: a track that took it up may have learnt
another address since.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels.layout import S_POSITION, S_SIGMA_P, S_VELOCITY
from airpicture.store import Store
from airpicture.tables import F64, I32, I64, Status
from airpicture.units import SECOND_NS

SPEED_LEAST: Final = 350.0  # m/s: what stood still may have taken off; an airliner with the jet stream behind it
FASTER: Final = 1.5  # times as fast as at the end, or as now, for what is faster than that
APART_M: Final = 2_000.0  # besides, as of `twins.NEAR`
REMEMBERED: Final = 65_536  # addresses; of more, the longest silent are forgotten
_NONE: Final = np.zeros(0, np.int64)


class Retired:
    """The last number of each address whose track ended, with when and where that was.

    Parameters
    ----------
    revive_s : how long a number waits, see `config.Life`
    """

    def __init__(self, revive_s: float) -> None:
        self._wait_ns = round(revive_s * SECOND_NS)
        self._address: I32 = np.zeros(0, np.int32)  # rising
        self._number: I64 = np.zeros(0, np.int64)
        self._t_first: I64 = np.zeros(0, np.int64)
        self._t_ns: I64 = np.zeros(0, np.int64)
        self._state: F64 = np.zeros((0, 6))  # m and m/s, ECEF

    def __len__(self) -> int:
        return len(self._address)

    def note(self, store: Store, rows: I64, t_ns: int) -> None:
        """Remember tracks that end: confirmed ones, with an address. t_ns : now, of closed frames alone."""
        rows = rows[store.address[rows] >= 0]
        if not len(rows) or not self._wait_ns:
            return
        fresh = (
            store.address[rows], store.number[rows], store.t_first[rows], store.t_ns[rows],
            store.summary[rows, S_POSITION : S_POSITION + 6].astype(np.float64),
        )  # fmt: skip
        address = np.concatenate([self._address, fresh[0]])
        number, t_first = np.concatenate([self._number, fresh[1]]), np.concatenate([self._t_first, fresh[2]])
        when, state = np.concatenate([self._t_ns, fresh[3]]), np.concatenate([self._state, fresh[4]])
        order = np.lexsort((when, address))
        last = np.append(address[order[1:]] != address[order[:-1]], True)
        kept = order[last & (when[order] >= t_ns - self._wait_ns)]
        if len(kept) > REMEMBERED:
            kept = np.sort(kept[np.argsort(when[kept], kind="stable")[-REMEMBERED:]])
            kept = kept[np.argsort(address[kept], kind="stable")]
        self._address, self._number, self._t_first = address[kept], number[kept], t_first[kept]
        self._t_ns, self._state = when[kept], state[kept]

    def take_up(self, store: Store, born: I64) -> I64:
        """Give tracks that were begun just now the numbers of their aircraft; return these numbers.

        born : rows of the store, behind all others; number and t_first are overwritten
        """
        if not len(self) or not len(born):
            return _NONE
        mine = store.address[born]
        place = np.minimum(np.searchsorted(self._address, mine), len(self) - 1)
        known = (mine >= 0) & (self._address[place] == mine)
        known[known] = _first_of(mine[known])
        rows, place = born[known], place[known]
        if not len(rows):
            return _NONE
        live = store.status[: born[0]] != Status.ENDED
        before = store.address[: born[0]]
        held = before[live & np.isin(before, mine[known])]
        taken = store.number[: born[0]][live & np.isin(store.number[: born[0]], self._number[place])]
        gap = (store.t_ns[rows] - self._t_ns[place]) * 1e-9
        now = store.summary[rows]
        speeds = (
            np.linalg.norm(self._state[place, 3:], axis=1),
            np.linalg.norm(now[:, S_VELOCITY : S_VELOCITY + 3], axis=1),
        )
        fastest = np.maximum(SPEED_LEAST, FASTER * np.maximum(*speeds))
        apart = np.linalg.norm(now[:, S_POSITION : S_POSITION + 3] - self._state[place, :3], axis=1)
        good = (gap > 0.0) & (store.t_ns[rows] - self._t_ns[place] <= self._wait_ns)
        good &= ~np.isin(store.address[rows], held) & ~np.isin(self._number[place], taken)
        good &= apart <= fastest * gap + APART_M + 3.0 * now[:, S_SIGMA_P]
        good[good] = _first_of(self._number[place[good]])  # one number, two addresses: each was its track's once
        rows, place = rows[good], place[good]
        numbers: I64 = self._number[place]
        store.number[rows], store.t_first[rows] = numbers, self._t_first[place]
        return numbers


def _first_of(values: I32 | I64) -> NDArray[np.bool_]:
    """Return which values are met for the first time."""
    mask = np.zeros(len(values), np.bool_)
    mask[np.unique(values, return_index=True)[1]] = True
    return mask
