"""Single targets that turn: filter quality, and whether covariances mean what they say (anchor C4).

ATC     Bar-Shalom, Li, Kirubarajan, "Estimation with Applications to Tracking and Navigation", 2001, section 11.7.4
LBB-1..3  Li, Bar-Shalom, Blair in "Multitarget-Multisensor Tracking: Applications and Advances III", 2000, section
10.8.3

Every target has a plane of its own, so that a hundred runs are one run of the tracker. Detection is certain and there
are no false plots, as published: what is judged is the filter.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from airpicture.config import Config, Motion
from airpicture.evaluation.consistency import bounds, consistency, nees_position, nees_velocity
from airpicture.tables import Status
from anchors.plane import F64, I64, Planes, pictures, positions, sensors_at

DEG = np.pi / 180.0


@dataclass(frozen=True)
class Course:
    """Legs of constant speed: seconds and turn rate, counter-clockwise positive."""

    name: str
    start: tuple[float, float]  # m
    velocity: tuple[float, float]  # m/s
    legs: tuple[tuple[float, float], ...]  # s, deg/s
    period: float  # s
    sigma: float  # m per axis
    first: int  # scans left out
    published: dict[str, tuple[float, ...]]  # filter: RMS position all, straight or NaN, turn, RMS velocity

    def truth(self) -> tuple[F64, F64, F64]:
        """Return times (n,), states (n, 4) [x, y, vx, vy], and turn rates (n,) [rad/s] at the scans."""
        edges = np.concatenate([[0.0], np.cumsum([s for s, _ in self.legs])])
        t = np.arange(0.0, edges[-1] + 1e-9, self.period)[: round(edges[-1] / self.period)]
        states = np.empty((len(t), 4))
        rates = np.empty(len(t))
        state = np.array([*self.start, *self.velocity])
        for (seconds, rate), begin in zip(self.legs, edges[:-1], strict=True):
            inside = (t >= begin - 1e-9) & (t < begin + seconds - 1e-9)
            states[inside] = turned(state, t[inside] - begin, rate * DEG)
            rates[inside] = rate * DEG
            state = turned(state, np.array([seconds]), rate * DEG)[0]
        return t, states, rates


def turned(state: F64, dt: F64, rate: float) -> F64:
    """Return states after dt seconds of a turn at a rate [rad/s], counter-clockwise positive."""
    x, y, vx, vy = state
    a = rate * dt
    s = dt * np.sinc(a / np.pi)
    c = 0.5 * a * dt * np.sinc(0.5 * a / np.pi) ** 2
    cos, sin = np.cos(a), np.sin(a)
    return np.column_stack([x + s * vx - c * vy, y + c * vx + s * vy, cos * vx - sin * vy, sin * vx + cos * vy])


NAN = float("nan")
SPEED = 300.0 / np.sqrt(2.0)
COURSES = (
    Course(
        "ATC",
        (25e3, 10e3),
        (-120.0, 0.0),
        ((125.0, 0.0), (90.0, 1.0), (125.0, 0.0), (30.0, -3.0), (125.0, 0.0)),
        5.0,
        100.0,
        4,
        {
            "Kalman, 3 m/s²": (114.7, 111.6, 123.5, 17.3),
            "IMM, two models": (108.0, 89.3, 150.7, 16.6),
            "IMM, five, told the rates": (86.9, 84.0, 95.1, 11.4),
        },
    ),
    Course(
        "LBB-1",
        (30e3, 30e3),
        (-172.0, -246.0),
        ((61.0, 0.0), (45.0, 3.74), (44.0, 0.0)),
        4.0,
        50.0,
        4,
        {
            "Kalman, 10 m/s²": (67.1, NAN, 71.2, 30.8),
            "IMM, two models": (59.1, NAN, 69.8, 27.0),
            "IMM, five": (57.6, NAN, 67.9, 22.0),
        },
    ),
    Course(
        "LBB-2",
        (20e3, 50e3),
        (-172.0, -246.0),
        ((61.0, 0.0), (35.0, 4.68), (54.0, 0.0)),
        4.0,
        50.0,
        4,
        {
            "Kalman, 10 m/s²": (68.5, NAN, 78.4, 33.0),
            "IMM, two models": (57.7, NAN, 72.1, 27.4),
            "IMM, five": (55.2, NAN, 66.3, 17.2),
        },
    ),
    Course(
        "LBB-3",
        (60e3, 40e3),
        (-SPEED, SPEED),
        (
            (50.0, 0.0),
            (96.0, 1.87),
            (30.0, 0.0),
            (64.0, -2.8),
            (30.0, 0.0),
            (32.0, 5.6),
            (30.0, 0.0),
            (38.0, -4.68),
            (30.0, 0.0),
        ),
        4.0,
        50.0,
        4,
        {
            "Kalman, 10 m/s²": (67.7, NAN, 69.7, 34.1),
            "IMM, two models": (64.8, NAN, 69.9, 33.9),
            "IMM, five": (60.6, NAN, 63.2, 20.9),
        },
    ),
)


@dataclass(frozen=True)
class Flown:
    """What the tracker made of a course: RMS in m and m/s, NEES with its 95 % bounds."""

    runs: int
    position: float
    straight: float
    turn: float
    peak: float  # largest RMS over the runs at one scan
    velocity: float
    nees_straight: tuple[float, float, float]  # mean, bounds
    nees_turn: tuple[float, float, float]
    nees_whole: tuple[float, float, float]
    nees_velocity: tuple[float, float, float]
    nees: F64  # (runs, scans) of the position
    held: float  # share of the scans with exactly one shown track

    def row(self) -> tuple[float, ...]:
        """Return what published filters are compared by."""
        return self.position, self.straight, self.turn, self.velocity


def fly(course: Course, runs: int = 200, config: Config | None = None, seed: int = 1) -> Flown:
    """Track `runs` copies of a course with noise of their own, in one run of the tracker."""
    t, states, rates = course.truth()
    paths, turns = np.broadcast_to(states, (runs, *states.shape)), np.broadcast_to(rates, (runs, len(t)))
    return follow(t, paths, turns, course.sigma, course.period, course.first, config, seed)


def roam(runs: int, motion: Motion, seed: int = 1) -> tuple[F64, F64, F64]:
    """Draw targets that move as the models say: times (n,), states (runs, n, 4), turn rates (runs, n).

    Straight flight in air that moves, and level turns of 1 to 4 degrees a second either way, as often and as long as
    the chain of modes has it, agile flight left out; 60 to 300 m/s, twenty minutes at 5 s.
    """
    rng = np.random.default_rng(seed)
    period, scans = 5.0, 240
    leave_straight = (2.0 * motion.share_turn + motion.share_agile) / motion.mode_seconds
    leave_turn = (1.0 - motion.share_turn) / motion.mode_seconds
    back = 1.0 - motion.share_turn / (1.0 - motion.share_turn)  # of the turns that end, those that don't turn round
    air = np.linalg.cholesky(motion.q_straight * np.kron([[1.0 / 3.0, 0.5], [0.5, 1.0]], np.eye(2)))
    states, rates = np.empty((runs, scans, 4)), np.zeros((runs, scans))
    for run in range(runs):
        speed, course = rng.uniform(60.0, 300.0), rng.uniform(0.0, 2.0 * np.pi)
        state, rate = np.array([0.0, 0.0, speed * np.cos(course), speed * np.sin(course)]), 0.0
        left = rng.exponential(1.0 / leave_straight)
        for k in range(scans):
            states[run, k], rates[run, k] = state, rate
            rest = period
            while rest > 0.0:
                step = min(rest, left)
                state = turned(state, np.array([step]), rate)[0]
                if rate == 0.0:
                    kick = air @ rng.normal(size=4)
                    state = state + kick * np.repeat([step**1.5, step**0.5], 2)
                rest, left = rest - step, left - step
                if left > 0.0:
                    continue
                if rate == 0.0 or rng.random() > back:
                    side = rng.choice([-1.0, 1.0]) if rate == 0.0 else -np.sign(rate)
                    rate, left = side * rng.uniform(1.0, 4.0) * DEG, rng.exponential(1.0 / leave_turn)
                else:
                    rate, left = 0.0, rng.exponential(1.0 / leave_straight)
    return np.arange(scans) * period, states, rates


def follow(
    t: F64,
    states: F64,
    rates: F64,
    sigma: float,
    period: float,
    first: int,
    config: Config | None = None,
    seed: int = 1,
) -> Flown:
    """Track targets with noise of their own, in one run of the tracker.

    t : (n,) s; states : (runs, n, 4) [x, y, vx, vy]; rates : (runs, n) rad/s; first : scans left out
    """
    rng = np.random.default_rng(seed)
    runs = len(states)
    planes = Planes.of(runs)
    sensors = sensors_at(planes, period=period, pd=0.99, clutter_per_m2=1e-16)
    centre = 0.5 * (states[:, :, :2].min(1) + states[:, :, :2].max(1))  # as near to the planes' origins as can be
    xy = states[:, :, :2] - centre[:, None]
    plane = np.repeat(np.arange(runs), len(t))
    at = np.tile(t, runs)
    measured = xy.reshape(-1, 2) + rng.normal(size=(runs * len(t), 2)) * sigma
    plots = positions(planes, sensors, plane, at, measured[:, 0], measured[:, 1], sigma)
    error = np.full((runs, len(t), 4), np.nan)
    nees = np.full((runs, len(t), 2), np.nan)
    count = np.zeros((runs, len(t)), np.int64)
    for k, picture in pictures(plots, sensors, t, config):
        tracks = picture.tracks.take(picture.tracks.status != Status.ENDED)
        if not len(tracks):
            continue
        run = planes.nearest(tracks.lat, tracks.lon)
        count[:, k] = np.bincount(run, minlength=runs)
        x, y = planes.back(run, tracks.lat, tracks.lon)
        real = np.column_stack([xy[run, k], states[run, k, 2:]])
        e = np.column_stack([x, y, tracks.v_east, tracks.v_north]) - real
        best = np.argsort(-np.hypot(e[:, 0], e[:, 1]), kind="stable")  # of several the nearest stands last
        e, run, tracks = e[best], run[best], tracks.take(best)
        error[run, k] = e
        var = np.column_stack(
            [
                tracks.sigma_east**2,
                tracks.sigma_north**2,
                tracks.rho_east_north * tracks.sigma_east * tracks.sigma_north,
                np.full(len(tracks), np.nan),
            ]
        )
        level = np.column_stack([e[:, :2], np.full(len(e), np.nan)])
        nees[run, k, 0] = nees_position(level, var)[0]
        nees[run, k, 1] = nees_velocity(e[:, 2:], np.column_stack([tracks.sigma_v_east**2, tracks.sigma_v_north**2]))
    judged = np.broadcast_to(np.arange(len(t)) >= first, rates.shape)
    turning = judged & (rates != 0.0)
    straight = judged & (rates == 0.0)
    square = (error[:, :, :2] ** 2).sum(-1)
    speed = (error[:, :, 2:] ** 2).sum(-1)
    return Flown(
        runs=runs,
        position=rms(square[judged]),
        straight=rms(square[straight]),
        turn=rms(square[turning]),
        peak=float(np.sqrt(np.nanmean(square[:, first:], axis=0).max())),
        velocity=rms(speed[judged]),
        nees_straight=judge(np.where(straight, nees[:, :, 0], np.nan)),
        nees_turn=judge(np.where(turning, nees[:, :, 0], np.nan)),
        nees_whole=judge(np.where(judged, nees[:, :, 0], np.nan)),
        nees_velocity=judge(np.where(judged, nees[:, :, 1], np.nan)),
        nees=nees[:, :, 0],
        held=float(np.mean(count[judged] == 1)),
    )


def rms(square: F64) -> float:
    """Return the root of the mean of squares, those missing left out."""
    return float(np.sqrt(np.nanmean(square)))


def judge(nees: F64) -> tuple[float, float, float]:
    """Return mean and 95 % bounds of NEES values (runs, scans) with two degrees of freedom."""
    runs, scans = nees.shape
    run: I64 = np.repeat(np.arange(runs), scans)
    found = consistency(nees.ravel(), run, np.tile(np.arange(scans), runs), 2)
    return found.mean, found.lower, found.upper


def inside_band(nees: F64) -> NDArray[np.bool_]:
    """Say of each scan of (runs, scans) NEES whether its mean over the runs lies in the band of so many runs.

    Two degrees of freedom; 95 %. Source: Bar-Shalom, Li, Kirubarajan 2001, section 5.4.2.
    """
    lower, upper = bounds(len(nees), 2)
    mean = np.nanmean(nees, axis=0)
    return np.asarray((mean >= lower) & (mean <= upper))


def inside(course: Course, found: Flown) -> tuple[float, float]:
    """Return the shares of the judged scans, straight and turning, at which the mean NEES lies in its band."""
    rates = course.truth()[2]
    good, turning = inside_band(found.nees[:, course.first :]), rates[course.first :] != 0.0
    return float(good[~turning].mean()), float(good[turning].mean())
