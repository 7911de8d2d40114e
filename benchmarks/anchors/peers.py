"""The neutral scenario files that other trackers are measured on: an .npz with plots and truth on planes of their own.

Arrays: plot_time, plot_range, plot_azimuth, plot_elevation, plot_sensor; truth_time, truth_scan, truth_id,
truth_sensor, truth_x, truth_y; sensor_x, sensor_y; meta (JSON text). A point of a sensor's plane is taken for the
place of the same slant range and azimuth, so plots keep their values to the bit and estimates are judged where the
sensor sees them: at the height that the tracker itself assumes, since these files measure none. (A fixed height
instead, `filled`, is the same beyond some 60 km. Nearer than 26 km airpicture assumes less than 9 km, and a place on
the ground means another range.) GOSPA: order 2, cut-off 2 km, all tracks of the picture that are confirmed or
coasting, scans from the tenth on.
"""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from airpicture.config import Config
from airpicture.evaluation import gospa
from airpicture.geo import ecef_to_geodetic, geodetic_to_ecef, geodetic_to_polar
from airpicture.tables import F64, Plots, SensorKind, Sensors, Status, Tracks
from airpicture.tracker import Tracker
from anchors.plane import T0_NS

SITE = 50.0  # m
CUTOFF = 2000.0
FIRST = 10


@dataclass(frozen=True)
class Compared:
    """Means a scan."""

    gospa: float
    per_root_target: float
    rms: float
    missed: float
    false: float
    switches: float
    targets: float
    seconds: float  # CPU time a scan

    @classmethod
    def of(cls, rows: list[tuple[float, ...]], switches: int, seconds: float = float("nan")) -> Self:
        """Return the means of scans: distance, localisation, pairs, missed, false and targets of each."""
        a = np.array(rows)
        return cls(
            gospa=float(a[:, 0].mean()),
            per_root_target=float((a[:, 0] / np.sqrt(a[:, 5])).mean()),
            rms=float(np.sqrt(a[:, 1].sum() / a[:, 2].sum())),
            missed=float(a[:, 3].mean()),
            false=float(a[:, 4].mean()),
            switches=switches / len(a),
            targets=float(a[:, 5].mean()),
            seconds=seconds / len(a),
        )


def load(path: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read arrays and parameters."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    return arrays, json.loads(str(arrays["meta"]))


def sites(count: int) -> tuple[Any, Any]:
    """Return latitudes and longitudes [rad] of the sensors: one place, or a Fibonacci lattice."""
    if count == 1:
        return np.radians([41.3]), np.radians([2.1])
    i = np.arange(count)
    lon = np.mod(i * 180.0 * (3.0 - np.sqrt(5.0)), 360.0) - 180.0
    return np.arcsin(1.0 - 2.0 * (i + 0.5) / count), np.radians(lon)


def tables(arrays: dict[str, Any], meta: dict[str, Any]) -> tuple[Plots, Sensors]:
    """Return plots and sensors."""
    count = len(arrays["sensor_x"])
    lat, lon = sites(count)
    false = np.bincount(arrays["plot_sensor"][arrays["plot_truth"] < 0], minlength=count) / meta["scans"]

    def all_of(value: float) -> Any:
        return np.full(count, float(value))

    sensors = Sensors(
        ids=tuple(f"s{k}" for k in range(count)),
        kind=np.full(count, SensorKind.RADAR, np.uint8),
        sac=np.full(count, -1, np.int32),
        sic=np.full(count, -1, np.int32),
        lat=lat,
        lon=lon,
        h_ell=all_of(SITE),
        period=all_of(meta["period"]),
        range_min=all_of(meta["r_min"]),
        range_max=all_of(meta["radius_m"]),
        pd=all_of(meta["pd"]),
        clutter_per_scan=false.astype(float),
        sigma_range=all_of(meta["sigma_range"]),
        sigma_azimuth=np.radians(all_of(meta["sigma_azimuth_deg"])),
        sigma_elevation=np.radians(all_of(meta["sigma_elevation_deg"] if meta["three_d"] else np.nan)),
        sigma_range_rate=all_of(np.nan),
        sigma_pos=all_of(np.nan),
        bias_range=all_of(0.0),
        bias_azimuth=all_of(0.0),
        bias_time=all_of(0.0),
    )
    order = np.argsort(arrays["plot_time"], kind="stable")
    plots = Plots.blank(
        len(order),
        sensors,
        t_ns=T0_NS + np.round(arrays["plot_time"][order] * 1e9).astype(np.int64),
        sensor=arrays["plot_sensor"][order].astype(np.int32),
        slant_range=arrays["plot_range"][order],
        azimuth=np.mod(arrays["plot_azimuth"][order], 2.0 * np.pi),
        elevation=arrays["plot_elevation"][order],
    )
    return plots, sensors


def assumed_heights(tracker: Tracker, numbers: Any, now: int) -> Any:
    """Return the heights [m] at which the tracker holds tracks, by number, measured or not."""
    store = tracker._store
    place = {int(number): k for k, number in enumerate(store.number[: store.n])}
    rows = np.array([place[int(number)] for number in numbers], np.int64)
    dt = np.maximum(now - store.t_ns[rows], 0) * 1e-9
    p = store.summary[rows, :3] + dt[:, None] * store.summary[rows, 3:6]
    height: Any = ecef_to_geodetic(p)[2]
    return height


def on_plane(arrays: dict[str, Any], tracks: Tracks, h: Any) -> F64:
    """Return places (N, 2) [m] of tracks, taken to be at heights h [m], on the planes of their nearest sensors."""
    if not len(tracks):
        return np.zeros((0, 2))
    lat, lon = sites(len(arrays["sensor_x"]))
    s = np.zeros(len(tracks), np.int64)
    if len(lat) > 1:
        gap = geodetic_to_ecef(tracks.lat, tracks.lon, 0.0)[:, None] - geodetic_to_ecef(lat, lon, 0.0)[None]
        s = np.argmin((gap**2).sum(-1), axis=1)
    r, azimuth, _ = geodetic_to_polar(tracks.lat, tracks.lon, h, lat[s], lon[s], SITE)
    offset: F64 = np.column_stack([arrays["sensor_x"], arrays["sensor_y"]])[s]
    return offset + np.column_stack([r * np.sin(azimuth), r * np.cos(azimuth)])


def compare(
    path: str | Path,
    config: Config | None = None,
    scans: int | None = None,
    filled: float | None = None,
    *,
    named: bool = False,
) -> Compared:
    """Track a file scan by scan and score every picture.

    filled : m, height to be taken for unmeasured ones; named : give each target's plots an address of its own, so that
    the tracker knows whose each is
    """
    arrays, meta = load(path)
    plots, sensors = tables(arrays, meta)
    if named:
        order = np.argsort(arrays["plot_time"], kind="stable")
        target = arrays["plot_truth"][order]
        plots = replace(plots, address=np.where(target >= 0, target + 1, -1).astype(np.int32))
    tracker = Tracker(sensors, config)
    ends = T0_NS + np.round((np.arange(meta["scans"]) + 1.0) * meta["period"] * 1e9).astype(np.int64)
    rows: list[tuple[float, ...]] = []
    holder: dict[int, int] = {}
    switches, done, spent = 0, 0, 0.0
    for k, now in enumerate(ends[:scans]):
        begin = time.process_time()
        upto = int(np.searchsorted(plots.t_ns, now, side="right"))
        picture = tracker.step(plots.take(slice(done, upto)), int(now))
        done = upto
        spent += time.process_time() - begin if k >= FIRST else 0.0
        shown = np.isin(picture.tracks.status, (Status.CONFIRMED, Status.COASTING))
        tracks = picture.tracks.take(shown)
        h = assumed_heights(tracker, tracks.track, int(now)) if filled is None else np.full(len(tracks), filled)
        estimate = on_plane(arrays, tracks, h)
        row = arrays["truth_scan"] == k
        real = np.column_stack([arrays["truth_x"][row], arrays["truth_y"][row]])
        ids = arrays["truth_id"][row]
        found = gospa(real, estimate, cutoff=CUTOFF, order=2.0)
        for i, j in found.pairs:
            number = int(tracks.track[j])
            if k >= FIRST and holder.get(int(ids[i]), number) != number:
                switches += 1
            holder[int(ids[i])] = number
        if k >= FIRST:
            rows.append(
                (found.distance, found.localisation, len(found.pairs), found.missed, found.false, float(len(real)))
            )
    return Compared.of(rows, switches, spent)
