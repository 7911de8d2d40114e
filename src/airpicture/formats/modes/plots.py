"""Decoded messages as plots: positions, and rows without a place that tell of an address.

    position          lat, lon, sigma; height; callsign and Mode A code as last heard; on the ground also velocity
    velocity          v_east, v_north, v_up, sigma_v
    altitude reply    h_baro; with register 5,0 velocity and turn rate, with 6,0 climb
    identity reply    mode_3a; likewise

A row tells what its own message says, so that nothing is counted twice. Left out is what has no address that an
aircraft owns (but for positions, which stand for themselves), what was refused, and repetitions.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.modes.table import ModesTable
from airpicture.formats.readsb import SIGMA_NACP
from airpicture.kernels import modes_columns as col
from airpicture.kernels.modes_clock import FROM_MLAT
from airpicture.tables import F64, I64, U64, Plots, Sensors, Technology
from airpicture.units import DEG, FPM, FT, KT

SURE: Final = 0.95  # a Comm-B register less sure than this makes no plot
RAYLEIGH_95: Final = math.sqrt(-2.0 * math.log(0.05))  # 95 % bound of a circle over sigma per axis
# 95 % bound of the horizontal velocity error by NACv [m/s], DO-260B 2.2.5.1.19; 0 is "unknown".
SIGMA_NACV: Final = np.array([math.nan, 10.0, 3.0, 1.0, 0.3, math.nan, math.nan, math.nan]) / RAYLEIGH_95
H_BARO_FT: Final = (-10_000.0, 200_000.0)  # beyond, a height is no height


def plots_of(table: ModesTable, sensors: Sensors, *, adsb: int, mlat: int) -> Plots:
    """Return what a tracker can use of decoded messages, in their order.

    Parameters
    ----------
    table : of N messages
    sensors : the sensor table
    adsb, mlat : rows in it for what was heard, and for what a network computed (-1: that makes no plots)
    """
    became, t_ns = table.code(col.BECAME), table.t_ns
    place = became == col.POSITION
    told = (became == col.VELOCITY) | (became == col.HEIGHT) | (became == col.CODE)
    told &= (table.code(col.ADDRESS) >= 0) & (table.code(col.ANONYMOUS) != 1)
    told &= _tells(table)
    wanted = (place | told) & (t_ns >= 0)
    if mlat < 0:
        wanted &= table.origin != FROM_MLAT
    rows = np.flatnonzero(wanted)
    at = place[rows]
    codes, reals = table.fields.codes, table.fields.reals
    computed = table.origin[rows] == FROM_MLAT
    address = np.where(codes[col.ANONYMOUS, rows] == 1, -1, codes[col.ADDRESS, rows])
    h_baro = _reals(reals, col.H_BARO_FT, rows)
    h_baro[~((h_baro >= H_BARO_FT[0]) & (h_baro <= H_BARO_FT[1]))] = np.nan
    h_ell = _reals(reals, col.H_ELL_FT, rows)
    summed = at & np.isnan(h_ell)
    h_ell = np.where(summed, h_baro + _reals(reals, col.DIFF_FT, rows), h_ell)
    unsure = reals[col.CONFIDENCE, rows] < SURE  # NaN, where nothing was inferred, is not
    east, north = _reals(reals, col.EAST_KT, rows) * KT, _reals(reals, col.NORTH_KT, rows) * KT
    turn = _reals(reals, col.TURN_DPS, rows) * -DEG
    climb = climb_of(table, rows)
    for values in (east, north, turn, climb):
        values[unsure] = np.nan
    nacv = codes[col.NACV, rows]
    return Plots.blank(
        len(rows),
        sensors,
        t_ns=t_ns[rows],
        sensor=np.where(computed, mlat, adsb),
        lat=table.lat_deg[rows] * DEG,
        lon=table.lon_deg[rows] * DEG,
        h_ell=h_ell * FT,
        h_baro=h_baro * FT,
        sigma_pos=np.where(at & ~computed, sigma_of(table, rows), np.nan),
        mode_3a=np.where(at, codes[col.SQUAWK_KNOWN, rows], codes[col.SQUAWK, rows]),
        address=address,
        callsign=tidy_callsigns(table.fields.callsign_known[rows]),
        v_east=east,
        v_north=north,
        v_up=climb,
        sigma_v=np.where(nacv >= 0, SIGMA_NACV[np.maximum(nacv, 0)], np.nan),
        turn_rate=turn,
        technology=_technology(codes[col.SOURCE, rows], computed),
    )


def sigma_of(table: ModesTable, rows: I64) -> F64:
    """Return the standard deviation per axis [m] of positions, from the best that is told.

    NACp bounds 95 % of the errors. Where it wasn't heard: the bound that goes with NUCp; else half the containment
    radius, as NUCp's bounds have it (DO-260, table 2-11). NaN where the type code says "unknown".
    """
    codes, reals = table.fields.codes, table.fields.reals
    nacp = codes[col.NACP, rows]
    sigma: F64 = SIGMA_NACP[np.where((nacp >= 0) & (nacp < len(SIGMA_NACP)), nacp, 0)]
    bound = _reals(reals, col.HFOM_M, rows)
    bound = np.where(np.isnan(bound), 0.5 * _reals(reals, col.RC_M, rows), bound)
    return np.where(np.isnan(sigma), bound / RAYLEIGH_95, sigma)


def climb_of(table: ModesTable, rows: I64) -> F64:
    """Return the vertical rate [m/s]; of register 6,0 the inertial one, which is the steadier of its two."""
    reals = table.fields.reals
    inertial = _reals(reals, col.RATE_INERTIAL_FPM, rows)
    climb: F64 = np.where(np.isnan(inertial), _reals(reals, col.RATE_FPM, rows), inertial) * FPM
    return climb


def tidy_callsigns(packed: I64) -> U64:
    """Return packed callsigns with the spaces at their ends taken off, as ``tables.pack_callsigns`` has them."""
    tidy = packed.copy()
    for place in range(8):
        ending = np.int64(0xFF) << (8 * place)
        blank = (tidy & ((np.int64(1) << (8 * place)) - 1) == 0) & (tidy & ending == np.int64(0x20) << (8 * place))
        tidy[blank] &= ~ending
    return tidy.view(np.uint64)


def _tells(table: ModesTable) -> NDArray[np.bool_]:
    """Return which messages say something of height, code, velocity or turn that may be used."""
    reals = table.fields.reals
    usable = ~(reals[col.CONFIDENCE] < SURE)
    moves = ~np.isnan(reals[col.EAST_KT]) | ~np.isnan(reals[col.RATE_FPM]) | ~np.isnan(reals[col.TURN_DPS])
    moves |= ~np.isnan(reals[col.RATE_INERTIAL_FPM])
    told: NDArray[np.bool_] = (usable & moves) | ~np.isnan(reals[col.H_BARO_FT]) | (table.code(col.SQUAWK) >= 0)
    return told


def _technology(source: NDArray[np.int32], computed: NDArray[np.bool_]) -> Any:
    kinds = np.where(source == col.TRANSPONDER, Technology.MDS, Technology.ADS)
    return np.where(computed, Technology.MLT, kinds)


def _reals(reals: col.F32, row: int, rows: I64) -> F64:
    found: F64 = reals[row, rows].astype(np.float64)
    return found
