"""Warnings of single tracks and sensors: lost, emergency, doubtful, silent, overload; and how alerts stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from airpicture.alerts import Alert, AlertKind, AlertSettings, Level, Watch, alert_settings_from_table
from airpicture.alerts.standing import Cause, Standing
from airpicture.tables import Status, Tracks, pack_callsigns
from airpicture.units import FT, SECOND_NS
from alert_scenes import SENSORS, T0, by_key, tracks_of

FLYING: dict[str, Any] = {"v_east": 200.0, "address": [0x4CA2D6, 0x400001], "callsign": pack_callsigns(["RYR4A", ""])}


def lost(before: Tracks, after: Tracks, settings: AlertSettings | None = None, silent: tuple[str, ...] = ()) -> Any:
    """Return the alerts of lost tracks after two steps 4 s apart."""
    watch = Watch(settings or AlertSettings())
    watch.step(before, T0)
    alerts = watch.step(after, T0 + 4 * SECOND_NS, silent=silent)
    return [alert for alert in alerts if alert.kind == AlertKind.LOST]


def pair(**first: Any) -> tuple[Tracks, Tracks]:
    """Return two steps of two tracks, far apart; the first track ends. `first` is set for that one."""
    about = FLYING | {name: [value, FLYING.get(name, 6000.0)] for name, value in first.items() if name != "east"}
    east = [first.get("east", 30_000.0), -30_000.0]
    before = tracks_of(east=east, north=[0.0, 0.0], **about)
    after = tracks_of(east=east, north=[0.0, 0.0], at_s=4, **(about | {"status": [Status.ENDED, Status.CONFIRMED]}))
    return before, replace(after, seen=np.where(after.status[:, None] == Status.ENDED, -1, after.seen).astype(np.int32))


def test_a_track_that_ends_in_full_sight_is_lost() -> None:
    (alert,) = lost(*pair())
    assert alert.tracks == (1,)
    assert alert.level == Level.PRESENT
    assert alert.text == "RYR4A lost, FL197, last seen by radar"


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"east": 190_000.0}, "near the end of the radar's range"),
        ({"east": 150_000.0, "h_ell": 600.0, "h_baro": 600.0, "v_up": 5.0}, "below the radio horizon"),
        ({"v_east": 20.0}, "landing: slow"),
        ({"h_ell": 800.0, "h_baro": 800.0, "v_up": -4.0}, "landing: low and descending"),
        ({"plot_count": 5}, "too short to be missed"),
        ({"on_ground": 1, "v_east": 60.0}, "it said that it was on the ground"),
    ],
)
def test_tracks_that_landed_or_left_are_not_lost(about: dict[str, Any], reason: str) -> None:
    assert not lost(*pair(**about)), reason


@pytest.mark.parametrize(("on_ground", "v_east"), [(0, 100.0), (-1, 100.0), (1, 140.0)])
def test_who_flies_or_cannot_be_rolling_is_lost(on_ground: int, v_east: float) -> None:
    assert lost(*pair(on_ground=on_ground, v_east=v_east))


def test_a_sensor_that_sees_nothing_loses_nothing() -> None:
    before, after = pair()
    assert not lost(before, after, silent=("radar",))
    alone = after.take(np.array([0]))
    assert not lost(before, alone)


def test_nothing_is_lost_over_an_area_for_landing() -> None:
    table = {"area": [{"name": "field", "lat_deg": 50, "lon_deg": 8.42, "radius_m": 9000, "use": ["no-lost"]}]}
    assert not lost(*pair(), alert_settings_from_table(table, "alerts"))


def test_without_a_site_neighbours_tell() -> None:
    """A receiver whose place isn't known: lost where something near and no higher is still heard."""
    for near, expected in ((20_000.0, True), (90_000.0, False)):
        for up, higher in ((0.0, True), (3000.0, False)):
            heights = {"h_ell": [6000.0, 6000.0 + up], "h_baro": [6000.0, 6000.0 + up]}
            before = tracks_of(east=[0.0, near], north=[0.0, 0.0], **(FLYING | heights))
            after = tracks_of(east=[0.0, near], north=[0.0, 0.0], at_s=4, status=[3, 1], **(FLYING | heights))
            heard = np.where(before.seen == 0, np.int32(1), before.seen).astype(np.int32)
            alerts = lost(replace(before, seen=heard), replace(after, seen=heard))
            assert [alert.level for alert in alerts] == [Level.NOTICE] * (expected and higher)


def test_a_lost_track_is_shown_for_a_while_or_until_it_is_back() -> None:
    watch = Watch(AlertSettings())
    before, after = pair()
    watch.step(before, T0)
    stands = []
    for k in range(1, 40):
        now = T0 + 4 * k * SECOND_NS
        alerts = watch.step(after if k == 1 else after.take(np.array([1])), now)
        stands += [k for alert in alerts if alert.kind == AlertKind.LOST and alert.t_ns_ended < 0]
    assert stands == list(range(1, 31))  # 120 s
    watch = Watch(AlertSettings())
    watch.step(before, T0)
    watch.step(after, T0 + 4 * SECOND_NS)
    back = tracks_of(east=[30_000.0], north=[0.0], track=9, address=0x4CA2D6, at_s=8)
    (alert,) = watch.step(back, T0 + 8 * SECOND_NS)
    assert alert.t_ns_ended == T0 + 8 * SECOND_NS


@pytest.mark.parametrize(("code", "meaning"), [(0o7500, "unlawful"), (0o7600, "radio"), (0o7700, "emergency")])
def test_emergency_codes_need_two_plots(code: int, meaning: str) -> None:
    watch = Watch(AlertSettings())

    def step(second: float, plot_s: float, mode_3a: int) -> tuple[Alert, ...]:
        plot = T0 + round(plot_s * SECOND_NS)
        tracks = tracks_of(east=[0.0], north=[0.0], mode_3a=mode_3a, t_ns_plot=plot, at_s=second)
        return watch.step(tracks, T0 + round(second * SECOND_NS))

    assert step(0, 0, code) == ()
    assert step(1, 0, code) == ()  # the same plot again
    (alert,) = step(4, 4, code)
    assert (alert.kind, alert.level, alert.t_ns) == (AlertKind.EMERGENCY, Level.PRESENT, T0 + 4 * SECOND_NS)
    assert alert.text.startswith(f"code {code:04o} squawks {code:04o}, {meaning}")
    assert step(8, 8, 0o1234)[0].t_ns_ended < 0  # held against flicker
    assert step(12, 12, 0o1234)[0].t_ns_ended == T0 + 12 * SECOND_NS
    assert step(16, 16, code) == ()
    assert step(20, 20, 7700) == ()  # the number 7700 isn't octal 7700


def doubtful(*steps: Tracks, table: dict[str, Any] | None = None) -> dict[str, Alert]:
    """Return the alerts of doubt after some steps."""
    watch = Watch(alert_settings_from_table({"doubtful": table or {}}, "alerts"))
    for tracks in steps:
        alerts = watch.step(tracks, int(tracks.t_ns[0]))
    return {key: a for key, a in by_key(alerts).items() if a.kind == AlertKind.DOUBTFUL}


def test_one_address_in_two_places() -> None:
    both = [tracks_of(east=[0.0, 40_000.0], north=[0, 0], address=0xABCDEF, at_s=s) for s in (0, 4)]
    (alert,) = doubtful(*both).values()
    assert alert.key == "doubtful:address:ABCDEF:1:2"
    assert alert.text == "address ABCDEF in two places, 21.6 NM apart"
    assert alert.value == pytest.approx(40_000, rel=1e-3)
    assert not doubtful(both[0]), "one look isn't enough"
    near = [tracks_of(east=[0.0, 4000.0], north=[0, 0], address=0xABCDEF, at_s=s) for s in (0, 4)]
    vague = [tracks_of(east=[0.0, 8000.0], north=[0, 0], address=3, sigma_east=900.0, at_s=s) for s in (0, 4)]
    assert not doubtful(*near)
    assert not doubtful(*vague)


def test_one_code_in_two_places_where_asked_for() -> None:
    for code, table, expected in (
        (0o2345, {}, 0), (0o2345, {"same_code": True}, 1), (0o7000, {"same_code": True}, 0),
        (0o2345, {"same_code": True, "same_code_nmi": 10}, 0),
    ):  # fmt: skip
        both = [tracks_of(east=[0.0, 40_000.0], north=[0, 0], mode_3a=code, at_s=s) for s in (0, 4)]
        assert len(doubtful(*both, table=table)) == expected


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"north": [9000.0]}, "jump"),
        ({"north": [1500.0]}, ""),
        ({"north": [9000.0], "t_ns_plot": T0}, ""),  # no new plot: nothing new was told
        ({"v_east": 900.0}, "speed"),
        ({"v_east": 300.0}, ""),
        ({"h_baro": 6000.0 + 3000 * FT}, "height"),
        ({"h_baro": 6000.0 + 900 * FT}, ""),
        ({"h_baro": np.nan}, ""),
        ({"existence": 0.3}, "existence"),
    ],
)
def test_what_nothing_flies(change: dict[str, Any], key: str) -> None:
    usual: dict[str, Any] = {"east": [0.0], "north": [0.0], "v_east": 200.0}
    after = usual | {"east": [800.0]} | change
    alerts = doubtful(tracks_of(**usual), tracks_of(**after, at_s=4))
    assert list(alerts) == ([f"doubtful:{key}:1"] if key else [])
    if key == "jump":
        assert alerts["doubtful:jump:1"].value == pytest.approx(9000, rel=1e-3)


def test_plots_that_tell_another_height_look_after_look() -> None:
    steps = [tracks_of(east=[0.0], north=[0.0], plot_h_baro=6000.0 + 700, at_s=s) for s in (0, 4)]
    (alert,) = doubtful(*steps).values()
    assert alert.text == "track 1 tells 22,000 ft, its track is at FL197"
    assert alert.value == pytest.approx(700)
    assert not doubtful(steps[0])
    assert not doubtful(*[tracks_of(east=[0.0], north=[0.0], plot_h_baro=6000.0 + 500, at_s=s) for s in (0, 4)])


def test_silent_sensors_and_overload() -> None:
    watch = Watch(AlertSettings())
    none = Tracks.empty(SENSORS)
    alerts = by_key(watch.step(none, T0, silent=["radar", "receiver"], shed=1200))
    assert set(alerts) == {"silent:radar", "silent:receiver", "overload"}
    assert alerts["silent:radar"].sensor == "radar"
    assert "1,200" in alerts["overload"].text
    alerts = by_key(watch.step(none, T0 + SECOND_NS, silent=["receiver"]))
    assert alerts["silent:radar"].t_ns_ended == T0 + SECOND_NS
    assert alerts["silent:receiver"].t_ns_ended < 0
    assert alerts["overload"].t_ns_ended < 0, "it's held: sheds come and go"
    assert set(by_key(watch.step(none, T0 + 9 * SECOND_NS, silent=["receiver"]))) == {"silent:receiver", "overload"}
    assert set(by_key(watch.step(none, T0 + 10 * SECOND_NS, silent=["receiver"]))) == {"silent:receiver"}


def test_a_picture_that_is_behind_is_told_of() -> None:
    watch, none = Watch(AlertSettings()), Tracks.empty(SENSORS)
    (alert,) = watch.step(none, T0, behind_s=3.2)
    assert (alert.kind, alert.text) == (AlertKind.OVERLOAD, "overload: the picture is 3 s behind")
    (alert,) = watch.step(none, T0 + SECOND_NS, behind_s=9.0, shed=4000)
    assert alert.text == "overload: the picture is 9 s behind, 4,000 plots or tracks shed since the last update"


def test_kinds_can_be_off() -> None:
    settings = AlertSettings(off=frozenset(AlertKind))
    assert Watch(settings).step(tracks_of(east=[0], north=[0]), T0, silent=["radar"], shed=3) == ()


def cause(key: str = "a", level: Level = Level.PREDICTED, **about: Any) -> Cause:
    """Return a cause that is urgent unless told otherwise."""
    return Cause(key, AlertKind.CONFLICT, level, "text", **about)


def test_levels_rise_at_once_and_fall_after_the_hold() -> None:
    standing = Standing(AlertSettings(hold_s=8))
    levels = []
    for second, level in enumerate([1, 2, 1, 1, 2, *[1] * 12]):
        (alert,) = standing.update([cause(level=Level(level))], T0 + second * SECOND_NS)
        levels.append(int(alert.level))
        assert alert.t_ns == T0
    assert levels == [1, *[2] * 11, *[1] * 5]


def test_weak_causes_keep_but_do_not_raise() -> None:
    standing = Standing(AlertSettings(hold_s=2))
    assert standing.update([cause(sure=False)], T0) == ()
    assert standing.update([cause()], T0 + SECOND_NS)
    for second in range(2, 9):
        assert standing.update([cause(sure=False)], T0 + second * SECOND_NS)[0].t_ns_ended < 0
    assert standing.update([], T0 + 9 * SECOND_NS)[0].t_ns_ended < 0
    assert standing.update([], T0 + 10 * SECOND_NS)[0].t_ns_ended == T0 + 10 * SECOND_NS
    assert standing.update([], T0 + 11 * SECOND_NS) == ()


def test_what_isnt_urgent_is_raised_at_the_second_look() -> None:
    standing = Standing(AlertSettings())
    assert standing.update([cause(at_once=False)], T0) == ()
    assert standing.update([cause(at_once=False)], T0) == ()  # the same look again
    assert standing.update([], T0 + SECOND_NS) == ()
    assert standing.update([cause(at_once=False)], T0 + 2 * SECOND_NS) == ()
    assert standing.update([cause(at_once=False)], T0 + 3 * SECOND_NS)[0].t_ns == T0 + 3 * SECOND_NS


def test_the_highest_level_has_precedence_where_there_is_no_room() -> None:
    standing = Standing(AlertSettings(alerts_max=2))
    causes = [cause(name, level) for name, level in (("c", Level.NOTICE), ("b", Level.PRESENT), ("a", Level.NOTICE))]
    alerts = standing.update(causes, T0)
    assert [alert.key for alert in alerts] == ["b", "a"]
    assert standing.counts["alerts shed"] == 1
