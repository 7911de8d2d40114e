"""What a step says it changed: all of it, nothing twice, and alone at the cost of what changed."""

import numpy as np

from airpicture.tables import Status, Tracks
from airpicture.tracker import Tracker
from test_tracker import MIXED, mixed_plots
from tracking_scenes import assert_bytes_equal, ns


def test_the_changed_rows_alone_are_those_of_the_whole_picture() -> None:
    plots = mixed_plots(40.0)
    alone, whole = Tracker(MIXED), Tracker(MIXED)
    changes = 0
    for k in range(1, 400):
        lo, hi = np.searchsorted(plots.t_ns, [ns(0.1 * (k - 1)), ns(0.1 * k)])
        part = plots.take(slice(int(lo), int(hi)))
        moved = alone.step(part, ns(0.1 * k)).moved()
        picture = whole.step(part, ns(0.1 * k))
        assert_bytes_equal(moved, picture.tracks.take(picture.changed))
        assert_bytes_equal(picture.moved(), moved)
        changes += len(moved)
    assert changes > 100


def test_no_change_is_told_twice_and_none_is_kept_back() -> None:
    """Steps within a frame do it again and again: who follows the changes has all plots of the picture, once."""
    plots = mixed_plots(40.0)
    tracker = Tracker(MIXED)
    told: dict[int, bytes] = {}
    again = 0
    for k in range(1, 1600):
        lo, hi = np.searchsorted(plots.t_ns, [ns(0.025 * (k - 1)), ns(0.025 * k)])
        picture = tracker.step(plots.take(slice(int(lo), int(hi))), ns(0.025 * k))
        changed = set(picture.changed.tolist())
        for row, number in enumerate(picture.tracks.track.tolist()):
            state = what_plots_made(picture.tracks, row)
            if row in changed:
                again += told.get(number) == state
            else:
                assert told.get(number, state) == state
            told[number] = state
    assert len(told) > 10
    assert again < 0.02 * 1600  # aged, or moved by rounding alone


def test_what_frames_closed_between_steps_change_is_in_the_next_picture() -> None:
    """And not in the one before, whoever looks at that only then."""
    plots = mixed_plots(40.0)
    plots = plots.take(plots.t_ns < ns(25.0))
    plain, other = Tracker(MIXED), Tracker(MIXED)
    ended = changed = 0
    for second in range(110):
        lo, hi = np.searchsorted(plots.t_ns, [ns(second + 1.0) if second else 0, ns(second + 2.0)])
        part = plots.take(slice(int(lo), int(hi)))  # ahead of their time, so that none of them is late
        last, expected = (tracker.step(part, ns(second + 0.6)) for tracker in (other, plain))
        other.advance(ns(second + 1.0))
        other.advance(ns(second + 1.3))
        assert_bytes_equal(last.tracks, expected.tracks)
        assert last.changed.tolist() == expected.changed.tolist()
        ended += int((last.tracks.status == Status.ENDED).sum())
        changed += len(last.changed)
    assert ended > 5
    assert changed > 100


def what_plots_made(tracks: Tracks, row: int) -> bytes:
    """Return what of a track only a plot, an ending or a merging changes."""
    columns = (tracks.plot_count, tracks.t_ns_plot, tracks.plot_range, tracks.plot_azimuth, tracks.mode_3a)
    return b"".join(column[row].tobytes() for column in columns)
