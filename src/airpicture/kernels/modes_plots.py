"""Decoded messages as rows of plots: which make one, and what each says in SI units and radians.

    position          lat, lon, sigma; height; callsign, category and Mode A code as last heard; on the ground also
                      velocity
    velocity          v_east, v_north, v_up, sigma_v
    altitude reply    h_baro; with register 5,0 velocity and turn rate, with 6,0 climb
    identity reply    mode_3a; likewise
    all               whether it's on the ground, where its message says so; not what others make of its height

A row tells what its own message says, so that nothing is counted twice. Left out is what has no address that an
aircraft owns (but for positions, which stand for themselves), what was refused, and repetitions.
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.kernels import modes_columns as col
from airpicture.kernels._jit import jit, part
from airpicture.kernels.arrays import table
from airpicture.kernels.modes_clock import FROM_MLAT
from airpicture.kernels.modes_columns import F64, I8, I32, I64, U8, Columns

RAD: Final = math.pi / 180.0
M_PER_FT: Final = 0.3048
MPS_PER_KT: Final = 1852.0 / 3600.0
MPS_PER_FPM: Final = 0.3048 / 60.0
H_BARO_FT_MIN: Final = -10_000.0  # the limits of the plots schema: beyond, a height is no height
H_BARO_FT_MAX: Final = 1_000_000.0


@table
class Rows(NamedTuple):
    """Columns of plots, room for N rows; see ``tables.Plots`` for their meaning."""

    t_ns: I64
    computed: U8  # 1 where a network computed the position
    lat: F64
    lon: F64
    h_ell: F64
    h_baro: F64
    sigma_pos: F64
    mode_3a: I32
    address: I32
    callsign: I64
    v_east: F64
    v_north: F64
    v_up: F64
    sigma_v: F64
    turn_rate: F64
    on_ground: I8
    category: U8
    squit: U8  # 1 an extended squitter, 0 a reply


@part
def trimmed(callsign: Any) -> Any:
    """Return packed characters without the spaces at their end."""
    for place in range(8):
        if callsign & (np.int64(0xFF) << (8 * place)) != np.int64(0x20) << (8 * place):
            break
        callsign &= ~(np.int64(0xFF) << (8 * place))
    return callsign


@part
def told_of(category: Any) -> Any:
    """Say whether an emitter category names a kind of target; the zeroth of each set is "no information"."""
    return category > 0 and category & 7 != 0


@part
def tells(columns: Columns, k: Any, sure: Any) -> Any:
    """Say whether a message without a place says something that may be used."""
    reals = columns.reals
    if not math.isnan(reals[col.H_BARO_FT, k]) or columns.codes[col.SQUAWK, k] >= 0:
        return True
    if not sure:
        return False
    moves = not math.isnan(reals[col.EAST_KT, k]) or not math.isnan(reals[col.RATE_FPM, k])
    return moves or not math.isnan(reals[col.TURN_DPS, k]) or not math.isnan(reals[col.RATE_INERTIAL_FPM, k])


@part
def sigma_of(columns: Columns, k: Any, sigma_nacp: F64, rayleigh: Any) -> Any:
    """Return the standard deviation per axis [m] of a position, from the best that is told.

    NACp bounds 95 % of the errors. Where it wasn't heard: the bound that goes with NUCp; else half the containment
    radius, as NUCp's bounds have it (DO-260, table 2-11). NaN where the type code says "unknown".
    """
    nacp = np.int64(columns.codes[col.NACP, k])
    if 0 < nacp < sigma_nacp.shape[0]:
        return sigma_nacp[nacp]
    bound = np.float64(columns.reals[col.HFOM_M, k])
    if math.isnan(bound):
        bound = 0.5 * columns.reals[col.RC_M, k]
    return bound / rayleigh


@jit
def fill_rows(
    columns: Columns,
    t_ns: I64,
    origin: U8,
    sigma_nacp: F64,
    sigma_nacv: F64,
    rayleigh: Any,
    confidence: Any,
    with_computed: Any,
    rows: Rows,
) -> Any:
    """Fill rows of plots, in the order of the messages, and return their number.

    Parameters
    ----------
    columns, t_ns, origin : of N messages
    sigma_nacp, sigma_nacv : (12,), (8,) standard deviations per axis [m], [m/s]
    rayleigh : a bound of 95 % over a standard deviation per axis
    confidence : a register less sure than this makes no plot
    with_computed : whether positions that a network computed make one
    rows : overwritten
    """
    codes, reals = columns.codes, columns.reals
    n = np.int64(0)
    for k in range(t_ns.shape[0]):
        became = codes[col.BECAME, k]
        place = became == col.POSITION
        own = codes[col.ANONYMOUS, k] != 1 and codes[col.ADDRESS, k] >= 0
        if t_ns[k] < 0 or not (
            place or ((became == col.VELOCITY or became == col.HEIGHT or became == col.CODE) and own)
        ):
            continue
        sure = not reals[col.CONFIDENCE, k] < confidence  # NaN: nothing was inferred
        computed = origin[k] == FROM_MLAT
        if (computed and not with_computed) or not (place or tells(columns, k, sure)):
            continue
        rows.t_ns[n] = t_ns[k]
        rows.computed[n] = computed
        rows.squit[n] = codes[col.SOURCE, k] != col.TRANSPONDER
        rows.address[n] = codes[col.ADDRESS, k] if own else -1
        rows.mode_3a[n] = codes[col.SQUAWK_KNOWN, k] if place else codes[col.SQUAWK, k]
        rows.callsign[n] = trimmed(columns.callsign_known[k])
        rows.on_ground[n] = codes[col.GROUND, k]
        category = codes[col.CATEGORY_KNOWN, k]
        rows.category[n] = category if told_of(category) else 0
        rows.lat[n] = columns.lat[k] * RAD
        rows.lon[n] = columns.lon[k] * RAD
        h_baro: Any = np.float64(reals[col.H_BARO_FT, k])
        h_baro = h_baro if H_BARO_FT_MIN <= h_baro <= H_BARO_FT_MAX else math.nan
        h_ell: Any = np.float64(reals[col.H_ELL_FT, k])
        rows.h_baro[n] = h_baro * M_PER_FT
        rows.sigma_pos[n] = math.nan
        if place:
            if math.isnan(h_ell):
                h_ell = h_baro + reals[col.DIFF_FT, k]
            if not computed:
                rows.sigma_pos[n] = sigma_of(columns, k, sigma_nacp, rayleigh)
        rows.h_ell[n] = h_ell * M_PER_FT
        nacv = np.int64(codes[col.NACV, k])
        rows.sigma_v[n] = sigma_nacv[nacv] if 0 <= nacv < sigma_nacv.shape[0] else math.nan
        climb = np.float64(reals[col.RATE_INERTIAL_FPM, k])  # of register 6,0 the steadier of its two
        climb = np.float64(reals[col.RATE_FPM, k]) if math.isnan(climb) else climb
        rows.v_east[n] = reals[col.EAST_KT, k] * MPS_PER_KT if sure else math.nan
        rows.v_north[n] = reals[col.NORTH_KT, k] * MPS_PER_KT if sure else math.nan
        rows.v_up[n] = climb * MPS_PER_FPM if sure else math.nan
        rows.turn_rate[n] = -reals[col.TURN_DPS, k] * RAD if sure else math.nan
        n += 1
    return n
