"""What a stream of unknown kind is, from wherever it begins, in pieces of any size."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference_modes as ref
from airpicture.formats.decoding import Source, make_decoder
from airpicture.formats.live import with_sources
from airpicture.formats.sniffing import MOST, STRANGE, UNDECIDED, Sniffing, stream_format
from airpicture.tables import Plots

SENSORS = with_sources(None, ["sbs"])
NOW_NS = 1_714_564_801_000_000_000
SBS = "".join(
    f"MSG,3,1,1,4CA2D6,1,{now},{now},,36000,,,{51.5 + k / 500},-0.1,,,0,0,0,0\r\n"
    for k, now in enumerate(f"2024/05/01,12:00:0{k}.000" for k in range(4))
).encode()
LINE = len(SBS) // 4
BEAST = b"".join(ref.beast(ref.squitter(ref.air_position(48.0, 11.0, odd), 0x3C6444), 12_000 * k) for k, odd in
                 enumerate((0, 1) * 10))  # fmt: skip
BLOCK = bytes([48, 0, 6, 0x80, 25, 10])

STREAMS = {
    "sbs": SBS,
    "beast": BEAST,
    "avr": b"*8D4840D6202CC371C32CE0576098;\n" * 4,
    "asterix": BLOCK * 60,
    "ais": b"!AIVDM,1,1,,A,33P;Tw0tjBQO22:E7dm66DrB20UP,0*2E\n" * 3,
    "aircraft-json": b'{"now":1714564801.0,"hex":"4ca2d6","lat":51.5,"lon":-0.2}\n' * 3,
    "uat": b"-08a66eb2389c1bd2ea6506e4d3e9ec4f1b98;rs=1;\n" * 3,
    "jet1090": b'{"timestamp":1714564801.0,"frame":"8d4840d6202cc371c32ce0576098"}\n' * 3,
    "flarm": b"$PFLAU,3,1,2,1,0,-30,2,-32,755*FF\r\n" * 3,
    "aprs": b"# aprsc 2.1.5\r\nFLRDDE48A>APRS,qAS,EPZR:/074548h5111.32N/00102.04W'086/007/A=000607\r\n" * 2,
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_known_from_its_beginning(name: str) -> None:
    assert stream_format(STREAMS[name]) == name
    for size in range(len(STREAMS[name])):
        assert stream_format(STREAMS[name][:size]) in (name, UNDECIDED)


@pytest.mark.parametrize("name", [name for name in STREAMS if name not in ("asterix", "beast")])
def test_text_is_known_from_anywhere(name: str) -> None:
    whole = STREAMS[name]
    for cut in range(1, whole.index(b"\n")):
        held, strange = whole[cut:], 0
        while (found := stream_format(held)) == STRANGE:
            held, strange = held.lstrip().partition(b"\n")[2], strange + 1
        assert found == name
        assert strange <= 1


def test_frames_are_known_from_anywhere() -> None:
    for cut in range(1, 60):
        decoder = make_decoder(Source("-", "auto", True), SENSORS)
        assert len(decoder.feed(BEAST[cut:], NOW_NS)) > 0


def test_what_is_no_text_and_no_frames_is_asterix() -> None:
    """Its decoder looks for the first block."""
    assert stream_format(b"\xff" * 300) == "asterix"
    assert stream_format(BLOCK[3:] + BLOCK) == UNDECIDED
    assert stream_format(BLOCK[3:] + BLOCK * 50) == "asterix"


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 300), max_size=6), skipped=st.integers(0, 60))
def test_plots_come_out_however_the_stream_is_cut(cuts: list[int], skipped: int) -> None:
    stream = SBS[skipped:]
    decoder = make_decoder(Source("-", "auto", True), SENSORS)
    assert isinstance(decoder, Sniffing)
    edges = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    plots = Plots.concat([decoder.feed(stream[a:b], NOW_NS) for a, b in pairwise(edges)])
    assert len(plots) == (4 if skipped == 0 else 3)
    assert decoder.counts["refused line of no known format"] == (skipped > 0)


def test_text_of_no_known_kind_is_counted_and_not_kept() -> None:
    decoder = make_decoder(Source("-", "auto", True), SENSORS)
    for _ in range(50):
        decoder.feed(b"hello there\nno format\n" + b"x" * 5_000, NOW_NS)
    assert decoder.counts["refused line of no known format"] == 100
    assert len(decoder._held) < MOST
    decoder.feed(b"y" * MOST, NOW_NS)
    assert len(decoder._held) == 0
    assert len(decoder.feed(b"\n" + SBS[:LINE], NOW_NS)) == 1
    assert decoder.counts["refused line of no known format"] == 101
