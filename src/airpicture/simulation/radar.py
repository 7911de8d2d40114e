"""A rotating radar over simulated targets: when the beam passes each, whether it's seen, what is measured, clutter.

The beam is at azimuth ``scan_phase + 2 pi t / period`` (minus, where the antenna turns counter-clockwise). A target is
seen at the moment at which its own azimuth is the beam's, once in a turn; its plot carries that time. Lines of sight
are straight but for the radio horizon, which is that of an Earth of 4/3 radius.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from airpicture import geo
from airpicture.simulation.fleet import Fleet
from airpicture.simulation.motion import Flight, between, ecef_states
from airpicture.simulation.scenario import TRANSPONDERS, Scenario
from airpicture.simulation.sensors import SECONDARY, SensorModel
from airpicture.tables import F64, I64, Plots, Technology
from airpicture.units import FT, SECOND_NS, TAU

TARGETS_AT_ONCE = 2_048  # bounds the memory of one pass: 12 doubles a target and step
GARBLED_FT = (-1_000, 45_000)  # what a garbled Mode C reply may say


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Moments at which the beam passes a target, as it truly is then; all (M,)."""

    t: F64  # s from the start of the run
    target: I64
    slant: F64  # m
    azimuth: F64  # rad, 0 to 2 pi
    elevation: F64  # rad
    range_rate: F64  # m/s
    h: F64  # m above the ellipsoid

    def take(self, rows: Any) -> "Looks":
        """Return the chosen looks."""
        columns = (self.t, self.target, self.slant, self.azimuth, self.elevation, self.range_rate, self.h)
        return Looks(*(column[rows] for column in columns))


def radar_plots(
    scenario: Scenario, row: int, fleet: Fleet, flight: Flight, rng: np.random.Generator, truth_names: tuple[str, ...]
) -> Plots:
    """Return the plots of one radar over the whole run, clutter included, in time order."""
    sensors, model = scenario.sensors, scenario.models[row]
    looks = all_looks(scenario, row, fleet, flight)
    seen = rng.random(len(looks.t)) < detection_probability(scenario, row, looks, fleet.rcs)
    looks = looks.take(seen & in_coverage(scenario, row, looks))
    looks = looks.take(np.argsort(looks.t, kind="stable"))
    looks, alone = _merge(looks, fleet.rcs, model, float(sensors.period[row]))
    m = len(looks.t)
    targets = Plots.blank(
        m,
        sensors,
        sensor=np.full(m, row),
        **_measured(scenario, row, looks, rng),
        **_replies(scenario, model, fleet, looks, alone, rng),
        truth=looks.target,
        truth_names=truth_names,
    )
    clutter = _clutter(scenario, row, flight.lat.shape[0] - 1, rng, truth_names)
    return Plots.concat([targets, clutter]).in_time_order()


def all_looks(scenario: Scenario, row: int, fleet: Fleet, flight: Flight) -> Looks:
    """Return every passage of the beam over every target, in coverage or not."""
    count = len(fleet.kind)
    chunks = [
        _looks(scenario, row, fleet, flight, slice(k, min(k + TARGETS_AT_ONCE, count)))
        for k in range(0, count, TARGETS_AT_ONCE)
    ]
    return Looks(*(np.concatenate(columns) for columns in zip(*chunks, strict=True)))


def _looks(scenario: Scenario, row: int, fleet: Fleet, flight: Flight, targets: slice) -> tuple[Any, ...]:
    s, model, dt = scenario.sensors, scenario.models[row], scenario.step
    site = (s.lat[row], s.lon[row], s.h_ell[row])
    period = float(s.period[row])
    sign = 1.0 if model.clockwise else -1.0
    p, v = ecef_states(flight, targets)
    # Everything from here on is in east, north, up at the site.
    turn = geo.rotation_enu_ecef(site[0], site[1])
    p, v = (p - geo.geodetic_to_ecef(*site)) @ turn.T, v @ turn.T

    # `phase` counts turns of the beam relative to the target: a passage is where it comes to a whole number.
    azimuth = np.arctan2(p[..., 0], p[..., 1])
    swing = np.diff(azimuth, axis=0) / TAU
    swing -= np.rint(swing)
    advance = np.nan_to_num(dt / period - sign * swing)
    phase = np.concatenate([np.zeros((1, advance.shape[1])), np.cumsum(advance, axis=0)])
    own, steps = np.arange(p.shape[1]), p.shape[0] - 1
    first = np.minimum(fleet.first[targets], steps)
    at_first = first * dt / period - sign * (azimuth[first, own] - model.scan_phase) / TAU
    phase += np.nan_to_num(at_first % 1.0) - phase[first, own]
    whole = np.floor(phase)
    passages = np.diff(whole, axis=0)
    passages[np.isnan(swing)] = 0.0
    step, target = np.nonzero(passages > 0.0)
    # An antenna that turns more than once in a step passes more than once.
    repeat = passages[step, target].astype(np.int64)
    order = np.arange(repeat.sum()) - np.repeat(np.cumsum(repeat) - repeat, repeat)
    step, target = np.repeat(step, repeat), np.repeat(target, repeat)
    part = (whole[step, target] + 1.0 + order - phase[step, target]) / advance[step, target]

    for _ in range(6):  # Newton; the start is good to a few milliseconds, each pass squares the error
        q, q_rate = between(p, v, step, target, part, dt)
        level = np.maximum(q[:, 0] ** 2 + q[:, 1] ** 2, 1.0)
        error = (step + part) * dt / period - sign * (np.arctan2(q[:, 0], q[:, 1]) - model.scan_phase) / TAU
        error -= np.rint(error)
        rate = dt / period - sign * dt * (q[:, 1] * q_rate[:, 0] - q[:, 0] * q_rate[:, 1]) / (level * TAU)
        # Next to the site a target outruns the beam; it's kept from leaving its step, and is out of coverage there.
        part = np.clip(part - error / np.where(np.abs(rate) > 0.1 * dt / period, rate, dt / period), 0.0, 1.0)
    q, q_rate = between(p, v, step, target, part, dt)
    slant = np.sqrt(np.sum(q * q, axis=1))
    _, _, h = geo.ecef_to_geodetic(geo.enu_to_ecef(q, *site))
    return (
        (step + part) * dt,
        target + targets.start,
        slant,
        wrap_azimuth(np.arctan2(q[:, 0], q[:, 1])),
        np.arctan2(q[:, 2], np.hypot(q[:, 0], q[:, 1])),
        np.sum(q * q_rate, axis=1) / np.maximum(slant, 1e-3),
        h,
    )


def in_coverage(scenario: Scenario, row: int, looks: Looks) -> Any:
    """Tell which looks are within range, elevation and radio horizon of a sensor."""
    s, model = scenario.sensors, scenario.models[row]
    covered = (looks.slant >= s.range_min[row]) & (looks.slant <= s.range_max[row])
    covered &= (looks.elevation >= model.elevation_min) & (looks.elevation <= model.elevation_max)
    if model.horizon:
        covered &= looks.slant <= geo.horizon_range(s.h_ell[row], looks.h)
    return covered


def detection_probability(scenario: Scenario, row: int, looks: Looks, rcs: F64) -> F64:
    """Return the probability of detection of each look.

    ``swerling1``: Pd = Pfa^(1 / (1 + SNR)), one pulse of a slowly fluctuating target, with SNR proportional to the
    cross-section and to 1 / range⁴, set so that 1 m² at `range_pd` has the sensor's `pd`.
    Source: Swerling, Probability of Detection for Fluctuating Targets, RAND RM-1217, 1954, case 1 with one pulse.
    """
    pd, model = float(scenario.sensors.pd[row]), scenario.models[row]
    if model.pd_model == "constant" or not 0.0 < pd < 1.0:
        return np.full(len(looks.t), pd)
    snr_at_reference = max(np.log(model.pfa) / np.log(pd) - 1.0, 0.0)
    snr = snr_at_reference * rcs[looks.target] * (model.range_pd / np.maximum(looks.slant, 1.0)) ** 4
    probability: F64 = model.pfa ** (1.0 / (1.0 + snr))
    return probability


def _merge(looks: Looks, rcs: F64, model: SensorModel, period: float) -> tuple[Looks, Any]:
    """Make one plot of detections that fall in one resolution cell, at their centre weighted by cross-section.

    Returns the looks, each merged one under the name of its strongest target, and which of them stand alone.
    """
    m = len(looks.t)
    if not (m and model.resolution_range > 0.0 and model.resolution_azimuth > 0.0):
        return looks, np.ones(m, bool)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    # The beam's own azimuth grows with time, without a seam at north.
    cell = np.stack([looks.slant / model.resolution_range, TAU * looks.t / period / model.resolution_azimuth], axis=1)
    pairs = cKDTree(cell).query_pairs(1.0, p=np.inf, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(m, m))
    blobs, blob = connected_components(graph, directed=False)
    weight = rcs[looks.target]
    order = np.lexsort((np.arange(m), -weight, blob))
    strongest = order[np.unique(blob[order], return_index=True)[1]]
    total = np.bincount(blob, weight, blobs)

    def mean(column: F64) -> F64:
        offset = column - column[strongest][blob]
        averaged: F64 = column[strongest] + np.bincount(blob, weight * offset, blobs) / total
        return averaged

    azimuth = looks.azimuth[strongest][blob]
    azimuth = azimuth + (looks.azimuth - azimuth + np.pi) % TAU - np.pi
    merged = Looks(
        mean(looks.t),
        looks.target[strongest],
        mean(looks.slant),
        wrap_azimuth(mean(azimuth)),
        mean(looks.elevation),
        mean(looks.range_rate),
        looks.h[strongest],
    )
    in_time = np.argsort(merged.t, kind="stable")
    return merged.take(in_time), (np.bincount(blob, minlength=blobs) == 1)[in_time]


def _measured(scenario: Scenario, row: int, looks: Looks, rng: np.random.Generator) -> dict[str, Any]:
    """Return the measured columns: truth, the sensor's true biases and Gaussian noise; NaN where it doesn't measure."""
    s, model, m = scenario.sensors, scenario.models[row], len(looks.t)
    noise = rng.standard_normal((4, m))
    return {
        "t_ns": to_ns(scenario, looks.t + model.bias_time),
        "slant_range": looks.slant + model.bias_range + s.sigma_range[row] * noise[0],
        "azimuth": wrap_azimuth(looks.azimuth + model.bias_azimuth + s.sigma_azimuth[row] * noise[1]),
        "elevation": looks.elevation + s.sigma_elevation[row] * noise[2],
        "range_rate": looks.range_rate + s.sigma_range_rate[row] * noise[3],
    }


def _replies(
    scenario: Scenario, model: SensorModel, fleet: Fleet, looks: Looks, alone: Any, rng: np.random.Generator
) -> dict[str, Any]:
    """Return what transponders answer. Replies that arrive as one destroy each other's codes, not the address."""
    chance = rng.random((3, len(looks.t)))
    garble = rng.integers(GARBLED_FT[0] // 100, GARBLED_FT[1] // 100, len(looks.t), endpoint=True) * (100.0 * FT)
    answers = np.minimum(fleet.transponder[looks.target], SECONDARY.index(model.secondary))
    replies, selective = answers > 0, answers == TRANSPONDERS.index("mode-s")
    technology = np.where(selective, Technology.MDS, np.where(replies, Technology.SSR, Technology.PSR))
    height = mode_c(scenario, fleet, looks.target, looks.h)
    height = np.where(chance[2] < model.mode_c_garbled, garble, height)
    says_a = replies & alone & (chance[0] >= model.mode_a_missing)
    says_c = replies & alone & (chance[1] >= model.mode_c_missing)
    return {
        "mode_3a": np.where(says_a, fleet.mode_3a[looks.target], -1),
        "h_baro": np.where(says_c, height, np.nan),
        "address": np.where(selective, fleet.address[looks.target], -1),
        "callsign": np.where(selective, fleet.callsign[looks.target], np.uint64(0)),
        "technology": technology,
    }


def mode_c(scenario: Scenario, fleet: Fleet, target: I64, h: F64) -> F64:
    """Return pressure altitude [m] as reported: in whole steps of the target's encoder."""
    step = fleet.mode_c_step[target]
    return np.rint((h - scenario.pressure_offset) / step) * step


def wrap_azimuth(azimuth: F64) -> F64:
    """Return angles in [0, 2 pi). The plain remainder of -1e-17 is 2 pi itself."""
    wrapped = azimuth % TAU
    return np.where(wrapped >= TAU, 0.0, wrapped)


def to_ns(scenario: Scenario, t: F64) -> I64:
    """Return int64 ns of UTC from seconds since the start of the run."""
    return scenario.t_ns_start + np.rint(t * SECOND_NS).astype(np.int64)


def _clutter(scenario: Scenario, row: int, steps: int, rng: np.random.Generator, truth_names: tuple[str, ...]) -> Plots:
    """Draw false plots: a Poisson number, uniform in time (so in azimuth) and in range, and those of each patch."""
    s, model = scenario.sensors, scenario.models[row]
    duration, period = steps * scenario.step, float(s.period[row])
    sign = 1.0 if model.clockwise else -1.0
    top = float(s.range_max[row]) if np.isfinite(s.range_max[row]) else 600_000.0
    times, slants = [], []
    count = rng.poisson(float(s.clutter_per_scan[row]) * duration / period)
    times.append(rng.uniform(0.0, duration, count))
    slants.append(rng.uniform(s.range_min[row], top, count))
    for patch in model.patches:
        # Drawn over whole turns; what comes after the end is dropped, which keeps a part of a turn fair.
        turns = int(np.ceil(duration / period)) + 1
        count = rng.poisson(patch.per_scan * turns)
        azimuth = rng.uniform(*patch.azimuths, count)
        t = ((sign * (azimuth - model.scan_phase) / TAU) % 1.0 + rng.integers(0, turns, count)) * period
        slant = rng.uniform(*patch.ranges, count)
        kept = (t < duration) & (slant >= s.range_min[row]) & (slant <= top)
        times.append(t[kept])
        slants.append(slant[kept])
    t, slant = np.concatenate(times), np.concatenate(slants)
    m = len(t)
    height, rate = rng.uniform(0.0, 1.0, m), rng.uniform(-1.0, 1.0, m)
    columns: dict[str, Any] = {}
    if np.isfinite(s.sigma_elevation[row]):
        # From the ground up to `clutter_height`, on an Earth that falls away by range² / 2 R.
        drop = slant / (2.0 * 6_371_000.0)
        sine = (height * model.clutter_height - s.h_ell[row]) / np.maximum(slant, 1.0) - drop
        columns["elevation"] = np.arcsin(np.clip(sine, -1.0, 1.0))
    if np.isfinite(s.sigma_range_rate[row]):
        columns["range_rate"] = rate * model.clutter_range_rate
    return Plots.blank(
        m,
        s,
        sensor=np.full(m, row),
        t_ns=to_ns(scenario, t + model.bias_time),
        slant_range=slant,
        azimuth=wrap_azimuth(model.scan_phase + sign * TAU * t / period),
        **columns,
        truth_names=truth_names,
    )
