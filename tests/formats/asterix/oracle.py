"""libasterix asked the same questions: what a block holds, record by record, or that it refuses it."""

from __future__ import annotations

from typing import Any

import asterix.base as base
import asterix.generated as generated

Plain = tuple[dict[str, int], dict[str, bytes]]  # values by path, bytes of repetitive and explicit items by path


def specification(category: int, edition: str) -> Any:
    wanted = tuple(int(part) for part in edition.split("."))
    return next(spec for spec in generated.manifest["CATS"][category] if spec.cv_edition == wanted)


def _signed(element: Any) -> int:
    content = type(element).cv_rule
    value = element.as_uint()
    if issubclass(content, base.RuleContentDependent):
        content = content.cv_default_content
    else:
        content = content.cv_content
    if issubclass(content, (base.ContentQuantity, base.ContentInteger)):
        return int(content.cv_signedness.convert(type(element).cv_bit_size, value))
    return int(value)


def _take(variation: Any, path: str, record: Plain) -> None:
    if isinstance(variation, base.Element):
        record[0][path] = _signed(variation)
    elif isinstance(variation, base.Group):
        for item in variation.arg:
            if isinstance(item, base.Item):
                _take(item.arg.arg.arg, f"{path}/{item.arg.cv_name}", record)
    elif isinstance(variation, base.Extended):
        for part in variation.arg:
            for item in part:
                if isinstance(item, base.Item):
                    _take(item.arg.arg.arg, f"{path}/{item.arg.cv_name}", record)
    elif isinstance(variation, base.Compound):
        for name, item in variation.arg.items():
            _take(item.arg.arg, f"{path}/{name}", record)
    else:
        record[1][path] = variation.unparse().to_bytes()


def plain(record: Any) -> Plain:
    """Return a record of libasterix by path."""
    found: Plain = ({}, {})
    for name, item in record.items_regular.items():
        _take(item.arg.arg, name, found)
    return found


def parse(block: bytes, category: int, edition: str) -> list[Plain] | None:
    """Return the records of a block, None where libasterix refuses it.

    CAT001 has two profiles: each record is parsed with the one that its own TYP bit names.
    """
    uap = specification(category, edition).cv_uap
    bits = base.Bits.from_bytes(block[3:])
    found = []
    try:
        while len(bits):
            if issubclass(uap, base.UapSingle):
                record_type = uap.cv_record
            else:
                probe = bits.to_bytes()
                start = next(k for k, octet in enumerate(probe) if not octet & 1) + 1
                if not probe[0] & 0x40:  # no I001/020
                    return None
                place = start + (2 if probe[0] & 0x80 else 0)
                record_type = uap.cv_uaps["track" if probe[place] & 0x80 else "plot"]
            result = record_type.parse(base.ParsingMode.StrictParsing, bits)
            if isinstance(result, ValueError):
                return None
            record, bits = result
            found.append(plain(record))
    except (TypeError, IndexError, StopIteration):
        # libasterix 0.36 stumbles over FSPEC bits beyond its list of items instead of refusing them.
        return None
    return found


def create(category: int, edition: str, items: dict[str, Any], uap: str = "") -> bytes:
    """Return the bytes of one record."""
    profile = specification(category, edition).cv_uap
    record_type = profile.cv_uaps[uap] if uap else profile.cv_record
    return bytes(record_type.create(items).unparse().to_bytes())


def block(category: int, *records: bytes) -> bytes:
    """Return a data block of records."""
    body = b"".join(records)
    return bytes([category]) + (len(body) + 3).to_bytes(2, "big") + body
