"""Recordings that a service plays are told to stand, go on, step, or go faster, all of them and for everybody.

    POST /replay/pause   /replay/play   /replay/step?seconds=4   /replay/speed?value=10

Each becomes a word to the process that plays, on a socket that keeps words apart.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from airpicture.service.settings import REPLAY_SPEEDS, STEPPED_S_MAX
from airpicture.units import SECOND_NS

STEP_S = 1.0  # where the settings name none


def step_routes(descriptor: int, step_s: float) -> list[BaseRoute]:
    """Return the endpoints.

    Parameters
    ----------
    descriptor : of the socket to the process that plays; step_s : seconds of a step, 0 the usual ones
    """

    def put(word: str, told: dict[str, object]) -> Response:
        try:
            os.write(descriptor, word.encode())
        except OSError:  # it's being started again, or has more words waiting than fit
            return JSONResponse({"error": "the replay doesn't take steps at the moment"}, 503)
        return JSONResponse(told, 202)

    async def step(request: Request) -> Response:
        seconds = _number(request, "seconds", str(step_s or STEP_S))
        if not 0.001 <= seconds <= STEPPED_S_MAX:
            return JSONResponse({"error": f"seconds is a number from 0.001 to {STEPPED_S_MAX:g}"}, 400)
        return put(f"step {round(seconds * SECOND_NS)}", {"stepped_s": seconds})

    async def speed(request: Request) -> Response:
        value, (low, high) = _number(request, "value", ""), REPLAY_SPEEDS
        if not low <= value <= high:
            return JSONResponse({"error": f"value is a number from {low:g} to {high:g}"}, 400)
        return put(f"speed {value!r}", {"speed": value})

    def standing(word: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return put(word, {"paused": word == "pause"})

        return answer

    answers = {"step": step, "speed": speed, "pause": standing("pause"), "play": standing("play")}
    return [Route(f"/replay/{name}", answer, methods=["POST"]) for name, answer in answers.items()]


def _number(request: Request, name: str, usual: str) -> float:
    """Return a number of the question, -1 where there's none."""
    try:
        return float(request.query_params.get(name, usual))
    except ValueError:
        return -1.0
