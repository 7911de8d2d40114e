"""Put every ASTERIX recording through the whole chain and write the account to docs/recordings.md.

    AIRPICTURE_RECORDINGS=folder python scripts/recordings_table.py

Each recording is decoded, tracked (with the sensor files of examples/sensors where a site is needed and public),
written as CAT062 and decoded again, here and by libasterix.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import asterix.generated as generated
import numpy as np
from asterix.base import Bits

import airpicture as ap
from airpicture.errors import ConfigError
from airpicture.formats import open_recording
from airpicture.formats.asterix import read_asterix
from airpicture.formats.asterix.encode import Cat062Writer
from airpicture.formats.recording import Recording
from airpicture.tables import Plots, Status, Tracks
from airpicture.tracker import track_with_counts

ROOT = Path(__file__).resolve().parents[1]
SENSORS = ROOT / "examples" / "sensors"


class Case(NamedTuple):
    """One recording: its file, what's needed to read it, and what it is."""

    name: str
    what: str
    sensors: str = ""
    editions: tuple[tuple[str, str], ...] = ()


CASES = [
    Case("barcelona-2023-radar/cat048_part1.ast", "Mode S radar, 30 min", "barcelona-2023"),
    Case("barcelona-2016-airport-multisensor/adsb_cat021_ed0.23_part1.ast", "ADS-B, 15 min", "", (("021", "0.23"),)),
    Case("barcelona-2016-airport-multisensor/mlat_cat019_020_part1.ast", "airport MLAT, 15 min", "barcelona-2016"),
    Case("barcelona-2016-airport-multisensor/smr_cat010_part1.ast", "surface radar, 15 min", "barcelona-2016"),
    Case("barcelona-2020-airport/mlat_cat010.ast", "airport MLAT, 2 h", "barcelona-2016"),
    Case("barcelona-2020-airport/smr_cat010.ast", "surface radar, 2 h", "barcelona-2016"),
    Case("barcelona-adsb-ed2.1/adsb_cat021_023.ast", "ADS-B, 4 min", "", (("021", "2.1"),)),
    Case("argentina-2026-radar-and-tracker/radar_cat034_048_part1.pcap", "Mode A/C radar, 34 min", "argentina-2026"),
    Case("argentina-2026-radar-and-tracker/system_tracks_cat062_part1.pcap", "an operational tracker's output"),
    Case("argentina-2026-sanluis-radar/radar_cat034_048.pcap", "Mode A/C radar, 23 min", "sanluis"),
    Case("spain-legacy-radar/canalA_cat001_002.gps", "legacy radar with 16-bit times, 48 min"),
    Case("spain-network-snapshot/068test_rrd3.gps", "thirteen radars and wide-area MLAT, 6.5 s"),
    Case("spain-midnight/midnight_cross.gps", "five reports round midnight", "barcelona-2016"),
    Case("spain-wam/sdpb-op_cat019_020.ast", "wide-area MLAT, 34 min"),
    Case("bosnia-mode-s-radar/Jahorina_cat034_048.ast", "Mode S radar, 80 s"),
    Case("system-tracks-a/cat062_30min.ff", "an operational tracker's output"),
    Case("croatia-samples/cat048.raw", "one record"),
    Case("croatia-samples/cat062cat065.raw", "three records"),
    Case("croatia-samples/cat21_re.ast", "two records"),
    Case("croatia-samples/cat_001_002.pcap", "eight records"),
    Case("croatia-samples/cat_034_048.pcap", "seven radars, 0.4 s"),
    Case("croatia-samples/cat_062_065.pcap", "three records"),
]


def main(folder: Path) -> None:
    """Write docs/recordings.md."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        rows = list(pool.map(partial(row, folder), CASES))
    (ROOT / "docs" / "recordings.md").write_text(HEAD + "\n".join(rows) + "\n", "utf-8")


def row(folder: Path, case: Case) -> str:
    """Return one recording's row of the table."""
    recording = load(folder, case)
    report = recording.report
    records = ", ".join(f"{name}: {count:,}" for name, count in sorted(report.records.items()))
    refused = ", ".join(f"{count:,} {reason}" for reason, count in sorted(report.refused.items())) or "none"
    plots = recording.plots
    cells = [f"`{case.name}`: {case.what}", records, refused, f"{len(plots):,}"]
    given = recording.tracks
    if given is not None and len(given):
        cells += [f"{len(np.unique(given.track)):,} in the recording", "", sigma(given), "", written(given)]
    elif not len(plots):
        cells += ["", "", "", "", ""]
    else:
        try:
            tracks, counts = track_with_counts(plots, recording.sensors)
        except ConfigError:
            cells += ["site not public", "", "", "", ""]
        else:
            confirmed = tracks.track[tracks.status == Status.CONFIRMED]
            lost = {name.removeprefix("refused_"): n for name, n in counts.items() if n and name.startswith("refused_")}
            why = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in sorted(lost.items())) or "none"
            share = in_tracks(plots, tracks)
            cells += [f"{len(np.unique(confirmed)):,}", why, sigma(tracks), share, written(tracks)]
    print(case.name, cells[1:], flush=True)
    return "| " + " | ".join(cells) + " |"


def load(folder: Path, case: Case) -> Recording:
    """Read one recording."""
    sensors = ap.load_sensors(SENSORS / f"{case.sensors}.toml") if case.sensors else None
    return open_recording(folder / case.name, sensors=sensors, editions=dict(case.editions))


def sigma(tracks: Tracks) -> str:
    """Return the median over confirmed rows of sigma per horizontal axis."""
    shown = tracks.status == Status.CONFIRMED
    axis = np.sqrt((tracks.sigma_east[shown] ** 2 + tracks.sigma_north[shown] ** 2) / 2)
    axis = axis[np.isfinite(axis)]
    return f"{np.median(axis):.0f} m" if len(axis) else "not given"


def in_tracks(plots: Plots, tracks: Tracks) -> str:
    """Return the share of plots that some confirmed track took: its rows' number over the plots'."""
    taken = int(((tracks.status == Status.CONFIRMED) & (tracks.t_ns == tracks.t_ns_plot)).sum())
    return f"{100 * taken / len(plots):.0f} %"


def written(tracks: Tracks) -> str:
    """Write CAT062, decode it here and by libasterix; return the counts, or fail where they differ."""
    if not len(tracks):
        return "0"
    writer = Cat062Writer(tracks.sensors)
    data = b"".join(writer.recording(tracks))
    back = read_asterix(data, path="written.ast")
    ours = back.report.records.get("062", 0)
    theirs = count_libasterix(data)
    if not writer.report.records == ours == theirs or back.report.refused:
        raise SystemExit(f"written {writer.report.records}, decoded {ours}, libasterix {theirs}: {back.report.refused}")
    return f"{ours:,}"


def count_libasterix(data: bytes) -> int:
    """Return the records of CAT062 that libasterix finds."""
    total = start = 0
    while start < len(data):  # block by block: libasterix walks by recursion, which a whole file exhausts
        size = int.from_bytes(data[start + 1 : start + 3], "big")
        if data[start] == 62:
            records = generated.Cat_062_1_20.cv_uap.parse(Bits.from_bytes(data[start + 3 : start + size]))
            if isinstance(records, ValueError):
                raise SystemExit(f"libasterix refuses a block: {records}")
            total += len(records)
        start += size
    return total


HEAD = """# Real recordings, all the way through

Written by `scripts/recordings_table.py`, not by hand. Each public ASTERIX recording is decoded, tracked with the
default settings, written as CAT062 and decoded again. Refusals are counted by reason; "site not public" means that the
plots are range and azimuth from a place that nobody has told. The recordings themselves aren't part of this repository:
most come without a licence. How near tracks are to independent witnesses: [comparisons.md](comparisons.md).

Surface radars measure no height, and nothing tells the tracker that all their targets are on the ground: their sigma is
that of targets at any height up to 0.7 of the range. "Unknown sensor" counts plots of radars whose site isn't public,
in a mix with others.

- *sigma*: median over confirmed rows of the tracker's own standard deviation per horizontal axis.
- *in tracks*: rows of confirmed tracks that a plot made, as a share of all plots.
- *CAT062*: records written; the reader here and libasterix both found that many, and refused no block.

| Recording | Records | Refused reading | Plots | Tracks confirmed | Refused tracking | Sigma | In tracks | CAT062 |
|---|---|---|---|---|---|---|---|---|
"""

if __name__ == "__main__":
    where = os.environ.get("AIRPICTURE_RECORDINGS")
    if not where:
        sys.exit("Set AIRPICTURE_RECORDINGS to the folder that holds asterix/")
    main(Path(where) / "asterix")
