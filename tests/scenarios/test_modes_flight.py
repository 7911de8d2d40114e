"""A real flight's Beast frames, tracked: as recorded, live, and by a service that was busy when it began to listen."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from airpicture.formats.modes import ModesDecoder
from airpicture.formats.modes.pace import Pace
from airpicture.formats.opening import open_recording
from airpicture.tables import Plots
from airpicture.tracker import Tracker

PATH = Path(__file__).parents[1] / "formats" / "modes" / "recordings" / "long_flight_part.csv.gz"
NS = 1_000_000_000
GAP_S = 60.0  # of two minutes 20 minutes apart, the second is the one with positions all along


def frames() -> tuple[list[float], list[bytes]]:
    """Return when each frame of the second part was received [s], and the frame as it came, marks doubled."""
    with gzip.open(PATH, "rt") as file:
        lines = [line.split(",") for line in file.read().splitlines()]
    rows = [(float(t), bytes.fromhex(frame)) for t, frame in lines if t[:1].isdigit()]
    cut = 1 + int(np.argmax(np.diff([t for t, _ in rows]) > GAP_S))
    return [t for t, _ in rows[cut:]], [f[:1] + f[1:].replace(b"\x1a", b"\x1a\x1a") for _, f in rows[cut:]]


def tracked(parts: list[tuple[Plots, int]]) -> dict[str, int]:
    tracker = Tracker(parts[0][0].sensors)
    for plots, now in parts:
        tracker.step(plots.in_time_order(), now)
    return dict(tracker.counts + tracker._tally)


def heard(busy_s: float, speed: float = 1.0) -> dict[str, int]:
    """Decode and track every tenth of a second; what was sent in the first `busy_s` is received at once.

    speed : at which the recording is played
    """
    sent, frame = frames()
    sent = [sent[0] + (t - sent[0]) / speed for t in sent]
    decoder = ModesDecoder()
    parts, k, now = [], 0, sent[0] + max(busy_s, 0.1)
    while k < len(sent):
        end = int(np.searchsorted(sent, now, side="right"))
        parts.append((decoder.feed(b"".join(frame[k:end]), round(now * NS)), round(now * NS)))
        k, now = end, now + 0.1
    return tracked(parts) | {"speed_percent": decoder.state["speed_percent"]}


def test_of_the_recording_next_to_nothing_is_implausible() -> None:
    plots = open_recording(PATH).plots
    counts = tracked([(plots, int(plots.t_ns.max()))])
    assert counts["messages_taken"] > 1300
    assert counts.get("messages_implausible", 0) <= 0.003 * counts["messages_taken"]


@pytest.mark.parametrize("busy_s", [0.0, 1.0, 5.0, 20.0, 50.0])
def test_live_neither_whatever_comes_at_once(busy_s: float) -> None:
    """Squeezed into one instant, what flew 50 s long would be implausible, or several tracks of one address."""
    counts, plain = heard(busy_s), heard(0.0)
    assert counts.get("messages_implausible", 0) <= 0.003 * counts["messages_taken"]
    assert counts["messages_taken"] > 0.97 * plain["messages_taken"]
    assert counts["tracks_begun"] == 1
    assert counts.get("messages_of_several_tracks", 0) == 0


@pytest.mark.parametrize("speed", [1.2, 1.5, 2.0])
def test_a_recording_that_is_played_faster_is_told_by_its_counter(speed: float) -> None:
    """Two windows of two seconds tell; from then on velocities are of the same unit of time as the way flown.

    Taken as they were said, a quarter of the messages is implausible at twice the speed: 302 of 1,181, for 27.
    """
    counts, plain = heard(0.0, speed), heard(0.0)
    assert abs(counts["speed_percent"] - 100 * speed) <= 3
    assert counts["messages_taken"] > 0.95 * plain["messages_taken"]
    assert counts.get("messages_implausible", 0) <= 0.03 * counts["messages_taken"]


def test_a_receiver_goes_at_its_own_speed_whatever_the_network_does() -> None:
    """A stall and the burst after it are no recording; nor is a counter of nanoseconds, or one that is set anew."""
    second = 1_000_000_000
    pace = Pace()
    for k in range(300):
        stalled = 40 <= k % 100 < 55  # 1.5 s without a thing, then all of it
        if not stalled:
            pace.note(k * second // 10, k * second // 10)
            assert pace.speed == 1.0
    for k in range(100):
        pace.note(90 * k * second // 10, (400 + k) * second // 10)
        assert pace.speed == 1.0
    played = Pace()
    for k in range(100):
        played.note(2 * k * second // 10, k * second // 10)
    assert played.speed == pytest.approx(2.0)
    played.note(0, 10 * second)
    played.note(second // 10, 10 * second + second // 10)
    assert played.speed == 1.0


def test_the_cut_of_what_came_at_one_time_leaves_no_trace() -> None:
    rng = np.random.default_rng(4)
    whole, pieces = Pace(), Pace()
    counted = 0
    for k in range(200):
        parts = rng.integers(1, 60_000_000, 4)
        received = k * NS // 16
        for one in np.cumsum(parts).tolist():
            pieces.note(counted + one, received)
        counted += int(parts.sum())
        whole.note(counted, received)
        assert pieces.speed == whole.speed
    assert whole.speed > 1.5
