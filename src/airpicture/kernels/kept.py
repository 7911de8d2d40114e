"""All that the store holds of some tracks, as rows of words: copied, put back, and told from others by one number."""

from typing import Final, NamedTuple

from airpicture.kernels._jit import jit, part, prefetch
from airpicture.kernels.arrays import I64, U8, U64, table
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


@table
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
def _copy(i: int, of: Words, to: U64, q: int) -> None:
    """Write what stands in row i to to[q]."""
    for c in range(RECORD):
        to[q, c] = of.states[i, c]
    for c in range(SUMMARY // 2):
        to[q, AT_SUMMARY + c] = of.summary[i, c]
    for c in range(SIDE):
        to[q, AT_SIDE + c] = of.side[i, c]
    to[q, AT_TIME], to[q, AT_DUE], to[q, AT_STATUS] = of.t_ns[i], of.due[i], of.status[i]


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
        _copy(rows[q], of, kept, q)


@jit
def put_back(rows: I64, lo: int, hi: int, kept: U64, of: Words) -> None:
    """Undo `keep_rows`; of is overwritten."""
    for q in range(lo, hi):
        _ask(rows[min(q + AHEAD, hi - 1)], of)
        i = rows[q]
        for c in range(RECORD):
            of.states[i, c] = kept[q, c]
        for c in range(SUMMARY // 2):
            of.summary[i, c] = kept[q, AT_SUMMARY + c]
        for c in range(SIDE):
            of.side[i, c] = kept[q, AT_SIDE + c]
        of.t_ns[i], of.due[i], of.status[i] = kept[q, AT_TIME], kept[q, AT_DUE], kept[q, AT_STATUS]


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
        i = rows[q]
        for c in range(RECORD):
            of.states[at + q, c] = of.states[i, c]
        for c in range(SUMMARY // 2):
            of.summary[at + q, c] = of.summary[i, c]
        for c in range(SIDE):
            of.side[at + q, c] = of.side[i, c]
        of.t_ns[at + q], of.due[at + q], of.status[at + q] = of.t_ns[i], of.due[i], of.status[i]


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
        _copy(rows[q], of, word, 0)
        total = powers[0] * word[0, 0]
        for c in range(1, WORDS):
            total += powers[c] * word[0, c]
        prints[q] = total
