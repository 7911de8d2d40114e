"""Own sensor: five lines from arrays of detections to tracks.

Here a small radar on a roof watches a drone that flies a square; its detections come as numpy arrays.
"""

import tomllib

import numpy as np

import airpicture as ap

SENSORS = """
[[sensor]]
id = "roof"
kind = "radar"
lat_deg = 52.0
lon_deg = 4.4
h_ell_m = 30.0
period_s = 1.0
range_m_max = 5000.0
sigma_range_m = 3.0
sigma_azimuth_deg = 0.5
sigma_elevation_deg = 0.5
clutter_per_scan = 2.0
"""


def detections() -> dict[str, np.ndarray]:
    """Stand in for your sensor: a drone at 15 m/s round a square of 600 m, and two false detections a turn."""
    rng = np.random.default_rng(3)
    t = np.arange(120.0)
    leg, along = np.divmod(t * 15.0, 600.0)
    turn = np.stack([np.array([1, 0, -1, 0])[leg.astype(int) % 4], np.array([0, 1, 0, -1])[leg.astype(int) % 4]])
    corner = np.array([[0, 600, 600, 0], [0, 0, 600, 600]])[:, leg.astype(int) % 4]
    east, north = corner + turn * along + np.array([[400.0], [800.0]])
    true = np.stack(
        [np.hypot(east, north), np.degrees(np.arctan2(east, north)), np.degrees(np.arctan2(80, 1500.0)) + 0 * t]
    )
    noisy = true + rng.normal(size=true.shape) * np.array([[3.0], [0.5], [0.5]])
    false = rng.uniform([[100.0], [0.0], [0.0]], [[5000.0], [360.0], [10.0]], (3, 240))
    both = np.concatenate([noisy, false], axis=1)
    t_ns = 1_767_225_600_000_000_000 + (np.concatenate([t, rng.uniform(0, 120, 240)]) * 1e9).astype(np.int64)
    return {"t_ns": t_ns, "range_m": both[0], "azimuth_deg": both[1], "elevation_deg": both[2]}


def main() -> None:
    sensors = ap.Sensors.from_rows(tomllib.loads(SENSORS)["sensor"])  # or ap.load_sensors("sensors.toml")
    plots = ap.Plots.from_columns(sensors=sensors, sensor="roof", **detections())
    tracks = ap.track(plots)
    table = tracks.to_arrow()
    shown = tracks.take(tracks.status == ap.Status.CONFIRMED)
    print(
        table.num_rows, "rows of", len(table.column_names), "columns;", len(np.unique(shown.track)), "confirmed tracks"
    )
    numbers, rows = np.unique(shown.track, return_counts=True)
    drone = shown.take(shown.track == numbers[rows.argmax()])
    speed = np.hypot(drone.v_east, drone.v_north)
    print(f"the drone: {rows.max()} updates, {np.median(speed):.1f} m/s")
    assert rows.max() > 90
    assert 12.0 < np.median(speed) < 18.0


if __name__ == "__main__":
    main()
