"""The state of objects as bytes, and back into objects of the same make: what a checkpoint holds.

No pickle: arrays as they lie in memory, all else as JSON, and only classes of this package, whose code isn't run. What
can't be written (functions, references to what was shown) is taken from the *template*, a freshly made object of the
same settings; so are arrays of the same shape, which are filled in place, and views of them stay views.

Classes that know better what of them matters are named in `SPECIAL`.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from enum import Enum
from importlib import import_module
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.lib import format as npformat
from numpy.typing import NDArray

from airpicture.alerts.alert import Alert, AlertKind, Level
from airpicture.alerts.standing import Kept
from airpicture.errors import InputError
from airpicture.kernels.arrays import Laid, laid

Node: TypeAlias = Any  # JSON
Room: TypeAlias = list[NDArray[np.uint8]]
MAGIC: Final = b"AIRPICTURE STATE 2\n"  # another number whenever rows of arrays mean something else
_HEAD: Final = struct.Struct("<IQI")  # octets of JSON, octets of arrays, checksum of both
_SEQUENCES: Final[dict[str, Callable[[Any], Any]]] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
_MAPPINGS: Final[dict[str, Callable[[Any], Any]]] = {"dict": dict, "Counter": dict, "OrderedDict": OrderedDict}
PACKAGE: Final = "airpicture."


class Freezer:
    """Turns objects into nodes and blobs.

    Parameters
    ----------
    shared : objects that both sides have (settings, sensors), by name; only the name is written
    room : where arrays are copied to, kept from one time to the next: new memory costs several times as much
    """

    def __init__(self, shared: Mapping[str, Any], room: Room | None = None) -> None:
        self._shared = {id(value): name for name, value in shared.items()}
        self._room = [] if room is None else room
        self._copied = 0  # arrays
        self._known: dict[int, int] = {}
        self._kept: list[Any] = []  # so that no id is used twice
        self.blobs: list[bytes | memoryview] = []

    def node(self, value: Any) -> Node:
        """Return what stands for a value."""
        if value is None or isinstance(value, (bool, str)) or type(value) in (int, float):
            return value
        if id(value) in self._shared:
            return {"shared": self._shared[id(value)]}
        if isinstance(value, Enum):
            return {"enum": _name(type(value)), "value": value.value}
        if isinstance(value, np.generic):
            return {"number": value.dtype.str, "value": value.item()}
        if isinstance(value, (bytes, bytearray)):
            self.blobs.append(bytes(value))
            return {"bytes": len(value), "mutable": isinstance(value, bytearray)}
        if id(value) in self._known:
            return {"again": self._known[id(value)]}
        number = len(self._known)
        if isinstance(value, (np.ndarray, list, dict, deque, OrderedDict)) or type(value).__module__.startswith(
            PACKAGE
        ):
            self._known[id(value)] = number
            self._kept.append(value)
        return self._container(value, number)

    def _container(self, value: Any, number: int) -> Node:
        kind = type(value)
        if isinstance(value, np.ndarray):
            return self._array(value, number)
        if isinstance(value, Laid):  # what it knows of its table is true in this process alone
            return {"laid": self.node(value.table), "id": number}
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return {"named": _name(kind), "items": [self.node(one) for one in value], "id": number}
        if kind.__name__ in _SEQUENCES and kind.__module__ == "builtins":
            made = {kind.__name__: [self.node(one) for one in value]}
            return made | {"id": number} if isinstance(value, list) else made  # others have no number: the next has it
        if isinstance(value, deque):
            return {"deque": [self.node(one) for one in value], "most": value.maxlen, "id": number}
        if kind.__name__ in _MAPPINGS:
            pairs = [[self.node(key), self.node(one)] for key, one in value.items()]
            return {kind.__name__: pairs, "id": number}
        if not kind.__module__.startswith(PACKAGE) or callable(value):
            return {"template": True}
        if kind in ROWS:
            row, save, _ = ROWS[kind]
            return {row: [self.node(one) for one in save(value)], "id": number}
        name = _name(kind)
        special = SPECIAL.get(name)
        state = special[0](value) if special else _state(value)
        return {"object": name, "state": {key: self.node(one) for key, one in state.items()}, "id": number}

    def _array(self, value: Any, number: int) -> Node:
        if value.dtype.hasobject:
            return {"template": True}
        self.blobs.append(self._copy(value))
        return {"array": npformat.dtype_to_descr(value.dtype), "shape": list(value.shape), "id": number}

    def _copy(self, value: NDArray[Any]) -> bytes | memoryview:
        if not value.nbytes:
            return b""
        if self._copied == len(self._room):
            self._room.append(np.empty(0, np.uint8))
        if len(self._room[self._copied]) < value.nbytes:
            self._room[self._copied] = np.empty(value.nbytes, np.uint8)
        there = self._room[self._copied][: value.nbytes]
        self._copied += 1
        there.view(value.dtype).reshape(value.shape)[...] = value
        return there.data


class Thawer:
    """Undoes `Freezer`."""

    def __init__(self, shared: Mapping[str, Any], blobs: memoryview) -> None:
        self._shared = shared
        self._blobs = blobs
        self._at = 0
        self._known: dict[int, Any] = {}

    def value(self, node: Node, template: Any = None) -> Any:
        """Return the value that a node stands for; objects and arrays of the template are overwritten."""
        if not isinstance(node, dict):
            return node
        if "shared" in node:
            return self._shared[node["shared"]]
        if "again" in node:
            return self._known[node["again"]]
        if "template" in node:
            return template
        if "enum" in node:
            return _class(node["enum"])(node["value"])
        if "number" in node:
            return np.dtype(node["number"]).type(node["value"])
        if "bytes" in node:
            taken = bytes(self._take(node["bytes"]))
            return bytearray(taken) if node["mutable"] else taken
        made = self._made(node, template)
        if "id" in node:
            self._known[node["id"]] = made
        return made

    def _take(self, size: int) -> memoryview:
        part = self._blobs[self._at : self._at + size]
        if len(part) != size:
            raise InputError("a checkpoint that is too short", expected="a whole one")
        self._at += size
        return part

    def _made(self, node: Node, template: Any) -> Any:
        if "array" in node:
            return self._array(node, template)
        for row, _, load in ROWS.values():
            if row in node:
                return load(*(self.value(one) for one in node[row]))
        if "laid" in node:
            return laid(self.value(node["laid"], getattr(template, "table", None)))
        if "named" in node:
            kind = _class(node["named"])
            given = template if isinstance(template, kind) else [None] * len(node["items"])
            return kind(*(self.value(one, old) for one, old in zip(node["items"], given, strict=True)))
        for name, make in _SEQUENCES.items():
            if name in node:
                old = (
                    list(template) if isinstance(template, (list, tuple)) and len(template) == len(node[name]) else None
                )
                return make(self.value(one, old[k] if old else None) for k, one in enumerate(node[name]))
        if "deque" in node:
            return deque((self.value(one) for one in node["deque"]), node["most"])
        for name, made in _MAPPINGS.items():
            if name in node:
                found = {}
                for key_node, one in node[name]:
                    key = self.value(key_node)
                    found[key] = self.value(one, template.get(key) if isinstance(template, dict) else None)
                return Counter(found) if name == "Counter" else made(found)
        return self._object(node, template)

    def _array(self, node: Node, template: Any) -> Any:
        descr = node["array"]
        dtype = npformat.descr_to_dtype(_tuples(descr))
        shape = tuple(node["shape"])
        data = np.frombuffer(self._take(dtype.itemsize * int(np.prod(shape, dtype=np.int64))), dtype).reshape(shape)
        fits = isinstance(template, np.ndarray) and template.shape == shape and template.dtype == dtype
        if fits and template.flags.writeable:
            template[...] = data
            return template
        return data.copy()

    def _object(self, node: Node, template: Any) -> Any:
        kind = _class(node["object"])
        made = template if type(template) is kind else object.__new__(kind)
        if "id" in node:
            self._known[node["id"]] = made
        special = SPECIAL.get(node["object"])
        if special:
            special[1](made, {key: self.value(one, special[2](made, key)) for key, one in node["state"].items()})
            return made
        for key, one in node["state"].items():
            object.__setattr__(made, key, self.value(one, getattr(made, key, None)))
        return made


def _tuples(descr: Any) -> Any:
    """Return a description of a dtype as numpy wants it: JSON has no tuples."""
    if isinstance(descr, list):
        return [
            tuple(tuple(x) if isinstance(x, list) and k == 2 else _tuples(x) for k, x in enumerate(one))
            for one in descr
        ]
    return descr


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _class(name: str) -> Any:
    module, _, path = name.partition(":")
    if not module.startswith(PACKAGE):
        raise InputError(f"a checkpoint with an object of {module!r}", expected="objects of this package")
    found: Any = import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    if not isinstance(found, type):
        raise InputError(f"a checkpoint with {name!r}", expected="classes of this package")
    return found


def _state(value: Any) -> dict[str, Any]:
    names: list[str] = list(getattr(value, "__dict__", ()))
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    return {name: getattr(value, name) for name in names if hasattr(value, name) and not name.startswith("__")}


# What of a class is saved, how it's put back, and what its parts are put into.
Special: TypeAlias = tuple[
    Callable[[Any], dict[str, Any]], Callable[[Any, dict[str, Any]], None], Callable[[Any, str], Any]
]


def _nothing(value: Any, key: str) -> None:
    return None


def _save_store(store: Any) -> dict[str, Any]:
    columns = {f"column{k}": column[: store.n] for k, column in enumerate(store.columns())}
    closing = {"closing_at": store.closing_at, "closing_to": store.closing_to}
    return {"n": store.n, "ended": store.ended, "next_number": store.next_number, **closing, **columns}


def _load_store(store: Any, state: dict[str, Any]) -> None:
    store.n, store.ended, store.next_number = state["n"], state["ended"], state["next_number"]
    store.closing_at, store.closing_to = state.get("closing_at", 0), state.get("closing_to", 0)
    for k, column in enumerate(store.columns()):
        column[: store.n] = state[f"column{k}"]


def _save_pool(pool: Any) -> dict[str, Any]:
    return {name: one for name, one in _state(pool).items() if name not in ("desks", "births", "outlook")}


def _save_kept(kept: Any) -> dict[str, Any]:
    return {"count": kept.count, "_room": kept.count, "_rows": kept.rows, "_words": kept.words}


def _load_all(value: Any, state: dict[str, Any]) -> None:
    for name, one in state.items():
        setattr(value, name, one)


def _forget_index(index: Any, state: dict[str, Any]) -> None:
    index.forget()


def _leave(value: Any, state: dict[str, Any]) -> None:
    return None


def _save_alert(alert: Alert) -> tuple[Any, ...]:
    numbers = (int(alert.kind), int(alert.level), alert.t_ns, alert.t_ns_expected, alert.value, alert.t_ns_ended)
    return (*numbers, alert.key, alert.text, alert.sensor, alert.area, *alert.tracks)


def _load_alert(kind: int, level: int, t_ns: int, expected_ns: int, value: float, ended_ns: int, *rest: Any) -> Alert:
    key, text, sensor, area, *tracks = rest
    about = (key, AlertKind(kind), Level(level), t_ns, text, tuple(tracks), sensor, area)
    return Alert(*about, t_ns_expected=expected_ns, value=value, t_ns_ended=ended_ns)


# Small unchanging objects of which there may be a thousand: a row each, for names would take most of the time and room.
ROWS: Final[dict[type, tuple[str, Callable[[Any], tuple[Any, ...]], Callable[..., Any]]]] = {
    Alert: ("alert", _save_alert, _load_alert),
    Kept: ("kept", lambda one: (one.alert, one.last_ns, one.level_ns, one.stands), Kept),
}

SPECIAL: Final[dict[str, Special]] = {
    "airpicture.store:Store": (_save_store, _load_store, _nothing),
    # Without the room for more, in which nothing stands yet.
    "airpicture.store:Kept": (_save_kept, _load_all, _nothing),
    # It only saves time: what it finds doesn't depend on its state.
    "airpicture.association.index:Index": (lambda value: {}, _forget_index, _nothing),
    # Memory that nobody holds: megabytes of what was, for a state that doesn't depend on it.
    "airpicture.memory:Memory": (lambda value: {}, _leave, _nothing),
    # Workspaces, and settings that the template has.
    "airpicture.filters.look:Looker": (lambda value: {}, _leave, _nothing),
    "airpicture.plots.looks:Shelf": (lambda value: {}, _leave, _nothing),
    "airpicture.tracks.pool:Pool": (_save_pool, _load_all, getattr),
}


class Frozen:
    """The state of an object at one time, copied: what became of the object since doesn't show.

    room : see `Freezer`; what was copied into it before is gone
    """

    def __init__(self, value: Any, shared: Mapping[str, Any], room: Room | None = None) -> None:
        freezer = Freezer(shared, room)
        self._node = freezer.node(value)
        self._blobs = freezer.blobs

    def pieces(self) -> list[bytes | memoryview]:
        """Return its bytes, checksummed, in pieces."""
        text = json.dumps(self._node, separators=(",", ":")).encode()
        check = zlib.crc32(text)
        for blob in self._blobs:
            check = zlib.crc32(blob, check)
        return [MAGIC + _HEAD.pack(len(text), sum(map(len, self._blobs)), check), text, *self._blobs]


def freeze(value: Any, shared: Mapping[str, Any]) -> bytes:
    """Return the state of an object, checksummed."""
    return b"".join(Frozen(value, shared).pieces())


def thaw(data: bytes, template: Any, shared: Mapping[str, Any]) -> Any:
    """Put a state into a template, which is overwritten, and return it.

    Raises
    ------
    InputError : it's damaged, or was made by other code
    """
    start = len(MAGIC) + _HEAD.size
    if not data.startswith(MAGIC) or len(data) < start:
        raise InputError("not a checkpoint", expected="what `freeze` made")
    text_size, arrays_size, check = _HEAD.unpack_from(data, len(MAGIC))
    text, arrays = data[start : start + text_size], data[start + text_size :]
    if len(arrays) != arrays_size or zlib.crc32(arrays, zlib.crc32(text)) != check:
        raise InputError("a damaged checkpoint", expected="the checksum that it was written with")
    try:
        return Thawer(shared, memoryview(arrays)).value(json.loads(text), template)
    except (KeyError, AttributeError, TypeError, ValueError, IndexError, ImportError) as error:
        raise InputError(f"a checkpoint of other code ({type(error).__name__}: {error})") from None
