"""Reading one table of a scenario, key by key, so that every mistake is named with file, table, key and remedy.

A scenario is written by hand. A key that nobody knows is an error, never ignored: it would be a setting that silently
does nothing.
"""

import difflib
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from airpicture.errors import ConfigError


def nearest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return advice on a word that isn't known: the most alike one, or all of them after `otherwise`."""
    names = sorted(known)
    alike = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"Did you mean {alike[0]!r}?" if alike else otherwise and f"{otherwise} {', '.join(names)}"


class Table:
    """One table of a scenario file; each `take_*` checks one key, `finish` refuses the keys that were never asked for.

    Parameters
    ----------
    path : file, for messages
    where : the table, as in ``[[group]] number 2``
    raw : what the TOML reader gave
    """

    def __init__(self, path: str, where: str, raw: object) -> None:
        self.path, self.where = path, where
        if not isinstance(raw, Mapping):
            raise self.error("", f"is {_shown(raw)}", "a table", f"write {where} on a line of its own")
        self.raw: dict[str, Any] = dict(raw)
        self.asked: set[str] = set()

    def error(self, key: str, found: str, expected: str = "", todo: str = "") -> ConfigError:
        """Return the error for a key of this table, for the caller to raise."""
        name = f", key {key!r}" if key else ""
        return ConfigError(
            f"{self.path}: {self.where}{name} {found}", expected=expected, todo=todo[:1].upper() + todo[1:]
        )

    def take(self, key: str, default: Any = None, *, required: str = "") -> Any:
        """Return the raw value; `required` says what belongs there where it must not be missing."""
        self.asked.add(key)
        if key not in self.raw and required:
            near = difflib.get_close_matches(key, set(self.raw) - self.asked, n=1, cutoff=0.75)
            todo = f"rename {near[0]!r} to {key!r}" if near else f"add {key}"
            raise self.error(key, "is missing", required, todo)
        return self.raw.get(key, default)

    def number(self, key: str, default: float, *, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a number between low and high, both included."""
        return self._number(key, self.take(key, default), low, high)

    def needed_number(self, key: str, *, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a number that has no default."""
        return self._number(key, self.take(key, required=_between(low, high)), low, high)

    def optional(self, key: str, *, low: float = -math.inf, high: float = math.inf) -> float | None:
        """Return a number, or None where the key is absent."""
        value = self.take(key)
        return None if value is None else self._number(key, value, low, high)

    def whole(self, key: str, default: int, *, low: int, high: int = 2**31 - 1) -> int:
        """Return a whole number."""
        value = self.take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.error(key, f"is {_shown(value)}", f"a whole number from {low} to {high}")
        return value

    def span(
        self, key: str, default: tuple[float, float], *, low: float = -math.inf, high: float = math.inf
    ) -> tuple[float, float]:
        """Return a range: a number (both ends) or [smallest, largest]."""
        value = self.take(key, list(default))
        if not isinstance(value, list):
            single = self._number(key, value, low, high)
            return single, single
        if len(value) != 2:
            raise self.error(key, f"is {_shown(value)}", "a number or a pair [smallest, largest]")
        first, last = (self._number(key, v, low, high) for v in value)
        if first > last:
            raise self.error(key, f"is {_shown(value)}", "[smallest, largest]", "exchange the two numbers")
        return first, last

    def pair(
        self, key: str, default: tuple[float, float], *, low: float = -math.inf, high: float = math.inf
    ) -> tuple[float, float]:
        """Return two numbers in any order, such as the azimuths of a sector."""
        value = self.take(key, list(default))
        if not isinstance(value, list) or len(value) != 2:
            raise self.error(key, f"is {_shown(value)}", "a pair [from, to]")
        return self._number(key, value[0], low, high), self._number(key, value[1], low, high)

    def text(self, key: str, default: str, *, required: str = "") -> str:
        """Return a text that isn't empty."""
        value = self.take(key, default, required=required)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"is {_shown(value)}", required or "a text in quotes")
        return value

    def choice(self, key: str, default: str, known: Iterable[str], *, required: bool = False) -> str:
        """Return one of the known words."""
        names = list(known)
        value = self.take(key, default, required="one of " + ", ".join(names) if required else "")
        if value not in names:
            word = value if isinstance(value, str) else ""
            raise self.error(key, f"is {_shown(value)}", "one of " + ", ".join(names), nearest(word, names))
        return str(value)

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise self.error(key, f"is {_shown(value)}", "true or false, without quotes")
        return value

    def time(self, key: str, default: str) -> int:
        """Return a time as int64 ns of UTC since 1970, from ISO text or a TOML date-time; without a zone it's UTC."""
        value = self.take(key, default)
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise self.error(key, f"is {value!r}", "a time like 2026-01-31T12:00:00Z") from None
        if not isinstance(value, datetime):
            raise self.error(key, f"is {_shown(value)}", "a time like 2026-01-31T12:00:00Z")
        when = value if value.tzinfo else value.replace(tzinfo=UTC)
        since = when - datetime(1970, 1, 1, tzinfo=UTC)
        return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000

    def table(self, key: str) -> "Table":
        """Return a sub-table, empty where it's absent."""
        return Table(self.path, f"{self.where}.{key}", self.take(key, {}))

    def tables(self, key: str) -> list["Table"]:
        """Return the tables of an array of tables, numbered from 1 in messages."""
        value = self.take(key, [])
        if isinstance(value, Mapping):
            raise self.error(key, "is a single table", f"an array of tables: [[{key}]] in double brackets")
        if not isinstance(value, list):
            raise self.error(key, f"is {_shown(value)}", f"an array of tables: [[{key}]]")
        prefix = f"{self.where}." if self.where.startswith("[[") else ""
        return [Table(self.path, f"{prefix}[[{key}]] number {n}", raw) for n, raw in enumerate(value, 1)]

    def finish(self) -> None:
        """Raise if the table holds keys that were never asked for."""
        for key in self.raw:
            if key not in self.asked:
                raise self.error(key, "is not known", todo=nearest(key, self.asked, "Known are"))

    def _number(self, key: str, value: object, low: float, high: float) -> float:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
        if not math.isfinite(number) or not low <= number <= high:
            raise self.error(key, f"is {_shown(value)}", _between(low, high))
        return number


def _between(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "a number"
    if math.isinf(high):
        return f"a number not less than {low:g}"
    if math.isinf(low):
        return f"a number not greater than {high:g}"
    return f"a number from {low:g} to {high:g}"


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
