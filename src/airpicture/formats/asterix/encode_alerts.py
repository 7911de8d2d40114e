"""CAT004, safety net messages: alerts for controllers' working positions and recorders.

=================  =============================================================================================
alert              message (I004/000)
=================  =============================================================================================
conflict           7, short-term conflict alert; major infringement where the sub-minima are undercut
area               5, area proximity warning
lost               97, lost track warning
end of any         17, end of conflict, with the same alert identifier (I004/040)
=================  =============================================================================================

The category has no message for an emergency code, a doubtful report or a silent sensor: those are counted and left out.
An overload goes into the alive message (`alive`), which also says which safety nets run.

A handful a second: plain Python packs them, from the same layout as all else.
Source: EUROCONTROL-SPEC-0149-4, CAT004, editions 1.12 and 1.13, which lay these items out alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from airpicture.alerts.alert import Alert, AlertKind, Level
from airpicture.formats.asterix.encode_layout import Layout, load_layout
from airpicture.formats.asterix.encode_status import counts, pack, time_of_day
from airpicture.geo import distance
from airpicture.tables import Tracks, unpack_callsigns
from airpicture.units import SECOND_NS

EDITION_004: Final = "1.12"
MESSAGES: Final[Mapping[AlertKind, int]] = {AlertKind.CONFLICT: 7, AlertKind.AREA: 5, AlertKind.LOST: 97}
ALIVE: Final = 1
END: Final = 17
IDENTIFIERS: Final = 65_536  # of I004/040; 0 isn't used

_SIX_BIT: Final = {" ": 0x20} | {chr(c): c - 64 for c in range(65, 91)} | {chr(c): c for c in range(48, 58)}
_CALLSIGN: Final = 7  # characters of I004/170 AI1 and I004/100 CAN
_IDENT: Final = 8  # six-bit characters of I004/170 MS1 and I004/100 AN


class AlertWriter:
    """Turns alerts into CAT004; remembers the identifier of each alert from its first message to its end.

    ``counts`` says how many of each kind were written and how many have no message in this category.
    """

    def __init__(self, *, sac: int, sic: int) -> None:
        self._layout = load_layout(4, EDITION_004)
        self._sac, self._sic = sac, sic
        self._identifiers: dict[str, int] = {}
        self._next = 1
        self.counts: Counter[str] = Counter()

    def encode(self, alerts: Iterable[Alert], tracks: Tracks, now_ns: int) -> list[bytes]:
        """Return one data block for each alert that has a message.

        Parameters
        ----------
        alerts : all that stand, and those that ended since the last call
        tracks : the picture that they were drawn from: names, codes and separations are taken from it
        now_ns : ns UTC, time of the messages
        """
        known = {number: row for row, number in enumerate(tracks.track.tolist())}
        blocks = []
        for alert in alerts:
            kind = alert.kind.name.lower()
            if alert.kind not in MESSAGES:
                self.counts[f"no message for {kind}"] += 1
                continue
            ended = alert.t_ns_ended >= 0
            values = self._head(END if ended else MESSAGES[alert.kind], now_ns)
            values["040"] = self._identifier(alert, ended)
            rows = [known.get(number, -1) for number in alert.tracks]
            values |= _involved(self._layout, alert.tracks, tracks, rows)
            if not ended:
                values |= self._about(alert, tracks, rows, now_ns)
            blocks.append(pack(self._layout, values))
            self.counts[f"written {kind}"] += 1
        return blocks

    def alive(self, now_ns: int, *, overload: bool = False, conflicts: bool = True, areas: bool = True) -> bytes:
        """Return the alive message: which safety nets run, and whether the system is overloaded."""
        values = self._head(ALIVE, now_ns)
        values |= {"060/STCA": int(conflicts), "060/APW": int(areas), "060/OL": int(overload)}
        return pack(self._layout, values)

    def _head(self, message: int, now_ns: int) -> dict[str, int]:
        time = time_of_day(self._layout, now_ns, "020")
        return {"010/SAC": self._sac, "010/SIC": self._sic, "000": message, "020": time}

    def _identifier(self, alert: Alert, ended: bool) -> int:
        """Return the number of an alert: a free one when it's new; given back at its end."""
        if alert.key in self._identifiers:
            return self._identifiers.pop(alert.key) if ended else self._identifiers[alert.key]
        if len(self._identifiers) >= IDENTIFIERS - 1:  # far more than may stand: somebody kept their ends from us
            del self._identifiers[next(iter(self._identifiers))]
        used = set(self._identifiers.values())
        while self._next in used:
            self._next = self._next % (IDENTIFIERS - 1) + 1
        number, self._next = self._next, self._next % (IDENTIFIERS - 1) + 1
        if not ended:
            self._identifiers[alert.key] = number
        return number

    def _about(self, alert: Alert, tracks: Tracks, rows: list[int], now_ns: int) -> dict[str, int]:
        """Return what a message says of the alert itself: times, separations, area."""
        layout = self._layout
        found: dict[str, float] = {}
        values: dict[str, int] = {}
        if alert.t_ns_expected >= 0:
            found["070/TC"] = max(alert.t_ns_expected - now_ns, 0) / SECOND_NS
        if alert.kind == AlertKind.CONFLICT:
            values["120/CN/TYPE"] = int(alert.level >= Level.PREDICTED)
            found["070/MHS"] = alert.value
            if len(rows) == 2 and min(rows) >= 0:
                a, b = rows
                found["070/CHS"] = float(distance(tracks.lat[a], tracks.lon[a], tracks.lat[b], tracks.lon[b]))
                found["070/CVS"] = _height_apart(tracks, a, b)
        if alert.kind == AlertKind.AREA:
            values["100/AN"] = _six_bit(alert.area)
            values["100/CAN"] = _ascii(alert.area, _CALLSIGN)
        for name, value in found.items():
            count = counts(layout, name, value)
            if count is not None:
                values[name] = count
        return values


def _involved(layout: Layout, numbers: tuple[int, ...], tracks: Tracks, rows: list[int]) -> dict[str, int]:
    """Return number, callsign and code of the one or two aircraft that an alert is of."""
    values: dict[str, int] = {}
    places = (("030", "170/AI1", "170/M31/MODE3A", "170/MS1"), ("035", "171/AI2", "171/M32/MODE3A", "171/MS2"))
    for (number, name, code, ident), track, row in zip(places, numbers, rows, strict=False):
        values[number] = track % 2 ** layout.fields[number].bits
        if row < 0:
            continue
        callsign = unpack_callsigns(tracks.callsign[row : row + 1])[0]
        if callsign:
            values[name] = _ascii(callsign, _CALLSIGN)
            values[ident] = _six_bit(callsign)
        if tracks.mode_3a[row] >= 0:
            values[code] = int(tracks.mode_3a[row])
    return values


def _height_apart(tracks: Tracks, a: int, b: int) -> float:
    """Return the difference of two heights [m]: of pressure where both have one, else above the ellipsoid."""
    pressure = abs(float(tracks.h_baro[a] - tracks.h_baro[b]))
    return pressure if np.isfinite(pressure) else abs(float(tracks.h_ell[a] - tracks.h_ell[b]))


def _ascii(text: str, length: int) -> int:
    """Return a text as ASCII characters, the first one highest, filled up with spaces."""
    return int.from_bytes(text[:length].ljust(length).encode("ascii", "replace"), "big")


def _six_bit(text: str) -> int:
    """Return a text as eight characters of ICAO's six-bit alphabet; what it hasn't is a space."""
    value = 0
    for character in text.upper()[:_IDENT].ljust(_IDENT):
        value = value << 6 | _SIX_BIT.get(character, 0x20)
    return value


__all__ = ["EDITION_004", "AlertWriter"]
