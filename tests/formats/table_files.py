"""Sensors, plots, tracks and truth for the tests of files, and how to compare tables."""

from typing import Any

import numpy as np

from airpicture.formats.sensors import sensors_from_rows
from airpicture.tables import Plots, Sensors, Status, Tracks, Truth, pack_callsigns

RADAR = {"id": "north", "kind": "radar", "lat_deg": 41.3, "lon_deg": 2.1, "h_ell_m": 60.0, "period_s": 10.0}


def two_sensors() -> Sensors:
    return sensors_from_rows([RADAR, {"id": "adsb", "kind": "adsb"}])


def some_plots() -> Plots:
    """One full radar plot, one full reported position, one with next to nothing."""
    return Plots.from_columns(
        sensors=two_sensors(),
        t_ns=np.array([1_700_000_000_000_000_001, 1_700_000_001_000_000_002, 1_700_000_002_000_000_003]),
        sensor=["north", "adsb", "north"],
        range_m=[120_000.5, np.nan, 7.25],
        azimuth_deg=[359.5, np.nan, 0.0],
        elevation_deg=[2.5, np.nan, np.nan],
        range_rate_mps=[-210.0, np.nan, np.nan],
        lat_deg=[np.nan, -33.25, np.nan],
        lon_deg=[np.nan, 179.5, np.nan],
        h_ell_m=[np.nan, 10_000.0, np.nan],
        sigma_pos_m=[np.nan, 12.0, np.nan],
        h_baro_ft=[35_000.0, 34_975.0, np.nan],
        mode_3a=[0o7700, 0, -1],
        address=[0xA19702, 0xFFFFFF, -1],
        callsign=["IBE3166", "A", None],
        v_east_mps=[np.nan, 200.0, np.nan],
        v_north_mps=[np.nan, -100.0, np.nan],
        v_up_mps=[np.nan, -5.0, np.nan],
        sigma_v_mps=[np.nan, 0.5, np.nan],
        turn_rate_degps=[np.nan, 3.0, np.nan],
        truth=["one", None, "two"],
        on_ground=[True, None, False],
        category=["A3", None, "C2"],
    )


def some_tracks() -> Tracks:
    """Two tracks at three times; the second has no height and no identity."""
    seen = np.full((4, 8), -1)
    seen[0, 0], seen[1, :2] = 0, (0, 1)
    return Tracks.blank(
        4,
        two_sensors(),
        t_ns=np.array([1_700_000_000, 1_700_000_010, 1_700_000_010, 1_700_000_020]) * 1_000_000_000,
        track=[7, 7, 1_000_000_000_000, 1_000_000_000_000],
        status=[Status.TENTATIVE, Status.CONFIRMED, Status.COASTING, Status.ENDED],
        existence=[0.5, 0.99, 1.0, 0.0],
        lat=np.radians([41.0, 41.1, -10.0, -10.1]),
        lon=np.radians([2.0, 2.1, 179.9, -179.9]),
        h_ell=[10_000.0, 10_010.0, np.nan, np.nan],
        h_baro=[9_900.0, 9_910.0, np.nan, np.nan],
        v_east=[100.0, 101.0, 250.0, 250.0],
        v_north=[0.0, 1.0, 0.0, 0.0],
        v_up=[0.0, 1.0, np.nan, np.nan],
        sigma_east=[50.0, 40.0, 30.0, 20.0],
        sigma_north=[50.0, 40.0, 30.0, 20.0],
        rho_east_north=[0.1, -0.1, 0.0, 0.5],
        sigma_up=[20.0, 20.0, np.nan, np.nan],
        sigma_v_east=[5.0, 4.0, 3.0, 2.0],
        sigma_v_north=[5.0, 4.0, 3.0, 2.0],
        mode_3a=[0o1234, 0o1234, -1, -1],
        address=[0x4CA2D6, 0x4CA2D6, -1, -1],
        callsign=pack_callsigns(["RYR<1&2", "RYR<1&2", None, None]),
        plot_count=[1, 2, 30, 30],
        t_ns_plot=[1_700_000_000_000_000_000, 1_700_000_010_000_000_000, -1, 5],
        seen=seen,
        on_ground=[1, 0, -1, -1],
        category=[0xA3, 0, 0xB1, 0],
    )


def some_truth() -> Truth:
    return Truth(
        t_ns=np.array([0, 1_000_000_000, 2_000_000_000]),
        target=np.array([0, 1, 0], np.int32),
        kind=np.array([0, -1, 0], np.int32),
        lat=np.radians([41.0, -90.0, 41.2]),
        lon=np.radians([2.0, -180.0, 2.2]),
        h_ell=np.array([0.0, np.nan, 1.0]),
        v_east=np.array([1.0, np.nan, 1.0]),
        v_north=np.array([1.0, np.nan, 1.0]),
        v_up=np.array([0.0, np.nan, -1.0]),
        target_names=("t1", "t2"),
        class_names=("transport",),
    )


def assert_same(one: Any, other: Any, but: tuple[str, ...] = ()) -> None:
    """Compare all columns; angles and feet may differ by the rounding of two conversions."""
    for name in type(one).column_names():
        if name in but:
            continue
        left, right = getattr(one, name), getattr(other, name)
        if getattr(left, "dtype", None) == np.float64:
            np.testing.assert_allclose(left, right, rtol=4e-16 * 4, atol=1e-300, equal_nan=True, err_msg=name)
        else:
            np.testing.assert_array_equal(left, right, err_msg=name)
