"""Layouts of the ASTERIX categories, one JSON file each, written by ``scripts/generate_asterix.py`` and never by hand.

Source: asterix-specs by way of libasterix (both by Zoran Bošnjak; notice in ``LICENSES/asterix-specs``). Each file names
the commit of the specifications and the version of libasterix that it came from. All editions that libasterix has of a
category share one pool of items, so an item that didn't change stands once.

One file::

    {"category": 48, "specifications": "git:...", "specifications_date": "...", "libasterix": "...",
     "editions": {"1.32": {"uaps": {"": {"fspec_bytes": 4, "items": [0, 1, null, "RFS", ...]}}}, ...},
     "items": [{"name": "010", "title": "...", "type": ..., ...}, ...]}

- ``editions``: oldest first. ``uaps`` maps the name of a user application profile to its order: entry k stands for FSPEC
  bit k (field reference number k + 1) and is an index into ``items``, null for a spare bit, or "RFS" for random field
  sequencing (a count byte, then that many times a field reference number and its item). One profile is named "". CAT001 has
  "plot" and "track" and a ``selector``: ``{"item": "020/TYP", "uaps": {"0": "plot", "1": "track"}}``.
  ``fspec_bytes`` is the greatest length of the FSPEC.
- An item is a dict with ``name``, ``title`` and ``type``:

  ==============  ===========================================================================================================
  ``element``     ``bits``; ``kind`` raw | table | bds | integer (``signed``) | quantity (``signed``, ``lsb``, ``unit``) |
                  string (``alphabet`` ascii | icao | octal: 8, 6 or 3 bits a character). Value = integer * lsb in unit.
                  Where the kind hangs on another item: ``depends`` (paths) and ``cases`` ([[values], {kind...}]).
  ``group``       ``bits``, and ``items`` one after the other, most significant bit first
  ``extended``    ``parts``: each ``bytes`` long, ``items`` and then, where ``fx`` is true, one FX bit (1: next part follows)
  ``repetitive``  ``each`` (an element or group without name); ``count_bytes`` of a leading count, or 0: an FX bit
                  after each
  ``explicit``    one length byte (counts itself), then contents; ``holds`` "RE", "SP" or ""
  ``compound``    its own FSPEC of at most ``fspec_bytes``, then the sub-items: ``items``, null for a spare bit
  ``spare``       ``bits`` without meaning (inside groups and parts only; no name)
  ==============  ===========================================================================================================

  Compounds hold no compounds, and repetitive items hold elements or groups only; the generator refuses anything else.
"""
