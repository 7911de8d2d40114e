"""Messages in the tracker: any cut gives the same bits, none begins a track, silence is put off and no place told."""

import numpy as np
import pytest

from airpicture.parallel import workers
from airpicture.tables import Plots, Status
from airpicture.tracker import Tracker
from tracking_scenes import (
    Target,
    assemble,
    assert_bytes_equal,
    confirmed,
    error_m,
    message_rows,
    ns,
    position_rows,
    radar,
    radar_rows,
    sensors_of,
)

SENSORS = sensors_of({"id": "adsb", "kind": "adsb"}, radar("a"))
SEEN = ("messages_taken", "messages_without_track", "messages_implausible", "messages_of_several_tracks")


def traffic(count: int = 8) -> list[Target]:
    targets = [Target(8e3 * k, 5e3, 4000.0 + 500.0 * k, 40.0 * k, 150.0 + 10.0 * k) for k in range(count)]
    targets[0].turn = (6.0, 16.0, 0.05)
    for k, target in enumerate(targets):
        target.codes = {"address": 0x400000 + k}
    return targets


def mixed(seconds: float = 20.0, seed: int = 1) -> Plots:
    """Positions, messages of all kinds, and a radar that sees the same aircraft; two wear one address."""
    rng = np.random.default_rng(seed)
    targets = traffic()
    targets[6].codes = {"address": 0x400005}
    rows = position_rows(targets, seconds, rng, sigma=10.0, pd=0.8)
    rows += message_rows(targets, seconds, rng, tells=("velocity", "climb", "turn"))
    rows += message_rows(targets, seconds, rng, every=2.0, tells=("height",))
    rows += radar_rows(targets[::2], SENSORS, seconds, rng, sensor=1, pd=0.9, clutter=3)
    rows += message_rows([Target(0, 0, codes={"address": 0xABCDEF})], seconds, rng, every=1.0)
    return assemble(rows, SENSORS)


def final(parts: list[Plots], run: object = None, until: int = 0) -> tuple[Tracker, object]:
    tracker = Tracker(SENSORS, run=run)  # type: ignore[arg-type]
    now = 0
    for part in parts:
        now = int(part.t_ns[-1]) if len(part) else now
        tracker.step(part, now)
    return tracker, tracker.step(Plots.empty(SENSORS), max(now, until)).tracks


def cut(plots: Plots, edges: list[int]) -> list[Plots]:
    return [plots.take(slice(a, b)) for a, b in zip([0, *edges], [*edges, len(plots)], strict=True)]


def test_the_cut_of_batches_leaves_no_trace_and_no_message_is_lost() -> None:
    plots = mixed()
    tracker, whole = final([plots])
    total = tracker.counts + tracker._tally
    sent = np.isnan(plots.lat) & np.isnan(plots.slant_range)
    assert sum(total[name] for name in SEEN) == sent.sum()
    assert total["messages_taken"] > 0.65 * sent.sum()
    assert total["messages_without_track"] >= 20
    assert total["messages_of_several_tracks"] > 0
    rng = np.random.default_rng(3)
    for edges in (sorted(rng.integers(0, len(plots), 40).tolist()), list(range(1, len(plots)))):
        other, tracks = final(cut(plots, edges))
        assert_bytes_equal(tracks, whole)  # type: ignore[arg-type]
        assert other.counts + other._tally == total


def test_order_within_a_batch_and_threads_change_no_bit() -> None:
    plots = mixed(12.0, 2)
    _, whole = final([plots])
    shuffled = plots.take(np.random.default_rng(5).permutation(len(plots)))
    tracker = Tracker(SENSORS)
    tracker.step(shuffled, int(plots.t_ns[-1]))
    assert_bytes_equal(tracker.step(Plots.empty(SENSORS), int(plots.t_ns[-1])).tracks, whole)  # type: ignore[arg-type]
    with workers(2) as run:
        _, threaded = final([plots], run)
    assert_bytes_equal(threaded, whole)  # type: ignore[arg-type]


def test_messages_begin_no_track() -> None:
    rng = np.random.default_rng(1)
    plots = assemble(message_rows(traffic(), 20.0, rng, tells=("velocity", "climb", "height")), SENSORS)
    tracker, tracks = final([plots])
    assert len(tracks) == 0  # type: ignore[arg-type]
    assert (tracker.counts + tracker._tally)["messages_without_track"] == len(plots)


def test_a_message_that_comes_twice_is_taken_once() -> None:
    rng = np.random.default_rng(1)
    rows = position_rows(traffic(), 10.0, rng, sigma=10.0)
    once = assemble(rows + message_rows(traffic(), 10.0, rng, tells=("velocity", "turn")), SENSORS)
    sent = np.flatnonzero(np.isnan(once.lat))
    _, tracks = final([once])
    tracker, again = final([Plots.concat([once, once.take(sent)]).in_time_order()])
    assert tracker.counts["refused_duplicate"] == len(sent)
    assert_bytes_equal(again, tracks)  # type: ignore[arg-type]


@pytest.mark.parametrize("messages", [True, False])
def test_messages_put_the_end_off_and_tell_no_place(messages: bool) -> None:
    """Positions for 30 s, then velocities alone: the track coasts on for five minutes and its sigma grows."""
    rng = np.random.default_rng(2)
    target = Target(course_deg=70.0, codes={"address": 77})
    rows = position_rows([target], 30.0, rng, sigma=10.0)
    if messages:
        rows += message_rows([target], 400.0, rng, start=2.0)
    plots = assemble(rows, SENSORS)
    tracker = Tracker(SENSORS)
    sigma, errors, done = [], [], 0
    for second in range(1, 400):
        upto = int(np.searchsorted(plots.t_ns, ns(second)))
        tracks = confirmed(tracker.step(plots.take(slice(done, upto)), ns(second)).tracks)
        done = upto
        if second == 95:
            assert len(tracks) == messages
        if second == 320 and messages:
            assert tracks.status.tolist() == [Status.COASTING]
            assert tracks.t_ns_plot[0] < ns(30.0)
        if len(tracks) and second > 40:
            sigma.append(np.hypot(tracks.sigma_east[0], tracks.sigma_north[0]))
            errors.append(error_m(tracks, 0, target, second))
    assert len(tracks) == 0
    if messages:
        assert np.diff(sigma).min() > 0.0
        assert max(np.array(errors) / sigma) < 3.0
        assert errors[-1] < 300.0


def test_identity_does_not_overrule_physics() -> None:
    """Velocities of an aircraft that flies the other way under the same address are refused, and leave no trace."""
    rng = np.random.default_rng(3)
    target = Target(course_deg=70.0, codes={"address": 77})
    other = Target(course_deg=250.0, speed=120.0, codes={"address": 77})
    rows = position_rows([target], 20.0, rng, sigma=10.0)
    _, tracks = final([assemble(rows, SENSORS)], until=ns(20.0))
    mixed_up = assemble(rows + message_rows([other], 19.5, rng, start=10.0), SENSORS)
    tracker, again = final([mixed_up], until=ns(20.0))
    assert (tracker.counts + tracker._tally)["messages_implausible"] > 15
    assert (tracker.counts + tracker._tally)["messages_taken"] == 0
    assert_bytes_equal(again, tracks)  # type: ignore[arg-type]


def test_codes_come_by_messages_too() -> None:
    rng = np.random.default_rng(4)
    target = Target(codes={"address": 77})
    rows = position_rows([target], 10.0, rng)
    spoken = {"t_ns": ns(9.3), "address": 77, "mode_3a": 0o4321, "callsign": 0x4142430000000000}
    _, tracks = final([assemble([*rows, spoken], SENSORS)])
    shown = confirmed(tracks)  # type: ignore[arg-type]
    assert (shown.mode_3a[0], shown.callsign[0], shown.address[0]) == (0o4321, 0x4142430000000000, 77)
    _, tracks = final([assemble([*rows, spoken | {"address": 78}], SENSORS)])
    assert confirmed(tracks).mode_3a[0] == -1  # type: ignore[arg-type]
