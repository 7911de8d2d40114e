"""ModesTable: every field of every message as columns, for people who look into the messages themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.modes.frames import Frames
from airpicture.kernels import modes_clock
from airpicture.kernels import modes_columns as col
from airpicture.tables import F64, I64, U8, unpack_callsigns

if TYPE_CHECKING:
    import os

    import pandas as pd
    import pyarrow as pa

# What became of a message. "refused" ones make no plot and teach the decoder nothing.
OUTCOMES: Final = {
    col.MODE_AC: "decoded Mode A/C reply",
    col.POSITION: "decoded position",
    col.UNPAIRED: "decoded position without its other half",
    col.UNREFERENCED: "decoded surface position without a place near by",
    col.JUMPED: "refused position farther than anything flies",
    col.FAR: "refused position beyond the receiver's range",
    col.PLACELESS: "decoded position message without position",
    col.VELOCITY: "decoded velocity",
    col.IDENTITY: "decoded identity",
    col.STATUS: "decoded status",
    col.SQUITTER: "decoded other squitter",
    col.ALL_CALL: "decoded all-call reply",
    col.HEIGHT: "decoded altitude reply",
    col.CODE: "decoded identity reply",
    col.COMM_D: "decoded Comm-D",
    col.BAD_PARITY: "refused parity",
    col.UNVOUCHED: "refused address that nothing vouches for",
    col.DUPLICATE: "refused duplicate",
    col.UNKNOWN_FORMAT: "refused unknown downlink format",
    col.WRONG_LENGTH: "refused wrong length",
    col.BAD_VALUE: "refused position that no point of the Earth has",
}
FOUND: Final = {
    col.BY_NOTHING: "not found",
    col.BY_PARITY: "parity",
    col.BY_INTERROGATOR: "interrogator",
    col.BY_OVERLAY: "overlay",
    col.UNSURE: "unsure",
    col.BY_REPETITION: "repetition",
}
SOURCES: Final = {
    col.TRANSPONDER: "mode_s",
    col.ADSB: "adsb",
    col.ADSB_OTHER: "adsb_nt",
    col.ADSB_ANONYMOUS: "adsb_other",
    col.TISB_FINE: "tisb",
    col.TISB_COARSE: "tisb_coarse",
    col.TISB_MANAGEMENT: "tisb_management",
    col.TISB_ANONYMOUS: "tisb_other",
    col.ADSR: "adsr",
}
PLACES: Final = {col.GLOBAL: "pair", col.LOCAL: "last position", col.LOCAL_SITE: "receiver"}
ORIGINS: Final = {modes_clock.HEARD: "heard", modes_clock.FROM_MLAT: "mlat", modes_clock.FROM_UAT: "uat"}
RATE_SOURCES: Final = {0: "geometric", 1: "barometric"}
REGISTERS: Final = {code: f"{code >> 4:X},{code & 15:X}" for code in (5, 16, 23, 32, 48, 64, 68, 80, 96)}


class Column(NamedTuple):
    """A column of the table: its name in files, where it stands in the kernel's columns, what it means."""

    name: str
    block: Literal["code", "real", "flag", "text"]
    row: int
    meaning: str
    texts: dict[int, str] | None = None


COLUMNS: Final = (
    Column("df", "code", col.DF, "downlink format; 24 stands for 24 to 31"),
    Column("became", "text", col.BECAME, "what the message was taken for, or why it was refused", OUTCOMES),
    Column("address", "code", col.ADDRESS, "24 bits; null where nothing vouches for it"),
    Column("found", "text", col.FOUND, "how sure the address is, see docs/modes.md", FOUND),
    Column("remainder", "code", col.REMAINDER, "of the parity check: in replies the address, if it's one at all"),
    Column("anonymous", "flag", col.ANONYMOUS, "the address isn't an aircraft's own"),
    Column("source", "text", col.SOURCE, "who speaks, in the words of aircraft.json", SOURCES),
    Column("capability", "code", col.CAPABILITY, "CA of DF 11 and 17"),
    Column("interrogator", "code", col.INTERROGATOR, "code of the one that DF 11 answers; 0 unasked"),
    Column("ground", "flag", col.GROUND, "on the ground"),
    Column("surveillance", "code", col.SURVEILLANCE, "flight status of a reply, surveillance status of a position"),
    Column("typecode", "code", col.TYPECODE, "of an extended squitter"),
    Column("subtype", "code", col.SUBTYPE, "of an extended squitter"),
    Column("category", "code", col.CATEGORY, "emitter category: 0xA3 is A3"),
    Column("squawk", "code", col.SQUAWK, "Mode A code, value of the 12 bits"),
    Column("emergency", "code", col.EMERGENCY, "emergency state of type code 28"),
    Column("h_baro_ft", "real", col.H_BARO_FT, "pressure altitude"),
    Column("h_ell_ft", "real", col.H_ELL_FT, "height above the ellipsoid (type codes 20 to 22)"),
    Column("diff_ft", "real", col.DIFF_FT, "geometric height less pressure altitude; at positions the last one told"),
    Column("odd", "flag", col.ODD, "CPR format"),
    Column("cpr_lat", "code", col.CPR_LAT, "as sent, 17 bits (12 in coarse TIS-B)"),
    Column("cpr_lon", "code", col.CPR_LON, "as sent"),
    Column("utc", "flag", col.UTC, "the position holds for an even 0.2 s of UTC"),
    Column("placed", "text", col.PLACED, "what the position was found with", PLACES),
    Column("nic", "code", col.NIC, "navigation integrity category (NUCp under version 0) of a position"),
    Column("rc_m", "real", col.RC_M, "containment radius that goes with it"),
    Column("hfom_m", "real", col.HFOM_M, "95 % bound of the error that goes with NUCp"),
    Column("nacp", "code", col.NACP, "navigation accuracy category; at positions the last one told"),
    Column("nacv", "code", col.NACV, "accuracy category of the velocity"),
    Column("sil", "code", col.SIL, "source integrity level; at positions the last one told"),
    Column("sda", "code", col.SDA, "system design assurance; likewise"),
    Column("gva", "code", col.GVA, "geometric vertical accuracy; likewise"),
    Column("nic_baro", "flag", col.NIC_BARO, "pressure altitude is cross-checked"),
    Column("nic_b", "flag", col.NIC_B, "NIC supplement B of an airborne position"),
    Column("version", "code", col.VERSION, "of ADS-B; at positions the last one told"),
    Column("gs_kt", "real", col.GS_KT, "ground speed"),
    Column("track_deg", "real", col.TRACK_DEG, "true"),
    Column("v_east_kt", "real", col.EAST_KT, "of ground speed and track"),
    Column("v_north_kt", "real", col.NORTH_KT, "of ground speed and track"),
    Column("heading_deg", "real", col.HEADING_DEG, "magnetic"),
    Column("ias_kt", "real", col.IAS_KT, "indicated airspeed"),
    Column("tas_kt", "real", col.TAS_KT, "true airspeed"),
    Column("mach", "real", col.MACH, "Mach number"),
    Column("rate_fpm", "real", col.RATE_FPM, "vertical rate"),
    Column("rate_source", "text", col.RATE_SOURCE, "of rate_fpm", RATE_SOURCES),
    Column("rate_inertial_fpm", "real", col.RATE_INERTIAL_FPM, "inertial vertical rate"),
    Column("roll_deg", "real", col.ROLL_DEG, "right wing down positive"),
    Column("turn_degps", "real", col.TURN_DPS, "rate of the track angle, clockwise positive"),
    Column("selected_ft", "real", col.SELECTED_FT, "height selected at the mode control panel"),
    Column("selected_fms_ft", "real", col.SELECTED_FMS_FT, "height selected in the flight management system"),
    Column("selected_heading_deg", "real", col.SELECTED_HEADING_DEG, "magnetic"),
    Column("qnh_hpa", "real", col.QNH_HPA, "pressure setting"),
    Column("modes", "code", col.MODES, "bits: 1 autopilot, 2 VNAV, 4 altitude hold, 8 approach, 16 LNAV"),
    Column("acas", "flag", col.ACAS, "collision avoidance works"),
    Column("register", "text", col.REGISTER, "what a Comm-B reply was found to hold", REGISTERS),
    Column("confidence", "real", col.CONFIDENCE, "probability that it's that register"),
    Column("wind_kt", "real", col.WIND_KT, "of register 4,4"),
    Column("wind_from_deg", "real", col.WIND_FROM_DEG, "true"),
    Column("temperature_c", "real", col.TEMPERATURE_C, "static air temperature"),
    Column("pressure_hpa", "real", col.PRESSURE_HPA, "static air pressure"),
    Column("humidity_percent", "real", col.HUMIDITY_PERCENT, "relative"),
    Column("squawk_known", "code", col.SQUAWK_KNOWN, "at a position: the last Mode A code heard, if fresh"),
    Column("category_known", "code", col.CATEGORY_KNOWN, "at a position: the last emitter category, if fresh"),
)
_BY_NAME: Final = {column.name: column for column in COLUMNS}


@dataclass(frozen=True, slots=True, eq=False)
class ModesTable:
    """Decoded messages, one row each, in the order in which they came. N rows.

    `columns` names them all. Values are in the units of the messages; what a message doesn't say is NaN or -1, and null
    in Arrow.
    """

    t_ns: I64  # (N,) ns UTC since 1970, time of validity; -1 unknown
    frames: Frames
    origin: U8  # (N,) heard, computed by a network, or from UAT; see ORIGINS
    fields: col.Columns

    def __len__(self) -> int:
        return len(self.t_ns)

    @property
    def columns(self) -> list[str]:
        """Names of the columns of `to_arrow`."""
        return ["t_ns", "frame", "origin", "signal", "receiver", "callsign", "lat_deg", "lon_deg", *_BY_NAME]

    @property
    def lat_deg(self) -> F64:
        """Latitude, (N,) float64, NaN where a message brings or makes no position."""
        return self.fields.lat

    @property
    def lon_deg(self) -> F64:
        """Longitude in [-180, 180)."""
        return self.fields.lon

    def code(self, row: int) -> NDArray[np.int32]:
        """Return a column of codes by its number in ``kernels.modes_columns``."""
        column: NDArray[np.int32] = self.fields.codes[row]
        return column

    def real(self, row: int) -> NDArray[np.float32]:
        """Return a column of reals by its number in ``kernels.modes_columns``."""
        column: NDArray[np.float32] = self.fields.reals[row]
        return column

    def column(self, name: str) -> NDArray[Any]:
        """Return a column by the name it has in `columns`, as numbers: -1 or NaN where a message says nothing."""
        if name in ("t_ns", "origin"):
            return np.asarray(getattr(self, name))
        if name in ("signal", "receiver"):
            return np.asarray(getattr(self.frames, name))
        if name in ("lat_deg", "lon_deg"):
            return self.lat_deg if name == "lat_deg" else self.lon_deg
        if name == "callsign":
            return np.array(unpack_callsigns(self.fields.callsign.view(np.uint64)), object)
        if name == "frame":
            return np.array(hex_of(self.frames), object)
        found = _BY_NAME[name]
        return self.real(found.row) if found.block == "real" else self.code(found.row)

    def to_arrow(self) -> pa.Table:
        """Return all columns: null for what a message doesn't say, text for what has names."""
        from airpicture.formats.arrow import Table, pa

        arrays: dict[str, Any] = {
            "t_ns": pa.array(self.t_ns, mask=self.t_ns < 0),
            "frame": pa.array(hex_of(self.frames)),
            "origin": _named(pa, self.origin, ORIGINS),
            "signal": pa.array(self.frames.signal, mask=self.frames.signal == 0),
            "receiver": pa.array(self.frames.receiver.view(np.uint64), mask=self.frames.receiver == 0),
            "callsign": pa.array(unpack_callsigns(self.fields.callsign.view(np.uint64)), pa.string()),
            "lat_deg": pa.array(self.lat_deg, mask=np.isnan(self.lat_deg)),
            "lon_deg": pa.array(self.lon_deg, mask=np.isnan(self.lon_deg)),
        }
        for name, block, row, _, texts in COLUMNS:
            if block == "real":
                values = self.real(row)
                arrays[name] = pa.array(values, mask=np.isnan(values))
            elif texts is not None:
                arrays[name] = _named(pa, self.code(row), texts)
            else:
                codes = self.code(row)
                arrays[name] = pa.array(codes == 1 if block == "flag" else codes, mask=codes < 0)
        meanings = {name: _BY_NAME[name].meaning for name in _BY_NAME}
        table: Table = pa.table(arrays)
        for place, field in enumerate(table.schema):
            if field.name in meanings:
                told = field.with_metadata({"meaning": meanings[field.name]})
                table = table.set_column(place, told, table.column(place))
        return table

    def to_pandas(self) -> pd.DataFrame:
        """Return `to_arrow` as a data frame (needs pandas)."""
        return self.to_arrow().to_pandas()

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write all columns; the ending (.parquet, .csv) chooses the format.

        Raises
        ------
        InputError : another ending, or a place that can't be written to
        """
        from airpicture.formats.columns import write_table

        write_table(self.to_arrow(), path)


def hex_of(frames: Frames) -> list[str]:
    """Return each message as hexadecimal digits."""
    digits = frames.data.tobytes().hex()
    width = 2 * frames.data.shape[1]
    return [digits[width * k : width * k + 2 * size] for k, size in enumerate(frames.size.tolist())]


def _named(pa: Any, codes: NDArray[Any], texts: dict[int, str]) -> Any:
    """Return codes as a dictionary of texts, null where they are none of them."""
    place = np.full(max(texts) + 2, -1, np.int32)
    place[list(texts)] = np.arange(len(texts), dtype=np.int32)
    rows = place[np.where((codes >= 0) & (codes <= max(texts)), codes, max(texts) + 1)]
    return pa.DictionaryArray.from_arrays(pa.array(rows, mask=rows < 0), pa.array(list(texts.values())))


def joined(tables: Sequence[ModesTable]) -> ModesTable:
    """Return tables end to end."""
    first = [table.frames for table in tables]
    fields = [table.fields for table in tables]
    return ModesTable(
        t_ns=np.concatenate([table.t_ns for table in tables]),
        frames=Frames(*(np.concatenate([getattr(f, n) for f in first]) for n in Frames.__dataclass_fields__)),
        origin=np.concatenate([table.origin for table in tables]),
        fields=col.Columns(*(np.concatenate(parts, axis=-1) for parts in zip(*fields, strict=True))),
    )
