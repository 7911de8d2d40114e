"""``airpicture serve``: the live picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from airpicture.service.settings import Settings


@click.command("serve")
@click.argument("config", required=False, metavar="[CONFIG]")
@click.option(
    "--in", "inputs", multiple=True, metavar="FROM",
    help="An input, instead of a file: beast://localhost:30005, asterix:udp://239.1.1.1:8600, sbs://HOST:PORT, "
    "aircraft-json:/run/readsb, replay:FILE?speed=10&loop=1, - (standard input). May be repeated.",
)  # fmt: skip
@click.option(
    "--out", "outputs", multiple=True, metavar="TO",
    help="An output: cat062:udp://239.1.1.9:8609, aircraft-json:/run/airpicture, cot:udp://239.2.3.1:6969, "
    "sbs:listen://127.0.0.1:30003, parquet:FOLDER, webhook:https://... May be repeated.",
)  # fmt: skip
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", help="Of the map; 0: any free one.  [default: 8080]"
)
@click.option("--sensors", "sensor_file", default="", metavar="FILE", help="Sensor description (sensors.toml).")
@click.option("--journal", default="", metavar="FOLDER", help="Where to keep what comes in.  [default: in memory]")
@click.option("--check", is_flag=True, help="Check the settings and end.")
@click.option("--example", is_flag=True, help="Print a commented file of settings and end.")
def command(
    config: str | None,
    inputs: Sequence[str],
    outputs: Sequence[str],
    port: int | None,
    sensor_file: str,
    journal: str,
    check: bool,
    example: bool,
) -> None:
    """Track live sensors: sockets in, picture out, a map.

    CONFIG is a TOML file; beside a running receiver none is needed:

      airpicture serve --in beast://localhost:30005

    Then open http://127.0.0.1:8080/. Ctrl-C ends it.
    """
    if example:
        click.echo(example_text(), nl=False)
        return
    settings = _settings(config, inputs, outputs, port, sensor_file, journal)
    from airpicture.commands import console

    for note in settings.notes:
        console.note(f"Note: {note}")
    if check:
        _show(settings)
        return
    from airpicture.commands.warm import warm_up
    from airpicture.service.supervise import Supervisor

    warm_up(cat062=any(one.format == "cat062" for one in settings.outputs))

    def ready(told: dict[str, Any]) -> None:
        scheme = "https" if settings.web.tls_cert else "http"
        host = f"[{settings.web.host}]" if ":" in settings.web.host else settings.web.host
        console.note(f"The picture is at {scheme}://{host}:{told['web']}/ until Ctrl-C")
        for name, at in {**told["inputs"], **told["outputs"]}.items():
            if at:
                console.note(f"  {name}: port {at}")

    raise SystemExit(Supervisor(settings, ready).run())


def example_text() -> str:
    """Return the commented file of settings."""
    from importlib.resources import files

    return (files("airpicture") / "service" / "example.toml").read_text("utf-8")


def _settings(
    config: str | None, inputs: Sequence[str], outputs: Sequence[str], port: int | None, sensors: str, journal: str
) -> Settings:
    from airpicture.service.config import load_settings, parse_settings, settings_text
    from airpicture.service.toml import COMMAND_LINE

    if config is None:
        if not inputs:
            raise click.UsageError(
                "Give a file of settings, or an input: airpicture serve --in beast://localhost:30005. "
                "A file to begin with is printed by: airpicture serve --example"
            )
        text = settings_text(inputs, outputs, port=port, sensors=sensors, journal=journal)
        return parse_settings(text, COMMAND_LINE)
    if inputs or outputs or sensors or journal or port is not None:
        raise click.UsageError("Give either a file of settings, or --in, --out, --port, --sensors and --journal.")
    return load_settings(config)


def _show(settings: Settings) -> None:
    """Print what the settings say."""
    from airpicture.commands import console

    rows = [("sensors", ", ".join(settings.sensors.ids))]
    rows += [(f"input {one.name}", f"{one.format or 'any format'} from {one.address}") for one in settings.inputs]
    rows += [(f"output {one.name}", f"{one.format} to {one.address}") for one in settings.outputs]
    rows.append(("map and endpoints", f"{settings.web.host}:{settings.web.port}"))
    rows.append(("journal", settings.journal.folder or "in memory"))
    console.output().print(console.table("The settings are sound", rows))
