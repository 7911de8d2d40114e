"""Tables made by formula, so that commands and page can be tested by themselves."""

from collections.abc import Callable

import numpy as np
import pytest

from airpicture.formats.sensors import sensors_from_rows
from airpicture.geo import enu_to_geodetic
from airpicture.tables import F64, I32, I64, U8, Plots, Sensors, Status, Tracks, pack_callsigns
from airpicture.units import DEG

T0_NS = 1_693_303_200_000_000_000  # 2023-08-29 10:00:00 UTC


def make_sensors() -> Sensors:
    """Return a long-range radar and an ADS-B receiver without a site."""
    radar = {
        "id": "north",
        "kind": "radar",
        "sac": 25,
        "sic": 10,
        "lat_deg": 41.3,
        "lon_deg": 2.1,
        "h_ell_m": 60.0,
        "period_s": 10.0,
        "range_m_min": 1000.0,
        "range_m_max": 600_000.0,
        "sigma_range_m": 70.0,
        "sigma_azimuth_deg": 0.08,
    }
    return sensors_from_rows([radar, {"id": "adsb", "kind": "adsb"}])


def make_tracks(n: int = 300, scans: int = 60, callsign: str | None = None) -> tuple[Tracks, Plots]:
    """Return tracks that turn and cross round the radar, every tenth coasting, every seventh tentative, with plots."""
    rng = np.random.default_rng(7)
    sensors = make_sensors()
    k: I64 = np.repeat(np.arange(n), scans)
    t: F64 = np.tile(np.arange(scans) * 10.0, n) + np.repeat(rng.uniform(0, 10, n), scans)
    reach, bearing = 580e3 * np.sqrt(rng.uniform(0.003, 1, n)), rng.uniform(0, 2 * np.pi, n)
    speed, heading, turn = rng.uniform(20, 300, n), rng.uniform(0, 2 * np.pi, n), rng.normal(0, 0.004, n)
    course = heading[k] + turn[k] * t
    safe = np.where(np.abs(turn) < 1e-6, 1e-6, turn)[k]
    e = reach[k] * np.sin(bearing[k]) + speed[k] * (np.cos(heading[k]) - np.cos(course)) / safe
    north = reach[k] * np.cos(bearing[k]) + speed[k] * (np.sin(course) - np.sin(heading[k])) / safe
    height = rng.uniform(300, 12000, n)[k]
    down = (e**2 + north**2) / (2 * 6371e3)
    lat, lon, _ = enu_to_geodetic(e, north, height - down, 41.3 * DEG, 2.1 * DEG, 60.0)
    status: U8 = np.full(n * scans, Status.CONFIRMED, np.uint8)
    status[(np.arange(n * scans) % scans < 3) | (k % 7 == 6)] = Status.TENTATIVE
    status[(k % 10 == 9) & (np.arange(n * scans) % scans > 40)] = Status.COASTING
    seen: I32 = np.full((n * scans, 8), -1, np.int32)
    seen[:, 0] = 0
    t_ns = T0_NS + (t * 1e9).astype(np.int64)
    names = pack_callsigns([callsign or f"AB{j:03d}" if j % 3 else None for j in range(n)])
    tracks = Tracks.blank(
        n * scans,
        sensors,
        t_ns=t_ns,
        track=k + 1,
        status=status,
        existence=np.where(status == Status.TENTATIVE, 0.6, 0.99),
        lat=lat,
        lon=lon,
        h_ell=height,
        h_baro=np.where(k % 4 == 0, np.nan, height),
        v_east=speed[k] * np.sin(course),
        v_north=speed[k] * np.cos(course),
        v_up=np.where(k % 5 == 0, 8.0, 0.0),
        sigma_east=np.full(n * scans, 150.0),
        sigma_north=np.full(n * scans, 60.0),
        rho_east_north=np.full(n * scans, 0.4),
        sigma_up=np.full(n * scans, 90.0),
        sigma_v_east=np.full(n * scans, 3.0),
        sigma_v_north=np.full(n * scans, 3.0),
        address=np.where(k % 2 == 0, 0x340000 + k, -1),
        callsign=names[k],
        plot_count=np.tile(np.arange(1, scans + 1), n),
        t_ns_plot=t_ns,
        seen=seen,
        plot_sensor=np.zeros(n * scans, np.int32),
    )
    order = np.argsort(t_ns, kind="stable")
    d = np.hypot(e, north)
    plots = Plots.blank(
        n * scans,
        sensors,
        t_ns=t_ns[order],
        sensor=np.zeros(n * scans, np.int32),
        slant_range=(np.sqrt(d**2 + (height - down) ** 2) + rng.normal(0, 70, n * scans))[order],
        azimuth=(np.arctan2(e, north) % (2 * np.pi) + rng.normal(0, 0.0014, n * scans))[order],
        h_baro=height[order],
    )
    return tracks, plots


@pytest.fixture(scope="session")
def made() -> tuple[Tracks, Plots]:
    """300 tracks of ten minutes and their plots."""
    return make_tracks()


@pytest.fixture(scope="session")
def make() -> Callable[..., tuple[Tracks, Plots]]:
    """The function behind `made`."""
    return make_tracks
