"""Plain twins of the tracking kernels: full matrices, one track at a time, nothing packed, no models side by side.

Each twin is written from the definition (Kalman update in matrix form, mixtures by their moments, existence by
enumeration), not from the kernel. The helpers at the end build tracks and plots.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels import layout as lay
from airpicture.kernels.wgs84 import sites_of_geodetic
from reference_measuring import (
    doubting,
    jacobian,
    kalman,
    keeps,
    kept_up,
    near_angle,
    position_variance,
    pressure_variance,
    seen,
    turn_log_likelihood,
    velocity_variance,
)
from reference_measuring import wrapped as wrapped

F64 = NDArray[np.float64]

A_WGS84 = 6378137.0
F_WGS84 = 1.0 / 298.257223563
E2 = F_WGS84 * (2.0 - F_WGS84)
MEAN_RADIUS = 6_371_000.0  # m
LOWER = np.tril_indices(6)


# --- packing ----------------------------------------------------------------------------------------------------


def packed(P: F64) -> F64:
    """Return the lower triangle, row by row."""
    return np.asarray(P, float)[LOWER].copy()


def unpacked(p: F64) -> F64:
    P = np.zeros((6, 6))
    P[LOWER] = p
    return P + np.tril(P, -1).T


@dataclass
class Mixture:
    """One track as a Gaussian mixture: x (4, 6), P (4, 6, 6), mu (4,)."""

    x: F64
    P: F64
    mu: F64
    existence: float = 0.9
    d_baro: float = 0.0
    var_baro: float = 0.0
    var_pos: float = 0.0
    scale_pos: float = 0.0
    var_time: float = 0.0
    pace: float = 0.0  # m²/s², learnt of reported velocities beyond their claims
    shared: float = 0.0
    count_pos: float = 0.0
    h_mean: float = 0.0
    turn: float = 0.0  # rad/s, how fast the course has turned of late
    h_var: float = 0.0  # 0: nothing is known of where an unmeasured height lies

    def row(self) -> F64:
        row = np.zeros(lay.ROW)
        states = row[: lay.MODE].reshape(lay.MODEL, lay.MODELS)  # component by component, the models side by side
        states[:6] = self.x.T
        states[6:] = np.array([packed(P) for P in self.P]).T
        row[lay.MODE : lay.MODE + lay.MODELS] = self.mu
        row[lay.EXISTENCE] = self.existence
        row[lay.D_BARO], row[lay.VAR_BARO] = self.d_baro, self.var_baro
        row[lay.VAR_POS], row[lay.COUNT_POS] = self.var_pos, self.count_pos
        row[lay.H_MEAN], row[lay.H_VAR] = self.h_mean, self.h_var
        row[lay.TURN], row[lay.VAR_V] = self.turn, self.pace
        row[lay.SCALE_POS], row[lay.VAR_TIME], row[lay.SHARED] = self.scale_pos, self.var_time, self.shared
        return row

    @classmethod
    def of_row(cls, row: F64) -> "Mixture":
        states = row[: lay.MODE].reshape(lay.MODEL, lay.MODELS)
        return cls(
            x=states[:6].T.copy(),
            P=np.array([unpacked(p) for p in states[6:].T]),
            mu=row[lay.MODE : lay.MODE + lay.MODELS].copy(),
            existence=float(row[lay.EXISTENCE]),
            d_baro=float(row[lay.D_BARO]),
            var_baro=float(row[lay.VAR_BARO]),
            var_pos=float(row[lay.VAR_POS]),
            count_pos=float(row[lay.COUNT_POS]),
            h_mean=float(row[lay.H_MEAN]),
            h_var=float(row[lay.H_VAR]),
            turn=float(row[lay.TURN]),
            scale_pos=float(row[lay.SCALE_POS]),
            var_time=float(row[lay.VAR_TIME]),
            pace=float(row[lay.VAR_V]),
            shared=float(row[lay.SHARED]),
        )

    def moments(self) -> tuple[F64, F64]:
        """Return mean and covariance of the mixture."""
        return moments(self.x, self.P, self.mu)


def moments(x: F64, P: F64, weight: F64) -> tuple[F64, F64]:
    """Return mean and covariance of a Gaussian mixture whose weights sum to one."""
    mean = weight @ x
    d = x - mean
    return mean, np.einsum("k,kij->ij", weight, P) + np.einsum("k,ki,kj->ij", weight, d, d)


# --- the Earth --------------------------------------------------------------------------------------------------


def ecef(lat: float, lon: float, h: float) -> F64:
    n = A_WGS84 / math.sqrt(1.0 - E2 * math.sin(lat) ** 2)
    return np.array(
        [
            (n + h) * math.cos(lat) * math.cos(lon),
            (n + h) * math.cos(lat) * math.sin(lon),
            (n * (1.0 - E2) + h) * math.sin(lat),
        ]
    )


def geodetic(p: F64) -> tuple[float, float, float]:
    """Return lat, lon, h by plain fixed-point iteration."""
    w = math.hypot(p[0], p[1])
    lat = math.atan2(p[2], w * (1.0 - E2))
    for _ in range(50):
        n = A_WGS84 / math.sqrt(1.0 - E2 * math.sin(lat) ** 2)
        lat = math.atan2(p[2] + E2 * n * math.sin(lat), w)
    n = A_WGS84 / math.sqrt(1.0 - E2 * math.sin(lat) ** 2)
    h = w * math.cos(lat) + p[2] * math.sin(lat) - A_WGS84**2 / n
    return lat, math.atan2(p[1], p[0]), h


def axes(lat: float, lon: float) -> F64:
    """Return R_enu_ecef: rows east, north, up."""
    sl, cl, so, co = math.sin(lat), math.cos(lat), math.sin(lon), math.cos(lon)
    return np.array([[-so, co, 0.0], [-sl * co, -sl * so, cl], [cl * co, cl * so, sl]])


def up_at(p: F64) -> F64:
    lat, lon, _ = geodetic(p)
    return axes(lat, lon)[2]


class Spot:
    """Heights near a point: the surface falls away from its tangent plane by t² / 2R at distance t."""

    def __init__(self, p: F64) -> None:
        lat, lon, self.h = geodetic(p)
        self.p, self.u = p, axes(lat, lon)[2]

    def height(self, q: F64) -> float:
        d = q - self.p
        rise = float(d @ self.u)
        return self.h + rise + float(d @ d - rise * rise) / (2.0 * MEAN_RADIUS)

    def gradient(self, q: F64) -> F64:
        d = q - self.p
        out: F64 = self.u + (d - (d @ self.u) * self.u) / MEAN_RADIUS
        return out


# --- prediction -------------------------------------------------------------------------------------------------


def turn_matrices(omega: float, dt: float, u: F64) -> tuple[F64, F64]:
    """Return the rotation by omega dt about u and its integral over dt, from the cross-product matrix."""
    cross = np.array([[0.0, -u[2], u[1]], [u[2], 0.0, -u[0]], [-u[1], u[0], 0.0]])
    if omega == 0.0:
        return np.eye(3), dt * np.eye(3)
    theta = omega * dt
    A = np.eye(3) + math.sin(theta) * cross + (1.0 - math.cos(theta)) * cross @ cross
    B = dt * np.eye(3) + (1.0 - math.cos(theta)) / omega * cross + (dt - math.sin(theta) / omega) * cross @ cross
    return A, B


def move(
    x: F64, P: F64, dt: float, omega: float, u: F64, q: float, q_up: float, radius: float | None = None
) -> tuple[F64, F64]:
    """Predict one model: turn about u, bend with the Earth, white acceleration q across and q_up along u."""
    A, B = turn_matrices(omega, dt, u)
    F = np.block([[np.eye(3), B], [np.zeros((3, 3)), A]])
    v = x[3:]
    bend = (v @ v - (v @ u) ** 2) / (radius or np.linalg.norm(x[:3])) * u
    x = F @ x - np.concatenate([0.5 * dt * dt * bend, dt * bend])
    G = q * np.eye(3) + (q_up - q) * np.outer(u, u)
    Q = np.block([[dt**3 / 3 * G, dt**2 / 2 * G], [dt**2 / 2 * G, dt * G]])
    return x, F @ P @ F.T + Q


def bound_ignorance(x: F64, P: F64, h: F64, value: float, mean: float, var: float) -> tuple[F64, F64]:
    """Fold in the prior N(mean, var) of h'x with the weight that brings its variance back to var, if it's above."""
    s = float(h @ P @ h)
    if s <= var * 1.0001:
        return x, P
    R = var * s / (s - var)
    K = P @ h / (s + R)
    I_KH = np.eye(6) - np.outer(K, h)
    return x + K * (mean - value), I_KH @ P @ I_KH.T + R * np.outer(K, K)


def predict(track: Mixture, dt: float, motion: F64) -> Mixture:
    """Mix by the full transition matrix and predict all models: Blom and Bar-Shalom 1988."""
    share = motion[lay.M_SHARE : lay.M_SHARE + 4]
    e = math.exp(-motion[lay.M_RATE] * dt)
    chain = e * np.eye(4) + (1.0 - e) * np.tile(share, (4, 1))  # chain[i, j]: from i to j
    mean, _ = track.moments()
    u = up_at(mean[:3])
    v_level = mean[3:] - (mean[3:] @ u) * u
    speed = max(float(np.linalg.norm(v_level)), 1e-3)
    course = v_level / math.hypot(speed, 15.0)  # at 15 m/s and less the course is noise
    usual = min(motion[lay.M_TURN_RATE], motion[lay.M_TURN_ACCELERATION] / speed)
    follow = min(3.0 * (1.0 - float(track.mu[lay.STRAIGHT])), 1.0)  # a straight flight's course turns by noise alone
    own = usual + follow * (abs(track.turn) - usual) if abs(track.turn) > motion[lay.M_TURN_LEAST] else usual
    left, right = (own, usual) if track.turn > 0.0 else (usual, own)
    joint = track.mu[:, None] * chain
    mu = joint.sum(axis=0)
    x, P = np.empty((4, 6)), np.empty((4, 6, 6))
    for m, omega in enumerate((0.0, left, -right, 0.0)):
        x0, P0 = moments(track.x, track.P, joint[:, m] / mu[m])
        if dt != 0.0:
            q, q_up, q_along = motion[lay.M_Q + m], motion[lay.M_Q_UP + m], motion[lay.M_Q_ALONG + m]
            x0, P0 = move(x0, P0, dt, omega, u, q, q_up, float(np.linalg.norm(mean[:3])))
            P0 = P0 + np.kron([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]], (q_along - q) * np.outer(course, course))
        x[m], P[m] = x0, P0
    spot = Spot(x[lay.STRAIGHT, :3].copy())
    mean_h, var_h = (track.h_mean, track.h_var) if track.h_var > 0.0 else (motion[lay.M_H_MEAN], motion[lay.M_H_VAR])
    u = spot.u
    for m in range(4):
        x0, P0 = x[m], P[m]
        height = spot.height(x0[:3])
        if height < -450.0:  # the ground: lifted along up, and no longer falling
            x0 = x0 + np.concatenate([(-450.0 - height) * u, -min(float(x0[3:] @ u), 0.0) * u])
            height = -450.0
        x0, P0 = bound_ignorance(x0, P0, np.concatenate([u, np.zeros(3)]), height, mean_h, var_h)
        h = np.concatenate([np.zeros(3), u])
        x[m], P[m] = bound_ignorance(x0, P0, h, float(x0[3:] @ u), 0.0, motion[lay.M_CLIMB_VAR])
    return replace(track, x=x, P=P, mu=mu)


# --- measurement ------------------------------------------------------------------------------------------------


@dataclass
class Plot:
    """One registered plot. `site` is a row of the kernels' sites; absent quantities are NaN."""

    kind: int
    site: F64
    p: F64 = field(default_factory=lambda: np.zeros(3))
    slant_range: float = math.nan
    azimuth: float = math.nan
    elevation: float = math.nan
    range_rate: float = math.nan
    h: float = math.nan
    h_baro: float = math.nan
    v_east: float = math.nan
    v_north: float = math.nan
    var_range: float = 70.0**2
    var_azimuth: float = (0.08 * math.pi / 180) ** 2
    var_elevation: float = (0.2 * math.pi / 180) ** 2
    var_range_rate: float = 4.0
    var_h: float = 625.0
    var_p: float = 900.0
    var_v: float = 4.0
    log_clutter: float = 0.0
    radius: float = 1000.0
    learn: float = 0.0
    v_up: float = math.nan
    turn: float = math.nan
    lag: float = 0.0
    var_lag: float = 0.0

    def row(self) -> F64:
        z = np.zeros(lay.PLOT)
        z[lay.Z_KIND] = self.kind
        z[lay.Z_P : lay.Z_P + 3] = self.p
        z[lay.Z_RANGE] = self.slant_range
        z[lay.Z_SIN], z[lay.Z_COS] = math.sin(self.azimuth), math.cos(self.azimuth)
        z[lay.Z_ELEVATION], z[lay.Z_RANGE_RATE] = self.elevation, self.range_rate
        z[lay.Z_VAR_RANGE], z[lay.Z_VAR_AZIMUTH] = self.var_range, self.var_azimuth
        z[lay.Z_VAR_ELEVATION], z[lay.Z_VAR_RANGE_RATE] = self.var_elevation, self.var_range_rate
        z[lay.Z_H], z[lay.Z_VAR_H], z[lay.Z_H_BARO] = self.h, self.var_h, self.h_baro
        z[lay.Z_VAR_P], z[lay.Z_VAR_V] = self.var_p, self.var_v
        z[lay.Z_V_EAST], z[lay.Z_V_NORTH] = self.v_east, self.v_north
        z[lay.Z_LOG_CLUTTER], z[lay.Z_RADIUS] = self.log_clutter, self.radius
        z[lay.Z_LEARN], z[lay.Z_V_UP], z[lay.Z_TURN] = self.learn, self.v_up, self.turn
        z[lay.Z_LAG], z[lay.Z_VAR_LAG] = self.lag, self.var_lag
        return z


def condition(plot: Plot, track: Mixture, m: int, delta: float, q: float, q_up: float) -> Any:
    """Fold a plot into model m, quantity by quantity. Return x, P, d², log likelihood, n.

    First the height; then range and azimuth (or east and north) together; then each of elevation, range rate and
    velocity, at the state that those before it have told. A position is looked at where the target was delta seconds
    from the state's time; the motion's noise over that time is added to the measurement's.
    """
    delta -= plot.lag
    x, P = track.x[m].copy(), track.P[m].copy()
    spot = Spot(track.x[0, :3])  # of the straight model
    shift = np.block([np.eye(3), delta * np.eye(3)])  # position at the plot's time
    drift = abs(delta) ** 3 / 3.0
    d2 = log_l = refused = 0.0
    n = 0

    def fold(H: Any, nu: Any, var: Any, held: F64 | None = None) -> None:
        nonlocal x, P, d2, log_l, n
        x, P, more, log_more = kalman(x, P, np.array(H), np.array(nu), np.diag(var), held)
        d2, log_l, n = d2 + more, log_l + log_more, n + len(nu)

    z, r = (
        (plot.h, plot.var_h) if math.isfinite(plot.h) else (plot.h_baro + track.d_baro, pressure_variance(plot.h_baro))
    )
    if math.isfinite(z):
        h = spot.gradient(shift @ x) @ shift
        nu = z - spot.height(shift @ x)
        r += q_up * drift
        s = h @ P @ h + r
        if nu * nu < 36.0 * s:
            # beyond 3 sigma the doubt is the height's alone, and beyond 4.2 it's no less likely
            P[:3, :3] += max(nu * nu / 9.0 - s, 0.0) * np.outer(h[:3], h[:3])
            gain = P @ h / (h @ P @ h + r)
            x, P = x + gain * nu, P - np.outer(gain, P @ h)
            d2, n = min(nu * nu / s, 9.0), 1
            log_l = -0.5 * (min(nu * nu / s, 18.0) + math.log(2.0 * math.pi * s))
        else:
            log_l = math.log(0.02) - math.log(15_000.0)
            refused = 0.34 / 36.0 * nu * nu
    if plot.kind not in (lay.POLAR, lay.BEARING):
        lat, lon, _ = geodetic(spot.p if plot.kind == lay.MESSAGE else plot.p)
        level = axes(lat, lon)[:2]
        if plot.kind == lay.POSITION:
            course = level @ track.x[0, 3:]
            speed2 = float(course @ course)
            R = position_variance(plot, track) * np.eye(2)
            if speed2 > 20.0**2:
                late = max(track.var_time, 0.0) + (plot.var_lag if track.shared > 0.0 else 0.0)
                R += late * np.outer(course, course)
            x, P, more, log_more = kalman(x, P, level @ shift, level @ (plot.p - shift @ x), R + q * drift * np.eye(2))
            d2, log_l, n = d2 + more, log_l + log_more, n + 2
        if math.isfinite(plot.v_east) and math.isfinite(plot.v_north):
            nu_v = np.array([plot.v_east, plot.v_north]) - level @ x[3:]
            H, var = np.hstack([np.zeros((2, 3)), level]), velocity_variance(plot, track) + q * abs(delta)
            if plot.kind == lay.MESSAGE or nu_v @ np.linalg.solve(H @ P @ H.T + var * np.eye(2), nu_v) < 36.0:
                fold(H, nu_v, [var] * 2)
            else:  # as likely as one over ±300 m/s each way, and counted as if it had been measured
                far = 1e6 * keeps(track, np.array([plot.v_east, plot.v_north]), level @ track.x[0, 3:])
                d2, log_l, n = d2 + far, log_l - 0.5 * far + math.log(0.02) - 2.0 * math.log(600.0), n + 2
        if math.isfinite(plot.v_up):
            up, var = np.array([0, 0, 0, *spot.u]), 1.5**2 + q_up * abs(delta)
            nu_up = plot.v_up - spot.u @ x[3:]
            if plot.kind == lay.MESSAGE or nu_up**2 < 36.0 * (up @ P @ up + var):
                fold([up], [nu_up], [var])
            else:  # as likely as one over ±30 m/s
                log_l, n = log_l + math.log(0.02) - math.log(60.0), n + 1
        if math.isfinite(plot.turn):
            log_l += turn_log_likelihood(plot.turn, m)
        return x, doubting(P, spot.u, refused), d2, log_l, n

    held = kept_up(plot, P, spot.u) if n == 0 else None

    def looked() -> tuple[tuple[float, float, float, float], F64]:
        at = np.concatenate([shift @ x, x[3:]])
        H = jacobian(at, plot.site)
        H[:3] = H[:3, :3] @ shift
        return seen(at, plot.site), H

    (slant, azimuth, _, _), H = looked()
    steep = plot.site[9:] @ (shift @ x - plot.site[:3]) / slant
    pressure = not (math.isfinite(plot.h) or math.isfinite(plot.elevation) or held is not None)
    nu_r, var_r = plot.slant_range - slant, plot.var_range + pressure * steep**2 * track.var_baro + q * drift
    nu_a, var_a = near_angle(plot.azimuth - azimuth), plot.var_azimuth + q * drift * float(H[1, :3] @ H[1, :3])
    if plot.kind == lay.POLAR:
        fold(H[:2], [nu_r, nu_a], [var_r, var_a], held)
    else:
        fold(H[1:2], [nu_a], [var_a])
    if math.isfinite(plot.elevation):
        (_, _, elevation, _), H = looked()
        var_e = plot.var_elevation + q * drift * float(H[2, :3] @ H[2, :3])
        fold(H[2:3], [near_angle(plot.elevation - elevation)], [var_e])
    if math.isfinite(plot.range_rate):
        (_, _, _, rate), H = looked()
        fold(H[3:], [plot.range_rate - rate], [plot.var_range_rate + q * abs(delta)], held)
    return x, doubting(P, spot.u, refused), d2, log_l, n


def update(track: Mixture, plots: list[Plot], delta: list[float], detect: float, motion: F64) -> Any:
    """Update one track alone with its gated plots by enumerating what may have happened.

    The target doesn't exist; it exists and was missed; it exists and plot j is its own, in each motion model.
    Returns the new mixture and the probability of each plot.
    """
    r = track.existence
    likelihood = np.empty((len(plots), 4))
    states: list[list[Any]] = []
    for j, plot in enumerate(plots):
        states.append([])
        for m in range(4):
            x, P, _, log_l, _ = condition(plot, track, m, delta[j], motion[lay.M_Q + m], motion[lay.M_Q_UP + m])
            states[j].append((x, P))
            likelihood[j, m] = math.exp(log_l - plot.log_clutter)
    joint = r * detect * track.mu * likelihood  # (plots, models): exists, plot j, model m
    missed = r * (1.0 - detect) * track.mu  # (models,): exists, no plot
    total = (1.0 - r) + missed.sum() + joint.sum()
    exists = (missed.sum() + joint.sum()) / total
    mu = missed + joint.sum(axis=0)
    x, P = np.empty((4, 6)), np.empty((4, 6, 6))
    for m in range(4):
        weight = np.concatenate([[missed[m]], joint[:, m]]) / mu[m]
        x[m], P[m] = moments(
            np.array([track.x[m], *(states[j][m][0] for j in range(len(plots)))]),
            np.array([track.P[m], *(states[j][m][1] for j in range(len(plots)))]),
            weight,
        )
    return replace(track, x=x, P=P, mu=mu / mu.sum(), existence=exists), joint.sum(axis=1) / total


# --- builders ---------------------------------------------------------------------------------------------------


def site_at(lat: float, lon: float, h: float = 100.0) -> F64:
    """Return one row of the kernels' sites."""
    sites = np.empty((1, 12))
    sites_of_geodetic(np.array([lat]), np.array([lon]), np.array([h]), sites)
    return sites[0]


def random_track(rng: np.random.Generator, lat: float, lon: float, h: float, *, spread: float = 1.0) -> Mixture:
    """Return a well-formed track near a place: models that differ a little, full covariances."""
    R = axes(lat, lon)
    centre = ecef(lat, lon, h)
    velocity = R.T @ np.array([*rng.normal(0.0, 200.0, 2), rng.normal(0.0, 5.0)])
    x, P = np.empty((4, 6)), np.empty((4, 6, 6))
    sigma = np.array([300.0, 300.0, 200.0, 20.0, 20.0, 5.0]) * spread
    T = np.kron(np.eye(2), R)
    for m in range(4):
        A = rng.normal(size=(6, 6)) * sigma[:, None]
        P_enu = A @ A.T / 6.0 + np.diag((0.3 * sigma) ** 2)
        P[m] = T.T @ P_enu @ T
        x[m] = np.concatenate([centre, velocity]) + T.T @ (rng.normal(size=6) * sigma * 0.3)
    mu = rng.dirichlet(np.array([6.0, 2.0, 2.0, 1.0])) * 0.98 + 0.005
    return Mixture(x, P, mu / mu.sum(), float(rng.uniform(0.2, 0.99)), 30.0, 150.0**2, 0.0)


def plot_of(
    rng: np.random.Generator, truth: F64, site: F64, kind: int = lay.POLAR, *, noise: float = 1.0, **has: bool
) -> Plot:
    """Return a noisy plot of a state (6,) in ECEF with what `has` names.

    elevation, range_rate, h, h_baro, velocity, climb, turn, lag
    """
    plot = Plot(kind, site)
    slant, azimuth, elevation, rate = seen(truth, site)
    lat, lon, h = geodetic(truth[:3])
    R = axes(lat, lon)

    def noisy(value: float, var: float) -> float:
        return value + noise * math.sqrt(var) * float(rng.normal())

    if kind in (lay.POSITION, lay.MESSAGE):
        ve, vn, climb = R @ truth[3:]
        if kind == lay.POSITION:
            plot.p = truth[:3] + R.T @ np.array([noisy(0.0, plot.var_p), noisy(0.0, plot.var_p), 0.0])
        if has.get("velocity"):
            plot.v_east, plot.v_north = noisy(ve, plot.var_v), noisy(vn, plot.var_v)
        if has.get("climb"):
            plot.v_up = noisy(climb, 2.25)
        if has.get("turn"):
            plot.turn = noisy(0.0, 0.03**2)
        if has.get("lag"):
            plot.lag, plot.var_lag = 0.4, 0.1**2
    else:
        plot.azimuth = noisy(azimuth, plot.var_azimuth)
        if kind == lay.POLAR:
            plot.slant_range = noisy(slant, plot.var_range)
        if has.get("elevation"):
            plot.elevation = noisy(elevation, plot.var_elevation)
        if has.get("range_rate"):
            plot.range_rate = noisy(rate, plot.var_range_rate)
        plot.p = truth[:3]
    if has.get("h"):
        plot.h = noisy(h, plot.var_h)
    if has.get("h_baro"):
        plot.h_baro = noisy(h - 30.0, 100.0)
    return plot
