"""The columns of the files that users exchange: names, order, types, limits. Nothing else decides them.

Angles are degrees, lengths metres unless the name says otherwise, null is "unknown". The limits are what physics and
the encodings allow, not what is likely: judging the likely is the tracker's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from airpicture.formats.arrow import pa


@dataclass(frozen=True, slots=True)
class Column:
    """One column: Arrow type, whether each row must have it, and the closed interval of values."""

    name: str
    type: Any
    required: bool = False
    low: float = float("-inf")
    high: float = float("inf")
    hint: str = ""  # what to look for when a value is outside


_F, _I, _T, _L = pa.float64(), pa.int32(), pa.string(), pa.int64()
_ANY_TIME = {"low": 0, "high": 2**63 - 1}
_SPEED = 20_000.0  # m/s; re-entry from orbit is 8 km/s
_H_MIN, _H_MAX = -12_000.0, 5e7  # m; the deepest trench to geostationary orbit
_OCTAL_HINT = "The file holds the value of the 12 bits: octal 7700 is 4032"
_ADDRESS_HINT = "The file holds the 24-bit address as a decimal number: hexadecimal A19702 is 10589954"


def _times(name: str, required: bool = True) -> Column:
    return Column(name, _L, required, **_ANY_TIME, hint="Times are whole nanoseconds of UTC since 1970")


def _position(required: bool) -> list[Column]:
    return [
        Column("lat_deg", _F, required, -90, 90),
        Column("lon_deg", _F, required, -180, 360),  # 180 to 360 is another custom for 180 west to 0
        Column("h_ell_m", _F, False, _H_MIN, _H_MAX),
    ]


def _speeds(*axes: str) -> list[Column]:
    return [Column(f"v_{axis}_mps", _F, False, -_SPEED, _SPEED) for axis in axes]


_IDENTITY: Final = [
    Column("mode_3a", _I, False, 0, 0o7777, _OCTAL_HINT),
    Column("address", _I, False, 0, 0xFFFFFF, _ADDRESS_HINT),
    Column("callsign", _T),
]
# Added since; files without them are read as before.
_NATURE: Final = [Column("on_ground", pa.bool_()), Column("category", _T)]
_H_BARO: Final = Column("h_baro_ft", _F, False, -10_000, 1e6)

PLOTS: Final[tuple[Column, ...]] = (
    _times("t_ns"),
    Column("sensor", _T, True),
    Column("range_m", _F, False, 0, 1e9, "A slant range is never negative"),
    Column("azimuth_deg", _F, False, -360, 720),
    Column("elevation_deg", _F, False, -90, 90),
    Column("range_rate_mps", _F, False, -_SPEED, _SPEED),
    *_position(False),
    Column("sigma_pos_m", _F, False, 1e-3, 1e6),
    _H_BARO,
    *_IDENTITY,
    *_speeds("east", "north", "up"),
    Column("sigma_v_mps", _F, False, 1e-3, 1e4),
    Column("turn_rate_degps", _F, False, -360, 360),  # clockwise, as azimuths are
    Column("truth", _T),
    *_NATURE,
)

TRUTH: Final[tuple[Column, ...]] = (
    _times("t_ns"),
    Column("target", _T, True),
    Column("class", _T),
    *_position(True),
    *_speeds("east", "north", "up"),
)

TRACKS: Final[tuple[Column, ...]] = (
    _times("t_ns"),
    Column("track", _L, True, -(2**63), 2**63 - 1),
    Column("status", _T),
    Column("existence", _F, False, 0, 1),
    *_position(True),
    _H_BARO,
    *_speeds("east", "north", "up"),
    Column("sigma_east_m", _F, False, 0, 1e9),
    Column("sigma_north_m", _F, False, 0, 1e9),
    Column("rho_east_north", _F, False, -1, 1),
    Column("sigma_up_m", _F, False, 0, 1e9),
    Column("sigma_v_east_mps", _F, False, 0, 1e9),
    Column("sigma_v_north_mps", _F, False, 0, 1e9),
    *_IDENTITY,
    Column("plot_count", _I, False, 0, 2**31 - 1),
    _times("t_ns_plot", required=False),
    Column("sensors", pa.list_(_T)),
    *_NATURE,
)

SCHEMAS: Final[dict[str, tuple[Column, ...]]] = {"plots": PLOTS, "truth": TRUTH, "tracks": TRACKS}
# The column that no other table has, by which a file is recognised.
MARKS: Final[dict[str, str]] = {"plots": "sensor", "truth": "target", "tracks": "track"}


def arrow_schema(kind: str) -> Any:
    """Return the Arrow schema of ``plots``, ``truth`` or ``tracks``."""
    return pa.schema([pa.field(column.name, column.type) for column in SCHEMAS[kind]])
