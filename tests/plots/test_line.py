"""Plots that wait for their frame: those before a time leave, in order, whatever parts they came in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.kernels.layout import PLACE, PLOT
from airpicture.plots import Line
from airpicture.reports import Reports


def reports_at(times: list[int], first: int = 0) -> Reports:
    """Return plots of given times; their addresses number them."""
    size = len(times)
    ints, codes = np.zeros(size, np.int32), np.zeros(size, np.uint8)
    return Reports(
        Z=np.zeros((size, PLOT)), t_ns=np.array(times, np.int64), sensor=ints, mode_3a=ints,
        address=np.arange(first, first + size, dtype=np.int32), callsign=np.zeros(size, np.uint64), technology=codes,
        slant_range=np.zeros(size), azimuth=np.zeros(size), on_ground=np.zeros(size, np.int8), category=codes,
        place=np.zeros((size, PLACE)),
    )  # fmt: skip


@given(
    parts=st.lists(st.lists(st.integers(0, 40), max_size=5), max_size=8),
    edges=st.lists(st.integers(0, 41), max_size=8),
)
def test_plots_leave_in_the_order_of_time_and_of_their_coming(parts: list[list[int]], edges: list[int]) -> None:
    line, waiting, number = Line(), [], 0  # a plain list of (time, number) beside it
    for k in range(max(len(parts), len(edges))):
        if k < len(parts):
            times = sorted(parts[k])
            line.put(reports_at(times, number))
            waiting = sorted(waiting + [(t, number + j) for j, t in enumerate(times)])
            number += len(times)
        if k < len(edges):
            taken = line.take(edges[k])
            due = [one for one in waiting if one[0] < edges[k]]
            waiting = waiting[len(due) :]
            got = [] if taken is None else list(zip(taken.t_ns.tolist(), taken.address.tolist(), strict=True))
            assert got == due
        assert line.first_ns == (waiting[0][0] if waiting else None)
        left = line.waiting
        assert ([] if left is None else left.address.tolist()) == [j for _, j in waiting]


@pytest.mark.parametrize("times", [[], [3, 5]])
def test_nobody_leaves_an_empty_line(times: list[int]) -> None:
    line = Line()
    line.put(reports_at(times))
    line.take(100)
    assert (line.first_ns, line.waiting, line.take(100)) == (None, None, None)
