"""At which instants truth and tracks are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from airpicture.errors import InputError
from airpicture.evaluation.paths import Paths
from airpicture.tables import I64
from airpicture.units import SECOND_NS

STATES_MAX = 4_000_000  # targets summed over the instants; an unset period is lengthened until they fit (about 2 GB)


@dataclass(frozen=True, slots=True, eq=False)
class Instants:
    """The instants of an evaluation."""

    t_ns: I64  # (T,) ascending
    period_s: float  # usual step, NaN for fewer than two instants
    thinned: int  # every how manieth instant was taken, to bound memory; 1 for all


class Span(NamedTuple):
    """The time that is judged, both ends included; empty where start lies after end."""

    start_ns: int
    end_ns: int

    @classmethod
    def of(cls, truth: Paths, tracks: Paths, *, common: bool, start_ns: int | None, end_ns: int | None) -> Span:
        """Return the time to judge: the truth's, or with `common` what both cover; the tracks' without truth.

        A miss counts all through the truth, before the first track too. Of a reference tracker nobody knows whether it
        or the other was switched on late, so only the common time is fair.
        """
        spans = [reach(paths) for paths in (truth, tracks) if len(paths.t_ns)]
        if not spans:
            return cls(0, -1)
        first, last = spans[0]
        if common and len(spans) == 2:
            first, last = max(first, spans[1][0]), min(last, spans[1][1])
        start = first if start_ns is None else max(first, start_ns)
        end = last if end_ns is None else min(last, end_ns)
        if start > end:
            raise InputError(
                f"the time asked for, {utc_text(start_ns)} to {utc_text(end_ns)}, lies outside what there is, "
                f"{utc_text(first)} to {utc_text(last)}",
                expected="times inside it",
                todo="Change start_ns or end_ns",
            )
        return cls(start, end)


def reach(paths: Paths) -> tuple[int, int]:
    """Return first and last time at which rows speak."""
    return int(paths.t_ns.min()), int(max(paths.t_ns.max(), paths.until_ns.max() - 1))


def check_overlap(truth: Paths, tracks: Paths, *, tracks_given: bool) -> None:
    """Refuse tables without a common time: their comparison would only count misses."""
    if not len(truth.t_ns) or not len(tracks.t_ns) or not tracks_given:
        return
    (a, b), (c, d) = reach(truth), reach(tracks)
    if b < c or d < a:
        raise InputError(
            f"truth and tracks have no time in common: truth from {utc_text(a)} to {utc_text(b)}, "
            f"tracks from {utc_text(c)} to {utc_text(d)}",
            expected="recordings of the same time",
            todo="Check the files, and the date given when they were read",
        )


def choose_instants(truth: Paths, tracks: Paths, *, span: Span, period_s: float | None) -> Instants:
    """Choose the instants: the truth's own where its targets share them, else a grid; see `evaluate`."""
    source = truth if len(truth.t_ns) else tracks
    if not len(source.t_ns):
        return Instants(np.empty(0, np.int64), np.nan, 1)
    inside = (source.t_ns >= span.start_ns) & (source.t_ns <= span.end_ns)
    own = np.unique(source.t_ns[inside])
    steps = source.t_ns[source.next] - source.t_ns
    steps = steps[steps > 0]
    usual = float(np.median(steps)) / SECOND_NS if len(steps) else 1.0
    # Targets that each have times of their own fill the gaps of the others: two halve the usual step.
    alone = len(source) == 1 or len(own) < 2 or len(steps) == 0
    shared = alone or float(np.median(np.diff(own))) / SECOND_NS >= 0.7 * usual
    if shared:
        if period_s is not None:
            # A thousandth of a period of slack: stamps that jitter about the grid stay in their own bin.
            bins = np.floor((own - own[0]) / (period_s * SECOND_NS) + 1e-3)
            own = own[np.append(True, np.diff(bins) > 0)]
    else:
        step_ns = max(round((period_s if period_s is not None else usual) * SECOND_NS), 1)
        own = np.arange(span.start_ns, span.end_ns + 1, step_ns, dtype=np.int64)
    thinned = 1
    if period_s is None:
        states = int(np.sum(np.searchsorted(own, source.until_ns, "left") - np.searchsorted(own, source.t_ns, "left")))
        thinned = max(1, -(-states // STATES_MAX))
        own = own[::thinned]
    period = float(np.median(np.diff(own))) / SECOND_NS if len(own) > 1 else np.nan
    return Instants(own.astype(np.int64), period, thinned)


def utc_text(t_ns: int | np.int64 | None) -> str:
    """Return a time as ISO 8601 with milliseconds; "-" for none."""
    return "-" if t_ns is None else f"{np.datetime64(int(t_ns) // 1_000_000, 'ms')}Z"
