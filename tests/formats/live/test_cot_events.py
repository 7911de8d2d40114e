"""Cursor on Target: the schema's facts, XML that a parser takes, and what a TAK library makes of it."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from airpicture.formats.cot import TYPES, cot_events
from airpicture.tables import Status, pack_callsigns
from airpicture.units import DEG, SECOND_NS
from output_scenes import NOW, one, picture


def event(**columns: Any) -> ElementTree.Element:
    """Return the only event of a picture."""
    (text,) = cot_events(one(**columns), NOW)
    return ElementTree.fromstring(text)


def test_an_airliner_as_the_schema_has_it() -> None:
    (text,) = cot_events(one(), NOW, stale_s=12)
    assert text.startswith(b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<event version="2.0"')
    root = ElementTree.fromstring(text)
    assert root.attrib == {
        "version": "2.0", "uid": "airpicture-17", "type": "a-n-A-C", "how": "m-f",
        "time": "2023-11-14T22:13:20.250Z", "start": "2023-11-14T22:13:20.250Z",
        "stale": "2023-11-14T22:13:32.250Z",
    }  # fmt: skip
    point, detail = root
    assert point.attrib == {"lat": "50.5", "lon": "-0.25", "hae": "3352.8", "ce": "10", "le": "20"}
    contact, track, remarks = detail
    assert contact.attrib == {"callsign": "RYR4A"}
    assert track.attrib == {"course": "90", "speed": "200"}
    assert remarks.text == "track 17 address 4CA2D6 squawk 7421 flight level 109 climb 1000 ft/min "


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({}, "a-n-A-C"),
        ({"address": -1}, "a-u-A"),
        ({"h_ell": np.nan, "h_baro": np.nan}, "a-n-A-C"),
        ({"h_ell": np.nan, "h_baro": np.nan, "v_east": 9.0}, "a-n-G"),
        ({"h_ell": np.nan, "h_baro": np.nan, "v_east": 9.0, "address": -1}, "a-u-G"),
    ],
)
def test_types_are_neutral_or_unknown_air_or_surface(columns: dict[str, Any], kind: str) -> None:
    assert event(**columns).get("type") == kind
    assert {name.split("-")[1] for name in TYPES} == {"n", "u"}


def test_what_is_not_known_has_the_schemas_number() -> None:
    point = event(h_ell=np.nan, sigma_up=np.nan, sigma_east=np.nan)[0]
    assert [point.get(name) for name in ("hae", "ce", "le")] == ["9999999"] * 3


def test_the_circle_is_the_larger_axis_of_the_ellipse() -> None:
    point = event(sigma_east=30.0, sigma_north=40.0, rho_east_north=0.5)[0]
    covariance = np.array([[900.0, 600.0], [600.0, 1600.0]])
    assert float(point.get("ce", "")) == pytest.approx(math.sqrt(np.linalg.eigvalsh(covariance)[1]), abs=0.05)


def test_names_are_escaped_and_the_best_known() -> None:
    assert event(callsign=int(pack_callsigns(["<&\">'"])[0]))[1][0].get("callsign") == "<&\">'"
    assert event(callsign=0)[1][0].get("callsign") == "4CA2D6"
    assert event(callsign=0, address=-1)[1][0].get("callsign") == "7421"
    assert event(callsign=0, address=-1, mode_3a=-1)[1][0].get("callsign") == "T17"
    (text,) = cot_events(one(), NOW, uid='north & "south"')
    assert ElementTree.fromstring(text).get("uid") == 'north & "south"-17'


def test_a_whole_picture_is_well_formed_and_true() -> None:
    tracks = picture(400)
    held = tracks.take((tracks.status == Status.CONFIRMED) | (tracks.status == Status.COASTING))
    events = [ElementTree.fromstring(text) for text in cot_events(tracks, NOW)]
    assert len(events) == len(held)
    for row, found in enumerate(events):
        assert found.get("uid") == f"airpicture-{held.track[row]}"
        assert float(found[0].get("lat", "")) == pytest.approx(held.lat[row] / DEG, abs=1e-7)
        assert float(found[0].get("lon", "")) == pytest.approx(held.lon[row] / DEG, abs=1e-7)
        start = datetime.fromisoformat(found.get("start", "")).timestamp()
        assert start == pytest.approx(NOW / SECOND_NS, abs=1e-3)
    assert any("coasting" in (found[1][2].text or "") for found in events)
    assert all(len(found[1]) == 2 for found in map(ElementTree.fromstring, cot_events(tracks, NOW, remarks=False)))
    assert cot_events(tracks.take(tracks.status == Status.TENTATIVE), NOW) == []


def test_a_tak_library_takes_them() -> None:
    takproto = pytest.importorskip("takproto")
    for text in cot_events(picture(50), NOW):
        root = ElementTree.fromstring(text)
        message = takproto.xml2proto(text.decode())
        back = takproto.parse_proto(message).cotEvent
        assert back.uid == root.get("uid")
        assert back.type == root.get("type")
        assert back.lat == pytest.approx(float(root[0].get("lat", "")))
        assert back.hae == pytest.approx(float(root[0].get("hae", "")))
        assert back.detail.contact.callsign == root[1][0].get("callsign")
        assert back.detail.track.speed == pytest.approx(float(root[1][1].get("speed", "0")))
