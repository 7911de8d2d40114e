"""Text tables with bytes that aren't UTF-8: a flipped bit, an editor of long ago. They cost no more than their cell."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airpicture.errors import InputError
from airpicture.formats import load_sensors, open_recording
from airpicture.formats.files import is_western, text_of

T0 = 1_714_564_800
OWN = b"t_ns,sensor,lat_deg,lon_deg,callsign,remarks\n" + b"".join(
    b"%d000000000,north,51.%03d,4.25,DLH%03d,fine\n" % (T0 + k, k, k) for k in range(20)
)
STATES = b"time,icao24,lat,lon,callsign,remarks\n" + b"".join(
    b"%d,4ca2d6,51.%03d,4.25,DLH%03d,fine\n" % (T0 + k, k, k) for k in range(20)
)
BOTH = pytest.mark.parametrize("table", [OWN, STATES], ids=["own", "foreign"])


def one_row(table: bytes, sound: bytes, odd: bytes) -> bytes:
    """Spoil something in row 8."""
    lines = table.split(b"\n")
    assert lines[8].count(sound) == 1
    return b"\n".join([*lines[:8], lines[8].replace(sound, odd), *lines[9:]])


@BOTH
@pytest.mark.parametrize(("sound", "odd"), [(b"fine", b"f\xfcne"), (b"DLH", b"D\xccH"), (b"fine", b"fi\0e")])
def test_text_that_is_not_used_costs_no_row(tmp_path: Path, table: bytes, sound: bytes, odd: bytes) -> None:
    (tmp_path / "odd.csv").write_bytes(one_row(table, sound, odd))
    found = open_recording(tmp_path / "odd.csv")
    assert len(found.plots) == 20
    assert found.report.refused == {}


@BOTH
@pytest.mark.parametrize(("sound", "odd"), [(b",51.", b",5\xb1."), (b"17145", b"1\xb7145"), (b",4.2", b",4\xae2")])
def test_a_number_with_such_a_byte_costs_its_row(tmp_path: Path, table: bytes, sound: bytes, odd: bytes) -> None:
    (tmp_path / "odd.csv").write_bytes(one_row(table, sound, odd))
    report = open_recording(tmp_path / "odd.csv").report
    assert report.records["rows"] == 19
    assert sum(report.refused.values()) == 1
    assert report.refusals[0][0] == 8
    assert any(f"byte {odd.lstrip(b',')[1]:02x} in row 8 is not UTF-8" in note for note in report.notes)


def test_a_line_that_lost_its_end(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_bytes(one_row(OWN, b",fine", b",fine\x8a" + OWN.split(b"\n")[9]))
    found = open_recording(tmp_path / "odd.csv")
    assert len(found.plots) == 19
    assert found.report.refused == {"BAD_VALUE": 1}


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-8"])
def test_names_with_accents_stay_what_they_are(tmp_path: Path, encoding: str) -> None:
    """A sensor of that name is found in its description, which is UTF-8."""
    table = OWN.decode().replace("north", "Köln").replace("fine", "schön über Straße und Café").encode(encoding)
    (tmp_path / "odd.csv").write_bytes(table)
    (tmp_path / "sensors.toml").write_text('[[sensor]]\nid = "Köln"\nkind = "adsb"\n', "utf-8")
    found = open_recording(tmp_path / "odd.csv", sensors=load_sensors(tmp_path / "sensors.toml"))
    assert found.report.refused == {}
    assert (len(found.plots), found.sensors.ids) == (20, ("Köln",))


def test_a_bad_byte_among_good_ones() -> None:
    assert text_of("Köln".encode() + b" \xb5 " + "Straße".encode("cp1252")) == "Köln µ Straße"
    assert text_of(b"\x81") == "\ufffd"  # Windows-1252 has no such character


def test_columns_in_another_alphabet(tmp_path: Path) -> None:
    """Of remarks in Cyrillic (Windows-1251) one byte in twenty isn't UTF-8."""
    cyrillic = STATES.replace(b"fine", "Привет".encode("cp1251"))
    (tmp_path / "odd.csv").write_bytes(cyrillic)
    assert len(open_recording(tmp_path / "odd.csv").plots) == 20
    (tmp_path / "named.csv").write_bytes(STATES.replace(b"remarks", b"H\xf6he"))
    assert len(open_recording(tmp_path / "named.csv").plots) == 20
    assert not is_western(bytes(range(256)) * 9)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
def test_utf_16_is_called_so(tmp_path: Path, encoding: str) -> None:
    """What Excel saves as "Unicode text", with its mark or without."""
    for name, table in (("own", OWN), ("foreign", STATES)):
        (tmp_path / f"{name}.csv").write_bytes(table.decode().encode(encoding))
        with pytest.raises(InputError, match="text in UTF-16; save it as UTF-8"):
            open_recording(tmp_path / f"{name}.csv")


def test_a_time_as_text(tmp_path: Path) -> None:
    table = one_row(STATES, b"%d," % (T0 + 7), b"2024-05-01T12\xba00:07Z,")
    (tmp_path / "odd.csv").write_bytes(table)
    assert len(open_recording(tmp_path / "odd.csv").plots) == 19


@BOTH
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("sound", "odd", "rows"), [(b"fine", b'"ine', 20), (b"51.", b'"1.', 19), (b"DLH", b'"LH', 20)])
def test_a_quote_that_nobody_closes_costs_no_other_row(
    tmp_path: Path, table: bytes, packed: bool, sound: bytes, odd: bytes, rows: int
) -> None:
    """All rows behind it would be one cell of text, and nothing would tell that they're gone."""
    content = one_row(table, sound, odd)
    (tmp_path / "odd.csv").write_bytes(gzip.compress(content) if packed else content)
    found = open_recording(tmp_path / "odd.csv")
    assert len(found.plots) == rows
    assert sum(found.report.refused.values()) == 20 - rows
    assert any("a quote in row 8 isn't closed" in note for note in found.report.notes)


def test_two_such_quotes_do_not_make_a_pair(tmp_path: Path) -> None:
    lines = one_row(OWN, b"fine", b'"ine').split(b"\n")
    lines[9] = lines[9].replace(b"fine", b'f"ne')
    lines[14] = lines[14].replace(b"fine", b'"ine"')  # closed, and stays what it is
    (tmp_path / "odd.csv").write_bytes(b"\n".join(lines))
    assert len(open_recording(tmp_path / "odd.csv").plots) == 20


@BOTH
@pytest.mark.parametrize("remark", [b'"two\nlines"', b'"a, b"', b'"a ""word"""', b'5" wide', b'""'])
def test_sound_quotes_stay_what_they_are(tmp_path: Path, table: bytes, remark: bytes) -> None:
    (tmp_path / "odd.csv").write_bytes(one_row(table, b"fine", remark) + b"\n\n")
    found = open_recording(tmp_path / "odd.csv")
    assert len(found.plots) == 20
    assert found.report.refused == {}
    assert not any("quote" in note for note in found.report.notes) or remark == b'5" wide'


def parquet_of(path: Path, **columns: pa.Array) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def unchecked(*texts: bytes) -> pa.Array:
    """Return texts as writers make them that don't look at what they write."""
    return pa.array(texts, pa.binary()).view(pa.string())


def test_texts_of_parquet_that_are_not_utf_8(tmp_path: Path) -> None:
    places = {"lat_deg": pa.array([51.0, 51.1]), "lon_deg": pa.array([4.0, 4.1])}
    names = {"sensor": unchecked(b"K\xf6ln", "Köln".encode()), "callsign": unchecked(b"\xb5LH12", b"DLH13")}
    own = open_recording(parquet_of(tmp_path / "own.parquet", t_ns=pa.array([T0, T0 + 10**9]), **names, **places))
    assert (len(own.plots), own.sensors.ids) == (2, ("Köln",))
    rows = {"time": pa.array([T0, T0 + 1]), "icao24": unchecked(b"4ca2d6", b"\xff"), "lat": places["lat_deg"]}
    other = open_recording(parquet_of(tmp_path / "other.parquet", **rows, lon=places["lon_deg"]))
    assert len(other.plots) == 2
    frames = unchecked(b"8d4840d6202cc371c32ce0576098", b"8d4840d6202cc371c32ce057\xff098")
    table = parquet_of(tmp_path / "frames.parquet", timestamp=pa.array([float(T0), T0 + 1.0]), rawmsg=frames)
    assert open_recording(table).report.refused == {"row that holds no frame": 1}
