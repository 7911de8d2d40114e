"""``--edition``: by category and by source, what it does and how its mistakes are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from airpicture.commands.cli import app

FIRST_DAY = "1970-01-01"


def adsb_023(sac: int, sic: int, second: int) -> bytes:
    """Return a CAT021 block of edition 0.23, written by hand: items 010, 030, 130, 080, in the order of its profile."""
    time = (second * 128).to_bytes(3, "big")
    place = round(41.3 / 180 * 2**23).to_bytes(3, "big") + round(2.1 / 180 * 2**23).to_bytes(3, "big")
    # FRN 1 (010), 3 (030), 4 (130), 5 (080): 1011 1000
    record = bytes([0xB8, sac, sic]) + time + place + bytes.fromhex("3C6444")
    return bytes([21, 0, len(record) + 3]) + record


def adsb_21(sac: int, sic: int, second: int) -> bytes:
    """Return a CAT021 block of edition 2.1: items 010, 130, 080, 073."""
    time = (second * 128).to_bytes(3, "big")
    place = round(41.3 / 180 * 2**23).to_bytes(3, "big") + round(2.1 / 180 * 2**23).to_bytes(3, "big")
    # FRN 1 (010), 6 (130); second octet: FRN 11 (080), 12 (073)
    record = bytes([0b10000101, 0b00011000, sac, sic]) + place + bytes.fromhex("3C6444") + time
    return bytes([21, 0, len(record) + 3]) + record


@pytest.fixture
def stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two stations by turns, one in each edition."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "two.ast"
    path.write_bytes(b"".join(adsb_023(0, 107, 100 + k) + adsb_21(20, 219, 100 + k) for k in range(20)))
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_info_tells_the_edition_of_each_source(stream: Path) -> None:
    words = ("info", stream.name, "--date", FIRST_DAY, "--edition", "21@0/107=0.23", "--edition", "21=2.1")
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    (told,) = json.loads(result.stdout)
    assert told["editions"] == {"021": "2.1", "021@0/107": "0.23"}
    assert told["sources"] == [
        {"category": "021", "source": "0/107", "edition": "0.23", "records": 20},
        {"category": "021", "source": "20/219", "edition": "2.1", "records": 20},
    ]
    assert told["plots"] == 40
    assert told["refused"] == {}
    text = run(*words).output
    assert "CAT021 2.1, CAT021 0/107 0.23" in text
    lines = [line.split() for line in text.splitlines()]
    assert ["0/107", "CAT021", "0.23", "20"] in lines
    assert ["20/219", "CAT021", "2.1", "20"] in lines


def test_the_advice_can_be_taken_as_it_stands(stream: Path) -> None:
    words = ["info", stream.name, "--date", FIRST_DAY, "--json"]
    (told,) = json.loads(run(*words).stdout)
    advice = [note.split("use ")[1].split() for note in told["notes"] if "--edition 21@0/107=" in note]
    assert len(advice) == 1
    (told,) = json.loads(run(*words, *advice[0]).stdout)
    assert told["plots"] == 40
    assert not any("--edition" in note for note in told["notes"])


def test_convert_reads_by_source(stream: Path) -> None:
    result = run("convert", stream.name, "p.csv", "--edition", "21@0/107=0.23", "--edition", "21=2.1")
    assert result.exit_code == 0, result.output
    rows = (stream.parent / "p.csv").read_text().splitlines()
    assert len(rows) == 41
    assert sum("0/107" in row for row in rows) == 20


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("abc", ["'abc'", "21=0.23", "21@0/107=0.23"]),
        ("77=1.0", ["77", "048, 062"]),
        ("21=9.9", ["9.9", "0.23, 0.24"]),
        ("21@0/107=9.9", ["9.9", "0.23, 0.24"]),
        ("21@0/300=0.23", ["0/300", "0 to 255"]),
        ("21@0=0.23", ["21@0"]),
    ],
)
def test_mistakes_are_told_before_any_work(stream: Path, text: str, parts: list[str]) -> None:
    for command in (["track", stream.name], ["info", stream.name], ["convert", stream.name, "t.csv"]):
        result = run(*command, "--edition", text)
        assert result.exit_code == 2, result.output
        said = " ".join(result.output.replace("│", " ").split())
        assert all(part in said for part in parts), result.output
    assert not (stream.parent / "t.csv").exists()


def test_two_editions_for_one_source_are_refused(stream: Path) -> None:
    for key in ("21", "21@0/107"):
        result = run("info", stream.name, "--edition", f"{key}=0.23", "--edition", f"0{key}=2.1")
        assert result.exit_code == 1, result.output
        said = " ".join(result.output.split())
        assert "two editions given for 021" in said
        assert "0.23 and 2.1" in said
    assert run("info", stream.name, "--edition", "21=0.23", "--edition", "021=0.23").exit_code == 0
