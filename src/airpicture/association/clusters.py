"""Clusters of tracks that share plots: the parts of the picture that can be solved one by one."""

from typing import NamedTuple

import numpy as np

from airpicture.errors import InputError
from airpicture.kernels import clusters as kernel
from airpicture.tables import F64, I32, I64


class Clusters(NamedTuple):
    """The clusters, numbered by their first track, and the cleaned ratios."""

    cluster: I32  # (N,) cluster of each track
    start: I64  # (C + 1,) first place of each cluster in `track`
    track: I32  # (N,) tracks, cluster by cluster, rising within each
    ratio: F64  # (E,) in [0, RATIO_MAX]
    tracks_most: int  # tracks in the largest cluster
    pairs_most: int  # most pairs in a cluster of two tracks or more; 0: there is none
    refused: int  # ratios that were NaN or negative, taken as zero


def find_clusters(track_start: I64, pair_plot: I32, pair_ratio: F64, n_plots: int) -> Clusters:
    """Check the pairs and group the tracks that share plots, directly or through others; linear.

    Parameters
    ----------
    track_start : (N + 1,) int64, first pair of each track
    pair_plot : (E,) int32, rising within a track
    pair_ratio : (E,) float64
    n_plots : number of plots

    Raises
    ------
    InputError
        where the columns don't fit together; ratios never raise
    """
    if len(track_start) < 1 or len(pair_plot) != len(pair_ratio) or n_plots < 0:
        raise InputError(
            f"{len(track_start)} track starts, {len(pair_plot)} pairs with {len(pair_ratio)} ratios, {n_plots} plots",
            expected="one start more than tracks, and one ratio for each pair",
        )
    n = len(track_start) - 1
    ratio = np.empty(len(pair_ratio))
    parent = np.empty(n, np.int32)
    owner = np.empty(n_plots, np.int32)
    status, where, refused = kernel.group(track_start, pair_plot, pair_ratio, ratio, owner, parent)
    if status == kernel.BAD_START:
        raise InputError(
            f"the pairs of track {where} do not follow those of the track before",
            expected=f"track_start to rise from 0 to {len(pair_plot)}, the number of pairs",
            column="track_start",
            row=int(where),
        )
    if status == kernel.BAD_PLOT:
        raise InputError(
            f"plot {pair_plot[where]}", expected=f"an index from 0 to {n_plots - 1}", column="pair_plot", row=int(where)
        )
    if status == kernel.BAD_ORDER:
        raise InputError(
            f"plot {pair_plot[where]} after plot {pair_plot[where - 1]}",
            expected="the plots of a track to rise, none twice",
            todo="Sort the pairs by track, then by plot",
            column="pair_plot",
            row=int(where),
        )
    cluster = np.empty(n, np.int32)
    start = np.empty(n + 2, np.int64)
    track = np.empty(n, np.int32)
    count, tracks_most, pairs_most = kernel.list_clusters(track_start, parent, cluster, start, track)
    return Clusters(cluster, start[: count + 1], track, ratio, int(tracks_most), int(pairs_most), int(refused))
