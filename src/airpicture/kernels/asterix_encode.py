"""What a track says in CAT062: columns of tracks to a table of values, one column a field, NaN where nothing is said.

Each function here fills the fields of a few items that hang together, for all rows; ``asterix_encode_words`` then makes
records of the values. So the reasoning about the items is here in SI units, and no width, step or place is.

The fields are numbered in the order of `FIELDS`, whose names are those of the generated tables.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.asterix_encode_announce import CODE_CHANGED, FIRST, LAST
from airpicture.kernels.asterix_encode_plane import plane_of
from airpicture.kernels.wgs84 import E2, A

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]
I32: TypeAlias = NDArray[np.int32]
I8: TypeAlias = NDArray[np.int8]
U8: TypeAlias = NDArray[np.uint8]

# The fields that are written, named as in the tables: item / subitem / element
FIELDS: Final = (
    "010/SAC", "010/SIC", "015", "040", "070", "510/TRACK",
    "105/LAT", "105/LON", "100/X", "100/Y", "185/VX", "185/VY", "210/AX", "210/AY",
    "220", "136", "130", "135/CTB", "200/TRANS", "200/LONG", "200/VERT",
    "060/CH", "060/MODE3A", "245/CHR", "380/ADR", "380/ID",
    "380/EMC", "380/SAB/GBS", "380/SAB/STAT",
    "290/TRK", "290/PSR", "290/SSR", "290/MDS", "290/ES", "290/MLT", "295/MFL", "295/MDA",
    "340/SID/SAC", "340/SID/SIC", "340/POS/RHO", "340/POS/THETA", "340/MDC/LMC", "340/MDA/MODE3A",
    "340/TYP/TYP", "340/TYP/SIM",
    "500/APC/X", "500/APC/Y", "500/COV", "500/APW/LAT", "500/APW/LON", "500/AGA", "500/ABA",
    "500/ATV/X", "500/ATV/Y", "500/ARC",
    "080/MON", "080/MRH", "080/SRC", "080/CNF", "080/SIM", "080/TSE", "080/TSB",
    "080/CST", "080/PSR", "080/SSR", "080/MDS", "080/ADS", "080/SDS", "080/EMS", "080/PFT", "080/MLAT",
)  # fmt: skip
(
    SAC, SIC, SID, NUMBER, TOD, COMPOSED,
    LAT, LON, X, Y, VX, VY, AX, AY,
    CLIMB, FLIGHT_LEVEL, GEOMETRIC, BAROMETRIC, TRANS, LONG, VERT,
    CH, MODE3A, CHR, ADR, IDENT,
    EMC, GBS, EMERGENCY,
    TRK, AGE_PSR, AGE_SSR, AGE_MDS, AGE_ES, AGE_MLT, AGE_MFL, AGE_MDA,
    M_SAC, M_SIC, M_RHO, M_THETA, M_LMC, M_MODE3A,
    M_TYP, M_SIM,
    APC_X, APC_Y, COV, APW_LAT, APW_LON, AGA, ABA,
    ATV_X, ATV_Y, ARC,
    MON, MRH, SRC, CNF, SIM, TSE, TSB,
    CST, OLD_PSR, OLD_SSR, OLD_MDS, OLD_ADS, SDS, EMS, PFT, OLD_MLAT,
) = range(len(FIELDS))  # fmt: skip
STATUS_FIRST: Final = MON  # the bits of I062/080 stand together and are never unknown

# Status, Technology and SensorKind of ``tables``, which kernels don't import; a test holds them equal
TENTATIVE: Final = 0
COASTING: Final = 2
PSR: Final = 0
SSR: Final = 1
MDS: Final = 2
ADS: Final = 3
MLT: Final = 4
RADAR: Final = 0
ADSB: Final = 1
MLAT: Final = 2

SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS
TAU: Final = 2.0 * math.pi
TRACK_PLAIN_MAX: Final = 65_535  # largest number that I062/040 holds by itself
LEVEL_MPS: Final = 300.0 * 0.3048 / 60.0  # m/s; ESASSP asks for 250 ft/min RMS in level flight: slower is called level
STEADY_MPS2: Final = 0.5  # m/s²; two counts of I062/210: weaker is called constant ground speed
SLOW_MPS: Final = 1.0  # m/s; below it a course, and with it "along", means nothing


@jit
def fill_head(t_ns: I64, track: I64, sac: int, sic: int, sid: int, tod_step: float, values: F64) -> None:
    """Fill I062/010, 015, 040, 070 and 510 of rows (N,); all other `values` (N, F) become NaN; overwritten.

    I062/070 is the time of day to the nearest count of `tod_step` seconds; half a count before midnight it's 0.
    """
    for i in range(len(t_ns)):
        values[i, :STATUS_FIRST] = math.nan
        values[i, STATUS_FIRST:] = 0.0
        values[i, SAC], values[i, SIC], values[i, SID] = sac, sic, sid
        values[i, NUMBER] = track[i] & TRACK_PLAIN_MAX
        if track[i] > TRACK_PLAIN_MAX:
            values[i, COMPOSED] = 0.0  # the number itself goes beside the table: it needs more bits than a float has
        second = (t_ns[i] - DAY_NS * (t_ns[i] // DAY_NS)) * 1e-9
        values[i, TOD] = second if second + 0.5 * tod_step < 86_400.0 else 0.0


@jit
def fill_position(lat: F64, lon: F64, lon_step: float, plane: F64, values: F64, spots: F64) -> None:
    """Fill I062/105 and 100.

    Parameters
    ----------
    lat, lon : (N,) [rad]; longitudes of any turn
    lon_step : [rad] of a count; the nearest count to just under +180 degrees is -180 degrees
    plane : (4,) centre of the system plane, see `asterix_encode_plane.centre`; NaN where there's none
    values : (N, F); overwritten
    spots : (N, 3) scale and sine and cosine of convergence of the system plane there; overwritten
    """
    for i in range(len(lat)):
        values[i, LAT] = lat[i]
        wrapped = lon[i] - TAU * np.floor(lon[i] / TAU + 0.5)
        values[i, LON] = -math.pi if wrapped + 0.5 * lon_step >= math.pi else wrapped
        x, y, spots[i, 0], spots[i, 1], spots[i, 2] = plane_of(lat[i], lon[i], plane)
        if abs(lat[i]) <= 0.5 * math.pi:
            values[i, X], values[i, Y] = x, y
        else:  # the latitude alone is then counted as left out, and nothing rests on it
            values[i, LON] = math.nan


@jit
def fill_motion(
    v_east: F64, v_north: F64, v_up: F64, a_east: F64, a_north: F64, turn_left: F64, turn_right: F64, values: F64
) -> None:
    """Fill I062/185, 210 and 220, and of 200 (mode of movement) what's known; 3 is "undetermined" there.

    Velocities [m/s] and accelerations [m/s²] are east and north at the target, as the items ask; turns are
    probabilities. 200 is absent where all three parts of it are undetermined.
    """
    for i in range(len(v_east)):
        vx, vy, climb = v_east[i], v_north[i], v_up[i]
        values[i, VX], values[i, VY], values[i, CLIMB] = vx, vy, climb
        values[i, AX], values[i, AY] = a_east[i], a_north[i]
        left, right = turn_left[i], turn_right[i]
        trans, longitudinal, vertical = 3, 3, 3
        if left > 0.5:
            trans = 2
        elif right > 0.5:
            trans = 1
        elif left + right < 0.5:  # false for NaN
            trans = 0
        speed = math.sqrt(vx * vx + vy * vy)
        along = (a_east[i] * vx + a_north[i] * vy) / speed if speed > SLOW_MPS else math.nan
        if abs(along) <= STEADY_MPS2:
            longitudinal = 0
        elif along > STEADY_MPS2:
            longitudinal = 1
        elif along < -STEADY_MPS2:
            longitudinal = 2
        if abs(climb) <= LEVEL_MPS:
            vertical = 0
        elif climb > LEVEL_MPS:
            vertical = 1
        elif climb < -LEVEL_MPS:
            vertical = 2
        if trans < 3 or longitudinal < 3 or vertical < 3:
            values[i, TRANS], values[i, LONG], values[i, VERT] = trans, longitudinal, vertical


@inline
def six_bits(callsign: int) -> int:
    """Return a packed callsign in the 6-bit alphabet, left-justified, padded with spaces; -1 where it has none.

    The alphabet has A-Z, 0-9 and space; small letters become capitals. Source: ICAO Annex 10 Volume IV, 3.1.2.9.
    """
    coded = 0
    for k in range(8):
        c = (callsign >> (56 - 8 * k)) & 0xFF
        if c == 0:
            c = 0x20
        if 0x61 <= c <= 0x7A:
            c -= 0x20
        if not (c == 0x20 or 0x30 <= c <= 0x39 or 0x41 <= c <= 0x5A):
            return -1
        coded = (coded << 6) | (c & 0x3F)
    return coded


@jit
def fill_identity(mode_3a: I32, address: I32, callsign: I64, flags: U8, values: F64, left_out: I64) -> None:
    """Fill I062/060, 245 and 380 (ADR, ID): codes of -1 are missing, a callsign (packed) of 0 is.

    A callsign with a character that the 6-bit alphabet lacks is left out, and counted in `left_out` (F,).
    """
    for i in range(len(mode_3a)):
        if mode_3a[i] >= 0:
            values[i, MODE3A] = mode_3a[i]
            values[i, CH] = 1.0 if flags[i] & CODE_CHANGED else 0.0
        if address[i] >= 0:
            values[i, ADR] = address[i]
        if callsign[i] != 0:
            coded = six_bits(callsign[i])
            if coded >= 0:
                values[i, CHR] = values[i, IDENT] = coded
            else:
                left_out[CHR] += 1


@jit
def fill_nature(on_ground: I8, number: I64, mode_3a: I32, values: F64) -> None:
    """Fill I062/380 EMC, and SAB of tracks that are known to be on the ground.

    SAB has no word for "in the air", and its status can't be left out: it is the one that the Mode A code tells.

    Parameters
    ----------
    on_ground : (N,) 1 on the ground; number : (N,) the category as ASTERIX numbers it, -1 unknown
    """
    for i in range(len(on_ground)):
        if number[i] >= 0:
            values[i, EMC] = number[i]
        if on_ground[i] == 1:
            values[i, GBS] = 1.0
            code = mode_3a[i]
            values[i, EMERGENCY] = (
                5.0 if code == 0o7500 else (4.0 if code == 0o7600 else (1.0 if code == 0o7700 else 0.0))
            )


@jit
def fill_ages(t_ns: I64, t_ns_first: I64, t_ns_technology: I64, values: F64) -> None:
    """Fill I062/290 from times [ns]; -1 never. An ADS-B report is taken for one on 1090 MHz extended squitter (ES)."""
    for i in range(len(t_ns)):
        if t_ns_first[i] >= 0:
            values[i, TRK] = (t_ns[i] - t_ns_first[i]) * 1e-9
        for k in range(t_ns_technology.shape[1]):
            if t_ns_technology[i, k] >= 0:
                values[i, AGE_PSR + k] = (t_ns[i] - t_ns_technology[i, k]) * 1e-9


@jit
def fill_height(h_ell: F64, h_baro: F64, h_from_baro: U8, values: F64) -> None:
    """Fill I062/130 and 135 [m].

    130 is geometric: a height over the ellipsoid that rests on pressure is no measurement of it and isn't sent. 135 is
    at 1013.25 hPa, its QNH bit 0.
    """
    for i in range(len(h_ell)):
        values[i, BAROMETRIC] = h_baro[i]
        if h_from_baro[i] == 0:
            values[i, GEOMETRIC] = h_ell[i]


@jit
def fill_measured(
    t_ns: I64,
    t_ns_plot: I64,
    t_ns_technology: I64,
    sensor: I32,
    polar: tuple[F64, F64],
    codes: tuple[F64, I32],
    sensors: tuple[U8, I32, I32, F64, F64],
    simulated: int,
    theta_step: float,
    values: F64,
) -> None:
    """Fill I062/340, the last plot as measured, and what came with it: 136 and its age, the age of the Mode A code.

    340 isn't for ADS-B. Range and azimuth are sent free of known bias, as notes to the item ask. A Mode S report with a
    code or a height is a roll-call, one without is an all-call. The report type is left out where the technology of
    that very plot isn't known, or has no value (multilateration).

    Parameters
    ----------
    t_ns, t_ns_plot, t_ns_technology : times of row, last plot and last plot of each technology [ns], -1 never
    sensor : (N,) row in `sensors`, -1 unknown
    polar : (N,) slant range [m] and azimuth [rad], as measured
    codes : (N,) pressure altitude [m] and Mode A code
    sensors : (S,) kind, SAC, SIC, bias of range [m] and of azimuth [rad]
    theta_step : [rad] of a count of azimuth
    """
    slant_range, azimuth = polar
    h_baro, mode_3a = codes
    kind, sac, sic, bias_range, bias_azimuth = sensors
    for i in range(len(t_ns)):
        known = t_ns_plot[i] >= 0
        age = (t_ns[i] - t_ns_plot[i]) * 1e-9 if known else math.nan
        height, code = h_baro[i], mode_3a[i]
        values[i, FLIGHT_LEVEL] = height
        if not math.isnan(height):
            values[i, AGE_MFL] = age
        if code >= 0:
            values[i, AGE_MDA] = age
        s = sensor[i]
        if not 0 <= s < len(kind) or kind[s] == ADSB:
            continue
        if 0 <= sac[s] <= 255 and 0 <= sic[s] <= 255:
            values[i, M_SAC], values[i, M_SIC] = sac[s], sic[s]
        values[i, M_RHO] = slant_range[i] - bias_range[s]
        theta = azimuth[i] - bias_azimuth[s]
        theta -= TAU * np.floor(theta / TAU)
        values[i, M_THETA] = 0.0 if theta + 0.5 * theta_step >= TAU else theta  # the nearest count is a full turn
        values[i, M_LMC] = height
        if code >= 0:
            values[i, M_MODE3A] = code
        psr = known and t_ns_technology[i, PSR] == t_ns_plot[i]
        report = 0
        if known and t_ns_technology[i, MDS] == t_ns_plot[i]:
            report = (7 if psr else 5) if code >= 0 or not math.isnan(height) else (6 if psr else 4)
        elif known and t_ns_technology[i, SSR] == t_ns_plot[i]:
            report = 3 if psr else 2
        elif psr:
            report = 1
        if report > 0:
            values[i, M_TYP], values[i, M_SIM] = report, simulated


@jit
def fill_accuracy(
    position: tuple[F64, F64, F64],
    horizontal: tuple[F64, F64, F64],
    velocity: tuple[F64, F64],
    vertical: tuple[F64, F64],
    h_from_baro: U8,
    spots: F64,
    values: F64,
) -> None:
    """Fill I062/500, the standard deviations of what else the record says; after position, motion and height.

    The position's covariance is turned and scaled from east and north into the system plane for APC and COV, and
    divided by the radii of curvature for APW. COV is sign(c) sqrt(|c|), note 2 to the item. The vertical one is AGA
    where a geometric altitude is sent, ABA where the height rests on the barometric one that's sent.

    Parameters
    ----------
    position : (N,) latitude [rad], height over the ellipsoid [m] (NaN taken as 0 here), pressure altitude [m]
    horizontal : (N,) standard deviations east, north [m] and their correlation
    velocity : (N,) standard deviations east, north [m/s]
    vertical : (N,) standard deviations of height [m] and its rate [m/s]
    spots : (N, 3) see fill_position
    """
    lat, h_ell, h_baro = position
    sigma_east, sigma_north, rho_east_north = horizontal
    for i in range(len(lat)):
        east, north, rho = sigma_east[i], sigma_north[i], rho_east_north[i]
        scale, sin_g, cos_g = spots[i, 0], spots[i, 1], spots[i, 2]
        if not math.isnan(values[i, X]):
            var_e, var_n = east * east, north * north
            cov = 0.0 if math.isnan(rho) else rho * east * north
            var_x = cos_g * cos_g * var_e + 2.0 * sin_g * cos_g * cov + sin_g * sin_g * var_n
            var_y = sin_g * sin_g * var_e - 2.0 * sin_g * cos_g * cov + cos_g * cos_g * var_n
            values[i, APC_X] = scale * math.sqrt(var_x) if var_x > 0.0 else var_x  # NaN stays, rounding below 0 doesn't
            values[i, APC_Y] = scale * math.sqrt(var_y) if var_y > 0.0 else var_y
            if not math.isnan(rho):
                cov_xy = (cos_g * cos_g - sin_g * sin_g) * cov + sin_g * cos_g * (var_n - var_e)
                values[i, COV] = scale * math.copysign(math.sqrt(abs(cov_xy)), cov_xy)
        if not math.isnan(values[i, LON]):
            sin_lat, cos_lat = math.sin(lat[i]), math.cos(lat[i])
            h = 0.0 if math.isnan(h_ell[i]) else h_ell[i]
            w = 1.0 - E2 * sin_lat * sin_lat
            prime = A / math.sqrt(w)
            values[i, APW_LAT] = north / (prime * (1.0 - E2) / w + h)
            # at a pole any longitude will do: the largest count says so
            values[i, APW_LON] = east / max((prime + h) * cos_lat, 1e-3)
        if not math.isnan(values[i, GEOMETRIC]):
            values[i, AGA] = vertical[0][i]
        elif h_from_baro[i] == 1 and not math.isnan(h_baro[i]):
            values[i, ABA] = vertical[0][i]
        if not math.isnan(values[i, VX]):
            values[i, ATV_X], values[i, ATV_Y] = velocity[0][i], velocity[1][i]
        if not math.isnan(values[i, CLIMB]):
            values[i, ARC] = vertical[1][i]


@jit
def fill_status(status: U8, existence: F64, mode_3a: I32, flags: U8, simulated: int, values: F64) -> None:
    """Fill the bits of I062/080 that speak of the track as a whole; its other bits come from `fill_sources`.

    EMS comes from the Mode A code, as note 4 to the item allows. PFT is set where it's more probable than not that
    there's no target.
    """
    for i in range(len(status)):
        values[i, CNF] = 1.0 if status[i] == TENTATIVE else 0.0
        values[i, CST] = 1.0 if status[i] == COASTING else 0.0
        values[i, SIM] = simulated
        values[i, TSE] = 1.0 if flags[i] & LAST else 0.0
        values[i, TSB] = 1.0 if flags[i] & FIRST else 0.0
        code = mode_3a[i]
        values[i, EMS] = 5.0 if code == 0o7500 else 4.0 if code == 0o7600 else 1.0 if code == 0o7700 else 0.0
        values[i, PFT] = 1.0 if existence[i] < 0.5 else 0.0


@jit
def fill_sources(t_ns: I64, seen: I32, t_ns_technology: I64, kind: U8, three_d: U8, stale_ns: int, values: F64) -> None:
    """Fill the bits of I062/080 that speak of sensors and technologies; after the altitudes.

    MON says multisensor only where two sensors or more hold the track. A technology's bit is set where its last plot is
    older than `stale_ns`, or never came; where no age at all is known (a table read from a file) none is claimed, and
    neither is SDS. SRC names the source of the geometric altitude.

    Parameters
    ----------
    seen : (N, K) rows of the sensors that hold the track, -1 padding
    kind, three_d : (S,) of the sensors: SensorKind, 1 where elevation is measured
    """
    for i in range(len(t_ns)):
        held, radars, adsb, mlat, elevation = 0, 0, False, False, False
        for j in range(seen.shape[1]):
            s = seen[i, j]
            if 0 <= s < len(kind):
                held += 1
                if kind[s] == RADAR:
                    radars += 1
                    elevation |= three_d[s] == 1
                adsb |= kind[s] == ADSB
                mlat |= kind[s] == MLAT
        values[i, MON] = 1.0 if held <= 1 else 0.0
        if not math.isnan(values[i, GEOMETRIC]):
            values[i, MRH] = 1.0 if math.isnan(values[i, BAROMETRIC]) else 0.0
            values[i, SRC] = 1.0 if adsb else 2.0 if elevation else 7.0 if mlat else 3.0 if radars > 1 else 0.0
        oldest = t_ns[i] - stale_ns
        known, fresh, fresh_psr = False, False, False
        for k in range(t_ns_technology.shape[1]):
            known |= t_ns_technology[i, k] >= 0
        if not known:
            continue
        for k in range(t_ns_technology.shape[1]):
            lost = t_ns_technology[i, k] < 0 or t_ns_technology[i, k] < oldest
            field = OLD_MLAT if k == MLT else OLD_PSR + k
            values[i, field] = 1.0 if lost else 0.0
            if not lost:
                fresh_psr |= k == PSR
                fresh |= k != PSR
        values[i, SDS] = (0.0 if fresh_psr else 1.0) if fresh else (2.0 if fresh_psr else 3.0)
