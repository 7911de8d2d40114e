"""The shape of the package: who may import whom, who may read a clock, what kernels may hold.

The drawing is in ``docs/design.md``. Sources are parsed, not imported, so this runs in a second on a bare Python with
pytest. Where a rule and the code disagree the exception stands here, by name, with its reason.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "airpicture"

FLOW = {"plots", "association", "filters", "tracks", "picture"}
BASE = {"tables", "config", "units", "errors", "words"}  # beside one another, below all but kernels
CARRIED = {"reports", "store", "parallel", "memory"}  # what passes between flow rooms only, threads and memory for it

# Whom a room may import besides itself; a room is a folder or a module right below airpicture.
MAY_IMPORT: dict[str, set[str]] = {
    "units": set(),
    "errors": set(),
    "words": set(),
    "kernels": set(),
    "config": {"errors", "units"},
    "tables": {"errors", "units"},
    "reports": {"tables", "kernels"},  # the mark of what kernels take
    "parallel": set(),
    "memory": set(),
    "store": {
        "errors",
        "tables",
        "kernels",
        "parallel",
        "memory",
    },  # copies of its rows are made on threads, in memory lent
    "geo": BASE | {"kernels"},
    "models": BASE | {"kernels", "geo"},
    **{room: BASE | CARRIED | {"kernels", "geo", "models"} for room in FLOW},
    "formats": BASE | {"kernels", "geo", "alerts"},  # bytes and columns: no format needs to know how tracking is done
    "undo": BASE | CARRIED | FLOW,  # what of the flow rooms' state the tracker takes back
    "tracker": BASE | CARRIED | FLOW | {"kernels", "models", "undo"},
    "simulation": BASE | {"geo", "formats"},
    "evaluation": BASE | {"geo", "formats"},
    "page": BASE | {"geo", "plots", "__init__"},
    "bench": BASE | {"geo", "parallel", "picture", "tracker", "simulation", "evaluation"},
    "alerts": BASE | {"geo", "kernels"},
    # judges and smooths whole recordings by what the tracker gave to whom, in its models and kernels
    "smoothing": BASE | CARRIED | {"kernels", "geo", "models", "plots", "tracks", "tracker", "formats"},
    "map": BASE,  # the page's files and settings: Python only hands them out
    "service": BASE
    | {"__init__", "kernels", "geo", "formats", "tracker", "picture", "plots", "alerts", "parallel", "simulation"}
    | {"map"},
    "commands": BASE
    | {"__init__", "formats", "tracker", "simulation", "evaluation", "page", "bench", "alerts", "map", "service"}
    | {"smoothing", "parallel"},
    "__main__": {"commands"},
}

# (module, imported module): the reason why it may.
EXCEPTIONS: dict[tuple[str, str], str] = {
    (
        "airpicture.filters.look",
        "airpicture.association.workspace",
    ): "shares out and updates in one kernel, so that states stay in cache between the two",
    ("airpicture.tables", "airpicture.formats"): "Tracks.write leads to the writers, when called",
    ("airpicture.tables", "airpicture.formats.columns"): "to_arrow and from_columns lead there, when called",
    ("airpicture.tables", "airpicture.formats.sensors"): "Sensors.from_rows leads there, when called",
    ("airpicture.commands.warm", "airpicture.filters.look"): "compiles the largest kernel by itself",
    ("airpicture.commands.warm", "airpicture.picture.snapshot"): "compiles the kernel of a picture with it",
    ("airpicture.commands.warm", "airpicture.plots.stations"): "lays sensors out as the kernel of ageing takes them",
    ("airpicture.commands.warm", "airpicture.tracks.retire"): "compiles the kernel of ageing with it",
    ("airpicture.commands.warm", "airpicture.kernels.warm"): "asks whether the kernels are compiled",
}

# Clocks, threads, sockets and global randomness belong above the tracker: to commands, and to a service.
OUTSIDE = {"bench", "commands", "service", "__main__"}
FORBIDDEN_MODULES = {
    "asyncio", "concurrent", "http", "logging", "multiprocessing", "queue", "random", "sched", "secrets", "select",
    "selectors", "signal", "socket", "socketserver", "ssl", "subprocess", "threading", "time", "urllib", "uuid",
}  # fmt: skip
PURE = {"urllib.parse"}  # opens nothing
LENDS_THREADS = ("airpicture.parallel", "concurrent")  # to a program that asks for them; the flow starts none
CLOCK_CALLS = {"now", "utcnow", "today", "perf_counter", "monotonic", "time_ns"}
NUMPY_RANDOM = {"default_rng", "Generator", "SeedSequence", "PCG64"}  # all else in numpy.random has a global state

LINES_MAX = 500
LONG_FILES: dict[str, str] = {
    "tests/test_tracker.py": "the tracker as a whole; wants to be cut by question: batching, refusals, life",
    "tests/formats/asterix/test_encode.py": "one question per item of CAT062, asked of one table of tracks",
}

# Kernels outside the room of kernels, and why.
KERNELS_ELSEWHERE: dict[str, str] = {}
# Arrays at module level: numba freezes their contents when it compiles, so nobody may ever write into them.
CONSTANT_ARRAYS = {
    "asterix.LEAD", "geodesic._NODES", "geodesic._WEIGHTS", "journal.TABLES", "modes_cpr.TRANSITIONS",
    "modes_crc.TABLES", "slant._NODES", "slant._WEIGHTS",
}  # fmt: skip
# Functions of a kernel's own that make numbers when the module is imported: names of numpy's types.
NUMBERS = {"U"}
BOUND_TWICE = {"slant._WEIGHTS"}  # halved on the line below its making, before any kernel is compiled


class Import(NamedTuple):
    """One import statement's target, as a module, and whether it is carried out when the module is imported."""

    module: str
    line: int
    typing_only: bool
    eager: bool


def module_name(path: Path) -> str:
    """Return the dotted name of a source file."""
    parts = ("airpicture", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """Return the room of a dotted name."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


@cache
def sources() -> dict[str, Path]:
    """Return all modules by dotted name."""
    return {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def tree(module: str) -> ast.Module:
    """Return the parsed source of a module."""
    return ast.parse(sources()[module].read_text("utf-8"))


def imports(module: str) -> Iterator[Import]:
    """Yield what a module imports, wherever it says so."""

    def visit(nodes: list[ast.stmt] | list[ast.AST], typing_only: bool, eager: bool) -> Iterator[Import]:
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield Import(alias.name, node.lineno, typing_only, eager)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module}:{node.lineno}: relative import; rooms are named in full"
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    target = full if full in sources() else node.module or ""
                    yield Import(target, node.lineno, typing_only, eager)
            elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                yield from visit(node.body, True, eager)
                yield from visit(node.orelse, typing_only, eager)
            else:
                inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
                yield from visit(list(ast.iter_child_nodes(node)), typing_only, eager and not inside)

    yield from visit(tree(module).body, False, True)


@pytest.mark.parametrize("module", sources())
def test_imports_point_one_way(module: str) -> None:
    room = room_of(module)
    if room == "__init__":  # the front door: every name of it is loaded when first used
        assert not [one for one in imports(module) if one.module.startswith("airpicture") and not one.typing_only]
        return
    assert room in MAY_IMPORT, f"a new room, {room}: draw it in docs/design.md, then give it a line here"
    wrong = [
        f"{module}:{one.line} imports {one.module}"
        for one in imports(module)
        if one.module.split(".")[0] == "airpicture"
        and room_of(one.module) not in MAY_IMPORT[room] | {room}
        and (module, one.module) not in EXCEPTIONS
    ]
    assert not wrong


def test_rooms_form_no_circle() -> None:
    left = {room: set(allowed) - {"__init__"} for room, allowed in MAY_IMPORT.items()}
    while left:
        free = {room for room, allowed in left.items() if not allowed & left.keys()}
        assert free, f"a circle among {sorted(left)}"
        left = {room: allowed for room, allowed in left.items() if room not in free}


def test_exceptions_are_still_needed() -> None:
    for module, target in EXCEPTIONS:
        assert target in [one.module for one in imports(module)], f"{module} no longer imports {target}"
    assert all(room in {room_of(module) for module in sources()} for room in MAY_IMPORT)
    assert all("import jit" in sources()[module].read_text("utf-8") for module in KERNELS_ELSEWHERE)
    assert all(len((ROOT / name).read_text("utf-8").splitlines()) > LINES_MAX for name in LONG_FILES)


COMPILING = {
    f"airpicture.kernels.{name}"
    for name in (
        "_jit",
        "_compiler",
        "_linking",
        "_rows",
        "_lowering",
        "_tables",
        "_vectors",
        "_boxes",
        "_steps",
        "_typing",
        "_values",
    )
}


def test_kernels_import_numpy_numba_and_one_another() -> None:
    for module in sources():
        if room_of(module) != "kernels":
            continue
        for one in imports(module):
            top = one.module.split(".")[0]
            if top not in {"airpicture", "numpy", "numba", "llvmlite"}:
                assert top in sys.stdlib_module_names, f"{module}:{one.line} imports {one.module}"
            # numba only by way of _jit, which sets its cache folder first, and of what that is made of
            assert top not in {"numba", "llvmlite"} or module in COMPILING, f"{module}:{one.line}"


def test_kernels_live_in_their_room() -> None:
    for module in sources():
        if room_of(module) == "kernels" or module in KERNELS_ELSEWHERE:
            continue
        found = [
            node.lineno
            for node in ast.walk(tree(module))
            if (isinstance(node, ast.ImportFrom) and node.module == "airpicture.kernels._jit")
            or (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "numba" for alias in node.names))
        ]
        assert not found, f"{module}:{found} compiles kernels"


@pytest.mark.parametrize("module", [name for name in sources() if room_of(name) not in OUTSIDE])
def test_nothing_below_the_commands_reads_a_clock_waits_or_draws_lots(module: str) -> None:
    wrong = [f"{module}:{one.line} imports {one.module}" for one in imports(module)
             if (top := one.module.split(".")[0]) in FORBIDDEN_MODULES and (module, top) != LENDS_THREADS
             and one.module not in PURE]  # fmt: skip
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value)
            if node.func.attr in CLOCK_CALLS and owner.split(".")[-1] in {"datetime", "date", "time", "Timestamp"}:
                wrong.append(f"{module}:{node.lineno} calls {owner}.{node.func.attr}")
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"np.random", "numpy.random"}:
            if node.attr not in NUMPY_RANDOM:
                wrong.append(f"{module}:{node.lineno} uses {ast.unparse(node)}")
            if node.attr == "default_rng" and room_of(module) != "simulation":
                wrong.append(f"{module}:{node.lineno} makes its own generator")
    assert not wrong


def test_help_needs_nothing_but_click() -> None:
    """What is imported before a command does its work, followed through the sources."""
    waiting = ["airpicture", "airpicture.__main__", *(name for name in sources() if name in COMMAND_MODULES)]
    met: set[str] = set()
    outside: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in met:
            continue
        met.add(module)
        for one in imports(module):
            if one.typing_only or not one.eager:
                continue
            parts = one.module.split(".")
            if parts[0] == "airpicture":
                waiting += [
                    ".".join(parts[: k + 1]) for k in range(len(parts)) if ".".join(parts[: k + 1]) in sources()
                ]
            else:
                outside.add(parts[0])
    assert outside - sys.stdlib_module_names == {"click"}
    assert not met & {"airpicture.tables", "airpicture.tracker", "airpicture.kernels"}


COMMAND_MODULES = {
    f"airpicture.commands.{name}"
    for name in (
        "demo",
        "view",
        "serve",
        "replay",
        "track",
        "clean",
        "info",
        "convert",
        "simulate",
        "evaluate",
        "bench",
    )
}


def test_kernels_have_no_globals_that_change() -> None:
    for module, path in sources().items():
        if room_of(module) != "kernels" or module in COMPILING:
            continue
        bound: set[str] = set()
        for node in ast.walk(tree(module)):
            assert not isinstance(node, (ast.Global, ast.Nonlocal)), f"{module}:{node.lineno} rebinds a global"
        for node in tree(module).body:
            if isinstance(node, ast.AugAssign):
                pytest.fail(f"{module}:{node.lineno} changes a global")
            if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
                continue
            names = [
                name.id
                for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
                for name in ast.walk(target)
                if isinstance(name, ast.Name)
            ]
            again = {f"{path.stem}.{name}" for name in bound & set(names)} - BOUND_TWICE
            assert not again, f"{module}:{node.lineno} binds {again} twice"
            bound |= set(names)
            mutable = [part for part in ast.walk(node.value) if _makes_something_mutable(part)]
            if {f"{path.stem}.{name}" for name in names} <= CONSTANT_ARRAYS:
                continue
            assert not mutable, f"{module}:{node.lineno} holds {ast.unparse(mutable[0])}"


def _makes_something_mutable(node: ast.AST) -> bool:
    """Return whether an expression's part is a list, a set, a dict, an array or an unknown object."""
    if isinstance(node, (ast.List, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp)):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = ast.unparse(node.func)
    plain = {
        "range",
        "rows",
        "len",
        "int",
        "float",
        "np.iinfo",
        "np.finfo",
        "np.int32",
        "np.int64",
        "np.uint8",
        "np.uint64",
    }
    return not (name.startswith("math.") or name in plain | NUMBERS)


def test_tables_of_arrays_are_handed_to_kernels_by_reference() -> None:
    """A named tuple that isn't marked is handed on member by member, which takes kernels long to compile."""
    arrays = {"F64", "F32", "I64", "I32", "I8", "U64", "U8", "Records"}
    marked = 0
    for module in sources():
        if room_of(module) not in {"kernels", "reports"}:
            continue
        for node in tree(module).body:
            if not isinstance(node, ast.ClassDef) or "NamedTuple" not in {ast.unparse(base) for base in node.bases}:
                continue
            held = {ast.unparse(part.annotation) for part in node.body if isinstance(part, ast.AnnAssign)}
            is_marked = bool({"table", "ruled"} & {ast.unparse(one) for one in node.decorator_list})
            marked += is_marked
            assert is_marked or not held & arrays or node.name == "Nearby", f"{module}.{node.name}"
    assert marked > 20


def test_names_of_numbers_are_types() -> None:
    """Wherever a kernel binds `U`, it is numpy's unsigned number, or an alias of whole numbers for the type checker."""
    bound = [
        (module, ast.unparse(node.value))
        for module in sources()
        if room_of(module) == "kernels"
        for node in ast.walk(tree(module))
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id in NUMBERS
    ]
    assert bound
    assert {value for _, value in bound} <= {"int", "np.uint64"}, bound


ALLOCATING = {
    "arange", "array", "asarray", "ascontiguousarray", "astype", "broadcast_to", "column_stack", "concatenate", "copy",
    "diff", "dot", "empty", "empty_like", "eye", "flatnonzero", "full", "full_like", "hstack", "linspace", "nonzero",
    "ones", "ones_like", "outer", "repeat", "sort", "argsort", "stack", "tile", "unique", "vstack", "where", "zeros",
    "zeros_like",
}  # fmt: skip


def test_kernels_that_make_arrays_say_so() -> None:
    """`jit`, `inline` and `lane` compile without counting who holds an array, and numba lets them make some."""
    making: set[str] = set()
    plain: dict[str, tuple[str, ast.FunctionDef]] = {}
    for module in sources():
        if room_of(module) != "kernels" or module == "airpicture.kernels._jit":
            continue
        for node in tree(module).body:
            if isinstance(node, ast.FunctionDef):
                how = {ast.unparse(one) for one in node.decorator_list}
                if how & {"jit_making_arrays", "inline_making_arrays"}:
                    making.add(node.name)
                elif how & {"jit", "inline", "lane"}:
                    plain[f"{module}.{node.name}"] = (module, node)
    assert making
    assert len(plain) > 100
    own = {node.name for _, node in plain.values()}
    for name, (_, node) in plain.items():
        for part in ast.walk(node):
            if isinstance(part, (ast.List, ast.ListComp, ast.Dict, ast.Set, ast.GeneratorExp)):
                pytest.fail(f"{name}:{part.lineno} makes {ast.unparse(part)}")
            if isinstance(part, ast.Call):
                called = ast.unparse(part.func).split(".")
                assert called[-1] not in making, f"{name}:{part.lineno} calls {called[-1]}, which makes arrays"
                makes = called[-1] in ALLOCATING and not (len(called) == 1 and called[0] in own)
                assert not makes, f"{name}:{part.lineno} makes an array by {ast.unparse(part)}"


@pytest.mark.parametrize("folder", ["src", "tests", "scripts", "benchmarks", "examples"])
def test_files_hold_one_idea(folder: str) -> None:
    for path in sorted((ROOT / folder).rglob("*.py")):
        lines = len(path.read_text("utf-8").splitlines())
        name = path.relative_to(ROOT).as_posix()
        assert lines <= LINES_MAX or name in LONG_FILES, f"{name} has {lines} lines: it holds two ideas, cut it"


@pytest.mark.parametrize("module", sources())
def test_whatever_has_a_public_name_says_what_it_is(module: str) -> None:
    whole = tree(module)
    assert ast.get_docstring(whole), f"{module} says nothing of itself"
    for node in whole.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{module}: {node.name}, line {node.lineno}"
