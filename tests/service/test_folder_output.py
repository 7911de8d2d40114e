"""A folder of readsb's files that can't be written: counted, and told once."""

from __future__ import annotations

from pathlib import Path

import pytest

from airpicture.service.address import Address
from airpicture.service.outputs import make_outputs
from airpicture.service.settings import OutputSettings
from map_scenes import Scene


def test_a_folder_that_cannot_be_written_to_is_told_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene, folder = Scene(3), tmp_path / "there"
    settings = OutputSettings("tar1090", "aircraft-json", Address("file", path=str(folder)))
    output = make_outputs([settings], scene.update(0.0).tracks.sensors)[0]
    for t_s in (0.0, 2.0, 4.0):  # nobody has made the folder
        output.take(scene.update(t_s))
    said = capsys.readouterr().err
    assert said.count("tar1090: ") == 1
    assert "aircraft.json can't be written: No such file or directory; trying again" in said
    assert output.counts["failures"] == 6
    folder.mkdir()
    output.take(scene.update(6.0))
    assert output.counts["sent"] == 2
    folder.rename(tmp_path / "gone")
    output.take(scene.update(8.0))
    assert "can't be written" in capsys.readouterr().err
