"""What an unclaimed plot brings to a search, one plot at a time in plain Python: `kernels.prospects` without lanes."""

import math

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels import layout as lay
from airpicture.kernels import search
from airpicture.kernels.begin import (
    L_LEAST,
    L_LEAST_THICK,
    L_ODDS,
    L_VAR_SPEED,
    L_VAR_USUAL,
    SAME_ADDRESS,
    SAME_CODE,
    shared_code,
)
from airpicture.kernels.conditioning import VAR_V_UP, var_of_pressure
from airpicture.kernels.pool import NAMED, PLAIN, VAGUE
from airpicture.reports import Stations

F64 = NDArray[np.float64]


def _density(d2: float, dt2: float, n: float, m: float, var: float, usual: float) -> float:
    """Return the bound of the module's first lines, with their letters, and e^x as (1 + x / 16)^16."""
    rho = var * dt2 / (var * dt2 + n)
    slow = (1.0 + (rho * math.sqrt(d2 / dt2)) ** 2 / (3.0 * usual)) ** 2.5
    off = (1.0 + rho * (1.0 - rho) * d2 / dt2 / (2.0 * var) / 16.0) ** 16
    return 1.0 / ((dt2 + m) * slow * off)


def _height_variance(z: F64) -> float | None:
    if math.isfinite(z[lay.Z_H]):
        return float(z[lay.Z_VAR_H])
    return float(var_of_pressure(z[lay.Z_H_BARO])) if math.isfinite(z[lay.Z_H_BARO]) else None


def prospect_of(z: F64, s: int, address: int, mode_3a: int, stations: Stations, motion: F64, life: F64) -> F64:
    """Return what P_* name up to P_REACH, of a plot of sensor s that is row z."""
    prospect = np.zeros(search.P_REACH)
    site, usual = stations.sites[s], life[L_VAR_USUAL]
    odds = stations.pd[s] * life[L_ODDS] * math.exp(-z[lay.Z_LOG_CLUTTER]) / (2.0 * math.pi * usual)
    var_h = _height_variance(z)
    sigma_h2 = float(motion[lay.M_H_VAR]) if var_h is None else var_h
    if int(z[lay.Z_KIND]) == lay.POLAR:
        rng2 = z[lay.Z_RANGE] ** 2
        along, across = z[lay.Z_VAR_RANGE], rng2 * z[lay.Z_VAR_AZIMUTH]
        odds *= z[lay.Z_RANGE]
        own, worst = math.sqrt(along * across), max(along, across, 1.0)
        sigma_h2 = min(sigma_h2, 0.04 * rng2)
        if math.isfinite(z[lay.Z_ELEVATION]):
            odds /= math.sqrt(2.0 * math.pi * z[lay.Z_VAR_ELEVATION])
            sigma_h2 = min(sigma_h2, rng2 * z[lay.Z_VAR_ELEVATION])
        if math.isfinite(z[lay.Z_RANGE_RATE]):
            odds /= math.sqrt(2.0 * math.pi * z[lay.Z_VAR_RANGE_RATE])
        p = z[lay.Z_P : lay.Z_P + 3]
        sine2 = ((p - site[:3]) @ p) ** 2 / (rng2 * (p @ p))
        blur2 = worst + 1.1 * sine2 / max(1.0 - sine2, 0.05**2) * sigma_h2
        prospect[search.P_ALONG] = along > across
    else:
        own = blur2 = float(z[lay.Z_VAR_P])
        worst = max(own, 1.0)
        if math.isfinite(z[lay.Z_V_EAST]):
            odds /= 2.0 * math.pi * z[lay.Z_VAR_V]
        if math.isfinite(z[lay.Z_V_UP]):
            odds /= math.sqrt(2.0 * math.pi * VAR_V_UP)
    prospect[search.P_ODDS], prospect[search.P_OWN] = odds, max(own, 1.0) / life[L_VAR_SPEED]
    prospect[search.P_BLUR], prospect[search.P_WORST] = math.sqrt(blur2) + 2.0, worst
    by_code = 1.0 if shared_code(mode_3a) else math.exp(SAME_CODE)
    prospect[search.P_CODES] = math.exp(SAME_ADDRESS) if address >= 0 else by_code
    if var_h is not None:
        prospect[search.P_HEIGHT] = max(1.0 / math.sqrt(2.0 * math.pi * var_h), search.GARBLED)
    prospect[search.P_SIGMA_H] = math.sqrt(sigma_h2)
    for axis in range(3):
        beam = z[lay.Z_SIN] * site[3 + axis] + z[lay.Z_COS] * site[6 + axis]
        prospect[search.P_BEAM + axis] = beam
    _follow_up(z, s, stations, life, prospect)
    return prospect


def level_of(z: F64, prospect: F64) -> int:
    """Return the level that a plot waits on."""
    if 0.75 * z[lay.Z_RADIUS] > 9e3 or math.isfinite(z[lay.Z_V_EAST]) or prospect[search.P_BLUR] > 2200.0:
        return VAGUE
    return NAMED if prospect[search.P_CODES] > 1.0 or prospect[search.P_HEIGHT] > 0.0 else PLAIN


def is_thick(z: F64, turn: float, life: F64, prospect: F64) -> bool:
    """Say whether false plots are so thick round a plot that a pair says too little of the fastest targets."""
    if level_of(z, prospect) != PLAIN or not turn > 0.0:
        return False
    usual, own = life[L_VAR_USUAL], prospect[search.P_OWN]
    n = 2.0 * prospect[search.P_BLUR] ** 2 + 20.0 / 3.0 * turn**3
    p = _density(9.0 * usual * turn**2, turn**2, n, own, life[L_VAR_SPEED], usual)
    return bool(prospect[search.P_ODDS] * search.MARGIN / life[L_LEAST] * p < 1.0)


def _follow_up(z: F64, s: int, stations: Stations, life: F64, prospect: F64) -> None:
    """Write how far away the oldest of three plots in line may be, and what existence a birth must reach."""
    turn = float(stations.period[s])
    prospect[search.P_LEAST] = life[L_LEAST]
    if not is_thick(z, turn, life, prospect):
        return
    if stations.pd[s] >= 2.0 / 3.0:
        prospect[search.P_LEAST] = life[L_LEAST_THICK]
    odds, usual = prospect[search.P_ODDS], life[L_VAR_USUAL]
    third = 6.0 * prospect[search.P_OWN] * life[L_VAR_SPEED] + 20.0 / 1.5 * turn**3
    if odds * search.MARGIN / prospect[search.P_LEAST] * odds * usual / life[L_ODDS] >= turn**2 * third:
        far = 3.0 * math.sqrt(usual) * 2.2 * turn + 3.0 * math.sqrt(12.0 * prospect[search.P_WORST])
        prospect[search.P_CHAIN] = far
