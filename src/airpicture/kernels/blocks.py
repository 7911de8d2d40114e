"""Blocks: where the plots of a look can be cut so that no track reaches across; for skies where plots are thick.

There nearly all plots of a radar are one connected part (`kernels.components`), which is found by joining each track to
each of its plots. But plots stand sensor by sensor, and tracks reach those of one sensor: it's enough to know the first
and the last plot of each track::

    plots          0  1  2  3  4  5 | 6  7  8  9
    tracks         [-----]  [----]    [-------]         each from its first plot to its last
                      [-------]             [-]
    reach across   1  2  1  2  1  0   1  1  2  0        a block ends where nobody does

A block is one or several whole parts, so that what `components` says of parts holds for blocks.
"""

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import I32, I64, U16
from airpicture.kernels.lanes import U


@jit
def note_reach(count: I32, pair: I32, step: I32) -> None:
    """Note from which plot to which some tracks reach.

    Parameters
    ----------
    count : (n,) int32, pairs of each track, at least one; pair : (E,) int32, their plots, rising within a track
    step : (M,) int32, added to: by how many more tracks the gap behind each plot is reached across than the one before
    """
    at = U(0)
    for w in range(U(len(count))):
        to = at + U(count[w])
        step[U(pair[at])] += 1
        step[U(pair[to - U(1)])] -= 1
        at = to


@jit
def cut_blocks(step: I32, most: int, block: I32) -> int:
    """Number the blocks of plots; return how many there are, or `most`, which they aren't numbered beyond.

    step : (shares, M) from `note_reach`, the first row overwritten; block : (M,) int32, overwritten
    """
    across, b = 0, 0
    for k in range(1, step.shape[0]):
        for j in range(U(step.shape[1])):
            step[0, j] += step[k, j]
    for j in range(U(step.shape[1])):
        block[j] = b
        across += step[0, j]
        if across == 0:
            b += 1
            if b == most:
                break
    return b


@jit
def count_blocks(count: I32, pair: I32, block: I32, tracks: I64, pairs: I64) -> None:
    """Count how many of some tracks, and of their pairs, each block has; count, pair : see `note_reach`.

    block : (M,) from `cut_blocks`; tracks, pairs : (blocks,) int64, added to
    """
    at = U(0)
    for w in range(U(len(count))):
        b = U(block[U(pair[at])])
        tracks[b] += 1
        pairs[b] += count[w]
        at += U(count[w])


@jit
def lay_blocks(
    row: I32,
    count: I32,
    pair: I32,
    block: I32,
    tracks: I64,
    pairs: I64,
    tally: U16,
    track: I64,
    start: I64,
    plot: I32,
) -> None:
    """Put some tracks where their blocks go, with their pairs.

    Parameters
    ----------
    row : (n,) int32, the tracks; count, pair : see `note_reach`; block : (M,) from `cut_blocks`
    tracks, pairs : (blocks,) int64, where the first of these tracks, and the first of their pairs, of each block goes;
        overwritten with where the next ones go
    tally : (M,) added to: tracks of each plot
    track, start, plot : as for `components.connect`
    """
    at = U(0)
    for w in range(U(len(count))):
        b, many = U(block[U(pair[at])]), U(count[w])
        to, into = U(tracks[b]), U(pairs[b])
        track[to], start[to] = row[w], pairs[b]
        for k in range(many):
            j = pair[at + k]
            plot[into + k] = j
            tally[U(j)] += 1
        tracks[b] += 1
        pairs[b] += count[w]
        at += many
