"""The commands from files to files: what they write, what they print, and what they say to bad input."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import airpicture as ap
from airpicture.commands.cli import app
from airpicture.formats.sensors import write_sensors
from airpicture.tables import Plots, Tracks
from airpicture.words import counted

Made = tuple[Tracks, Plots]


@dataclass
class Files:
    """A folder with plots of four targets, their sensors, and tracks."""

    folder: Path

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def run(self, *words: str | Path) -> Result:
        """Run a command in this process; nothing but an exit code may come out of it."""
        here = Path.cwd()
        os.chdir(self.folder)
        try:
            result = CliRunner().invoke(app, [str(word) for word in words])
        finally:
            os.chdir(here)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        return result


@pytest.fixture
def files(tmp_path: Path, make: Callable[..., Made]) -> Files:
    tracks, plots = make(4, 8)
    plots.write(tmp_path / "plots.parquet")
    plots.write(tmp_path / "plots.csv")
    write_sensors(plots.sensors, tmp_path / "sensors.toml")
    tracks.write(tmp_path / "tracks.parquet")
    return Files(tmp_path)


# --- what they do ----------------------------------------------------------------------------------------------


def test_track_writes_every_format_and_a_summary(files: Files) -> None:
    names = ["t.parquet", "t.csv", "t.ast", "t.geojson", "t.geojsonl", "t.kml", "t.czml", "t.gpx", "t.html"]
    result = files.run("track", "plots.parquet", *[word for name in names for word in ("-o", name)])
    assert result.exit_code == 0, result.output
    for name in names:
        assert (files / name).stat().st_size > 100, name
    tracks = ap.read_tracks(files / "t.parquet")
    assert len(np.unique(tracks.track)) >= 4
    for word in (
        "records",
        "refused in reading",
        "refused in tracking",
        "tracks confirmed",
        "sigma",
        "real time",
        "written",
    ):
        assert word in result.stdout
    assert "Traceback" not in result.stderr


def test_track_names_its_output_after_the_input_and_replaces_nothing_unasked(files: Files) -> None:
    result = files.run("track", "plots.parquet", "--quiet")
    assert result.exit_code == 0, result.output
    assert result.output == ""
    made = files / "plots.tracks.parquet"
    before = made.read_bytes()
    again = files.run("track", "plots.parquet")
    assert again.exit_code == 1
    assert "plots.tracks.parquet" in again.stderr
    assert "-o" in again.stderr
    assert made.read_bytes() == before
    assert files.run("track", "plots.parquet", "-q", "-o", "plots.tracks.parquet").exit_code == 0


def test_track_takes_settings(files: Files) -> None:
    result = files.run(
        "track", "plots.csv", "--association", "nearest", "--period", "2", "--sensors", "sensors.toml", "-o", "n.csv"
    )
    assert result.exit_code == 0, result.output
    assert files.run("track", "plots.csv", "--association", "best").exit_code == 2
    assert files.run("track", "plots.csv", "--period", "0").exit_code == 2


def test_tables_get_the_columns_of_another_program(files: Files) -> None:
    result = files.run("track", "plots.parquet", "--columns", "traffic", "-o", "t.parquet", "-o", "t.kml")
    assert result.exit_code == 0, result.output
    names = pq.read_schema(files / "t.parquet").names
    assert {"timestamp", "icao24", "latitude", "vertical_rate"} <= set(names)
    assert files.run("convert", "tracks.parquet", "o.csv", "--columns", "opensky").exit_code == 0
    assert (files / "o.csv").read_text().startswith("time,icao24,lat,lon,velocity")
    refused = files.run("track", "plots.parquet", "--columns", "traffic", "-o", "t.kml")
    assert refused.exit_code == 1
    assert "no output is a table" in refused.stderr
    for words in (["plots.parquet", "p.parquet", "--what", "plots"], ["plots.parquet", "p.parquet"]):
        assert files.run("convert", *words, "--columns", "traffic").exit_code == 1


def test_info_tells_records_sensors_and_time(files: Files) -> None:
    result = files.run("info", "plots.parquet")
    assert result.exit_code == 0, result.output
    assert "north" in result.stdout
    assert "41.30000" in result.stdout
    assert "2023-08-29 10:00" in result.stdout


def test_info_json_is_clean(files: Files) -> None:
    result = files.run("info", "--json", "plots.parquet")
    found = json.loads(result.stdout)
    assert found[0]["plots"] == 32
    assert found[0]["sensors"][0]["sac"] == 25


def test_info_gives_a_sensors_file_to_complete(files: Files) -> None:
    (files / "sensors.toml").unlink()
    result = files.run("info", "plots.parquet")
    assert result.exit_code == 0, result.output
    assert "[[sensor]]" in result.stdout
    text = result.stdout[result.stdout.index("[[sensor]]") :]
    for key, value in (("lat_deg", "47.0"), ("lon_deg", "8.0"), ("h_ell_m", "500.0"), ("period_s", "4.0")):
        assert f"{key} = ..." in text, key
        text = text.replace(f"{key} = ...", f"{key} = {value}")
    (files / "filled.toml").write_text(text)
    assert ap.load_sensors(files / "filled.toml").period.tolist() == [4.0]
    track = files.run("track", "plots.parquet")
    assert track.exit_code == 1
    assert "sensors.toml" in track.stderr


def test_bearings_want_a_site_as_radars_do(files: Files) -> None:
    (files / "sensors.toml").unlink()
    (files / "bearings.csv").write_text("t_ns,sensor,azimuth_deg\n1700000000000000000,ears,45\n")
    said = files.run("info", "bearings.csv").stdout
    text = (
        said[said.index("[[sensor]]") :]
        .replace("lat_deg = ...", "lat_deg = 47.0")
        .replace("lon_deg = ...", "lon_deg = 8.0")
    )
    (files / "filled.toml").write_text(text.replace("h_ell_m = ...", "h_ell_m = 500.0"))
    assert ap.load_sensors(files / "filled.toml").ids == ("ears",)


def test_convert_plots_and_tracks(files: Files) -> None:
    (files / "out").mkdir()
    result = files.run("convert", "plots.csv", "out/p.parquet")
    assert result.exit_code == 0, result.output
    assert len(ap.read(files / "out" / "p.parquet")) == 32
    assert (files / "out" / "sensors.toml").exists()
    for name in ("k.csv", "k.geojson", "k.kml", "k.html", "k.ast"):
        result = files.run("convert", "tracks.parquet", name)
        assert result.exit_code == 0, (name, result.output)
        assert (files / name).stat().st_size > 100
    back = ap.read_tracks(files / "k.csv")
    assert np.allclose(np.sort(back.lat), np.sort(ap.read_tracks(files / "tracks.parquet").lat), atol=1e-12)
    wrong = files.run("convert", "plots.csv", "k2.kml")
    assert wrong.exit_code == 1
    assert "airpicture track" in wrong.stderr


def test_evaluate_prints_text_json_and_a_page(files: Files) -> None:
    same = ("evaluate", "--truth", "tracks.parquet", "--tracks", "tracks.parquet")
    text = files.run(*same)
    assert text.exit_code == 0, text.output
    assert "GOSPA" in text.stdout
    figures = json.loads(files.run(*same, "--json", "--html", "report.html").stdout)
    assert figures["update_rmse_horizontal_m"] < 1e-3
    assert figures["switches"] == 0
    assert "<html" in (files / "report.html").read_text()


def test_messages_without_a_position_are_told_to_begin_no_track(files: Files) -> None:
    (files / "sensors.toml").unlink()
    (files / "heights.csv").write_text(
        "t_ns,sensor,address,h_baro_ft\n"
        + "".join(f"{1_700_000_000_000_000_000 + k},a,5023656,39000\n" for k in range(3))
    )
    result = files.run("track", "heights.csv", "-o", "t.csv")
    assert result.exit_code == 0, result.output
    assert "3 reports tell no position, so no track begins" in result.stderr


def test_smoothing_does_not_claim_that_nothing_was_refused(files: Files) -> None:
    lines = (files / "plots.csv").read_text().splitlines()
    (files / "double.csv").write_text("\n".join([*lines, *lines[1:]]) + "\n")
    assert "32 duplicate" in files.run("track", "double.csv", "-o", "a.csv").stdout
    assert "not counted in hindsight" in files.run("track", "double.csv", "-o", "b.csv", "--smooth").stdout


def test_cat062_is_evaluated_with_its_date(files: Files) -> None:
    assert files.run("convert", "tracks.parquet", "t.ast").exit_code == 0
    words = ("evaluate", "--truth", "tracks.parquet", "--tracks", "t.ast", "--json")
    refused(files.run(*words), "no time in common", "the date")
    figures = json.loads(files.run(*words, "--date", "2023-08-29").stdout)
    assert figures["update_rmse_horizontal_m"] < 5.0  # a step of I062/105 is 60 cm, and times are of 1/128 s


def test_one_of_a_thing_is_called_so(files: Files) -> None:
    """A file of one plot is where people begin."""
    lines = (files / "plots.csv").read_text().splitlines()
    (files / "one.csv").write_text("\n".join(lines[:2]) + "\n")
    assert "1 plot written to" in files.run("convert", "one.csv", "one.parquet").stderr
    (files / "frame.avr").write_text("*8D4840D6202CC371C32CE0576098;\n")
    assert "1 message has no time" in files.run("info", "frame.avr").output
    assert (counted(1, "plot"), counted(0, "plot"), counted(2000, "entry", "entries")) == (
        "1 plot", "0 plots", "2,000 entries",
    )  # fmt: skip


def test_simulate_lists_runs_and_repeats(files: Files) -> None:
    names = files.run("simulate", "--list").stdout.split()
    assert "long-range" in names
    for folder in ("a", "b"):
        result = files.run("simulate", "crossing", "-o", folder, "--seed", "5", "--duration", "30")
        assert result.exit_code == 0, result.output
    for name in ("plots.parquet", "truth.parquet", "sensors.toml"):
        assert (files / "a" / name).read_bytes() == (files / "b" / name).read_bytes()
    assert len(ap.read(files / "a" / "plots.parquet")) > 0
    assert files.run("simulate").exit_code == 2
    assert files.run("simulate", "crossing").exit_code == 2


# --- bad input -------------------------------------------------------------------------------------------------


def refused(result: Result, *words: str) -> None:
    """Check one clear message on standard error and exit code 1."""
    assert result.exit_code == 1, result.output
    assert result.stderr.count("Error:") == 1
    for word in words:
        assert word in result.stderr, result.stderr


def edited(files: Files, **changes: str) -> Path:
    """Return a CSV of the plots in which the given columns of the third row are replaced."""
    lines = (files / "plots.csv").read_text().splitlines()
    heads = [head.strip('"') for head in lines[0].split(",")]
    cells = lines[3].split(",")
    for name, value in changes.items():
        cells[heads.index(name)] = value
    lines[3] = ",".join(cells)
    path = files / "edited.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_missing_empty_and_foreign_files(files: Files) -> None:
    refused(files.run("track", "nothing.pcap"), "nothing.pcap")
    (files / "empty.ast").write_bytes(b"")
    for command in ("track", "info"):
        refused(files.run(command, "empty.ast"), "empty.ast", "empty")
    (files / "letter.txt").write_text("Dear Sir or Madam\n")
    refused(files.run("info", "letter.txt"), "letter.txt", "Expected")
    (files / "picture.ast").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert files.run("track", "picture.ast").exit_code == 1
    (files / "half.gz").write_bytes(gzip.compress(b"x" * 9999)[:20])
    refused(files.run("info", "half.gz"), "half.gz")


def test_truncated_files(files: Files) -> None:
    whole = (files / "plots.parquet").read_bytes()
    (files / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    refused(files.run("track", "cut.parquet"), "cut.parquet")
    assert files.run("convert", "tracks.parquet", "whole.ast").exit_code == 0
    blocks = (files / "whole.ast").read_bytes()
    (files / "cut.ast").write_bytes(blocks[: len(blocks) - 7])
    result = files.run("info", "--json", "cut.ast")
    assert result.exit_code == 0, result.output
    assert sum(json.loads(result.stdout)[0]["refused"].values()) >= 1


def test_wrong_ending_is_read_by_content_or_refused(files: Files) -> None:
    (files / "plots.parquet").rename(files / "plots.pcap")
    assert files.run("info", "plots.pcap").exit_code == 0
    refused(files.run("track", "plots.csv", "-o", "t.xyz"), ".xyz", ".parquet")
    refused(files.run("convert", "plots.csv", "noending"), "noending")


def test_outputs_that_cannot_be(files: Files) -> None:
    refused(files.run("track", "plots.csv", "-o", "no/such/t.csv"), "folder")
    refused(files.run("track", "plots.csv", "-o", "plots.csv"), "plots.csv")
    refused(files.run("track", "plots.csv", "-o", "t.csv", "-o", "t.csv"), "t.csv")
    (files / "d.csv").mkdir()
    refused(files.run("convert", "tracks.parquet", "d.csv"), "folder")
    (files / "plain").mkdir()
    refused(files.run("track", "plots.csv", "-o", "plain"), "it's a folder")
    refused(files.run("demo", "-o", "plots.csv"), "plots.csv", "folder", "Choose another with -o")


def test_where_a_simulation_cannot_go_is_told_before_it_runs(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    import airpicture.simulation

    monkeypatch.setattr(airpicture.simulation, "simulate", lambda *_, **__: pytest.fail("it ran"))
    run = ("simulate", "crossing", "-o")
    refused(files.run(*run, "plots.csv"), "plots.csv: it's a file", "folder to write to", "Choose another with -o")
    refused(files.run(*run, "plots.csv/in/it"), "plots.csv' is no folder", "Choose another with -o")
    (files / "full" / "truth.parquet").mkdir(parents=True)
    refused(files.run(*run, "full"), "truth.parquet", "it's a folder")
    refused(files.run("track", "plots.csv", "-o", "plots.csv/t.csv"), "plots.csv' is no folder")
    monkeypatch.setattr(os, "access", lambda *_: False)
    refused(files.run(*run, "new/one"), "may not be written to", "Choose another with -o")
    assert not (files / "new").exists()


def test_a_folder_that_may_not_be_written_to_is_told_before_any_work(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    for words in (("track", "nothing.csv", "-o", "t.csv"), ("convert", "nothing.csv", "t.csv")):
        refused(files.run(*words), "t.csv", "may not be written to", "Choose another place")


def test_plots_are_no_truth(files: Files) -> None:
    words = ("it holds plots", "truth, or the tracks of a reference", "airpicture track")
    refused(files.run("evaluate", "--truth", "plots.csv", "--tracks", "tracks.parquet"), *words)


def test_an_overlay_that_is_no_geojson(files: Files) -> None:
    (files / "air.geojson").write_text("{}")
    words = ("air.geojson", "its type is None", "GeoJSON")
    refused(files.run("view", "tracks.parquet", "--no-browser", "--overlay", "air.geojson"), *words)


def test_a_host_that_is_not_there_is_named(files: Files) -> None:
    assert files.run("convert", "tracks.parquet", "t.ast").exit_code == 0
    refused(files.run("replay", "t.ast", "--to", "udp://nowhere.invalid:9"), "udp://nowhere.invalid:9", "the name")


def test_unknown_sensor(files: Files) -> None:
    text = (files / "sensors.toml").read_text().replace('id = "north"', 'id = "south"')
    (files / "other.toml").write_text(text)
    result = files.run("track", "plots.csv", "--sensors", "other.toml", "-o", "t.csv")
    assert result.exit_code == 1
    assert "north" in result.output
    assert "Error:" in result.stderr


def test_sensor_files_with_mistakes(files: Files) -> None:
    good = (files / "sensors.toml").read_text()
    (files / "typo.toml").write_text(good.replace("period_s", "perod_s"))
    refused(files.run("track", "plots.csv", "--sensors", "typo.toml"), "typo.toml", "perod_s", "period_s")
    (files / "broken.toml").write_text("[[sensor]\nid = ")
    refused(files.run("track", "plots.csv", "--sensors", "broken.toml"), "broken.toml")
    twin = good + good.split("[[sensor]]")[1].join(["[[sensor]]", ""]).replace('"north"', '"twin"')
    (files / "twins.toml").write_text(twin)
    refused(files.run("track", "plots.csv", "--sensors", "twins.toml"), "north", "twin", "25")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"range_m": "nan", "azimuth_deg": "nan"}, ""),
        ({"range_m": "-5"}, "range_m"),
        ({"azimuth_deg": "inf"}, ""),
        ({"azimuth_deg": "7000"}, "azimuth_deg"),
        ({"t_ns": "-1"}, "t_ns"),
        ({"sensor": "nowhere"}, ""),
        ({"range_m": "999999999"}, ""),
    ],
)
def test_bad_values_are_refused_by_name_or_counted(files: Files, changes: dict[str, str], reason: str) -> None:
    edited(files, **changes)
    result = files.run("track", "edited.csv", "-o", "t.csv")
    text = " ".join(result.output.split())
    if result.exit_code == 1:
        assert reason in result.stderr
        assert "edited.csv" in result.stderr
        return
    assert result.exit_code == 0
    assert not ("refused in reading none" in text and "refused in tracking none" in text), text


def test_plots_out_of_order_give_the_same_tracks(files: Files) -> None:
    lines = (files / "plots.csv").read_text().splitlines()
    (files / "back.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    assert files.run("track", "plots.csv", "-o", "a.csv").exit_code == 0
    assert files.run("track", "back.csv", "-o", "b.csv").exit_code == 0
    assert (files / "a.csv").read_bytes() == (files / "b.csv").read_bytes()


def test_duplicate_plots_are_counted_and_change_nothing(files: Files) -> None:
    lines = (files / "plots.csv").read_text().splitlines()
    (files / "double.csv").write_text("\n".join([lines[0], *(line for line in lines[1:] for _ in (1, 2))]) + "\n")
    assert files.run("track", "plots.csv", "-o", "a.csv").exit_code == 0
    result = files.run("track", "double.csv", "-o", "b.csv")
    assert result.exit_code == 0
    assert "32 duplicate" in " ".join(result.stdout.split())
    assert (files / "a.csv").read_bytes() == (files / "b.csv").read_bytes()


def test_scenario_with_a_typo(files: Files) -> None:
    refused(files.run("simulate", "long-rang", "-o", "x"), "long-rang")
    from importlib.resources import files as resources

    text = (resources("airpicture") / "scenarios" / "crossing.toml").read_text("utf-8")
    (files / "typo.toml").write_text(text.replace("[[group]]", "[[gruop]]", 1))
    refused(files.run("simulate", "typo.toml", "-o", "x"), "typo.toml", "gruop")
    refused(
        files.run("simulate", "sensors.toml", "-o", "x"), "sensors.toml", "no table [scenario]", "docs/scenarios.md"
    )
    assert not (files / "x").exists()


def test_usage_mistakes_end_with_2(files: Files) -> None:
    for words in (["track"], ["track", "plots.csv", "--edition", "abc"], ["--nonsense"], ["evaluate", "--truth", "a"]):
        assert files.run(*words).exit_code == 2


def test_names_from_files_do_not_steer_the_terminal(files: Files) -> None:
    text = (files / "plots.csv").read_text().replace("north", "no\x1b[31mrth[bold]")
    (files / "odd.csv").write_text(text)
    (files / "sensors.toml").unlink()
    result = files.run("info", "odd.csv")
    assert "\x1b[31m" not in result.output
    if result.exit_code == 0:
        assert "[bold]" in result.output


# --- as a process ----------------------------------------------------------------------------------------------


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    # Background jobs of a shell are born deaf to Ctrl-C, and so would this one be wherever tests run as one.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "from airpicture.__main__ import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_process_tells_a_mistake_in_one_line(files: Files) -> None:
    process = start(files.folder, "track", "nothing.pcap")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert err.startswith("Error: ")
    assert "nothing.pcap" in err
    assert "Traceback" not in err
    assert "\x1b" not in err  # no colours where there's no terminal


def test_debug_shows_the_traceback(files: Files) -> None:
    process = start(files.folder, "--debug", "track", "nothing.pcap")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" in err


def test_broken_pipe_is_silent(files: Files) -> None:
    process = start(files.folder, "info", "plots.parquet")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stderr as stream:
        err = stream.read()
    process.wait(60)
    assert "Traceback" not in err
    assert "Error" not in err


def test_interrupt_ends_with_130_and_a_calm_line(files: Files) -> None:
    os.mkfifo(files / "slow.csv")  # reading it waits for ever
    process = start(files.folder, "info", "slow.csv")
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == "Stopped."
