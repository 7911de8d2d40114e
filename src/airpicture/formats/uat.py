"""UAT (978 MHz) as dump978 gives it: raw lines (port 30978) and JSON, one message a line (port 30979).

::

    -08ad7233356e0752cb780d29119817801f07ae2094e6c40ba2a4c280000da0000000;rs=1;rssi=-9.1;t=1714564800.123;

``-`` is a message of an aircraft or of the ground about one, ``+`` an uplink of weather, which is counted; ``t`` is the
time of reception, which dump978-fa writes and older ones don't. Callsign, Mode A code and accuracy come in every few
messages, and are joined to the positions between.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.errors import InputError
from airpicture.formats import emitters, quality
from airpicture.formats.addresses import anonymous
from airpicture.formats.files import read_bytes
from airpicture.formats.jsontext import callsigns, parse_lines, reals, squawks
from airpicture.formats.laststate import LastState, Quantity
from airpicture.formats.lines import Lines
from airpicture.formats.recording import ReadReport, Recording, with_breaks
from airpicture.formats.reported import (
    T_MAX_NS,
    Given,
    Heard,
    account,
    ground_word,
    reported_sensors,
    sources_met,
    take_in,
    tally,
)
from airpicture.formats.uat_message import LONG, SHORT, Messages, decode
from airpicture.tables import I64, Plots, Sensors
from airpicture.units import FPM, FT, KT, SECOND_NS
from airpicture.words import counted

NAMES: Final = ("uat", "adsr", "tisb")
_SOURCE: Final = np.array([0, 0, 2, 2, 0, 0, 1, 0], np.int32)  # by address qualifier
_QUALIFIERS: Final = (
    "adsb_icao", "adsb_other", "tisb_icao", "tisb_trackfile", "vehicle", "fixed_beacon", "adsr_other", "reserved",
)  # fmt: skip
_REAL: Final = (0, 2)  # qualifiers whose 24 bits are an aircraft's address
_FLYING: Final = ("airborne", "supersonic")
_IDENTITY_NS: Final = 300 * SECOND_NS
_ACCURACY_NS: Final = 60 * SECOND_NS  # mode status comes every 5 to 10 s
_STATE: Final = {
    "category": Quantity(("category",), (np.uint8(0),), _IDENTITY_NS),
    "callsign": Quantity(("callsign",), (np.uint64(0),), _IDENTITY_NS),
    "code": Quantity(("mode_3a",), (np.int32(-1),), _IDENTITY_NS),
    "accuracy": Quantity(("nacp",), (np.float64(np.nan),), _ACCURACY_NS),
    "speed accuracy": Quantity(("nacv",), (np.float64(np.nan),), _ACCURACY_NS),
}


class _Read(NamedTuple):
    """Messages, the times that came with them (-1: none), their line numbers, and the lines that are none."""

    messages: Messages
    t_ns: I64
    numbers: I64
    faults: list[tuple[int, str]]
    uplinks: int


def read_uat(path: str | os.PathLike[str], *, sensors: Sensors | None = None, repeats: bool = False) -> Recording:
    """Read a file of dump978's raw lines or JSON lines as plots in time order.

    Raises
    ------
    InputError : it can't be read, or holds no message
    """
    told: list[str] = []
    data = read_bytes(path, told)
    read = _read(data)
    if not len(read.numbers) and not read.uplinks:
        raise InputError("no UAT message in it", expected="lines of dump978", path=os.fspath(path))
    heard = _heard(read.messages, read.t_ns, LastState(_STATE))
    table, rows, notes = sources_met(sensors, heard, NAMES)
    taken = take_in(heard, NAMES, table, rows, given=None if repeats else Given())
    refused, refusals = account(taken.reasons, read.numbers, read.faults)
    if not heard.timely.any() and len(read.numbers):
        met = counted(len(np.unique(heard.who[heard.given])), "target")
        refusals = tuple(read.faults[:100])
        notes += (
            f"no line says when it was received, so that the positions of {met} can't be used: dump978-fa "
            "writes ';t=', older versions don't. Live, the time of reception is taken",
        )
    report = ReadReport(
        path=os.fspath(path),
        format="UAT dump978",
        size=len(data),
        records={"rows": len(taken.plots), "messages": len(read.numbers), "uplinks": read.uplinks},
        refused=refused,
        refusals=refusals,
        notes=notes,
    )
    return Recording(taken.plots, table, with_breaks(report, told))


class UatDecoder:
    """Turns a stream of dump978's lines, raw (port 30978) or JSON (port 30979), into plots."""

    def __init__(self, sensors: Sensors | None = None, *, only: Sequence[str] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self.sensors, self._rows, _ = reported_sensors(sensors, NAMES, only)
        self._lines, self._state, self._given = Lines(), LastState(_STATE), Given()

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take bytes of the stream, and return the plots that became whole with them."""
        text = self._lines.cut(data, self.counts)
        if not text.strip():
            return Plots.empty(self.sensors)
        read = _read(text)
        self.counts["refused BAD_VALUE"] += len(read.faults)
        self.counts["decoded uplink"] += read.uplinks
        if not len(read.numbers):
            return Plots.empty(self.sensors)
        heard = _heard(read.messages, np.where(read.t_ns < 0, received_ns, read.t_ns), self._state)
        taken = take_in(heard, NAMES, self.sensors, self._rows, given=self._given)
        tally(self.counts, taken.reasons, silent="decoded message without position")
        return taken.plots


def _heard(messages: Messages, t_ns: I64, state: LastState) -> Heard:
    """Join what other messages said; `state` is brought up to date."""
    address = messages.address.astype(np.int64)
    real = np.isin(messages.qualifier, _REAL)
    who = np.where(real, address, anonymous(address) | messages.qualifier << 25)
    timely = t_ns > 0
    joined = state.join(
        who,
        t_ns,
        timely,
        callsign=messages.callsign,
        category=messages.category,
        mode_3a=messages.mode_3a,
        nacp=messages.nacp,
        nacv=messages.nacv,
    )
    speed = np.where(np.isnan(messages.speed), np.hypot(messages.v_east, messages.v_north), messages.speed)
    course = np.degrees(np.arctan2(messages.v_east, messages.v_north))
    nothing = np.full(len(who), np.nan)
    return Heard.of(
        len(who),
        who=who,
        t_ns=np.maximum(t_ns, 0),
        timely=timely,
        source=_SOURCE[messages.qualifier],
        lat=messages.lat,
        lon=messages.lon,
        given=np.isfinite(messages.lat + messages.lon),
        h_ell=messages.h_ell,
        h_baro=np.where(messages.grounded, np.nan, messages.h_baro),
        speed=speed,
        course=np.where(np.isnan(course), messages.course, course),
        v_up=messages.v_up,
        sigma_pos=quality.sigma_position(joined["nacp"], messages.nic, nothing),
        sigma_v=quality.coded(quality.SIGMA_NACV, joined["nacv"]),
        mode_3a=joined["mode_3a"],
        address=np.where(real, messages.address, -1).astype(np.int32),
        callsign=joined["callsign"],
        on_ground=ground_word(messages.grounded, messages.flying),
        category=joined["category"],
    )


def _read(data: bytes) -> _Read:
    text = data.decode("utf-8-sig", "replace")
    if text.lstrip().startswith("{"):
        return _read_json(text)
    frames: list[bytes] = []
    times: list[int] = []
    numbers: list[int] = []
    faults: list[tuple[int, str]] = []
    uplinks = 0
    for number, line in enumerate(text.split("\n"), 1):
        kind = line[:1]
        if kind == "+":
            uplinks += 1
        elif kind == "-":
            cells = line.strip().split(";")
            try:
                frame = bytes.fromhex(cells[0][1:])
            except ValueError:
                frame = b""
            if len(frame) not in (SHORT, LONG):
                faults.append((number, f"not {SHORT} or {LONG} bytes of hexadecimal text: {line[:60]!r}"))
                continue
            frames.append(frame.ljust(LONG, b"\0"))
            times.append(_time(cells))
            numbers.append(number)
        elif line.strip() and kind not in ("!", "#"):  # dump978-fa's greeting, and comments
            faults.append((number, f"neither - nor +: {line[:60]!r}"))
    matrix = np.frombuffer(b"".join(frames), np.uint8).reshape(-1, LONG)
    return _Read(decode(matrix), np.array(times, np.int64), np.array(numbers, np.int64), faults, uplinks)


def _time(cells: list[str]) -> int:
    """Return the time of reception in ns, -1 where it isn't told."""
    told = next((cell[2:] for cell in cells[1:] if cell.startswith("t=")), "")
    whole, _, part = told.partition(".")
    if not whole.isdecimal() or len(whole) > 10 or (part and not part.isdecimal()):
        return -1
    t_ns = int(whole) * SECOND_NS + int(part[:9].ljust(9, "0"))
    return t_ns if t_ns < T_MAX_NS else -1


def _read_json(text: str) -> _Read:
    faults: list[tuple[int, str]] = []
    lines = parse_lines(text, faults)
    chosen = [(k, one) for k, one in enumerate(lines, 1) if isinstance(one, dict) and "address_qualifier" in one]
    documents = [one for _, one in chosen]
    others = [k for k, one in enumerate(lines, 1) if one is not None and not isinstance(one, dict)]
    faults += [(k, "not an object") for k in others]

    def cell(name: str) -> Any:
        return reals([one.get(name) for one in documents])

    place = [one["position"] if isinstance(one.get("position"), dict) else {} for one in documents]
    metadata = [one["metadata"] if isinstance(one.get("metadata"), dict) else {} for one in documents]
    received = reals([one.get("received_at") for one in metadata])
    timely = (received > 0) & (received < 4e9)
    grounded = np.array([one.get("airground_state") == "ground" for one in documents], np.bool_)
    north, east = cell("north_velocity") * KT, cell("east_velocity") * KT
    climb = cell("vertical_velocity_geometric")
    climb = np.where(np.isnan(climb), cell("vertical_velocity_barometric"), climb) * FPM
    messages = Messages(
        qualifier=np.array([_qualifier(one["address_qualifier"]) for one in documents], np.int64),
        address=np.array([_hexadecimal(one.get("address")) for one in documents], np.int32),
        has_state=np.array(["nic" in one for one in documents], np.bool_),
        lat=reals([one.get("lat") for one in place]),
        lon=reals([one.get("lon") for one in place]),
        h_baro=cell("pressure_altitude") * FT,
        h_ell=cell("geometric_altitude") * FT,
        nic=cell("nic"),
        grounded=grounded,
        flying=np.array([one.get("airground_state") in _FLYING for one in documents], np.bool_),
        v_east=east,
        v_north=north,
        speed=np.where(grounded, cell("ground_speed") * KT, np.nan),
        course=cell("true_track"),
        v_up=np.where(grounded, 0.0, climb),
        callsign=callsigns(one.get("callsign") for one in documents),
        category=emitters.from_texts(one.get("emitter_category") for one in documents),
        mode_3a=squawks(one.get("flightplan_id") for one in documents),
        nacp=cell("nac_p"),
        nacv=cell("nac_v"),
    )
    t_ns = np.where(timely, np.rint(np.where(timely, received, 0) * 1e3), -1).astype(np.int64)
    uplinks = sum(1 for one in lines if isinstance(one, dict)) - len(documents)
    numbers = np.array([k for k, _ in chosen], np.int64)
    return _Read(messages, np.where(t_ns < 0, -1, t_ns * 1_000_000), numbers, faults, uplinks)


def _qualifier(text: Any) -> int:
    return _QUALIFIERS.index(text) if text in _QUALIFIERS else 7


def _hexadecimal(text: Any) -> int:
    digits: Sequence[str] = text if isinstance(text, str) and 1 <= len(text) <= 6 else ""
    return int(str(digits), 16) if digits and all(c in "0123456789abcdefABCDEF" for c in digits) else 0


__all__ = ["NAMES", "UatDecoder", "read_uat"]
