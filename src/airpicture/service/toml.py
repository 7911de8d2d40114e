"""Tables of a TOML file whose faults are named by file, line and key; tomllib itself tells no lines."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

from airpicture.errors import ConfigError

_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY: Final = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_-]+))\s*=""")
_PLACE: Final = re.compile(r"\(at line (\d+), column \d+\)")
_REQUIRED: Final = object()
COMMAND_LINE: Final = "command line"  # the name of a text that was made of one: its lines tell nobody anything


class Source:
    """The text of a file and where in it its tables and keys stand.

    Raises
    ------
    ConfigError : not TOML
    """

    def __init__(self, text: str, name: str) -> None:
        text = text.removeprefix("\ufeff")  # what some editors put before a text
        self.text, self.name = text, name
        try:
            self.content: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(_not_toml(error, text, name), expected="[table] and key = value lines") from None
        self._lines: dict[tuple[str, int, str], int] = {}
        table, number = "", 0
        seen: dict[str, int] = {}
        for k, line in enumerate(text.splitlines(), 1):
            if header := _HEADER.match(line):
                table = header[2]
                number = seen.get(table, 0) if header[1] == "[[" else 0
                seen[table] = number + 1
                self._lines.setdefault((table, number, ""), k)
            elif key := _KEY.match(line):
                self._lines.setdefault((table, number, key[1] or key[2] or key[3]), k)

    def line(self, table: str, number: int, key: str) -> int:
        """Return the line of a key, 0 where it can't be found."""
        return self._lines.get((table, number, key), 0)

    def where(self, table: str, number: int, key: str) -> str:
        """Return file and line of a key, or of its table where the key can't be found."""
        if self.name == COMMAND_LINE:
            return self.name
        line = self._lines.get((table, number, key)) or self._lines.get((table, number, ""))
        line = line or self._lines.get(("", 0, table))
        return f"{self.name}, line {line}" if line else self.name

    def table(self, name: str) -> Table:
        """Return a table, an empty one where it isn't there."""
        values = self.content.get(name, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{self.where('', 0, name)}: {name} is {values!r}", expected=f"a table: a line [{name}]")
        return Table(self, name, 0, values)

    def tables(self, name: str) -> Iterator[Table]:
        """Yield the tables of an array of tables."""
        values = self.content.get(name, [])
        if not isinstance(values, list) or not all(isinstance(one, dict) for one in values):
            raise ConfigError(f"{self.where(name, 0, '')}: {name} is no list of tables", expected=f"lines [[{name}]]")
        for number, one in enumerate(values):
            yield Table(self, name, number, one)

    def known(self, names: Sequence[str]) -> None:
        """Refuse tables and keys at the top that nobody knows."""
        for name in self.content:
            if name not in names:
                found = self.where(name, 0, "") if isinstance(self.content[name], (dict, list)) else ""
                where = found or self.where("", 0, name)
                raise ConfigError(
                    f"{where}: unknown table or key {name!r}", expected=f"one of {', '.join(names)}",
                    todo=nearest(name, names),
                )  # fmt: skip


class Table:
    """Takes keys out of one table, each checked; `done` refuses those that nobody took."""

    def __init__(self, source: Source, name: str, number: int, values: dict[str, Any]) -> None:
        self.source, self.name, self.place = source, name, number
        self.values = dict(values)
        self._known: list[str] = []

    def fail(self, key: str, found: str, expected: str, todo: str = "") -> NoReturn:
        """Raise the ConfigError that names file, line and key."""
        raise ConfigError(f"{self.source.where(self.name, self.place, key)}: {found}", expected=expected, todo=todo)

    def _take(self, key: str, default: Any) -> Any:
        self._known.append(key)
        if key in self.values:
            return self.values.pop(key)
        if default is _REQUIRED:
            slip = difflib.get_close_matches(key, self.values, 1, 0.6)
            todo = f"Rename {slip[0]!r} to {key!r}" if slip else ""
            self.fail(
                slip[0] if slip else key, f"[{self.name}] has no {key!r}", f"a line with {key} = and its value", todo
            )
        return default

    def text(self, key: str, default: Any = _REQUIRED, among: Sequence[str] = ()) -> str:
        """Return a text, perhaps one of several."""
        value = self._take(key, default)
        if not isinstance(value, str):
            self.fail(key, f"{key} = {value!r}", "a text in quotes")
        if among and value not in among:
            self.fail(key, f"{key} = {value!r}", f"one of {', '.join(among)}", nearest(value, among))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, () where it isn't there; a single text is a list of one."""
        value = self._take(key, [])
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.fail(key, f"{key} = {value!r}", "a list of texts")
        return tuple(value)

    def number(self, key: str, default: float | None, low: float, high: float) -> float:
        """Return a number within limits; a default of None says that it must be there."""
        return self._number(key, _REQUIRED if default is None else default, low, high, "a number")

    def _number(self, key: str, default: Any, low: float, high: float, what: str) -> float:
        value = self._take(key, default)
        expected = f"{what} from {_plain(low)} to {_plain(high)}"
        if isinstance(value, str):  # from a command line
            try:
                value = float(value)
            except ValueError:
                self.fail(key, f"{key} = {value!r}", expected)
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not fits or not low <= value <= high:
            self.fail(key, f"{key} = {value!r}", expected)
        return float(value)

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """Return a whole number within limits."""
        value = self._number(key, default, low, high, "a whole number")
        if value != int(value):
            self.fail(key, f"{key} = {value!r}", f"a whole number from {_plain(low)} to {_plain(high)}")
        return int(value)

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self._take(key, default)
        if isinstance(value, str) and value.lower() in ("", "1", "true", "yes", "0", "false", "no"):
            return value.lower() not in ("0", "false", "no")
        if not isinstance(value, bool):
            self.fail(key, f"{key} = {value!r}", "true or false")
        return value

    def mapping(self, key: str) -> dict[str, str]:
        """Return an inline table of texts."""
        value = self._take(key, {})
        if isinstance(value, str):  # from a command line: 21:0.23,34:1.27
            value = dict(part.rpartition(":")[::2] for part in value.split(","))
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            self.fail(key, f"{key} = {value!r}", 'a table of texts, as { "021" = "0.23" }')
        return value

    def tables(self, key: str) -> list[Table]:
        """Return a list of tables within this one, [] where it isn't there."""
        values = self._take(key, [])
        if not isinstance(values, list) or not all(isinstance(one, dict) for one in values):
            self.fail(key, f"{key} = {values!r}", f"lines [[{self.name}.{key}]]")
        return [Table(self.source, f"{self.name}.{key}", k, one) for k, one in enumerate(values)]

    def done(self) -> None:
        """Refuse the first key that nobody took."""
        for key in self.values:
            self.fail(
                key, f"unknown key {key!r} in [{self.name}]", f"one of {', '.join(self._known)}",
                nearest(key, self._known),
            )  # fmt: skip


def _not_toml(error: Exception, text: str, name: str) -> str:
    """Return what is no TOML, with the line and its text."""
    found = _PLACE.search(str(error))
    if found is None:
        return f"{name}: not valid TOML: {error}"
    line = text.splitlines()[int(found[1]) - 1 : int(found[1])]
    why = str(error)[: found.start()].strip().replace("Cannot overwrite a value", "a key or table is there twice")
    return f"{name}, line {found[1]}: not valid TOML: {why}" + (f": {line[0].strip()[:80]!r}" if line else "")


def _plain(value: float) -> str:
    """Return a limit as people write it: 100,000,000, not 1e+08."""
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def nearest(word: str, words: Sequence[str]) -> str:
    """Return "Did you mean ...?" for a slip of the keys, "" where nothing is near."""
    close = difflib.get_close_matches(word.lower(), words, 1, 0.6)
    return f"Did you mean {close[0]!r}?" if close else ""
