"""ASTERIX, the language in which surveillance sensors and trackers talk (EUROCONTROL-SPEC-0149).

Read in this order::

    _generated/        what the specifications say, as data
    specification.py   the same as Python values
    layout.py          the same as arrays for the kernels
    editions.py        which edition a source is read in
    framing.py         files, captures -> data blocks
    decode.py          data blocks -> columns of fields
    fitting.py         sources that send another edition than they're read in
    items.py           one record, item by item, in plain Python
    clock.py           time of day -> full time
    sources.py         SAC/SIC -> sensors
    targets.py         fields -> plots
    systemtracks.py    fields -> tracks
    reader.py          all of it: `read_asterix`
    live.py            the same as it arrives, datagram by datagram
    encode*.py         tracks -> CAT062, CAT063, CAT065; alerts -> CAT004

Left out: the contents of reserved expansion and special purpose fields, which pass by length; categories
without tables, which are counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airpicture.formats.asterix.decode import Blocks, Records, decode
    from airpicture.formats.asterix.encode import encode_cat062, write_cat062
    from airpicture.formats.asterix.reader import read_asterix

__all__ = ["Blocks", "Records", "decode", "encode_cat062", "read_asterix", "write_cat062"]

_HOMES = {
    "Blocks": "decode",
    "Records": "decode",
    "decode": "decode",
    "encode_cat062": "encode",
    "read_asterix": "reader",
    "write_cat062": "encode",
}


def __getattr__(name: str) -> Any:
    # Reading and writing load different kernels; each is loaded when it's called for.
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
