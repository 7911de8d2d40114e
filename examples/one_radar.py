"""One radar, one aircraft, clutter: what a tracker is for.

Of a hundred false plots a turn and one true one, a track comes out that is nearer to the truth than the plots are.
"""

import numpy as np

import airpicture as ap
from airpicture.geo import distance, slant_to_geodetic

SCENARIO = {
    "scenario": {"seed": 1, "duration_s": 300},
    "sensor": [
        {
            "id": "radar",
            "kind": "radar",
            "lat_deg": 47.0,
            "lon_deg": 8.0,
            "h_ell_m": 500.0,
            "period_s": 5.0,
            "range_m_max": 150e3,
            "clutter_per_scan": 100.0,
            "sigma_range_m": 70.0,
            "sigma_azimuth_deg": 0.08,
        }
    ],
    "group": [
        {
            "class": "transport",
            "waypoints": [[47.3, 7.2, 10_000.0, 230.0], [47.3, 8.6, 10_000.0, 230.0]],
        }
    ],
}


def main() -> None:
    run = ap.simulate(SCENARIO)
    tracks = ap.track(run.plots, run.sensors)
    report = ap.evaluate(run.truth, tracks)
    print(report.to_text())

    # How far the true plots lie from the truth, for comparison: each against the truth of its own second.
    true = run.plots.take(run.plots.truth >= 0)
    rows = np.clip(np.searchsorted(run.truth.t_ns, true.t_ns), 1, len(run.truth) - 1)
    share = (true.t_ns - run.truth.t_ns[rows - 1]) / (run.truth.t_ns[rows] - run.truth.t_ns[rows - 1])
    lat = run.truth.lat[rows - 1] * (1 - share) + run.truth.lat[rows] * share
    lon = run.truth.lon[rows - 1] * (1 - share) + run.truth.lon[rows] * share
    s = run.sensors
    at = slant_to_geodetic(true.slant_range, true.azimuth, run.truth.h_ell[rows], s.lat[0], s.lon[0], s.h_ell[0])
    raw = np.sqrt(np.mean(distance(at[0], at[1], lat, lon) ** 2))
    print(
        f"plots {raw:.0f} m RMS, track {report.update_rmse_horizontal_m:.0f} m; "
        f"{len(true)} of {len(run.plots)} plots are true"
    )

    assert report.completeness > 0.9
    assert report.false_tracks < 0.5
    assert report.update_rmse_horizontal_m < raw


if __name__ == "__main__":
    main()
