"""An hour of a home receiver in ten lines: what is wrong in it, and where everybody really was.

Any recording will do: python home_receiver.py RECORDING (Beast, SBS, aircraft.json, ...). Without one, an hour is made.
"""

import sys

import airpicture as ap

if __name__ == "__main__":
    if len(sys.argv) > 1:
        plots = ap.read(sys.argv[1])
    else:
        from two_receivers import hour

        plots = hour("home", seed=1)
    cleaned = ap.clean(plots)
    for flag in ap.Flag:
        print(f"{flag.name.lower():15} {cleaned.marked(flag).sum():6}")
    tracks = ap.smooth(cleaned.good(), period_s=1.0)
    print(f"{len(plots)} reports of {len(set(tracks.track.tolist()))} aircraft, {len(tracks)} smoothed states")
    assert len(tracks) > 0
    if len(sys.argv) == 1:  # ten reports of the hour were put 500 m off
        assert (cleaned.flags > 0).sum() == 10
