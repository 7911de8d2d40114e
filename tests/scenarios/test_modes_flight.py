"""A real flight's Beast frames, tracked: as recorded, live, and by a service that was busy when it began to listen."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from airpicture.formats.modes import ModesDecoder
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


def heard(busy_s: float) -> dict[str, int]:
    """Decode and track every tenth of a second; what was sent in the first `busy_s` is received at once."""
    sent, frame = frames()
    decoder = ModesDecoder()
    parts, k, now = [], 0, sent[0] + max(busy_s, 0.1)
    while k < len(sent):
        end = int(np.searchsorted(sent, now, side="right"))
        parts.append((decoder.feed(b"".join(frame[k:end]), round(now * NS)), round(now * NS)))
        k, now = end, now + 0.1
    return tracked(parts)


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
