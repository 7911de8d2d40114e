"""Tables as the page wants them: tracks by track and time, plots by time and on the map, coverage as rings.

Positions are in steps of 1e-6 degrees (0.1 m), times in milliseconds from the recording's beginning, speeds and sigmas
in tenths. What doesn't fit the page's bounds is thinned evenly, and the page says so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.geo import slant_to_geodetic
from airpicture.page.bundle import MISSING, Bundle, quantise
from airpicture.plots import plot_positions
from airpicture.tables import I64, Plots, SensorKind, Sensors, Tracks, Truth, unpack_callsigns
from airpicture.units import DEG, FT, TAU

POSITION_DEG = 1e-6
RING_STEPS_M = (1e3, 2e3, 5e3, 10e3, 20e3, 25e3, 50e3, 100e3, 150e3, 200e3, 500e3, 1e6)
RINGS = 4  # about so many range rings within the coverage
RING_POINTS = 145
RINGED_SENSORS = 6  # with more radars than this only their outer limits are drawn
SEEN_BITS = 31  # sensors that a row's bit mask can name


def add_tracks(bundle: Bundle, prefix: str, tracks: Tracks, t0_ns: int, rows_max: int) -> tuple[list[list[Any]], str]:
    """Add the columns of tracks; return [number, address, callsign, mode 3/A] of each and a note on what's left out."""
    order = np.lexsort((tracks.t_ns, tracks.track))
    kept = _thin(tracks.track[order], tracks.t_ns[order], tracks.status[order], rows_max)
    note = "" if len(kept) == len(order) else f"{len(kept):,} of {len(order):,} track states are in this page"
    tracks = tracks.take(order[kept])
    number, start = np.unique(tracks.track, return_index=True)
    bounds = np.append(start, len(tracks)).astype(np.int32)

    def put(name: str, column: NDArray[Any]) -> None:
        bundle.add(f"{prefix}.track.{name}", column)

    put("start", bounds)
    put("t", quantise(tracks.t_ns - t0_ns, 1e6))
    put("lat", quantise(tracks.lat, POSITION_DEG * DEG))
    put("lon", quantise(tracks.lon, POSITION_DEG * DEG))
    put("h", quantise(tracks.h_ell, 1.0))
    put("ft", quantise(tracks.h_baro, FT))
    put("ve", quantise(np.nan_to_num(tracks.v_east), 0.1))
    put("vn", quantise(np.nan_to_num(tracks.v_north), 0.1))
    put("vu", quantise(tracks.v_up, 0.1))
    put("se", quantise(np.nan_to_num(tracks.sigma_east, posinf=0.0), 0.1))
    put("sn", quantise(np.nan_to_num(tracks.sigma_north, posinf=0.0), 0.1))
    put("rho", quantise(np.nan_to_num(tracks.rho_east_north), 0.01))
    put("count", tracks.plot_count.astype(np.int32))
    known = tracks.t_ns_plot > 0
    put("age", np.where(known, quantise(tracks.t_ns - tracks.t_ns_plot, 1e8), np.int32(MISSING)))
    bits = np.where((tracks.seen >= 0) & (tracks.seen < SEEN_BITS), np.int64(1) << np.clip(tracks.seen, 0, 30), 0)
    put("seen", np.bitwise_or.reduce(bits, axis=1).astype(np.int32) if len(tracks) else np.zeros(0, np.int32))
    put("from", np.where(tracks.plot_sensor >= 0, tracks.plot_sensor, tracks.seen[:, 0]).astype(np.int32))
    put("status", tracks.status)
    put("existence", np.rint(200 * np.clip(np.nan_to_num(tracks.existence), 0, 1)).astype(np.uint8))
    return _names(tracks, number, bounds), note


def _names(tracks: Tracks, number: I64, bounds: NDArray[np.int32]) -> list[list[Any]]:
    """Return what each track was last known to be called."""
    last = []
    for column, missing in ((tracks.address, -1), (tracks.callsign, 0), (tracks.mode_3a, -1)):
        rows = np.where(column != missing, np.arange(len(column)), -1)
        latest = np.maximum.reduceat(rows, bounds[:-1]) if len(number) else np.zeros(0, np.int64)
        last.append(np.where(latest >= 0, column[np.maximum(latest, 0)], column.dtype.type(0)).astype(column.dtype))
        last.append(latest >= 0)
    address, has_address, callsign, _, code, has_code = last
    texts = unpack_callsigns(callsign.astype(np.uint64))
    return [
        [
            int(number[k]),
            f"{int(address[k]):06X}" if has_address[k] else "",
            (texts[k] or "").strip(),
            f"{int(code[k]):04o}" if has_code[k] else "",
        ]
        for k in range(len(number))
    ]


def _thin(track: I64, t_ns: I64, status: NDArray[np.uint8], rows_max: int) -> NDArray[np.int64]:
    """Return rows to keep: each track's first and last, changes of status, and one in each of ever longer slices."""
    everything = np.arange(len(track))
    if len(track) <= rows_max:
        return everything
    new = np.ones(len(track), bool)
    new[1:] = (track[1:] != track[:-1]) | (status[1:] != status[:-1])
    slice_ns = 1_000_000_000
    while True:
        part = t_ns // slice_ns
        keep = new.copy()
        keep[1:] |= part[1:] != part[:-1]
        keep[:-1] |= track[1:] != track[:-1]
        if keep.sum() <= rows_max or slice_ns > 3_600_000_000_000:
            kept: NDArray[np.int64] = everything[keep]
            return kept
        slice_ns = slice_ns * 3 // 2


def add_plots(bundle: Bundle, prefix: str, plots: Plots | None, t0_ns: int, rows_max: int) -> str:
    """Add the plots that have a place on the map; return a note on what was left out."""
    note = ""
    if plots is None or len(plots) == 0:
        chosen, lat, lon = np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
        t_ns, sensor = np.zeros(0, np.int64), np.zeros(0, np.int32)
    else:
        lat, lon = plot_positions(plots)
        chosen = np.flatnonzero(np.isfinite(lat) & np.isfinite(lon) & (np.abs(lat) <= TAU / 4 + 1e-9))
        every = -(-len(chosen) // rows_max)
        if every > 1:
            note = f"one in {every} of {len(chosen):,} plots is in this page"
            chosen = chosen[::every]
        chosen = chosen[np.argsort(plots.t_ns[chosen], kind="stable")]
        t_ns, sensor = plots.t_ns, plots.sensor
    bundle.add(f"{prefix}.plot.t", quantise(t_ns[chosen] - t0_ns, 1e6))
    bundle.add(f"{prefix}.plot.sensor", np.ascontiguousarray(sensor[chosen], np.int32))
    bundle.add(f"{prefix}.plot.lat", quantise(lat[chosen], POSITION_DEG * DEG))
    bundle.add(f"{prefix}.plot.lon", quantise(lon[chosen], POSITION_DEG * DEG))
    return note


def add_truth(bundle: Bundle, prefix: str, truth: Truth | None, t0_ns: int, rows_max: int) -> None:
    """Add where simulated targets really were, thinned evenly to the bound."""
    if truth is None or len(truth) == 0:
        rows, start = np.zeros(0, np.int64), np.zeros(1, np.int32)
        t_ns, lat, lon = np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    else:
        order = np.lexsort((truth.t_ns, truth.target))
        status = np.zeros(len(order), np.uint8)
        rows = order[_thin(truth.target[order].astype(np.int64), truth.t_ns[order], status, rows_max)]
        t_ns, lat, lon = truth.t_ns, truth.lat, truth.lon
        first = np.unique(truth.target[rows], return_index=True)[1]
        start = np.append(first, len(rows)).astype(np.int32)
    bundle.add(f"{prefix}.truth.start", start)
    bundle.add(f"{prefix}.truth.t", quantise(t_ns[rows] - t0_ns, 1e6))
    bundle.add(f"{prefix}.truth.lat", quantise(lat[rows], POSITION_DEG * DEG))
    bundle.add(f"{prefix}.truth.lon", quantise(lon[rows], POSITION_DEG * DEG))


def sensor_rows(sensors: Sensors, plots: Plots | None) -> list[dict[str, Any]]:
    """Return name, kind, site and number of plots of each sensor."""
    counts = (
        np.bincount(plots.sensor[plots.sensor >= 0], minlength=len(sensors))
        if plots is not None
        else np.zeros(len(sensors))
    )
    return [
        {
            "id": sensors.ids[k],
            "kind": SensorKind(int(sensors.kind[k])).name.lower(),
            "lat": float(sensors.lat[k] / DEG) if np.isfinite(sensors.lat[k] + sensors.lon[k]) else None,
            "lon": float(sensors.lon[k] / DEG) if np.isfinite(sensors.lat[k] + sensors.lon[k]) else None,
            "plots": int(counts[k]),
        }
        for k in range(len(sensors))
    ]


def range_rings(sensors: Sensors) -> list[dict[str, Any]]:
    """Return rings of equal slant range at the antenna's height, in 1e-4 degrees, the outermost being the coverage."""
    radars = [
        k
        for k in range(len(sensors))
        if sensors.kind[k] == SensorKind.RADAR
        and np.isfinite([sensors.lat[k], sensors.lon[k], sensors.range_max[k]]).all()
        and 0 < sensors.range_max[k] < 5e6
    ]
    rings = []
    azimuth = np.linspace(0.0, TAU, RING_POINTS)
    for k in radars:
        limit = float(sensors.range_max[k])
        step = min(RING_STEPS_M, key=lambda s: abs(s - limit / RINGS))
        inner = np.arange(step, limit * 0.999, step) if len(radars) <= RINGED_SENSORS else np.zeros(0)
        h = float(np.nan_to_num(sensors.h_ell[k]))
        for reach in [*inner, limit]:
            lat, lon = slant_to_geodetic(
                np.full(RING_POINTS, reach),
                azimuth,
                np.full(RING_POINTS, h),
                float(sensors.lat[k]),
                float(sensors.lon[k]),
                h,
            )[:2]
            if not np.isfinite(lat).all():
                continue
            rings.append(
                {
                    "sensor": k,
                    "outer": bool(reach == limit),
                    "label": f"{reach / 1000:g} km",
                    "lat": np.rint(lat / DEG * 1e4).astype(int).tolist(),
                    "lon": np.rint(lon / DEG * 1e4).astype(int).tolist(),
                }
            )
    return rings
