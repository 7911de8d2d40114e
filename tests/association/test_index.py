"""Candidates are what brute force finds, whatever the index went through, and however the plots are split."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from airpicture.association import index as room
from airpicture.association.index import Index, candidates
from airpicture.kernels import layout as lay
from airpicture.kernels.cells import PARCEL, PARCELLED, row_of
from airpicture.kernels.index import CODES, LEVELS, NOWHERE, SPEED, WILD, N, face_of, on_face
from airpicture.parallel import do, workers
from airpicture.reports import Nearby
from airpicture.tables import F64, I64

A2, B2 = 40680631590769.0, 40408299984661.445  # squares of the semi-axes of WGS-84, m²
T0 = 1_700_000_000_000_000_000
Q, RADIUS_MAX = 2000.0, 80_000.0
SECOND = 1_000_000_000

seeds = st.integers(0, 2**32 - 1)


def on_ground(p: F64) -> F64:
    with np.errstate(all="ignore"):
        return p / np.sqrt((p[..., :2] ** 2).sum(axis=-1) / A2 + p[..., 2] ** 2 / B2)[..., None]


def ratios(Z: F64, t_z: I64, summary: F64, t_track: I64, q: float = Q, radius_max: float = RADIUS_MAX) -> F64:
    """Return the plain twin's squared distance over radius of each plot (rows) and track (columns)."""
    with np.errstate(all="ignore"):
        dt = (t_z[:, None] - t_track) * 1e-9
        p = on_ground(summary[:, :3] + dt[..., None] * summary[:, 3:6])
        age = np.abs(dt)
        r = 4.0 * np.sqrt((summary[:, 6] + age * summary[:, 7]) ** 2 + q * age**3 / 3.0) + 50.0
        r = np.hypot(np.minimum(r, radius_max), Z[:, [lay.PLACE_RADIUS]])
        z = on_ground(Z[:, lay.PLACE_P : lay.PLACE_P + 3])
        return np.asarray(((z[:, None] - p) ** 2).sum(axis=-1) / r**2)


def pairs_of(near: Nearby) -> list[tuple[int, int]]:
    owner = np.repeat(near.track, np.diff(near.start))
    return sorted(zip(near.plot.tolist(), owner.tolist(), strict=True))


class Sky:
    """Tracks and plots, mostly about one place, and what may go wrong with them."""

    def __init__(self, rng: np.random.Generator, capacity: int = 80) -> None:
        self.rng = rng
        pole = rng.random() < 0.15
        self.centre = self.unit(np.array([0.0, 0.0, 1.0]) if pole else rng.choice([-1.0, 0.0, 1.0, 0.7], 3) + 1e-9)
        self.spread = float(rng.choice([3e-3, 3e-2, 0.3]))
        self.summary = np.zeros((capacity, lay.SUMMARY), np.float32)
        self.t_track = np.zeros(capacity, np.int64)
        self.n = 0

    @staticmethod
    def unit(v: F64) -> F64:
        return np.asarray(v / np.linalg.norm(v, axis=-1, keepdims=True))

    def points(self, m: int) -> F64:
        u = self.unit(self.centre + self.spread * self.rng.normal(size=(m, 3)))
        return np.asarray(on_ground(u) * (1.0 + self.rng.uniform(0.0, 0.003, (m, 1))))

    def set(self, rows: I64, now: int) -> None:
        rng, m = self.rng, len(rows)
        self.summary[rows, :3] = self.points(m)
        self.summary[rows, 3:6] = rng.normal(size=(m, 3)) * rng.choice([1.0, 150.0, 1000.0], (m, 1))
        self.summary[rows, 6] = rng.choice([20.0, 300.0, 5e3, 1e5], m, p=[0.4, 0.4, 0.15, 0.05])
        self.summary[rows, 7] = rng.choice([1.0, 30.0, 400.0], m)
        self.t_track[rows] = now - (rng.choice([0.0, 0.2, 12.0, 70.0], m) * 1e9).astype(np.int64)
        odd = rng.random(m)
        self.summary[rows[odd < 0.03], :3] *= 0.5  # far below the ground: no place for it
        self.summary[rows[(odd > 0.03) & (odd < 0.05)], 3:6] *= 1e4
        self.summary[rows[(odd > 0.05) & (odd < 0.08)], rng.integers(0, 8)] = np.nan

    def grow(self, m: int, now: int) -> None:
        m = min(m, len(self.t_track) - self.n)
        self.n += m
        self.set(np.arange(self.n - m, self.n), now)

    def plots(self, m: int, now: int, late: float) -> tuple[F64, I64]:
        rng = self.rng
        Z = np.zeros((m, lay.PLACE))
        Z[:, lay.PLACE_P : lay.PLACE_P + 3] = self.points(m)
        vague = 0.1 if rng.random() < 0.5 else 0.0  # else tracks are told by parcels of the ground whether they ask
        Z[:, lay.PLACE_RADIUS] = rng.choice(
            [100.0, 2e3, 1e4, 2e5, 3e6], m, p=[0.4 - vague, 0.4, 0.2, vague / 2, vague / 2]
        )
        t_z = now + (rng.random(m) * 0.25e9).astype(np.int64) - int(late * 1e9)
        near = np.flatnonzero(rng.random(m) < 0.5) if self.n else np.zeros(0, np.int64)
        i = rng.integers(0, max(self.n, 1), len(near))
        dt = (t_z[near] - self.t_track[i]) * 1e-9
        with np.errstate(all="ignore"):
            Z[near, lay.PLACE_P : lay.PLACE_P + 3] = self.summary[i, :3] + dt[:, None] * self.summary[i, 3:6]
        Z[rng.random(m) < 0.02, lay.PLACE_P] = np.nan
        return Z, t_z

    def expected(self, Z: F64, t_z: I64, most: int) -> tuple[list[tuple[int, int]], int]:
        d = ratios(Z, t_z, self.summary[: self.n], self.t_track[: self.n])
        pairs, shed = [], 0
        for j, row in enumerate(d):
            near = [(value, i) for i, value in enumerate(row.tolist()) if value <= 1.0]
            pairs += [(j, i) for _, i in sorted(near)[:most]]
            shed += max(len(near) - most, 0)
        return sorted(pairs), shed

    def look(self, index: Index, Z: F64, t_z: I64, most: int, run: Any = None) -> Nearby:
        return candidates(index, Z, t_z, len(t_z), self.summary, self.t_track, self.n, Q, RADIUS_MAX, most, run)


def same(a: Nearby, b: Nearby) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def copied(near: Nearby) -> Nearby:
    return Nearby(*(value.copy() if isinstance(value, np.ndarray) else value for value in near))


STEPS = ("look", "late", "wide", "far", "grow", "update", "drop", "close", "undo", "forget", "blind")


@given(seeds, st.lists(st.sampled_from(STEPS), min_size=1, max_size=14), st.sampled_from([0, 1, 8]), st.booleans())
@settings(max_examples=400)
def test_pairs_are_brute_forces_whatever_happened_before(seed: int, steps: list[str], many: int, few: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "FEW_PLOTS", 1024 if few else -1)  # in one go, or step by step
        patch.setattr(room, "MANY", many)  # 0: the index is always asked
        patch.setattr(room, "FEW", 0)
        check_looks(seed, steps)


def check_looks(seed: int, steps: list[str]) -> None:
    sky = Sky(np.random.default_rng(seed))
    rng, now, index = sky.rng, T0, Index(len(sky.t_track))
    sky.grow(int(rng.integers(0, 60)), now)
    for step in [*steps, "look"]:
        now += int(rng.choice([0.0, 0.25, 2.0, 9.0], p=[0.2, 0.5, 0.2, 0.1]) * 1e9)
        if step == "grow":
            sky.grow(int(rng.integers(1, 20)), now)
        elif step == "update" and sky.n:
            rows = np.unique(rng.integers(0, sky.n, 8))
            sky.set(rows, now)
            index.place(sky.summary, sky.t_track, rng.permutation(rows))
        elif step == "drop" and sky.n:  # rows close their ranks
            kept = np.flatnonzero(rng.random(sky.n) < 0.7)
            sky.summary[: len(kept)], sky.t_track[: len(kept)] = sky.summary[kept], sky.t_track[kept]
            sky.n = len(kept)
            index.forget()
        elif (
            step == "close" and sky.n
        ):  # some end, and of a slice of rows behind the first of them the others move down
            gone = np.flatnonzero(rng.random(sky.n) < 0.3)
            sky.summary[gone, 6] = np.nan
            index.place(sky.summary, sky.t_track, gone)
            if len(gone):
                last = int(rng.integers(gone[0] + 1, sky.n + 1))
                rows = np.setdiff1d(np.arange(gone[0], last), gone)
                at = int(gone[0])
                to = at + len(rows)
                sky.summary[at:to], sky.t_track[at:to] = sky.summary[rows], sky.t_track[rows]
                index.move(sky.summary, sky.t_track, rows, at)
                if last == sky.n:
                    sky.n = to
                    index.forget_from(to)
                else:
                    sky.summary[to:last, 6] = np.nan
        elif step == "undo" and sky.n:  # rows at the end go, and others may take their place
            sky.n -= int(rng.integers(0, sky.n + 1))
            index.forget_from(sky.n)
            sky.grow(int(rng.integers(0, 5)), now)
        elif step == "forget":
            index.forget()
        elif step == "blind" and sky.n:  # a row that is to meet nothing
            sky.summary[0, 6] = np.nan
            index.place(sky.summary, sky.t_track, np.zeros(1, np.int64))
        elif step in ("look", "late", "wide", "far"):
            most = int(rng.choice([1, 3, 64]))
            Z, t_z = sky.plots(int(rng.integers(0, 40)), now, late=float(rng.uniform(0, 20)) if step == "late" else 0.0)
            if step == "wide":
                t_z -= (rng.random(len(t_z)) * 9e9).astype(np.int64)
            elif step == "far":
                t_z += int(rng.uniform(0, 60) * 1e9)
            near = copied(sky.look(index, Z, t_z, most))
            pairs, shed = sky.expected(Z, t_z, most)
            assert pairs_of(near) == pairs
            assert near.shed == shed
            assert same(near, sky.look(Index(len(sky.t_track)), Z, t_z, most))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(room, "FEW_PLOTS", -1)
                assert same(near, sky.look(Index(len(sky.t_track)), Z, t_z, most))


def test_a_look_of_few_plots_is_done_in_one_go_once_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    sky, Z, t_z = crowd(2000, 40)
    index = Index(len(sky.t_track))
    sky.look(index, Z[:5], t_z[:5], 64)  # which finds too little room
    sky.look(index, Z[:5], t_z[:5], 64)
    first = copied(sky.look(index, Z, t_z, 64))  # likewise
    assert len(first.track) > 0

    def refuse(*_: Any) -> None:
        raise AssertionError("step by step")

    few = copied(sky.look(index, Z[:5], t_z[:5], 64))
    monkeypatch.setattr(index, "_find_cells", refuse)
    for _ in range(2):
        assert same(first, sky.look(index, Z, t_z, 64))
        assert same(few, sky.look(index, Z[:5], t_z[:5], 64))
    assert same(first, copied(sky.look(index, Z, t_z, int(np.bincount(first.plot).max()))))
    with pytest.raises(AssertionError, match="step by step"):  # a plot in a crowd
        sky.look(index, Z, t_z, int(np.bincount(first.plot).max()) - 1)
    with pytest.raises(AssertionError, match="step by step"):
        sky.look(index, np.repeat(Z, 30, axis=0), np.repeat(t_z, 30), 64)


def crowd(n: int, plots: int, seed: int = 1, area: float = 60e3) -> tuple[Sky, F64, I64]:
    """Return n tracks and some plots in a square of that half side [m]."""
    sky = Sky(np.random.default_rng(seed), n)
    sky.centre, sky.spread = Sky.unit(np.array([0.6, 0.5, 0.7])), area / 6.4e6
    sky.n = n
    sky.summary[:n, :3] = sky.points(n)
    sky.summary[:n, 3:6] = 100.0
    sky.summary[:n, 6] = 100.0
    sky.t_track[:n] = T0
    Z = np.zeros((plots, lay.PLACE))
    Z[:, lay.PLACE_P : lay.PLACE_P + 3] = sky.points(plots)
    Z[:, lay.PLACE_RADIUS] = 1000.0
    return sky, Z, T0 + 10 * SECOND + np.arange(plots)


def one_by_one(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> list[Any]:
    return [function(*task) for task in tasks]


def backwards(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> list[Any]:
    return [function(*task) for task in reversed(tasks)][::-1]


def threads(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> list[Any]:
    with workers(2) as run:
        return do(function, tasks, run)


@pytest.mark.parametrize("many", [0, 8])
@pytest.mark.parametrize("most", [2, 64])
def test_the_split_of_the_tracks_leaves_no_trace(most: int, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MANY", many)
    sky, Z, t_z = crowd(3000, 900)
    whole = copied(sky.look(Index(3000), Z, t_z, most))
    assert len(whole.plot) > 1200
    for size in (1000, 450, 7):
        monkeypatch.setattr(room, "RANGE_PLOTS", size)
        monkeypatch.setattr(room, "RANGE_ROWS", size)
        monkeypatch.setattr(room, "RANGE_CODES", size)
        for run in (one_by_one, backwards, threads):
            index = Index(3000)
            assert same(whole, sky.look(index, Z, t_z, most, run))
            sky.summary[:, 6] *= 1.5
            moved = sky.look(Index(3000), Z, t_z, most)
            index.place(sky.summary, sky.t_track, np.arange(3000), run)
            assert same(moved, sky.look(index, Z, t_z, most, run))
            sky.summary[:, 6] /= 1.5


@pytest.mark.parametrize("many", [0, 8])
@pytest.mark.parametrize("spread", [0.0, 200.0])
def test_a_crowd_meets_what_brute_force_finds(many: int, spread: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also pairs that are so near that they aren't tested, and those at the edge of that; with plots all at one time
    and over half a minute."""
    monkeypatch.setattr(room, "MANY", many)
    monkeypatch.setattr(room, "FEW_PLOTS", -1)
    sky, Z, t_z = crowd(1500, 700)
    rng = np.random.default_rng(5)
    Z[:, lay.PLACE_RADIUS] = rng.choice([100.0, 2000.0, 3990.0, 4010.0, 9000.0], 700)
    t_z = t_z + (rng.random(700) * spread * 0.15e9).astype(np.int64)
    sky.summary[:1500, 6] = rng.choice([20.0, 400.0, 1500.0], 1500)
    near = sky.look(Index(1500), Z, t_z, 1500)
    d = ratios(Z, t_z, sky.summary[:1500], sky.t_track[:1500])
    assert pairs_of(near) == [(j, i) for j, i in zip(*(k.tolist() for k in np.nonzero(d <= 1.0)), strict=True)]


def test_tracks_far_from_all_plots_ask_for_no_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that the index lists; and none that meets a plot is among them."""
    monkeypatch.setattr(room, "MANY", 0)
    sky, Z, t_z = crowd(20_000, 60, area=300e3)
    index, asked = Index(20_000), []
    meet = room.meet_plots

    def counted(
        lo: int, hi: int, rows: Any, summary: Any, time: Any, t: Any, q: float, most: float, cells: Any, *w: Any
    ) -> Any:
        assert cells.ints[PARCELLED] > 0
        asked.extend(rows[lo:hi].tolist())
        return meet(lo, hi, rows, summary, time, t, q, most, cells, *w)

    monkeypatch.setattr(room, "meet_plots", counted)
    monkeypatch.setattr(room, "FEW_PLOTS", -1)
    near = sky.look(index, Z, t_z, 64)
    there = np.array(asked)
    p = on_ground(sky.summary[there, :3].astype(np.float64) + 10.0 * sky.summary[there, 3:6])
    marked = np.zeros(len(there), bool)
    cells = index._cells
    for k, (x, y, z) in enumerate(p.tolist()):
        face = face_of(x, y, z)
        a, b = on_face(face, x, y, z)
        word = (row_of(face, a >> PARCEL) + ((b >> PARCEL) >> 5)) & ((1 << int(cells.ints[PARCELLED])) - 1)
        marked[k] = cells.parcel[word] >> ((b >> PARCEL) & 31) & 1
    assert np.isin(near.track, there[marked]).all()
    assert len(near.track) < marked.sum() < 0.6 * len(there)


def test_few_plots_ask_few_tracks(monkeypatch: pytest.MonkeyPatch) -> None:
    """And they ask them of the index, which is set up when it's needed and let go when looks with many plots follow."""
    sky, Z, t_z = crowd(20_000, 9000, area=1000e3)
    asked: list[int] = []
    meet = room.meet_plots

    def counted(lo: int, hi: int, rows: Any, *others: Any) -> Any:
        asked.append(hi - lo)
        return meet(lo, hi, rows, *others)

    monkeypatch.setattr(room, "meet_plots", counted)
    index = Index(20_000)
    for plots, known in ((9000, 0), (20, 20_000), (20, 20_000), (9000, 20_000), (9000, 0), (20, 20_000)):
        asked.clear()
        near = copied(sky.look(index, Z[:plots], t_z[:plots], 64))
        assert index.grid.ints[N] == known
        assert same(near, sky.look(Index(20_000), Z[:plots], t_z[:plots], 64))
        if plots == 20:
            assert len(near.track) <= asked[0] < 400
        else:
            assert asked[0] == 20_000


def test_a_room_that_is_too_small_is_followed_by_others() -> None:
    sky, Z, t_z = crowd(3000, 2000, area=3e3)  # nearly every plot meets its most
    index = Index(3000)
    near = sky.look(index, Z, t_z, 64)
    assert len(near.plot) > 60 * 2000
    d = ratios(Z, t_z, sky.summary, sky.t_track)
    assert near.shed == (d <= 1.0).sum() - len(near.plot)
    nearest = np.argsort(d, axis=1, kind="stable")[:, :64]
    assert pairs_of(near) == sorted((j, i) for j, row in enumerate(nearest.tolist()) for i in row if d[j, i] <= 1.0)


def test_a_tie_goes_to_the_older_row() -> None:
    sky, Z, t_z = crowd(200, 40)
    sky.summary[:] = sky.summary[0]
    Z[:, lay.PLACE_P : lay.PLACE_P + 3] = sky.summary[0, :3]
    near = sky.look(Index(200), Z, t_z, 5)
    assert near.track.tolist() == [0, 1, 2, 3, 4]
    assert near.shed == 195 * 40


def test_radii_are_those_of_geodesy() -> None:
    """A track at rest is met up to the root of squares of four sigma and 50 m and of the plot's radius, by geodesic."""
    rng = np.random.default_rng(8)
    n = 400
    lat, lon, azimuth = rng.uniform(-89, 89, n), rng.uniform(-180, 180, n), rng.uniform(0, 360, n)
    far = rng.uniform(3_000.0, 9_000.0, n)
    to_ecef = Transformer.from_crs("EPSG:4979", "EPSG:4978")
    lon_z, lat_z, _ = Geod(ellps="WGS84").fwd(lon, lat, azimuth, far)
    met = []
    for sign in (-1, 1):
        summary = np.zeros((n, lay.SUMMARY), np.float32)
        summary[:, :3] = np.stack(to_ecef.transform(lat, lon, np.zeros(n)), axis=1)
        summary[:, 6] = (np.sqrt((far - sign * 1.0) ** 2 - 1000.0**2) - 50.0) / 4.0
        Z = np.zeros((n, lay.PLACE))
        Z[:, lay.PLACE_P : lay.PLACE_P + 3] = np.stack(to_ecef.transform(lat_z, lon_z, np.zeros(n)), axis=1)
        Z[:, lay.PLACE_RADIUS] = 1000.0
        t = np.full(n, T0)
        near = candidates(Index(n), Z, t, n, summary, t, n, Q, RADIUS_MAX, 64)
        met.append({j for j, i in pairs_of(near) if i == j})
    assert met[0] == set(range(n))  # 1 m within
    assert met[1] == set()  # 1 m beyond


def test_places_are_kept_while_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames follow one another with a handful of plots: only those tracks are placed again whose stay is over."""
    monkeypatch.setattr(room, "MANY", 0)
    sky, Z, t_z = crowd(2000, 50)
    index = Index(2000)
    sky.look(index, Z, t_z, 64)
    first = index.grid.expiry.copy()
    sky.look(index, Z, t_z + SECOND // 4, 64)
    assert np.array_equal(index.grid.expiry, first)
    sky.look(index, Z, t_z + 20 * SECOND, 64)
    assert (index.grid.expiry > first).all()


def test_one_absurd_track_is_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it's there late plots look far; once all places were renewed since, they don't."""
    monkeypatch.setattr(room, "MANY", 0)
    sky, Z, t_z = crowd(2000, 5)
    sky.summary[7, 3:6] = 4e3
    index = Index(2000)
    sky.look(index, Z, t_z, 64)
    assert index.grid.peaks.max(axis=0)[SPEED : SPEED + LEVELS].max() > 4e3
    sky.summary[7, 3:6] = 100.0
    index.place(sky.summary, sky.t_track, np.array([7]))
    for turn in range(1, 40):
        sky.look(index, Z, t_z + turn * SECOND, 64)
    assert index.grid.peaks.max(axis=0)[SPEED : SPEED + LEVELS].max() < 200.0


def test_what_has_no_place_has_a_code_of_its_own() -> None:
    sky, Z, t_z = crowd(500, 10)
    sky.summary[0, :3] *= 0.5
    sky.summary[1, 6] = np.nan
    index = Index(500)
    sky.look(index, Z, t_z, 64)
    assert index.grid.code[:2].tolist() == [WILD, NOWHERE]
    assert (index.grid.code[2:] >= CODES).all()
    index.forget_from(1)
    assert index.grid.ints[N] == 1


def test_memory_is_what_it_says() -> None:
    index = Index(100_000)
    assert sum(column.nbytes for column in index.grid) <= 8 * 100_000 + 1_700_000


def test_a_row_that_becomes_blind_leaves_its_list() -> None:
    """Where a and b are near 0, of all places: there they look like those of a row without a place."""
    summary = np.zeros((3, lay.SUMMARY), np.float32)
    summary[:, 0] = 6_378_137.0
    summary[:, 1:3] = 100.0
    t = np.full(3, T0)
    Z = np.zeros((1, lay.PLACE))
    Z[0, lay.PLACE_P : lay.PLACE_P + 3] = summary[0, :3]
    index = Index(3)
    for blind in (2, 0, 1):
        near = candidates(index, Z, t[:1], 1, summary, t, 3, Q, RADIUS_MAX, 64)
        assert near.track.tolist() == np.flatnonzero(np.isfinite(summary[:, 6])).tolist()
        summary[blind, 6] = np.nan
        index.place(summary, t, np.array([blind]))
    assert len(candidates(index, Z, t[:1], 1, summary, t, 3, Q, RADIUS_MAX, 64).track) == 0
    summary[:, 6] = 1.0
    index.place(summary, t, np.arange(3))
    assert candidates(index, Z, t[:1], 1, summary, t, 3, Q, RADIUS_MAX, 64).track.tolist() == [0, 1, 2]


def test_settings_may_change() -> None:
    sky, Z, t_z = crowd(300, 50)
    index = Index(300)
    for q, most in ((Q, RADIUS_MAX), (60.0, RADIUS_MAX), (Q, 3000.0)):
        near = candidates(index, Z, t_z, 50, sky.summary, sky.t_track, 300, q, most, 64)
        d = ratios(Z, t_z, sky.summary, sky.t_track, q, most)
        assert pairs_of(near) == [(j, i) for j, i in zip(*(k.tolist() for k in np.nonzero(d <= 1.0)), strict=True)]
