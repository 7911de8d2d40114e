"""A service's history on disk: what was written can be read, while it's written and whatever becomes of the writer."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import airpicture as ap
from airpicture.errors import InputError
from airpicture.formats import open_recording
from airpicture.formats.arrow import pa, pq
from airpicture.service import history, historyfiles, stored
from airpicture.service.address import Address
from airpicture.service.history import HistoryOutput, recent_history
from airpicture.service.historyfiles import Slice, Spool, begin_of, pack, read_slice, slices_of
from airpicture.service.hub import Mode
from airpicture.service.settings import OutputSettings
from airpicture.service.stored import Stored
from airpicture.tables import Plots, Status, Tracks
from airpicture.units import SECOND_NS
from map_scenes import T0_NS, Scene

SCENE = Scene(12, reach=100e3)
N_S = 120  # of history, a state of each track a second


def states(t_s: float) -> Tracks:
    """Return the picture of a second: track 1 ends at 40 s, 2 begins at 50 s, 3 is away from 60 to 80 s."""
    tracks = SCENE.tracks(t_s)
    tracks.status[tracks.status == Status.ENDED] = Status.CONFIRMED
    tracks.status[0] = Status.ENDED if t_s == 40 else Status.CONFIRMED
    here = np.ones(len(tracks), bool)
    here[0], here[1], here[2] = t_s <= 40, t_s >= 50, not 60 <= t_s < 80
    return tracks.take(np.flatnonzero(here))


def written(folder: Path, begin_s: int, end_s: int) -> Spool:
    spool = Spool(folder, T0_NS + begin_s * SECOND_NS)
    for t in range(begin_s, end_s, 5):
        spool.append(Tracks.concat([states(float(t + k)) for k in range(min(5, end_s - t))]))
    return spool


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """The history of two minutes: one in Parquet, one in a stream that's being written."""
    folder = tmp_path_factory.mktemp("history")
    first = written(folder, 0, 60)
    first.close()
    pack(first.path)
    second = written(folder, 60, N_S)
    return Stored(folder, SCENE.sensors, 1.0, lambda: second.slices)


def plain_picture(t_s: float) -> dict[int, float]:
    """Return latitudes of the tracks that were there, at the last whole second before a time."""
    found: dict[int, tuple[float, int]] = {}
    for second in range(max(0, int(t_s) - 4), min(int(t_s), N_S - 1) + 1):
        tracks = states(float(second))
        for row in range(len(tracks)):
            found[int(tracks.track[row])] = (float(tracks.lat[row]), int(tracks.status[row]))
    return {number: lat for number, (lat, status) in found.items() if status != Status.ENDED}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, N_S - 1))
def test_the_picture_of_any_second_is_the_one_that_was(past: Stored, second: int) -> None:
    tracks = past.update(T0_NS + second * SECOND_NS, Mode.REPLAY).tracks
    wanted = plain_picture(second)
    assert set(tracks.track.tolist()) == set(wanted)
    now = set(states(float(second)).track.tolist())  # the others are carried on, for some seconds
    for number, lat in zip(tracks.track.tolist(), tracks.lat.tolist(), strict=True):
        if number in now:
            assert lat == pytest.approx(wanted[number], abs=1e-9)
    assert tracks.t_ns.tolist() == [T0_NS + second * SECOND_NS] * len(tracks)


def test_names_heights_and_sensors_come_back(past: Stored) -> None:
    tracks, wanted = past.update(T0_NS + 90 * SECOND_NS, Mode.REPLAY).tracks, states(90.0)
    np.testing.assert_array_equal(tracks.callsign, wanted.callsign)
    np.testing.assert_array_equal(tracks.address, wanted.address)
    np.testing.assert_allclose(tracks.h_baro, wanted.h_baro, atol=1e-6)
    np.testing.assert_array_equal(tracks.seen, wanted.seen)
    assert tracks.sensors.ids == SCENE.sensors.ids


def test_the_ends_and_what_lies_between(past: Stored, tmp_path: Path) -> None:
    assert past.extent() == (T0_NS, T0_NS + (N_S - 1) * SECOND_NS)
    bars = past.traffic(T0_NS, T0_NS + N_S * SECOND_NS, 12)
    assert [abs(n - 11) <= 2 for n in bars] == [True] * 12  # eleven or so at a time
    before = past.traffic(T0_NS - N_S * SECOND_NS, T0_NS + N_S * SECOND_NS, 12)
    assert before[:6] == [0] * 6
    assert Stored(tmp_path, SCENE.sensors).extent() == (0, 0)
    assert len(Stored(tmp_path, SCENE.sensors).update(T0_NS, Mode.REPLAY).tracks) == 0


def test_trails_and_a_tracks_course(past: Stored) -> None:
    trails = past.before(T0_NS + 100 * SECOND_NS, 50.0)
    assert trails is not None
    assert (np.diff(trails.t_ns) >= 0).all()
    assert trails.t_ns[0] == T0_NS + 50 * SECOND_NS
    assert trails.t_ns[-1] == T0_NS + 100 * SECOND_NS
    course = past.of(3, T0_NS + 100 * SECOND_NS)
    assert course is not None
    seconds = ((course.t_ns - T0_NS) // SECOND_NS).tolist()
    assert seconds == [*range(60), *range(80, 101)]
    np.testing.assert_allclose(course.lat, [states(float(t)).lat[states(float(t)).track == 3][0] for t in seconds])
    assert past.of(99, T0_NS + 100 * SECOND_NS) is None or len(past.of(99, T0_NS + 100 * SECOND_NS) or ()) == 0


def test_only_what_changed_is_told(past: Stored) -> None:
    """Plots are a second old in this scene, so each track has had one since; without them only all-new instants."""
    first = past.update(T0_NS + 31 * SECOND_NS, Mode.REPLAY)
    assert len(first.changed) == len(first.tracks)
    quiet = replace(first.tracks, t_ns_plot=np.full(len(first.tracks), T0_NS), status=first.tracks.status.copy())
    changed = stored.changed_rows(quiet, first.now_ns + SECOND_NS, replace(first, tracks=quiet))
    assert len(changed) == 0
    quiet.status[3] = Status.COASTING
    assert stored.changed_rows(quiet, first.now_ns + SECOND_NS, first).tolist() == [3]
    assert len(stored.changed_rows(quiet, first.now_ns + 10 * SECOND_NS, first)) == len(quiet)


def test_a_gap_is_passed_over(tmp_path: Path) -> None:
    for begin, end in ((0, 20), (5000, 5020)):
        spool = written(tmp_path, begin, end)
        spool.close()
        pack(spool.path)
    past = Stored(tmp_path, SCENE.sensors)
    assert past.resume_ns(T0_NS + 10 * SECOND_NS) == T0_NS + 10 * SECOND_NS
    assert past.resume_ns(T0_NS + 100 * SECOND_NS) == T0_NS + 5000 * SECOND_NS
    assert past.resume_ns(T0_NS + 9000 * SECOND_NS) == T0_NS + 9000 * SECOND_NS
    assert len(past.update(T0_NS + 100 * SECOND_NS, Mode.REPLAY).tracks) == 0


@pytest.mark.parametrize("cut", [1, 700, 5000, 30_000])
def test_a_torn_stream_gives_all_that_was_whole(tmp_path: Path, cut: int) -> None:
    spool = written(tmp_path, 0, 60)
    data = spool.path.read_bytes()
    whole = sum(1 for one in spool.slices if one.at < len(data) - cut) - 1
    torn = tmp_path / "tracks-20260101T000000Z.arrows"
    torn.write_bytes(data[:-cut])
    pack(torn)
    assert not torn.exists()
    if whole <= 0:
        return
    tracks = ap.read_tracks(torn.with_suffix(".parquet"))
    seconds = np.unique((tracks.t_ns - T0_NS) // SECOND_NS)
    assert seconds.tolist() == list(range(5 * whole))


def test_the_hour_that_goes_on_is_read_like_any_table(tmp_path: Path) -> None:
    spool = written(tmp_path, 0, 20)
    tracks = ap.read_tracks(spool.path)
    assert np.unique((tracks.t_ns - T0_NS) // SECOND_NS).tolist() == list(range(20))
    assert open_recording(spool.path).report.format == "tracks Arrow stream"
    cut = tmp_path / "cut.arrows"
    cut.write_bytes(spool.path.read_bytes()[: spool.slices[1].at + 10])
    assert len(ap.read_tracks(cut)) == spool.slices[0].rows
    cut.write_bytes(b"\xff\xff\xff\xff and nothing")
    with pytest.raises(InputError, match="without a whole batch"):
        ap.read_tracks(cut)


def test_a_stream_of_nothing_goes(tmp_path: Path) -> None:
    empty = tmp_path / "tracks-20260101T000000Z.arrows"
    empty.write_bytes(b"")
    pack(empty)
    assert list(tmp_path.iterdir()) == []


def test_row_groups_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(historyfiles, "PACK_ROWS", 200)
    spool = written(tmp_path, 0, 60)
    spool.close()
    pack(spool.path)
    slices = slices_of(spool.path.with_suffix(".parquet"))
    assert len(slices) == 3
    assert all(one.rows < 260 for one in slices)
    assert [one.first_ns for one in slices] == sorted(one.first_ns for one in slices)


def test_files_of_others_hurt_nobody(past: Stored, tmp_path: Path) -> None:
    spool = written(tmp_path, 0, 20)
    (tmp_path / "tracks-20200101T000000Z.parquet").write_bytes(b"PAR1 and nothing more")
    (tmp_path / "tracks-of-mine.parquet").write_bytes(b"")
    (tmp_path / "tracks-20260601T115959Z.parquet").write_bytes(b"")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "tracks-20260601T115958Z.parquet")
    found = Stored(tmp_path, SCENE.sensors, 1.0, lambda: spool.slices)
    assert len(found.update(T0_NS + 10 * SECOND_NS, Mode.REPLAY).tracks) == len(plain_picture(10))
    assert found.counts["files that can't be read"] == 3
    assert begin_of(tmp_path / "tracks-of-mine.parquet") == -1
    with pytest.raises(InputError, match="a slice can't be read"):
        read_slice(Slice(tmp_path / "tracks-20200101T000000Z.parquet", 0, 0, 1, 1))


def test_a_row_that_no_table_may_hold_costs_no_other(tmp_path: Path) -> None:
    tracks = states(5.0)
    tracks.h_baro[3] = -50_000.0
    tracks.lat[4] = np.nan
    spool = Spool(tmp_path, T0_NS)
    spool.append(tracks)
    past = Stored(tmp_path, SCENE.sensors, 1.0, lambda: spool.slices)
    shown = past.update(T0_NS + 5 * SECOND_NS, Mode.REPLAY).tracks
    assert set(tracks.track.tolist()) - set(shown.track.tolist()) == {int(tracks.track[3]), int(tracks.track[4])}
    assert past.counts["rows that can't be read"] == 2


def test_a_story_of_a_crowd_is_thinned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = written(tmp_path, 0, N_S)
    past = Stored(tmp_path, SCENE.sensors, 1.0, lambda: spool.slices)
    monkeypatch.setattr(stored, "STORY_ROWS_MAX", sum(one.rows for one in spool.slices) // 3)
    course = past.of(5, T0_NS + N_S * SECOND_NS)
    assert course is not None
    assert 0.2 * N_S < len(course) < 0.5 * N_S
    assert course.t_ns[-1] == T0_NS + (N_S - 1) * SECOND_NS  # the newest are told in any case


def test_a_long_line_is_told_by_the_sizes_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "FOOTERS_MAX", 2)
    for begin in range(0, 100, 20):
        spool = written(tmp_path, begin, begin + 20)
        spool.close()
        pack(spool.path)
    bars = Stored(tmp_path, SCENE.sensors).traffic(T0_NS, T0_NS + 100 * SECOND_NS, 5)
    assert [abs(n - 11) <= 3 for n in bars] == [True] * 5


def test_a_short_line_has_no_holes(tmp_path: Path) -> None:
    """What's written together every few seconds is spread over all of them."""
    spool = written(tmp_path, 0, 60)
    bars = Stored(tmp_path, SCENE.sensors, 1.0, lambda: spool.slices).traffic(T0_NS, T0_NS + 60 * SECOND_NS, 120)
    assert all(len(plain_picture(k / 2)) - 2 <= n <= len(plain_picture(k / 2)) + 2 for k, n in enumerate(bars))


def output(folder: Path, **extra: float) -> HistoryOutput:
    return HistoryOutput(OutputSettings("history", "parquet", Address("file", path=str(folder)), **extra))


def played(folder: Path, seconds: range, **extra: float) -> HistoryOutput:
    """Hand an output a picture a second, as fast as it takes them."""

    async def play() -> HistoryOutput:
        made = output(folder, **extra)
        await made.open()
        for t in seconds:
            made.take(SCENE.update(float(t)))
            for task in list(made._tasks.values()):
                await task
        await made.close()
        return made

    return asyncio.run(play())


def test_an_output_writes_files_that_everybody_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FLUSH_S", 0.0)
    made = played(tmp_path, range(100), rotate_s=30.0)
    assert {path.suffix for path in tmp_path.iterdir()} == {".parquet"}
    files = sorted(tmp_path.glob("tracks-*"))
    assert len(files) == len(list(tmp_path.glob("sensors-*"))) == 4
    tracks = Tracks.concat([ap.read_tracks(path) for path in files])
    assert len(tracks) == made.counts["sent"] == 100 * len(SCENE.tracks(0.0))
    assert np.unique((tracks.t_ns - T0_NS) // SECOND_NS).tolist() == list(range(100))
    assert made.counts["files"] == 8


def test_plots_and_how_sensors_did_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each second the plots that were shown in it, where they were shown, and what was said of the sensors last."""
    monkeypatch.setattr(history, "FLUSH_S", 0.0)
    played(tmp_path, range(60), rotate_s=30.0)
    past = Stored(tmp_path, SCENE.sensors)
    before = past.update(T0_NS + 20 * SECOND_NS, Mode.REPLAY)
    assert np.unique(before.plots.t_ns).size == 15  # a scene's plots of each of the seconds that are shown at once
    for second in (21, 22, 40, 59):
        live = SCENE.update(float(second))
        shown = past.update(live.now_ns, Mode.REPLAY, past.update(live.now_ns - SECOND_NS, Mode.REPLAY))
        assert len(shown.plots) == len(live.plots) > 0
        order, same = (np.lexsort((one.plots.sensor, one.plot_lat)) for one in (shown, live))
        np.testing.assert_allclose(shown.plot_lat[order], live.plot_lat[same], rtol=0, atol=1e-12)
        np.testing.assert_allclose(shown.plot_lon[order], live.plot_lon[same], rtol=0, atol=1e-12)
        assert shown.plots.sensor[order].tolist() == live.plots.sensor[same].tolist()
        assert shown.plots.technology[order].tolist() == live.plots.technology[same].tolist()
        told = SCENE.update(float(5 * (second // 5))).sensors
        assert [(one.sensor, one.health, one.t_ns_plot, one.plots_per_s) for one in shown.sensors] == [
            (one.sensor, one.health, one.t_ns_plot, one.plots_per_s) for one in told
        ]
        np.testing.assert_array_equal([one.delay_s for one in shown.sensors], [one.delay_s for one in told])
    assert past.update(T0_NS + 200 * SECOND_NS, Mode.REPLAY).sensors == ()
    assert len(past.update(T0_NS + 200 * SECOND_NS, Mode.REPLAY).plots) == 0


def test_plots_of_another_day_are_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their times would name the file, and nobody would look into it for those of now."""
    monkeypatch.setattr(history, "FLUSH_S", 0.0)

    async def play() -> None:
        made = output(tmp_path)
        await made.open()
        for t in range(10):
            update = SCENE.update(float(t))
            old = update.plots.take(np.arange(5))
            old.t_ns[:] -= 10**8 * SECOND_NS
            plots = Plots.concat([old, update.plots])
            lat, lon = (np.append(one[:5], one) for one in (update.plot_lat, update.plot_lon))
            made.take(replace(update, plots=plots, plot_lat=lat, plot_lon=lon))
        await made.close()

    asyncio.run(play())
    (file,) = tmp_path.glob("sensors-*")
    assert abs(begin_of(file) - T0_NS) < 5 * SECOND_NS
    shown = Stored(tmp_path, SCENE.sensors).update(T0_NS + 9 * SECOND_NS, Mode.REPLAY)
    assert len(shown.plots) == sum(len(SCENE.update(float(t)).plots) for t in range(10))


def test_a_history_without_its_sensors_shows_tracks(tmp_path: Path) -> None:
    """As older services wrote it, and where a file of them is damaged."""
    spool = written(tmp_path, 0, 20)
    (tmp_path / "sensors-20260601T120000Z.parquet").write_bytes(b"PAR1")
    shown = Stored(tmp_path, SCENE.sensors, 1.0, lambda: spool.slices).update(T0_NS + 10 * SECOND_NS, Mode.REPLAY)
    assert len(shown.tracks) == len(plain_picture(10))
    assert len(shown.plots) == len(shown.sensors) == 0


def test_what_a_killed_service_left_is_packed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FLUSH_S", 0.0)
    left = written(tmp_path, 0, 60)
    with open(left.path, "ab") as file:  # it was writing when it was killed
        file.write(os.urandom(100))
    (tmp_path / "tracks-20260601T100000Z.parquet.part").write_bytes(b"half")
    made = played(tmp_path, range(100, 110))
    assert {path.suffix for path in tmp_path.iterdir()} == {".parquet"}
    past = Stored(tmp_path, SCENE.sensors)
    assert past.extent()[0] == T0_NS
    assert len(past.update(T0_NS + 20 * SECOND_NS, Mode.REPLAY).tracks) == len(plain_picture(20))
    assert made.counts["failures"] == 0


def test_a_full_disk_is_counted_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FLUSH_S", 0.0)
    append, full = Spool.append, [True]

    def failing(self: Spool, tracks: Tracks) -> None:
        if full and full.pop():
            raise OSError(28, "No space left on device")
        append(self, tracks)

    monkeypatch.setattr(Spool, "append", failing)
    made = played(tmp_path, range(10))
    assert made.counts["failures"] == 1
    assert made.counts["sent"] == 9 * len(SCENE.tracks(0.0))


def test_the_last_while_is_kept_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody wants a history on disk: streams alone, of a size, the oldest go; of a crowd nothing."""
    monkeypatch.setattr(history, "FLUSH_S", 0.0)
    monkeypatch.setattr(history, "RECENT_ROTATE_S", 20.0)
    (tmp_path / "tracks-20260101T000000Z.arrows").write_bytes(b"of a run before")

    async def play(scene: Scene) -> HistoryOutput:
        made = recent_history(str(tmp_path), 0.06)
        await made.open()
        for t in range(200):
            made.take(scene.update(float(t)))
            for task in list(made._tasks.values()):
                await task
        return made

    made = asyncio.run(play(SCENE))
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert {path.suffix for path in tmp_path.iterdir()} == {".arrows"}
    assert sum(sizes) < 0.06 * 2**20 + 2 * max(sizes)
    past = Stored(tmp_path, SCENE.sensors, made.period_s, made.slices)
    first, last = ((t - T0_NS) / SECOND_NS for t in past.extent())
    assert 20 < first < 170
    assert last == 198
    assert len(past.update(T0_NS + 190 * SECOND_NS, Mode.REPLAY).tracks) > 8
    assert made.counts["failures"] == 0
    monkeypatch.setattr(history, "RECENT_TRACKS_MAX", 5)
    assert asyncio.run(play(SCENE)).slices() == []


def test_what_the_disk_cannot_follow_is_dropped_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "HELD_MAX", 30)
    made = output(tmp_path)
    made._flushed = float("inf")
    made._slot = SCENE.update(0.0).now_ns // (3600 * SECOND_NS)
    for t in range(5):
        made.take(SCENE.update(float(t)))
    assert made._tracks.held <= 30
    assert made._sensors.held <= 30
    assert made.counts["dropped"] > 0
