"""From gated pairs to association: which plot belongs to which track, as probabilities or as one best choice."""

from typing import NamedTuple, get_args

import numpy as np

from airpicture.association.clusters import find_clusters
from airpicture.association.workspace import EXACT_LIMIT_MAX, Workspace
from airpicture.config import Method
from airpicture.errors import ConfigError
from airpicture.kernels import joint as kernel
from airpicture.tables import F64, I32, I64


class Association(NamedTuple):
    """What `associate` finds: probabilities over all joint events, and how it got them."""

    weight: F64  # (E,) probability that the plot belongs to the track; 1 or 0 with method "nearest"
    missed: F64  # (N,) probability that the track has none of the plots; with the weights of a track it sums to 1
    claimed: F64  # (M,) sum of the weights on each plot, at most 1
    cluster: I32  # (N,) cluster of each track, numbered by first track
    alone: int  # clusters of one track or one plot, solved in closed form
    exact: int  # other clusters solved exactly
    propagated: int  # clusters too wide for that, solved by loopy belief propagation
    largest: int  # tracks in the largest cluster
    sweeps: int  # most sweeps that one propagated cluster took
    unconverged: int  # propagated clusters whose sweeps ended short of the tolerance
    refused: int  # ratios that were NaN or negative, taken as zero

    @property
    def counts(self) -> dict[str, int]:
        """The counters by name, for health output."""
        return {
            "clusters_alone": self.alone,
            "clusters_exact": self.exact,
            "clusters_propagated": self.propagated,
            "clusters_unconverged": self.unconverged,
            "cluster_largest": self.largest,
            "sweeps_most": self.sweeps,
            "ratios_refused": self.refused,
        }


def associate(
    track_start: I64,
    pair_plot: I32,
    pair_ratio: F64,
    n_plots: int,
    *,
    method: Method = "joint",
    exact_limit: int = 10,
    sweeps: int = 50,
    tolerance: float = 1e-3,
    apart: float = 0.0,
    workspace: Workspace | None = None,
) -> Association:
    """Weigh the joint events of tracks and plots: each track at most one plot, each plot at most one track.

    The ratio of a pair says how much more probable "this plot is from this track" is than "the track was missed and
    the plot is clutter": r Pd L / (lambda (1 - r Pd)), with existence r, detection probability Pd, likelihood L of the
    plot [1 / unit of the measurement space] and clutter density lambda [the same]. A joint event weighs the product
    of the ratios of its pairs.

    "joint" gives marginal probabilities over all events (joint probabilistic data association): exact for a track or
    plot alone, for clusters without loops and for all that need at most `exact_limit` nodes open at once (each cluster
    with no more tracks, or no more plots, is among them); loopy belief propagation for the rest. "nearest" gives the
    most probable event (global nearest neighbour), always exact.

    Parameters
    ----------
    track_start : (N + 1,) int64; the pairs of track i are rows track_start[i] to track_start[i + 1] - 1
    pair_plot : (E,) int32, plot of each pair, rising within a track
    pair_ratio : (E,) float64, 0 to infinity; NaN and negative ones count as zero and are counted
    n_plots : M, number of plots
    method : "joint" or "nearest"
    exact_limit : 0 to 14; time and memory of the exact solution double with each
    sweeps : bound on sweeps of belief propagation
    tolerance : belief propagation ends when no probability moves by more in a sweep
    apart : 0 to 1, share of the weight of joint events that differ only in which of the same plots goes to which of the
        same tracks that the most probable of them gets, so that close tracks don't fall together; the probabilities of
        "missed" stay as they are. Not in clusters that are propagated
    workspace : room to use over and over, by one caller at a time; without it, room is made for this call

    Raises
    ------
    InputError
        where the columns don't fit together
    ConfigError
        for a setting outside its range

    Source: Fortmann, Bar-Shalom, Scheffe 1983 (joint events), see ``kernels/exact.py``; Williams, Lau 2014 (belief
    propagation), see ``kernels/belief.py``.
    """
    if method not in get_args(Method):
        raise ConfigError(f"association method {method!r}", expected='"joint" or "nearest"')
    if not 0 <= exact_limit <= EXACT_LIMIT_MAX:
        raise ConfigError(f"exact_limit {exact_limit}", expected=f"0 to {EXACT_LIMIT_MAX}")
    if not 0.0 <= apart <= 1.0:
        raise ConfigError(f"apart {apart}", expected="0 to 1")
    if sweeps < 1 or not tolerance >= 0.0:
        raise ConfigError(
            f"{sweeps} sweeps, tolerance {tolerance}", expected="at least 1 sweep, and a tolerance of 0 or more"
        )
    track_start = np.ascontiguousarray(track_start, np.int64)
    pair_plot = np.ascontiguousarray(pair_plot, np.int32)
    pair_ratio = np.ascontiguousarray(pair_ratio, np.float64)
    found = find_clusters(track_start, pair_plot, pair_ratio, n_plots)
    n = len(track_start) - 1
    tracks = found.tracks_most if found.pairs_most else 1
    weight = np.empty(len(pair_plot))
    missed = np.empty(n)
    claimed = np.zeros(n_plots)
    local = np.full(n_plots, -1, np.int32)
    counts = np.zeros(kernel.COUNTS, np.int64)
    workspace = Workspace() if workspace is None else workspace
    if method == "joint":
        kernel.joint_clusters(
            0,
            len(found.start) - 1,
            found.start,
            found.track,
            track_start,
            pair_plot,
            found.ratio,
            exact_limit,
            sweeps,
            float(tolerance),
            float(apart),
            local,
            workspace.joint(tracks, found.pairs_most, exact_limit),
            weight,
            missed,
            claimed,
            counts,
        )
    else:
        kernel.nearest_clusters(
            0,
            len(found.start) - 1,
            found.start,
            found.track,
            track_start,
            pair_plot,
            found.ratio,
            local,
            *workspace.nearest(tracks, found.pairs_most),
            weight,
            missed,
            claimed,
            counts,
        )
    return Association(
        weight,
        missed,
        claimed,
        found.cluster,
        alone=int(counts[kernel.ALONE]),
        exact=int(counts[kernel.EXACT]),
        propagated=int(counts[kernel.PROPAGATED]),
        largest=found.tracks_most,
        sweeps=int(counts[kernel.SWEEPS]),
        unconverged=int(counts[kernel.UNCONVERGED]),
        refused=found.refused,
    )
