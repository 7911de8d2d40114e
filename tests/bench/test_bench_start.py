"""The first use is measured in processes of their own, with a cache of their own."""

import os

import pytest

from airpicture.bench import start
from airpicture.errors import InputError


def test_each_run_is_timed_and_the_second_finds_the_first_ones_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import os, pathlib, time; seen = pathlib.Path(os.environ['AIRPICTURE_CACHE_DIR']) / 'seen'\n"
        "assert 'NUMBA_CACHE_DIR' not in os.environ\n"
        "time.sleep(0.0 if seen.exists() else 1.0); seen.touch(); print(7)"
    )
    monkeypatch.setenv("NUMBA_CACHE_DIR", os.getcwd())
    monkeypatch.setattr(start, "PROGRAM", program)
    first, later = start.start_seconds()
    assert first > 1.0
    assert later < first


@pytest.mark.parametrize("program", ["raise SystemExit('no kernels today')", "print(0)", "print('a note')"])
def test_a_program_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(start, "PROGRAM", program)
    with pytest.raises(InputError, match="couldn't be run"):
        start.start_seconds()


@pytest.mark.slow
def test_the_real_program_runs() -> None:
    first, later = start.start_seconds()
    assert later < first
