"""What each target last said: a plain twin, any cut, and the bound of what is remembered."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.formats import laststate
from airpicture.formats.laststate import LastState, Quantity

QUANTITIES = {
    "speed": Quantity(("speed", "course"), (np.float64(np.nan), np.float64(np.nan)), 20),
    "code": Quantity(("code",), (np.int32(-1),), 50),
}
Message = tuple[int, int, float | None, int]  # who, time, speed or None, code or -1
messages = st.lists(
    st.tuples(st.integers(-1, 3), st.integers(-1, 100), st.none() | st.floats(0, 500), st.integers(-1, 7)), max_size=30
)


def joined(state: LastState, rows: list[Message]) -> list[tuple[str, str, int]]:
    who, t_ns = (np.array([row[k] for row in rows], np.int64) for k in (0, 1))
    speed = np.array([np.nan if row[2] is None else row[2] for row in rows])
    code = np.array([row[3] for row in rows], np.int32)
    found = state.join(who, t_ns, t_ns >= 0, speed=speed, course=speed / 2, code=code)
    return [
        (repr(a), repr(b), c)
        for a, b, c in zip(found["speed"].tolist(), found["course"].tolist(), found["code"].tolist(), strict=True)
    ]


def plain(rows: list[Message]) -> list[tuple[str, str, int]]:
    """Return the same by a loop over messages as they come."""
    speeds: dict[int, tuple[int, float]] = {}
    codes: dict[int, tuple[int, int]] = {}
    found = []
    for who, t_ns, speed, code in rows:
        if who < 0 or t_ns < 0:
            found.append(("nan", "nan", -1))
            continue
        if speed is not None:
            speeds[who] = (t_ns, speed)
        if code >= 0:
            codes[who] = (t_ns, code)
        t_speed, last = speeds.get(who, (10**9, np.nan))
        t_code, held = codes.get(who, (10**9, -1))
        fresh = 0 <= t_ns - t_speed <= 20
        value = float(last) if fresh else float("nan")
        found.append((repr(value), repr(value / 2), held if 0 <= t_ns - t_code <= 50 else -1))
    return found


@given(messages, st.integers(0, 30))
def test_equal_to_a_plain_loop_however_it_is_cut(rows: list[Message], cut: int) -> None:
    state = LastState(QUANTITIES)
    assert joined(state, rows[:cut]) + joined(state, rows[cut:]) == plain(rows)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(laststate, "TARGETS_MAX", 100)
    state = LastState(QUANTITIES)
    for k in range(40):
        rows: list[Any] = [(k * 10 + j, k, 100.0, 1) for j in range(10)]
        joined(state, rows)
        assert len(state) <= 110
    # Those that spoke last are kept.
    assert joined(state, [(395, 40, None, -1)]) == [("100.0", "50.0", 1)]
