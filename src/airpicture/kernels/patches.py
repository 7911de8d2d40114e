"""A look's unclaimed plots cell by cell of the ground: neighbours stand near one another, whoever saw them.

What waits round one plot waits, for the most part, round its neighbours, too. In the order in which sensors report, a
plot's neighbours come thousands of plots later, when all that they share has left the caches; and those of a cell lie
far apart in the pool. So they are put in order of cubes a quarter as wide as the smallest cells that plots wait in:
those of a cell, too, are near one another (see `_boxes`). The cubes are in the order of a Z that is drawn again in each
quarter of itself (Morton), here of a cube's eighths, so that those that are near stand near for the most part, and
larger cells are whole, too:

    0 1 4 5
    2 3 6 7
    8 9 ...

Ranges of plots are counted and dealt by one digit of that number after the other, from the lowest, which leaves those
of a cell in the order that they had.

Source: Morton, "A computer oriented geodetic data base and a new technique in file sequencing", IBM, 1966.
"""

import math
from typing import Final

import numpy as np

from airpicture.kernels._jit import inline, jit, prefetch
from airpicture.kernels.arrays import F64, I32, I64
from airpicture.kernels.layout import PLACE_P
from airpicture.kernels.pool import CELLS
from airpicture.kernels.wgs84 import ground

EDGE: Final = CELLS[0] / 4.0  # m
HALF: Final = 2048  # cubes from the Earth's centre along an axis: more than it has
DIGIT: Final = 12  # bits of a cell's number by which plots are dealt at once
DIGITS: Final = 3
ROW: Final = 27  # bits of the row of a plot, below the number of its cube: of 32 GB of plots
ASKED: Final = 16  # plots ahead, whose places the memory is asked for


@inline
def _apart(c: float) -> int:
    """Return in which cube along an axis a coordinate [m] lies, its twelve bits with two gaps after each; off the Earth
    or NaN: the first."""
    at = math.floor(np.float64(np.float32(c)) / EDGE) + HALF if abs(c) < (HALF - 1) * EDGE else 0
    a = int(at)
    a = (a | (a << 16)) & 0xFF0000FF
    a = (a | (a << 8)) & 0xF00F00F00F
    a = (a | (a << 4)) & 0xC30C30C30C3
    return (a | (a << 2)) & 0x249249249249


@inline
def patch_of(x: float, y: float, z: float) -> int:
    """Return the number of the cube of a point [m], ECEF, on the ground; not negative, below 2^(DIGIT DIGITS)."""
    return (_apart(x) << 2) | (_apart(y) << 1) | _apart(z)


@jit
def list_patches(placed: F64, wanted: I64, lo: int, hi: int, patch: I64, count: I64) -> None:
    """List the cubes of plots wanted[lo..hi], and count them by their lowest digit.

    Parameters
    ----------
    placed : (M, PLACE) of registered plots; wanted : (n,) rows of it
    patch : (n,) overwritten in the range: number of the cube, and the plot's row in the lowest ROW bits
    count : (2^DIGIT,) overwritten; or (1,), where nothing is to be counted
    """
    for digit in range(len(count)):
        count[digit] = 0
    for w in range(lo, hi):
        prefetch(placed, int(wanted[min(w + ASKED, hi - 1)]), 0)
        j = wanted[w]
        x, y, z = ground(placed[j, PLACE_P], placed[j, PLACE_P + 1], placed[j, PLACE_P + 2])
        number = patch_of(x, y, z)
        patch[w] = (number << ROW) | j
        count[number & (len(count) - 1)] += 1


@jit
def count_patches(patch: I64, lo: int, hi: int, digit: int, count: I64) -> None:
    """Count plots lo..hi by a digit of their cube; count : (2^DIGIT,) overwritten."""
    for key in range(len(count)):
        count[key] = 0
    shift = ROW + DIGIT * digit
    for w in range(lo, hi):
        count[(patch[w] >> shift) & (len(count) - 1)] += 1


@jit
def deal_patches(patch: I64, lo: int, hi: int, digit: int, at: I64, dealt: I64) -> None:
    """Write plots lo..hi where the next of their digit goes, by the last digit their rows alone.

    at : (2^DIGIT,) from `looks.share_places`, overwritten; dealt : (n,) overwritten
    """
    shift = ROW + DIGIT * digit
    rows = (1 << ROW) - 1 if digit == DIGITS - 1 else -1
    for w in range(lo, hi):
        key = (patch[w] >> shift) & (len(at) - 1)
        dealt[at[key]] = patch[w] & rows
        at[key] += 1


@jit
def order_births(births: F64, column: int, start: I64, count: I64, last: I32, order: I64) -> None:
    """List births in the order of their plots, those of a plot in the order in which they stand.

    Parameters
    ----------
    births : (B, BIRTH) float64, count[k] of them from row start[k] on; column : which one says the plot
    last : (M,) int32 workspace, one a plot
    order : (sum of count,) overwritten with rows of births
    """
    for j in range(len(last)):
        last[j] = 0
    for k in range(len(start)):
        for b in range(start[k], start[k] + count[k]):
            last[int(births[b, column])] += 1
    total = 0
    for j in range(len(last)):
        here = last[j]
        last[j] = total
        total += here
    for k in range(len(start)):
        for b in range(start[k], start[k] + count[k]):
            j = int(births[b, column])
            order[last[j]] = b
            last[j] += 1
