"""How well a picture holds a sky: nearest truth within a cut-off, in time that is linear but for a logarithm.

The best pairing is that of GOSPA (``evaluation.sets``), which falls apart into small components; positions are those
of the feet on the ellipsoid, since a radar without elevation leaves the height open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from airpicture import geo
from airpicture.evaluation.sets import gospa
from airpicture.simulation.sky import Now
from airpicture.tables import F64, I64, Status, Tracks

CUTOFF_M: Final = 2_000.0
SETTLED_TURNS: Final = 5  # a target that came less long ago may still be waiting for its third plot


@dataclass(frozen=True, slots=True)
class Score:
    """One picture, or the mean of several."""

    truths: float  # targets in coverage, of the discs that were scored
    tracks: float  # confirmed ones, coasting included
    gospa_m: float  # alpha 2, order 2, cut-off 2 km
    complete: float  # share of all targets that a confirmed track holds
    complete_settled: float  # share of those in coverage for five turns or more
    false: float  # confirmed tracks that hold no target
    median_m: float  # horizontal error of the tracks that hold a target
    rms_m: float


class Keeping:
    """Scores pictures one after another and follows who holds whom.

    Parameters
    ----------
    every : only this many-th disc is scored, with the tracks that its radar saw last; a part of ten million targets
        says as much as all of them
    """

    def __init__(self, every: int = 1) -> None:
        self.every = every
        self._scores: list[Score] = []
        self._first: tuple[I64, I64] | None = None  # (target, track) of the first picture, by target
        self._last: tuple[I64, I64] | None = None
        self.swaps = 0  # targets held by another track than in the picture before

    def add(self, tracks: Tracks, truth: Now, turn: int) -> Score:
        """Score the tracks of a picture against the truth of its time.

        Parameters
        ----------
        turn : of the truth, to tell who came long ago
        """
        chosen = (tracks.status == Status.CONFIRMED) | (tracks.status == Status.COASTING)
        if self.every > 1:
            chosen &= tracks.plot_sensor % self.every == 0
            truth = truth.take(truth.home % self.every == 0)
        real = np.flatnonzero(chosen)
        where, there = foot(truth.lat, truth.lon), foot(tracks.lat[real], tracks.lon[real])
        found = gospa(where, there, cutoff=CUTOFF_M)
        target, track = found.pairs[:, 0], found.pairs[:, 1]
        error = np.linalg.norm(where[target] - there[track], axis=1)
        held = np.zeros(len(truth), bool)
        held[target] = True
        settled = turn - truth.since >= SETTLED_TURNS
        score = Score(
            truths=len(truth),
            tracks=len(real),
            gospa_m=found.distance,
            complete=share(held),
            complete_settled=share(held[settled]),
            false=found.false,
            median_m=float(np.median(error)) if len(error) else float("nan"),
            rms_m=float(np.sqrt(np.mean(error**2))) if len(error) else float("nan"),
        )
        self._scores.append(score)
        self._follow(truth.number[target], tracks.track[real[track]])
        return score

    def _follow(self, target: I64, track: I64) -> None:
        order = np.argsort(target)
        pairs = target[order], track[order]
        if self._last is not None:
            before, after = _common(self._last, pairs)
            self.swaps += int((before != after).sum())
        self._first, self._last = self._first or pairs, pairs

    @property
    def kept(self) -> float:
        """Share of the targets held in the first and in the last picture that the same track holds in both."""
        if self._first is None or self._last is None:
            return float("nan")
        before, after = _common(self._first, self._last)
        return share(before == after)

    def mean(self) -> Score | None:
        """Return the mean of all scores so far."""
        if not self._scores:
            return None
        values = np.array([[getattr(s, name) for name in Score.__dataclass_fields__] for s in self._scores])
        return Score(*values.mean(axis=0).tolist())


def _common(first: tuple[I64, I64], second: tuple[I64, I64]) -> tuple[I64, I64]:
    """Return the tracks of the targets that stand in both lists."""
    _, a, b = np.intersect1d(first[0], second[0], assume_unique=True, return_indices=True)
    return first[1][a], second[1][b]


def foot(lat: F64, lon: F64) -> F64:
    """Return the places (N, 3) [m, ECEF] on the ellipsoid straight below."""
    return geo.geodetic_to_ecef(lat, lon, np.zeros(len(lat)))


def share(yes: NDArray[np.bool_]) -> float:
    """Return the share of True; NaN of nothing."""
    return float(np.mean(yes)) if len(yes) else float("nan")
