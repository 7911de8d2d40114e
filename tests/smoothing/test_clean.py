"""Cleaning: wrong reports put into right recordings are found for what they are, and right ones are left alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import airpicture as ap
from airpicture.formats.sensors import sensors_from_rows
from airpicture.smoothing.owned import _made_of_errors, own
from airpicture.smoothing.repeats import repeats

T0 = 1_767_225_600_000_000_000
SENSORS = sensors_from_rows([{"id": "one", "kind": "adsb"}, {"id": "two", "kind": "adsb"}])


def flight(seed: int, *, n: int = 300, step: float = 1.0, address: int = 0xABCDEF, north: float = 0.0) -> ap.Plots:
    """Return ADS-B reports of an aircraft that climbs, turns and levels off, 8 m off each way."""
    rng = np.random.default_rng(seed)
    t = np.arange(n) * step
    course = np.cumsum(np.where((t > 90) & (t < 180), 0.03, 0.0)) * step
    climb = np.where(t < 150, 8.0, 0.0)
    x, y = np.cumsum(170.0 * np.cos(course)) * step, north + np.cumsum(170.0 * np.sin(course)) * step
    x, y = x + rng.normal(0.0, 8.0, n), y + rng.normal(0.0, 8.0, n)
    h = 2000.0 + np.cumsum(climb) * step
    return ap.Plots.from_columns(
        sensors=SENSORS,
        sensor="one",
        t_ns=T0 + np.rint(t * 1e9).astype(np.int64),
        lat_rad=0.83 + y / 6.37e6,
        lon_rad=0.15 + x / 6.37e6 / np.cos(0.83),
        h_baro_ft=np.round(h / 0.3048 / 25.0) * 25.0,
        address=np.full(n, address),
        callsign=np.full(n, f"T{address % 1000}", object),
    )


def moved(plots: ap.Plots, rows: Any, east: float = 0.0, up: float = 0.0) -> ap.Plots:
    lon, h = plots.lon.copy(), plots.h_baro.copy()
    lon[rows] += east / 6.37e6 / np.cos(0.83)
    h[rows] += up
    return replace(plots, lon=lon, h_baro=h)


def flagged(cleaned: ap.Cleaned, flag: ap.Flag) -> list[int]:
    return [int(k) for k in np.flatnonzero(cleaned.marked(flag))]


@pytest.mark.parametrize("step", [1.0, 5.0])
def test_right_reports_are_left_alone(step: float) -> None:
    cleaned = ap.clean(flight(1, step=step))
    assert not cleaned.flags.any()
    assert (cleaned.track == cleaned.track[0]).all()
    assert np.isfinite(cleaned.smoothed.lat).all()
    assert np.nanmedian(cleaned.off_m) < 20.0


def test_places_and_heights_are_judged_apart() -> None:
    plots = moved(moved(flight(2), [60, 130], east=600.0), [100, 200], up=400.0)
    cleaned = ap.clean(plots)
    wrong = cleaned.marked(ap.Flag.OUTLIER) | cleaned.marked(ap.Flag.TIME_WRONG)
    assert np.flatnonzero(wrong).tolist() == [60, 130]
    assert flagged(cleaned, ap.Flag.HEIGHT_WRONG) == [100, 200]
    assert cleaned.off_m[60] == pytest.approx(600.0, abs=40.0)
    assert cleaned.off_up[100] == pytest.approx(400.0, abs=25.0)
    # beside a wrong report stands where its target was
    right = flight(2)
    assert abs(cleaned.smoothed.lon[60] - right.lon[60]) * 6.37e6 < 40.0
    assert abs(cleaned.smoothed.h_baro[100] - right.h_baro[100]) < 30.0


def test_heights_wrong_for_a_while_are_cut_off_whole() -> None:
    cleaned = ap.clean(moved(flight(3), np.arange(170, 200), up=-3000.0))
    assert flagged(cleaned, ap.Flag.HEIGHT_WRONG) == list(range(170, 200))


def test_a_place_told_again_is_stale_where_its_target_flies_and_right_where_it_stands() -> None:
    plots = flight(4)
    lat, lon = plots.lat.copy(), plots.lon.copy()
    lat[101:104], lon[101:104] = lat[100], lon[100]
    cleaned = ap.clean(replace(plots, lat=lat, lon=lon))
    assert flagged(cleaned, ap.Flag.STALE) == [101, 102, 103]
    assert flagged(cleaned, ap.Flag.OUTLIER) == []
    parked = flight(4)
    still = replace(parked, lat=np.full(300, parked.lat[0]), lon=np.full(300, parked.lon[0]))
    cleaned = ap.clean(still)
    assert flagged(cleaned, ap.Flag.STALE) == []
    assert np.nanmax(cleaned.off_m) < 20.0


def test_copies_are_duplicates_within_a_source_and_across() -> None:
    plots = flight(5)
    copy, later = plots.take(np.array([50])), plots.take(np.array([80]))
    later = replace(later, sensor=np.array([1], np.int32), t_ns=later.t_ns + 2_000_000_000)
    both = ap.Plots.concat([plots, copy, later])
    cleaned = ap.clean(both)
    assert flagged(cleaned, ap.Flag.DUPLICATE) == [300, 301]
    assert cleaned.track[300] == cleaned.track[50]  # registration drops it; it's kept here all the same
    assert len(cleaned) == 302


@pytest.mark.parametrize("late", [3.0, 20.0, -4.0])
def test_a_wrong_time_is_told_from_a_wrong_place(late: float) -> None:
    plots = flight(6)
    t_ns = plots.t_ns.copy()
    t_ns[120] += round(late * 1e9)
    cleaned = ap.clean(replace(plots, t_ns=t_ns))
    assert flagged(cleaned, ap.Flag.TIME_WRONG) == [120]
    assert cleaned.late[120] == pytest.approx(late, abs=0.3)
    assert flagged(cleaned, ap.Flag.OUTLIER) == []


def test_another_aircrafts_address_is_told() -> None:
    one, two = flight(7), flight(8, address=0x123456, north=20e3)
    address = two.address.copy()
    address[150] = 0xABCDEF
    both = ap.Plots.concat([one, replace(two, address=address)])
    cleaned = ap.clean(both)
    assert flagged(cleaned, ap.Flag.IDENTITY_WRONG) == [450]
    assert cleaned.track[450] == cleaned.track[449]


def test_the_order_of_reports_changes_nothing() -> None:
    plots = moved(flight(9), [60], east=900.0)
    order = np.random.default_rng(0).permutation(len(plots))
    there, mixed = ap.clean(plots), ap.clean(plots.take(order))
    np.testing.assert_array_equal(mixed.flags, there.flags[order])
    np.testing.assert_array_equal(mixed.smoothed.lat, there.smoothed.lat[order])
    np.testing.assert_array_equal(mixed.plots.t_ns, plots.t_ns[order])


def test_the_file_is_a_plots_file_with_more_columns(tmp_path: Path) -> None:
    cleaned = ap.clean(moved(flight(10, n=120), [60], east=900.0))
    for ending in ("parquet", "csv"):
        path = tmp_path / f"cleaned.{ending}"
        cleaned.write(path)
        again = ap.read(path)
        np.testing.assert_allclose(again.lat, cleaned.plots.lat, rtol=1e-12)
    frame = pd.read_parquet(tmp_path / "cleaned.parquet")
    assert list(frame.index[frame.outlier | frame.time_wrong]) == [60]
    assert {"flags", "stale", "duplicate", "identity_wrong", "height_wrong", "late_s", "of_track"} < set(frame.columns)
    assert frame.smooth_lat_deg.notna().all()
    cleaned.write(tmp_path / "good.csv", good_only=True)
    assert len(pd.read_csv(tmp_path / "good.csv")) == 119
    assert len(cleaned.good()) == 119


def test_smoothing_needs_no_more_than_plots_and_takes_none_too() -> None:
    empty = flight(1).take(slice(0, 0))
    assert len(ap.smooth(empty)) == 0
    assert len(ap.clean(empty)) == 0
    alone = flight(1).take(slice(0, 1))
    assert len(ap.smooth(alone)) == 0  # one plot is no track
    assert ap.clean(alone).track.tolist() == [-1]
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(ap.ConfigError, match=r"period_s is .*a positive number of seconds"):
            ap.smooth(alone, period_s=wrong)


def test_rows_stand_on_a_grid_if_asked_and_tell_where_nothing_was_heard() -> None:
    plots = flight(11)
    gap = (np.arange(300) > 200) & (np.arange(300) < 240)
    tracks = ap.smooth(plots.take(~gap), period_s=2.0)
    assert (np.diff(tracks.t_ns) == 2_000_000_000).all()
    assert tracks.track.min() == tracks.track.max()
    age = (tracks.t_ns - T0) * 1e-9
    middle = int(np.argmin(abs(age - 220.0)))
    assert tracks.status[middle] == 2  # coasting
    assert tracks.sigma_east[middle] > tracks.sigma_east[60] + 2.0
    off = 6.37e6 * np.cos(0.83) * abs(tracks.lon[middle] - plots.lon[220])
    assert off < 4.0 * tracks.sigma_east[middle]


def test_each_plot_is_owned_once_whoever_took_it() -> None:
    both = ap.Plots.concat([flight(12), flight(13, address=0x123456, north=30e3)])
    owned = own(both, SENSORS, ap.Config())
    assert (owned.owner >= 0).mean() > 0.98
    by_address = {
        int(a): set(owned.owner[(both.address[owned.row] == a) & (owned.owner >= 0)]) for a in {0xABCDEF, 0x123456}
    }
    assert all(len(numbers) == 1 for numbers in by_address.values())


def test_repeats_are_found_by_who_and_where() -> None:
    plots = flight(14, n=10)
    same: NDArray[np.int64] = np.array([0, 1, 1, 1, 2, 1, 3, 4, 5, 6])
    lat, lon = plots.lat[same], plots.lon[same]
    found = repeats(replace(plots, lat=lat, lon=lon))
    assert found.first.tolist() == [-1, -1, 1, 1, -1, 1, -1, -1, -1, -1]
    assert not found.twin.any()


def test_a_track_made_of_wrong_reports_is_none() -> None:
    """Six places of an aircraft's hundreds under its address, in its time; not where they're as many as its own."""
    reports = own(flight(11, n=600, step=0.5), SENSORS, ap.Config()).reports
    owner = np.full(600, 1)
    owner[np.arange(200, 380, 30)] = 2
    assert _made_of_errors(reports, owner).tolist() == [2]
    owner[200:380] = np.where(np.arange(180) % 3, 1, 2)
    assert _made_of_errors(reports, owner).tolist() == []
    owner[:] = np.where(np.arange(600) < 6, 2, 1)  # before the other: the first track of the aircraft
    assert _made_of_errors(reports, owner).tolist() == []
    assert _made_of_errors(reports._replace(address=np.where(owner == 2, 7, reports.address)), owner).tolist() == []


def test_two_that_send_one_address_are_two() -> None:
    """Each as often as the other: neither is made of the other's errors."""
    both = ap.Plots.concat([flight(12), flight(13, north=40e3)]).in_time_order()
    cleaned = ap.clean(both)
    assert np.unique(cleaned.track[cleaned.track >= 0]).size == 2
    assert not cleaned.flags[10:].any()  # the first of the second one are told when it has begun
