"""A small aircraft turning over a desert strip, before and after: a real recording, a report every 5 s or so.

Every third report is kept back. Where smoothing puts the aircraft at those times is compared with a straight line
between its neighbours, which is what a map draws. With matplotlib, `python circling.py picture.png` draws both.
"""

import sys
from importlib.resources import files

import numpy as np

import airpicture as ap


def flat(lat, lon, origin):
    """Return metres east and north of an origin (rad)."""
    return 6.371e6 * (lon - origin[1]) * np.cos(origin[0]), 6.371e6 * (lat - origin[0])


def draw(name, plots, tracks, origin):
    """Draw reports joined by straight lines, and the smoothed way."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 6), sharex=True, sharey=True, layout="constrained")
    for axis, title, line, table in ((axes[0], "reports", ".-", plots), (axes[1], "smoothed", "-", tracks)):
        x, y = flat(table.lat, table.lon, origin)
        axis.plot(x / 1000, y / 1000, line, linewidth=1, markersize=4)
        axis.set(title=title, aspect="equal", xlabel="km east", xlim=(-5, 7), ylim=(-8, 9))  # where it circles
        axis.grid(alpha=0.25)
    axes[0].set(ylabel="km north")
    figure.savefig(name, dpi=110)


if __name__ == "__main__":
    plots = ap.read(str(files("airpicture") / "data" / "88nv_1hr.jsonl.gz"))
    plots = plots.take(plots.address == 0xA1DEAA).in_time_order()
    kept = np.arange(len(plots)) % 3 == 1
    rest, back = plots.take(~kept), plots.take(kept)
    tracks = ap.smooth(rest, period_s=1.0)
    origin = float(plots.lat.mean()), float(plots.lon.mean())

    def off(t_ns, lat, lon):
        x, y = flat(lat, lon, origin)
        there = flat(back.lat, back.lon, origin)
        inside = (back.t_ns >= tracks.t_ns[0]) & (back.t_ns <= tracks.t_ns[-1])
        away = np.hypot(np.interp(back.t_ns, t_ns, x) - there[0], np.interp(back.t_ns, t_ns, y) - there[1])
        return np.percentile(away[inside], 90)

    line, way = off(rest.t_ns, rest.lat, rest.lon), off(tracks.t_ns, tracks.lat, tracks.lon)
    print(f"{len(back)} reports kept back: {line:.0f} m off a straight line, {way:.0f} m off the smoothed way (90 %)")
    if len(sys.argv) > 1:
        draw(sys.argv[1], plots, ap.smooth(plots, period_s=1.0), origin)
    assert way < line
