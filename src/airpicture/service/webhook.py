"""Alerts to those who want to be called: JSON, posted."""

from __future__ import annotations

import json
import math
import threading
import time
import urllib.request
from collections import Counter, deque
from typing import Any, Final

from airpicture.alerts import Alert
from airpicture.service.config import read_token
from airpicture.service.hub import Update
from airpicture.service.process import log, plain, shown
from airpicture.service.settings import OutputSettings

WEBHOOK_WAITING: Final = 1000  # alerts that wait for a receiver of web hooks; the oldest give way
WEBHOOK_TIMEOUT_S: Final = 5.0
WEBHOOK_TRIES: Final = 6  # within a minute; then the next alert is more worth than this one


class WebhookOutput:
    """Posts each alert as it's raised and as it ends: a JSON object, in a thread that waits as long as it takes."""

    def __init__(self, settings: OutputSettings) -> None:
        self.name, self.counts, self.port = settings.name, Counter[str](), 0
        self._settings = settings
        self._token = read_token(settings.token_file) if settings.token_file else ""
        self._standing: dict[str, Alert] = {}
        self._waiting: deque[bytes] = deque()
        self._more = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"webhook {self.name}", daemon=True)

    async def open(self) -> None:
        """Start the thread."""
        self._thread.start()

    def take(self, update: Update) -> None:
        """Put what was raised and what ended in line."""
        for alert in update.alerts:
            known = self._standing.get(alert.key)
            if alert.t_ns_ended >= 0:
                if self._standing.pop(alert.key, None) is not None:
                    self._put(alert)
            elif known is None or known.level != alert.level:
                self._standing[alert.key] = alert
                self._put(alert)

    def _put(self, alert: Alert) -> None:
        if len(self._waiting) >= WEBHOOK_WAITING:
            self._waiting.popleft()
            self.counts["dropped"] += 1
        self._waiting.append(json.dumps(alert_values(alert), ensure_ascii=False).encode())
        self._more.set()

    def _run(self) -> None:
        while not self._closing:
            self._more.wait()
            self._more.clear()
            while self._waiting and not self._closing:
                body = self._waiting.popleft()
                self.counts["sent" if self._post(body) else "dropped"] += 1

    def _post(self, body: bytes) -> bool:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        for attempt in range(WEBHOOK_TRIES):
            request = urllib.request.Request(str(self._settings.address), body, headers, method="POST")
            try:
                with urllib.request.urlopen(request, timeout=WEBHOOK_TIMEOUT_S):
                    return True
            except (OSError, ValueError) as error:
                self.counts["failures"] += 1
                if attempt == 0:
                    log("output", f"{self.name}: {shown(plain(error))}; trying again")
            if self._closing:
                return False
            time.sleep(min(0.5 * 2**attempt, 15.0))
        return False

    async def close(self) -> None:
        """End; what waits is lost with its receiver away."""
        self._closing = True
        self._more.set()


def alert_values(alert: Alert) -> dict[str, Any]:
    """Return an alert as JSON values: null for what isn't meant."""
    return {
        "key": alert.key,
        "kind": alert.kind.name.lower(),
        "level": alert.level.name.lower(),
        "t_ns": alert.t_ns,
        "text": alert.text,
        "tracks": list(alert.tracks),
        "sensor": alert.sensor or None,
        "area": alert.area or None,
        "t_ns_expected": alert.t_ns_expected if alert.t_ns_expected >= 0 else None,
        "value": alert.value if math.isfinite(alert.value) else None,
        "t_ns_ended": alert.t_ns_ended if alert.t_ns_ended >= 0 else None,
    }
