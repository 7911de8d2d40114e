"""System tracks out: CAT062 with its batches (CAT065) and the states of the sensors (CAT063).

    Tracks -> Cat062Writer.batch -> CAT062 blocks | CAT065 end of batch | now and then CAT065 status, CAT063 per sensor

`encode_cat062` and `write_cat062` put a whole table through such a writer, cut into batches by time; a live service
calls `Cat062Writer.batch` itself. Each block fits a datagram. The same tracks and settings give the same bytes.

What is known is written, what isn't is absent; nothing is filled with zero. A value outside its field is written as the
limit where the standard says "maximum value or above" (I062/210, 290, 500); otherwise its item is left out. Both are
counted in the `EncodeReport`. I062/245 is written although note 2 to it in edition 1.20 asks senders not to: receivers
of older editions look for the callsign there; ``omit=("245",)`` follows the note.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from airpicture.errors import ConfigError
from airpicture.formats import emitters
from airpicture.formats.asterix.encode_layout import load_layout
from airpicture.formats.asterix.encode_status import Condition, end_of_batch, sensor_status, system_status
from airpicture.kernels import asterix_encode as fill
from airpicture.kernels.asterix_encode import FIELDS
from airpicture.kernels.asterix_encode_announce import announce, hear, rehash
from airpicture.kernels.asterix_encode_plane import centre
from airpicture.kernels.asterix_encode_words import RECORD_MAX, write_blocks
from airpicture.tables import F64, I64, U8, Sensors, Tracks
from airpicture.units import DEG, SECOND_NS

CATEGORY = 62
BLOCK_MAX = 65_535  # octets, 16-bit length of a data block
CHUNK_ROWS = 1024  # rows encoded at once: their table of values stays in the cache
MAP_MIN = 1024  # slots of the map of announced tracks at the start, a power of two
STALE_MIN_S = 5.0  # s; ADS-B and multilateration report about once a second, a gap of a few is no loss


@dataclass(frozen=True, slots=True)
class Cat062Config:
    """How system tracks are sent.

    Raises
    ------
    ConfigError : a value outside its range, an edition or item that isn't known
    """

    sac: int = 0  # I062/010; 0 is no country's
    sic: int = 1
    sid: int = 1  # service, I062/015
    edition: str = "1.20"
    batch_s: float = 1.0  # s, rows of this much time make a batch, on the grid of UTC
    batches: int = 4  # batches in a cycle; I065/020 counts them from 0
    status_s: float = 5.0  # s between status messages of tracker and sensors
    block_bytes: int = 1400  # a datagram of Ethernet with room for tunnels
    centre_deg: tuple[float, float] | None = None  # latitude, longitude of the system plane; None: amid the sensors
    stale_s: float | None = None  # s, age at which a technology counts as lost (I062/080); None: 1.5 slowest turns
    tentative: bool = True  # send tentative tracks, marked so (CNF)
    simulated: bool = False  # I062/080 SIM
    omit: tuple[str, ...] = ()  # items or subitems not to be sent: "245", "500/COV"

    def __post_init__(self) -> None:
        for name, low, high in (("sac", 0, 255), ("sic", 0, 255), ("sid", 0, 255), ("batches", 1, 256)):
            _check(name, getattr(self, name), low, high)
        _check("batch_s", self.batch_s, 0.001, 86_400.0)
        _check("status_s", self.status_s, 0.001, 86_400.0)
        _check("block_bytes", self.block_bytes, RECORD_MAX + 3, BLOCK_MAX)
        if self.stale_s is not None:
            _check("stale_s", self.stale_s, 0.0, 1e9)
        if self.centre_deg is not None:
            _check("centre_deg latitude", self.centre_deg[0], -90.0, 90.0)
            _check("centre_deg longitude", self.centre_deg[1], -360.0, 360.0)
        load_layout(62, self.edition)
        for item in self.omit:
            if not any(_is_of(name, item) for name in FIELDS):
                known = ", ".join(sorted({name.split("/")[0] for name in FIELDS}))
                raise ConfigError(f"item {item!r} to omit from CAT062", expected=f"one of those written: {known}")
            if item in ("010", "040", "070", "080"):
                raise ConfigError(f"item {item!r} to omit from CAT062", expected="an item that isn't mandatory")


@dataclass(slots=True)
class EncodeReport:
    """What was written, and what could not be."""

    records: int = 0
    blocks: int = 0  # of CAT062
    batches: int = 0
    octets: int = 0
    saturated: Counter[str] = field(default_factory=Counter)  # field -> values written as its limit
    left_out: Counter[str] = field(default_factory=Counter)  # field -> values that it can't say, so not written
    refused: Counter[str] = field(default_factory=Counter)  # reason -> rows or sensors that weren't written


class Cat062Writer:
    """Writes a stream of CAT062; remembers which tracks it has announced, and when it last told of the sensors.

    Parameters
    ----------
    sensors : the table that the tracks refer to
    config : see Cat062Config; single settings can be given by name instead

    Attributes
    ----------
    report : EncodeReport of all that was written so far
    centre_deg : latitude and longitude of the system plane, None where neither settings nor sensors give one
    """

    def __init__(self, sensors: Sensors, config: Cat062Config | None = None, **settings: Any) -> None:
        self.config = _settings(config, settings)
        self.sensors = sensors
        self.report = EncodeReport()
        self.centre_deg = self.config.centre_deg or _middle(sensors)
        layout = load_layout(62, self.config.edition)
        self._layout = layout.arrays(FIELDS, _omitted(self.config))
        self._steps = {name: layout.fields[name].step for name in ("070", "105/LON", "340/POS/THETA")}
        self._stale_ns = round(_stale_s(sensors, self.config) * SECOND_NS)
        self._plane = np.full(4, np.nan)
        if self.centre_deg is not None:
            centre(self.centre_deg[0] * DEG, self.centre_deg[1] * DEG, self._plane)
        self._biases = (_known(sensors.bias_range), _known(sensors.bias_azimuth))
        self._three_d = np.isfinite(sensors.sigma_elevation).astype(np.uint8)
        self._keys: I64 = np.full(MAP_MIN, -1, np.int64)
        self._codes = np.full(MAP_MIN, -1, np.int32)
        self._announced = 0
        self._heard: I64 = np.full(len(sensors.ids), np.iinfo(np.int64).min, np.int64)
        self._status_ns: int | None = None
        self._out: U8 = np.zeros(CHUNK_ROWS * (RECORD_MAX + 3), np.uint8)
        self._values: F64 = np.empty((CHUNK_ROWS, len(FIELDS)))
        for row, name in enumerate(sensors.ids):
            if not _has_code(sensors, row):
                self.report.refused[f"sensor {name} has no SAC/SIC: no CAT063, no I062/340 SID"] += 1

    def batch(
        self,
        tracks: Tracks,
        t_ns: int,
        *,
        condition: Condition = Condition.OPERATIONAL,
        overload: bool = False,
        sensor_conditions: U8 | None = None,
    ) -> bytes:
        """Return the messages of one batch: its tracks, its end, and the status messages that are due.

        Parameters
        ----------
        tracks : rows in the order in which they're to be sent; may be empty
        t_ns : time of the batch's end, ns UTC
        condition, overload : the tracker's own state, I065/040
        sensor_conditions : (S,) Condition of each sensor, I063/060 CON; all operational where it isn't given
        """
        messages = self._records(tracks, 0, len(tracks))
        messages += self._close(t_ns, condition, overload, sensor_conditions)
        return b"".join(messages)

    def recording(self, tracks: Tracks) -> Iterator[bytes]:
        """Yield a whole table batch by batch: rows in order of time, cut on the grid of `batch_s`.

        Rows of one time keep their order. Stretches of time without rows give no messages.
        """
        if not len(tracks):
            return
        order = np.argsort(tracks.t_ns, kind="stable")
        if np.any(order[1:] < order[:-1]):
            tracks = tracks.take(order)
        step = round(self.config.batch_s * SECOND_NS)
        index = tracks.t_ns // step
        starts = np.flatnonzero(np.diff(index, prepend=index[:1] - 1))
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(tracks)], strict=True):
            messages = self._records(tracks, start, stop)
            messages += self._close((int(index[start]) + 1) * step, Condition.OPERATIONAL, False, None)
            yield b"".join(messages)

    def _records(self, tracks: Tracks, start: int, stop: int) -> list[bytes]:
        """Return rows start..stop as CAT062 blocks, some hundred rows at a time."""
        written = []
        for first in range(start, stop, CHUNK_ROWS):
            rows = slice(first, min(first + CHUNK_ROWS, stop))
            size = rows.stop - rows.start
            self._reserve(size)
            flags = np.zeros(size, np.uint8)
            refused, done = np.zeros(2, np.int64), np.zeros(2, np.int64)
            saturated, left_out = np.zeros(len(FIELDS), np.int64), np.zeros(len(FIELDS), np.int64)
            self._announced += announce(
                tracks.track[rows],
                tracks.status[rows],
                tracks.mode_3a[rows],
                self.config.tentative,
                self._keys,
                self._codes,
                flags,
                refused,
            )
            hear(
                tracks.t_ns[rows],
                tracks.status[rows],
                tracks.seen[rows],
                tracks.plot_sensor[rows],
                tracks.t_ns_plot[rows],
                self._heard,
            )
            values = self._values[:size]
            self._fill(tracks, rows, flags, values, left_out)
            octets = write_blocks(
                CATEGORY,
                values,
                tracks.track[rows],
                flags,
                self._layout,
                self.config.block_bytes,
                self._out,
                saturated,
                left_out,
                done,
            )
            written.append(self._out[:octets].tobytes())
            self._note(octets, done, refused, saturated, left_out)
        return written

    def _fill(self, tracks: Tracks, rows: slice, flags: U8, values: F64, left_out: I64) -> None:
        """Turn rows into the values of their fields; `values` and `left_out` are overwritten."""
        t, config, sensors = tracks, self.config, self.sensors
        t_ns, technology, simulated = t.t_ns[rows], t.t_ns_technology[rows], int(config.simulated)
        spots = np.empty((len(values), 3))
        fill.fill_head(t_ns, t.track[rows], config.sac, config.sic, config.sid, self._steps["070"], values)
        fill.fill_position(t.lat[rows], t.lon[rows], self._steps["105/LON"], self._plane, values, spots)
        fill.fill_motion(
            t.v_east[rows],
            t.v_north[rows],
            t.v_up[rows],
            t.a_east[rows],
            t.a_north[rows],
            t.turn_left[rows],
            t.turn_right[rows],
            values,
        )
        callsign = t.callsign[rows].view(np.int64)  # numba makes float64 of uint64 with int64
        fill.fill_identity(t.mode_3a[rows], t.address[rows], callsign, flags, values, left_out)
        number = emitters.to_asterix(t.category[rows])
        fill.fill_nature(t.on_ground[rows], number, t.mode_3a[rows], values)
        fill.fill_ages(t_ns, t.t_ns_first[rows], technology, values)
        fill.fill_height(t.h_ell[rows], t.h_baro[rows], t.h_from_baro[rows], values)
        fill.fill_measured(
            t_ns,
            t.t_ns_plot[rows],
            technology,
            t.plot_sensor[rows],
            (t.plot_range[rows], t.plot_azimuth[rows]),
            (t.plot_h_baro[rows], t.plot_mode_3a[rows]),
            (sensors.kind, sensors.sac, sensors.sic, *self._biases),
            simulated,
            self._steps["340/POS/THETA"],
            values,
        )
        fill.fill_accuracy(
            (t.lat[rows], t.h_ell[rows], t.h_baro[rows]),
            (t.sigma_east[rows], t.sigma_north[rows], t.rho_east_north[rows]),
            (t.sigma_v_east[rows], t.sigma_v_north[rows]),
            (t.sigma_up[rows], t.sigma_v_up[rows]),
            t.h_from_baro[rows],
            spots,
            values,
        )
        fill.fill_status(t.status[rows], t.existence[rows], t.mode_3a[rows], flags, simulated, values)
        fill.fill_sources(t_ns, t.seen[rows], technology, sensors.kind, self._three_d, self._stale_ns, values)

    def _reserve(self, rows: int) -> None:
        """Make room in the map for that many tracks more."""
        size = len(self._keys)
        while size < 2 * (self._announced + rows) + 1:
            size *= 2
        if size > len(self._keys):
            keys, codes = np.full(size, -1, np.int64), np.full(size, -1, np.int32)
            rehash(self._keys, self._codes, keys, codes)
            self._keys, self._codes = keys, codes

    def _note(self, octets: int, done: I64, refused: I64, saturated: I64, left_out: I64) -> None:
        """Add what a run of rows gave to the report."""
        self.report.records += int(done[0])
        self.report.blocks += int(done[1])
        self.report.octets += octets
        for reason, count in zip(("no track number", "tentative"), refused.tolist(), strict=True):
            if count:
                self.report.refused[reason] += count
        for counter, counts in ((self.report.saturated, saturated), (self.report.left_out, left_out)):
            for k in np.flatnonzero(counts).tolist():
                counter[FIELDS[k]] += int(counts[k])

    def _close(self, t_ns: int, condition: Condition, overload: bool, sensor_conditions: U8 | None) -> list[bytes]:
        """Return the end of a batch and what's due of status messages."""
        config, sensors = self.config, self.sensors
        number = ((t_ns - 1) // round(config.batch_s * SECOND_NS)) % config.batches
        head: dict[str, int] = {"sac": config.sac, "sic": config.sic, "sid": config.sid, "t_ns": t_ns}
        messages = [end_of_batch(**head, batch=number)]
        due = self._status_ns is None or not 0 <= t_ns - self._status_ns < round(config.status_s * SECOND_NS)
        if due:
            self._status_ns = t_ns
            messages.append(system_status(**head, condition=condition, overload=overload))
            for row in range(len(sensors.ids)):
                if _has_code(sensors, row):
                    state = (
                        Condition.OPERATIONAL if sensor_conditions is None else Condition(int(sensor_conditions[row]))
                    )
                    silent = int(self._heard[row]) < t_ns - self._stale_ns
                    messages.append(sensor_status(sensors, row, **head, condition=state, silent=silent))
        self.report.batches += 1
        self.report.octets += sum(map(len, messages))
        return messages


def encode_cat062(tracks: Tracks, config: Cat062Config | None = None, **settings: Any) -> bytes:
    """Return a whole table of tracks as CAT062 with end of batch (CAT065) and status messages (CAT065, CAT063).

    Parameters
    ----------
    tracks : rows in any order
    config, settings : see Cat062Config; ``encode_cat062(tracks, sac=25, sic=10)``

    Raises
    ------
    ConfigError : a setting that can't be used
    """
    return b"".join(Cat062Writer(tracks.sensors, config, **settings).recording(tracks))


def write_cat062(
    tracks: Tracks, path: str | os.PathLike[str], config: Cat062Config | None = None, **settings: Any
) -> EncodeReport:
    """Write a whole table of tracks to a file of ASTERIX blocks (``.ast``), see `encode_cat062`.

    Returns
    -------
    EncodeReport : what was written, saturated, left out and refused

    Raises
    ------
    ConfigError : a setting that can't be used
    OSError : the file can't be written
    """
    writer = Cat062Writer(tracks.sensors, config, **settings)
    with Path(path).open("wb") as file:
        for part in writer.recording(tracks):
            file.write(part)
    return writer.report


def split_datagrams(data: bytes, size_max: int = 1400) -> list[bytes]:
    """Cut a run of data blocks, between blocks, into pieces of up to `size_max` octets; a longer block stays whole."""
    pieces, start, pos = [], 0, 0
    while pos < len(data):
        size = int.from_bytes(data[pos + 1 : pos + 3], "big")
        assert 3 <= size <= len(data) - pos, "not a run of whole data blocks"
        if pos > start and pos + size - start > size_max:
            pieces.append(data[start:pos])
            start = pos
        pos += size
    return [*pieces, data[start:]] if pos > start else pieces


def _settings(config: Cat062Config | None, settings: dict[str, Any]) -> Cat062Config:
    known = [f.name for f in fields(Cat062Config)]
    for name in settings:
        if name not in known:
            raise ConfigError(f"setting {name!r} for CAT062", expected="one of " + ", ".join(known))
    return replace(config or Cat062Config(), **settings)


def _check(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{name} = {value!r} for CAT062", expected=f"a value from {low:g} to {high:g}")


def _is_of(name: str, item: str) -> bool:
    """Say whether a field is an item or subitem, or in it."""
    return name == item or name.startswith(item + "/")


def _has_code(sensors: Sensors, row: int) -> bool:
    return 0 <= int(sensors.sac[row]) <= 255 and 0 <= int(sensors.sic[row]) <= 255


def _known(bias: F64) -> F64:
    """Return biases with 0 for what isn't known, as registration takes them."""
    return np.where(np.isfinite(bias), bias, 0.0)


def _middle(sensors: Sensors) -> tuple[float, float] | None:
    """Return latitude and longitude [deg] amid the sensors with a known site: the mean of their verticals."""
    known = np.isfinite(sensors.lat) & np.isfinite(sensors.lon)
    lat, lon = sensors.lat[known], sensors.lon[known]
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]).sum(axis=1)
    if not known.any() or np.linalg.norm(up) < 1e-6 * known.sum():  # sensors all round the Earth have no middle
        return None
    return math.atan2(up[2], math.hypot(up[0], up[1])) / DEG, math.atan2(up[1], up[0]) / DEG


def _stale_s(sensors: Sensors, config: Cat062Config) -> float:
    if config.stale_s is not None:
        return config.stale_s
    turns = sensors.period[np.isfinite(sensors.period)]
    return max(STALE_MIN_S, 1.5 * float(turns.max())) if len(turns) else STALE_MIN_S


def _omitted(config: Cat062Config) -> list[str]:
    return [name for name in FIELDS if any(_is_of(name, item) for item in config.omit)]
