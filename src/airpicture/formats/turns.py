"""How long an antenna takes for a turn, as a radar's own plots tell: for radars of which nobody said it.

A radar that turns once in T seconds and sees a plot at time t and azimuth a has a - 2 pi t / T the same at all plots.
So the right T is the one for which these phases agree: the length of the mean of exp(i (a - 2 pi t / T)) is one then,
and near nothing for all others, as long as there's more than a turn to look at (a Rayleigh periodogram; Mardia and
Jupp, Directional Statistics, 2000, section 2.3). Antennas turn at their own pace, by half a percent or so with the
wind, so that it's asked of a minute at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from airpicture.tables import F64, I64, Plots, SensorKind, Sensors
from airpicture.units import SECOND_NS, TAU

# Radars that turn faster look at aprons and runways, where a target stands behind others for many turns. Two hours of
# one that turns in a second became three times as many tracks with that turn as without: misses in a row, each taken
# for one by chance, end a track.
SHORTEST_S: Final = 2.0
LONGEST_S: Final = 60.0
AGREE: Final = 0.95  # length of the mean phase, from which on plots are those of a turning antenna
WINDOWS: Final = 3  # the beginning, the middle and the end of what there is
WINDOW_S: Final = 60.0
WINDOW_MOST_S: Final = 600.0  # where plots are few
PLOTS_LEAST: Final = 12
PLOTS_WANTED: Final = 48
PLOTS_USED: Final = 300
STEPS: Final = 6  # of a period that are tried in the time that a window is long


def turn_of(t_ns: I64, azimuth: F64) -> float:
    """Return the time of a turn, NaN where plots don't tell.

    Too few plots don't, less than a turn of them, times that are those of the whole turn, and antennas that don't turn.
    All plots of a staring sensor that looks into one direction at regular times agree, too, with the time between its
    looks; which is what a turn's time is used for.

    Parameters
    ----------
    t_ns : (N,) ns UTC, in any order
    azimuth : (N,) rad; what isn't finite is left out

    Returns
    -------
    s; the median of those that the beginning, the middle and the end tell
    """
    known = np.flatnonzero(np.isfinite(azimuth))
    if len(known) < PLOTS_LEAST:
        return float("nan")
    order = known[np.argsort(t_ns[known], kind="stable")]
    t, azimuth = (t_ns[order] - t_ns[order[0]]) / SECOND_NS, azimuth[order]
    found = [_period(t[rows], azimuth[rows]) for rows in _windows(t)]
    told = [period for period in found if np.isfinite(period)]
    return float(np.median(told)) if told else float("nan")


def _windows(t: F64) -> Iterator[I64]:
    """Choose the plots to look at: rows of a minute, of more where these are few, evenly thinned where many."""
    seen = set()
    for share in np.linspace(0.0, 1.0, WINDOWS):
        begin = int(np.searchsorted(t, share * max(t[-1] - WINDOW_S, 0.0)))
        begin = max(min(begin, len(t) - PLOTS_WANTED), 0)
        end = max(int(np.searchsorted(t, t[begin] + WINDOW_S, "right")), min(begin + PLOTS_WANTED, len(t)))
        end = min(end, int(np.searchsorted(t, t[begin] + WINDOW_MOST_S, "right")))
        if end - begin >= PLOTS_LEAST and (begin, end) not in seen:
            seen.add((begin, end))
            yield begin + np.unique(np.linspace(0, end - begin - 1, min(end - begin, PLOTS_USED)).astype(np.int64))


def _period(t: F64, azimuth: F64) -> float:
    """Return the longest time of a turn [s] with which all plots of a window agree, NaN without any.

    The longest, since plots in one direction agree with every part of it, too.
    """
    t = t - t[0]
    span = float(t[-1])
    if span <= SHORTEST_S:
        return float("nan")
    step = 1.0 / (STEPS * span)
    rates = np.arange(1.0 / LONGEST_S, 1.0 / SHORTEST_S, step)
    agreed = _agreement(t, azimuth, rates)
    padded = np.concatenate([[0.0], agreed, [0.0]])
    peaks = np.flatnonzero((agreed >= padded[:-2]) & (agreed >= padded[2:]) & (agreed >= AGREE - 0.1))
    for peak in peaks.tolist():
        near = rates[peak] + step * np.linspace(-1.0, 1.0, 201)
        near = near[near > 0.0]
        exact = _agreement(t, azimuth, near)
        rate = float(near[int(np.argmax(exact))])
        if exact.max() >= AGREE and rate * span >= 1.0:
            return 1.0 / rate
    return float("nan")


def _agreement(t: F64, azimuth: F64, rates: F64) -> F64:
    """Return the length of the mean phase for each rate [turns a second]."""
    phase = azimuth - TAU * rates[:, None] * t
    agreed: F64 = np.hypot(np.cos(phase).mean(axis=1), np.sin(phase).mean(axis=1))
    return agreed


def turns_found(plots: Plots) -> tuple[Sensors, tuple[str, ...]]:
    """Return the sensors of plots with the turns that these tell of, and a sentence for the user on each."""
    sensors = plots.sensors
    period = sensors.period.copy()
    notes = []
    for row in np.flatnonzero((sensors.kind == SensorKind.RADAR) & np.isnan(period)).tolist():
        mine = plots.sensor == row
        found = turn_of(plots.t_ns[mine], plots.azimuth[mine])
        if np.isfinite(found):
            period[row] = round(found, 3)
            notes.append(turn_note(sensors.ids[row], period[row]))
    return (replace(sensors, period=period) if notes else sensors), tuple(notes)


def turn_note(sensor: str, period_s: float) -> str:
    """Return the sentence that says what was found."""
    return f"radar {sensor!r} has no period_s; by its plots it turns once in {period_s:g} s, which is taken"
