"""What senders say of their own accuracy, as standard deviations: NACp, NUCp, NIC or its radius, NACv.

Two kinds of figures are in use. NACp, NUCp and NACv name a circle that holds 95 % of the errors; NIC (and ``rc``, its
radius in metres) one that is left once in ten million hours. Taking both for the radius of a round normal
distribution, they agree within a fifth where aircraft send both (NIC 8 and NACp 8: 33 and 38 m, NIC 9 and NACp 9: 13
and 12 m), so that either may stand for a missing other.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from airpicture.tables import F64, I64
from airpicture.units import NMI

# Two equal, independent axes: a share p of a Rayleigh distribution lies within sqrt(-2 ln(1 - p)) sigma.
_RAYLEIGH_95: Final = math.sqrt(-2.0 * math.log(0.05))
_RAYLEIGH_CONTAINED: Final = math.sqrt(-2.0 * math.log(1e-7))  # SIL 3: 1e-7 an hour (DO-260B)

# 95 % bound of the horizontal error by NACp [m]: RTCA DO-242A, table 3.2.11a (DO-260B has the same). 0 is "unknown".
_EPU: Final = (math.nan, 18_520.0, 7_408.0, 3_704.0, 1_852.0, 926.0, 555.6, 185.2, 92.6, 30.0, 10.0, 3.0)
SIGMA_NACP: Final = np.array(_EPU) / _RAYLEIGH_95  # m, per axis
# The same by NUCp, of transponders of version 0 (RTCA DO-260): J. Sun, The 1090 Megahertz Riddle, chapter 9.
_EPU_NUCP: Final = (math.nan, *(NMI * r for r in (10.0, 5.0, 1.0, 0.5, 0.25, 0.1, 0.05)), 10.0, 3.0)
SIGMA_NUCP: Final = np.array(_EPU_NUCP) / _RAYLEIGH_95  # m, per axis
# Containment radius by NIC [m], RTCA DO-260B; NIC 6 without its supplements. 0 is "unknown".
_RC: Final = (math.nan, *(NMI * r for r in (20.0, 8.0, 4.0, 2.0, 1.0, 0.6, 0.2, 0.1)), 75.0, 25.0, 7.5)
RC_NIC: Final = np.array(_RC)
# 95 % bound of the horizontal velocity error by NACv [m/s], RTCA DO-260B. 0 is "unknown or 10 m/s and more".
SIGMA_NACV: Final = np.array([math.nan, 10.0, 3.0, 1.0, 0.3]) / _RAYLEIGH_95  # m/s, per axis

# Without satellites positions are carried on by inertia: 95 % within 2 NMI after an hour (14 CFR 121, appendix G),
# from what NACp 7 bounds at the start.
_INERTIAL: Final = 2.0 * NMI / 3600.0  # m/s
_INERTIAL_START: Final = 185.2  # m


def coded(table: F64, code: F64) -> F64:
    """Return the values of codes (floats, NaN where missing); NaN for what isn't in the table.

    Parameters
    ----------
    table : (n,) values by code; code : (M,)
    """
    known = (code >= 0) & (code < len(table)) & (code == np.floor(code))
    return np.asarray(np.where(known, table[np.where(known, code, 0).astype(np.int64)], np.nan))


def sigma_position(nacp: F64, nic: F64, rc: F64) -> F64:
    """Return the standard deviation of positions per axis [m], NaN where nothing is said.

    NACp counts first, then the containment radius, then NIC.

    Parameters
    ----------
    nacp, nic : (M,) codes, NaN missing; rc : (M,) m, NaN or 0 missing
    """
    radius = np.where(rc > 0, rc, coded(RC_NIC, nic)) / _RAYLEIGH_CONTAINED
    sigma = coded(SIGMA_NACP, nacp)
    return np.asarray(np.where(np.isnan(sigma), radius, sigma))


def sigma_without_satellites(lost_s: F64) -> F64:
    """Return the standard deviation per axis [m] of positions carried on by inertia, `lost_s` after the last fix."""
    return (_INERTIAL_START + _INERTIAL * np.maximum(lost_s, 0.0)) / _RAYLEIGH_95


def sigma_from_radius(radius: F64) -> F64:
    """Return the standard deviation per axis of which `radius` bounds 95 %."""
    return radius / _RAYLEIGH_95


def age_s(t_ns: I64, since_s: F64) -> F64:
    """Return how long ago `since_s` [s UTC] is at `t_ns`; NaN where it isn't known."""
    return t_ns / 1e9 - since_s
