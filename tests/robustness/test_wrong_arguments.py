"""Public functions with arguments of other kinds, and with tables of nothing: an error of ours, or a result."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import airpicture as ap
from airpicture.formats import write_tracks

T0 = 1_714_564_800_000_000_000
SENSORS = ap.Sensors.from_rows([{"id": "a", "kind": "adsb"}])
PLACE: dict[str, Any] = {"t_ns": [T0], "sensor": ["a"], "lat_deg": [47.0], "lon_deg": [8.0]}
PLOTS = ap.Plots.from_columns(sensors=SENSORS, **PLACE)

WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: ap.read(None), "an input of the type NoneType.*name of a file"),  # type: ignore[arg-type]
    (lambda: ap.read(5), "an input of the type int"),  # type: ignore[arg-type]
    (lambda: ap.read(["a.csv", None]), "an input of the type NoneType"),  # type: ignore[list-item]
    (lambda: ap.read_tracks(b"tracks.csv"), "an input of the type bytes"),  # type: ignore[arg-type]
    (lambda: ap.simulate(None), "scenario is of the type NoneType"),  # type: ignore[arg-type]
    (lambda: ap.simulate("crossing", seed="a", duration_s=20), "seed is 'a'"),  # type: ignore[arg-type]
    (lambda: ap.simulate("crossing", seed=1.5, duration_s=20), "seed is 1.5"),  # type: ignore[arg-type]
    (lambda: ap.simulate("crossing", duration_s="20"), "duration_s is '20'"),  # type: ignore[arg-type]
    (lambda: ap.smooth(PLOTS, SENSORS, period_s="4"), "period_s is '4'"),  # type: ignore[arg-type]
    (lambda: ap.smooth(PLOTS, SENSORS, period_s=1e-12), "period_s is 1e-12.*from 0.001"),
    (lambda: ap.smooth(PLOTS, SENSORS, period_s=1e30), r"period_s is 1e\+30"),
    (lambda: ap.evaluate(_tracks(), _tracks(), cutoff_m="a"), "cutoff is 'a'"),  # type: ignore[arg-type]
    (lambda: ap.evaluate(_tracks(), _tracks(), period_s="x"), "period_s is x"),  # type: ignore[arg-type]
    (lambda: ap.Sensors.from_rows(None), "sensors of the type NoneType"),  # type: ignore[arg-type]
    (lambda: ap.Sensors.from_rows({"id": "x", "kind": "adsb"}), "sensor number 1 is 'id'.*keys"),  # type: ignore[arg-type]
    (lambda: ap.Plots.from_columns(sensors=SENSORS, address=[1e30], **PLACE), "outside 0 to 16777215"),
    (lambda: ap.Plots.from_columns(sensors=SENSORS, address=["f" * 40], **PLACE), "outside 0 to 16777215"),
]


def _tracks() -> ap.Tracks:
    return ap.track(PLOTS, SENSORS)


@pytest.mark.parametrize(("act", "words"), WRONG)
def test_arguments_of_another_kind_are_named(act: Callable[[], Any], words: str) -> None:
    with pytest.raises(ap.AirpictureError, match=words):
        act()


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".ast", ".geojson", ".geojsonl", ".kml", ".czml", ".gpx"])
def test_a_picture_without_tracks_is_written(tmp_path: Path, ending: str) -> None:
    """One plot makes no track; whoever tracks a quiet hour gets a file all the same."""
    tracks = _tracks()
    assert len(tracks) == 0
    write_tracks(tracks, tmp_path / f"none{ending}")
    assert (tmp_path / f"none{ending}").is_file()


@pytest.mark.parametrize("lat", [np.nan, 47.0])
def test_tables_of_nothing_and_of_one_row(lat: float) -> None:
    one = ap.Plots.from_columns(sensors=SENSORS, **(PLACE | {"lat_deg": [lat]}))
    for plots in (ap.Plots.empty(SENSORS), one):
        assert len(ap.track(plots, SENSORS)) == 0
        assert len(ap.smooth(plots, SENSORS)) == 0
        assert len(ap.clean(plots, SENSORS).track) == len(plots)
        assert len(ap.Tracker(SENSORS).step(plots, T0 + 10**9)) == 0
