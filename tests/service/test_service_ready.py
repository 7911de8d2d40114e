"""What a service compiles or loads it has before it says that it's ready: no report waits for a kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from airpicture.formats.journal import Kind, Record
from airpicture.formats.stretch import Stretch
from airpicture.service.pipeline import Pipeline, split
from airpicture.service.ready import warm
from test_pipeline import NOON, S, records, settings

def loaded():
    found = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("airpicture"):
            for one in vars(module).values():
                if hasattr(one, "overloads"):
                    found[f"{one.py_func.__module__}.{one.py_func.__name__}"] = len(one.overloads)
    return found

warm(settings())
before = loaded()
pipeline = Pipeline(settings())
silence = [Record(Kind.TICK, NOON + (60 + k) * S) for k in range(1, 200)]
for run in split(Stretch.of([*records(), *silence])):
    step = pipeline.step(run)
    step.picture.moved()
    pipeline.watch_out()
counts = pipeline.tracker.counts
assert counts["tracks_begun"] > 20, counts
assert not len(step.picture), "tracks are to end, too"
print(*[name for name, count in loaded().items() if count > before.get(name, 0)])
"""


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled")
def test_no_report_waits_for_a_kernel() -> None:
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), *sys.path])
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == []
