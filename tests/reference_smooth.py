"""Plain twin of the smoother: whole matrices, one track, past and future as two filters, each from its definition."""

import math
from dataclasses import replace

import numpy as np

from airpicture.kernels import layout as lay
from airpicture.kernels.bank import SCRATCH
from airpicture.kernels.begin import begin_state
from reference_look import plot_of_row, turn_learnt
from reference_tracking import F64, Mixture, Plot, Spot, condition, moments, predict, unpacked

TURNED = np.diag([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])
SWAPPED = [lay.STRAIGHT, lay.RIGHT, lay.LEFT, lay.AGILE]


def mirrored(track: Mixture) -> Mixture:
    """Return a track as it is where time runs the other way."""
    x, P, mu = track.x[SWAPPED] @ TURNED, TURNED @ track.P[SWAPPED] @ TURNED, track.mu[SWAPPED]
    return replace(track, x=x, P=P, mu=mu, turn=-track.turn)


def fused(past: Mixture, future: Mixture, motion: F64) -> Mixture:
    """Fuse two views by adding what they know, and take out the prior along up that both brought along."""
    x, P, log = np.empty((4, 6)), np.empty((4, 6, 6)), np.empty(4)
    ranged = past.h_var > 0.0
    mean, var = (past.h_mean, past.h_var) if ranged else (motion[lay.M_H_MEAN], motion[lay.M_H_VAR])
    for m in range(4):
        S = past.P[m] + future.P[m]
        d = future.x[m] - past.x[m]
        log[m] = -0.5 * (d @ np.linalg.solve(S, d) + np.linalg.slogdet(S)[1])
        log[m] += math.log(past.mu[m] * future.mu[m] / motion[lay.M_SHARE + m])
        Y = np.linalg.inv(past.P[m]) + np.linalg.inv(future.P[m])
        P[m] = np.linalg.inv(Y)
        x[m] = past.x[m] + P[m] @ np.linalg.solve(future.P[m], d)
        spot = Spot(x[m, :3])
        for h, value, centre, most in (
            (np.concatenate([spot.u, np.zeros(3)]), spot.h, mean, var),
            (np.concatenate([np.zeros(3), spot.u]), None, 0.0, motion[lay.M_CLIMB_VAR]),
        ):
            s = float(h @ P[m] @ h)
            if 1e-4 * most < s < 0.75 * most:
                told = float(h @ x[m]) if value is None else value
                K = P[m] @ h / (s - most)
                x[m], P[m] = x[m] + K * (centre - told), P[m] - np.outer(K, h @ P[m])
    mu = np.maximum(np.exp(log - log.max()), 1e-9)
    return replace(past, x=x, P=P, mu=mu / mu.sum())


def begun(z: F64, site: F64, motion: F64, life: F64) -> Mixture:
    T = np.zeros(SCRATCH)
    begin_state(z[None], 0, site[None], 0, motion, life, T, 0)
    row = T[: 4 * lay.MODEL : 4]
    share = motion[lay.M_SHARE : lay.M_SHARE + 4].copy()
    return Mixture(np.tile(row[:6], (4, 1)), np.tile(unpacked(row[6:]), (4, 1, 1)), share, 1.0)


def folded(track: Mixture, plot: Plot, motion: F64) -> Mixture:
    """Fold a plot into a predicted track."""
    parts = [condition(plot, track, m, 0.0, motion[lay.M_Q + m], motion[lay.M_Q_UP + m]) for m in range(4)]
    log = np.array([part[3] for part in parts])
    mu = track.mu * np.exp(log - log.max())
    mu = np.maximum(mu / mu.sum(), 1e-9)
    return replace(track, x=np.array([p[0] for p in parts]), P=np.array([p[1] for p in parts]), mu=mu)


def reached(track: Mixture, z: F64, site: F64, motion: F64) -> Mixture:
    """Note how high something may be that a plot tells no height of."""
    if z[lay.Z_KIND] != lay.POLAR or any(math.isfinite(z[k]) for k in (lay.Z_H, lay.Z_H_BARO, lay.Z_ELEVATION)):
        return track
    var = min(motion[lay.M_H_VAR], (0.2 * z[lay.Z_RANGE]) ** 2)
    return replace(track, h_mean=Spot(z[lay.Z_P : lay.Z_P + 3]).h, h_var=var)


def filtered(Z: F64, t: F64, site: F64, motion: F64, life: F64) -> list[Mixture]:
    """Return the track after each plot."""
    out = [begun(Z[0], site, motion, life)]
    for k in range(1, len(Z)):
        before, gap = out[-1], t[k] - t[k - 1]
        ahead = reached(predict(before, gap, motion), Z[k], site, motion)
        track = folded(ahead, plot_of_row(Z[k], site), motion)
        was, now = before.moments()[0], track.moments()[0]
        turn = turn_learnt(was[3:], now, before.turn, gap, motion[lay.M_TURN_SECONDS]) if was[3:].any() else 0.0
        out.append(replace(track, turn=turn))
    return out


def smoothed(Z: F64, t: F64, site: F64, motion: F64, life: F64) -> list[tuple[F64, F64]]:
    """Return mean (6,) and covariance (6, 6) in ECEF at each plot, given all of them; t : s."""
    back = Z.copy()
    back[:, [lay.Z_RANGE_RATE, lay.Z_V_EAST, lay.Z_V_NORTH, lay.Z_V_UP, lay.Z_TURN, lay.Z_LAG]] *= -1.0
    past = filtered(Z, t, site, motion, life)
    future = filtered(back[::-1], -t[::-1], site, motion, life)[::-1]
    out = []
    for k in range(len(Z)):
        views = [] if k == 0 else [predict(past[k - 1], t[k] - t[k - 1], motion)]
        if k + 1 < len(Z):
            views.append(mirrored(predict(future[k + 1], t[k + 1] - t[k], motion)))
        rest = fused(views[0], views[1], motion) if len(views) == 2 else views[0]
        done = folded(rest, plot_of_row(Z[k], site), motion)
        out.append(moments(done.x, done.P, done.mu))
    return out
