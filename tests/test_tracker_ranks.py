"""When rows of the store move leaves no trace in the picture."""

from typing import Any

import numpy as np
import pytest

from airpicture import tracker as module
from airpicture.tables import Plots, Status
from airpicture.tracker import Tracker
from airpicture.tracks import retire
from test_tracker import MIXED, mixed_plots
from tracking_scenes import Target, assemble, assert_bytes_equal, ns, position_rows


@pytest.mark.parametrize("step_s", [0.7, 0.1])
def test_ranks_closed_a_few_rows_at_a_time_give_the_same_pictures(
    step_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tracks begin and end, frames are taken back and messages ask for addresses while rows lie between places."""
    plots = mixed_plots(60.0)
    slow, usual = Tracker(MIXED), Tracker(MIXED)
    between = moves = 0
    for k in range(1, round(70.0 / step_s)):
        lo, hi = np.searchsorted(plots.t_ns, [ns(step_s * (k - 1)), ns(step_s * k)])
        part = plots.take(slice(int(lo), int(hi)))
        expected = usual.step(part, ns(step_s * k)).tracks
        with monkeypatch.context() as patch:
            patch.setattr(retire, "SLICES", 1000)
            patch.setattr(retire, "SLICE_LEAST", 2)
            before = slow._store.closing_to
            picture = slow.step(part, ns(step_s * k))
        assert_bytes_equal(picture.tracks, expected)
        store = slow._store
        between += store.closing_to > 0
        moves += store.closing_to not in (0, before)
        assert store.live == np.count_nonzero(store.status[: store.n] != Status.ENDED) == usual._store.live
    assert between > 12
    assert moves >= 3


def test_a_gap_behind_the_last_tracks_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty aircraft fall silent at once, more than are moved in one go; nobody ages what has ended."""
    monkeypatch.setattr(retire, "SLICE_LEAST", 5)
    swept = 0

    def counting(*given: Any) -> Any:
        nonlocal swept
        swept += 1
        return retire.sweep(*given)

    monkeypatch.setattr(module, "sweep", counting)
    targets = [Target(2e3 * k, 10e3, course_deg=9.0 * k, codes={"address": 0x400000 + k}) for k in range(40)]
    plots = assemble(position_rows(targets, 20.0, np.random.default_rng(1), sensor=2), MIXED)
    tracker = Tracker(MIXED)
    assert len(tracker.step(plots, ns(20.0)).tracks) == 40
    tracker.step(Plots.empty(MIXED), ns(4000.0))
    assert (tracker._store.n, tracker.counts["tracks_begun"]) == (0, 40)
    assert swept < 200
