"""Emitter categories and the word of being on the ground: out of every format that tells them, through the tracker."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import airpicture as ap
from airpicture.formats import emitters
from airpicture.formats.aircraftjson import aircraft_json, on_ground
from airpicture.formats.asterix.encode import encode_cat062
from airpicture.formats.asterix.reader import read_asterix
from airpicture.formats.columns import plots_from_arrow, tracks_from_arrow
from airpicture.formats.cot import cot_events
from airpicture.formats.geojson import points_to_lines
from airpicture.formats.modes import ModesDecoder
from airpicture.formats.sensors import sensors_from_rows
from airpicture.tables import Plots, Status, Tracks

SECOND = 1_000_000_000
T0 = 1_700_000_000 * SECOND
SENSORS = sensors_from_rows([{"id": "adsb", "kind": "adsb", "sigma_pos_m": 10.0}])


def test_texts_are_read_and_written() -> None:
    assert emitters.from_texts(["A3", "b1", "D7", "A0", "A8", "E1", "", None, 3]).tolist() == [
        *(0xA3, 0xB1, 0xD7, 0, 0, 0, 0, 0, 0)
    ]
    assert emitters.to_texts(np.array([0xA3, 0, 0xC2], np.uint8)).tolist() == [b"A3", b"", b"C2"]
    column = emitters.to_column(np.array([0xA3, 0, 0xA3], np.uint8))
    assert column.to_pylist() == ["A3", None, "A3"]


# Anchors: EUROCONTROL CAT021 I021/020; GDL 90 ICD table 11; OpenSky's REST documentation; FTD-012 of FLARM.
@pytest.mark.parametrize(
    ("read", "number", "category"),
    [
        (emitters.from_asterix, 3, 0xA3),
        (emitters.from_asterix, 10, 0xA7),  # rotorcraft
        (emitters.from_asterix, 13, 0xB6),  # unmanned
        (emitters.from_asterix, 21, 0xC2),  # surface service vehicle
        (emitters.from_asterix, 255, 0),
        (emitters.from_row, 1, 0xA1),
        (emitters.from_row, 7, 0xA7),
        (emitters.from_row, 9, 0xB1),  # glider
        (emitters.from_row, 14, 0xB6),
        (emitters.from_row, 18, 0xC2),
        (emitters.from_row, 8, 0),
        (emitters.from_row, 39, 0),
        (emitters.from_opensky, 8, 0xA7),
        (emitters.from_opensky, 9, 0xB1),
        (emitters.from_opensky, 14, 0xB6),
        (emitters.from_opensky, 17, 0xC2),
        (emitters.from_opensky, 1, 0),
        (emitters.from_flarm, 1, 0xB1),
        (emitters.from_flarm, 3, 0xA7),
        (emitters.from_flarm, 9, 0),
        (emitters.from_flarm, -1, 0),
    ],
)
def test_numberings_of_formats(read: Any, number: int, category: int) -> None:
    assert read(np.array([number])).tolist() == [category]


def test_asterix_numbers_go_there_and_back() -> None:
    numbers = np.arange(-1, 256)
    back = emitters.to_asterix(emitters.from_asterix(numbers))
    known = back >= 0
    np.testing.assert_array_equal(back[known], numbers[known])
    assert known.sum() == 18


def taxiing(words: list[int], category: list[int]) -> Plots:
    """One aircraft, a plot a second at 8 m/s."""
    n = len(words)
    north = np.arange(n) * 8.0 / 6_371_000.0
    return Plots.blank(
        n, SENSORS, t_ns=T0 + np.arange(n) * SECOND, lat=np.radians(48.0) + north, lon=np.full(n, 0.2),
        h_baro=np.full(n, 100.0), address=np.full(n, 0x4CA2D6), on_ground=words, category=category,
    )  # fmt: skip


def last_of(plots: Plots) -> Tracks:
    tracks = ap.track(plots)
    tracks = tracks.take(tracks.status == Status.CONFIRMED)
    return tracks.take(slice(len(tracks) - 1, len(tracks)))


def test_the_newest_word_holds_and_silence_takes_nothing_back() -> None:
    assert last_of(taxiing([-1] * 20, [0] * 20)).on_ground.tolist() == [-1]
    assert last_of(taxiing([1] * 10 + [-1] * 10, [0xA3] * 5 + [0] * 15)).on_ground.tolist() == [1]
    last = last_of(taxiing([1] * 10 + [0] * 10, [0xA1] * 5 + [0xA3] * 15))
    assert last.on_ground.tolist() == [0]
    assert last.category.tolist() == [0xA3]


def test_messages_tell_too_and_other_addresses_do_not() -> None:
    plots = taxiing([1] * 20, [0] * 20)
    n = len(plots)
    messages = Plots.blank(
        n, SENSORS, t_ns=plots.t_ns + SECOND // 2, address=np.full(n, 0x4CA2D6), h_baro=np.full(n, 100.0),
        on_ground=np.full(n, 0), category=np.full(n, 0xA5),
    )  # fmt: skip
    last = last_of(Plots.concat([plots, messages]).in_time_order())
    assert (last.on_ground.tolist(), last.category.tolist()) == ([0], [0xA5])


def test_what_was_told_changes_nothing_else() -> None:
    told, silent = (
        ap.track(taxiing(words, category)) for words, category in (([1] * 20, [0xA3] * 20), ([-1] * 20, [0] * 20))
    )
    for name in Tracks.column_names():
        if name not in ("on_ground", "category"):
            np.testing.assert_array_equal(getattr(told, name), getattr(silent, name), err_msg=name)


def some_tracks() -> Tracks:
    n = 5
    return Tracks.blank(
        n, SENSORS, t_ns=np.full(n, T0), track=np.arange(1, n + 1), status=np.full(n, Status.CONFIRMED),
        existence=np.ones(n), lat=np.full(n, 0.8), lon=np.full(n, 0.2), h_ell=np.full(n, 100.0),
        h_baro=np.full(n, 90.0), v_east=np.array([5.0, 5.0, 200.0, 0.0, 5.0]), v_north=np.zeros(n),
        sigma_east=np.full(n, 5.0), sigma_north=np.full(n, 5.0), rho_east_north=np.zeros(n),
        address=np.arange(1, n + 1), on_ground=[1, 0, 1, -1, 1], category=[0xA3, 0xA7, 0xA5, 0xB1, 0xC2],
    )  # fmt: skip


def test_outputs_say_what_was_told() -> None:
    tracks = some_tracks()
    assert on_ground(tracks).tolist() == [True, False, False, False, True]  # nothing rolls at 200 m/s
    aircraft = json.loads(aircraft_json(tracks, T0))["aircraft"]
    assert [one["alt_baro"] for one in aircraft] == ["ground", 295, 295, 295, "ground"]
    assert [one["category"] for one in aircraft] == ["A3", "A7", "A5", "B1", "C2"]
    kinds = [event.split(b' type="')[1].split(b'"')[0].decode() for event in cot_events(tracks, T0)]
    assert kinds == ["a-n-G", "a-n-A-C-H", "a-n-A-C-F", "a-n-A-C-F", "a-n-G-E-V-C"]
    points = [json.loads(line)["properties"] for line in points_to_lines(tracks).splitlines()]
    assert [one.get("on_ground") for one in points] == [True, False, True, None, True]
    assert points[0]["category"] == "A3"
    again = tracks_from_arrow(tracks.to_arrow(), sensors=SENSORS)
    assert again.on_ground.tolist() == tracks.on_ground.tolist()
    assert again.category.tolist() == tracks.category.tolist()


def test_files_of_plots_keep_both_and_older_ones_are_read() -> None:
    plots = taxiing([1, 0, -1], [0xA3, 0, 0xB4])
    table = plots.to_arrow()
    assert table["on_ground"].to_pylist() == [True, False, None]
    assert table["category"].to_pylist() == ["A3", None, "B4"]
    again = plots_from_arrow(table, sensors=SENSORS)
    assert again.on_ground.tolist() == [1, 0, -1]
    assert again.category.tolist() == [0xA3, 0, 0xB4]
    older = plots_from_arrow(table.drop_columns(["on_ground", "category"]), sensors=SENSORS)
    assert older.on_ground.tolist() == [-1, -1, -1]


def test_users_arrays_bring_both() -> None:
    plots = Plots.from_columns(
        sensors=SENSORS, t_ns=np.array([1, 2, 3]), sensor="adsb", lat_deg=1.0, lon_deg=1.0,
        on_ground=[True, None, False], category=["A3", None, "C1"],
    )  # fmt: skip
    assert plots.on_ground.tolist() == [1, -1, 0]
    assert plots.category.tolist() == [0xA3, 0, 0xC1]
    for wrong in ({"category": "Z9"}, {"on_ground": 3}, {"on_ground": ["maybe"]}):
        with pytest.raises(ap.InputError):
            Plots.from_columns(sensors=SENSORS, t_ns=np.array([1]), sensor="adsb", lat_deg=1.0, lon_deg=1.0, **wrong)


def squitter(address: int, me: int) -> str:
    """A DF 17 of an airborne transponder (CA 5) with its parity. Source: ICAO Annex 10 IV, 3.1.2.3.3."""
    head = (17 << 3 | 5) << 80 | address << 56 | me
    rest = head << 24
    for bit in range(111, 23, -1):
        if rest >> bit & 1:
            rest ^= 0x1FFF409 << (bit - 24)
    return f"{head << 24 | rest:028x}"


def test_mode_s_remembers_the_category_for_positions() -> None:
    identity = squitter(0x40621D, 4 << 51 | 3 << 48 | 0x10C2CF2CB820)
    known = squitter(0x40621D, 0x58C382D690C8AC)
    assert known == "8d40621d58c382d690c8ac2863a7"  # the textbook's
    odd = "8d40621d58c386435cc412692ad6"
    data = "".join(f"*{frame};\n" for frame in (known, odd, identity, known, odd)).encode()
    decoder = ModesDecoder(form="avr")
    plots = Plots.concat([decoder.feed(line + b"\n", T0 + k * SECOND) for k, line in enumerate(data.split())])
    placed = plots.take(np.isfinite(plots.lat))
    assert placed.category.tolist()[-1] == 0xA3
    assert placed.category.tolist()[0] == 0
    assert set(placed.on_ground.tolist()) == {0}


def test_cat062_carries_both() -> None:
    tracks = some_tracks()
    again = read_asterix(encode_cat062(tracks)).tracks
    assert again is not None
    order = np.argsort(again.track)
    assert again.category[order].tolist() == tracks.category.tolist()
    assert again.on_ground[order].tolist() == [1, -1, 1, -1, 1]  # there's no word for "in the air"
