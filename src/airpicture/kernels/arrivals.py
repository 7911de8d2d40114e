"""How likely beginnings are of new targets: at a sensor's start, and where targets fly into its reach.

Few targets come up in the middle of a sensor's reach; they come in through its edge. Of those of a place and velocity
who flew in tau seconds ago each look since saw Pd, so that (1 - Pd)^n are left unseen after n looks, and what is left
is what a beginning there may be of:

        edge |  first plot      second        n = 0: it was outside at the look before the first plot
      -------+------x-------------x-->        rho (1 - Pd)^0 unseen targets a m²
             |<--------- tau ---->|

A sky of rho targets a m² that fly every way brings rho (mean speed / pi) (2 pi R) T of them in a turn T through the
edge of a disc of radius R. It's the other way round here: arrivals are counted, each beginning as far as it's one, and
tell rho. Where other sensors know targets before they come in, or none do, none are counted.

Source: the Poisson process of undetected targets, Williams, "Marginal multi-Bernoulli filters", IEEE TAES 51(3), 2015,
sec. III; arrivals as expected counts, Dempster, Laird, Rubin, "Maximum likelihood from incomplete data via the EM
algorithm", J. R. Stat. Soc. B 39(1), 1977.
"""

import math
from typing import Any, Final

from airpicture.kernels._jit import jit, part, prefetch
from airpicture.kernels.arrays import F64, I64
from airpicture.kernels.begin import L_CONFIRM, L_CONFIRM_PAIR, L_ODDS, L_SPEED_MAX, L_VAR_USUAL
from airpicture.kernels.clutter import ARRIVED, ARRIVED_S, BEGAN, EXCESS
from airpicture.kernels.layout import POLAR, SENSOR_LOG_POLAR, Z_KIND
from airpicture.kernels.life import PD_MOST
from airpicture.kernels.pool import Waiting
from airpicture.kernels.trials import BIRTH_BEFORE, BIRTH_FROM, BIRTH_ODDS, BIRTH_PLOT, BIRTH_SURE

MEMORY_TURNS: Final = 20.0  # over which arrivals are counted: traffic changes within minutes
PRIOR_TURNS: Final = 2.0  # for so many turns of counting speaks ...
PRIOR_ODDS: Final = 0.1  # ... that right at the edge one unclaimed plot in ten is of a new target
LOOKS_MOST: Final = 4.0  # empty looks after which hardly any target is left unseen
TURNS_MOST: Final = LOOKS_MOST + 6.0  # turns that a target has flown then at most: two waits of 2.6 turns at first
EXCESS_LEAST: Final = 0.2  # log of how much denser false plots are than declared, from which on a sensor has trouble
BEYOND: Final = 1.01  # of a sensor's reach, in which noise may put what has just come in
ASKED: Final = 8  # births ahead that the memory is asked for
COUNTED: Final = 10.0  # times as likely as usual, from which on it's what was counted that says so


@part
def _since_edge(x: F64, site: F64, reach: float, fastest: float, most: float) -> float:
    """Return how long ago a target came into a sensor's reach, flying straight [s].

    NaN where it hasn't: it came longer ago than `most`, flies away, or as nothing does.

    x : (BIRTH,) position and velocity, ECEF; site : position first; reach : m; fastest : m/s
    """
    px, py, pz = x[0] - site[0], x[1] - site[1], x[2] - site[2]
    a = x[3] * x[3] + x[4] * x[4] + x[5] * x[5]
    r2 = px * px + py * py + pz * pz
    b = px * x[3] + py * x[4] + pz * x[5]
    if not 0.0 < a <= fastest * fastest:
        return math.nan
    c = r2 - reach * reach  # |p - v tau|² = reach²: a tau² - 2 b tau + c = 0
    if c > 0.0:  # by the noise of its plots
        return 0.0 if b < 0.0 and r2 < BEYOND * BEYOND * reach * reach else math.nan
    # at `most` it must have been outside: else there's nothing to solve
    if a * most * most - 2.0 * b * most + c < 0.0:
        return math.nan
    return float((b + math.sqrt(max(b * b - a * c, 0.0))) / a)


@part
def _of_one_radar(x: F64, R: Any, S: Any, waiting: Waiting) -> bool:
    """Say whether a beginning is of plots of one turning radar. x : (BIRTH,)"""
    j, q = int(x[BIRTH_PLOT]), int(x[BIRTH_FROM])
    s = R.sensor[j]
    if q < 0 or not S.period[s] > 0.0 or int(R.Z[j, Z_KIND]) != POLAR:
        return False
    return bool(waiting.spot[q]["sensor"] == s)


@part
def _more_likely(x: F64, R: Any, S: Any, waiting: Waiting, life: F64, state: F64) -> float:
    """Return by how much more likely than usual an unseen target is of a beginning's place and velocity.

    x : (BIRTH,)
    """
    j = int(x[BIRTH_PLOT])
    s = R.sensor[j]
    turn, reach = S.period[s], S.range_max[s]
    if not turn > 0.0:
        return 1.0
    t = R.t_ns[j] * 1e-9
    tau = _since_edge(x, S.sites[s], reach, life[L_SPEED_MAX], TURNS_MOST * turn)
    # what the sensor had before it when it began hasn't come in; nor has who isn't known to (NaN)
    if not t - tau > state[BEGAN, s] + 0.5 * turn or not _of_one_radar(x, R, S, waiting):
        return 1.0
    oldest = int(x[BIRTH_BEFORE] if x[BIRTH_BEFORE] >= 0.0 else x[BIRTH_FROM])
    since = (R.t_ns[j] - waiting.spot[oldest]["t_ns"]) * 1e-9
    looks = math.floor(max(tau - since, 0.0) / turn)
    if looks > LOOKS_MOST:
        return 1.0
    false = math.exp(S.traits[s, SENSOR_LOG_POLAR] + state[EXCESS, s])  # a m and rad
    speed = math.sqrt(3.0 * life[L_VAR_USUAL])  # mean of what `speed_ratio` takes for usual
    memory = MEMORY_TURNS * turn
    usual = 2.0 * PRIOR_ODDS * false * speed * turn  # arrivals a turn
    counted = MEMORY_TURNS * (1.0 - math.exp(-(t - state[BEGAN, s]) / memory))  # turns
    arrived = state[ARRIVED, s] * math.exp(-max(t - state[ARRIVED_S, s], 0.0) / memory)
    rate = (arrived + PRIOR_TURNS * usual) / (counted + PRIOR_TURNS)
    unseen = 0.5 * rate / (speed * turn) * (1.0 - min(S.pd[s], PD_MOST)) ** looks  # rho times the reach, a m and rad
    return float(1.0 + unseen / (false * life[L_ODDS]))


@jit
def judge_births(births: F64, order: I64, hope: F64, R: Any, S: Any, waiting: Waiting, life: F64, state: F64) -> None:
    """Raise the existence of beginnings by where they are, count arrivals, and mark what is sure enough to be shown.

    The births of one plot rule one another out. With odds o_b each stands at o_b / (1 + sum of o), and comes to stand
    at h_b o_b / (1 + sum of h o).

    Parameters
    ----------
    births : (B, BIRTH) float64, existence and BIRTH_SURE overwritten; order : (n,) int64, which, those of a plot side
        by side
    hope : (M,) how much more likely than usual each plot is of a new target; or empty
    R : `reports.Reports`, waiting : where the plots of the births are; S : `reports.Stations`; life : settings
    state : (clutter.STATE, S) float64; arrivals overwritten
    """
    lo, last = 0, len(order) - 1
    while lo < len(order):
        later, soon = int(order[min(lo + 2 * ASKED, last)]), int(order[min(lo + ASKED, last)])
        prefetch(births, later, 0)
        prefetch(births, later, BIRTH_ODDS)
        plot = int(births[soon, BIRTH_PLOT])
        prefetch(R.sensor, plot, 0)
        prefetch(R.t_ns, plot, 0)
        prefetch(R.Z, plot, Z_KIND)
        prefetch(waiting.spot, max(int(births[soon, BIRTH_FROM]), 0), 0)
        j = int(births[order[lo], BIRTH_PLOT])
        s = R.sensor[j]
        turn = S.period[s]
        hi, together = lo, 0.0
        while hi < len(order) and int(births[order[hi], BIRTH_PLOT]) == j:
            together += births[order[hi], BIRTH_ODDS]
            hi += 1
        none = max(1.0 - together, 1e-12)
        start = hope[j] if j < len(hope) else 1.0
        raised = 1.0
        for k in range(lo, hi):
            b = order[k]
            times = _more_likely(births[b], R, S, waiting, life, state)
            births[b, BIRTH_SURE] = times
            births[b, BIRTH_ODDS] *= start * times / none
            raised += births[b, BIRTH_ODDS]
        for k in range(lo, hi):
            b = order[k]
            times = births[b, BIRTH_SURE]
            births[b, BIRTH_ODDS] /= raised
            existence = births[b, BIRTH_ODDS]
            if times > 1.0:
                t = R.t_ns[j] * 1e-9
                kept = math.exp(-max(t - state[ARRIVED_S, s], 0.0) / (MEMORY_TURNS * turn))
                state[ARRIVED, s] = state[ARRIVED, s] * kept + existence * (times - 1.0) / times
                state[ARRIVED_S, s] = max(state[ARRIVED_S, s], t)
            counted = times > COUNTED and state[EXCESS, s] < EXCESS_LEAST
            least = life[L_CONFIRM] if counted else life[L_CONFIRM_PAIR]
            births[b, BIRTH_SURE] = 1.0 if existence >= least and _of_one_radar(births[b], R, S, waiting) else 0.0
        lo = hi
