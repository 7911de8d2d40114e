"""How long the first use after an installation takes, and every later one: two processes from start to tracks."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from airpicture.errors import InputError

# What a user's first program does: thirty seconds of one radar, tracked.
PROGRAM = (
    "from airpicture.commands.warm import warm_up; warm_up(True)\n"
    "import airpicture as ap\n"
    "print(len(ap.track(ap.simulate('crossing', duration_s=30).plots)))\n"
)


def start_seconds() -> tuple[float, float]:
    """Return the time from a process's start to its tracks, with no kernel compiled, and with all of them.

    Kernels are kept in a folder of their own, so that this changes nothing for others.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
        settings["AIRPICTURE_CACHE_DIR"] = folder
        settings["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        first, later = (_run(settings) for _ in range(2))
    return first, later


def _run(settings: dict[str, str]) -> float:
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=settings, capture_output=True, text=True)
    taken = time.perf_counter() - begun
    if done.returncode or not done.stdout.strip().isdigit() or int(done.stdout) == 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InputError(f"a first program couldn't be run: {last}", todo="Run 'airpicture demo' to see where it fails")
    return taken
