"""Settings of the tracker: what can't be meant is refused by name, before anything is tracked with it."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from airpicture.config import Association, Config, Life, Motion
from airpicture.errors import ConfigError

ROOMS = (Motion, Association, Life, Config)
MAY_BE_ZERO = {"apart", "start_odds", "revive_s", "late_s_max", "future_s_max"}
NUMBERS = [(room, f.name, f.type) for room in ROOMS for f in fields(room) if f.type in ("int", "float")]


@pytest.mark.parametrize(("room", "name", "kind"), NUMBERS, ids=lambda value: getattr(value, "__name__", value))
def test_every_number_is_held_to_its_kind(room: type[Any], name: str, kind: str) -> None:
    usual = getattr(room(), name)
    for wrong in (-1, -0.5, float("nan"), float("inf"), "12", None, True):
        with pytest.raises(ConfigError, match=rf"{name} = "):
            room(**{name: wrong})
    if kind == "int":
        with pytest.raises(ConfigError, match="whole number"):
            room(**{name: float(usual)})
        assert getattr(room(**{name: np.int64(usual)}), name) == usual
    if name in MAY_BE_ZERO:
        assert getattr(room(**{name: 0.0}), name) == 0.0
    else:
        with pytest.raises(ConfigError, match=rf"{name} = 0"):
            room(**{name: 0})


@pytest.mark.parametrize(
    ("room", "name"), [(room, name) for room, name, _ in NUMBERS if name.endswith(("_s", "_s_max"))]
)
def test_times_fit_into_whole_nanoseconds(room: type[Any], name: str) -> None:
    """Longer ones, meant as "never", would wrap round to less than nothing."""
    with pytest.raises(ConfigError, match=rf"{name} = "):
        room(**{name: 1.1e9})


def test_periods_of_no_length_are_refused() -> None:
    for name in ("output_period_s", "frame_s"):
        with pytest.raises(ConfigError, match=rf"{name} = 1e-10"):
            Config(**{name: 1e-10})


@pytest.mark.parametrize("name", ["motion", "association", "life"])
def test_parts_are_settings(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name} = .*Expected settings of the class"):
        Config(**{name: {}})


def test_settings_that_contradict_one_another() -> None:
    with pytest.raises(ConfigError, match=r"0 < retire < confirm < 1"):
        Life(retire=0.995)
    with pytest.raises(ConfigError, match=r"less than life.confirm"):
        Life(retire_tentative=0.995)
    with pytest.raises(ConfigError, match=r"shares below one"):
        Motion(share_turn=0.5)
    with pytest.raises(ConfigError, match=r"apart = 1.5"):
        replace(Association(), apart=1.5)


def test_settings_survive_json_and_tell_what_differs() -> None:
    config = Config(capacity=np.int64(99), life=Life(end_s=33.25), association=Association(method="nearest"))
    assert Config.from_plain(json.loads(json.dumps(config.plain()))) == config
    assert config.differing(Config()) == {"association.method": "nearest", "life.end_s": 33.25, "capacity": 99}
    assert Config.from_plain({}) == Config()
    assert Config.from_plain({"life": {"end_s": 33.25}}).differing(Config()) == {"life.end_s": 33.25}


@pytest.mark.parametrize(
    ("values", "named"),
    [({"charm": 1}, "charm = 1"), ({"life": {"charm": 1}}, "life.charm = 1"), ({"motion": 3}, "motion = 3")],
)
def test_settings_of_another_version_are_refused_by_name(values: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        Config.from_plain(values)
