"""The memory of addresses beside a dictionary, at its bound too."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from airpicture.formats.modes.decoding import MessageDecoder
from airpicture.kernels import modes_columns as col
from airpicture.kernels.modes_memory import enter, find, is_echo, make_room

SECOND = 1_000_000_000


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 400)), max_size=200), st.integers(1, 20))
def test_it_finds_what_a_dictionary_finds(asked: list[tuple[int, int]], slots: int) -> None:
    memory = MessageDecoder(addresses_max=slots).memory
    known: dict[int, int] = {}
    clock = 0
    for key, step in asked:
        clock += step * SECOND
        if key not in known and len(known) == slots:
            # The silent ones go, at least an eighth of all: those silent for 5 minutes, or half of that, and so on.
            silent = 300 * SECOND
            while (slots - len(known)) * 8 < slots:
                known = {k: t for k, t in known.items() if silent and clock - t <= silent}
                silent //= 2
        slot = enter(memory, key, clock)
        memory.times[slot, col.T_SEEN] = clock
        known[key] = clock
        assert {int(k) for k in memory.key if k >= 0} == set(known)
        assert all(memory.key[find(memory, k)] == k for k in known)
        assert find(memory, 77) == -1
        assert memory.state[col.FREE] == slots - len(known)


def test_a_slot_comes_back_empty() -> None:
    memory = MessageDecoder(addresses_max=1).memory
    slot = enter(memory, 5, 0)
    memory.codes[slot, col.M_SQUAWK] = 0o7700
    memory.reals[slot, col.R_LAT] = 48.0
    memory.callsign[slot] = 7
    slot = enter(memory, 6, 10**12)
    assert memory.codes[slot, col.M_SQUAWK] == -1
    assert memory.reals[slot, col.R_LAT] != memory.reals[slot, col.R_LAT]
    assert memory.callsign[slot] == 0
    assert memory.state[col.FORGOTTEN] == 1
    make_room(memory, 0)  # even where time stands still somebody goes
    assert memory.state[col.FREE] == 1


def test_echoes() -> None:
    echo = MessageDecoder(addresses_max=1).memory.echo
    assert not is_echo(echo, 1, 2, 0, 1, False)
    assert is_echo(echo, 1, 2, 10, 2, False)  # another receiver
    assert not is_echo(echo, 1, 2, 20, 1, False)  # the same one: a second reply
    assert is_echo(echo, 1, 2, 30, 1, True)  # but never a second squitter
    assert not is_echo(echo, 1, 2, 20 + SECOND, 1, True)
    assert not is_echo(echo, 1, 3, 20 + SECOND, 1, True)
