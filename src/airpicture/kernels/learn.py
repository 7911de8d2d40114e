"""What tracks learn from looks and plots besides their states: when and by whom they were seen, codes, status.

A frame mostly brings a handful of plots. Written as array expressions this is some hundred calls a frame, whose fixed
cost outweighs all arithmetic of tracking; here it's one loop over the few tracks that a look touched.
"""

import math
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from airpicture.kernels._jit import inline, jit, lane, part
from airpicture.kernels.angles import angle_of
from airpicture.kernels.arrays import F32, F64, I8, I32, I64, U8, U64, ruled
from airpicture.kernels.begin import SAME_ADDRESS, SAME_CODE
from airpicture.kernels.elementary import exponential
from airpicture.kernels.lanes import U, Vector
from airpicture.kernels.layout import (
    EXISTENCE,
    M_TURN_SECONDS,
    NUMBERS,
    OTHERS,
    POLAR,
    POSITION,
    S_POSITION,
    S_VELOCITY,
    SHARED,
    SHARED_FADES,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_P,
)
from airpicture.kernels.life import COASTING, CONFIRMED
from airpicture.kernels.records import store_factors, store_states
from airpicture.kernels.ticks import ticks_of, time_of
from airpicture.kernels.vertical import upright

EXISTENCE_MOST: Final = 0.998  # belief that four missed looks in a row at Pd 0.9 bring below the retiring threshold
DETECT_ANY_TIME: Final = 0.05  # that a sensor without turns reports a target in just this frame of 0.25 s
DETECT_AGAIN: Final = 0.02  # chance of a second plot in one turn: split plots, side lobes
ANOTHER_LOOK: Final = 0.5  # of a turn since the last plot, from which a look is a new one
TAKEN: Final = 0.5  # weight from which a plot counts as the track's own
MOVED: Final = 1e-4  # likewise, from which a plot moved the state at all
GAP_LEAST: Final = 0.02  # s; plots of one instant (two sensors, two messages) say nothing of the interval
GAP_MOST: Final = 60.0  # s
Said: TypeAlias = tuple[int, int, float, float]  # time [ns], technology, range [m] and azimuth [rad] as measured

GAIN_INTERVAL: Final = 0.2  # the mean interval follows some five plots

OTHER_ADDRESS: Final = -7.0  # log ratio: one reply in a thousand carries a wrong address ...
OTHER_ADDRESS_SAID: Final = -16.0  # ... and one squitter in 2^24: 24 bits of parity vouch for it
SAID: Final = 3  # tables.Technology.ADS
FRESH: Final = 2.5  # intervals since the last plot, up to which a track counts as coming in under its own address
INTERVAL_LEAST: Final = 1.0  # s
OTHER_CODE: Final = -2.5  # garbled or changed Mode A codes are common: some 2 % of replies, more in crowds
SAME_CALLSIGN: Final = 3.0
AGREE: Final = (3, 2, 3)  # plots in a row before address, code, callsign change
SHARED_CODES: Final = (0o0000, 0o1000, 0o1200, 0o2000, 0o7000, 0o7500, 0o7600, 0o7700)  # name nobody

TURN_MOST: Final = 0.12  # rad/s, fastest turn of the course that is taken for one: 7 degrees a second
ACCELERATION_MOST: Final = 90.0  # m/s² across, likewise
SLOW: Final = 15.0  # m/s; the course of a target much slower than this is noise

NO_HEIGHT: Final = 0  # what a height rests on
PRESSURE: Final = 1
GEOMETRIC: Final = 2
ELEVATION: Final = 3


@ruled
class Held(NamedTuple):
    """All columns of the store, as kernels take them; shapes and units stand there."""

    states: F64  # (cap, RECORD) see `records`
    spreads: F32  # (cap, 2 RECORD) the same memory
    number: I64  # (cap,), a column of it
    last_p: F64  # (cap, 3), likewise
    summary: F32  # (cap, SUMMARY)
    side: U64  # (cap, SIDE) words of all that follows, but for t_ns, status and due_ns, which stand by themselves
    t_ns: I64  # (cap,), as all that name no shape
    existence: F64
    status: U8
    due_ns: I64
    t_plot: I64
    t_first: I64
    t_aged: I64
    t_height: I64
    t_heard: I64
    t_technology: I64  # (cap, technologies)
    plots: I32
    misses: I32
    rivalry: I32
    seen_sensor: I32  # (cap, SEEN)
    seen_look: I32  # (cap, SEEN) `ticks`
    seen_hit: I32  # (cap, SEEN) `ticks`
    interval: F32
    address: I32
    mode_3a: I32
    callsign: U64
    doubt: U8  # (cap, 3)
    h_source: U8
    has_baro: U8
    on_ground: I8
    category: U8
    plot_sensor: I32
    plot_range: F64
    plot_azimuth: F64
    plot_h_baro: F64
    plot_mode_3a: I32


@inline
def place_of(i: int, sensor: int, seen_sensor: I32) -> int:
    """Return where track i keeps when a sensor had it, -1 where it doesn't: mostly the first place.

    Places are taken in order, and kept: behind a free one all are.
    """
    for k in range(seen_sensor.shape[1]):
        at = seen_sensor[i, k]
        if at == sensor:
            return k
        if at < 0:
            break
    return -1


@inline
def _in_this_turn(tick: int, t_ns: int, turn: float) -> bool:
    """Say whether a time in `ticks` lies in the turn of a sensor that t_ns lies in."""
    return bool(abs(t_ns - time_of(tick, t_ns)) < ANOTHER_LOOK * 1e9 * turn)


@part
def chances_of(i: int, t_ns: int, sensor: int, turn: float, pd: float, of: Held) -> tuple[float, float]:
    """Return the probability that a sensor reports track i in a look, and that it's its first plot, were it there.

    A turning sensor that has already had the track in this turn hardly reports it a second time. Where this turn
    already brought a plot, another is hardly to be expected; where the track was only looked at for its neighbours'
    plots, its own is still to come.
    """
    if not turn > 0.0:
        anyhow = min(DETECT_ANY_TIME, pd)
        return anyhow, anyhow
    k = place_of(i, sensor, of.seen_sensor)
    if k < 0:
        return pd, pd
    looked, had = _in_this_turn(of.seen_look[i, k], t_ns, turn), _in_this_turn(of.seen_hit[i, k], t_ns, turn)
    return DETECT_AGAIN if looked else pd, DETECT_AGAIN if had else pd


@inline
def _names_somebody(code: int) -> bool:
    """Say whether a Mode A code is a discrete one."""
    named = code >= 0
    for shared in SHARED_CODES:
        if code == shared:
            named = False
    return named


@part
def identity_of(i: int, of: Held, t_ns: int, address: int, mode_3a: int, callsign: U64, technology: int) -> float:
    """Return the log ratio that a plot's codes add to its being track i's; minus infinity forbids it."""
    if of.address[i] >= 0 and address >= 0:
        if of.address[i] == address:
            return SAME_ADDRESS
        if (t_ns - of.t_plot[i]) * 1e-9 < FRESH * max(np.float64(of.interval[i]), INTERVAL_LEAST):
            # while a track keeps coming in under its own address, a plot of another one is another aircraft's
            return -math.inf
        return OTHER_ADDRESS_SAID if technology == SAID else OTHER_ADDRESS
    score = 0.0
    if _names_somebody(of.mode_3a[i]) and _names_somebody(mode_3a):
        score = SAME_CODE if of.mode_3a[i] == mode_3a else OTHER_CODE
    if of.callsign[i] != 0 and of.callsign[i] == callsign:
        score += SAME_CALLSIGN
    return score


@inline
def _doubt(missing: bool, vacant: bool, same: bool, doubt: int) -> int:
    """Return for how many plots in a row a code has been contradicted, after one more."""
    if missing:
        return doubt
    return 0 if vacant or same else min(doubt + 1, 255)


@part
def _identify(i: int, address: int, mode_3a: int, callsign: U64, of: Held) -> None:
    """Let track i learn the codes of a plot: one it had none of at once, another than it has when several agree."""
    doubt = _doubt(address == -1, of.address[i] == -1, address == of.address[i], int(of.doubt[i, 0]))
    if address != -1 and (of.address[i] == -1 or doubt >= AGREE[0]):
        of.address[i] = address
        doubt = 0
    of.doubt[i, 0] = doubt
    doubt = _doubt(mode_3a == -1, of.mode_3a[i] == -1, mode_3a == of.mode_3a[i], int(of.doubt[i, 1]))
    if mode_3a != -1 and (of.mode_3a[i] == -1 or doubt >= AGREE[1]):
        of.mode_3a[i] = mode_3a
        doubt = 0
    of.doubt[i, 1] = doubt
    doubt = _doubt(callsign == 0, of.callsign[i] == 0, callsign == of.callsign[i], int(of.doubt[i, 2]))
    if callsign != 0 and (of.callsign[i] == 0 or doubt >= AGREE[2]):
        of.callsign[i] = callsign
        doubt = 0
    of.doubt[i, 2] = doubt


@inline
def height_source(Z: F64, j: int, before: int) -> int:
    """Return what a height rests on after plot j.

    A reported height ties the track to the ellipsoid for good. Pressure is far sharper than elevation, so that from
    then on the height is the pressure's, with the weather's doubt.
    """
    if math.isfinite(Z[j, Z_H]):
        return GEOMETRIC
    if math.isfinite(Z[j, Z_H_BARO]) and before != GEOMETRIC:
        return PRESSURE
    return ELEVATION if math.isfinite(Z[j, Z_ELEVATION]) and before == NO_HEIGHT else before


@part
def _note_height(i: int, Z: F64, j: int, t: int, of: Held) -> None:
    """Note what plot j of time t says of the height of track i."""
    of.h_source[i] = height_source(Z, j, int(of.h_source[i]))
    if height_source(Z, j, NO_HEIGHT) != NO_HEIGHT:
        of.t_height[i] = max(of.t_height[i], t)
    if math.isfinite(Z[j, Z_H_BARO]):
        of.has_baro[i] |= 1


@part
def _note_place(i: int, Z: F64, j: int, of: Held) -> None:
    """Note where the last plot of track i was; a slant range without a height says so only vaguely."""
    kind = int(Z[j, Z_KIND])
    placed = kind == POSITION or (kind == POLAR and height_source(Z, j, NO_HEIGHT) != NO_HEIGHT)
    for c in range(3):
        of.last_p[i, c] = Z[j, Z_P + c] if placed else 0.0


@part
def _note_nature(i: int, R: Any, j: int, of: Held) -> None:
    """Note what plot or message j says of what track i is, and whether it stands on the ground.

    The newest word holds: an aircraft that takes off says so at once. A plot that says nothing takes nothing back. What
    another address says isn't of this track.
    """
    if R.address[j] >= 0 and R.address[j] != of.address[i]:
        return
    if R.on_ground[j] >= 0:
        of.on_ground[i] = R.on_ground[j]
    if R.category[j] != 0:
        of.category[i] = R.category[j]


@part
def learn_message(i: int, R: Any, j: int, of: Held) -> None:
    """Let track i learn from message j what it says of codes and height, and that the target still transmits."""
    t = R.t_ns[j]
    if t >= of.t_heard[i] and t >= of.t_plot[i]:
        _note_nature(i, R, j, of)
    of.t_heard[i] = max(of.t_heard[i], t)
    _identify(i, -1, R.mode_3a[j], R.callsign[j], of)  # the address is how it came here: no evidence of its own
    _note_height(i, R.Z, j, t, of)


@part
def _look(i: int, k: int, t_ns: int, turn: float, taken: bool, of: Held) -> None:
    """Note that track i had plots in its gate, taken or not: it has had its look, existence has been told.

    The look counts as missed where a turning sensor should have seen the track, and hasn't yet in this turn.
    k : see `place_of`
    """
    if k < 0:
        return
    again = turn > 0.0 and _in_this_turn(of.seen_look[i, k], t_ns, turn)
    if t_ns > time_of(of.seen_look[i, k], t_ns):
        of.seen_look[i, k] = ticks_of(t_ns)
    if turn > 0.0 and not taken and not again:
        of.misses[i] += 1


@inline
def shared_after(shared: float, same_sensor: bool, same_technology: bool) -> float:
    """Return SHARED after one more plot."""
    faded = max(shared - SHARED_FADES, 0.0)
    if same_sensor:
        return faded
    return max(faded, OTHERS) if same_technology else 2.0 * OTHERS


@part
def _note_sensor(i: int, sensor: int, same: bool, of: Held) -> None:
    """Note whose plot track i took last, and whether of late they were of several sensors, or technologies.

    same : whether it's of the technology of the plot before
    """
    shared = shared_after(np.float64(of.spreads[i, NUMBERS + SHARED]), of.plot_sensor[i] == sensor, same)
    of.spreads[i, NUMBERS + SHARED] = shared
    of.plot_sensor[i] = sensor


@part
def _seen(i: int, slot: int, t_ns: int, sensor: int, of: Held) -> None:
    """Note that a sensor had track i: in its own place, else in a free one, else in that of the longest silent.

    slot : see `place_of`; there `_look` has noted the look
    """
    if slot >= 0:
        if t_ns > time_of(of.seen_hit[i, slot], t_ns):
            of.seen_hit[i, slot] = ticks_of(t_ns)
        return
    slot = 0
    for k in range(of.seen_sensor.shape[1] - 1, -1, -1):
        if of.seen_sensor[i, k] < 0:
            slot = k
    if of.seen_sensor[i, slot] >= 0:
        for k in range(1, of.seen_sensor.shape[1]):
            if time_of(of.seen_hit[i, k], t_ns) < time_of(of.seen_hit[i, slot], t_ns):
                slot = k
    of.seen_sensor[i, slot] = sensor
    of.seen_look[i, slot] = ticks_of(t_ns)
    of.seen_hit[i, slot] = ticks_of(t_ns)


@part
def turn_learnt(vx: float, vy: float, vz: float, now: F32 | F64, known: float, dt: float, motion: F64) -> float:
    """Return how fast the course of an updated track turns [rad/s], from its velocity dt seconds before and now.

    One exponential mean of the turn of the filtered course over the memory M_TURN_SECONDS. In a turn the filter's
    velocity lags, evenly, so that the rate is right though the course is late. Source: a model set that
    follows the target, Li, Bar-Shalom, "Multiple-model estimation with variable structure", IEEE TAC 41(4), 1996;
    Jilkov, Angelova, Semerdjiev, "Design and comparison of mode-set adaptive IMM algorithms for maneuvering target
    tracking", IEEE TAES 35(1), 1999.

    Parameters
    ----------
    vx ... : m/s, ECEF, before; now : (SUMMARY,) float32, the track's summary; known : rad/s, what was held so far
    """
    up = upright(np.float64(now[S_POSITION]), np.float64(now[S_POSITION + 1]), np.float64(now[S_POSITION + 2]))
    w = (np.float64(now[S_VELOCITY]), np.float64(now[S_VELOCITY + 1]), np.float64(now[S_VELOCITY + 2]))
    return turned_course(up, (vx, vy, vz), w, known, dt, motion[M_TURN_SECONDS])


@lane
def turned_course(up: Vector, v: Vector, w: Vector, known: float, dt: float, memory: float) -> float:
    """Return as `turn_learnt` does from velocities v before and w now; memory : s."""
    ux, uy, uz = up
    vx, vy, vz = v
    wx, wy, wz = w
    v_up, w_up = vx * ux + vy * uy + vz * uz, wx * ux + wy * uy + wz * uz
    # of the level parts: cross product along up, and dot product
    cross = (vy * wz - vz * wy) * ux + (vz * wx - vx * wz) * uy + (vx * wy - vy * wx) * uz
    dot = vx * wx + vy * wy + vz * wz - v_up * w_up
    w2 = wx * wx + wy * wy + wz * wz - w_up * w_up
    most = min(TURN_MOST, ACCELERATION_MOST / math.sqrt(max(w2, 1.0)))
    turned = min(max(angle_of(cross, dot) / dt, -most), most)
    gain = (1.0 - exponential(-dt / memory)) * w2 / (w2 + SLOW * SLOW)
    return float(known + gain * (turned - known))


@inline
def _told_last(i: int, kind: int, t_plot: int, of: Held) -> bool:
    """Say whether no technology has told of track i later than one, of all that there are; t_plot : ns, its last plot.

    Nothing has told of it later than its last plot.
    """
    last = True
    if of.t_technology[i, kind] < t_plot:
        for k in range(of.t_technology.shape[1]):
            last = last and of.t_technology[i, k] <= of.t_technology[i, kind]
    return last


@inline
def said_by(R: Any, j: int) -> Said:
    """Return what the track that takes plot j learns of it."""
    return R.t_ns[j], int(R.technology[j]), R.slant_range[j], R.azimuth[j]


@part
def _take_plot(
    i: int, place: int, R: Any, j: int, said: Said, plain: bool, telling: bool, sensor: int,
    confirm: float, confirm_plots: float, of: Held,
) -> None:  # fmt: skip
    """Let track i learn from plot j, which it took; place : see `place_of`, the others as in `learn_track`."""
    t, kind, slant_range, azimuth = said
    before = of.t_plot[i]
    gap = max((t - before) * 1e-9, 0.0)
    if gap > GAP_LEAST:
        interval = np.float64(of.interval[i])
        gain = GAIN_INTERVAL if of.plots[i] > 1 else 1.0  # with the second plot there is one
        of.interval[i] = interval + gain * (min(gap, GAP_MOST) - interval)
    newest = t >= before
    of.t_plot[i] = max(before, t)
    of.plots[i] += 1
    of.misses[i] = 0
    _seen(i, place, t, sensor, of)
    same = False
    if kind < of.t_technology.shape[1]:
        same = _told_last(i, kind, before, of)
        of.t_technology[i, kind] = max(of.t_technology[i, kind], t)
    if telling and (R.address[j] != -1 or R.mode_3a[j] != -1 or R.callsign[j] != 0):
        _identify(i, R.address[j], R.mode_3a[j], R.callsign[j], of)
    if not plain:
        _note_height(i, R.Z, j, t, of)
    if newest:  # a plot that came late changes nothing that speaks of the last plot
        _note_sensor(i, sensor, same, of)
        if plain:
            of.last_p[i, 0], of.last_p[i, 1], of.last_p[i, 2] = 0.0, 0.0, 0.0
            of.plot_h_baro[i] = math.nan
        else:
            _note_place(i, R.Z, j, of)
            of.plot_h_baro[i] = R.Z[j, Z_H_BARO]
        of.plot_range[i], of.plot_azimuth[i] = slant_range, azimuth
        of.plot_mode_3a[i] = R.mode_3a[j] if telling else -1
        if telling and t >= of.t_heard[i]:
            _note_nature(i, R, j, of)
    sure = of.existence[i] >= confirm and of.plots[i] >= confirm_plots
    if of.status[i] == COASTING or sure:
        of.status[i] = CONFIRMED


@part
def learn_track(
    i: int,
    T: F64,
    lanes: U,
    t_ns: int,
    got: float,
    R: Any,
    j: int,
    said: Said,
    plain: bool,
    telling: bool,
    sensor: int,
    turn: float,
    confirm: float,
    confirm_plots: float,
    of: Held,
) -> None:
    """Write track i's updated state back and let it learn from the plot it took.

    Parameters
    ----------
    T : (SCRATCH,) float64, T[:ROW] the updated track, valid at t_ns, see `records.store_states`; lanes : 4
    got : probability that a plot was its own
    R : `reports.Reports`; j : the plot with the largest weight, of `sensor`; turn : s, NaN where it doesn't turn
    said : of that plot, see `said_by`: where it's plain its row and columns, elsewhere in memory, needn't be read
    plain : whether that is a range and an azimuth and nothing else, see `conditioning.plain`
    telling : whether it may say more of its target than where it is: codes, its nature
    confirm, confirm_plots : existence and number of plots from which a track is confirmed
    of : store; overwritten in row i
    """
    taken, moved = got >= TAKEN, got >= MOVED
    if moved:
        store_states(T, of.states, of.spreads, i, lanes)
        of.t_ns[i] = t_ns
    of.existence[i] = min(T[EXISTENCE], EXISTENCE_MOST)
    of.t_aged[i] = max(of.t_aged[i], t_ns)
    place = place_of(i, sensor, of.seen_sensor)
    _look(i, place, t_ns, turn, taken, of)
    if taken:
        _take_plot(i, place, R, j, said, plain, telling, sensor, confirm, confirm_plots, of)
    if moved:
        store_factors(T, of.spreads, i)


@jit
def copy_tracks(index: I64, of: Held, into: Held, at: int) -> None:
    """Copy the chosen rows of one store to rows `at` and on of another; `into` is overwritten there."""
    for k in range(len(index)):
        i, o = index[k], at + k
        for c in range(of.states.shape[1]):
            into.states[o, c] = of.states[i, c]
        for c in range(of.seen_sensor.shape[1]):
            into.seen_sensor[o, c] = of.seen_sensor[i, c]
            into.seen_look[o, c] = of.seen_look[i, c]
            into.seen_hit[o, c] = of.seen_hit[i, c]
        for c in range(of.t_technology.shape[1]):
            into.t_technology[o, c] = of.t_technology[i, c]
        for c in range(of.doubt.shape[1]):
            into.doubt[o, c] = of.doubt[i, c]
        into.t_ns[o], into.t_plot[o], into.t_height[o] = of.t_ns[i], of.t_plot[i], of.t_height[i]
        into.t_heard[o] = of.t_heard[i]
        into.existence[o], into.t_first[o], into.t_aged[o] = of.existence[i], of.t_first[i], of.t_aged[i]
        into.plots[o], into.misses[o], into.status[o] = of.plots[i], of.misses[i], of.status[i]
        into.address[o], into.mode_3a[o], into.callsign[o] = of.address[i], of.mode_3a[i], of.callsign[i]
        into.h_source[o], into.has_baro[o] = of.h_source[i], of.has_baro[i]
        into.on_ground[o], into.category[o] = of.on_ground[i], of.category[i]
        into.plot_sensor[o], into.plot_range[o] = of.plot_sensor[i], of.plot_range[i]
        into.plot_azimuth[o], into.plot_h_baro[o] = of.plot_azimuth[i], of.plot_h_baro[i]
        into.plot_mode_3a[o], into.interval[o] = of.plot_mode_3a[i], of.interval[i]
