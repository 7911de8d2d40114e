"""Tracks as KML 2.2 for Google Earth and its like, each a ``gx:Track`` that can be played in time.

KML counts heights from mean sea level; here they are above the ellipsoid, which differs by up to 107 m (EGM96): tracks
are drawn that much too high or too low. Where a track's height isn't known it lies on the ground.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

import numpy as np

from airpicture.formats.trackpaths import TrackPath, iso, paths
from airpicture.tables import Tracks

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">
<Document>
<name>Tracks</name>
<Style id="track"><LineStyle><color>ff00a5ff</color><width>2</width></LineStyle></Style>
"""


def tracks_to_kml(tracks: Tracks) -> str:
    """Return a KML document with one Placemark for each track."""
    return _HEAD + "".join(_placemark(path) for path in paths(tracks)) + "</Document>\n</kml>\n"


def _placemark(path: TrackPath) -> str:
    high = np.isfinite(path.h_ell).all()
    heights = path.h_ell.tolist() if high else [0.0] * len(path.t_ns)
    data = "".join(
        f'<Data name="{escape(name)}"><value>{escape(str(value))}</value></Data>' for name, value in path.last.items()
    )
    whens = "".join(f"<when>{iso(t)}</when>\n" for t in path.t_ns.tolist())
    rows = zip(path.lon_deg.tolist(), path.lat_deg.tolist(), heights, strict=True)
    places = "".join(f"<gx:coord>{lon} {lat} {h}</gx:coord>\n" for lon, lat, h in rows)
    return (
        f'<Placemark id="track-{path.number}"><name>{escape(path.label)}</name><styleUrl>#track</styleUrl>\n'
        f"<ExtendedData>{data}</ExtendedData>\n"
        f"<gx:Track><altitudeMode>{'absolute' if high else 'clampToGround'}</altitudeMode>\n"
        f"{whens}{places}</gx:Track></Placemark>\n"
    )
