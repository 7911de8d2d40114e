"""The table of addresses against a search through all rows, whatever becomes of them in between."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.association import Addresses
from airpicture.kernels.addresses import NOBODY, SEVERAL
from airpicture.store import Store
from airpicture.tables import Status


def searched(store: Store, address: int) -> int:
    rows = [i for i in range(store.n) if store.address[i] == address and store.status[i] != Status.ENDED]
    sure = [i for i in rows if store.status[i] != Status.TENTATIVE]
    held = sure or rows
    return held[0] if len(held) == 1 else (SEVERAL if held else NOBODY)


def ask(addresses: Addresses, store: Store, asked: list[int]) -> None:
    found = addresses.rows_of(store, np.array(asked, np.int32))
    assert found.tolist() == [searched(store, address) for address in asked]


@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
@settings(max_examples=60, deadline=None)
def test_it_finds_what_a_search_finds(seed: int, few: int) -> None:
    """Tracks begin, end, are taken back, move down and change their addresses, few of which are many."""
    rng = np.random.default_rng(seed)
    store, addresses = Store(64), Addresses()
    asked = [*range(few), 0xFFFFFF]
    for _ in range(60):
        what = rng.integers(0, 5)
        if what == 0 and store.n < 60:  # begin
            fresh = slice(store.n, store.n + int(rng.integers(1, 5)))
            store.address[fresh] = rng.integers(-1, few, fresh.stop - fresh.start)
            store.status[fresh] = rng.integers(0, 3, fresh.stop - fresh.start)
            store.n = fresh.stop
        elif what == 1 and store.n:  # learn another address
            rows = np.unique(rng.integers(0, store.n, 3))
            store.address[rows] = rng.integers(-1, few, len(rows))
            addresses.note(store, rows)
        elif what == 2 and store.n > 4 and rng.random() < 0.5:  # the same, told of where they came to stand
            first = int(rng.integers(0, store.n - 2))
            kept = np.setdiff1d(np.arange(first, store.n), rng.integers(first, store.n, 2))
            store.address[first : first + len(kept)] = store.address[kept]
            store.status[first : first + len(kept)] = store.status[kept]
            addresses.note(store, np.arange(first, first + len(kept)))
            if rng.random() < 0.5:
                store.n = first + len(kept)
                addresses.forget_from(store.n)
            else:
                store.status[first + len(kept) : store.n] = Status.ENDED
        elif what == 2 and store.n > 4:  # end some, and let the rest move down
            first = int(rng.integers(0, store.n - 2))
            kept = np.setdiff1d(np.arange(first, store.n), rng.integers(first, store.n, 2))
            store.address[first : first + len(kept)] = store.address[kept]
            store.status[first : first + len(kept)] = store.status[kept]
            store.n = first + len(kept)
            addresses.forget_from(first)
        elif what == 3 and store.n > 3:  # take a frame back
            store.n -= 2
            rows = np.unique(rng.integers(0, store.n, 2))
            store.address[rows] = rng.integers(-1, few, len(rows))
            addresses.forget_from(store.n)
            addresses.note(store, rows)
        elif store.n:
            store.status[int(rng.integers(0, store.n))] = Status.ENDED
        if rng.random() < 0.5:
            ask(addresses, store, asked)
    ask(addresses, store, asked)


def test_a_track_is_found_however_often_its_row_has_moved() -> None:
    """Ranks close behind tracks that end, one row at a time; and what was taken back stands where it stood."""
    store, addresses = Store(1000), Addresses()
    store.n = 400
    store.status[: store.n], store.address[: store.n] = Status.CONFIRMED, -1
    store.address[399], store.address[7] = 5, 6
    ask(addresses, store, [5, 6])
    for row in range(398, 10, -1):
        store.address[row], store.status[row + 1] = 5, Status.ENDED
        addresses.note(store, np.array([row]))
        ask(addresses, store, [5, 6])
        if row % 50 == 0:  # the same the other way round, as by an undo, and once more
            store.status[row + 1], store.status[row] = Status.CONFIRMED, Status.ENDED
            addresses.note(store, np.array([row + 1]))
            ask(addresses, store, [5, 6])
            store.status[row] = Status.CONFIRMED
            addresses.note(store, np.array([row]))
            ask(addresses, store, [5, 6])
            store.status[row + 1] = Status.ENDED


def test_who_is_left_of_a_crowd_of_one_address_is_found_once_it_is_told_of() -> None:
    store, addresses = Store(300), Addresses()
    store.n = 300
    store.address[:], store.status[:] = 5, Status.CONFIRMED
    ask(addresses, store, [5])
    store.status[:299] = Status.ENDED
    addresses.note(store, np.array([299]))
    ask(addresses, store, [5])


def test_who_comes_back_to_the_address_of_a_crowd_is_entered_once() -> None:
    for many in (60, 64, 65, 66, 80):
        store, addresses = Store(100), Addresses()
        store.n = many
        store.address[:], store.status[:] = 5, Status.CONFIRMED
        ask(addresses, store, [5])
        last = np.array([many - 1])
        store.address[last] = 6
        addresses.note(store, last)
        ask(addresses, store, [5, 6])
        store.status[3], store.address[last] = Status.ENDED, 5
        addresses.note(store, last)
        store.status[: many - 1] = Status.ENDED
        ask(addresses, store, [5, 6])


def test_a_crowd_of_one_address_is_several_and_costs_no_more_than_linear() -> None:
    store, addresses = Store(5000), Addresses()
    store.n = 5000
    store.address[:] = 7
    store.status[:] = Status.CONFIRMED
    store.address[4999] = 8
    ask(addresses, store, [7, 8, 9])


def test_many_addresses_in_a_table_that_grows() -> None:
    store, addresses = Store(20_000), Addresses()
    rng = np.random.default_rng(2)
    names = rng.permutation(1 << 24)[:20_000].astype(np.int32)
    for n in (10, 3000, 20_000):
        store.address[:n], store.status[:n] = names[:n], Status.CONFIRMED
        store.n = n
        found = addresses.rows_of(store, names)
        np.testing.assert_array_equal(found, np.where(np.arange(20_000) < n, np.arange(20_000), NOBODY))
