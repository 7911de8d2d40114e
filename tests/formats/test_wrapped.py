"""Courses stored in eight bits: mended where the way flown shows it, and left alone wherever it doesn't."""

import os
from pathlib import Path

import numpy as np
import pytest

from airpicture.formats.opening import open_recording
from airpicture.formats.wrapped import PAIRS_LEAST, unwrap_courses
from airpicture.tables import F64, I64


def circling(n: int = 200, *, deg_per_s: float = 3.0) -> tuple[F64, I64, I64, F64, F64]:
    """Return course, who, time and place of an aircraft that circles at 100 m/s, a report a second."""
    course = np.mod(10.0 + deg_per_s * np.arange(n), 360.0)
    way = np.radians(np.mod(10.0 + deg_per_s * (np.arange(n) - 0.5), 360.0))
    lat = 47.0 + np.cumsum(100.0 * np.cos(way)) / 111_195.0
    lon = 8.0 + np.cumsum(100.0 * np.sin(way)) / 111_195.0 / np.cos(np.radians(47.0))
    return np.rint(course), np.zeros(n, np.int64), 1_000_000_000 * np.arange(n), lat, lon


def test_wrapped_courses_come_back() -> None:
    course, *rest = circling()
    stored = course.astype(np.int64).astype(np.int8).astype(np.float64)
    assert (stored != course).sum() > 100
    mended, count = unwrap_courses(stored, *rest)
    inner = slice(1, -1)
    np.testing.assert_array_equal(mended[inner], course[inner])
    assert count == pytest.approx((course > 127).sum(), abs=2)


def test_what_could_be_either_and_has_no_way_is_unknown() -> None:
    course, who, t_ns, lat, lon = circling()
    stored = course.astype(np.int64).astype(np.int8).astype(np.float64)
    lone = np.flatnonzero((course < 104) | (course > 255))[3]
    who = who.copy()
    who[lone] = 7
    mended, _ = unwrap_courses(stored, who, t_ns, lat, lon)
    assert np.isnan(mended[lone])
    assert np.isnan(mended).sum() <= 3


@pytest.mark.parametrize("signed", [False, True])
def test_other_courses_are_left_alone(signed: bool) -> None:
    course, *rest = circling()
    course = np.where(course > 180, course - 360, course) if signed else course
    mended, count = unwrap_courses(course, *rest)
    assert count == 0
    assert mended is course


def test_one_way_traffic_with_signed_courses_is_left_alone() -> None:
    """All courses between -128 and 0, and right so."""
    n = 300
    lat, lon = 47.0 + np.zeros(n), 8.0 - 0.0013 * np.arange(n)
    course, count = unwrap_courses(np.full(n, -90.0), np.zeros(n, np.int64), 1_000_000_000 * np.arange(n), lat, lon)
    assert count == 0
    assert (course == -90.0).all()


def test_too_little_shows_nothing() -> None:
    course, *rest = circling(PAIRS_LEAST)
    stored = course.astype(np.int64).astype(np.int8).astype(np.float64)
    assert unwrap_courses(stored, *rest)[1] == 0
    none = np.zeros(0)
    assert unwrap_courses(none, none.astype(np.int64), none.astype(np.int64), none, none)[1] == 0


@pytest.mark.parametrize("name", ["ajaccio", "kiruna", "lisbon", "montreal", "munich", "vienna", "sydney"])
def test_calibration_flights_say_so(name: str) -> None:
    folder = os.environ.get("AIRPICTURE_RECORDINGS")
    path = Path(folder or "") / "adsb" / "single_flights" / f"calibration_{name}.json.gz"
    if folder is None or not path.exists():
        pytest.skip("real recordings aren't here")
    recording = open_recording(path)
    plots, told = recording.plots, any("eight bits" in note for note in recording.report.notes)
    assert told == (name != "sydney")
    north, east = np.diff(plots.lat), np.cos(plots.lat[1:]) * np.diff(plots.lon)
    off = np.abs(np.angle(np.exp(1j * (np.arctan2(plots.v_east, plots.v_north)[1:] - np.arctan2(east, north)))))
    moved = 6.37e6 * np.hypot(north, east) > 100.0
    assert np.nanpercentile(off[moved], 90) < np.radians(40.0)
