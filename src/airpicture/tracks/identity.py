"""Identity: what the codes of a plot say about whose it is, and which codes a track carries.

Codes are evidence. They weigh in the likelihood, within bounds, and never widen a gate: physics decides what is
possible. A code that a track carries changes only after several plots in a row agree on another.
"""

import numpy as np

from airpicture.kernels.begin import SAME_ADDRESS, SAME_CODE
from airpicture.kernels.learn import OTHER_ADDRESS, OTHER_CODE, SAME_CALLSIGN, identify_rows, score_identity
from airpicture.reports import Reports
from airpicture.store import Store
from airpicture.tables import F64, I32, I64

__all__ = [
    "OTHER_ADDRESS",
    "OTHER_CODE",
    "SAME_ADDRESS",
    "SAME_CALLSIGN",
    "SAME_CODE",
    "identify",
    "identity_score",
]


def identity_score(store: Store, tracks: I64, reports: Reports, plots: I32) -> F64:
    """Return the log ratio that codes add to each pair: (E,); tracks are rows of the store, plots rows of reports."""
    score = np.empty(len(tracks))
    score_identity(
        tracks,
        plots,
        store.rows,
        store.t_plot,
        store.address,
        store.mode_3a,
        store.callsign,
        reports.t_ns,
        reports.address,
        reports.mode_3a,
        reports.callsign,
        score,
    )
    return score


def identify(store: Store, tracks: I64, reports: Reports, plots: I64) -> None:
    """Let each track (row of the store) learn the codes of the plot it took."""
    identify_rows(tracks, plots, reports.address, reports.mode_3a, reports.callsign, store.learnt)
