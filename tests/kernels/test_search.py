"""How far an unclaimed plot looks: steps of the list of reaches."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.kernels.search import R_FIRST, R_STEPS, REACHES, step_of

CLOSE = 1e-12  # to a step, that a logarithm may be off


@given(st.floats(1e-30, 1e30) | st.integers(-90, 90).map(lambda steps: float(2.0 ** (steps / R_STEPS))))
@settings(deadline=None)
def test_a_step_of_odds_is_their_logarithm_rounded_up(odds: float) -> None:
    steps = R_STEPS * math.log2(odds) - R_FIRST
    least, most = (min(math.ceil(steps + off), REACHES - 1) for off in (-CLOSE, CLOSE))
    assert least <= step_of(odds) <= most


@pytest.mark.parametrize("odds", [0.0, -1.0, math.nan])
def test_no_odds_have_no_step(odds: float) -> None:
    assert step_of(odds) == -1


def test_all_odds_have_a_step_of_the_list() -> None:
    assert step_of(math.inf) == REACHES - 1
