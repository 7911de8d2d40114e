"""How each input does, in a word for people: whether it can be reached, and whether anything comes from it.

Bytes that nobody understands are no sign of life: a receiver's other port, or another format than was said, brings them
without end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

QUIET_S: Final = 30.0  # without anything from an input that had brought something
# With bytes and no report after this: a position takes two messages, at most 10 s apart, and a turn of a radar 12.
UNREAD_S: Final = 20.0
FAILURES: Final = ("connect_failures", "errors")


class _Last(NamedTuple):
    """What was counted of an input when something last came from it."""

    received: int
    failures: int
    at_s: float
    since_s: float = 0.0  # from when on records came


class InputStates:
    """Tells how inputs do from what was counted of them.

    names : of all inputs
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._last = {name: _Last(0, 0, 0.0) for name in names}

    def look(
        self, counts: Mapping[str, Mapping[str, int]], told: Collection[str], now_s: float
    ) -> list[dict[str, str]]:
        """Return each input's name and state.

        It's ``reports``, ``unread`` (bytes come, and no report), ``quiet``, ``lost``, ``unreached`` or ``nothing``.

        Parameters
        ----------
        counts : by input, since the start
        told : the inputs of which any report ever came
        now_s : of a clock that never goes back
        """
        states = []
        for name in self._last:
            given = counts.get(name, {})
            state = self._state(name, given, now_s)
            # copies of a twin's aren't journalled, and not expected to tell anything
            if state == "reports" and name not in told and given.get("journalled", 0):
                state = "unread" if now_s - self._last[name].since_s > UNREAD_S else state
            states.append({"name": name, "state": state})
        return states

    def _state(self, name: str, counts: Mapping[str, int], now_s: float) -> str:
        received, failures = counts.get("received", 0), sum(counts.get(one, 0) for one in FAILURES)
        last = self._last[name]
        if received != last.received:  # fewer: the process that receives was started again
            since_s = last.since_s if last.received and received > last.received else now_s
            self._last[name] = _Last(received, failures, now_s, since_s)
            return "reports" if received else "nothing"
        if failures > last.failures:
            return "lost" if received else "unreached"
        if not received:
            return "nothing"
        return "reports" if now_s - last.at_s < QUIET_S else "quiet"
