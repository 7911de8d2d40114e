"""What every decoder of a live stream offers: bytes as they come in, plots out, counts of all that was refused.

Decoders never wait, read no clock and open nothing (h11's way): whoever holds the socket feeds them, and says when the
bytes were received. The same bytes and times give the same plots, however they were cut.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, Final, Protocol

from airpicture.errors import ConfigError
from airpicture.tables import Plots, Sensors


class LiveDecoder(Protocol):
    """Turns one stream of bytes into plots."""

    counts: Counter[str]  # records by what became of them: "decoded ...", "refused ..."; they add up to all received

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take bytes of the stream, or one datagram, and return the plots that became whole with them.

        Parameters
        ----------
        data : cut anywhere where the transport is a stream; whole where it's datagrams
        received_ns : ns UTC when the last of them was received
        """
        ...


# By the name a configuration gives a format: module, class, and the sources it may bring (`reported.SOURCES`).
REPORTED: Final[dict[str, tuple[str, str, tuple[str, ...]]]] = {
    "aircraft-json": ("readsb_live", "AircraftJsonDecoder", ("adsb", "adsr", "tisb", "mlat")),  # polled documents
    "sbs": ("sbs", "SbsDecoder", ("adsb", "mlat")),  # stream, port 30003
    "uat": ("uat", "UatDecoder", ("uat", "adsr", "tisb")),  # stream, dump978's ports 30978 (raw) and 30979 (JSON)
    "ais": ("ais", "AisDecoder", ("ais",)),  # stream or datagrams, often port 10110
    "aprs": ("aprs", "AprsDecoder", ("flarm", "adsb")),  # stream, aprs.glidernet.org:14580
    "flarm": ("flarm", "FlarmDecoder", ("flarm", "adsb", "adsr", "tisb")),  # stream or datagrams, often port 2000
    "jet1090": ("jet1090", "Jet1090Decoder", ("adsb", "adsr", "tisb")),  # stream of JSON lines
    "gdl90": ("gdl90", "Gdl90Decoder", ("adsb", "tisb")),  # datagrams, port 4000
    "opensky": ("state_json", "OpenSkyDecoder", ("adsb", "asterix", "mlat", "flarm")),  # polled documents
}


def reported_decoder(
    name: str, sensors: Sensors | None = None, *, only: Sequence[str] = (), **options: Any
) -> LiveDecoder:
    """Make the decoder of a format of reported positions.

    Without `only`, sources that `sensors` lacks are added behind it; the whole table is ``decoder.sensors``.

    Parameters
    ----------
    only : ids of the sensors it may bring; nothing is added then
    options : of the decoder; ``lines=True`` for readsb's stream of single aircraft (port 30047)

    Raises
    ------
    ConfigError : there's none of that name
    """
    if name not in REPORTED:
        raise ConfigError(f"unknown format {name!r}", expected=f"one of {', '.join(REPORTED)}")
    module, decoder, _ = REPORTED[name]
    made: LiveDecoder = getattr(import_module(f"airpicture.formats.{module}"), decoder)(sensors, only=only, **options)
    return made


def with_sources(sensors: Sensors | None, formats: Iterable[str]) -> Sensors | None:
    """Return the sensors with those of reported formats added behind them, for a service whose table mustn't grow."""
    from airpicture.formats.reported import reported_sensors

    names = dict.fromkeys(name for one in formats if one in REPORTED for name in REPORTED[one][2])
    return reported_sensors(sensors, list(names))[0] if names else sensors
