"""Which rows are the first or the last message of their track: an open hash map of the tracks announced so far.

A million tracks cost a lookup each; nothing is sorted. The map is two arrays, keys (-1 free) and the last Mode A code.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import inline, jit

I64: TypeAlias = NDArray[np.int64]
I32: TypeAlias = NDArray[np.int32]
U8: TypeAlias = NDArray[np.uint8]

# Status of ``tables``, which kernels don't import; a test holds them equal
TENTATIVE: Final = 0
COASTING: Final = 2
ENDED: Final = 3

# What announce says of a row
FIRST: Final = 1
LAST: Final = 2
CODE_CHANGED: Final = 4
SILENT: Final = 255  # not sent


@inline
def _home(key: int, mask: int) -> int:
    """Return the slot a key would like best: Fibonacci hashing (Knuth, TAOCP 3, 6.4), within 63 bits."""
    return ((((key ^ (key >> 31)) & 0x7FFFFFFF) * 0x9E3779B1) >> 24) & mask


@inline
def _slot(key: int, keys: I64) -> int:
    """Return where a key is in the map, or the free slot where it would go."""
    mask = len(keys) - 1
    k = _home(key, mask)
    while keys[k] != -1 and keys[k] != key:
        k = (k + 1) & mask
    return k


@inline
def _remove(k: int, keys: I64, codes: I32) -> None:
    """Take a slot out and close the gap, so that no later key hides behind it (Knuth, TAOCP 3, 6.4, algorithm R)."""
    mask = len(keys) - 1
    gap = k
    k = (k + 1) & mask
    while keys[k] != -1:
        home = _home(keys[k], mask)
        if ((k - home) & mask) >= ((k - gap) & mask):
            keys[gap], codes[gap] = keys[k], codes[k]
            gap = k
        k = (k + 1) & mask
    keys[gap] = -1


@jit
def rehash(old_keys: I64, old_codes: I32, keys: I64, codes: I32) -> None:
    """Move a map into a larger one; `keys` (a power of two long, all -1) and `codes` are overwritten."""
    for i in range(len(old_keys)):
        if old_keys[i] != -1:
            k = _slot(old_keys[i], keys)
            keys[k], codes[k] = old_keys[i], old_codes[i]


@jit
def announce(
    track: I64, status: U8, mode_3a: I32, tentative: bool, keys: I64, codes: I32, flags: U8, refused: I64
) -> int:
    """Find the first and last message of each track among rows (N,), and changes of its Mode A code.

    A track that ended is forgotten: should its number come again, it's announced again. With `tentative` false a track
    is silent until it's confirmed, and one that ends before has nothing to be said of it.

    Parameters
    ----------
    keys : (C,) int64, C a power of two and more than twice the tracks it may come to hold; -1 free; overwritten
    codes : (C,) int32, last Mode A code sent, -1 none; overwritten
    flags : (N,) uint8, FIRST | LAST | CODE_CHANGED, or SILENT; overwritten
    refused : (2,) int64, rows without a track number, rows held back; added to

    Returns
    -------
    change of the number of tracks in the map
    """
    change = 0
    for i in range(len(track)):
        flags[i] = SILENT
        if track[i] < 0:
            refused[0] += 1
            continue
        k = _slot(track[i], keys)
        known = keys[k] != -1
        if not known and not tentative and (status[i] == TENTATIVE or status[i] == ENDED):
            refused[1] += 1
            continue
        flag = 0
        if not known:
            flag |= FIRST
            keys[k], codes[k] = track[i], -1
            change += 1
        if mode_3a[i] >= 0:
            if codes[k] >= 0 and codes[k] != mode_3a[i]:
                flag |= CODE_CHANGED
            codes[k] = mode_3a[i]
        if status[i] == ENDED:
            flag |= LAST
            _remove(k, keys, codes)
            change -= 1
        flags[i] = flag
    return change


@jit
def hear(t_ns: I64, status: U8, seen: I32, plot_sensor: I32, t_ns_plot: I64, heard: I64) -> None:
    """Note in `heard` (S,) the latest time [ns] at which each sensor fed a track among rows (N,).

    That is the time of a row's last plot; where its sensor isn't known (a table read from a file), the time of the row
    for the sensors that hold the track, unless it coasts.
    """
    for i in range(len(t_ns)):
        s = plot_sensor[i]
        if 0 <= s < len(heard) and t_ns_plot[i] > heard[s]:
            heard[s] = t_ns_plot[i]
        if s < 0 and status[i] != COASTING:
            for j in range(seen.shape[1]):
                s = seen[i, j]
                if 0 <= s < len(heard) and t_ns[i] > heard[s]:
                    heard[s] = t_ns[i]
