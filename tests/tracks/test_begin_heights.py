"""What a radar without height makes of its targets' heights depends on how far it looks."""

import math

import numpy as np
import pytest

import airpicture as ap
from airpicture.formats.sensors import sensors_from_rows
from airpicture.tables import Plots, Status


@pytest.mark.parametrize(("reach", "sigma"), [(1_500.0, 150.0), (15_000.0, 1_500.0), (150_000.0, 500.0)])
def test_sigma_of_an_unmeasured_height_stays_in_proportion(reach: float, sigma: float) -> None:
    """At 1.5 km a target is at most 1 km up, however long nobody says; at 150 km the whole 18 km tilt little."""
    row = {"id": "r", "kind": "radar", "lat_deg": 41.3, "lon_deg": 2.1, "h_ell_m": 60.0, "period_s": 2.0, "pd": 0.95}
    sensors = sensors_from_rows([{**row, "range_m_min": 100.0, "sigma_range_m": 6.0, "sigma_azimuth_deg": 0.05}])
    rng = np.random.default_rng(5)
    t = np.arange(0.0, 240.0, 2.0)
    plots = Plots.blank(
        len(t),
        sensors,
        t_ns=1_700_000_000_000_000_000 + (t * 1e9).astype(np.int64),
        slant_range=reach + rng.normal(0.0, 6.0, len(t)),
        azimuth=1.0 + rng.normal(0.0, math.radians(0.05), len(t)),
    )
    tracks = ap.track(plots)
    last = tracks.take(tracks.status == Status.CONFIRMED).take(slice(-1, None))
    assert np.isnan(last.h_ell[0])  # unknown stays unknown
    assert 0.01 * sigma < math.hypot(last.sigma_east[0], last.sigma_north[0]) < sigma
