"""Live: plots arrive in batches, and each step gives the picture as it is now.

However the plots are cut into batches, the picture is the same, to the last bit.
"""

import numpy as np

import airpicture as ap


def main() -> None:
    run = ap.simulate("crossing", duration_s=120)
    plots, end_ns = run.plots, int(run.truth.t_ns[-1])
    tracker = ap.Tracker(run.sensors)
    done = 0
    for now_ns in range(int(plots.t_ns[0]), end_ns, 1_000_000_000):  # once a second, as a service would
        upto = int(np.searchsorted(plots.t_ns, now_ns, side="right"))
        picture = tracker.step(plots.take(slice(done, upto)), now_ns)
        done = upto
        if now_ns // 1_000_000_000 % 20 == 0:
            print(f"{upto:5d} plots  {len(picture.tracks):3d} tracks  {len(picture.changed):3d} changed")
    picture = tracker.step(plots.take(slice(done, len(plots))), end_ns)

    at_once = ap.Tracker(run.sensors)
    other = at_once.step(plots, end_ns)
    live, other_live = (p.tracks.take(p.tracks.status != ap.Status.ENDED) for p in (picture, other))
    for name in ("track", "status", "lat", "lon", "v_east", "sigma_east", "existence"):
        assert np.array_equal(getattr(live, name), getattr(other_live, name)), name
    assert (live.status == ap.Status.CONFIRMED).sum() >= 4
    print(picture.to_arrow().select(["track", "status", "lat_deg", "lon_deg", "sigma_east_m"]).to_pylist()[0])


if __name__ == "__main__":
    main()
