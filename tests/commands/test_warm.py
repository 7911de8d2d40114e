"""The first use after an installation: two processes compile what a tracker needs, each kernel once."""

import gc
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pytest

from airpicture.commands import warm
from airpicture.formats.sensors import sensors_from_rows
from airpicture.kernels import _jit
from airpicture.tables import Plots

PROGRAM = """
from airpicture.commands.warm import warm_up
warm_up(True)
import gc
from airpicture.kernels._jit import FOLDER, compiled
print(gc.isenabled(), compiled(), FOLDER)
"""


def test_what_is_compiled_already_is_not_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "first_use", lambda: False)
    monkeypatch.setattr(warm, "_track", lambda scans: pytest.fail("compiled"))
    warm.warm_up(True)


def test_the_first_messages_say_what_they_wait_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sensors = sensors_from_rows([{"id": "a", "kind": "adsb"}])
    places = Plots.blank(
        2, sensors, t_ns=np.arange(2), sensor=np.zeros(2, np.int32), lat=np.full(2, 0.8), lon=np.zeros(2)
    )
    messages = replace(places, lat=np.array([0.8, np.nan]), lon=np.array([0.0, np.nan]))
    monkeypatch.setattr("airpicture.kernels.warm.compiled", lambda needed: False)
    warm.tell_of_messages(places)
    warm.tell_of_messages(messages, quiet=True)
    assert capsys.readouterr().err == ""
    warm.tell_of_messages(messages)
    assert "messages without a position: compiling" in capsys.readouterr().err
    monkeypatch.setattr("airpicture.kernels.warm.compiled", lambda needed: True)
    warm.tell_of_messages(messages)
    assert capsys.readouterr().err == ""


def test_it_is_known_by_kernels_of_both_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that was stopped half-way must not pass for done."""
    monkeypatch.setattr(_jit, "FOLDER", tmp_path)
    folder = ours(tmp_path)
    for name in _jit.NEEDED:
        assert not _jit.compiled()
        (folder / f"{name}-10.py311.nbi").touch()
    assert _jit.compiled()


def test_kernels_of_another_installation_are_not_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """numba keeps them apart by where their sources lie, and asks how old these are."""
    monkeypatch.setattr(_jit, "FOLDER", tmp_path)
    for folder in (tmp_path / "kernels_of_another_place", ours(tmp_path)):
        assert not _jit.compiled()
        folder.mkdir(exist_ok=True)
        for name in _jit.NEEDED:
            (folder / f"{name}-10.py311.nbi").touch()
    assert _jit.compiled()
    for name in _jit.NEEDED:
        os.utime(ours(tmp_path) / f"{name}-10.py311.nbi", (1, 1))
    assert not _jit.compiled()


def ours(root: Path) -> Path:
    """Return the folder in which numba keeps kernels of this copy of the package, made if need be."""
    folder = root / Path(_jit._Cache(_jit.compiled).cache_path).name
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled so")
def test_two_processes_compile_each_kernel_once(tmp_path: Path) -> None:
    """What the second one compiles is what the first one needs, for the same types: else it compiles that, too."""
    settings = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    settings |= {
        "AIRPICTURE_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=settings, capture_output=True, text=True)
    collects, ready, folder = done.stdout.split()
    assert (collects, ready) == (str(gc.isenabled()), "True"), done.stderr
    made = Counter(path.name.split("-")[0] for path in Path(folder).glob("*/*.nbc"))
    for name in (
        "look.look_chunks",
        "snapshot.snapshot_rows",
        "life.age_due",
        "births.find_births",
        "at_once.find_near",
    ):
        assert made[name] == 1, made
