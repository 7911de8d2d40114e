"""Tracks written, read by our own decoder, and tables that were read from a file and so lack the columns beyond it."""

from __future__ import annotations

import datetime
from dataclasses import replace

import numpy as np
from test_encode_wireshark import table

from airpicture.formats.asterix.encode import encode_cat062
from airpicture.formats.asterix.reader import read_asterix
from airpicture.formats.columns import tracks_from_arrow, tracks_to_arrow
from airpicture.tables import Status, Tracks

FT, FL, DEG = 0.3048, 30.48, np.pi / 180.0


def read_back(tracks: Tracks) -> Tracks:
    data = encode_cat062(tracks, sac=25, sic=200)
    found = read_asterix(data, path="t.ast", editions={"062": "1.20"}, date=datetime.date(2023, 12, 9))
    assert found.tracks is not None
    return found.tracks


def placed(n: int) -> Tracks:
    """Return rows with a position, which a table needs to be read back."""
    tracks = table(n)
    return tracks.take(np.isfinite(tracks.lat) & np.isfinite(tracks.lon))


def test_own_decoder_reads_what_was_written() -> None:
    written = placed(400)
    tracks = read_back(written)
    assert len(tracks) == len(written)
    for name, step in (
        ("lat", 180 / 2**25 * DEG),
        ("lon", 180 / 2**25 * DEG),
        ("v_east", 0.25),
        ("v_north", 0.25),
        ("v_up", 6.25 * FT / 60),
        ("h_baro", 0.25 * FL),
        ("sigma_v_east", 0.25),
    ):
        a, b = getattr(tracks, name), getattr(written, name)
        both = np.isfinite(a) & np.isfinite(b)
        assert both.sum() > 100, name
        assert np.all(np.abs(a - b)[both] <= 0.5 * step * (1 + 1e-6)), name
    np.testing.assert_array_equal(tracks.track, written.track)
    np.testing.assert_array_equal(tracks.mode_3a, written.mode_3a)
    np.testing.assert_array_equal(tracks.address, written.address)
    np.testing.assert_array_equal(tracks.callsign, written.callsign)
    np.testing.assert_array_equal(tracks.status == Status.ENDED, written.status == Status.ENDED)


def test_a_table_from_a_file_is_written_without_what_it_lacks() -> None:
    written = placed(80)
    from_file = tracks_from_arrow(tracks_to_arrow(written), sensors=written.sensors)
    tracks = read_back(from_file)
    assert len(tracks) == len(written)
    assert np.all(tracks.t_ns_technology == -1)
    assert np.all(np.isnan(tracks.plot_h_baro))
    np.testing.assert_allclose(tracks.lat, written.lat, atol=180 / 2**25 * DEG)


def test_numbers_beyond_sixteen_bits_come_back() -> None:
    written = placed(80)
    numbers = 2.0 ** (16 + np.arange(len(written)) % 29)
    written = replace(written, track=numbers.astype(np.int64) + np.arange(len(written)))
    np.testing.assert_array_equal(read_back(written).track, written.track)


def test_a_position_known_to_centimetres_is_read_without_a_correlation() -> None:
    written = placed(20)
    fine = np.full(len(written), 0.01)
    tracks = read_back(replace(written, sigma_east=fine, sigma_north=fine))  # a division by zero would warn
    assert (tracks.sigma_east < 0.5).all()
    assert np.isnan(tracks.rho_east_north).all()
