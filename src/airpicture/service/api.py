"""The picture for programs, over HTTP: snapshots, a stream of changes, health and metrics.

Each answer is made from the newest update, at most once for all who ask for it.

    /tracks.geojson  /tracks.arrow  /tracks.json    all live tracks; ?bbox=west,south,east,north in degrees
    /data/aircraft.json  /data/receiver.json        what readsb's readers look for (tar1090, adsbcot)
    /plots.geojson                                  plots of the last update
    /alerts.json  /sensors.json                     what stands, and how sensors do
    /events                                         server-sent events: changed and ended tracks, alerts
    /health                                         200 where the whole way of the data works, else 503; why, as JSON
    /metrics                                        Prometheus
"""

from __future__ import annotations

import asyncio
import json
import math
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

import numpy as np
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from airpicture.service.events import Events
from airpicture.service.hub import Hub, SensorHealth, Update
from airpicture.service.snapshots import receiver_routes
from airpicture.service.trackrows import plots_geojson, tracks_geojson, tracks_text
from airpicture.service.webhook import alert_values
from airpicture.tables import Status, Tracks
from airpicture.units import DEG

NO_STORE: Final = {"Cache-Control": "no-store"}
KEPT: Final = 16  # answers kept for those who ask for the same again
STREAMS_MAX: Final = 32
SILENT_S: Final = 3.0  # age of the picture from which on it isn't live any more
Report = Callable[[], dict[str, Any]]


class Answers:
    """Bytes of answers, made once for each update and question, on a thread: others are served meanwhile."""

    def __init__(self) -> None:
        self._update: Update | None = None
        self._made: OrderedDict[str, asyncio.Task[bytes]] = OrderedDict()
        self._making = asyncio.Lock()  # one at a time: each takes a core for as long as it takes

    async def get(self, update: Update, question: str, make: Callable[[Update], bytes]) -> bytes:
        """Return the answer, made now if nobody asked before."""
        if update is not self._update:
            self._update = update
            self._made.clear()
        if question not in self._made:
            self._made[question] = asyncio.create_task(self._make(update, make))
            if len(self._made) > KEPT:
                self._made.popitem(last=False)
        return await asyncio.shield(self._made[question])  # who goes away takes it from nobody else

    async def _make(self, update: Update, make: Callable[[Update], bytes]) -> bytes:
        async with self._making:
            return await asyncio.to_thread(make, update)


def routes(hub: Hub, health: Report, metrics: Callable[[], str]) -> list[BaseRoute]:
    """Return the endpoints.

    Parameters
    ----------
    health : {"ok": bool, ...}, see `core`
    metrics : the text of Prometheus
    """
    answers = Answers()
    stream_of_changes = Events(hub)
    streams = 0

    def snapshot(kind: str, make: Callable[[Update, Tracks], bytes]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            update = hub.latest
            if update is None:
                return _text("There's no picture yet.", 503)
            try:
                box = _box(request.query_params.get("bbox", ""))
            except ValueError as error:
                return _text(str(error), 400)
            where = "" if box is None else repr(box)
            etag = f'"{update.now_ns:x}"'
            if request.headers.get("if-none-match") == etag:
                return Response(status_code=304, headers={"ETag": etag})
            data = await answers.get(update, f"{request.url.path} {where}", lambda u: make(u, _shown(u.tracks, box)))
            headers = {"Cache-Control": "no-cache", "ETag": etag}
            return Response(data, media_type=kind, headers=headers)

        return answer

    async def events(request: Request) -> Response:
        nonlocal streams
        if streams >= STREAMS_MAX:
            return _text("Too many streams at a time.", 503)

        async def stream() -> AsyncIterator[bytes]:
            nonlocal streams
            streams += 1
            try:
                async for piece in stream_of_changes.follow():
                    yield piece
            finally:
                streams -= 1

        return StreamingResponse(stream(), media_type="text/event-stream", headers=NO_STORE)

    async def show_health(request: Request) -> Response:
        found = health()
        return Response(json.dumps(found), 200 if found["ok"] else 503, media_type="application/json", headers=NO_STORE)

    async def show_metrics(request: Request) -> Response:
        return Response(metrics(), media_type="text/plain; version=0.0.4", headers=NO_STORE)

    return [
        Route("/tracks.geojson", snapshot("application/geo+json", lambda u, t: tracks_geojson(t))),
        Route("/tracks.json", snapshot("application/json", lambda u, t: tracks_text(t))),
        Route("/tracks.arrow", snapshot("application/vnd.apache.arrow.stream", lambda u, t: arrow_stream(t))),
        Route(
            "/plots.geojson",
            snapshot("application/geo+json", lambda u, t: plots_geojson(u.plots, u.plot_lat, u.plot_lon)),
        ),
        Route("/alerts.json", snapshot("application/json", lambda u, t: _json([alert_values(a) for a in u.alerts]))),
        Route("/sensors.json", snapshot("application/json", lambda u, t: _json(sensors_values(u)))),
        *receiver_routes(hub),
        Route("/events", events),
        Route("/health", show_health),
        Route("/metrics", show_metrics),
    ]


def _text(text: str, status: int) -> Response:
    return Response(text, status, media_type="text/plain", headers=NO_STORE)


def _json(values: Any) -> bytes:
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _box(text: str) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north [deg] of a question, None where it names none; a ValueError says what's wrong."""
    if not text:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise ValueError("bbox is west,south,east,north in degrees") from None
    good = all(map(math.isfinite, (west, south, east, north))) and -90 <= south <= north <= 90
    if not good or not (-180 <= west <= 180 and -180 <= east <= 180):
        raise ValueError("bbox is west,south,east,north in degrees, south below north")
    return west, south, east, north


def _shown(tracks: Tracks, box: tuple[float, float, float, float] | None) -> Tracks:
    """Return live tracks, inside a box where one is given; west may lie east of east, across 180 degrees."""
    kept = tracks.status != Status.ENDED
    if box is not None:
        west, south, east, north = box
        lat, lon = tracks.lat / DEG, tracks.lon / DEG
        across = (lon >= west) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
        kept &= (lat >= south) & (lat <= north) & across
    return tracks if kept.all() else tracks.take(np.flatnonzero(kept))


def arrow_stream(tracks: Tracks) -> bytes:
    """Return tracks as an Arrow IPC stream with the columns of a ``tracks`` file."""
    from airpicture.formats.arrow import pa

    table = tracks.to_arrow()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def sensors_values(update: Update) -> list[dict[str, Any]]:
    """Return the states of the sensors as JSON values."""
    ids = update.tracks.sensors.ids
    return [
        {
            "sensor": ids[state.sensor],
            "health": SensorHealth(state.health).name.lower(),
            "t_ns_plot": state.t_ns_plot if state.t_ns_plot >= 0 else None,
            "plots_per_s": round(state.plots_per_s, 3),
            "delay_s": round(state.delay_s, 3) if math.isfinite(state.delay_s) else None,
        }
        for state in update.sensors
    ]


def prometheus(metrics: Sequence[tuple[str, str, str, Sequence[tuple[dict[str, str], float]]]]) -> str:
    """Return metrics, each (name, kind, help, values by labels), in the text format of Prometheus 0.0.4."""
    lines = []
    for name, kind, about, values in metrics:
        lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
        for labels, value in values:
            inner = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            shown = repr(float(value)) if isinstance(value, float) and not value.is_integer() else str(int(value))
            lines.append(f"{name}{{{inner}}} {shown}" if inner else f"{name} {shown}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return "".join(c if c.isprintable() else "?" for c in plain[:200])
