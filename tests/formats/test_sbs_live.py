"""BaseStation as it comes: clocks, extended lines, messages joined when they are fresh."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from reported_streams import T0, sbs_message

from airpicture.formats.quality import sigma_from_radius
from airpicture.formats.sbs import SbsDecoder
from airpicture.tables import Plots, Technology

POSITION = {"lat": 51.5, "lon": -0.1}


def fed(*lines: str, received_ns: int = T0 + 2_000_000_000) -> tuple[Plots, SbsDecoder]:
    decoder = SbsDecoder()
    return decoder.feed(("\n".join(lines) + "\n").encode(), received_ns), decoder


@pytest.mark.parametrize("hours", [-9.5, -8, -1, 1, 2, 5.75, 13])
def test_local_times_are_put_right(hours: float) -> None:
    """Stamps made by a clock some hours off UTC; received a second after they were made."""
    local = datetime.fromtimestamp(T0 / 1e9 + 1, UTC) + timedelta(hours=hours)
    stamp = local.strftime("%Y/%m/%d,%H:%M:%S.000")
    line = sbs_message(3, "01.000", **POSITION).replace("2024/05/01,12:00:01.000", stamp)
    plots, decoder = fed(line)
    assert plots.t_ns.tolist() == [T0 + 1_000_000_000]
    assert decoder.offset_s == -3600 * hours


def test_a_clock_that_is_merely_wrong_is_left_as_it_is() -> None:
    """Seven minutes aren't a time zone: that's for whoever learns a source's delay."""
    plots, decoder = fed(sbs_message(3, "01.000", **POSITION), received_ns=T0 + 420_000_000_000)
    assert plots.t_ns.tolist() == [T0 + 1_000_000_000]
    assert decoder.offset_s == 0


def test_messages_without_any_time_take_that_of_reception() -> None:
    line = sbs_message(3, "01.000", **POSITION).replace("2024/05/01,12:00:01.000", ",")
    assert fed(line)[0].t_ns.tolist() == [T0 + 2_000_000_000]


def test_the_time_of_logging_stands_in_for_that_of_generation() -> None:
    line = sbs_message(3, "01.000", **POSITION).replace("2024/05/01,12:00:01.000", ",", 1)
    assert fed(line)[0].t_ns.tolist() == [T0 + 1_000_000_000]


def test_extended_lines_of_mlat_bring_their_error() -> None:
    """mlat-client's extended format: stations, a spare cell, and the estimated error in metres behind the 22 cells."""
    plots, decoder = fed(
        sbs_message(3, "01.000", source="MLAT", more=",5,,120", speed=300, course=90, **POSITION),
        sbs_message(3, "01.500", "4CA2D7", source="MLAT", lat=52.0, lon=0.0),
    )
    assert plots.technology.tolist() == [Technology.MLT] * 2
    assert plots.sigma_pos[0] == pytest.approx(sigma_from_radius(np.array([120.0]))[0])
    assert np.isnan(plots.sigma_pos[1])
    assert np.isnan(plots.v_east).all()  # computed from the positions, which are used already
    assert decoder.counts["decoded position"] == 2


def test_lines_with_too_few_or_too_many_cells_are_counted() -> None:
    good = sbs_message(3, "01.000", **POSITION)
    _, decoder = fed(good, good[:60], good + ",1,2,3,4", "MSG,", "AIR,1,2")
    assert decoder.counts["refused BAD_VALUE"] == 3
    assert decoder.counts["refused line of another kind"] == 1
    assert decoder.counts["decoded position"] == 1


def test_a_velocity_with_its_climb_is_a_message_of_its_own_time() -> None:
    decoder = SbsDecoder()
    decoder.feed(b"", T0)
    (told,) = (decoder.feed((sbs_message(4, "00.000", speed=450, course=90, climb=1200) + "\n").encode(), T0),)
    assert (len(told), told.t_ns[0], told.address[0]) == (1, T0, 0x4CA2D6)
    assert np.isnan(told.lat[0])
    assert told.v_east[0] == pytest.approx(450 * 1852 / 3600)
    assert told.v_up[0] == pytest.approx(6.096)
    placed = decoder.feed((sbs_message(3, "01.000", **POSITION) + "\n").encode(), T0 + 1_000_000_000)
    assert np.isnan([placed.v_east[0], placed.v_up[0]]).all()


def test_height_code_and_callsign_of_another_address_are_not_taken() -> None:
    plots, _ = fed(
        sbs_message(1, "00.000", callsign="RYR12"),
        sbs_message(6, "00.000", squawk="7700"),
        sbs_message(5, "00.000", altitude=1000),
        sbs_message(3, "00.500", "4CA2D7", **POSITION),
    )
    assert (plots.callsign[0], plots.mode_3a[0]) == (0, -1)
    assert np.isnan(plots.h_baro[0])
