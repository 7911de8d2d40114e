"""What is remembered of each address: a table of fixed size, and who gives way when it's full.

    key = address | kind << 24  ->  home (hash table, half full at most)  ->  slot  ->  rows of times, codes, ...

The same address sent by an aircraft, by the ground for it (TIS-B, ADS-R), or made up by a vehicle is not the same
speaker: halves of positions must not be mixed between them. So the kind of source is part of the key.
"""

import math
from typing import Any, Final

import numpy as np

from airpicture.kernels import modes_columns as col
from airpicture.kernels._jit import jit, part
from airpicture.kernels.modes_columns import I64, Memory

FORGET_NS: Final = 300_000_000_000  # 5 min: when room is needed, those silent for longer go first
ECHO_NS: Final = 200_000_000  # half of the shortest time between two squitters of a kind (DO-260B 2.2.3.3: 0.4 s)
RUMOUR_NS: Final = 60_000_000_000  # 1 min: five to fifteen turns of a radar that asks
BELIEVED: Final = 4


@part
def place_of(key: Any, cells: Any) -> Any:
    """Return where the search for a key begins in a table of 2^k cells."""
    mixed = key * 2654435761 & 0xFFFFFFFF
    return (mixed ^ mixed >> 15) & (cells - 1)


@part
def find(memory: Memory, key: Any) -> Any:
    """Return the slot of a key, -1 where it isn't known."""
    cells = memory.home.shape[0]
    at = place_of(key, cells)
    while memory.home[at] >= 0:
        slot = np.int64(memory.home[at])
        if memory.key[slot] == key:
            return slot
        at = (at + 1) & (cells - 1)
    return np.int64(-1)


@part
def settle(memory: Memory, slot: Any) -> None:
    """Enter a slot in the hash table."""
    cells = memory.home.shape[0]
    at = place_of(memory.key[slot], cells)
    while memory.home[at] >= 0:
        at = (at + 1) & (cells - 1)
    memory.home[at] = slot


@part
def make_room(memory: Memory, t: Any) -> None:
    """Forget who was silent longest, at least an eighth of all, when every slot is taken."""
    slots = memory.key.shape[0]
    silent = np.int64(FORGET_NS)
    while memory.state[col.FREE] * 8 < slots:
        for slot in range(slots):
            if memory.key[slot] >= 0 and (silent == 0 or t - memory.times[slot, col.T_SEEN] > silent):
                memory.key[slot] = -1
                memory.free[memory.state[col.FREE]] = slot
                memory.state[col.FREE] += 1
                memory.state[col.FORGOTTEN] += 1
        silent //= 2
    memory.home[:] = -1
    for slot in range(slots):
        if memory.key[slot] >= 0:
            settle(memory, slot)


@part
def enter(memory: Memory, key: Any, t: Any) -> Any:
    """Return the slot of a key, a fresh one where it wasn't known."""
    slot = find(memory, key)
    if slot >= 0:
        return slot
    if memory.state[col.FREE] == 0:
        make_room(memory, t)
    memory.state[col.FREE] -= 1
    slot = np.int64(memory.free[memory.state[col.FREE]])
    memory.key[slot] = key
    for i in range(col.TIMES):
        memory.times[slot, i] = col.NEVER
    for i in range(col.MEMORY_CODES):
        memory.codes[slot, i] = -1
    for i in range(col.MEMORY_REALS):
        memory.reals[slot, i] = math.nan
    memory.callsign[slot] = 0
    memory.codes[slot, col.M_STRIKES] = 0
    memory.codes[slot, col.M_TRUST] = 0
    memory.times[slot, col.T_SEEN] = t
    settle(memory, slot)
    return slot


@part
def repeated(rumour: I64, address: Any, t: Any) -> Any:
    """Note an address that only its own parity tells, and say whether it came out often enough to be believed.

    A hundred frames of noise a second make a wrong address of it once in four years: three more of them hit the same
    one of 2**24 within a minute with a probability of (6,000 / 2**24)**3 / 6, or 8 * 10**-12. (A thousand: once in
    a day and a half.) Two addresses that hash to one cell put each other out, which only delays belief.
    """
    at = place_of(address, rumour.shape[0])
    if rumour[at, 0] != address or abs(t - rumour[at, 1]) > RUMOUR_NS:
        rumour[at, 0], rumour[at, 1], rumour[at, 2] = address, t, 0
    rumour[at, 2] += 1
    return rumour[at, 2] >= BELIEVED


@part
def is_echo(echo: I64, first: Any, second: Any, t: Any, receiver: Any, squitter: Any) -> Any:
    """Say whether the same transmission was met within `ECHO_NS`, and note this one.

    Several receivers hear one transmission, and networks pass it on twice. No aircraft squits twice as soon; it does
    reply twice, to two that ask, so a reply is an echo only if another receiver heard it. Two frames that hash to one
    cell put each other out: then an echo may pass, but nothing is taken for one that isn't.
    """
    # The last bits of both halves are parity, as good as random; the rest adds what tells short messages apart.
    mixed = first ^ first >> 17 ^ first >> 31 ^ second << 3 ^ second >> 23
    at = mixed & (echo.shape[0] - 1)
    same = echo[at, 0] == first and echo[at, 1] == second and abs(t - echo[at, 2]) < ECHO_NS
    if same and (squitter or echo[at, 3] != receiver):
        return True
    echo[at, 0], echo[at, 1], echo[at, 2], echo[at, 3] = first, second, t, receiver
    return False


@jit
def clear(memory: Memory) -> None:
    """Make a memory empty; all arrays overwritten."""
    memory.key[:] = -1
    memory.home[:] = -1
    slots = memory.key.shape[0]
    for slot in range(slots):
        memory.free[slot] = slots - 1 - slot  # so that slots are taken in order
    memory.state[col.FREE] = slots
    memory.state[col.FORGOTTEN] = 0
    memory.rumour[:] = col.NEVER
    memory.echo[:] = col.NEVER
