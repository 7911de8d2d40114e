"""The journal as it's written and followed: rotation, retention, disks that fail, a reader that lags."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from airpicture.formats.decoding import Source, start_payload
from airpicture.formats.journal import Kind, Record, pack, segments
from airpicture.formats.sensors import sensors_from_rows
from airpicture.service.clock import Clock, ReplayClock, obey
from airpicture.service.journal import JournalWriter, all_segments, last_time
from airpicture.service.settings import JournalSettings
from airpicture.service.tail import Position, Tail

NOW = 1_764_331_200 * 10**9
S = 10**9
START = start_payload(sensors_from_rows([{"id": "a", "kind": "adsb"}]), [Source("x", "plots")])


def writer(folder: Path, spare: str = "", **settings: float) -> JournalWriter:
    return JournalWriter(str(folder), spare, JournalSettings(**settings), START, NOW)  # type: ignore[arg-type]


def data(k: int, size: int = 1000) -> Record:
    return Record(Kind.DATA, NOW + k, 0, 0, k.to_bytes(4, "big") * (size // 4))


def taken(tail: Tail) -> list[int]:
    """Return the numbers of all records that can be read now."""
    return [record.t_ns - NOW for record, _ in placed(tail) if record.kind == Kind.DATA]


def placed(tail: Tail) -> list[tuple[Record, Position]]:
    """Return all records that can be read now, each with the place after it."""
    found = []
    while part := tail.read():
        found += [(part.records.record(row), part.after(row)) for row in range(len(part.records))]
    return found


def test_a_reader_follows_through_rotation(tmp_path: Path) -> None:
    journal = writer(tmp_path, rotate_mb=0.01, keep_mb=1000)
    tail = Tail([str(tmp_path)])
    found = []
    for k in range(100):
        journal.add(data(k))
        journal.flush(NOW + k)
        if k % 7 == 0:
            found += taken(tail)
    found += taken(tail)
    assert found == list(range(100))
    assert len(segments(tmp_path)) >= 10
    assert not tail.counts
    journal.close()


def test_the_log_tells_when_the_folder_fails_and_when_it_works_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, real = tmp_path / "journal", os.open

    def full(path: Path, *how: int) -> int:
        if Path(path).parent == folder:
            raise OSError(28, "No space left on device")
        return real(path, *how)

    monkeypatch.setattr(os, "open", full)
    journal = writer(folder, str(tmp_path / "spare"))
    for k in range(3):
        journal.add(data(k))
        journal.flush(NOW + k)
    assert capsys.readouterr().err == (
        f"airpicture ingest: the journal can't be written to {folder}: it goes on in memory, as far as it can\n"
    )
    monkeypatch.undo()
    journal.rotate(NOW + 3)
    journal.flush(NOW + 4)
    assert capsys.readouterr().err == f"airpicture ingest: the journal is written to {folder} again\n"
    journal.close()


def test_only_the_first_segment_of_a_run_may_begin_afresh(tmp_path: Path) -> None:
    """What reads on from one segment to the next keeps its tracks."""
    writer = JournalWriter(str(tmp_path), "", JournalSettings(rotate_s=1.0), b'{"fresh": true}', NOW, further=b"{}")
    for k in range(4):
        writer.add(Record(Kind.TICK, NOW + k * S))
        writer.flush(NOW + k * S)
    writer.close()
    tail = Tail([str(tmp_path)])
    starts = [record.payload for record, _ in placed(tail) if record.kind == Kind.START]
    tail.close()
    assert starts == [b'{"fresh": true}', b"{}", b"{}", b"{}"]


def test_a_reader_goes_on_where_it_was(tmp_path: Path) -> None:
    journal = writer(tmp_path, rotate_mb=0.01, keep_mb=1000)
    for k in range(50):
        journal.add(data(k))
        journal.flush(NOW + k)
    tail = Tail([str(tmp_path)])
    places = {record.t_ns - NOW: place for record, place in placed(tail) if record.kind == Kind.DATA}
    for k in (0, 9, 10, 31, 49):
        assert taken(Tail([str(tmp_path)], places[k])) == list(range(k + 1, 50))


def test_a_segment_that_is_gone_is_counted(tmp_path: Path) -> None:
    journal = writer(tmp_path, rotate_mb=0.01, keep_mb=1000)
    for k in range(50):
        journal.add(data(k))
        journal.flush(NOW + k)
    found = segments(tmp_path)
    tail = Tail([str(tmp_path)], Position(found[0].number, 0))
    tail.read()
    found[1].path.unlink()
    later = taken(tail)
    assert tail.counts["missing segment"] == 1
    assert later[-1] == 49


def test_old_segments_go_by_size_and_by_age(tmp_path: Path) -> None:
    journal = writer(tmp_path / "size", rotate_mb=0.01, keep_mb=0.05)
    for k in range(200):
        journal.add(data(k))
        journal.flush(NOW + k)
    assert sum(one.path.stat().st_size for one in segments(tmp_path / "size")) < 0.08 * 2**20
    assert journal.counts["pruned segments"] > 5
    journal = writer(tmp_path / "age", rotate_s=60, keep_h=0.1, keep_mb=1000)
    for minute in range(60):
        journal.flush(NOW + minute * 60 * S)
    kept = segments(tmp_path / "age")
    assert 5 <= len(kept) <= 9


def test_a_new_run_begins_a_new_segment(tmp_path: Path) -> None:
    first = writer(tmp_path)
    first.add(data(1))
    first.flush(NOW)
    torn = segments(tmp_path)[0].path
    with torn.open("ab") as file:
        file.write(pack(data(2))[:-5])
    assert last_time([str(tmp_path)]) == NOW + 1
    second = writer(tmp_path)
    second.add(data(3))
    second.flush(NOW)
    tail = Tail([str(tmp_path)])
    assert taken(tail) == [1, 3]
    assert tail.counts == {"damaged record": 1, "damaged octet": len(pack(data(2))) - 5}


class FullDisk:
    """os.write as a disk has it that has room for so many octets in one folder."""

    def __init__(self, folder: Path, room: int) -> None:
        self.folder, self.room, self.real = str(folder), room, os.write

    def write(self, fd: int, octets: bytes) -> int:
        if not os.readlink(f"/proc/self/fd/{fd}").startswith(self.folder):
            return self.real(fd, octets)
        if self.room <= 0:
            raise OSError(28, "No space left on device")
        done = self.real(fd, bytes(octets[: self.room]))
        self.room -= done
        return done


@pytest.mark.parametrize("room", [100, 700, 5_000, 5_001, 7_777, 20_000])
def test_a_full_disk_loses_nothing_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    disk, spare = tmp_path / "disk", tmp_path / "spare"
    full = FullDisk(disk, room)
    monkeypatch.setattr(os, "write", full.write)
    journal = writer(disk, str(spare), rotate_mb=0.01, keep_mb=1000)
    tail = Tail([str(disk), str(spare)])
    found = []
    for k in range(40):
        journal.add(data(k))
        journal.flush(NOW + k)
        found += taken(tail)
    assert found == list(range(40))
    assert journal.failing
    assert journal.counts["records lost"] == 0
    assert journal.counts["failures"] > 0
    full.room = 10**9  # somebody makes room: the next segment is there again
    for k in range(40, 80):
        journal.add(data(k))
        journal.flush(NOW + k)
        found += taken(tail)
    assert found == list(range(80))
    assert not journal.failing
    assert all_segments([str(disk), str(spare)])[-1].path.parent == disk


def test_a_disk_without_a_spare_counts_what_it_loses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", FullDisk(tmp_path, 5_000).write)
    journal = writer(tmp_path, "", rotate_mb=1, keep_mb=1000)
    for k in range(40):
        journal.add(data(k))
        journal.flush(NOW + k)
    assert journal.failing
    kept = taken(Tail([str(tmp_path)]))
    assert kept == list(range(len(kept)))
    assert journal.counts["records lost"] == 40 - len(kept) > 0


def test_a_disk_that_does_not_keep_is_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, spare = tmp_path / "disk", tmp_path / "spare"
    journal = writer(disk, str(spare))
    journal.add(data(1))
    journal.flush(NOW)

    def failing(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", failing)
    assert not journal.sync(journal.held())
    journal.unsynced()
    journal.add(data(2))
    journal.flush(NOW)
    assert journal.failing
    assert taken(Tail([str(disk), str(spare)])) == [1, 2]
    assert len(segments(spare)) == 1


class Times:
    """Clocks to set."""

    def __init__(self) -> None:
        self.wall, self.mono = NOW, 5 * S

    def pass_by(self, seconds: float) -> None:
        self.wall += round(seconds * S)
        self.mono += round(seconds * S)

    def clock(self, not_before_ns: int = 0) -> Clock:
        return Clock(not_before_ns, wall=lambda: self.wall, monotonic=lambda: self.mono)


@pytest.mark.parametrize("step_s", [-5, 3600, -3600, 0.6])
def test_setting_the_machines_clock_moves_nothing_at_once(step_s: float) -> None:
    times = Times()
    clock = times.clock()
    before = clock.now_ns()
    times.wall += round(step_s * S)
    times.pass_by(0.1)
    after = clock.now_ns()
    assert 0.09 * S < after - before < 0.11 * S
    assert clock.steps == 1
    last = after
    for _ in range(200):
        times.pass_by(0.5)
        now = clock.now_ns()
        assert 0.47 * S < now - last < 0.53 * S
        last = now
    assert clock.steps == 1
    if abs(step_s) <= 5:
        assert abs(last - times.wall) < 1000  # made good meanwhile


def test_time_goes_on_after_the_run_before(tmp_path: Path) -> None:
    times = Times()
    clock = times.clock(NOW + 100)
    assert clock.now_ns() > NOW + 100
    assert clock.now_ns() > NOW + 101


def test_the_time_of_a_replay() -> None:
    mono = [7]
    clock = ReplayClock(NOW, 10.0, monotonic=lambda: mono[0])
    assert clock.now_ns() == NOW
    mono[0] += S
    assert clock.now_ns() == NOW + 10 * S
    assert clock.now_ns() == NOW + 10 * S + 1


def test_a_replay_stands_goes_on_and_goes_faster_from_where_it_is() -> None:
    mono = [7]
    clock = ReplayClock(NOW, 1.0, monotonic=lambda: mono[0])
    mono[0] += 3 * S
    obey(clock, "pause")
    mono[0] += 100 * S
    assert clock.rate == 0.0
    assert clock.now_ns() == NOW + 3 * S
    obey(clock, f"step {2 * S}")
    assert clock.now_ns() == NOW + 5 * S
    obey(clock, "speed 10.0")  # is had when it goes on
    assert clock.rate == 0.0
    mono[0] += S
    obey(clock, "play")
    assert clock.rate == 10.0
    mono[0] += S
    assert clock.now_ns() == NOW + 15 * S
    obey(clock, "speed 0.5")
    mono[0] += 2 * S
    assert clock.now_ns() == NOW + 16 * S
    for word in ("", "fly", "step", "step x", "speed fast"):
        with pytest.raises(ValueError, match=r"\w|could not"):
            obey(clock, word)
    assert clock.now_ns() == NOW + 16 * S + 1


def test_a_stepped_replay_goes_on_as_time_passes_when_it_is_told_to() -> None:
    mono = [7]
    clock = ReplayClock(NOW, 0.0, monotonic=lambda: mono[0])
    mono[0] += S
    assert clock.now_ns() == NOW
    obey(clock, "play")
    mono[0] += S
    assert clock.now_ns() == NOW + S
