"""CAT004: what libasterix and Wireshark read from the messages, and how identifiers live."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import oracle
import pytest
from test_encode_wireshark import capture, tshark

from airpicture.alerts import Alert, AlertKind, Level
from airpicture.formats.asterix.decode import decode, plain_blocks
from airpicture.formats.asterix.encode_alerts import AlertWriter
from airpicture.tables import Tracks, pack_callsigns
from airpicture.units import DEG, FT, SECOND_NS
from output_scenes import NOW, SENSORS

TRACKS = Tracks.blank(
    2, SENSORS, t_ns=np.full(2, NOW), track=[17, 70_003], status=[1, 1], lat=np.array([50.0, 50.0]) * DEG,
    lon=np.array([8.0, 8.1]) * DEG, h_baro=np.array([30_000.0, 31_000.0]) * FT, mode_3a=[0o1234, -1],
    callsign=pack_callsigns(["RYR4A", None]),
)  # fmt: skip


def alert(kind: AlertKind = AlertKind.CONFLICT, **about: Any) -> Alert:
    """Return a predicted conflict of the two tracks, or another alert."""
    base: dict[str, Any] = {
        "key": "conflict:17:70003", "kind": kind, "level": Level.PREDICTED, "t_ns": NOW, "text": "-",
        "tracks": (17, 70_003), "t_ns_expected": NOW + 45 * SECOND_NS, "value": 2000.0,
    }  # fmt: skip
    return Alert(**(base | about))


def values(block: bytes, edition: str = "1.13") -> dict[str, int]:
    """Return what libasterix reads from a block of one record."""
    records = oracle.parse(block, 4, edition)
    assert records is not None
    assert len(records) == 1
    return records[0][0]


@pytest.mark.parametrize("edition", ["1.12", "1.13"])
def test_a_conflict_as_libasterix_reads_it(edition: str) -> None:
    (block,) = AlertWriter(sac=25, sic=200).encode([alert()], TRACKS, NOW)
    found = values(block, edition)
    assert found["000"] == 7
    assert (found["010/SAC"], found["010/SIC"]) == (25, 200)
    assert found["020"] == round((22 * 3600 + 13 * 60 + 20.25) * 128)
    assert (found["030"], found["035"]) == (17, 70_003 - 65_536)
    assert found["040"] == 1
    assert found["070/TC"] == 45 * 128
    assert found["070/MHS"] == 4000  # steps of half a metre
    assert found["070/CHS"] * 0.5 == pytest.approx(7170, abs=30)  # a tenth of a degree of longitude at 50 N
    assert found["070/CVS"] == 40  # steps of 25 ft
    assert found["120/CN/TYPE"] == 1
    assert found["170/M31/MODE3A"] == 0o1234
    assert found["170/AI1"].to_bytes(7, "big") == b"RYR4A  "
    assert found["170/MS1"] == int("010010 011001 010010 110100 000001 100000 100000 100000".replace(" ", ""), 2)
    assert "171/M32/MODE3A" not in found


def test_an_area_a_lost_track_and_the_alive_message() -> None:
    writer = AlertWriter(sac=1, sic=2)
    area = alert(AlertKind.AREA, key="area:CTR North:17", tracks=(17,), area="CTR North")
    lost = alert(AlertKind.LOST, key="lost:99", tracks=(99,), t_ns_expected=-1)
    first, second = (values(block) for block in writer.encode([area, lost], TRACKS, NOW))
    assert (first["000"], second["000"]) == (5, 97)
    assert first["100/CAN"].to_bytes(7, "big") == b"CTR Nor"
    assert "070/MHS" not in first
    assert (second["030"], second["040"]) == (99, 2)
    alive = values(writer.alive(NOW, overload=True))
    assert (alive["000"], alive["060/STCA"], alive["060/APW"], alive["060/OL"], alive["060/MSAW"]) == (1, 1, 1, 1, 0)


def test_kinds_without_a_message_are_counted() -> None:
    writer = AlertWriter(sac=1, sic=2)
    kinds = (AlertKind.EMERGENCY, AlertKind.DOUBTFUL, AlertKind.SILENT, AlertKind.OVERLOAD)
    assert writer.encode([alert(kind, key=kind.name) for kind in kinds], TRACKS, NOW) == []
    assert writer.counts == {f"no message for {kind.name.lower()}": 1 for kind in kinds}


def test_an_alert_keeps_its_identifier_to_its_end() -> None:
    writer = AlertWriter(sac=1, sic=2)
    other = alert(key="conflict:1:2", tracks=(1, 2))
    writer.encode([alert()], TRACKS, NOW)
    blocks = writer.encode([other, alert()], TRACKS, NOW)
    assert [values(block)["040"] for block in blocks] == [2, 1]
    (end,) = writer.encode([alert(t_ns_ended=NOW)], TRACKS, NOW)
    found = values(end)
    assert (found["000"], found["040"], found["030"]) == (17, 1, 17)
    assert "070/TC" not in found
    (again,) = writer.encode([alert()], TRACKS, NOW)
    assert values(again)["040"] == 3


def test_our_own_tables_read_it_too() -> None:
    blocks = AlertWriter(sac=25, sic=200).encode([alert(), alert(key="b")], TRACKS, NOW)
    raw = decode(plain_blocks(b"".join(blocks)))[4].raw
    assert raw["000"].tolist() == [7, 7]
    assert raw["040"].tolist() == [1, 2]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark isn't installed")
def test_wireshark_reads_it(tmp_path: Path) -> None:
    writer = AlertWriter(sac=25, sic=200)
    area = alert(AlertKind.AREA, key="area:x:17", tracks=(17,), area="CTR")
    blocks = [*writer.encode([alert(), area], TRACKS, NOW), writer.alive(NOW)]
    path = tmp_path / "alerts.pcap"
    capture(path, blocks)
    assert tshark(path, "-Y", "_ws.malformed || _ws.expert || !asterix") == []
    lines = tshark(path, "-T", "fields", "-E", "separator=|", "-e", "asterix.category", "-e", "asterix.004_000_VALUE")
    assert [line.split("|")[0] for line in lines] == ["4", "4", "4"]
