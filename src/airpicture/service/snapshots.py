"""The picture as receivers serve theirs, ``/data/aircraft.json`` and ``/data/receiver.json``: for tar1090."""

from __future__ import annotations

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from airpicture.formats.aircraftjson import aircraft_json, receiver_json
from airpicture.service.hub import Hub, Update

_NOWHERE = np.zeros(0)
NO_STORE = {"Cache-Control": "no-store"}


def receiver_routes(hub: Hub) -> list[BaseRoute]:
    """Return the endpoints; the document is made once for each update, when somebody asks."""
    made: dict[Update, bytes] = {}

    async def aircraft(request: Request) -> Response:
        update = hub.latest
        if update is None:
            return Response("There's no picture yet.", 503, media_type="text/plain", headers=NO_STORE)
        if update not in made:
            made.clear()
            messages = int(update.counts.get("plots_received", 0))
            made[update] = aircraft_json(update.tracks, update.now_ns, messages=messages)
        return Response(made[update], media_type="application/json", headers=NO_STORE)

    async def receiver(request: Request) -> Response:
        update = hub.latest
        sensors = update.tracks.sensors if update is not None else None
        lat, lon = (sensors.lat, sensors.lon) if sensors is not None else (_NOWHERE, _NOWHERE)
        known = np.flatnonzero(np.isfinite(lat))
        where = {"lat": float(lat[known[0]]), "lon": float(lon[known[0]])} if len(known) else {}
        return Response(receiver_json(**where), media_type="application/json", headers=NO_STORE)

    return [Route("/data/aircraft.json", aircraft), Route("/data/receiver.json", receiver)]
