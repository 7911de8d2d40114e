"""Foreign tables and folders of traces on the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from airpicture.commands.cli import app

T0 = 1_714_564_800


def info(*words: str) -> str:
    result = CliRunner().invoke(app, ["info", *words])
    return result.output


def test_a_mapping_is_taken_and_says_what_it_did(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"zeit,y,x,hoehe\n{T0},51.5,-0.1,36000\n")
    told = json.loads(info(str(path), "--json", "--input-columns", "t=zeit:s,lat=y,lon=x,h_baro=hoehe:ft"))[0]
    assert (told["plots"], told["t_ns_first"]) == (1, T0 * 10**9)
    assert any("h_baro=hoehe:ft" in note for note in told["notes"])


def test_a_mapping_of_one_command_is_not_the_next_ones(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"time,lat,lon,y\n{T0},51.5,-0.1,7\n")
    swapped = info(str(path), "--json", "--input-columns", "t=time,lat=y,lon=lon")
    plain = info(str(path), "--json")
    assert "lat=y" in swapped
    assert "lat=lat" in plain


def test_a_folder_of_traces_is_one_recording(tmp_path: Path) -> None:
    for k in range(3):
        folder = tmp_path / "traces" / f"0{k}"
        folder.mkdir(parents=True)
        rows = [[10.0 * j, 51.5, -0.1 + j / 1000, 36000, 450.0, 90.0] for j in range(5)]
        document = {"icao": f"4ca20{k}", "timestamp": T0, "trace": rows}
        (folder / f"trace_full_4ca20{k}.json").write_text(json.dumps(document))
    told = json.loads(info(str(tmp_path), "--json"))[0]
    assert told["records"] == {"aircraft": 3, "rows": 15}


def test_the_first_mode_s_recording_says_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from airpicture.commands.warm import tell_of_mode_s

    beast = str(Path(__file__).parents[1] / "formats" / "modes" / "recordings" / "sample_dump1090.beast.bin")
    other = tmp_path / "other.txt"
    other.write_text("nothing known")
    monkeypatch.setattr("airpicture.kernels.warm.compiled", lambda needed: False)
    tell_of_mode_s([str(tmp_path), str(other), beast], quiet=True)
    tell_of_mode_s([str(tmp_path)])
    assert "Mode S" not in capsys.readouterr().err
    tell_of_mode_s([beast])
    assert "compiling the decoder of Mode S" in capsys.readouterr().err
    monkeypatch.setattr("airpicture.kernels.warm.compiled", lambda needed: True)
    tell_of_mode_s([beast])
    assert "Mode S" not in capsys.readouterr().err
