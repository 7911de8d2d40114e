"""Build the recordings that ship with the package from clones of the repositories they come from.

    git clone https://github.com/eastham/adsb_actions
    git clone https://github.com/Autoferry/sensor_fusion_dataset
    python scripts/build_recordings.py adsb_actions sensor_fusion_dataset

Origin and licences: src/airpicture/data/README.md. The same input gives the same bytes.
"""

import gzip
import json
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "src" / "airpicture" / "data"
RADAR = 2  # sensorID of the radar in the Autoferry data (its README)


def pack(name: str, content: bytes) -> None:
    """Write a gzip file without a time stamp, so that it's the same at each build."""
    (DATA / name).write_bytes(gzip.compress(content, 9, mtime=0))


def main(adsb_actions: Path, autoferry: Path) -> None:
    """Write both recordings."""
    DATA.mkdir(exist_ok=True)
    pack("88nv_1hr.jsonl.gz", (adsb_actions / "tests" / "1hr.json").read_bytes())
    folder = autoferry / "scenario2"
    detections = json.loads((folder / "scenario2_detections.json").read_text("utf-8"))
    truths = json.loads((folder / "scenario2_groundTruth.json").read_text("utf-8"))
    # The two lists run side by side: one entry of truth for each detection.
    radar = [k for k, detection in enumerate(detections) if detection["sensorID"] == RADAR]
    chosen = {
        "detections": [
            {name: detections[k][name] for name in ("time", "ownshipPosition", "measurement")} for k in radar
        ],
        "groundTruth": [truths[k] for k in radar],
    }
    pack("autoferry_scenario2_radar.json.gz", json.dumps(chosen, separators=(",", ":")).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
