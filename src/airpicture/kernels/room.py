"""The workspace of one thread in a look."""

from typing import NamedTuple

from airpicture.kernels.abreast import Abreast
from airpicture.kernels.arrays import F64, I32, I64, ruled
from airpicture.kernels.closing import Closing
from airpicture.kernels.joint import Work
from airpicture.kernels.lanes import LANES
from airpicture.kernels.layout import MODE

STATES = MODE  # float64 of the models' states at the beginning of a row
QUEUE = 64  # pairs that are weighed side by side at most
BRIEF = 8  # float64 of a plot: a line of the cache ...
AFTER = 8  # ... and another one
CONDITIONED = STATES + 2 * LANES  # of a conditioned pair: states, and how far off it was found across and along


@ruled
class Room(NamedTuple):
    """Workspace of one thread, for the largest chunk of a look: n tracks, e pairs, p plots; M plots in the look."""

    T: F64  # (SCRATCH,)
    ahead: Abreast  # eight tracks that are predicted next
    close: Closing  # eight tracks that have been updated
    W: F64  # (n + 1, ROW) predicted; the last row is for what is worked on
    spot: F64  # (n, 4) height [m] and vertical of what each track is predicted to
    V: F64  # (v, CONDITIONED) states given each pair, at its slot; pairs of slots beyond v are conditioned once more
    t_w: I64  # (n,) ns, what each track is predicted to
    row: I64  # (n,) in the store
    first: I64  # (n + 1,) passed pairs of each track
    plot: I32  # (e,)
    near: I32  # (e,) plot, numbered from 0 in rising order
    owner: I32  # (e,)
    slot: I32  # (e,)
    ratio: F64  # (e,)
    clean: F64  # (e,)
    share: F64  # (e, 4) each model's likelihood over the mixture's
    weight: F64  # (e,)
    names: I64  # (e,) plots of the chunk
    spare: I64  # (e + 1,)
    brief: F64  # (e, BRIEF) what a glance reads of them, see `briefs` ...
    after: F64  # (e, AFTER) ... and what's read of them after they were shared out
    local: I32  # (M,) all -1 before and after
    inner: I32  # (e,) likewise
    last: I32  # (e,) pair that had a plot last
    queue: F64  # (QUEUED,) see `odds`
    queued: I64  # (NUMBERED,)
    detect: F64  # (n,)
    got: F64  # (n,)
    missed: F64  # (n,)
    claimed: F64  # (e,)
    plot_owner: I32  # (e,)
    parent: I32  # (n,)
    cluster: I32  # (n,)
    cluster_start: I64  # (n + 2,)
    cluster_track: I32  # (n,)
    counts: I64  # (COUNTS,)
    joint: Work
