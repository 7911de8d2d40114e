"""Looks of many plots in one place: cells that are marked as a whole, and blocks of tracks that are passed over."""

from typing import Any

import numpy as np
import pytest

import airpicture.kernels.layout as lay
from airpicture.association import Index, candidates
from airpicture.association import index as room
from airpicture.kernels.cells import KINDS, SIZES, cell_of, edge_shift, key_of
from airpicture.kernels.index import ALONG, ANYWHERE, BOX, CODES, LEVELS, MAP, NOBODY, ROWS, SHIFT, TILE, WORD, code_of
from airpicture.kernels.near import list_each
from airpicture.tables import F32, F64, I32, I64

T0 = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
Q, RADIUS_MAX = 900.0, 80_000.0


def around(rng: np.random.Generator, centre: F64, spread: float, m: int) -> F64:
    """Return m points of the ellipsoid about a direction, spread [rad] wide."""
    u = centre / np.linalg.norm(centre) + spread * rng.uniform(-1.0, 1.0, (m, 3))
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    scale = 1.0 / np.sqrt((u[:, 0] ** 2 + u[:, 1] ** 2) / 6378137.0**2 + u[:, 2] ** 2 / 6356752.314245**2)
    return np.asarray(u * scale[:, None])


def scene(centre: tuple[float, float, float], seed: int) -> tuple[F32, I64, F64, I64]:
    """Return summaries and times of 6,000 tracks, most far off, and 1,500 plots within 100 km."""
    rng = np.random.default_rng(seed)
    at = np.array(centre)
    summary = np.zeros((6000, lay.SUMMARY), np.float32)
    summary[:, :3] = np.concatenate([around(rng, at, 0.03, 2000), around(rng, at, 0.8, 4000)])
    summary[:, 3:6] = rng.normal(size=(6000, 3)) * 150.0
    summary[:, 6] = rng.choice([100.0, 900.0, 4e3, 9e3, 2e4], 6000)  # of all levels of the index
    summary[:, 7] = rng.choice([5.0, 60.0], 6000)
    Z = np.zeros((1500, lay.PLACE))
    Z[:, lay.PLACE_P : lay.PLACE_P + 3] = around(rng, at, 0.015, 1500)
    Z[:, lay.PLACE_RADIUS] = rng.choice([300.0, 3_000.0, 9_000.0], 1500, p=[0.7, 0.2, 0.1])
    return summary, np.full(6000, T0), Z, T0 + 8 * SECOND + rng.integers(0, SECOND // 4, 1500)


# within a face, at edges between two, at a corner of three, and at a pole
@pytest.mark.parametrize(
    "centre", [(0.9, 0.2, 0.3), (1.0, 1.01, 0.1), (1.0, -1.0, 0.99), (1.0, 1.0, 1.0), (0.0, 0.0, -1.0)]
)
@pytest.mark.parametrize("size", [None, 100])
def test_whole_cells_and_passed_blocks_lose_nobody(
    centre: tuple[float, float, float], size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who asks by the index finds what all find who ask; and fewer ask."""
    summary, t_track, Z, t_z = scene(centre, seed=4)
    asked: list[int] = []
    meet = room.meet_plots

    def counted(lo: int, hi: int, *others: Any) -> Any:
        asked.append(hi - lo)
        return meet(lo, hi, *others)

    monkeypatch.setattr(room, "meet_plots", counted)
    monkeypatch.setattr(room, "FEW_PLOTS", -1)
    run = None
    if size is not None:  # ranges of rows that cut blocks in two
        monkeypatch.setattr(room, "RANGE_CODES", size)
        run = lambda function, tasks: [function(*task) for task in tasks]  # noqa: E731
    found = []
    for many in (10**9, 0):
        monkeypatch.setattr(room, "MANY", many)
        index = Index(6000)
        for turn in range(3):  # the second and third look find blocks' bands noted
            if turn == 2:
                summary[::7, :3] = around(np.random.default_rng(turn), np.array(centre), 0.02, len(summary[::7]))
                index.place(summary, t_track, np.arange(0, 6000, 7))
            asked.clear()
            near = candidates(index, Z, t_z, len(t_z), summary, t_track, 6000, Q, RADIUS_MAX, 64, run)
            found.append((near.track.tolist(), near.start.tolist(), near.plot.tolist()))
            assert run is not None or (asked[0] < 6000) == (many == 0)
        summary, t_track, Z, t_z = scene(centre, seed=4)
    assert found[:3] == found[3:]
    assert len(found[0][0]) > 700


def test_a_block_is_passed_over_only_where_no_row_of_it_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MANY", 0)
    monkeypatch.setattr(room, "FEW_PLOTS", -1)
    summary, t_track, Z, t_z = scene((0.9, 0.2, 0.3), seed=9)
    summary[100, 6] = np.nan  # meets nothing
    summary[200, :3] *= 0.5  # far below the ground: asked always
    index = Index(6000)
    listed: list[I32] = []
    marked = room.list_marked

    def noted(lo: int, hi: int, grid: Any, rows: I32) -> int:
        count = int(marked(lo, hi, grid, rows))
        listed.append(rows[:count].copy())
        every = np.empty(hi - lo, np.int32)
        assert listed[-1].tolist() == every[: list_each(lo, hi, 0, grid, every)].tolist()
        return count

    monkeypatch.setattr(room, "list_marked", noted)
    for _ in range(2):
        candidates(index, Z, t_z, len(t_z), summary, t_track, 6000, Q, RADIUS_MAX, 64)
    assert 200 in listed[-1].tolist()
    assert 100 not in listed[-1].tolist()
    grid = index.grid
    passed = np.array([not looked_at(int(span), grid) for span in grid.span[: 6000 >> ROWS]])
    rows = listed[-1] >> ROWS
    assert not passed[rows[rows < 6000 >> ROWS]].any()
    order = np.lexsort((summary[:, 2], summary[:, 1] // 1e6))  # tracks that stand by place are mostly passed over
    summary, index = summary[order].copy(), Index(6000)
    candidates(index, Z, t_z, len(t_z), summary, t_track, 6000, Q, RADIUS_MAX, 64)
    grid = index.grid
    passed = np.array([not looked_at(int(span), grid) for span in grid.span[: 6000 >> ROWS]])
    assert passed.mean() > 0.2


def looked_at(span: int, grid: Any) -> bool:
    """Say whether any tile of a block of rows has marks, by the words of `Grid.span`."""
    if span in (NOBODY, ANYWHERE):
        return span == ANYWHERE
    assert span >= BOX
    low, high, low_b, high_b = ((span >> ALONG * k) & 63 for k in (3, 2, 1, 0))
    face = (span & ~BOX) >> 4 * ALONG
    rows = [int(grid.tiles[(face << ALONG) + a]) for a in range(low, high + 1)]
    return any(row >> b & 1 for row in rows for b in range(low_b, high_b + 1))


def test_cells_of_the_index_have_numbers_of_their_own_by_tiles() -> None:
    codes = []
    for level in range(LEVELS):
        last = (2 * 102_400_000 >> SHIFT[level]) + 1
        wide = 4 - level
        for face in range(6):
            for a in {0, 1, last // 2, last - 1}:
                for b in {0, last // 3, last - 1}:
                    code = code_of(level, face, a, b)
                    assert CODES <= code < MAP << WORD
                    assert code >> TILE == (face << ALONG | a >> wide) << ALONG | b >> wide
                    in_row = code - (b & ((1 << wide) - 1))
                    assert in_row >> WORD == (in_row + (1 << wide) - 1) >> WORD  # a row of a tile is in one word
                    codes.append(code)
    assert len(set(codes)) == len(codes)


def test_a_cells_key_says_where_it_is() -> None:
    for size in range(SIZES):
        most = (102_400_000 >> edge_shift(size)) + 1
        for face in range(6):
            for a in (-most, -1, 0, most):
                assert cell_of(key_of(size, face, a, 3 - a)) == (size, a, 3 - a)
    assert KINDS == SIZES + 1
