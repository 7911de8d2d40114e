"""Doubtful reports: what the table of tracks shows of contradictions.

- one 24-bit address in two places: one of them is set wrong, or made up;
- one Mode A code in two places, where a centre's codes are its own (off unless asked for);
- a track that jumps, climbs or accelerates as nothing flies: garbled, delayed or forged reports;
- plots that tell another height than the track believes, look after look;
- a track shown as confirmed whose existence has become doubtful.

What single plots contradict is the tracker's business: they are refused or weigh little there.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from airpicture.alerts.alert import AlertKind, Level
from airpicture.alerts.memory import Seen, places
from airpicture.alerts.settings import AlertSettings
from airpicture.alerts.standing import Cause
from airpicture.alerts.words import distance_words, height_words, name_of
from airpicture.geo import distance, enu_to_geodetic
from airpicture.tables import F64, I32, I64, Status, Tracks
from airpicture.units import FPM, FT

SIGMAS_APART = 5.0  # beyond what two places of one aircraft may differ by their own account


def doubtful_causes(tracks: Tracks, rows: I64, before: Seen, settings: AlertSettings) -> list[Cause]:
    """Return a cause for each contradiction among confirmed and coasting tracks.

    Parameters
    ----------
    rows : those tracks; before : what they were a step ago
    """
    limits = settings.doubtful
    coded = rows[tracks.address[rows] >= 0]
    causes = _twice(tracks, coded, tracks.address[coded], "address", 0.0, math.inf, settings)
    if limits.same_code:
        codes = tracks.mode_3a[rows]
        own = rows[(codes >= 0) & ~np.isin(codes, list(limits.shared_codes))]
        causes += _twice(tracks, own, tracks.mode_3a[own], "code", 0.0, limits.same_code_range, settings)
    causes += _unsteady(tracks, rows, before, settings)
    causes += _other_heights(tracks, rows, settings)
    weak = rows[(tracks.status[rows] == Status.CONFIRMED) & (tracks.existence[rows] < limits.existence)]
    for row in weak.tolist():
        number, percent = int(tracks.track[row]), round(100 * float(tracks.existence[row]))
        text = f"{name_of(tracks, row)} may not exist any more: probability {percent} %"
        causes.append(Cause(f"doubtful:existence:{number}", AlertKind.DOUBTFUL, Level.NOTICE, text, (number,)))
    return causes


def _twice(
    tracks: Tracks, rows: I64, codes: I32, what: str, low: float, high: float, settings: AlertSettings
) -> list[Cause]:
    """Return a cause for each code that two tracks carry which can't be one aircraft, `low` to `high` m apart.

    Of more than two each is compared with the one that it follows in the order of codes and track numbers.
    """
    order = np.lexsort((tracks.track[rows], codes))
    rows, codes = rows[order], codes[order]
    same = np.flatnonzero(codes[1:] == codes[:-1]) if len(codes) else np.zeros(0, np.int64)
    if not len(same):
        return []
    one, other = rows[same], rows[same + 1]
    away = distance(tracks.lat[one], tracks.lon[one], tracks.lat[other], tracks.lon[other])
    vague = np.hypot(_sigma(tracks, one), _sigma(tracks, other))
    apart = (away > settings.doubtful.apart + SIGMAS_APART * vague) & (away >= low) & (away <= high)
    causes = []
    for k in np.flatnonzero(apart).tolist():
        pair = sorted((int(tracks.track[one[k]]), int(tracks.track[other[k]])))
        code = f"{int(codes[same[k]]):06X}" if what == "address" else f"{int(codes[same[k]]):04o}"
        text = f"{what} {code} in two places, {distance_words(float(away[k]))} apart"
        key = f"doubtful:{what}:{code}:{pair[0]}:{pair[1]}"
        causes.append(
            Cause(key, AlertKind.DOUBTFUL, Level.PRESENT, text, tuple(pair), value=float(away[k]), at_once=False)
        )
    return causes


def _unsteady(tracks: Tracks, rows: I64, before: Seen, settings: AlertSettings) -> list[Cause]:
    """Return a cause for each track that changed since the step before as nothing flies."""
    limits = settings.doubtful
    known, at = places(before.track, tracks.track[rows])
    rows = rows[known]
    dt = (tracks.t_ns[rows] - before.t_ns[at]) * 1e-9
    plotted = (dt > 0) & (tracks.t_ns_plot[rows] != before.t_ns_plot[at])
    rows, at, dt = rows[plotted], at[plotted], dt[plotted]
    if not len(rows):
        return []
    # What one step changes is told against at least a second: steps may be shorter than the reports' own clocks err.
    span = np.maximum(dt, 1.0)
    e, n = before.v_east[at] * dt, before.v_north[at] * dt
    lat, lon, _ = enu_to_geodetic(e, n, 0.0, before.lat[at], before.lon[at], 0.0)
    jump = distance(lat, lon, tracks.lat[rows], tracks.lon[rows])
    allowed = limits.jump + limits.jump_sigmas * _sigma(tracks, rows) + 0.5 * limits.acceleration * dt * dt
    change = np.hypot(tracks.v_east[rows] - before.v_east[at], tracks.v_north[rows] - before.v_north[at])
    vague = limits.jump_sigmas * np.hypot(tracks.sigma_v_east[rows], tracks.sigma_v_north[rows])
    step = tracks.h_baro[rows] - before.h_baro[at]
    with np.errstate(invalid="ignore"):  # an unknown sigma or height contradicts nothing
        jumped: NDArray[np.bool_] = jump > allowed
        turned = change - vague > limits.acceleration * span
        climbed = (np.abs(step) > limits.climb_step) & (np.abs(step) > limits.climb * span)
    causes = []
    for what, mask, value in (("jump", jumped, jump), ("speed", turned, change), ("height", climbed, step)):
        for k in np.flatnonzero(mask).tolist():
            row, number = int(rows[k]), int(tracks.track[rows[k]])
            text = f"{name_of(tracks, row)} {_words(what, float(value[k]), float(span[k]))}"
            metres = abs(float(value[k])) if what != "speed" else math.nan
            key = f"doubtful:{what}:{number}"
            causes.append(Cause(key, AlertKind.DOUBTFUL, Level.PRESENT, text, (number,), value=metres))
    return causes


def _other_heights(tracks: Tracks, rows: I64, settings: AlertSettings) -> list[Cause]:
    """Return a cause for each track whose plots tell another height than the track believes."""
    told = tracks.plot_h_baro[rows] - tracks.h_baro[rows]
    with np.errstate(invalid="ignore"):  # an unknown height contradicts nothing
        off = (np.abs(told) > settings.doubtful.height_off) & (tracks.status[rows] == Status.CONFIRMED)
    causes = []
    for k in np.flatnonzero(off).tolist():
        row, number = int(rows[k]), int(tracks.track[rows[k]])
        feet = round(float(tracks.plot_h_baro[row]) / FT, -2)
        text = f"{name_of(tracks, row)} tells {feet:,.0f} ft, its track is at {height_words(tracks, row)}"
        key = f"doubtful:told height:{number}"
        value = abs(float(told[k]))
        causes.append(Cause(key, AlertKind.DOUBTFUL, Level.PRESENT, text, (number,), value=value, at_once=False))
    return causes


def _words(what: str, value: float, span: float) -> str:
    if what == "jump":
        return f"jumped by {distance_words(value)}"
    if what == "speed":
        return f"changed its velocity by {value:.0f} m/s within {span:.0f} s"
    return f"changed its height at {abs(value) / span / FPM:,.0f} ft/min"


def _sigma(tracks: Tracks, rows: I64) -> F64:
    """Return the sigma of positions [m], the larger axis; 0 where it isn't known."""
    sigma: F64 = np.nan_to_num(np.maximum(tracks.sigma_east[rows], tracks.sigma_north[rows]), nan=0.0)
    return sigma
