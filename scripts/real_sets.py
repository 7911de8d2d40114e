"""Real recordings for `real_accuracy`: short ranges at sea, times of arrival, and reports held out where there's no
reference.

Each function yields rows of the table. Distances are horizontal, in metres.
"""

import gzip
import json
import runpy
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
from compare_recordings import ROOT

import airpicture as ap
from airpicture.formats import locards
from airpicture.geo import enu_to_geodetic, polar_to_geodetic
from airpicture.tables import F64, I64, Plots, Status, Tracks

RADIUS = 6_371_000.0  # m
HELD_OUT = 5  # every so manieth report is kept back and predicted
FRESH_S = 30.0  # s, longest that a prediction reaches
SAID_S = 10.0  # s, that a velocity is moved on with, where it comes in messages of its own
TURN_S = 10.0  # s, that a turn is moved on with
AHEAD_NS = 10_000_000_000  # ns: by then an error that neighbouring reports have in common is another one
LENGTH_M = 100.0  # m, of a way between reports, from which on it has a direction
NEAR_M = 50.0  # m, from a boat: what is farther is another's, or nobody's

Row = tuple[str, str, str, str, str, str]


def figures(off: F64) -> str:
    """Return median, 95 % and RMS of distances."""
    off = off[np.isfinite(off)]
    return f"{np.median(off):.1f} / {np.percentile(off, 95):.0f} / {np.sqrt((off**2).mean()):.0f}" if len(off) else "-"


def apart(lat: F64, lon: F64, lat2: F64, lon2: F64) -> F64:
    """Return horizontal distances [m]."""
    north, east = RADIUS * (lat2 - lat), RADIUS * np.cos(lat) * (lon2 - lon)
    return np.asarray(np.hypot(north, east))


def confirmed(tracks: Tracks) -> Tracks:
    """Return the rows of confirmed tracks."""
    return tracks.take(tracks.status == Status.CONFIRMED)


# --- reports held out ---------------------------------------------------------------------------------------------


def moved(lat: F64, lon: F64, v_east: F64, v_north: F64, gap_s: F64) -> tuple[F64, F64]:
    """Return places that keep their velocity for a while; without one they're unknown."""
    return lat + v_north * gap_s / RADIUS, lon + v_east * gap_s / RADIUS / np.cos(lat)


def predicted(who: I64, t_ns: I64, table: Plots | Tracks, ahead_ns: int = 0) -> tuple[F64, F64]:
    """Return where each of `who` is at t_ns by its last state at or before that, moved on; NaN where it's too old.

    Parameters
    ----------
    table : states, by address; tracks are moved on with the turn that they tell as well
    ahead_ns : ns, by which a state must be older at least
    """
    owner, t, lat, lon = table.address.astype(np.int64), table.t_ns, table.lat, table.lon
    order = np.lexsort((t, owner))
    owner, t = owner[order], t[order]
    start = min(int(t.min(initial=2**62)), int(t_ns.min(initial=2**62)))
    span = max(int(t.max(initial=0)), int(t_ns.max(initial=0))) - start + 1
    met = np.unique(np.concatenate([owner, who]))
    key = np.searchsorted(met, owner) * span + (t - start)
    wanted = np.searchsorted(met, who) * span + np.maximum(t_ns - ahead_ns - start, 0)
    at = np.searchsorted(key, wanted, side="right") - 1
    row = order[np.maximum(at, 0)]
    gap = (t_ns - table.t_ns[row]) * 1e-9
    good = (at >= 0) & (table.address[row] == who) & (gap >= ahead_ns * 1e-9) & (gap < FRESH_S)
    v_east, v_north = table.v_east[row], table.v_north[row]
    if isinstance(table, Tracks):  # the mean velocity of the time, while it turns as it did
        turning = np.minimum(gap, TURN_S) * (1.0 - 0.5 * np.minimum(gap, TURN_S) / np.maximum(gap, 1e-9))
        v_east = v_east + turning * np.nan_to_num(table.a_east[row])
        v_north = v_north + turning * np.nan_to_num(table.a_north[row])
    there = moved(lat[row], lon[row], v_east, v_north, gap)
    return np.where(good, there[0], np.nan), np.where(good, there[1], np.nan)


def placed(plots: Plots) -> Plots:
    """Return plots that have an address and a place, a radar's placed by its range, azimuth and height."""
    lat, lon = plots.lat.copy(), plots.lon.copy()
    polar = np.flatnonzero(np.isnan(lat) & np.isfinite(plots.slant_range + plots.h_baro))
    if len(polar):
        at = plots.sensors
        site = plots.sensor[polar]
        h0 = at.h_ell[site]
        slant = plots.slant_range[polar] - at.bias_range[site]
        height = plots.h_baro[polar] - h0
        elevation = np.arcsin(np.clip(height / slant - slant / (2 * RADIUS), -1, 1))
        azimuth = plots.azimuth[polar] - at.bias_azimuth[site]
        lat[polar], lon[polar], _ = polar_to_geodetic(slant, azimuth, elevation, at.lat[site], at.lon[site], h0)
    both = replace(plots, lat=lat, lon=lon)
    return both.take(np.isfinite(lat) & (plots.address >= 0))


def with_velocities(spots: Plots, plots: Plots) -> Plots:
    """Return positions with the velocity that their aircraft told last, where that came in a message of its own."""
    told = plots.take(np.isnan(plots.lat) & np.isfinite(plots.v_east + plots.v_north))
    told = told.take(np.lexsort((told.t_ns, told.address)))
    if not len(told):
        return spots
    start = int(min(told.t_ns.min(), spots.t_ns.min()))
    span = int(max(told.t_ns.max(), spots.t_ns.max())) - start + 1
    key = told.address.astype(np.int64) * span + (told.t_ns - start)
    row = np.searchsorted(key, spots.address.astype(np.int64) * span + (spots.t_ns - start), side="right") - 1
    row = np.maximum(row, 0)
    fits = (told.address[row] == spots.address) & (np.abs(spots.t_ns - told.t_ns[row]) < SAID_S * 1e9)
    fits &= np.isnan(spots.v_east)
    v_east, v_north = (np.where(fits, mine[row], own) for mine, own in
                       ((told.v_east, spots.v_east), (told.v_north, spots.v_north)))  # fmt: skip
    return replace(spots, v_east=v_east, v_north=v_north)


def across(spots: Plots, row: I64, lat: F64, lon: F64) -> F64:
    """Return how far predictions of some rows lie beside the way between the reports before and after [m].

    Parameters
    ----------
    spots : plots of one aircraft each, in order of aircraft and time
    row : those that are predicted; NaN where the way is too short to have a direction
    """
    before, after = np.maximum(row - 1, 0), np.minimum(row + 1, len(spots) - 1)
    east = RADIUS * np.cos(spots.lat[row]) * (spots.lon[after] - spots.lon[before])
    north = RADIUS * (spots.lat[after] - spots.lat[before])
    length = np.hypot(east, north)
    off_east, off_north = RADIUS * np.cos(spots.lat[row]) * (lon - spots.lon[row]), RADIUS * (lat - spots.lat[row])
    one = (spots.address[before] == spots.address[row]) & (spots.address[after] == spots.address[row])
    aside = np.abs(off_east * north - off_north * east) / np.maximum(length, 1e-12)
    return np.where(one & (length > LENGTH_M), aside, np.nan)


def held_out(name: str, plots: Plots, *, period_s: float = 1.0) -> Iterator[Row]:
    """Yield the rows of a set without reference: every fifth report of an aircraft, predicted by the others.

    The second row tells how far predictions lie beside the way flown, where times that are wrong don't show.

    Raw is what displays do, the last report moved on with the velocity that it told. The held-out reports have errors
    of their own, which are in all three.
    """
    plots = plots.take(plots.address >= 0).in_time_order()
    spots = placed(plots)
    order = np.lexsort((spots.t_ns, spots.address))
    owner = spots.address[order]
    first = np.maximum.accumulate(np.where(np.diff(owner, prepend=-2) != 0, np.arange(len(owner)), 0))
    chosen = np.zeros(len(spots), bool)
    chosen[order] = (np.arange(len(owner)) - first) % HELD_OUT == HELD_OUT // 2
    spots, chosen = spots.take(order), chosen[order]
    kept = spots.take(chosen)
    marks = np.stack([kept.t_ns, kept.address.astype(np.int64) * 4096 + kept.sensor])
    mine = np.stack([plots.t_ns, plots.address.astype(np.int64) * 4096 + plots.sensor])
    away = np.isin(mine[0] * 31 + mine[1], marks[0] * 31 + marks[1])  # all that was said at a held-out instant
    rest = plots.take(~away)
    said = with_velocities(placed(rest), rest)
    cells, aside, later = [], [], []
    for table in (said, confirmed(ap.track(rest)), ap.smooth(rest, period_s=period_s)):
        lat, lon = predicted(kept.address.astype(np.int64), kept.t_ns, table)
        cells.append(figures(apart(kept.lat, kept.lon, lat, lon)))
        aside.append(figures(across(spots, np.flatnonzero(chosen), lat, lon)))
        lat, lon = predicted(kept.address.astype(np.int64), kept.t_ns, table, AHEAD_NS)
        later.append(figures(apart(kept.lat, kept.lon, lat, lon)))
    yield name, "reports held out", cells[0], cells[1], cells[2], "-"
    yield f"{name}, beside the way flown", "likewise", aside[0], aside[1], aside[2], "-"
    yield f"{name}, ten seconds ahead", "likewise", later[0], later[1], "-", "-"


def flights(folder: Path) -> Iterator[Row]:
    """ADS-B without a reference."""
    place = folder / "adsb"
    for path in sorted((place / "single_flights").glob("*.json.gz")):
        yield from held_out(path.name.removesuffix(".json.gz"), ap.read(path))
    for name in ("88nv_1hr", "88nv_20minutes", "kwvi_20251213"):
        yield from held_out(name, ap.read(place / "ga_mixed" / f"{name}.jsonl.gz"))
    for name in ("states_native_20220202.parquet", "states_same_flight_20240406.parquet"):
        yield from held_out(name.removesuffix(".parquet"), ap.read(place / "opensky_states" / name))
    yield from held_out(
        "Switzerland, a day, 842 aircraft", ap.read(place / "opensky_states" / "switzerland_10s_842ac.csv.gz"),
        period_s=5.0,
    )  # fmt: skip
    yield from held_out(
        "long_flight, Mode S of one receiver", ap.read(place / "modes_raw" / "long_flight_beast.csv.gz")
    )
    yield from held_out("readsb trace of a day", ap.read(place / "feeds" / "readsb_trace_full_aa178d.json"))


def networks(folder: Path) -> Iterator[Row]:
    """Radars, multilateration and ground stations of one network each, without a reference."""
    place = folder / "asterix"
    described = ROOT / "examples" / "sensors"
    radar = ap.load_sensors(described / "barcelona-2023.toml")
    path = place / "barcelona-2023-radar" / "cat048_part1.ast"
    yield from held_out("Barcelona 2023, Mode S radar", ap.read(path, sensors=radar, date=date(2023, 5, 2)))
    path = place / "barcelona-adsb-ed2.1" / "adsb_cat021_023.ast"
    yield from held_out("Barcelona, ADS-B station", ap.read(path, editions={"021": "2.1"}, date=date(2023, 1, 1)))
    path = place / "spain-wam" / "sdpb-op_cat019_020.ast"
    yield from held_out("Spain, wide-area multilateration", ap.read(path, date=date(2012, 1, 1)))


# --- times of arrival ---------------------------------------------------------------------------------------------


def arrivals(folder: Path) -> Iterator[Row]:
    """Multilateration of ours against what the aircraft reported; clocks are compared on the three other sets."""
    place = folder / "adsb" / "locards_mlat"
    stations = locards.read_receivers(place / locards.RECEIVERS)
    paths = sorted(place.glob("set_*.csv"))
    tables = [locards.read_set(path) for path in paths]
    for calibrated in (False, True):
        off, spread = [], []
        for k, table in enumerate(tables):
            others = locards.joined([one for j, one in enumerate(tables) if j != k])
            offset = locards.learn_offsets(others, locards.arrivals_of(others, stations), stations)
            offset = offset if calibrated else np.zeros(len(offset))
            found = locards.place_all(table, locards.arrivals_of(table, stations), stations, offset)
            good = found.reason == locards.PLACED
            lat, lon = np.radians(table.lat_deg[good]), np.radians(table.lon_deg[good])
            north, east = RADIUS * (found.lat[good] - lat), RADIUS * np.cos(lat) * (found.lon[good] - lon)
            off.append(np.hypot(north, east))
            cov = found.cov_enu[good][:, :2, :2]
            d = np.stack([east, north], axis=1)
            spread.append(np.einsum("mi,mij,mj->m", d, np.linalg.inv(cov), d))
        joined, nees = np.concatenate(off), np.concatenate(spread)
        title = (
            f"LocaRDS, {len(joined)} transmissions at five receivers, clocks {'compared' if calibrated else 'as sent'}"
        )
        yield title, "positions that aircraft reported", figures(joined), "-", "-", f"median {np.median(nees):.2f}"


# --- boats --------------------------------------------------------------------------------------------------------


def ferry(folder: Path) -> Iterator[Row]:
    """Two boats before a ferry's radar, then before its lidar and cameras as well."""
    place = folder / "adsb" / "autoferry"
    sys.path.insert(0, str(ROOT / "examples"))  # the example leans on its neighbour
    example = runpy.run_path(str(ROOT / "examples" / "autoferry_sensors.py"))
    origin = example["ORIGIN"]
    for number in (2, 4, 13):
        boats = json.loads(gzip.decompress((place / f"scenario{number}_groundTruth.json.gz").read_bytes()))
        fixes = np.array(sorted({(b["time"], b["targetID"], *b["position"][:2]) for row in boats for b in row}), float)
        t_ns = np.round(fixes[:, 0] * 1e9).astype(np.int64)
        lat, lon, _ = enu_to_geodetic(fixes[:, 3], fixes[:, 2], 0.0, *origin)
        for used, title in (((2,), "radar"), ((1, 2, 3, 4), "radar, lidar, cameras")):
            read: list[Plots] = []
            example["main"](
                place, f"scenario{number}", used, track=lambda plots, into=read: into.append(plots) or ap.track(plots)
            )
            plots = read[0]
            raw = plots.take(np.isfinite(plots.lat))
            cells = []
            for table in (raw, confirmed(ap.track(plots)), ap.smooth(plots, period_s=0.2)):
                off = nearest(t_ns, lat, lon, table)
                cells.append(f"{figures(off)} ({100 * np.isfinite(off).mean():.0f} %)")
            yield f"Autoferry scenario {number}, {title}", "satellite navigation", *cells, "-"


def nearest(t_ns: I64, lat: F64, lon: F64, table: Plots | Tracks) -> F64:
    """Return how far the nearest plot or track is from a boat at each instant; NaN where none is within `NEAR_M`.

    Of each track its last state counts, moved on for at most 2 s; of plots those of half a turn of the radar.
    """
    order = np.argsort(table.t_ns, kind="stable")
    table = table.take(order)
    tracked = isinstance(table, Tracks)
    first = np.searchsorted(table.t_ns, t_ns - (2_000_000_000 if tracked else 840_000_000))
    last = np.searchsorted(table.t_ns, t_ns + (0 if tracked else 840_000_000), "right")
    off = np.full(len(t_ns), np.nan)
    for k, (a, b) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        if b == a:
            continue
        rows = np.arange(a, b)[::-1]
        at_lat, at_lon = table.lat[rows], table.lon[rows]
        if isinstance(table, Tracks):
            rows = rows[np.unique(table.track[rows], return_index=True)[1]]
            gap = (t_ns[k] - table.t_ns[rows]) * 1e-9
            at_lat, at_lon = moved(table.lat[rows], table.lon[rows], table.v_east[rows], table.v_north[rows], gap)
        off[k] = apart(np.full(len(rows), lat[k]), np.full(len(rows), lon[k]), at_lat, at_lon).min()
    return np.where(off <= NEAR_M, off, np.nan)


SETS: tuple[Callable[[Path], Iterator[Row]], ...] = (arrivals, ferry, flights, networks)
