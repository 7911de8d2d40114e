"""What an aircraft says of itself: emergency (type code 28), target state (29), operational status (31).

    ME of 28, subtype 1    TC 5 | ST 3 | emergency 3 | ID 13 | . 32
    ME of 29, subtype 1    TC 5 | ST 2 | SIL-S 1 | FMS 1 | selected height 11 | QNH 9 | S 1 | heading 9 | NACp 4
                           | NIC-baro 1 | SIL 2 | valid 1 | autopilot 1 | VNAV 1 | hold 1 | IMF 1 | approach 1 | ACAS 1
                           | LNAV 1 | . 2
    ME of 29, subtype 0    (DO-260A)  ... NACp, NIC-baro and SIL in the same bits (40-46)
    ME of 31, subtype 0    (air)      TC 5 | ST 3 | CC 16 | OM 16 | version 3 | NIC-A 1 | NACp 4 | GVA 2 | SIL 2
                           | NIC-baro 1 | HRD 1 | SIL-S 1 | . 1
    ME of 31, subtype 1    (surface)  the same; CC holds NACv (bits 17-19) and NIC-C (bit 20); no GVA, no NIC-baro
    OM                     00 | RA 1 | ident 1 | . 1 | single antenna 1 | SDA 2 | ...

Source: RTCA DO-260B, 2.2.3.2.7.8 (28), 2.2.3.2.7.1 (29), 2.2.3.2.7.2 (31); ICAO Doc 9871, appendix C; appendix N of
DO-260B for older versions.
"""

from typing import Any, Final

import numpy as np

from airpicture.kernels import modes_columns as col
from airpicture.kernels._jit import part
from airpicture.kernels.modes_columns import Columns, Memory
from airpicture.kernels.modes_crc import bits
from airpicture.kernels.modes_reply import squawk_13

VERSIONS: Final = 3  # known ones: 0, 1, 2; a later one (DO-260C: 3) is read as the last of them


@part
def read_emergency(me: Any, k: Any, t: Any, memory: Memory, slot: Any, out: Columns) -> None:
    """Fill emergency state and Mode A code."""
    out.codes[col.SUBTYPE, k] = bits(me, 6, 8)
    if bits(me, 6, 8) != 1:
        return
    out.codes[col.EMERGENCY, k] = bits(me, 9, 11)
    code = bits(me, 12, 24)
    if code:
        squawk = squawk_13(code)
        out.codes[col.SQUAWK, k] = squawk
        memory.codes[slot, col.M_SQUAWK] = squawk
        memory.times[slot, col.T_SQUAWK] = t


@part
def read_target_state(me: Any, k: Any, t: Any, memory: Memory, slot: Any, out: Columns) -> None:
    """Fill selected values, modes and accuracy of a target state and status message."""
    codes, reals = out.codes, out.reals
    subtype = bits(me, 6, 7)
    codes[col.SUBTYPE, k] = subtype
    if subtype > 1:
        return
    codes[col.NACP, k] = bits(me, 40, 43)
    codes[col.NIC_BARO, k] = bits(me, 44, 44)
    codes[col.SIL, k] = bits(me, 45, 46)
    memory.codes[slot, col.M_NACP] = bits(me, 40, 43)
    memory.codes[slot, col.M_SIL] = bits(me, 45, 46)
    memory.times[slot, col.T_STATUS] = t
    if subtype == 0:
        return
    height = bits(me, 10, 20)
    if height:
        reals[col.SELECTED_FMS_FT if bits(me, 9, 9) else col.SELECTED_FT, k] = 32.0 * (height - 1)
    if bits(me, 21, 29):
        reals[col.QNH_HPA, k] = 800.0 + 0.8 * (bits(me, 21, 29) - 1)
    if bits(me, 30, 30):
        reals[col.SELECTED_HEADING_DEG, k] = bits(me, 31, 39) * 360.0 / 512.0
    if bits(me, 47, 47):
        modes = bits(me, 48, 48) | bits(me, 49, 49) << 1 | bits(me, 50, 50) << 2
        codes[col.MODES, k] = modes | bits(me, 52, 52) << 3 | bits(me, 54, 54) << 4
    codes[col.ACAS, k] = bits(me, 53, 53)


@part
def read_operational_status(me: Any, k: Any, t: Any, memory: Memory, slot: Any, out: Columns) -> None:
    """Fill version, integrity and accuracy; they hold for the positions that follow."""
    codes, kept = out.codes, memory.codes
    subtype = bits(me, 6, 8)
    codes[col.SUBTYPE, k] = subtype
    if subtype > 1:
        return
    version = bits(me, 41, 43)
    codes[col.VERSION, k] = version
    kept[slot, col.M_VERSION] = min(version, np.int64(VERSIONS - 1))
    memory.times[slot, col.T_STATUS] = t
    codes[col.GROUND, k] = subtype
    if version == 0:  # DO-260 had none of what follows
        return
    codes[col.NACP, k] = bits(me, 45, 48)
    codes[col.SIL, k] = bits(me, 51, 52)
    kept[slot, col.M_NACP] = bits(me, 45, 48)
    kept[slot, col.M_SIL] = bits(me, 51, 52)
    kept[slot, col.M_NIC_A] = bits(me, 44, 44)
    if version >= 2:
        codes[col.SDA, k] = bits(me, 31, 32)
        kept[slot, col.M_SDA] = bits(me, 31, 32)
    if subtype == 1:
        codes[col.NACV, k] = bits(me, 17, 19)
        if version >= 2:
            kept[slot, col.M_NIC_C] = bits(me, 20, 20)
        return
    codes[col.NIC_BARO, k] = bits(me, 53, 53)
    if version >= 2:
        codes[col.GVA, k] = bits(me, 49, 50)
        codes[col.ACAS, k] = bits(me, 11, 11)
        kept[slot, col.M_GVA] = bits(me, 49, 50)
