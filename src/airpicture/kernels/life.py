"""What time does to tracks: looks that found nothing, doubt, coasting, ending.

A look is counted as missed lazily: when a sensor that held the track a turn ago has turned on (it sent other plots
since), and the track, predicted, lies in its coverage and above its horizon. A silent sensor misses nothing.
"""

import math

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F64, I32, I64, U8
from airpicture.kernels.layout import EXISTENCE, INTERVAL, S_POSITION, S_VELOCITY
from airpicture.kernels.wgs84 import height_of

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
ENDING = 8

# A missed look counts as at this Pd at most: one target's misses come in runs (a turned-away antenna, terrain, the
# ground), so a Pd of 0.97 over all targets says little of three in a row.
PD_MOST = 0.85

EFFECTIVE_RADIUS = 8_494_666.0  # m, 4/3 of the Earth's: radio waves bend (ITU-R P.834, standard atmosphere)


@jit
def age_tracks(
    t_ns: int,
    step_s: float,
    n: int,
    rows: F64,
    summary: F64,
    t_track: I64,
    t_plot: I64,
    plots: I32,
    misses: I32,
    seen_sensor: I32,
    seen_look: I64,
    seen_hit: I64,
    sites: F64,
    period: F64,
    pd: F64,
    range_min: F64,
    range_max: F64,
    sensor_last: I64,
    ending: F64,
    status: U8,
) -> None:
    """Age n tracks to t_ns, `step_s` seconds after they were last aged.

    Parameters
    ----------
    rows : (cap, ROW) float64, existence overwritten; summary : (cap, 8) float64
    t_track, t_plot : (cap,) int64 [ns]; plots, misses : (cap,) int32; misses overwritten
    seen_sensor : (cap, SEEN) int32, -1 none; seen_look, seen_hit : (cap, SEEN) int64 [ns]; looks overwritten
    sites, period, pd, range_min, range_max : (S, ...) sensors; sensor_last : (S,) int64 [ns], latest plot of each
    ending : (ENDING,) float64
    status : (cap,) uint8; overwritten
    """
    survive = math.exp(-step_s / ending[E_LIFETIME])
    for i in range(n):
        if status[i] == ENDED:
            continue
        r = rows[i, EXISTENCE] * survive
        age = (t_ns - t_plot[i]) * 1e-9
        turning = False
        held = False
        slowest = 0.0
        for k in range(seen_sensor.shape[1]):
            s = seen_sensor[i, k]
            if s < 0:
                continue
            turn = period[s]
            if not turn > 0.0:
                held = True
                continue
            since = (t_ns - seen_hit[i, k]) * 1e-9
            if since < 6.0 * turn:
                turning = True
                slowest = max(slowest, turn)
            turn_ns = int(turn * 1e9)
            dt = (t_ns - t_track[i]) * 1e-9
            x = summary[i, S_POSITION] + dt * summary[i, S_VELOCITY]
            y = summary[i, S_POSITION + 1] + dt * summary[i, S_VELOCITY + 1]
            z = summary[i, S_POSITION + 2] + dt * summary[i, S_VELOCITY + 2]
            dx, dy, dz = x - sites[s, 0], y - sites[s, 1], z - sites[s, 2]
            far = math.sqrt(dx * dx + dy * dy + dz * dz)
            inside = range_min[s] <= far <= range_max[s]
            if inside:
                h = max(height_of(x, y, z), 0.0)
                h0 = max(height_of(sites[s, 0], sites[s, 1], sites[s, 2]), 0.0)
                horizon = math.sqrt(2.0 * EFFECTIVE_RADIUS) * (math.sqrt(h) + math.sqrt(h0))
                inside = far <= horizon
            held = held or range_min[s] <= far <= range_max[s]
            while seen_look[i, k] + turn_ns + turn_ns // 5 < t_ns:
                # nothing heard since: a sensor that sends little gets a whole turn to show that it lives
                if sensor_last[s] < seen_look[i, k] + turn_ns and t_ns <= seen_look[i, k] + 2 * turn_ns + turn_ns // 5:
                    break
                seen_look[i, k] += turn_ns
                if inside and sensor_last[s] >= seen_look[i, k]:
                    seen = min(pd[s], PD_MOST)
                    r = r * (1.0 - seen) / (1.0 - r * seen)
                    misses[i] += 1
        rows[i, EXISTENCE] = r
        if status[i] == TENTATIVE:
            if r >= ending[E_CONFIRM] and plots[i] >= ending[E_CONFIRM_PLOTS]:
                status[i] = CONFIRMED
        elif turning:
            status[i] = COASTING if misses[i] >= ending[E_COAST_LOOKS] else CONFIRMED
        else:
            limit = max(ending[E_COAST_S], 3.0 * rows[i, INTERVAL])
            status[i] = COASTING if age > limit else CONFIRMED
        if status[i] == TENTATIVE:
            end = max(ending[E_END_TENTATIVE_S], 2.6 * slowest)
        else:
            end = max(ending[E_END_S], 6.0 * slowest)
            if not held:
                end = min(end, max(2.0 * slowest, ending[E_COAST_S]))
        if r < ending[E_RETIRE] or age > end:
            status[i] = ENDED
