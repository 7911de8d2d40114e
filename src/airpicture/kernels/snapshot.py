"""Tracks as the picture shows them: one mean and covariance each, in degrees of freedom a reader knows."""

import math
from typing import Final, NamedTuple

from airpicture.kernels._jit import inline, jit, part
from airpicture.kernels.angles import angles_of
from airpicture.kernels.arrays import F64, I8, I32, I64, U8, U64, table
from airpicture.kernels.bank import T_MEAN, T_SPOT, load_motion, mixture_apart, predict_loaded, turn_rates
from airpicture.kernels.lanes import U
from airpicture.kernels.layout import (
    D_BARO,
    LEFT,
    MODE,
    RIGHT,
    STATE,
    STRAIGHT,
    VAR_BARO,
    VAR_COMMON,
)
from airpicture.kernels.learn import NO_HEIGHT, PRESSURE, Held
from airpicture.kernels.life import ENDED, TENTATIVE, existence_at
from airpicture.kernels.records import load_track
from airpicture.kernels.ticks import STEP_NS, time_of
from airpicture.kernels.vertical import beside, height_vertical

O_EXISTENCE: Final = 0  # rows of the table of floats
O_LAT: Final = 1  # rad
O_LON: Final = 2
O_H: Final = 3  # m
O_H_BARO: Final = 4  # m
O_V: Final = 5  # east, north, up [m/s]
O_SIGMA: Final = 8  # east, north, up [m]
O_RHO: Final = 11
O_SIGMA_V: Final = 12  # east, north, up [m/s]
O_A: Final = 15  # east, north [m/s²]
O_LEFT: Final = 17  # probabilities of the turn models
O_RIGHT: Final = 18
O_PLOT: Final = 19  # range [m], azimuth [rad], pressure altitude [m] of the last plot
COLUMNS: Final = 22  # that a picture holds
O_SIN_LAT: Final = 22  # for `show_angles`
O_COS_LAT: Final = 23
O_SIN_LON: Final = 24
O_COS_LON: Final = 25
OUT: Final = 26

SPOT_MOST: Final = 500.0  # m, up to where the vertical beside a known one is as good as that
HELD_TURNS: Final = 2.5  # a turning sensor counts as holding a track this many turns after its last plot
HELD_S: Final = 15.0  # s, likewise for others
HEIGHT_AGE_MOST: Final = 120.0  # s; a height not told for longer isn't known: climbs and descents last minutes

BLOCK: Final = 64  # rows that are laid out as columns in cache, then written column by column


@table
class Shown(NamedTuple):
    """What a picture holds of its tracks, in tables of columns; which is which stands in `picture.snapshot`."""

    floats: F64  # (COLUMNS, n)
    longs: I64  # (3, n): number, time of the last plot, of the first
    ints: I32  # (5, n): Mode A, address, plots, sensor and Mode A of the last plot
    bytes: U8  # (3, n): status, whether the height rests on pressure, emitter category
    on_ground: I8  # (n,)
    callsign: U64  # (n,)
    technology: I64  # (n, technologies)
    seen: I32  # (n, SEEN)


@inline
def _through(x: float, y: float, z: float, P: F64, o: int, a: int) -> tuple[float, float, float]:
    """Return the product of a direction and the 3 x 3 block of the packed covariance P[o:] whose first row is a."""
    k = o + a * (a + 1) // 2 + a  # P[a, a]
    below = k + a + 1  # P[a + 1, a]
    last = below + a + 2  # P[a + 2, a]
    return (
        P[k] * x + P[below] * y + P[last] * z,
        P[below] * x + P[below + 1] * y + P[last + 1] * z,
        P[last] * x + P[last + 1] * y + P[last + 2] * z,
    )


@part
def show(T: F64, o: int, var_common: float, motion: F64, out: F64, q: int) -> None:
    """Write the mean (6) and covariance (21) from T[o] on, in ECEF, to column q as east, north, up.

    All but latitude and longitude, which `show_angles` works out for many columns. T_SPOT : any place.
    """
    straight, left, right = T[MODE + STRAIGHT], T[MODE + LEFT], T[MODE + RIGHT]
    x, y, z = T[o], T[o + 1], T[o + 2]
    w = math.sqrt(x * x + y * y)
    dx, dy, dz = x - T[T_SPOT], y - T[T_SPOT + 1], z - T[T_SPOT + 2]
    if dx * dx + dy * dy + dz * dz < SPOT_MOST * SPOT_MOST:
        out[O_H, q], ux, uy, uz = beside(T[T_SPOT + 3], T[T_SPOT + 4], T[T_SPOT + 5], T[T_SPOT + 6], dx, dy, dz)
    else:
        out[O_H, q], ux, uy, uz = height_vertical(x, y, z)
    cos_lon, sin_lon = (x / w, y / w) if w > 0.0 else (1.0, 0.0)
    cos_lat, sin_lat = ux * cos_lon + uy * sin_lon, uz
    # angles are worked out many at once, see `show_angles`
    out[O_SIN_LAT, q], out[O_COS_LAT, q], out[O_SIN_LON, q], out[O_COS_LON, q] = sin_lat, cos_lat, sin_lon, cos_lon
    ex, ey = -sin_lon, cos_lon  # east has no third component
    nx, ny, nz = -sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat
    p = o + STATE
    for first in range(2):
        a = 3 * first
        cx, cy, cz = _through(ex, ey, 0.0, T, p, a)
        east = ex * cx + ey * cy
        both = nx * cx + ny * cy + nz * cz
        cx, cy, cz = _through(nx, ny, nz, T, p, a)
        north = nx * cx + ny * cy + nz * cz
        cx, cy, cz = _through(ux, uy, uz, T, p, a)
        up = ux * cx + uy * cy + uz * cz
        if first == 0:
            east, north = math.sqrt(max(east + var_common, 0.0)), math.sqrt(max(north + var_common, 0.0))
            out[O_SIGMA, q], out[O_SIGMA + 1, q], out[O_SIGMA + 2, q] = east, north, math.sqrt(max(up, 0.0))
            out[O_RHO, q] = min(max(both / (east * north), -1.0), 1.0) if east * north > 0.0 else 0.0
        else:
            out[O_SIGMA_V, q] = math.sqrt(max(east, 0.0))
            out[O_SIGMA_V + 1, q] = math.sqrt(max(north, 0.0))
            out[O_SIGMA_V + 2, q] = math.sqrt(max(up, 0.0))
    vx, vy, vz = T[o + 3], T[o + 4], T[o + 5]
    east, north = vx * ex + vy * ey, vx * nx + vy * ny + vz * nz
    out[O_V, q], out[O_V + 1, q], out[O_V + 2, q] = east, north, vx * ux + vy * uy + vz * uz
    to_left, to_right = turn_rates(T, straight, max(math.sqrt(east * east + north * north), 1e-3), motion)
    omega = to_left * left - to_right * right
    out[O_A, q], out[O_A + 1, q] = -omega * north, omega * east
    out[O_LEFT, q], out[O_RIGHT, q] = left, right


@inline
def show_angles(out: F64, n: int) -> None:
    """Turn the sines and cosines that `show` left in the first n columns into latitude and longitude."""
    angles_of(out[O_SIN_LAT], out[O_COS_LAT], n, out[O_LAT])
    angles_of(out[O_SIN_LON], out[O_COS_LON], n, out[O_LON])


@part
def _show_height(i: int, t_ns: int, source: int, of: Held, var_baro: float, offset: float, out: F64, q: int) -> None:
    """Take back a height in column q that nothing measured; give one of pressure the doubt of the weather."""
    if source == NO_HEIGHT or (t_ns - of.t_height[i]) * 1e-9 > HEIGHT_AGE_MOST:
        out[O_H, q] = out[O_H_BARO, q] = out[O_V + 2, q] = math.nan
        out[O_SIGMA + 2, q] = out[O_SIGMA_V + 2, q] = math.nan
        return
    out[O_H_BARO, q] = out[O_H, q] - offset if of.has_baro[i] == 1 else math.nan
    if source == PRESSURE:
        out[O_SIGMA + 2, q] = math.sqrt(out[O_SIGMA + 2, q] * out[O_SIGMA + 2, q] + var_baro)


@jit
def snapshot_rows(
    index: I64,
    t_ns: I64,
    lo: int,
    hi: int,
    of: Held,
    period: F64,
    motion: F64,
    lifetime: float,
    into: Shown,
    T: F64,
    out: F64,
    lanes: U,
) -> None:
    """Predict the chosen tracks to the given times and write what a picture shows.

    Parameters
    ----------
    index : (n,) int64, rows of the store; t_ns : (n,) int64 [ns], the times; lo, hi : the part of them to do
    of : store
    period : (S,) float64 [s], NaN for sensors that don't turn; motion : (MOTION,) float64
    lifetime : s, mean time that a target stays
    into : overwritten in columns (or rows) lo..hi
    T : (SCRATCH,), out : (OUT, BLOCK) float64 workspaces of one thread; lanes : 4
    """
    load_motion(motion, T)
    for begin in range(lo, hi, BLOCK):
        count = min(BLOCK, hi - begin)
        for q in range(count):
            k = begin + q
            i = index[k]
            load_track(of.states, of.spreads, i, T, lanes)
            predict_loaded(max(t_ns[k] - of.t_ns[i], 0) * 1e-9, motion, T, lanes)
            mixture_apart(T, lanes)
            show(T, T_MEAN, T[VAR_COMMON], motion, out, q)
            source = int(of.h_source[i])
            _show_height(i, t_ns[k], source, of, T[VAR_BARO], T[D_BARO], out, q)
            out[O_EXISTENCE, q] = existence_at(of.existence[i], t_ns[k], of.t_aged[i], lifetime)
            out[O_PLOT, q], out[O_PLOT + 1, q], out[O_PLOT + 2, q] = (
                of.plot_range[i],
                of.plot_azimuth[i],
                of.plot_h_baro[i],
            )
            for c in range(of.seen_sensor.shape[1]):
                s = of.seen_sensor[i, c]
                into.seen[k, c] = -1
                if s >= 0:
                    limit = HELD_TURNS * period[s] if math.isfinite(period[s]) else HELD_S
                    if (t_ns[k] - time_of(of.seen_hit[i, c], t_ns[k]) - STEP_NS) * 1e-9 <= limit:
                        into.seen[k, c] = s
            for c in range(of.t_technology.shape[1]):
                into.technology[k, c] = of.t_technology[i, c]
            into.bytes[0, k], into.bytes[1, k] = of.status[i], 1 if source == PRESSURE else 0
            into.bytes[2, k], into.on_ground[k] = of.category[i], of.on_ground[i]
            into.callsign[k] = of.callsign[i]
        show_angles(out, count)
        for c in range(COLUMNS):
            column = into.floats[c, begin : begin + count]
            for q in range(count):
                column[q] = out[c, q]
        for k in range(begin, begin + count):
            i = index[k]
            into.longs[0, k], into.longs[1, k], into.longs[2, k] = of.number[i], of.t_plot[i], of.t_first[i]
            into.ints[0, k], into.ints[1, k], into.ints[2, k] = of.mode_3a[i], of.address[i], of.plots[i]
            into.ints[3, k], into.ints[4, k] = of.plot_sensor[i], of.plot_mode_3a[i]


@jit
def find_shown(
    n: int, existence: F64, status: U8, touched: U8, least: float, index: I64, changed: I64
) -> tuple[int, int]:
    """List the tracks worth showing, and which of these changed; return how many of each.

    Parameters
    ----------
    n : rows of the store in use; existence, status : columns of the store
    touched : (cap,) bool; least : existence from which a tentative track is shown
    index : (n,) int64, overwritten with rows; changed : (n,) int64, overwritten with places in `index`
    """
    count, moved = 0, 0
    for i in range(n):
        if status[i] == ENDED or (status[i] == TENTATIVE and existence[i] < least):
            continue
        index[count] = i
        if touched[i]:
            changed[moved] = count
            moved += 1
        count += 1
    return count, moved
