"""Compiling the kernels on first use, on two cores, so that the first run isn't a long silence.

numba compiles a kernel when it's first called and keeps the result on disk. The kernel of a look alone takes a third of
the time; a second process compiles that one and the next largest that this one needs last, and CAT062's encoder where
it's wanted, while this one does the rest. Where no second process can be started everything is compiled here, which
only takes longer.

Which of the two compiles what is chosen so that both end at about the same time: a kernel that grows may want to
move. `airpicture bench --start` measures the whole.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from airpicture.commands.console import note, seconds
from airpicture.tables import Plots, Sensors, Tracks

T0_NS = 1_700_000_000_000_000_000  # any time
MESSAGES = ("messages.take_messages",)  # the kernel that only these need, and that takes longest to compile


def first_use() -> bool:
    """Say whether the kernels still have to be compiled."""
    from airpicture.kernels.warm import compiled

    return not compiled()


def tell_of_mode_s(inputs: Sequence[str], quiet: bool = False) -> None:
    """Say why reading the first recording of Mode S takes a while: its decoder is compiled."""
    from airpicture.errors import InputError
    from airpicture.formats.recognition import recognise
    from airpicture.kernels.warm import MODES, compiled

    if quiet or compiled(MODES):
        return
    with suppress(InputError, OSError):  # which is told where they're read
        if any(recognise(name) == "modes" for name in inputs if not os.path.isdir(name)):
            note("First use: compiling the decoder of Mode S. This takes some ten seconds, once.")


def tell_of_messages(plots: Plots, quiet: bool = False) -> None:
    """Say why tracking waits when the first messages without a place come: most recordings have none.

    They are velocities and codes that came at another time than a position.
    """
    from airpicture.kernels.warm import compiled

    if not quiet and bool((np.isnan(plots.azimuth) & np.isnan(plots.lat)).any()) and not compiled(MESSAGES):
        note("First use of messages without a position: compiling for them. This takes some five seconds, once.")


def warm_up(quiet: bool = False, cat062: bool = False, alerts: bool = False) -> None:
    """Compile what tracking needs, and CAT062's encoder and the alerts if wanted, unless that was done before."""
    if not first_use():
        return
    note("First use: compiling the kernels. This takes some fifteen seconds, once.", quiet)
    begun = time.monotonic()
    helper = None
    collects = gc.isenabled()
    gc.disable()  # the compiler's rests between two kernels are no time for it, either: see `kernels._compiler`
    with suppress(OSError):
        code = f"from airpicture.commands import warm; warm.compile_second({cat062}, {alerts}); warm.leave()"
        helper = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
    try:
        _track(scans=2)  # two scans begin tracks, and don't yet look at them
        if helper is not None:
            helper.wait()
    finally:
        if helper is not None and helper.poll() is None:
            helper.kill()
            helper.wait()
        if collects:
            gc.enable()
    _track(scans=6)
    note(f"Compiled in {seconds(time.monotonic() - begun)}.", quiet)


def compile_second(cat062: bool, alerts: bool = False) -> None:
    """Do the second process's share: first what the other one gets to before it waits for this one."""
    from airpicture.filters.look import compile_look
    from airpicture.picture.snapshot import compile_snapshot
    from airpicture.plots.stations import station_columns
    from airpicture.tracks.retire import compile_sweep

    gc.disable()
    sensors = _sensors()
    compile_sweep(station_columns(sensors))
    compile_snapshot(sensors)
    compile_look()
    if cat062:
        from airpicture.formats.asterix import encode_cat062

        encode_cat062(_tracks())
    if alerts:
        from airpicture.alerts import AlertSettings, Watch

        watch = Watch(AlertSettings())
        for _ in range(2):
            watch.step(Tracks.concat([_tracks(), _tracks()]), T0_NS)


def leave() -> None:
    """End this process without putting away what it has made, more than a second's work: all that counts is on disk."""
    os._exit(0)


def _sensors() -> Sensors:
    from airpicture.formats.sensors import sensors_from_rows

    radar = {"id": "r", "kind": "radar", "lat_deg": 45.0, "lon_deg": 5.0, "h_ell_m": 0.0, "period_s": 10.0}
    return sensors_from_rows([radar, {"id": "a", "kind": "adsb"}])


def _track(scans: int) -> None:
    """Track two targets, one seen by a radar and one that reports its position."""
    from airpicture.tracker import track

    sensors = _sensors()
    t = np.repeat(np.arange(scans) * 10.0, 2)
    radar = np.arange(2 * scans) % 2 == 0
    plots = Plots.blank(
        2 * scans,
        sensors,
        t_ns=T0_NS + (t * 1e9).astype(np.int64),
        sensor=np.where(radar, 0, 1),
        slant_range=np.where(radar, 100e3 + 200 * t, np.nan),
        azimuth=np.where(radar, 1.0, np.nan),
        h_baro=np.full(2 * scans, 5000.0),
        lat=np.where(radar, np.nan, 0.79 + t * 3e-5),
        lon=np.where(radar, np.nan, 0.09),
        sigma_pos=np.where(radar, np.nan, 30.0),
        address=np.where(radar, -1, 0x123456),
    )
    track(plots, sensors)


def _tracks() -> Tracks:
    return Tracks.blank(
        1,
        _sensors(),
        t_ns=np.array([T0_NS]),
        track=np.array([1]),
        status=np.array([1]),
        existence=np.ones(1),
        lat=np.full(1, 0.8),
        lon=np.full(1, 0.1),
        v_east=np.zeros(1),
        v_north=np.zeros(1),
        sigma_east=np.ones(1),
        sigma_north=np.ones(1),
        rho_east_north=np.zeros(1),
        t_ns_plot=np.array([T0_NS]),
    )
