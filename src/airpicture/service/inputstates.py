"""How each input does, in a word for people: whether it can be reached, and whether anything comes from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

QUIET_S: Final = 30.0  # without anything from an input that had brought something
FAILURES: Final = ("connect_failures", "errors")


class _Last(NamedTuple):
    """What was counted of an input when something last came from it."""

    received: int
    failures: int
    at_s: float


class InputStates:
    """Tells how inputs do from what was counted of them.

    names : of all inputs
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._last = {name: _Last(0, 0, 0.0) for name in names}

    def look(self, counts: Mapping[str, Mapping[str, int]], now_s: float) -> list[dict[str, str]]:
        """Return each input's name and state: ``reports``, ``quiet``, ``lost``, ``unreached`` or ``nothing``.

        Parameters
        ----------
        counts : by input, since the start; now_s : of a clock that never goes back
        """
        return [{"name": name, "state": self._state(name, counts.get(name, {}), now_s)} for name in self._last]

    def _state(self, name: str, counts: Mapping[str, int], now_s: float) -> str:
        received, failures = counts.get("received", 0), sum(counts.get(one, 0) for one in FAILURES)
        last = self._last[name]
        if received != last.received:  # fewer: the process that receives was started again
            self._last[name] = _Last(received, failures, now_s)
            return "reports" if received else "nothing"
        if failures > last.failures:
            return "lost" if received else "unreached"
        if not received:
            return "nothing"
        return "reports" if now_s - last.at_s < QUIET_S else "quiet"
