"""How fast a course turns, and the rates that the turn models take from it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture import geo
from airpicture.config import Config
from airpicture.kernels import bank
from airpicture.kernels import layout as lay
from airpicture.kernels.learn import ACCELERATION_MOST, TURN_MOST, turn_learnt
from airpicture.models import motion_settings

MOTION = motion_settings(Config())
SECONDS = Config().motion.turn_seconds


def learnt(
    lat: float, lon: float, speed: float, climb: float, course: float, rate: float, dt: float, known: float
) -> float:
    """Return what is learnt of a level circle, from velocities in ECEF."""
    R = geo.rotation_enu_ecef(lat, lon)
    velocities = [
        R.T @ np.array([speed * math.sin(c), speed * math.cos(c), climb]) for c in (course, course - rate * dt)
    ]
    summary = np.zeros(lay.SUMMARY, np.float32)
    summary[:3] = geo.geodetic_to_ecef(lat, lon, 9000.0)
    summary[3:6] = velocities[1]
    before = velocities[0]
    return float(turn_learnt(before[0], before[1], before[2], summary, known, dt, MOTION))


@given(
    st.floats(-1.5, 1.5), st.floats(-3.1, 3.1), st.floats(60.0, 400.0), st.floats(-30.0, 30.0), st.floats(-3.1, 3.1),
    st.floats(-0.1, 0.1), st.floats(0.5, 12.0),
)  # fmt: skip
def test_a_circle_teaches_its_rate(
    lat: float, lon: float, speed: float, climb: float, course: float, rate: float, dt: float
) -> None:
    """Counter-clockwise is positive; the weight is that of an exponential mean, less for slow targets."""
    gain = (1.0 - math.exp(-dt / SECONDS)) * speed**2 / (speed**2 + 15.0**2)
    assert learnt(lat, lon, speed, climb, course, rate, dt, 0.0) == pytest.approx(gain * rate, abs=1e-6)
    assert learnt(lat, lon, speed, climb, course, rate, dt, 0.02) == pytest.approx(
        0.02 + gain * (rate - 0.02), abs=1e-6
    )


def test_what_no_aircraft_flies_is_cut_off() -> None:
    half = (1.0 - math.exp(-1.0 / SECONDS)) * 300.0**2 / (300.0**2 + 15.0**2)
    assert learnt(0.5, 0.2, 300.0, 0.0, 0.3, 1.0, 1.0, 0.0) == pytest.approx(half * TURN_MOST)
    fast = (1.0 - math.exp(-1.0 / SECONDS)) * 1500.0**2 / (1500.0**2 + 15.0**2)
    assert learnt(0.5, 0.2, 1500.0, 0.0, 0.3, -1.0, 1.0, 0.0) == pytest.approx(-fast * ACCELERATION_MOST / 1500.0)


@pytest.mark.parametrize(("turned", "straight"), [(0.0, 0.2), (0.06, 0.0), (0.06, 0.9), (-0.05, 0.4), (0.002, 0.0)])
def test_a_turn_model_follows_the_course_that_goes_its_way(turned: float, straight: float) -> None:
    usual = min(MOTION[lay.M_TURN_RATE], MOTION[lay.M_TURN_ACCELERATION] / 200.0)
    follow = min(3.0 * (1.0 - straight), 1.0)
    wanted = usual + follow * (abs(turned) - usual) if abs(turned) > MOTION[lay.M_TURN_LEAST] else usual
    left, right = bank.turn_rates(turned, straight, 200.0, MOTION)
    assert left == pytest.approx(wanted if turned > 0.0 else usual)
    assert right == pytest.approx(wanted if turned < 0.0 else usual)
