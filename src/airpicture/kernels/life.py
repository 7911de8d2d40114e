"""What time does to tracks: looks that found nothing, doubt, coasting, ending.

A look is counted as missed lazily: when a sensor that held the track a turn ago has turned on (it sent other plots
since), and the track, predicted, lies in its coverage and above its horizon. A silent sensor misses nothing.

Nothing of this happens to most tracks in most seconds. So each has a time before which nothing can happen, `due`, and
a sweep reads this one column:

    plot         look expected    judged                      6 turns
      |---- turn ----|-- 1/5 --|>                                |>      due is the first of such times,
                               sensor not heard: due again next second   at most AGE_MOST_NS ahead

Too early a due costs a visit that changes nothing; the seconds at which things happen don't depend on it.
"""

import math
from typing import Any, Final

import numpy as np

from airpicture.kernels._jit import inline, jit, part, prefetch
from airpicture.kernels.arrays import F32, F64, I32, I64, U8
from airpicture.kernels.lanes import U
from airpicture.kernels.layout import S_POSITION, S_SIGMA_P, S_VELOCITY, SENSOR_HEIGHT
from airpicture.kernels.ticks import STEP_NS, ticks_of, time_of
from airpicture.kernels.vertical import height

TENTATIVE = 0  # tables.Status
CONFIRMED = 1
COASTING = 2
ENDED = 3

E_RETIRE = 0  # settings, one flat array
E_CONFIRM = 1
E_CONFIRM_PLOTS = 2
E_COAST_LOOKS = 3
E_COAST_S = 4
E_END_S = 5
E_END_TENTATIVE_S = 6
E_LIFETIME = 7
E_RETIRE_TENTATIVE = 8
E_HEARD_S = 9
E_END_FIRST_S = 10
ENDING = 11

# A missed look counts as at this Pd at most: one target's misses come in runs (a turned-away antenna, terrain, the
# ground), so a Pd of 0.97 over all targets says little of three in a row.
PD_MOST = 0.85

OUTSIDE_TURNS: Final = 1.25  # turns after its last plot at which a track that nobody reaches ends: one look is over
EDGE: Final = 30_000.0  # m, inside of a sensor's reach; from further no target leaves it within AGE_MOST_NS
TENTATIVE_TURNS: Final = 2.6  # turns, or intervals of its own, after its last plot at which a tentative track ends
FORGET_TURNS: Final = 6.0  # turns after its last plot for which a sensor counts as the one that holds a track
SECOND_NS: Final = 1_000_000_000  # from one sweep to the next
AGE_MOST_NS: Final = (
    16_000_000_000  # behind a radar's next look at 1.2 turns of 12 s, few tracks are visited for nothing
)
NEVER: Final = 2**63 - 1  # due of tracks that ended
# ns, before all times: when what the next sweep has to see is due; last message of who had none
LONG_AGO: Final = -(1 << 62)
ASKED_AHEAD: Final = 8  # visits
LISTED_AHEAD: Final = 32  # rows
FEW: Final = 64  # rows whose first due is asked for at once, before any is looked at
RANKS: Final = 256  # rows whose ended ones are counted at once, before any is looked at
GONE: Final = math.nan  # S_SIGMA_P of tracks that ended: the index puts them nowhere

EFFECTIVE_RADIUS = 8_494_666.0  # m, 4/3 of the Earth's: radio waves bend (ITU-R P.834, standard atmosphere)


@inline
def _least(status: int, ending: F64) -> float:
    """Return the existence below which a track of a status ends."""
    return float(ending[E_RETIRE_TENTATIVE] if status == TENTATIVE else ending[E_RETIRE])


@inline
def fades_by(ending: F64) -> float:
    """Return by how much an existence fades at most between two visits."""
    return math.exp(AGE_MOST_NS * 1e-9 / ending[E_LIFETIME])


@inline
def existence_at(existence: float, t_ns: int, t_aged: int, lifetime: float) -> float:
    """Return an existence probability t_ns after t_aged [ns], with a mean lifetime [s] that nobody measures."""
    return existence * math.exp(-max(t_ns - t_aged, 0) * 1e-9 / lifetime)


@inline
def _judged_ns(look: int, turn_ns: int) -> int:
    """Return the first time [ns] at which the look after one at `look` may be judged."""
    return look + turn_ns + turn_ns // 5 + STEP_NS  # what's kept of a look is up to a tick early


@part
def _leaves_after(i: int, summary: F32, site: F64, reach: float) -> float:
    """Return after how many seconds from its state on track i, flying straight, may be farther off than a sensor sees.

    No sooner than that, whatever its course; less than 0 where it is already.
    """
    dx = np.float64(summary[i, S_POSITION]) - site[0]
    dy = np.float64(summary[i, S_POSITION + 1]) - site[1]
    dz = np.float64(summary[i, S_POSITION + 2]) - site[2]
    return (reach - math.sqrt(dx * dx + dy * dy + dz * dz)) / max(_speed(i, summary), 1.0)


@inline
def _speed(i: int, summary: F32) -> float:
    vx, vy, vz = summary[i, S_VELOCITY], summary[i, S_VELOCITY + 1], summary[i, S_VELOCITY + 2]
    return math.sqrt(vx * vx + vy * vy + vz * vz)


@part
def _in_reach(x: float, y: float, z: float, sites: F64, range_max: F64) -> bool:
    """Say whether any sensor may see as far as a place; one whose site isn't known may."""
    for s in range(len(range_max)):
        dx, dy, dz = x - sites[s, 0], y - sites[s, 1], z - sites[s, 2]
        if not dx * dx + dy * dy + dz * dz > range_max[s] * range_max[s]:
            return True
    return False


@part
def due_after(i: int, t_ns: int, of: Any, sites: F64, period: F64, range_max: F64, ending: F64, soon: float) -> int:
    """Return when track i, changed by a look at t_ns, is due for ageing: not later than anything can happen to it.

    of : `learn.Held`; soon : see `fades_by`
    """
    r = of.existence[i]
    status = of.status[i]
    if r <= _least(status, ending) * soon:
        return LONG_AGO
    if r >= ending[E_CONFIRM] if status == TENTATIVE else of.misses[i] >= ending[E_COAST_LOOKS]:
        return LONG_AGO  # the next sweep may confirm it, or show it as coasting
    due = t_ns + AGE_MOST_NS
    slowest = 0.0
    for k in range(of.seen_sensor.shape[1]):
        s = of.seen_sensor[i, k]
        if s < 0:  # and so are all places behind it, see `learn.place_of`
            break
        turn = period[s]
        if not turn > 0.0:
            continue
        forgotten = time_of(of.seen_hit[i, k], t_ns) + int(FORGET_TURNS * turn * 1e9) - 1
        if forgotten >= t_ns:
            slowest = max(slowest, turn)
            due = min(due, forgotten)
        due = min(due, _judged_ns(time_of(of.seen_look[i, k], t_ns), int(turn * 1e9)))
    if status == TENTATIVE:
        silent = max(ending[E_END_TENTATIVE_S], TENTATIVE_TURNS * slowest)  # at least
    else:
        silent = min(max(ending[E_COAST_S], OUTSIDE_TURNS * slowest), ending[E_END_S])
        s = of.plot_sensor[i]
        if s >= 0 and period[s] > 0.0 and range_max[s] - of.plot_range[i] <= EDGE:
            due = min(due, of.t_ns[i] + int(_leaves_after(i, of.summary, sites[s], range_max[s]) * 1e9) - 1)
    first: int = min(due, of.t_plot[i] + int(silent * 1e9) - 1)
    return first


@jit
def find_due(due: I64, n: int, soon: int) -> int:
    """Return the first time at which any of the first n tracks is due; or of some track, where that's `soon` or before.

    Among many tracks some are due every second, and then the first of them says as much as the least of all.
    """
    first = NEVER
    for lo in range(0, n, RANKS):
        for i in range(U(lo), U(min(lo + RANKS, n))):
            first = min(first, due[i])
        if first <= soon:
            break
    return first


@part
def list_due(t_ns: int, lo: int, hi: int, due: I64, rows: I64) -> int:
    """Write those of the rows lo..hi that are due to rows[lo:], rising; return how many.

    In most seconds that's one in hundreds, anywhere, so that the first due of a few rows tells whether any of them is
    to be looked at; at times it's every other, which nobody can guess, so that looking takes no branch.

    due : (cap,) int64 [ns]; rows : (cap,) int64, lo..hi overwritten
    """
    count = lo
    for a in range(lo, hi, FEW):
        b = min(a + FEW, hi)
        first = NEVER
        for i in range(U(a), U(b)):
            first = min(first, due[i])
        if first <= t_ns:
            for i in range(a, b):
                rows[count] = i
                count += due[i] <= t_ns
    return count - lo


@part
def _ask(i: int, of: Any) -> None:
    """Ask the memory for what ageing reads and writes of a track."""
    prefetch(of.existence, i, 0)
    prefetch(of.summary, i, 0)
    prefetch(of.t_ns, i, 0)
    prefetch(of.status, i, 0)
    prefetch(of.side, i, 8)  # two of the four lines of what else is known, see `store.SIDE`
    prefetch(of.side, i, 16)


@part
def _age_at(
    t_ns: int,
    lo: int,
    hi: int,
    of: Any,
    stations: Any,
    sensor_last: I64,
    ending: F64,
    moved: I64,
    was: U8,
) -> tuple[int, int]:
    """Age those of the tracks lo..hi that are due to t_ns; return how many changed their status, and how many of these
    ended; see `age_due`.
    """
    existence, interval, summary, t_track, t_plot = of.existence, of.interval, of.summary, of.t_ns, of.t_plot
    t_heard, plots, misses, plot_range = of.t_heard, of.plots, of.misses, of.plot_range
    seen_sensor, seen_look, seen_hit = of.seen_sensor, of.seen_look, of.seen_hit
    due, t_aged, status = of.due_ns, of.t_aged, of.status
    sites, period, pd, traits = stations.sites, stations.period, stations.pd, stations.traits
    range_min, range_max = stations.range_min, stations.range_max
    visits = list_due(t_ns, lo, hi, due, moved)
    count, ended = 0, 0
    soon = fades_by(ending)
    for q in range(lo, lo + visits):
        _ask(moved[min(q + ASKED_AHEAD, lo + visits - 1)], of)
        i = moved[q]
        before = status[i]
        if before == ENDED:
            due[i] = NEVER
            summary[i, S_SIGMA_P] = GONE
            moved[lo + count], was[lo + count] = i, ENDED
            count += 1
            ended += 1
            continue
        r = existence_at(existence[i], t_ns, t_aged[i], ending[E_LIFETIME])
        age = (t_ns - t_plot[i]) * 1e-9
        dt = (t_ns - t_track[i]) * 1e-9
        x = summary[i, S_POSITION] + dt * summary[i, S_VELOCITY]
        y = summary[i, S_POSITION + 1] + dt * summary[i, S_VELOCITY + 1]
        z = summary[i, S_POSITION + 2] + dt * summary[i, S_VELOCITY + 2]
        turning = False
        held, anchored = False, False
        inner = 0.0  # m, how far inside the reach of a sensor
        beyond = True  # all that a turning sensor that held it could see of it
        slowest = 0.0
        next_due = t_ns + AGE_MOST_NS
        for k in range(seen_sensor.shape[1]):
            s = seen_sensor[i, k]
            if s < 0:
                continue
            turn = period[s]
            if not turn > 0.0:
                held, anchored = True, True
                continue
            hit = time_of(seen_hit[i, k], t_ns)
            since = (t_ns - hit) * 1e-9
            if since < FORGET_TURNS * turn:
                turning = True
                slowest = max(slowest, turn)
                next_due = min(next_due, hit + int(FORGET_TURNS * turn * 1e9) - 1)
            turn_ns = int(turn * 1e9)
            dx, dy, dz = x - sites[s, 0], y - sites[s, 1], z - sites[s, 2]
            far = math.sqrt(dx * dx + dy * dy + dz * dz)
            beyond = beyond and far > range_max[s]
            reached = range_min[s] <= far <= range_max[s]
            if reached:
                held = True
                inner = max(inner, min(far - range_min[s], range_max[s] - far))
            look = time_of(seen_look[i, k], t_ns)
            if _judged_ns(look, turn_ns) <= t_ns:
                inside = reached
                if reached:
                    h, h0 = max(height(x, y, z), 0.0), max(traits[s, SENSOR_HEIGHT], 0.0)
                    inside = far <= math.sqrt(2.0 * EFFECTIVE_RADIUS) * (math.sqrt(h) + math.sqrt(h0))
                while _judged_ns(look, turn_ns) <= t_ns:
                    # nothing heard since: a sensor that sends little gets a whole turn to show that it lives
                    expected = look + turn_ns
                    if sensor_last[s] < expected and t_ns <= expected + turn_ns + turn_ns // 5:
                        break
                    look = expected
                    if inside and sensor_last[s] >= expected:
                        seen = min(pd[s], PD_MOST)
                        r = r * (1.0 - seen) / (1.0 - r * seen)
                        misses[i] += 1
                seen_look[i, k] = ticks_of(look)
            next_due = min(next_due, _judged_ns(time_of(seen_look[i, k], t_ns), turn_ns))
        existence[i] = r
        t_aged[i] = max(t_aged[i], t_ns)
        short = max(OUTSIDE_TURNS * slowest, ending[E_COAST_S])
        limit = max(ending[E_COAST_S], 3.0 * np.float64(interval[i]))
        now = before
        if before == TENTATIVE:
            if r >= ending[E_CONFIRM] and plots[i] >= ending[E_CONFIRM_PLOTS]:
                now = CONFIRMED
        elif turning:
            now = COASTING if misses[i] >= ending[E_COAST_LOOKS] else CONFIRMED
        else:
            now = COASTING if age > limit else CONFIRMED
        if now == TENTATIVE:
            end = max(ending[E_END_TENTATIVE_S], TENTATIVE_TURNS * slowest)
            if not turning:  # who reports as it likes: one plot doesn't tell how often
                own = ending[E_END_FIRST_S] if plots[i] <= 1 else TENTATIVE_TURNS * np.float64(interval[i])
                end = min(max(end, own), max(end, ending[E_END_S]))
        else:
            end = max(ending[E_END_S], 6.0 * slowest)
            if not held:
                end = min(end, short)
                ranged = plot_range[i] > 0.0  # or how far off it is hangs on its height
                if beyond and ranged and t_heard[i] <= t_plot[i] and not _in_reach(x, y, z, sites, range_max):
                    end = 0.0  # nobody will ever see it there: no look is waited for
            elif not anchored:  # at its speed it stays within reach for so long
                next_due = min(next_due, t_ns + int(inner / max(_speed(i, summary), 1.0) * 1e9) - 1)
            if not turning and now == CONFIRMED:
                next_due = min(next_due, t_plot[i] + int(limit * 1e9) - 1)
        least = _least(now, ending)
        # messages prove that the target is still there, if not where: they put the end off, for so long
        heard = t_plot[i]
        if now != TENTATIVE and t_heard[i] > heard:
            heard = min(t_heard[i], heard + int(max(ending[E_HEARD_S] - end, 0.0) * 1e9))
        if r < least or (t_ns - heard) * 1e-9 > end:
            now = ENDED
        next_due = min(next_due, heard + int(end * 1e9) - 1)
        if r <= least * soon or now != before:  # who has just been confirmed may be coasting the next second
            next_due = t_ns
        due[i] = max(next_due, t_ns + 1)
        if now == ENDED:
            due[i] = NEVER
            summary[i, S_SIGMA_P] = GONE
            ended += 1
        if now != before:
            status[i] = now
            moved[lo + count], was[lo + count] = i, before
            count += 1
    return count, ended


@jit
def age_due(
    first_ns: int,
    last_ns: int,
    lo: int,
    hi: int,
    of: Any,
    stations: Any,
    sensor_last: I64,
    ending: F64,
    moved: I64,
    was: U8,
) -> tuple[int, int, int]:
    """Age those of the tracks lo..hi that are due, second by second, until any changes its status.

    Returns the time [ns] of the second at which that was, last_ns if none does; how many do; how many of these ended.

    Parameters
    ----------
    first_ns, last_ns : ns, times of the first second and of the last one
    of : `learn.Held`, all that the store holds; existence, misses, seen_look, due_ns, t_aged, status, and S_SIGMA_P of
        the summary where one ends, are overwritten
    stations : `reports.Stations`, all sensors; sensor_last : (S,) int64 [ns], latest plot of each
    ending : (ENDING,) float64
    moved, was : (cap,) overwritten from lo on: rows whose status changed and what it was; tracks that were ended from
        outside (status ENDED and due) are among them once, with ENDED
    """
    due = of.due_ns[lo:hi]
    t_ns = first_ns
    while t_ns <= last_ns:
        soon = find_due(due, hi - lo, t_ns)
        if soon > last_ns:
            break
        t_ns += max(-((t_ns - soon) // SECOND_NS), 0) * SECOND_NS  # the first second at which any is due
        if t_ns > last_ns:
            break
        count, ended = _age_at(t_ns, lo, hi, of, stations, sensor_last, ending, moved, was)
        if count > 0:
            return t_ns, count, ended
        t_ns += SECOND_NS
    return last_ns, 0, 0


@jit
def find_ranks(status: U8, n: int, ended: int, share: int, most: int) -> int:
    """Return the row from which on closing the ranks pays; n where it doesn't.

    That is the first row behind which one in `share` rows, or more, has ended: each row that ends costs the moves of
    `share` others at most. Where that leaves more than `most` ended rows it's the row that leaves half as many, so
    that a while passes before it comes to that again.

    Parameters
    ----------
    status : (cap,) uint8; n : rows in use, `ended` of them with status ENDED
    """
    at, gone, hi = n, 0, n
    behind = 0  # ended rows from `at` on
    while hi > 0 and gone < ended:
        lo = max(hi - RANKS, 0)
        here = 0
        for i in range(U(lo), U(hi)):
            here += status[i] == ENDED
        if (gone + here) * share < n - hi + 1:  # not even the last row of these, if all of them came behind it
            gone += here
        else:
            for i in range(hi - 1, lo - 1, -1):
                if status[i] == ENDED:
                    gone += 1
                    if gone * share >= n - i:
                        at, behind = i, gone
        hi = lo
    if ended - behind > most:
        while at > 0 and ended - behind > most // 2:
            at -= 1
            behind += status[at] == ENDED
    return at


@jit
def list_ended(moved: I64, was: U8, status: U8, misses: I32, gone: I64, shown: I64) -> tuple[int, int]:
    """List the rows of those that ended in a sweep, and of these those that had been shown; return how many each.

    Parameters
    ----------
    moved, was : (n,) as `age_due` writes them; status, misses : (cap,)
    gone, shown : (n,) int64, overwritten
    """
    ended, seen = 0, 0
    for q in range(len(moved)):
        ahead = moved[min(q + LISTED_AHEAD, len(moved) - 1)]
        prefetch(status, ahead, 0)
        prefetch(misses, ahead, 0)
        i = moved[q]
        if status[i] != ENDED:
            continue
        gone[ended] = i
        ended += 1
        if was[q] == CONFIRMED or was[q] == COASTING or misses[i] < 0:
            shown[seen] = i
            seen += 1
    return ended, seen


@jit
def list_live(status: U8, first: int, last: int, source: I64) -> int:
    """Return how many of the rows first..last haven't ended, and write them to source, (last - first,) int64."""
    count = 0
    for i in range(first, last):
        if status[i] != ENDED:
            source[count] = i
            count += 1
    return count


@jit
def move_rows(column: I64, source: I64, at: int, count: int, first: int, last: int) -> None:
    """Move rows of a table down in place: words first..last of row source[q] to row at + q, which isn't behind it.

    Parameters
    ----------
    column : (cap, words) of any integers; overwritten
    source : (count,) int64, rising
    """
    for q in range(count):
        i = source[q]
        for c in range(first, last):
            column[at + q, c] = column[i, c]
