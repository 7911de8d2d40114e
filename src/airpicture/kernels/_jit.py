"""The one decorator of all kernels, and the cache that is keyed by their sources.

numba notices an edit in a kernel's own file but not in a kernel that it calls in another file: it would go on with the
old code. So the cache folder carries a hash of every kernel source. It must be set before numba is imported; kernels
therefore import ``numba`` only through this module.
"""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast


def _cache_folder() -> Path:
    """Return the user's cache folder for the present kernel sources."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for source in sorted(root.rglob("*.py")):
        if "import jit" in (text := source.read_text("utf-8")) or source.parent.name == "kernels":
            digest.update(text.encode())
    if base := os.environ.get("AIRPICTURE_CACHE_DIR"):
        parent = Path(base)
    elif sys.platform == "win32":
        parent = Path(os.environ.get("LOCALAPPDATA", Path.home())) / "airpicture"
    else:
        parent = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "airpicture"
    folder = parent / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # a read-only home must not stop a tracker
        folder = Path(tempfile.gettempdir()) / f"airpicture-{os.getuid() if hasattr(os, 'getuid') else 0}" / folder.name
        folder.mkdir(parents=True, exist_ok=True)
    return folder


os.environ.setdefault("NUMBA_CACHE_DIR", str(_cache_folder()))

import numba  # noqa: E402  (after the cache folder is set, see above)

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# "nnan" and "ninf" are left out: NaN means "not known" here and must survive. "reassoc" is left out: sums must give the
# same bits on every run, batch and thread count.
FASTMATH = {"nsz", "arcp", "contract", "afn"}


def jit(function: Kernel) -> Kernel:
    """Compile a kernel: cached, without the interpreter lock, dividing as numpy does, NaN kept meaningful."""
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FASTMATH)(function)
    return cast(Kernel, compiled)


def inline(function: Kernel) -> Kernel:
    """Compile a small function that kernels call; inlined by LLVM, not cached on its own."""
    compiled = numba.njit(nogil=True, error_model="numpy", fastmath=FASTMATH, inline="never")(function)
    return cast(Kernel, compiled)
