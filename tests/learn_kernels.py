"""What a look tells a track besides its state, one step at a time: kernels for the tests alone."""

from typing import Any

import numpy as np

from airpicture.config import Config
from airpicture.filters.look import make_room
from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F64, I32, I64
from airpicture.kernels.conditioning import plain
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.layout import ROW
from airpicture.kernels.learn import TAKEN, Held, _identify, chances_of, identity_of, learn_track, said_by
from airpicture.kernels.learn import height_source as source_of
from airpicture.kernels.rivals import settle_rivals
from airpicture.kernels.room import Room
from airpicture.reports import Reports, Stations
from airpicture.store import Store
from lane_kernels import scratch


@jit
def _learn(
    tracks: I64,
    W: F64,
    T: F64,
    lanes: U,
    t_w: I64,
    got: F64,
    best: I64,
    R: Any,
    period: F64,
    confirm: float,
    plots: float,
    of: Held,
) -> None:
    for w in range(len(tracks)):
        j = best[w]
        s = R.sensor[j]
        for k in range(ROW):
            T[k] = W[w, k]
        said = said_by(R, j)
        learn_track(
            tracks[w], T, lanes, t_w[w], got[w], R, j, said, plain(R.Z, j), True, s, period[s], confirm, plots, of
        )


@jit
def _detection(tracks: I64, t_ns: I64, sensor: int, turn: float, pd: float, of: Held, out: F64) -> None:
    for w in range(len(tracks)):
        out[w] = chances_of(tracks[w], t_ns[w], sensor, turn, pd, of)[0]


@jit
def _expected(tracks: I64, t_ns: I64, sensor: int, turn: float, pd: float, of: Held, out: F64) -> None:
    for w in range(len(tracks)):
        out[w] = chances_of(tracks[w], t_ns[w], sensor, turn, pd, of)[1]


@jit
def _score(tracks: I64, plot: I32, R: Any, of: Held, out: F64) -> None:
    for e in range(len(tracks)):
        j = plot[e]
        out[e] = identity_of(tracks[e], of, R.t_ns[j], R.address[j], R.mode_3a[j], R.callsign[j], R.technology[j])


@jit
def _identify_all(tracks: I64, plot: I64, R: Any, of: Held) -> None:
    for e in range(len(tracks)):
        j = plot[e]
        _identify(tracks[e], R.address[j], R.mode_3a[j], R.callsign[j], of)


@jit
def _source(Z: F64, before: int) -> int:
    return source_of(Z, 0, before)


@jit
def _settle(pairs: int, of: Held, room: Room) -> int:
    return settle_rivals(pairs, of, room)


def learn(
    store: Store,
    tracks: I64,
    W: F64,
    t_w: I64,
    got: F64,
    best: I64,
    reports: Reports,
    stations: Stations,
    config: Config,
) -> I64:
    """Let tracks learn from the plots reports[best]; return those that took one."""
    life = config.life
    settings = (stations.period, life.confirm, float(life.confirm_plots))
    _learn(tracks, W, scratch(), np.uint64(LANES), t_w, got, best, reports, *settings, store.held)
    return tracks[got >= TAKEN]


def detection(store: Store, tracks: I64, t_ns: I64, sensor: int, stations: Stations) -> F64:
    out = np.full(len(tracks), np.nan)
    _detection(tracks, t_ns, sensor, float(stations.period[sensor]), float(stations.pd[sensor]), store.held, out)
    return out


def expected(store: Store, tracks: I64, t_ns: I64, sensor: int, stations: Stations) -> F64:
    out = np.full(len(tracks), np.nan)
    _expected(tracks, t_ns, sensor, float(stations.period[sensor]), float(stations.pd[sensor]), store.held, out)
    return out


def identity_score(store: Store, tracks: I64, reports: Reports, plots: I32) -> F64:
    out = np.full(len(tracks), np.nan)
    _score(tracks, plots, reports, store.held, out)
    return out


def identify(store: Store, tracks: I64, reports: Reports, plots: I64) -> None:
    _identify_all(tracks, plots, reports, store.held)


def height_source(Z: F64, before: int) -> int:
    return _source(Z, before)


def settle(store: Store, rows: I64, owner: I32, plot: I32, weight: F64, got: F64) -> tuple[int, list[bool]]:
    """Settle the rivals among tracks `rows` whose pairs are given; return how many ended, and who is contested."""
    room = make_room(len(rows), len(owner), len(owner), 4)
    room.row[: len(rows)], room.got[: len(rows)] = rows, got
    room.near[: len(plot)], room.owner[: len(owner)], room.weight[: len(weight)] = plot, owner, weight
    room.parent[:] = 0
    ended = _settle(len(owner), store.held, room)
    return ended, (room.parent[: len(rows)] == -1).tolist()
