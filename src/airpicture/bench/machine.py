"""What the machine is and how fast its memory is, measured in the same run as what is set against it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from airpicture.tables import F64

TRIAD_MB: Final = 96  # of each of three arrays: several times any cache of these machines, in 0.3 GB
SLICE: Final = 8_192  # elements at a time: the product of a slice stays in the first or second cache
REPEATS: Final = 5
PEAK_SIZE: Final = 384  # of a matrix product that fits the second cache


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as it was at one time."""

    cpu: str
    cores: int  # that this process may use
    memory_gib: float  # NaN where the system doesn't tell
    python: str
    numpy: str
    numba: str
    triad_gb_s: tuple[float, ...]  # by number of threads, 1 first: a = b + s c, 24 bytes an element
    product_gflop_s: float  # float64 matrix product in cache, by numpy's BLAS on one thread


def describe(threads: int = 2) -> Machine:
    """Measure the machine; takes about a second and 300 MB for that time.

    Parameters
    ----------
    threads : bandwidth is measured with 1 up to this many
    """
    most = max(1, min(threads, cores()))
    return Machine(
        cpu=cpu_name(),
        cores=cores(),
        memory_gib=memory_gib(),
        python=platform.python_version(),
        numpy=np.__version__,
        numba=version("numba"),
        triad_gb_s=tuple(triad(k) for k in range(1, most + 1)),
        product_gflop_s=product(),
    )


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_name() -> str:
    """Return the name that the processor gives itself."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "unknown"


def memory_gib() -> float:
    """Return the memory of the machine, NaN where it doesn't tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, OSError, ValueError):
        return float("nan")


def peak_rss_mib() -> float:
    """Return the most memory that this process has had resident, NaN where the system doesn't tell."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 2**20 if sys.platform == "darwin" else used / 2**10


def triad(threads: int, megabytes: int = TRIAD_MB) -> float:
    """Return the memory bandwidth [GB/s] of ``a = b + s c``, best of a few passes.

    Counted are the 24 bytes of an element that the program names, not the line that a store fetches before.
    numpy does the sum slice by slice, so that the product in between never leaves the cache.

    Source: McCalpin, Memory bandwidth and machine balance in current high performance computers, IEEE TCCA Newsletter,
    December 1995 (STREAM).
    """
    size = megabytes * 1_000_000 // 8 // SLICE * SLICE
    a, b, c = np.zeros(size), np.ones(size), np.ones(size)
    edges = [size * k // threads // SLICE * SLICE for k in range(threads)] + [size]
    seconds = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(REPEATS):
            begun = time.perf_counter()
            done = [pool.submit(_add_scaled, a[lo:hi], b[lo:hi], c[lo:hi]) for lo, hi in pairwise(edges)]
            for one in done:
                one.result()
            seconds.append(time.perf_counter() - begun)
    return 24.0 * size / min(seconds) / 1e9


def _add_scaled(a: F64, b: F64, c: F64) -> None:
    scratch = np.empty(SLICE)
    for k in range(0, len(a), SLICE):
        scaled = scratch[: len(a) - k]
        np.multiply(c[k : k + SLICE], 3.0, out=scaled)
        np.add(b[k : k + SLICE], scaled, out=a[k : k + SLICE])


def product() -> float:
    """Return one thread's rate of float64 arithmetic [GFLOP/s] in a matrix product, best of many; NaN if it fails.

    In a process of its own, since numpy's BLAS takes its number of threads from the environment when it's loaded.
    """
    code = (
        "import time, numpy as np\n"
        f"a = np.ones(({PEAK_SIZE}, {PEAK_SIZE})); out = np.empty_like(a); best = 1e9\n"
        "for _ in range(30):\n"
        "    begun = time.perf_counter(); np.matmul(a, a, out=out); best = min(best, time.perf_counter() - begun)\n"
        f"print(2.0 * {PEAK_SIZE} ** 3 / best / 1e9)"
    )
    one = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "MKL", "OMP", "VECLIB")}
    try:
        run = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, **one}, capture_output=True, text=True, timeout=60
        )
        return float(run.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return float("nan")
