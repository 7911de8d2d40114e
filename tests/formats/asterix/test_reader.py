"""From records to plots, tracks and sensors: what each item becomes, what's left out, what's said."""

from __future__ import annotations

import datetime
import math

import numpy as np
import oracle
import pymap3d
import pytest

from airpicture.errors import ConfigError, InputError
from airpicture.formats.asterix.reader import read_asterix
from airpicture.formats.recording import Recording
from airpicture.formats.sensors import sensors_from_rows
from airpicture.tables import SensorKind, Sensors, Status, Technology, pack_callsigns, unpack_callsigns
from airpicture.units import DEG, FL, FT, NMI, SECOND_NS

DATE = datetime.date(1970, 1, 1)
PLOT = {
    "010": (20, 129),
    "140": 36000 * 128,
    "020": ((5, 0, 0, 0, 0, None),),
    "040": (50 * 256, 16384),
    "070": (0, 0, 0, 0, 0o7261),
    "090": (0, 0, 350 * 4),
    "220": 0x3C6444,
    "240": "DLH65A  ",
}


def read(category: int, items: dict[str, object], edition: str, **options: object) -> Recording:
    data = oracle.block(category, oracle.create(category, edition, dict(items)))
    options.setdefault("editions", {str(category): edition})
    return read_asterix(data, date=DATE, **options)  # type: ignore[arg-type]


def site(kind: str, **more: object) -> Sensors:
    row = {"id": "here", "kind": kind, "sac": 20, "sic": 129, "lat_deg": 41.3, "lon_deg": 2.1, "h_ell_m": 30.0}
    return sensors_from_rows([row | more])


def test_cat048_becomes_a_radar_plot() -> None:
    recording = read(48, PLOT, "1.32", sensors=site("radar"))
    plots = recording.plots
    assert len(plots) == 1
    assert plots.sensors.ids == ("here",)
    assert plots.t_ns[0] == 36000 * SECOND_NS
    assert plots.slant_range[0] == pytest.approx(50 * NMI)
    assert plots.azimuth[0] == pytest.approx(math.pi / 2)
    assert plots.h_baro[0] == pytest.approx(35000 * FT)
    assert plots.mode_3a[0] == 0o7261
    assert plots.address[0] == 0x3C6444
    assert unpack_callsigns(plots.callsign) == ["DLH65A"]
    assert plots.callsign.tolist() == pack_callsigns(["DLH65A"]).tolist()
    assert plots.technology[0] == Technology.MDS
    assert np.isnan(plots.lat[0])
    assert recording.report.refused == {}
    assert recording.report.editions == {"048": "1.32"}


@pytest.mark.parametrize(
    ("kind", "technology"),
    [(1, Technology.PSR), (2, Technology.SSR), (3, Technology.SSR), (4, Technology.MDS), (7, Technology.MDS)],
)
def test_cat048_technology(kind: int, technology: Technology) -> None:
    plots = read(48, PLOT | {"020": ((kind, 0, 0, 0, 0, None),)}, "1.32").plots
    assert plots.technology.tolist() == [technology]


@pytest.mark.parametrize("edition", ["1.27", "1.32"])
def test_a_level_below_the_standard_pressure_is_negative(edition: str) -> None:
    plots = read(48, PLOT | {"090": (0, 0, (-5) & 0x3FFF)}, edition).plots
    assert plots.h_baro[0] == pytest.approx(-1.25 * FL)


def test_garbled_and_unvalidated_codes_are_missing() -> None:
    for flags in ((1, 0), (0, 1)):
        plots = read(48, PLOT | {"070": (*flags, 0, 0, 0o7261), "090": (*flags, 1400)}, "1.32").plots
        assert plots.mode_3a[0] == -1
        assert np.isnan(plots.h_baro[0])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"020": ((5, 1, 0, 0, 0, None),)}, "CAT048 simulated target (report)"),
        ({"020": ((5, 0, 0, 0, 1, None),)}, "CAT048 field monitor (report)"),
        ({"020": ((5, 0, 0, 0, 0, None), (1, 0, 0, 0, 0, 0, None))}, "CAT048 test target (report)"),
        ({"020": ((0, 0, 0, 0, 0, None),)}, "CAT048 track without detection (report)"),
        ({"040": None}, "CAT048 track without plot (report)"),
    ],
)
def test_what_is_no_plot_is_left_out_and_counted(change: dict[str, object], reason: str) -> None:
    recording = read(48, {k: v for k, v in (PLOT | change).items() if v is not None}, "1.32")
    assert len(recording.plots) == 0
    assert recording.report.records == {"048": 1}
    assert recording.report.refused == {reason: 1}


def test_cat001_plot_and_track_profiles() -> None:
    common = {"010": (20, 129), "040": (50 * 128, 16384), "141": 100}
    plot = oracle.create(1, "1.4", common | {"020": ((0, 0, 2, 0, 0, 0, None),), "070": (0, 0, 0, 0, 0o1234)}, "plot")
    track = oracle.create(
        1, "1.4", common | {"020": ((1, 0, 3, 0, 0, 0, None),), "161": 77, "090": (0, 0, 400)}, "track"
    )
    service = oracle.block(2, oracle.create(2, "1.2", {"010": (20, 129), "000": 1, "030": 100}))
    plots = read_asterix(service + oracle.block(1, plot, track, plot), date=DATE).plots
    assert plots.slant_range.tolist() == [pytest.approx(50 * NMI)] * 3
    assert plots.mode_3a.tolist() == [0o1234, -1, 0o1234]
    assert plots.h_baro[1] == pytest.approx(100 * FL)
    assert plots.technology.tolist() == [Technology.SSR] * 3


def test_cat020_wgs84_and_cartesian_agree() -> None:
    lat, lon, h = 41.5, 2.4, 3000.0
    sensors = site("mlat")
    east, north, _ = pymap3d.geodetic2enu(lat, lon, h, 41.3, 2.1, 30.0)
    common = {"010": (20, 129), "140": 100 * 128, "020": ((0, 1, 0, 0, 0, 0, 0, None),), "105": round(h / FT / 6.25)}
    wgs = read(
        20, common | {"041": (round(lat / 180 * 2**25), round(lon / 180 * 2**25))}, "1.11", sensors=sensors
    ).plots
    flat = read(20, common | {"042": (round(east * 2), round(north * 2))}, "1.11", sensors=sensors).plots
    for plots in (wgs, flat):
        assert plots.lat[0] / DEG == pytest.approx(lat, abs=1e-5)
        assert plots.lon[0] / DEG == pytest.approx(lon, abs=1e-5)
        assert plots.h_ell[0] == pytest.approx(h, abs=1.0)
        assert plots.technology.tolist() == [Technology.MLT]


def test_the_reference_point_comes_from_cat019() -> None:
    status = oracle.create(
        19,
        "1.3",
        {
            "010": (20, 129),
            "000": 2,
            "140": 100 * 128,
            "600": (round(41.3 / 180 * 2**30), round(2.1 / 180 * 2**30)),
            "610": 120,
        },
    )
    target = oracle.create(
        20, "1.11", {"010": (20, 129), "140": 100 * 128, "020": ((0, 1, 0, 0, 0, 0, 0, None),), "042": (0, 2000)}
    )
    recording = read_asterix(oracle.block(19, status) + oracle.block(20, target), date=DATE)
    assert recording.sensors.kind.tolist() == [SensorKind.MLAT]
    assert recording.sensors.h_ell.tolist() == [30.0]
    assert recording.plots.lon[0] / DEG == pytest.approx(2.1, abs=1e-7)
    assert (recording.plots.lat[0] / DEG - 41.3) * 111_000 == pytest.approx(1000, rel=0.01)


def test_a_plane_without_reference_point_is_counted_and_explained() -> None:
    recording = read(20, {"010": (0, 107), "140": 0, "020": ((0, 1, 0, 0, 0, 0, 0, None),), "042": (0, 2000)}, "1.11")
    assert recording.report.refused == {"CAT020 position in a plane without reference point (report)": 1}
    note = "\n".join(recording.report.notes)
    for part in ("[[sensor]]", 'kind = "mlat"', "sac = 0", "sic = 107", "lat_deg = "):
        assert part in note


def test_cat010_surface_radar_and_multilateration_are_two_sensors() -> None:
    common = {"010": (0, 7), "000": 1, "140": 100 * 128}
    radar = oracle.create(10, "1.1", common | {"020": ((3, 0, 0, 0, 0, None),), "040": (1500, 16384)})
    system = oracle.create(10, "1.1", common | {"020": ((1, 0, 0, 0, 0, None),), "041": (round(41.3 / 180 * 2**31), 0)})
    service = oracle.create(10, "1.1", {"010": (0, 7), "000": 3, "140": 100 * 128})
    recording = read_asterix(oracle.block(10, radar, system, service), date=DATE)
    assert recording.sensors.ids == ("0/7", "0/7-mlat")
    assert recording.sensors.kind.tolist() == [SensorKind.RADAR, SensorKind.MLAT]
    assert recording.plots.slant_range[0] == 1500.0
    assert recording.plots.lat[1] / DEG == pytest.approx(41.3)
    assert recording.report.refused == {"CAT010 service message (record)": 1}


ADSB = {
    "010": (20, 219),
    "040": ((0, 0, 0, 0, None),),
    "073": 100 * 128,
    "080": 0x3C6444,
    "130": (round(41.3 / 180 * 2**23), round(-2.1 / 180 * 2**23)),
    "140": 1600,
    "145": 400,
    "160": (0, round(0.1 * 2**14), 16384),
    "170": "DLH65A  ",
    "210": 2 << 3 | 2,  # VN 2
    "090": ((0, 8, None), (0, 3, 9, None)),
}


def test_cat021_becomes_a_reported_position() -> None:
    plots = read(21, ADSB, "2.1").plots
    assert plots.lat[0] / DEG == pytest.approx(41.3, abs=2e-5)
    assert plots.lon[0] / DEG == pytest.approx(-2.1, abs=2e-5)
    assert plots.h_ell[0] == pytest.approx(10000 * FT)
    assert plots.h_baro[0] == pytest.approx(100 * FL)
    assert plots.v_east[0] == pytest.approx(0.1 * NMI, rel=1e-3)
    assert plots.v_north[0] == pytest.approx(0.0, abs=1e-6)
    assert plots.sigma_pos[0] == pytest.approx(30 / 2.4477)  # NACp 9
    assert unpack_callsigns(plots.callsign) == ["DLH65A"]
    assert plots.technology.tolist() == [Technology.ADS]


def test_cat021_prefers_the_fine_position_and_the_precise_time() -> None:
    fine = {"131": (round(41.300001 / 180 * 2**30), round(-2.1 / 180 * 2**30)), "074": (0, round(0.003 * 2**30))}
    plots = read(21, ADSB | fine, "2.1").plots
    assert plots.lat[0] / DEG == pytest.approx(41.300001, abs=2e-7)
    assert plots.t_ns[0] == pytest.approx(100.003 * SECOND_NS, abs=2)


def test_cat021_quality_of_version_0_is_nucp() -> None:
    plots = read(21, ADSB | {"210": 2, "090": ((0, 7, None),)}, "2.1").plots
    assert plots.sigma_pos[0] == pytest.approx(0.05 * NMI / 2.4477)


def test_cat021_of_the_old_editions() -> None:
    old = {"010": (0, 107), "030": 100 * 128, "080": 0x3C6444, "130": (round(41.3 / 180 * 2**23), 0), "145": 400}
    plots = read(21, old, "0.23").plots
    assert plots.lat[0] / DEG == pytest.approx(41.3, abs=2e-5)
    assert plots.t_ns[0] == 100 * SECOND_NS


def test_positions_outside_the_earth_are_refused() -> None:
    report = read(21, ADSB | {"130": (round(100 / 180 * 2**23), 0)}, "2.1").report
    assert report.refused == {"CAT021 position outside the Earth (report)": 1}


def test_radar_sites_and_periods_are_learnt() -> None:
    north = [
        oracle.create(34, "1.29", {"010": (20, 129), "000": 1, "030": round((100 + 4 * k) * 128)}) for k in range(5)
    ]
    place = oracle.create(
        34,
        "1.29",
        {
            "010": (20, 129),
            "000": 2,
            "030": 100 * 128,
            "041": 512,
            "120": (55, round(41.3 / 180 * 2**23), round(2.1 / 180 * 2**23)),
        },
    )
    plot = oracle.block(48, oracle.create(48, "1.32", dict(PLOT)))
    known = read_asterix(oracle.block(34, *north, place) + plot, date=DATE)
    assert known.sensors.ids == ("20/129",)
    assert known.sensors.period.tolist() == [4.0]
    assert known.sensors.lat[0] / DEG == pytest.approx(41.3, abs=2e-5)
    assert known.sensors.h_ell.tolist() == [55.0]
    assert known.report.notes == ()
    unknown = read_asterix(oracle.block(34, *north) + plot, date=DATE)
    assert unknown.sensors.period.tolist() == [4.0]
    assert np.isnan(unknown.sensors.lat[0])
    assert "period_s = 4" in "\n".join(unknown.report.notes)


def test_a_radar_without_service_messages_tells_its_turn_by_its_plots() -> None:
    azimuths = np.random.default_rng(1).integers(0, 65536, 60).tolist()
    plots = [
        oracle.create(48, "1.32", PLOT | {"140": round((36000 + 4 * (k + a / 65536)) * 128), "040": (50 * 256, a)})
        for k, a in enumerate(azimuths)
    ]
    found = read_asterix(oracle.block(48, *plots), date=DATE)
    assert found.sensors.period.tolist() == [4.0]
    told = "\n".join(found.report.notes)
    assert "'20/129' has no period_s; by its plots it turns once in 4 s" in told
    assert "period_s = 4" in told.split("pass a sensors.toml with")[1]
    described = read_asterix(oracle.block(48, *plots), date=DATE, sensors=site("radar"))
    assert described.sensors.period.tolist() == [4.0]
    assert "'here' has no period_s" in "\n".join(described.report.notes)
    assert read_asterix(oracle.block(48, *plots), date=DATE, sensors=site("radar", period_s=8.0)).report.notes == ()


def test_described_sensors_are_found_by_sac_sic_and_kind() -> None:
    recording = read(48, PLOT, "1.32", sensors=site("mlat"))
    assert recording.sensors.ids == ("here", "20/129")
    assert recording.plots.sensor.tolist() == [1]
    assert any("isn't in the sensor table" in note for note in recording.report.notes)


def test_reports_taken_for_a_sensor_of_another_kind_are_named() -> None:
    here = {"id": "here", "kind": "mlat", "sac": 20, "sic": 219, "lat_deg": 41.3, "lon_deg": 2.1, "h_ell_m": 30.0}
    recording = read(21, ADSB, "2.4", sensors=sensors_from_rows([here]))
    assert recording.sensors.ids == ("here",)
    (note,) = recording.report.notes
    assert "1 adsb report of 20/219: taken for those of sensor 'here' (mlat)" in note
    there = {"id": "there", "kind": "adsb", "sac": 20, "sic": 219}
    recording = read(21, ADSB, "2.4", sensors=sensors_from_rows([here, there]))
    assert recording.plots.sensor.tolist() == [1]
    assert recording.report.notes == ()


def test_several_categories_and_unknown_ones_are_counted() -> None:
    data = oracle.block(8, b"\0" * 5) + oracle.block(48, oracle.create(48, "1.32", dict(PLOT)))
    report = read_asterix(data + oracle.block(8, b"\0" * 5), date=DATE).report
    assert report.records == {"048": 1}
    assert report.refused == {"CAT008 isn't decoded (block)": 2}
    assert report.refusals == ((0, "CAT008 isn't decoded"), (8 + len(data) - 8, "CAT008 isn't decoded"))


def test_a_wrong_edition_is_noticed() -> None:
    old = oracle.create(
        21,
        "0.23",
        {
            "010": (0, 107), "030": 100 * 128, "080": 0x3C6444, "130": (100, 0), "145": 400, "170": "DLH65A  ", "095":
            3,
            "157": 5,
            "160": (5, 6), "090": 7,
        },
    )  # fmt: skip
    data = oracle.block(21, old) * 20
    recording = read_asterix(data, date=DATE)
    assert recording.report.records["021"] == 0
    assert any(
        "100 % of CAT021 blocks refused with edition 2.7, 0 % with 0.2" in note for note in recording.report.notes
    )
    assert len(read_asterix(data, date=DATE, editions={"021": "0.23"}).plots) == 20


def test_refused_blocks_are_named_with_their_place() -> None:
    good = oracle.block(48, oracle.create(48, "1.32", dict(PLOT)))
    bad = bytearray(good)
    bad[4] |= 0x01  # more FSPEC than there's room for
    report = read_asterix(good + bytes(bad) + good, date=DATE).report
    assert report.records == {"048": 2}
    ((reason, count),) = report.refused.items()
    assert reason.startswith("CAT048 ")
    assert reason.endswith("(block)")
    assert count == 1
    ((at, text),) = report.refusals
    assert at == len(good)
    assert "at byte" in text


SYSTEM = {
    "010": (70, 16),
    "015": 3,
    "070": 100 * 128,
    "040": 4711,
    "105": (round(41.3 / 180 * 2**25), round(2.1 / 180 * 2**25)),
    "185": (round(200 / 0.25), round(-100 / 0.25)),
    "060": (0, 0, 0, 0, 0o7261),
    "080": ((0, 0, 0, 0, 0, None),),
    "136": 350 * 4,
    "220": round(-10 / 0.3048 * 60 / 6.25),
    "200": (2, 0, 1, 0, 0),
    "380": {"ADR": 0x3C6444, "ID": "DLH65A  "},
    "290": {"PSR": 8, "MDS": 4},
    "500": {"APC": (20, 40), "ATV": (4, 8), "AGA": 10},
}


def test_cat062_becomes_tracks() -> None:
    recording = read(62, SYSTEM, "1.20")
    tracks = recording.tracks
    assert tracks is not None
    assert len(recording.plots) == 0
    assert tracks.track.tolist() == [4711]
    assert tracks.status.tolist() == [Status.CONFIRMED]
    assert tracks.lat[0] / DEG == pytest.approx(41.3, abs=1e-5)
    assert (tracks.v_east[0], tracks.v_north[0]) == (200.0, -100.0)
    assert tracks.v_up[0] == pytest.approx(-10, abs=0.05)
    assert tracks.h_baro[0] == pytest.approx(350 * FL)
    assert tracks.mode_3a[0] == 0o7261
    assert tracks.address[0] == 0x3C6444
    assert unpack_callsigns(tracks.callsign) == ["DLH65A"]
    assert (tracks.turn_left[0], tracks.turn_right[0]) == (1.0, 0.0)
    assert (tracks.sigma_east[0], tracks.sigma_north[0]) == (10.0, 20.0)
    assert (tracks.sigma_v_east[0], tracks.sigma_v_north[0]) == (1.0, 2.0)
    assert tracks.t_ns_technology[0].tolist() == [98 * SECOND_NS, -1, 99 * SECOND_NS, -1, -1]
    assert tracks.t_ns_plot[0] == 99 * SECOND_NS


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (((0, 0, 0, 0, 1, None),), Status.TENTATIVE),
        (((0, 0, 0, 0, 0, None), (0, 1, 0, 0, 0, 0, 0, None)), Status.ENDED),
        (((0, 0, 0, 0, 0, None), (0,) * 7 + (None,), (0,) * 5 + (None,), (1, 0, 0, 0, 0, 0, 0, None)), Status.COASTING),
    ],
)
def test_cat062_status(status: tuple[object, ...], expected: Status) -> None:
    tracks = read(62, SYSTEM | {"080": status}, "1.20").tracks
    assert tracks is not None
    assert tracks.status.tolist() == [expected]


def test_a_track_number_used_again_becomes_another() -> None:
    ended = {"080": ((0, 0, 0, 0, 0, None), (0, 1, 0, 0, 0, 0, 0, None))}
    records = [
        oracle.create(62, "1.20", SYSTEM | {"070": t * 128} | (ended if last else {}))
        for t, last in ((100, False), (104, True), (108, False), (112, False), (1000, False))
    ]
    tracks = read_asterix(oracle.block(62, *records), date=DATE, editions={"62": "1.20"}).tracks
    assert tracks is not None
    lives = tracks.track >> 32
    assert lives.tolist() == [0, 0, 1, 1, 2]
    assert set((tracks.track & 0xFFFFFFFF).tolist()) == {4711}


def test_simulated_tracks_are_left_out() -> None:
    recording = read(62, SYSTEM | {"080": ((0, 0, 0, 0, 0, None), (1, 0, 0, 0, 0, 0, 0, None))}, "1.20")
    assert recording.report.refused == {"CAT062 simulated track (record)": 1}


def test_input_that_holds_nothing() -> None:
    with pytest.raises(InputError, match="empty"):
        read_asterix(b"", path="x.ast")
    with pytest.raises(InputError, match=r"x\.ast.*no ASTERIX data block"):
        read_asterix(b"\xff" * 100, path="x.ast")
    with pytest.raises(ConfigError, match=r"9\.9"):
        read_asterix(b"\xff" * 100, editions={"048": "9.9"})
