"""BaseStation messages: state per address, ages, and lines that are none."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.errors import AirpictureError, InputError
from airpicture.formats import open_recording
from airpicture.formats.recording import Recording
from airpicture.tables import Technology, unpack_callsigns

T0 = 1_714_564_800_000_000_000  # 2024-05-01 12:00:00


def message(kind: int, at: str, address: str = "4CA2D6", source: str = "MSG", **fields: object) -> str:
    names = ("callsign", "altitude", "speed", "course", "lat", "lon", "climb", "squawk", "alert", "emergency", "spi")
    cells = [str(fields.get(name, "")) for name in (*names, "ground")]
    date = f"2024/05/01,12:00:{at}"
    return ",".join([source, str(kind), "1", "1", address, "1", date, date, *cells])


def opened(tmp_path: Path, *lines: str) -> Recording:
    path = tmp_path / "port30003.txt"
    path.write_text("\r\n".join(lines) + "\r\n")
    return open_recording(path)


def test_a_position_takes_what_its_address_said_before(tmp_path: Path) -> None:
    recording = opened(
        tmp_path,
        message(1, "00.000", callsign="RYR12  "),
        message(6, "00.100", squawk="7700", altitude=35900),
        message(4, "00.500", speed=450, course=180),
        message(3, "01.123", altitude=36000, lat=51.5, lon=-0.1),
        message(3, "01.500", "4CA2D7", lat=52.5, lon=-0.1),
    )
    plots = recording.plots.take(np.isfinite(recording.plots.lat))
    assert plots.t_ns.tolist() == [T0 + 1_123_000_000, T0 + 1_500_000_000]
    assert plots.address.tolist() == [0x4CA2D6, 0x4CA2D7]
    assert unpack_callsigns(plots.callsign) == ["RYR12", None]
    assert plots.mode_3a.tolist() == [0o7700, -1]
    assert plots.h_baro[0] == pytest.approx(36_000 * 0.3048)
    assert np.isnan(plots.v_east).all()
    assert (plots.technology == Technology.ADS).all()
    assert recording.report.records == {"rows": 2, "velocities of their own time": 1, "messages without position": 3}
    assert recording.report.refused == {}
    assert any("UTC" in note for note in recording.report.notes)


def test_a_velocity_is_a_message_of_its_own_time(tmp_path: Path) -> None:
    lines = message(4, "03.000", speed=450, course=180, climb=1200), message(3, "05.000", lat=51.5, lon=-0.1)
    plots = opened(tmp_path, *lines).plots
    assert plots.t_ns.tolist() == [T0 + 3_000_000_000, T0 + 5_000_000_000]
    assert np.isnan(plots.lat).tolist() == [True, False]
    assert plots.address.tolist() == [0x4CA2D6] * 2
    np.testing.assert_allclose(plots.v_north, [-450 * 1852 / 3600, np.nan])
    np.testing.assert_allclose(plots.v_up, [1200 * 0.3048 / 60, np.nan])


def test_on_the_ground_position_and_velocity_are_one_message(tmp_path: Path) -> None:
    plots = opened(tmp_path, message(2, "01.0", lat=51.5, lon=-0.1, speed=15, course=90, ground=-1)).plots
    assert len(plots) == 1
    assert plots.v_east[0] == pytest.approx(15 * 1852 / 3600)


def test_an_id_that_is_no_address_has_its_velocity_joined_while_fresh(tmp_path: Path) -> None:
    """No message finds its track, so that the position takes what it can."""
    lines = [
        message(4, "03.000", "~00001", speed=450, course=90),
        message(3, "05.000", "~00001", lat=51.5, lon=-0.1),
        message(3, "05.001", "~00001", lat=51.51, lon=-0.1),
    ]
    plots = opened(tmp_path, *lines).plots
    assert plots.address.tolist() == [-1, -1]
    np.testing.assert_allclose(plots.v_east, [450 * 1852 / 3600, np.nan])


def test_mlat_lines_are_another_sensor(tmp_path: Path) -> None:
    plots = opened(tmp_path, message(3, "01.0", lat=1, lon=1), message(3, "02.0", source="MLAT", lat=1, lon=1.1)).plots
    assert [plots.sensors.ids[k] for k in plots.sensor] == ["adsb", "mlat"]
    assert plots.technology.tolist() == [Technology.ADS, Technology.MLT]


def test_heights_on_the_ground_are_unknown(tmp_path: Path) -> None:
    plots = opened(tmp_path, message(2, "01.0", altitude=0, lat=1, lon=1, ground=-1, speed=0, course="")).plots
    assert np.isnan(plots.h_baro[0])


def test_other_lines_are_passed_over(tmp_path: Path) -> None:
    recording = opened(
        tmp_path,
        "STA,,5,179,400AE7,10103,2008/11/28,14:58:51.153,2008/11/28,14:58:51.153,RM",
        message(3, "01.0", lat=1, lon=1),
        "AIR,,333,37116,4CA2D6,9,2010/02/19,17:57:51.289,2010/02/19,17:57:51.289",
        "",
    )
    assert len(recording.plots) == 1
    assert recording.report.refused == {}


BAD = [
    (message(3, "01.0", lat="nan", lon=1), "NOT_FINITE"),
    (message(3, "01.0", lat="1e999", lon=1), "NOT_FINITE"),
    (message(3, "01.0", lat="x", lon=1), "NOT_FINITE"),
    (message(3, "01.0", lat=95, lon=1), "BAD_VALUE"),
    (message(3, "61.0", lat=1, lon=1), "NOT_FINITE"),
    (message(3, "01.0", lat=1, lon=1).replace("2024/05/01", ""), "NOT_FINITE"),
    (message(3, "01.0", lat=1, lon=1).replace("2024/05/01", "2023/02/29"), "NOT_FINITE"),
    (message(3, "01.0", lat=1, lon=1).replace("12:00", "24:00"), "NOT_FINITE"),
    (message(3, "01.0", lat=1, lon=1)[:40], "BAD_VALUE"),
]


@pytest.mark.parametrize(("line", "reason"), BAD)
def test_bad_lines_are_refused_by_name(tmp_path: Path, line: str, reason: str) -> None:
    good = message(3, "02.0", lat=1, lon=1)
    recording = opened(tmp_path, good, "STA,,5,179,400AE7,1,2008/11/28,14:58:51.153,2008/11/28,14:58:51,RM", line)
    assert len(recording.plots) == 1
    assert recording.report.refused == {reason: 1}
    assert [number for number, _ in recording.report.refusals] == [3]


def test_a_time_of_generation_may_be_missing(tmp_path: Path) -> None:
    cells = message(3, "01.5", lat=1, lon=1).split(",")
    cells[6] = cells[7] = ""
    assert opened(tmp_path, ",".join(cells)).plots.t_ns.tolist() == [T0 + 1_500_000_000]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2095, 12, 31)))
def test_dates_equal_those_of_the_standard_library(tmp_path_factory: pytest.TempPathFactory, moment: datetime) -> None:
    cells = message(3, "01.5", lat=1, lon=1).split(",")
    cells[6:8] = [f"{moment:%Y}/{moment:%m}/{moment:%d}".rjust(10, "0"), f"{moment:%H:%M:%S}.{moment.microsecond:06d}"]
    plots = opened(tmp_path_factory.getbasetemp(), ",".join(cells)).plots
    wanted = int(moment.replace(tzinfo=UTC, microsecond=0).timestamp()) * 10**9 + moment.microsecond * 1000
    assert plots.t_ns.tolist() == [wanted]


def test_the_same_line_twice_is_one_plot(tmp_path: Path) -> None:
    line = message(3, "01.5", lat=1, lon=1)
    recording = opened(tmp_path, line, line)
    assert len(recording.plots) == 1
    assert recording.report.refused == {"DUPLICATE": 1}


def test_a_file_without_messages(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("STA,,5,179,400AE7,1,2008/11/28,14:58:51.153,2008/11/28,14:58:51,RM\n")
    with pytest.raises(InputError, match=r"no MSG line|no BaseStation"):
        open_recording(tmp_path / "a.txt")


moments = st.lists(
    st.tuples(st.integers(0, 9999), st.integers(1, 3), st.none() | st.integers(1, 600).map(float)),
    min_size=1,
    max_size=25,
    unique_by=lambda line: line[0],
)


@given(moments)
def test_every_velocity_and_every_position_is_one_plot(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[int, int, float | None]]
) -> None:
    rows = []
    for k, (ms, address, speed) in enumerate(lines):
        moment = f"{ms // 1000:02d}.{ms % 1000:03d}"
        fields = {"lat": 1 + k / 100, "lon": 1} if speed is None else {"speed": speed, "course": 90}
        rows.append(message(3 if speed is None else 4, moment, f"00000{address}", **fields))
    plots = opened(tmp_path_factory.getbasetemp(), *rows).plots
    told = sorted((T0 + ms * 1_000_000, address, speed) for ms, address, speed in lines)
    assert list(zip(plots.t_ns.tolist(), plots.address.tolist(), strict=True)) == [one[:2] for one in told]
    speeds = [np.nan if speed is None else speed * 1852 / 3600 for _, _, speed in told]
    np.testing.assert_allclose(plots.v_east, speeds)
    np.testing.assert_array_equal(np.isfinite(plots.lat), np.isnan(speeds))


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=60), max_size=5))
def test_any_text_after_a_message_is_survived(tmp_path_factory: pytest.TempPathFactory, noise: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "a.txt"
    good = message(3, "01.0", lat=1, lon=1)
    path.write_bytes("\n".join([good, *noise]).encode("utf-8", "replace"))
    try:
        recording = open_recording(path)
    except AirpictureError:
        return
    assert len(recording.plots) == 1
