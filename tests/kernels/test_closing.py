"""Updated tracks closed eight abreast, against each summed up and learnt from by itself."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F64, I64
from airpicture.kernels.bank import summarise
from airpicture.kernels.closing import Closing, close_tracks, closing_room, note_moved
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.learn import GAP_LEAST, Held, turn_learnt
from airpicture.kernels.life import ENDING, due_after, fades_by
from airpicture.models import motion_settings
from airpicture.reports import Stations
from airpicture.store import Store
from lane_kernels import scratch
from reference_tracking import random_track

MOTION = motion_settings(Config())
STATIONS = Stations(np.zeros((1, 12)), np.zeros((1, 12)), *([np.full(1, 10.0)] * 5))


@jit
def _close(
    rows: F64, gap: F64, moved: I64, t_w: I64, row: I64, T: F64, lanes: U, of: Held, S: Any, motion: F64, ending: F64,
    close: Closing,
) -> None:  # fmt: skip
    for b in range(len(rows)):
        for k in range(lay.ROW):
            T[k] = rows[b, k]
        close.tracks[b], close.moved[b] = b, moved[b]
        if moved[b] == 1:
            note_moved(b, row[b], gap[b], T, lanes, of, close)
    close_tracks(len(rows), motion, ending, S, t_w, row, of, close)


@jit
def _alone(row: F64, gap: float, t: int, i: int, T: F64, lanes: U, of: Held, S: Any, motion: F64, ending: F64) -> None:
    for k in range(lay.ROW):
        T[k] = row[k]
    vx, vy, vz = of.summary[i, 3], of.summary[i, 4], of.summary[i, 5]
    summarise(T, lanes, of.summary, i)
    turned = T[lay.TURN]
    if gap > GAP_LEAST:
        turned = turn_learnt(vx, vy, vz, of.summary[i], turned, gap, motion)
    of.spreads[i, lay.NUMBERS + lay.TURN] = turned


@jit
def _due(i: int, t: int, of: Held, S: Any, ending: F64) -> int:
    return due_after(i, t, of, S.sites, S.period, S.range_max, ending, fades_by(ending))


@given(st.integers(0, 2**32 - 1), st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_eight_closed_abreast_are_each_closed_alone(seed: int, count: int) -> None:
    """In any company; tracks that no plot moved keep their summaries, and only learn when they're due."""
    rng = np.random.default_rng(seed)
    stores = [Store(16), Store(16)]
    row, moved, gap = rng.permutation(16)[:count], rng.integers(0, 2, count), rng.choice([0.0, 0.01, 4.0, 10.0], count)
    rows = np.array([random_track(rng, rng.uniform(-1.5, 1.5), rng.uniform(-3, 3), 8e3).row() for _ in row])
    rows[:, lay.TURN] = rng.normal(0.0, 0.02, count)
    t_w = rng.integers(0, 20_000_000_000, count)
    ending = rng.uniform(1.0, 50.0, ENDING)
    seen = rng.integers(-1, 1, (16, 8)).astype(np.int32)
    summary = rng.normal(0.0, 200.0, (16, lay.SUMMARY)).astype(np.float32)
    for store in stores:
        store.n = 16
        store.held.summary[:16], store.held.seen_sensor[:16] = summary, seen
        store.held.due_ns[:16], store.held.plot_sensor[:16] = -7, 0
        store.held.spreads[:16, lay.NUMBERS + lay.TURN] = 9.0
    lanes: Any = np.uint64(LANES)
    close = closing_room()
    close.V[:] = rng.choice([np.nan, 1.0])  # what others left
    held, alone = (store.held for store in stores)
    _close(rows, gap, moved, t_w, row, scratch(), lanes, held, STATIONS, MOTION, ending, close)
    for b, i in enumerate(row):
        if moved[b] == 1:
            _alone(rows[b], gap[b], t_w[b], i, scratch(), lanes, alone, STATIONS, MOTION, ending)
        alone.due_ns[i] = _due(i, t_w[b], alone, STATIONS, ending)
    np.testing.assert_allclose(held.summary[:16], alone.summary[:16], rtol=3e-7)
    turned = lay.NUMBERS + lay.TURN
    np.testing.assert_allclose(held.spreads[:16, turned], alone.spreads[:16, turned], rtol=1e-5, atol=1e-7)
    assert abs(held.due_ns[:16] - alone.due_ns[:16]).max() <= 1_000_000  # ns, of what a speed in single precision says
