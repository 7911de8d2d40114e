"""The loads that ``airpicture bench`` runs, and what it says of each, as plain numbers."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np

from airpicture.bench.load import WARM_TURNS, Load, Sample
from airpicture.config import Config
from airpicture.simulation.sky import PER_RADAR, SECTORS, Radar, Sky, Timing, long_range, region, round_earth

DEFAULT_TARGETS: Final = (300, 10_000, 100_000)
LONG_RANGE_MOST: Final = 1_000  # up to here the sky is that of one radar to 600 km, beyond it the round Earth
IDENTITY_MOST: Final = 100_000  # targets up to which four threads are held against one, too
BOTH_MOST: Final = 1_000_000  # targets up to which trackers of one and two threads are held side by side
WHOLE_MOST: Final = 3_000_000  # up to which a whole turn is given in one step, and all columns are asked for
FRAME_S: Final = Config().frame_s
TURN_S: Final = 10.0  # of all radars; beyond, it's given frame by frame, so that none is done twice
REGION_STEPS: Final = (SECTORS, 30 * SECTORS)  # a turn: sectors of all radars at once, and as many steps as sectors


def sky_of(targets: int, timing: Timing = "rotating", seed: int = 1, per_radar: int = PER_RADAR) -> Sky:
    """Return the sky for a number of targets; per_radar : how many each radar of the round Earth has."""
    radar = Radar(early=0.25)
    if targets <= LONG_RANGE_MOST:
        return long_range(targets, radar=radar, timing=timing, seed=seed)
    return round_earth(targets, per_radar=per_radar, radar=radar, timing=timing, seed=seed)


def threads_for(targets: int, most: int) -> tuple[int, ...]:
    """Return the numbers of threads to compare at a size."""
    if most < 2:
        return (1,)
    if targets > BOTH_MOST:
        return (most,)
    return (1, most)


def scan_load(
    targets: int,
    *,
    threads: tuple[int, ...],
    timing: Timing,
    seed: int,
    turns: int = 6,
    method: str = "joint",
    per_radar: int = PER_RADAR,
    warm: int = WARM_TURNS,
    frame_s: float = FRAME_S,
) -> Load:
    """Return the load of whole turns, one step each."""
    config = framed(targets, frame_s) if method == "joint" else nearest(targets)
    return Load(
        name=f"{targets:,}",
        make=lambda: sky_of(targets, timing, seed, per_radar),
        threads=threads,
        warm=warm,
        turns=turns,
        config=config,
        score_every=1 if targets <= 200_000 else max(1, turns - 1),
    )


def framed(targets: int, frame_s: float) -> Config:
    """Return the settings with time cut in frames of a length."""
    from airpicture.bench.load import config_for

    return config_for(targets, replace(Config(), frame_s=frame_s))


def nearest(targets: int) -> Config:
    """Return the settings with plots shared out by global nearest neighbour."""
    from airpicture.bench.load import config_for

    base = Config()
    return config_for(targets, replace(base, association=replace(base.association, method="nearest")))


def identity_load(targets: int, *, timing: Timing, seed: int, per_radar: int = PER_RADAR) -> Load:
    """Return the load that holds the pictures of 1, 2 and 4 threads against one another."""
    return Load(f"{targets:,}", lambda: sky_of(targets, timing, seed, per_radar), (1, 2, 4), warm=3, turns=1)


def sector_load(
    targets: int,
    *,
    threads: tuple[int, ...],
    seed: int,
    turns: int = 2,
    per_radar: int = PER_RADAR,
    warm: int = WARM_TURNS - 1,
    timing: Timing = "rotating",
    frame_s: float = FRAME_S,
) -> Load:
    """Return the load of turns cut into equal times, each a step: sectors of antennas that turn, or radar by radar.

    Beyond WHOLE_MOST the columns of the picture are left out, and a part of it is scored.
    """
    whole = targets <= WHOLE_MOST
    return Load(
        name=f"{targets:,}",
        make=lambda: sky_of(targets, timing, seed, per_radar),
        threads=threads,
        warm=warm,
        turns=turns,
        parts=SECTORS if whole else round(TURN_S / frame_s),
        config=framed(targets, frame_s),
        score_every=turns,
        looked_at=whole,
    )


def region_load(steps: int, *, seed: int, threads: tuple[int, ...] = (1,)) -> Load:
    """Return the load of 30 radars, 4,000 targets and 2,000 reports a second."""
    name = f"4,000 under 30 radars, {steps} steps a turn"
    return Load(name, lambda: region(seed=seed), threads, warm=5, turns=3, parts=steps, score_every=3)


def figures(sample: Sample) -> dict[str, Any]:
    """Return what one load came to, ready for JSON: seconds, metres, bytes."""
    turns = len(sample.plots) // sample.parts
    by_turn = sample.plots.reshape(turns, sample.parts).sum(axis=1)
    rows = []
    for one in sample.timed:
        wall, cpu = one.wall_s.sum(), one.cpu_s.sum()
        rows.append(
            {
                "threads": one.threads,
                "wall_s_step_median": float(np.median(one.wall_s)),
                "wall_s_step_p99": float(np.percentile(one.wall_s, 99)),
                "wall_s_step_max": float(one.wall_s.max()),
                "wall_s_turn": float(wall / turns),
                "picture_s_turn": float(one.picture_s.sum() / turns),
                "step_s_median": float(np.median(one.wall_s - one.picture_s)),
                "step_s_p99": float(np.percentile(one.wall_s - one.picture_s, 99)),
                "cpu_s_turn": float(cpu / turns),
                "cpu_s_step_max": float(one.cpu_s.max()),
                "plots_per_s": float(sample.plots.sum() / wall),
                "plots_per_cpu_s": float(sample.plots.sum() / max(cpu, 1e-9)),
                "wall_ns_per_target": float(wall / turns / sample.targets * 1e9),
                "cpu_ns_per_target": float(cpu / turns / sample.targets * 1e9),
                "times_real_time": float(sample.turn_s * turns / wall),
                "digest": one.digest,
            }
        )
    return {
        "name": sample.name,
        "targets": sample.targets,
        "sensors": sample.sensors,
        "steps_a_turn": sample.parts,
        "turns": turns,
        "plots_a_turn": float(by_turn.mean()),
        "tracks": float(sample.tracks.mean()),
        "by_threads": rows,
        "speedup": float(np.median(sample.timed[0].wall_s / sample.timed[-1].wall_s)),
        "identical": sample.identical,
        "bytes_per_track": sample.held_bytes / sample.capacity,
        "capacity": sample.capacity,
        "start_s": sample.start_s,
        "peak_rss_mib": sample.peak_rss_mib,
        "score": asdict(sample.score) if sample.score else None,
        "plot_error_median_m": sample.raw_median_m,
        "kept": sample.kept,
        "swaps_a_turn": sample.swaps / max(turns - 1, 1),
        "counts": sample.counts,
    }
