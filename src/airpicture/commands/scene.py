"""Two recordings on one time line, so that a map can show both at once: the demo's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from airpicture.formats.opening import join
from airpicture.formats.recording import ReadReport, Recording
from airpicture.tables import Plots, Tracks
from airpicture.units import SECOND_NS

if TYPE_CHECKING:
    from airpicture.page import View

# Left out of each round of the shorter one: by then the radar has turned four times and holds its targets.
WARM_S = 40.0


def both(longer: View, shorter: View) -> tuple[Tracks, Plots]:
    """Return tracks and plots of both, at the longer one's times; the shorter one goes round and round beside it."""
    rounds = [_part(longer.tracks, longer.plots, 0, 0)]
    begin_ns, end_ns = _span(longer)
    first_ns, last_ns = _span(shorter)
    first_ns += round(WARM_S * SECOND_NS)
    number = int(longer.tracks.track.max(initial=0))
    tracks = shorter.tracks.take(shorter.tracks.t_ns >= first_ns)
    plots = shorter.plots.take(shorter.plots.t_ns >= first_ns) if shorter.plots is not None else None
    at_ns = begin_ns
    while at_ns < end_ns and len(tracks):
        # Each round ends where the next one begins, or with the longer recording.
        left = tracks.t_ns - first_ns + at_ns < end_ns
        rounds.append(
            _part(
                tracks.take(left),
                plots.take(plots.t_ns - first_ns + at_ns < end_ns) if plots is not None else None,
                at_ns - first_ns,
                number,
            )
        )
        number += int(tracks.track.max())
        at_ns += last_ns - first_ns
    joined = join(rounds)
    assert joined.tracks is not None
    return joined.tracks, joined.plots


def _span(view: View) -> tuple[int, int]:
    return int(view.tracks.t_ns.min()), int(view.tracks.t_ns.max())


def _part(tracks: Tracks, plots: Plots | None, shift_ns: int, number: int) -> Recording:
    """Return tables moved in time, with track numbers counted on."""

    def moved(times: np.ndarray) -> np.ndarray:
        return np.where(times > 0, times + shift_ns, times)

    tracks = replace(
        tracks,
        t_ns=tracks.t_ns + shift_ns,
        t_ns_plot=moved(tracks.t_ns_plot),
        t_ns_first=moved(tracks.t_ns_first),
        t_ns_technology=moved(tracks.t_ns_technology),
        track=tracks.track + number,
    )
    plots = Plots.empty(tracks.sensors) if plots is None else replace(plots, t_ns=plots.t_ns + shift_ns)
    return Recording(plots, tracks.sensors, ReadReport("", "", 0, {}), tracks)
