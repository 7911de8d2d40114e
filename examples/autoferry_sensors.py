"""Radar and lidar in metres, bearings from two cameras: python autoferry_sensors.py FOLDER of the Autoferry data."""

import gzip
import json
import sys
from pathlib import Path

import numpy as np
from autoferry import ORIGIN, RADAR, judge

import airpicture as ap
from airpicture.geo import enu_to_geodetic

LIDAR = {"kind": "radar", "period_s": 0.5, "pd": 0.5, "range_m_max": 150.0, "clutter_per_scan": 0.5, "sigma_pos_m": 2.0}
CAMERA = {"kind": "passive", "pd": 0.5, "range_m_max": 1200.0, "clutter_per_scan": 5.0, "sigma_azimuth_deg": 2.0}
KINDS = {1: LIDAR, 2: RADAR | {"range_m_max": 1200.0}, 3: CAMERA, 4: CAMERA}  # 3: infrared, 4: optical


def main(folder, scenario="scenario2", kinds=(1, 2, 3, 4), track=ap.track):
    parts = [(folder / f"{scenario}_{name}.json.gz").read_bytes() for name in ("detections", "groundTruth")]
    looks, boats = (json.loads(gzip.decompress(part)) for part in parts)
    sensors, rows = {}, []
    for look in (one for one in looks if one["sensorID"] in kinds and one["measurement"] not in ([], None)):
        north, east = look["ownshipPosition"]  # the ship moves: each ten seconds have a site of their own
        kind, name = look["sensorID"], f"{look['sensorID']}" + f"@{look['time'] // 10:.0f}" * (look["sensorID"] > 2)
        lat, lon, _ = enu_to_geodetic(east, north, 0.0, *ORIGIN)
        sensors.setdefault(name, KINDS[kind] | {"id": name, "lat_deg": np.degrees(lat), "lon_deg": np.degrees(lon)})
        found = np.array(look["measurement"], float).reshape(2 if kind < 3 else 1, -1)  # north and east, or a bearing
        n, e, bearing = (*found, found[0] * np.nan) if kind < 3 else (found[0] * np.nan, found[0] * np.nan, found[0])
        rows += [(int(look["time"] * 1e9), name, n[k] + north, e[k] + east, bearing[k]) for k in range(len(n))]
    t_ns, ids, n, e, bearing = (np.array(column) for column in zip(*rows, strict=True))
    at = dict(zip(("lat_rad", "lon_rad", "h_ell_m"), enu_to_geodetic(e, n, 0.0, *ORIGIN), strict=True))
    at |= {"sensors": ap.Sensors.from_rows(sensors.values()), "sensor": ids, "t_ns": t_ns, "azimuth_rad": bearing}
    return judge(track(ap.Plots.from_columns(**at)), [boat for row in boats for boat in row])


if __name__ == "__main__":
    for used in ((2,), (1, 2), (1, 2, 3, 4)):
        print(f"{used}: {main(Path(sys.argv[1]), kinds=used).median_horizontal_m:.1f} m off in the median")
