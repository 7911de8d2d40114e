"""Gating: which plots a track could have caused, and how much better than chance each explains the plot."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from airpicture.config import Config
from airpicture.kernels.gating import keep_passed, time_candidates
from airpicture.kernels.grid import LEVELS, group_pairs, near_pairs, place_tracks
from airpicture.kernels.layout import AGILE, EXISTENCE, M_Q, MODELS, ROW, SUMMARY
from airpicture.kernels.pairs import PAIR_SCRATCH, score_pairs
from airpicture.kernels.predict import predict_rows
from airpicture.tables import F64, I32, I64


class Candidates(NamedTuple):
    """Tracks that have plots in their gates, predicted to them, and their pairs track by track."""

    track: I64  # (n,) rows of the store
    W: F64  # (n, ROW) predicted states
    t_ns: I64  # (n,) the times they're predicted to
    start: I64  # (n + 1,) pairs of track w are start[w]..start[w + 1]
    owner: I32  # (E,) w of each pair
    plot: I32  # (E,)
    score: F64  # (E,) log of likelihood over density of false plots
    share: F64  # (E, MODELS) each model's likelihood over the mixture's
    shed: int  # pairs left out at a bound

    @classmethod
    def none(cls) -> Candidates:
        """Return what gating gives where nothing meets."""
        ints = np.zeros(0, np.int64)
        return cls(
            track=ints,
            W=np.zeros((0, ROW)),
            t_ns=ints,
            start=np.zeros(1, np.int64),
            owner=np.zeros(0, np.int32),
            plot=np.zeros(0, np.int32),
            score=np.zeros(0),
            share=np.zeros((0, MODELS)),
            shed=0,
        )


class Workspace:
    """Arrays that gating uses over and over; sized with the store's capacity."""

    def __init__(self, capacity: int) -> None:
        buckets = 1 << max((2 * capacity - 1).bit_length(), 4)
        self.spot = np.zeros((capacity, 3))
        self.radius = np.zeros(capacity)
        self.key = np.zeros(capacity, np.int64)
        self.count = np.zeros(buckets + 1, np.int64)
        self.bucket = np.zeros(buckets + 1, np.int64)
        self.order = np.zeros(capacity, np.int32)
        self.used = np.zeros(LEVELS)
        self.local = np.full(capacity, -1, np.int32)
        self.state = np.empty((1, ROW))
        self.scratch = np.empty(PAIR_SCRATCH)
        self._pair_track = np.empty(0, np.int32)
        self._pair_plot = np.empty(0, np.int32)
        self._found = np.empty(0, np.int32)
        self._distance = np.empty(0)

    def pairs(self, plots: int, most: int) -> tuple[I32, I32, I32, F64]:
        """Return room for the tracks and plots of all pairs, and for those of one plot with their distances."""
        if len(self._found) < most:
            self._found, self._distance = np.empty(most, np.int32), np.empty(most)
        if len(self._pair_track) < plots * most:
            room = 1 << (plots * most - 1).bit_length()
            self._pair_track, self._pair_plot = np.empty(room, np.int32), np.empty(room, np.int32)
        return self._pair_track[: plots * most], self._pair_plot[: plots * most], self._found, self._distance


def gate(
    rows: F64,
    summary: F64,
    t_track: I64,
    n: int,
    Z: F64,
    t_z: I64,
    sensor: I32,
    sites: F64,
    motion: F64,
    gates: F64,
    config: Config,
    work: Workspace,
) -> Candidates:
    """Pair n tracks with the plots of one sensor and frame.

    Parameters
    ----------
    rows : (cap, ROW), summary : (cap, SUMMARY), t_track : (cap,) int64 [ns]; the store's columns
    Z : (M, PLOT), t_z : (M,) int64 [ns], sensor : (M,) int32; registered plots, in time order
    sites : (S, 12); motion : (MOTION,); gates : (10,) limits of d² by number of measured components
    """
    plots = len(t_z)
    if n == 0 or plots == 0:
        return Candidates.none()
    assert summary.shape[1] == SUMMARY
    t_mid = int(t_z[0]) + (int(t_z[-1]) - int(t_z[0])) // 2
    buckets = 1 << max((2 * n - 1).bit_length(), 4)
    start = work.bucket[: buckets + 1]
    place_tracks(
        summary,
        t_track,
        t_mid,
        n,
        float(motion[M_Q + AGILE]),
        config.gate_radius_max,
        work.spot,
        work.radius,
        work.key,
        work.count,
        start,
        work.order,
        work.used,
    )
    most = config.association.pairs_max
    pair_track, pair_plot, found, distance = work.pairs(plots, most)
    total, shed = near_pairs(
        Z,
        0,
        plots,
        work.spot,
        work.radius,
        work.key,
        start,
        work.order,
        work.used,
        most,
        found,
        distance,
        pair_track,
        pair_plot,
    )
    if total == 0:
        return Candidates.none()._replace(shed=shed)
    touched = np.empty(min(total, n), np.int64)
    offsets = np.empty(len(touched) + 1, np.int64)
    plot = np.empty(total, np.int32)
    count = group_pairs(pair_track, pair_plot, total, work.local, touched, offsets, plot)
    t_w = np.empty(count, np.int64)
    dt = np.empty(count)
    owner = np.empty(total, np.int32)
    time_candidates(touched, offsets, plot, t_z, t_track, count, t_w, dt, owner)
    W = np.empty((count, ROW))
    predict_rows(rows, touched, dt, motion, 0, count, work.scratch, W)
    score = np.empty(total)
    share = np.empty((total, MODELS))
    passed = np.empty(total, np.uint8)
    score_pairs(
        W,
        t_w,
        Z,
        t_z,
        sites,
        sensor,
        motion,
        gates,
        owner,
        plot,
        0,
        total,
        work.state,
        work.scratch,
        score,
        share,
        passed,
    )
    count, total = keep_passed(passed, count, touched, W, t_w, offsets, owner, plot, score, share)
    if total == 0:
        return Candidates.none()._replace(shed=shed)
    return Candidates(
        track=touched[:count],
        W=W[:count],
        t_ns=t_w[:count],
        start=offsets[: count + 1],
        owner=owner[:total],
        plot=plot[:total],
        score=score[:total],
        share=share[:total],
        shed=shed,
    )


def association_ratio(pairs: Candidates, identity: F64, detect: F64) -> F64:
    """Return each pair's odds, "from this track" against "track missed, plot false": r Pd L / (lambda (1 - r Pd)).

    identity : (E,) log ratios that codes add
    detect : (n,) probability that a track that exists is reported in this look
    """
    believed = pairs.W[:, EXISTENCE] * detect
    log_prior = np.log(np.maximum(believed, 1e-12) / np.maximum(1.0 - believed, 1e-12))
    exponent = pairs.score + identity + log_prior[pairs.owner]
    ratio: F64 = np.where(np.isneginf(identity), 0.0, np.exp(np.clip(exponent, -600.0, 600.0)))
    return ratio
