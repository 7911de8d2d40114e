"""Trials of plain plots, four side by side, against the trials of one plot; what a plot's trials amount to."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.kernels import layout as lay
from airpicture.kernels.chains import CHAINS
from airpicture.kernels.desk import Q_CHAINS, Q_PICKS, Desk
from airpicture.kernels.fours import LOT_ROW, enlist, try_fours
from airpicture.kernels.lanes import LANES
from airpicture.kernels.trials import BIRTH, BIRTH_FROM, BIRTH_ODDS, BIRTH_PLOT, UNFIT, settle, try_pairs
from airpicture.tables import F64, I64
from begin_scenes import CONFIG, Beginnings, begin_module, born_of
from tracking_scenes import Target, ns, radar, radar_rows, sensors_of

PERIOD = 4.0
PICKS = 5
TRIED = 9  # plots
TRIED_OF_ONE = begin_module.TRIED * CONFIG.life.pairs_max + CHAINS


class Trials:
    """Plots of the third turn of two radars, with what may be tried with each: the nearest plots of turns before."""

    def __init__(self, seed: int, targets: int = TRIED) -> None:
        rng = np.random.default_rng(seed)
        where = {"sigma_azimuth_deg": 0.08, "clutter_per_scan": 500.0}
        self.world = Beginnings(sensors_of(radar("r0", **where), radar("r1", lat_deg=47.4, **where)))
        flying = [
            Target(*rng.uniform(-90e3, 90e3, 2), h=rng.uniform(1e3, 12e3), course_deg=rng.uniform(0, 360), speed=speed)
            for speed in rng.uniform(60, 400, targets)
        ]
        rows = [
            row
            for sensor in range(2)
            for row in radar_rows(flying, self.world.sensors, 3 * PERIOD, rng, sensor=sensor, mode_c=False)
        ]
        for row in rows:
            row["address"] = int(rng.choice([-1, 77]))
        self.early = [row for row in rows if row["t_ns"] < ns(2 * PERIOD)]
        self.put_in(self.early)
        self.now = self.world.reports([row for row in rows if row["t_ns"] >= ns(2 * PERIOD)])
        self.now.Z[:, lay.Z_LAG] = rng.choice([0.0, 0.1], self.now.size)
        self.rng = rng

    def put_in(self, rows: list[dict[str, Any]]) -> None:
        for t_ns in sorted({row["t_ns"] // (2 * 10**9) for row in rows}):
            self.world([row for row in rows if row["t_ns"] // (2 * 10**9) == t_ns])

    def tries(self, j: int) -> tuple[I64, I64]:
        """Return slots of the plots nearest to plot j, at most PICKS of them, and chains of these."""
        spot = self.world.pool.waiting.spot[: self.world.pool.count]
        place = np.array([spot[axis] for axis in "xyz"]).T
        near = np.argsort(np.linalg.norm(place - self.now.Z[j, lay.Z_P : lay.Z_P + 3], axis=1))[: 2 * PICKS]
        picks = self.rng.permutation(near[: self.rng.integers(0, PICKS + 1)])
        mine = near[spot["sensor"][near] == self.now.sensor[j]]
        chains = [(q, r) for q in mine for r in mine if spot["t_ns"][q] > spot["t_ns"][r] + 10**9]
        return picks.astype(np.int64), np.array(chains[:CHAINS], np.int64).reshape(-1, 2)

    def desk(self, tried: list[tuple[int, I64, I64]]) -> Desk:
        """Return a desk with these plots in the queue, and room for all trials."""
        desk = begin_module.make_desk(PICKS + 2 * len(tried))
        for i, (_, pick, chain) in enumerate(tried):
            desk.pick[i, : len(pick)], desk.chain[i, : len(chain)] = pick, chain
            desk.queue[i, Q_PICKS], desk.queue[i, Q_CHAINS] = len(pick), len(chain)
        desk.trial[:], desk.T[:], desk.enlisted[:] = math.nan, math.nan, 0
        return desk

    def settings(self) -> tuple[Any, ...]:
        return self.world.motion, self.world.life, self.world.gates, self.world.pool.waiting

    def by_pairs(self, tried: list[tuple[int, I64, I64]]) -> F64:
        """Return the births of plots, each with its pairs and chains, tried one by one."""
        desk, row = self.desk(tried), 0
        for i, (j, pick, chain) in enumerate(tried):
            try_pairs(i, j, self.now, self.world.stations, *self.settings(), row, desk)
            row += len(pick) + len(chain)
        return desk.trial[:row]

    def by_fours(self, tried: list[tuple[int, I64, I64]], order: Any = None) -> F64:
        """Return the same, tried side by side; order : of the plots as they're listed."""
        desk, sizes = self.desk(tried), [len(p) + len(c) for _, p, c in tried]
        for i in range(len(tried)) if order is None else order:
            assert enlist(i, tried[i][0], self.now.Z, self.world.pool.waiting, sum(sizes[:i]), desk)
        try_fours(self.now, self.world.stations, *self.settings(), desk)
        return desk.trial[: sum(sizes)]


def fitting(trial: F64) -> Any:
    return trial[:, BIRTH_ODDS] != UNFIT


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_four_side_by_side_find_what_one_plot_does_by_itself(seed: int) -> None:
    trials = Trials(seed)
    tried = [(j, *trials.tries(j)) for j in range(trials.now.size)]
    assert sum(len(pick) for _, pick, _ in tried) > 4 * LANES
    assert sum(len(chain) for _, _, chain in tried) > LANES
    one, four = trials.by_pairs(tried), trials.by_fours(tried)
    np.testing.assert_array_equal(fitting(one), fitting(four))
    one, four = one[fitting(one)], four[fitting(four)]
    assert len(one) > TRIED
    known = slice(BIRTH_PLOT, BIRTH_FROM + 2)
    np.testing.assert_array_equal(one[:, known], four[:, known])
    np.testing.assert_allclose(four[:, BIRTH_ODDS], one[:, BIRTH_ODDS], rtol=1e-8)
    np.testing.assert_allclose(four[:, : lay.STATE], one[:, : lay.STATE], atol=1e-6)
    sigma = np.sqrt(one[:, [lay.STATE + k * (k + 3) // 2 for k in range(6)]])
    for a in range(6):
        for b in range(a + 1):
            at = lay.STATE + a * (a + 1) // 2 + b
            assert (np.abs(four[:, at] - one[:, at]) <= 1e-8 * sigma[:, a] * sigma[:, b]).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_a_trial_comes_to_the_same_bits_whatever_it_is_put_side_by_side_with(seed: int) -> None:
    rng = np.random.default_rng(seed)
    trials = Trials(int(rng.integers(1, 5)), targets=4)
    tried = [(j, *trials.tries(j)) for j in range(trials.now.size)]
    together = trials.by_fours(tried)
    np.testing.assert_array_equal(
        trials.by_fours(tried, rng.permutation(len(tried))).view(np.int64), together.view(np.int64)
    )
    alone = np.concatenate([trials.by_fours([one]) for one in tried])
    np.testing.assert_array_equal(alone.view(np.int64), together.view(np.int64))


@pytest.mark.parametrize(
    ("of", "more"),
    [
        ("plot", lay.Z_H_BARO),
        ("plot", lay.Z_H),
        ("plot", lay.Z_ELEVATION),
        ("plot", lay.Z_RANGE_RATE),
        ("plot", "high"),
        ("waiting", "h_baro"),
        ("waiting", "h"),
        ("waiting", "elevation"),
        ("waiting", "high"),
        ("", ""),
    ],
)
def test_only_what_is_plain_is_tried_in_fours(of: str, more: Any) -> None:
    trials = Trials(1, targets=1)
    j, waiting = 0, trials.world.pool.waiting
    if (of, more) == ("waiting", "high"):
        waiting.detail["dz"][0] = 3e5
    elif of == "waiting":
        waiting.detail[more][0] = 0.01
    elif more == "high":
        trials.now.Z[j, lay.Z_P : lay.Z_P + 3] *= 1.1
    elif of == "plot":
        trials.now.Z[j, more] = 0.01
    desk = trials.desk([(j, np.zeros(1, np.int64), np.zeros((0, 2), np.int64))])
    listed = enlist(0, j, trials.now.Z, waiting, 7, desk)
    assert listed == (of == "")
    assert desk.enlisted.tolist() == [int(listed), 0]
    if listed:
        assert desk.lot[0, 0, LOT_ROW] == 7


def plainly_settled(odds: list[float], slots: list[int], picks: int, least: float) -> dict[int, float]:
    """Return which trials count, with their odds."""
    kept: dict[int, float] = {}
    for at, (mine, slot) in enumerate(zip(odds, slots, strict=True)):
        if mine < 0.0 or (at >= picks and mine < least):
            continue
        rivals = [k for k in kept if slots[k] == slot] if at >= picks else []
        if any(kept[k] >= mine for k in rivals):
            continue
        for k in rivals:
            del kept[k]
        kept[at] = mine
    return kept


@given(
    st.lists(st.tuples(st.floats(0.0, 5.0) | st.just(UNFIT), st.integers(10, 14)), max_size=8),
    st.integers(0, 4),
    st.floats(0.0, 1.0),
)
@settings(deadline=None)
def test_a_chain_takes_the_place_of_the_pair_that_it_holds(
    trials: list[tuple[float, int]], picks: int, least: float
) -> None:
    pairs: dict[int, float] = {slot: odds for odds, slot in trials[:picks]}  # a plot is picked once
    rest = trials[picks:]
    odds, slots = [*pairs.values(), *(o for o, _ in rest)], [*pairs, *(s for _, s in rest)]
    trial = np.full((len(odds) + 2, BIRTH), 9.0)
    trial[2:, BIRTH_ODDS], trial[2:, BIRTH_FROM] = odds, slots
    found, total = settle(trial, 2, len(pairs), len(rest), least)
    kept = plainly_settled(odds, slots, len(pairs), least)
    assert found == len(kept)
    assert total == pytest.approx(sum(kept.values()), abs=1e-12)
    assert [k for k in range(len(odds)) if trial[2 + k, BIRTH_ODDS] >= 0.0] == sorted(kept)
    assert (trial[:2] == 9.0).all()


@pytest.mark.parametrize("clutter", [500.0, 20_000.0])
def test_births_do_not_hang_on_how_many_trials_are_worked_out_together(
    monkeypatch: pytest.MonkeyPatch, clutter: float
) -> None:
    born = []
    for trials in (1, 192):
        monkeypatch.setattr(begin_module, "TRIALS", trials)
        rng = np.random.default_rng(3)
        world = Beginnings(sensors_of(radar(clutter_per_scan=clutter, sigma_azimuth_deg=0.08)))
        targets = [
            Target(*rng.uniform(-40e3, 40e3, 2), course_deg=rng.uniform(0, 360), speed=rng.uniform(60, 300))
            for _ in range(40)
        ]
        rows = radar_rows(targets, world.sensors, 3 * PERIOD, rng, mode_c=False)
        for row in rows[::7]:
            row["h_baro"] = 8000.0  # not plain
        for turn in range(3):
            world([row for row in rows if turn * PERIOD <= (row["t_ns"] - ns(0.0)) * 1e-9 < (turn + 1) * PERIOD])
        assert world.store.n > 10
        assert len(world.pool.desks[0].trial) == max(trials, TRIED_OF_ONE)
        born.append(born_of(world))
    assert born[0] == born[1]
