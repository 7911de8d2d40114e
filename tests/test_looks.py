"""How a frame's plots are cut into looks: one sensor, one frame, no address twice."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.kernels.layout import PLOT
from airpicture.reports import Reports
from airpicture.tracker import groups_of

FRAME_NS = 250_000_000


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2 * FRAME_NS - 1), st.integers(0, 2), st.integers(-1, 2)), min_size=1, max_size=9)
)
def test_looks_hold_each_plot_once_and_no_address_twice(plots: list[tuple[int, int, int]]) -> None:
    t, sensor, address = (np.array(column) for column in zip(*sorted(plots, key=lambda plot: plot[0]), strict=True))
    n = len(t)
    number = np.arange(n, dtype=float)  # tells plots apart
    reports = Reports(
        Z=np.zeros((n, PLOT)),
        t_ns=t.astype(np.int64),
        sensor=sensor.astype(np.int32),
        address=address.astype(np.int32),
        mode_3a=np.zeros(n, np.int32),
        callsign=np.zeros(n, np.uint64),
        technology=np.zeros(n, np.uint8),
        slant_range=number,
        azimuth=number,
    )
    expected: dict[tuple[int, int, int], list[int]] = {}  # sensor, frame, how often the address came before
    before: dict[tuple[int, int, int], int] = {}
    for j in range(n):
        one = (int(sensor[j]), int(t[j]) // FRAME_NS, int(address[j]))
        turn = before.get(one, 0) if address[j] >= 0 else 0
        before[one] = turn + 1
        expected.setdefault((*one[:2], turn), []).append(j)
    order = sorted(expected, key=lambda key: (int(t[expected[key][0]]), key[0]))
    looks = groups_of(reports, FRAME_NS)
    assert sorted(look.slant_range.tolist() for look in looks) == sorted(expected.values())
    firsts = [(int(look.t_ns[0]), int(look.sensor[0])) for look in looks]
    assert firsts == [(int(t[expected[key][0]]), key[0]) for key in order]
    assert all(column.flags.c_contiguous for look in looks for column in look)
