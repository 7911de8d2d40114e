"""What only the order of the stream tells: the days of times of day, the lives of track numbers."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import jit, jit_making_arrays

I64: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


@jit
def unwrap_days(tod: I64, captured: I64, first_day: Any, day: Any, trust: Any, patience: Any, t: I64) -> None:
    """Place times of day on the calendar.

    Without capture times, each time goes to the day that puts it nearest to the time that the stream has reached. Only
    a time within `trust` of that moves it on, so that a wild stamp shifts nothing but itself; after `patience` times
    further off in a row, the recording has jumped and the last of them is believed.

    Parameters
    ----------
    tod : (N,) int64 [ns] since midnight, in the order of the stream; negative: none
    captured : (N,) int64 [ns] since 1970; negative: none
    first_day : int64 [ns], midnight of the first time that has no capture time
    day, trust : int64 [ns]
    patience : count
    t : (N,) int64; overwritten with ns since 1970, -1 where there's no time of day
    """
    begun = False
    reference = np.int64(0)
    strikes = 0
    for k in range(tod.shape[0]):
        if tod[k] < 0:
            t[k] = -1
            continue
        if captured[k] >= 0:
            t[k] = tod[k] + (captured[k] - tod[k] + day // 2) // day * day
            continue
        if not begun:
            begun = True
            reference = first_day + tod[k]
        t[k] = tod[k] + (reference - tod[k] + day // 2) // day * day
        if abs(t[k] - reference) <= trust:
            reference = t[k]
            strikes = 0
        else:
            strikes += 1
            if strikes > patience:
                reference = t[k]
                strikes = 0


@jit_making_arrays
def count_lives(number: I64, t_ns: I64, ended: Flags, gap: Any, life: I64) -> None:
    """Count how often each number was used before: a life ends with TSE or a long silence.

    Parameters: number (N,) int64 dense, in the order of time; t_ns (N,); ended (N,) bool; life (N,) int64, overwritten.
    """
    if number.shape[0] == 0:
        return
    size = number.max() + 1
    last = np.full(size, np.int64(-1))
    count = np.zeros(size, np.int64)
    over = np.zeros(size, np.bool_)
    for k in range(number.shape[0]):
        n = number[k]
        if last[n] >= 0 and (over[n] or t_ns[k] - last[n] > gap):
            # The last message of a track is at times sent again.
            again = ended[k] and over[n] and t_ns[k] - last[n] <= gap
            count[n] += 0 if again else 1
        life[k] = count[n]
        last[n] = t_ns[k]
        over[n] = ended[k]
