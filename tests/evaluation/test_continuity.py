"""Switches, breaks, gaps and latency: against a plain walk along each target."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from airpicture.evaluation.continuity import continuity

SECOND = 1_000_000_000


def plain(target, instant, holder, times, targets, long_gap):
    """Walk along each target, row by row."""
    result = {
        name: [0] * targets
        for name in ("judged", "held", "switches", "swaps", "breaks", "long_gap_missed", "longest_hold")
    }
    result["latency"], result["longest_gap"] = [np.nan] * targets, [np.nan] * targets
    half = [0] * len(times)
    rows = sorted(zip(instant, target, holder, strict=True))
    for g in range(targets):
        mine = [(i, h) for i, t, h in rows if t == g]
        result["judged"][g] = len(mine)
        last, last_time, run_start, previous, missed = None, None, None, None, 0
        for i, h in mine:
            if last is not None and previous != h:
                half[i] += 2 if previous >= 0 and h >= 0 else 1
            if h >= 0:
                result["held"][g] += 1
                if last is None:
                    result["latency"][g] = times[i] - times[mine[0][0]]
                    result["longest_gap"][g] = 0.0
                else:
                    if missed:
                        gap = times[i] - last_time
                        result["breaks"][g] += 1
                        result["longest_gap"][g] = max(result["longest_gap"][g], gap)
                        result["long_gap_missed"][g] += missed if gap > long_gap else 0
                    if h != last:
                        result["switches"][g] += 1
                        before = [t for j, t, k in rows if k == h and j < i]
                        result["swaps"][g] += bool(before) and before[-1] != g
                if missed or h != last:
                    run_start = times[i]
                result["longest_hold"][g] = max(result["longest_hold"][g], times[i] - run_start)
                last, last_time, missed = h, times[i], 0
            else:
                missed += 1
            previous = h
        if missed and last is not None:
            gap = times[mine[-1][0]] - last_time
            result["longest_gap"][g] = max(result["longest_gap"][g], gap)
            result["long_gap_missed"][g] += missed if gap > long_gap else 0
    result["half"] = half
    return result


@st.composite
def histories(draw):
    """Holders of a few targets over a few instants; one track holds at most one target at a time."""
    targets, instants = draw(st.integers(1, 3)), draw(st.integers(1, 12))
    rows = []
    for i in range(instants):
        order = draw(st.permutations([0, 1, 2, 3, -1, -1]))
        for g in range(targets):
            if draw(st.integers(0, 5)):
                rows.append((g, i, order[g]))
    times = np.cumsum(draw(st.lists(st.integers(1, 20), min_size=instants, max_size=instants)))
    return rows, times, targets


@given(histories(), st.randoms(use_true_random=False))
def test_equals_a_walk_along_each_target(history, random):
    rows, times, targets = history
    random.shuffle(rows)
    target, instant, holder = (np.array([row[k] for row in rows], np.int64) for k in range(3))
    got = continuity(target, instant, holder, instants=times * SECOND, targets=targets, long_gap_s=15.0)
    expected = plain(target, instant, holder, times, targets, 15.0)
    pairs = {
        "judged": got.judged, "held": got.held, "switches": got.switches, "swaps": got.swaps, "breaks": got.breaks,
        "long_gap_missed": got.long_gap_missed, "latency": got.latency_s, "longest_gap": got.longest_gap_s,
        "longest_hold": got.longest_hold_s, "half": got.half_switches,
    }  # fmt: skip
    for name, values in pairs.items():
        np.testing.assert_array_equal(values, expected[name], err_msg=name)
    assert got.switches_at.sum() == got.switches.sum()


def test_the_drawing_in_the_module():
    holder = np.array([-1, -1, 7, 7, -1, 7, 9, 9, -1])
    size = len(holder)
    got = continuity(
        np.zeros(size, np.int64), np.arange(size), holder, instants=np.arange(size) * SECOND, targets=1, long_gap_s=1.5
    )
    assert (got.latency_s[0], got.switches[0], got.breaks[0], got.longest_gap_s[0]) == (2.0, 1, 1, 2.0)
    assert (got.long_gap_missed[0], got.longest_hold_s[0], got.lifetime_s[0], got.held[0]) == (1, 1.0, 8.0, 5)


def test_nothing_at_all():
    none = np.empty(0, np.int64)
    got = continuity(none, none, none, instants=none, targets=0, long_gap_s=np.nan)
    assert len(got.held) == len(got.half_switches) == 0
