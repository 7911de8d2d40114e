"""docs/tables.md says what files hold: each column, its type and whether it's needed; each key and its default."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from airpicture.formats.schemas import SCHEMAS
from airpicture.formats.sensors import DEFAULTS, KEYS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "tables.md").read_text("utf-8")
TYPES = {"int64": "int64", "double": "float64", "int32": "int32", "string": "text", "bool": "bool"}


def rows(heading: str) -> list[tuple[list[str], str]]:
    """Return the names and the second cell of each row of the table under a heading."""
    part = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| `")]
    return [(re.findall(r"`([^`]+)`", row[0]), row[1]) for row in cells]


@pytest.mark.parametrize("kind", list(SCHEMAS))
def test_columns_stand_in_their_order_with_their_types(kind: str) -> None:
    told = [
        (name, parts[k if len(parts) > 1 else 0].strip(), "needed" in cell)
        for names, cell in rows(kind)
        for parts in [cell.replace(", needed", "").split(",")]
        for k, name in enumerate(names)
    ]
    known = [(c.name, TYPES.get(str(c.type), "list of text"), c.required) for c in SCHEMAS[kind]]
    assert told == known


def test_keys_and_defaults_of_sensors() -> None:
    told = {name: cell for names, cell in rows("sensors.toml") for name in names}
    assert list(told) == ["id", "kind", *KEYS]
    for kind, defaults in DEFAULTS.items():
        for names, cell in rows("sensors.toml")[2:]:
            for name in names:
                value = defaults[name]
                if not math.isfinite(value) or value < 0:
                    assert re.search("none|not|else|adsb", cell), (kind, name)
                else:
                    numbers = [float(number.replace(",", "")) for number in re.findall(r"\d[\d,.]*\b", cell)]
                    assert value in numbers, (kind, name, cell)
