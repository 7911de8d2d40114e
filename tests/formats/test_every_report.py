"""Every report in a receiver's file comes out of cleaning, flagged where it says nothing new, format by format."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from reported_streams import aircraft, nmea, sbs_message

import reference_modes as ref
from airpicture.commands.cli import app
from airpicture.formats import open_recording

T0 = 1_714_564_800  # s; 2024-05-01 12:00:00
SECONDS = 120
AGAIN = range(10, SECONDS, 10)  # reports that come once more
ADDRESS = 0x4CA2D6
LON = 11.0


def lat(k: int) -> float:
    """Return where the aircraft is after k seconds: 200 m/s to the north."""
    return 48.0 + k * 200.0 / 111_195.0


def twice() -> list[tuple[int, bool]]:
    """Return the seconds of all reports in order, and whether each is one that comes again."""
    return [(k, again) for k in range(SECONDS) for again in ((False, True) if k in AGAIN else (False,))]


def sbs(folder: Path) -> Path:
    path = folder / "a.sbs"
    at = [f"{k // 60:02d}:{k % 60:02d}.000" for k in range(SECONDS)]
    lines = [
        sbs_message(3, "00.000", lat=f"{lat(k):.5f}", lon=LON, altitude=30000).replace("12:00:00.000", f"12:{at[k]}")
        for k, _ in twice()
    ]
    path.write_text("\r\n".join(lines) + "\r\n")
    return path


def snapshots(folder: Path) -> Path:
    for number, (k, again) in enumerate(twice()):
        one = aircraft(hex=f"{ADDRESS:06x}", lat=lat(k), lon=LON, track=0.0, gs=388.8, seen_pos=0.7 if again else 0.2)
        document = {"now": T0 + k + (0.7 if again else 0.2), "messages": 1, "aircraft": [one]}
        (folder / f"aircraft_{number:04d}.json").write_text(json.dumps(document))
    return folder


def trace(folder: Path) -> Path:
    path = folder / "trace_full_4ca2d6.json"
    rows = [
        [float(k), lat(k), LON, 30000, 388.8, 0.0, 0, 0, None, "adsb_icao", None, None, None, None] for k, _ in twice()
    ]
    path.write_text(json.dumps({"icao": "4ca2d6", "timestamp": T0, "trace": rows}))
    return path


def jet1090(folder: Path) -> Path:
    path = folder / "a.jsonl"
    lines = [
        {"timestamp": T0 + float(k), "frame": "8d", "df": "17", "icao24": "4ca2d6", "bds": "05", "altitude": 30000,
         "latitude": lat(k), "longitude": LON}
        for k, _ in twice()
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    return path


def opensky(folder: Path) -> Path:
    """Rows of state vectors once a second, whose position sometimes is that of the row before."""
    path = folder / "states.csv"
    lines = ["time,icao24,lat,lon,velocity,heading,vertrate,onground,baroaltitude,lastposupdate,lastcontact"]
    lines += [
        f"{T0 + k + again},4ca2d6,{lat(k)},{LON},200,0,0,false,9144,{T0 + k}.0,{T0 + k}.5" for k, again in twice()
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def frame(folder: Path) -> Path:
    """A data frame of traffic, without the time of the position: what stays the same though it flies is stale."""
    path = folder / "flight.json"
    rows = [
        {"timestamp": (T0 + k) * 1000, "icao24": "4ca2d6", "latitude": lat(k - (k in AGAIN)), "longitude": LON,
         "groundspeed": 388.8, "track": 0, "altitude": 30000, "callsign": "RYR12", "vertical_rate": 0}
        for k in range(SECONDS)
    ]  # fmt: skip
    path.write_text(json.dumps(rows))
    return path


def ogn(folder: Path) -> Path:
    path = folder / "ogn.txt"
    lines = ["# aprsc 2.0.14-g28c5a6a 1 May 2024 12:00:00 GMT GLIDERN1 37.187.40.234:14580"]
    for k, _ in twice():
        minutes = 60.0 * (lat(k) - 48.0)
        lines.append(
            f"ICA4CA2D6>OGFLR,qAS,LSZF:/1200{k:02d}h" if k < 60 else f"ICA4CA2D6>OGFLR,qAS,LSZF:/1201{k - 60:02d}h"
        )
        lines[-1] += f"48{minutes:05.2f}N/01100.00E'000/388/A=030000 !W00! id254CA2D6 +000fpm +0.0rot 8.8dB gps4x5"
    path.write_text("\n".join(lines) + "\n")
    return path


def flarm(folder: Path) -> Path:
    """The owner's own fixes."""
    path = folder / "log.nmea"
    lines = []
    for k, _ in twice():
        minutes, at = 60.0 * (lat(k) - 48.0), f"12{k // 60:02d}{k % 60:02d}.00"
        lines.append(nmea(f"GPRMC,{at},A,48{minutes:07.4f},N,01100.0000,E,388.8,0.0,010524,,,A"))
    path.write_text("\r\n".join(lines) + "\r\n")
    return path


def ais(folder: Path) -> Path:
    pyais = pytest.importorskip("pyais")
    path = folder / "ais.txt"
    lines = []
    for k, _ in twice():
        (line,) = pyais.encode_dict(
            {"type": 9, "mmsi": 111232506, "lat": lat(k), "lon": LON, "alt": 1000, "speed": 388, "course": 0.0,
             "second": k % 60},
            sentence_type="VDM",
        )  # fmt: skip
        lines.append(f"{line},{T0 + k}")
    path.write_text("\n".join(lines) + "\n")
    return path


def uat(folder: Path) -> Path:
    path = folder / "uat.txt"
    lines = []
    for k, _ in twice():
        bits = f"{0:05b}{0:03b}{ADDRESS:024b}"
        bits += (
            f"{round(lat(k) * 2**24 / 360):023b}{round(LON * 2**24 / 360):024b}{0:01b}{(30000 + 1000) // 25 + 1:012b}"
        )
        bits = (bits + f"{9:04b}").ljust(144, "0")
        lines.append(f"-{int(bits, 2):036x};rs=0;t={T0 + k}.000;")
    path.write_text("\n".join(lines) + "\n")
    return path


def beast(folder: Path) -> Path:
    """Two receivers, the second of which hears every tenth message."""
    path = folder / "a.beast"
    stream = b""
    for k, again in twice():
        message = ref.squitter(ref.air_position(lat(k), LON, k % 2), ADDRESS)
        stream += ref.beast_receiver(7 + again) + ref.beast(message, (5_000 if again else 0) + k * 12_000_000 + 12_000)
    path.write_bytes(stream)
    return path


def plots(folder: Path) -> Path:
    path = folder / "plots.csv"
    lines = ["t_ns,sensor,lat_deg,lon_deg,address,sigma_pos_m"]
    lines += [f"{(T0 + k) * 10**9},adsb,{lat(k)},{LON},{ADDRESS},10" for k, _ in twice()]
    path.write_text("\n".join(lines) + "\n")
    return path


FORMATS: list[Callable[[Path], Path]] = [
    sbs, snapshots, trace, jet1090, opensky, frame, ogn, flarm, ais, uat, beast, plots
]  # fmt: skip


@pytest.mark.parametrize("written", FORMATS, ids=lambda one: one.__name__)
def test_rows_in_are_rows_out(written: Callable[[Path], Path], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    source = written(tmp_path / "in")
    told = SECONDS if written is frame else len(twice())
    # a single half of a pair of positions has no place yet
    first = 1 if written is beast else 0
    recording = open_recording(source, repeats=True)
    assert len(recording.plots) == told - first
    assert not recording.report.refused
    target = tmp_path / "out.parquet"
    done = CliRunner().invoke(app, ["clean", str(source), "-o", str(target), "-q"])
    assert done.exit_code == 0, done.output
    table = pq.read_table(target)
    assert table.num_rows == told - first
    flagged = np.asarray(table["stale" if written is frame else "duplicate"])
    assert flagged.sum() == len(AGAIN)
    assert (np.asarray(table["of_track"].fill_null(-1)) >= 0).all()
    others = np.asarray(table["flags"])[~flagged]
    assert not others.any()


@pytest.mark.parametrize("written", FORMATS[:-1], ids=lambda one: one.__name__)
def test_read_for_tracking_they_are_left_out_and_counted(written: Callable[[Path], Path], tmp_path: Path) -> None:
    recording = open_recording(written(tmp_path))
    new = SECONDS - (len(AGAIN) if written is frame else 1 if written is beast else 0)
    assert len(recording.plots) == new
    left_out = recording.report.refused
    assert sum(left_out.values()) == len(AGAIN)
    assert {name.lower() for name in left_out} == {"duplicate"}
