"""What jet1090 writes: JSON, one decoded Mode S message a line, with the time of its reception.

::

    {"timestamp":1698140962.2,"frame":"8d40621d58...","df":"17","icao24":"40621d","bds":"05","NUCp":7,"NICb":0,
     "altitude":38000,"latitude":52.26,"longitude":3.93,"metadata":[...]}

A position takes what its address said before in messages of other kinds: velocity, climb and turn if they're younger
than 2 s, accuracy, callsign and code if they aren't older than the ages below. Of several receivers' metadata only the
line's own time is used.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.errors import InputError, Reason
from airpicture.formats import quality
from airpicture.formats.addresses import numbers_of
from airpicture.formats.files import read_bytes
from airpicture.formats.jsontext import callsigns, parse_lines, reals, squawks
from airpicture.formats.laststate import LastState, Quantity
from airpicture.formats.lines import Lines
from airpicture.formats.recording import ReadReport, Recording, with_breaks
from airpicture.formats.reported import (
    Given,
    Heard,
    account,
    ground_word,
    reported_sensors,
    sources_met,
    take_in,
    tally,
)
from airpicture.tables import I64, Plots, Sensors
from airpicture.units import DEG, FPM, FT, KT, SECOND_NS

NAMES: Final = ("adsb", "adsr", "tisb")
_NAN: Final = np.float64(np.nan)
_SOON, _LONG = 2 * SECOND_NS, 300 * SECOND_NS
_STATE: Final = {
    "velocity": Quantity(("speed", "course", "nacv"), (_NAN, _NAN, _NAN), _SOON),
    "climb": Quantity(("climb",), (_NAN,), _SOON),
    "turn": Quantity(("turn",), (_NAN,), _SOON),
    "height": Quantity(("height",), (_NAN,), _SOON),
    "accuracy": Quantity(("nacp",), (_NAN,), 60 * SECOND_NS),
    "code": Quantity(("squawk",), (np.int32(-1),), _LONG),
    "category": Quantity(("category",), (np.uint8(0),), _LONG),
    "callsign": Quantity(("callsign",), (np.uint64(0),), _LONG),
}
_RELAYED: Final = {"TISB_FINE": 2, "TISB_COARSE": 2, "TISB_MANAGE": 2, "TISB_ADSB_RELAY": 1, "TISB_ADSB": 1}
# In its words. Its service vehicles and obstructions are numbered otherwise than in DO-260B, and stay unknown.
_CATEGORIES: Final = {
    "<7000kg": 0xA1, "<34,000kg": 0xA2, "<136,000kg": 0xA3, "High vortex": 0xA4, "Heavy": 0xA5,
    "High performance": 0xA6, "Rotorcraft": 0xA7, "Glider": 0xB1, "Lighter than air": 0xB2, "Parachutist": 0xB3,
    "Ultralight": 0xB4, "UAV": 0xB6, "Space": 0xB7, "Surface emergency vehicle": 0xC1,
}  # fmt: skip
_SURFACE, _AIRBORNE = "06", "05"


class _Read(NamedTuple):
    heard: Heard
    numbers: I64
    faults: list[tuple[int, str]]


def read_jet1090(path: str | os.PathLike[str], *, sensors: Sensors | None = None, repeats: bool = False) -> Recording:
    """Read a file of jet1090's lines as plots in time order.

    Raises
    ------
    InputError : it can't be read, or holds no message
    """
    told: list[str] = []
    data = read_bytes(path, told)
    read = _understand(data, LastState(_STATE), None)
    if not len(read.numbers):
        raise InputError("no message in it", expected="lines of jet1090", path=os.fspath(path))
    table, rows, notes = sources_met(sensors, read.heard, NAMES)
    taken = take_in(read.heard, NAMES, table, rows, given=None if repeats else Given())
    silent = taken.reasons == Reason.NO_POSITION
    refused, refusals = account(taken.reasons, read.numbers, read.faults, silence=True)
    if silent.all():
        notes += ("no message has a position: jet1090 decodes them from pairs, or with a place to start from",)
    report = ReadReport(
        path=os.fspath(path),
        format="jet1090 JSONL",
        size=len(data),
        records={"rows": len(taken.plots), "messages without position": int(np.count_nonzero(silent))},
        refused=refused,
        refusals=refusals,
        notes=notes,
    )
    return Recording(taken.plots, table, with_breaks(report, told))


class Jet1090Decoder:
    """Turns a stream of jet1090's JSON lines into plots."""

    def __init__(self, sensors: Sensors | None = None, *, only: Sequence[str] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self.sensors, self._rows, _ = reported_sensors(sensors, NAMES, only)
        self._lines, self._state, self._given = Lines(), LastState(_STATE), Given()

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take bytes of the stream, and return the plots that became whole with them."""
        read = _understand(self._lines.cut(data, self.counts), self._state, received_ns)
        self.counts["refused BAD_VALUE"] += len(read.faults)
        if not len(read.numbers):
            return Plots.empty(self.sensors)
        taken = take_in(read.heard, NAMES, self.sensors, self._rows, given=self._given)
        tally(self.counts, taken.reasons, silent="decoded message without position")
        return taken.plots


def _understand(data: bytes, state: LastState, received_ns: int | None) -> _Read:
    faults: list[tuple[int, str]] = []
    lines = parse_lines(data.decode("utf-8-sig", "replace"), faults)
    if len(lines) == 1 and isinstance(lines[0], list):
        lines = lines[0]
    chosen = [(k, one) for k, one in enumerate(lines, 1) if isinstance(one, dict)]
    faults += [(k, "not an object") for k, one in enumerate(lines, 1) if one is not None and not isinstance(one, dict)]
    documents = [one for _, one in chosen]

    def cell(name: str, *others: str) -> Any:
        values = reals([one.get(name) for one in documents])
        for other in others:
            values = np.where(np.isnan(values), reals([one.get(other) for one in documents]), values)
        return values

    seconds = cell("timestamp")
    timely = (seconds > 0) & (seconds < 4e9)
    whole, part = np.divmod(np.where(timely, seconds, 0.0), 1.0)
    t_ns = whole.astype(np.int64) * SECOND_NS + np.rint(part * 1e6).astype(np.int64) * 1000
    if received_ns is not None:
        t_ns, timely = np.where(timely, t_ns, received_ns), np.ones(len(t_ns), np.bool_)
    who, address = numbers_of(one.get("icao24") for one in documents)
    surface = np.array([one.get("bds") == _SURFACE for one in documents], np.bool_)
    flying = np.array([one.get("bds") == _AIRBORNE for one in documents], np.bool_)
    turning = [one["bds50"] if isinstance(one.get("bds50"), dict) else one for one in documents]
    nucp = cell("NUCp")
    joined = state.join(
        who,
        t_ns,
        timely,
        speed=cell("groundspeed"),
        course=cell("track"),
        nacv=np.where(np.isnan(cell("groundspeed")), np.nan, np.nan_to_num(cell("NACv"), nan=-1.0)),
        climb=cell("vertical_rate"),
        turn=reals([one.get("track_rate") for one in turning]),
        height=cell("altitude"),
        nacp=cell("NACp"),
        squawk=squawks(one.get("squawk") for one in documents),
        callsign=callsigns(one.get("callsign") for one in documents),
        category=np.array([_CATEGORIES.get(str(one.get("wake_vortex")), 0) for one in documents], np.uint8),
    )
    sigma = quality.coded(quality.SIGMA_NACP, joined["nacp"])
    tisb = np.array([_RELAYED.get(str(one.get("tisb")), 0) for one in documents], np.int32)
    heard = Heard.of(
        len(documents),
        who=who,
        t_ns=t_ns,
        timely=timely,
        source=tisb,
        lat=cell("latitude"),
        lon=cell("longitude"),
        given=np.array([one.get("latitude") is not None for one in documents], np.bool_),
        h_baro=np.where(surface, np.nan, joined["height"]) * FT,
        speed=joined["speed"] * KT,
        course=joined["course"],
        v_up=np.where(surface, 0.0, joined["climb"] * FPM),
        sigma_pos=np.where(np.isnan(sigma), quality.coded(quality.SIGMA_NUCP, nucp), sigma),
        sigma_v=quality.coded(quality.SIGMA_NACV, joined["nacv"]),
        turn_rate=-joined["turn"] * DEG,
        mode_3a=joined["squawk"],
        address=address,
        callsign=joined["callsign"],
        on_ground=ground_word(surface, flying),
        category=joined["category"],
    )
    return _Read(heard, np.array([k for k, _ in chosen], np.int64), faults)


__all__ = ["NAMES", "Jet1090Decoder", "read_jet1090"]
