"""The first 32 bits of replies: height and identity codes, where the aircraft is, what it asks for.

    DF 0, 16   | DF 5 | VS 1 | CC 1 | . 1 | SL 3 | . 2 | RI 4 | . 2 | AC 13 |  DF 16: then MV 56
    DF 4, 20   | DF 5 | FS 3 | DR 5        | UM 6              | AC 13 |  DF 20: then MB 56
    DF 5, 21   | DF 5 | FS 3 | DR 5        | UM 6              | ID 13 |  DF 21: then MB 56
    DF 11      | DF 5 | CA 3 | AA 24                                   |

    AC         C1 A1 C2 A2 C4 A4 M  B1 Q  B2 D2 B4 D4     M 1: metres. Else Q 1: steps of 25 ft; Q 0: Gillham's code
    ID         C1 A1 C2 A2 C4 A4 .  B1 D1 B2 D2 B4 D4     four octal digits A B C D

A position message holds AC without its M bit, 12 bits.

Source: ICAO Annex 10 Volume IV, 3.1.2.6.5.1 (FS), 3.1.2.6.5.4 (AC), 3.1.2.6.7.1 (ID), 3.1.2.8.2.1 (VS), appendix to
chapter 3 (the code of 100 ft steps).
"""

import math
from typing import Any, Final

import numpy as np

from airpicture.kernels._jit import part

FT_PER_M: Final = 1.0 / 0.3048
NOT_TOLD: Final = -1


@part
def squawk_13(code: Any) -> Any:
    """Return the value of the four octal digits of an ID field."""
    a = (code >> 11 & 1) | (code >> 9 & 1) << 1 | (code >> 7 & 1) << 2
    b = (code >> 5 & 1) | (code >> 3 & 1) << 1 | (code >> 1 & 1) << 2
    c = (code >> 12 & 1) | (code >> 10 & 1) << 1 | (code >> 8 & 1) << 2
    d = (code >> 4 & 1) | (code >> 2 & 1) << 1 | (code & 1) << 2
    return a << 9 | b << 6 | c << 3 | d


@part
def from_gray(code: Any) -> Any:
    """Return the number that a Gray code of at most 8 bits stands for."""
    code ^= code >> 4
    code ^= code >> 2
    return code ^ code >> 1


@part
def gillham_ft(code: Any) -> Any:
    """Return the height [ft] of an AC field in Gillham's code (Q and M 0), NaN where it is none.

    D2 D4 A1 A2 A4 B1 B2 B4 are a Gray code of 500 ft steps (D1 isn't used in heights: Q took its place), C1 C2 C4
    of five 100 ft steps, which run backwards in each second of the former.
    """
    value = squawk_13(code)
    a, b, c, d = value >> 9, value >> 6 & 7, value >> 3 & 7, value & 7
    # The digits' bits have the weights 4 2 1 in names (A4 A2 A1) but go into the Gray code in the order 1 2 4.
    coarse = (d >> 1 & 1) << 7 | (d >> 2) << 6
    coarse |= (a & 1) << 5 | (a >> 1 & 1) << 4 | (a >> 2) << 3
    coarse |= (b & 1) << 2 | (b >> 1 & 1) << 1 | b >> 2
    five_hundreds = from_gray(coarse)
    fine = from_gray((c & 1) << 2 | (c >> 1 & 1) << 1 | c >> 2)
    if fine == 7:  # the code of five steps: 1 2 3 4 7
        fine = np.int64(5)
    elif fine == 0 or fine >= 5:
        return math.nan
    if five_hundreds & 1:
        fine = 6 - fine
    return 500.0 * five_hundreds + 100.0 * fine - 1300.0


@part
def height_13_ft(code: Any) -> Any:
    """Return the height [ft] of an AC field; NaN where it tells none."""
    if code == 0:
        return math.nan
    if code & 0x40:  # M
        return ((code >> 7) << 6 | (code & 0x3F)) * FT_PER_M
    if code & 0x10:  # Q
        return 25.0 * ((code >> 7) << 5 | (code >> 5 & 1) << 4 | (code & 0xF)) - 1000.0
    return gillham_ft(code)


@part
def height_12_ft(code: Any) -> Any:
    """Return the height [ft] of the 12 bits of a position message; NaN where they tell none."""
    return height_13_ft((code >> 6) << 7 | (code & 0x3F))


@part
def ground_of_fs(status: Any) -> Any:
    """Return whether a flight status says that the aircraft is on the ground: 1, 0, or -1 where it leaves that open."""
    if status == 1 or status == 3:
        return np.int64(1)
    if status == 0 or status == 2:
        return np.int64(0)
    return np.int64(-1)  # 4 and 5: either; 6 and 7: not assigned


@part
def ground_of_ca(capability: Any) -> Any:
    """Return whether CA says that the aircraft is on the ground: 1, 0, or -1."""
    if capability == 4:
        return np.int64(1)
    if capability == 5:
        return np.int64(0)
    return np.int64(-1)
