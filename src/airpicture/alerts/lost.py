"""Lost tracks: confirmed ones that ended where a sensor should have gone on seeing them.

Most tracks end because the target landed or flew out of coverage; nobody is to be told of these. So one is lost only if

- it didn't land: it didn't say that it was on the ground, and didn't look like landing (not slow, not descending near
  the ground, not over an area that is for landing);
- a sensor that held it is alive and should see it still: well within its range and above its radio horizon; or, where
  the site of the sensor isn't known, something near it and no higher is seen by that same sensor now.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from airpicture.alerts.alert import AlertKind, Level
from airpicture.alerts.ground import told_on_ground
from airpicture.alerts.memory import Seen, places
from airpicture.alerts.settings import AlertSettings
from airpicture.alerts.standing import Cause
from airpicture.alerts.words import height_words, name_of
from airpicture.geo import distance, horizon_range
from airpicture.tables import F64, I32, I64, Status, Tracks
from airpicture.units import SECOND_NS


class LostWatch:
    """Holds the tracks that were lost for as long as people are to be shown them."""

    def __init__(self, settings: AlertSettings) -> None:
        self._settings = settings.lost
        self._max = settings.alerts_max
        self._lost: dict[int, tuple[int, int, Cause]] = {}  # track -> time, address, what to say

    def causes(
        self, tracks: Tracks, rows: I64, gone: I64, before: Seen, now_ns: int, silent: frozenset[str]
    ) -> list[Cause]:
        """Return a cause for each lost track that's still shown.

        Parameters
        ----------
        rows : confirmed and coasting tracks; gone : those that have ended, where losing them counts
        before : confirmed and coasting tracks as they were a step ago; silent : ids of sensors known to be
        """
        self._take(tracks, rows, gone, before, now_ns, silent)
        if self._lost:
            back = set(np.unique(tracks.address[rows]).tolist()) - {-1}
            until = now_ns - round(self._settings.stands_s * SECOND_NS)
            self._lost = {number: one for number, one in self._lost.items() if one[0] > until and one[1] not in back}
        return [cause for _, _, cause in self._lost.values()]

    def clear(self) -> None:
        """Forget all lost tracks."""
        self._lost.clear()

    def _take(self, tracks: Tracks, rows: I64, gone: I64, before: Seen, now_ns: int, silent: frozenset[str]) -> None:
        gone = gone[tracks.plot_count[gone] >= self._settings.plots_min]
        known, at = places(before.track, tracks.track[gone])
        gone = gone[known]
        flying = self._flying(tracks, gone)
        gone, at = gone[flying], at[flying]
        if not len(gone):
            return
        by_site, by_neighbour = self._should_be_seen(tracks, gone, before.sensors[at], rows, silent)
        for k in np.flatnonzero(by_site | by_neighbour).tolist():
            row = int(gone[k])
            number = int(tracks.track[row])
            ids = ", ".join(tracks.sensors.ids[s] for s in before.sensors[at[k]].tolist() if s >= 0)
            text = f"{name_of(tracks, row)} lost, {height_words(tracks, row)}, last seen by {ids}"
            level = Level.PRESENT if by_site[k] else Level.NOTICE
            if len(self._lost) >= self._max:
                del self._lost[next(iter(self._lost))]
            cause = Cause(f"lost:{number}", AlertKind.LOST, level, text, (number,), stands=False)
            self._lost[number] = (now_ns, int(tracks.address[row]), cause)

    def _flying(self, tracks: Tracks, gone: I64) -> NDArray[np.bool_]:
        """Return which tracks weren't on the ground, and didn't look like landing, when they ended."""
        speed = np.hypot(tracks.v_east[gone], tracks.v_north[gone])
        height = np.fmin(tracks.h_baro[gone], tracks.h_ell[gone])
        with np.errstate(invalid="ignore"):  # an unknown height or climb says nothing
            landing = (height < self._settings.landing_h) & ~(tracks.v_up[gone] > 1.0)
        flying: NDArray[np.bool_] = (speed > self._settings.landing_speed) & ~landing & ~told_on_ground(tracks, gone)
        return flying

    def _should_be_seen(
        self, tracks: Tracks, gone: I64, held: I32, rows: I64, silent: frozenset[str]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        sensors, limits = tracks.sensors, self._settings
        by_site, by_neighbour = np.zeros(len(gone), np.bool_), np.zeros(len(gone), np.bool_)
        for s in np.unique(held[held >= 0]).tolist():
            asked = np.flatnonzero((held == s).any(axis=1))
            if sensors.ids[s] in silent:
                continue
            seen_now = rows[(tracks.seen[rows] == s).any(axis=1) & (tracks.status[rows] == Status.CONFIRMED)]
            if not len(seen_now):
                continue  # it sees nothing at all any more
            lat, lon, h = (column[gone[asked]] for column in (tracks.lat, tracks.lon, tracks.h_ell))
            if np.isfinite(sensors.lat[s]):
                reach = distance(lat, lon, sensors.lat[s], sensors.lon[s])
                horizon = horizon_range(sensors.h_ell[s], np.nan_to_num(h, nan=0.0) - limits.h_margin)
                inside = (reach < limits.range_share * sensors.range_max[s]) & (reach < horizon)
                by_site[asked] |= inside & (reach > sensors.range_min[s])
            else:
                by_neighbour[asked] |= self._neighbour(tracks, seen_now, lat, lon, h)
        return by_site, by_neighbour

    def _neighbour(self, tracks: Tracks, seen_now: I64, lat: F64, lon: F64, h: F64) -> NDArray[np.bool_]:
        """Return beside which places there's a track, no higher, that the sensor sees now."""
        beside = np.zeros(len(lat), np.bool_)
        heights = np.nan_to_num(tracks.h_ell[seen_now], nan=np.inf)
        for k in range(min(len(lat), 64)):  # more that end at one time have a reason that isn't theirs
            low = seen_now[heights <= np.nan_to_num(h[k], nan=-np.inf) + self._settings.neighbour_up]
            if len(low):
                away = distance(tracks.lat[low], tracks.lon[low], lat[k], lon[k])
                beside[k] = bool((away < self._settings.neighbour).any())
        return beside
