"""The sky over a network of radars, turn by turn: what benchmarks track, from ten targets to ten million.

    sky = round_earth(1_000_000)
    for scan in sky.scans(8):
        picture = tracker.step(scan.plots, scan.now_ns)
        truth = scan.truth                      # where the targets are at scan.now_ns

Nothing is kept but the present: a scan is made when it's asked for. Three worlds come along:

`round_earth`
    One radar for every 500 targets, on a Fibonacci lattice over the globe, discs of 240 km: 0.0028 targets/km2 at any
    number. 2,000 radars are all that find room side by side (their discs cover 71 % of the Earth and overlap by 5 km
    at most, where 0.05 % of the targets fly, each seen by the radar of its own disc alone), so with more than a million
    targets their number stays and the sky fills: ten million are 0.028 targets/km2. A hundred thousand fly as thick
    with 5,000 for each radar.
`long_range`
    One radar to 600 km.
`region`
    30 radars that overlap about five deep over 4,000 targets and give 2,000 reports a second: the public capacity
    of the European reference tracker (EUROCONTROL ARTAS).

Every radar turns in 10 s and measures slant range (70 m) and azimuth (0.08 degrees), with a detection probability of
0.9 and false plots half as many as its targets, uniform in range and azimuth as they are behind a constant false-alarm
rate detector. Left out, as in ``simulation.radar``: refraction, terrain, plots that merge; and the horizon, which would
hide the low ones among the targets and with them the load that is to be measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from airpicture import geo
from airpicture.errors import ConfigError
from airpicture.formats.sensors import sensors_from_rows
from airpicture.simulation.traffic import BLOCK, Disc, Mix, Traffic, blocks, lattice
from airpicture.tables import F64, I32, I64, Plots, Sensors, Technology
from airpicture.units import DEG, FT, SECOND_NS, TAU

T0_NS: Final = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z, on the grid of frames
PER_RADAR: Final = 500  # targets
RADARS_MAX: Final = 2_000  # discs of 240 km that find room on the globe
TARGETS_MAX: Final = 20_000_000  # 130 bytes each here; beyond it a slip of the keys is likelier than a wish
SECTORS: Final = 32
PLACED: Final = 2_000  # plots of a block whose errors are computed

Timing = Literal["rotating", "snapshot", "staggered"]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Radar:
    """What every radar of a sky is like."""

    period: float = 10.0  # s
    range_min: float = 2e3  # m
    sigma_range: float = 70.0  # m
    sigma_azimuth: float = 0.08 * DEG  # rad
    sigma_elevation: float = math.nan  # rad; NaN: none is measured
    pd: float = 0.9
    clutter: float = 0.5  # false plots of a turn, per target of its disc
    early: float = 0.0  # s before a turn's end that a snapshot is taken: 0.25 closes the tracker's frame with the turn
    mode_c: float = 0.0  # share of the targets that report their pressure altitude


@dataclass(frozen=True, slots=True, eq=False)
class Now:
    """Where the targets in coverage are, (T,) each."""

    t_ns: int
    number: I64  # of the target; never used twice
    since: I32  # turn in which it came
    home: I32  # disc that it flies in
    lat: F64  # rad
    lon: F64  # rad
    h: F64  # m
    v_east: F64  # m/s
    v_north: F64  # m/s

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: Bool | I64) -> Now:
        """Return the chosen targets."""
        columns: tuple[Any, ...] = (self.number, self.since, self.home, self.lat, self.lon, self.h)
        columns += (self.v_east, self.v_north)
        return Now(self.t_ns, *(column[rows] for column in columns))


class Seen(NamedTuple):
    """What the radars of a turn measured, (M,) each, in time order, or, of one time, sensor after sensor."""

    t_ns: I64
    sensor: I32
    slant: F64  # m
    azimuth: F64  # rad
    elevation: F64  # rad, NaN
    h_baro: F64  # m, NaN

    def plots(self, rows: slice, sensors: Sensors) -> Plots:
        """Return some of it as the plots that a tracker takes."""
        t_ns, sensor, slant, azimuth, elevation, h_baro = (column[rows] for column in self)
        return Plots.blank(
            len(t_ns),
            sensors,
            t_ns=t_ns,
            sensor=sensor,
            slant_range=slant,
            azimuth=azimuth,
            elevation=elevation,
            h_baro=h_baro,
            technology=np.where(np.isnan(h_baro), Technology.PSR, Technology.SSR),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One turn of all antennas. Plots are made of what was seen when they're asked for: they're thrice as large."""

    turn: int
    now_ns: int  # the end of the turn; plots are of the turn before it
    start_ns: int
    seen: Seen
    target: I64  # (M,) number of each plot's target, -1 false
    error: F64  # (M,) m, distance on the ground of a plot from its target, for some of them; else NaN
    _sky: Sky = field(repr=False)
    _made: list[Plots] = field(default_factory=list, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.target)

    @property
    def plots(self) -> Plots:
        """Return all plots of the turn."""
        if not self._made:
            self._made.append(self.seen.plots(slice(None), self._sky.sensors))
        return self._made[0]

    @property
    def truth(self) -> Now:
        """Return where the targets are at the end of the turn; to be asked for before the next turn is."""
        if self._sky.turn != self.turn + 1:
            raise ValueError(f"the sky has moved on: turn {self._sky.turn - 1}, expected {self.turn}")
        return self._sky.now()

    def parts(self, count: int = SECTORS) -> Iterator[tuple[Plots, int]]:
        """Cut the turn into equal times, each with the plots up to its end."""
        edges = self.start_ns + (np.arange(1, count + 1) * (self.now_ns - self.start_ns)) // count
        cuts = np.searchsorted(self.seen.t_ns, edges, side="right")
        before = 0
        for cut, edge in zip(cuts.tolist(), edges.tolist(), strict=True):
            yield self.seen.plots(slice(before, cut), self._sky.sensors), edge
            before = cut


class Sky:
    """Targets, radars, and the turn that they're in.

    Parameters
    ----------
    discs : where targets fly
    targets : how many in all
    sites : (lat, lon) [rad] of radars where they don't stand in the middle of the discs; each then sees all targets
        in its range, else each sees those of its own disc
    reach : m, range of such radars
    timing : "rotating", each antenna at its own phase and each plot at its own time; "snapshot", all plots of a turn at
        its end; or "staggered", all plots of a radar's turn at one time, one radar after another
    """

    def __init__(
        self,
        discs: Disc,
        targets: int,
        *,
        radar: Radar | None = None,
        mix: Mix | None = None,
        sites: tuple[F64, F64] | None = None,
        reach: float = 240e3,
        timing: Timing = "rotating",
        seed: int = 1,
    ) -> None:
        if timing not in get_args(Timing):
            raise ConfigError(f"timing is {timing!r}", expected=f"one of {', '.join(get_args(Timing))}")
        if not 1 <= targets <= TARGETS_MAX:
            raise ConfigError(f"{targets:,} targets", expected=f"1 to {TARGETS_MAX:,}")
        self._rng = np.random.default_rng(seed)
        self.radar, self.timing, self.turn = radar or Radar(), timing, 0
        self.traffic = Traffic(discs, targets, mix or Mix(), self._rng)
        self.shared = sites is not None  # radars see the same targets
        self.reach = reach if self.shared else discs.radius
        lat, lon = (discs.lat, discs.lon) if sites is None else sites
        h = discs.h if sites is None else np.full(len(lat), 50.0)
        self._clutter = self._false_plots(lat, lon, discs, targets)
        self.sensors = self._sensors(lat, lon, h)
        self._site, self._axes = geo.geodetic_to_ecef(lat, lon, h), geo.rotation_enu_ecef(lat, lon)
        self._phase = self._rng.random(len(lat))
        self._replies = self._rng.random(targets) < self.radar.mode_c

    def _false_plots(self, lat: F64, lon: F64, discs: Disc, targets: int) -> F64:
        """Return the mean number of false plots of each radar and turn."""
        if not self.shared:
            each = np.bincount(self.traffic.home, minlength=len(lat)).astype(np.float64)
            return each * self.radar.clutter
        share = np.minimum(self.reach / discs.radius, 1.0) ** 2
        return np.full(len(lat), self.radar.clutter * share * targets)

    def _sensors(self, lat: F64, lon: F64, h: F64) -> Sensors:
        r = self.radar
        common: dict[str, Any] = {
            "kind": "radar",
            "period_s": r.period,
            "range_m_min": r.range_min,
            "range_m_max": self.reach,
            "pd": r.pd,
            "sigma_range_m": r.sigma_range,
            "sigma_azimuth_deg": r.sigma_azimuth / DEG,
        }
        if math.isfinite(r.sigma_elevation):
            common["sigma_elevation_deg"] = r.sigma_elevation / DEG
        places = zip(np.degrees(lat), np.degrees(lon), h, self._clutter, strict=True)
        return sensors_from_rows(
            {
                "id": f"r{k}",
                "lat_deg": float(a),
                "lon_deg": float(b),
                "h_ell_m": float(c),
                "clutter_per_scan": float(false),
                **common,
            }
            for k, (a, b, c, false) in enumerate(places)
        )

    @property
    def now_ns(self) -> int:
        """The time that the targets' present states are of."""
        return self._ns(self.turn)

    def _ns(self, turn: int) -> int:
        return T0_NS + turn * round(self.radar.period * SECOND_NS)

    def scans(self, count: int) -> Iterator[Scan]:
        """Make the next turns, one at a time."""
        for _ in range(count):
            yield self.next_scan()

    def next_scan(self, clutter: float = 1.0) -> Scan:
        """Make the next turn, with `clutter` times the usual false plots."""
        looks = [self._look(rows, sensors) for rows, sensors in self._views()]
        false = self._false(clutter)
        columns = [list(column) for column in zip(*looks, false, strict=True)]
        del looks, false
        # one column after another: of ten million targets the pieces and the whole of all would be 2 GB
        parts = [np.concatenate(columns.pop(0)) for _ in range(len(columns))]
        if self.timing == "rotating":
            order = np.argsort(parts[0], kind="stable")
        else:
            order = np.argsort(parts[1] + self._rng.random(len(parts[1])))
            if self.timing == "staggered":
                order = order[np.argsort(parts[0][order], kind="stable")]
        for k in range(len(parts)):  # likewise
            parts[k] = parts[k][order]
        t, sensor, slant, azimuth, elevation, h_baro, target, error = parts
        del parts, order
        turn, start, period_ns = self.turn, self.now_ns, round(self.radar.period * SECOND_NS)
        t_ns = start + np.minimum(np.rint(t * SECOND_NS).astype(np.int64), period_ns)
        seen = Seen(t_ns, sensor, slant, azimuth, elevation, h_baro)
        period = self.radar.period
        self.traffic.advance(turn * period, (turn + 1) * period, turn + 1)
        self.turn += 1
        return Scan(turn, self.now_ns, start, seen, target, error, self)

    def _views(self) -> Iterator[tuple[slice | I64, I32]]:
        """Yield targets and the sensor that looks at each."""
        count = len(self.traffic)
        if not self.shared:
            for rows in blocks(count):
                yield rows, self.traffic.home[rows]
            return
        for k in range(len(self.sensors)):
            near = self.traffic.p - self._site[k]
            # 5 km more than the reach: what flies in during the turn
            close = np.flatnonzero(np.einsum("ij,ij->i", near, near) < (self.reach + 5e3) ** 2)
            yield close, np.full(len(close), k, np.int32)

    def _seen(self, p: F64, sensor: I32) -> tuple[F64, F64, F64]:
        """See ECEF positions from sensors: slant range, azimuth in [0, 2 pi), elevation."""
        enu = np.einsum("ijk,ik->ij", self._axes[sensor], p - self._site[sensor])
        ground2 = enu[:, 0] ** 2 + enu[:, 1] ** 2
        azimuth = np.arctan2(enu[:, 0], enu[:, 1])
        azimuth += TAU * (azimuth < 0.0)
        return np.sqrt(ground2 + enu[:, 2] ** 2), azimuth, np.arctan2(enu[:, 2], np.sqrt(ground2))

    def _beam(self, azimuth: F64, sensor: I32) -> F64:
        """Return when in the turn the beams of sensors point to azimuths [s]."""
        return np.mod(azimuth / TAU - self._phase[sensor], 1.0) * self.radar.period

    def _at_once(self, sensor: I32) -> F64:
        """Return when in the turn sensors see all of it, where they don't see one azimuth after another [s]."""
        if self.timing == "staggered":
            return self._phase[sensor] * self.radar.period
        return np.full(len(sensor), self.radar.period - self.radar.early)

    def _look(self, rows: slice | I64, sensor: I32) -> tuple[Any, ...]:
        """Return the columns of the plots that sensors make of targets in this turn."""
        radar, rng, traffic = self.radar, self._rng, self.traffic
        t0, m = self.turn * radar.period, len(sensor)
        if self.timing == "rotating":
            p = traffic.p[rows]
            for _ in range(2):  # the beam moves on while a target does: each pass leaves a sixth of the error, or less
                t = self._beam(self._seen(p, sensor)[1], sensor)
                p = traffic.moved(rows, t0, t0 + t)[0]
        else:
            t = self._at_once(sensor)
            p = traffic.moved(rows, t0, t0 + t)[0]
        slant, azimuth, elevation = self._seen(p, sensor)
        measured = slant + radar.sigma_range * rng.standard_normal(m)
        azimuth = np.mod(azimuth + radar.sigma_azimuth * rng.standard_normal(m), TAU)
        seen = (rng.random(m) < radar.pd) & (slant < self.reach) & self._within(measured)
        chosen = np.flatnonzero(seen)
        number = chosen if not isinstance(rows, slice) else chosen + rows.start
        if not isinstance(rows, slice):
            number = rows[chosen]
        # one 25 ft step of Mode C; pressure is standard here, so that its altitude is the height
        h_baro = np.rint(traffic.h[number] / (25 * FT)) * (25 * FT)
        if math.isfinite(radar.sigma_elevation):
            elevation = elevation[chosen] + radar.sigma_elevation * rng.standard_normal(len(chosen))
        else:
            elevation = np.full(len(chosen), np.nan)
        sensor, slant, azimuth = sensor[chosen], measured[chosen], azimuth[chosen]
        h_baro = np.where(self._replies[number], h_baro, np.nan)
        error = np.full(len(chosen), np.nan)
        some = np.arange(0, len(chosen), max(1, len(chosen) // PLACED))
        error[some] = self._apart(
            p[chosen[some]], sensor[some], slant[some], azimuth[some], elevation[some], h_baro[some]
        )
        return t[chosen], sensor, slant, azimuth, elevation, h_baro, traffic.number[number], error

    def _apart(self, p: F64, sensor: I32, slant: F64, azimuth: F64, elevation: F64, h_baro: F64) -> F64:
        """Return how far on the ground targets are from where their plots alone would place them [m].

        Where no height is measured all heights at which traffic flies are taken as equally likely.
        """
        s, (low, high) = self.sensors, self.traffic.mix.height
        site = s.lat[sensor], s.lon[sensor], s.h_ell[sensor]
        lat, lon, _ = geo.ecef_to_geodetic(p)
        if math.isfinite(self.radar.sigma_elevation):
            there = geo.polar_to_geodetic(slant, azimuth, elevation, *site)[:2]
        else:
            known, spread = np.isfinite(h_baro), geo.slant_unknown_height(slant, azimuth, low, high, *site)
            placed = geo.slant_to_geodetic(slant, azimuth, h_baro, *site)
            there = np.where(known, placed[0], spread.lat), np.where(known, placed[1], spread.lon)
        return np.asarray(geo.distance(lat, lon, *there))

    def _within(self, slant: F64) -> Bool:
        return (slant >= self.radar.range_min) & (slant <= self.reach)

    def _false(self, factor: float) -> tuple[Any, ...]:
        """Return the columns of the false plots of this turn."""
        rng, radar = self._rng, self.radar
        counts = rng.poisson(self._clutter * factor)
        sensor = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        m = len(sensor)
        slant, azimuth = rng.uniform(radar.range_min, self.reach, m), rng.uniform(0.0, TAU, m)
        t = self._beam(azimuth, sensor) if self.timing == "rotating" else self._at_once(sensor)
        nothing = np.full(m, np.nan)
        elevation = nothing
        if math.isfinite(radar.sigma_elevation):
            elevation = np.arctan2(rng.uniform(0.0, 12_000.0, m), slant)
        return t, sensor, slant, azimuth, elevation, nothing, np.full(m, -1, np.int64), nothing

    def now(self) -> Now:
        """Return where the targets in coverage are."""
        traffic = self.traffic
        rows = np.flatnonzero(self._covered() if self.shared else traffic.inside())
        columns = np.empty((5, len(rows)))
        for k in range(0, len(rows), BLOCK):
            part = rows[k : k + BLOCK]
            lat, lon, h = geo.ecef_to_geodetic(traffic.p[part])
            v, sin_lon, cos_lon = traffic.v[part], np.sin(lon), np.cos(lon)
            out = v[:, 0] * cos_lon + v[:, 1] * sin_lon  # away from the Earth's axis
            east, north = v[:, 1] * cos_lon - v[:, 0] * sin_lon, v[:, 2] * np.cos(lat) - out * np.sin(lat)
            columns[:, k : k + len(part)] = lat, lon, h, east, north
        lat, lon, h, east, north = columns
        number, since, home = traffic.number[rows], traffic.since[rows], traffic.home[rows]
        return Now(self.now_ns, number, since, home, lat, lon, h, east, north)

    def _covered(self) -> Bool:
        covered = np.zeros(len(self.traffic), bool)
        for site in self._site:
            away = self.traffic.p - site
            covered |= np.einsum("ij,ij->i", away, away) < self.reach**2
        return covered


def round_earth(
    targets: int,
    *,
    per_radar: int = PER_RADAR,
    radar: Radar | None = None,
    timing: Timing = "rotating",
    seed: int = 1,
) -> Sky:
    """Spread targets round the Earth, one radar for every `per_radar` and 2,000 radars at most."""
    count = max(1, min(math.ceil(targets / per_radar), RADARS_MAX))
    lat, lon = lattice(count)
    return Sky(Disc(lat, lon, np.full(count, 50.0), 240e3), targets, radar=radar, timing=timing, seed=seed)


def long_range(
    targets: int = 300,
    *,
    radius: float = 600e3,
    radar: Radar | None = None,
    mix: Mix | None = None,
    timing: Timing = "rotating",
    seed: int = 1,
) -> Sky:
    """Put targets round one radar."""
    here = Disc(np.array([41.3 * DEG]), np.array([2.1 * DEG]), np.array([50.0]), radius)
    return Sky(here, targets, radar=radar, mix=mix, timing=timing, seed=seed)


def region(
    targets: int = 4_000, *, radars: int = 30, radius: float = 550e3, radar: Radar | None = None, seed: int = 1
) -> Sky:
    """Put targets in one disc under radars that overlap, with Mode C: 2,000 reports a second as it stands."""
    # 30 discs of 240 km over one of 550 km: 5.7 deep, less at its edge. False plots make up the 2,000 a second.
    made = radar or replace(Radar(), mode_c=1.0, clutter=0.14)
    i = np.arange(radars) + 0.5
    away, bearing = radius * np.sqrt(i / radars), i * (math.pi * (3.0 - math.sqrt(5.0)))
    lat0, lon0 = 48.0 * DEG, 9.0 * DEG
    lat, lon = geo.slant_to_geodetic(away, np.mod(bearing, TAU), 50.0, lat0, lon0, 50.0)
    disc = Disc(np.array([lat0]), np.array([lon0]), np.array([50.0]), radius)
    return Sky(disc, targets, radar=made, sites=(np.asarray(lat), np.asarray(lon)), seed=seed)
