"""What the map brings along from others is what its manifest says, licences beside it, and small enough."""

import hashlib
import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parents[1] / "src/airpicture/map"
VENDOR = FOLDER / "vendor"
OWN = {"manifest.json", "LICENSE.md"}


def test_files_are_those_of_the_manifest() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text("utf-8"))
    assert {entry["file"] for entry in manifest} | OWN == {path.name for path in VENDOR.iterdir()}
    for entry in manifest:
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]
        assert (VENDOR / entry["licence"]).is_file()
        assert entry["version"].count(".") == 2


def test_it_stays_small() -> None:
    assert sum(path.stat().st_size for path in VENDOR.iterdir()) < 2_700_000
    assert sum(path.stat().st_size for path in (FOLDER / "assets").iterdir()) < 220_000


def test_own_modules_are_small_and_name_no_place_elsewhere() -> None:
    for path in (FOLDER / "assets").iterdir():
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= 400, path.name
        assert text.replace("http://www.w3.org/", "").count("http://") == 0, path.name
        assert "https://" not in text, path.name
        assert "innerHTML" not in text, path.name  # every text is set as text


def test_runways_are_as_long_as_runways() -> None:
    """An end with a wrong sign draws a line across continents: the longest runway of all has 5.5 km."""
    steps = np.array(json.loads((VENDOR / "airports.json").read_text("utf-8"))["runways"], float).reshape(-1, 4) * 1e-5
    lat, lon, other_lat, other_lon = np.radians(steps).T
    east = ((other_lon - lon + np.pi) % (2 * np.pi) - np.pi) * np.cos(lat)
    assert len(steps) > 10_000
    assert (6.371e6 * np.hypot(other_lat - lat, east)).max() < 7_000.0
