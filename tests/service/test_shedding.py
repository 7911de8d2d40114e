"""How far behind the reader of a journal is, and what it leaves out then."""

from __future__ import annotations

import numpy as np
import pytest

from airpicture.service.shedding import MERGE_S, MERGED, PRIMARY_S, Lag, Shedding
from airpicture.tables import Plots, Technology
from tracking_scenes import T0, radar, sensors_of

SENSORS = sensors_of(radar("a"))
S = 10**9


def plots_of(n: int, primary: int) -> Plots:
    """Return plots of n targets with addresses, the last ones of primary radar alone."""
    address = np.where(np.arange(n) < n - primary, 0x400000 + np.arange(n) % 500, -1)
    technology = np.where(address >= 0, int(Technology.MDS), int(Technology.PSR))
    return Plots.blank(n, SENSORS, t_ns=T0 + 7 * np.arange(n), address=address, technology=technology)


@pytest.mark.parametrize(
    ("behind_s", "together", "share", "primary"),
    [
        (0.0, 1, 1.0, 1.0),
        (MERGE_S + 0.1, MERGED, 1.0, 1.0),
        (PRIMARY_S + 0.1, MERGED, 1.0, 0.0),
        (8.1, MERGED, 0.5, 0.0),
        (12.1, MERGED, 0.25, 0.0),
        (99.0, MERGED, 1 / 16, 0.0),
    ],
)
def test_each_degree_leaves_out_what_it_says(behind_s: float, together: int, share: float, primary: float) -> None:
    shedding, plots = Shedding(), plots_of(10_000, 1000)
    assert shedding.behind(behind_s) == together
    kept = shedding.kept(plots)
    alone = kept.technology == Technology.PSR
    assert alone.sum() == 1000 * primary
    assert (~alone).sum() == pytest.approx(9000 * share, abs=150)
    left_out = {"shed primary plots": 1000 - int(alone.sum()), "shed other plots": 9000 - int((~alone).sum())}
    assert +shedding.counts == {name: count for name, count in left_out.items() if count}
    assert shedding.kept(plots).t_ns.tolist() == kept.t_ns.tolist()  # lots are the same for the same plots
    heard = len(np.unique(kept.address[kept.address >= 0]))  # of each target there are 18 plots
    assert heard == 500 or share < 0.1
    assert heard > 300
    assert shedding.active == (behind_s > PRIMARY_S)


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
