"""DF 18: devices without a transponder, TIS-B fine and coarse, ADS-R; whose address it is, and what is kept apart."""

from __future__ import annotations

import numpy as np
import pytest

import reference_modes as ref
from airpicture.formats.modes import ModesDecoder, ModesTable, decode
from airpicture.formats.modes.plots import plots_of
from airpicture.tables import Plots

NOW = 1_700_000_000_000_000_000
HALF = 500_000_000
PLACE = (48.0, 11.0)
IMF = 1 << 48  # bit 8 of an airborne position


def decoded(*messages: bytes) -> ModesTable:
    return decode(list(messages), NOW + np.arange(len(messages)) * HALF)


def plotted(table: ModesTable) -> Plots:
    return plots_of(table, ModesDecoder().sensors, adsb=0, mlat=1)


def pair(cf: int, imf: int = 0, address: int = 0xABCDEF) -> list[bytes]:
    return [ref.squitter(ref.air_position(*PLACE, k) | imf, address, 18, cf) for k in range(2)]


@pytest.mark.parametrize(
    ("cf", "imf", "source", "anonymous"),
    [(0, 0, "adsb_nt", False), (1, 0, "adsb_other", True), (2, 0, "tisb", False), (2, IMF, "tisb", True),
     (5, 0, "tisb_other", True), (6, 0, "adsr", False), (6, IMF, "adsr", True)],
)  # fmt: skip
def test_who_speaks_and_whose_address_it_is(cf: int, imf: int, source: str, anonymous: bool) -> None:
    table = decoded(*pair(cf, imf))
    last = table.to_arrow().to_pylist()[1]
    assert (last["source"], last["anonymous"], last["became"]) == (source, anonymous, "decoded position")
    assert (last["lat_deg"], last["lon_deg"]) == pytest.approx(PLACE, abs=1e-4)
    plots = plotted(table)
    assert plots.address.tolist() == [-1 if anonymous else 0xABCDEF]


@pytest.mark.parametrize("cf", [4, 7])
def test_management_and_reserved_formats_make_nothing(cf: int) -> None:
    table = decoded(*pair(cf))
    assert table.to_arrow()["became"].to_pylist() == ["decoded other squitter"] * 2
    assert len(plotted(table)) == 0


def test_halves_of_different_speakers_are_no_pair() -> None:
    """The same address, an even half of the aircraft and an odd one that the ground made of radar, or sent again."""
    even = ref.squitter(ref.air_position(*PLACE, 0), 0xABCDEF)
    for cf in (1, 2, 5, 6):
        odd = ref.squitter(ref.air_position(49.0, 12.0, 1), 0xABCDEF, 18, cf)
        assert np.isnan(decoded(even, odd).lat_deg).all()
    assert not np.isnan(decoded(even, ref.squitter(ref.air_position(*PLACE, 1), 0xABCDEF, 18, 0)).lat_deg).all()


def coarse(odd: int, imf: int = 0) -> bytes:
    y, x = ref.cpr(*PLACE, odd, bits=12)
    ac = ref.feet_field(7_000)
    ac12 = (ac >> 7) << 6 | ac & 0x3F
    me = ref.packed_bits(
        (imf, 1), (0, 2), (3, 4), (ac12, 12), (1, 1), (8, 5), (11, 6), (odd, 1), (y, 12), (x, 12)
    )  # 90 degrees; 320 kt  # fmt: skip
    return ref.squitter(me, 0xABCDEF, 18, 3)


def test_coarse_positions() -> None:
    table = decoded(coarse(0), coarse(1))
    last = table.to_arrow().to_pylist()[1]
    assert (last["lat_deg"], last["lon_deg"]) == pytest.approx(PLACE, abs=2e-3)  # cells of 6/4096 degrees
    assert (last["h_baro_ft"], last["track_deg"], last["gs_kt"]) == (7_000.0, 90.0, 320.0)
    plots = plotted(table)
    assert plots.v_east[0] == pytest.approx(320 * 1852 / 3600)
    assert np.isnan(plots.sigma_pos[0])
    assert plotted(decoded(coarse(0, 1), coarse(1, 1))).address.tolist() == [-1]


def test_a_message_of_nobodys_address_makes_no_row() -> None:
    """A velocity can't be laid to anybody; a position stands for itself."""
    velocity = ref.squitter(ref.velocity(100, 100), 0xABCDEF, 18, 1)
    assert len(plotted(decoded(velocity))) == 0
    assert len(plotted(decoded(ref.squitter(ref.velocity(100, 100), 0xABCDEF, 18, 0)))) == 1


@pytest.mark.parametrize(("typecode", "sigma"), [(9, 7.5), (11, 185.2), (17, 37_040.0), (18, np.nan)])
def test_accuracy_where_no_status_was_heard(typecode: int, sigma: float) -> None:
    """Under version 0 the type code tells a 95 % bound: 3 m, 0.05 nmi, 10 nmi, or none."""
    bound = {9: 3.0, 11: 92.6, 17: 18_520.0, 18: np.nan}[typecode]
    table = decoded(*(ref.squitter(ref.air_position(*PLACE, k, typecode=typecode)) for k in range(2)))
    assert table.column("rc_m")[1] == pytest.approx(sigma, nan_ok=True)
    assert plotted(table).sigma_pos[0] == pytest.approx(bound / np.sqrt(-2 * np.log(0.05)), nan_ok=True)


def test_accuracy_of_a_status_holds_for_a_minute() -> None:
    status = ref.squitter(ref.operational_status(nacp=8, nic_a=1))
    position = [ref.squitter(ref.air_position(*PLACE, k, nic_b=1)) for k in range(2)]
    t_ns = NOW + np.array([0, 1, 2, 120, 121]) * 1_000_000_000
    table = decode([status, *position, *position], t_ns)
    assert table.column("nacp").tolist() == [8, 8, 8, -1, -1]
    assert table.column("nic").tolist()[1:] == [9, 9, 9, 9]
    sigma = plotted(table).sigma_pos * np.sqrt(-2 * np.log(0.05))
    np.testing.assert_allclose(sigma[[0, -1]], [92.6, 37.5])  # NACp 8; then half of the radius of 75 m


def test_heights_above_the_ellipsoid() -> None:
    table = decoded(*(ref.squitter(ref.air_position(*PLACE, k, 10_000, typecode=20)) for k in range(2)))
    plots = plotted(table)
    assert plots.h_ell[0] == pytest.approx(10_000 * 0.3048)
    assert np.isnan(plots.h_baro[0])


def test_velocity_through_the_air_and_supersonic() -> None:
    """Published: 8DA05F219B06B6AF189400CBC33F is 375 kt TAS on 244 degrees (The 1090 Megahertz Riddle, 2nd ed., 7)."""
    found = decoded(bytes.fromhex("8DA05F219B06B6AF189400CBC33F")).to_arrow().to_pylist()[0]
    assert (found["tas_kt"], found["heading_deg"], found["rate_fpm"]) == (375.0, 243.984375, -2304.0)
    assert found["rate_source"] == "barometric"  # bit 36 is 1
    me = ref.velocity(200, 0) & ~(7 << 48) | 2 << 48  # subtype 2
    assert decoded(ref.squitter(me)).to_arrow()["gs_kt"].to_pylist() == [800.0]
