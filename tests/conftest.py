"""What all tests share: where real recordings are, and sensors to hang plots on."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder of real recordings, from AIRPICTURE_RECORDINGS; the tests that need it are skipped where it's absent."""
    folder = Path(os.environ.get("AIRPICTURE_RECORDINGS", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no folder of real recordings: set AIRPICTURE_RECORDINGS")
    return folder
