"""Midnight, days, truncated times and records without time."""

from __future__ import annotations

import datetime
from pathlib import Path

import captures
import numpy as np
import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.formats.asterix.reader import read_asterix
from airpicture.kernels.asterix_stream import unwrap_days
from airpicture.units import DAY_NS, SECOND_NS

DATE = datetime.date(2024, 2, 29)
MIDNIGHT_NS = 1_709_164_800 * SECOND_NS  # of that day, UTC


def radar(tod: float | None, rho: int = 25600, sic: int = 129) -> bytes:
    items = {"010": (20, sic), "020": ((5, 0, 0, 0, 0, None),), "040": (rho, 0)}
    if tod is not None:
        items["140"] = round(tod * 128)
    return oracle.block(48, oracle.create(48, "1.32", items))


def legacy(ticks: int | None, sic: int = 130) -> bytes:
    items = {"010": (20, sic), "020": ((0, 0, 2, 0, 0, 0, None),), "040": (25600, 0)}
    if ticks is not None:
        items["141"] = ticks
    return oracle.block(1, oracle.create(1, "1.4", items, "plot"))


def service(tod: float, sic: int = 130) -> bytes:
    return oracle.block(2, oracle.create(2, "1.2", {"010": (20, sic), "000": 2, "030": round(tod * 128)}))


def seconds(data: bytes, **options: object) -> list[float]:
    plots = read_asterix(data, date=DATE, **options).plots  # type: ignore[arg-type]
    return ((plots.t_ns - MIDNIGHT_NS) / SECOND_NS).tolist()


def test_time_of_day_on_the_given_date() -> None:
    assert seconds(radar(36000.5)) == [36000.5]
    plots = read_asterix(radar(36000.5), date=DATE).plots
    assert plots.t_ns[0] == int(datetime.datetime(2024, 2, 29, 10, 0, 0, 500_000, datetime.UTC).timestamp() * 1e9)


def test_midnight_and_a_late_report_after_it() -> None:
    data = radar(86399.5) + radar(0.5) + radar(86399.75) + radar(1.0)
    assert seconds(data) == [86399.5, 86399.75, 86400.5, 86401.0]


def test_the_recorded_midnight(recordings: Path) -> None:
    path = recordings / "asterix" / "spain-midnight" / "midnight_cross.gps"
    if not path.is_file():
        pytest.skip("no such recording")
    plots = read_asterix(path.read_bytes(), date=DATE).plots
    assert ((plots.t_ns - MIDNIGHT_NS) / SECOND_NS).tolist() == [pytest.approx(86399.867, abs=0.01)]


def test_a_wild_time_moves_only_itself() -> None:
    data = b"".join(radar(t) for t in (36000, 36001, 70000, 12000, 36002))
    assert sorted(seconds(data)) == [12000, 36000, 36001, 36002, 70000]


def test_a_recording_of_several_days() -> None:
    data = b"".join(radar(t % 86400) for t in range(1000, 3 * 86400, 300))
    assert seconds(data) == list(range(1000, 3 * 86400, 300))


def test_without_date_and_capture_1970_is_taken_and_said() -> None:
    recording = read_asterix(radar(36000))
    assert recording.plots.t_ns.tolist() == [36000 * SECOND_NS]
    assert any("1970-01-01" in note for note in recording.report.notes)


def test_the_capture_tells_the_day() -> None:
    captured = MIDNIGHT_NS + DAY_NS + 2 * SECOND_NS  # two seconds after midnight
    frames = [(captured, captures.ethernet(captures.ipv4(captures.udp(radar(tod))))) for tod in (86399.5, 1.5)]
    plots = read_asterix(captures.pcap(frames)).plots
    assert ((plots.t_ns - MIDNIGHT_NS) / SECOND_NS).tolist() == [86399.5, 86401.5]


@pytest.mark.parametrize("tod", [100.0, 511.9, 512.1, 43200.0, 86399.9])
@pytest.mark.parametrize("ahead", [0.0, 3.9, -3.9])
def test_truncated_times_are_completed(tod: float, ahead: float) -> None:
    ticks = int(tod * 128)
    data = service((tod + ahead) % 86400) + legacy(ticks % 65536)
    got = seconds(data)[0] % 86400
    assert got == ticks / 128


def test_truncated_times_are_completed_from_their_own_radar() -> None:
    data = service(36000.0) + service(72000.0, sic=131) + legacy((36001 * 128) % 65536)
    assert seconds(data) == [36001.0]


def test_truncated_times_before_the_first_service_message() -> None:
    assert seconds(legacy((35999 * 128) % 65536) + service(36000.0)) == [35999.0]


def test_truncated_times_over_midnight() -> None:
    """86,400 s is no multiple of 512 s: the count goes from 383.99 to 0."""
    data = service(86399.0) + legacy(int(86399.5 * 128) % 65536) + legacy(64) + service(1.0) + legacy(192)
    assert seconds(data) == [86399.5, 86400.5, 86401.5]


def test_truncated_times_without_any_full_one_are_refused() -> None:
    report = read_asterix(legacy(100), date=DATE).report
    assert report.records == {"001": 1}
    assert report.refused == {"CAT001 no time (report)": 1}


def test_records_without_time_borrow_the_last_of_their_source() -> None:
    data = radar(36000) + radar(36007, sic=130) + radar(None)
    recording = read_asterix(data, date=DATE)
    assert ((recording.plots.t_ns - MIDNIGHT_NS) // SECOND_NS).tolist() == [36000, 36000, 36007]
    assert any("1 record without time" in note for note in recording.report.notes)


def test_times_beyond_the_day_are_refused() -> None:
    report = read_asterix(radar(100000) + radar(5), date=DATE).report
    assert report.refused == {"CAT048 no time (report)": 1}


@given(
    st.lists(st.floats(-0.9, 3.0), min_size=1, max_size=60),
    st.integers(0, 86399),
)
def test_unwrapping_follows_any_stream_of_small_steps(steps: list[float], start: int) -> None:
    true = start * SECOND_NS + np.cumsum(np.round(np.array(steps) * 100) * SECOND_NS // 1).astype(np.int64)
    true = np.maximum(true, start * SECOND_NS)
    t = np.empty(len(true), np.int64)
    captured = np.full(len(true), -1, np.int64)
    unwrap_days(true % DAY_NS, captured, true[0] // DAY_NS * DAY_NS, DAY_NS, 600 * SECOND_NS, 64, t)
    assert t.tolist() == true.tolist()
