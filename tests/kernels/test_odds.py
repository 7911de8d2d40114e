"""Odds of a plain plot at a glance, against the likelihood that goes through logarithms."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels import measuring
from airpicture.kernels._jit import jit
from airpicture.kernels.bank import SCRATCH
from airpicture.kernels.conditioning import likelihood
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.odds import nearest_of, odds_of
from airpicture.models import gate_limits

GATES = gate_limits(Config())
C_D2, C_DET, C_FINE = int(measuring.C_D2), int(measuring.C_DET), int(measuring.C_FINE)


@jit
def _likelihood(Z: Any, T: Any, gates: Any, share: Any) -> Any:
    return likelihood(Z, 0, 2, gates, T, share, 0, U(LANES))


@jit
def _odds(Z: Any, prior: float, T: Any, share: Any) -> Any:
    return nearest_of(T, U(LANES)), odds_of(Z, 0, prior, T, share, 1, U(LANES))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_odds_at_a_glance_are_those_of_the_likelihood(seed: int) -> None:
    """Through logarithms it's the same, and so are the shares of the models."""
    rng = np.random.default_rng(seed)
    T, share = np.zeros(SCRATCH), np.zeros((2, 4))
    T[lay.MODE : lay.MODE + 4] = rng.dirichlet(np.ones(4))
    T[C_D2 : C_D2 + 4] = rng.choice([1.0, 30.0]) * rng.exponential(size=4)
    T[C_DET : C_DET + 4] = 10.0 ** rng.uniform(-6.0, 6.0, 4)
    T[C_FINE : C_FINE + 4] = rng.random(4) < 0.8
    T[C_D2 + rng.integers(4)] = rng.choice([math.nan, math.inf, 3.0])
    Z = np.full((1, lay.PLOT), math.nan)
    Z[0, lay.Z_LOG_CLUTTER] = rng.uniform(-20.0, 0.0)
    prior = float(rng.uniform(-10.0, 10.0))
    before = T.copy()
    score, inside = _likelihood(Z, before, GATES, share)
    nearest, odds = _odds(Z, prior, T, share)
    assert (nearest < GATES[2]) == inside
    if inside:
        assert odds == pytest.approx(math.exp(score + prior), rel=1e-12)
        np.testing.assert_allclose(share[1], share[0], rtol=1e-11, atol=1e-300)
