"""Stone Soup on the same plots: how much faster, and which picture is nearer to the truth.

Never needed to run: where it isn't installed a message says how to. Its trackers are put together as its own
documentation does it, tuned to this traffic on other seeds (process noise, gate, three plots to begin, three misses to
end), with the spatial indices that it offers:

`fastest nearest neighbour`
    plots turned into x and y beforehand, transition matrices computed once for all turns, tracks in a TPR-tree, one
    assignment in two dimensions. The tree's boxes are widened by the noise of plots: as they come they find a plot
    inside the track's own uncertainty only, and lose plots far out.
`nearest neighbour, kd-tree`
    plots as measured, extended Kalman filter, plots in a kd-tree.
`joint probabilities, EHM`
    efficient hypothesis management (its fastest exact joint association) with the same TPR-tree.
`joint probabilities, belief propagation`
    its loopy belief propagation, which has no index: each track is weighed against each plot. Three plots that begin a
    track are found by the kd-tree. Beyond 100 targets it's run, and scored, for fewer turns: see `FEW`.

Both trackers are judged in the plane that the radar sees, slant range and azimuth: Stone Soup has no round Earth. All
targets fly at one height, so that this plane holds all that there is to know. Nobody measures heights here; a track of
ours is seen at the one that it's held at.

On the clock is what brings the tracks up to date with a turn's plots: `update_tracker` there, `Tracker.step` here. To
its work here belongs to put plots, range and azimuth, on the Earth; there they're made beforehand, off the clock. Off
the clock is also what reads the tracks. The columns of our picture, which nobody there works out, are told beside it.
"""

from __future__ import annotations

import datetime
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture import geo
from airpicture.bench.load import Report, config_for, tracker_of
from airpicture.bench.suite import nearest
from airpicture.config import Config
from airpicture.errors import ConfigError, InputError
from airpicture.evaluation.sets import gospa
from airpicture.simulation.sky import Scan, Sky, long_range
from airpicture.simulation.traffic import Mix
from airpicture.tables import F64, I64, Status
from airpicture.tracker import Tracker

TARGETS_MAX: Final = 1_000  # Stone Soup takes 5 s of CPU a turn there
BELIEF_MAX: Final = 100  # targets up to which its belief propagation is run as long as the others: 1 s a turn
TURNS: Final = 20
FIRST: Final = 10  # turn from which pictures are scored and steps timed
HEIGHT: Final = 9_000.0  # m, of all targets
CUTOFF_M: Final = 2_000.0

Q: Final = 200.0  # m²/s³ of its constant-velocity model; best of 2 to 800, since turns are in it
GATE: Final = 13.8  # squared Mahalanobis distance, 99.9 %
BEGIN: Final = 3  # plots to begin a track; one miss ends a tentative one
MISSES: Final = 3  # to end a track
SIGMA_V: Final = 150.0  # m/s
REACH_M: Final = 4_000.0  # of its kd-tree search, in range


class Span(NamedTuple):
    """How many turns a tracker is run for, and from which on it counts."""

    turns: int
    first: int


ALL: Final = Span(TURNS, FIRST)
FEW: Final = Span(9, 6)  # for what takes 10 s a turn; by the sixth all but the last targets to come in are held


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One turn of a one-radar sky as plain arrays."""

    t_s: float
    slant: F64
    azimuth: F64
    truth_xy: F64  # (T, 2) m, slant range times sine and cosine of the azimuth
    truth_number: I64
    scan: Scan


class Tally:
    """GOSPA, missed, false and identity switches over the turns that count."""

    def __init__(self, first: int = FIRST) -> None:
        self.first = first
        self.rows: list[tuple[float, ...]] = []
        self.holder: dict[int, Any] = {}
        self.switches = 0

    def add(self, turn: int, truth: F64, number: I64, estimates: F64, names: Sequence[Any]) -> None:
        """Score one turn: (T, 2) and (N, 2) m."""
        found = gospa(truth, estimates.reshape(-1, 2), cutoff=CUTOFF_M)
        for target, track in found.pairs.tolist():
            before = self.holder.get(int(number[target]), names[track])
            self.switches += turn >= self.first and before != names[track]
            self.holder[int(number[target])] = names[track]
        if turn >= self.first:
            self.rows.append((found.distance, found.missed, found.false, found.localisation, len(found.pairs)))

    def mean(self) -> dict[str, float]:
        """Return the means of a turn."""
        distance, missed, false, localisation, pairs = np.array(self.rows).T
        return {
            "turns_scored": len(distance),
            "gospa_m": float(distance.mean()),
            "missed": float(missed.mean()),
            "false": float(false.mean()),
            "switches": self.switches / len(distance),
            "rms_m": float(np.sqrt(localisation.sum() / max(pairs.sum(), 1))),
        }


def check_peers(sizes: Sequence[int]) -> None:
    """Refuse what can't be compared, before anything is run.

    Raises
    ------
    InputError : Stone Soup isn't installed
    ConfigError : more targets than it can hold
    """
    if find_spec("stonesoup") is None:
        raise InputError(
            "Stone Soup, the tracker to compare with, isn't installed",
            todo="Run 'python -m pip install stonesoup' (version 1.9 or later) in this environment and try again",
        )
    for targets in sizes:
        if targets > TARGETS_MAX:
            raise ConfigError(
                f"--peers with {targets:,} targets",
                expected=f"{TARGETS_MAX:,} at most: Stone Soup takes 5 s of CPU a turn there, and more than its share "
                "of time beyond",
                todo="Leave --peers out for larger skies",
            )


def compare(targets: int, *, seed: int = 1, report: Report = lambda done, of: None) -> list[dict[str, Any]]:
    """Run both trackers over the same plots; return a row of figures each, ours before the peer's of its kind."""
    sky = flat_sky(targets, seed)
    turns = [as_turn(sky, scan) for scan in sky.scans(TURNS)]
    kinds: list[tuple[str, str, str]] = [
        ("nearest", "fastest nearest neighbour", "nearest"),
        ("nearest", "nearest neighbour, kd-tree", "kd"),
        ("joint", "joint probabilities, EHM", "ehm"),
        ("joint", "joint probabilities, belief propagation", "belief"),
    ]
    spans = {key: FEW if key == "belief" and targets > BELIEF_MAX else ALL for _, _, key in kinds}
    plots = len(turns[0].slant)
    total, done = (2 * TURNS + sum(span.turns for span in spans.values())) * plots, 0

    def tick() -> None:
        nonlocal done
        done += plots
        report(done, total)

    report(0, total)
    rows = []
    own = {
        method: run_own(sky, turns, config_for(targets) if method == "joint" else nearest(targets), tick)
        for method in ("nearest", "joint")
    }
    for method, name in (("nearest", "airpicture, nearest neighbour"), ("joint", "airpicture, joint probabilities")):
        rows.append({"name": name, **own[method]})
        for kind, title, key in kinds:
            if kind == method:
                row = run_peer(sky, turns, key, tick, spans[key])
                faster = row["cpu_s_turn"] / own[method]["cpu_s_turn"]
                rows.append({"name": f"Stone Soup, {title}", **row, "times_faster": faster})
    return rows


def flat_sky(targets: int, seed: int) -> Sky:
    """Return one radar and targets of one height; 300 and more to 600 km, fewer in a disc of the same density."""
    radius = 600e3 * min(1.0, float(np.sqrt(targets / 300.0)))
    return long_range(targets, radius=radius, mix=Mix(height=(HEIGHT, HEIGHT)), timing="snapshot", seed=seed)


def as_turn(sky: Sky, scan: Scan) -> Turn:
    """Return a turn as arrays."""
    truth, s = scan.truth, sky.sensors
    slant, azimuth, _ = geo.geodetic_to_polar(truth.lat, truth.lon, truth.h, s.lat[0], s.lon[0], s.h_ell[0])
    xy = np.stack([slant * np.sin(azimuth), slant * np.cos(azimuth)], axis=1)
    t_s = sky.turn * sky.radar.period
    return Turn(t_s, scan.plots.slant_range, scan.plots.azimuth, xy, truth.number, scan)


def run_own(sky: Sky, turns: list[Turn], config: Config, tick: Callable[[], None]) -> dict[str, float]:
    """Run this tracker, on one thread."""
    tracker, s = tracker_of(sky.sensors, config, 1), sky.sensors
    tally, seconds, columns, plots = Tally(), [], [], 0
    for k, turn in enumerate(turns):
        begun = time.process_time()
        picture = tracker.step(turn.scan.plots, turn.scan.now_ns)
        taken = time.process_time() - begun
        tracks = picture.tracks
        shown = time.process_time() - begun - taken
        real = np.flatnonzero((tracks.status == Status.CONFIRMED) | (tracks.status == Status.COASTING))
        h = held_heights(tracker, tracks.track[real], turn.scan.now_ns)
        slant, azimuth, _ = geo.geodetic_to_polar(tracks.lat[real], tracks.lon[real], h, s.lat[0], s.lon[0], s.h_ell[0])
        xy = np.stack([slant * np.sin(azimuth), slant * np.cos(azimuth)], axis=1)
        tally.add(k, turn.truth_xy, turn.truth_number, xy, tracks.track[real].tolist())
        if k >= FIRST:
            seconds.append(taken)
            columns.append(shown)
            plots += len(turn.slant)
        tick()
    picture_s = float(np.median(columns))
    return {**speed(seconds, plots), "cpu_s_picture": picture_s, **tally.mean()}


def speed(seconds: Sequence[float], plots: int) -> dict[str, float]:
    """Return what so many plots took: seconds of each turn."""
    return {"cpu_s_turn": float(np.median(seconds)), "plots_per_cpu_s": plots / sum(seconds)}


def held_heights(tracker: Tracker, numbers: I64, now_ns: int) -> F64:
    """Return the heights [m] at which tracks are held: nobody measured them, but places were put there by them."""
    store = tracker._store
    order = np.argsort(store.number[: store.n])
    rows = order[np.searchsorted(store.number[: store.n], numbers, sorter=order)]
    since = np.maximum(now_ns - store.t_ns[rows], 0) * 1e-9
    place = store.summary[rows, :3].astype(np.float64)
    place += since[:, None] * store.summary[rows, 3:6]
    return geo.ecef_to_geodetic(place)[2]


def run_peer(sky: Sky, turns: list[Turn], kind: str, tick: Callable[[], None], span: Span = ALL) -> dict[str, float]:
    """Run one of Stone Soup's trackers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies' deprecations aren't this program's business
        tracker, detect = build_peer(sky, kind)
        tally, seconds, plots = Tally(span.first), [], 0
        for k, turn in enumerate(turns[: span.turns]):
            at = datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=turn.t_s)
            detections = detect(turn, at)
            begun = time.process_time()
            _, tracks = tracker.update_tracker(at, detections)
            taken = time.process_time() - begun
            mean = [np.asarray(track.mean, np.float64).ravel() for track in tracks]
            late = [(at - track.timestamp).total_seconds() for track in tracks]
            xy = [(m[0] + dt * m[1], m[2] + dt * m[3]) for m, dt in zip(mean, late, strict=True)]
            tally.add(k, turn.truth_xy, turn.truth_number, np.array(xy), [track.id for track in tracks])
            if k >= span.first:
                seconds.append(taken)
                plots += len(turn.slant)
            tick()
    return {**speed(seconds, plots), **tally.mean()}


def build_peer(sky: Sky, kind: str) -> tuple[Any, Callable[[Turn, datetime.datetime], set[Any]]]:
    """Put one of Stone Soup's trackers together; return it and what makes detections of a turn."""
    from stonesoup.dataassociator.neighbour import GNNWith2DAssignment
    from stonesoup.dataassociator.probability import JPDAwithEHM2, JPDAwithLBP
    from stonesoup.dataassociator.tree import DetectionKDTreeGNN2D, TPRTreeMixIn
    from stonesoup.deleter.time import UpdateTimeStepsDeleter
    from stonesoup.hypothesiser.distance import DistanceHypothesiser
    from stonesoup.hypothesiser.probability import PDAHypothesiser
    from stonesoup.initiator.simple import MultiMeasurementInitiator, SimpleMeasurementInitiator
    from stonesoup.measures import SquaredMahalanobis
    from stonesoup.models.measurement.linear import LinearGaussian
    from stonesoup.models.measurement.nonlinear import CartesianToBearingRange
    from stonesoup.models.transition.linear import (
        CombinedLinearGaussianTransitionModel,
        ConstantVelocity,
        LinearGaussianTimeInvariantTransitionModel,
    )
    from stonesoup.predictor.kalman import KalmanPredictor
    from stonesoup.tracker.simple import MultiTargetMixtureTracker, MultiTargetTracker
    from stonesoup.types.angle import Bearing
    from stonesoup.types.detection import Detection
    from stonesoup.types.state import GaussianState
    from stonesoup.updater.kalman import ExtendedKalmanUpdater, KalmanUpdater

    radar, period = sky.radar, datetime.timedelta(seconds=sky.radar.period)
    converted, place, speed = kind == "nearest", [0, 2], [1, 3]
    motion: Any = CombinedLinearGaussianTransitionModel([ConstantVelocity(Q), ConstantVelocity(Q)])
    if converted:  # every step is one turn: matrices for all of them at once
        motion = LinearGaussianTimeInvariantTransitionModel(
            transition_matrix=np.asarray(motion.matrix(time_interval=period)),
            covariance_matrix=np.asarray(motion.covar(time_interval=period)),
        )
    polar = CartesianToBearingRange(4, place, np.diag([radar.sigma_azimuth**2, radar.sigma_range**2]))
    predictor = KalmanPredictor(motion)
    updater = KalmanUpdater(None) if converted else ExtendedKalmanUpdater(polar)

    def detect(turn: Turn, at: datetime.datetime) -> set[Any]:
        made = set()
        bearings = np.pi / 2 - turn.azimuth  # counter-clockwise from east, as there
        for r, bearing in zip(turn.slant.tolist(), bearings.tolist(), strict=True):
            if not converted:
                made.add(Detection([[Bearing(bearing)], [r]], timestamp=at, measurement_model=polar))
                continue
            c, s = np.cos(bearing), np.sin(bearing)
            turned = np.array([[c, -s], [s, c]])
            noise = turned @ np.diag([radar.sigma_range**2, (r * radar.sigma_azimuth) ** 2]) @ turned.T
            model = LinearGaussian(4, place, noise)
            made.add(Detection([[r * c], [r * s]], timestamp=at, measurement_model=model))
        return made

    class Wide(TPRTreeMixIn):  # type: ignore[misc]
        """Boxes that have room for the noise of plots, too."""

        def _track_tree_coordinates(self, track: Any) -> Any:
            box, velocity, at = super()._track_tree_coordinates(track)
            x, y = float(track.mean[0, 0]), float(track.mean[2, 0])
            wider = 3.0 * (radar.sigma_range + radar.sigma_azimuth * float(np.hypot(x, y)))
            half = len(box) // 2
            return tuple(v - wider for v in box[:half]) + tuple(v + wider for v in box[half:]), velocity, at

    class WideNearest(Wide, GNNWith2DAssignment):  # type: ignore[misc]
        pass

    class WideJoint(Wide, JPDAwithEHM2):  # type: ignore[misc]
        pass

    def treed(cls: Any, hypothesiser: Any) -> Any:
        return cls(hypothesiser, polar, 4 * period, pos_mapping=place, vel_mapping=speed)

    def kd(hypothesiser: Any) -> Any:
        return DetectionKDTreeGNN2D(hypothesiser, predictor=predictor, updater=updater, max_distance=REACH_M)

    distance = DistanceHypothesiser(predictor, updater, SquaredMahalanobis(), missed_distance=GATE)
    # false plots a turn per radian and metre
    density = float(sky.sensors.clutter_per_scan[0]) / (2 * np.pi * (sky.reach - radar.range_min))
    probable = PDAHypothesiser(predictor, updater, density, prob_detect=radar.pd, prob_gate=0.999)
    associators: dict[str, Callable[[], Any]] = {
        "nearest": lambda: treed(WideNearest, distance),
        "kd": lambda: kd(distance),
        "ehm": lambda: treed(WideJoint, probable),
        "belief": lambda: JPDAwithLBP(probable),
    }
    first: dict[str, Callable[[], Any]] = {"kd": lambda: kd(distance), "belief": lambda: kd(distance)}
    start = datetime.datetime(2026, 1, 1)
    prior = GaussianState(np.zeros((4, 1)), np.diag([0.0, SIGMA_V**2, 0.0, SIGMA_V**2]), timestamp=start)
    model = None if converted else polar
    initiator = MultiMeasurementInitiator(
        prior,
        deleter=UpdateTimeStepsDeleter(1),
        data_associator=first.get(kind, lambda: treed(WideNearest, distance))(),
        updater=updater,
        measurement_model=model,
        min_points=BEGIN,
        initiator=SimpleMeasurementInitiator(prior, model),
    )
    shape = MultiTargetMixtureTracker if kind in ("ehm", "belief") else MultiTargetTracker
    return shape(initiator, UpdateTimeStepsDeleter(MISSES), None, associators[kind](), updater), detect
