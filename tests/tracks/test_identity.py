"""Identity and what tracks learn: evidence within bounds, changes by agreement, heights by source."""

import numpy as np
import pytest

from airpicture.kernels import layout as lay
from airpicture.kernels.learn import (
    OTHER_ADDRESS,
    OTHER_ADDRESS_SAID,
    OTHER_CODE,
    SAME_ADDRESS,
    SAME_CALLSIGN,
    SAME_CODE,
)
from airpicture.reports import Reports
from airpicture.store import Store
from airpicture.tables import Technology, pack_callsigns
from learn_kernels import height_source, identify, identity_score

SECOND = 1_000_000_000
NAMES = pack_callsigns(["ABC1", "XYZ2"])


def reports_of(*codes: tuple[int, int, int], t_ns: int = 100 * SECOND) -> Reports:
    n = len(codes)
    return Reports(
        Z=np.zeros((n, lay.PLOT)),
        t_ns=np.full(n, t_ns, np.int64),
        sensor=np.zeros(n, np.int32),
        address=np.array([c[0] for c in codes], np.int32),
        mode_3a=np.array([c[1] for c in codes], np.int32),
        callsign=np.array([c[2] for c in codes], np.uint64),
        technology=np.zeros(n, np.uint8),
        slant_range=np.zeros(n),
        azimuth=np.zeros(n),
        on_ground=np.full(n, -1, np.int8),
        category=np.zeros(n, np.uint8),
        place=np.zeros((n, lay.PLACE)),
    )


def store_with(address: int = -1, mode_3a: int = -1, callsign: int = 0) -> Store:
    store = Store(16)
    store.n = 1
    store.address[0], store.mode_3a[0], store.callsign[0] = address, mode_3a, callsign
    return store


@pytest.mark.parametrize(
    ("held", "seen", "expected"),
    [
        ((-1, -1, 0), (5, 0o1234, int(NAMES[0])), 0.0),  # nothing held, nothing said
        ((5, -1, 0), (5, -1, 0), SAME_ADDRESS),
        ((5, -1, 0), (6, -1, 0), OTHER_ADDRESS),
        ((5, 0o1234, 0), (5, 0o4321, 0), SAME_ADDRESS),  # the address says all
        ((-1, 0o1234, 0), (-1, 0o1234, 0), SAME_CODE),
        ((-1, 0o1234, 0), (5, 0o4321, 0), OTHER_CODE),
        ((-1, 0o7000, 0), (-1, 0o7000, 0), 0.0),  # a code that everybody flies with names nobody
        ((-1, 0o7000, 0), (-1, 0o1234, 0), 0.0),
        ((-1, -1, int(NAMES[0])), (-1, -1, int(NAMES[0])), SAME_CALLSIGN),
        ((-1, -1, int(NAMES[0])), (-1, -1, int(NAMES[1])), 0.0),
    ],
)
def test_codes_weigh_as_evidence(held: tuple[int, int, int], seen: tuple[int, int, int], expected: float) -> None:
    score = identity_score(store_with(*held), np.zeros(1, np.int64), reports_of(seen), np.zeros(1, np.int32))
    assert score.tolist() == [expected]


def test_while_a_track_keeps_coming_another_address_is_another_aircraft() -> None:
    store = store_with(5)
    store.interval[0] = 4.0
    for seconds, expected in ((1.0, -np.inf), (9.9, -np.inf), (10.1, OTHER_ADDRESS)):  # 2.5 intervals
        seen = reports_of((6, -1, 0), t_ns=round(seconds * SECOND))
        assert identity_score(store, np.zeros(1, np.int64), seen, np.zeros(1, np.int32)).tolist() == [expected]
    said = reports_of((6, -1, 0), t_ns=round(10.1 * SECOND))._replace(technology=np.full(1, Technology.ADS, np.uint8))
    score = identity_score(store, np.zeros(1, np.int64), said, np.zeros(1, np.int32))
    assert score.tolist() == [OTHER_ADDRESS_SAID]  # a squitter's address is hardly ever wrong
    same = reports_of((5, -1, 0), t_ns=SECOND)
    assert identity_score(store, np.zeros(1, np.int64), same, np.zeros(1, np.int32)).tolist() == [SAME_ADDRESS]


def test_each_code_changes_after_its_number_of_agreeing_plots() -> None:
    for column, plots in ((0, 3), (1, 2), (2, 3)):
        store = store_with(5, 0o1234, int(NAMES[0]))
        other = (6, 0o4321, int(NAMES[1]))
        seen = tuple(other[k] if k == column else (-1, -1, 0)[k] for k in range(3))
        columns = (store.address, store.mode_3a, store.callsign)
        for k in range(plots):
            assert int(columns[column][0]) != other[column], k
            identify(store, np.zeros(1, np.int64), reports_of(seen), np.zeros(1, np.int64))  # type: ignore[arg-type]
        assert int(columns[column][0]) == other[column]


def test_a_plot_that_agrees_with_what_is_held_ends_the_doubt() -> None:
    store = store_with(5)
    for address in (6, 6, 5, 6, 6):
        identify(store, np.zeros(1, np.int64), reports_of((address, -1, 0)), np.zeros(1, np.int64))
    assert store.address[0] == 5


def test_silence_says_nothing() -> None:
    store = store_with(5, 0o1234, int(NAMES[0]))
    for _ in range(9):
        identify(store, np.zeros(1, np.int64), reports_of((-1, -1, 0)), np.zeros(1, np.int64))
    assert (store.address[0], store.mode_3a[0], store.callsign[0]) == (5, 0o1234, NAMES[0])


@pytest.mark.parametrize(
    ("has", "before", "after"),
    [
        ((), 0, 0),
        ((lay.Z_H_BARO,), 0, 1),
        ((lay.Z_H,), 0, 2),
        ((lay.Z_ELEVATION,), 0, 3),
        ((lay.Z_ELEVATION, lay.Z_H_BARO), 0, 1),  # pressure is far sharper, and doubtful by the weather
        ((lay.Z_H_BARO,), 3, 1),
        ((lay.Z_ELEVATION,), 1, 1),
        ((lay.Z_H_BARO,), 2, 2),  # the offset of this air has been learnt
        ((lay.Z_H, lay.Z_H_BARO), 1, 2),
        ((), 3, 3),
    ],
)
def test_what_a_height_rests_on(has: tuple[int, ...], before: int, after: int) -> None:
    Z = np.full((1, lay.PLOT), np.nan)
    Z[0, list(has)] = 1.0
    assert height_source(Z, before) == after
