"""Looks at plain plots: what they say besides a range and an azimuth isn't in their briefs, and is learnt as well."""

import pytest
from test_look import STATIONS, T0, all_pairs, copy_of, looker, plots_round, reports_of, store_of

from airpicture.kernels import layout as lay


@pytest.mark.parametrize("says", ["address", "mode_3a", "callsign", "on_ground", "category"])
def test_a_track_learns_all_that_a_plain_plot_says(says: str) -> None:
    track, plots = plots_round(3, lay.POLAR, {}, 1)
    plots[0].log_clutter = -300.0  # nothing else can have caused it
    reports, value = reports_of(plots, [T0], 0), 1
    getattr(reports, says)[0] = value
    store = store_of([track], [T0])
    before = copy_of(store)
    looker().look(all_pairs(1, 1), reports, STATIONS, store)
    assert getattr(store, says)[0] == value != getattr(before, says)[0]
    for other in {"address", "mode_3a", "callsign", "on_ground", "category"} - {says}:
        assert getattr(store, other)[0] == getattr(before, other)[0]
    assert store.plot_mode_3a[0] == reports.mode_3a[0]
    assert (store.plot_range[0], store.plot_azimuth[0]) == (plots[0].slant_range, plots[0].azimuth)
