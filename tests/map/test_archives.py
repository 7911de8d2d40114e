"""Files of map tiles: PMTiles as the format's own library writes them, MBTiles as SQLite does."""

from __future__ import annotations

import gzip
import sqlite3
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tile_kit import png, vectors

from airpicture.errors import ConfigError, InputError
from airpicture.map import MapSettings, open_archive
from airpicture.map.pmtiles import tile_number, varints

DATA = Path(__file__).parent / "data"  # README.md there says how they were made


def test_a_raster_archive_that_the_formats_library_wrote() -> None:
    archive = open_archive(DATA / "raster.pmtiles")
    about = archive.about
    assert (about.format, about.zoom_min, about.zoom_max, about.note) == ("png", 0, 3, "made for a test")
    assert about.bounds == pytest.approx((-180, -85, 180, 85))
    for z in range(4):
        for x in range(1 << z):
            for y in range(1 << z):
                # the blue of the last level's tiles is the same everywhere but in one: a run, and what comes after it
                expected = png(10 * z, 20, 200 if z == 3 and (x, y) != (5, 6) else 30 * x + y)
                assert archive.tile(z, x, y) == expected, (z, x, y)
    assert archive.tile(4, 0, 0) is None
    assert archive.tile(2, 4, 0) is None
    assert archive.tile(-1, 0, 0) is None


def test_leaf_directories_and_packed_vectors() -> None:
    """More entries than fit into the first 16 kB, with holes between."""
    archive = open_archive(DATA / "leaves.pmtiles")
    assert archive.about.format == "pbf"
    assert archive.about.layers == ("roads",)
    assert len(archive._root.tile) > 1  # type: ignore[attr-defined]
    assert not archive._root.run.any()  # type: ignore[attr-defined]  # leaves alone
    for number in (0, 3, 7, 5000, 12000):
        assert archive.tile(7, *where(7, number)) == vectors("roads") + b"\x0a" * (
            (number**2 * 2654435761 % 2**32 >> 16) % 193
        )
    assert archive.tile(7, *where(7, 4)) is None  # every seventh is left out


def where(z: int, number: int) -> tuple[int, int]:
    """Return the tile of a level that is the n-th along its curve, by going through all of them."""
    first = tile_number(z, 0, 0)
    return next((x, y) for x in range(1 << z) for y in range(1 << z) if tile_number(z, x, y) == first + number)


def test_tile_numbers_of_the_specification() -> None:
    """The examples of chapter "Tile ID", and that a level's are next to one another."""
    assert [
        tile_number(*place) for place in ((0, 0, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0), (2, 0, 0))
    ] == list(range(6))
    assert tile_number(12, 3423, 1763) == 19078479
    places = {tile_number(5, x, y): (x, y) for x in range(32) for y in range(32)}
    assert sorted(places) == list(range(341, 341 + 1024))
    for number in range(341, 341 + 1023):
        (x, y), (p, q) = places[number], places[number + 1]
        assert abs(x - p) + abs(y - q) == 1


@given(st.lists(st.integers(0, 2**56), max_size=30))
def test_varints_come_back(numbers: list[int]) -> None:
    def written(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + written(value >> 7)

    assert varints(b"".join(map(written, numbers))).tolist() == numbers
    assert varints(b"".join(map(written, numbers)) + b"\x80\x80").tolist() == numbers


def test_mbtiles_count_rows_from_the_south(tmp_path: Path) -> None:
    path = tmp_path / "land map.mbtiles"
    made = sqlite3.connect(path)
    made.execute("create table metadata (name text, value text)")
    made.execute("create table tiles (zoom_level int, tile_column int, tile_row int, tile_data blob)")
    made.executemany(
        "insert into metadata values (?, ?)",
        [
            ("format", "pbf"),
            ("bounds", "1,40,3,42"),
            ("attribution", "ours"),
            ("json", '{"vector_layers": [{"id": "a"}]}'),
        ],
    )
    north, south = vectors("a"), vectors("b")
    made.execute("insert into tiles values (1, 0, 1, ?)", [gzip.compress(north)])
    made.execute("insert into tiles values (1, 0, 0, ?)", [south])
    made.commit()
    made.close()
    archive = open_archive(path)
    about = archive.about
    assert (about.format, about.zoom_min, about.zoom_max, about.note) == ("pbf", 1, 1, "ours")
    assert about.bounds == (1, 40, 3, 42)
    assert about.layers == ("a",)
    assert archive.tile(1, 0, 0) == north
    assert archive.tile(1, 0, 1) == south
    assert archive.tile(1, 1, 1) is None
    assert about.to_json()["kind"] == "vector"


def test_what_is_no_archive_says_what_was_found(tmp_path: Path) -> None:
    def refused(name: str, content: bytes, match: str) -> None:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError, match=match):
            open_archive(path)

    good = (DATA / "raster.pmtiles").read_bytes()
    refused("a.pmtiles", b"", "begins with b''")
    refused("b.pmtiles", good[:7] + b"\2" + good[8:], "version 2")
    refused("c.pmtiles", good[:97] + b"\4" + good[98:], "packed with zstd")
    refused("d.pmtiles", good[:99] + b"\0" + good[100:], "tiles of kind 0")
    refused("e.pmtiles", good[:130], "cut short")
    refused("f.pmtiles", good[:16] + struct.pack("<Q", 1 << 40) + good[24:], "a directory of")
    refused("g.mbtiles", b"not a database at all", "can't be read")
    with pytest.raises(InputError, match="can't be opened"):
        open_archive(tmp_path / "nowhere.pmtiles")
    with pytest.raises(ConfigError, match="isn't there"):
        MapSettings(tiles=str(tmp_path / "nowhere.pmtiles"))


def test_damage_anywhere_is_an_error_and_no_crash(tmp_path: Path) -> None:
    """Bytes of the file turned one after another: a tile, none, or an error that says so."""
    good = (DATA / "leaves.pmtiles").read_bytes()
    rng = np.random.default_rng(1)
    path = tmp_path / "damaged.pmtiles"
    wanted = where(7, 5000)
    found = {"tile": 0, "none": 0, "error": 0}
    for at in [*range(8, 127), *rng.integers(127, len(good), 60).tolist()]:
        bad = bytearray(good)
        bad[at] ^= int(rng.integers(1, 256))
        path.write_bytes(bad)
        try:
            tile = open_archive(path).tile(7, *wanted)
            found["tile" if tile else "none"] += 1
        except InputError:
            found["error"] += 1
    assert found["error"] > 20
    assert found["tile"] > 20
