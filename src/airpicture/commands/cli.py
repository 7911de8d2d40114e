"""The command group: names, lazy loading, exit codes, and one calm line for each thing that can go wrong.

Exit codes: 0 done; 1 something given can't be used (a file, a setting); 2 wrong usage of the command line; 130 stopped
with Ctrl-C.
"""

from __future__ import annotations

import os
import sys
import warnings
from importlib import import_module
from typing import Any, NoReturn

import click

from airpicture import __version__
from airpicture.errors import AirpictureError

# The one-line helps stand here so that the list of commands needs none of their modules.
COMMANDS = {
    "demo": "Track a real recording and a simulated 600 km radar; show them on the live map.",
    "track": "Turn recordings into system tracks.",
    "clean": "Flag wrong reports of a recording, with smoothed states beside them.",
    "view": "Show a recording on the live map, with a time line.",
    "info": "Say what a recording holds.",
    "convert": "Convert plots or tracks from one format to another.",
    "serve": "Track live sensors: sockets in, picture out, a map.",
    "replay": "Put a recording back on the wire.",
    "simulate": "Run a scenario: plots, truth and sensors.",
    "evaluate": "Measure tracks against truth or reference tracks.",
    "bench": "Measure speed, memory and accuracy on this machine.",
}
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class App(click.Group):
    """A group whose sub-commands are modules of this package, imported when they're called."""

    debug = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import one command."""
        if name not in COMMANDS:
            return None
        command = import_module(f"airpicture.commands.{name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for a slip of the keys name the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(COMMANDS)}."
            raise click.UsageError(f"There's no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run, and end the process with an exit code; see the module's docstring for the codes."""
        self.debug = False
        extra["standalone_mode"] = False
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            try:
                result = super().main(*args, **extra)
            except click.ClickException as error:
                error.show()
                sys.exit(error.exit_code)
            except click.Abort:
                _say("Stopped.")
                sys.exit(130)
            except (AirpictureError, MemoryError, OSError) as error:
                if self.debug:
                    raise
                sys.exit(_failed(error))
            except Exception as error:
                if self.debug:
                    raise
                _fail(
                    f"airpicture met a fault of its own: {type(error).__name__}: {error}. "
                    "Run it again as 'airpicture --debug ...' to see where, and report it with that output."
                )
                sys.exit(1)
        sys.exit(result if isinstance(result, int) else 0)


def _failed(error: Exception) -> int:
    """Say what went wrong outside this program and return the exit code."""
    if isinstance(error, AirpictureError):
        _fail(str(error))
    elif isinstance(error, MemoryError):
        _fail("There isn't enough memory for this input. Give it in parts, or track on a machine with more.")
    else:
        assert isinstance(error, OSError)
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}.")
    return 1


def _fail(text: str) -> None:
    from airpicture.commands.console import clean, errors

    console = errors()
    console.print("Error:", style="bold red", end=" ")
    console.print(clean(text), soft_wrap=True)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """Show a warning as a note without the line of code that gave it."""
    _say(f"Note: {message}")


def _set_debug(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        app.debug = True


@click.group(
    cls=App,
    context_settings=SETTINGS,
    epilog="Exit codes: 0 done, 1 an input or setting can't be used, 2 wrong usage, 130 stopped with Ctrl-C.",
)
@click.version_option(__version__, prog_name="airpicture")
@click.option(
    "--debug", is_flag=True, expose_value=False, callback=_set_debug, help="Show tracebacks instead of plain messages."
)
def app() -> None:
    """From sensor plots to one recognised air picture.

    Begin with:  airpicture demo

    Then with a recording of yours (ASTERIX .ast or .pcap, aircraft.json, SBS-1, plots as .parquet or .csv):

      airpicture info RECORDING

      airpicture track RECORDING -o tracks.parquet -o picture.html
    """
    os.environ.setdefault("NUMBA_NUM_THREADS", str(os.cpu_count() or 1))
