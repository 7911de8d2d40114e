"""What all tests share: where real recordings are, and sensors to hang plots on."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: the first example of a test may compile a kernel. Derandomised: the same examples on every run.
settings.register_profile("airpicture", deadline=None, derandomize=True)
settings.load_profile("airpicture")

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") in {"", "0"}
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder of real recordings, from AIRPICTURE_RECORDINGS; the tests that need it are skipped where it's absent."""
    folder = Path(os.environ.get("AIRPICTURE_RECORDINGS", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no folder of real recordings: set AIRPICTURE_RECORDINGS")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what only compiled kernels are quick enough for, where they run as plain Python."""
    if not COMPILED:
        for item in items:
            if "compiled" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="for compiled kernels"))
