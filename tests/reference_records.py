"""Plain twin of `kernels.records`: tracks of a store as rows of 128 numbers, and back, by a matrix at a time."""

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels import layout as lay
from airpicture.store import Store

F64 = NDArray[np.float64]

LOWER = np.tril_indices(lay.STATE)
COVARIANCE = slice(lay.MODELS * lay.STATE, lay.MODE)
KEPT = slice(lay.FACTORS, lay.FACTORS + lay.MODELS * lay.PACKED)
NUMBERS = slice(lay.D_BARO, lay.NUMBERS_END)
KEPT_NUMBERS = slice(lay.NUMBERS + lay.D_BARO, lay.NUMBERS + lay.NUMBERS_END)


def factored(P: F64) -> F64:
    """Return D on the diagonal and L below it, of P = L D L'."""
    C = np.linalg.cholesky(P)
    d = np.diag(C)
    packed: F64 = np.tril(C / d, -1) + np.diag(d * d)
    return packed


def put_row(store: Store, i: int, row: F64) -> None:
    """Keep a track."""
    factors = np.zeros((lay.PACKED, lay.MODELS))
    for m, p in enumerate(row[COVARIANCE].reshape(lay.PACKED, lay.MODELS).T):
        P = np.zeros((lay.STATE, lay.STATE))
        P[LOWER] = p
        P += np.tril(P, -1).T
        factors[:, m] = factored(P)[LOWER] if P.any() else 0.0
    store.states[i, : lay.HELD_MODE] = row[: lay.HELD_MODE]
    store.states[i, lay.HELD_MODE : lay.HELD_NUMBER] = row[lay.MODE : lay.EXISTENCE]
    store.existence[i] = row[lay.EXISTENCE]
    store.spreads[i, KEPT] = factors.ravel()
    store.spreads[i, KEPT_NUMBERS] = row[NUMBERS]


def row_of(store: Store, i: int) -> F64:
    """Return a track as it's worked on."""
    row = np.zeros(lay.ROW)
    row[: lay.HELD_MODE] = store.states[i, : lay.HELD_MODE]
    row[lay.MODE : lay.EXISTENCE] = store.states[i, lay.HELD_MODE : lay.HELD_NUMBER]
    row[lay.EXISTENCE] = store.existence[i]
    row[NUMBERS] = store.spreads[i, KEPT_NUMBERS]
    covariances = row[COVARIANCE].reshape(lay.PACKED, lay.MODELS)
    for m, packed in enumerate(store.spreads[i, KEPT].astype(float).reshape(lay.PACKED, lay.MODELS).T):
        F = np.zeros((lay.STATE, lay.STATE))
        F[LOWER] = packed
        L = np.tril(F, -1) + np.eye(lay.STATE)
        covariances[:, m] = (L @ np.diag(np.diag(F)) @ L.T)[LOWER]
    return row


def rows_of(store: Store) -> F64:
    """Return all tracks in use."""
    return np.array([row_of(store, i) for i in range(store.n)]).reshape(-1, lay.ROW)


def ticks(t_ns: NDArray[np.int64] | int) -> NDArray[np.int32]:
    """Return times as `kernels.ticks` keeps them: the low 32 bits of whole ticks."""
    return (np.asarray(t_ns, np.int64) >> 20).astype(np.int32)


def times(tick: NDArray[np.int32], near_ns: int) -> NDArray[np.int64]:
    """Return the times [ns] of ticks that are nearest to a given one."""
    near = int(near_ns) >> 20
    turns = np.rint((near - tick.astype(np.int64)) / 2**32).astype(np.int64)
    return (tick + turns * 2**32) << 20
