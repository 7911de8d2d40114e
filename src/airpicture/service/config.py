"""The settings of a service: one TOML file, checked as a whole at the start, each fault named by file, line and key.

`load_settings` reads a file, `settings_text` makes the text of one from what stands on a command line: what runs
is always a text, which the processes of the service each read for themselves.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from airpicture.alerts import AlertSettings, alert_settings_from_table
from airpicture.config import Config
from airpicture.errors import AirpictureError, ConfigError, InputError
from airpicture.formats.live import with_sources
from airpicture.formats.sensors import load_sensors, merge_sensors, sensors_from_rows
from airpicture.service import address
from airpicture.service.address import Address, is_loopback
from airpicture.service.ground import map_settings
from airpicture.service.settings import (
    LOOPBACK,
    RECENT_MB,
    REPLAY_SPEEDS,
    STEPPED_S_MAX,
    InputSettings,
    JournalSettings,
    OutputSettings,
    Settings,
    WebSettings,
)
from airpicture.service.toml import Source as Text
from airpicture.service.toml import Table
from airpicture.tables import SensorKind, Sensors
from airpicture.words import counted

INPUTS_MAX: Final = 256
OUTPUTS_MAX: Final = 256
CAPACITY: Final = 65_536  # tracks: what runs for months is bounded to 62 MB of them, unless it's told otherwise
TOKEN_LEAST: Final = 16  # characters; shorter ones can be guessed
_REPORTED: Final = ("beast", "avr", "asterix", "")  # formats that bring positions of "adsb" and "mlat", and others
_TOP: Final = ("tracker", "journal", "web", "input", "output", "sensor", "sensors", "alerts", "map")


def load_settings(path: str | os.PathLike[str]) -> Settings:
    """Read a service's file.

    Raises
    ------
    InputError : it can't be read
    ConfigError : a fault in it; names file, line and key
    """
    name = os.fspath(path)
    try:
        text = Path(path).read_text("utf-8-sig")
    except FileNotFoundError:
        raise InputError(
            "there is no such file", expected="a service's TOML file", todo="Begin with: airpicture serve --example",
            path=name,
        ) from None  # fmt: skip
    except UnicodeDecodeError:
        raise InputError("it is not text", expected="a service's TOML file (UTF-8)", path=name) from None
    except OSError as error:
        raise InputError(f"it can't be read: {error.strerror}", expected="a service's TOML file", path=name) from None
    return parse_settings(text, name)


def parse_settings(text: str, name: str = "settings", sensors: Sensors | None = None) -> Settings:
    """Check the text of a service's file; paths in it are taken from where the file lies.

    sensors : as an earlier reading of the same text found them; spares opening recordings and sensor files again

    Raises
    ------
    ConfigError : a fault in it; names file, line and key
    """
    source = Text(text, name)
    source.known(_TOP)
    base = Path(name).parent
    inputs = tuple(_input(table, base) for table in source.tables("input"))
    if not inputs:
        raise ConfigError(
            f"{name}: no [[input]]", expected="at least one input", todo='For example [[input]] from = "asterix:udp://239.1.1.1:8600"'
        )  # fmt: skip
    outputs = tuple(_output(table, base) for table in source.tables("output"))
    for what, found, most in (("input", inputs, INPUTS_MAX), ("output", outputs, OUTPUTS_MAX)):
        _once(source, what, [one.name for one in found], most)
    _apart(source, inputs, outputs)
    times = {(one.speed, one.stepped_s) for one in inputs if one.format == "replay"}
    if times - {(1.0, 0.0)} and not (len(times) == 1 and all(one.format == "replay" for one in inputs)):
        number = next(k for k, one in enumerate(inputs) if (one.speed, one.stepped_s) != (1.0, 0.0))
        key = "speed" if inputs[number].speed != 1.0 else "stepped_s"
        raise ConfigError(
            f"{source.where('input', number, key)}: a replay at another speed than 1, or stepped, beside other inputs",
            expected="one time for all of them",
            todo="Leave speed and stepped_s out, or play recordings alone, all at one speed",
        )
    notes: list[str] = []
    sensors = _sensors(source, base, inputs, notes) if sensors is None else sensors
    for number, one in enumerate(inputs):
        for sensor in one.sensors:
            if sensors.index(sensor) < 0:
                raise ConfigError(
                    f"{source.where('input', number, 'sensors')}: sensor {sensor!r} isn't described",
                    expected=f"ids of [[sensor]] tables: {', '.join(sensors.ids) or 'there are none'}",
                )
    tracker, step_s, checkpoint_s = _tracker(source.table("tracker"))
    alerts, ground = _alerts(source), source.table("map")
    return Settings(
        sensors=sensors,
        inputs=inputs,
        outputs=outputs,
        web=_web(source.table("web"), base),
        journal=_journal(source.table("journal"), base),
        tracker=tracker,
        step_s=step_s,
        checkpoint_s=checkpoint_s,
        alerts=alerts,
        recent_mb=ground.number("recent_mb", RECENT_MB, 0, 65_536),
        map=map_settings(ground, base, alerts.areas),
        text=text,
        name=name,
        notes=tuple(notes),
    )


def settings_text(
    inputs: Sequence[str], outputs: Sequence[str], *, port: int | None = None, host: str = "", sensors: str = "",
    journal: str = "",
) -> str:  # fmt: skip
    """Return the text of a file that says what a command line says."""

    def block(head: str, key: str, text: str, out: bool) -> list[str]:
        given = address.parse(text, out=out)[2]
        lines = [head, f"{key} = {json.dumps(text.partition('?')[0])}"]
        return [*lines, *(f"{name} = {json.dumps(value)}" for name, value in given.items()), ""]

    lines = [f"sensors = {json.dumps(sensors)}", ""] if sensors else []
    for text in inputs:
        lines += block("[[input]]", "from", text, False)
    for text in outputs:
        lines += block("[[output]]", "to", text, True)
    if port is not None or host:
        where = f"{host or LOOPBACK}:{8080 if port is None else port}"
        lines += ["[web]", f"listen = {json.dumps(where)}", ""]
    if journal:
        lines += ["[journal]", f"folder = {json.dumps(journal)}", ""]
    return "\n".join(lines)


def _address(table: Table, key: str, out: bool) -> tuple[str, Address, str]:
    text = table.text(key)
    try:
        format_, found, settings = address.parse(text, out=out)
    except ConfigError as error:
        table.fail(key, error.found, error.expected, error.todo)
    if settings:
        table.fail(key, f"{key} = {text!r}", "settings as keys of their own, below it")
    return format_, found, text


def _input(table: Table, base: Path) -> InputSettings:
    format_, where, text = _address(table, "from", False)
    name = table.text("name", text)
    settings: dict[str, Any] = {}
    if where.transport == "udp":
        settings["interface"] = _ip(table, "interface")
        settings["twin"] = table.text("twin", "")
    if where.transport in ("udp", "tcp", "listen", "http"):
        settings["allow"] = _networks(table)
    if where.transport == "listen":
        settings["clients_max"] = table.whole("clients_max", 8, 1, 1024)
    if format_ == "asterix":
        settings["stamps"] = table.text("stamps", "sensor", ("sensor", "arrival", "shifted"))
        settings["editions"] = _editions(table)
    if format_ not in ("plots", "replay", ""):
        settings["sensors"] = table.texts("sensors")
    if format_ == "aprs" and where.transport == "tcp":
        settings["hello"] = table.text("hello", "")
    if format_ not in ("plots", "replay") and where.transport in ("http", "https", "file"):
        settings["poll_s"] = table.number("poll_s", 1.0, 0.05, 3600)
    if format_ == "replay":
        settings["speed"] = table.number("speed", 1.0, *REPLAY_SPEEDS)
        settings["loop"] = table.flag("loop", False)
        settings["stepped_s"] = table.number("stepped_s", 0.0, 0.0, STEPPED_S_MAX)
    else:
        settings["rate_max"] = table.number("rate_max", 50_000.0, 1, 1e7)
    if where.transport == "file":
        where = replace(where, path=str(base / where.path))
    listens = where.transport == "listen" or (format_ == "plots" and where.transport == "http")
    if listens and not is_loopback(where.host) and not settings.get("allow"):
        expected = "allow = [...] with the networks that may send, or 127.0.0.1"
        table.fail("from", f"{text!r} listens to any machine", expected)
    table.done()
    return InputSettings(name, format_, where, **settings)


def _output(table: Table, base: Path) -> OutputSettings:
    format_, where, text = _address(table, "to", True)
    name = table.text("name", text)
    settings: dict[str, Any] = {}
    if where.transport == "udp":
        settings["interface"] = _ip(table, "interface")
        settings["ttl"] = table.whole("ttl", 1, 0, 255)
    if where.transport == "listen":
        settings["clients_max"] = table.whole("clients_max", 32, 1, 1024)
        if not is_loopback(where.host) and not table.flag("open", False):
            table.fail(
                "to", f"{text!r} serves any machine that connects", "open = true beside it, where that's meant",
                "Or listen on 127.0.0.1",
            )  # fmt: skip
        elif is_loopback(where.host):
            table.flag("open", False)
    if format_ not in ("cat004", "webhook"):
        settings["period_s"] = table.number("period_s", 1.0, 0.05, 3600)
    if format_ in ("cat062", "cat004"):
        settings["sac"] = table.whole("sac", 0, 0, 255)
        settings["sic"] = table.whole("sic", 1, 0, 255)
    if format_ == "cat062":
        settings["changes"] = table.flag("changes", False)
        settings["tentative"] = table.flag("tentative", False)
    if format_ == "parquet":
        settings["rotate_s"] = table.number("rotate_s", 3600.0, 1, 86_400)
        settings["keep_h"] = table.number("keep_h", 24 * 30.0, 0.01, 1e6)
    if format_ == "webhook":
        settings["token_file"] = _file(table, "token_file", base)
    if where.transport == "file":
        where = replace(where, path=str(base / where.path))
    table.done()
    return OutputSettings(name, format_, where, **settings)


def _web(table: Table, base: Path) -> WebSettings:
    listen = table.text("listen", f"{LOOPBACK}:8080")
    host, colon, port = listen.rpartition(":")
    host = host.strip("[]") or LOOPBACK
    if not colon or not port.isdigit() or int(port) > 65535:
        table.fail("listen", f"listen = {listen!r}", "HOST:PORT, for example 127.0.0.1:8080")
    settings = WebSettings(
        host=host,
        port=int(port),
        token_file=_file(table, "token_file", base),
        tls_cert=_file(table, "tls_cert", base),
        tls_key=_file(table, "tls_key", base),
        origins=table.texts("origins"),
        clients_max=table.whole("clients_max", 64, 1, 10_000),
        title=table.text("title", "Airpicture"),
    )
    if bool(settings.tls_cert) != bool(settings.tls_key):
        table.fail("tls_cert", "only one of tls_cert and tls_key is given", "both, or neither")
    for origin in settings.origins:
        if not origin.startswith(("http://", "https://")) or origin.count("/") != 2:
            table.fail("origins", f"origin {origin!r}", "scheme and host, as https://picture.example:8443")
    if not is_loopback(host) and not settings.token_file and not settings.tls_cert:
        table.fail(
            "listen", f"listen = {listen!r} can be reached from other machines",
            "token_file (a secret that clients must send) or tls_cert and tls_key beside it",
            "Or listen on 127.0.0.1 and let a web server in front care for who may come in",
        )  # fmt: skip
    if settings.token_file:
        try:
            token = read_token(settings.token_file)
        except OSError as error:
            table.fail("token_file", f"{settings.token_file!r} can't be read: {error.strerror}", "a file with a secret")
        if len(token) < TOKEN_LEAST:
            table.fail("token_file", f"the token has {counted(len(token), 'character')}", f"{TOKEN_LEAST} or more",
                       "Make one with: openssl rand -hex 32")  # fmt: skip
    table.done()
    return settings


def read_token(path: str) -> str:
    """Return the secret in a file, without white space around it."""
    return Path(path).read_text("utf-8", "replace").strip()


def _journal(table: Table, base: Path) -> JournalSettings:
    folder = table.text("folder", "")
    settings = JournalSettings(
        folder=str(base / folder) if folder else "",
        rotate_mb=table.number("rotate_mb", 64.0, 0.01, 65_536),
        rotate_s=table.number("rotate_s", 3600.0, 1, 86_400 * 30),
        keep_mb=table.number("keep_mb", 4096.0 if folder else 64.0, 0.1, 1e9),
        keep_h=table.number("keep_h", 24 * 7.0 if folder else 0.5, 0.01, 1e6),
        sync_s=table.number("sync_s", 0.1, 0.01, 60),
    )
    if settings.keep_mb < 2 * settings.rotate_mb:
        settings = replace(settings, rotate_mb=settings.keep_mb / 4)
    table.done()
    return settings


def _tracker(table: Table) -> tuple[Config, float, float]:
    step_s = table.number("step_s", 0.05, 0.005, 10)
    checkpoint_s = table.number("checkpoint_s", 10.0, 0.5, 3600)
    method = table.text("association", "joint", ("joint", "nearest"))
    config = Config()
    config = replace(
        config,
        association=replace(config.association, method=method),  # type: ignore[arg-type]
        capacity=table.whole("capacity", CAPACITY, 16, 100_000_000),
        late_s_max=table.number("late_s", config.late_s_max, 0, 600),
        future_s_max=table.number("future_s", config.future_s_max, 0, 3600),
    )
    table.done()
    return config, step_s, checkpoint_s


def _alerts(source: Text) -> AlertSettings:
    """Return the settings of the alerts; a fault in them is named by the line of its key, where that can be found."""
    table = source.table("alerts")
    try:
        return alert_settings_from_table(table.values, "alerts")
    except ConfigError as error:
        words = re.split(r"[\s.'\"]+", error.found)
        room = next((f"alerts.{one}" for one in ("conflict", "lost", "doubtful", "area") if one in words[:3]), "alerts")
        key = next((word for word in words if source.line(room, 0, word)), "")
        raise ConfigError(
            f"{source.where(room, 0, key)}: {error.found}", expected=error.expected, todo=error.todo
        ) from None


def _sensors(source: Text, base: Path, inputs: Sequence[InputSettings], notes: list[str]) -> Sensors:
    found = _described(source)
    try:
        if "sensors" in source.content:
            path = source.content["sensors"]
            if not isinstance(path, str):
                raise ConfigError(f"sensors = {path!r}", expected="the name of a sensors.toml, or [[sensor]] tables")
            described = load_sensors(base / path)
            found = described if found is None else merge_sensors([found, described])[0]
    except AirpictureError as error:
        where = source.where("", 0, "sensors") + ": " if "sensors" in source.content else ""
        raise ConfigError(f"{where}{error.found}", expected=error.expected, todo=error.todo) from None
    if any(one.format == "replay" for one in inputs):
        found = _of_recordings(source, inputs, found, notes)
    found = with_sources(found, [one.format or "sbs" for one in inputs if not one.sensors])
    if any(one.format in _REPORTED for one in inputs):
        kinds = set() if found is None else {SensorKind(int(kind)) for kind in found.kind}
        fresh = [kind.name.lower() for kind in (SensorKind.ADSB, SensorKind.MLAT) if kind not in kinds]
        if fresh:
            added = sensors_from_rows([{"id": name, "kind": name} for name in fresh])
            found = added if found is None else merge_sensors([found, added])[0]
    found = with_sources(found, [one.format for one in inputs if not one.sensors])
    if found is None:
        raise ConfigError(f"{source.name}: no sensor is described", expected='[[sensor]] tables, or sensors = "FILE"')
    radars = found.kind == SensorKind.RADAR
    notes += [
        f"radar {found.ids[row]!r} has no period_s: if its antenna turns say in which time ('airpicture info' tells it "
        "of a recording), or new tracks are shown later and lost ones stay longer"
        for row in np.flatnonzero(radars & np.isnan(found.period)).tolist()
    ]
    if not radars.any() and any(one.format == "asterix" for one in inputs):
        notes.append("no radar is described, so radar plots (CAT048, CAT001) will be refused; ADS-B and MLAT are taken")
    return found


def _described(source: Text) -> Sensors | None:
    """Return the sensors of the file's own tables, None where it has none."""
    rows = [table.values for table in source.tables("sensor")]
    for number, row in enumerate(rows):
        _sound(source, number, [row], "")
    try:
        return sensors_from_rows(rows) if rows else None
    except ConfigError:  # two of them don't go together: the later one is named
        for number in range(1, len(rows)):
            _sound(source, number, rows[: number + 1], "id")
        raise


def _sound(source: Text, number: int, rows: Sequence[dict[str, Any]], key: str) -> None:
    """Raise what's wrong with the last of some sensors, by its line; key: the likely one where none is named."""
    try:
        sensors_from_rows(rows)
    except ConfigError as error:
        words = [word.strip("':") for word in error.found.replace("SAC/SIC", "sic").split()]
        key = next((name for name in rows[-1] if name in words), key)
        raise ConfigError(
            f"{source.where('sensor', number, key)}: {error.found}", expected=error.expected, todo=error.todo
        ) from None


def _of_recordings(source: Text, inputs: Sequence[InputSettings], found: Sensors | None, notes: list[str]) -> Sensors:
    """Return the sensors with those of recordings to replay added; the recordings are opened for that."""
    from airpicture.formats import open_recording

    parts = [] if found is None else [found]
    for number, one in enumerate(inputs):
        if one.format != "replay":
            continue
        try:
            recording = open_recording(one.address.path, sensors=found)
        except AirpictureError as error:
            where = source.where("input", number, "from")
            raise ConfigError(f"{where}: {error.found}", expected=error.expected, todo=error.todo) from None
        parts.append(recording.sensors)
        notes += [f"{one.name}: {note}" for note in recording.report.notes]
    return merge_sensors(parts)[0]


def _editions(table: Table) -> tuple[tuple[str, str], ...]:
    given = table.mapping("editions")
    if given:
        from airpicture.formats.asterix.editions import edition_map

        try:
            given = edition_map(given.items())
        except ConfigError as error:
            table.fail("editions", error.found, error.expected, error.todo)
    return tuple(sorted(given.items()))


def _networks(table: Table) -> tuple[str, ...]:
    given = tuple(part for text in table.texts("allow") for part in text.split(","))
    for text in given:
        try:
            ipaddress.ip_network(text)
        except ValueError:
            table.fail("allow", f"{text!r} is no address or network", "for example 192.0.2.7 or 192.0.2.0/24")
    return given


def _ip(table: Table, key: str) -> str:
    text = table.text(key, "")
    if text:
        try:
            ipaddress.ip_address(text)
        except ValueError:
            table.fail(key, f"{key} = {text!r}", "the address of an interface of this machine, for example 192.0.2.1")
    return text


def _file(table: Table, key: str, base: Path) -> str:
    text = table.text(key, "")
    if text and not (base / text).is_file():
        table.fail(key, f"{key} = {text!r}: there is no such file", "a file that can be read")
    return str(base / text) if text else ""


def _apart(source: Text, inputs: Sequence[InputSettings], outputs: Sequence[OutputSettings]) -> None:
    """Refuse two that would listen on one port, or read standard input; a group may be listened to by many."""
    piped = [number for number, one in enumerate(inputs) if one.address.transport == "stdin"]
    if len(piped) > 1:
        first = inputs[piped[0]].name
        raise ConfigError(
            f"{source.where('input', piped[1], 'from')}: standard input is read by {first!r} already",
            expected="one input from standard input at most",
        )
    taken: dict[tuple[str, str, int], str] = {}
    tables: list[tuple[str, int, str, InputSettings | OutputSettings]] = []
    tables += [("input", number, "from", one) for number, one in enumerate(inputs)]
    tables += [("output", number, "to", one) for number, one in enumerate(outputs)]
    for what, number, key, one in tables:
        where = one.address
        receives = what == "input" and where.transport == "udp" and not _is_group(where.host)
        posts = what == "input" and one.format == "plots" and where.transport == "http"
        if not where.port or not (receives or posts or where.transport == "listen"):
            continue
        at = ("udp" if receives else "tcp", where.host, where.port)
        if at in taken:
            raise ConfigError(
                f"{source.where(what, number, key)}: {key} = {str(where)!r}: {taken[at]!r} listens there already",
                expected="a port of its own",
            )
        taken[at] = one.name


def _is_group(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_multicast
    except ValueError:
        return False


def _once(source: Text, what: str, names: Sequence[str], most: int) -> None:
    if len(names) > most:
        raise ConfigError(f"{source.name}: {len(names)} [[{what}]] tables", expected=f"at most {most}")
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ConfigError(
                f"{source.where(what, number, 'name')}: the {what} {name!r} is there twice",
                expected="names of their own", todo="Give one of them another name",
            )  # fmt: skip
