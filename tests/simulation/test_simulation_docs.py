"""docs/scenarios.md says what the code does: every key, every class."""

from pathlib import Path
from typing import Any

import pytest
from simulation_scenes import group, radar, scene

from airpicture.simulation import available, load_scenario
from airpicture.simulation.checks import Table
from airpicture.simulation.classes import CLASSES, TargetClass
from airpicture.simulation.scenario import MANOEUVRES
from airpicture.units import DEG, G0

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "scenarios.md").read_text("utf-8")


def class_row(kind: str, row: TargetClass) -> str:
    along = f"+{row.acceleration:g}, -{row.deceleration:g}"
    bounds = f"{row.speed[0]:,.0f} to {row.speed[1]:,.0f} | {row.height[0]:,.0f} to {row.height[1]:,.0f} | {along}"
    return (
        f"| `{kind}` | {bounds} | {row.lateral / G0:.2g} | {row.turn_rate / DEG:.2g} | {row.climb:.0f} | {row.reason} |"
    )


@pytest.mark.parametrize("kind", CLASSES)
def test_each_class_is_described_as_it_is(kind: str) -> None:
    assert class_row(kind, CLASSES[kind]) in TEXT


def test_every_key_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    plain = Table.take

    def take(table: Table, key: str, *rest: Any, **more: Any) -> Any:
        asked.add(key)
        return plain(table, key, *rest, **more)

    monkeypatch.setattr(Table, "take", take)
    patch = {"range_m": [0, 1e4], "per_scan": 3.0}
    others = [{"id": k, "kind": k, "lat_deg": 47.0, "lon_deg": 8.0} for k in ("adsb", "mlat", "passive")]
    square = {"polygon": [[1, 1], [1, 2], [2, 2]]}
    sensors = [radar(simulation={"clutter": [patch]}), *others]
    load_scenario(scene(group(split_s=1.0, formation=2, life_s=9.0), group(area=square), sensors=sensors))
    assert len(asked) > 60
    words = asked - {"scenario", "sensor", "group", "simulation"}
    assert sorted(key for key in words if f"`{key}`" not in TEXT and f"{key} =" not in TEXT) == []


@pytest.mark.parametrize("name", [*available(), *MANOEUVRES])
def test_every_scenario_and_manoeuvre_is_described(name: str) -> None:
    assert f"`{name}`" in TEXT
