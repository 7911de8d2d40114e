"""Two receivers, one picture: what both heard counts once, and what one missed the other has."""

import numpy as np

import airpicture as ap

SENSORS = ap.Sensors.from_rows([{"id": "home", "kind": "adsb"}, {"id": "hill", "kind": "adsb"}])


def hour(receiver: str, seed: int, wrong: int = 10) -> ap.Plots:
    """Return an hour of ADS-B as a receiver hears it: five aircraft every 2 s, 70 % of messages, a few places wrong."""
    sky, ear = np.random.default_rng(0), np.random.default_rng(seed)
    parts = []
    for k in range(5):
        t = np.arange(600.0 * k, 600.0 * k + 1200.0, 2.0)
        course = sky.uniform(0, 2 * np.pi) + np.cumsum(np.where((t % 700) < 60, 0.02, 0.0)) * 2.0
        speed = sky.uniform(150, 240)
        x = sky.uniform(-40e3, 40e3) + np.cumsum(speed * np.sin(course)) * 2.0 + sky.normal(0, 6, len(t))
        y = sky.uniform(-40e3, 40e3) + np.cumsum(speed * np.cos(course)) * 2.0 + sky.normal(0, 6, len(t))
        heard = ear.random(len(t)) < 0.7
        parts.append(
            np.column_stack([t, x, y, np.full(len(t), 0x400001 + k), np.full(len(t), 3000.0 * (k + 3))])[heard]
        )
    rows = np.concatenate(parts)
    rows[ear.choice(len(rows), wrong, replace=False), 1] += 500.0
    return ap.Plots.from_columns(
        sensors=SENSORS,
        sensor=receiver,
        t_ns=(rows[:, 0] * 1e9).astype(np.int64) + 1_767_225_600_000_000_000,
        lat_rad=0.83 + rows[:, 2] / 6.37e6,
        lon_rad=0.15 + rows[:, 1] / 6.37e6 / np.cos(0.83),
        h_baro_ft=rows[:, 4],
        address=rows[:, 3].astype(int),
    )


if __name__ == "__main__":
    one, two = hour("home", seed=1, wrong=0), hour("hill", seed=2, wrong=0)
    both = ap.Plots.concat([one, two])
    cleaned = ap.clean(both)
    twice = cleaned.marked(ap.Flag.DUPLICATE).sum()
    tracks = ap.smooth(cleaned.good())
    print(f"{len(one)} + {len(two)} reports, {twice} heard by both, {len(set(tracks.track.tolist()))} aircraft")
    assert len(set(tracks.track.tolist())) == 5
    assert 0.6 < twice / min(len(one), len(two)) < 0.8
