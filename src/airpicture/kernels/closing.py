"""What a look makes of the tracks that it has updated, eight abreast: summaries, how courses turn, when they're due.

Each is a chain of roots and quotients that wait for one another: one track at a time they took as long as a prediction.
So each updated track leaves the few numbers of its mixture that are asked for, and once eight have, the rest is worked
out for all of them side by side.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.kernels._jit import lane, part
from airpicture.kernels.abreast import ABREAST, ONE, triple
from airpicture.kernels.arrays import F64, I64, lined, table
from airpicture.kernels.bank import T_MEAN, T_SPREAD, level_sigma, mixture_apart
from airpicture.kernels.lanes import U, state_at
from airpicture.kernels.layout import M_TURN_SECONDS, NUMBERS, S_SIGMA_P, S_SIGMA_V, S_VELOCITY, STATE, TURN
from airpicture.kernels.learn import GAP_LEAST, Held, turned_course
from airpicture.kernels.life import due_after, fades_by
from airpicture.kernels.vertical import upright

# Number k of a track stands at V[8 k + b], b being the track
MEAN = U(0)  # 6, of the mixture
P_POSITION = U(ABREAST * 6)  # 6, its covariance: of position ...
P_VELOCITY = U(ABREAST * 12)  # 6, ... and of velocity
BEFORE = U(ABREAST * 18)  # 3, m/s, velocity before the update
GAP = U(ABREAST * 21)  # s since the state before; 0 where the course isn't learnt
TURNED = U(ABREAST * 22)  # rad/s, how fast the course has turned of late: before, and after
SIGMA_P = U(ABREAST * 23)  # m, as in the summary
SIGMA_V = U(ABREAST * 24)  # m/s
CLOSED: Final = 25


@table
class Closing(NamedTuple):
    """One thread's workspace: updated tracks, up to eight."""

    V: F64  # (ABREAST * CLOSED,)
    tracks: I64  # (ABREAST,) of the chunk
    moved: I64  # (ABREAST,) 1: its states changed
    eight: U  # ABREAST, which LLVM mustn't know beforehand: see `abreast`


def closing_room() -> Closing:
    """Return a workspace; what stands behind the last track is worked out, too, for nobody."""
    return Closing(
        lined(ABREAST * CLOSED, fill=1.0), np.zeros(ABREAST, np.int64), np.zeros(ABREAST, np.int64), U(ABREAST)
    )


@part
def note_moved(b: int, i: int, gap: float, T: F64, lanes: U, of: Held, close: Closing) -> None:
    """Note as the b-th track what an update made of track i, in T.

    gap : s since the state before, from which the turn of the course is learnt; 0 where something else tells it
    """
    V, at = close.V, U(b)
    for c in range(3):
        V[BEFORE + U(ABREAST * c) + at] = of.summary[i, S_VELOCITY + c]
    V[GAP + at] = gap if gap > GAP_LEAST else 0.0
    V[TURNED + at] = T[TURN]
    mixture_apart(T, lanes)
    for a in range(STATE):
        V[MEAN + U(ABREAST * a) + at] = T[T_MEAN + a]
    for a in range(2 * STATE):
        V[P_POSITION + U(ABREAST * a) + at] = T[T_SPREAD + a]


@lane
def _close(V: F64, b: U, memory: float) -> None:
    """Work out a track's level spreads, and how fast its course turns."""
    x, y, z, wx, wy, wz = state_at(V, MEAN + b, ONE)
    up = upright(x, y, z)
    V[SIGMA_P + b] = level_sigma(state_at(V, P_POSITION + b, ONE), up)
    V[SIGMA_V + b] = level_sigma(state_at(V, P_VELOCITY + b, ONE), up)
    known, gap = V[TURNED + b], V[GAP + b]
    turned = turned_course(up, triple(V, BEFORE + b), (wx, wy, wz), known, max(gap, GAP_LEAST), memory)
    V[TURNED + b] = turned if gap > 0.0 else known


@part
def close_tracks(count: int, motion: F64, ending: F64, S: Any, t_w: I64, row: I64, of: Held, close: Closing) -> None:
    """Write summaries, turns and due times of updated tracks, which have been noted and stored.

    Parameters
    ----------
    count : of tracks, at most ABREAST; motion : (MOTION,), ending : (ENDING,) float64; S : `reports.Stations`
    t_w, row : (n,) int64 of the chunk's tracks, see `room.Room`
    of : summary, numbers and due_ns are overwritten in their rows
    """
    V, memory, soon = close.V, motion[M_TURN_SECONDS], fades_by(ending)
    for b in range(close.eight):
        _close(V, b, memory)
    for b in range(count):
        w, at = close.tracks[b], U(b)
        i = row[w]
        if close.moved[b] == 1:
            for a in range(STATE):
                of.summary[i, a] = V[MEAN + U(ABREAST * a) + at]
            of.summary[i, S_SIGMA_P], of.summary[i, S_SIGMA_V] = V[SIGMA_P + at], V[SIGMA_V + at]
            of.spreads[i, NUMBERS + TURN] = V[TURNED + at]
        of.due_ns[i] = due_after(i, t_w[w], of, S.sites, S.period, S.range_max, ending, soon)
