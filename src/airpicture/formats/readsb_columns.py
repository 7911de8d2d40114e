"""From entries of ``aircraft.json`` to columns: what each key of readsb, dump1090 and their like means.

Source of the keys: readsb, README-json.md; dump1090-fa, README-json.md; dump1090-mutability's, which are older.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from airpicture.formats import emitters, quality
from airpicture.formats.addresses import numbers_of
from airpicture.formats.jsontext import callsigns, reals, squawks
from airpicture.formats.reported import Heard, ground_word
from airpicture.tables import F64, I32
from airpicture.units import DEG, FPM, FT, KT
from airpicture.words import counted

# Sources by the first part of ``type``; what's missing or unknown counts as ADS-B, as before there was the key.
NAMES: Final = ("adsb", "adsr", "tisb", "mlat", "adsc", "other")
_MLAT: Final = NAMES.index("mlat")
_TISB: Final = NAMES.index("tisb")
_KEYS: Final = (
    *("lat", "lon", "seen_pos", "hex", "type", "flight", "squawk", "alt_baro", "alt_geom", "gs", "track"),
    *("nac_p", "nic", "rc", "nac_v", "baro_rate", "geom_rate", "track_rate", "mlat", "tisb", "gpsOkBefore"),
    *("category", "seen"),
)
_OLDER: Final = {  # the same by other names: dump1090-mutability, adsb_actions
    "alt_baro": ("altitude",),
    "gs": ("speed", "gscp"),
    "baro_rate": ("vert_rate",),
    "flight": (),
}
_MILLISECONDS: Final = 1e11  # a `now` beyond is in milliseconds, as the aggregators' web interfaces have it (v2)
_T_MAX: Final = 4e9  # s since 1970, year 2096


def heard_from(reports: Sequence[dict[str, Any]], now: Sequence[Any]) -> Heard:
    """Turn entries into columns.

    The time of a position is `now` of its snapshot less its age, and so is that of what was heard last. Sources are
    indices in `NAMES`. On the ground a height by pressure isn't told, and the rate of climb is 0.

    Parameters
    ----------
    now : s UTC of the snapshot of each, or ms
    """
    rows = [[report.get(key) for key in _KEYS] for report in reports]
    columns: list[tuple[Any, ...]] = [*zip(*rows, strict=True)] if rows else [()] * len(_KEYS)
    cells = dict(zip(_KEYS, columns, strict=True))
    for key, others in _OLDER.items():
        for other in others:
            if None in cells[key]:
                cells[key] = tuple(
                    report.get(other) if cell is None else cell
                    for cell, report in zip(cells[key], reports, strict=True)
                )
    seconds = reals(now)
    seconds = np.where(seconds > _MILLISECONDS, seconds / 1e3, seconds)
    age, silence = reals(cells["seen_pos"]), reals(cells["seen"])
    aged = np.isfinite(age)
    given = np.array(["lat" in report and "lon" in report for report in reports], np.bool_)
    # Both have at most three decimals: whole milliseconds are exact, where floats of today's seconds are not.
    with np.errstate(invalid="ignore", over="ignore"):
        t_ms = np.rint(seconds * 1e3) - np.rint(np.where(aged, age, 0.0) * 1e3)
        timely = (seconds > 0) & (seconds < _T_MAX) & (t_ms >= 0)
        t_ns = np.where(timely, t_ms, 0).astype(np.int64) * 1_000_000
        said_ms = np.rint(seconds * 1e3) - np.rint(silence * 1e3)
        said = timely & (aged | ~given) & (silence >= 0) & (said_ms >= 0)
        t_said = np.where(said, np.where(said, said_ms, 0).astype(np.int64) * 1_000_000, -1)
    who, address = numbers_of(cells["hex"])
    source = _sources(cells)
    computed = source == _MLAT
    lat, lon = reals(cells["lat"]), reals(cells["lon"])
    grounded = np.array([height == "ground" for height in cells["alt_baro"]], np.bool_)
    height = reals(cells["alt_baro"])
    climb = reals(cells["geom_rate"])
    climb = np.where(np.isnan(climb), reals(cells["baro_rate"]), climb) * FPM
    return Heard.of(
        len(reports),
        who=who,
        t_ns=t_ns,
        timely=timely,
        source=source,
        lat=lat,
        lon=lon,
        given=given,
        aged=aged,
        h_ell=reals(cells["alt_geom"]) * FT,
        h_baro=height * FT,  # "ground" is no height
        speed=np.where(_listed(cells["mlat"], "gs"), np.nan, reals(cells["gs"])) * KT,
        course=reals(cells["track"]),
        v_up=np.where(grounded, 0.0, np.where(_listed(cells["mlat"], "baro_rate"), np.nan, climb)),
        sigma_pos=np.where(computed, np.nan, _accuracy(cells, t_ns)),  # NACp is the aircraft's, not the network's
        sigma_v=np.where(computed, np.nan, quality.coded(quality.SIGMA_NACV, reals(cells["nac_v"]))),
        turn_rate=-reals(cells["track_rate"]) * DEG,
        mode_3a=squawks(cells["squawk"]),
        address=address,
        callsign=callsigns(cells["flight"]),
        on_ground=ground_word(grounded, np.isfinite(height)),
        category=emitters.from_texts(cells["category"]),
        t_said=t_said,
    )


def anonymous(count: int) -> str:
    """Say how many positions are of targets without an address."""
    positions = counted(count, "position carries", "positions carry")
    return f"{positions} no aircraft address (TIS-B track files and anonymous targets)"


def without_satellites(reports: Sequence[dict[str, Any]]) -> int:
    """Count the entries whose aircraft said that it had lost its satellites."""
    return sum(1 for report in reports if "gpsOkBefore" in report)


def _accuracy(cells: dict[str, tuple[Any, ...]], t_ns: Any) -> F64:
    sigma = quality.sigma_position(reals(cells["nac_p"]), reals(cells["nic"]), reals(cells["rc"]))
    lost = quality.age_s(t_ns, reals(cells["gpsOkBefore"]))
    return np.where(np.isnan(lost), sigma, np.fmax(sigma, quality.sigma_without_satellites(np.nan_to_num(lost))))


def _sources(cells: dict[str, tuple[Any, ...]]) -> I32:
    """Return who computed each position: by ``type`` (readsb), or by the lists of fields that MLAT and TIS-B gave."""
    place = {name: k for k, name in enumerate(NAMES)}
    kinds: dict[Any, int] = {}
    found = []
    for kind, mlat, tisb in zip(cells["type"], cells["mlat"], cells["tisb"], strict=True):
        text = kind if isinstance(kind, str) else ""
        if text not in kinds:
            kinds[text] = place.get(text.split("_", 1)[0], -1)
        source = kinds[text]
        # dump1090 has no `type`; readsb's may be of the messages heard last ("mode_s"), not of the position.
        if source <= 0 and text not in ("adsb_icao", "adsb_icao_nt"):
            source = _MLAT if _names(mlat, "lat") else _TISB if _names(tisb, "lat") else 0
        found.append(source)
    return np.array(found, np.int32)


def _listed(fields: Sequence[Any], name: str) -> Any:
    """Say where a list of fields holds a name. A velocity that MLAT computed comes from its positions, used already."""
    return np.array([_names(one, name) for one in fields], np.bool_)


def _names(fields: Any, name: str) -> bool:
    return isinstance(fields, list) and name in fields
