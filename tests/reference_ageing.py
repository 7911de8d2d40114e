"""Plain twin of ageing: each track at each second, one after the other."""

import math
from typing import Any

import numpy as np

from airpicture.kernels.life import (
    E_COAST_LOOKS,
    E_COAST_S,
    E_CONFIRM,
    E_CONFIRM_PLOTS,
    E_END_FIRST_S,
    E_END_S,
    E_END_TENTATIVE_S,
    E_LIFETIME,
    E_RETIRE,
    E_RETIRE_TENTATIVE,
)
from airpicture.reports import Stations
from airpicture.store import Store
from airpicture.tables import Status
from reference_records import ticks, times
from reference_tracking import geodetic

PD_MOST = 0.85
TICK_NS = 1 << 20  # what is kept of a look may be so much early
EFFECTIVE_RADIUS = 8_494_666.0  # m, 4/3 of the Earth's


def _inside(p: Any, s: int, stations: Stations) -> tuple[bool, bool]:
    """Say whether a place is within a sensor's reach, and also above its horizon."""
    far = float(np.linalg.norm(p - stations.sites[s, :3]))
    reached = bool(stations.range_min[s] <= far <= stations.range_max[s])
    heights = [max(geodetic(q)[2], 0.0) for q in (p, stations.sites[s, :3])]
    return reached, reached and far <= sum(math.sqrt(2.0 * EFFECTIVE_RADIUS * h) for h in heights)


def _out_of_reach(p: Any, sensors: list[int], stations: Stations) -> bool:
    """Say whether a place is farther off than each sensor sees; one without a site may see any."""
    return all(np.linalg.norm(p - stations.sites[s, :3]) > stations.range_max[s] for s in sensors)


def age_all(store: Store, t_ns: int, step_s: float, stations: Stations, sensor_last: Any, ending: Any) -> None:
    """Age all tracks of a store to t_ns, step_s after they were last aged."""
    for i in range(store.n):
        if store.status[i] == Status.ENDED:
            continue
        r = float(store.existence[i]) * math.exp(-step_s / ending[E_LIFETIME])
        age = (t_ns - int(store.t_plot[i])) * 1e-9
        summary = store.summary[i].astype(float)
        p = summary[:3] + (t_ns - int(store.t_ns[i])) * 1e-9 * summary[3:6]
        turning, held, slowest = False, False, 0.0
        for k, s in enumerate(store.seen_sensor[i].tolist()):
            if s < 0:
                continue
            turn = float(stations.period[s])
            if not turn > 0.0:
                held = True
                continue
            if (t_ns - int(times(store.seen_hit[i, k], t_ns))) * 1e-9 < 6.0 * turn:
                turning, slowest = True, max(slowest, turn)
            reached, inside = _inside(p, s, stations)
            held = held or reached
            look, turn_ns, last = int(times(store.seen_look[i, k], t_ns)), int(turn * 1e9), int(sensor_last[s])
            while look + TICK_NS + turn_ns + turn_ns // 5 <= t_ns:
                if last < look + turn_ns and t_ns <= look + 2 * turn_ns + turn_ns // 5:
                    break
                look += turn_ns
                if inside and last >= look:
                    seen = min(stations.pd[s], PD_MOST)
                    r = r * (1.0 - seen) / (1.0 - r * seen)
                    store.misses[i] += 1
            store.seen_look[i, k] = ticks(look)
        store.existence[i] = r
        status = store.status[i]
        if status == Status.TENTATIVE:
            if r >= ending[E_CONFIRM] and store.plots[i] >= ending[E_CONFIRM_PLOTS]:
                status = Status.CONFIRMED
        elif turning:
            status = Status.COASTING if store.misses[i] >= ending[E_COAST_LOOKS] else Status.CONFIRMED
        else:
            limit = max(ending[E_COAST_S], 3.0 * float(store.interval[i]))
            status = Status.COASTING if age > limit else Status.CONFIRMED
        if status == Status.TENTATIVE:
            end = max(ending[E_END_TENTATIVE_S], 2.6 * slowest)
            if not turning:
                own = 2.6 * float(store.interval[i]) if store.plots[i] > 1 else ending[E_END_FIRST_S]
                end = max(end, min(own, ending[E_END_S]))
        else:
            end = max(ending[E_END_S], 6.0 * slowest)
            if not held:
                end = min(end, max(1.25 * slowest, ending[E_COAST_S]))
                everybody = list(range(len(stations.period)))  # NaN of who has no site isn't more than anything
                silent = store.t_heard[i] <= store.t_plot[i] and np.isfinite(store.plot_range[i])
                left = _out_of_reach(p, [s for s in store.seen_sensor[i].tolist() if s >= 0], stations)
                if silent and left and _out_of_reach(p, everybody, stations):
                    end = 0.0
        least = ending[E_RETIRE_TENTATIVE if status == Status.TENTATIVE else E_RETIRE]
        store.status[i] = Status.ENDED if r < least or age > end else status
