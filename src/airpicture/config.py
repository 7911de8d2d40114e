"""Settings of the tracker, each default with its reason. Frozen: a change is a new `Config`, by `replace`."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from numbers import Integral, Real
from typing import Any, Final, Literal

from airpicture.errors import ConfigError, InputError
from airpicture.units import DEG

Method = Literal["joint", "nearest"]
SECONDS_MOST: Final = 1e9  # 32 years: times are whole nanoseconds in 64 bits, and several such are added up


def _need(condition: bool, name: str, value: Any, expected: str) -> None:
    if not condition:
        raise ConfigError(f"{name} = {value!r}", expected=expected, todo="Change the setting")


def _need_numbers(settings: Any, room: str, zero: Collection[str] = ()) -> None:
    """Refuse a field that isn't the number it's declared as, or isn't positive (0 is allowed to those in `zero`)."""
    for f in fields(settings):
        if f.type not in ("int", "float"):
            continue
        value, whole = getattr(settings, f.name), f.type == "int"
        known = isinstance(value, Integral if whole else Real) and not isinstance(value, bool) and math.isfinite(value)
        number = f"{'whole ' if whole else ''}number"
        if f.name in zero:
            _need(known and value >= 0, room + f.name, value, f"a {number} of at least 0")
        else:
            _need(known and value > 0, room + f.name, value, f"a positive {number}")
        if f.name.endswith(("_s", "_s_max")):
            _need(value <= SECONDS_MOST, room + f.name, value, f"{SECONDS_MOST:g} s at most")


@dataclass(frozen=True, slots=True)
class Motion:
    """How targets move: four models that a track mixes, see ``models.motion``.

    ``q_*`` are power spectral densities of white acceleration [m²/s³], horizontal unless named otherwise.
    """

    q_straight: float = 0.4  # airliners in moving air, and slow turns: 2 m/s in 10 s; keeps velocity sigmas honest
    q_turn: float = 50.0  # across the course: spread of real turns about the modelled rate
    q_turn_along: float = 12.0  # along it: speed changes less in a turn than its rate does
    q_agile: float = 2600.0  # 2 to 9 g manoeuvres: 160 m/s in 10 s, 50 m/s in 1 s
    q_up_straight: float = 0.5  # level-offs and starts of climbs, 2 m/s in 10 s
    q_up_agile: float = 60.0
    turn_rate: float = 1.5 * DEG  # rad/s, of turns that have just begun; a course that turns sets the rate from then on
    turn_acceleration: float = 12.0  # m/s², bank of 51 degrees; bounds the rate of fast targets
    turn_rate_least: float = 0.2 * DEG  # rad/s; a course that turns more slowly is taken for straight
    turn_seconds: float = 6.0  # memory of how fast a course turns: one look of a 6 s radar weighs two thirds
    share_turn: float = 0.07  # long-run share of time in each turn model: straight legs of 8 minutes
    share_agile: float = 0.015  # long-run share of time in agile flight
    mode_seconds: float = 70.0  # memory of the mode chain: a turn lasts about this long

    def __post_init__(self) -> None:
        _need_numbers(self, "motion.")
        _need(
            2 * self.share_turn + self.share_agile < 1.0,
            "motion.share_turn",
            self.share_turn,
            "shares below one in all",
        )


@dataclass(frozen=True, slots=True)
class Association:
    """How plots are shared out among the tracks that want them."""

    method: Method = "joint"  # joint probabilities, or global nearest neighbour
    exact_limit: int = 12  # exact with no more tracks or plots in a cluster (0.2 to 2 ms), else belief propagation
    sweeps: int = 50  # of belief propagation; more does not make its fixed point better (error of the method itself)
    tolerance: float = 1e-3  # on messages
    apart: float = 0.5  # share of weight shifted so that close tracks don't fall together, see kernels/apart.py
    pairs_max: int = 64  # candidate tracks per plot, nearest first; bounds time and memory in a hub

    def __post_init__(self) -> None:
        _need(self.method in ("joint", "nearest"), "association.method", self.method, "'joint' or 'nearest'")
        _need_numbers(self, "association.", zero=("apart",))
        _need(1 <= self.exact_limit <= 14, "association.exact_limit", self.exact_limit, "1 to 14")
        _need(self.apart <= 1.0, "association.apart", self.apart, "0 to 1")


@dataclass(frozen=True, slots=True)
class Life:
    """How tracks begin, are believed, coast and end."""

    birth_odds: float = 0.01  # prior odds that an unclaimed plot is a new target rather than a false plot
    start_odds: float = 0.3  # likewise for a turning sensor's first plots: all its targets are new, see plots.clutter
    speed_max: float = 1500.0  # m/s, the fastest target class (Mach 4 and some)
    sigma_speed: float = 350.0  # m/s per axis, prior of a velocity not yet measured; over two axes a third of speed_max
    speed_usual: float = 150.0  # m/s, scale of what speeds are usual: half of the targets are slower than 1.3 of it
    sigma_climb: float = 15.0  # m/s, prior of the vertical speed
    # existence below which nothing begins where false plots are so thick that two say too little of fast targets, and
    # the sensor sees two of three: such tracks take more plots from their neighbours than they are worth; elsewhere
    # it's retire_tentative
    begin_thick: float = 0.03
    pairs_max: int = 4  # earlier plots that one unclaimed plot may be joined with
    confirm: float = 0.99  # existence above which a track is confirmed ...
    confirm_plots: int = 3  # ... when it has this many plots
    confirm_pair: float = 0.999  # existence above which two of a turning sensor will do; 1: never
    retire: float = 0.05  # existence below which a track ends that was confirmed ...
    retire_tentative: float = 0.01  # ... and one that wasn't; in thick clutter each halving adds a tenth to all tracks
    coast_looks: int = 2  # missed looks after which a confirmed track is shown as coasting
    coast_s: float = 8.0  # s without a plot after which it is, where no sensor turns (or 3 of its own intervals)
    end_s: float = 60.0  # s without a plot after which any track ends (or 6 turns of the slowest sensor that held it)
    heard_s: float = 300.0  # s without a plot after which it ends though messages of its address come
    end_tentative_s: float = 12.0  # s likewise while tentative (or 2.6 turns; where none turns 2.6 own intervals)
    end_first_s: float = 25.0  # s likewise with one plot where no sensor turns; web feeds have one in 13 to 20 s
    revive_s: float = 1800.0  # s without a plot within which an address takes its track's number up again; 0: never
    lifetime_s: float = 3600.0  # mean time that a target stays in the picture
    pool_max: int = 4_194_304  # unclaimed plots that wait for a second one; the pool takes 128 B for each that does
    visits_max: int = 512  # waiting plots that one plot looks at; bounds time in a clutter storm

    def __post_init__(self) -> None:
        _need_numbers(self, "life.", zero=("start_odds", "revive_s"))
        _need(
            self.retire < self.confirm < 1.0,
            "life.retire, life.confirm",
            (self.retire, self.confirm),
            "0 < retire < confirm < 1",
        )
        _need(self.confirm <= self.confirm_pair <= 1.0, "life.confirm_pair", self.confirm_pair, "life.confirm to 1")
        _need(
            self.retire_tentative < self.confirm,
            "life.retire_tentative",
            self.retire_tentative,
            "less than life.confirm",
        )
        _need(self.begin_thick < self.confirm, "life.begin_thick", self.begin_thick, "less than life.confirm")
        _need(self.pool_max >= 16, "life.pool_max", self.pool_max, "at least 16")
        _need(self.visits_max >= 16, "life.visits_max", self.visits_max, "at least 16")


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of a `Tracker`.

    ``frame_s`` cuts time on a fixed grid. Plots of one cell of the grid and one sensor are shared out together; the cut
    does not depend on how the caller batches, so neither does the picture.
    """

    motion: Motion = field(default_factory=Motion)
    association: Association = field(default_factory=Association)
    life: Life = field(default_factory=Life)
    frame_s: float = 0.25  # 9 degrees of a 10 s antenna: far wider than close pairs, far shorter than a turn
    output_period_s: float = 4.0  # coasting tracks get a row this often; the update period of centres in Europe
    gate_probability: float = 0.9995  # of a true plot to fall inside its track's gate
    gate_radius_max: float = 80_000.0  # m; a track less certain than this can't be told from its neighbours anyway
    height_max: float = 18_000.0  # m; an unmeasured height is taken as anywhere between 0 and this
    sigma_pressure_height: float = 150.0  # m, pressure height against geometric: weather and geoid
    late_s_max: float = 15.0  # a plot older than this is refused: one turn of a long-range radar and some
    future_s_max: float = 60.0  # a plot further ahead of now than this has a broken clock
    capacity: int = 1_500_000  # tracks, tentative ones included; memory is taken as they come, 954 B each

    def __post_init__(self) -> None:
        for name, kind in (("motion", Motion), ("association", Association), ("life", Life)):
            value = getattr(self, name)
            _need(isinstance(value, kind), name, value, f"settings of the class config.{kind.__name__}")
        _need_numbers(self, "", zero=("late_s_max", "future_s_max"))
        _need(0.01 <= self.frame_s <= 60.0, "frame_s", self.frame_s, "0.01 to 60 s")
        _need(self.output_period_s >= 0.01, "output_period_s", self.output_period_s, "0.01 s or more")
        _need(0.9 <= self.gate_probability < 1.0, "gate_probability", self.gate_probability, "0.9 to below 1")
        _need(self.capacity >= 16, "capacity", self.capacity, "at least 16")

    def plain(self) -> dict[str, Any]:
        """Return all settings as values of JSON, those of a room as an object of its own."""
        return asdict(self, dict_factory=lambda items: {name: _plain(value) for name, value in items})

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> Config:
        """Undo `plain`; what isn't named is as by default.

        Raises
        ------
        ConfigError : a setting that this version doesn't know, or a value that it refuses
        """
        given = {name: _room(name, value) if name in _ROOMS else value for name, value in values.items()}
        _need_known(given, cls, "")
        return cls(**given)

    def differing(self, other: Config) -> dict[str, Any]:
        """Return the settings that the other has otherwise, by name (``life.end_s``), with the values here."""
        mine, its = _flat(self), _flat(other)
        return {name: value for name, value in mine.items() if its[name] != value}


def need_config(config: object) -> Config:
    """Return settings as they're given, and those by default for None.

    Raises
    ------
    InputError : it's another thing
    """
    if config is None:
        return Config()
    if not isinstance(config, Config):
        made = "Config.from_plain({...})" if isinstance(config, Mapping) else "Config(frame_s=0.25, ...)"
        raise InputError(
            f"config is of the type {type(config).__name__}", expected="Config", todo=f"Make it with {made}"
        )
    return config


_ROOMS: Final[dict[str, type[Any]]] = {"motion": Motion, "association": Association, "life": Life}


def _plain(value: Any) -> Any:
    """Return a number of numpy as Python's, and all else as it is."""
    return value.item() if hasattr(value, "item") else value


def _room(name: str, values: Any) -> Any:
    _need(isinstance(values, Mapping), name, values, "settings by name")
    _need_known(values, _ROOMS[name], f"{name}.")
    return _ROOMS[name](**values)


def _need_known(values: Mapping[str, Any], kind: Any, room: str) -> None:
    known = [f.name for f in fields(kind)]
    for name, value in values.items():
        _need(name in known, f"{room}{name}", value, "a setting that this version has")


def _flat(settings: Any, room: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for f in fields(settings):
        value = getattr(settings, f.name)
        found |= _flat(value, f"{room}{f.name}.") if is_dataclass(value) else {f"{room}{f.name}": value}
    return found
