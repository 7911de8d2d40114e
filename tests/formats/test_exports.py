"""Tracks for map programs: what's written is read by a parser that isn't ours, and holds the same places and times."""

import itertools
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from table_files import some_tracks, two_sensors

from airpicture.formats import write_tracks
from airpicture.tables import Tracks, pack_callsigns


def geojson(tmp_path: Path, tracks: Tracks) -> list[dict[str, Any]]:
    write_tracks(tracks, tmp_path / "t.geojson")
    document = json.loads((tmp_path / "t.geojson").read_text(), parse_constant=pytest.fail)
    assert document["type"] == "FeatureCollection"
    return list(document["features"])


def test_geojson_has_a_line_and_a_point_for_each_track(tmp_path: Path) -> None:
    features = geojson(tmp_path, some_tracks())
    kinds = [(f["geometry"]["type"], f["properties"]["track"]) for f in features]
    assert kinds == [("LineString", 7), ("MultiLineString", 10**12), ("Point", 7), ("Point", 10**12)]
    line, _, point, other = features
    assert line["geometry"]["coordinates"] == [[2.0, 41.0, 10_000.0], [2.1, 41.1, 10_010.0]]
    assert line["properties"]["coordTimes"] == [1_700_000_000_000, 1_700_000_010_000]
    assert point["geometry"]["coordinates"] == [2.1, 41.1, 10_010.0]
    about = point["properties"]
    assert (about["callsign"], about["address"], about["mode_3a"]) == ("RYR<1&2", "4ca2d6", "1234")
    assert (about["status"], about["plot_count"], about["speed_mps"]) == ("confirmed", 2, 101.0)
    assert about["course_deg"] == pytest.approx(89.4, abs=0.05)
    assert about["end"] == "2023-11-14T22:13:30.000Z"
    assert "h_ell_m" not in other["properties"]
    assert other["geometry"]["coordinates"] == [-179.9, -10.1]


def test_geojson_is_cut_at_the_antimeridian(tmp_path: Path) -> None:
    """From 179.9 E to 179.9 W the line passes 180 half way, at the mean latitude and time."""
    line = geojson(tmp_path, some_tracks())[1]
    assert line["geometry"]["coordinates"] == [[[179.9, -10.0], [180.0, -10.05]], [[-180.0, -10.05], [-179.9, -10.1]]]
    assert line["properties"]["coordTimes"] == [
        [1_700_000_010_000, 1_700_000_015_000],
        [1_700_000_015_000, 1_700_000_020_000],
    ]
    assert all(
        abs(b[0] - a[0]) <= 180 for piece in line["geometry"]["coordinates"] for a, b in itertools.pairwise(piece)
    )


def test_geojson_of_a_track_that_crosses_back_and_forth(tmp_path: Path) -> None:
    lon = [179.0, -179.0, -178.0, 179.0]
    tracks = Tracks.blank(4, two_sensors(), t_ns=np.arange(4), track=[1] * 4, lat=np.zeros(4), lon=np.radians(lon))
    pieces = geojson(tmp_path, tracks)[0]["geometry"]["coordinates"]
    assert [[p[0] for p in piece] for piece in pieces] == [[179, 180], [-180, -179, -178, -180], [180, 179]]


def test_a_track_seen_once_is_a_point(tmp_path: Path) -> None:
    assert [f["geometry"]["type"] for f in geojson(tmp_path, some_tracks().take(slice(0, 1)))] == ["Point"]


def test_nothing_is_still_a_document(tmp_path: Path) -> None:
    nothing = Tracks.empty(two_sensors())
    assert geojson(tmp_path, nothing) == []
    write_tracks(nothing, tmp_path / "t.kml")
    ElementTree.parse(tmp_path / "t.kml")
    write_tracks(nothing, tmp_path / "t.czml")
    assert [p["id"] for p in json.loads((tmp_path / "t.czml").read_text())] == ["document"]


KML = "{http://www.opengis.net/kml/2.2}"
GX = "{http://www.google.com/kml/ext/2.2}"


def test_kml_is_sound_xml_with_times_and_places(tmp_path: Path) -> None:
    write_tracks(some_tracks(), tmp_path / "t.kml")
    root = ElementTree.parse(tmp_path / "t.kml").getroot()
    marks = root.findall(f"{KML}Document/{KML}Placemark")
    assert [m.findtext(f"{KML}name") for m in marks] == ["RYR<1&2", str(10**12)]
    track = marks[0].find(f"{GX}Track")
    assert track is not None
    assert [w.text for w in track.findall(f"{KML}when")] == ["2023-11-14T22:13:20.000Z", "2023-11-14T22:13:30.000Z"]
    assert [c.text for c in track.findall(f"{GX}coord")] == ["2.0 41.0 10000.0", "2.1 41.1 10010.0"]
    modes = [m.findtext(f"{GX}Track/{KML}altitudeMode") for m in marks]
    assert modes == ["absolute", "clampToGround"]


def test_kml_survives_any_callsign(tmp_path: Path) -> None:
    tracks = some_tracks().take(slice(0, 1))
    tracks.callsign[:] = pack_callsigns(["\x01]]>\"'"])
    write_tracks(tracks, tmp_path / "t.kml")
    mark = ElementTree.parse(tmp_path / "t.kml").getroot().find(f"{KML}Document/{KML}Placemark")
    assert mark is not None
    assert mark.findtext(f"{KML}name") == "4ca2d6"


def test_czml_has_a_clock_and_positions_in_time(tmp_path: Path) -> None:
    write_tracks(some_tracks(), tmp_path / "t.czml")
    document, first, second = json.loads((tmp_path / "t.czml").read_text(), parse_constant=pytest.fail)
    assert (document["id"], document["version"]) == ("document", "1.0")
    assert document["clock"]["interval"] == "2023-11-14T22:13:20.000Z/2023-11-14T22:13:40.000Z"
    assert first["position"]["epoch"] == "2023-11-14T22:13:20.000Z"
    assert first["position"]["cartographicDegrees"] == [0, 2.0, 41.0, 10_000.0, 10, 2.1, 41.1, 10_010.0]
    assert second["position"]["cartographicDegrees"] == [0, 179.9, -10.0, 0, 10, -179.9, -10.1, 0]
    begin, end = (datetime.fromisoformat(text) for text in first["availability"].split("/"))
    assert (end - begin).total_seconds() == 10


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".geojson", ".geojsonl", ".KML", ".czml", ".gpx"])
def test_endings_choose_the_format_whatever_their_case(tmp_path: Path, ending: str) -> None:
    write_tracks(some_tracks(), tmp_path / f"tracks{ending}")
    assert [file.name for file in tmp_path.iterdir()] == [f"tracks{ending}"]
