"""Reports that a sensor's own tracker only extrapolated: no plot stands behind them, whatever their status bits say.

Multilateration systems smooth their fixes and report each target once a second, seen or not. I020/170 and I010/170 have
a bit for it (CST), which isn't always set. But an extrapolation gives itself away: its velocity is that of the report
before to the last bit, and its position lies where that velocity leads.

::

    report 1      2 (seen)          3 = 2 + v2 dt     4 = 3 + v2 dt
       *-----------*--------------------o-------------------o
          v1           v2                   v2                  v2

Taken for plots such reports mislead: a fresh track of the system, with a first guess of its velocity, is carried on for
seconds and hundreds of metres before it's dropped, and looks like a target of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.asterix.decode import Records
from airpicture.formats.asterix.sources import source_of
from airpicture.formats.asterix.units import si
from airpicture.kernels.asterix import MISSING

# m/s. What taxies may keep its velocity to the bit (a quarter m/s) while it's seen; what flies and is seen doesn't: its
# fixes scatter by metres to tens of metres.
SPEED_LEAST = 20.0
GAP_MOST = 3.0  # s; reports come once a second or so, and track numbers are used again
# m/s, least bit of I010/202 and I020/202: 16 bits, to 8192 m/s. The machine-readable CAT010 1.1 says 1/16, against its
# own limits, and what moves in recordings moves at four times that.
VELOCITY_STEP = 0.25
TICK = 1.0 / 128.0  # s, of the time of day
DAY = 86_400.0  # s
NEEDED = ("010/SAC", "010/SIC", "042/X", "042/Y", "140", "202/VX", "202/VY")


def extrapolated(records: Records, track: str) -> NDArray[np.bool_]:
    """Return which reports only extrapolate the one before of their sensor's track: (N,).

    Parameters
    ----------
    records : CAT010 or CAT020 in the order of the input, with the fields `NEEDED` and the track number
    track : path of the track number
    """
    found = np.zeros(len(records), np.bool_)
    vx, vy = records.raw["202/VX"], records.raw["202/VY"]
    number, sources = records.raw[track], source_of(records)
    have = (number != MISSING) & (vx != MISSING) & (vy != MISSING) & records.has("042/X") & records.has("140")
    rows = np.flatnonzero(have)
    rows = rows[np.lexsort((rows, number[rows], sources[rows]))]
    if len(rows) < 2:
        return found
    before, after = rows[:-1], rows[1:]
    t, x, y = si(records, "140"), si(records, "042/X"), si(records, "042/Y")
    u, v = VELOCITY_STEP * vx, VELOCITY_STEP * vy
    speed = np.hypot(u[after], v[after])
    dt = (t[after] - t[before]) % DAY
    # what rounding allows: of two positions, of the velocity, and of two times
    step = float((records.content("042/X") or {}).get("lsb", 1.0))
    slack = step + 0.5 * VELOCITY_STEP * dt + TICK * speed
    same = (number[after] == number[before]) & (sources[after] == sources[before])
    same &= (vx[after] == vx[before]) & (vy[after] == vy[before])
    same &= (speed > SPEED_LEAST) & (dt > 0.0) & (dt < GAP_MOST)
    same &= np.abs(x[after] - x[before] - u[after] * dt) <= slack
    same &= np.abs(y[after] - y[before] - v[after] * dt) <= slack
    found[after] = same
    return found
