"""Whole evaluations: known answers, dense twins at every instant, Stone Soup over time, and bad input."""

import datetime
from dataclasses import replace

import numpy as np
import pytest

from airpicture.errors import ConfigError, InputError
from airpicture.evaluation import evaluate, matching
from airpicture.tables import Status, Tracks, Truth

SECOND = 1_000_000_000
ONCE = {"hold_s": 0.5}  # rows speak for their own instant only


def crowd(rng, *, targets=25, tracks=25, instants=12, size=12_000.0, noise=300.0):
    """Targets and tracks that jump about: everything a pairing can meet, positions in metres kept beside."""
    truth, shown = [], []
    for k in range(instants):
        alive = np.flatnonzero(rng.random(targets) < 0.8)
        here = rng.uniform(-size, size, (targets, 2))
        truth += [(10.0 * k, g, *here[g]) for g in alive]
        for j in np.flatnonzero(rng.random(tracks) < 0.8):
            near = here[j] + rng.normal(0, noise, 2) if j < targets else rng.uniform(-size, size, 2)
            shown.append((10.0 * k, 100 + j, *near))
    return truth, shown


def at_instant(rows, k):
    return np.array([row[2:4] for row in rows if row[0] == 10.0 * k]).reshape(-1, 2)


@pytest.mark.parametrize("order", [1.0, 2.0])
def test_every_instant_equals_the_dense_solution(truth_of, tracks_of, order, monkeypatch):
    from scipy.optimize import linear_sum_assignment

    monkeypatch.setattr(matching, "STATES_PER_BLOCK", 100)  # several blocks
    rng = np.random.default_rng(7)
    truth, shown = crowd(rng)
    report = evaluate(truth_of(truth), tracks_of(shown), order=order, gap_s=0.1, **ONCE)
    table = report.per_instant.to_pydict()
    assert report.instants == 12
    for k in range(12):
        x, y = at_instant(truth, k), at_instant(shown, k)
        d = np.minimum(np.linalg.norm(x[:, None] - y[None], axis=2), 2000.0) ** order
        pairs = linear_sum_assignment(d)
        held = np.count_nonzero(d[pairs] < 2000.0**order)
        excess = abs(len(x) - len(y))
        gospa = (d[pairs].sum() + 2000.0**order / 2 * excess) ** (1 / order)
        ospa = ((d[pairs].sum() + 2000.0**order * excess) / max(len(x), len(y))) ** (1 / order)
        # The plane of the test is the Earth's tangent, so distances agree but for rounding at its size.
        assert table["gospa_m"][k] == pytest.approx(gospa, rel=1e-9)
        assert table["ospa_m"][k] == pytest.approx(ospa, rel=1e-9)
        assert (table["held"][k], table["missed"][k], table["false"][k]) == (held, len(x) - held, len(y) - held)
        parts = sum(table[f"gospa_{name}_m"][k] ** order for name in ("localisation", "missed", "false"))
        assert parts ** (1 / order) == pytest.approx(gospa, rel=1e-12)
    assert report.gospa == pytest.approx(np.mean(table["gospa_m"]))
    assert report.ospa == pytest.approx(np.mean(table["ospa_m"]))
    whole = sum(getattr(report, f"gospa_{name}_m") ** order for name in ("localisation", "missed", "false"))
    assert report.gospa_rms_m**order == pytest.approx(whole)
    assert report.missed == pytest.approx(np.mean(table["missed"]))
    assert report.completeness == pytest.approx(sum(table["held"]) / sum(table["targets"]))


def test_neither_the_order_of_rows_nor_of_targets_matters(truth_of, tracks_of):
    rng = np.random.default_rng(9)
    truth, shown = crowd(rng)
    plain = evaluate(truth_of(truth), tracks_of(shown)).to_dict()
    other = evaluate(
        truth_of([truth[k] for k in rng.permutation(len(truth))]),
        tracks_of([shown[k] for k in rng.permutation(len(shown))]),
    ).to_dict()
    for key in ("gospa_m", "ospa_m", "rmse_m", "completeness", "switches", "breaks", "false_tracks", "longest_gap_s"):
        assert plain[key] == pytest.approx(other[key], rel=1e-12), key


def stone_soup_managers(truth, shown, associations=None):
    """The same rows as Stone Soup's paths and tracks, in a manager without generators."""
    pytest.importorskip("stonesoup")
    from stonesoup.types.groundtruth import GroundTruthPath, GroundTruthState
    from stonesoup.types.state import State
    from stonesoup.types.track import Track

    start = datetime.datetime(2026, 1, 1)

    def paths(rows, path, state):
        ids = sorted({row[1] for row in rows})
        return [
            path(
                [
                    state(np.array(row[2:], float).reshape(-1, 1), timestamp=start + datetime.timedelta(seconds=row[0]))
                    for row in sorted(rows)
                    if row[1] == k
                ]
            )
            for k in ids
        ]

    return paths(truth, GroundTruthPath, GroundTruthState), paths(shown, Track, State)


def test_equals_stone_soup_over_time_with_its_switching_term(truth_of, tracks_of):
    ospametric = pytest.importorskip("stonesoup.metricgenerator.ospametric")
    truth, shown = crowd(np.random.default_rng(13), targets=8, tracks=9, instants=10, size=3000.0, noise=700.0)
    report = evaluate(truth_of(truth), tracks_of(shown), switching_m=900.0, gap_s=0.1, **ONCE)
    paths, tracks = stone_soup_managers(truth, shown)
    generator = ospametric.GOSPAMetric(p=2, c=2000.0, switching_penalty=900.0)
    metric = generator.compute_over_time(
        *generator.extract_states(tracks, return_ids=True), *generator.extract_states(paths, return_ids=True)
    )
    mine = report.per_instant.to_pydict()
    assert sum(mine["switches"]) > 5
    for k, theirs in enumerate(metric.value):
        assert mine["gospa_with_switching_m"][k] == pytest.approx(theirs.value["distance"], rel=1e-9)
        assert mine["gospa_switching_m"][k] == pytest.approx(theirs.value["switching"], rel=1e-9)
        assert mine["gospa_localisation_m"][k] ** 2 == pytest.approx(theirs.value["localisation"], rel=1e-9)
        assert mine["gospa_missed_m"][k] ** 2 == pytest.approx(theirs.value["missed"], rel=1e-9)
        assert mine["gospa_false_m"][k] ** 2 == pytest.approx(theirs.value["false"], rel=1e-9)


def test_equals_stone_soup_siap(truth_of, tracks_of):
    pytest.importorskip("stonesoup")
    from stonesoup.measures import Euclidean
    from stonesoup.metricgenerator.manager import MultiManager
    from stonesoup.metricgenerator.tracktotruthmetrics import SIAPMetrics
    from stonesoup.types.association import AssociationSet, TimeRangeAssociation
    from stonesoup.types.time import TimeRange

    rng = np.random.default_rng(21)
    truth, shown = [], []
    for g in range(6):  # far apart, so that who is on whom is beyond doubt; target 5 has no track, target 0 two
        first = int(rng.integers(0, 4))
        for k in range(first, 20):
            truth.append((10.0 * k, g, 50_000.0 * g, 30.0 * k, 0.0, 3.0))
        for copy in range(0 if g == 5 else 2 if g == 0 else 1):
            for k in range(first + 2 + copy, 19 - copy):
                e = rng.normal(0, 50, 2)
                shown.append((10.0 * k, 100 * copy + g, 50_000.0 * g + e[0], 30.0 * k + e[1], *rng.normal([0, 3], 0.4)))
    for k in range(4, 9):  # and one track is on nobody
        shown.append((10.0 * k, 900, 25_000.0, 0.0, 0.0, 0.0))

    def table(rows):
        return [row[:4] for row in rows], np.array(rows)[:, 4], np.array(rows)[:, 5]

    rows, v_east, v_north = table(truth)
    targets = truth_of(rows, v_east=v_east, v_north=v_north)
    rows, v_east, v_north = table(shown)
    report = evaluate(targets, tracks_of(rows, v_east=v_east, v_north=v_north), **ONCE)

    paths, tracks = stone_soup_managers(truth, shown)
    associations = set()
    for track in tracks:
        for path in paths:
            if abs(track[0].state_vector[0] - path[0].state_vector[0]) < 2000:
                reach = TimeRange(track[0].timestamp, track[-1].timestamp)
                associations.add(TimeRangeAssociation({track, path}, reach))
    siap = SIAPMetrics(position_measure=Euclidean(mapping=[0, 1]), velocity_measure=Euclidean(mapping=[2, 3]))
    manager = MultiManager([siap])
    manager.add_data({"groundtruth_paths": paths, "tracks": tracks})
    manager.association_set = AssociationSet(associations)
    theirs = {m.title: m.value for m in siap.compute_metric(manager)}
    for key, title in (
        ("completeness", "SIAP Completeness"),
        ("ambiguity", "SIAP Ambiguity"),
        ("spuriousness", "SIAP Spuriousness"),
    ):
        assert report.siap[key] == pytest.approx(theirs[title], rel=1e-9), key
    # North of the place the local axes are turned a little against those of the plane: 250 km away by 3 degrees.
    assert report.siap["position_accuracy_m"] == pytest.approx(theirs["SIAP Position Accuracy"], rel=1e-9)
    assert report.siap["velocity_accuracy_mps"] == pytest.approx(theirs["SIAP Velocity Accuracy"], rel=1e-9)


def line(target, seconds, north=0.0, speed=100.0, start=0.0):
    return [(t, target, start + speed * t, north) for t in seconds]


def test_a_perfect_picture(truth_of, tracks_of):
    rows = line(0, range(60)) + line(1, range(60), north=9000)
    tracks = tracks_of(rows, velocity=(100, 0))
    report = evaluate(truth_of(rows, velocity=(100, 0)), tracks)
    assert report.gospa == report.ospa == report.rmse_m == report.velocity_rmse_mps == report.false_tracks == 0.0
    assert (report.completeness, report.missed, report.switches, report.breaks) == (1.0, 0.0, 0, 0)
    assert report.latency_median_s == report.longest_gap_s == 0.0
    assert np.isnan(report.nees)
    assert "no NEES" in " ".join(report.notes)


def test_errors_along_across_and_up(truth_of, tracks_of):
    rng = np.random.default_rng(3)
    seconds = np.arange(0, 4000, 4.0)
    truth = truth_of([(t, 0, 0.0, 50.0 * t - 100_000, 5000.0) for t in seconds], velocity=(0, 50))
    along, across, up = rng.normal(0, [40, 20, 10], (len(seconds), 3)).T
    v = rng.normal(0, [2.0, 3.0], (len(seconds), 2))
    tracks = tracks_of(
        [(t, 5, c, 50.0 * t - 100_000 + a, 5000.0 + u) for t, a, c, u in zip(seconds, along, across, up, strict=True)],
        v_east=v[:, 0],
        v_north=50.0 + v[:, 1],
        v_up=np.full(len(seconds), 0.5),
        sigma_east=np.full(len(seconds), 20.0),
        sigma_north=np.full(len(seconds), 40.0),
        rho_east_north=np.zeros(len(seconds)),
        sigma_up=np.full(len(seconds), 10.0),
        sigma_v_east=np.full(len(seconds), 2.0),
        sigma_v_north=np.full(len(seconds), 3.0),
    )
    report = evaluate(truth, tracks)

    def rms(x):
        return np.sqrt(np.mean(x**2))

    # 0.2 %: at 100 km the plane of the test is 0.9 degrees off the local horizontal.
    assert report.rmse_along_m == pytest.approx(rms(along), rel=2e-3)
    assert report.rmse_across_m == pytest.approx(rms(across), rel=2e-3)
    assert report.bias_across_m == pytest.approx(np.mean(across), abs=0.1)
    assert report.rmse_vertical_m == pytest.approx(rms(up), rel=6e-3)
    assert report.rmse_m == pytest.approx(rms(np.sqrt(along**2 + across**2 + up**2)), rel=1e-6)
    assert report.update_rmse_horizontal_m == pytest.approx(report.rmse_horizontal_m, rel=1e-9)
    assert report.velocity_rmse_mps == pytest.approx(rms(np.hypot(*v.T)), rel=1e-9)
    assert report.speed_rmse_mps == pytest.approx(rms(np.hypot(v[:, 0], 50 + v[:, 1]) - 50), rel=1e-9)
    assert report.heading_rmse_rad == pytest.approx(rms(np.arctan2(v[:, 0], 50 + v[:, 1])), rel=1e-9)
    assert report.climb_rmse_mps == pytest.approx(0.5)
    assert report.nees_lower < report.nees < report.nees_upper
    for name, dimension in (("position_2d", 2), ("position_3d", 3), ("velocity_2d", 2)):
        one = report.consistency[name]
        assert one.ok, name
        assert one.dimension == dimension
        assert one.samples == len(seconds)
    assert report.nees == pytest.approx(np.mean((across / 20) ** 2 + (along / 40) ** 2), rel=2e-3)
    assert sum(report.error_histogram["count"]) == len(seconds)
    assert report.phases["straight"]["states"] == len(seconds) - 1
    assert report.phases["turning"]["states"] == 0


def test_heights_count_where_both_are_known(truth_of, tracks_of):
    truth = truth_of([(t, 0, 0.0, 0.0, 8000.0) for t in range(5)])
    apart = [(t, 1, 300.0, 0.0, 8400.0) for t in range(5)]
    assert evaluate(truth, tracks_of(apart)).rmse_m == pytest.approx(500.0, rel=1e-6)
    flat = evaluate(truth, tracks_of(apart, h_ell=np.full(5, np.nan)))
    assert flat.rmse_m == pytest.approx(300.0, rel=1e-4)
    assert flat.completeness == 1.0
    assert np.isnan(flat.rmse_vertical_m)
    assert "distances are horizontal" in " ".join(flat.notes)
    # The unknown height is put at the target's: the same 300 m as if it had been told.
    level = evaluate(truth, tracks_of([(t, 1, 300.0, 0.0, 8000.0) for t in range(5)]))
    assert flat.rmse_m == pytest.approx(level.rmse_m, rel=1e-4)


def test_distances_hold_at_the_pole_and_across_the_antimeridian():
    from airpicture.geo import distance

    rng = np.random.default_rng(2)
    for lat0, lon0 in ((np.pi / 2 - 1e-4, 0.3), (0.2, np.pi - 1e-5), (-0.9, -np.pi + 1e-5)):
        size = 40
        lat = np.minimum(lat0 + rng.normal(0, 1e-4, (2, size)), np.pi / 2)
        lon = (lon0 + rng.normal(0, 1e-4, (2, size)) + np.pi) % (2 * np.pi) - np.pi
        t_ns = np.arange(size, dtype=np.int64) * 10 * SECOND
        zero = np.zeros(size, np.int32)
        blank = np.full(size, np.nan)
        truth = Truth(t_ns, zero, zero - 1, lat[0], lon[0], blank, blank, blank, blank, ("T0",))
        tracks = Tracks.blank(size, None, t_ns=t_ns, track=zero, status=zero + 1, lat=lat[1], lon=lon[1])
        report = evaluate(truth, tracks, cutoff_m=20_000.0, **ONCE)
        expected = distance(lat[0], lon[0], lat[1], lon[1])
        assert report.completeness == 1.0
        got = np.array(report.per_instant["rmse_m"].to_pylist())
        assert np.allclose(got, expected, rtol=1e-6, atol=1e-3)


def test_switch_break_swap_latency_and_gap(truth_of, tracks_of):
    truth = truth_of(line(0, range(100)) + line(1, range(100), north=20_000), velocity=(100, 0))
    rows = (
        line(11, range(10, 40)) + line(12, range(60, 100))  # target 0: 10 s late, 20 s without, then another track
        + line(21, range(50), north=20_000) + line(22, range(50, 80), north=20_000)  # target 1: handed over, then lost
        + line(22, range(95, 100), north=20_000) + line(99, range(30, 35), north=-30_000)  # and a ghost
    )  # fmt: skip
    report = evaluate(truth, tracks_of(rows, velocity=(100, 0)), hold_s=0.5)
    table = {row["target"]: row for row in report.per_target.to_pylist()}
    assert (table["T0"]["latency_s"], table["T0"]["switches"], table["T0"]["breaks"]) == (10.0, 1, 1)
    assert (table["T1"]["latency_s"], table["T1"]["switches"], table["T1"]["breaks"]) == (0.0, 1, 1)
    assert (table["T0"]["longest_gap_s"], table["T1"]["longest_gap_s"]) == (21.0, 16.0)
    assert (table["T0"]["held"], table["T1"]["held"]) == (70, 85)
    assert (report.switches, report.breaks, report.swaps) == (2, 2, 0)
    assert report.completeness == pytest.approx(155 / 200)
    assert report.false_tracks == pytest.approx(5 / 100)
    assert report.tracks_never_on_target == 1
    assert report.long_gap_s == pytest.approx(3.3)
    assert report.long_gap_share == pytest.approx((20 + 15) / 200)
    assert report.latency_p95_s == pytest.approx(9.5)
    assert report.switches_per_target_hour == pytest.approx(2 / (200 / 3600))


def test_tracks_that_change_targets_are_swaps(truth_of, tracks_of):
    truth = truth_of(line(0, range(40)) + line(1, range(40), north=5000))
    rows = line(7, range(20)) + line(8, range(20), north=5000)
    rows += line(7, range(20, 40), north=5000) + line(8, range(20, 40))
    report = evaluate(truth, tracks_of(rows), **ONCE)
    assert (report.switches, report.swaps, report.breaks) == (2, 2, 0)


def test_redundant_tracks_are_false_but_not_spurious(truth_of, tracks_of):
    truth = truth_of(line(0, range(10)))
    rows = line(1, range(10)) + line(2, range(10), north=500) + line(3, range(5), north=50_000)
    report = evaluate(truth, tracks_of(rows), **ONCE)
    assert (report.false_tracks, report.redundant_tracks) == (1.5, 1.0)
    assert report.tracks_never_on_target == 1
    assert report.siap["ambiguity"] == 2.0
    assert report.siap["spuriousness"] == pytest.approx(5 / 25)


def test_classes_have_their_own_rows(truth_of, tracks_of):
    rows = line(0, range(20)) + line(1, range(20), north=9000) + line(2, range(20), north=-9000)
    truth = truth_of(rows, kinds=[1, 0, -1], classes=("ship", "fighter", "drone"))
    tracks = tracks_of(line(5, range(20)) + line(6, range(10, 20), north=9030))
    report = evaluate(truth, tracks, **ONCE)
    assert list(report.per_class) == ["ship", "fighter", "unknown"]
    assert [row["completeness"] for row in report.per_class.values()] == [0.5, 1.0, 0.0]
    assert report.per_class["ship"]["latency_median_s"] == 10.0
    assert report.per_class["ship"]["rmse_m"] == pytest.approx(30.0, rel=1e-6)
    assert np.isnan(report.per_class["unknown"]["rmse_m"])
    assert report.targets_never_held == 1


def test_reference_tracks_serve_as_truth(truth_of, tracks_of):
    reference = tracks_of(
        [(t + 0.7, 400, 100.0 * t, 0.0) for t in range(0, 60, 4)]
        + [(t, 401, 100.0 * t, 9000.0) for t in range(2, 60, 5)]
    )
    own = tracks_of([(t, 1, 100.0 * (t - 0.7), 10.0) for t in range(10, 90, 4)], velocity=(100, 0))
    report = evaluate(reference, own)
    assert report.settings["against"] == "tracks"
    assert report.targets == 2
    assert report.per_target["target"].to_pylist() == ["400", "401"]
    # East turns by 0.0009 in 5 km here, 0.3 m while the display carries a track on.
    assert report.rmse_m == pytest.approx(10.0, abs=0.3)
    assert report.update_rmse_horizontal_m == pytest.approx(10.0, abs=0.1)
    assert report.settings["period_s"] == 4.0  # the median step: the targets share no instants
    # Only the common time counts, 10 to 57 s: the own tracks weren't there before.
    assert report.instants == 12
    assert report.per_target["held"].to_pylist()[0] == report.per_target["instants"].to_pylist()[0]


def test_a_reference_that_knows_its_own_errors_widens_the_bounds(tracks_of):
    rng = np.random.default_rng(5)
    seconds = np.arange(0, 4000, 4.0)
    size = len(seconds)
    sigma = {"sigma_east": np.full(size, 30.0), "sigma_north": np.full(size, 30.0), "rho_east_north": np.zeros(size)}
    a, b = rng.normal(0, 30, (2, size, 2))
    reference = tracks_of([(t, 1, *e) for t, e in zip(seconds, a, strict=True)], **sigma)
    own = tracks_of([(t, 1, *e) for t, e in zip(seconds, b, strict=True)], **sigma)
    assert evaluate(reference, own).consistency["position_2d"].ok
    silent = replace(reference, sigma_east=np.full(size, np.nan), sigma_north=np.full(size, np.nan))
    assert evaluate(silent, own).nees == pytest.approx(4.0, rel=0.1)


def test_only_what_should_be_seen_is_judged(truth_of, tracks_of):
    truth = truth_of(line(0, range(50)) + line(1, range(50), north=60_000))
    tracks = tracks_of(line(1, range(50)) + line(2, range(50), north=60_000) + line(3, range(50), north=90_000))
    everything = evaluate(truth, tracks)
    assert (everything.targets, everything.false_tracks) == (2, 1.0)
    near = truth.lat < truth.lat[0] + 30_000 / 6.4e6
    part = evaluate(truth, tracks, where=near)
    assert (part.targets, part.completeness) == (1, 1.0)
    assert part.false_tracks == 1.0  # the track on the other target has left with it, the ghost hasn't
    second = line(1, range(50)) + line(2, range(50), north=60_000) + line(4, range(50), north=60_500)
    assert evaluate(truth, tracks_of(second)).redundant_tracks == 1.0
    assert evaluate(truth, tracks_of(second), where=near).false_tracks == 0.0  # it's on the target that isn't judged
    box = (0.83, 0.16, 0.84 + 30_000 / 6.4e6, 0.19)
    inside = evaluate(truth, tracks, region=box)
    assert (inside.targets, inside.false_tracks, inside.tracks) == (1, 0.0, 1)


def test_statuses_choose_what_is_shown(truth_of, tracks_of):
    truth = truth_of(line(0, range(20)))
    tracks = tracks_of(line(1, range(20)), status=np.repeat([0, 1, 2, 3], 5))
    assert evaluate(truth, tracks).completeness == 0.5
    assert evaluate(truth, tracks, statuses=("tentative", Status.CONFIRMED)).completeness == 0.5
    assert evaluate(truth, tracks, statuses="confirmed").completeness == 0.25
    assert evaluate(truth, tracks, statuses=("tentative", "confirmed", "coasting")).completeness == 0.75
    assert "one of the statuses" in evaluate(truth, tracks.take(slice(0, 5))).notes[0]


def test_instants_follow_the_period(truth_of, tracks_of):
    truth = truth_of(line(0, range(101)))
    tracks = tracks_of(line(1, range(101)))
    assert evaluate(truth, tracks).instants == 101
    report = evaluate(truth, tracks, period_s=10)
    assert report.instants == 11
    assert np.diff(report.per_instant["t_ns"].to_numpy()).tolist() == [10 * SECOND] * 10
    first = int(truth.t_ns[0])
    assert evaluate(truth, tracks, start_ns=first + 20 * SECOND, end_ns=first + 40 * SECOND).instants == 21


def test_long_truths_are_thinned_and_it_is_said(truth_of, tracks_of, monkeypatch):
    from airpicture.evaluation import instants

    monkeypatch.setattr(instants, "STATES_MAX", 50)
    report = evaluate(truth_of(line(0, range(101))), tracks_of(line(1, range(101))))
    assert report.instants == 34
    assert "one in 3 instants" in report.notes[0]


@pytest.mark.parametrize("against", ["truth", "tracks"])
def test_empty_tables_give_a_report(truth_of, tracks_of, against):
    rows = line(0, range(10))
    build = truth_of if against == "truth" else tracks_of
    none = evaluate(build(rows), tracks_of([]))
    assert (none.completeness, none.missed, none.false_tracks, none.tracks) == (0.0, 1.0, 0.0, 0)
    assert none.gospa == pytest.approx(2000 / np.sqrt(2))
    assert none.ospa == 2000.0
    ghosts = evaluate(build([]), tracks_of(rows))
    assert (ghosts.completeness, ghosts.false_tracks, ghosts.targets, ghosts.instants) == (0.0, 1.0, 0, 10)
    nothing = evaluate(build([]), tracks_of([]))
    assert (nothing.completeness, nothing.instants) == (0.0, 0)
    assert np.isnan(nothing.gospa)
    for report in (none, ghosts, nothing):
        assert report.to_text()
        assert report.to_html().endswith("</html>\n")
        assert report.to_json()


def test_rows_that_cannot_be_used_are_counted(truth_of, tracks_of):
    rows = line(0, range(20))
    truth, tracks = truth_of(rows + rows[5:8]), tracks_of(line(1, range(20)))
    truth.lat[3] = np.nan
    tracks.lon[[4, 6]] = np.inf
    tracks.lat[9] = 3.0
    report = evaluate(truth, tracks)
    assert report.refused == {
        "truth_position_not_usable": 1,
        "truth_duplicate": 3,
        "tracks_position_not_usable": 3,
        "tracks_duplicate": 0,
    }
    assert report.states == 19
    assert "Left out: 1 row of truth position not usable; 3 rows of truth duplicate" in report.to_text()


def test_truth_without_velocities_has_no_velocity_error(truth_of, tracks_of):
    report = evaluate(truth_of(line(0, range(20))), tracks_of(line(1, range(20)), velocity=(90, 0)))
    assert np.isnan(report.velocity_rmse_mps)
    assert report.rmse_m == 0.0
    assert report.to_dict()["velocity_rmse_mps"] is None


def test_other_tables_are_refused_by_name(truth_of, tracks_of):
    truth, tracks = truth_of(line(0, range(20))), tracks_of(line(1, range(20)))
    with pytest.raises(InputError, match=r"tracks is of the type Truth. Expected Tracks"):
        evaluate(truth, truth)
    with pytest.raises(InputError, match=r"truth is of the type Sensors. Expected Truth or Tracks"):
        evaluate(tracks.sensors, tracks)


def test_tables_of_different_times_are_refused_with_both_spans(truth_of, tracks_of):
    truth, tracks = truth_of(line(0, range(20))), tracks_of(line(1, range(1000, 1010)))
    with pytest.raises(InputError, match="no time in common") as caught:
        evaluate(truth, tracks)
    for text in ("2025-06-15T15:06:40.000Z to 2025-06-15T15:06:59.000Z", "2025-06-15T15:23:20.000Z"):
        assert text in str(caught.value)
    with pytest.raises(InputError, match="lies outside"):
        evaluate(truth, tracks_of(line(1, range(20))), start_ns=int(truth.t_ns[-1]) + SECOND)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cutoff_m": 0}, "cutoff is 0"),
        ({"order": 0.9}, "order is 0.9"),
        ({"order": np.inf}, "order is inf"),
        ({"period_s": -1}, "period_s is -1"),
        ({"hold_s": np.nan}, "hold_s is nan"),
        ({"switching_m": -2}, "switching_m is -2"),
        ({"statuses": ("firm",)}, "status 'firm'"),
        ({"statuses": ("ended",)}, "status 'ended'"),
        ({"statuses": ()}, "no status"),
        ({"region": (10, 20, 30, 40)}, "radians, not degrees"),
        ({"region": (0.2, 0, 0.1, 1)}, "lat_min"),
    ],
)
def test_settings_out_of_bounds_are_named(truth_of, tracks_of, options, words):
    with pytest.raises(ConfigError, match=words):
        evaluate(truth_of(line(0, range(3))), tracks_of(line(1, range(3))), **options)
    with pytest.raises(InputError, match="where has the shape"):
        evaluate(truth_of(line(0, range(3))), tracks_of(line(1, range(3))), where=np.ones(2, bool))


@pytest.mark.parametrize("course", [0.4, 2.0, 3.9, 5.8])
def test_along_and_across_turn_with_the_course(truth_of, tracks_of, course):
    ahead, right = np.array([np.sin(course), np.cos(course)]), np.array([np.cos(course), -np.sin(course)])
    rows = [(t, 0, *(20.0 * t * ahead)) for t in range(20)]
    offset = 30.0 * ahead + 40.0 * right
    shown = [(t, 1, east + offset[0], north + offset[1]) for t, _, east, north in rows]
    for truth in (truth_of(rows, velocity=20.0 * ahead), truth_of(rows)):
        report = evaluate(truth, tracks_of(shown))
        assert report.bias_along_m == pytest.approx(30.0, rel=1e-3)
        assert report.bias_across_m == pytest.approx(40.0, rel=1e-3)
        assert report.rmse_horizontal_m == pytest.approx(50.0, rel=1e-3)
