"""Plain twin of messages taken by tracks: which track, in what order, and what becomes of it, by the matrix filter."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from airpicture.kernels import layout as lay
from airpicture.reports import Reports, Stations
from airpicture.store import Store
from reference_look import _summarise, plot_of_row, pressure_learnt, turn_learnt
from reference_records import put_row, row_of
from reference_tracking import F64, Mixture, condition, predict


def find(store: Store, address: int) -> int | None:
    """Return the row of the one live track of an address; None where it's none or several."""
    rows = [i for i in range(store.n) if store.address[i] == address and store.status[i] != 3]
    sure = [i for i in rows if store.status[i] != 0]
    held = sure or rows
    return held[0] if len(held) == 1 else None


def hear(store: Store, reports: Reports, stations: Stations, motion: F64, gates: F64) -> dict[int, str]:
    """Give messages to tracks; `store` is overwritten. Return what became of each."""
    became: dict[int, str] = {}
    mine: dict[int, list[int]] = {}
    doubted: set[int] = set()
    for j in range(reports.size):
        row = find(store, int(reports.address[j]))
        if row is not None:
            mine.setdefault(row, []).append(j)
    for i, messages in mine.items():
        messages.sort(key=lambda j: (reports.t_ns[j], reports.sensor[j], *reports.Z[j, lay.Z_P + 1 : lay.Z_P + 3]))
        t = max(int(store.t_ns[i]), *(int(reports.t_ns[j]) for j in messages))
        gap = (t - int(store.t_ns[i])) * 1e-9
        track = predict(Mixture.of_row(row_of(store, i)), gap, motion)
        turned = False
        for j in messages:
            plot = plot_of_row(reports.Z[j], stations.sites[reports.sensor[j]])
            delta = (int(reports.t_ns[j]) - t) * 1e-9
            parts: list[Any] = [condition(plot, track, m, delta, motion[m], motion[4 + m]) for m in range(4)]
            heights = math.isfinite(plot.h) or math.isfinite(plot.h_baro)
            fits = any(part[2] < gates[part[4]] if part[4] else not heights for part in parts)
            fits = fits and max(part[3] for part in parts) > -700.0  # a turn of several rad/s is no aircraft's
            became[j] = "taken" if fits else "implausible"
            if not fits:
                if not any(math.isfinite(told) for told in (plot.v_east, plot.v_north, plot.v_up)):
                    track = replace(track, P=np.array([part[1] for part in parts]))  # doubts its height
                    doubted.add(i)
                continue
            log_l = np.array([part[3] for part in parts])
            mu = track.mu * np.exp(log_l - log_l.max())
            track = replace(
                track,
                x=np.array([part[0] for part in parts]),
                P=np.array([part[1] for part in parts]),
                mu=np.maximum(mu / mu.sum(), 1e-9),
            )
            track = pressure_learnt(track, plot)
            if math.isfinite(plot.turn):
                track.turn, turned = plot.turn, True
            store.t_heard[i] = max(store.t_heard[i], reports.t_ns[j])
        if i not in doubted and not any(became[j] == "taken" for j in messages):
            continue
        before = store.summary[i, 3:6].astype(float)
        _summarise(store, i, track)
        if gap > 0.02 and not turned:
            track.turn = turn_learnt(
                before, store.summary[i].astype(float), track.turn, gap, motion[lay.M_TURN_SECONDS]
            )
        kept = row_of(store, i)
        row = track.row()
        kept[: lay.EXISTENCE] = row[: lay.EXISTENCE]
        kept[lay.D_BARO : lay.VAR_BARO + 1], kept[lay.TURN] = row[lay.D_BARO : lay.VAR_BARO + 1], row[lay.TURN]
        put_row(store, i, kept)
        store.t_ns[i] = t
    return became
