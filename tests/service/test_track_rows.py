"""Tracks as JSON by columns: the values that an object for each track gives; and the stream of changes made of them."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import numpy as np
import pytest
from service_reference import features_values, tracks_values

from airpicture.service import trackrows
from airpicture.service.api import Answers
from airpicture.service.events import Events
from airpicture.service.hub import Hub, Mode, Update
from airpicture.service.trackrows import plots_geojson, tracks_geojson, tracks_text
from airpicture.tables import Plots, Status, Tracks, pack_callsigns
from tracking_scenes import T0, radar, sensors_of

SENSORS = sensors_of(radar("north"), radar('so"u"th\\'), radar("Zürich"))


def tracks_of(n: int, seed: int = 1) -> Tracks:
    """Return tracks of which anything may be missing."""
    lots = np.random.default_rng(seed)

    def holes(values: Any) -> Any:
        return np.where(lots.random(n) < 0.3, np.nan, values)

    names = lots.choice(["", "DLH1", 'A"B', "C\\D", "SWR123XY", " X "], n)
    return Tracks.blank(
        n, SENSORS, track=1 + np.arange(n), t_ns=np.full(n, T0), status=lots.integers(0, 3, n),
        existence=lots.random(n), lat=holes(lots.uniform(-1.5, 1.5, n)), lon=holes(lots.uniform(-3.1, 3.1, n)),
        h_ell=holes(lots.normal(0, 5000, n)), h_baro=holes(lots.uniform(-100, 14e3, n)),
        v_east=holes(lots.normal(0, 200, n)), v_north=holes(lots.normal(0, 200, n)), v_up=holes(lots.normal(0, 9, n)),
        sigma_east=holes(lots.uniform(0, 1e3, n)), sigma_north=holes(lots.uniform(0, 1e3, n)),
        address=lots.integers(-1, 2**24, n), callsign=pack_callsigns(names.tolist()),
        mode_3a=lots.integers(-1, 4096, n),
        t_ns_plot=np.where(lots.random(n) < 0.2, -1, T0 - lots.integers(0, 9**9, n)), seen=lots.integers(-1, 3, (n, 8)),
    )  # fmt: skip


@pytest.mark.parametrize("n", [0, 1, 500])
def test_rows_by_columns_are_those_of_objects(n: int) -> None:
    tracks = tracks_of(n)
    assert json.loads(tracks_text(tracks)) == tracks_values(tracks)
    assert json.loads(tracks_geojson(tracks)) == features_values(tracks)


@pytest.mark.parametrize("n", [0, 1, 50])
def test_plots_are_points_where_they_can_be_placed(n: int) -> None:
    lots = np.random.default_rng(3)
    lat = np.where(lots.random(n) < 0.3, np.nan, lots.uniform(-1.5, 1.5, n))
    lon, sensor = lots.uniform(-3.1, 3.1, n), lots.integers(-1, 3, n)
    plots = Plots.blank(n, SENSORS, t_ns=T0 + np.arange(n), sensor=sensor)
    found = json.loads(plots_geojson(plots, lat, lon))
    expected = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(np.degrees(lon[k]), 6), round(np.degrees(lat[k]), 6)]},
            "properties": {"t_ns": T0 + k, "sensor": SENSORS.ids[sensor[k]] if sensor[k] >= 0 else None},
        }
        for k in np.flatnonzero(np.isfinite(lat)).tolist()
    ]
    assert found == {"type": "FeatureCollection", "features": expected}


def test_an_answer_is_made_once_and_holds_up_nobody() -> None:
    made = []

    def make(update: Update) -> bytes:
        made.append(update.now_ns)
        time.sleep(0.2)
        return str(update.now_ns).encode()

    async def run() -> None:
        answers, tracks, beats = Answers(), tracks_of(2), 0
        first, second = update_of(tracks, 1), update_of(tracks, 2)
        asked = [asyncio.create_task(answers.get(first, "a", make)) for _ in range(3)]
        asked.append(asyncio.create_task(answers.get(first, "b", make)))
        await asyncio.sleep(0)
        asked.pop(0).cancel()  # the one whose question it was goes away
        while not all(one.done() for one in asked):
            await asyncio.sleep(0.01)
            beats += 1
        assert [one.result() for one in asked] == [str(T0 + 1).encode()] * 3
        assert beats > 10
        assert await answers.get(second, "a", make) == str(T0 + 2).encode()

    asyncio.run(run())
    assert made == [T0 + 1, T0 + 1, T0 + 2]


def test_sets_of_many_sensors_are_told_apart() -> None:
    ids = [f"s{k}" for k in range(400)]
    seen = np.random.default_rng(2).integers(-1, 400, (300, 8)).astype(np.int32)
    texts = trackrows._sensors(np.concatenate([seen, seen[::-1]]), ids)
    for row, text in zip([*seen.tolist(), *seen[::-1].tolist()], texts.tolist(), strict=True):
        assert json.loads(b"[" + text + b"]") == [ids[k] for k in row if k >= 0]


def update_of(tracks: Tracks, k: int) -> Update:
    none = np.zeros(0)
    return Update(T0 + k, T0, Mode.LIVE, tracks, np.zeros(0, np.int64), Plots.empty(SENSORS), none, none)


def told(data: bytes) -> dict[str, Any]:
    name, body, *_ = data.decode().split("\n")
    assert name == "event: tracks"
    found: dict[str, Any] = json.loads(body.removeprefix("data: "))
    return found


def test_the_stream_tells_what_changed_and_what_ended() -> None:
    events, tracks = Events(Hub()), tracks_of(6)
    assert len(told(events._changes(update_of(tracks, 1)))["tracks"]) == 6
    assert told(events._changes(update_of(tracks, 2))) == {"now_ns": T0 + 2, "tracks": [], "ended": []}
    tracks.t_ns_plot[3] += 1
    tracks.status[4] = Status.ENDED
    body = told(events._changes(update_of(tracks.take(np.array([5, 4, 3, 2, 1])), 3)))
    assert [one["track"] for one in body["tracks"]] == [4]
    assert body["ended"] == [1, 5]
    whole = told(events._whole())
    assert whole["whole"] is True
    assert sorted(one["track"] for one in whole["tracks"]) == [2, 3, 4, 6]
