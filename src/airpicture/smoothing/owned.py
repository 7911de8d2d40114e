"""Which plot is which track's: one run of the tracker that is listened to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.config import Config
from airpicture.kernels.layout import (
    MESSAGE,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LAG,
    Z_P,
    Z_V_EAST,
    Z_V_NORTH,
    Z_V_UP,
    Z_VAR_LAG,
)
from airpicture.plots import register, station_columns
from airpicture.reports import Reports, Stations
from airpicture.tables import F64, I64, Plots, Sensors, Status, Tracks
from airpicture.tracker import track_with_counts

BRIDGE_S = 600.0  # longest silence over which a way is told; and two tracks of an address one, if it can have flown it
ERRORS_FEWER = 10  # times as many reports has the track meanwhile whose errors make up another one of its address ...
ERRORS_WITHIN_NS = 60_000_000_000  # ... and for so long before and after: one error has no time of its own
BRIDGE_M = 2_000.0  # what two tracks of one address may be off each other beside that


class Owned(NamedTuple):
    """Registered plots in the order of time, and whose they are."""

    reports: Reports
    row: I64  # (M,) of the plots table
    owner: I64  # (M,) number of the track, -1 for none; of messages that of their address
    tracks: Tracks  # as the tracker had them, confirmed at some time, by number and time
    stations: Stations


def own(
    plots: Plots,
    sensors: Sensors,
    config: Config,
    progress: Callable[[int, int], None] | None = None,
    spared: NDArray[np.bool_] | None = None,
) -> Owned:
    """Track a recording and say of each plot which confirmed track took it.

    Tracks of one address that follow one another are one: a silence that ends a live track is only a gap in
    hindsight. Those that overlap stay two. A number that was taken up again is one track, too.

    spared : (M,) which plots the tracker gets to see; default: all
    """
    heard: list[tuple[Reports, I64]] = []

    def on_look(reports: Reports, owner: I64) -> None:
        mine = np.flatnonzero(owner >= 0)
        if len(mine):
            heard.append((reports.take(mine), owner[mine]))

    seen = plots if spared is None or spared.all() else plots.take(spared)
    tracks, _ = track_with_counts(seen, sensors, config, progress=progress, on_look=on_look)
    confirmed = np.unique(tracks.track[tracks.status == Status.CONFIRMED])
    tracks = tracks.take(np.isin(tracks.track, confirmed))
    tracks = tracks.take(np.lexsort((tracks.t_ns, tracks.track)))
    stations = station_columns(sensors)
    # a callsign passes registration as it is, so it carries the row meanwhile
    numbered = replace(plots, callsign=np.arange(len(plots), dtype=np.uint64), sensors=sensors)
    reports, _ = register(numbered, stations, config)
    row = reports.callsign.astype(np.int64)
    reports = reports._replace(callsign=plots.callsign[row])
    _set_lags(reports, heard)
    owner = _whose(reports, heard)
    owner[~np.isin(owner, confirmed)] = -1
    owner[np.isin(owner, _made_of_errors(reports, owner))] = -1
    number = _bridged(tracks, config.life.speed_max)
    if len(tracks):
        tracks = replace(tracks, track=number[np.searchsorted(confirmed, tracks.track)])
        tracks = tracks.take(np.lexsort((tracks.t_ns, tracks.track)))
        owner = np.where(owner >= 0, number[np.searchsorted(confirmed, np.maximum(owner, confirmed[0]))], -1)
    _give_messages(reports, owner, tracks)
    return Owned(reports, row, owner, tracks, stations)


def _set_lags(reports: Reports, heard: list[tuple[Reports, I64]]) -> None:
    """Give all reports the lags of their sensors' clocks as they were known at last; `reports` is overwritten."""
    last: dict[int, F64] = {}
    for part, _ in heard:
        for s in np.unique(part.sensor).tolist():
            last[s] = part.Z[np.flatnonzero(part.sensor == s)[-1], [Z_LAG, Z_VAR_LAG]]
    for s, lag in last.items():
        mine = reports.sensor == s
        reports.Z[mine, Z_LAG], reports.Z[mine, Z_VAR_LAG] = lag


def _whose(reports: Reports, heard: list[tuple[Reports, I64]]) -> I64:
    """Return the owner of each report, found again by sensor, time and place: no two reports share all three."""
    owner = np.full(reports.size, -1, np.int64)
    if not heard:
        return owner
    keys = [_key(reports), *(_key(part) for part, _ in heard)]
    joined = np.concatenate(keys)
    whose = np.concatenate([owner, *(numbers for _, numbers in heard)])
    order = np.lexsort((np.arange(len(joined)) < reports.size, *joined.T))
    same = (joined[order[1:]] == joined[order[:-1]]).all(axis=1)
    told, own_row = order[:-1][same], order[1:][same]
    assert (own_row < reports.size).all()
    owner[own_row] = whose[told]
    return owner


def _made_of_errors(reports: Reports, owner: I64) -> I64:
    """Return the tracks that are made of another one's wrong reports: of its address, in its time, and far fewer.

    Of a thousand reports of an aircraft some dozens may be wrong, and now and then three lie so that they look like
    another aircraft under its address; of these it may have taken one. Nobody would judge them then but one another.
    """
    rows = np.flatnonzero((owner >= 0) & (reports.address >= 0) & (reports.Z[:, Z_KIND] != MESSAGE))
    found: list[int] = []
    if not len(rows):
        return np.zeros(0, np.int64)
    pair = np.unique(np.column_stack([reports.address[rows].astype(np.int64), owner[rows]]), axis=0)
    several = pair[np.isin(pair[:, 0], pair[1:, 0][pair[1:, 0] == pair[:-1, 0]])]
    size = np.bincount(owner[rows])
    for address in np.unique(several[:, 0]):
        mine = rows[reports.address[rows] == address]
        times = {
            k: np.sort(reports.t_ns[mine[owner[mine] == k]]) for k in several[several[:, 0] == address, 1].tolist()
        }
        for k, t in times.items():
            if 2 * len(t) < size[k]:
                continue  # another aircraft's, that took a stray one
            around = [t[0] - ERRORS_WITHIN_NS, t[-1] + 1 + ERRORS_WITHIN_NS]
            during = [u for j, u in times.items() if j != k and u[0] < t[0] and t[-1] < u[-1]]
            beside = [np.searchsorted(u, around) for u in during]
            if max((int(hi - lo) for lo, hi in beside), default=0) >= ERRORS_FEWER * len(t):
                found.append(k)
    return np.array(found, np.int64)


def _give_messages(reports: Reports, owner: I64, tracks: Tracks) -> None:
    """Give messages that tell of motion or height to the track of their address; `owner` is overwritten.

    As live: to the one track that has the address at that time; whether it fits, the smoother judges.
    """
    Z = reports.Z
    told = (np.isfinite(Z[:, Z_V_EAST]) & np.isfinite(Z[:, Z_V_NORTH])) | np.isfinite(Z[:, Z_V_UP])
    told |= np.isfinite(Z[:, Z_H]) | np.isfinite(Z[:, Z_H_BARO])
    rows = np.flatnonzero((Z[:, Z_KIND] == MESSAGE) & (reports.address >= 0) & told)
    taken = np.flatnonzero(owner >= 0)
    if not len(rows) or not len(taken):
        return
    mark = np.column_stack([reports.t_ns[rows], reports.sensor[rows], reports.address[rows], _bits(Z[rows])])
    rows = rows[np.sort(np.unique(mark, axis=0, return_index=True)[1])]  # what two receivers heard is one message
    rows = rows[np.argsort(reports.address[rows], kind="stable")]
    number, track = np.unique(owner[taken], return_inverse=True)
    first, last = np.full(len(number), np.iinfo(np.int64).max), np.full(len(number), np.iinfo(np.int64).min)
    np.minimum.at(first, track, reports.t_ns[taken])
    np.maximum.at(last, track, reports.t_ns[taken])
    address = tracks.address[np.searchsorted(tracks.track, number, side="right") - 1]
    held = np.zeros(len(rows), np.int64)  # by how many tracks
    whose = np.full(len(rows), -1, np.int64)
    for k in np.flatnonzero(address >= 0):
        lo, hi = np.searchsorted(reports.address[rows], (address[k], address[k] + 1))
        begin, end = np.searchsorted(reports.t_ns[rows[lo:hi]], (first[k], last[k] + 1))
        held[lo + begin : lo + end] += 1
        whose[lo + begin : lo + end] = number[k]
    owner[rows[held == 1]] = whose[held == 1]


def _bits(Z: F64) -> I64:
    """Return what messages tell as whole numbers, equal where it's the same to the bit."""
    return np.ascontiguousarray(Z[:, [Z_V_EAST, Z_V_NORTH, Z_V_UP, Z_H, Z_H_BARO]]).view(np.int64)


def _key(reports: Reports) -> I64:
    """Return what tells reports apart, (M, 6) whole numbers."""
    place = np.ascontiguousarray(reports.Z[:, Z_P : Z_P + 3]).view(np.int64)
    return np.column_stack([reports.t_ns, reports.sensor.astype(np.int64), reports.address.astype(np.int64), place])


def _bridged(tracks: Tracks, speed_max: float) -> I64:
    """Return for each track number, in rising order, that of the first of the tracks that are one with it."""
    if not len(tracks):
        return np.zeros(0, np.int64)
    numbers, first = np.unique(tracks.track, return_index=True)
    last = np.append(first[1:], len(tracks)) - 1
    joined = numbers.copy()
    address = tracks.address[last]
    begin, end = tracks.t_ns_first[first], tracks.t_ns_plot[last]
    order = np.lexsort((begin, address))
    place = _places(tracks)
    held = -1  # the track that goes on
    for k in order:
        if address[k] < 0:
            continue
        if held >= 0 and address[held] == address[k]:
            gap = (begin[k] - end[held]) * 1e-9
            apart = float(np.linalg.norm(place[first[k]] - place[last[held]]))
            if 0.0 <= gap <= BRIDGE_S and apart < speed_max * gap + BRIDGE_M:
                joined[k] = joined[held]
        held = k
    return joined


def _places(tracks: Tracks) -> NDArray[np.float64]:
    """Return the places of tracks on a sphere [m]; near enough to say whether one could fly from here to there."""
    lat, lon = tracks.lat, tracks.lon
    return 6_371_000.0 * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
