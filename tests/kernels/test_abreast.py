"""Eight tracks predicted abreast, or ahead, against each predicted alone, and against themselves in other company."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels._jit import jit
from airpicture.kernels.abreast import (
    ABREAST,
    DT,
    MEAN,
    SPREAD,
    Abreast,
    load_abreast,
    load_means,
    load_noise,
    predict_abreast,
    set_out,
    spot_ahead,
    sum_up,
    workspace,
)
from airpicture.kernels.ahead import predict_ahead
from airpicture.kernels.arrays import F32, F64
from airpicture.kernels.bank import load_motion
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.layout import ROW
from airpicture.kernels.records import load_track
from airpicture.models import motion_settings
from airpicture.picture import snapshot
from airpicture.store import Store
from airpicture.tables import Tracks
from lane_kernels import predicted, scratch
from reference_records import put_row, row_of
from reference_tracking import Mixture, random_track
from tracking_scenes import SECOND, T0, radar, sensors_of

MOTION = motion_settings(Config())
BLOCKS = np.array([0, 1, 2, 3, 4, 5, 9, 13, 14, 18, 19, 20])  # of a packed covariance: positions, then velocities
SENSORS = sensors_of(radar("a"))


@jit
def _predict(states: F64, spreads: F32, dt: F64, motion: F64, w: Abreast) -> None:
    for b in range(ABREAST):
        w.rows[b] = b
        w.V[int(DT) + b] = dt[b]
    load_noise(motion, w)
    load_abreast(states, spreads, w)
    for ahead in range(2):
        if ahead == 1:
            predict_abreast(motion, w)
        sum_up(w, ahead == 0)


def some_track(rng: np.random.Generator) -> F64:
    """Return the row of a track anywhere: some far above what flies, some whose models stand kilometres apart."""
    h = rng.choice([0.0, 9e3, 80e3, 400e3])
    track = random_track(rng, math.asin(rng.uniform(-1.0, 1.0)), rng.uniform(-math.pi, math.pi), h)
    if rng.random() < 0.2:
        track.x[:, :3] += rng.normal(0.0, 20e3, (4, 3))
    row = track.row()
    row[lay.TURN] = rng.choice([0.0, 0.04, -0.04])
    if rng.random() < 0.5:
        row[lay.H_MEAN], row[lay.H_VAR] = 5e3, 4e6
    return row


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100)
def test_tracks_abreast_are_predicted_as_each_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    store = Store(ABREAST)
    for b in range(ABREAST):
        put_row(store, b, some_track(rng))
    rows = np.array([row_of(store, b) for b in range(ABREAST)])  # as they're kept
    dt = rng.choice([0.0, 0.3, 10.0, 90.0], ABREAST)
    alone, _ = predicted(rows, dt, MOTION)
    w = workspace()
    _predict(store.states, store.spreads, dt, MOTION, w)
    abreast = w.T.reshape(-1, ABREAST).T
    states = slice(0, 4 * lay.STATE)
    # heights come from beside the mean here, even where nothing moves: 0.1 mm and 4e-9 rad off at 5 km, over 50 km
    np.testing.assert_allclose(abreast[:, states], alone[:, states], rtol=0, atol=3e-4)
    spreads = slice(4 * lay.STATE, lay.MODE)
    largest = np.abs(alone[:, spreads]).max(axis=1)[:, None, None]
    there, wanted = (rows[:, spreads].reshape(ABREAST, lay.PACKED, 4)[:, BLOCKS] for rows in (abreast, alone))
    np.testing.assert_allclose(there / largest, wanted / largest, rtol=0, atol=1e-7)
    modes = slice(lay.MODE, lay.MODE + lay.MODELS)
    np.testing.assert_allclose(abreast[:, modes], alone[:, modes], rtol=1e-12)
    once = w.V.reshape(-1, ABREAST).T
    for b in range(ABREAST):
        mean, P = Mixture.of_row(abreast[b, : lay.ROW]).moments()
        np.testing.assert_allclose(once[b, int(MEAN) // ABREAST :][: lay.STATE], mean, rtol=1e-12, atol=1e-6)
        packed = P[np.tril_indices(lay.STATE)][BLOCKS]
        spread = once[b, int(SPREAD) // ABREAST :][: lay.PACKED][BLOCKS]
        np.testing.assert_allclose(spread, packed, rtol=1e-9, atol=1e-9 * np.abs(packed).max())


@jit
def _predict_ahead(
    states: F64, spreads: F32, dt: F64, motion: F64, w: Abreast, T: F64, lanes: U, W: F64, spot: F64
) -> None:
    load_motion(motion, T)
    load_noise(motion, w)
    for b in range(ABREAST):
        w.rows[b] = b
        w.V[int(DT) + b] = dt[b]
    load_means(states, spreads, w)
    set_out(motion, w)
    spot_ahead(w)
    for b in range(w.tracks):
        load_track(states, spreads, b, T, lanes)
        spot[b, 0], spot[b, 1], spot[b, 2], spot[b, 3] = predict_ahead(b, motion, w, T, lanes)
        for k in range(ROW):
            W[b, k] = T[k]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100)
def test_what_is_worked_out_ahead_for_eight_predicts_each_as_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    store = Store(ABREAST)
    for b in range(ABREAST):
        put_row(store, b, some_track(rng))
    rows = np.array([row_of(store, b) for b in range(ABREAST)])
    dt = rng.choice([0.0, 0.3, 10.0, 90.0], ABREAST)
    alone, alone_spot = predicted(rows, dt, MOTION)
    W, spot = np.full((ABREAST, ROW), np.nan), np.full((ABREAST, 4), np.nan)
    _predict_ahead(store.states, store.spreads, dt, MOTION, workspace(), scratch(), np.uint64(LANES), W, spot)
    states = slice(0, 4 * lay.STATE)
    np.testing.assert_allclose(W[:, states], alone[:, states], rtol=0, atol=3e-4)
    spreads = slice(4 * lay.STATE, lay.MODE)
    largest = np.abs(alone[:, spreads]).max(axis=1, keepdims=True)
    np.testing.assert_allclose(W[:, spreads] / largest, alone[:, spreads] / largest, rtol=0, atol=1e-7)
    told = [k for k in range(lay.MODE, lay.NUMBERS_END) if k != lay.EXISTENCE]  # which stands elsewhere
    np.testing.assert_allclose(W[:, told], alone[:, told], rtol=1e-12)
    np.testing.assert_allclose(spot, alone_spot, rtol=0, atol=3e-4)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 63, 64, 65, 130])
def test_what_is_shown_of_a_track_does_not_hang_on_its_neighbours(count: int) -> None:
    """To the bit, wherever it stands among others: a picture is cut into tasks, and shows what moved alone."""
    rng = np.random.default_rng(count)
    store = Store(count)
    store.n = count
    for i in range(count):
        put_row(store, i, some_track(rng))
    store.t_ns[:count] = store.t_aged[:count] = T0 - rng.integers(0, 20 * SECOND, count)
    store.h_source[:count] = rng.integers(0, 4, count)
    store.t_height[:count] = T0
    settings = (T0, SENSORS, MOTION, 600.0)
    together = snapshot(store, np.arange(count), *settings)
    order = rng.permutation(count)
    mixed = snapshot(store, order, *settings)
    for name in Tracks.column_names():
        np.testing.assert_array_equal(getattr(mixed, name), getattr(together, name)[order], err_msg=name)
    for i in {0, count // 2, count - 1}:
        alone = snapshot(store, np.array([i]), *settings)
        for name in Tracks.column_names():
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[i], err_msg=name)
