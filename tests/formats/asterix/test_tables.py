"""The generated tables: reproducible, complete, and the choice of editions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import asterix.base as base
import asterix.generated as generated
import numpy as np
import pytest

from airpicture.errors import ConfigError
from airpicture.formats.asterix.editions import choose_editions
from airpicture.formats.asterix.layout import layout
from airpicture.formats.asterix.specification import (
    CATEGORIES,
    FIELD_BITS_MAX,
    all_fields,
    load_category,
    newest,
)
from airpicture.kernels import asterix as kernel

ROOT = Path(__file__).resolve().parents[3]


def test_generator_gives_the_same_bytes() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "generate_asterix.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_edition_of_libasterix_is_there(category: int) -> None:
    theirs = [".".join(map(str, spec.cv_edition)) for spec in generated.manifest["CATS"][category]]
    assert list(load_category(category)) == theirs
    assert newest(category) == theirs[-1]


@pytest.mark.parametrize("category", CATEGORIES)
def test_item_order_is_that_of_libasterix(category: int) -> None:
    for edition, spec in zip(load_category(category).values(), generated.manifest["CATS"][category], strict=True):
        records = {"": spec.cv_uap.cv_record} if len(edition.uaps) == 1 else spec.cv_uap.cv_uaps
        assert {uap.name for uap in edition.uaps} == set(records)
        for uap in edition.uaps:
            theirs = [
                entry.cv_non_spare.cv_name if issubclass(entry, base.UapItem) else None
                for entry in records[uap.name].cv_items_list
            ]
            assert [e["name"] if isinstance(e, dict) else None for e in uap.items] == theirs
            assert uap.fspec_bytes == records[uap.name].cv_fspec_max_bytes


def test_known_layouts() -> None:
    """Figures that stand in the specifications: CAT048 ed. 1.32 (I048/040, 090), CAT062 ed. 1.18 (I062/105)."""
    fields = {f.path: f for f in all_fields(load_category(48)["1.32"])}
    assert fields["040/RHO"].bits == 16
    assert fields["040/RHO"].content["lsb"] == 1 / 256
    assert fields["040/THETA"].content["lsb"] == 360 / 2**16
    assert (fields["090/FL"].bit, fields["090/FL"].bits, fields["090/FL"].content["signed"]) == (2, 14, True)
    assert load_category(62)["1.18"].uaps[0].items[3]["name"] == "070"  # type: ignore[index]
    assert {f.path: f for f in all_fields(load_category(62)["1.18"])}["105/LAT"].content["lsb"] == 180 / 2**25


def test_fields_lie_inside_their_cells() -> None:
    """What the kernel relies on when it reads a field without looking at the end of the block again."""
    arrays = layout()
    for category in CATEGORIES:
        for edition in load_category(category).values():
            paths = list(dict.fromkeys(f.path for u in range(len(edition.uaps)) for f in all_fields(edition, u)))
            wanted = arrays.wanted(edition, paths)
            for cell, size in enumerate(arrays.cell_bytes):
                low, high, first, count = wanted.cells[cell].tolist()
                assert 0 <= first <= first + count <= max(size, 0) or low == high
                for start, n, shift, mask, sign, column in wanted.fields[low:high].tolist():
                    assert 0 <= start <= start + n <= size
                    assert 0 <= n <= 8
                    assert count <= 8
                    assert shift >= 0
                    assert 0 < mask < 1 << FIELD_BITS_MAX
                    assert sign in (0, (mask + 1) >> 1)
                    assert 0 <= column < len(paths)


def test_indices_of_the_tables_lie_inside_them() -> None:
    tables = layout().tables
    code = tables.code.reshape(-1, kernel.ENTRY)
    extended = code[code[:, 0] == kernel.EXTENDED]
    assert (extended[:, 1] >= 0).all()
    assert (extended[:, 1] + extended[:, 2] <= len(tables.parts)).all()
    compound = code[code[:, 0] == kernel.COMPOUND]
    assert (compound[:, 1] + 7 * compound[:, 2] <= len(code)).all()
    assert (tables.uaps[:, 1] + 7 * tables.uaps[:, 0] <= len(code)).all()
    assert (tables.uaps[:, 0] <= 8).all()  # the mask of items has 63 bits
    cells = np.concatenate([code[:, 3], tables.parts[:, 2]])
    assert cells.min() >= 0
    assert cells.max() < len(layout().cell_bytes)


def test_editions_are_chosen_by_category() -> None:
    assert choose_editions(None).of_category[48] == newest(48)
    for key in ("021", "21", "CAT021", "cat 21"):
        assert choose_editions({key: "0.23"}).of_category[21] == "0.23"


@pytest.mark.parametrize(
    ("editions", "parts"),
    [
        ({"021": "9.9"}, ["9.9", "0.23", "2.1"]),
        ({"077": "1.0"}, ["077", "048", "062"]),
        ({"radar": "1.0"}, ["radar", "021=0.23"]),
    ],
)
def test_unknown_editions_are_named_with_the_known_ones(editions: dict[str, str], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        choose_editions(editions)
    assert all(part in str(caught.value) for part in parts)
