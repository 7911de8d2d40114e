"""``python -m airpicture`` and the ``airpicture`` command."""

from airpicture.commands.cli import app


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    app()


if __name__ == "__main__":
    main()
