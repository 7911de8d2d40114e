"""Frames cut to a display: it has all that it looks at, and no more is sent than it could see."""

from __future__ import annotations

import numpy as np
import pytest

from airpicture.service.cut import BEHIND, CURRENT, WORLD, View, held_s
from airpicture.service.frames import CUT_FROM, Frames
from airpicture.tables import Status, Tracks
from airpicture.units import DEG
from frame_reading import Display, read_frame
from map_scenes import LAT, LON, Scene


def test_large_pictures_are_cut_to_the_view() -> None:
    scene = Scene(CUT_FROM + 1000)
    frames = Frames()
    frames.take(scene.update(0.0, alerts=False), 0)
    view = View((LON - 1) * DEG, (LAT - 1) * DEG, (LON + 1) * DEG, (LAT + 1) * DEG)
    rows = read_frame(frames.whole_cut(view)[0])["tracks"]
    inside = [r for r in rows if abs(r["lat"] * 1e-7 - LAT) < 1 and abs(r["lon"] * 1e-7 - LON) < 1]
    tracks = scene.tracks(0.0)
    expected = (np.abs(tracks.lat / DEG - LAT) < 1) & (np.abs(tracks.lon / DEG - LON) < 1)
    assert len(inside) == expected.sum() > 100
    assert len(rows) < 4 * len(inside)  # and not much beside


def test_a_view_across_the_antimeridian() -> None:
    scene = Scene(CUT_FROM + 1)
    update = scene.update(0.0, alerts=False)
    update.tracks.lon[:] = np.linspace(-180, 179.99, len(update.tracks)) * DEG
    update.tracks.lat[:] = 0.0
    frames = Frames()
    frames.take(update, 0)
    rows = read_frame(frames.whole_cut(View(175 * DEG, -5 * DEG, -175 * DEG, 5 * DEG))[0])["tracks"]
    lon = np.array([row["lon"] * 1e-7 for row in rows])
    assert lon.size > 0
    assert (np.abs(lon) > 172).all()
    assert (lon > 0).any()
    assert (lon < 0).any()


def near(degrees: float) -> View:
    return View((LON - degrees) * DEG, (LAT - degrees) * DEG, (LON + degrees) * DEG, (LAT + degrees) * DEG)


def inside(tracks: Tracks, degrees: float) -> set[int]:
    """Return the numbers of the tracks in such a view, without its margin."""
    good = (np.abs(tracks.lat / DEG - LAT) < degrees) & (np.abs(tracks.lon / DEG - LON) < degrees)
    return set(tracks.track[good].tolist())


@pytest.mark.parametrize("seed", range(4))
def test_a_display_that_wanders_has_all_that_it_looks_at(seed: int) -> None:
    """However the view changes, it has each track there, named, no older than such a view can hold it back."""
    scene, rng = Scene(300), np.random.default_rng(seed)
    frames, display, behind_s = Frames(), Display(partly=True), dict[int, float]()
    have, degrees = np.zeros(0, np.uint8), 1.0
    for t in range(60):
        alive = (np.arange(scene.n) + 7 * (t // 5)) % 11 != 0
        count = int(alive.sum())
        update = scene.update(float(t), alive=alive, alerts=False, changed=np.flatnonzero(rng.random(count) < 0.4))
        frames.take(update, 0)
        if t % 4 == 3:
            degrees = float(rng.choice([0.3, 1.0, 3.0, 60.0]))
        view = near(degrees)
        raw, have = frames.whole_cut(view) if t == 0 else frames.change_cut(have, view, trails=t % 4 == 3)
        display.take(raw)
        wanted = inside(update.tracks, degrees)
        assert wanted <= set(display.rows)
        assert wanted <= set(display.names)
        assert set(display.rows) <= set(update.tracks.track.tolist())
        numbers = update.tracks.track[np.argsort(update.tracks.track)]
        behind = set(numbers[have == BEHIND].tolist())
        current = set(numbers[have == CURRENT].tolist())
        if held_s(view) < 1:
            assert wanted <= current
        behind_s = {number: behind_s.get(number, float(t)) for number in wanted & behind}
        assert all(t - since <= held_s(view) + 1 for since in behind_s.values())


def test_looking_elsewhere_brings_what_is_there_and_nothing_again() -> None:
    scene = Scene(CUT_FROM + 1000)
    frames = Frames()
    frames.take(scene.update(0.0, alerts=False), 0)
    first, have = frames.whole_cut(near(0.5))
    frames.take(scene.update(1.0, alerts=False, changed=np.arange(0)), 0)
    second, have = frames.change_cut(have, near(1.0), trails=True)
    frames.take(scene.update(2.0, alerts=False, changed=np.arange(0)), 0)
    third, have = frames.change_cut(have, near(0.5), trails=True)
    one, two = ({row["track"] for row in read_frame(raw)["tracks"]} for raw in (first, second))
    assert one.isdisjoint(two)
    assert inside(scene.tracks(1.0), 1.0) <= one | two
    assert {row["track"] for row in read_frame(second)["names"]} == two
    assert "tracks" not in read_frame(third)
    assert len(third) < 2000  # plots and what is said in words


def test_who_looks_at_the_world_is_told_in_turns() -> None:
    """Ten seconds of changes of all tracks cost what they are, not ten times that; a new status is told at once."""
    scene = Scene(CUT_FROM + 1000)
    frames = Frames()
    frames.take(scene.update(0.0, alerts=False), 0)
    whole, have = frames.whole_cut(WORLD)
    sent = []
    for t in range(1, 11):
        update = scene.update(float(t), alerts=False)
        if t == 5:
            update.tracks.status[100] = Status.COASTING
        frames.take(update, 0)
        raw, have = frames.change_cut(have, WORLD, chosen=7)
        told = {row["track"] for row in read_frame(raw)["tracks"]}
        assert 7 in told
        assert t != 5 or 101 in told
        sent.append(len(raw))
    assert sum(sent) < 1.1 * 34 / 51 * len(whole) + 20_000
    assert max(sent) < len(whole) / 6
    assert held_s(near(1.0)) < 0.2 < 9 < held_s(WORLD)
