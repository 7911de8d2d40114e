"""Reports that a sensor's tracker only carried on: found by what they say, not by their status bits."""

from __future__ import annotations

import datetime

import numpy as np
import oracle
import pytest

from airpicture.formats.asterix.reader import read_asterix
from airpicture.formats.recording import Recording
from airpicture.formats.sensors import sensors_from_rows

DATE = datetime.date(2016, 5, 10)
SITE = {"id": "here", "kind": "mlat", "sac": 0, "sic": 107, "lat_deg": 41.3, "lon_deg": 2.1, "h_ell_m": 53.0}
Update = tuple[float, float, float, float, float, int]  # s of day, x, y [m], vx, vy [m/s], track number


def read(updates: list[Update], category: int = 20) -> Recording:
    """Read one block of reports; positions in steps of 0.5 m (CAT020) or 1 m (CAT010), velocities of 0.25 m/s."""
    step, descriptor = (0.5, ((0, 1, 0, 0, 0, 0, 0, None),)) if category == 20 else (1.0, ((1, 0, 0, 0, 0, None),))
    records = []
    for t, x, y, vx, vy, number in updates:
        items = {
            "010": (0, 107),
            "020": descriptor,
            "140": round(t * 128) % (86_400 * 128),
            "042": (round(x / step), round(y / step)),
            "202": (round(vx * 4), round(vy * 4)),
            "161": (0, number),
        }
        if category == 10:
            items["000"] = 1
        records.append(oracle.create(category, "1.11" if category == 20 else "1.1", items))
    return read_asterix(oracle.block(category, *records), date=DATE, sensors=sensors_from_rows([SITE]))


def carried(t: float, number: int = 7, count: int = 3, vx: float = 100.25, vy: float = -40.0) -> list[Update]:
    return [(t + k, 5000.0 + vx * k, -900.0 + vy * k, vx, vy, number) for k in range(count)]


@pytest.mark.parametrize("category", [10, 20])
def test_what_is_carried_on_with_one_velocity_is_left_out(category: int) -> None:
    recording = read(carried(100.0), category)
    assert len(recording.plots) == 1
    assert recording.plots.t_ns[0] % 86_400_000_000_000 == 100_000_000_000
    assert recording.report.refused == {f"CAT{category:03d} extrapolated without plot (report)": 2}


def test_across_midnight() -> None:
    assert len(read(carried(86_399.0)).plots) == 1


def test_a_target_that_is_seen_stays() -> None:
    rng = np.random.default_rng(5)
    error = rng.normal(0.0, 10.0, (400, 2))  # of a steady target's smoothed fixes; a tenth of it in the velocity
    fixes: list[Update] = [
        (100.0 + k, 50.0 * k + dx, 30.0 * k + dy, 50.0 + 0.1 * dx, 30.0 + 0.1 * dy, 7)
        for k, (dx, dy) in enumerate(error)
    ]
    assert len(read(fixes).plots) >= 398  # by chance alone one in some hundreds is where the last one led


@pytest.mark.parametrize(
    "change",
    [
        lambda u: (*u[:5], 8),  # another track
        lambda u: (u[0] + 4.0, u[1] + 401.0, u[2] - 160.0, *u[3:]),  # too late to be its next report
        lambda u: (*u[:3], u[3] + 0.25, *u[4:]),  # the velocity has changed by one bit
        lambda u: (u[0], u[1] + 4.0, *u[2:]),  # the position isn't where the velocity leads
    ],
)
def test_one_difference_is_enough(change) -> None:  # type: ignore[no-untyped-def]
    first, second = carried(100.0, count=2)
    assert len(read([first, change(second)]).plots) == 2


def test_what_taxies_may_keep_its_velocity() -> None:
    assert len(read(carried(100.0, vx=8.0, vy=3.0)).plots) == 3


def test_tracks_that_alternate_are_followed_each_by_its_own() -> None:
    updates = [u for pair in zip(carried(100.0, 1), carried(100.5, 2, vx=-80.0), strict=True) for u in pair]
    assert len(read(updates).plots) == 2
