"""Frames out of streams: escaping, cuts anywhere, what's broken; and clocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference_modes as ref
from airpicture.formats.modes.decoding import Timing
from airpicture.formats.modes.frames import Frames, split
from airpicture.kernels import modes_clock

messages = st.one_of(*(st.binary(min_size=n, max_size=n) for n in (2, 7, 14)))
framed = st.tuples(messages, st.integers(0, (1 << 48) - 1), st.integers(0, 255))


def plain(frames: Frames) -> list[tuple[int, int, bytes, int]]:
    return [
        (int(c), int(s), bytes(d[:n]), int(r) % (1 << 64))
        for c, s, d, n, r in zip(frames.clock, frames.signal, frames.data, frames.size, frames.receiver, strict=True)
    ]


@given(st.lists(framed, max_size=12), st.lists(st.integers(1, (1 << 64) - 1), max_size=3))
def test_every_frame_comes_back(given_frames: list[tuple[bytes, int, int]], receivers: list[int]) -> None:
    stream, expected, receiver = b"", [], 0
    for k, (message, clock, signal) in enumerate(given_frames):
        if k < len(receivers):
            receiver = receivers[k]
            stream += ref.beast_receiver(receiver)
        stream += ref.beast(message, clock, signal)
        expected.append((clock, signal, message, receiver))
    found = split(stream, "beast")
    assert plain(found.frames) == expected
    assert found.consumed == len(stream)
    assert (found.stray, found.cut) == (0, 0)


@given(st.lists(framed, min_size=1, max_size=6), st.data())
def test_any_cut_gives_the_same_frames(given_frames: list[tuple[bytes, int, int]], data: st.DataObject) -> None:
    stream = b"".join(ref.beast(*one) for one in given_frames)
    rest, found = b"", []
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        part = split(rest + stream[start:end], "beast")
        rest = (rest + stream[start:end])[part.consumed :]
        assert len(rest) <= 44  # a frame with every byte doubled
        found += plain(part.frames)
    assert found == plain(split(stream, "beast").frames)
    assert rest == b""


@given(st.lists(st.one_of(st.binary(max_size=30), framed.map(lambda one: ref.beast(*one))), max_size=12).map(b"".join))
def test_a_damaged_stream_gives_what_the_twin_finds(stream: bytes) -> None:
    """What lies between frames is counted, byte by byte."""
    found = split(stream, "beast")
    expected = ref.frames_of_beast(stream)
    assert [one[2] for one in plain(found.frames)] == [one[2] for one in expected]
    assert found.consumed <= len(stream)
    assert len(stream) - found.consumed <= 44


@given(st.binary(max_size=400))
def test_noise_is_survived(stream: bytes) -> None:
    for form in ("beast", "avr"):
        found = split(stream, form)  # type: ignore[arg-type]
        assert 0 <= found.consumed <= len(stream)


def test_marks_within_a_frame_and_a_frame_cut_short() -> None:
    message = b"\x1a" * 14
    good = ref.beast(message, int.from_bytes(b"\x1a" * 6, "big"), 0x1A)
    assert len(good) == 44
    assert plain(split(good, "beast").frames) == [(0x1A1A1A1A1A1A, 0x1A, message, 0)]
    short = ref.beast(b"\x20" * 7)[:9]
    found = split(short + good, "beast")
    assert (len(found.frames), found.cut, found.stray) == (1, 1, 0)
    found = split(b"\x1a4" + bytes(21) + good + b"xyz" + good, "beast")
    assert (len(found.frames), found.states, found.stray) == (2, 1, 3)


@given(
    st.lists(
        st.tuples(st.sampled_from("*@<"), messages, st.integers(0, (1 << 48) - 1), st.integers(0, 255), st.booleans()),
        max_size=8,
    ),
    st.sampled_from(["", "\n", "\r\n"]),
)
def test_avr_comes_back(lines: list[tuple[str, bytes, int, int, bool]], end: str) -> None:
    text = ""
    for mark, message, clock, signal, upper in lines:
        digits = {"*": "", "@": f"{clock:012x}", "<": f"{clock:012x}{signal:02x}"}[mark] + message.hex()
        text += mark + (digits.upper() if upper else digits) + ";" + end
    found = split(text.encode(), "avr")
    assert [one[:3] for one in plain(found.frames)] == ref.frames_of_avr(text)
    assert len(found.frames) == len(lines)
    assert (found.stray, found.cut) == (0, 0)


@pytest.mark.parametrize(
    ("text", "frames", "cut", "stray"),
    [("*8D40;", 1, 0, 0), ("*8D4;", 0, 1, 1), ("*8D40621D58C382D690C8AC2863A7*8D40;", 1, 1, 0), ("x*8D40;y", 1, 0, 2),
     ("*" + "0" * 100 + ";", 0, 1, 58), ("@00*8D40;", 1, 1, 0), ("*8D40", 0, 0, 0)],
)  # fmt: skip
def test_damaged_avr(text: str, frames: int, cut: int, stray: int) -> None:
    found = split(text.encode(), "avr")
    assert (len(found.frames), found.cut, found.stray) == (frames, cut, stray)


SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND


def timed(
    raw: list[int], received: list[int], receiver: list[int] | None = None, **how: object
) -> tuple[list[int], Timing]:
    n = len(raw)
    frames = Frames(
        np.zeros((n, 14), np.uint8), np.full(n, 7, np.uint8), np.array(raw, np.int64), np.zeros(n, np.uint8),
        np.array(receiver or [0] * n, np.int64),
    )  # fmt: skip
    timing = Timing(**how)  # type: ignore[arg-type]
    return timing.times(frames, np.array(received, np.int64))[0].tolist(), timing


def test_the_counter_smooths_what_the_network_jitters() -> None:
    """Messages each 10 ms, received up to half a second late: what comes out is the counter's, within its drift."""
    rng = np.random.default_rng(7)
    sent = np.arange(2000) * 10_000_000
    late = rng.integers(1_000_000, 500_000_000, 2000)
    t, timing = timed((sent * 12 // 1000 + 5_000_000).tolist(), (NOW + sent + late).tolist())
    error = np.array(t) - NOW - sent
    assert (error >= 0).all()
    assert (error <= late).all()
    assert error[1000:].max() < 30_000_000
    assert np.abs(np.diff(error[1000:])).max() < 30_000_000
    assert timing.resets == 0


def test_a_counter_wraps() -> None:
    top = 1 << 48
    t, timing = timed([top - 12_000_000, 0 + 6, 12_000_000], [NOW, NOW + 1_000_000_500, NOW + 2 * SECOND])
    assert t == [NOW, NOW + 1_000_000_500, NOW + 2 * SECOND]
    assert timing.resets == 0


def test_a_counter_that_was_set_anew_is_followed() -> None:
    t, timing = timed([10**12, 10**12 + 12_000_000, 600, 12_000_600], [NOW + k * SECOND for k in range(4)])
    assert t == [NOW + k * SECOND for k in range(4)]
    assert timing.resets == 1
    t, timing = timed([1000, 10**12, 10**12 + 12_000_000], [NOW + k * SECOND for k in range(3)])
    assert t == [NOW + k * SECOND for k in range(3)]
    assert timing.resets == 1


def test_drift_is_followed_both_ways() -> None:
    for parts in (-40e-6, 40e-6):
        sent = np.arange(36_000) * SECOND // 10
        clock = (sent * 12 * (1 + parts) / 1000).astype(np.int64) + 1
        t, timing = timed(clock.tolist(), (NOW + sent + 1_000_000).tolist())
        assert np.abs(np.array(t) - NOW - sent).max() <= 1_100_000, parts
        assert timing.resets == 0


def test_what_was_received_at_once_was_sent_over_some_time() -> None:
    """A host that was busy for 20 s gets all of that at once: only the newest of it is as late as ever."""
    sent = np.arange(0, 20 * SECOND, SECOND // 4) + SECOND * 3 * (np.arange(80) > 40)  # silent for 3 s in between
    clock = (sent * 12 // 1000 + 77).tolist()
    t, timing = timed(clock, [NOW + 30 * SECOND] * 80)
    assert t == pytest.approx((NOW + 30 * SECOND + sent - sent[-1]).tolist(), abs=1000)
    assert timing.resets == 0
    held, _ = timed([*clock, clock[-1] + 12_000_000], [NOW + 30 * SECOND] * 80 + [NOW + 31 * SECOND])
    assert held[-1] - held[-2] == pytest.approx(SECOND, abs=1000)


def test_a_minute_is_the_most_that_anything_is_set_back() -> None:
    clock = [12 * (k * 20 * SECOND // 1000) + 1 for k in range(6)]
    t, _ = timed(clock, [NOW] * 6)
    assert all(NOW - modes_clock.LATE_MOST <= when <= NOW for when in t)
    assert t[-1] == NOW


def test_two_receivers_keep_their_clocks() -> None:
    sent = [NOW + k * SECOND // 4 for k in range(8)]
    clock = [(123 if k % 2 else 99_999_999_999) + k * 3_000_000 for k in range(8)]
    t, timing = timed(clock, sent, [1 + k % 2 for k in range(8)])
    assert t == sent
    assert timing.resets == 0
    assert timing.receivers == 2


def test_receivers_beyond_the_bound_get_the_hosts_time() -> None:
    received = [NOW + k for k in range(6)]
    t, timing = timed([10**9 + 12 * k for k in range(6)], received, [k + 1 for k in range(6)], receivers_max=2)
    assert t == received
    assert timing.receivers == 2


def gps(second: int, nanosecond: int) -> int:
    return second << 30 | nanosecond


def test_gps_time_needs_the_hosts_day_only() -> None:
    day = NOW - NOW % (86_400 * SECOND)
    clock = [gps(86_399, 999_999_999), gps(0, 5)]
    received = [day + 86_400 * SECOND + 900_000_000, day + 86_400 * SECOND + 950_000_000]
    t, _ = timed(clock, received)
    assert t == [day + 86_400 * SECOND - 1, day + 86_400 * SECOND + 5]
    assert timed(clock, [-1, -1], clock="gps", start_ns=day + 43_200 * SECOND)[0] == t


def test_times_that_are_none() -> None:
    assert timed([modes_clock.MLAT, modes_clock.UAT, 0, -1], [NOW + k for k in range(4)])[0] == [
        NOW + k for k in range(4)
    ]
    assert timed([-1], [-1])[0] == [-1]


@given(
    st.lists(
        st.tuples(st.integers(-1, (1 << 48) - 1), st.integers(-1, 1 << 62), st.integers(-(1 << 63), (1 << 63) - 1))
    )
)
def test_any_clock_is_survived(rows: list[tuple[int, int, int]]) -> None:
    clock, received, receiver = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    t, timing = timed(clock, received, receiver)
    assert timing.receivers <= len(rows)
    for when, got in zip(t, received, strict=True):
        # Nothing was sent after it was received, but for GPS clocks that don't agree with their hosts'.
        assert got < 0 or when <= got + modes_clock.GPS_OFF_MOST
