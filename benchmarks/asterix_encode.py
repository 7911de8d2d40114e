"""Records a second of CAT062 written here and by libasterix, in one run, CPU time of one thread.

    python benchmarks/asterix_encode.py [records]

libasterix writes the ten items that its own examples do, one record a block; here all that the tracks hold is written,
in blocks of 1400 octets with end of batch and status messages.
"""

from __future__ import annotations

import sys
import time

import asterix.generated as generated
import numpy as np

from airpicture.formats.asterix.encode import encode_cat062
from airpicture.tables import SensorKind, Sensors, Status, Tracks, pack_callsigns

LIBASTERIX_RECORDS = 2_000


def tracks(n: int) -> Tracks:
    """Return n rows of 5 seconds with every column filled."""
    rng = np.random.default_rng(62)
    columns = {name: np.full(1, np.nan) for name in Sensors.column_names()[1:]}
    columns |= {"kind": np.array([SensorKind.RADAR], np.uint8), "period": np.array([10.0])}
    columns |= {"sac": np.array([25], np.int32), "sic": np.array([10], np.int32)}
    columns |= {"lat": np.array([0.72]), "lon": np.array([0.03])}
    floats = {
        "existence": (0.9, 1.0), "lat": (0.68, 0.77), "lon": (-0.05, 0.1), "h_ell": (0.0, 12e3), "h_baro": (0.0, 12e3),
        "v_east": (-300.0, 300.0), "v_north": (-300.0, 300.0), "v_up": (-15.0, 15.0), "sigma_east": (10.0, 200.0),
        "sigma_north": (10.0, 200.0), "rho_east_north": (-0.9, 0.9), "sigma_up": (9.0, 99.0), "sigma_v_up": (0.1, 3.0),
        "sigma_v_east": (0.5, 20.0), "sigma_v_north": (0.5, 20.0), "a_east": (-5.0, 5.0), "a_north": (-5.0, 5.0),
        "turn_left": (0.0, 0.5), "turn_right": (0.0, 0.5), "plot_range": (1e3, 4.5e5), "plot_azimuth": (0.0, 6.28),
        "plot_h_baro": (0.0, 12e3),
    }  # fmt: skip
    t = 1_700_000_000 * 10**9 + np.sort(rng.integers(0, 5 * 10**9, n))
    return Tracks.blank(
        n,
        Sensors(ids=("radar",), **columns),
        t_ns=t,
        track=rng.permutation(n),
        status=np.full(n, Status.CONFIRMED),
        mode_3a=rng.integers(0, 4096, n),
        plot_mode_3a=rng.integers(0, 4096, n),
        address=rng.integers(0, 2**24, n),
        callsign=np.resize(pack_callsigns([f"VLG{k}" for k in range(1000)]), n),
        seen=np.tile([0, -1, -1, -1, -1, -1, -1, -1], (n, 1)),
        t_ns_technology=np.column_stack([t - 10**9, t - 10**9, np.full((n, 3), -1)]),
        t_ns_first=t - 60 * 10**9,
        t_ns_plot=t - 10**9,
        plot_sensor=np.zeros(n),
        **{name: rng.uniform(low, high, n) for name, (low, high) in floats.items()},
    )


def libasterix(n: int) -> float:
    """Return records a second of libasterix."""
    spec = generated.Cat_062_1_20
    start = time.process_time()
    for k in range(n):
        record = spec.cv_record.create(
            {
                "010": (("SAC", 25), ("SIC", 200)),
                "015": 1,
                "040": k & 0xFFFF,
                "060": (0, 0, 0, 0, 0o1234),
                "070": 43_200.0 + k / 128,
                "080": ((0, 0, 0, 0, 0, None),),
                "100": (1000.0, 2000.0),
                "105": (41.0, 2.0),
                "136": 330.0,
                "185": (100.0, 200.0),
            }
        )
        spec.create([record]).unparse().to_bytes()
    return n / (time.process_time() - start)


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    table = tracks(n)
    encode_cat062(table.take(slice(0, 2000)))
    rates = []
    for _ in range(3):
        start = time.process_time()
        data = encode_cat062(table, sac=25, sic=200)
        rates.append(n / (time.process_time() - start))
    theirs = libasterix(LIBASTERIX_RECORDS)
    print(
        f"airpicture {max(rates):12,.0f} records/s  {len(data) / n:.0f} octets a record, messages of batches included"
    )
    print(f"libasterix {theirs:12,.0f} records/s")
    print(f"ratio      {max(rates) / theirs:12,.0f}")


if __name__ == "__main__":
    main()
