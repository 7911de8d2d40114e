"""What benchmarks share with the tests: their scenes, the bytes they make, their browser."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

TESTS = Path(__file__).resolve().parents[1] / "tests"


def of_tests(name: str) -> ModuleType:
    """Import a module from ``tests`` or ``tests/service``, which aren't packages and lean on one another."""
    for folder in (TESTS, TESTS / "service"):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    return import_module(name)
