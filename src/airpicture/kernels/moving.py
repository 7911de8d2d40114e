"""What becomes of one model's state in a prediction: mixed with the others, moved on, kept within bounds; in ECEF.

Numbers in, numbers out, whatever they're kept in: `bank` keeps one track's four models side by side, `abreast` eight
tracks'. See `lanes` for how these become vector instructions, `bank` for the equations of the mixture.
"""

from airpicture.kernels._jit import lane
from airpicture.kernels.lanes import (
    Covariance,
    Matrix,
    Six,
    Vector,
    dot,
    less,
    mat_mul,
    mat_vec,
    moved,
    plus,
    plus_outer,
    raised,
    scaled,
    times_position,
    times_velocity,
    transposed,
    weighted,
    widened,
)

LOWEST = -450.0  # m above the ellipsoid: the shore of the Dead Sea lies at -430 m above the sea
MEAN_RADIUS = 6_371_000.0  # m, for the bend of the surface within some kilometres


@lane
def mixed(x: Six, P: Covariance, kept: float, mean: Six, whole: Covariance) -> tuple[Six, Covariance]:
    """Return a model of which a part is kept, the rest being the overall mixture, of the given mean and covariance."""
    d = less(x, mean)
    P = weighted(kept, P, 1.0 - kept, whole)
    return moved(mean, kept, d), plus_outer(1.0, P, scaled(kept * (1.0 - kept), d), d)


@lane
def _rotation(c: float, s: float, rest: float, u: Vector) -> Matrix:
    """Return c I + s [u]x + rest u u', by rows."""
    x, y, z = u
    return (
        c + rest * x * x,
        rest * x * y - s * z,
        rest * x * z + s * y,
        rest * y * x + s * z,
        c + rest * y * y,
        rest * y * z - s * x,
        rest * z * x - s * y,
        rest * z * y + s * x,
        c + rest * z * z,
    )


@lane
def predicted(
    x: Six,
    P: Covariance,
    dt: float,
    turn: tuple[float, float, float, float],
    noise: tuple[float, float, float],
    u: Vector,
    a: Vector,
    bend: float,
) -> tuple[Six, Covariance]:
    """Return a model dt [s] on: turned about up, bent with the Earth, with noise.

    Rotation about up by the angle w dt: A = c I + s [u]x + (1 - c) u u'; B is its integral over dt. White acceleration,
    q horizontally, q_up along up and q_along along the course a, continuous, so that many short steps equal one long
    one.

    Parameters
    ----------
    turn : cosine and sine of w dt; (1 - cosine) / w and sine / w
    noise : q, q_up - q, q_along - q [m²/s³]
    u : vertical; a : unit vector along the course; bend : 1 / distance from the Earth's centre [1/m]
    """
    c, s, c_int, s_int = turn
    A, B = _rotation(c, s, 1.0 - c, u), _rotation(s_int, c_int, dt - s_int, u)
    v = (x[3], x[4], x[5])
    climb = u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
    pull = bend * (dot(v, v) - climb * climb)
    sink = 0.5 * pull * dt * dt
    step, turned = mat_vec(B, v), mat_vec(A, v)
    VP = (P[6], P[7], P[8], P[10], P[11], P[12], P[15], P[16], P[17])
    VV = (P[9], P[13], P[18], P[13], P[14], P[19], P[18], P[19], P[20])
    M = plus(transposed(VP), mat_mul(B, VV))  # P_pv + B P_vv
    one, two = mat_mul(B, VP), mat_mul(M, transposed(B))
    X = mat_mul(A, transposed(M))
    Y = mat_mul(mat_mul(A, VV), transposed(A))
    q, more, along = noise
    c2 = 0.5 * dt * dt
    c3 = dt * dt * dt / 3.0
    P = (
        P[0] + one[0] + two[0],
        P[1] + one[3] + two[3],
        P[2] + one[4] + two[4],
        P[3] + one[6] + two[6],
        P[4] + one[7] + two[7],
        P[5] + one[8] + two[8],
        X[0],
        X[1],
        X[2],
        Y[0],
        X[3],
        X[4],
        X[5],
        Y[3],
        Y[4],
        X[6],
        X[7],
        X[8],
        Y[6],
        Y[7],
        Y[8],
    )
    P = raised(P, u, more * c3, more * c2, more * dt)
    P = raised(P, a, along * c3, along * c2, along * dt)
    there = (
        x[0] + step[0] - sink * u[0],
        x[1] + step[1] - sink * u[1],
        x[2] + step[2] - sink * u[2],
        turned[0] - pull * dt * u[0],
        turned[1] - pull * dt * u[1],
        turned[2] - pull * dt * u[2],
    )
    return there, widened(P, q * c3, q * c2, q * dt)


@lane
def predicted_level(
    x: Six, P: Covariance, dt: float, noise: tuple[float, float, float], u: Vector, a: Vector, bend: float
) -> tuple[Six, Covariance]:
    """Return what `predicted` does of a model that doesn't turn: A = I and B = dt I there."""
    v = (x[3], x[4], x[5])
    climb = u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
    pull = bend * (dot(v, v) - climb * climb)
    fall = pull * dt
    sink = 0.5 * fall * dt
    q, more, along = noise
    mx, my, mz = more * u[0], more * u[1], more * u[2]
    ax, ay, az = along * a[0], along * a[1], along * a[2]
    N = (  # noise a second
        q + mx * u[0] + ax * a[0],
        my * u[0] + ay * a[0],
        q + my * u[1] + ay * a[1],
        mz * u[0] + az * a[0],
        mz * u[1] + az * a[1],
        q + mz * u[2] + az * a[2],
    )
    c2 = 0.5 * dt * dt
    c3 = dt * dt * dt / 3.0
    x0, x1, x2 = P[6] + dt * P[9], P[7] + dt * P[13], P[8] + dt * P[18]
    x3, x4, x5 = P[10] + dt * P[13], P[11] + dt * P[14], P[12] + dt * P[19]
    x6, x7, x8 = P[15] + dt * P[18], P[16] + dt * P[19], P[17] + dt * P[20]
    P = (
        P[0] + dt * (P[6] + x0) + c3 * N[0],
        P[1] + dt * (P[7] + x3) + c3 * N[1],
        P[2] + dt * (P[11] + x4) + c3 * N[2],
        P[3] + dt * (P[8] + x6) + c3 * N[3],
        P[4] + dt * (P[12] + x7) + c3 * N[4],
        P[5] + dt * (P[17] + x8) + c3 * N[5],
        x0 + c2 * N[0],
        x1 + c2 * N[1],
        x2 + c2 * N[3],
        P[9] + dt * N[0],
        x3 + c2 * N[1],
        x4 + c2 * N[2],
        x5 + c2 * N[4],
        P[13] + dt * N[1],
        P[14] + dt * N[2],
        x6 + c2 * N[3],
        x7 + c2 * N[4],
        x8 + c2 * N[5],
        P[18] + dt * N[3],
        P[19] + dt * N[4],
        P[20] + dt * N[5],
    )
    there = (
        x[0] + dt * v[0] - sink * u[0],
        x[1] + dt * v[1] - sink * u[1],
        x[2] + dt * v[2] - sink * u[2],
        v[0] - fall * u[0],
        v[1] - fall * u[1],
        v[2] - fall * u[2],
    )
    return there, P


@lane
def height_from(d: Vector, u: Vector, h: float) -> float:
    """Return the height [m] of a point d away from one of height h with vertical u; to 1 m within 50 km.

    The surface falls away from the tangent plane by t² / 2R at distance t.
    """
    rise = dot(d, u)
    return h + rise + (dot(d, d) - rise * rise) * (0.5 / MEAN_RADIUS)


@lane
def bounded(
    x: Six, P: Covariance, r: Vector, u: Vector, h: float, mean: float, var: float, climb_var: float
) -> tuple[Six, Covariance]:
    """Return a model kept above ground, and what was never measured from growing past what is known beforehand.

    Where the variance along up, of position or of velocity, exceeds what is assumed of it, the prior N(mean, var) is
    folded in with just the weight that brings it back to var: 1 / (s + R) = (s - var) / s² with R = var s / (s - var).
    So a height nobody measures stays "anywhere up to 18 km" for hours, neither shrinking nor growing.

    r, u, h : a point nearby, its vertical and height
    """
    ux, uy, uz = u
    height = height_from((x[0] - r[0], x[1] - r[1], x[2] - r[2]), u, h)
    sunk = max(LOWEST - height, 0.0)  # no descent goes on under the ground
    climb = x[3] * ux + x[4] * uy + x[5] * uz
    fall = min(climb, 0.0) if sunk > 0.0 else 0.0
    x = moved(x, 1.0, (sunk * ux, sunk * uy, sunk * uz, -fall * ux, -fall * uy, -fall * uz))
    k = times_position(P, u)
    s = k[0] * ux + k[1] * uy + k[2] * uz
    gain = (s - var) / (s * s) if s > var * 1.0001 else 0.0
    x = moved(x, gain * (mean - height - sunk), k)
    climb = x[3] * ux + x[4] * uy + x[5] * uz
    less_k = scaled(-gain, k)
    v = moved(times_velocity(P, u), k[3] * ux + k[4] * uy + k[5] * uz, less_k)
    s = v[3] * ux + v[4] * uy + v[5] * uz
    gain = (s - climb_var) / (s * s) if s > climb_var * 1.0001 else 0.0
    return moved(x, -gain * climb, v), plus_outer(1.0, plus_outer(1.0, P, less_k, k), scaled(-gain, v), v)
