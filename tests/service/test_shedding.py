"""How far behind the reader of a journal is, and what it leaves out then."""

from __future__ import annotations

import numpy as np
import pytest

from airpicture.service.shedding import MERGE_S, MERGED, PRIMARY_S, Lag, Shedding
from airpicture.tables import Plots, Technology
from tracking_scenes import T0, radar, sensors_of

SENSORS = sensors_of(radar("a"))
S = 10**9


SECONDS = 60
TARGETS = 500


def plots_of(begin_s: int, end_s: int, each_s: float = 0.25, primary: int = 300) -> Plots:
    """Return plots of some seconds: of each target each `each_s`, by address or code; and of primary radar alone."""
    lots = np.random.default_rng(begin_s)
    t_s = np.arange(begin_s, end_s, each_s)
    number = np.tile(np.arange(TARGETS), len(t_s))
    t_ns = T0 + np.rint(1e9 * (np.repeat(t_s, TARGETS) + each_s * number / TARGETS)).astype(np.int64)
    even = number % 2 == 0
    address = np.append(np.where(even, 0x400000 + number, -1), np.full(primary, -1))
    code = np.append(np.where(even, -1, number), np.full(primary, -1))
    technology = np.append(np.where(even, int(Technology.MDS), int(Technology.SSR)), np.full(primary, Technology.PSR))
    t_ns = np.append(t_ns, T0 + lots.integers(begin_s * S, end_s * S, primary))
    n = len(t_ns)
    plots = Plots.blank(n, SENSORS, t_ns=t_ns, address=address, mode_3a=code, technology=technology)
    return plots.take(lots.permutation(n))


def kept_over(behind_s: float, each_s: float) -> tuple[Shedding, list[Plots], list[Plots]]:
    """Return what came and what was kept in a minute, second by second."""
    shedding = Shedding()
    came = [plots_of(second, second + 1, each_s) for second in range(SECONDS)]
    together = []
    for plots in came:
        shedding.behind(behind_s)
        together.append(shedding.kept(plots))
    return shedding, came, together


@pytest.mark.parametrize(
    ("behind_s", "together", "spaced_s", "share", "primary"),
    [
        (0.0, 1, 0.0, 1.0, 1.0),
        (MERGE_S + 0.1, MERGED, 0.0, 1.0, 1.0),
        (PRIMARY_S + 0.1, MERGED, 0.0, 1.0, 0.0),
        (8.1, MERGED, 2.0, 1.0, 0.0),
        (12.1, MERGED, 4.0, 1.0, 0.0),
        (20.1, MERGED, 8.0, 1.0, 0.0),
        (99.0, MERGED, 8.0, 0.25, 0.0),
    ],
)
def test_each_degree_leaves_out_what_it_says(
    behind_s: float, together: int, spaced_s: float, share: float, primary: float
) -> None:
    assert Shedding().behind(behind_s) == together
    shedding, came, kept = kept_over(behind_s, 0.25)
    alone = sum(int((one.technology == Technology.PSR).sum()) for one in kept)
    others = sum(map(len, kept)) - alone
    whole = 4 * SECONDS * TARGETS
    assert alone == 300 * SECONDS * primary
    expected = TARGETS * SECONDS / spaced_s if spaced_s else whole
    assert share * expected <= others * 1.02  # one in a slot, and one in each slot that's begun
    assert others <= share * (expected + TARGETS) * 1.03
    left_out = {"shed primary plots": 300 * SECONDS - alone, "shed other plots": whole - others}
    assert +shedding.counts == {name: count for name, count in left_out.items() if count}
    assert sum(map(len, came)) == sum(map(len, kept)) + sum(shedding.counts.values())
    assert shedding.active == (behind_s > PRIMARY_S)


@pytest.mark.parametrize("behind_s", [8.1, 12.1, 20.1])
@pytest.mark.parametrize("each_s", [0.25, 1.0])
def test_every_target_is_told_of_in_each_slot(behind_s: float, each_s: float) -> None:
    """But for two that share a cell, of which one is."""
    spaced_s = {8.1: 2.0, 12.1: 4.0, 20.1: 8.0}[behind_s]
    _, _, kept = kept_over(behind_s, each_s)
    times: dict[tuple[int, int], list[int]] = {}
    for plots in kept:
        for t_ns, address, code in zip(plots.t_ns, plots.address, plots.mode_3a, strict=True):
            times.setdefault((int(address), int(code)), []).append(int(t_ns))
    gaps = [np.diff([T0, *sorted(one), T0 + SECONDS * S]).max() / S for one in times.values()]
    assert len(times) > TARGETS - 5
    assert np.quantile(gaps, 0.98) <= 2 * spaced_s + each_s


def test_what_is_told_once_a_turn_is_kept() -> None:
    """A radar's targets: every turn of eight seconds and more, at the degree before the last."""
    shedding, turns = Shedding(), 0
    for begin_s in range(0, 200, 10):
        shedding.behind(25.0)
        turns += len(shedding.kept(plots_of(begin_s, begin_s + 1, 1.0, 0)))
    assert turns > 0.98 * TARGETS * 20


def test_a_time_that_is_none_is_not_held_against_those_that_follow() -> None:
    shedding = Shedding()
    shedding.behind(8.1)
    wrong = plots_of(3600, 3601, 1.0, 0)
    assert len(shedding.kept(wrong)) > 0
    assert len(shedding.kept(plots_of(0, 1, 1.0, 0))) > 0.98 * TARGETS


def test_the_lag_is_that_to_the_end_of_the_journal() -> None:
    lag, apart = Lag(), 12_345 * S  # journal and clock have nothing in common
    assert lag.of(T0, 99 * S) == 0.0
    for second in range(5):
        lag.at_end(T0 + second * S, apart + second * S)
        assert lag.of(T0 + second * S, apart + second * S) == 0.0
    assert lag.of(T0 + 4 * S, apart + 12 * S) == 8.0
    lag.at_end(T0 + 5 * S, apart + 14 * S)  # the end of a segment, which is no end
    assert lag.of(T0 + 5 * S, apart + 14 * S) == pytest.approx(9.0, abs=1.1)
    lag.at_end(T0 + 15 * S, apart + 15 * S)
    assert lag.of(T0 + 15 * S, apart + 15 * S) == 0.0


def test_a_clock_that_is_slowed_down_is_no_lag() -> None:
    lag = Lag()
    for second in range(1000):
        journal_ns = T0 + second * S * 95 // 100
        lag.at_end(journal_ns, second * S)
        assert lag.of(journal_ns, second * S) == 0.0
