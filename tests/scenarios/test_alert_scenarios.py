"""Conflicts in simulated radar traffic, tracked and watched: how many are told of, how early, and how many for nothing.

Encounters of known outcome fly in a grid round one radar (4 s a turn, Mode C), far enough from one another: pairs that
lose separation head-on, crossing, overtaking and climbing through, and pairs that keep it by a little more than the
minima: beside, above, and by levelling off in time. What's counted is held to bounds; ``pytest -s`` prints the table.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from airpicture import Tracker
from airpicture.alerts import AlertKind, AlertSettings, Level, Watch
from airpicture.formats.sensors import sensors_from_rows
from airpicture.geo import distance, enu_to_geodetic, geodetic_to_polar
from airpicture.tables import F64, Plots
from airpicture.units import DEG, FT, NMI, SECOND_NS

SENSORS = sensors_from_rows(
    [{"id": "radar", "kind": "radar", "lat_deg": 48.0, "lon_deg": 11.0, "h_ell_m": 500.0, "period_s": 4.0,
      "range_m_max": 400_000.0, "clutter_per_scan": 5.0}]
)  # fmt: skip
T0 = 1_700_000_000 * SECOND_NS
TURN_S, SPAN_S = 4.0, 300.0
MEET_S = 220.0  # when the pairs are nearest
GRID = 105_000.0  # m between encounters


class Encounter(NamedTuple):
    """Two flights, straight across; heights may climb to a level."""

    kind: str
    east: tuple[float, float]  # m at MEET_S, about the middle of the encounter
    north: tuple[float, float]
    course_deg: tuple[float, float]
    speed: tuple[float, float]  # m/s
    feet: tuple[float, float]  # at MEET_S
    climb_fpm: tuple[float, float] = (0.0, 0.0)
    level_ft: tuple[float, float] = (np.inf, np.inf)  # where a climb ends


LOSING = (
    Encounter("head-on", (0, 0), (0, 1000), (90, 270), (230, 220), (33_000, 33_000)),
    Encounter("crossing", (0, 0), (0, 2000), (60, 150), (240, 230), (35_000, 35_000)),
    Encounter("crossing slowly", (0, 0), (0, 3000), (80, 120), (200, 210), (31_000, 31_000)),
    Encounter("overtaking", (0, 0), (0, 1500), (90, 90), (250, 180), (28_000, 28_000)),
    Encounter("climbing through", (0, 0), (0, 500), (90, 240), (220, 200), (30_000, 30_000), (0, 2000)),
)
KEEPING = (
    Encounter("beside, 7 NM", (0, 0), (0, 7 * NMI), (90, 270), (230, 220), (33_000, 33_000)),
    Encounter("beside, 12 NM", (0, 0), (0, 12 * NMI), (90, 270), (230, 220), (33_000, 33_000)),
    Encounter("above, 1200 ft", (0, 0), (0, 500), (90, 250), (230, 220), (33_000, 34_200)),
    Encounter("above, 2000 ft", (0, 0), (0, 500), (90, 250), (230, 220), (33_000, 35_000)),
    Encounter(
        "level off, 1200 ft", (0, 0), (0, 500), (90, 250), (220, 220), (33_000, 31_800), (0, 1500), (1e9, 31_800)
    ),
)


def flown(encounter: Encounter, side: int, t: F64, place: tuple[float, float]) -> tuple[F64, F64, F64]:
    """Return lat, lon [rad] and pressure height [m] of one of the two at times t [s]."""
    course = encounter.course_deg[side] * DEG
    along = encounter.speed[side] * (t - MEET_S)
    lat, lon, _ = enu_to_geodetic(
        place[0] + encounter.east[side] + along * np.sin(course),
        place[1] + encounter.north[side] + along * np.cos(course),
        0.0, 48.0 * DEG, 11.0 * DEG, 0.0,
    )  # fmt: skip
    # A flight that levels off does so 40 s before the meeting: until then it climbs towards the other's level.
    ahead = 40.0 if np.isfinite(encounter.level_ft[side]) and encounter.climb_fpm[side] else 0.0
    feet = encounter.feet[side] + encounter.climb_fpm[side] / 60.0 * (t - MEET_S + ahead)
    return lat, lon, np.minimum(feet, encounter.level_ft[side]) * FT


class Outcome(NamedTuple):
    """What became of one encounter."""

    kind: str
    lost_s: float  # when the minima were undercut in truth; NaN never
    nearest: float  # m
    first_s: dict[Level, float]  # when each level was first told of


@cache
def outcomes(seed: int) -> tuple[tuple[Outcome, ...], int]:
    """Fly, track and watch all encounters; return what became of them, and the alerts of tracks of different ones."""
    rng = np.random.default_rng(seed)
    encounters = [*LOSING, *KEEPING] * 2
    places = [(GRID * (k % 5 - 2), GRID * (k // 5 - 1.5) + 30_000) for k in range(len(encounters))]
    scans = np.arange(0.0, SPAN_S, TURN_S)
    tracker, watch = Tracker(SENSORS), Watch(AlertSettings())
    first: list[dict[Level, float]] = [{} for _ in encounters]
    strange: set[str] = set()
    fine = np.arange(0.0, SPAN_S, 1.0)
    truth = [[flown(e, side, fine, place) for side in (0, 1)] for e, place in zip(encounters, places, strict=True)]
    for scan in scans:
        rows = []
        for number, (encounter, place) in enumerate(zip(encounters, places, strict=True)):
            for side in (0, 1):
                lat, lon, h = flown(encounter, side, np.array([scan]), place)
                r, azimuth, _ = geodetic_to_polar(lat, lon, h, 48.0 * DEG, 11.0 * DEG, 500.0)
                t = scan + TURN_S * float(azimuth[0]) / (2 * np.pi)
                lat, lon, h = flown(encounter, side, np.array([t]), place)
                r, azimuth, _ = geodetic_to_polar(lat, lon, h, 48.0 * DEG, 11.0 * DEG, 500.0)
                if rng.random() < 0.96:
                    feet = 25 * round(float(h[0]) / FT / 25)
                    code = 0o1000 + 2 * number + side
                    rows.append((t, r[0] + rng.normal(0, 60), azimuth[0] + rng.normal(0, 0.06 * DEG), feet * FT, code))
        rows.sort()
        stamps, ranges, azimuths, heights, codes = (np.array(column) for column in zip(*rows, strict=True))
        plots = Plots.blank(
            len(rows), SENSORS, t_ns=T0 + (stamps * 1e9).astype(np.int64), slant_range=ranges,
            azimuth=azimuths % (2 * np.pi), h_baro=heights, mode_3a=codes,
        )  # fmt: skip
        now = scan + TURN_S
        now_ns = T0 + round(now * SECOND_NS)
        tracks = tracker.step(plots, now_ns).tracks
        which = {}
        for number, code in zip(tracks.track.tolist(), tracks.mode_3a.tolist(), strict=True):
            which[number] = (code - 0o1000) // 2 if code >= 0 else -1
        for alert in watch.step(tracks, now_ns):
            if alert.kind != AlertKind.CONFLICT or alert.t_ns_ended >= 0:
                continue
            one, other = (which.get(number, -1) for number in alert.tracks)
            if one != other or one < 0:
                strange.add(alert.key)
            else:
                first[one].setdefault(alert.level, now)
    found = []
    for encounter, told, ((lat1, lon1, h1), (lat2, lon2, h2)) in zip(encounters, first, truth, strict=True):
        away, up = distance(lat1, lon1, lat2, lon2), np.abs(h1 - h2)
        lost = (away < 5 * NMI) & (up < 1000 * FT)
        lost_s = float(fine[lost.argmax()]) if lost.any() else np.nan
        found.append(Outcome(encounter.kind, lost_s, float(away.min()), told))
    return tuple(found), len(strange)


SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def all_outcomes() -> list[Outcome]:
    """Return the outcomes of all runs, and print them as a table."""
    found = [outcome for seed in SEEDS for outcome in outcomes(seed)[0]]
    print(f"\n{'encounter':<20} {'flown':>5} {'told of':>8} {'warning [s], least / median':>28}")
    for kind in dict.fromkeys(outcome.kind for outcome in found):
        of = [outcome for outcome in found if outcome.kind == kind]
        told = [outcome for outcome in of if warned(outcome)]
        ahead = [outcome.lost_s - min(warned(outcome)) for outcome in told if np.isfinite(outcome.lost_s)]
        times = f"{min(ahead):.0f} / {np.median(ahead):.0f}" if ahead else "-"
        print(f"{kind:<20} {len(of):>5} {len(told):>8} {times:>28}")
    return found


def warned(outcome: Outcome) -> list[float]:
    """Return when an encounter was told of at a level that asks for something to be done."""
    return [at for level, at in outcome.first_s.items() if level >= Level.PREDICTED]


def test_every_loss_of_separation_is_told_of_in_time(all_outcomes: list[Outcome]) -> None:
    losing = [outcome for outcome in all_outcomes if np.isfinite(outcome.lost_s)]
    assert {outcome.kind for outcome in losing} == {encounter.kind for encounter in LOSING}
    assert all(warned(outcome) for outcome in losing)
    ahead = np.array([outcome.lost_s - min(warned(outcome)) for outcome in losing])
    # 5 NM are undercut before the sub-minima that are waited for: 20 s head-on, minutes when overtaking.
    level = np.array([outcome.kind not in ("climbing through", "overtaking") for outcome in losing])
    assert np.median(ahead[level]) > 60
    assert ahead[level].min() > 30
    climbing = np.array([outcome.kind == "climbing through" for outcome in losing])
    assert ahead[climbing].min() > 15


def test_few_are_told_of_for_nothing(all_outcomes: list[Outcome]) -> None:
    keeping = [outcome for outcome in all_outcomes if not np.isfinite(outcome.lost_s)]
    assert {outcome.kind for outcome in keeping} == {encounter.kind for encounter in KEEPING}
    told = Counter(outcome.kind for outcome in keeping if warned(outcome))
    # Whoever levels off in time was on a course through the other's level: a nuisance that every such net has, unless
    # it knows the cleared level.
    assert set(told) <= {"level off, 1200 ft"}
    assert all(outcome.first_s == {} for outcome in keeping if outcome.kind in ("beside, 12 NM", "above, 2000 ft"))
    assert sum(outcomes(seed)[1] for seed in SEEDS) == 0
