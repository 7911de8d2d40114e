"""What tracks learn: each kernel against its plain twin, on tables in which every branch is common."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import reference_learn as twin
from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.plots import station_columns
from airpicture.reports import Reports, Stations
from airpicture.store import Store
from learn_kernels import detection, expected, identify, identity_score, learn
from reference_records import put_row, ticks
from reference_tracking import F64, random_track
from tracking_scenes import radar, sensors_of

SECOND = 1_000_000_000
seeds = st.integers(0, 2**32 - 1)
CONFIG = Config()
SENSORS = station_columns(sensors_of(radar("a"), radar("b", period_s=4.0), {"id": "adsb", "kind": "adsb"}))


def store_of(rng: np.random.Generator, n: int) -> Store:
    """Return n tracks whose codes, sensors and times meet those of `reports_of` more often than not."""
    store = Store(n + 3)
    store.n = n
    for i, row in enumerate(rows_like(rng, n)):
        put_row(store, i, row)
    store.interval[:n] = rng.uniform(0.1, 12.0, n)
    store.existence[:n] = rng.random(n)
    for column in (store.t_ns, store.t_plot, store.t_height, store.t_aged):
        column[:n] = rng.integers(80, 120, n) * SECOND // 2
    store.plots[:n] = rng.integers(1, 6, n)
    store.misses[:n] = rng.integers(0, 4, n)
    store.status[:n] = rng.integers(0, 3, n)
    store.seen_sensor[:] = -1
    for i in range(n):
        seen = rng.permutation(12)[: rng.integers(0, 9)]
        store.seen_sensor[i, : len(seen)] = seen  # all eight places taken, some free, or none taken
    held = store.seen_sensor >= 0
    hit = rng.integers(60, 120, held.sum()) * SECOND // 2
    store.seen_hit[held] = ticks(hit)
    store.seen_look[held] = ticks(hit + rng.integers(0, 9, held.sum()) * SECOND)
    told = np.minimum(rng.integers(0, 60, (n, 5)) * SECOND, store.t_plot[:n, None])  # none later than the last plot
    store.t_technology[:n] = np.where(rng.random((n, 5)) < 0.5, -1, told)
    store.address[:n] = rng.integers(-1, 3, n)
    store.mode_3a[:n] = rng.choice([-1, 0o1234, 0o4321, 0o7000], n)
    store.callsign[:n] = rng.integers(0, 3, n)
    store.doubt[:n] = rng.integers(0, 4, (n, 3))
    store.h_source[:n] = rng.integers(0, 4, n)
    store.has_baro[:n] = rng.integers(0, 2, n)
    store.on_ground[:n] = rng.integers(-1, 2, n)
    store.category[:n] = rng.choice([0, 0xA1], n)
    return store


def rows_like(rng: np.random.Generator, n: int) -> F64:
    """Return n tracks that hold anything; covariances are such that both ways of taking them apart say the same."""
    rows = rng.normal(size=(n, lay.ROW))
    for row in rows:
        row[: lay.MODE] = random_track(rng, 0.8, 0.1, 5e3).row()[: lay.MODE]
    return rows


def reports_of(rng: np.random.Generator, m: int) -> Reports:
    Z = rng.normal(size=(m, lay.PLOT))
    for column in (lay.Z_H, lay.Z_H_BARO, lay.Z_ELEVATION):
        Z[rng.random(m) < 0.6, column] = np.nan
    bare = rng.random(m) < 0.3  # a range and an azimuth and nothing else
    for column in (lay.Z_H, lay.Z_H_BARO, lay.Z_ELEVATION, lay.Z_RANGE_RATE, lay.Z_TURN):
        Z[bare, column] = np.nan
    Z[bare, lay.Z_KIND] = lay.POLAR
    return Reports(
        Z=Z,
        t_ns=np.sort(rng.integers(80, 120, m) * SECOND // 2),
        sensor=np.zeros(m, np.int32),
        address=rng.integers(-1, 3, m).astype(np.int32),
        mode_3a=rng.choice([-1, 0o1234, 0o4321, 0o7000], m).astype(np.int32),
        callsign=rng.integers(0, 3, m).astype(np.uint64),
        technology=rng.integers(0, 5, m).astype(np.uint8),
        slant_range=rng.random(m),
        azimuth=rng.random(m),
        on_ground=rng.integers(-1, 2, m).astype(np.int8),
        category=rng.choice([0, 0xA3, 0xC2], m).astype(np.uint8),
        place=np.zeros((m, lay.PLACE)),
    )


def same(one: Store, other: Store) -> None:
    names = [name for name, value in vars(one).items() if isinstance(value, np.ndarray)]
    assert len(names) > 20
    for name in names:
        a, b = getattr(one, name), getattr(other, name)
        if name == "states":
            np.testing.assert_array_equal(a[:, : lay.FACTORS // 2], b[:, : lay.FACTORS // 2])
        elif name == "spreads":
            np.testing.assert_allclose(a[:, lay.FACTORS :], b[:, lay.FACTORS :], rtol=1e-6, atol=1e-6)
        elif name == "interval":  # alone is summed, which a compiler may round once instead of twice
            np.testing.assert_allclose(a, b, rtol=1e-6)
        elif name != "side":  # column by column
            np.testing.assert_array_equal(a, b, err_msg=name)


def drawn(seed: int) -> tuple[np.random.Generator, Store, Store, Reports, int, Stations]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 9))
    store, again = store_of(np.random.default_rng(seed), n), store_of(np.random.default_rng(seed), n)
    return rng, store, again, reports_of(rng, int(rng.integers(1, 9))), int(rng.integers(3)), SENSORS


@settings(max_examples=300, deadline=None)
@given(seeds)
def test_learning_equals_its_twin(seed: int) -> None:
    rng, store, plain, reports, sensor, stations = drawn(seed)
    n, m = store.n, reports.size
    tracks = np.sort(rng.permutation(n)[: rng.integers(0, n + 1)])
    W = rows_like(rng, len(tracks))
    W[:, lay.EXISTENCE] = rng.choice([0.1, 0.9, 0.999], len(tracks))
    t_w = rng.integers(80, 120, len(tracks)) * SECOND // 2
    got = rng.choice([0.0, 9e-5, 1e-4, 0.3, 0.5, 1.0], len(tracks))
    best = rng.integers(0, m, len(tracks))
    t_w = np.maximum(t_w, reports.t_ns[best])  # a look's tracks are as of its latest plots
    life = replace(CONFIG.life, confirm_plots=4)
    config = replace(CONFIG, life=life)
    reports.sensor[:] = sensor
    own = learn(store, tracks, W, t_w, got, best, reports, stations, config)
    turn = float(stations.period[sensor])
    expected = twin.learn(plain, tracks, W, t_w, got, best, reports, sensor, turn, life.confirm, life.confirm_plots)
    np.testing.assert_array_equal(own, expected)
    same(store, plain)


@settings(max_examples=200, deadline=None)
@given(seeds)
def test_identity_and_detection_equal_their_twins(seed: int) -> None:
    rng, store, plain, reports, sensor, stations = drawn(seed)
    n, m = store.n, reports.size
    tracks = rng.permutation(n)
    t = rng.integers(80, 120, n) * SECOND // 2
    turn, pd = float(stations.period[sensor]), float(stations.pd[sensor])
    np.testing.assert_array_equal(
        detection(store, tracks, t, sensor, stations), twin.detection(store, tracks, t, sensor, turn, pd)
    )
    np.testing.assert_array_equal(
        expected(store, tracks, t, sensor, stations), twin.expected(store, tracks, t, sensor, turn, pd)
    )
    if n:
        pairs = 20
        owner, plot = rng.integers(0, n, pairs), rng.integers(0, m, pairs).astype(np.int32)
        np.testing.assert_array_equal(
            identity_score(store, owner, reports, plot), twin.identity_score(store, owner, reports, plot)
        )
    plots = rng.integers(0, m, n)
    identify(store, tracks, reports, plots)
    twin.identify(plain, tracks, reports, plots)
    same(store, plain)


def test_a_technology_out_of_range_writes_nowhere() -> None:
    rng = np.random.default_rng(1)
    store, reports = store_of(rng, 1), reports_of(rng, 1)
    reports.technology[:] = 200
    before = store.t_technology.copy()
    one = np.zeros(1, np.int64)
    own = learn(store, one, rows_like(rng, 1), reports.t_ns, np.ones(1), one, reports, SENSORS, CONFIG)
    assert own.tolist() == [0]
    np.testing.assert_array_equal(store.t_technology, before)


@settings(max_examples=100, deadline=None)
@given(seeds)
def test_a_plain_radar_plot_touches_two_lines_of_what_is_known(seed: int) -> None:
    """Of a track that few sensors see, taking plots of primary radars: the lines in the middle of its record."""
    rng, store, _, reports, sensor, stations = drawn(seed)
    n = store.n
    store.seen_sensor[:n, 2:] = -1
    store.t_technology[:n, 1:] = -1
    bare = (slice(None), [lay.Z_H, lay.Z_H_BARO, lay.Z_ELEVATION, lay.Z_RANGE_RATE, lay.Z_TURN])
    reports.Z[bare], reports.Z[:, lay.Z_KIND] = np.nan, lay.POLAR
    reports.address[:] = reports.mode_3a[:] = reports.on_ground[:] = -1
    reports.callsign[:] = reports.technology[:] = reports.category[:] = 0
    reports.sensor[:] = sensor
    before = store.side.copy()
    tracks, best = np.arange(n), rng.integers(0, reports.size, n)
    t_w = np.maximum(rng.integers(80, 120, n) * SECOND // 2, reports.t_ns[best])
    learn(store, tracks, rows_like(rng, n), t_w, np.ones(n), best, reports, stations, CONFIG)
    words = np.flatnonzero((store.side != before).any(axis=0))
    assert n == 0 or len(words) > 0
    assert set(words) <= set(range(8, 24))
