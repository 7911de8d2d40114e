"""``airpicture simulate``: a scenario run, as files."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("simulate")
@click.argument("scenario", required=False)
@click.option("-o", "--output", "folder", metavar="DIR", help="Folder for plots.parquet, truth.parquet, sensors.toml.")
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Seed, instead of the scenario's own.")
@click.option(
    "--duration",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="Seconds, instead of the scenario's own.",
)
@click.option("--list", "listing", is_flag=True, help="Name the scenarios that come with airpicture.")
def command(scenario: str | None, folder: str | None, seed: int | None, duration: float | None, listing: bool) -> None:
    """Run a scenario and write its plots, truth and sensors.

    SCENARIO is a TOML file or the name of one that comes with airpicture. The same scenario and seed give the same
    files.
    """
    from airpicture.simulation import available

    if listing:
        for name in available():
            click.echo(name)
        return
    if scenario is None:
        raise click.UsageError("Missing argument 'SCENARIO'. 'airpicture simulate --list' names those that come along.")
    if folder is None:
        raise click.UsageError("Missing option '-o' / '--output': the folder to write to.")
    from airpicture.commands import account, console
    from airpicture.commands.options import check_folder
    from airpicture.simulation import simulate

    check_folder(Path(folder), ("plots.parquet", "truth.parquet", "sensors.toml"))
    made = simulate(scenario, seed=seed, duration_s=duration)
    made.write(folder)
    plots, truth = made.plots, made.truth
    clutter = int((plots.truth < 0).sum())
    rows = [
        ("scenario", f"{made.scenario.name}, seed {made.scenario.seed}"),
        ("duration", console.seconds(made.scenario.duration)),
        ("sensors", ", ".join(made.sensors.ids)),
        ("targets", console.count(len(truth.target_names))),
        ("plots", f"{console.count(len(plots))}, of them {console.count(clutter)} false"),
        ("time", f"{account.utc(made.scenario.t_ns_start)} UTC onwards"),
        ("written", str(Path(folder))),
    ]
    console.output().print(console.table("", rows))
