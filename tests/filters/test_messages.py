"""Messages taken by the tracks of their addresses: against the plain twin, and what no message may do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference_messages as twin
from airpicture.association import Addresses
from airpicture.config import Config
from airpicture.filters import Listener
from airpicture.kernels import layout as lay
from airpicture.models import gate_limits, motion_settings
from airpicture.parallel import workers
from airpicture.plots import station_columns
from airpicture.reports import Reports
from airpicture.store import Store
from airpicture.tables import Status
from reference_look import _summarise
from reference_records import put_row, row_of
from reference_tracking import Mixture, plot_of, random_track
from tracking_scenes import SECOND, T0, radar, sensors_of

CONFIG = Config()
MOTION, GATES = motion_settings(CONFIG), gate_limits(CONFIG)
STATIONS = station_columns(sensors_of(radar("a"), {"id": "adsb", "kind": "adsb"}))
TELLS: list[dict[str, bool]] = [
    {"velocity": True},
    {"velocity": True, "climb": True},
    {"h_baro": True},
    {"turn": True, "velocity": True},
    {"h": True, "h_baro": True},
    {},
]


def scene(seed: int, tracks: int, messages: int) -> tuple[Store, Reports]:
    """Tracks of some addresses, and messages of these and others, most of them true and some far off."""
    rng = np.random.default_rng(seed)
    held = [random_track(rng, 0.8 + 0.01 * k, 0.1, rng.uniform(3e3, 12e3), spread=0.2) for k in range(tracks)]
    store = Store(tracks + 2)
    store.n = tracks
    for i, track in enumerate(held):
        put_row(store, i, track.row())
    store.t_ns[:tracks] = T0 + rng.integers(-2 * SECOND, SECOND // 4, tracks)
    store.t_plot[:tracks] = store.t_ns[:tracks]
    store.status[:tracks] = rng.choice([Status.TENTATIVE, Status.CONFIRMED, Status.COASTING, Status.ENDED], tracks)
    store.address[:] = -1
    store.address[:tracks] = rng.integers(1, tracks + 1, tracks)
    store.mode_3a[:] = -1
    for i, track in enumerate(held):
        _summarise(store, i, track)
    plots = []
    for _ in range(messages):
        of = held[int(rng.integers(0, tracks))]
        mean, _ = of.moments()
        noise = float(rng.choice([1.0, 1.0, 400.0]))
        plots.append(plot_of(rng, mean, STATIONS.sites[0], lay.MESSAGE, noise=noise, **TELLS[rng.integers(0, 6)]))
    n = len(plots)
    Z = np.array([plot.row() for plot in plots])
    Z[:, lay.Z_P : lay.Z_P + 3] = rng.normal(size=(n, 3))
    t_ns = np.sort(T0 + rng.integers(0, 4, n) * (SECOND // 16))
    ints = rng.integers(0, 2, n).astype(np.int32)
    codes = rng.integers(-1, 0o7777, n).astype(np.int32)
    address = rng.integers(1, tracks + 2, n).astype(np.int32)
    blank = np.full(n, np.nan)
    more = (np.full(n, -1, np.int8), np.zeros(n, np.uint8), np.zeros((n, lay.PLACE)))
    bytes_ = ints.astype(np.uint8)
    return store, Reports(Z, t_ns, ints, address, codes, np.zeros(n, np.uint64), bytes_, blank, blank, *more)


def hear(store: Store, reports: Reports, run: object = None) -> tuple[np.ndarray, dict[str, int]]:
    listener = Listener(store.capacity, MOTION, GATES)
    heard = listener.sort(reports, Addresses().rows_of(store, reports.address))
    return listener.hear(heard, reports, STATIONS, store, run)  # type: ignore[arg-type]


def copy_of(store: Store) -> Store:
    other = Store(store.capacity)
    other.n, other.next_number = store.n, store.next_number
    for mine, theirs in zip(store.columns(), other.columns(), strict=True):
        theirs[...] = mine
    return other


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 14))
@settings(max_examples=80, deadline=None)
def test_it_is_the_matrix_filter_message_by_message(seed: int, tracks: int, messages: int) -> None:
    store, reports = scene(seed, tracks, messages)
    plain, before = copy_of(store), copy_of(store)
    became = twin.hear(plain, reports, STATIONS, MOTION, GATES)
    rows, counted = hear(store, reports)
    assert counted["messages_taken"] == sum(what == "taken" for what in became.values())
    assert counted["messages_implausible"] == sum(what == "implausible" for what in became.values())
    assert sum(counted.values()) == messages
    for i in range(tracks):
        if i not in rows:  # no message moves another track
            for mine, was in zip(store.columns(), before.columns(), strict=True):
                assert mine[i].tobytes() == was[i].tobytes()
            continue
        assert store.t_ns[i] == plain.t_ns[i]
        assert store.t_heard[i] == plain.t_heard[i]
        assert store.t_plot[i] == before.t_plot[i]
        got, expected = Mixture.of_row(row_of(store, i)), Mixture.of_row(row_of(plain, i))
        np.testing.assert_allclose(got.mu, expected.mu, rtol=2e-4, atol=1e-9)
        assert got.existence == before.existence[i]
        assert (got.d_baro, got.turn) == pytest.approx((expected.d_baro, expected.turn), rel=1e-6, abs=1e-7)
        for m in range(4):
            sigma = np.sqrt(np.diag(expected.P[m]))
            assert (np.abs(got.x[m] - expected.x[m]) < 1e-4 + 1e-6 * sigma).all()
            scaled = got.P[m] / np.outer(sigma, sigma)
            np.testing.assert_allclose(scaled, expected.P[m] / np.outer(sigma, sigma), rtol=0, atol=1e-6)
            assert np.linalg.eigvalsh(scaled).min() > 0.0


def test_threads_and_the_order_of_one_instant_change_no_bit() -> None:
    store, reports = scene(5, 300, 3000)
    one, two, other = copy_of(store), copy_of(store), copy_of(store)
    hear(one, reports)
    with workers(3) as run:
        hear(two, reports, run)
    rng = np.random.default_rng(1)
    order = np.lexsort((rng.random(reports.size), reports.t_ns))
    hear(other, reports.take(order))
    for a, b, c in zip(one.columns(), two.columns(), other.columns(), strict=True):
        assert a.tobytes() == b.tobytes()
        assert a.tobytes() == c.tobytes()


def test_the_place_grows_no_surer_than_the_velocity_allows() -> None:
    """Velocities alone, for a minute: the sigma of the place grows as the integral of what they leave open."""
    rng = np.random.default_rng(3)
    track = random_track(rng, 0.8, 0.1, 9000.0, spread=0.05)
    store = Store(4)
    store.n = 1
    put_row(store, 0, track.row())
    store.t_ns[0], store.status[0], store.address[:] = T0, Status.CONFIRMED, 7
    store.mode_3a[:] = -1
    _summarise(store, 0, track)
    sigma = [store.summary[0, lay.S_SIGMA_P]]
    for k in range(1, 121):
        mean = store.summary[0, :6].astype(float)
        plot = plot_of(rng, mean, STATIONS.sites[0], lay.MESSAGE, noise=0.0, velocity=True)
        one = np.zeros(1)
        reports = Reports(
            plot.row()[None], np.array([T0 + k * SECOND // 2]), np.ones(1, np.int32), np.full(1, 7, np.int32),
            np.full(1, -1, np.int32), np.zeros(1, np.uint64), np.ones(1, np.uint8), one, one,
            np.full(1, -1, np.int8), np.zeros(1, np.uint8), np.zeros((1, lay.PLACE)),
        )  # fmt: skip
        rows, _ = hear(store, reports)
        assert rows.tolist() == [0]
        sigma.append(store.summary[0, lay.S_SIGMA_P])
    assert np.diff(sigma)[10:].min() > 0.0
    assert 1.0 < sigma[-1] - sigma[10] < 30.0
    assert store.plots[0] == 0
