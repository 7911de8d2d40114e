"""Tracks as the picture shows them: one mean and covariance each, in degrees of freedom a reader knows."""

import math
from typing import Final, NamedTuple

from airpicture.kernels._jit import jit, lane, part, prefetch
from airpicture.kernels._vectors import hand_on, settled
from airpicture.kernels.abreast import (
    ABREAST,
    DT,
    HEIGHT,
    LASTS,
    MEAN,
    MODES,
    ONE,
    SPREAD,
    TURNED,
    UP,
    Abreast,
    load_abreast,
    load_noise,
    predict_abreast,
    sum_up,
    triple,
)
from airpicture.kernels.angles import angle_of
from airpicture.kernels.arrays import F64, I8, I32, I64, U8, U64, table
from airpicture.kernels.bank import turn_rates
from airpicture.kernels.elementary import exponential
from airpicture.kernels.lanes import Covariance, Six, Symmetric, U, Vector, covariance_at, dot, state_at
from airpicture.kernels.layout import D_BARO, LEFT, RIGHT, VAR_BARO, VAR_COMMON
from airpicture.kernels.learn import NO_HEIGHT, PRESSURE, Held
from airpicture.kernels.life import ENDED, TENTATIVE
from airpicture.kernels.ticks import STEP_NS, time_of

O_EXISTENCE = U(0)  # rows of the table of floats
O_LAT = U(1)  # rad
O_LON = U(2)
O_H = U(3)  # m
O_H_BARO = U(4)  # m
O_V = U(5)  # east, north, up [m/s]
O_V_NORTH = U(6)
O_V_UP = U(7)
O_SIGMA = U(8)  # east, north, up [m]
O_SIGMA_NORTH = U(9)
O_SIGMA_UP = U(10)
O_RHO = U(11)
O_SIGMA_V = U(12)  # east, north, up [m/s]
O_SIGMA_V_NORTH = U(13)
O_SIGMA_V_UP = U(14)
O_A = U(15)  # east, north [m/s²]
O_A_NORTH = U(16)
O_LEFT = U(17)  # probabilities of the turn models
O_RIGHT = U(18)
O_PLOT = U(19)  # range [m], azimuth [rad], pressure altitude [m] of the last plot
O_PLOT_AZIMUTH = U(20)
O_PLOT_H_BARO = U(21)
COLUMNS: Final = 22

HELD_TURNS: Final = 2.5  # a turning sensor counts as holding a track this many turns after its last plot
HELD_S: Final = 15.0  # s, likewise for others
HEIGHT_AGE_MOST: Final = 120.0  # s; a height not told for longer isn't known: climbs and descents last minutes

BLOCK: Final = 64  # rows that are laid out as columns in cache, then handed on column by column
AHEAD: Final = 16  # rows that memory is asked for while others are worked out
SOON: Final = 128  # rows of which nothing but whether they are worth showing is asked
STATE_LINES: Final = 10  # lines of the cache that a track's states take ...
SIDE_LINES: Final = 4  # ... and what else is known of it
NEXT = U(BLOCK)  # from one number that is shown to the next

COMMON = U(ABREAST * VAR_COMMON)  # places in `Abreast.T`
VARS_BARO = U(ABREAST * VAR_BARO)
D_BAROS = U(ABREAST * D_BARO)


@table
class Shown(NamedTuple):
    """What a picture holds of its tracks, in tables of columns; which is which stands in `picture.snapshot`.

    Rows may have more room than there are tracks, so that each starts a line of the cache.
    """

    floats: F64  # (COLUMNS, n)
    longs: I64  # (5, n): time, number, time of the last plot, of the first, and ...
    callsign: U64  # (n,) ... the last row of longs, as what it is
    ints: I32  # (5, n): Mode A, address, plots, sensor and Mode A of the last plot
    bytes: U8  # (4, n): status, whether the height rests on pressure, emitter category, and ...
    on_ground: I8  # (n,) ... the last row of bytes, as what it is
    technology: I64  # (n, technologies)
    seen: I32  # (n, SEEN)


@lane
def _through(S: Symmetric, d: Vector) -> Vector:
    """Return the product of a 3 x 3 covariance and a direction."""
    x, y, z = d
    return S[0] * x + S[1] * y + S[3] * z, S[1] * x + S[2] * y + S[4] * z, S[3] * x + S[4] * y + S[5] * z


@lane
def _sigmas(S: Symmetric, e: Vector, n: Vector, u: Vector, more: float) -> tuple[float, float, float, float]:
    """Return sigmas east, north and up, with some variance more for the first two, and their correlation."""
    by_n = _through(S, n)
    east = math.sqrt(max(dot(e, _through(S, e)) + more, 0.0))
    north = math.sqrt(max(dot(n, by_n) + more, 0.0))
    up = math.sqrt(max(dot(u, _through(S, u)), 0.0))
    both = east * north
    return east, north, up, min(max(dot(e, by_n) / both, -1.0), 1.0) if both > 0.0 else 0.0


@lane
def show(out: F64, at: U, step: U, mean: Six, whole: Covariance, u: Vector, var_common: float) -> None:
    """Write mean and covariance (ECEF) as latitude, longitude, velocity, sigmas and rho, east, north and up.

    out : overwritten, number O_... at out[at + step O_...]
    u : vertical at the mean; var_common : see `layout.VAR_COMMON`
    """
    x, y, _, vx, vy, vz = mean
    w = math.sqrt(x * x + y * y)
    cos_lon, sin_lon = (x / w, y / w) if w > 0.0 else (1.0, 0.0)
    cos_lat, sin_lat = u[0] * cos_lon + u[1] * sin_lon, u[2]
    e, n = (-sin_lon, cos_lon, 0.0), (-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat)
    out[at + step * O_LAT], out[at + step * O_LON] = angle_of(sin_lat, cos_lat), angle_of(sin_lon, cos_lon)
    v = (vx, vy, vz)
    out[at + step * O_V], out[at + step * O_V_NORTH], out[at + step * O_V_UP] = dot(v, e), dot(v, n), dot(v, u)
    places = (whole[0], whole[1], whole[2], whole[3], whole[4], whole[5])
    speeds = (whole[9], whole[13], whole[14], whole[18], whole[19], whole[20])
    east, north, up, rho = _sigmas(places, e, n, u, var_common)
    out[at + step * O_SIGMA], out[at + step * O_SIGMA_NORTH], out[at + step * O_SIGMA_UP] = east, north, up
    out[at + step * O_RHO] = rho
    east, north, up, _ = _sigmas(speeds, e, n, u, 0.0)
    out[at + step * O_SIGMA_V], out[at + step * O_SIGMA_V_NORTH], out[at + step * O_SIGMA_V_UP] = east, north, up


@lane
def show_turn(out: F64, at: U, step: U, straight: float, left: float, right: float, turned: float, motion: F64) -> None:
    """Write the acceleration of what `show` wrote, by the turn models' probabilities, and these.

    turned : see `bank.turn_rates`; motion : (MOTION,)
    """
    east, north = out[at + step * O_V], out[at + step * O_V_NORTH]
    to_left, to_right = turn_rates(turned, straight, max(math.sqrt(east * east + north * north), 1e-3), motion)
    omega = to_left * left - to_right * right
    out[at + step * O_A], out[at + step * O_A_NORTH] = -omega * north, omega * east
    out[at + step * O_LEFT], out[at + step * O_RIGHT] = left, right


@lane
def _show_one(T: F64, V: F64, b: U, out: F64, at: U, motion: F64) -> None:
    """Show one of the tracks that are predicted and summed up, from out[at] on."""
    up = triple(V, UP + b)
    show(out, at, NEXT, state_at(V, MEAN + b, ONE), covariance_at(V, SPREAD + b, ONE), up, T[COMMON + b])
    out[at + NEXT * O_H] = V[HEIGHT + b]
    out[at + NEXT * O_EXISTENCE] = exponential(V[LASTS + b])
    left, right = T[MODES + U(ABREAST * LEFT) + b], T[MODES + U(ABREAST * RIGHT) + b]
    show_turn(out, at, NEXT, T[MODES + b], left, right, T[TURNED + b], motion)


@part
def _show_held(i: int, t_ns: int, of: Held, var_baro: float, offset: float, out: F64, at: U) -> None:
    """Write track i's numbers that its states don't tell, from out[at] on; take back a height that nothing measured.

    One that rests on pressure is given the doubt of the weather.
    """
    out[at + NEXT * O_EXISTENCE] *= of.existence[i]
    out[at + NEXT * O_PLOT], out[at + NEXT * O_PLOT_AZIMUTH] = of.plot_range[i], of.plot_azimuth[i]
    out[at + NEXT * O_PLOT_H_BARO] = of.plot_h_baro[i]
    source = int(of.h_source[i])
    if source == NO_HEIGHT or (t_ns - of.t_height[i]) * 1e-9 > HEIGHT_AGE_MOST:
        out[at + NEXT * O_H] = out[at + NEXT * O_H_BARO] = out[at + NEXT * O_V_UP] = math.nan
        out[at + NEXT * O_SIGMA_UP] = out[at + NEXT * O_SIGMA_V_UP] = math.nan
        return
    out[at + NEXT * O_H_BARO] = out[at + NEXT * O_H] - offset if of.has_baro[i] == 1 else math.nan
    if source == PRESSURE:
        sigma = out[at + NEXT * O_SIGMA_UP]
        out[at + NEXT * O_SIGMA_UP] = math.sqrt(sigma * sigma + var_baro)


@part
def _show_seen(k: int, i: int, t_ns: int, of: Held, period: F64, seen: I32) -> None:
    """Write which sensors hold track i to row k of seen."""
    for c in range(of.seen_sensor.shape[1]):
        s = of.seen_sensor[i, c]
        seen[k, c] = -1
        if s >= 0:
            limit = HELD_TURNS * period[s] if math.isfinite(period[s]) else HELD_S
            if (t_ns - time_of(of.seen_hit[i, c], t_ns) - STEP_NS) * 1e-9 <= limit:
                seen[k, c] = s


@part
def _copy(k: int, i: int, t_ns: int, of: Held, into: Shown) -> None:
    """Write what a picture shows of track i as it stands in the store to row k."""
    for c in range(of.t_technology.shape[1]):
        into.technology[k, c] = of.t_technology[i, c]
    into.bytes[0, k], into.bytes[1, k] = of.status[i], 1 if of.h_source[i] == PRESSURE else 0
    into.bytes[2, k], into.on_ground[k] = of.category[i], of.on_ground[i]
    into.longs[0, k], into.longs[1, k] = t_ns, of.number[i]
    into.longs[2, k], into.longs[3, k], into.callsign[k] = of.t_plot[i], of.t_first[i], of.callsign[i]
    into.ints[0, k], into.ints[1, k], into.ints[2, k] = of.mode_3a[i], of.address[i], of.plots[i]
    into.ints[3, k], into.ints[4, k] = of.plot_sensor[i], of.plot_mode_3a[i]


@part
def _hand_over(laid: Shown, into: Shown, begin: int, count: int, past: bool) -> None:
    """Write the first rows of a block to rows begin.. of a picture; past the caches if said, and if it's whole."""
    past = past and count == BLOCK
    for c in range(laid.floats.shape[0]):
        hand_on(laid.floats[c:], into.floats, c, begin, count, past)
    for c in range(laid.longs.shape[0]):
        hand_on(laid.longs[c:], into.longs, c, begin, count, past)
    for c in range(laid.ints.shape[0]):
        hand_on(laid.ints[c:], into.ints, c, begin, count, past)
    for c in range(laid.bytes.shape[0]):
        hand_on(laid.bytes[c:], into.bytes, c, begin, count, past)
    hand_on(laid.technology, into.technology, begin, 0, count * laid.technology.shape[1], past)
    hand_on(laid.seen, into.seen, begin, 0, count * laid.seen.shape[1], past)


@part
def _ask_ahead(i: int, of: Held) -> None:
    """Ask memory for all that will be shown of track i, a track at a time, while what isn't vectors is worked out.

    Measured: asked for eight tracks at once, before the vectors, a picture takes a quarter longer.
    """
    for c in range(STATE_LINES):
        prefetch(of.states, i, 8 * c)
    for c in range(SIDE_LINES):
        prefetch(of.side, i, 8 * c)


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
    past: bool,
    w: Abreast,
    laid: Shown,
    out: F64,
) -> None:
    """Predict the chosen tracks to the given times and write what a picture shows.

    Parameters
    ----------
    index : (n,) int64, rows of the store; t_ns : (n,) int64 [ns], the times, or (1,), that of all
    lo, hi : the part of them to do; lo a multiple of BLOCK
    of : store
    period : (S,) float64 [s], NaN for sensors that don't turn; motion : (MOTION,) float64
    lifetime : s, mean time that a target stays
    into : overwritten in columns (or rows) lo..hi
    past : whether it's written past the caches; all columns must then start a line
    w, laid : workspaces of one thread, the latter of BLOCK rows; out : (COLUMNS * BLOCK,) float64, laid.floats again
    """
    load_noise(motion, w)
    each = 1 if len(t_ns) > 1 else 0
    for begin in range(lo, hi, BLOCK):
        count = min(BLOCK, hi - begin)
        for first in range(0, count, ABREAST):
            eight = min(ABREAST, count - first)
            for b in range(ABREAST):
                k = begin + first + min(b, eight - 1)  # the last once more in the places of those that aren't
                w.rows[b] = index[k]
                w.V[int(DT) + b] = max(t_ns[each * k] - of.t_ns[index[k]], 0) * 1e-9
                w.V[int(LASTS) + b] = -max(t_ns[each * k] - of.t_aged[index[k]], 0) * 1e-9 / lifetime
            load_abreast(of.states, of.spreads, w)
            for ahead in range(2):  # one place for both: what's called twice is compiled twice
                if ahead == 1:
                    predict_abreast(motion, w)
                sum_up(w, ahead == 0)
            for b in range(w.tracks):
                _show_one(w.T, w.V, b, out, U(first) + b, motion)
            for b in range(eight):
                _ask_ahead(index[min(begin + first + AHEAD + b, hi - 1)], of)
                at, i, now = first + b, w.rows[b], t_ns[each * (begin + first + b)]
                _show_held(i, now, of, w.T[int(VARS_BARO) + b], w.T[int(D_BAROS) + b], out, U(at))
                _show_seen(at, i, now, of, period, laid.seen)
                _copy(at, i, now, of, laid)
        _hand_over(laid, into, begin, count, past)
    settled()


@jit
def find_shown(
    lo: int, hi: int, existence: F64, status: U8, touched: U8, least: float, index: I64, changed: I64
) -> tuple[int, int]:
    """List the tracks worth showing, and which of these changed; return how many of each.

    Parameters
    ----------
    lo, hi : rows of the store to look at; existence, status : of the store
    touched : (cap,) bool; least : existence from which a tentative track is shown
    index : (n,) int64, overwritten from lo on with rows; changed : (n,) int64, likewise with places among these
    """
    count, moved = 0, 0
    for i in range(lo, hi):
        later = min(i + SOON, hi - 1)
        prefetch(existence, later if status[later] == TENTATIVE else lo, 0)
        weak = status[i] == TENTATIVE
        sure = existence[i if weak else lo] >= least  # of who needn't be asked, one that's in the cache
        shown = (status[i] != ENDED) & (not weak or sure)
        index[lo + count], changed[lo + moved] = i, count  # without branches: who is shown can't be foreseen
        count += 1 if shown else 0
        moved += 1 if shown & (touched[i] != 0) else 0
    return count, moved
