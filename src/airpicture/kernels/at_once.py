"""The tracks near a look's plots in one go: what `association.index` does step by step, for looks of few plots.

Where a look has a handful of plots, what it costs to call a kernel outweighs what the kernel does: eleven calls and
what stands between them took 40 us, of which the work is 6. So here these kernels call one another. They're the same,
with all of their rows as the one range. Where one has too little room, or a plot is in a crowd, the look is begun again
step by step.
"""

from typing import Final, NamedTuple

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F32, F64, I32, I64, U8, U16, table
from airpicture.kernels.cells import Cells, find_cells, lay_plots, mark_parcels, sort_plots
from airpicture.kernels.components import MANY, Parts, connect
from airpicture.kernels.index import Grid, begin_look, list_stale, note_peaks, place_rows
from airpicture.kernels.meeting import AskingDesk, meet_plots
from airpicture.kernels.near import list_each, mark_cells

NO_ROOM: Final = -1


@table
class Rooms(NamedTuple):
    """Workspaces, and where what is found is written; all overwritten."""

    cells: Cells
    grid: Grid
    stale: I64  # (s,) rows of the index that are placed anew
    moved: U8  # (0,): all of these are
    peaks: F64  # (1, PEAKS)
    beside: F64  # (PLACED,)
    asking: I32  # (cap,) tracks that ask
    desk: AskingDesk
    met: I32  # (A,) tracks that meet any plot
    plots: I32  # (A,) how many
    pair: I32  # (E,) which
    owner: I32  # (M,) see `components.connect`, as all that follow
    shares: U16  # (M,) there `tally`
    parts: Parts  # for n tracks
    track: I64  # (n,)
    start: I64  # (n,)
    plot: I32  # (e,)
    chunk: I64  # (n,)


@jit
def place_all(
    rows: I64, moved: U8, summary: F32, t_track: I64, q_third: float, radius_max: float, grid: Grid, peaks: F64,
    beside: F64,
) -> None:  # fmt: skip
    """Place tracks anew in the index; see `index.place_rows`. peaks : (1, PEAKS), beside : (PLACED,) workspaces"""
    peaks[0, :] = 0.0
    place_rows(rows, moved, 0, len(rows), summary, t_track, q_third, radius_max, grid, peaks[0], beside)
    note_peaks(peaks, grid)


@jit
def find_near(
    placed: F64,
    t_z: I64,
    plots: int,
    n: int,
    everybody: bool,
    summary: F32,
    t_track: I64,
    time: I64,
    q_third: float,
    radius_max: float,
    most: int,
    chunk_tracks: int,
    w: Rooms,
) -> tuple[int, int, int, int, int]:
    """Pair tracks with the plots of a look, in connected parts; see `association.index.candidates`.

    Parameters
    ----------
    placed : (M, PLACE) float64, t_z : (M,) int64 [ns], the first `plots` are the look's; n : rows of the store
    everybody : whether all tracks ask, not those alone that the index lists
    summary, time, q_third, radius_max : see `meeting.meet_plots`; t_track : (cap,) int64 [ns], as time
    most : tracks that a plot may be met by
    chunk_tracks : see `components.connect`
    w : overwritten; track, start, plot and chunk with what is found

    Returns
    -------
    tracks, pairs, chunks, most tracks of a chunk, most pairs; first NO_ROOM where there's too little, or where a plot
    is met by more tracks than `most`
    """
    nothing = (NO_ROOM, 0, 0, 0, 0)
    cells, grid = w.cells, w.grid
    if plots > len(w.owner) or n > len(w.stale):
        return nothing
    find_cells(placed, t_z, 0, plots, cells, cells.own, cells.ints)
    sort_plots(plots, cells)
    lay_plots(0, plots, cells)
    asking, hi = w.asking[:0], n
    if not everybody:
        known, limit = begin_look(t_z, plots, n, grid)
        stale = list_stale(0, n, known, limit, grid, w.stale)
        if stale > 0:
            place_all(w.stale[:stale], w.moved, summary, t_track, q_third, radius_max, grid, w.peaks, w.beside)
        if mark_cells(t_z, q_third, cells, grid, w.peaks[0]):
            mark_parcels(cells)
            asking = w.asking
            hi = list_each(0, n, 0, grid, asking)
    if hi > len(w.met):
        return nothing
    done, tracks, pairs, _ = meet_plots(
        0, hi, asking, summary, time, t_z, q_third, radius_max, cells, w.desk, w.met, w.plots, w.pair
    )
    if done < hi or tracks >= len(w.track) or pairs > len(w.plot):
        return nothing
    met, count, pair, owner = w.met[:tracks], w.plots[:tracks], w.pair[:pairs], w.owner[:plots]
    chunks, tracks_most, pairs_most, shared = connect(
        met, count, pair, chunk_tracks, owner, w.shares[:plots], w.parts, w.track, w.start, w.plot, w.chunk
    )
    if shared > min(most, MANY - 1):
        return nothing
    return tracks, pairs, chunks, tracks_most, pairs_most
