"""Emergency codes: what a pilot sets to call for help without speaking.

Source: ICAO Annex 10 volume IV, 2.1.4.1: 7500 unlawful interference, 7600 radio failure, 7700 emergency.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from airpicture.alerts.alert import AlertKind, Level
from airpicture.alerts.settings import AlertSettings
from airpicture.alerts.standing import Cause
from airpicture.alerts.words import height_words, name_of
from airpicture.tables import I64, Tracks

MEANING: Final = {0o7500: "unlawful interference", 0o7600: "radio failure", 0o7700: "emergency"}


class EmergencyWatch:
    """Counts the plots with which each track has shown an emergency code."""

    def __init__(self, settings: AlertSettings) -> None:
        self._plots = settings.emergency_plots
        self._shown: dict[int, tuple[int, int, int]] = {}  # track -> code, time of the last plot, plots with it

    def causes(self, tracks: Tracks, rows: I64) -> list[Cause]:
        """Return a cause for each track that has shown a code with enough plots; `rows` are those spoken of."""
        codes = tracks.mode_3a[rows]
        marked = rows[np.isin(codes, list(MEANING))]
        shown: dict[int, tuple[int, int, int]] = {}
        causes = []
        for row in marked.tolist():
            number, code, t_plot = int(tracks.track[row]), int(tracks.mode_3a[row]), int(tracks.t_ns_plot[row])
            was, t_last, count = self._shown.get(number, (code, -1, 0))
            if was != code:
                t_last, count = -1, 0
            if t_plot != t_last:
                count += 1
            shown[number] = (code, t_plot, count)
            if count < self._plots:
                continue
            text = f"{name_of(tracks, row)} squawks {code:04o}, {MEANING[code]}, {height_words(tracks, row)}"
            causes.append(Cause(f"emergency:{number}", AlertKind.EMERGENCY, Level.PRESENT, text, (number,)))
        self._shown = shown
        return causes

    def clear(self) -> None:
        """Forget all plots."""
        self._shown.clear()
