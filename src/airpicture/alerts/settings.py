"""Settings of the alerts, each default with its reason; the limits and the name in files stand beside it.

Frozen, as all settings are. SI units inside; what a file calls a setting, and in which unit, is its `Bound`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, NamedTuple

from airpicture.alerts.alert import AlertKind
from airpicture.errors import ConfigError
from airpicture.units import DEG, FPM, FT, KT, NMI

SPAN_MAX: Final = 60.0 * DEG  # rad from an area's middle; farther out a plane through its middle shows it too warped
CORNERS_MAX: Final = 10_000  # of one area: a detailed national border; bounds the time of a step


class Bound(NamedTuple):
    """What a file calls a number, the factor from its unit to SI, and its limits in the file's unit."""

    key: str
    factor: float
    low: float
    high: float


def bounded(default: float, key: str, low: float, high: float, factor: float = 1.0) -> Any:
    """Return a field of a frozen dataclass with its `Bound`; `default` is in the file's unit, the field in SI."""
    kind = type(default)
    return field(default=kind(default * factor), metadata={"bound": Bound(key, factor, low, high)})


def bound_of(one: Any) -> Bound | None:
    """Return the `Bound` of a dataclass field, None where it's no number."""
    bound: Bound | None = one.metadata.get("bound")
    return bound


def _check(settings: Any, room: str) -> None:
    for one in fields(settings):
        bound = bound_of(one)
        if bound is None:
            continue
        value = getattr(settings, one.name)
        sound = isinstance(value, (int, float)) and math.isfinite(value)
        if not sound or not bound.low <= value / bound.factor <= bound.high * (1 + 1e-12):
            shown = value / bound.factor if sound else value
            raise ConfigError(
                f"{room}.{bound.key} = {shown!r}",
                expected=f"{bound.low:g} to {bound.high:g}",
                todo="Change the setting",
            )


AreaUse = Literal["entry", "no-conflicts", "no-lost"]
AREA_USES: Final[tuple[AreaUse, ...]] = ("entry", "no-conflicts", "no-lost")
HeightOf = Literal["h_ell", "h_baro"]


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the sky: rings on the ground and a band of heights.

    Edges are the shortest ways between corners, as great ellipses: they miss the geodesic by up to 12 m over 430 km and
    70 m over 1000 km. An edge along a parallel wants corners on its way. A point is inside where it is within an odd
    number of rings: the first is the outline, others are holes in it or islands.
    """

    name: str
    rings: tuple[tuple[tuple[float, float], ...], ...]  # corners (lat, lon) [rad], either way round, not closed
    h_min: float = -math.inf  # m
    h_max: float = math.inf  # m
    height: HeightOf = "h_ell"  # which height the band is of: above the ellipsoid, or pressure altitude (flight levels)
    use: tuple[AreaUse, ...] = ("entry",)  # warn of entry; raise no conflicts inside; call no track lost inside
    horizon_s: float = bounded(120.0, "horizon_s", 0, 120)  # look-ahead; what safety nets use: later isn't predictable
    probability: float = bounded(0.5, "probability", 0.01, 0.99)  # of entry, from which on it's told
    exempt: frozenset[int] = frozenset()  # 24-bit addresses that may be there: no alert for them

    def __post_init__(self) -> None:
        where = f"area {self.name!r}"
        _check(self, where)
        if not self.name:
            raise ConfigError("an area without a name", expected="a name, which people see", todo="Give it a name")
        if not self.rings or any(len(ring) < 3 for ring in self.rings):
            raise ConfigError(f"{where}: a ring with fewer than 3 corners", expected="3 corners or more")
        if (count := sum(map(len, self.rings))) > CORNERS_MAX:
            raise ConfigError(f"{where}: {count:,} corners", expected=f"at most {CORNERS_MAX:,}", todo="Simplify it")
        if not self.h_min < self.h_max:
            raise ConfigError(f"{where}: from {self.h_min:g} to {self.h_max:g} m", expected="a floor below its ceiling")
        if not self.use or set(self.use) - set(AREA_USES):
            raise ConfigError(f"{where}: use = {list(self.use)}", expected=f"some of {', '.join(AREA_USES)}")


@dataclass(frozen=True, slots=True)
class ConflictSettings:
    """Short-term conflict: two aircraft that come, or will come, too close.

    Minima are those by which controllers separate (ICAO Doc 4444, 8.7.3: 5 NM; 5.3.2: 1000 ft); sub-minima are where
    a safety net speaks up, about half of them (EUROCONTROL guidelines for STCA, 2017, use 2.5 NM and 700 ft in
    examples).
    """

    minimum: float = bounded(5.0, "minimum_nmi", 0.01, 50, NMI)  # m, horizontal
    minimum_up: float = bounded(1000.0, "minimum_ft", 10, 10_000, FT)  # m, vertical
    sub_minimum: float = bounded(2.5, "sub_minimum_nmi", 0.01, 50, NMI)  # m
    sub_minimum_up: float = bounded(700.0, "sub_minimum_ft", 10, 10_000, FT)  # m
    horizon_s: float = bounded(120.0, "horizon_s", 1, 120)  # s, two minutes ahead: the usual bound
    probability: float = bounded(0.5, "probability", 0.05, 0.99)  # from which on a conflict is raised
    probability_off: float = bounded(0.3, "probability_off", 0.01, 0.99)  # below which it's over: gap against flicker
    urgent_s: float = bounded(40.0, "urgent_s", 0, 120)  # nearer ahead than this one update is enough, else two agree
    notices: bool = True  # also tell, at level NOTICE, of pairs below the minima that keep to the sub-minima
    unknown_height: Literal["ignore", "notice"] = "ignore"  # safety nets need heights, or they warn without end
    turn_horizon_s: float = bounded(30.0, "turn_horizon_s", 1, 120)  # s; a turning track doesn't fly straight on longer
    ground_speed: float = bounded(50.0, "ground_kt", 0, 200, KT)  # m/s; slower and low, or of no height: on the ground
    ground_h: float = bounded(150.0, "ground_h_m", -500, 9000)  # m above the ellipsoid; "low" in that sense
    formation_range: float = bounded(1.0, "formation_nmi", 0, 10, NMI)  # m; as close as flights in formation stay
    formation_up: float = bounded(500.0, "formation_ft", 0, 5000, FT)  # m
    formation_speed: float = bounded(10.0, "formation_mps", 0, 100)  # m/s of one against the other
    formation_s: float = bounded(20.0, "formation_s", 0, 600)  # s they keep to that before it counts as a formation
    pairs_max: int = bounded(20_000, "pairs_max", 1, 10_000_000)  # that are weighed in one step; more are counted

    def __post_init__(self) -> None:
        _check(self, "conflict")
        if self.sub_minimum > self.minimum or self.sub_minimum_up > self.minimum_up:
            raise ConfigError(
                f"conflict: sub-minima {self.sub_minimum / NMI:g} NM, {self.sub_minimum_up / FT:g} ft",
                expected=f"at most the minima, {self.minimum / NMI:g} NM and {self.minimum_up / FT:g} ft",
            )
        if self.probability_off > self.probability:
            raise ConfigError(
                f"conflict.probability_off = {self.probability_off:g}", expected=f"at most {self.probability:g}"
            )
        if self.unknown_height not in ("ignore", "notice"):
            raise ConfigError(f"conflict.unknown_height = {self.unknown_height!r}", expected="'ignore' or 'notice'")


@dataclass(frozen=True, slots=True)
class LostSettings:
    """A confirmed track that ended where a sensor should have gone on seeing it."""

    range_share: float = bounded(0.9, "range_share", 0.1, 1)  # of a sensor's range: detection fades towards its end
    h_margin: float = bounded(300.0, "h_margin_m", 0, 10_000)  # m above the radio horizon: near it detection fades, too
    landing_speed: float = bounded(50.0, "landing_kt", 0, 300, KT)  # m/s; slower than any airliner flies: it's landing
    landing_h: float = bounded(1500.0, "landing_h_m", -500, 9000)  # m above the ellipsoid; descending below: landing
    neighbour: float = bounded(40.0, "neighbour_km", 0, 500, 1000.0)  # m; a sensor of unknown site covers what lies ...
    neighbour_up: float = bounded(300.0, "neighbour_up_m", 0, 10_000)  # m ... this near, and no higher, to what it sees
    stands_s: float = bounded(120.0, "stands_s", 1, 3600)  # it's shown for this long, or until its address is back
    plots_min: int = bounded(10, "plots_min", 1, 10_000)  # a track of fewer plots wasn't long enough a fact to miss

    def __post_init__(self) -> None:
        _check(self, "lost")


@dataclass(frozen=True, slots=True)
class DoubtfulSettings:
    """Reports that contradict what is known of their track, or one another."""

    apart: float = bounded(5000.0, "apart_m", 100, 1e6)  # m between two tracks of one address: no sensor errs by that
    jump_sigmas: float = bounded(8.0, "jump_sigmas", 3, 100)  # of the track's own accuracy; chance gives 6 in a year
    jump: float = bounded(2000.0, "jump_m", 10, 1e6)  # m, and no less than this: turns of minutes without plots
    climb: float = bounded(100.0, "climb_mps", 10, 2000)  # m/s, 20,000 ft/min: beyond what but fighters do
    climb_step: float = bounded(300.0, "climb_step_m", 30, 10_000)  # m; smaller steps are garbles, which aren't used
    height_off: float = bounded(600.0, "height_off_m", 100, 10_000)  # m between what plots tell and the track believes
    acceleration: float = bounded(100.0, "acceleration_mps2", 10, 10_000)  # m/s², 10 g held over an update
    existence: float = bounded(0.5, "existence", 0, 0.99)  # a track shown as confirmed that is less sure than this
    same_code: bool = False  # two tracks with one Mode A code: tells much within one centre's codes, nothing beyond
    same_code_range: float = bounded(100.0, "same_code_nmi", 1, 1000, NMI)  # m within which a code should be unique
    # conspicuity and emergency codes, which many have at once
    shared_codes: frozenset[int] = frozenset(
        {0o0000, 0o1000, 0o1200, 0o2000, 0o7000, 0o7004, 0o7500, 0o7600, 0o7700, 0o7777}
    )

    def __post_init__(self) -> None:
        _check(self, "doubtful")


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """All settings of a `Watch`."""

    areas: tuple[Area, ...] = ()
    conflict: ConflictSettings = field(default_factory=ConflictSettings)
    lost: LostSettings = field(default_factory=LostSettings)
    doubtful: DoubtfulSettings = field(default_factory=DoubtfulSettings)
    off: frozenset[AlertKind] = frozenset()  # kinds that nobody wants to be told of
    hold_s: float = bounded(8.0, "hold_s", 0, 600)  # s that an alert outlives its cause: two updates of 4 s, no flicker
    q: float = bounded(0.4, "q_m2s3", 0, 1000)  # m²/s³, how straight flight wanders, as the tracker assumes
    q_up: float = bounded(0.5, "q_up_m2s3", 0, 1000)  # m²/s³, likewise climbs: level-offs make a far look unsure
    level_climb: float = bounded(300.0, "level_fpm", 0, 2000, FPM)  # m/s; slower counts as level: what filters leave
    emergency_plots: int = bounded(2, "emergency_plots", 1, 100)  # with the code; one reply alone may be garbled
    alerts_max: int = bounded(1000, "alerts_max", 1, 100_000)  # standing at once; the rest is counted

    def __post_init__(self) -> None:
        _check(self, "alerts")
        names = [area.name for area in self.areas]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigError(f"two areas have the name {doubled[0]!r}", expected="names of their own")
