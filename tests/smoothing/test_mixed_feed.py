"""Wrong reports of real recordings: labelled ones in a feed made of a real flight, and those known by name."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from test_clean import flight

import airpicture as ap
from airpicture.tables import unpack_callsigns
from airpicture.units import FT

ROOT = Path(__file__).parents[2]


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that makes the feed."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import mixed_feed

    return mixed_feed


def judged(feed: ModuleType, plots: ap.Plots, seed: int) -> dict[str, tuple[int, int, int]]:
    """Return of each label how many there were, how many were flagged, and how many by their name."""
    made = feed.mixed_feed(plots, np.random.default_rng(seed))
    cleaned = ap.clean(made.plots)
    assert len(cleaned) == len(made.label)
    found = {}
    for k, (name, flag) in enumerate(zip(feed.LABELS, feed.NAMED, strict=True)):
        of = cleaned.flags[made.label == k]
        found[name] = len(of), int((of > 0).sum()), int(((of & np.uint8(flag)) > 0).sum())
    return found


def test_a_feed_of_several_receivers(feed: ModuleType) -> None:
    """Of a made flight, wherever this runs: 1,000 s of it, heard by five."""
    found = judged(feed, flight(21, n=1000), 4)
    good = found["good"][0] + found["late"][0]
    assert found["good"][1] + found["late"][1] <= 0.001 * good
    for name in ("duplicate", "stale", "identity", "height", "outlier", "time_wrong"):
        count, flagged, _ = found[name]
        assert count >= 5
        assert flagged >= count - (name == "outlier"), name  # one is 321 m off, which is 5.1 sigmas
    for name in ("duplicate", "stale", "identity", "height"):
        assert found[name][2] == found[name][0], name


@pytest.mark.slow
@pytest.mark.parametrize("claims", [True, False])
def test_a_feed_made_of_a_real_flight(feed: ModuleType, recordings: Path, claims: bool) -> None:
    path = recordings / "adsb" / "modes_raw" / "long_flight_beast.csv.gz"
    if not path.exists():
        pytest.skip("that recording isn't here")
    real = feed.longest(path)
    found = judged(feed, real if claims else feed.unclaimed(real), 5)
    assert found["good"][1] + found["late"][1] <= 0.001 * (found["good"][0] + found["late"][0])
    least = {"duplicate": 1.0, "stale": 1.0, "identity": 0.99, "height": 0.99, "outlier": 0.99, "time_wrong": 0.98}
    for name, share in least.items():
        assert found[name][1] >= share * found[name][0], name


def test_heights_of_cruise_on_the_runway_are_flagged(recordings: Path) -> None:
    plots = ap.read(recordings / "adsb" / "single_flights" / "noisy_takeoff.json.gz", repeats=True)
    cleaned = ap.clean(plots)
    wrong = (plots.t_ns < plots.t_ns[0] + 150 * 10**9) & (plots.h_baro > 30_000 * FT)
    assert wrong.sum() >= 2
    assert (cleaned.flags[wrong] > 0).all()
    assert len(cleaned) == cleaned.flags.size


def test_three_heights_above_all_others_of_a_flight_are_flagged_and_no_other(recordings: Path) -> None:
    plots = ap.read(recordings / "adsb" / "opensky_states" / "switzerland_10s_842ac.csv.gz", repeats=True)
    plots = plots.take(np.array([name == "VLG64MN" for name in unpack_callsigns(plots.callsign)]))
    cleaned = ap.clean(plots)
    high = np.round(plots.h_baro / FT) == 39_400
    assert high.sum() == 3
    assert (cleaned.marked(ap.Flag.HEIGHT_WRONG) == high).all()


def test_spells_of_no_height_in_the_air_are_flagged() -> None:
    """Aircraft over a desert strip, in the package: 0 ft again and again, in the middle of flights at 5,000 ft."""
    cleaned = ap.clean(ap.read(ROOT / "src" / "airpicture" / "data" / "88nv_1hr.jsonl.gz", repeats=True))
    zero = (np.abs(cleaned.plots.h_baro) < FT) & (cleaned.smoothed.h_baro > 2_000 * FT)
    assert zero.sum() > 500
    assert (cleaned.flags[zero] > 0).mean() > 0.99
