"""Which tracks may have come to carry an address that another one carries; see `tracks.twins`."""

from typing import Final

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import I32, I64, U8
from airpicture.kernels.life import CONFIRMED, ENDED
from airpicture.kernels.sorting import sort_numbers

MARKS: Final = 4096  # of addresses, by their last bits: most tracks are found not to be meant by one look at these


@jit
def list_sharing(
    n: int, address: I32, status: U8, t_first: I64, since_ns: int, mark: U8, fresh: I32, spare: I32, rows: I64
) -> int:
    """List the live tracks whose address a track carries that is new or not confirmed; return how many.

    Parameters
    ----------
    n : rows in use of address, status and t_first [ns], columns of the store
    since_ns : ns, after which a track began that counts as new
    mark : (MARKS,) zeros, and again afterwards; fresh, spare : (n,) int32 workspaces
    rows : (n,) int64; overwritten with the tracks, rising
    """
    count = 0
    for i in range(n):
        if address[i] >= 0 and status[i] != ENDED and (status[i] != CONFIRMED or t_first[i] > since_ns):
            mark[address[i] & (MARKS - 1)] = 1
            fresh[count] = address[i]
            count += 1
    if count == 0:
        return 0
    sort_numbers(count, fresh, spare)
    found = 0
    for i in range(n):
        a = address[i]
        if a < 0 or status[i] == ENDED or mark[a & (MARKS - 1)] == 0:
            continue
        lo, hi = 0, count
        while lo < hi:
            middle = (lo + hi) // 2
            if fresh[middle] < a:
                lo = middle + 1
            else:
                hi = middle
        if lo < count and fresh[lo] == a:
            rows[found] = i
            found += 1
    for k in range(count):
        mark[fresh[k] & (MARKS - 1)] = 0
    return found
