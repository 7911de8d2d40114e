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


@part
def note_around(q: int, dx: float, dy: float, dz: float, dt: float, n: int, around: F64) -> int:
    """Put a waiting plot among those round a plot, if there's room; return how many there are."""
    if n == len(around):
        return n
    around[n, N_PLACE], around[n, N_PLACE + 1], around[n, N_PLACE + 2] = -dx, -dy, -dz
    around[n, N_SINCE], around[n, N_SLOT] = dt, q
    return n + 1


@part
def find_chains(
    n: int,
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
    n : of the plots in `around`; turn : s, of the sensor
    ax, ay, az : unit vector along the beam, level; along it a place is as sure as a range, across it as an azimuth
    prospect : (PROSPECT,) of the plot
    chain : (CHAINS, 2), overwritten with the younger and the older one's slots, the best first
    worth : (CHAINS,) workspace
    """
    usual = life[L_VAR_USUAL]
    fast = CHAIN_SPEED * math.sqrt(usual)
    own, blur2 = prospect[P_OWN], 2.0 * prospect[P_BLUR] * prospect[P_BLUR]
    worst = prospect[P_WORST]
    best = own * life[L_VAR_SPEED] * own * life[L_VAR_SPEED] / worst
    along, across = (best, worst) if prospect[P_ALONG] == 0.0 else (worst, best)
    least = life[L_LEAST] / CHAIN_MARGIN
    found = 0
    for a in range(n):
        dt = around[a, N_SINCE]
        if dt > CHAIN_TURN * turn:
            continue
        x, y, z = around[a, N_PLACE], around[a, N_PLACE + 1], around[a, N_PLACE + 2]
        d2 = x * x + y * y + z * z
        far = fast * dt + 3.0 * math.sqrt(2.0 * worst)
        if d2 > far * far:
            continue
        odds = prospect[P_ODDS] * density(
            d2, dt * dt, blur2 + Q_BEGIN / 3.0 * dt * dt * dt, own, life[L_VAR_SPEED], usual
        )
        odds *= prospect[P_ODDS] * usual / life[L_ODDS]
        for b in range(n):
            more = around[b, N_SINCE] - dt
            if not AGAIN * turn <= more <= CHAIN_TURN * turn:
                continue
            ahead = more / dt
            ex = around[b, N_PLACE] - (1.0 + ahead) * x
            ey = around[b, N_PLACE + 1] - (1.0 + ahead) * y
            ez = around[b, N_PLACE + 2] - (1.0 + ahead) * z
            times = 1.0 + (1.0 + ahead) * (1.0 + ahead) + ahead * ahead
            free = Q_BEGIN / 3.0 * (more * more * more + ahead * ahead * dt * dt * dt)
            var_along, var_across = times * along + free, times * across + free
            off = ex * ax + ey * ay + ez * az
            off *= off
            d2 = off / var_along + (ex * ex + ey * ey + ez * ez - off) / var_across
            if d2 > CHAIN_D2:
                continue
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
