"""A stepped replay goes on when it's asked to: ``POST /replay/step``, ``?seconds=`` where it's not the usual step."""

from __future__ import annotations

import os

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from airpicture.service.settings import STEPPED_S_MAX
from airpicture.units import SECOND_NS


def step_routes(descriptor: int, step_s: float) -> list[BaseRoute]:
    """Return the endpoint.

    Parameters
    ----------
    descriptor : of the socket to the process that plays; step_s : seconds of a step
    """

    async def step(request: Request) -> Response:
        text = request.query_params.get("seconds", str(step_s))
        try:
            seconds = float(text)
        except ValueError:
            seconds = -1.0
        if not 0.001 <= seconds <= STEPPED_S_MAX:
            wanted = f"seconds is a number from 0.001 to {STEPPED_S_MAX:g}"
            return JSONResponse({"error": wanted}, 400)
        try:
            os.write(descriptor, str(round(seconds * SECOND_NS)).encode())
        except OSError:  # it's being started again, or has more steps to go than fit
            return JSONResponse({"error": "the replay doesn't take steps at the moment"}, 503)
        return JSONResponse({"stepped_s": seconds}, 202)

    return [Route("/replay/step", step, methods=["POST"])]
