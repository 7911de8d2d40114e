"""Which track holds an address: a hash table from addresses to rows of the store.

Open addressing; entries are never taken out but with all others. So an entry is only a hint: it counts if its row
still holds that address. What is promised is the other way round: each live row that has an address has its entry, but
where more than `ALIKE_MOST` live rows have the same. As rows move down an address leaves entries behind; the next row
that comes to it takes over one of these.
"""

from typing import Final

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import I32, I64, U8
from airpicture.kernels.life import ENDED, TENTATIVE

NOBODY: Final = -1  # no live track holds the address
SEVERAL: Final = -2  # more than one does
ALIKE_MOST: Final = 64  # entries of one address; more than so many tracks of one address tell nobody apart


@inline
def _spot(address: int, size: int) -> int:
    """Return where in a table of `size` entries, a power of two, the entries of an address begin."""
    h = int(address) * 0x2545F4914F6CDD1D
    h ^= h >> 29
    return h & (size - 1)


@inline
def _note(i: int, n: int, address: I32, status: U8, noted: I32, key: I32, row: I32, used: int) -> int:
    """Make sure that row i has its entry; return how many entries are used."""
    a = address[i]
    if a < 0 or noted[i] == a:
        return used
    size = len(key)
    spot = _spot(a, size)
    alike, left = 0, -1  # `left` is an entry whose row has no live track of the address any more
    while row[spot] >= 0:
        if key[spot] == a:
            k = row[spot]
            if k == i:
                noted[i] = a
                return used
            alike += 1
            if k >= n or address[k] != a or status[k] == ENDED:
                left = spot
        spot = (spot + 1) & (size - 1)
    if left >= 0:
        k = row[left]
        noted[k] = -1 if noted[k] == a else noted[k]  # should it come to the address once more
        row[left] = i
    elif alike < ALIKE_MOST:
        key[spot], row[spot] = a, i
        used += 1
    else:
        return used
    noted[i] = a
    return used


@jit
def note_rows(rows: I64, n: int, address: I32, status: U8, noted: I32, key: I32, row: I32, used: int) -> int:
    """Make sure that rows of the store have their entries; return how many entries are used.

    Parameters
    ----------
    n : rows of the store in use; address, status : columns of the store
    noted : (cap,) int32, the address each row was last entered under
    key, row : (size,) int32, the table: address, row; row -1 where free; `size` more than the entries that come
    """
    for q in range(len(rows)):
        used = _note(rows[q], n, address, status, noted, key, row, used)
    return used


@jit
def note_range(lo: int, hi: int, n: int, address: I32, status: U8, noted: I32, key: I32, row: I32, used: int) -> int:
    """Do `note_rows` for rows lo..hi."""
    for i in range(lo, hi):
        used = _note(i, n, address, status, noted, key, row, used)
    return used


@jit
def find_rows(asked: I32, n: int, address: I32, status: U8, key: I32, row: I32, found: I64) -> None:
    """Find the live track of each address: the only one that is or was confirmed, else the only tentative one.

    Parameters
    ----------
    asked : (M,) int32, addresses; n : rows of the store in use; address, status : columns of the store
    found : (M,) int64; overwritten with rows, NOBODY or SEVERAL
    """
    size = len(key)
    for j in range(len(asked)):
        a = asked[j]
        sure, sure_row, weak, weak_row = 0, NOBODY, 0, NOBODY
        spot = _spot(a, size)
        while row[spot] >= 0:
            i = row[spot]
            if key[spot] == a and i < n and address[i] == a and status[i] != ENDED:
                if status[i] == TENTATIVE:
                    weak, weak_row = weak + 1, i
                else:
                    sure, sure_row = sure + 1, i
            spot = (spot + 1) & (size - 1)
        if sure > 0:
            found[j] = sure_row if sure == 1 else SEVERAL
        else:
            found[j] = weak_row if weak <= 1 else SEVERAL
