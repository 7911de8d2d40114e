"""Rows per second and core, text and tables of receivers to plots, beside the bare parsing of the same bytes.

    python benchmarks/inputs.py [--check]

All inputs are made up, in the form that the programs write. "read" is a whole file to plots; "live" the same bytes fed
in pieces as a socket or a poll brings them. With ``--check`` it ends with 1 where a reader falls behind its share of
what bare ``json.loads`` does in the same run. Processor time of one thread, best of several runs.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from airpicture.formats import open_recording
from airpicture.formats.live import reported_decoder

RUNS = 3
T0 = 1_714_564_800
AIRCRAFT = 300
BARE = "  json.loads alone"
# Rows a second that a reader must hold, of those that json.loads alone makes of aircraft.json: a third of what was
# measured, so that only a change of kind is told, whatever machine it is and whoever uses it, too. (The world's record
# sky sends 46,000 positions a second, a third of what json.loads did there.)
SHARE = {
    "SBS-1 read": 0.7, "SBS-1 live": 0.2, "aircraft.json read": 0.13, "aircraft.json live": 0.2, "traces read": 0.4,
    "OpenSky parquet read": 1.8, "OpenSky CSV read": 1.2, "UAT read": 0.5, "AIS read": 0.1, "APRS read": 0.11,
    "jet1090 read": 0.16,
}  # fmt: skip


def best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def sbs(count: int) -> bytes:
    lines = []
    for k in range(count):
        seconds = k / 500
        stamp = f"2024/05/01,12:{int(seconds // 60) % 60:02d}:{seconds % 60:06.3f}"
        head = f"MSG,{3 if k % 2 else 4},1,1,{0x400000 + k % AIRCRAFT:06X},1,{stamp},{stamp},"
        place = f",36000,,,{51.5 + k * 1e-5:.5f},-0.1,,,0,0,0,0" if k % 2 else ",,450,90,,,640,,0,0,0,0"
        lines.append(head + place)
    return ("\r\n".join(lines) + "\r\n").encode()


def entry(number: int, step: int) -> dict[str, object]:
    return {
        "hex": f"{0x400000 + number:06x}", "type": "adsb_icao", "flight": f"AB{number:04d}  ", "alt_baro": 36000,
        "alt_geom": 36525, "gs": 450.1, "track": 91.25, "baro_rate": -64, "squawk": "1000", "category": "A3",
        "lat": round(51 + number / 100 + step / 1000, 6), "lon": -0.123456, "nic": 8, "rc": 186, "seen_pos": 0.3,
        "version": 2, "nac_p": 10, "nac_v": 2, "sil": 3, "mlat": [], "tisb": [], "messages": 100, "seen": 0.1,
        "rssi": -20,
    }  # fmt: skip


def snapshots(count: int) -> list[bytes]:
    return [
        json.dumps({"now": T0 + k, "messages": k, "aircraft": [entry(j, k) for j in range(AIRCRAFT)]}).encode()
        for k in range(count)
    ]


def traces(folder: Path, files: int, rows: int) -> None:
    for k in range(files):
        trace = [
            [10.0 * j, 51 + j / 1000, -0.1, 36000, 450.1, 91.2, 0, -64, {"flight": "X"} if j % 4 == 0 else None,
             "adsb_icao", 36525, -64, None, None] for j in range(rows)
        ]  # fmt: skip
        document = {"icao": f"{0x400000 + k:06x}", "timestamp": T0, "trace": trace}
        (folder / f"trace_full_{0x400000 + k:06x}.json").write_text(json.dumps(document))


def states(count: int) -> pa.Table:
    k = np.arange(count)
    seen = T0 + k // AIRCRAFT
    return pa.table(
        {
            "time": seen, "icao24": [f"{0x400000 + j:06x}" for j in (k % AIRCRAFT).tolist()], "lat": 51 + k * 1e-6,
            "lon": -0.1 - k * 1e-6, "velocity": np.full(count, 230.0), "heading": np.full(count, 91.0),
            "vertrate": np.zeros(count), "callsign": ["AB1234  "] * count, "onground": np.zeros(count, bool),
            "squawk": ["1000"] * count, "baroaltitude": np.full(count, 11_000.0),
            "geoaltitude": np.full(count, 11_100.0),
            "lastposupdate": seen - 0.25,
        }
    )  # fmt: skip


def show(name: str, rows: int, seconds: float, size: int, rates: dict[str, float]) -> None:
    rates[name] = rows / seconds
    print(f"{name:22} {rows:9,} rows {rows / seconds:12,.0f} rows/s {size / seconds / 1e6:8.1f} MB/s")


def measure(folder: Path) -> dict[str, float]:
    rates: dict[str, float] = {}

    def read(name: str, data: bytes, rows: int, ending: str) -> None:
        path = folder / f"input{ending}"
        path.write_bytes(data)
        show(f"{name} read", rows, best(lambda: open_recording(path)), len(data), rates)

    def live(name: str, form: str, pieces: list[bytes], rows: int) -> None:
        def work() -> None:
            decoder = reported_decoder(form)
            for k, piece in enumerate(pieces):
                decoder.feed(piece, (T0 + k) * 10**9)

        show(f"{name} live", rows, best(work), sum(map(len, pieces)), rates)

    lines = sbs(100_000)
    read("SBS-1", lines, 100_000, ".sbs")
    step = len(lines) // 200  # 500 lines at once: a second of a busy receiver
    live("SBS-1", "sbs", [lines[k : k + step] for k in range(0, len(lines), step)], 100_000)
    documents = snapshots(100)
    read("aircraft.json", b"\n".join(documents), 100 * AIRCRAFT, ".jsonl")
    live("aircraft.json", "aircraft-json", documents, 100 * AIRCRAFT)
    bare = best(lambda: [json.loads(one) for one in documents])
    show(BARE, 100 * AIRCRAFT, bare, sum(map(len, documents)), rates)
    day = folder / "traces"
    day.mkdir()
    traces(day, 100, 500)
    size = sum(path.stat().st_size for path in day.iterdir())
    show("traces read", 50_000, best(lambda: open_recording(sorted(day.iterdir()))), size, rates)
    table = states(1_000_000)
    pq.write_table(table, folder / "states.parquet")
    import pyarrow.csv as pacsv

    pacsv.write_csv(table, folder / "states.csv")
    for ending in ("parquet", "csv"):
        path = folder / f"states.{ending}"
        name = "OpenSky parquet read" if ending == "parquet" else "OpenSky CSV read"
        show(name, len(table), best(lambda path=path: open_recording(path)), path.stat().st_size, rates)  # type: ignore[misc]
    uat = b"-08ad7233356e0752cb780d29119817801f07ae2094e6c40ba2a4c280000da0000000;rssi=-8.2;t=%d.500;\n"
    read("UAT", b"".join(uat % (T0 + k) for k in range(50_000)), 50_000, ".uat")
    ais = b"\\c:%d*00\\!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5C\n"
    read("AIS", b"".join(ais % (T0 + 60 * k) for k in range(20_000)), 20_000, ".ais")
    aprs = (
        b"FLRDDA5BA>OGFLR,qAS,LSZF:/%06dh4415.41N/00600.03E'342/049/A=005524 !W05! id0ADDA5BA -454fpm -1.1rot gps4x5\n"
    )
    comment = b"# aprsc 2.1 1 May 2024 00:00:00 GMT X 127.0.0.1:14580\n"
    of_day = [f"{k // 3600 % 24:02d}{k // 60 % 60:02d}{k % 60:02d}" for k in range(50_000)]
    read("APRS", comment + b"".join(aprs % int(text) for text in of_day), 50_000, ".aprs")
    jet = [
        json.dumps({"timestamp": T0 + k / 10, "frame": "8d40621d58c386435cc412692ad6", "df": "17", "icao24": "40621d",
                    "bds": "05", "NUCp": 7, "altitude": 38000, "latitude": 52.2 + k / 1e5, "longitude": 3.9})
        for k in range(50_000)
    ]  # fmt: skip
    read("jet1090", "\n".join(jet).encode(), 50_000, ".jet.jsonl")
    return rates


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        rates = measure(Path(folder))
    least = {name: share * rates[BARE] for name, share in SHARE.items()}
    slow = [name for name in least if rates[name] < least[name]]
    for name in slow:
        print(f"slow: {name} {rates[name]:,.0f} rows/s, {least[name]:,.0f} expected beside json.loads")
    return 1 if slow and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
