"""Tracks as KML 2.2 for Google Earth and its like, each a ``gx:Track`` that can be played in time.

Lines are coloured by the height that a track reached, as map programs colour aircraft; what has no height is grey and
lies on the ground. Stretches in which a track coasted are drawn again, thin and pale, in a folder of their own: KML has
no dashed lines.

KML counts heights from mean sea level; here they are above the ellipsoid, which differs by up to 107 m (EGM96): tracks
are drawn that much too high or too low.
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

import numpy as np

from airpicture.formats.trackpaths import TrackPath, iso, paths, stretches
from airpicture.tables import Status, Tracks

# Upper end of each band [m above the ellipsoid] and its colour, aabbggrr: from orange near the ground to violet.
BANDS: Final = (
    (1000.0, "ff2277ee"),
    (3000.0, "ff22ccdd"),
    (6000.0, "ff44cc44"),
    (9000.0, "ffccbb22"),
    (12_000.0, "ffee6633"),
    (float("inf"), "ffcc22aa"),
)
_UNKNOWN: Final = "ffaaaaaa"
_COASTING: Final = "88ffffff"
_ICON: Final = "http://maps.google.com/mapfiles/kml/shapes/track.png"


def tracks_to_kml(tracks: Tracks) -> str:
    """Return a KML document with one Placemark for each track, and one for each stretch that it coasted."""
    coasting = []
    placemarks = []
    for path in paths(tracks):
        placemarks.append(_placemark(path))
        for begin, end in stretches(tracks.status[path.rows] == Status.COASTING):
            if end - begin > 1:
                coasting.append(_stretch(path, begin, end))
    folder = f"<Folder><name>Coasting</name>\n{''.join(coasting)}</Folder>\n" if coasting else ""
    return _head() + "".join(placemarks) + folder + "</Document>\n</kml>\n"


def _head() -> str:
    styles = [_style(f"band{k}", colour, 2) for k, (_, colour) in enumerate(BANDS)]
    styles += [_style("unknown", _UNKNOWN, 2), _style("coasting", _COASTING, 1)]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2">\n'
        f"<Document>\n<name>Tracks</name>\n{''.join(styles)}"
    )


def _style(name: str, colour: str, width: int) -> str:
    icon = f"<IconStyle><color>{colour}</color><Icon><href>{_ICON}</href></Icon></IconStyle>"
    return f'<Style id="{name}">{icon}<LineStyle><color>{colour}</color><width>{width}</width></LineStyle></Style>\n'


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
        f'<Placemark id="track-{path.number}"><name>{escape(path.label)}</name><styleUrl>#{_band(path)}</styleUrl>\n'
        f"<ExtendedData>{data}</ExtendedData>\n"
        f"<gx:Track><altitudeMode>{'absolute' if high else 'clampToGround'}</altitudeMode>\n"
        f"{whens}{places}</gx:Track></Placemark>\n"
    )


def _stretch(path: TrackPath, begin: int, end: int) -> str:
    high = np.isfinite(path.h_ell).all()
    heights = path.h_ell[begin:end].tolist() if high else [0.0] * (end - begin)
    rows = zip(path.lon_deg[begin:end].tolist(), path.lat_deg[begin:end].tolist(), heights, strict=True)
    places = " ".join(f"{lon},{lat},{h}" for lon, lat, h in rows)
    span = f"<begin>{iso(int(path.t_ns[begin]))}</begin><end>{iso(int(path.t_ns[end - 1]))}</end>"
    return (
        f"<Placemark><name>{escape(path.label)} coasting</name><styleUrl>#coasting</styleUrl>"
        f"<TimeSpan>{span}</TimeSpan><LineString><altitudeMode>{'absolute' if high else 'clampToGround'}</altitudeMode>"
        f"<coordinates>{places}</coordinates></LineString></Placemark>\n"
    )


def _band(path: TrackPath) -> str:
    """Return the style of a track: by the greatest height it reached."""
    if not np.isfinite(path.h_ell).any():
        return "unknown"
    top = float(np.nanmax(path.h_ell))
    return f"band{next(k for k, (limit, _) in enumerate(BANDS) if top <= limit)}"
