"""What a user can do wrong, each with what was found, what was expected and what to do.

Exceptions belong to construction, configuration and the outermost call. In the stream a bad record becomes a
counted refusal, see `Reason`, and the rest goes on.
"""

from enum import IntEnum


class AirpictureError(Exception):
    """Base of every error that this package raises on purpose.

    Parameters
    ----------
    found, expected, todo : the three parts of the message; kept as attributes for programs
    """

    def __init__(self, found: str, *, expected: str = "", todo: str = "") -> None:
        self.found, self.expected, self.todo = found, expected, todo
        parts = [found.rstrip(".") + "."]
        if expected:
            parts.append(f"Expected {expected.rstrip('.')}.")
        if todo:
            parts.append(todo if todo.endswith("?") else todo.rstrip(".") + ".")
        super().__init__(" ".join(parts))


class ConfigError(AirpictureError):
    """A setting, scenario or sensor description that can't be used."""


class InputError(AirpictureError):
    """A file or table that can't be read; names the file, and the row and column where there is one."""

    def __init__(
        self,
        found: str,
        *,
        expected: str = "",
        todo: str = "",
        path: str = "",
        row: int | None = None,
        column: str = "",
    ) -> None:
        self.path, self.row, self.column = path, row, column
        where = ", ".join(
            part
            for part in (path, f"row {row}" if row is not None else "", f"column {column!r}" if column else "")
            if part
        )
        super().__init__(f"{where}: {found}" if where else found, expected=expected, todo=todo)


class Reason(IntEnum):
    """Why a plot was refused in the stream; the name is what counts are shown under."""

    OK = 0
    NOT_FINITE = 1  # NaN or infinity where a position or time is needed
    NO_POSITION = 2  # neither range with azimuth, nor a bearing, nor latitude with longitude
    RANGE_OUTSIDE = 3  # outside the sensor's range_m_min..range_m_max
    UNKNOWN_SENSOR = 4  # sensor index not in the sensor table
    DUPLICATE = 5  # same sensor, time and position as a plot already taken
    LATE = 6  # older than the tracker still folds in
    FUTURE = 7  # time stamp further ahead of now than clocks may differ
    BAD_VALUE = 8  # a value outside its physical limits (latitude over 90 degrees, ...)
    CAPACITY = 9  # a configured bound was reached; never shed silently
    SENSOR_WITHOUT_SITE = 10  # measured from a place that nobody described: a sensors.toml is wanted
