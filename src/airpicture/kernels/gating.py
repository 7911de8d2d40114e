"""What stands between the steps of gating: times of candidates before they are scored, and the pairs that passed."""

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F64, I32, I64, U8
from airpicture.kernels.layout import MODELS, ROW


@jit
def time_candidates(
    touched: I64, start: I64, plot: I32, t_z: I64, t_track: I64, n: int, t_w: I64, dt: F64, owner: I32
) -> None:
    """Write the time that each track with candidates is predicted to: its latest plot's, or its own if later.

    Parameters
    ----------
    touched : (n,) int64, rows of the store; start : (n + 1,) int64, first pair of each; plot : (E,) int32
    t_z : (M,) int64 [ns], of the plots; t_track : (cap,) int64 [ns], of the states
    t_w : (n,) int64 [ns]; dt : (n,) float64 [s], how far to predict; owner : (E,) int32, track of each pair; all three
        overwritten
    """
    for w in range(n):
        t = t_track[touched[w]]
        for e in range(start[w], start[w + 1]):
            t = max(t, t_z[plot[e]])
            owner[e] = w
        t_w[w] = t
        dt[w] = float(t - t_track[touched[w]]) * 1e-9


@jit
def keep_passed(
    passed: U8,
    n: int,
    touched: I64,
    W: F64,
    t_w: I64,
    start: I64,
    owner: I32,
    plot: I32,
    score: F64,
    share: F64,
) -> tuple[int, int]:
    """Close the ranks of pairs that passed their gates, and of tracks that have any; return how many of each.

    All but the first are overwritten from their beginning; their order stays.

    Parameters
    ----------
    passed : (E,) uint8, not 0 where the pair passed; the rest as in `association.gate.Candidates`, n tracks
    """
    pairs = 0
    tracks = 0
    first = start[0]
    for w in range(n):
        last = start[w + 1]  # before it is overwritten: tracks never exceeds w
        before = pairs
        for e in range(first, last):
            if passed[e] == 0:
                continue
            owner[pairs] = tracks
            plot[pairs] = plot[e]
            score[pairs] = score[e]
            for m in range(MODELS):
                share[pairs, m] = share[e, m]
            pairs += 1
        first = last
        if pairs == before:
            continue
        if tracks < w:
            touched[tracks] = touched[w]
            t_w[tracks] = t_w[w]
            for k in range(ROW):
                W[tracks, k] = W[w, k]
        start[tracks] = before
        tracks += 1
        start[tracks] = pairs
    return tracks, pairs
