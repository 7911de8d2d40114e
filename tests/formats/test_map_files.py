"""GPX, KML, CZML and points of GeoJSON beyond `test_exports`: what other parsers find in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from airpicture.formats import write_tracks
from airpicture.formats.czml import ELLIPSE_SIGMAS, tracks_to_czml
from airpicture.formats.geojson import points_to_geojson, points_to_lines
from airpicture.formats.gpx import tracks_to_gpx
from airpicture.formats.kml import BANDS, tracks_to_kml
from airpicture.tables import Status, Tracks, pack_callsigns
from airpicture.units import DEG, SECOND_NS
from output_scenes import NOW, SENSORS, one, picture

KML = "{http://www.opengis.net/kml/2.2}"


def flight(status: list[int], **columns: Any) -> Tracks:
    """Return one track, a row every 4 s with the given statuses, climbing eastwards."""
    n = len(status)
    base: dict[str, Any] = {
        "t_ns": NOW + 4 * SECOND_NS * np.arange(n), "track": np.full(n, 5), "status": status,
        "lat": np.full(n, 50 * DEG), "lon": (8 + 0.01 * np.arange(n)) * DEG, "h_ell": 2000.0 + 100 * np.arange(n),
        "h_baro": 1950.0 + 100 * np.arange(n), "v_east": np.full(n, 180.0), "v_north": np.zeros(n),
        "sigma_east": np.full(n, 40.0), "sigma_north": np.full(n, 30.0), "rho_east_north": np.full(n, 0.5),
        "sigma_up": np.full(n, 20.0), "callsign": pack_callsigns(["<A&B>"] * n), "address": np.full(n, 0xABC),
    }  # fmt: skip
    return Tracks.blank(n, SENSORS, **(base | columns))


def test_gpx_read_by_another_program() -> None:
    gpxpy = pytest.importorskip("gpxpy")
    tracks = flight([1, 1, 1, 2, 2, 1, 1, 3])
    found = gpxpy.parse(tracks_to_gpx(tracks))
    (track,) = found.tracks
    assert track.name == "<A&B>"
    assert track.number == 5
    assert [len(segment.points) for segment in track.segments] == [3, 2]
    point = track.segments[1].points[0]
    assert point.latitude == pytest.approx(50.0, abs=1e-7)
    assert point.longitude == pytest.approx(8.05, abs=1e-7)
    assert point.elevation == 2500.0
    assert point.time.timestamp() == pytest.approx((NOW + 20 * SECOND_NS) / SECOND_NS, abs=1e-3)
    told = {element.tag.split("}")[1]: element.text for ext in point.extensions for element in ext.iter()}
    assert (told["speed"], told["course"]) == ("180", "90")
    assert (told["sigma"], told["sigma_up"], told["h_baro"]) == ("40", "20", "2450")
    assert "ellipsoid" in found.description


def test_gpx_of_nothing_and_of_the_unknown() -> None:
    gpxpy = pytest.importorskip("gpxpy")
    assert gpxpy.parse(tracks_to_gpx(Tracks.empty(SENSORS))).tracks == []
    assert gpxpy.parse(tracks_to_gpx(flight([3, 2]))).tracks == []
    unknown = flight([1, 1], h_ell=np.full(2, np.nan), v_east=np.full(2, np.nan))
    (point, _) = gpxpy.parse(tracks_to_gpx(unknown)).tracks[0].segments[0].points
    assert point.elevation is None
    whole = gpxpy.parse(tracks_to_gpx(picture(200)))
    assert len(whole.tracks) > 100


def test_kml_is_coloured_by_height_and_tells_where_it_coasted() -> None:
    root = ElementTree.fromstring(tracks_to_kml(flight([1, 1, 2, 2, 2, 1], h_ell=np.full(6, 7000.0))))
    document = root[0]
    styles = {style.get("id"): style.find(f"{KML}LineStyle/{KML}color").text for style in document.iter(f"{KML}Style")}  # type: ignore[union-attr]
    assert len(styles) == len(BANDS) + 2
    placemark = document.find(f"{KML}Placemark")
    assert placemark is not None
    assert placemark.find(f"{KML}styleUrl").text == "#band3"  # type: ignore[union-attr]
    folder = document.find(f"{KML}Folder")
    assert folder is not None
    (stretch,) = folder.findall(f"{KML}Placemark")
    places = stretch.find(f"{KML}LineString/{KML}coordinates").text.split()  # type: ignore[union-attr]
    assert [float(place.split(",")[0]) for place in places] == pytest.approx([8.02, 8.03, 8.04])
    assert stretch.find(f"{KML}TimeSpan/{KML}begin").text == "2023-11-14T22:13:28.250Z"  # type: ignore[union-attr]
    unknown = ElementTree.fromstring(tracks_to_kml(flight([1, 1], h_ell=np.full(2, np.nan))))
    assert unknown[0].find(f"{KML}Placemark/{KML}styleUrl").text == "#unknown"  # type: ignore[union-attr]
    assert unknown[0].find(f"{KML}Folder") is None


def test_czml_turns_with_its_course_greys_while_coasting_and_draws_ellipses() -> None:
    _, packet = json.loads(tracks_to_czml(flight([1, 1, 2, 2, 1]), ellipses=True))
    assert packet["orientation"] == {"velocityReference": "#position"}
    whole, grey = packet["point"]["color"]
    assert whole["rgba"] == [255, 165, 0, 255]
    assert grey["interval"] == "2023-11-14T22:13:28.250Z/2023-11-14T22:13:36.250Z"
    covariance = np.array([[1600.0, 600.0], [600.0, 900.0]])
    values, vectors = np.linalg.eigh(covariance)
    ellipse = packet["ellipse"]
    assert ellipse["semiMajorAxis"]["number"][:2] == [0, pytest.approx(ELLIPSE_SIGMAS * values[1] ** 0.5, abs=0.05)]
    assert ellipse["semiMinorAxis"]["number"][3] == pytest.approx(ELLIPSE_SIGMAS * values[0] ** 0.5, abs=0.05)
    east, north = vectors[:, 1]
    turned = np.arctan2(north, east) % np.pi
    assert ellipse["rotation"]["number"][1] % np.pi == pytest.approx(turned, abs=1e-3)
    (_, plain) = json.loads(tracks_to_czml(flight([1])))
    assert "ellipse" not in plain
    assert "orientation" not in plain


def test_czml_clamps_to_the_ground_what_has_no_height_and_says_so() -> None:
    h_ell = np.array([np.nan, np.nan, 2200.0, 2300.0, np.nan])
    _, packet = json.loads(tracks_to_czml(flight([1] * 5, h_ell=h_ell)))
    begin, end = "2023-11-14T22:13:20.250Z", "2023-11-14T22:13:36.250Z"
    parts = [f"{begin}/{end}", f"{begin}/2023-11-14T22:13:28.250Z", f"{end}/{end}"]
    references = ["NONE", "CLAMP_TO_GROUND", "CLAMP_TO_GROUND"]
    for part in ("point", "label"):
        clamped = packet[part]["heightReference"]
        assert [one["interval"] for one in clamped] == parts
        assert [one["heightReference"] for one in clamped] == references
    assert [one["boolean"] for one in packet["properties"]["height_known"]] == [True, False, False]
    _, known = json.loads(tracks_to_czml(flight([1] * 5)))
    assert "heightReference" not in known["point"]
    assert "height_known" not in known["properties"]


def test_points_of_geojson() -> None:
    tracks = picture(200)
    document = json.loads(points_to_geojson(tracks))
    lines = [json.loads(line) for line in points_to_lines(tracks).splitlines()]
    assert document["features"] == lines
    assert len(lines) == len(tracks)
    for row, feature in enumerate(lines):
        place = feature["geometry"]["coordinates"]
        assert place[:2] == pytest.approx([tracks.lon[row] / DEG, tracks.lat[row] / DEG], abs=1e-7)
        assert len(place) == (3 if np.isfinite(tracks.h_ell[row]) else 2)
        assert feature["properties"]["status"] == Status(tracks.status[row]).name.lower()
    (feature,) = json.loads(points_to_geojson(one()))["features"]
    assert feature["properties"] == {
        "track": 17, "time": "2023-11-14T22:13:20.250Z", "status": "confirmed", "callsign": "RYR4A",
        "address": "4ca2d6", "mode_3a": "7421", "existence": 0.99, "speed_mps": 200, "course_deg": 90, "v_up_mps": 5.1,
        "h_ell_m": 3352.8, "h_baro_ft": 10_850, "sigma_east_m": 10, "sigma_north_m": 10, "plot_count": 100,
    }  # fmt: skip
    assert json.loads(points_to_geojson(Tracks.empty(SENSORS)))["features"] == []


def test_newline_delimited_geojson_is_a_feature_a_line(tmp_path: Path) -> None:
    tracks = flight([1, 1, 2, 3])
    write_tracks(tracks, tmp_path / "t.geojsonl")
    lines = (tmp_path / "t.geojsonl").read_text().splitlines()
    assert [json.loads(line)["properties"]["time"] for line in lines] == [
        f"2023-11-14T22:13:{20 + 4 * k}.250Z" for k in range(4)
    ]
