"""Help answers at once: nothing heavy is imported before a command does its work."""

import os
import re
import subprocess
import sys

import pytest

from airpicture import __version__
from airpicture.commands.cli import COMMANDS

HEAVY = ("numpy", "numba", "scipy", "pyarrow", "pandas", "rich", "http.server")


def run(*words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    program = ["-c", code] if code else ["-m", "airpicture"]
    return subprocess.run([sys.executable, *program, *words], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)], ids=lambda words: words[0])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\n"
        "from airpicture.__main__ import main\n"
        "try:\n    main()\n"
        f"finally:\n    print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    result = run(*words, code=code)
    assert result.returncode == 0, result.stderr
    assert "Usage:" in result.stdout
    assert "LOADED []" in result.stdout


def test_help_is_quick() -> None:
    taken = []
    for _ in range(3):
        before = os.times()
        run("track", "--help")
        after = os.times()
        taken.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(taken) < 0.6  # s of CPU: 0.15 when measured, where importing numpy and numba alone takes 0.9


def test_every_command_has_its_line_and_its_page() -> None:
    text = run("--help").stdout
    for name, line in COMMANDS.items():
        assert re.search(rf"^  {name}\b", text, re.MULTILINE)
        assert line.split()[0] in text
    assert "Exit codes" in text


def test_version() -> None:
    assert run("--version").stdout.strip() == f"airpicture, version {__version__}"


def test_slip_of_the_keys_names_the_nearest() -> None:
    result = run("trakc", "x")
    assert result.returncode == 2
    assert "Did you mean 'track'?" in result.stderr
