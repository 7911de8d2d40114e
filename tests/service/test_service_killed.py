"""Processes of a service that die, as a fault would have them: what it costs, and that the journal has it all."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from twin_radar import Live, live

import airpicture as ap
from airpicture.formats.journal import Kind, read_records, segments
from airpicture.formats.stretch import Stretch
from airpicture.service.config import load_settings
from airpicture.service.pipeline import Pipeline, split
from airpicture.service.trackrows import tracks_text
from service_kit import PATIENCE_S, Service, eventually

S = 10**9
REPORTS = 'airpicture_decoded_total{input="radar a+radar b",what="decoded record CAT048"}'


@pytest.fixture(scope="module")
def one_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("service")) as started:
        yield started


@pytest.fixture
def running_one(one_for_all: Live) -> Live:
    """Return the service, which tracks all targets, whatever came before."""
    one_for_all.follow()
    return one_for_all


def test_kill_of_the_tracking_process_loses_nothing(running_one: Live) -> None:
    service, radar = running_one.service, running_one.radar
    before = running_one.numbers()
    count, sent = _all_decoded(running_one), radar.sent
    for _ in range(2):
        service.kill("core")
        radar.turn()
        service.wait_for("core ended by signal SIGKILL")
        radar.turn()
        service.wait_for("ready after")
    radar.turn()
    reports = (radar.sent - sent) * 5 // 6
    eventually(lambda: service.metrics().get(REPORTS, 0) == count + reports)
    assert before == running_one.numbers()
    assert service.metrics().get('airpicture_core_total{what="records set aside"}', 0) == 0


def _post(one: Live) -> None:
    """Have the own sensor post a plot."""
    line = b'{"sensor": "own", "range_m": 9000, "azimuth_deg": 45}\n'
    where = urllib.request.Request(f"http://127.0.0.1:{one.service.ports['own']}/", line, method="POST")
    with urllib.request.urlopen(where, timeout=PATIENCE_S):
        pass


def _all_decoded(one: Live) -> float:
    """Return how many of the radar's reports were decoded, once that's true of all that it sent.

    What's posted comes into the journal after them, the second time at the latest; and counts are told together.
    """
    own = 'airpicture_decoded_total{input="own",what="decoded row"}'
    for _ in range(2):
        before = one.service.metrics().get(own, 0.0)
        _post(one)
        eventually(lambda before=before: one.service.metrics().get(own, 0.0) == before + 1)
    return one.service.metrics()[REPORTS]


def test_kill_of_the_showing_process_costs_those_who_look_a_moment(running_one: Live) -> None:
    service, radar = running_one.service, running_one.radar
    before, core = running_one.numbers(), service.child("core")
    count, sent = _all_decoded(running_one), radar.sent
    service.kill("front")
    radar.turn()
    service.wait_for("front ended by signal SIGKILL")
    eventually(lambda: service.metrics().get(REPORTS, 0) == count + (radar.sent - sent) * 5 // 6)
    assert before == running_one.numbers()
    assert service.child("core") == core
    assert service.json("/health")["ok"]
    with socket.create_connection(("127.0.0.1", service.ports["basestation"]), timeout=PATIENCE_S) as client:
        assert client.makefile("rb").readline().startswith(b"MSG")  # on the same port as before


def test_kill_of_the_receiving_process_costs_only_what_comes_meanwhile(running_one: Live) -> None:
    service = running_one.service
    before = running_one.numbers()
    pid = service.child("ingest")
    service.kill("ingest")
    service.wait_for("ingest ended by signal SIGKILL")
    eventually(lambda: _child_other_than(service, pid))
    running_one.follow()
    assert before == running_one.numbers()


def _child_other_than(service: Service, pid: int) -> bool:
    try:
        return service.child("ingest") != pid
    except LookupError:
        return False


def last_picture(one: Live) -> list[dict[str, Any]]:
    """Have an own sensor post a plot, and return the tracks that are shown some time after it."""
    _post(one)
    one.radar.turn()
    time.sleep(1.5)
    shown: list[dict[str, Any]] = one.service.json("/tracks.json")
    return shown


def test_the_journal_gives_the_picture_again(tmp_path: Path) -> None:
    """A service whose processes were killed ends, and its journal is replayed."""
    with live(tmp_path) as one:
        one.follow()
        for name in ("core", "ingest"):
            one.service.kill(name)
            one.service.wait_for(f"{name} ended by signal SIGKILL")
            one.follow()
        picture = last_picture(one)
        assert one.service.stop() == 0, "".join(one.service.lines)
    folder = tmp_path
    assert len(segments(folder / "journal")) >= 2  # one for each run of the receiving process
    damage: Counter[str] = Counter()
    records = [record for _, record in read_records(folder / "journal", damage)]
    pipeline = Pipeline(load_settings(folder / "serve.toml"))
    replayed = {}
    for run in split(Stretch.of(records)):
        update = pipeline.take(run)
        if update is not None:
            replayed[update.now_ns] = update.tracks
    now_ns = picture[0]["t_ns"]
    assert json.loads(tracks_text(replayed[now_ns])) == picture
    assert set(damage) <= {"damaged record", "damaged octet"}  # what the killed process was writing
    recording = ap.formats.open_recording(folder / "journal")
    assert {recording.sensors.ids[k] for k in np.unique(recording.plots.sensor)} == {"north", "own"}
    data = [record for record in records if record.kind == Kind.DATA]
    assert len(data) > 50
    files = sorted((folder / "history").glob("tracks-*.parquet"))
    assert files
    rows = ap.read_tracks(files[-1])
    assert rows.track.size > 5
