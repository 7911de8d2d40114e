"""CAT065 (state of the tracker, end of batch) and CAT063 (state and biases of a sensor), written a message at a time.

These are a handful a second, so plain Python packs them, from the same layout as the kernels.
Sources: EUROCONTROL-SPEC-0149-10 (CAT063) edition 1.6, EUROCONTROL-SPEC-0149-15 (CAT065) edition 1.5; later editions
lay out these items alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import IntEnum

from airpicture.formats.asterix.encode_layout import Layout, load_layout
from airpicture.kernels.asterix_encode_words import COMPOUND, EXTENDED, FIXED
from airpicture.tables import SensorKind, Sensors
from airpicture.units import DAY_NS, SECOND_NS

EDITION_063 = "1.6"
EDITION_065 = "1.5"


class Condition(IntEnum):
    """I063/060 CON and, value for value, the field NOGO of I065/040 (0, 1 and 2 of it)."""

    OPERATIONAL = 0
    DEGRADED = 1
    INITIALISING = 2
    NOT_CONNECTED = 3


def time_of_day(layout: Layout, t_ns: int, item: str = "030") -> int:
    """Return a time [ns UTC] in counts of the item of the time of day, to the nearest."""
    rate = round(1.0 / layout.fields[item].step)  # a whole number a second, 128
    return (((t_ns % DAY_NS) * rate + SECOND_NS // 2) // SECOND_NS) % (DAY_NS // SECOND_NS * rate)


def pack(layout: Layout, values: Mapping[str, int]) -> bytes:
    """Return one data block of one record with the given fields as counts; signed ones as they are.

    Repetitive items aren't packed here: what's asked for has none.
    """
    words: dict[int, int] = {}
    for name, value in values.items():
        field = layout.fields[name]
        words[field.leaf] = words.get(field.leaf, 0) | ((value & (2**field.bits - 1)) << field.shift)
    held: dict[int, dict[int, bytes]] = {}
    for leaf in sorted(words):
        octets = words[leaf].to_bytes(layout.leaves[leaf].octets, "big")
        if layout.leaves[leaf].extended:
            octets = _extents(octets)
        held.setdefault(layout.leaves[leaf].item, {})[layout.leaves[leaf].bit] = octets
    body = b""
    for item, parts in held.items():
        kind = layout.items[item][2]
        assert kind in (FIXED, EXTENDED, COMPOUND), "a repetitive item"
        if kind == COMPOUND:
            body += fspec(parts) + b"".join(parts.values())
        else:
            body += parts[-1]
    record = fspec(layout.items[item][1] for item in held) + body
    return bytes([layout.category]) + (len(record) + 3).to_bytes(2, "big") + record


def fspec(bits: Iterable[int]) -> bytes:
    """Return a FSPEC with the given bits, counted from 0."""
    places = list(bits)
    octets = bytearray(max(places) // 7 + 1)
    for place in places:
        octets[place // 7] |= 0x80 >> (place % 7)
    for k in range(len(octets) - 1):
        octets[k] |= 1
    return bytes(octets)


def _extents(octets: bytes) -> bytes:
    """Return the octets of an extended item up to the last that says anything, with their FX bits."""
    used = max([k + 1 for k, octet in enumerate(octets) if octet & 0xFE] or [1])
    return bytes((octet & 0xFE) | (k < used - 1) for k, octet in enumerate(octets[:used]))


def counts(layout: Layout, name: str, value: float) -> int | None:
    """Return a value [SI] as counts of a field, to the nearest; None where it's unknown or too large for it."""
    field = layout.fields[name]
    if not math.isfinite(value):
        return None
    count = math.floor(value / field.step + 0.5)
    low, high = (-(2 ** (field.bits - 1)) if field.signed else 0), 2 ** (field.bits - field.signed) - 1
    return count if low <= count <= high else None


def _head(layout: Layout, sac: int, sic: int, sid: int, t_ns: int) -> dict[str, int]:
    return {"010/SAC": sac, "010/SIC": sic, "015": sid, "030": time_of_day(layout, t_ns)}


def end_of_batch(*, sac: int, sic: int, sid: int, t_ns: int, batch: int) -> bytes:
    """Return the CAT065 message that ends a batch of tracks (I065/000 type 2)."""
    layout = load_layout(65, EDITION_065)
    return pack(layout, {**_head(layout, sac, sic, sid, t_ns), "000": 2, "020": batch})


def system_status(
    *, sac: int, sic: int, sid: int, t_ns: int, condition: Condition = Condition.OPERATIONAL, overload: bool = False
) -> bytes:
    """Return the CAT065 message on the tracker's own state (I065/000 type 1).

    I065/040 NOGO is taken from `condition`; a tracker that's starting is called degraded.
    """
    nogo = {Condition.OPERATIONAL: 0, Condition.DEGRADED: 1, Condition.INITIALISING: 1, Condition.NOT_CONNECTED: 2}
    layout = load_layout(65, EDITION_065)
    values = {"000": 1, "040/NOGO": nogo[condition], "040/OVL": int(overload)}
    return pack(layout, {**_head(layout, sac, sic, sid, t_ns), **values})


def sensor_status(
    sensors: Sensors,
    row: int,
    *,
    sac: int,
    sic: int,
    sid: int,
    t_ns: int,
    condition: Condition = Condition.OPERATIONAL,
    silent: bool = False,
) -> bytes:
    """Return the CAT063 message on one sensor: its state, and the biases that are taken off its plots.

    The biases have the sign of the standard (corrected = measured - bias), which is that of ``Sensors``. Those of range
    and azimuth are sent for radars, in the items of secondary radar (I063/080, 081), with a gain of 0. `silent` sets
    the bit for "no plots being received". A bias too large for its field is left out.
    """
    layout = load_layout(63, EDITION_063)
    values = _head(layout, sac, sic, sid, t_ns)
    values |= {"050/SAC": int(sensors.sac[row]), "050/SIC": int(sensors.sic[row])}
    values |= {"060/CON": int(condition), "060/NPW": int(silent)}
    biases = {"070": float(sensors.bias_time[row])}
    if sensors.kind[row] == SensorKind.RADAR:
        biases |= {"080/SRB": float(sensors.bias_range[row]), "081": float(sensors.bias_azimuth[row])}
    for name, value in biases.items():
        count = counts(layout, name, value)
        if count is not None:
            values[name] = count
    if "080/SRB" in values:
        values["080/SRG"] = 0
    return pack(layout, values)
