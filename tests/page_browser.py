"""A headless Chromium driven over its debugging pipe: open a file, run expressions, keep what it complains about."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --enable-unsafe-swiftshader --disable-quic --no-first-run "
    "--disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars --remote-debugging-pipe"
)


class Browser:
    """One page. Messages are JSON ended by a zero byte, on the browser's descriptors 3 (in) and 4 (out)."""

    def __init__(
        self, profile: Path, width: int = 1400, height: int = 900, limit_s: float = 60.0, flags: str = FLAGS
    ) -> None:
        assert CHROMIUM is not None
        there, self._write = os.pipe()
        self._read, back = os.pipe()
        os.set_inheritable(there, True)
        os.set_inheritable(back, True)
        # The shell puts the two pipes where the browser looks for them.
        command = f'exec "$0" "$@" 3<&{there} 4>&{back}'
        arguments = [*flags.split(), f"--user-data-dir={profile}", f"--window-size={width},{height}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", command, CHROMIUM, *arguments],
            pass_fds=(there, back),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(there)
        os.close(back)
        self._buffer, self._number, self._limit_s = b"", 0, limit_s
        self.complaints: list[str] = []
        self.requests: list[str] = []
        targets = self._send("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        self._session = self._send("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._send("Browser.close")
        except (OSError, TimeoutError, EOFError):
            self._process.kill()
        self._process.wait(10)
        os.close(self._write)
        os.close(self._read)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command to the page and return its result."""
        return self._send(method, self._session, **parameters)

    def _send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + self._limit_s
        while True:
            answer = self._receive(end)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def _receive(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self._read], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser doesn't answer")
            part = os.read(self._read, 1 << 20)
            if not part:
                raise EOFError("the browser has gone")
            self._buffer += part
        raw, self._buffer = self._buffer.split(b"\0", 1)
        answer: dict[str, Any] = json.loads(raw)
        return answer

    def _note(self, event: dict[str, Any]) -> None:
        about = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                detail = about["exceptionDetails"]
                self.complaints.append(detail.get("exception", {}).get("description", detail["text"]))
            case "Runtime.consoleAPICalled" if about["type"] in ("error", "warning"):
                text = " ".join(str(value.get("value", value.get("description"))) for value in about["args"])
                if "willReadFrequently" not in text:  # likewise
                    self.complaints.append(text)
            case "Log.entryAdded" if about["entry"]["level"] in ("error", "warning"):
                # Only tests read the canvas back, and only they draw without a graphics processor.
                if not any(
                    text in about["entry"]["text"] for text in ("willReadFrequently", "GPU stall due to ReadPixels")
                ):
                    self.complaints.append(about["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(about["request"]["url"][:200])

    def open(self, path: Path) -> None:
        """Open a file and wait until the page says that it's ready."""
        self.go(path.resolve().as_uri())

    def go(self, address: str, ready: str = "window.airpicture && window.airpicture.ready") -> None:
        """Open an address and wait until the page says that it's ready."""
        self.call("Page.navigate", url=address)
        self.wait(ready)

    def wait(self, expression: str) -> None:
        """Wait until an expression holds."""
        end = time.monotonic() + self._limit_s
        while not self.value(f"Boolean({expression})"):
            if time.monotonic() > end:
                raise TimeoutError(f"{expression} never held; complaints: {self.complaints}")
            time.sleep(0.05)

    def value(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", str(answer)))
        return answer["result"].get("value")

    def frames(self) -> None:
        """Let the page draw."""
        for _ in range(3):
            self.value("new Promise((done) => requestAnimationFrame(done))")

    def click(self, x: float, y: float) -> None:
        """Press and release the left button."""
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, path: Path) -> None:
        """Write what the page looks like as a PNG."""
        self.frames()
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
