"""What commands print while they work."""

import pytest

from airpicture.commands import console


def test_lines_of_progress_tell_what_is_left_once_that_can_be_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with console.progress("Tracking", "plots") as report:
        for at_s, done in ((1.0, 1), (36.0, 5), (42.0, 1205), (43.0, 1300), (48.0, 2405)):
            now[0] = at_s
            report(done, 100_000)
    assert capsys.readouterr().err.splitlines() == [
        "Tracking: 0 %, 0 plots/s",
        "Tracking: 1 %, 200 plots/s, 8 min 14 s left",
        "Tracking: 2 %, 200 plots/s, 8 min 08 s left",
    ]
