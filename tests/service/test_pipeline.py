"""The picture is a function of settings and journal: broken off and taken up again, it's the same."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from airpicture.alerts import AlertKind, AlertSettings, Level
from airpicture.alerts.standing import Cause, Standing
from airpicture.errors import InputError
from airpicture.formats.journal import Kind, Record
from airpicture.formats.stretch import Stretch
from airpicture.memory import LEAST, Memory
from airpicture.service import checkpoint
from airpicture.service.attempts import Attempts
from airpicture.service.config import parse_settings
from airpicture.service.frozen import freeze, thaw
from airpicture.service.hub import SensorHealth, Update
from airpicture.service.pipeline import Pipeline, split
from airpicture.service.settings import Settings
from airpicture.service.tail import Position
from airpicture.tables import Tracks
from airpicture.tracks.begin import make_desk
from airpicture.tracks.pool import Pool
from radar_bytes import block, north, report
from service_kit import RADAR

NOON = 1_764_331_200 * 10**9
S = 10**9

TEXT = (
    RADAR
    + """
[[sensor]]
id = "own"
kind = "radar"
lat_deg = 47.2
lon_deg = 8.3
period_s = 2.0
[[input]]
name = "radar"
from = "udp://127.0.0.1:0"
[[input]]
name = "wire"
from = "asterix:listen://127.0.0.1:0"
[[input]]
name = "own"
from = "plots:http://127.0.0.1:0/"
"""
)


def settings() -> Settings:
    return parse_settings(TEXT)


def records(seconds: int = 60, seed: int = 3) -> list[Record]:
    """Return what three inputs bring: two dozen targets, some clutter, a stream cut anywhere, a line that's rubbish."""
    lots = np.random.default_rng(seed)
    start_m, speed = lots.uniform(20e3, 90e3, 24), lots.uniform(-200, 200, 24)
    bearing = lots.uniform(0, 2 * np.pi, 24)
    made: list[Record] = []
    rest, link_open = b"", False
    for step in range(seconds * 10):
        t_ns = NOON + step * S // 10
        made_now: list[tuple[int, int, bytes]] = []
        for k in range(24):
            if (step + k * 5) % 40 == 0:
                late = int(lots.integers(0, 900)) * 10**6
                measured = start_m[k] + speed[k] * step / 10 + lots.normal(0, 50)
                one = report(sac=1, sic=2, t_ns=t_ns - late, range_m=abs(measured),
                             azimuth_rad=bearing[k] + lots.normal(0, 1e-3), address=0x4B0000 + k)  # fmt: skip
                if k % 3:
                    made_now.append((0, 0, block(48, [one])))
                else:
                    rest += block(48, [one])
        if step % 3 == 0:
            clutter = report(sac=1, sic=2, t_ns=t_ns, range_m=lots.uniform(5e3, 90e3),
                             azimuth_rad=lots.uniform(0, 6), address=0x700000 + step)  # fmt: skip
            made_now.append((0, 0, block(48, [clutter])))
        if rest:
            if not link_open:
                made.append(Record(Kind.OPEN, t_ns, 1, 1))
                link_open = True
            cut = int(lots.integers(0, len(rest) + 1))
            made_now.append((1, 1, rest[:cut]))
            rest = rest[cut:]
        if step % 20 == 0:
            line = {"sensor": "own", "range_m": 30e3 + step, "azimuth_deg": 12.0, "t_ns": t_ns - 5}
            made_now.append((2, 0, json.dumps(line).encode() + b"\nrubbish"))
            made_now.append((0, 0, north(sac=1, sic=2, t_ns=t_ns)))
            made_now.append((0, 0, bytes(lots.integers(0, 256, 30, np.uint8))))
        made += [Record(Kind.DATA, t_ns + j, row, link, body) for j, (row, link, body) in enumerate(made_now) if body]
        if step % int(lots.integers(1, 4)) == 0:
            made.append(Record(Kind.TICK, t_ns + 50_000))
        if step == 300:
            made.append(Record(Kind.CLOSE, t_ns + 60_000, 1, 1))
            link_open = False
    return [*made, Record(Kind.TICK, NOON + seconds * S)]


def digest(update: Update | None) -> str:
    """Return a hash of all that an update tells."""
    if update is None:
        return ""
    whole = hashlib.sha256(str((update.now_ns, update.sensors, update.alerts, sorted(update.counts.items()))).encode())
    for name in Tracks.column_names():
        whole.update(np.ascontiguousarray(getattr(update.tracks, name)).tobytes())
    whole.update(update.changed.tobytes() + update.plot_lat.tobytes() + update.plots.t_ns.tobytes())
    return whole.hexdigest()


@pytest.fixture(scope="module")
def runs() -> list[Stretch]:
    return split(Stretch.of(records()))


@pytest.fixture(scope="module")
def whole(runs: list[Stretch]) -> list[str]:
    pipeline = Pipeline(settings())
    found = [digest(pipeline.take(run)) for run in runs]
    assert pipeline.tracker.counts["tracks_begun"] > 20
    assert pipeline.tracker.counts["plots_out_of_sequence"] > 20
    assert pipeline.decoding.counts()["wire"]["decoded record CAT048"] > 80
    assert pipeline.decoding.counts()["own"]["refused row no JSON"] == 30
    return found


@pytest.mark.parametrize("seed", range(4))
def test_broken_off_and_taken_up_it_is_the_same_to_the_bit(
    tmp_path: Path, runs: list[Stretch], whole: list[str], seed: int
) -> None:
    lots = np.random.default_rng(seed)
    cuts = [0, *sorted(lots.integers(1, len(runs), 5).tolist()), len(runs)]
    found: list[str] = []
    for begin, end in itertools.pairwise(cuts):
        pipeline, position, notes = checkpoint.load(str(tmp_path), settings())
        assert not notes
        assert position == (None if not begin else Position(1, begin))
        found += [digest(pipeline.take(run)) for run in runs[begin:end]]
        checkpoint.save(str(tmp_path), pipeline, Position(1, end))
    assert found == whole


def test_a_checkpoint_in_used_memory_is_the_same(tmp_path: Path, runs: list[Stretch]) -> None:
    pipeline, room = Pipeline(settings()), []
    for k, run in enumerate(runs[:30]):
        pipeline.take(run)
        if k % 6 == 0:
            fresh = checkpoint.Checkpoint(pipeline, Position(1, k + 1))
            again = checkpoint.Checkpoint(pipeline, Position(1, k + 1), room)
            for taken, name in ((fresh, "fresh"), (again, "again")):
                (tmp_path / name).mkdir(exist_ok=True)
                taken.write(str(tmp_path / name))
            one, other = (max((tmp_path / name).glob("*.apc")).read_bytes() for name in ("fresh", "again"))
            assert one == other
    assert room


def test_memory_that_nobody_holds_is_not_saved() -> None:
    memory, template = Memory(), Memory()
    held = memory.empty(4 * LEAST, np.uint8)
    held[:] = 7
    data = freeze({"memory": memory}, {})
    del held  # which gives it back
    assert freeze({"memory": memory}, {}) == data
    assert len(data) < 1000
    thawed = thaw(data, {"memory": template}, {})["memory"]
    assert thawed is template
    assert len(thawed.empty(2 * LEAST, np.uint8)) == 2 * LEAST


def test_who_looks_leaves_no_trace(runs: list[Stretch], whole: list[str]) -> None:
    pipeline = Pipeline(settings())
    last = ""
    for k, run in enumerate(runs):
        step = pipeline.step(run)
        if k % 3 == 0 and step is not None:
            step.picture.moved()  # as one who follows the changes alone
        if k == len(runs) - 1 and step is not None:
            last = digest(step.update())
    # changed rows are those of the last step alone, so the whole update is the same
    assert last == whole[-1]


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path, runs: list[Stretch]) -> None:
    pipeline = Pipeline(settings())
    for k, run in enumerate(runs[:40]):
        pipeline.take(run)
        if k % 8 == 0:
            checkpoint.save(str(tmp_path), pipeline, Position(1, k + 1))
    files = sorted(tmp_path.glob("checkpoint-*.apc"))
    assert len(files) == checkpoint.GENERATIONS
    data = bytearray(files[-1].read_bytes())
    data[len(data) // 2] ^= 1
    files[-1].write_bytes(data)
    files[-2].write_bytes(files[-2].read_bytes()[:-7])
    _, position, notes = checkpoint.load(str(tmp_path), settings())
    assert position == Position(1, 17)
    assert len(notes) == 2
    files[-3].write_bytes(b"")
    _, position, notes = checkpoint.load(str(tmp_path), settings())
    assert position is None
    assert len(notes) == 3


def test_a_checkpoint_of_other_settings_is_not_taken(tmp_path: Path, runs: list[Stretch]) -> None:
    pipeline = Pipeline(settings())
    pipeline.take(runs[0])
    checkpoint.save(str(tmp_path), pipeline, Position(1, 1))
    other = parse_settings(TEXT.replace("period_s = 4.0", "period_s = 5.0"))
    assert checkpoint.load(str(tmp_path), other)[1] is None


def test_a_state_names_no_foreign_class() -> None:
    data = freeze({"a": [1, 2.5, float("nan"), b"x", (1, "y"), {3}]}, {})
    back = thaw(data, None, {})
    assert repr(back) == repr({"a": [1, 2.5, float("nan"), b"x", (1, "y"), {3}]})
    from airpicture.service import frozen

    with pytest.raises(InputError, match="objects of this package"):
        frozen.Thawer({}, memoryview(b"")).value({"object": "subprocess:Popen", "state": {}})


def test_what_is_held_twice_is_one_again() -> None:
    """An object in a tuple, a set or an array, and elsewhere: whatever holds it first."""
    counts, numbers = {"a": 1}, np.arange(3)
    for holder in ((counts, numbers), (numbers, (counts,)), [counts, numbers], frozenset({1})):
        back = thaw(freeze([holder, counts, numbers, {4}, counts], {}), None, {})
        assert repr(back) == repr([holder, counts, numbers, {4}, counts])
        assert back[1] is back[4]


def test_a_named_tuple_that_is_held_twice_is_one_again() -> None:
    position = Position(3, 7)
    back = thaw(freeze({"a": position, "b": [position, [5]], "c": [5]}, {}), None, {})
    assert back == {"a": position, "b": [position, [5]], "c": [5]}
    assert back["a"] is back["b"][0]


def test_a_pool_leaves_its_workspaces_behind() -> None:
    pool, template = Pool(100), Pool(100)
    pool.outlook, pool.births = "worked out", np.zeros(3)
    pool.desks = [make_desk(4)]
    pool.note(0, 5 * S)
    back = thaw(freeze(pool, {}), template, {})
    assert back is template
    assert (back.latest_ns, back.outlook, back.births, back.desks) == (5 * S, None, None, [])
    for was, now in zip(pool.waiting.table, back.waiting.table, strict=True):
        np.testing.assert_array_equal(was, now)


def test_standing_alerts_come_back_and_take_little_room() -> None:
    standing = Standing(AlertSettings())
    causes = [
        Cause(f"conflict:{k}:{k + 1}", AlertKind.CONFLICT, Level.PREDICTED, f"A{k} and B{k} in 36 s", (k, k + 1),
              value=float("nan") if k % 2 else 750.0, t_ns_expected=10**18 + k, stands=k % 3 == 0)
        for k in range(1000)
    ]  # fmt: skip
    alerts = standing.update(causes, 10**18)
    data = freeze({"alerts": alerts, "standing": standing}, {})
    assert len(data) < 260_000  # octets
    back = thaw(data, {"alerts": (), "standing": Standing(AlertSettings())}, {})
    assert repr(back["alerts"]) == repr(alerts)
    later = [cause for cause in causes if cause.tracks[0] % 2]
    for now_ns in (10**18 + 5 * 10**9, 10**18 + 20 * 10**9):
        assert repr(back["standing"].update(later, now_ns)) == repr(standing.update(later, now_ns))


def test_a_segment_that_begins_afresh_forgets(runs: list[Stretch], whole: list[str]) -> None:
    pipeline = Pipeline(settings())
    for run in runs[:100]:
        pipeline.take(run)
    start = Stretch.of([Record(Kind.START, NOON, payload=b'{"fresh": true}')])
    found = [digest(pipeline.take(Stretch.joined([start, run]) if k == 0 else run)) for k, run in enumerate(runs)]
    assert found == whole


def test_sensors_are_watched() -> None:
    pipeline = Pipeline(settings())
    update = None
    for run in split(Stretch.of(records(seconds=12))):
        update = pipeline.take(run)
    assert update is not None
    ids = update.tracks.sensors.ids
    states = {ids[one.sensor]: one for one in update.sensors}
    assert states["north"].health == SensorHealth.OK
    assert states["adsb"].health == SensorHealth.UNKNOWN
    assert 0.0 <= states["north"].delay_s < 1.2
    assert states["north"].plots_per_s > 0.5
    for second in range(13, 30):
        update = pipeline.take(Stretch.of([Record(Kind.TICK, NOON + second * S)]))
    assert update is not None
    assert {ids[one.sensor]: one.health for one in update.sensors}["north"] == SensorHealth.SILENT


def test_what_stops_the_process_twice_is_set_aside(tmp_path: Path) -> None:
    place = Position(3, 777)
    for ends in range(4):
        attempts = Attempts(str(tmp_path))
        assert not attempts.twice(Position(3, 700))
        assert attempts.twice(place) == (ends >= 2)
        attempts.at(Position(3, 700))
        attempts.passed()
        attempts.at(place)  # and the process ends here
    attempts = Attempts(str(tmp_path))
    attempts.at(place)
    attempts.passed()
    assert not Attempts(str(tmp_path)).twice(place)
    poison = [Record(Kind.DATA, NOON, 0, 0, b"poison")]
    attempts.keep(str(tmp_path), poison, settings())
    from airpicture.formats import open_recording

    kept = open_recording(tmp_path / "set-aside" / f"{NOON}.apj")
    assert kept.report.refused == {"radar: datagram no whole block in it": 1}


def test_alerts_looked_for_in_parts_are_the_same_again(
    tmp_path: Path, runs: list[Stretch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are many tracks a look for alerts takes several ticks; a state saved between looks goes on alike."""
    monkeypatch.setattr("airpicture.alerts.watch.LARGE", 3)
    monkeypatch.setattr("airpicture.service.pipeline.LARGE", 3)
    monkeypatch.setattr("airpicture.alerts.conflict.SEARCHED_ASIDE", 4)
    pipeline = Pipeline(settings())
    whole, saved, settled = [], 0, 0
    for k, run in enumerate(runs):
        whole.append(digest(pipeline.take(run)))
        if k % 2:
            pipeline.watch_out()  # else the next step does
        settled += pipeline.settled
        if pipeline.settled and k > len(runs) // 2 and not saved:
            checkpoint.save(str(tmp_path), pipeline, Position(1, k + 1))
            saved = k + 1
    assert 0 < settled < 0.95 * len(runs)
    again, position, _ = checkpoint.load(str(tmp_path), settings())
    assert position == Position(1, saved)
    assert [digest(again.take(run)) for run in runs[saved:]] == whole[saved:]
