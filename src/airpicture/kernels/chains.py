"""Three waiting plots in line: beginnings where two plots say too little.

Where false plots and unknown targets are thick, what lies within a turn's way of a plot is mostly not its target. The
odds of a pair then fall below the least for all but slow targets, and a third plot has to decide, whose place is known
to some sigmas and not to a turn's way:

        o  r, two turns ago              the odds of r, q and j are those of r and q, times
          .                                  Pd · p(j | r, q) / density of false plots
            o  q, a turn ago
              .                          p(j | r, q) is some thirty times the density of what's usual where
                o  j                     p(q | r) is about once that

Only plots of one turning sensor that bring nothing but a place are joined so, two turns in a row.
"""

import math
from typing import Final

import numpy as np

from airpicture.kernels._boxes import (
    I_FREE,
    I_LEAST,
    I_MOST,
    I_PER_S,
    I_PLACE,
    I_SINCE,
    I_SPREAD,
    O_PLACE,
    O_SINCE,
    list_in_line,
)
from airpicture.kernels._jit import inline, part
from airpicture.kernels.around import ABREAST, ROUNDED_S
from airpicture.kernels.arrays import F32, F64, I64
from airpicture.kernels.begin import AGAIN, L_ODDS, L_VAR_SPEED, L_VAR_USUAL, Q_BEGIN, TURNS
from airpicture.kernels.desk import Desk
from airpicture.kernels.lanes import U
from airpicture.kernels.search import P_ALONG, P_BEAM, P_BLUR, P_CHAIN, P_LEAST, P_ODDS, P_OWN, P_WORST, density

CHAIN_SPEED: Final = 3.0  # times the usual speed: few targets are faster
CHAIN_TURN: Final = 1.5  # turns, most between two plots of a chain
CHAIN_D2: Final = 12.0  # squared sigmas that the oldest may be off the line of the others
CHAIN_PD: Final = 2.0 / 3.0  # from which on three plots come in a row often enough not to follow weak pairs up
CHAIN_MARGIN: Final = 2.0  # by which the odds may be wrong before they are worked out with all numbers
CHAINS: Final = 4  # of one plot that are tried, at most
SLACK: Final = 1.001  # of squared distances, for rounding
YOUNG: Final = 16  # plots of the last turn with which chains of one plot are looked for, at most

Y_PLACE: Final = 0  # what is kept of these: 3, m, from the plot to it
Y_SINCE: Final = 3  # s, how much older it is
YOUNGER: Final = 4
OLD: Final = 96  # earlier plots that are looked at for chains of one plot, at most


@inline
def chain_speed(prospect: F64, life: F64) -> tuple[float, float]:
    """Return how fast the targets of chains are at most [m/s], and what errors add to the way of a turn [m]."""
    return CHAIN_SPEED * math.sqrt(life[L_VAR_USUAL]), 3.0 * math.sqrt(2.0 * prospect[P_WORST])


@inline
def note_young(q: int, dx: float, dy: float, dz: float, dt: float, n: int, young: F64, who: I64) -> None:
    """Note a plot of the last turn round a plot in row n: dx ... dt from it to there; young, who : overwritten."""
    young[n, Y_PLACE], young[n, Y_PLACE + 1], young[n, Y_PLACE + 2], young[n, Y_SINCE] = dx, dy, dz, dt
    who[n] = q


@inline
def _aim(young: F64, a: int, turn: float, worst: float, line: F32) -> None:
    """Ask for earlier plots that may lie in line with a plot and young[a], a little more of them than do.

    turn : s; worst : m²; line : (LINED,) overwritten, see I_*
    """
    dt = young[a, Y_SINCE]
    for axis in range(3):
        line[I_PLACE + axis] = young[a, Y_PLACE + axis]
    line[I_SINCE], line[I_PER_S] = dt, 1.0 / dt
    line[I_LEAST], line[I_MOST] = AGAIN * turn - ROUNDED_S, CHAIN_TURN * turn + ROUNDED_S
    line[I_SPREAD], line[I_FREE] = SLACK * CHAIN_D2 * worst, SLACK * CHAIN_D2 * Q_BEGIN / 3.0


@part
def find_chains(
    olds: int,
    youngs: int,
    turn: float,
    prospect: F64,
    life: F64,
    desk: Desk,
    chain: I64,
) -> int:
    """Find waiting plots that lie in line with a plot, two turns in a row, and may be worth a trial; return how many.

    Errors of the three are taken to be alike, and their unknown heights to be one.

    Parameters
    ----------
    olds, youngs : how many earlier plots, and plots of the last turn, lie round it
    turn : s, of the sensor
    prospect : (PROSPECT,) of the plot; along P_BEAM a place is as sure as a range, across it as an azimuth
    desk : young, and who their slots; old, and whom their numbers in the box of which slot is
    chain : (CHAINS, 2), overwritten with the younger and the older one's slots, the best first
    """
    young, who, old, whom, slot = desk.young, desk.who, desk.old, desk.whom, desk.slot
    line, some, worth = desk.line, desk.some, desk.worth
    again, most, reach = AGAIN * turn, CHAIN_TURN * turn, prospect[P_CHAIN]
    usual = life[L_VAR_USUAL]
    own, blur2 = prospect[P_OWN], 2.0 * prospect[P_BLUR] * prospect[P_BLUR]
    worst = prospect[P_WORST]
    ax, ay, az = prospect[P_BEAM], prospect[P_BEAM + 1], prospect[P_BEAM + 2]
    best = own * life[L_VAR_SPEED] * own * life[L_VAR_SPEED] / worst
    along, across = (best, worst) if prospect[P_ALONG] == 0.0 else (worst, best)
    least = prospect[P_LEAST] / CHAIN_MARGIN
    found = 0
    for a in range(youngs):
        dt = young[a, Y_SINCE]
        x, y, z = young[a, Y_PLACE], young[a, Y_PLACE + 1], young[a, Y_PLACE + 2]
        per_s = 1.0 / dt
        free_a = Q_BEGIN / 3.0 * dt
        odds = 0.0
        _aim(young, a, turn, worst, line)
        for lead in range(0, olds, ABREAST):
            for l in range(list_in_line(line, old, lead, olds, some, 0)):
                b = U(some[l])
                bx, by = np.float64(old[O_PLACE, b]), np.float64(old[O_PLACE + 1, b])
                bz = np.float64(old[O_PLACE + 2, b])
                more = old[O_SINCE, b] - dt
                late = more + dt > TURNS * turn or bx * bx + by * by + bz * bz > reach * reach
                if late or not again <= more <= most:
                    continue
                ahead = more * per_s
                ex = bx - (1.0 + ahead) * x
                ey = by - (1.0 + ahead) * y
                ez = bz - (1.0 + ahead) * z
                e2 = ex * ex + ey * ey + ez * ez
                times = 1.0 + (1.0 + ahead) * (1.0 + ahead) + ahead * ahead
                free = Q_BEGIN / 3.0 * more * more * more + ahead * ahead * dt * dt * free_a
                if e2 > CHAIN_D2 * (times * worst + free):
                    continue
                var_along, var_across = times * along + free, times * across + free
                off = ex * ax + ey * ay + ez * az
                off *= off
                d2 = off / var_along + (e2 - off) / var_across
                if d2 > CHAIN_D2:
                    continue
                if odds == 0.0:
                    odds = prospect[P_ODDS] * density(
                        x * x + y * y + z * z, dt * dt, blur2 + dt * dt * free_a, own, life[L_VAR_SPEED], usual
                    )
                    odds *= prospect[P_ODDS] * usual / life[L_ODDS]
                mine = odds * math.exp(-0.5 * d2) / math.sqrt(var_along * var_across)
                if mine < least or (found == CHAINS and mine <= worth[CHAINS - 1]):
                    continue
                at = min(found, CHAINS - 1)
                found = at + 1
                while at > 0 and worth[at - 1] < mine:
                    worth[at] = worth[at - 1]
                    chain[at, 0], chain[at, 1] = chain[at - 1, 0], chain[at - 1, 1]
                    at -= 1
                worth[at] = mine
                chain[at, 0], chain[at, 1] = who[a], slot[whom[b]]
    return found
