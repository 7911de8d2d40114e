"""Each example runs, and its own assertions hold."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

import airpicture as ap
from airpicture.tables import SensorKind

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
ALONE = [
    "one_radar",
    "crossing",
    "manoeuvre",
    "two_sensors",
    "live",
    "own_sensor",
    "autoferry",
    "home_receiver",
    "two_receivers",
    "circling",
]


@pytest.mark.parametrize("name", ALONE)
def test_example(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setattr("sys.argv", [name])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert capsys.readouterr().out.strip(), "an example shows something"


def test_all_sensors_of_the_ferry(recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    main = runpy.run_path(str(EXAMPLES / "autoferry_sensors.py"))["main"]
    radar, metres, every = (
        main(recordings / "adsb" / "autoferry", kinds=kinds) for kinds in ((2,), (1, 2), (1, 2, 3, 4))
    )
    # Measured 5.2, 3.7 and 4.3 m: the lidar's metre-sized errors help, the cameras' bearings are off by degrees.
    assert metres.median_horizontal_m < 0.9 * radar.median_horizontal_m
    assert every.median_horizontal_m < radar.median_horizontal_m
    assert min(metres.completeness, every.completeness) > 0.85


def test_every_example_is_run_and_short() -> None:
    found = {path.stem for path in EXAMPLES.glob("*.py")}
    assert found == {*ALONE, "autoferry_sensors"}
    for name in ("autoferry", "autoferry_sensors"):
        assert len((EXAMPLES / f"{name}.py").read_text("utf-8").splitlines()) <= 40
    assert all(f"`{name}.py`" in (EXAMPLES / "README.md").read_text("utf-8") for name in found)


@pytest.mark.parametrize("path", sorted((EXAMPLES / "sensors").glob("*.toml")), ids=lambda path: path.stem)
def test_sensor_files_load(path: Path) -> None:
    sensors = ap.load_sensors(path)
    assert len(sensors) > 0
    assert (sensors.sac >= 0).all()
    measuring = sensors.kind != SensorKind.ADSB  # what aircraft report of themselves needs no site
    assert measuring.any()
    assert (abs(sensors.lat[measuring]) > 0.1).all()
