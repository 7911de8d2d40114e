"""What the machine is said to be: numbers that a wrong count of bytes or of threads would move out of bounds."""

import os
import time

import numpy as np
import pytest

from airpicture.bench.machine import _add_scaled, cores, cpu_name, describe, memory_gib, peak_rss_mib, triad


def test_triad_adds_up() -> None:
    b, c = np.arange(20_001.0), np.arange(20_001.0)[::-1].copy()
    a = np.zeros(20_001)
    _add_scaled(a, b, c)
    assert (a == b + 3.0 * c).all()


def test_bandwidth_is_of_the_order_of_a_copy() -> None:
    measured = triad(1)
    source, target = np.ones(12_000_000), np.zeros(12_000_000)
    best = 1e9
    for _ in range(9):
        begun = time.perf_counter()
        target[:] = source
        best = min(best, time.perf_counter() - begun)
    copy = 16.0 * len(source) / best / 1e9
    assert copy / 6 < measured < copy * 6


def test_a_machine_is_described() -> None:
    machine = describe(2)
    assert machine.cores == cores() <= (os.cpu_count() or 1)
    assert len(machine.triad_gb_s) == min(2, cores())
    assert 0.5 < machine.triad_gb_s[0] < 1000.0
    assert 0.5 < machine.product_gflop_s < 5000.0  # one thread of anything between a phone and a server
    assert machine.numpy == np.__version__
    assert machine.numba[0].isdigit()
    assert cpu_name()


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="the system doesn't tell its memory")
def test_memory_is_what_the_system_says() -> None:
    assert 0.5 < memory_gib() < 1e5
    block = np.ones(30_000_000)  # 229 MiB
    assert block.sum() == 30_000_000
    assert 229.0 < peak_rss_mib() < 1024.0 * memory_gib()
