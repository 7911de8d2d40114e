"""Rows of text against a plain twin with one f-string a cell."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from airpicture.formats.textrows import (
    callsign_texts,
    cell,
    escaped,
    hex_texts,
    octal_texts,
    rows,
    rows_apart,
    time_texts,
)
from airpicture.tables import pack_callsigns

numbers = st.lists(st.floats(-1e9, 1e9) | st.sampled_from([math.nan, math.inf, 0.0, -0.0, 0.5, 999.9995]), min_size=1)


def plain(value: float, digits: int, trim: bool) -> str:
    """Return a number as fixed point, rounded to even as numpy does."""
    whole = round(float(np.rint(value * 10.0**digits)))
    text = f"{abs(whole):0{digits + 1}d}"
    text = text[:-digits] + "." + text[-digits:] if digits else text
    if trim and digits:
        text = text.rstrip("0").rstrip(".")
    return ("-" if whole < 0 else "") + text


@given(numbers, st.integers(0, 7), st.booleans())
def test_numbers_are_written_as_fixed_point(values: list[float], digits: int, trim: bool) -> None:
    expected = [plain(v, digits, trim) if math.isfinite(v) else "" for v in values]
    text = rows([cell("", np.array(values), digits, trim=trim)]).decode()
    assert text.split("\n")[:-1] == expected


@given(numbers, st.lists(st.text('abc"&<\\', max_size=6), min_size=1), st.booleans())
def test_cells_that_are_missing_are_left_out_or_empty(values: list[float], texts: list[str], keep: bool) -> None:
    count = min(len(values), len(texts))
    values, texts = values[:count], texts[:count]
    column = np.array([text.encode() for text in texts], "S6")
    apart = rows_apart([cell("[", column, after="]", keep=keep), cell(",n=", np.array(values), 2)], end=";")
    for value, text, row in zip(values, texts, apart, strict=True):
        expected = f"[{text}]" if text else ("[" if keep else "")
        expected += f",n={plain(value, 2, True)}" if math.isfinite(value) else ""
        assert row.decode() == expected + ";"


def test_whole_numbers_count_all() -> None:
    values = np.array([0, -1, 2**62, -(2**62)])
    assert rows([cell("", values)]) == b"0\n-1\n4611686018427387904\n-4611686018427387904\n"


def test_codes_and_names() -> None:
    assert octal_texts(np.array([0o7700, 1, -1], np.int32)).tolist() == [b"7700", b"0001", b""]
    assert hex_texts(np.array([0xABC, -1])).tolist() == [b"000abc", b""]
    assert callsign_texts(pack_callsigns(["AB 1", "", "é\n"])).tolist() == [b"AB 1", b"", b"??"]
    texts = np.array([b'a"b\\', b"<&>"])
    assert escaped(texts, "json").tolist() == [b'a\\"b\\\\', b"<&>"]
    assert escaped(texts, "xml").tolist() == [b"a&quot;b\\", b"&lt;&amp;&gt;"]


@given(st.lists(st.integers(0, 4_000_000_000_000), min_size=1, max_size=20))
def test_times_are_those_of_datetime(milliseconds: list[int]) -> None:
    texts = time_texts(np.array(milliseconds) * 1_000_000)
    for value, text in zip(milliseconds, texts.tolist(), strict=True):
        moment = datetime.fromtimestamp(value // 1000, UTC)
        assert text.decode() == f"{moment:%Y-%m-%dT%H:%M:%S}.{value % 1000:03d}Z"
