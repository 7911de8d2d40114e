"""Sets of times of arrival: read, placed, each failure with its name; and what real ones give."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import airpicture as ap
from airpicture.formats.locards import read_locards
from airpicture.formats.opening import open_recording
from airpicture.formats.recognition import recognise
from airpicture.geo import distance, ecef_to_geodetic, geodetic_to_ecef
from airpicture.geo.multilateration import LIGHT, delay_m
from airpicture.tables import SensorKind, Technology

SITES = np.array(
    [[47.0, 8.0, 400.0], [47.9, 8.2, 500.0], [47.2, 9.4, 600.0], [48.1, 9.3, 450.0], [47.5, 10.1, 700.0], [0, 0, 0]]
)
HEAD = "id,timeAtServer,aircraft,latitude,longitude,baroAltitude,geoAltitude,numMeasurements,measurements\n"


def written(folder: Path, rows: list[tuple[float, float, float, float]], spoilt: dict[int, str] | None = None) -> Path:
    """Write a set with times of arrival that are exact to the nanosecond, receiver 3 being 300 ns late."""
    lines = ["serial,latitude,longitude,height,type,good"]
    lines += [f"{k + 1},{a},{b},{h},Radarcape,{'TRUE' if k < 5 else 'FALSE'}" for k, (a, b, h) in enumerate(SITES)]
    (folder / "sensors.csv").write_text("\n".join(lines) + "\n")
    sites = geodetic_to_ecef(np.radians(SITES[:, 0]), np.radians(SITES[:, 1]), SITES[:, 2])
    text = HEAD
    for number, (t, lat, lon, h) in enumerate(rows):
        p = geodetic_to_ecef(np.radians([lat]), np.radians([lon]), np.array([h]))
        way = np.sqrt(((sites - p) ** 2).sum(axis=1))
        way = way + delay_m(sites[None], ecef_to_geodetic(sites)[2][None], p, np.array([h]))[0]
        ns = [round(t * 1e9 + 1e9 * w / LIGHT) + (300 if k == 2 else 0) for k, w in enumerate(way)]
        measured = (spoilt or {}).get(number, json.dumps([[k + 1, one, 50] for k, one in enumerate(ns)]))
        text += f'{number},{t},77,{lat},{lon},{h},{h},6,"{measured}"\n'
    path = folder / "set_1.csv"
    path.write_text(text)
    return path


def crossing(n: int = 40) -> list[tuple[float, float, float, float]]:
    return [(100.0 + 2.0 * k, 47.3 + 0.004 * k, 8.6 + 0.006 * k, 9000.0 + 20.0 * k) for k in range(n)]


def test_arrivals_become_plots_beside_the_reported_ones(tmp_path: Path) -> None:
    path = written(tmp_path, crossing())
    assert recognise(path) == "locards"
    recording = open_recording(path)
    plots = recording.plots
    assert [recording.sensors.kind[k] for k in range(2)] == [SensorKind.ADSB, SensorKind.MLAT]
    mlat = plots.take(plots.sensor == recording.sensors.index("mlat"))
    reported = plots.take(plots.sensor == recording.sensors.index("adsb"))
    assert (len(mlat), len(reported)) == (40, 40)
    np.testing.assert_array_equal(mlat.t_ns, reported.t_ns)
    off = distance(mlat.lat, mlat.lon, reported.lat, reported.lon)
    assert off.max() < 10.0  # the late clock was found: 300 ns are 90 m
    assert (mlat.technology == Technology.MLT).all()
    assert ((mlat.sigma_pos > 5.0) & (mlat.sigma_pos < 200.0)).all()
    tracks = ap.track(mlat, recording.sensors)
    assert len(np.unique(tracks.track)) == 1
    assert recording.report.records["multilaterated positions"] == 40


def test_what_gives_no_place_is_counted_by_reason(tmp_path: Path) -> None:
    spoilt = {
        3: "[[1,5,50],[2,6",
        5: "[[1,107000000000,50],[9,107000000100,50]]",
        7: "[[1,112000000000,9],[2,112000900000,9],[3,112000000000,9],[4,112000000000,9],[5,112000000000,9]]",
        9: '{""a"":1}',
    }
    report = open_recording(written(tmp_path, crossing(), spoilt)).report
    assert report.refused["measurements that can't be read"] == 2
    assert report.refused["fewer than three synchronised receivers with a height, or four without"] == 3
    assert report.refused["times of arrival fit no place"] == 1
    assert report.records["multilaterated positions"] == 36


def test_a_set_without_its_receivers_gives_reported_positions(tmp_path: Path) -> None:
    path = written(tmp_path, crossing())
    (tmp_path / "sensors.csv").rename(tmp_path / "elsewhere.csv")
    recording = open_recording(path)
    assert recording.sensors.ids == ("adsb",)
    both = read_locards(path, receivers=tmp_path / "elsewhere.csv")
    assert both.report.records["multilaterated positions"] == 40
    (tmp_path / "elsewhere.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ap.InputError, match="elsewhere"):
        read_locards(path, receivers=tmp_path / "elsewhere.csv")


def test_real_sets_are_placed_to_a_hundred_metres(recordings: Path) -> None:
    folder = recordings / "adsb" / "locards_mlat"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    off = []
    for path in sorted(folder.glob("set_*.csv")):
        recording = open_recording(path)
        plots = recording.plots
        mlat = plots.take(plots.sensor == recording.sensors.index("mlat"))
        reported = plots.take(plots.sensor == recording.sensors.index("adsb"))
        near = np.searchsorted(reported.t_ns, mlat.t_ns)
        off.append(distance(mlat.lat, mlat.lon, reported.lat[near], reported.lon[near]))
    joined = np.concatenate(off)
    assert len(joined) > 260
    assert np.median(joined) < 80.0
    assert np.percentile(joined, 90) < 300.0
