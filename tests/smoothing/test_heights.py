"""Heights as a stall is caught: what no model expects, and the heights around explain."""

from __future__ import annotations

import numpy as np
import pytest

from airpicture.kernels import layout as lay
from airpicture.kernels.residual import R_UP, R_VAR_UP, TOLD
from airpicture.smoothing.heights import wrong_heights
from airpicture.smoothing.paths import Laid
from airpicture.tables import F64


def judged(
    heights: list[float],
    off: list[float],
    *,
    step_s: float = 5.0,
    used: list[int] | None = None,
    speeds: list[float] | None = None,
) -> list[int]:
    """Return which heights are wrong, of those told so far off what the models expect [m], each to 10 m."""
    n = len(heights)
    Z, told = np.full((n, lay.PLOT), np.nan), np.full((n, TOLD), np.nan)
    Z[:, lay.Z_H_BARO] = heights
    if speeds is not None:
        Z[:, lay.Z_V_EAST], Z[:, lay.Z_V_NORTH] = speeds, 0.0
    told[:, R_UP], told[:, R_VAR_UP] = off, 10.0**2
    t_ns = (np.arange(n) * step_s * 1e9).astype(np.int64)
    taken = np.ones(n, np.uint8) if used is None else np.array(used, np.uint8)
    laid = Laid(np.array([1]), np.array([0, n]), t_ns, np.arange(n), taken)
    return np.flatnonzero(wrong_heights(laid, Z, told, 36.0, 60.0, np.zeros(n, bool))).tolist()


def test_a_dive_that_is_caught_is_flown_whatever_models_expect() -> None:
    """40 m/s down, and level 10 s later: 2.1 m/s² where models that went on down are 190 m off."""
    dive = [5139.0, 5116.0, 5090.0, 4953.0, 4755.0, 4679.0, 4656.0, 4641.0, 4641.0]
    expected = [0.0, 0.0, 0.0, 0.0, 0.0, -190.0, 0.0, 0.0, 0.0]
    assert judged(dive, expected) == []
    dive[5] += 300.0
    assert judged(dive, expected) == [5]


@pytest.mark.parametrize(("step_s", "off", "wrong"), [(1.0, 70.0, True), (5.0, 70.0, False), (5.0, 120.0, True)])
def test_how_far_one_may_lie_off_the_line_between_its_neighbours(step_s: float, off: float, wrong: bool) -> None:
    """Half of 4 m/s² times 5 s times 5 s, and a step of 100 ft."""
    heights: list[float] = [3000.0] * 9
    heights[4] += off
    assert judged(heights, [0.0] * 4 + [off] + [0.0] * 4, step_s=step_s) == ([4] if wrong else [])


def test_neighbours_that_are_wrong_themselves_tell_nothing() -> None:
    heights: F64 = np.full(9, 3000.0)
    heights[4:6] += 500.0
    assert judged(heights.tolist(), [0.0] * 4 + [500.0] * 2 + [0.0] * 3) == [4, 5]


def test_far_neighbours_tell_nothing_of_a_height() -> None:
    heights = [3000.0, 3000.0, 3000.0, 5500.0, 3000.0, 3000.0]
    assert judged(heights, [0.0, 0.0, 0.0, 4000.0, 0.0, 0.0], step_s=30.0) == [3]


def test_a_height_that_is_paid_for_in_speed_is_flown() -> None:
    """From 78 m/s to 50 over a top and to 92 beyond it: half of what is off the line is worth the speed it costs."""
    zoom = [4839.0, 4840.0, 4945.0, 5090.0, 4755.0, 4656.0, 4640.0]
    off = [0.0, 0.0, 0.0, 217.0, 0.0, 0.0, 0.0]
    zoom[3] += 40.0
    assert judged(zoom, off, step_s=10.0) == [3]
    assert judged(zoom, off, step_s=10.0, speeds=[78.0, 77.0, 60.0, 50.0, 85.0, 92.0, 94.0]) == []
    assert judged(zoom, off, step_s=10.0, speeds=[77.0] * 7) == [3]  # as fast as ever: nothing was paid
