"""A marine radar's detections in metres north and east of a ferry, tracked and judged against satellite navigation."""

import gzip
import json
from importlib.resources import files

import numpy as np

import airpicture as ap
from airpicture.geo import enu_to_geodetic
from airpicture.units import DEG

LAT, LON, H = 63.4389029083, 10.39908278, 39.923  # origin of the recording's coordinates: degrees, metres
ORIGIN = (LAT * DEG, LON * DEG, H)
RADAR = {"id": "2", "kind": "radar", "period_s": 1.68, "pd": 0.85, "clutter_per_scan": 2.0, "sigma_pos_m": 6.0}


def judge(tracks, boats):  # boats as the recording has them, each fix once
    fixes = sorted({(b["time"], b["targetID"]): b["position"][:2] for b in boats}.items())
    t_ns = np.array([round(time * 1e9) for (time, _), _ in fixes])
    boat = np.array([number - 1 for (_, number), _ in fixes], np.int32)
    n, e = np.array([position for _, position in fixes]).T
    place = enu_to_geodetic(e, n, 0.0, *ORIGIN)
    truth = ap.Truth(t_ns, boat, 0 * boat, *place, *np.full((3, len(n)), np.nan), ("boat 1", "boat 2"), ("ship",))
    return ap.evaluate(truth, tracks, cutoff_m=50.0)


if __name__ == "__main__":
    packed = (files("airpicture") / "data" / "autoferry_scenario2_radar.json.gz").read_bytes()
    data = json.loads(gzip.decompress(packed))
    t_ns = np.concatenate([np.full(len(s["measurement"][0]), int(s["time"] * 1e9)) for s in data["detections"]])
    ne = np.concatenate([np.array(s["measurement"]) + np.c_[s["ownshipPosition"]] for s in data["detections"]], axis=1)
    lat, lon, h = enu_to_geodetic(ne[1], ne[0], 0.0, *ORIGIN)  # boats are at sea level
    sensors = ap.Sensors.from_rows([RADAR | {"lat_deg": LAT, "lon_deg": LON, "h_ell_m": H, "range_m_max": 1200.0}])
    plots = ap.Plots.from_columns(sensors=sensors, sensor="2", t_ns=t_ns, lat_rad=lat, lon_rad=lon, h_ell_m=h)
    report = judge(ap.track(plots), [boat for row in data["groundTruth"] for boat in row])
    print(f"boats held {100 * report.completeness:.0f} % of the time, {report.median_horizontal_m:.1f} m off (median)")
    assert min(report.completeness - 0.75, 8.0 - report.median_horizontal_m) > 0.0
