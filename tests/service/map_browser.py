"""A browser on the live map, driven as a person would."""

from __future__ import annotations

import json
from typing import Any

from live_map import LiveMap

from airpicture.service.hub import Update
from map_scenes import Scene
from page_browser import Browser

READY = "window.airpicture && airpicture.loaded && airpicture.camera.ready"


class Page:
    """A browser on a live map, with a scene to publish from."""

    def __init__(self, browser: Browser, live: LiveMap, scene: Scene) -> None:
        self.browser, self.live, self.scene, self.t_s = browser, live, scene, 0.0

    def publish(self, **extra: Any) -> Update:
        self.t_s += 1.0
        update = self.scene.update(self.t_s, **extra)
        self.live.publish(update)
        self.browser.wait(f"airpicture.clock.at === {update.now_ns / 1e6}")
        self.browser.frames()
        return update

    def js(self, expression: str) -> Any:
        return self.browser.value(expression)

    def key(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            text = {"text": key} if len(key) == 1 and kind == "keyDown" else {}
            self.browser.call("Input.dispatchKeyEvent", type=kind, key=key, **text)
        self.browser.frames()

    def press(self, selector: str) -> None:
        """Click the middle of an element with the mouse."""
        x, y = self.js(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)});"
            "b.scrollIntoView({block: 'nearest'}); const r = b.getBoundingClientRect();"
            "return [r.left + r.width / 2, r.top + r.height / 2]; })()"
        )
        self.browser.click(x, y)
        self.browser.frames()

    def where(self, track: int) -> tuple[float, float]:
        x, y = self.js(f"(() => {{ const s = airpicture.picture.slots.get({track}); const p = airpicture.labels.points;"
                       "return [p[2 * s], p[2 * s + 1]]; })()")  # fmt: skip
        return x, y

    def choose(self, option: str, value: str) -> None:
        self.js(f"(() => {{ const s = document.getElementById('option-{option}'); s.value = {json.dumps(value)};"
                "s.dispatchEvent(new Event('change')); })()")  # fmt: skip
        self.browser.frames()

    def look_at(self, track: int, zoom: float) -> None:
        self.js(f"(() => {{ const R = Math.PI / 180, a = airpicture;"
                f"const [lat, lon] = a.placeOf(a.picture.slots.get({track}));"
                f"airpicture.map.jumpTo({{center: [lon / R, lat / R], zoom: {zoom}}}); }})()")  # fmt: skip
        self.browser.frames()
