"""Records item by item, in plain Python: for looking at a record, and the twin against which the kernel is checked.

A thousand times slower than `decode`, and written apart from it: it works on nested items and bit offsets, the kernel
on flat arrays and cells.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airpicture.formats.asterix.specification import Edition, Item, Uap


class RecordError(Exception):
    """A record that the edition doesn't allow; `args` are the reason and the byte offset."""


@dataclass(frozen=True, slots=True)
class PlainRecord:
    """One record: the values of its items by path, and the bytes of those without fixed places."""

    offset: int
    uap: str
    values: dict[str, int] = field(default_factory=dict)  # path -> integer as sent
    contents: dict[str, bytes] = field(default_factory=dict)  # path of a repetitive or explicit item -> its bytes
    present: tuple[str, ...] = ()  # names of the items, in the order of the record


def _need(data: bytes, at: int, size: int, end: int) -> None:
    if at + size > end:
        raise RecordError("item reaches beyond the block", at)


def _fspec(data: bytes, at: int, end: int, most: int) -> tuple[list[int], int]:
    """Return the numbers of the set bits, counted without the FX bits, and the position after the FSPEC."""
    bits: list[int] = []
    for k in range(most):
        _need(data, at + k, 1, end)
        bits += [7 * k + j for j in range(7) if data[at + k] >> (7 - j) & 1]
        if not data[at + k] & 1:
            return bits, at + k + 1
    raise RecordError("FSPEC longer than the edition allows", at)


def _signed(value: int, content: Item) -> int:
    bits = int(content["bits"])
    return value - (1 << bits) if content.get("signed") and value >> (bits - 1) else value


def _values(items: list[Item], path: str, whole: int, left: int, record: PlainRecord) -> None:
    """Take the values of `items` off the top of `whole`, of which `left` bits are left."""
    for item in items:
        left -= item["bits"]
        value = whole >> left & ((1 << item["bits"]) - 1)
        if item["type"] == "group":
            _values(item["items"], f"{path}/{item['name']}", value, item["bits"], record)
        elif item["type"] == "element":
            record.values[f"{path}/{item['name']}"] = _signed(value, item)


def _read_item(data: bytes, at: int, end: int, item: Item, path: str, record: PlainRecord) -> int:
    """Read one item at `at`; return the position after it."""
    kind = item["type"]
    if kind in ("element", "group"):
        size = int(item["bits"]) // 8
        _need(data, at, size, end)
        whole = int.from_bytes(data[at : at + size], "big")
        if kind == "group":
            _values(item["items"], path, whole, item["bits"], record)
        else:
            record.values[path] = _signed(whole, item)
        return at + size
    if kind == "extended":
        for part in item["parts"]:
            size = part["bytes"]
            _need(data, at, size, end)
            _values(part["items"], path, int.from_bytes(data[at : at + size], "big"), size * 8, record)
            at += size
            if not (part["fx"] and data[at - 1] & 1):
                return at
        raise RecordError("item extended beyond its last part", at - 1)
    if kind == "compound":
        bits, cursor = _fspec(data, at, end, item["fspec_bytes"])
        for bit in bits:
            sub = item["items"][bit] if bit < len(item["items"]) else None
            if sub is None:
                raise RecordError("spare item set", at)
            cursor = _read_item(data, cursor, end, sub, f"{path}/{sub['name']}", record)
        return cursor
    start = at
    if kind == "explicit":
        _need(data, at, 1, end)
        if data[at] == 0:
            raise RecordError("explicit item of length zero", at)
        at += data[at]
    elif item["count_bytes"]:
        _need(data, at, item["count_bytes"], end)
        count = int.from_bytes(data[at : at + item["count_bytes"]], "big")
        at += item["count_bytes"] + count * item["each"]["bits"] // 8
    else:
        size = (item["each"]["bits"] + 1) // 8
        while True:
            _need(data, at, size, end)
            at += size
            if not data[at - 1] & 1:
                break
    _need(data, at, 0, end)
    record.contents[path] = data[start:at]
    return at


def _choose(data: bytes, at: int, end: int, edition: Edition) -> Uap:
    """Return the profile of the record at `at`, which in CAT001 a bit in the record tells."""
    if not edition.selector:
        return edition.uaps[0]
    uap = edition.uaps[0]
    bits, cursor = _fspec(data, at, end, max(uap.fspec_bytes for uap in edition.uaps))
    name = edition.selector.split("/")[0]
    probe = PlainRecord(at, "")
    for bit in bits:
        item = uap.items[bit] if bit < len(uap.items) else None
        if not isinstance(item, dict) or bit > 6:
            break
        cursor = _read_item(data, cursor, end, item, item["name"], probe)
        if item["name"] == name:
            return edition.uaps[probe.values[edition.selector]]
    raise RecordError("record without the item that tells plot from track", at)


def read_record(data: bytes, at: int, end: int, edition: Edition) -> tuple[PlainRecord, int]:
    """Read the record at `at` of a block that ends at `end`; return it and the position after it.

    Raises
    ------
    RecordError : the edition doesn't allow it
    """
    uap = _choose(data, at, end, edition)
    bits, cursor = _fspec(data, at, end, uap.fspec_bytes)
    record = PlainRecord(at, uap.name)
    names = []
    for bit in bits:
        item = uap.items[bit] if bit < len(uap.items) else None
        if item is None:
            raise RecordError("spare item set", at)
        if isinstance(item, str):
            names.append(item)
            cursor = _read_sequence(data, cursor, end, uap, at)
        else:
            names.append(item["name"])
            cursor = _read_item(data, cursor, end, item, item["name"], record)
    if not bits:
        raise RecordError("record without items", at)
    return PlainRecord(at, uap.name, record.values, record.contents, tuple(names)), cursor


def _read_sequence(data: bytes, at: int, end: int, uap: Uap, start: int) -> int:
    """Pass over a random field sequence: a count, then field reference numbers with their items."""
    _need(data, at, 1, end)
    cursor = at + 1
    for _ in range(data[at]):
        _need(data, cursor, 1, end)
        number = data[cursor] - 1
        item = uap.items[number] if 0 <= number < len(uap.items) else None
        if not isinstance(item, dict):
            raise RecordError("random field sequence with an unknown field", cursor)
        cursor = _read_item(data, cursor + 1, end, item, item["name"], PlainRecord(start, uap.name))
    return cursor


def items(data: bytes, edition: Edition, at: int = 0) -> list[PlainRecord]:
    """Return the records of the block at `at`.

    Raises
    ------
    RecordError : the block isn't allowed by the edition, or isn't whole
    """
    length = int.from_bytes(data[at + 1 : at + 3], "big")
    if len(data) < at + 3 or length < 3 or at + length > len(data):
        raise RecordError("bad block length", at)
    if length == 3:
        raise RecordError("block without records", at)
    found: list[PlainRecord] = []
    cursor = at + 3
    while cursor < at + length:
        record, cursor = read_record(data, cursor, at + length, edition)
        found.append(record)
    return found


def physical(value: int, content: Item) -> tuple[float, str]:
    """Return a value in the unit of the specification, and the unit."""
    return value * float(content.get("lsb", 1.0)), str(content.get("unit", ""))


def describe(record: PlainRecord, edition: Edition) -> list[dict[str, Any]]:
    """Return a record's values as rows for a display: path, title, value, unit."""
    from airpicture.formats.asterix.specification import all_fields

    uap = [uap.name for uap in edition.uaps].index(record.uap)
    contents = {found.path: found.content for found in all_fields(edition, uap)}
    rows = []
    for path, value in record.values.items():
        number, unit = physical(value, contents[path])
        rows.append({"path": path, "title": contents[path]["title"], "value": number, "unit": unit})
    return rows
