"""What all decoders of reported positions hold: any cut gives the same, nothing crashes, everything is counted."""

from dataclasses import fields
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reported_streams import (
    AIS,
    APRS,
    FLARM,
    GDL90_HEARTBEAT,
    GDL90_TRAFFIC,
    JET1090,
    SBS,
    STATES,
    T0,
    UAT,
    aircraft,
    snapshot,
)
from table_files import two_sensors

from airpicture.errors import ConfigError
from airpicture.formats.decoding import Source, make_decoder
from airpicture.formats.gdl90 import crc
from airpicture.formats.live import REPORTED, LiveDecoder, reported_decoder, with_sources
from airpicture.tables import Plots

pytest.importorskip("pyais")


def framed(message: bytes) -> bytes:
    """Return a GDL 90 message with checksum, escapes and flags."""
    whole = message + crc(message).to_bytes(2, "little")
    return b"\x7e" + whole.replace(b"\x7d", b"\x7d\x5d").replace(b"\x7e", b"\x7d\x5e") + b"\x7e"


LINES_OF_AIRCRAFT = b'{"now":1714564800.5,"hex":"a3e31a","lat":35.2,"lon":-110.3,"seen_pos":0.2}\n' * 2
# Format, options, a stream of it, and how many plots it makes.
STREAMS: list[tuple[str, dict[str, Any], bytes, int]] = [
    ("sbs", {}, SBS, 3),
    ("uat", {}, UAT, 4),
    ("ais", {}, AIS, 2),
    ("aprs", {}, APRS, 3),
    ("flarm", {}, FLARM, 3),
    ("jet1090", {}, JET1090, 1),
    ("gdl90", {}, GDL90_HEARTBEAT + framed(GDL90_TRAFFIC), 1),
    ("aircraft-json", {"lines": True}, LINES_OF_AIRCRAFT, 1),
]
DOCUMENTS = [("aircraft-json", snapshot(aircraft()), 1), ("opensky", STATES, 1)]
NAMES = [name for name, _, _, _ in STREAMS]


def rows_of(plots: Plots) -> list[tuple[Any, ...]]:
    """Return rows to compare: floats to their last bit, NaN as equal."""
    columns = [getattr(plots, f.name) for f in fields(Plots) if f.name not in ("sensors", "truth_names")]
    return sorted(zip(*([repr(value) for value in column.tolist()] for column in columns), strict=True))


def whole(name: str, options: dict[str, Any], data: bytes) -> tuple[list[tuple[Any, ...]], dict[str, int]]:
    decoder = reported_decoder(name, **options)
    rows = rows_of(decoder.feed(data, T0 + 5_000_000_000))
    return rows, {key: count for key, count in decoder.counts.items() if count}


@pytest.mark.parametrize(("name", "options", "data", "count"), STREAMS, ids=NAMES)
def test_a_stream_gives_its_plots(name: str, options: dict[str, Any], data: bytes, count: int) -> None:
    decoder = reported_decoder(name, **options)
    plots = decoder.feed(data, T0 + 5_000_000_000)
    assert np.isfinite(plots.lat).sum() == count
    assert decoder.counts["decoded position"] == count
    assert (np.abs(plots.t_ns - T0) <= 60 * 10**9).all()


@pytest.mark.parametrize(("name", "options", "data", "count"), STREAMS, ids=NAMES)
@given(cuts=st.lists(st.integers(0, 1000), max_size=12))
def test_any_cut_gives_the_same(name: str, options: dict[str, Any], data: bytes, count: int, cuts: list[int]) -> None:
    decoder = reported_decoder(name, **options)
    places = [0, *sorted(cut * len(data) // 1000 for cut in cuts), len(data)]
    parts = [decoder.feed(data[a:b], T0 + 5_000_000_000) for a, b in pairwise(places)]
    rows, counts = whole(name, options, data)
    assert rows_of(Plots.concat(parts)) == rows
    assert {key: n for key, n in decoder.counts.items() if n} == counts


@pytest.mark.parametrize(("name", "options", "data", "count"), STREAMS, ids=NAMES)
@given(noise=st.binary(max_size=80), at=st.integers(0, 1000), flip=st.integers(0, 7))
def test_damaged_streams_are_survived(
    name: str, options: dict[str, Any], data: bytes, count: int, noise: bytes, at: int, flip: int
) -> None:
    place = at * (len(data) - 1) // 1000
    spoilt = bytearray(data)
    spoilt[place] ^= 1 << flip
    decoder = reported_decoder(name, **options)
    for piece in (bytes(spoilt), noise, data[place:], b"\n", data):
        plots = decoder.feed(piece, T0 + 5_000_000_000)
        plots = plots.take(np.isfinite(plots.lat))
        assert (np.abs(plots.lat) <= np.pi / 2).all()
        assert (np.abs(plots.lon) <= np.pi + 1e-12).all()


@pytest.mark.parametrize(("name", "data", "count"), DOCUMENTS, ids=[name for name, _, _ in DOCUMENTS])
def test_a_document_polled_again_gives_nothing_new(name: str, data: bytes, count: int) -> None:
    decoder = reported_decoder(name)
    assert len(decoder.feed(data, T0)) == count
    assert len(decoder.feed(data, T0 + 10**9)) == 0
    assert len(decoder.feed(data[: len(data) // 2], T0 + 2 * 10**9)) == 0
    assert decoder.counts["refused half a document"] == 1


@pytest.mark.parametrize(("name", "data", "count"), DOCUMENTS, ids=[name for name, _, _ in DOCUMENTS])
@given(noise=st.binary(max_size=20), at=st.integers(0, 1000))
def test_damaged_documents_are_survived(name: str, data: bytes, count: int, noise: bytes, at: int) -> None:
    place = at * len(data) // 1000
    decoder = reported_decoder(name)
    decoder.feed(data[:place] + noise + data[place + 1 :], T0)
    decoder.feed(noise, T0)
    assert decoder.counts.total() >= 1


def test_endless_lines_are_bounded() -> None:
    decoder = reported_decoder("sbs")
    for _ in range(20):
        decoder.feed(b"MSG," * 30_000, T0)
    assert decoder.counts["refused endless line"] >= 1
    assert len(decoder.feed(b"\n" + SBS, T0)) == 4  # three positions and a velocity


def test_the_service_makes_every_format() -> None:
    for name in REPORTED:
        sensors = with_sources(two_sensors(), [name])
        assert sensors is not None
        decoder: LiveDecoder = make_decoder(Source("in", name, stream=True), sensors)
        plots = decoder.feed(b"", T0)
        assert plots.sensors is sensors  # a service's table doesn't grow


def test_a_receiver_has_sensors_of_its_own() -> None:
    """Two receivers have two clocks: what one brings belongs to its own sensors, by the beginning of their names."""
    from airpicture.formats.sensors import sensors_from_rows

    ids = [("north", "radar"), ("adsb-roof", "adsb"), ("adsb-hill", "adsb"), ("mlat-hill", "mlat")]
    sensors = sensors_from_rows([{"id": name, "kind": kind} for name, kind in ids])
    rows = [aircraft(), aircraft(hex="000001", type="mlat"), aircraft(hex="000002", type="tisb_icao")]
    hill = reported_decoder("aircraft-json", sensors, only=("adsb-hill", "mlat-hill"))
    plots = hill.feed(snapshot(*rows), T0)
    assert [sensors.ids[k] for k in plots.sensor] == ["adsb-hill", "mlat-hill", "mlat-hill"]
    roof = reported_decoder("aircraft-json", sensors, only=("adsb-roof",))
    assert {sensors.ids[k] for k in roof.feed(snapshot(*rows), T0).sensor} == {"adsb-roof"}


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(ConfigError, match="'morse'"):
        reported_decoder("morse")
