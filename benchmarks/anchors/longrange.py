"""One radar to 600 km: every class of target by its row, and straight flight against the Cramer-Rao bound.

Classes: the shipped scenario ``long-range``. The bound: airliners in straight level flight, 100 to 580 km away,
tracked from the radar's own noise and detections. The posterior bound of Tichavsky, Muravchik, Nehorai (IEEE Trans.
Signal Processing 46(5), 1998) for a linear motion is the Kalman recursion at the true positions, here on the plane of
range and cross-range:

    J <- (F J^-1 F' + Q)^-1 + H' R^-1 H      at each detection,   J <- (F J^-1 F' + Q)^-1   at each miss

with Q of the straight model and R of range and azimuth.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.config import Config
from airpicture.evaluation import evaluate
from airpicture.geo import geodetic_to_polar
from airpicture.simulation import simulate
from airpicture.tables import Plots, Sensors, Tracks, Truth
from airpicture.tracker import track
from anchors.plane import F64, I64

Bool = NDArray[np.bool_]
STRAIGHT_S = 60.0  # s, six turns: what a filter remembers of a turn is gone
STRAIGHT_MPS = 4.0  # m/s, by which a velocity may change meanwhile

RADAR = {
    "id": "long-range",
    "kind": "radar",
    "lat_deg": 41.775,
    "lon_deg": 2.438,
    "h_ell_m": 1780.0,
    "period_s": 10.0,
    "range_m_min": 1000.0,
    "range_m_max": 600e3,
    "pd": 0.9,
    "clutter_per_scan": 150.0,
    "sigma_range_m": 70.0,
    "sigma_azimuth_deg": 0.08,
    "simulation": {"secondary": "mode-s"},
}
STRAIGHT = {
    "class": "transport",
    "count": 60,
    "area": {"centre": "long-range", "range_m": [100e3, 580e3]},
    "h_ell_m": [8500.0, 12500.0],
    "manoeuvre": "straight",
    "climbers": 0.0,
    "visible_to": "long-range",
}


@dataclass(frozen=True)
class Row:
    """What became of one class."""

    name: str
    targets: int
    latency_median: float  # s, first shown as confirmed
    latency_95: float
    completeness: float
    rms: float  # m, horizontal, at track rows
    raw: float  # m, of plots there, by the radar's noise
    nees: float
    breaks: int
    switches: int
    never: int  # targets never held
    straight: "Bound"  # where they flew straight on


@dataclass(frozen=True)
class LongRange:
    """All classes together, and each."""

    rows: list[Row]
    gospa: float
    missed: float
    false: float  # a picture
    false_tracks_an_hour: float  # tracks that were never near a target
    nees: float


def raw_error(plots: Plots, truth: Truth, sensors: Sensors) -> F64:
    """Return what the radar's noise makes of each plot's horizontal position, variance [m²], by its range."""
    s = plots.sensor
    var: F64 = sensors.sigma_range[s] ** 2 + (plots.slant_range * sensors.sigma_azimuth[s]) ** 2
    return var


def classes(seed: int = 1, config: Config | None = None) -> LongRange:
    """Track the shipped scenario; a row for each class."""
    run = simulate("long-range", seed=seed)
    tracks = track(run.plots, run.sensors, config)
    report = evaluate(run.truth, tracks)
    facts = report.to_dict()
    var = raw_error(run.plots, run.truth, run.sensors)
    kind_of = np.full(len(run.plots.truth_names), -1)
    lookup = {name: k for k, name in enumerate(run.truth.target_names)}
    first = np.full(len(run.truth.target_names), -1)
    first[run.truth.target] = run.truth.kind
    for k, name in enumerate(run.plots.truth_names):
        kind_of[k] = first[lookup[name]] if name in lookup else -1
    of_plot = np.where(run.plots.truth >= 0, kind_of[run.plots.truth], -1)
    rms_of = _rms_by_class(report, run.truth)
    beside = updates(run.truth, run.plots, tracks, config or Config())
    rows = [
        Row(
            name,
            one["targets"],
            one["latency_median_s"],
            one["latency_p95_s"],
            one["completeness"],
            rms_of.get(name, float("nan")),
            float(np.sqrt(var[of_plot == run.truth.class_names.index(name)].mean())),
            one["nees"],
            one["breaks"],
            one["switches"],
            one["targets_never_held"],
            beside.of(beside.straight & (beside.kind == run.truth.class_names.index(name))),
        )
        for name, one in facts["per_class"].items()
    ]
    hours = run.scenario.duration / 3600.0
    return LongRange(
        rows, report.gospa_m, report.missed, report.false_tracks, report.tracks_never_on_target / hours, report.nees
    )


def _rms_by_class(report: object, truth: Truth) -> dict[str, float]:
    """Return the horizontal RMS by class, weighed by the instants that targets were held."""
    table = report.per_target.to_pydict()  # type: ignore[attr-defined]
    out: dict[str, float] = {}
    for name in truth.class_names:
        rows = [
            k for k, c in enumerate(table["class"]) if c == name and table["held"][k] and table["rmse_horizontal_m"][k]
        ]
        held = np.array([table["held"][k] for k in rows], float)
        square = np.array([table["rmse_horizontal_m"][k] for k in rows]) ** 2
        if len(rows):
            out[name] = float(np.sqrt((held * square).sum() / held.sum()))
    return out


@dataclass(frozen=True)
class Bound:
    """Straight flight against the posterior Cramer-Rao bound, from the eighth plot of each target on."""

    rms: float  # m, horizontal, at updates
    bound: float  # m
    raw: float  # m
    nees: float
    rows: int

    @property
    def ratio(self) -> float:
        return self.rms / self.bound


class Updates(NamedTuple):
    """Updates of tracks that lie beside a target, with the bound there; one row a plot, from a target's eighth on."""

    kind: I64  # class
    square: F64  # m², horizontal distance from the target
    least: F64  # m², of the bound
    raw: F64  # m², of the plot
    nees: F64
    straight: Bool  # flew straight on at one speed for the last STRAIGHT_S

    def of(self, chosen: Bool) -> Bound:
        """Return what the chosen rows come to."""
        if not chosen.any():
            return Bound(*[float("nan")] * 4, 0)
        mean = [float(column[chosen].mean()) for column in (self.square, self.least, self.raw, self.nees)]
        return Bound(*(float(np.sqrt(v)) for v in mean[:3]), mean[3], int(chosen.sum()))


def straight(seed: int = 1, config: Config | None = None, seconds: float = 900.0, q: float | None = None) -> Bound:
    """Track airliners in straight flight and compare each update with the bound at that plot."""
    config = config or Config()
    head = {"name": "straight", "start": "2026-01-01T00:00:00Z", "duration_s": seconds}
    run = simulate({"scenario": head, "sensor": [RADAR], "group": [STRAIGHT]}, seed=seed)
    found = updates(run.truth, run.plots, track(run.plots, run.sensors, config), config, q)
    return found.of(np.ones(len(found.kind), bool))


def updates(truth: Truth, plots: Plots, tracks: Tracks, config: Config, q: float | None = None) -> Updates:
    """Compare each update of a track near a target with the bound of that target's plots so far; one radar."""
    sensors = plots.sensors
    tracks = tracks.take(tracks.t_ns == tracks.t_ns_plot)
    q = config.motion.q_straight if q is None else q
    var_range, var_azimuth = sensors.sigma_range[0] ** 2, sensors.sigma_azimuth[0] ** 2
    rows: list[tuple[float, ...]] = []
    for target, name in enumerate(truth.target_names):
        if name not in plots.truth_names:
            continue
        mine = truth.take(truth.target == target)
        seen = plots.take((plots.truth == plots.truth_names.index(name)) & np.isfinite(plots.slant_range))
        if len(seen) < 12:
            continue
        since = (mine.t_ns - mine.t_ns[0]) * 1e-9
        at = (seen.t_ns - mine.t_ns[0]) * 1e-9
        lat, lon, h = (np.interp(at, since, column) for column in (mine.lat, mine.lon, mine.h_ell))
        slant, azimuth, _ = geodetic_to_polar(lat, lon, h, sensors.lat[0], sensors.lon[0], sensors.h_ell[0])
        J = np.zeros((4, 4))
        for k in range(len(seen)):
            u = np.array([np.sin(azimuth[k]), np.cos(azimuth[k])])
            across = np.array([u[1], -u[0]])
            told = np.outer(u, u) / var_range + np.outer(across, across) / (slant[k] ** 2 * var_azimuth)
            if k == 0:
                J[2:, 2:] = np.eye(2) / config.life.sigma_speed**2
            else:
                dt = at[k] - at[k - 1]
                F = np.eye(4)
                F[0, 2] = F[1, 3] = dt
                Q = q * np.kron([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]], np.eye(2))
                J = np.linalg.inv(F @ np.linalg.inv(J) @ F.T + Q)
            J[:2, :2] += told
            lo, hi = np.searchsorted(tracks.t_ns, [seen.t_ns[k], seen.t_ns[k] + 1])
            if k < 8 or lo == hi:
                continue
            north = (tracks.lat[lo:hi] - lat[k]) * 6.37e6
            east = (tracks.lon[lo:hi] - lon[k]) * 6.37e6 * np.cos(lat[k])
            best = int(np.argmin(np.hypot(north, east)))
            e, i = np.array([east[best], north[best]]), int(lo) + best
            if np.hypot(*e) > 3000.0:
                continue
            se, sn, rho = tracks.sigma_east[i], tracks.sigma_north[i], tracks.rho_east_north[i]
            P = np.array([[se * se, rho * se * sn], [rho * se * sn, sn * sn]])
            before = at[k] - np.array([0.0, 0.5, 1.0]) * STRAIGHT_S
            v = np.column_stack([np.interp(before, since, column) for column in (mine.v_east, mine.v_north)])
            level = before[-1] >= 0.0 and np.abs(v - v[0]).max() < STRAIGHT_MPS
            raw = var_range + slant[k] ** 2 * var_azimuth
            rows.append(
                (mine.kind[0], e @ e, np.trace(np.linalg.inv(J)[:2, :2]), raw, e @ np.linalg.solve(P, e), level)
            )
    table = np.array(rows)
    return Updates(table[:, 0].astype(np.int64), *table[:, 1:5].T, table[:, 5] > 0.0)
