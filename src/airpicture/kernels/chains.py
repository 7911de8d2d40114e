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

from airpicture.kernels._jit import inline, part
from airpicture.kernels.arrays import F64, I64
from airpicture.kernels.begin import AGAIN, L_LEAST, L_ODDS, L_VAR_SPEED, L_VAR_USUAL, Q_BEGIN
from airpicture.kernels.pool import PLAIN
from airpicture.kernels.search import MARGIN, P_ALONG, P_BLUR, P_ODDS, P_OWN, P_WORST, density

CHAIN_SPEED: Final = 3.0  # times the usual speed: few targets are faster
CHAIN_TURN: Final = 1.5  # turns, most between two plots of a chain
CHAIN_D2: Final = 12.0  # squared sigmas that the oldest may be off the line of the others
CHAIN_MARGIN: Final = 2.0  # by which the odds may be wrong before they are worked out with all numbers
CHAINS: Final = 4  # of one plot that are tried, at most
AROUND: Final = 96  # waiting plots round one that chains are made of

N_PLACE: Final = 0  # what is kept of the waiting plots round one: 3, m, from the plot to it
N_SINCE: Final = 3  # s, how much older it is
N_SLOT: Final = 4
NEIGHBOUR: Final = 5


@inline
def chain_reach(level: int, turn: float, life: F64, prospect: F64) -> float:
    """Return how far from a plot the oldest of three plots in line may be [m]; 0 where chains aren't looked for.

    They aren't where a pair is enough even of the fastest; nor where false plots are so thick that three in line don't
    reach the least odds, either.
    """
    if level != PLAIN or not turn > 0.0:
        return 0.0
    usual, turn2 = life[L_VAR_USUAL], turn * turn
    odds = prospect[P_ODDS] * MARGIN / life[L_LEAST]
    n = 2.0 * prospect[P_BLUR] * prospect[P_BLUR] + Q_BEGIN / 3.0 * turn2 * turn
    fast2 = CHAIN_SPEED * CHAIN_SPEED * usual
    if odds * density(fast2 * turn2, turn2, n, prospect[P_OWN], life[L_VAR_SPEED], usual) >= 1.0:
        return 0.0
    third = 6.0 * prospect[P_OWN] * life[L_VAR_SPEED] + Q_BEGIN / 1.5 * turn2 * turn
    if odds * prospect[P_ODDS] * usual / life[L_ODDS] < turn2 * third:
        return 0.0
    return float(math.sqrt(fast2) * 2.2 * turn + 3.0 * math.sqrt(CHAIN_D2 * prospect[P_WORST]))


@inline
def chain_speed(prospect: F64, life: F64) -> tuple[float, float]:
    """Return how fast the targets of chains are at most [m/s], and what errors add to the way of a turn [m]."""
    return CHAIN_SPEED * math.sqrt(life[L_VAR_USUAL]), 3.0 * math.sqrt(2.0 * prospect[P_WORST])


@inline
def note_around(q: int, dx: float, dy: float, dz: float, dt: float, neighbour: F64) -> None:
    """Note a waiting plot that lies round a plot; neighbour : (NEIGHBOUR,), overwritten."""
    neighbour[N_PLACE], neighbour[N_PLACE + 1], neighbour[N_PLACE + 2] = -dx, -dy, -dz
    neighbour[N_SINCE], neighbour[N_SLOT] = dt, q


@inline
def _old_enough(old: int, least: float, around: F64) -> int:
    """Move those of the plots from `old` on that came `least` s before a plot, or more, to the end; say where they
    begin."""
    first = len(around)
    for b in range(len(around) - 1, old - 1, -1):
        if around[b, N_SINCE] >= least:
            first -= 1
            for k in range(NEIGHBOUR):
                around[first, k] = around[b, k]
    return first


@part
def find_chains(
    young: int,
    old: int,
    turn: float,
    ax: float,
    ay: float,
    az: float,
    prospect: F64,
    life: F64,
    around: F64,
    chain: I64,
    worth: F64,
) -> int:
    """Find waiting plots that lie in line with a plot, two turns in a row, and may be worth a trial; return how many.

    Errors of the three are taken to be alike, and their unknown heights to be one.

    Parameters
    ----------
    young, old : `around` holds plots of the last turn that are near enough up to `young`, all others from `old` on
    turn : s, of the sensor
    ax, ay, az : unit vector along the beam, level; along it a place is as sure as a range, across it as an azimuth
    prospect : (PROSPECT,) of the plot
    around : (AROUND, NEIGHBOUR), see N_*; those from `old` on are overwritten
    chain : (CHAINS, 2), overwritten with the younger and the older one's slots, the best first
    worth : (CHAINS,) workspace
    """
    usual = life[L_VAR_USUAL]
    own, blur2 = prospect[P_OWN], 2.0 * prospect[P_BLUR] * prospect[P_BLUR]
    worst = prospect[P_WORST]
    best = own * life[L_VAR_SPEED] * own * life[L_VAR_SPEED] / worst
    along, across = (best, worst) if prospect[P_ALONG] == 0.0 else (worst, best)
    least = life[L_LEAST] / CHAIN_MARGIN
    first, last = around[0, N_SINCE], around[0, N_SINCE]
    for a in range(young):
        first, last = min(first, around[a, N_SINCE]), max(last, around[a, N_SINCE])
    old = _old_enough(old, first + AGAIN * turn, around)
    both = last - first >= AGAIN * turn  # some of the young ones may be the older plots of others
    found = 0
    for a in range(young):
        dt = around[a, N_SINCE]
        x, y, z = around[a, N_PLACE], around[a, N_PLACE + 1], around[a, N_PLACE + 2]
        per_s = 1.0 / dt
        free_a = Q_BEGIN / 3.0 * dt
        odds = 0.0
        for k in range((0 if both else young), young + len(around) - old):
            b = k if k < young else old + k - young
            more = around[b, N_SINCE] - dt
            if not AGAIN * turn <= more <= CHAIN_TURN * turn:
                continue
            ahead = more * per_s
            ex = around[b, N_PLACE] - (1.0 + ahead) * x
            ey = around[b, N_PLACE + 1] - (1.0 + ahead) * y
            ez = around[b, N_PLACE + 2] - (1.0 + ahead) * z
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
            chain[at, 0], chain[at, 1] = int(around[a, N_SLOT]), int(around[b, N_SLOT])
    return found
