"""The tracks near a look's plots in one go: what `association.index` does step by step, for looks of few plots.

Where a look has a handful of plots, what it costs to call a kernel outweighs what the kernel does: eleven calls and
what stands between them took 40 us, of which the work is 6. So here these kernels call one another. They're the same,
with all of their rows as the one range, and where one has too little room the look is begun again step by step, which
makes more.
"""

from typing import Final, NamedTuple

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F32, F64, I32, I64, table
from airpicture.kernels.cells import Cells, find_cells, lay_plots, sort_plots
from airpicture.kernels.components import connect
from airpicture.kernels.crowd import keep_nearest
from airpicture.kernels.index import Grid, note_peaks, place_rows, refresh
from airpicture.kernels.meeting import meet_plots
from airpicture.kernels.near import list_marked, mark_cells

NO_ROOM: Final = -1


@table
class Desk(NamedTuple):
    """Workspaces, and where what is found is written: for A tracks that ask, n that meet plots, E pairs."""

    stale: I64  # (s,) rows of the index that are placed anew
    peaks: F64  # (1, PEAKS)
    asking: I32  # (cap,) tracks that ask
    around: F64  # see `meeting.meet_plots`, as the next five
    ask: I32
    run: I32
    hit: I32
    waiting: I32
    spare: I32
    met: I32  # (A,) tracks that meet any plot
    count: I32  # (A,) how many
    pair: I32  # (p,) which
    tally: I32  # (M,)
    parent: I32  # (n,) see `components.connect`, as all that follow
    part: I32
    joined: I32
    first: I32
    source: I32
    track: I64
    start: I64
    plot: I32
    chunk: I64


@jit
def find_near(
    Z: F64,
    t_z: I64,
    plots: int,
    n: int,
    everybody: bool,
    summary: F32,
    time: I64,
    q_third: float,
    radius_max: float,
    most: int,
    chunk_tracks: int,
    cells: Cells,
    grid: Grid,
    w: Desk,
) -> tuple[int, int, int, int, int, int, int]:
    """Pair tracks with the plots of a look, in connected parts; see `association.index.candidates`.

    Parameters
    ----------
    Z : (M, PLOT) float64, t_z : (M,) int64 [ns], the first `plots` are the look's; n : rows of the store
    everybody : whether all tracks ask, not those alone that the index lists
    summary, time, q_third, radius_max : see `meeting.meet_plots`; most : tracks of a plot
    chunk_tracks : see `components.connect`
    cells, grid, w : overwritten; w.track, start, plot and chunk with what is found

    Returns
    -------
    tracks, pairs, chunks, most tracks of a chunk, most pairs, most plots, pairs left out; first NO_ROOM where there's
    too little
    """
    nothing = (NO_ROOM, 0, 0, 0, 0, 0, 0)
    find_cells(Z, 0, plots, cells)
    sort_plots(t_z, plots, cells)
    lay_plots(t_z, 0, plots, cells)
    asking, hi = w.asking[:0], n
    if not everybody:
        stale = refresh(t_z, plots, n, grid, w.stale)
        if stale > len(w.stale):
            return nothing
        if stale > 0:
            w.peaks[0, :] = 0.0
            place_rows(w.stale, 0, stale, summary, time[:, 0], q_third, radius_max, grid, w.peaks[0])
            note_peaks(w.peaks, grid)
        if mark_cells(q_third, cells, grid, w.peaks[0]):
            asking = w.asking
            hi = list_marked(0, n, grid, asking)
    if hi > len(w.met):
        return nothing
    work = (w.around, w.ask, w.run, w.hit, w.waiting, w.spare)
    done, tracks, pairs, _ = meet_plots(
        0, hi, asking, summary, time, q_third, radius_max, cells, *work, w.met, w.count, w.pair
    )
    if done < hi or tracks >= len(w.parent) or pairs > len(w.plot):
        return nothing
    found = pairs
    near = (summary, time, q_third, radius_max, t_z[:plots], cells.place, w.tally)
    tracks, pairs = keep_nearest(w.met[:tracks], w.count[:tracks], w.pair[:pairs], most, *near)
    chunks, tracks_most, pairs_most, plots_most = connect(
        w.met[:tracks],
        w.count[:tracks],
        w.pair[:pairs],
        plots,
        chunk_tracks,
        w.tally,
        w.parent,
        w.part,
        w.joined,
        w.first,
        w.source,
        w.track,
        w.start,
        w.plot,
        w.chunk,
    )
    return tracks, pairs, chunks, tracks_most, pairs_most, plots_most, found - pairs
