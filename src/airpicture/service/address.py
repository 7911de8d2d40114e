"""Where bytes come from and go to, as people write it: ``FORMAT:TRANSPORT``, on a command line and in a file alike.

    asterix:udp://239.1.1.1:8600     beast://localhost:30005       beast:listen://127.0.0.1:30104
    aircraft-json:/run/readsb        aircraft-json:http://pi/data/aircraft.json       replay:radar.pcap      -

``FORMAT://HOST:PORT`` takes the usual transport of the format, ``udp://...`` is ASTERIX over UDP. What follows a ``?``
on a command line are settings, the keys of the file: ``?interface=192.0.2.1&twin=b``.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from airpicture.errors import ConfigError

TRANSPORTS: Final = ("udp", "tcp", "listen", "http", "https")
# What `FORMAT://HOST:PORT` means.
USUAL_IN: Final = {
    "asterix": "udp",
    "beast": "tcp",
    "avr": "tcp",
    "sbs": "tcp",
    "aircraft-json": "http",
    "plots": "http",
    "uat": "tcp",
    "ais": "udp",
    "aprs": "tcp",
    "flarm": "tcp",
    "jet1090": "tcp",
    "gdl90": "udp",
    "opensky": "https",
}
USUAL_OUT: Final = {"cat062": "udp", "cat004": "udp", "cot": "udp", "sbs": "listen", "webhook": "https"}
# Which transports a format may have, files among them.
IN: Final[dict[str, tuple[str, ...]]] = {
    "asterix": ("udp", "tcp", "listen", "stdin"),
    "beast": ("tcp", "listen", "stdin"),
    "avr": ("tcp", "listen", "stdin"),
    "sbs": ("tcp", "listen", "stdin"),
    "aircraft-json": ("http", "https", "file", "tcp", "stdin"),
    "plots": ("http", "stdin"),
    "uat": ("tcp", "listen", "stdin"),
    "ais": ("udp", "tcp", "listen", "stdin"),
    "aprs": ("tcp", "listen", "stdin"),
    "flarm": ("udp", "tcp", "listen", "stdin"),
    "jet1090": ("tcp", "listen", "stdin"),
    "gdl90": ("udp",),
    "opensky": ("http", "https", "file"),
    "replay": ("file",),
}
OUT: Final[dict[str, tuple[str, ...]]] = {
    "cat062": ("udp", "tcp", "listen"),
    "cat004": ("udp", "tcp", "listen"),
    "cot": ("udp", "tcp", "listen"),
    "sbs": ("listen", "tcp"),
    "aircraft-json": ("file",),
    "parquet": ("file",),
    "webhook": ("http", "https"),
}
_HOST: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^:/?\[\]]*)(?::(?P<port>\d{1,5}))?(?P<path>/.*)?")


@dataclass(frozen=True, slots=True)
class Address:
    """One end of a connection, or a place in the file system."""

    transport: str  # one of TRANSPORTS, "file" or "stdin"
    host: str = ""
    port: int = 0
    path: str = ""  # of a file; of HTTP, with its leading slash

    def __str__(self) -> str:
        if self.transport == "stdin":
            return "-"
        if self.transport == "file":
            return self.path
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}://{host}:{self.port}{self.path}"

    @property
    def multicast(self) -> bool:
        """Whether the host is a multicast group."""
        try:
            return ipaddress.ip_address(self.host).is_multicast
        except ValueError:
            return False


def is_loopback(host: str) -> bool:
    """Say whether a host to bind to can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse(text: str, *, out: bool = False) -> tuple[str, Address, dict[str, str]]:
    """Split ``FORMAT:TRANSPORT?SETTINGS``.

    Returns
    -------
    format ("" for standard input of a kind that its bytes will tell), address, settings

    Raises
    ------
    ConfigError : what can't be read of it, and what could be meant
    """
    formats, usual = (OUT, USUAL_OUT) if out else (IN, USUAL_IN)
    body, _, query = text.partition("?")
    settings = dict(parse_qsl(query, keep_blank_values=True))
    if body == "-" and not out:
        return "", Address("stdin"), settings
    scheme, colon, rest = body.partition(":")
    scheme = scheme.lower()
    if scheme == "udp" and not out:
        scheme, rest = "asterix", f"udp:{rest}"
    if scheme not in formats or not colon:
        example = "cat062:udp://239.1.1.2:8601" if out else "asterix:udp://239.1.1.1:8600 or beast://localhost:30005"
        raise ConfigError(
            f"{text!r} names no known format", expected=f"FORMAT:WHERE with a format of {', '.join(formats)}",
            todo=f"For example {example}",
        )  # fmt: skip
    transport, address = _where(scheme, rest, usual.get(scheme, ""), text)
    if transport not in formats[scheme]:
        raise ConfigError(
            f"{text!r}: {scheme} doesn't go by {transport}", expected=f"one of {', '.join(formats[scheme])}",
            todo=_meant(scheme, rest, usual.get(scheme, "")) if transport == "file" else "",
        )  # fmt: skip
    return scheme, address, settings


def _meant(scheme: str, rest: str, usual: str) -> str:
    """Return what could be meant by an address that was taken for a file's, "" where nothing is near."""
    head, slashes, tail = rest.partition("//")
    if slashes and head.endswith(":"):  # a transport that doesn't exist
        near = difflib.get_close_matches(head.rstrip(":").lower(), TRANSPORTS, 1, 0.5)
        return f"Did you mean '{scheme}:{near[0]}://{tail}'?" if near else ""
    if usual and _HOST.fullmatch(rest):
        return f"Did you mean '{scheme}://{rest}'?"
    return ""


def _where(scheme: str, rest: str, usual: str, text: str) -> tuple[str, Address]:
    if rest == "-":
        return "stdin", Address("stdin")
    head, slashes, tail = rest.partition("//")
    named = head.rstrip(":") if slashes and head in {f"{name}:" for name in TRANSPORTS} else ""
    transport = named or (usual if rest.startswith("//") else "")
    if not transport:
        if not rest:
            raise ConfigError(f"{text!r} doesn't say where", expected="an address or a place in the file system")
        return "file", Address("file", path=rest)
    match = _HOST.fullmatch(tail)
    if match is None:
        raise ConfigError(f"{text!r}: {tail!r} is no HOST:PORT", expected="a name or address, a colon, a port")
    host = match["host"].strip("[]")
    port = int(match["port"]) if match["port"] else {"http": 80, "https": 443}.get(transport, -1)
    if not 0 <= port <= 65535:
        raise ConfigError(f"{text!r} has no port from 0 to 65535", expected=f"{transport}://HOST:PORT")
    if not host:
        if transport in ("tcp", "http", "https"):
            raise ConfigError(f"{text!r} names no host", expected=f"{transport}://HOST:PORT")
        host = "127.0.0.1"
    return transport, Address(transport, host, port, match["path"] or "")


def parse_target(text: str) -> Address:
    """Return the address that bytes are to be played to: ``udp://``, ``tcp://`` or ``listen://HOST:PORT``.

    Raises
    ------
    ConfigError : it can't be read
    """
    scheme = text.partition(":")[0].lower()
    if scheme not in ("udp", "tcp", "listen"):
        raise ConfigError(
            f"{text!r} isn't a place to play to", expected="udp://HOST:PORT, tcp://HOST:PORT or listen://HOST:PORT"
        )
    return _where("", text, "", text)[1]
