"""A look as a whole: against its plain twin, in any cut and order, with rooms of any size, and past ended tracks."""

import math
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference_look as twin
from airpicture.config import Association, Config
from airpicture.filters import Looker
from airpicture.filters import look as module
from airpicture.filters.look import Looked
from airpicture.kernels import layout as lay
from airpicture.kernels._jit import jit
from airpicture.kernels.briefs import number_plots
from airpicture.kernels.life import due_after, fades_by
from airpicture.models import gate_limits, motion_settings
from airpicture.parallel import workers
from airpicture.plots import station_columns
from airpicture.reports import Nearby, Reports
from airpicture.store import Store
from airpicture.tables import Status
from airpicture.tracks import ending_settings
from reference_records import put_row, row_of, ticks
from reference_tracking import Mixture, Plot, condition, ecef, geodetic, moments, plot_of, predict, random_track, update
from tracking_scenes import SECOND, T0, radar, sensors_of

CONFIG = Config()
MOTION, GATES, ENDING = motion_settings(CONFIG), gate_limits(CONFIG), ending_settings(CONFIG)
SENSORS = sensors_of(radar("a", pd=0.9), {"id": "adsb", "kind": "adsb", "pd": 0.95})
STATIONS = station_columns(SENSORS)
seeds = st.integers(0, 2**32 - 1)
KINDS: list[tuple[int, dict[str, bool]]] = [
    (lay.POLAR, {}),
    (lay.POLAR, {"h_baro": True}),
    (lay.POLAR, {"elevation": True, "range_rate": True}),
    (lay.POSITION, {"h": True, "h_baro": True, "velocity": True}),
    (lay.POSITION, {}),
]


def reports_of(
    plots: list[Plot], t_ns: Sequence[int], sensor: int, codes: Sequence[tuple[int, int, int]] = ()
) -> Reports:
    n = len(plots)
    codes = codes or [(-1, -1, 0)] * n
    Z = np.array([plot.row() for plot in plots])
    return Reports(
        Z=Z,
        t_ns=np.array(t_ns, np.int64),
        sensor=np.full(n, sensor, np.int32),
        address=np.array([c[0] for c in codes], np.int32),
        mode_3a=np.array([c[1] for c in codes], np.int32),
        callsign=np.array([c[2] for c in codes], np.uint64),
        technology=np.ones(n, np.uint8),
        slant_range=np.array([plot.slant_range for plot in plots]),
        azimuth=np.array([plot.azimuth for plot in plots]),
        on_ground=np.full(n, -1, np.int8),
        category=np.zeros(n, np.uint8),
        place=Z[:, [lay.Z_P, lay.Z_P + 1, lay.Z_P + 2, lay.Z_RADIUS]],
    )


def store_of(tracks: list[Mixture], t_ns: Sequence[int], room: int = 2) -> Store:
    """Return confirmed tracks, each seen by the radar in the turn before."""
    n = len(tracks)
    store = Store(n + room)
    store.n = n
    for i, track in enumerate(tracks):
        put_row(store, i, track.row())
    store.interval[:n] = 4.0
    store.t_ns[:n] = store.t_plot[:n] = store.t_aged[:n] = store.t_height[:n] = t_ns
    store.number[:n] = np.arange(1, n + 1)
    store.status[:n] = Status.CONFIRMED
    store.address[:] = store.mode_3a[:] = store.seen_sensor[:] = -1
    store.seen_sensor[:n, 0], store.seen_look[:n, 0] = 0, ticks(np.array(t_ns) - 4 * SECOND)
    store.seen_hit[:n] = store.seen_look[:n]
    store.plots[:n] = 5
    for i, track in enumerate(tracks):
        twin._summarise(store, i, track)
    return store


def all_pairs(n: int, m: int) -> Nearby:
    """Return every track with every plot, as one chunk."""
    plot = np.tile(np.arange(m, dtype=np.int32), n)
    return nearby([list(range(n))], np.arange(n + 1) * m, plot)


def nearby(chunks: list[list[int]], start: Any, plot: Any) -> Nearby:
    """Return chunks of rows, with the pairs that `start` and `plot` give for each row."""
    track = np.array([i for rows in chunks for i in rows], np.int64)
    parts = [plot[start[i] : start[i + 1]] for i in track]
    cuts = np.concatenate([[0], np.cumsum([len(rows) for rows in chunks])])
    starts = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    return Nearby(
        track=track,
        start=starts,
        plot=np.concatenate(parts).astype(np.int32),
        chunk=cuts.astype(np.int64),
        tracks_most=int(np.diff(cuts).max()),
        pairs_most=int(np.diff(starts[cuts]).max()),
        shed=0,
    )


def looker(config: Config = CONFIG) -> Looker:
    return Looker(config, MOTION, GATES, ENDING)


def look(store: Store, near: Nearby, reports: Reports, run: Any = None, config: Config = CONFIG) -> Looked:
    return looker(config).look(near, reports, STATIONS, store, run)


def scene(seed: int, tracks: int, plots: int, kind: int, has: dict[str, bool]) -> tuple[Store, Reports]:
    """Tracks so near one another that they compete for the plots, and plots of some of them and of nobody."""
    rng = np.random.default_rng(seed)
    sensor = 0 if kind == lay.POLAR else 1
    site = STATIONS.sites[0]
    far, way = rng.uniform(40e3, 150e3), rng.uniform(0.0, 2.0 * math.pi)
    lat, lon, _ = geodetic(site[:3] + far * (math.sin(way) * site[3:6] + math.cos(way) * site[6:9]))
    h = rng.uniform(3000.0, 12e3)
    held = [
        random_track(rng, lat + rng.normal(0.0, 3e-5), lon + rng.normal(0.0, 3e-5), h, spread=0.5)
        for _ in range(tracks)
    ]
    for track in held:
        track.existence = float(rng.uniform(0.2, 0.99))
        track.turn = float(rng.choice([0.0, 0.03, -0.08]))
        if rng.random() < 0.5:
            track.var_pos, track.count_pos = float(rng.uniform(50.0, 2000.0)), 7.0
    ages = rng.integers(0, 4 * SECOND, tracks)
    store = store_of(held, T0 - ages)
    store.address[:tracks], store.callsign[:tracks] = rng.integers(-1, 2, tracks), rng.integers(0, 2, tracks)
    store.status[:tracks] = rng.choice([Status.TENTATIVE, Status.CONFIRMED, Status.COASTING], tracks)
    store.rivalry[:tracks] = rng.integers(0, 3, tracks)
    store.number[:tracks] = rng.permutation(tracks) + 1
    t = np.sort(T0 + rng.integers(-SECOND if seed % 3 == 0 else 0, SECOND, plots))
    seen = []
    for j in range(plots):
        owner = held[int(rng.integers(tracks))]
        truth, _ = owner.moments()
        truth = truth + np.append((float(t[j] - T0) * 1e-9 + 2.0) * truth[3:], np.zeros(3))
        plot = plot_of(rng, truth, site, kind, noise=rng.choice([1.0, 3.0]), **has)
        plot.learn = float(kind == lay.POSITION and rng.random() < 0.7)
        log_l = condition(plot, predict(owner, 2.0, MOTION), 0, 0.0, 1.0, 1.0)[3]
        plot.log_clutter = log_l - float(rng.uniform(0.0, 6.0) if seed % 2 else rng.uniform(20.0, 30.0))
        seen.append(plot)
    codes = [(int(rng.integers(-1, 2)), -1, int(rng.integers(0, 2))) for _ in seen]
    return store, reports_of(seen, t.tolist(), sensor, codes)


def copy_of(store: Store) -> Store:
    other = Store(store.capacity)
    other.n = store.n
    for mine, column in zip(other.columns(), store.columns(), strict=True):
        mine[:] = column
    return other


def bytes_of(store: Store) -> list[bytes]:
    return [column.tobytes() for column in store.columns()]


def assert_same_store(got: Store, expected: Store) -> None:
    names = [name for name, value in vars(got).items() if isinstance(value, np.ndarray)]
    for name in names:
        a, b = getattr(got, name), getattr(expected, name)
        if name == "states":
            for i in range(got.n):
                a, b = row_of(got, i), row_of(expected, i)
                one, two = Mixture.of_row(a), Mixture.of_row(b)
                np.testing.assert_allclose(one.mu, two.mu, rtol=0, atol=1e-6)
                for m in range(4):
                    if two.mu[m] > 1e-5:
                        scale = np.sqrt(np.diag(two.P[m]))
                        np.testing.assert_allclose(one.x[m] / scale, two.x[m] / scale, rtol=0, atol=1e-5)
                        both = np.outer(scale, scale)
                        np.testing.assert_allclose(one.P[m] / both, two.P[m] / both, rtol=0, atol=1e-5)
                np.testing.assert_allclose(a[lay.EXISTENCE :], b[lay.EXISTENCE :], rtol=1e-5, atol=1e-6)
        elif name == "summary":
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-2)
        elif name not in ("spreads", "existence", "side", "due_ns"):  # compared above, or asked of `due_after` itself
            np.testing.assert_array_equal(a, b, err_msg=name)


@given(seeds, st.integers(1, 4), st.integers(1, 4), st.sampled_from(KINDS))
@settings(max_examples=150)
def test_a_look_is_its_plain_twin(seed: int, tracks: int, plots: int, kind: tuple[int, dict[str, bool]]) -> None:
    store, reports = scene(seed, tracks, plots, *kind)
    plain = copy_of(store)
    # shifting shares so that close tracks stay apart is another twin's business, in tests/kernels/test_apart.py
    looked = look(store, all_pairs(tracks, plots), reports, config=Config(association=Association(apart=0.0)))
    pairs = {i: list(range(plots)) for i in range(tracks)}
    life = CONFIG.life
    claimed, did = twin.look(
        plain, pairs, reports, STATIONS, MOTION, GATES, life.lifetime_s, life.confirm, life.confirm_plots
    )
    np.testing.assert_allclose(looked.claimed, claimed, rtol=0, atol=1e-6)
    words = [None, "looked at", "moved", "took"]
    assert [words[c] for c in looked.changed] == [did.get(i) for i in range(tracks)]
    assert_same_store(store, plain)
    assert looked.merged == int((store.status[:tracks] == Status.ENDED).sum())
    for i in did:
        if store.status[i] != Status.ENDED:
            t_w = max(int(reports.t_ns[-1]), int(store.t_ns[i]))
            reach = (STATIONS.sites, STATIONS.period, STATIONS.range_max)
            assert store.due_ns[i] == due_after(i, t_w, store.held, *reach, ENDING, fades_by(ENDING))


@pytest.mark.parametrize("plots", [40, 100])
def test_more_pairs_than_are_weighed_at_a_time_change_nothing(plots: int) -> None:
    for seed in range(4):
        test_a_look_is_its_plain_twin.hypothesis.inner_test(seed, 2, plots, (lay.POLAR, {}))


def alone(track: Mixture, plots: list[Plot], pd: float = 0.9, detect: bool = True) -> Store:
    """Look at one track with plots of its own time."""
    store = store_of([track], [T0])
    stations = STATIONS._replace(pd=np.array([pd, 0.05]))
    looker().look(all_pairs(1, len(plots)), reports_of(plots, [T0] * len(plots), 0), stations, store)
    return store


def plots_round(seed: int, kind: int, has: dict[str, bool], count: int) -> tuple[Mixture, list[Plot]]:
    """Return a track and plots within its gate, in clutter that makes each as likely as not."""
    rng = np.random.default_rng(seed)
    site = STATIONS.sites[0]
    far, way = rng.uniform(20e3, 250e3), rng.uniform(0.0, 2.0 * math.pi)
    lat, lon, _ = geodetic(site[:3] + far * (math.sin(way) * site[3:6] + math.cos(way) * site[6:9]))
    track = random_track(rng, lat, lon, rng.uniform(3000.0, 12e3), spread=0.3)
    track = predict(track, 0.0, MOTION)  # what has to be bounded has been
    plots = [plot_of(rng, track.moments()[0], site, kind, **has) for _ in range(count)]
    for plot in plots:
        plot.log_clutter = condition(plot, track, 0, 0.0, 1.0, 1.0)[3] - float(rng.uniform(0.0, 4.0))
    return track, plots


@given(seeds, st.sampled_from(KINDS), st.integers(1, 5), st.floats(0.05, 0.98))
@settings(max_examples=80)
def test_several_plots_and_existence_equal_the_enumeration_of_hypotheses(
    seed: int, kind: tuple[int, dict[str, bool]], count: int, detect: float
) -> None:
    """For a track alone the joint events are: no target, missed, plot j its own; enumerated from their definition."""
    track, plots = plots_round(seed, *kind, count)
    track.existence = min(track.existence, 0.98)
    expected, _ = update(track, plots, [0.0] * count, detect, MOTION)
    store = alone(track, plots, detect)
    got = Mixture.of_row(row_of(store, 0))
    assert got.existence == pytest.approx(min(expected.existence, 0.998), rel=1e-6)
    np.testing.assert_allclose(got.mu, expected.mu, rtol=0, atol=1e-6)
    for one, two in zip(got.moments(), expected.moments(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-2)


def test_filterpy_gives_the_same_mode_probabilities() -> None:
    """The update half of its IMM estimator: likelihoods weigh the modes, moments the estimate."""
    filterpy = pytest.importorskip("filterpy.kalman")
    track, (plot,) = plots_round(11, lay.POSITION, {"velocity": True}, 1)
    plot.log_clutter = -300.0  # nothing else can have caused it
    lat, lon, _ = geodetic(plot.p)
    so, co, sl, cl = math.sin(lon), math.cos(lon), math.sin(lat), math.cos(lat)
    H = np.kron(np.eye(2), np.array([[-so, co, 0.0], [-sl * co, -sl * so, cl]]))
    origin = track.moments()[0]
    peers = []
    for m in range(4):
        peer = filterpy.KalmanFilter(dim_x=6, dim_z=4)
        peer.x, peer.P, peer.H = track.x[m] - origin, track.P[m].copy(), H
        peer.R = np.diag([plot.var_p] * 2 + [plot.var_v] * 2)
        peers.append(peer)
    imm = filterpy.IMMEstimator(peers, track.mu, np.eye(4))
    imm.update(H @ np.concatenate([plot.p, np.zeros(3)]) + [0, 0, plot.v_east, plot.v_north] - H @ origin)
    got = Mixture.of_row(row_of(alone(track, [plot]), 0))
    np.testing.assert_allclose(got.mu, imm.mu, rtol=0, atol=1e-7)
    mean, P = got.moments()
    np.testing.assert_allclose(mean - origin, imm.x, rtol=0, atol=1e-5)
    np.testing.assert_allclose(P, imm.P, rtol=1e-5, atol=1e-5)


def test_filterpy_mixes_the_same_models() -> None:
    """The other half: models mixed by the chain of modes, here over 3 s in which nothing else happens."""
    filterpy = pytest.importorskip("filterpy.kalman")
    track = random_track(np.random.default_rng(4), 0.8, 0.1, 8000.0)
    stays = math.exp(-MOTION[lay.M_RATE] * 3.0)
    share = MOTION[lay.M_SHARE : lay.M_SHARE + 4]
    peers = []
    origin = track.moments()[0]
    for m in range(4):
        peer = filterpy.KalmanFilter(dim_x=6, dim_z=2)
        peer.x, peer.P = track.x[m] - origin, track.P[m].copy()
        peers.append(peer)
    chain = stays * np.eye(4) + (1.0 - stays) * np.tile(share, (4, 1))
    imm = filterpy.IMMEstimator(peers, track.mu, chain)
    still = MOTION.copy()
    still[: lay.M_SHARE] = still[lay.M_Q_ALONG :] = 0.0
    still[lay.M_TURN_RATE] = 1e-12
    ahead = predict(track, 3.0, still)  # the twin of what `test_bank` holds the kernel to
    F = np.block([[np.eye(3), 3.0 * np.eye(3)], [np.zeros((3, 3)), np.eye(3)]])
    for m in range(4):
        x, P = moments(track.x - origin, track.P, imm.omega[:, m])
        np.testing.assert_allclose(ahead.P[m], F @ P @ F.T, rtol=0, atol=1e-3 * np.abs(P).max())
        assert np.linalg.norm((ahead.x[m] - origin)[3:] - x[3:]) < 0.1  # the Earth bends 30 mm/s in 3 s
    np.testing.assert_allclose(ahead.mu, imm.cbar, rtol=1e-12)


def test_no_plot_of_weight_leaves_the_state_alone_and_lowers_existence() -> None:
    track, plots = plots_round(9, lay.POLAR, {}, 2)
    track.existence = 0.8
    for plot in plots:
        plot.log_clutter = 60.0
    store = alone(track, plots)
    got = Mixture.of_row(row_of(store, 0))
    np.testing.assert_array_equal(got.x, track.x)
    assert got.existence == pytest.approx(0.8 * 0.1 / (1.0 - 0.8 * 0.9))  # Bayes: 0.286
    assert store.misses[0] == 1


def test_a_garbled_height_does_not_move_the_height() -> None:
    track, (plot,) = plots_round(7, lay.POLAR, {"h_baro": True}, 1)
    plot.log_clutter, plot.h_baro = -300.0, 40_000.0
    got = Mixture.of_row(row_of(alone(track, [plot]), 0))
    assert abs(geodetic(got.moments()[0][:3])[2] - geodetic(track.moments()[0][:3])[2]) < 100.0
    assert got.existence > 0.99


def test_the_pressure_offset_is_learnt_as_a_scalar_kalman_filter_learns_it() -> None:
    rng = np.random.default_rng(2)
    track, (plot,) = plots_round(3, lay.POSITION, {}, 1)
    track.d_baro, track.var_baro = 0.0, 150.0**2
    lat, lon, h = geodetic(track.moments()[0][:3])
    d, var = 0.0, 150.0**2
    for _ in range(30):
        plot = replace(plot, p=ecef(lat, lon, h), log_clutter=-300.0)
        plot.h, plot.h_baro = h + rng.normal(0.0, 10.0), h - 100.0 + rng.normal(0.0, 10.0)
        var = 1.0 / (1.0 / (var + 1.0) + 1.0 / 225.0)  # information adds up
        d += var / 225.0 * (plot.h - plot.h_baro - d)
        track = Mixture.of_row(row_of(alone(track, [plot]), 0))
    assert track.d_baro == pytest.approx(d, rel=1e-6)  # kept as float32
    assert track.var_baro == pytest.approx(var, rel=1e-6)
    assert track.d_baro == pytest.approx(100.0, abs=10.0)


# --- many tracks: in any cut and order ------------------------------------------------------------------------------


def crowd(seed: int, groups: int) -> tuple[Store, Reports, Any, Any, list[list[int]]]:
    """Return groups of tracks and plots that have nothing to do with one another, and each row's candidates."""
    rng = np.random.default_rng(seed)
    scenes = [scene(seed + g, int(rng.integers(1, 5)), int(rng.integers(1, 5)), lay.POLAR, {}) for g in range(groups)]
    store = Store(sum(s.n for s, _ in scenes) + 3)
    parts: list[list[int]] = []
    candidates: list[list[int]] = []
    seen: list[Reports] = []
    plots = 0
    for one, reports in scenes:
        for mine, column in zip(store.columns(), one.columns(), strict=True):
            mine[store.n : store.n + one.n] = column[: one.n]
        store.number[store.n : store.n + one.n] += store.n
        parts.append(list(range(store.n, store.n + one.n)))
        candidates += [list(range(plots, plots + reports.size))] * one.n
        store.n += one.n
        plots += reports.size
        seen.append(reports)
    start = np.concatenate([[0], np.cumsum([len(c) for c in candidates])])
    together = Reports(*(np.concatenate(columns) for columns in zip(*seen, strict=True)))
    return store, together, start, np.array([j for c in candidates for j in c], np.int32), parts


def backwards(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> list[Any]:
    order = list(range(len(tasks)))
    random.Random(1).shuffle(order)
    done = {k: function(*tasks[k]) for k in order}
    return [done[k] for k in range(len(tasks))]


def test_chunks_in_any_cut_order_and_number_of_threads_give_the_same_bits() -> None:
    store, reports, start, plot, parts = crowd(100, 40)
    rng = random.Random(2)
    singly = list(parts)
    rng.shuffle(singly)
    joined = [[i for part in parts[k : k + 7] for i in part] for k in range(0, 40, 7)]
    whole = [[i for part in parts for i in part]]
    results = []
    with workers(2) as two, ThreadPoolExecutor(4) as pool:

        def four(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> list[Any]:
            return [f.result() for f in [pool.submit(function, *task) for task in tasks]]

        for chunks in (whole, parts, singly, joined):
            for run in (None, two, four, backwards):
                mine = copy_of(store)
                looked = look(mine, nearby(chunks, start, plot), reports, run)
                results.append((bytes_of(mine), looked.claimed.tobytes(), looked.merged, looked.exact))
    assert all(result == results[0] for result in results)
    assert results[0][0] != bytes_of(store)


def test_the_same_rooms_over_and_over_carry_nothing_on() -> None:
    again = looker()
    for seed, groups in ((1, 3), (2, 30), (3, 3), (1, 3)):
        store, reports, start, plot, parts = crowd(seed, groups)
        fresh = copy_of(store)
        one = again.look(nearby(parts, start, plot), reports, STATIONS, store)
        two = look(fresh, nearby(parts, start, plot), reports)
        assert bytes_of(store) == bytes_of(fresh)
        assert one.claimed.tobytes() == two.claimed.tobytes()


def test_pairs_beyond_what_a_chunk_keeps_are_conditioned_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only how far reported positions are off isn't learnt from these."""
    for seed in range(12):
        store, reports = scene(seed, 4, 4, *KINDS[seed % 3])
        small = copy_of(store)
        look(store, all_pairs(4, 4), reports)
        with monkeypatch.context() as patch:
            patch.setattr(module, "KEPT_PAIRS", 2)
            look(small, all_pairs(4, 4), reports)
        for one in (small, store):
            learnt = one.spreads[:, lay.NUMBERS :]
            learnt[:, lay.VAR_POS : lay.VAR_COMMON + 1] = learnt[:, lay.SCALE_POS : lay.VAR_TIME + 1] = 0.0
        assert bytes_of(small) == bytes_of(store)


@jit
def _number(e_from: int, e_to: int, plot: Any, room: Any) -> int:
    return number_plots(e_from, e_to, plot, room)


@given(seeds, st.integers(1, 200), st.sampled_from([1, 3, 1000]))
def test_plots_of_a_chunk_are_numbered_in_rising_order(seed: int, pairs: int, apart: int) -> None:
    """Whether they stand close, and what's between is looked at, or far apart, and they're sorted."""
    rng = np.random.default_rng(seed)
    plot = rng.integers(0, apart * pairs, pairs).astype(np.int32)
    first = int(rng.integers(0, pairs))
    room = module.make_room(1, pairs, apart * pairs, 12)
    plots = _number(first, pairs, plot, room)
    names, near = np.unique(plot[first:], return_inverse=True)
    np.testing.assert_array_equal(room.names[:plots], names)
    np.testing.assert_array_equal(room.local[plot[first:]], near)
    assert (np.delete(room.local, names) == -1).all()


def test_tracks_that_ended_are_passed_over() -> None:
    store, reports, start, plot, parts = crowd(7, 12)
    gone = [part[0] for part in parts]
    store.status[gone] = Status.ENDED
    before = copy_of(store)
    looked = look(store, nearby(parts, start, plot), reports)
    for mine, column in zip(store.columns(), before.columns(), strict=True):
        np.testing.assert_array_equal(mine[gone], column[gone])
    order = [i for part in parts for i in part]
    assert all(looked.changed[order.index(i)] == 0 for i in gone)
    rest = [[i for i in part if i not in gone] for part in parts]
    without = copy_of(before)
    look(without, nearby([part for part in rest if part], start, plot), reports)
    assert bytes_of(without) == bytes_of(store)  # as if they weren't there


def test_the_best_event_alone_counts_where_that_is_asked_for() -> None:
    config = Config(association=Association(method="nearest"))
    store, reports = scene(1, 3, 3, lay.POLAR, {})
    looked = look(store, all_pairs(3, 3), reports, config=config)
    assert set(looked.claimed.tolist()) <= {0.0, 1.0}
    assert set(looked.changed.tolist()) <= {0, 1, 3}  # a plot is taken whole or not at all


@given(seeds, st.lists(st.sampled_from(KINDS), min_size=3, max_size=8))
@settings(max_examples=25)
def test_tracks_stay_well_formed_look_after_look(seed: int, kinds: list[tuple[int, dict[str, bool]]]) -> None:
    rng = np.random.default_rng(seed)
    store, _ = scene(seed, 3, 1, *kinds[0])
    site = STATIONS.sites[0]
    for k, (kind, has) in enumerate(kinds):
        t = T0 + (k + 1) * SECOND
        plots = []
        for i in range(3):
            plot = plot_of(rng, Mixture.of_row(row_of(store, i)).moments()[0], site, kind, noise=2.0, **has)
            plot.log_clutter = float(rng.uniform(-25.0, 0.0))
            plots.append(plot)
        look(store, all_pairs(3, 3), reports_of(plots, [t] * 3, 0))
        for i in np.flatnonzero(store.status[:3] != Status.ENDED):
            track = Mixture.of_row(row_of(store, i))
            assert np.isfinite(row_of(store, i)).all()
            assert track.mu.sum() == pytest.approx(1.0, abs=1e-8)
            assert track.mu.min() > 0.0
            assert 0.0 <= track.existence <= 0.998
            for P in track.P:
                sigma = np.sqrt(np.diag(P))
                assert np.linalg.eigvalsh(P / np.outer(sigma, sigma)).min() > 0.0
