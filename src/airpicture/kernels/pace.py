"""How far reported velocities are off: the way between two positions against them, past the filter.

A velocity that is stale, coarse or of another frame drags its track ahead of the positions, and keeps dragging. Judged
by the filter, which it moves itself, it looks right and the positions wrong. Two positions in turn tell: what they say
of the velocity, less the reported one, is an error of the velocity where the track already lay off to that very side at
the first of them. Noise and jitter of time stamps alternate: what lies ahead once falls back the next time. A lag of
the filter behind a turn lies on the other side. So only what lasts counts against velocities, and not as jitter.

Most velocities are better than they say, or than is assumed of those that say nothing: a filter that smooths them lags
in every turn. The way between two positions is flown with the mean of the velocities at both, also in a turn; how far
it's off that, beyond what the positions scatter, tells how far velocities do.
"""

import math
from typing import Final

from airpicture.kernels._jit import part
from airpicture.kernels.arrays import F64
from airpicture.kernels.conditioning import COURSE_LEAST, var_v_least, variance_of_position
from airpicture.kernels.lanes import LANES
from airpicture.kernels.layout import MODE, VAR_TIME, VAR_V, Z_LAG, Z_P, Z_V_EAST, Z_V_NORTH, Z_VAR_V
from airpicture.kernels.vertical import vertical
from airpicture.kernels.wgs84 import basis_of_up

GAP_LEAST: Final = 0.2  # s between the two positions; nearer, they tell of their own noise
GAP_MOST: Final = 15.0  # s; further apart, of what happened in between
GAIN: Final = 0.2  # of one pair against velocities, and half of it for them
LASTS: Final = 0.25  # of the variance of positions: what lay less far off before tells no side
SURPRISE: Final = 4.0  # times what is held already that one pair counts at most
VAR_V_MOST: Final = 4e4  # m²/s²: 200 m/s, from which on a velocity tells nothing
GAIN_BETTER: Final = 0.2  # of one pair for velocities that are better than they say
STALE: Final = 0.25  # of a change between two velocities, by which the later one may be behind: it's seldom fresh


@part
def learn_pace(
    T: F64, Z: F64, j: int, lx: float, ly: float, lz: float, since: float, ago: float
) -> tuple[float, float, float]:
    """Learn from plot j how far velocities are off; return what that tells of how far positions are [m²].

    Parameters
    ----------
    T : the predicted track; VAR_V overwritten
    lx ... : place of the track's last plot [m], ECEF, 0 0 0 where it had none
    since, ago : how long before the plot, and before the track's time, that was [s]

    Returns
    -------
    product of the distances of both positions from the track along its course: 0 in the mean where errors alternate
    half the square of how far the way between them lies beside the mean of the velocities; a variance of positions,
        but for what velocities explain, which comes third: infinite where that can't be told
    """
    if not GAP_LEAST <= since <= GAP_MOST or lx * lx + ly * ly + lz * lz < 1.0:
        return 0.0, 0.0, math.inf
    px, py, pz = Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2]
    x, y, z, vx, vy, vz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    total = 0.0
    for m in range(LANES):  # differences to the plot, so that the weights needn't sum to one to the last digit
        p = T[MODE + m]
        total += p
        x += p * (T[m] - px)
        y += p * (T[LANES + m] - py)
        z += p * (T[2 * LANES + m] - pz)
        vx += p * T[3 * LANES + m]
        vy += p * T[4 * LANES + m]
        vz += p * T[5 * LANES + m]
    x, y, z, vx, vy, vz = x / total, y / total, z / total, vx / total, vy / total, vz / total
    ux, uy, uz = vertical(px, py, pz)
    ex, ey, ez, nx, ny, nz, _, _, _ = basis_of_up(ux, uy, uz)
    v_east, v_north = vx * ex + vy * ey + vz * ez, vx * nx + vy * ny + vz * nz
    speed = math.sqrt(v_east * v_east + v_north * v_north)
    if not speed > COURSE_LEAST:
        return 0.0, 0.0, math.inf
    s, c = v_east / speed, v_north / speed
    told = math.isfinite(Z[j, Z_V_EAST]) and math.isfinite(Z[j, Z_V_NORTH])
    said_east, said_north = (Z[j, Z_V_EAST], Z[j, Z_V_NORTH]) if told else (v_east, v_north)
    # the track's place at the time of each position, and the way between the two, east and north
    at = ago - since + Z[j, Z_LAG]
    off_east, off_north = -(x * ex + y * ey + z * ez) + at * v_east, -(x * nx + y * ny + z * nz) + at * v_north
    gx, gy, gz = lx - px, ly - py, lz - pz
    way_east, way_north = -(gx * ex + gy * ey + gz * ez), -(gx * nx + gy * ny + gz * nz)
    was_east, was_north = off_east - way_east + since * v_east, off_north - way_north + since * v_north
    wrong_east, wrong_north = way_east / since - said_east, way_north / since - said_north
    var = variance_of_position(Z, j, T)
    change_east, change_north = said_east - v_east, said_north - v_north
    stale = STALE * STALE * (change_east * change_east + change_north * change_north)
    held = T[VAR_V]
    trusted = held + Z[j, Z_VAR_V]
    learnt = held
    lasting, better = False, 0.0
    for axis in range(2):
        a, b = (s, c) if axis == 0 else (c, -s)
        wrong = wrong_east * a + wrong_north * b
        was = was_east * a + was_north * b
        noise = 2.0 * (var + (max(T[VAR_TIME], 0.0) * speed * speed if axis == 0 else 0.0)) / (since * since)
        if was * was > LASTS * var:
            lasting = lasting or wrong * was > 0.0
            gain = GAIN if wrong * was > 0.0 else 0.5 * GAIN
            found = math.copysign(min(wrong * wrong, SURPRISE * (max(held, 0.0) + Z[j, Z_VAR_V])), wrong * was)
        else:
            gain = 0.25 * GAIN * held / (held + noise) if held > 0.0 else 0.0
            found = min(wrong * wrong - noise, held)
        learnt += 0.5 * gain * (found - held)
        # the mean of both velocities against the way; its error is half of theirs
        between = wrong + 0.5 * (change_east * a + change_north * b)
        vague = noise + stale
        share = trusted / (trusted + vague)
        better += share * share * (min(2.0 * (between * between - vague), SURPRISE * trusted) - trusted)
    learnt = max(learnt, min(held, 0.0))
    if told and not lasting and learnt <= 0.0:
        learnt = min(learnt + 0.5 * GAIN_BETTER * better, 0.0)
    T[VAR_V] = min(max(learnt, var_v_least(Z[j, Z_VAR_V]) - Z[j, Z_VAR_V]), VAR_V_MOST)
    pair, vague = 0.0, math.inf
    mean_east, mean_north = 0.5 * (said_east + v_east), 0.5 * (said_north + v_north)
    pace = math.sqrt(mean_east * mean_east + mean_north * mean_north)
    if (
        told and pace > COURSE_LEAST
    ):  # the way is flown in the direction of their mean: of times nothing shows beside it
        beside = (way_east * mean_north - way_north * mean_east) / pace
        pair, vague = 0.5 * beside * beside, since * since * (0.25 * trusted + stale)
    return float((off_east * s + off_north * c) * (was_east * s + was_north * c)), pair, vague
