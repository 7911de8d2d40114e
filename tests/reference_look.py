"""Plain twin of a whole look: all joint events of all tracks and plots, every hypothesis from its definition.

Slow: what it takes grows with the factorial of the plots, so a handful of each is all it's good for.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np

import reference_learn as learning
from airpicture.kernels import layout as lay
from airpicture.reports import Reports, Stations
from airpicture.store import Store
from reference_association import enumerate_marginals
from reference_measuring import position_variance
from reference_records import row_of
from reference_tracking import F64, Mixture, Plot, axes, condition, geodetic, moments, predict, up_at, wrapped


def plot_of_row(z: F64, site: F64) -> Plot:
    """Return a row of registered plots as the twins read it."""
    plot = Plot(int(z[lay.Z_KIND]), site, z[lay.Z_P : lay.Z_P + 3].copy(), float(z[lay.Z_RANGE]))
    plot.azimuth = math.atan2(z[lay.Z_SIN], z[lay.Z_COS])
    plot.elevation, plot.range_rate = float(z[lay.Z_ELEVATION]), float(z[lay.Z_RANGE_RATE])
    plot.h, plot.var_h, plot.h_baro = float(z[lay.Z_H]), float(z[lay.Z_VAR_H]), float(z[lay.Z_H_BARO])
    plot.v_east, plot.v_north = float(z[lay.Z_V_EAST]), float(z[lay.Z_V_NORTH])
    plot.var_range, plot.var_azimuth = float(z[lay.Z_VAR_RANGE]), float(z[lay.Z_VAR_AZIMUTH])
    plot.var_elevation, plot.var_range_rate = float(z[lay.Z_VAR_ELEVATION]), float(z[lay.Z_VAR_RANGE_RATE])
    plot.var_p, plot.var_v = float(z[lay.Z_VAR_P]), float(z[lay.Z_VAR_V])
    plot.v_up, plot.turn = float(z[lay.Z_V_UP]), float(z[lay.Z_TURN])
    plot.lag, plot.var_lag = float(z[lay.Z_LAG]), float(z[lay.Z_VAR_LAG])
    plot.log_clutter, plot.learn = float(z[lay.Z_LOG_CLUTTER]), float(z[lay.Z_LEARN])
    return plot


def unsure(track: Mixture, m: int) -> tuple[float, float]:
    """Return the variances of where model m of a predicted track is, across the straight model's course and along."""
    u = up_at(track.x[0, :3])
    level = track.x[0, 3:] - (track.x[0, 3:] @ u) * u
    speed = float(np.linalg.norm(level))
    P = track.P[m, :3, :3]
    if not speed > 20.0:
        even = 0.5 * float(np.trace(P) - u @ P @ u)
        return even, even
    along, across = level / speed, np.cross(level / speed, u)
    return float(across @ P @ across), float(along @ P @ along)


def worth(off: float, vague: float, var: float) -> float:
    """Return how much a squared innovation tells of `var`: less where `vague` may explain it, all where both don't."""
    return 1.0 if off > 6.0 * (var + vague) else var / (var + vague)


def errors_learnt(
    track: Mixture, across: float, along: float, plot: Plot, m: int, pair: float, vague: float
) -> Mixture:
    """Follow how far reported positions are off, across the course and in time, each surprise bounded.

    pair, vague : what the way from the position before tells of that across, and how vaguely; infinite where no
        velocities are told
    """
    told = math.isfinite(vague)
    claims = plot.learn != 1.0
    held = (plot.var_p * track.scale_pos if claims else track.var_pos) or plot.var_p
    speed2 = float(track.x[0, 3:] @ track.x[0, 3:])
    fast = speed2 > (20.0 if told else 50.0) ** 2
    beside, ahead = unsure(track, m)
    if vague < beside:
        across, beside = pair - vague, vague
    found, open_ = (across, beside) if fast else (0.5 * (across + along), 0.5 * (beside + ahead))
    tells = worth(found + open_, open_, held) if told else 1.0
    found = found if told else max(found, 0.0)
    count = track.count_pos + tells
    gain = max(0.05, 1.0 / (count + (12.0 if claims else 3.0)))
    held += gain * tells * (min(found, 4.0 * held) - held)
    new = replace(track, count_pos=count)
    if fast:
        usual = max(track.var_time, 0.0) + held / speed2
        late = min(max((along - held) / speed2, -4.0 * usual), 4.0 * usual)
        worth_of_it = worth(along + ahead, ahead, usual * speed2) if told else 1.0
        late = track.var_time + gain * worth_of_it * (late - track.var_time)
        new.var_time = min(max(late, -0.25 * held / speed2), 1.0)
    if claims:
        new.scale_pos = min(max(held, 0.25), max(plot.var_p, 4e6)) / plot.var_p
    else:
        new.var_pos = min(max(held, 0.25), 16.0 * plot.var_p)
    return new


def pace_learnt(
    track: Mixture, plot: Plot, store: Store, i: int, t: int, t_w: int
) -> tuple[float, float, float, float]:
    """Return the variance of reported velocities beyond their claims, what of the plot's distance along lasts [m²], and
    what the way between two positions tells of their variance, and how vaguely [m²].

    Two positions in turn against the reported velocity; it counts where the track lay off to that side before.
    """
    since, ago = (t - int(store.t_plot[i])) * 1e-9, (t_w - int(store.t_plot[i])) * 1e-9
    last = np.array(store.last_p[i])
    if not 0.2 <= since <= 15.0 or last @ last < 1.0:
        return track.pace, 0.0, 0.0, math.inf
    mean = track.mu @ track.x / track.mu.sum()
    lat, lon, _ = geodetic(plot.p)
    level = axes(lat, lon)[:2]
    course = level @ mean[3:]
    speed = float(np.linalg.norm(course))
    if not speed > 20.0:
        return track.pace, 0.0, 0.0, math.inf
    turned = np.array([course / speed, [course[1] / speed, -course[0] / speed]]) @ level  # along and across
    told = math.isfinite(plot.v_east) and math.isfinite(plot.v_north)
    said = turned @ level.T @ np.array([plot.v_east, plot.v_north]) if told else turned @ mean[3:]
    off = turned @ (plot.p - mean[:3] - mean[3:] * (since - ago - plot.lag))
    was = turned @ (last - mean[:3] - mean[3:] * (-ago - plot.lag))
    way = turned @ (plot.p - last)
    wrong = way / since - said
    var = position_variance(plot, track)
    noise = 2.0 * (var + np.array([max(track.var_time, 0.0) * speed**2, 0.0])) / since**2
    lasts = was**2 > 0.25 * var
    trusted = track.pace + plot.var_v
    surprising = np.sign(wrong * was) * np.minimum(wrong**2, 4.0 * (max(track.pace, 0.0) + plot.var_v))
    found = np.where(lasts, surprising, np.minimum(wrong**2 - noise, track.pace))
    slow = 0.05 * max(track.pace, 0.0) / (max(track.pace, 0.0) + noise)
    gain = np.where(lasts, np.where(wrong * was > 0.0, 0.2, 0.1), slow)
    pace = max(track.pace + 0.5 * float(gain @ (found - track.pace)), min(track.pace, 0.0))
    change = said - turned @ mean[3:]
    stale = float(change @ change) / 16.0
    if told and not (lasts & (wrong * was > 0.0)).any() and pace <= 0.0:
        between = way / since - (said + turned @ mean[3:]) / 2.0
        share = trusted / (trusted + noise + stale)
        seen = np.minimum(2.0 * (between**2 - noise - stale), 4.0 * trusted) - trusted
        pace = min(pace + 0.1 * float(share**2 @ seen), 0.0)
    both = (said + turned @ mean[3:]) / 2.0
    pair, vague = 0.0, math.inf
    if told and np.linalg.norm(both) > 20.0:
        pair = 0.5 * float(both[0] * way[1] - both[1] * way[0]) ** 2 / float(both @ both)
        vague = since**2 * (0.25 * trusted + stale)
    return min(max(pace, max(plot.var_v / 16.0, 0.09) - plot.var_v), 4e4), float(off[0] * was[0]), pair, vague


def pressure_learnt(track: Mixture, plot: Plot) -> Mixture:
    """Learn the offset of the air's pressure from a plot with both heights: a Kalman filter of one number."""
    if not (math.isfinite(plot.h) and math.isfinite(plot.h_baro)):
        return track
    var = track.var_baro + 1.0
    gain = var / (var + 225.0)
    off = plot.h - plot.h_baro - track.d_baro
    return replace(track, d_baro=track.d_baro + gain * off, var_baro=(1.0 - gain) * var)


def turn_learnt(before: F64, now: F64, known: float, dt: float, memory: float) -> float:
    """Follow the turn of the level course [rad/s, to the left]: a mean that forgets, slow targets' courses doubted."""
    lat, lon, _ = geodetic(now[:3])
    R = axes(lat, lon)[:2]
    one, two = R @ before, R @ now[3:6]
    angle = wrapped(math.atan2(two[1], two[0]) - math.atan2(one[1], one[0]))
    speed2 = float(two @ two)
    most = min(0.12, 90.0 / math.sqrt(max(speed2, 1.0)))
    turned = min(max(angle / dt, -most), most)
    return known + (1.0 - math.exp(-dt / memory)) * speed2 / (speed2 + 15.0**2) * (turned - known)


def _plain(z: F64) -> bool:
    told = (lay.Z_ELEVATION, lay.Z_RANGE_RATE, lay.Z_H, lay.Z_H_BARO, lay.Z_TURN)
    return int(z[lay.Z_KIND]) == lay.POLAR and not any(math.isfinite(z[k]) for k in told)


def thinned(W: F64) -> F64:
    """Return odds, 0 where a track would have less than a thousandth of a plot; see `kernels.thinning`."""
    of_plot, of_track = W.sum(axis=0), W.sum(axis=1)
    to_track = W / (1.0 + np.maximum(of_plot[None, :] - W, 0.0))
    to_plot = W / (1.0 + np.maximum(of_track[:, None] - W, 0.0))
    t = 1.0 + to_track.sum(axis=1)[:, None] - to_track
    u = 1.0 + to_plot.sum(axis=0)[None, :] - to_plot
    return np.where(1e-3 * t * u > W, 0.0, W)


def look(
    store: Store,
    pairs: dict[int, list[int]],
    reports: Reports,
    stations: Stations,
    motion: F64,
    gates: F64,
    lifetime: float,
    confirm: float,
    confirm_plots: int,
) -> tuple[F64, dict[int, str]]:
    """Do a look; `store` is overwritten. Return the probability that each plot is some track's, and who did what.

    pairs : rows of the store, and the plots that each may own, as the index found them
    """
    plots = [plot_of_row(z, stations.sites[s]) for z, s in zip(reports.Z, reports.sensor, strict=True)]
    rows = [i for i in pairs if store.status[i] != 3]
    ahead: dict[int, Mixture] = {}
    t_w: dict[int, int] = {}
    given: dict[tuple[int, int], list[Any]] = {}
    detect: dict[int, float] = {}
    W = np.zeros((len(rows), reports.size))
    for w, i in enumerate(rows):
        t = max(int(store.t_ns[i]), *(int(reports.t_ns[j]) for j in pairs[i]))
        track = predict(Mixture.of_row(row_of(store, i)), (t - int(store.t_ns[i])) * 1e-9, motion)
        track.existence *= math.exp(-max(t - int(store.t_aged[i]), 0) * 1e-9 / lifetime)
        ahead[i], t_w[i] = track, t
        for j in pairs[i]:
            delta = (int(reports.t_ns[j]) - t) * 1e-9
            parts = [condition(plots[j], track, m, delta, motion[m], motion[4 + m]) for m in range(4)]
            if any(part[2] < gates[part[4]] for part in parts):
                given[i, j] = parts
        mine = [j for j in pairs[i] if (i, j) in given]
        if not mine:
            continue
        s = int(reports.sensor[mine[0]])
        one = np.array([i])
        turn, pd = float(stations.period[s]), float(stations.pd[s])
        detect[i] = learning.detection(store, one, np.array([t]), s, turn, pd)[0]
        believed = track.existence * learning.expected(store, one, np.array([t]), s, turn, pd)[0]
        odds = believed / (1.0 - believed)
        for j in mine:
            log_l = np.array([part[3] for part in given[i, j]]) - plots[j].log_clutter
            code = learning.identity_score(store, one, reports, np.array([j], np.int32))[0]
            W[w, j] = odds * float(track.mu @ np.exp(log_l)) * math.exp(code)
    if all(_plain(reports.Z[j]) for mine in pairs.values() for j in mine):
        W = thinned(W)
        for w, i in enumerate(rows):
            mine = [j for j in pairs[i] if (i, j) in given]
            left = [j for j in mine if W[w, j] > 0.0] or mine[:1]
            for j in mine:
                if j not in left:
                    del given[i, j]
    weight, _ = enumerate_marginals(W)
    did: dict[int, str] = {}
    for w, i in enumerate(rows):
        mine = [j for j in pairs[i] if (i, j) in given]
        if not mine:
            continue
        track = ahead[i]
        got = float(weight[w].sum())
        r, d = track.existence, detect[i]
        alive = (1.0 - got) * (1.0 - d) * r / (1.0 - r * d)
        exists = min(got + alive, 1.0 - 1e-9)
        did[i] = "looked at"
        top = max(mine, key=lambda j: (weight[w, j], j))
        if got >= 1e-4:
            did[i] = "moved" if got < 0.5 else "took"
            joint = {j: weight[w, j] * _shares(track, given[i, j]) for j in mine}  # (4,) shares of the modes, each
            missed = alive * track.mu
            mu = missed + np.sum(list(joint.values()), axis=0)
            x, P = np.empty((4, 6)), np.empty((4, 6, 6))
            for m in range(4):
                parts = np.array([missed[m], *(joint[j][m] for j in mine)]) / mu[m]
                x[m], P[m] = moments(
                    np.array([track.x[m], *(given[i, j][m][0] for j in mine)]),
                    np.array([track.P[m], *(given[i, j][m][1] for j in mine)]),
                    parts,
                )
            new = replace(track, x=x, P=P, mu=mu / mu.sum())
            z = plots[mine[0]]
            if z.kind == lay.POLAR and not any(math.isfinite(h) for h in (z.h, z.h_baro, z.elevation)):
                new.h_mean, new.h_var = geodetic(z.p)[2], min(motion[lay.M_H_VAR], (0.2 * z.slant_range) ** 2)
            best = plots[top]
            if weight[w, top] >= 0.9 and best.kind == lay.POSITION:
                fit = int(np.argmax(track.mu * np.exp([part[3] for part in given[i, top]])))
                delta = (int(reports.t_ns[top]) - t_w[i]) * 1e-9
                across, along = _found(track, fit, best, delta, motion[fit], motion[4 + fit])
                track.pace, lasting, pair, vague = pace_learnt(track, best, store, i, int(reports.t_ns[top]), t_w[i])
                new.pace = track.pace
                claims = best.learn != 1.0
                turns = fit in (lay.LEFT, lay.RIGHT)
                learnt = track
                if not (claims and turns):
                    learnt = errors_learnt(track, across, along - lasting, best, fit, pair, vague)
                new.count_pos, new.var_pos = learnt.count_pos, learnt.var_pos
                new.scale_pos, new.var_time = learnt.scale_pos, learnt.var_time
            if weight[w, top] > 0.9:
                new = pressure_learnt(new, best)
                new.turn = best.turn if math.isfinite(best.turn) else new.turn
            track = new
        row = row_of(store, i)  # what a mixture doesn't hold stays
        row[: lay.VAR_BARO + 1], row[lay.VAR_POS : lay.VAR_COMMON] = _parts(track.row())
        row[lay.H_MEAN : lay.H_VAR + 1] = track.h_mean, track.h_var
        row[lay.VAR_V] = track.pace
        row[lay.SCALE_POS], row[lay.VAR_TIME], row[lay.TURN] = track.scale_pos, track.var_time, track.turn
        if track.count_pos > ahead[i].count_pos:
            said = plots[top].var_p
            doubt = min(max(0.6 - track.scale_pos, 0.0) / 0.2, 1.0)
            hidden = min(doubt * max(said - said * track.scale_pos, 0.0), 900.0)
            row[lay.VAR_COMMON] = said if plots[top].learn == 1.0 else hidden
        row[lay.EXISTENCE] = exists
        if did[i] != "looked at":
            before = store.summary[i, 3:6].astype(float)
            _summarise(store, i, track)
            gap = (t_w[i] - int(store.t_ns[i])) * 1e-9
            if gap > 0.02 and not math.isfinite(plots[top].turn):
                row[lay.TURN] = turn_learnt(
                    before, store.summary[i].astype(float), track.turn, gap, motion[lay.M_TURN_SECONDS]
                )
        s = int(reports.sensor[top])
        learning.learn(
            store,
            np.array([i]),
            row[None],
            np.array([t_w[i]]),
            np.array([min(got, 1.0)]),
            np.array([top]),
            reports,
            s,
            float(stations.period[s]),
            confirm,
            confirm_plots,
        )
    _settle_rivals(store, rows, weight)
    return weight.sum(axis=0), did


def _settle_rivals(store: Store, rows: list[int], weight: F64) -> None:
    """Count against the younger of two tracks that share one plot; end it in time."""
    contested = set()
    got = weight.sum(axis=1)
    last: dict[int, int] = {}
    for b in range(len(rows)):
        for j in np.flatnonzero(weight[b] > 0.1).tolist():
            if j in last:
                a = last[j]
                old, young = sorted((rows[a], rows[b]), key=lambda i: int(store.number[i]))
                one, two = store.summary[old].astype(float), store.summary[young].astype(float)
                d = one[:6] - two[:6]
                both = one[6:8] ** 2 + two[6:8] ** 2
                close = d[:3] @ d[:3] <= 9.0 * (both[0] + 100.0) and d[3:] @ d[3:] <= 9.0 * (both[1] + 1.0)
                named = (
                    store.address[old] >= 0 and store.address[young] >= 0 and store.address[old] != store.address[young]
                )
                if got[a] + got[b] <= 1.4 and store.status[young] != 3 and not named and close:
                    contested.add(young)
                    store.rivalry[young] += 1
                    if store.status[young] == 0 or store.rivalry[young] >= 3:
                        store.misses[young] = store.misses[young] if store.status[young] == 0 else -1
                        store.status[young], store.existence[young] = 3, 0.0
            last[j] = b
    for w, i in enumerate(rows):
        if got[w] > 0.5 and i not in contested:
            store.rivalry[i] = 0


def _parts(row: F64) -> tuple[F64, F64]:
    return row[: lay.VAR_BARO + 1], row[lay.VAR_POS : lay.VAR_COMMON]


def _shares(track: Mixture, parts: list[Any]) -> F64:
    """Return how likely each mode is, were the plot the track's."""
    log_l = np.array([part[3] for part in parts])
    each = track.mu * np.exp(log_l - log_l.max())
    share: F64 = each / each.sum()
    return share


def _found(track: Mixture, m: int, plot: Plot, delta: float, q: float, q_up: float) -> tuple[float, float]:
    """Return the squares of how far a reported position is off, less what the prediction (height folded) explains.

    First across the straight model's course, then along it.
    """
    x, P = track.x[m], track.P[m]
    if math.isfinite(plot.h) or math.isfinite(plot.h_baro):
        far = replace(plot, var_p=1e30, v_east=math.nan, v_north=math.nan, v_up=math.nan, learn=0.0)
        x, P, *_ = condition(far, track, m, delta, q, q_up)
    lat, lon, _ = geodetic(plot.p)
    so, co, sl, cl = math.sin(lon), math.cos(lon), math.sin(lat), math.cos(lat)
    level = np.array([[-so, co, 0.0], [-sl * co, -sl * so, cl]])
    course = level @ track.x[0, 3:]
    speed = float(np.linalg.norm(course))
    east, north = course / speed if speed > 20.0 else (1.0, 0.0)
    level = np.array([[-north, east], [east, north]]) @ level
    delta -= plot.lag
    H = np.hstack([level, delta * level])
    off = level @ plot.p - H @ x
    across, along = off**2 - np.diagonal(H @ P @ H.T)
    return float(across), float(along)


def _summarise(store: Store, i: int, track: Mixture) -> None:
    mean, P = track.moments()
    lat, lon, _ = geodetic(mean[:3])
    up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
    level = np.eye(3) - np.outer(up, up)
    store.summary[i, :6] = mean
    store.summary[i, lay.S_SIGMA_P] = math.sqrt(np.trace(level @ P[:3, :3]))
    store.summary[i, lay.S_SIGMA_V] = math.sqrt(np.trace(level @ P[3:, 3:]))
