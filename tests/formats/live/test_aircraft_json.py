"""aircraft.json: what each field says, and that readers of the format read it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airpicture.formats.aircraftjson import aircraft_json, receiver_json, write_folder
from airpicture.formats.readsb import read_readsb
from airpicture.tables import Status, Technology, Tracks, pack_callsigns, unpack_callsigns
from airpicture.units import DEG, FT, KT, SECOND_NS
from output_scenes import NOW, one, picture


def report(**columns: Any) -> dict[str, Any]:
    """Return the only aircraft of a document."""
    (aircraft,) = json.loads(aircraft_json(one(**columns), NOW))["aircraft"]
    found: dict[str, Any] = aircraft
    return found


def told_by(*which: Technology, ago_s: float = 1.0) -> np.ndarray[Any, Any]:
    """Return the times of technologies that told of a track."""
    times = np.full((1, len(Technology)), -1)
    times[0, list(which)] = NOW - round(ago_s * SECOND_NS)
    return times


def test_an_airliner_in_the_words_of_the_format() -> None:
    """Every value by hand from the README-json of readsb and the tables of DO-260B."""
    document = json.loads(aircraft_json(one(), NOW, messages=12_345))
    assert document["now"] == 1_700_000_000.25
    assert document["messages"] == 12_345
    assert document["aircraft"] == [
        {
            "hex": "4ca2d6", "type": "adsb_icao", "flight": "RYR4A   ", "alt_baro": 10_850, "alt_geom": 11_000,
            "gs": 388.8, "track": 90, "track_rate": 0, "baro_rate": 1000, "squawk": "7421", "emergency": "none",
            "lat": 50.5, "lon": -0.25, "nic": 9, "rc": 48, "seen_pos": 0, "nac_p": 9, "nac_v": 2, "mlat": [],
            "tisb": [], "messages": 100, "seen": 2,
        }
    ]  # fmt: skip


MODE_S = {"type": "mode_s"}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"t_ns_technology": told_by(Technology.MLT)}, {"type": "mlat", "mlat": ["lat", "lon"]}),
        ({"t_ns_technology": told_by(Technology.MDS, Technology.PSR)}, {"type": "mode_s"}),
        ({"t_ns_technology": told_by(Technology.ADS, ago_s=90)}, {"type": "adsb_icao"}),
        ({"t_ns_technology": np.maximum(told_by(Technology.ADS, ago_s=40), told_by(Technology.SSR))}, MODE_S),
        ({"status": Status.COASTING, "plot_h_baro": 3048.0}, {"alt_baro": 10_000, "baro_rate": None, "alt_geom": None}),
        ({"address": -1, "t_ns_technology": told_by(Technology.PSR)}, {"type": "tisb_trackfile", "hex": "~000011"}),
        ({"address": -1, "t_ns_technology": told_by(Technology.SSR), "track": 2**24 + 5}, {"hex": "~000005"}),
        ({"address": -1, "t_ns_technology": told_by(Technology.ADS)}, {"type": "adsb_other"}),
        ({"t_ns_technology": told_by()}, {"type": "other"}),
        ({"mode_3a": 0o7700}, {"emergency": "general", "squawk": "7700"}),
        ({"mode_3a": 0o7600}, {"emergency": "nordo"}),
        ({"mode_3a": 0o7500}, {"emergency": "unlawful"}),
        ({"mode_3a": 1}, {"squawk": "0001"}),
        ({"mode_3a": -1}, {"squawk": None}),
        ({"callsign": 0}, {"flight": None}),
        ({"h_from_baro": 1}, {"alt_geom": None, "alt_baro": 10_850, "geom_rate": None}),
        ({"h_baro": np.nan}, {"alt_baro": None, "alt_geom": 11_000, "geom_rate": 1000, "baro_rate": None}),
        ({"h_baro": np.nan, "h_ell": np.nan, "v_up": np.nan}, {"alt_baro": None, "alt_geom": None, "geom_rate": None}),
        ({"h_baro": np.nan, "h_ell": np.nan, "v_east": 8.0, "on_ground": 1}, {"alt_baro": "ground", "gs": 15.6}),
        ({"h_baro": np.nan, "h_ell": np.nan, "v_east": 8.0}, {"alt_baro": None, "alt_geom": None}),
        ({"h_baro": np.nan, "h_ell": np.nan, "v_east": 8.0, "address": -1}, {"alt_baro": None}),
        ({"v_east": 0.0}, {"gs": 0, "track": None}),
        ({"v_east": -0.001, "v_north": 200.0}, {"track": 0}),
        ({"a_east": 0.0, "a_north": -6.0}, {"track_rate": pytest.approx(np.degrees(0.03), abs=0.005)}),
        ({"sigma_east": 40_000.0}, {"nic": 0, "nac_p": 0}),
        ({"sigma_east": np.nan}, {"nic": 0, "nac_p": 0, "rc": None}),
        ({"sigma_east": 1.0, "sigma_north": 1.0}, {"nic": 11, "nac_p": 11, "rc": 5}),
        ({"sigma_v_east": 0.1, "sigma_v_north": 0.1}, {"nac_v": 4}),
        ({"sigma_v_east": 9.0}, {"nac_v": 0}),
        ({"t_ns": NOW - SECOND_NS}, {"seen_pos": 1, "seen": 2}),
        ({"t_ns_plot": -1}, {"seen": 0}),
        ({"callsign": int(pack_callsigns(['A"\\\n'])[0])}, {"flight": 'A"\\?    '}),
    ],
)  # fmt: skip
def test_each_word(columns: dict[str, Any], expected: dict[str, Any]) -> None:
    found = report(**columns)
    for name, value in expected.items():
        assert found.get(name) == value, name


def test_only_confirmed_and_coasting_tracks_are_shown() -> None:
    tracks = picture(300)
    shown = json.loads(aircraft_json(tracks, NOW))["aircraft"]
    held = (tracks.status == Status.CONFIRMED) | (tracks.status == Status.COASTING)
    assert len(shown) == held.sum()
    assert json.loads(aircraft_json(tracks.take(~held), NOW))["aircraft"] == []
    assert len({aircraft["hex"] for aircraft in shown}) == len(shown)


def test_our_own_reader_reads_it_back(tmp_path: Path) -> None:
    tracks = picture(2000)
    tracks = tracks.take((tracks.address >= 0) & (tracks.status == Status.CONFIRMED))
    path = tmp_path / "aircraft.json"
    path.write_bytes(aircraft_json(tracks, NOW))
    plots = read_readsb([path]).plots
    assert len(plots) == len(tracks)
    order, again = np.argsort(tracks.address), np.argsort(plots.address)
    tracks, plots = tracks.take(order), plots.take(again)
    assert (plots.address == tracks.address).all()
    np.testing.assert_allclose(plots.t_ns, tracks.t_ns, atol=1_000_000)
    np.testing.assert_allclose(plots.lat, tracks.lat, atol=1e-6 * DEG)
    np.testing.assert_allclose(plots.lon, tracks.lon, atol=1e-6 * DEG)
    np.testing.assert_allclose(plots.h_baro, tracks.h_baro, atol=0.51 * FT)
    np.testing.assert_array_equal(plots.mode_3a, tracks.mode_3a)
    moving = np.hypot(tracks.v_east, tracks.v_north) > 1.0 * KT
    np.testing.assert_allclose(plots.v_east[moving], tracks.v_east[moving], atol=0.1)
    np.testing.assert_allclose(plots.v_north[moving], tracks.v_north[moving], atol=0.1)
    tidy = [name for name in unpack_callsigns(tracks.callsign) if name]
    assert [name for name in unpack_callsigns(plots.callsign) if name] == tidy
    # The categories are steps: what's read as sigma is the loose end of the step that the track's falls in.
    sigma = np.maximum(tracks.sigma_east, tracks.sigma_north)
    known = np.isfinite(plots.sigma_pos) & (plots.technology == Technology.ADS)
    assert known.sum() > 50
    assert (plots.sigma_pos[known] > sigma[known] * 0.999).all()
    assert (plots.sigma_pos[known] < sigma[known] * 10).all()


def test_files_are_put_in_place_whole_and_the_receiver_once(tmp_path: Path) -> None:
    write_folder(tmp_path, one(), NOW, messages=3, lat=50 * DEG, lon=8 * DEG, refresh_s=2.0)
    assert json.loads((tmp_path / "aircraft.json").read_bytes())["messages"] == 3
    about = json.loads((tmp_path / "receiver.json").read_bytes())
    assert about == {"version": "airpicture", "refresh": 2000, "history": 0, "lat": 50.0, "lon": 8.0}
    before = (tmp_path / "receiver.json").stat().st_ino
    write_folder(tmp_path, one(), NOW + SECOND_NS, lat=50 * DEG, lon=8 * DEG, refresh_s=2.0)
    assert (tmp_path / "receiver.json").stat().st_ino == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aircraft.json", "receiver.json"]
    assert "lat" not in json.loads(receiver_json())


def test_the_same_picture_gives_the_same_bytes() -> None:
    tracks: Tracks = picture(500)
    assert aircraft_json(tracks, NOW) == aircraft_json(tracks, NOW)


def test_whole_speeds_and_degrees_keep_a_decimal_and_unknown_heights_are_absent() -> None:
    """A program that takes fields by type (int heights, float speeds) and 0 for all others gets what was told, only."""
    found = report(v_east=100.0 * KT, v_north=0.0, lat=50.0 * DEG, lon=0.0)
    assert all(isinstance(found[name], float) for name in ("gs", "track", "lat", "lon"))
    assert isinstance(found["alt_baro"], int)
    assert not {"alt_baro", "alt_geom"} & report(h_baro=np.nan, h_ell=np.nan, v_east=8.0, on_ground=-1).keys()
