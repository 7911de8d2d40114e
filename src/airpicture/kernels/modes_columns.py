"""Where each field of a Mode S message stands among the decoder's columns, and what is remembered of each address.

A message is one column in three blocks of arrays, of which most cells stay empty: no message says everything.

    codes    (CODES, N) int32     counts, flags and codes; -1 where the message doesn't say
    reals    (REALS, N) float32   in the units of the message, which float32 holds exactly; NaN where it doesn't say
    lat, lon (N,) float64, callsign (N,) int64

Names, units and meanings as users see them: ``formats.modes.table``.
"""

from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels.arrays import table

U8: TypeAlias = NDArray[np.uint8]
I8: TypeAlias = NDArray[np.int8]
I32: TypeAlias = NDArray[np.int32]
I64: TypeAlias = NDArray[np.int64]
F32: TypeAlias = NDArray[np.float32]
F64: TypeAlias = NDArray[np.float64]

# Rows of codes.
DF: Final = 0  # downlink format
BECAME: Final = 1  # what became of the message, see below
ADDRESS: Final = 2  # 24 bits; only where it is vouched for
REMAINDER: Final = 3  # of the parity check: an address (AP), an interrogator (PI of DF 11), or 0
FOUND: Final = 4  # how the address was found, see below
SOURCE: Final = 5  # who speaks, see below
CAPABILITY: Final = 6  # CA of DF 11 and 17
INTERROGATOR: Final = 7  # II or SI code of an all-call reply
GROUND: Final = 8  # 1 on the ground, 0 in the air
SURVEILLANCE: Final = 9  # flight status FS, or surveillance status SS of a position message
TYPECODE: Final = 10
SUBTYPE: Final = 11
CATEGORY: Final = 12  # emitter category, 0xA0 to 0xD7
SQUAWK: Final = 13  # value of the 12 bits
EMERGENCY: Final = 14
ODD: Final = 15  # CPR format: 0 even, 1 odd
CPR_LAT: Final = 16
CPR_LON: Final = 17
UTC: Final = 18  # 1 where the position holds for an even 0.2 s of UTC
PLACED: Final = 19  # how latitude and longitude were found, see below
NIC: Final = 20
NACP: Final = 21
NACV: Final = 22
SIL: Final = 23
SDA: Final = 24
GVA: Final = 25
NIC_BARO: Final = 26
VERSION: Final = 27  # of ADS-B: 0 DO-260, 1 DO-260A, 2 DO-260B
RATE_SOURCE: Final = 28  # of the vertical rate: 0 geometric, 1 barometric
MODES: Final = 29  # autopilot 1, VNAV 2, altitude hold 4, approach 8, LNAV 16; as bits
ACAS: Final = 30  # 1 where ACAS works
REGISTER: Final = 31  # of a Comm-B message, as 0x40 for 4,0
SQUAWK_KNOWN: Final = 32  # at a position: the last one heard, if fresh
NIC_B: Final = 33  # supplement in an airborne position
ANONYMOUS: Final = 34  # 1 where the address isn't an aircraft's own
CATEGORY_KNOWN: Final = 35  # at a position: the last one heard, if fresh
CODES: Final = 36

# Rows of reals.
H_BARO_FT: Final = 0
H_ELL_FT: Final = 1
GS_KT: Final = 2
TRACK_DEG: Final = 3  # true
HEADING_DEG: Final = 4  # as sent: magnetic but for headings on the ground that say otherwise
IAS_KT: Final = 5
TAS_KT: Final = 6
MACH: Final = 7
RATE_FPM: Final = 8  # vertical, of the source in RATE_SOURCE
RATE_INERTIAL_FPM: Final = 9
DIFF_FT: Final = 10  # geometric height less pressure altitude
EAST_KT: Final = 11
NORTH_KT: Final = 12
ROLL_DEG: Final = 13
TURN_DPS: Final = 14  # of the track angle, clockwise positive
SELECTED_FT: Final = 15  # at the mode control panel
SELECTED_FMS_FT: Final = 16
SELECTED_HEADING_DEG: Final = 17
QNH_HPA: Final = 18
WIND_KT: Final = 19
WIND_FROM_DEG: Final = 20
TEMPERATURE_C: Final = 21
PRESSURE_HPA: Final = 22
HUMIDITY_PERCENT: Final = 23
CONFIDENCE: Final = 24  # that REGISTER is right
RC_M: Final = 25  # containment radius that goes with NIC
HFOM_M: Final = 26  # 95 % bound of the horizontal error that the type code of DO-260 tells
REALS: Final = 27

# BECAME: what the message was taken for; each counts once.
MODE_AC: Final = 0
POSITION: Final = 1
UNPAIRED: Final = 2  # a position whose other half wasn't heard in time
UNREFERENCED: Final = 3  # a surface position of which only the place within a quarter of the Earth is known
JUMPED: Final = 4  # refused: nothing flies as fast
FAR: Final = 5  # refused: beyond the receiver's range
PLACELESS: Final = 6  # a position message of type 0: height alone
VELOCITY: Final = 7
IDENTITY: Final = 8
STATUS: Final = 9
SQUITTER: Final = 10  # an extended squitter of another kind
ALL_CALL: Final = 11
HEIGHT: Final = 12
CODE: Final = 13
COMM_D: Final = 14
BAD_PARITY: Final = 15
UNVOUCHED: Final = 16  # refused: its address is known from nothing but its own parity
DUPLICATE: Final = 17
UNKNOWN_FORMAT: Final = 18
WRONG_LENGTH: Final = 19
BAD_VALUE: Final = 20  # a position that no point of the Earth has
OUTCOMES: Final = 21

# FOUND: how sure an address is. In brackets the chance that noise passes for it.
BY_NOTHING: Final = 0
BY_PARITY: Final = 1  # parity came out as 0 (2**-24)
BY_INTERROGATOR: Final = 2  # ... as one of 128 codes of an interrogator (2**-17)
BY_OVERLAY: Final = 3  # ... as an address that was vouched for of late (their number * 2**-24)
UNSURE: Final = 4  # ... as an address that nothing else has told: as good as noise
BY_REPETITION: Final = 5  # ... as an address that came out four times in a minute (8 * 10**-12 in noise of 100/s)

# SOURCE.
TRANSPONDER: Final = 0  # Mode S replies and acquisition squitter
ADSB: Final = 1  # DF 17
ADSB_OTHER: Final = 2  # DF 18, CF 0: no transponder
ADSB_ANONYMOUS: Final = 3  # CF 1: with an address of its own making
TISB_FINE: Final = 4  # CF 2
TISB_COARSE: Final = 5  # CF 3
TISB_MANAGEMENT: Final = 6  # CF 4
TISB_ANONYMOUS: Final = 7  # CF 5
ADSR: Final = 8  # CF 6: sent again by the ground

# PLACED.
GLOBAL: Final = 1  # from a pair of messages alone
LOCAL: Final = 2  # near the last position
LOCAL_SITE: Final = 3  # near the receiver

NEVER: Final = -(1 << 62)  # a time so early that nothing is near it


@table
class Columns(NamedTuple):
    """What one call decodes; N messages."""

    codes: I32  # (CODES, N)
    reals: F32  # (REALS, N)
    lat: F64  # (N,) deg
    lon: F64  # (N,) deg
    callsign: I64  # (N,) eight ASCII characters, first one highest; 0 none
    callsign_known: I64  # (N,) at a position: the last one heard, if fresh


# Rows of what is remembered of an address: times [ns], ...
T_SEEN: Final = 0
T_VOUCHED: Final = 1
T_HALF: Final = 2  # 4: even and odd in the air, even and odd on the ground
T_PLACE: Final = 6
T_VELOCITY: Final = 7  # ground speed and track
T_AIR: Final = 8  # heading and airspeeds
T_HEIGHT: Final = 9
T_RATE: Final = 10
T_DIFF: Final = 11
T_CALLSIGN: Final = 12
T_SQUAWK: Final = 13
T_STATUS: Final = 14
T_JUMP: Final = 15
TIMES: Final = 16
# ... codes, ...
M_LAT: Final = 0  # 4, CPR, as T_HALF
M_LON: Final = 4  # 4
M_STRIKES: Final = 8
M_GROUND: Final = 9
M_SQUAWK: Final = 10
M_VERSION: Final = 11
M_NIC_A: Final = 12
M_NIC_C: Final = 13
M_NACP: Final = 14
M_SIL: Final = 15
M_SDA: Final = 16
M_GVA: Final = 17
M_TRUST: Final = 18  # 1 told once by a reply to an interrogator, 2 vouched for, 3 by repetition alone
M_CATEGORY: Final = 19
MEMORY_CODES: Final = 20
# ... and reals.
R_LAT: Final = 0  # deg, the last position
R_LON: Final = 1
R_JUMP_LAT: Final = 2  # deg, the last one refused as too far away
R_JUMP_LON: Final = 3
R_GS: Final = 4  # kt
R_TRACK: Final = 5  # deg
R_HEADING: Final = 6  # deg
R_IAS: Final = 7  # kt
R_TAS: Final = 8  # kt
R_MACH: Final = 9
R_HEIGHT: Final = 10  # ft
R_RATE: Final = 11  # ft/min
R_DIFF: Final = 12  # ft
MEMORY_REALS: Final = 13

# Cells of Memory.state.
FREE: Final = 0  # slots free
FORGOTTEN: Final = 1  # addresses that gave way to others
STATE: Final = 2


@table
class Memory(NamedTuple):
    """What is remembered of each address, S at most; and of the last frames, so that none counts twice."""

    key: I64  # (S,) address and kind of source, -1 free
    home: I32  # (2^k >= 2 S,) hash table of slots, -1 empty
    free: I32  # (S,) stack of free slots
    state: I64  # (STATE,)
    times: I64  # (S, TIMES) ns
    codes: I32  # (S, MEMORY_CODES)
    reals: F64  # (S, MEMORY_REALS)
    callsign: I64  # (S,)
    rumour: I64  # (2^k, 3) addresses of unsure replies by hash: address, time of the first [ns], how often since
    echo: I64  # (2^k, 4) the last frames by hash: two halves of one, its time [ns], its receiver; (0, 4): none told


class Site(NamedTuple):
    """Where the receiver stands and how far it hears; NaN where that isn't known."""

    lat: float  # deg
    lon: float  # deg
    range_max: float  # m
