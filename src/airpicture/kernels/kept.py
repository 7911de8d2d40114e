"""All that the store holds of some tracks, as rows of words: copied, put back, and told from others by one number."""

from typing import Final, NamedTuple

import numpy as np

from airpicture.kernels._jit import jit, part, prefetch
from airpicture.kernels.arrays import I64, U8, U64, ruled
from airpicture.kernels.layout import RECORD, SUMMARY

SIDE: Final = 32  # words of 8 bytes that a track's side record takes
AT_SUMMARY: Final = RECORD  # words of a row: states, ...
AT_SIDE: Final = AT_SUMMARY + SUMMARY // 2
AT_TIME: Final = AT_SIDE + SIDE
AT_DUE: Final = AT_TIME + 1
AT_STATUS: Final = AT_DUE + 1
WORDS: Final = AT_STATUS + 1
AHEAD: Final = 4  # rows that memory is asked for while others are copied
LINE: Final = 8  # words


@ruled
class Words(NamedTuple):
    """The tables and columns of a store, as words."""

    states: U64  # (cap, RECORD)
    summary: U64  # (cap, SUMMARY // 2)
    side: U64  # (cap, SIDE)
    t_ns: U64  # (cap,) likewise
    due: U64  # (cap,)
    status: U8  # (cap,)


@part
def _ask(i: int, of: Words) -> None:
    for c in range(0, RECORD, LINE):
        prefetch(of.states, i, c)
    for c in range(0, SIDE, LINE):
        prefetch(of.side, i, c)
    prefetch(of.summary, i, 0)


@part
def _write(count: int, row: U64, to: U64) -> None:
    """Write the first so many words of a row to another; by rows, LLVM sees that this is one copy."""
    for c in range(count):
        to[c] = row[c]


@part
def _copy(i: int, of: Words, to: U64) -> None:
    """Write what stands in row i to a kept row."""
    _write(RECORD, of.states[i], to)
    _write(SUMMARY // 2, of.summary[i], to[AT_SUMMARY:])
    _write(SIDE, of.side[i], to[AT_SIDE:])
    to[AT_TIME], to[AT_DUE], to[AT_STATUS] = of.t_ns[i], of.due[i], of.status[i]


@jit
def list_fresh(rows: I64, n: int, marked: U8, fresh: I64, count: int) -> int:
    """Add those rows below n that aren't marked as kept to a list, and mark them; return how many it has then.

    Parameters
    ----------
    rows : (m,) int64; marked : (cap,) uint8, 1 of rows that were kept, overwritten
    fresh : (count + m or more,) int64, count of which are listed; overwritten behind these
    """
    for q in range(len(rows)):
        i = rows[q]
        if i < n and marked[i] == 0:
            marked[i] = 1
            fresh[count] = i
            count += 1
    return count


@jit
def keep_rows(rows: I64, lo: int, hi: int, of: Words, kept: U64) -> None:
    """Write what stands in rows lo..hi of a list of rows to the same rows of kept, (n, WORDS) uint64."""
    for q in range(lo, hi):
        _ask(rows[min(q + AHEAD, hi - 1)], of)
        _copy(rows[q], of, kept[q])


@jit
def put_back(rows: I64, lo: int, hi: int, kept: U64, of: Words) -> None:
    """Undo `keep_rows`; of is overwritten."""
    for q in range(lo, hi):
        _ask(rows[min(q + AHEAD, hi - 1)], of)
        i, row = rows[q], kept[q]
        _write(RECORD, row, of.states[i])
        _write(SUMMARY // 2, row[AT_SUMMARY:], of.summary[i])
        _write(SIDE, row[AT_SIDE:], of.side[i])
        of.t_ns[i], of.due[i], of.status[i] = row[AT_TIME], row[AT_DUE], row[AT_STATUS]


@jit
def move_down(rows: I64, count: int, at: int, of: Words) -> None:
    """Write what stands in the first so many of a list of rows to those from `at` on.

    Parameters
    ----------
    rows : (n,) int64, rising, none before the one that it's moved to
    of : overwritten
    """
    for q in range(count):
        _ask(rows[min(q + AHEAD, count - 1)], of)
        i, to = rows[q], at + q
        _write(RECORD, of.states[i], of.states[to])
        _write(SUMMARY // 2, of.summary[i], of.summary[to])
        _write(SIDE, of.side[i], of.side[to])
        of.t_ns[to], of.due[to], of.status[to] = of.t_ns[i], of.due[i], of.status[i]


@jit
def print_rows(rows: I64, lo: int, hi: int, of: Words, powers: U64, word: U64, prints: U64) -> None:
    """Write one number for all that stands in each of the rows lo..hi of a list: the sum of words by powers, mod 2^64.

    Parameters
    ----------
    powers : (WORDS,) uint64, odd; word : (1, WORDS) uint64, workspace of one thread
    prints : (n,) uint64, overwritten
    """
    for q in range(lo, hi):
        _ask(rows[min(q + AHEAD, hi - 1)], of)
        row = word[0]
        _copy(rows[q], of, row)
        total = np.uint64(0)
        for c in range(WORDS):
            total += powers[c] * row[c]
        prints[q] = total
