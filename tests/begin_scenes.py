"""Beginnings on their own: registered plots in, tracks out, and scenes to try them on."""

import sys
from collections import Counter
from typing import Any
from unittest.mock import patch

import numpy as np

import airpicture.tracks.begin  # noqa: F401  (the name in `tracks` is the function)
from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels.births import find_births
from airpicture.kernels.search import COUNTS
from airpicture.models import gate_limits, motion_settings
from airpicture.plots import Clutter, register, station_columns
from airpicture.reports import Reports
from airpicture.store import Store
from airpicture.tables import Sensors
from airpicture.tracks import Pool, begin, ending_settings, life_settings
from reference_records import row_of
from reference_tracking import Mixture, unpacked
from tracking_scenes import Target, assemble, ns, radar, radar_rows, sensors_of

CONFIG = Config()
begin_module = sys.modules["airpicture.tracks.begin"]


class Beginnings:
    def __init__(self, sensors: Sensors, config: Config = CONFIG) -> None:
        self.config, self.stations = config, station_columns(sensors)
        self.store, self.pool = Store(config.capacity), Pool(config.life.pool_max)
        self.motion, self.life, self.gates = motion_settings(config), life_settings(config), gate_limits(config)
        self.sensors, self.ending = sensors, ending_settings(config)
        self.counted = Clutter(self.stations).state
        self.tally: Counter[str] = Counter()
        self.counts = np.zeros(COUNTS, np.int64)  # of the last search

    def reports(self, rows: list[dict[str, Any]]) -> Reports:
        return register(assemble(rows, self.sensors), self.stations, self.config)[0]

    def __call__(self, rows: list[dict[str, Any]], free: Any = 1.0, run: Any = None) -> tuple[np.ndarray, int]:
        reports = self.reports(rows)
        free = np.broadcast_to(np.asarray(free, float), (reports.size,)).copy()
        self.counts = np.zeros(COUNTS, np.int64)

        def noted(*arguments: Any) -> None:
            find_births(*arguments)
            self.counts += arguments[-1]

        settings = (self.stations, self.config, self.motion, self.life, self.ending, self.gates, self.counted)
        with patch.object(begin_module, "find_births", noted):
            return begin(self.store, self.pool, reports, free, *settings, run=run, tally=self.tally)

    def track(self, row: int) -> Mixture:
        numbers = row_of(self.store, row)
        models = numbers[: lay.MODE].reshape(lay.MODEL, lay.MODELS).T
        mu = numbers[lay.MODE : lay.MODE + lay.MODELS].copy()
        P = np.array([unpacked(m[lay.STATE :]) for m in models])
        return Mixture(models[:, : lay.STATE].copy(), P, mu, float(numbers[lay.EXISTENCE]))


def scene(count: int, seconds: float, seed: int = 3, clutter: int = 0, radars: int = 1) -> tuple[Sensors, list[Any]]:
    """Return targets all over the place, seen by radars a few kilometres apart, and false plots."""
    rng = np.random.default_rng(seed)
    sensors = sensors_of(*(radar(f"r{k}", lat_deg=47.0 + 0.1 * k, clutter_per_scan=200.0) for k in range(radars)))
    targets = [
        Target(
            *rng.uniform(-120e3, 120e3, 2),
            course_deg=rng.uniform(0, 360),
            speed=rng.uniform(50, 600),
            codes={"mode_3a": int(rng.integers(1, 4095))} if k % 3 == 0 else {},
        )
        for k in range(count)
    ]
    rows = radar_rows(targets, sensors, seconds, rng, clutter=clutter)
    for row in rows[::2]:
        row.pop("h_baro", None)
    return sensors, rows


def frames(rows: list[dict[str, Any]], step_s: float = 0.5) -> list[list[dict[str, Any]]]:
    cut: dict[int, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["t_ns"]):
        cut.setdefault(int((row["t_ns"] - ns(0.0)) // round(step_s * 1e9)), []).append(row)
    return list(cut.values())


def born_of(world: Beginnings) -> list[bytes]:
    return [column[: world.store.n].tobytes() for column in world.store.columns()]
