"""The search for beginnings where plots are many: what it looks at is bounded, what it finds hangs on nothing else."""

import math
import sys
from typing import Any

import numpy as np
import pytest

import airpicture.tracks.begin  # noqa: F401  (the name in `tracks` is the function)
from airpicture.config import Config, Life
from airpicture.kernels.arrays import laid
from airpicture.kernels.search import C_CUT, C_TRIALS, C_UNTRIED, C_VISITS, COUNTS
from airpicture.parallel import workers
from begin_scenes import CONFIG, Beginnings, born_of, frames, scene
from tracking_scenes import ns, radar, sensors_of

begin_module = sys.modules["airpicture.tracks.begin"]
pool_module = sys.modules["airpicture.tracks.pool"]


@pytest.mark.compiled
def test_searches_that_are_cut_short_find_the_same_on_any_number_of_threads() -> None:
    """Where more waits than a search looks at, what it finds hangs on who asks together, and that on no thread."""
    rng = np.random.default_rng(7)
    sensors = sensors_of(radar(clutter_per_scan=30.0))
    config = Config(life=Life(visits_max=16))
    alone, shared = Beginnings(sensors, config), Beginnings(sensors, config)
    n = 2 * begin_module.PART + 333
    with workers(3) as run:
        for turn in range(3):
            places = zip(60e3 + 30e3 * rng.random(n), 1.0 + 0.05 * rng.random(n), strict=True)
            rows = [{"t_ns": ns(4.0 * turn), "slant_range": far, "azimuth": azimuth} for far, azimuth in places]
            assert alone(rows)[0].tolist() == shared(rows, run=run)[0].tolist()
            assert alone.counts.tolist() == shared.counts.tolist()
    assert alone.tally == shared.tally
    assert alone.tally["searches_cut"] > 0
    assert alone.store.n > 0
    assert born_of(alone) == born_of(shared)


@pytest.mark.compiled
def test_the_pool_follows_the_load_and_says_what_it_lost() -> None:
    sensors, rows = scene(0, 40.0, clutter=1500)
    small, large = Beginnings(sensors, Config(life=Life(pool_max=500))), Beginnings(sensors)
    for part in frames(rows):
        small(part)
        large(part)
    assert large.tally["pool_overflow"] == 0
    assert large.pool.size < 4 * 1500 / 4.0 * (2.6 * 4.0 + 15.5)  # plots a second, for as long as they may be asked for
    waiting = round(2.6 * 1500)
    assert small.pool.size <= 500 + 2 * max(len(part) for part in frames(rows))
    assert small.tally["pool_overflow"] == pytest.approx(len(rows) - 500, abs=waiting)


@pytest.mark.compiled
def test_a_ring_that_a_storm_made_large_becomes_small_again_and_nothing_else_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Beside a pool that stays as it is, and one whose frames are all done twice."""
    sensors, rows = scene(40, 60.0, clutter=20)
    storm = [row for row in scene(0, 8.0, seed=9, clutter=3000)[1] if row["t_ns"] < ns(8.0)]
    small, large, again = Beginnings(sensors), Beginnings(sensors), Beginnings(sensors)
    sizes = []
    for part in frames(sorted(rows + storm, key=lambda row: int(row["t_ns"]))):
        small(part)
        sizes.append(small.pool.size)
        start = again.pool.count, again.store.n, again.store.next_number
        for _ in range(2):
            again.pool.restore(start[0])
            again.store.n, again.store.next_number = start[1:]
            again(part)
        with monkeypatch.context() as patched:
            patched.setattr(pool_module, "TOO_LARGE", math.inf)
            large(part)
    assert max(sizes) == large.pool.size > 4 * sizes[-1]
    assert small.store.n > 40
    assert born_of(small) == born_of(large) == born_of(again)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_begins_does_not_hang_on_which_cells_share_a_chain(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the bit, with rings and tables of buckets of any size."""
    sensors, rows = scene(300, 24.0, seed, clutter=300, radars=3)
    empty, worlds = pool_module._empty, []
    for plots, buckets in ((16, 8), (16, 0), (40_000, 0)):

        def laid_out(size: int, last_ns: Any, buckets: int = buckets) -> Any:
            waiting = empty(size, last_ns)
            return laid(waiting._replace(head=waiting.head[:buckets])) if buckets else waiting

        monkeypatch.setattr(pool_module, "_empty", laid_out)
        monkeypatch.setattr(pool_module, "RING_FIRST", plots)
        worlds.append(Beginnings(sensors, Config(life=Life(visits_max=5000))))
        for part in frames(rows, 4.0):
            worlds[-1](part)
    assert worlds[0].pool.size == worlds[1].pool.size < worlds[2].pool.size
    assert worlds[0].store.n > 300
    assert not any(world.tally["searches_cut"] for world in worlds)
    assert born_of(worlds[0]) == born_of(worlds[1]) == born_of(worlds[2])


@pytest.mark.compiled
@pytest.mark.parametrize("place", ["anywhere", "one cell", "a line"])
def test_a_storm_costs_bounded_work(place: str) -> None:
    """100 times the clutter for one turn, in a network that knows nothing of it: plots looked at are bounded."""
    rng = np.random.default_rng(5)
    world = Beginnings(sensors_of(radar(clutter_per_scan=30.0)))
    n = 3000
    seen = np.zeros(COUNTS, np.int64)
    for turn in range(3):
        t = np.sort(rng.uniform(4.0 * turn, 4.0 * turn + 4.0, n))
        far = 100e3 * (np.sqrt(rng.random(n)) if place == "anywhere" else 1.0 + 0.01 * rng.random(n))
        azimuth = rng.uniform(0, 2 * math.pi, n) if place == "anywhere" else 1.0 + 0.01 * rng.random(n)
        if place == "a line":
            far, azimuth = 20e3 + 200e3 * rng.random(n), np.full(n, 1.0)
        for part in np.array_split(np.arange(n), 16):
            world([{"t_ns": ns(t[k]), "slant_range": far[k] + 1000.0, "azimuth": azimuth[k]} for k in part])
            world.store.n = 0
            seen += world.counts
    plots = 3 * n
    assert seen[C_VISITS] <= plots * (CONFIG.life.visits_max + 64)
    assert seen[C_TRIALS] <= plots * 3 * CONFIG.life.pairs_max
    assert seen[C_UNTRIED] + seen[C_CUT] > 0
    assert world.tally["pairs_untried"] == seen[C_UNTRIED]
    assert world.tally["searches_cut"] == seen[C_CUT]
