"""What the live map costs: frames on the server, and the page's main thread in a real browser.

    python benchmarks/map.py                      300, 10,000 and 100,000 tracks; needs chromium
    python benchmarks/map.py --memory             600 updates with tracks that come and go, and the heap
    python benchmarks/map.py --frames             what a painted frame costs in scripts, layout and garbage, and whose
    python benchmarks/map.py --check              300 and 10,000 tracks; fails where a limit is passed

Server: CPU ms to make a change of a tenth of the tracks (one second of a radar that turns in ten), and a whole picture,
and their bytes. Browser, in ms of the page's main thread per update of the same kind: taking the frame, filling rows,
giving drawing orders, data blocks, of all frames until the next update; tasks over 50 ms; while the view glides
frames a second, and ms of all scripts (MapLibre's too) in each.

Where there's no graphics processor Chromium draws in software, on the same cores as the page, and that alone makes it
slow. So it's measured twice: as it is ("software"), and with the drawing orders left out, which is what the page's own
work is whatever draws ("orders only"). What a graphics processor makes of the orders is measured by neither.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from shared import of_tests

from airpicture.map import MapSettings, Place
from airpicture.service.frames import CUT_FROM, Frames
from airpicture.units import SECOND_NS

map_scenes, page_browser = of_tests("map_scenes"), of_tests("page_browser")
LAT, LON, T0_NS, Scene = map_scenes.LAT, map_scenes.LON, map_scenes.T0_NS, map_scenes.Scene
CHROMIUM, FLAGS, Browser = page_browser.CHROMIUM, page_browser.FLAGS, page_browser.Browser
LiveMap, READY = of_tests("live_map").LiveMap, of_tests("map_browser").READY

ROUNDS = 8
LIMITS_MS = {300: 30.0, 10_000: 30.0}  # of the main thread per update: several times what a busy machine takes
LONG_MS = 50  # a task that people feel
FRAME_MS = {300: 4.0, 10_000: 12.0}  # of processor time for a painted frame's scripts: sixty a second leave 16.7
OUTLINE_S = 2.0  # the world's outline comes a little later than the tracks
WARM = 3  # changes before anything is measured
CHANGE_S = 1.0  # between changes, as the service hands them over
GROWTH_MAX = 1.15  # of the heap over nine of ten minutes
# A process of its own draws, as where there's a graphics processor: in the page's own it would count as the page's.
DRAWING = FLAGS.replace("--disable-gpu", "--use-gl=angle --use-angle=swiftshader --ignore-gpu-blocklist")
ORDERS_ONLY = (
    "for (const name of ['drawArrays', 'drawElements', 'drawArraysInstanced'])"
    "WebGL2RenderingContext.prototype[name] = function () {};"
)
WATCH = (
    "window.long = []; new PerformanceObserver((list) => { for (const one of list.getEntries())"
    "long.push(one.duration); }).observe({type: 'longtask', buffered: true});"
    "window.firstPicture = 0; const looking = setInterval(() => { if (window.airpicture && airpicture.shown >= 0"
    "&& airpicture.camera.ready) { firstPicture = performance.now(); clearInterval(looking); } }, 10);"
)
GLIDE = (
    "new Promise((done) => { let n = 0, began = performance.now(); airpicture.map.panBy([240, 160], {duration: 2000});"
    "const count = () => { n++; if (performance.now() - began < 2000) requestAnimationFrame(count);"
    "else done(n); }; requestAnimationFrame(count); })"
)
COUNT_PAINTS = (
    "window.paints = 0; { const fill = airpicture.layer.fill.bind(airpicture.layer);"
    "airpicture.layer.fill = () => { paints++; fill(); }; } 0"
)
WATCHED = "new Promise((done) => setTimeout(done, 5000))"
# To and fro, 240 frames in four seconds; each is painted at once, for the browser's own pace is that of its drawing.
MOVE = (
    "new Promise((done) => { const map = airpicture.map, frames = 240, began = performance.now(); let k = 0;"
    "const step = () => { if (k % 120 === 0) map.panBy(k ? [-240, -160] : [240, 160], {duration: 2000});"
    "map.redraw(); k++; const left = began + (k * 1000) / 60 - performance.now();"
    "if (k < frames) setTimeout(step, Math.max(0, left)); else done(k); }; step(); })"
)
SPENT = (
    "({take: airpicture.work.spent, fill: airpicture.layer.spent.fill, "
    "orders: airpicture.layer.spent.draw, blocks: airpicture.labels.spent})"
)


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


@contextmanager
def opened(scene: Scene, orders_only: bool) -> Iterator[tuple[LiveMap, Browser]]:
    """Open the map in a browser, with a first picture."""
    live = LiveMap(settings=MapSettings(places=(Place("here", LAT, LON, 5.6),)))
    live.publish(scene.update(0.0, alerts=False))
    with tempfile.TemporaryDirectory() as folder, Browser(Path(folder), 1280, 800, 180.0, DRAWING) as page:
        for source in [WATCH, *([ORDERS_ONLY] if orders_only else [])]:
            page.call("Page.addScriptToEvaluateOnNewDocument", source=source)
        page.go(live.address, READY)
        page.wait(f"airpicture.picture.n >= {min(scene.n, CUT_FROM)} && airpicture.shown >= 0 && firstPicture > 0")
        yield live, page
    live.stop()


def follow(live: LiveMap, page: Browser, scene: Scene, t: int) -> None:
    """Publish a second's change and wait until the page has taken and drawn it."""
    update = scene.update(float(t), changed=np.arange(t % 10, scene.n, 10), alerts=False)
    live.publish(update)
    page.wait(f"airpicture.clock.at >= {update.now_ns / 1e6} && airpicture.work.length === 0")
    page.frames()


def browser(scene: Scene, orders_only: bool) -> dict[str, Any]:
    """Return what the page's main thread was busy with: ms by part per update, the best of several."""
    spent: list[dict[str, float]] = []
    with opened(scene, orders_only) as (live, page):
        first_s = page.value("firstPicture / 1000")
        time.sleep(OUTLINE_S)
        follow(live, page, scene, 1)
        page.value("long.length = 0")
        for t in range(2, ROUNDS + 2):
            before = page.value(SPENT)
            follow(live, page, scene, t)
            after = page.value(SPENT)
            spent.append({name: after[name] - before[name] for name in after})
        long = page.value("long")
        scripts_s = _scripts_s(page)
        frames = page.value(GLIDE)
        scripts_s = _scripts_s(page) - scripts_s
        return {
            **min(spent, key=lambda one: sum(one.values())),
            "first_s": first_s,
            "long": len(long),
            "longest": max(long, default=0.0),
            "frames": frames / 2,
            "glide_ms": 1e3 * scripts_s / frames,
        }


def _scripts_s(page: Browser) -> float:
    """Return for how long the page's scripts have run, MapLibre's among them."""
    return _metrics(page)["ScriptDuration"]


def painted(scene: Scene) -> tuple[dict[str, float], dict[str, float]]:
    """Return what a painted frame costs the page's main thread, in ms of its processor time, standing and moving.

    A tenth of the tracks changes each second. While the view moves, a frame is asked for and painted sixty times a
    second, whether or not what composes the page keeps up: without a graphics processor that can't.
    """
    with opened(scene, True) as (live, page):
        for t in range(1, WARM + 1):
            follow(live, page, scene, t)
        page.value(COUNT_PAINTS)
        made = []
        for moving in (False, True):
            with changing(live, scene):
                page.value(MOVE if moving else WATCHED)  # what's compiled when it's often run, is
                before, paints = _metrics(page), page.value("paints")
                page.value(MOVE if moving else WATCHED)
                after, paints = _metrics(page), max(1, page.value("paints") - paints)
            kinds = {"scripts": "ScriptDuration", "layout": "LayoutDuration", "style": "RecalcStyleDuration"}
            kinds |= {"all": "TaskDuration"}
            made.append({name: 1e3 * (after[key] - before[key]) / paints for name, key in kinds.items()})
        return made[0], made[1]


@contextmanager
def changing(live: LiveMap, scene: Scene) -> Iterator[None]:
    """Publish a change each second meanwhile."""
    done = threading.Event()

    def publish() -> None:
        while not done.wait(CHANGE_S):
            t = 1 + (live.hub.latest.now_ns - T0_NS) // SECOND_NS
            live.publish(scene.update(float(t), changed=np.arange(t % 10, scene.n, 10), alerts=False))

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def garbage(scene: Scene, seconds: int = 8) -> dict[str, float]:
    """Return kB of garbage that a painted frame leaves, by who made it, while nobody moves the map."""
    with opened(scene, True) as (live, page):
        for t in range(1, WARM + 1):
            follow(live, page, scene, t)
        page.call("HeapProfiler.enable")
        page.value(COUNT_PAINTS)
        page.call(
            "HeapProfiler.startSampling",
            samplingInterval=4096,
            includeObjectsCollectedByMajorGC=True,
            includeObjectsCollectedByMinorGC=True,
        )
        begun = time.monotonic()
        for k in range(seconds):
            follow(live, page, scene, WARM + 1 + k)
            time.sleep(max(0.0, begun + (k + 1) * CHANGE_S - time.monotonic()))
        profile = page.call("HeapProfiler.stopSampling")["profile"]
        paints = max(1, page.value("paints"))
        made: dict[str, float] = {}
        nodes = [profile["head"]]
        while nodes:
            node = nodes.pop()
            nodes += node["children"]
            where = node["callFrame"]
            name = f"{where['functionName'] or '(anonymous)'} of {where['url'].rsplit('/', 1)[-1] or 'the browser'}"
            made[name] = made.get(name, 0.0) + node["selfSize"] / 1e3 / paints
        return made


def _metrics(page: Browser) -> dict[str, float]:
    page.call("Performance.enable", timeDomain="threadTicks")  # the thread's own time, whatever else the machine does
    return {m["name"]: m["value"] for m in page.call("Performance.getMetrics")["metrics"]}


def memory(n: int = 10_000, updates: int = 600) -> tuple[float, float, float]:
    """Return MB of the page's heap, after collecting garbage, after a tenth of the updates, half and all of them.

    A seventh of the tracks is away at any time, another one every update, so that tracks end and begin throughout.
    """
    scene = Scene(n)
    heap: list[float] = []
    with opened(scene, True) as (live, page):
        for t in range(1, updates + 1):
            alive = (np.arange(n) + t) % 7 != 0
            update = scene.update(float(t), alive=alive, alerts=t % 30 < 15)
            live.publish(update)
            page.wait(f"airpicture.clock.at >= {update.now_ns / 1e6} && airpicture.work.length === 0")
            if t in (updates // 10, updates // 2, updates):
                page.frames()
                page.call("HeapProfiler.collectGarbage")
                usage = page.call("Runtime.getHeapUsage")
                heap.append((usage["usedSize"] + usage.get("backingStorageSize", 0)) / 1e6)
    return heap[0], heap[1], heap[2]


def main() -> int:
    """Print a table; with --check say whether the limits hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, nargs="*", default=[300, 10_000, 100_000])
    parser.add_argument("--memory", action="store_true", help="600 updates, and the heap")
    parser.add_argument("--frames", action="store_true", help="what a painted frame costs, and its garbage")
    parser.add_argument("--check", action="store_true", help="300 and 10,000 targets; fail where a limit is passed")
    options = parser.parse_args()
    if options.memory:
        early, middle, late = memory()
        print(f"heap after 60, 300 and 600 updates: {early:.1f}, {middle:.1f}, {late:.1f} MB")
        return int(late > GROWTH_MAX * early)
    if options.frames:
        late = 0
        for n in options.targets:
            still, moving = painted(Scene(n))
            made = garbage(Scene(n))
            most = sorted(made, key=lambda name: -made[name])[:6]
            print(f"{n:,} tracks, a painted frame of the page's main thread, ms of processor time")
            for how, costs in (("standing", still), ("moving, 60 a second", moving)):
                print(f"  {how}: " + ", ".join(f"{name} {ms:.2f}" for name, ms in costs.items()))
            print(
                f"  garbage {sum(made.values()):.0f} kB, of it "
                + ", ".join(f"{made[name]:.0f} {name}" for name in most)
            )
            late += moving["scripts"] > FRAME_MS.get(n, np.inf)
        return int(options.check and late > 0)
    bad = 0
    for n in list(LIMITS_MS) if options.check else options.targets:
        scene = Scene(n)
        change_ms, change, whole_ms, whole = server(scene)
        print(f"{n:,} tracks")
        print(
            f"  server: change {change_ms:.1f} ms, {change / 1e3:.0f} kB; whole {whole_ms:.1f} ms, {whole / 1e3:.0f} kB"
        )
        for orders_only in (True,) if options.check else (True, False):
            if CHROMIUM is None:
                continue
            told = browser(scene, orders_only)
            parts = {name: told[name] for name in ("take", "fill", "orders", "blocks")}
            print(
                f"  {'orders only' if orders_only else 'software'}: first picture {told['first_s']:.1f} s; an update "
                + " + ".join(f"{name} {ms:.1f}" for name, ms in parts.items())
                + f" = {sum(parts.values()):.1f} ms; {told['long']} tasks over {LONG_MS} ms (longest "
                f"{told['longest']:.0f}); gliding: {told['frames']:.0f} frames/s, "
                f"scripts {told['glide_ms']:.1f} ms a frame",
                flush=True,
            )
            bad += options.check and (sum(parts.values()) > LIMITS_MS[n] or told["long"] > ROUNDS // 2)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
