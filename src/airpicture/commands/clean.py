"""``airpicture clean``: a recording in, every report of it out, with what is wrong with it and its smoothed state."""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from pathlib import Path

import click

from airpicture.commands.options import check_outputs, how_to_read, reading

CLEAN_ENDINGS = (".parquet", ".csv")


@click.command("clean")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@reading
@click.option(
    "-o",
    "--output",
    "output",
    required=True,
    metavar="FILE",
    help="Where to write: .parquet or .csv; replaces a file of that name.",
)
@click.option("--good-only", is_flag=True, help="Write only the reports that nothing was found against.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary.")
def command(
    inputs: Sequence[str],
    sensor_file: str | None,
    editions: Sequence[tuple[str, str]],
    date: datetime.datetime | None,
    output: str,
    good_only: bool,
    quiet: bool,
) -> None:
    """Find wrong reports by physics; keep each, flagged, with the smoothed state beside it.

    INPUT is any known recording of plots; several are taken as one. Each report is judged by all others of its track,
    those before it and those after it. Flags: outlier, height_wrong, stale, duplicate, time_wrong, identity_wrong.
    docs/cleaning.md explains the columns.
    """
    target = Path(output)
    check_outputs([target], [Path(name) for name in inputs], CLEAN_ENDINGS)

    from airpicture.commands import account, console
    from airpicture.commands.warm import tell_of_messages, warm_up
    from airpicture.errors import InputError
    from airpicture.smoothing import Flag, clean

    recording = account.read_inputs(inputs, how_to_read(sensor_file, editions, date) | {"repeats": True}, quiet)
    account.tell_notes(recording.report, quiet)
    if len(recording.plots) == 0:
        raise InputError(
            f"no plot to judge (refused: {account.by_reason(recording.report.refused)})",
            expected="a recording with plots",
            todo="See 'airpicture info'",
            path=recording.report.path,
        )
    warm_up(quiet)
    tell_of_messages(recording.plots, quiet)
    begun = time.monotonic()
    with console.progress("Tracking", "plots", quiet) as report:
        cleaned = clean(recording.plots, recording.sensors, progress=report)
    took = time.monotonic() - begun
    cleaned.write(target, good_only=good_only)
    if quiet:
        return
    size = len(cleaned)
    rows = account.reading_rows(recording.report, recording.plots)
    for flag in Flag:
        found = int(cleaned.marked(flag).sum())
        rows.append((str(flag.name).lower().replace("_", " "), f"{console.count(found)}, {100 * found / size:.2f} %"))
    rows.append(("nothing found against", console.count(int((cleaned.flags == 0).sum()))))
    rows.append(("of no track, so not judged", console.count(int((cleaned.track < 0).sum()))))
    rows.append(("time", f"{console.seconds(took)}, {console.rate(size / max(took, 1e-9))} plots/s"))
    rows.append(("written", str(target)))
    console.output().print(console.table("", rows))
