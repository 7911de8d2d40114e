"""The time that an antenna takes for a turn, found in plots: of made radars, and of real ones that send it, too."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import airpicture as ap
from airpicture.formats import open_recording
from airpicture.formats.turns import LONGEST_S, SHORTEST_S, turn_of, turns_found
from airpicture.tables import F64, I64, Plots, Sensors
from airpicture.units import TAU

T0_NS = 1_780_000_000_000_000_000


def radar(period_s: float, targets: int, turns: int, *, pd: float = 0.9, seed: int = 1) -> tuple[I64, F64]:
    """Return times and azimuths of plots of targets that move a degree or so in a turn, in no order."""
    rng = np.random.default_rng(seed)
    start, drift = rng.uniform(0.0, TAU, targets), rng.normal(0.0, 0.01, targets)
    turn = np.arange(turns)[:, None]
    azimuth = start + drift * turn
    t = period_s * (turn + azimuth / TAU)
    seen = rng.random(azimuth.shape) < pd
    azimuth = (azimuth + rng.normal(0.0, 0.002, azimuth.shape))[seen] % TAU
    mixed = rng.permutation(len(azimuth))
    return T0_NS + np.rint(t[seen] * 1e9).astype(np.int64)[mixed], azimuth[mixed]


@settings(max_examples=25, deadline=None)
@given(
    period_s=st.floats(SHORTEST_S + 0.01, 15.0),
    targets=st.integers(1, 400),
    turns=st.integers(16, 60),
    seed=st.integers(0, 999),
)
def test_the_turn_is_found_however_many_targets_there_are(period_s: float, targets: int, turns: int, seed: int) -> None:
    t_ns, azimuth = radar(period_s, targets, turns, seed=seed)
    assert turn_of(t_ns, azimuth) == pytest.approx(period_s, rel=0.005)


def test_an_antenna_that_the_wind_holds_back_has_the_turn_of_most_of_the_time() -> None:
    parts = [radar(period_s, 50, 30, seed=k) for k, period_s in enumerate((10.0, 10.0, 10.3))]
    t_ns = np.concatenate([t + k * 300_000_000_000 for k, (t, _) in enumerate(parts)])
    assert turn_of(t_ns, np.concatenate([azimuth for _, azimuth in parts])) == pytest.approx(10.0, abs=0.05)


def test_what_does_not_turn_has_no_turn() -> None:
    rng = np.random.default_rng(2)
    for t in (rng.uniform(0.0, 300.0, 2000), np.repeat(np.arange(60.0) * 4.0, 40)):  # at any time; a turn at once
        assert np.isnan(turn_of(T0_NS + np.rint(t * 1e9).astype(np.int64), rng.uniform(0.0, TAU, len(t))))


def test_too_little_does_not_tell() -> None:
    t_ns, azimuth = radar(10.0, 100, 12)
    early = t_ns < T0_NS + 9_000_000_000  # most of a turn
    assert early.sum() > 50
    for rows in (early, np.arange(11), slice(0)):
        assert np.isnan(turn_of(t_ns[rows], azimuth[rows]))
    assert np.isnan(turn_of(t_ns, np.full(len(t_ns), np.nan)))
    assert np.isnan(turn_of(np.full(50, T0_NS), azimuth[:50]))


def test_turns_beyond_what_antennas_take_are_not_found() -> None:
    for period_s in (0.7 * SHORTEST_S, 2.0 * LONGEST_S):
        assert np.isnan(turn_of(*radar(period_s, 40, 40)))


def described(**more: object) -> Sensors:
    row = {"kind": "radar", "lat_deg": 47.0, "lon_deg": 8.0, "h_ell_m": 400.0}
    return Sensors.from_rows([{"id": "known", **row, "period_s": 12.0}, {"id": "open", **row, **more}])


def plots_of(sensors: Sensors) -> Plots:
    t_ns, azimuth = radar(4.0, 40, 30)
    both = [
        Plots.blank(len(t_ns), sensors, t_ns=t_ns, azimuth=azimuth, slant_range=np.full(len(t_ns), 5e4), sensor=one)
        for one in (np.zeros(len(t_ns)), np.ones(len(t_ns)))
    ]
    return Plots.concat(both).in_time_order()


def test_only_radars_that_say_nothing_get_one() -> None:
    sensors, notes = turns_found(plots_of(described()))
    assert sensors.period[0] == 12.0
    assert sensors.period[1] == pytest.approx(4.0, rel=0.005)
    (note,) = notes
    assert "'open' has no period_s" in note
    same, notes = turns_found(plots_of(described(kind="adsb")))
    assert notes == ()
    assert np.isnan(same.period[1])


def test_a_file_is_tracked_with_the_turn_that_its_plots_tell(tmp_path: Path) -> None:
    """Without it a radar's silence says little: new targets are believed later, and fewer of them."""
    run = ap.simulate("long-range", duration_s=120.0)
    silent = replace(run.sensors, period=np.full(len(run.sensors), np.nan))
    run.plots.write(tmp_path / "plots.parquet")
    recording = open_recording(tmp_path / "plots.parquet", sensors=silent)
    assert recording.sensors.period == pytest.approx(run.sensors.period, rel=0.005)
    assert recording.plots.sensors is recording.sensors
    assert any("by its plots it turns once in 10 s" in note for note in recording.report.notes)
    held = [
        len(np.unique(tracks.track[tracks.status == ap.Status.CONFIRMED]))
        for tracks in (
            ap.track(run.plots, run.sensors),
            ap.track(recording.plots, recording.sensors),
            ap.track(replace(run.plots, sensors=silent), silent),
        )
    ]
    assert held[1] == pytest.approx(held[0], rel=0.02)
    assert held[2] < 0.8 * held[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("argentina-2026-radar-and-tracker/radar_cat034_048_part1.pcap", None),
        ("argentina-2026-sanluis-radar/radar_cat034_048.pcap", None),
        ("bosnia-mode-s-radar/Jahorina_cat034_048.ast", None),
        ("barcelona-2023-radar/cat048_part1.ast", 4.0),  # sends no service messages
    ],
)
def test_real_radars_turn_as_their_north_marks_say(recordings: Path, name: str, expected: float | None) -> None:
    path = recordings / "asterix" / name
    if not path.exists():
        pytest.skip(f"{name} isn't there")
    recording = open_recording(path)
    plots = recording.plots
    told = recording.sensors.period[plots.sensor[0]] if expected is None else expected
    assert turn_of(plots.t_ns, plots.azimuth) == pytest.approx(told, rel=0.005)
    noted = any("turns once" in note for note in recording.report.notes)
    assert noted == (expected is not None)
