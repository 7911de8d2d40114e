"""What the live map costs: frames on the server, taking and drawing them in a browser.

    python benchmarks/map_load.py                     300, 10,000 and 100,000 tracks; needs chromium for the second half
    python benchmarks/map_load.py --targets 300 --check

Server: CPU ms to make a change of a tenth of the tracks (one second of a radar that turns in ten), and a whole picture,
and their bytes. Browser: ms of the page's main thread per update: taking the frame, filling the buffers, giving the
drawing orders, placing and drawing data blocks. What the graphics processor does with them is not in it: without one
Chromium draws in software, and only that makes the page slow.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "tests" / part) for part in ("", "service")]

# ruff: noqa: E402  the scenes are the tests' own
from live_map import LiveMap
from map_browser import READY

from airpicture.map import MapSettings, Place
from airpicture.service.frames import Frames
from map_scenes import LAT, LON, Scene
from page_browser import CHROMIUM, Browser

ROUNDS = 5
LIMITS_MS = {300: 12.0}  # of the main thread per update, on a slow and busy machine; a frame at 60 a second has 16.7


def server(scene: Scene) -> tuple[float, int, float, int]:
    """Return CPU ms and bytes of a change and of a whole picture, the best of several."""
    frames = Frames()
    frames.take(scene.update(0.0, alerts=False), 0)
    frames.whole()
    change_ms, whole_ms = [], []
    for t in range(1, ROUNDS + 1):
        update = scene.update(float(t), changed=np.arange(t % 10, scene.n, 10), alerts=False)
        begun = time.process_time()
        frames.take(update, 0)
        change = frames.change()
        change_ms.append(1e3 * (time.process_time() - begun))
        begun = time.process_time()
        whole = frames.whole()
        whole_ms.append(1e3 * (time.process_time() - begun))
    return min(change_ms), len(change), min(whole_ms), len(whole)


def browser(scene: Scene) -> dict[str, float]:
    """Return ms of the page's main thread per update, the best of several."""
    live = LiveMap(settings=MapSettings(places=(Place("here", LAT, LON, 5.6),)))
    live.publish(scene.update(0.0, alerts=False))
    spent: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder, Browser(Path(folder), 1280, 800, 180.0) as page:
        page.go(live.address, READY)
        page.wait(f"airpicture.picture.n >= {min(scene.n, 20_000)}")
        for t in range(1, ROUNDS + 1):
            changed = np.arange(t % 10, scene.n, 10)
            update = scene.update(float(t), changed=changed, alerts=False)
            live.publish(update)
            page.wait(f"airpicture.clock.at >= {update.now_ns / 1e6}")
            page.frames()
            spent.append(
                page.value(
                    "({take: airpicture.spentTaking, fill: airpicture.layer.spent.fill, "
                    "draw: airpicture.layer.spent.draw, labels: airpicture.labels.spent})"
                )
            )
    live.stop()
    return {name: min(one[name] for one in spent) for name in spent[0]}


def main() -> int:
    """Print a table; with --check say whether the limits hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, nargs="*", default=[300, 10_000, 100_000])
    parser.add_argument("--check", action="store_true", help="only 300 targets; fail where a limit is passed")
    options = parser.parse_args()
    targets = [300] if options.check else options.targets
    print(f"{'tracks':>8} {'change':>16} {'whole':>16}   browser, ms: take + fill + draw + labels")
    bad = 0
    for n in targets:
        scene = Scene(n)
        change_ms, change, whole_ms, whole = server(scene)
        line = f"{n:8,} {change_ms:6.2f} ms {change / 1e3:5.0f} kB {whole_ms:6.2f} ms {whole / 1e3:5.0f} kB"
        if CHROMIUM is not None:
            parts = browser(scene)
            total = sum(parts.values())
            line += "   " + " + ".join(f"{ms:.1f}" for ms in parts.values()) + f" = {total:.1f}"
            bad += total > LIMITS_MS.get(n, float("inf"))
        print(line, flush=True)
    return int(options.check and bad > 0)


if __name__ == "__main__":
    sys.exit(main())
