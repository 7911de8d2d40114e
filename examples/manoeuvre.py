"""Manoeuvre: a fighter that flies straight, breaks at several g, and flies straight again.

Four motion models share each track; which of them explains the plots changes from scan to scan, and with it how much
the track trusts itself. Sigma grows in the turns and shrinks between them.
"""

import numpy as np

import airpicture as ap

SCENARIO = {
    "scenario": {"seed": 4, "duration_s": 300},
    "sensor": [
        {
            "id": "radar",
            "kind": "radar",
            "lat_deg": 47.0,
            "lon_deg": 8.0,
            "h_ell_m": 500.0,
            "period_s": 4.0,
            "range_m_max": 200e3,
            "clutter_per_scan": 5.0,
            "sigma_range_m": 50.0,
            "sigma_azimuth_deg": 0.07,
            "sigma_elevation_deg": 0.15,
        }
    ],
    "group": [
        {
            "class": "fighter",
            "count": 4,
            "area": {"centre": "radar", "range_m": [40e3, 90e3]},
            "h_ell_m": [5000.0, 9000.0],
            "speed_mps": [220.0, 280.0],
            "straight_s": [30.0, 40.0],
            "turn_deg": [60.0, 120.0],
            "turn_g": [2.0, 4.0],
            "stay": True,
        }
    ],
}


def main() -> None:
    run = ap.simulate(SCENARIO)
    tracks = ap.track(run.plots, run.sensors)
    report = ap.evaluate(run.truth, tracks)
    shown = tracks.take(tracks.status == ap.Status.CONFIRMED)
    turning = shown.turn_left + shown.turn_right
    sigma = np.sqrt((shown.sigma_v_east**2 + shown.sigma_v_north**2) / 2)
    print(report.to_text())
    print(
        f"sigma of velocity: 10 % of the rows below {np.quantile(sigma, 0.1):.0f} m/s, "
        f"10 % above {np.quantile(sigma, 0.9):.0f} m/s"
    )
    print(f"probability of a turn: mean {turning.mean():.2f}, highest {turning.max():.2f}")

    assert report.completeness > 0.9
    assert np.quantile(sigma, 0.9) > 1.5 * np.quantile(sigma, 0.1)
    assert 0.5 < report.nees < 8.0  # 2 is right; a filter that denies the turns has hundreds


if __name__ == "__main__":
    main()
