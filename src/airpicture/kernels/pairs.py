"""Score pairs of track and plot, and fold shared-out plots into tracks: the second half of the IMM with joint
probabilistic data association.

Both use one function, `condition`: a model's predicted state given that a plot is its own.
"""

import math
from typing import Any

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64, I32, I64, U8
from airpicture.kernels.layout import (
    COUNT_POS,
    D_BARO,
    EXISTENCE,
    H_MEAN,
    H_VAR,
    M_H_VAR,
    M_Q,
    M_Q_UP,
    MODE,
    MODEL,
    MODELS,
    POLAR,
    SHARED,
    STATE,
    VAR_BARO,
    VAR_COMMON,
    VAR_POS,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LEARN,
    Z_LOG_CLUTTER,
    Z_P,
    Z_RANGE,
    Z_VAR_P,
)
from airpicture.kernels.measure import (
    HEIGHT_GARBLED,
    X_H,
    X_NU,
    X_R,
    fold,
    height_component,
    plane_components,
    shift_innovations,
)
from airpicture.kernels.predict import at
from airpicture.kernels.wgs84 import height_of, up_of

LOG_2PI = math.log(2.0 * math.pi)
LOG_HEIGHTS = math.log(15_000.0)  # false heights are spread over 15 km
LOG_GARBLED = math.log(0.02)  # share of real replies whose height is wrong
VAR_POS_SURPRISE = 4.0
VAR_POS_LEAST = 0.25  # m²: 0.5 m, the step of I020/042 and I010/042
VAR_H_UNKNOWN = 1e6  # m²: a height known to 1 km, or a tenth of the range, has been measured by something
PAIR_SCRATCH = 256  # tmp of `score_pairs` and `update_rows`: that of `measure`, and 27 + 21 sums from X_SUM on
X_UP = 166
X_SUM = 176


@inline
def _variance(V: F64, tmp: F64, c: int) -> Any:
    """Return S of component c against the state in V."""
    h = X_H + 6 * c
    s = tmp[X_R + c]
    for a in range(STATE):
        r = 0.0
        for b in range(STATE):
            r += V[0, STATE + at(a, b)] * tmp[h + b]
        s += r * tmp[h + a]
    return s


@inline
def _up_moments(V: F64, ux: float, uy: float, uz: float, tmp: F64) -> None:
    """Write what V[0] says along up to tmp[X_UP:]: mean of position and velocity, and their three second moments."""
    for k in range(5):
        tmp[X_UP + k] = 0.0
    for a in range(3):
        ua = ux if a == 0 else (uy if a == 1 else uz)
        tmp[X_UP] += ua * V[0, a]
        tmp[X_UP + 1] += ua * V[0, 3 + a]
        for b in range(3):
            ub = ux if b == 0 else (uy if b == 1 else uz)
            tmp[X_UP + 2] += ua * ub * V[0, STATE + at(a, b)]
            tmp[X_UP + 3] += ua * ub * V[0, STATE + at(3 + a, b)]
            tmp[X_UP + 4] += ua * ub * V[0, STATE + at(3 + a, 3 + b)]


@inline
def _give_back(V: F64, ux: float, uy: float, uz: float, x: float, v: float, pp: float, pv: float, vv: float) -> None:
    """Add to V[0] along up: to the means x and v, to the second moments pp, pv and vv."""
    for a in range(3):
        ua = ux if a == 0 else (uy if a == 1 else uz)
        V[0, a] += x * ua
        V[0, 3 + a] += v * ua
        for b in range(3):
            ub = ux if b == 0 else (uy if b == 1 else uz)
            if b <= a:
                V[0, STATE + at(a, b)] += pp * ua * ub
                V[0, STATE + at(3 + a, 3 + b)] += vv * ua * ub
            V[0, STATE + at(3 + a, b)] += pv * ua * ub


@inline
def condition(
    Z: F64, j: int, sites: F64, k0: int, V: F64, delta: float, q: float, q_up: float, tmp: F64
) -> tuple[float, float, int]:
    """Fold plot j into the state in V[0, :27]; return (d², log likelihood, number of components), number -1 on failure.

    Height goes first and the rest is linearised after it: a first height moves a position under a slant range
    along an arc, which the tangent alone would miss by h²/2r. A height far off is taken as garbled and left out.
    V[0] also holds D_BARO and VAR_BARO of the track.

    Slant ranges and azimuths of one radar tell next to nothing of a height that nobody measured; but linearised at a
    wrong one, look after look, they seem to. So while the height is unknown they don't move it: what the update took
    from the uncertainty along up is given back. With D what an optimal gain takes off P, and U the projection on up, a
    gain that leaves up alone gives P - D + U D U exactly.
    Source: Schmidt's consider filter; Jazwinski, "Stochastic Processes and Filtering Theory", 1970, section 8.4.
    """
    d2 = 0.0
    log_s = 0.0
    n = 0
    extra = 0.0
    if height_component(Z, j, V, 0, 0, delta, q_up, tmp) == 1:
        s = _variance(V, tmp, 0)
        nu = tmp[X_NU]
        if nu * nu < HEIGHT_GARBLED * s:
            fold(V, 0, 0, tmp, 0)
            d2 += nu * nu / s
            log_s += math.log(s) + LOG_2PI
            n = 1
        else:
            extra = LOG_GARBLED - LOG_HEIGHTS
    count = plane_components(Z, j, sites, k0, V, 0, 0, delta, q, tmp, 0)
    if count < 0:
        return 0.0, 0.0, -1
    ux, uy, uz = up_of(V[0, 0], V[0, 1], V[0, 2])
    _up_moments(V, ux, uy, uz, tmp)
    blind = n == 0 and int(Z[j, Z_KIND]) == POLAR and not math.isfinite(Z[j, Z_ELEVATION])
    blind = blind and tmp[X_UP + 2] > min(VAR_H_UNKNOWN, (0.1 * Z[j, Z_RANGE]) ** 2)
    x, v, pp, pv, vv = tmp[X_UP], tmp[X_UP + 1], tmp[X_UP + 2], tmp[X_UP + 3], tmp[X_UP + 4]
    for c in range(count):
        nu = tmp[X_NU + c]
        part, s = fold(V, 0, 0, tmp, c)
        shift_innovations(tmp, c, count, nu / s)
        d2 += part
        log_s += math.log(s) + LOG_2PI
    if blind:
        _up_moments(V, ux, uy, uz, tmp)
        _give_back(
            V,
            ux,
            uy,
            uz,
            x - tmp[X_UP],
            v - tmp[X_UP + 1],
            pp - tmp[X_UP + 2],
            pv - tmp[X_UP + 3],
            vv - tmp[X_UP + 4],
        )
    return d2, -0.5 * (d2 + log_s) + extra, n + count


@jit
def score_pairs(
    W: F64,
    t_w: I64,
    Z: F64,
    t_z: I64,
    sites: F64,
    sensor: I32,
    motion: F64,
    gates: F64,
    pair_track: I32,
    pair_plot: I32,
    lo: int,
    hi: int,
    V: F64,
    tmp: F64,
    score: F64,
    share: F64,
    passed: U8,
) -> None:
    """Gate each pair with the models' own innovations and give its likelihood ratio against a false plot.

    Parameters
    ----------
    W : (n, ROW) float64, predicted tracks; t_w : (n,) int64 [ns], the times they are predicted to
    Z : (M, PLOT) float64; t_z : (M,) int64 [ns]; sites : (S, 12) float64; sensor : (M,) int32
    gates : (10,) float64, limit of d² by number of components
    pair_track, pair_plot : (E,) int32; lo, hi : the part of the pairs to do
    V : (1, ROW), tmp : (PAIR_SCRATCH,) float64 workspaces
    score : (E,) float64; overwritten with log(likelihood over models / density of false plots)
    share : (E, MODELS) float64; overwritten with each model's likelihood over that of the mixture
    passed : (E,) uint8; overwritten with 1 where any model's d² is inside its gate

    Source: Bar-Shalom, Willett, Tian, "Tracking and Data Fusion", 2011, sec. 6.2 and 6.4 (JPDA, IMM with it).
    """
    for e in range(lo, hi):
        w = pair_track[e]
        j = pair_plot[e]
        delta = (t_z[j] - t_w[w]) * 1e-9
        V[0, D_BARO] = W[w, D_BARO]
        V[0, VAR_BARO] = W[w, VAR_BARO]
        V[0, VAR_POS] = W[w, VAR_POS]
        V[0, SHARED] = W[w, SHARED]
        inside = False
        best = -1e300
        for m in range(MODELS):
            for k in range(MODEL):
                V[0, k] = W[w, m * MODEL + k]
            d2, log_l, n = condition(
                Z, int(j), sites, int(sensor[j]), V, delta, motion[M_Q + m], motion[M_Q_UP + m], tmp
            )
            if n <= 0 or not math.isfinite(log_l):
                share[e, m] = -1e300
                continue
            inside = inside or d2 < gates[n]
            share[e, m] = log_l
            best = max(best, log_l)
        passed[e] = 0
        score[e] = -1e300
        if inside:
            total = 0.0
            for m in range(MODELS):
                share[e, m] = math.exp(max(share[e, m] - best, -700.0))
                total += W[w, MODE + m] * share[e, m]
            if total > 0.0:
                for m in range(MODELS):
                    share[e, m] /= total
                score[e] = best + math.log(total) - Z[j, Z_LOG_CLUTTER]
                passed[e] = 1


@inline
def learn_reach(W: F64, w: int, Z: F64, j: int, motion: F64) -> None:
    """Note between what bounds an unmeasured height lies, at the slant range of a plot that doesn't tell it.

    As `register` assumes where it places such a plot: up to 0.7 of the range, and no more than 18 km.
    """
    told = math.isfinite(Z[j, Z_H]) or math.isfinite(Z[j, Z_H_BARO]) or math.isfinite(Z[j, Z_ELEVATION])
    if int(Z[j, Z_KIND]) == POLAR and not told:
        W[w, H_MEAN] = height_of(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
        W[w, H_VAR] = min(motion[M_H_VAR], (0.2 * Z[j, Z_RANGE]) ** 2)


@inline
def learn_variance(
    W: F64,
    w: int,
    t_w: I64,
    Z: F64,
    t_z: I64,
    sites: F64,
    sensor: I32,
    motion: F64,
    start: I64,
    pair_plot: I32,
    weight: F64,
    share: F64,
    V: F64,
    tmp: F64,
) -> None:
    """Learn how much a track's reported positions scatter, where the reports themselves don't say.

    The innovation's square less what the prediction explains, under the model that fits best, averaged over some
    twenty plots. What all plots of a place have in common (a bad geometry's slow error) can't be seen so, and doesn't
    average out: it's taken to be as large as the sensor's general figure, and added where the track is shown.
    Source: Mehra, "On the identification of variances and adaptive Kalman filtering", IEEE TAC 15(2), 1970, in the
    recursive form with forgetting.
    """
    first = start[w]
    top = first
    for e in range(first, start[w + 1]):
        if weight[e] > weight[top]:
            top = e
    j = pair_plot[top]
    if weight[top] < 0.9 or Z[j, Z_LEARN] != 1.0:
        return
    fit = 0
    for m in range(MODELS):
        if W[w, MODE + m] * share[top, m] > W[w, MODE + fit] * share[top, fit]:
            fit = m
    for k in range(MODEL):
        V[0, k] = W[w, fit * MODEL + k]
    delta = (t_z[j] - t_w[w]) * 1e-9
    q = motion[M_Q + fit]
    n = plane_components(Z, int(j), sites, int(sensor[j]), V, 0, 0, delta, q, tmp, 0)
    if n < 2:
        return
    found = 0.0
    for c in range(2):
        found += 0.5 * (tmp[X_NU + c] * tmp[X_NU + c] - (_variance(V, tmp, c) - tmp[X_R + c]))
    general = Z[j, Z_VAR_P]
    held = W[w, VAR_POS] if W[w, VAR_POS] > 0.0 else general
    count = W[w, COUNT_POS] + 1.0
    # one wild report or the start of a turn must not pass for scatter: it counts four times the usual at most
    found = min(max(found, 0.0), VAR_POS_SURPRISE * held)
    held += max(0.05, 1.0 / (count + 3.0)) * (found - held)
    W[w, VAR_POS] = min(max(held, VAR_POS_LEAST), 16.0 * general)
    W[w, COUNT_POS] = count
    W[w, VAR_COMMON] = general


@jit
def update_rows(
    W: F64,
    t_w: I64,
    Z: F64,
    t_z: I64,
    sites: F64,
    sensor: I32,
    motion: F64,
    start: I64,
    pair_plot: I32,
    weight: F64,
    share: F64,
    detect: F64,
    lo: int,
    hi: int,
    V: F64,
    tmp: F64,
) -> None:
    """Fold the shared-out plots into predicted tracks, each model a mixture over "none" and its plots.

    Parameters
    ----------
    W : (n, ROW) float64, predicted tracks; overwritten with the updated ones, existence included
    start : (n + 1,) int64, pairs of track w are start[w]..start[w + 1]; pair_plot : (E,) int32
    weight : (E,) float64, probability that the plot is the track's
    share : (E, MODELS) float64 from `score_pairs`
    detect : (n,) float64, probability that the sensor would report the track in this look, were it there
    others as in `score_pairs`; lo, hi : the part of the tracks to do

    Source: as `score_pairs`; existence: Musicki, Evans, "Joint integrated probabilistic data association: JIPDA",
    IEEE TAES 40(3), 2004, eq. 20-24.
    """
    for w in range(lo, hi):
        got = 0.0
        for e in range(start[w], start[w + 1]):
            got += weight[e]
        r = W[w, EXISTENCE]
        none = max(1.0 - got, 0.0)
        W[w, EXISTENCE] = min(got + none * r * (1.0 - detect[w]) / (1.0 - r * detect[w]), 1.0 - 1e-9)
        if got < 1e-4:
            continue
        # given that the target exists: what is left for "none" of the plots
        alive = none * (1.0 - detect[w]) * r / (1.0 - r * detect[w])
        scale = 1.0 / (alive + got)
        learn_reach(W, w, Z, pair_plot[start[w]], motion)
        V[0, D_BARO] = W[w, D_BARO]
        V[0, VAR_BARO] = W[w, VAR_BARO]
        V[0, VAR_POS] = W[w, VAR_POS]
        V[0, SHARED] = W[w, SHARED]
        learn_variance(W, w, t_w, Z, t_z, sites, sensor, motion, start, pair_plot, weight, share, V, tmp)
        total = 0.0
        for m in range(MODELS):
            o = m * MODEL
            c = alive * scale
            for e in range(start[w], start[w + 1]):
                c += weight[e] * scale * share[e, m]
            W[w, MODE + m] *= c
            total += W[w, MODE + m]
            if c < 1e-12:
                continue
            w0 = alive * scale / c
            for k in range(STATE):
                tmp[X_SUM + k] = 0.0
            for k in range(STATE, MODEL):
                tmp[X_SUM + k] = w0 * W[w, o + k]
            for e in range(start[w], start[w + 1]):
                part = weight[e] * scale * share[e, m] / c
                if part < 1e-9:
                    continue
                for k in range(MODEL):
                    V[0, k] = W[w, o + k]
                j = pair_plot[e]
                delta = (t_z[j] - t_w[w]) * 1e-9
                _, _, n = condition(
                    Z, int(j), sites, int(sensor[j]), V, delta, motion[M_Q + m], motion[M_Q_UP + m], tmp
                )
                k = STATE
                for a in range(STATE):
                    da = V[0, a] - W[w, o + a] if n > 0 else 0.0
                    tmp[X_SUM + a] += part * da
                    for b in range(a + 1):
                        db = V[0, b] - W[w, o + b] if n > 0 else 0.0
                        tmp[X_SUM + k] += part * ((V[0, k] if n > 0 else W[w, o + k]) + da * db)
                        k += 1
            k = STATE
            for a in range(STATE):
                for b in range(a + 1):
                    W[w, o + k] = tmp[X_SUM + k] - tmp[X_SUM + a] * tmp[X_SUM + b]
                    k += 1
            for a in range(STATE):
                W[w, o + a] += tmp[X_SUM + a]
        for m in range(MODELS):
            W[w, MODE + m] = max(W[w, MODE + m] / total, 1e-9)


@jit
def learn_pressure(W: F64, w_index: I64, Z: F64, plot: I32, lo: int, hi: int) -> None:
    """Learn a track's pressure offset (h_ell - h_baro) from plots that report both heights.

    One scalar Kalman step; 15 m for the two heights' own errors and quantisation. W rows `w_index` overwritten.
    """
    for k in range(lo, hi):
        w = w_index[k]
        j = plot[k]
        if math.isfinite(Z[j, Z_H]) and math.isfinite(Z[j, Z_H_BARO]):
            var = W[w, VAR_BARO] + 1.0  # the offset drifts as the target flies through the weather
            gain = var / (var + 225.0)
            W[w, D_BARO] += gain * (Z[j, Z_H] - Z[j, Z_H_BARO] - W[w, D_BARO])
            W[w, VAR_BARO] = (1.0 - gain) * var
