"""Which waiting plots may an unclaimed plot be joined with? Cheap tests first, and no further than is worth it.

Two plots are worth joining where the odds that they are of one target,

    Pd · birth odds · (1 - Pd)^looks between that saw nothing · p(second | first) / density of false plots

reach what any track must have. With the prior of a velocity (`begin.speed_ratio`) and d m in dt s between them

    p <= 1 / 2 pi usual (dt² + m) · (1 + (rho d / dt)² / 3 usual)^-5/2 · exp(-rho (1 - rho) (d / dt)² / 2 sigma²)

where rho = sigma² dt² / (sigma² dt² + n) is the part of the distance that counts as motion, n the variance of all else
that blurs the two places, and m the second one's own, over sigma². Over all dt the odds reach the least no further out
than a distance that `list_reaches` works out beforehand. It shrinks as false plots get denser, so that dense clutter
costs little more than thin clutter, as long as it is known.
"""

import math
from typing import Final

import numpy as np

from airpicture.kernels._jit import inline, jit, part
from airpicture.kernels.arrays import F64
from airpicture.kernels.begin import (
    AGAIN_S,
    L_SPEED_MAX,
    L_VAR_SPEED,
    L_VAR_USUAL,
    Q_BEGIN,
    TURNS,
    WAIT_NAMED_S,
    WAIT_S,
    unseen,
)
from airpicture.kernels.elementary import EXPONENT_AT, ONE_BITS
from airpicture.kernels.layout import (
    Z_ELEVATION,
    Z_RADIUS,
    Z_RANGE_RATE,
    Z_V_EAST,
)
from airpicture.kernels.measuring import LOG_GARBLED, LOG_HEIGHTS
from airpicture.kernels.pool import (
    BLUR,
    NAMED,
    OWN,
    OWN_MOST,
    OWN_SHARE,
    VAGUE,
    WAITING_LEVELS,
)

REACH_MOST = 80_000.0  # m; the search's cells grow with the square of this, and slow radars don't see Mach 4 targets
MARGIN = 1.4  # by which the bound of the odds may be wrong: linearised measurements, correlated heights
MORE = 1.5  # the root of gates by that of two measurements, at most
CERTAIN = 1e17  # odds of a pair that isn't bounded before it is tried
TWO_PI = 2.0 * math.pi
GARBLED = math.exp(LOG_GARBLED - LOG_HEIGHTS)
FRACTION: Final = (1 << EXPONENT_AT) - 1  # bits of a float64 below its exponent: how far it is from 2^n to 2^(n + 1)
EXPONENT_OF_1: Final = ONE_BITS >> EXPONENT_AT
QUARTER: Final = 0x306FE0A31B715  # these bits of 2^(n + 1/4), n + 1/2 and n + 3/4
HALF: Final = 0x6A09E667F3BCD
THREE: Final = 0xAE89F995AD3AD

R_FIRST = -40  # reaches are listed for odds of 2^(R_FIRST / R_STEPS) times the least on
R_STEPS = 4
REACHES = 200
R_BLURS = 4  # and for a plot's own blur up to 1/4, 1/2, 3/4 and all of BLUR
R_TIMES = 40  # times apart that each is worked out for
R_AGES = (
    0.75,
    1.5,
    TURNS,
)  # turns of the slowest radar: reaches are listed for plots up to so old, older than the last
AGES = 3

C_BIRTHS = 0  # what a search found, one flat array of counts
C_CUT = 1  # chains of cells, and lists of what is near, that weren't walked to their end
C_TRIALS = 2  # of pairs and chains, with all numbers
C_UNTRIED = 3  # pairs that might have been worth one
C_VISITS = 4  # waiting plots looked at
COUNTS = 5

P_ODDS = 0  # what a plot brings to a search, one flat array: its odds where p is 1 / s², but for codes and heights
P_OWN = 1  # s², least variance of its place over that of a speed
P_BLUR = 2  # m, most sigma of its place
P_CODES = 3  # times as much for equal codes, at most
P_HEIGHT = 4  # likewise for an equal height; 0 without one
P_SIGMA_H = 5  # m, of the height that it begins a state with
P_CHAIN = 6  # m, how far away the oldest plot of a chain may be; 0: it needs none
P_WORST = 7  # m², variance of its place along or across the beam, the larger
P_ALONG = 8  # 1 where that is along
P_LEAST = 9  # existence below which it begins nothing
P_BEAM = 10  # 3, unit vector along its beam, level, where P_CHAIN isn't 0
P_REACH = 13  # m, how far it looks for pairs on each level, by age (R_AGES)
P_ASK = P_REACH + AGES * WAITING_LEVELS  # m, how far it looks there at all
PROSPECT = P_ASK + WAITING_LEVELS


@inline
def density(d2: float, dt2: float, n: float, m: float, var: float, usual: float) -> float:
    """Return the bound of 2 pi usual p at a squared distance d2 [m²] after the root of dt2 [s²]; see above."""
    moved = var * dt2
    per = 1.0 / (moved + n)  # rho is moved times this, 1 - rho n times this
    slow = 1.0 + moved * per * var * d2 * per / (3.0 * usual)
    off = 1.0 + n * per * d2 * per / 32.0  # (1 + x / 16)^16 is less than exp(x), and needs no library
    off *= off
    off *= off
    off *= off
    off *= off
    return 1.0 / ((dt2 + m) * slow * slow * math.sqrt(slow) * off)


@inline
def age_of(age: int, longest: float) -> float:
    """Return how old the plots of R_AGES[age] are at most [s]; longest : s, that any plot waits."""
    return longest / TURNS * (R_AGES[0] if age == 0 else (R_AGES[1] if age == 1 else R_AGES[2]))


@jit
def list_reaches(life: F64, gate: float, longest: float, faint: float, reaches: F64) -> None:
    """List how far from a plot others may be and be worth joining with it, by the odds that it brings.

    No further than the gate of a trial reaches, either.

    Parameters
    ----------
    life : settings; gate : most d² of two measurements; longest : s, that any plot waits
    faint : most chance of any sensor to miss a target
    reaches : (AGES, R_BLURS, REACHES) overwritten [m], for odds of 2^((R_FIRST + k) / R_STEPS) times the least
    """
    var, usual = life[L_VAR_SPEED], life[L_VAR_USUAL]
    for cell in range(AGES * R_BLURS * REACHES):
        age, blur, k = cell // (R_BLURS * REACHES), cell // REACHES % R_BLURS, cell % REACHES
        own = BLUR * (blur + 1) / R_BLURS
        odds = 2.0 ** ((R_FIRST + k) / R_STEPS)
        first = AGAIN_S if age == 0 else age_of(age - 1, longest)
        most = 0.0
        for step in range(R_TIMES + 1):
            dt = first * (age_of(age, longest) / first) ** (step / R_TIMES)
            n = own * own + BLUR * BLUR + Q_BEGIN / 3.0 * dt * dt * dt
            worth = odds * (unseen(dt, longest / TURNS, 1.0 - faint) if dt > WAIT_S and longest > WAIT_NAMED_S else 1.0)
            if worth * density(most * most, dt * dt, n, 1.0 / var, var, usual) < 1.0:
                continue
            lo, hi = most, math.sqrt(gate * (var * dt * dt + n))
            for _ in range(20):
                middle = 0.5 * (lo + hi)
                if worth * density(middle * middle, dt * dt, n, 1.0 / var, var, usual) < 1.0:
                    hi = middle
                else:
                    lo = middle
            most = max(most, hi)
        reaches[age, blur, k] = 1.03 * most  # what lies between the times


@inline
def step_of(odds: float) -> int:
    """Return where in the list of reaches odds times the least stand; negative: none is near enough."""
    bits = int(np.float64(odds).view(np.int64))
    part_of_two = bits & FRACTION
    quarters = int(part_of_two > 0) + int(part_of_two > QUARTER) + int(part_of_two > HALF) + int(part_of_two > THREE)
    step = R_STEPS * ((bits >> EXPONENT_AT) - EXPONENT_OF_1) + quarters - R_FIRST
    return min(step, REACHES - 1) if odds > 0.0 else -1


@part
def reach_on(level: int, Z: F64, j: int, prospect: F64, life: F64, longest: float, reaches: F64) -> float:
    """Write to a prospect how far plot j has to look for plots of a level [m], by their age; return the most."""
    radius = OWN_SHARE * Z[j, Z_RADIUS]
    vague = level == VAGUE or prospect[P_BLUR] > BLUR
    other = OWN_MOST if level == VAGUE else OWN
    step, blur, times = 0, 0, 1.0
    if not vague:
        odds = prospect[P_ODDS] * MARGIN / prospect[P_LEAST]
        if prospect[P_HEIGHT] > 0.0:
            odds *= prospect[P_HEIGHT]
        if level == NAMED:
            odds *= prospect[P_CODES]
        step, blur = step_of(odds), min(int(prospect[P_BLUR] * (R_BLURS / BLUR)), R_BLURS - 1)
        more = prospect[P_HEIGHT] > 0.0 or math.isfinite(Z[j, Z_ELEVATION])
        if more or math.isfinite(Z[j, Z_RANGE_RATE]) or math.isfinite(Z[j, Z_V_EAST]):
            times = MORE
    most = 0.0
    for age in range(AGES):
        fast = min(life[L_SPEED_MAX] * age_of(age, longest), REACH_MOST) + radius + other
        reach = fast if vague else (min(times * reaches[age, blur, step], fast) if step >= 0 else 0.0)
        prospect[P_REACH + AGES * level + age] = reach
        most = max(most, reach)
    return most
