"""Times of day to full times: midnight, the day, truncated times of CAT001, records without time.

Times of day count 1/128 s (7,812,500 ns exactly), so all of this is done in integers.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.asterix.decode import Blocks, Records
from airpicture.kernels.asterix_stream import unwrap_days
from airpicture.tables import I64
from airpicture.units import DAY_NS, SECOND_NS

TICK_NS = SECOND_NS // 128
TRUNCATED_NS = 512 * SECOND_NS  # I001/141 starts again after so long
# The leap second may make 86,400 s of a day 86,401; a greater number is no time of day.
TOD_MAX_NS = DAY_NS + SECOND_NS
# A rotating radar's plots come within a turn or two, systems buffer for seconds; a minute of disorder is none of these.
TRUST_NS = 600 * SECOND_NS
PATIENCE = 64

# Where the time is, by preference. CAT021: of applicability of the position, of reception of the position, of
# applicability of the velocity, of the report; 030 in the editions before 1.0.
TIME_FIELDS: dict[int, tuple[str, ...]] = {
    1: (),
    2: ("030",),
    4: ("020",),
    10: ("140",),
    19: ("140",),
    20: ("140",),
    21: ("071", "073", "075", "077", "030"),
    23: ("070",),
    34: ("030",),
    48: ("140",),
    62: ("070",),
    63: ("030",),
    65: ("030",),
}
TRUNCATED_FIELD = "141"  # of CAT001
PRECISE_FIELDS = ("074/FSI", "074/TOMRP")  # of CAT021: the fraction of I021/073 to 2^-30 s


@dataclass(slots=True)
class Times:
    """Full times of all records, and how they came about."""

    t_ns: dict[int, I64] = field(default_factory=dict)  # category -> (N,) ns UTC since 1970, -1 where there's none
    borrowed: int = 0  # records that had no time of their own
    impossible: int = 0  # times of day beyond 24 h
    notes: list[str] = field(default_factory=list)


def times_of_day(records: Records) -> I64:
    """Return ns since midnight from whichever field there is, -1 where there's none."""
    tod = np.full(len(records), -1, np.int64)
    for path in TIME_FIELDS[records.category]:
        column = records.raw[path]
        found = (tod < 0) & records.has(path)
        stamps = column * TICK_NS
        if path == "073" and "074/TOMRP" in records.raw:
            stamps = _precise(stamps, records)
        tod = np.where(found, stamps, tod)
    return tod


def _precise(stamps: I64, records: Records) -> I64:
    """Return the times of reception with the fraction of I021/074; FSI: of which second (1 next, 2 last)."""
    fraction, shift = records.raw["074/TOMRP"], records.raw["074/FSI"]
    second = stamps // SECOND_NS + np.where(shift == 1, 1, np.where(shift == 2, -1, 0))
    precise = second * SECOND_NS + ((fraction * SECOND_NS) >> 30)
    # The two tell the same time; where they differ by more than a tick, the coarse one is taken.
    usable = records.has("074/TOMRP") & (shift != 3) & (np.abs(precise - stamps) <= TICK_NS)
    return np.where(usable, precise, stamps)


def _last_known(key: I64, known: I64, valid: NDArray[np.bool_], ahead: bool) -> I64:
    """Return for each row the last value of its key at or before it (with `ahead`, the next after), -1 where none."""
    order = np.argsort(key, kind="stable")
    if ahead:
        order = order[::-1]
    sorted_key = key[order]
    place = np.arange(len(key))
    start = np.maximum.accumulate(np.where(np.r_[True, sorted_key[1:] != sorted_key[:-1]], place, 0))
    last = np.maximum.accumulate(np.where(valid[order], place, -1))
    found = last >= start
    values = np.full(len(key), -1, np.int64)
    values[order] = np.where(found, known[order][np.maximum(last, 0)], -1)
    return values


def assign_times(
    records: Mapping[int, Records], sources: Mapping[int, I64], blocks: Blocks, date: datetime.date | None
) -> Times:
    """Give each record its full time.

    Parameters
    ----------
    records : by category, with the fields of `TIME_FIELDS`
    sources : by category, (N,) SAC * 256 + SIC, -1 unknown
    blocks : for their capture times
    date : day of the first time; None: the capture tells, else it's 1970-01-01
    """
    times = Times()
    categories = sorted(records)
    if not sum(len(records[c]) for c in categories):
        times.t_ns = {c: np.empty(0, np.int64) for c in categories}
        return times
    joined = np.concatenate([np.full(len(records[c]), c, np.int64) for c in categories])
    offset = np.concatenate([records[c].offset for c in categories])
    block = np.concatenate([records[c].block for c in categories])
    order = np.lexsort((offset, block))  # blocks are in the order of the input, rebuilt datagrams among them
    joined, block = joined[order], block[order]
    tod = np.concatenate([times_of_day(records[c]) for c in categories])[order]
    source = np.concatenate([sources[c] for c in categories])[order]
    captured = blocks.t_ns[block] if date is None else np.full(len(order), -1, np.int64)
    impossible = tod >= TOD_MAX_NS
    times.impossible = int(impossible.sum())
    tod[impossible] = -1
    if 1 in records:
        truncated = np.concatenate(
            [
                records[c].integers(TRUNCATED_FIELD) if c == 1 else np.full(len(records[c]), -1, np.int64)
                for c in categories
            ]
        )[order]
        tod = complete(tod, np.where(truncated >= 0, truncated * TICK_NS, -1), source, joined, captured)
    lacking = (tod < 0) & ~impossible
    lent = np.where(lacking, _last_known(source, tod, tod >= 0, ahead=False), -1)
    times.borrowed = int((lent >= 0).sum())
    tod = np.where(lent >= 0, lent, tod)
    first_day = 0 if date is None else (date - datetime.date(1970, 1, 1)).days * DAY_NS
    t_ns = np.empty(len(order), np.int64)
    unwrap_days(tod, captured, first_day, DAY_NS, TRUST_NS, PATIENCE, t_ns)
    if date is None and ((captured < 0) & (tod >= 0)).any():
        times.notes.append("the recording doesn't tell its day: 1970-01-01 is taken; give the day with --date")
    unsorted = np.empty_like(t_ns)
    unsorted[order] = t_ns
    start = 0
    for category in categories:
        times.t_ns[category] = unsorted[start : start + len(records[category])]
        start += len(records[category])
    return times


def complete(tod: I64, truncated: I64, source: I64, category: I64, captured: I64) -> I64:
    """Return times of day with the truncated ones of CAT001 completed.

    The full time nearest to the last CAT002 of the same radar (or the next, at the start); without any, nearest to the
    last full time of any source, or to the capture.
    """
    service = (category == 2) & (tod >= 0)
    reference = _last_known(source, tod, service, ahead=False)
    for other in (
        _last_known(source, tod, service, ahead=True),
        _last_known(np.zeros_like(source), tod, tod >= 0, ahead=False),
        _last_known(np.zeros_like(source), tod, tod >= 0, ahead=True),
        np.where(captured >= 0, captured % DAY_NS, -1),
    ):
        reference = np.where(reference >= 0, reference, other)
    # 86,400 s is no multiple of 512 s: the count starts again at midnight, in the middle of a round. So the times there
    # can be are tried: those around the reference, and the first and the last of the day.
    round_ = (reference - truncated) // TRUNCATED_NS
    last = (DAY_NS - 1 - truncated) // TRUNCATED_NS
    candidates = truncated + np.stack([round_, round_ + 1, np.zeros_like(last), last]) * TRUNCATED_NS
    apart = np.abs((candidates - reference + DAY_NS // 2) % DAY_NS - DAY_NS // 2)
    apart[(candidates < 0) | (candidates >= DAY_NS)] = DAY_NS
    nearest = np.take_along_axis(candidates, apart.argmin(axis=0)[None], axis=0)[0]
    return np.where((truncated >= 0) & (reference >= 0), nearest, tod)
