"""Write the ASTERIX tables of ``airpicture.formats.asterix._generated`` from libasterix.

    python scripts/generate_asterix.py            # writes src/airpicture/formats/asterix/_generated/cat*.json
    python scripts/generate_asterix.py --check    # says what differs, exit code 1 where anything does

libasterix (a development dependency) carries every edition of each category as Python classes, themselves generated
from asterix-specs. This script walks those classes and writes one JSON file per category: nobody types a table by
hand, since a slip in a compound item reads well until the first record that has it. The same libasterix gives the same
bytes. The format is described in ``_generated/__init__.py``; the notice is in ``LICENSES/asterix-specs``.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asterix.base as base
import asterix.generated as generated

CATEGORIES = (1, 2, 4, 10, 19, 20, 21, 23, 34, 48, 62, 63, 65)
FOLDER = Path(__file__).resolve().parents[1] / "src" / "airpicture" / "formats" / "asterix" / "_generated"
STRINGS = {base.StringAscii: "ascii", base.StringICAO: "icao", base.StringOctal: "octal"}


def describe_content(content: type[base.Content]) -> dict[str, Any]:
    """Return how the bits of an element are read: kind, sign, scale, unit."""
    if issubclass(content, base.ContentQuantity):
        signed = content.cv_signedness is base.Signed
        return {"kind": "quantity", "signed": signed, "lsb": content.cv_lsb, "unit": content.cv_unit}
    if issubclass(content, base.ContentInteger):
        return {"kind": "integer", "signed": content.cv_signedness is base.Signed}
    if issubclass(content, base.ContentString):
        return {"kind": "string", "alphabet": STRINGS[content.cv_string_type]}
    if issubclass(content, base.ContentTable):
        return {"kind": "table"}
    if issubclass(content, base.ContentBds):
        return {"kind": "bds"}
    assert issubclass(content, base.ContentRaw), content
    return {"kind": "raw"}


def describe_rule(rule: type[base.RuleContent]) -> dict[str, Any]:
    """Return the content of an element; where it hangs on another item's value, the cases too."""
    if not issubclass(rule, base.RuleContentDependent):
        return describe_content(rule.cv_content)
    described = describe_content(rule.cv_default_content)
    described["depends"] = ["/".join(path) for path in rule.cv_depends_on]
    described["cases"] = [[list(values), describe_content(content)] for values, content in rule.cv_cases]
    return described


def describe_variation(variation: type[base.Variation]) -> dict[str, Any]:
    """Return the structure of an item without its name."""
    if issubclass(variation, base.Element):
        return {"type": "element", "bits": variation.cv_bit_size, **describe_rule(variation.cv_rule)}
    if issubclass(variation, base.Group):
        items = [describe_item(item) for item, _ in variation.cv_items_list]
        return {"type": "group", "bits": variation.cv_bit_size, "items": items}
    if issubclass(variation, base.Extended):
        parts = []
        for part in variation.cv_items_list:
            assert None not in part[:-1], "an FX bit inside a part"
            bits = sum(1 if entry is None else entry[1] for entry in part)
            assert bits % 8 == 0, "a part of broken bytes"
            items = [describe_item(entry[0]) for entry in part if entry is not None]
            parts.append({"bytes": bits // 8, "fx": part[-1] is None, "items": items})
        assert all(part["fx"] for part in parts[:-1])
        return {"type": "extended", "parts": parts}
    if issubclass(variation, base.Repetitive):
        each = describe_variation(variation.cv_variation)
        assert each["type"] in ("element", "group")
        assert (each["bits"] + (variation.cv_rep_bytes is None)) % 8 == 0
        return {"type": "repetitive", "count_bytes": variation.cv_rep_bytes or 0, "each": each}
    if issubclass(variation, base.Explicit):
        names = {None: "", base.ReservedExpansion: "RE", base.SpecialPurpose: "SP"}
        return {"type": "explicit", "holds": names[variation.cv_explicit_type]}
    assert issubclass(variation, base.Compound), variation
    items = [None if entry is None else describe_nonspare(entry) for entry in variation.cv_items_list]
    assert not any(item and item["type"] == "compound" for item in items), "a compound in a compound"
    return {"type": "compound", "fspec_bytes": variation.cv_fspec_max_bytes, "items": items}


def describe_item(item: type[base.ItemBase]) -> dict[str, Any]:
    """Return a named or a spare part of a group or extended item."""
    if issubclass(item, base.Spare):
        return {"type": "spare", "bits": item.cv_bit_size}
    assert issubclass(item, base.Item)
    return describe_nonspare(item.cv_non_spare)


def describe_nonspare(item: type[base.NonSpare]) -> dict[str, Any]:
    """Return a named item; one whose structure hangs on another item (I004/120) as the bits that all of them share."""
    rule = item.cv_rule
    if issubclass(rule, base.RuleVariationDependent):
        variation = rule.cv_default_variation
    else:
        assert issubclass(rule, base.RuleVariationContextFree), rule
        variation = rule.cv_variation
    return {"name": item.cv_name, "title": item.cv_title, **describe_variation(variation)}


def describe_category(category: int) -> str:
    """Return the JSON text of one category: each distinct item once, on a line of its own."""
    pool: dict[str, int] = {}
    editions = {}
    for specification in generated.manifest["CATS"][category]:
        uap = specification.cv_uap
        single = issubclass(uap, base.UapSingle)
        orders = {}
        for name, record in ({"": uap.cv_record} if single else uap.cv_uaps).items():
            order: list[int | str | None] = []
            for entry in record.cv_items_list:
                if issubclass(entry, base.UapItem):
                    text = json.dumps(describe_nonspare(entry.cv_non_spare), ensure_ascii=False)
                    order.append(pool.setdefault(text, len(pool)))
                else:
                    order.append("RFS" if issubclass(entry, base.UapItemRFS) else None)
            orders[name] = {"fspec_bytes": record.cv_fspec_max_bytes, "items": order}
        described: dict[str, Any] = {"uaps": orders}
        if not single and uap.cv_selector:
            path, choices = uap.cv_selector
            described["selector"] = {"item": "/".join(path), "uaps": {str(k): v for k, v in choices.items()}}
        editions[".".join(map(str, specification.cv_edition))] = described
    head = {
        "category": category,
        "specifications": generated.asterix_specs_ref,
        "specifications_date": generated.asterix_specs_date,
        "libasterix": version("libasterix"),
    }
    lines = [json.dumps(head, ensure_ascii=False)[:-1] + ","]
    lines.append('"editions": {')
    lines.append(",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in editions.items()))
    lines.append('},\n"items": [')
    lines.append(",\n".join(pool))
    lines.append("]}\n")
    text = "\n".join(lines)
    json.loads(text)
    return text


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    differs = 0
    for category in CATEGORIES:
        target = FOLDER / f"cat{category:03d}.json"
        text = describe_category(category).encode()
        if not check:
            target.write_bytes(text)
        elif not target.is_file() or target.read_bytes() != text:
            differs += 1
            print(f"{target.name} differs from what libasterix {version('libasterix')} gives", file=sys.stderr)
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
