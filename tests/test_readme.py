"""What the README promises: its commands are those that CI runs, its files exist, its Python is the package's."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import click
import pytest

import airpicture as ap
from airpicture.commands.cli import COMMANDS, app

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text("utf-8")


NAMES = ("demo", "view", "serve", "replay", "info", "track", "clean", "convert", "simulate", "evaluate", "bench")


def blocks(language: str) -> list[str]:
    """Return the README's blocks of code in a language."""
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_two_commands_of_one_line_each() -> None:
    demo, test = (block.strip() for block in blocks("sh")[:2])
    for line in (demo, test):
        assert "\n" not in line
        assert line.startswith("python3 -m venv .venv && .venv/bin/python -m pip install ")
    assert demo.endswith("airpicture demo")


def test_ci_runs_the_test_command() -> None:
    gate = (ROOT / ".ci" / "run").read_text("utf-8")
    install = re.search(r"pip install (-e '[^']+')", blocks("sh")[1])
    tests = re.search(r"python (-m pytest[^\n]*)", blocks("sh")[1])
    assert install is not None
    assert tests is not None
    assert f"install {install[1]}\n" in gate
    assert f"python {tests[1]}\n" in gate
    assert gate.index(install[1]) < gate.index(tests[1]) < gate.index("scripts/check\n")


def test_every_command_is_in_the_table() -> None:
    assert re.findall(r"^\| `airpicture (\w+)", TEXT, re.MULTILINE) == [name for name in NAMES if name in COMMANDS]
    assert set(COMMANDS) == set(NAMES)


def test_ten_lines_to_a_picture() -> None:
    first = blocks("python")[0]
    assert len([line for line in first.splitlines() if line.strip()]) <= 10
    for node in (node for block in blocks("python") for node in ast.walk(ast.parse(block))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ap":
            assert hasattr(ap, node.attr), node.attr


def test_the_lines_do_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ap.simulate("crossing", duration_s=60).write(tmp_path)
    (tmp_path / "plots.parquet").rename(tmp_path / "recording.parquet")
    monkeypatch.chdir(tmp_path)
    space: dict[str, object] = {}
    for block in blocks("python"):  # one after the other, as somebody who reads on would
        exec(compile(block.replace("recording.pcap", "recording.parquet"), "README.md", "exec"), space)
    assert ap.read_tracks("tracks.parquet").track.size > 10
    assert len(space["smoothed"]) > 10  # type: ignore[arg-type]
    assert (tmp_path / "cleaned.parquet").stat().st_size > 1000
    assert space["picture"].tracks.status.tolist() == [ap.Status.CONFIRMED]  # type: ignore[attr-defined]
    assert isinstance(space["tracker"], ap.Tracker)


PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("src/**/README.md")]
)


def anchors(page: Path) -> set[str]:
    """Return the anchors that the headings of a page give, as code hosts make them."""
    titles = re.findall(r"^#+ +(.+?) *$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", page.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        met = page.parent / target if target else page
        assert met.exists(), target
        assert not anchor or anchor in anchors(met), f"{target}#{anchor}"


def test_pages_that_are_named_exist_and_every_page_is_listed() -> None:
    listed = (ROOT / "docs" / "README.md").read_text("utf-8")
    assert set(re.findall(r"\]\((\w+\.md)\)", listed)) == {p.name for p in ROOT.glob("docs/*.md")} - {"README.md"}
    told = [ROOT / name for name in PAGES] + [*ROOT.glob("src/**/*.py"), *ROOT.glob("examples/*.py")]
    for path in told:
        for page in re.findall(r"docs/\w+\.md", path.read_text("utf-8")):
            assert (ROOT / page).is_file(), f"{path}: {page}"


FOLDERS = ("src", "tests", "benchmarks", "scripts", "examples")
SOURCES = [path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize("name", PAGES)
def test_files_of_code_that_pages_name_exist(name: str) -> None:
    """A page names a file by as much of its path as tells it apart, and what's in it as `file.name`."""
    if name == "CHANGELOG.md":  # tells of what was, too
        return
    text = (ROOT / name).read_text("utf-8")
    for told in re.findall(r"`([\w/.-]+\.py)`", text):
        assert any(f"/{path}".endswith(f"/{told}") for path in SOURCES), told
    for module, what in re.findall(r"`(_?[a-z]+)\.(?!py`)(_?[a-z]\w+)`", text):
        homes = [path for path in SOURCES if path.endswith(f"/kernels/{module}.py")]
        assert not homes or re.search(rf"\b{what}\b", (ROOT / homes[0]).read_text("utf-8")), f"{module}.{what}"


def test_every_kernel_stands_in_the_list_of_its_room() -> None:
    room = ROOT / "src" / "airpicture" / "kernels"
    told = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""
    rows = [line[20:] for line in told.splitlines() if line.startswith("    ")]
    listed = {name for row in rows for name in row.split(", ") if not name.endswith("...")}
    families = tuple(name[:-3] for row in rows for name in row.split(", ") if name.endswith("..."))
    assert listed == {path.stem for path in room.glob("[a-z]*.py") if not path.stem.startswith(families)}


@pytest.mark.parametrize("name", PAGES)
def test_commands_that_pages_show_exist_with_their_options(name: str) -> None:
    for line in (ROOT / name).read_text("utf-8").splitlines():
        for command, rest in re.findall(r"\bairpicture (\w+)([^`|]*)", line):
            if command in COMMANDS:
                made = app.get_command(click.Context(app), command)
                assert made is not None
                known = {option for one in made.params for option in one.opts} | {"--help"}
                assert set(re.findall(r"(?<=\s)--?[a-z][\w-]*", rest.split(" #")[0])) <= known, line
        for script, rest in re.findall(r"python ((?:benchmarks|scripts)/\w+\.py)([^`|]*)", line):
            text = (ROOT / script).read_text("utf-8")
            for option in re.findall(r"--[a-z][\w-]*", rest.split(" #")[0]):
                assert f'"{option}"' in text, line


def test_figures_told_twice_agree() -> None:
    """The short table of docs/adsb.md is of the last run of scripts/real_accuracy.py, which writes docs/accuracy.md."""
    pages = {name: (ROOT / "docs" / name).read_text("utf-8").splitlines() for name in ("adsb.md", "accuracy.md")}
    cells = {name: [line.strip("| ").split(" | ") for line in page] for name, page in pages.items()}
    measured = {row[0]: [cell.split(" / ")[0] for cell in row[3:5]] for row in cells["accuracy.md"] if len(row) == 6}
    head = next(k for k, row in enumerate(cells["adsb.md"]) if row[0] == "Recording" and row[1].startswith("Tracked"))
    told = [row for row in cells["adsb.md"][head + 2 : head + 9] if row[0].startswith("`calibration_")]
    assert len(told) == 7
    for name, tracked, tracked_across, smoothed, smoothed_across in told:
        assert [tracked, smoothed] == measured[name.strip("`")], name
        across = measured[f"{name.strip('`')}, beside the way flown"]
        assert [tracked_across, smoothed_across] == across, name


def test_the_changelog_knows_this_version() -> None:
    assert f"## [{ap.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_tree_in_the_readme_is_the_tree() -> None:
    rooms = {path.name for path in (ROOT / "src" / "airpicture").iterdir() if (path / "__init__.py").is_file()}
    drawn = set(
        re.findall(r"(\w+)/", TEXT[TEXT.index("src/airpicture/tables.py") : TEXT.index("docs/design.md) argues")])
    )
    assert rooms <= drawn, rooms - drawn


def test_notices_go_with_the_package() -> None:
    """The licences of what the package holds of others' work ask for their text in every copy."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    packed = {path for pattern in project["license-files"] for path in ROOT.glob(pattern)}
    assert packed == {ROOT / "LICENSE", *(ROOT / "LICENSES").iterdir()}
