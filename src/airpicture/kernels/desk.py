"""The workspace of one thread that looks for beginnings."""

from typing import Final, NamedTuple

from airpicture.kernels.arrays import F32, F64, I32, I64, ruled
from airpicture.kernels.lanes import U

Q_PLOT: Final = 0  # of a plot that may begin a track: which of its block it is, ...
Q_END: Final = 1  # ... where the list of what it saw ends, ...
Q_CHAINS: Final = 2  # ... in how many chains it is ...
Q_PICKS: Final = 3  # ... and how many pairs it has a trial with
Q_ROW: Final = 4  # ... and where these stand, one after another
QUEUED: Final = 5


@ruled
class Desk(NamedTuple):
    """Workspace of one thread's search; nothing is carried over to the next one.

    B : pairs of a plot that are tried with all numbers, at most; R : trials that are worked out together, B + CHAINS or
    more. Names in capitals are those of `prospects`, `around`, `_boxes`, `chains`, `births` and `fours`.
    """

    # What eight plots bring, see `prospects`
    W: F64  # (EIGHT BROUGHT,)
    eight: I64  # (2, EIGHT) rows of the plots, and of their sensors

    # A block of plots, see `around`
    prospects: F64  # (BLOCK, PROSPECT) what each brings, see `search`
    place: F64  # (BLOCK, 3) m, ECEF, on the ground
    begin: I64  # (BLOCK,) the first plot of each group
    after: I64  # (BLOCK,) the next plot of its group, -1: none
    hashed: I64  # (SLOTS,)

    # What waits round some groups of them
    near: I64  # (ROOM, 2) mark and newest plot of each cell
    span: I64  # (BATCH, SPAN) where the cells of each group and level begin
    box: F32  # (V_COLUMNS, BOX + ABREAST) what waits round one group, see V_*
    slot: I64  # (BOX,) where that stands in the pool
    bunch: I32  # (BUNCHES, 2) where each bunch of it begins and ends
    outline: F32  # (N_COLUMNS, BUNCHES + ABREAST) see N_*
    ends: I64  # (WAITING_LEVELS + 1,) what waits on a level is in bunches ends[level] to ends[level + 1]

    # What is near one plot, see `picking`, and in line with it, see `chains`
    asked: F32  # (ASKING,) see A_*
    line: F32  # (LINED,) see I_*
    some: I32  # (BUNCHES + ABREAST,)
    hit: I32  # (BOX + ABREAST,)
    seen: I64  # (SEEN,) slots of what is near the plots in the queue, one plot's after another's
    young: F64  # (YOUNG + 1, YOUNGER)
    who: I64  # (YOUNG + 1,)
    old: F32  # (OLDER, OLD + ABREAST)
    whom: I32  # (OLD + ABREAST,)
    worth: F64  # (CHAINS,)

    # Plots that may begin a track, and their trials, see `trials` and `fours`
    queue: I64  # (BLOCK, QUEUED) see Q_*
    pick: I64  # (BLOCK, B) slots of the pairs that are tried with each
    value: F64  # (BLOCK, B + 1) their odds at most, and last those of the rest
    chain: I64  # (BLOCK, CHAINS, 2) slots of the plots in line with each, younger and older
    Zq: F64  # (1, PLOT) a waiting plot, as it was registered
    T: F64  # (SCRATCH,) states side by side, see `lanes`
    lot: I64  # (R, 2, LOT) trials of plain plots, pairs and chains, see LOT_*
    enlisted: I64  # (2,) how many of each
    trial: F64  # (R, BIRTH) what comes of them
    lanes: U  # LANES, as a number that the compiler doesn't know
