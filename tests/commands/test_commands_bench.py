"""``airpicture bench`` from outside: tables, JSON, refusals."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from airpicture.bench import suite
from airpicture.commands.bench import command, duration, percent


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "airpicture", "bench", *words], capture_output=True, text=True, timeout=300
    )


def test_json_holds_machine_speed_and_accuracy() -> None:
    result = bench("--targets", "200", "--turns", "2", "--json", "--quiet")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert set(found) >= {"machine", "turns", "sectors"}
    one = found["turns"][0]
    assert one["targets"] == 200
    assert one["turns"] == 2
    assert one["score"]["complete_settled"] > 0.8
    assert one["by_threads"][0]["wall_s_turn"] > 0
    assert found["sectors"][0]["steps_a_turn"] == 32
    assert found["sectors"][0]["by_threads"][0]["cpu_s_step_max"] > 0.0
    assert len(found["machine"]["triad_gb_s"]) >= 1


def test_tables_have_a_row_for_each_size() -> None:
    result = CliRunner().invoke(command, ["--targets", "100", "--targets", "150", "--turns", "1", "--quiet"])
    assert result.exit_code == 0, result.output
    for words in ("This machine", "Speed", "Memory", "Accuracy", "step by step"):
        assert words in result.output
    assert result.output.count("\n 100 ") == result.output.count("\n 150 ") >= 3
    assert "NO" not in result.output.replace("NOT", "")


def test_too_many_for_one_step_are_given_frame_by_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "WHOLE_MOST", 100)
    result = CliRunner().invoke(command, ["--targets", "150", "--turns", "1", "--quiet"])
    assert result.exit_code == 0, result.output
    for words in ("40 steps a turn", "frame by frame, without", "Memory", "Accuracy"):
        assert words in result.output
    assert "a turn of 10 s, from plots to picture" not in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--targets", "0"], "--targets"),
        (["--targets", "many"], "--targets"),
        (["--timing", "sometimes"], "--timing"),
        (["--turns", "0"], "--turns"),
        (["--peers", "--storm"], "one of --peers, --storm and --start"),
    ],
)
def test_wrong_usage_is_named(words: list[str], said: str) -> None:
    result = bench(*words)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_too_many_for_the_peer() -> None:
    pytest.importorskip("stonesoup")
    result = bench("--peers", "--targets", "5000")
    assert result.returncode == 1
    assert "1,000 at most" in result.stderr.replace("\n", " ")


def test_numbers_for_reading() -> None:
    assert duration(1.234) == "1.23 s"
    assert duration(0.0456) == "45.6 ms"
    assert duration(0.0000456) == "46 µs"
    assert percent(0.9876) == "98.8 %"
    assert percent(float("nan")) == "-"
