"""What a wrong file of settings says: the file, the line, the key, what was expected."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from airpicture.commands.serve import example_text
from airpicture.errors import AirpictureError, ConfigError
from airpicture.service.address import parse
from airpicture.service.config import load_settings, parse_settings, settings_text
from airpicture.service.toml import COMMAND_LINE
from service_kit import RADAR, WEB

INPUT = '[[input]]\nfrom = "udp://127.0.0.1:8600"\n'
SOUND = RADAR + INPUT


def test_the_example_is_sound_and_says_the_defaults() -> None:
    settings = parse_settings(example_text(), "example.toml")
    assert [one.format for one in settings.inputs] == ["asterix", "asterix"]
    assert settings.inputs[0].twin == settings.inputs[1].twin == "radars"
    bare = parse_settings(SOUND)
    assert bare.journal.rotate_mb == settings.journal.rotate_mb / 4  # in memory there's less room
    assert (bare.web.port, bare.step_s) == (settings.web.port, settings.step_s)
    # each line that is commented out as an example is sound, too
    keys = (
        r"\[\[|from =|to =|name =|rotate_s|keep_h|changes|capacity|late_s|association|checkpoint|lat_deg|lon_deg|zoom"
    )
    full = re.sub(rf"(?m)^# (?=({keys}))", "", example_text())
    assert len(parse_settings(full.replace('token_file = "hook.token"', ""), "example.toml").outputs) == 6


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (SOUND + "nmae = 3\n", 12, "unknown key 'nmae' in [input]. Expected one of from, name"),
        (SOUND + "twin = 3\n", 12, "twin = 3. Expected a text in quotes"),
        (SOUND + "rate_max = -1\n", 12, "rate_max = -1. Expected a number from 1 to 10,000,000"),
        (SOUND + 'allow = ["300.1.1.1"]\n', 12, "'300.1.1.1' is no address or network"),
        (SOUND + 'interface = "eth0"\n', 12, "Expected the address of an interface"),
        (SOUND + 'stamps = "arival"\n', 12, "Did you mean 'arrival'?"),
        (SOUND + 'editions = { "48" = "9.9" }\n', 12, "CAT048 edition '9.9' isn't known"),
        (
            SOUND + 'sensors = ["south"]\n',
            12,
            "sensor 'south' isn't described. Expected ids of [[sensor]] tables: north",
        ),
        (RADAR + '[[input]]\nfrom = "bests://h:1"\n', 11, "names no known format"),
        (RADAR + '[[input]]\nfrom = "beast:udp://h:1"\n', 11, "beast doesn't go by udp. Expected one of tcp, listen"),
        (RADAR + '[[input]]\nfrom = "sbs://host"\n', 11, "has no port"),
        (RADAR + '[[input]]\nfrom = "sbs://host:99999"\n', 11, "no port from 0 to 65535"),
        (RADAR + '[[input]]\nfrom = "beast:listen://0.0.0.0:1"\n', 11, "listens to any machine. Expected allow"),
        (RADAR + "[[input]]\n", 10, "[input] has no 'from'"),
        (RADAR + '[[input]]\nfrm = "sbs://host:1"\n', 11, "Rename 'frm' to 'from'"),
        (SOUND + "[tracker]\ncapacity = 1.5\n", 13, "capacity = 1.5. Expected a whole number from 16 to 100,000,000"),
        (SOUND + '[alerts]\nof = ["lost"]\n', 13, "Did you mean 'off'?"),
        (SOUND + INPUT, 12, "the input 'udp://127.0.0.1:8600' is there twice"),
        (
            SOUND + '[[output]]\nto = "cat062:udp://h:1"\nsac = 256\n',
            14,
            "sac = 256. Expected a whole number from 0 to 255",
        ),
        (SOUND + '[[output]]\nto = "sbs:listen://0.0.0.0:30003"\n', 13, "Expected open = true beside it"),
        (SOUND + '[web]\nlisten = "0.0.0.0:80"\n', 13, "can be reached from other machines. Expected token_file"),
        (SOUND + '[web]\nlisten = "8080"\n', 13, "Expected HOST:PORT"),
        (SOUND + '[web]\ntoken_file = "nowhere"\n', 13, "there is no such file"),
        (SOUND + '[web]\norigins = ["picture.example"]\n', 13, "Expected scheme and host"),
        (SOUND + "[tracker]\ncapacity = 100.5\n", 13, "Expected a whole number from 16"),
        (SOUND + "[jurnal]\n", 12, "unknown table or key 'jurnal'. Expected one of"),
        (SOUND.replace("lat_deg = 47.0", "lat_deg = 470"), 6, "lat_deg is 470. Expected a value from -90 to 90"),
        (RADAR + SOUND, 11, "sensor 'north' is described twice. Expected each id once"),
        (RADAR + SOUND.replace('"north"', '"south"'), 14, "'north' and 'south' (radar) both have SAC/SIC 1/2"),
        (SOUND.replace("period_s =", "periods ="), 9, "unknown key 'periods'"),
        (SOUND + "from = 'x'\n", 12, "a key or table is there twice: \"from = 'x'\""),
        (SOUND.replace('8600"', "8600"), 11, "not valid TOML: Illegal character"),
        (SOUND + INPUT.replace("[[input]]", '[[input]]\nname = "b"'), 14, "listens there already. Expected a port"),
        (RADAR + '[[input]]\nfrom = "-"\n[[input]]\nfrom = "beast:-"\n', 13, "standard input is read by '-' already"),
        (
            SOUND + '[[output]]\nto = "sbs:listen://127.0.0.1:1"\n[[output]]\nto = "cot:listen://127.0.0.1:1"\n',
            15,
            "to = 'listen://127.0.0.1:1': 'sbs:listen://127.0.0.1:1' listens there already",
        ),
        (SOUND + '[[input]]\nfrom = "replay:none.pcap"\n', 13, "none.pcap: there is no such file"),
        (
            SOUND + '[[input]]\nfrom = "replay:x"\nspeed = 2\n',
            14,
            "a replay at another speed than 1, or stepped, beside",
        ),
        (SOUND + '[[input]]\nfrom = "replay:x"\nstepped_s = 2\n', 14, "at another speed than 1, or stepped, beside"),
        ("sensors = 3\n" + INPUT, 1, "sensors = 3. Expected the name of a sensors.toml"),
    ],
)
def test_a_fault_is_named_by_line_and_key(text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError) as fault:
        parse_settings(text, "serve.toml")
    assert str(fault.value).startswith(f"serve.toml, line {line}: ")
    assert said in str(fault.value)


def test_faults_without_a_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"serve.toml, line 2: not valid TOML: .*'listen ='"):
        parse_settings("[web]\nlisten = \n", "serve.toml")
    with pytest.raises(ConfigError, match=r"no \[\[input\]\]"):
        parse_settings(RADAR, "serve.toml")
    with pytest.raises(AirpictureError, match=r"no such file.*--example"):
        load_settings(tmp_path / "none.toml")
    assert parse_settings("\ufeff" + SOUND, "serve.toml") is not None  # as some editors begin a file


def test_a_token_has_to_be_long(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("short\n")
    path = tmp_path / "serve.toml"
    path.write_text(SOUND + '[web]\nlisten = "0.0.0.0:0"\ntoken_file = "token"\n')
    with pytest.raises(ConfigError, match=r"line 14: the token has 5 characters.*openssl"):
        load_settings(path)
    (tmp_path / "token").write_text("x" * 32)
    assert load_settings(path).web.token_file == str(tmp_path / "token")


def test_a_command_line_is_a_file() -> None:
    text = settings_text(
        ["beast://localhost:30005", "udp://239.1.1.1:8600?interface=192.0.2.1&allow=192.0.2.0/24&editions=21:0.23"],
        ["aircraft-json:/run/airpicture", "cat062:udp://[ff15::1]:8600?period_s=4&ttl=3"],
        port=0,
    )
    settings = parse_settings(text, COMMAND_LINE)
    assert [(one.format, str(one.address)) for one in settings.inputs] == [
        ("beast", "tcp://localhost:30005"),
        ("asterix", "udp://239.1.1.1:8600"),
    ]
    assert settings.inputs[1].interface == "192.0.2.1"
    assert settings.inputs[1].editions == (("021", "0.23"),)
    assert settings.outputs[1].address.host == "ff15::1"
    assert (settings.outputs[1].period_s, settings.outputs[1].ttl) == (4.0, 3)
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 0)
    assert settings.sensors.ids == ("adsb", "mlat")


@pytest.mark.parametrize(
    ("text", "format_", "where"),
    [
        ("-", "", "-"),
        ("beast:-", "beast", "-"),
        ("asterix:tcp://radar:8600", "asterix", "tcp://radar:8600"),
        ("aircraft-json:http://pi/data/aircraft.json", "aircraft-json", "http://pi:80/data/aircraft.json"),
        ("aircraft-json:/run/readsb", "aircraft-json", "/run/readsb"),
        ("replay:radar.pcap", "replay", "radar.pcap"),
        ("udp://:8600", "asterix", "udp://127.0.0.1:8600"),
        ("plots://127.0.0.1:8081/own", "plots", "http://127.0.0.1:8081/own"),
    ],
)
def test_addresses(text: str, format_: str, where: str) -> None:
    found, address, _ = parse(text)
    assert (found, str(address)) == (format_, where)


@pytest.mark.parametrize(
    ("text", "out", "meant"),
    [
        ("beast:localhost:30005", False, "beast://localhost:30005"),
        ("asterix:upd://239.1.1.1:8600", False, "asterix:udp://239.1.1.1:8600"),
        ("cot:239.2.3.1:6969", True, "cot://239.2.3.1:6969"),
    ],
)
def test_a_slip_in_an_address_is_told(text: str, out: bool, meant: str) -> None:
    with pytest.raises(ConfigError) as fault:
        parse(text, out=out)
    assert str(fault.value).endswith(f"Did you mean {meant!r}?")
    parse(meant, out=out)


def test_a_fault_on_the_command_line_has_no_line_number() -> None:
    text = settings_text(["beast://localhost:30005", "beast://localhost:30005"], [])
    with pytest.raises(ConfigError, match=r"^command line: the input 'beast://localhost:30005' is there twice"):
        parse_settings(text, COMMAND_LINE)


def test_web_is_part_of_no_other_table() -> None:
    assert parse_settings(SOUND + WEB).web.port == 0


GROUND = """
[map]
overlays = "air.geojson"
tiles = "https://tiles.example/{z}/{x}/{y}.png"
tiles_note = "ours"
[[map.place]]
name = "home"
lat_deg = 47.0
lon_deg = 8.0
[[alerts.area]]
name = "zone"
floor_fl = 50
ceiling_fl = 100
polygon = [[47.0, 8.0], [47.5, 8.0], [47.5, 8.5]]
"""


def test_the_map_gets_its_ground_and_the_watched_areas(tmp_path: Path) -> None:
    (tmp_path / "serve.toml").write_text(SOUND + GROUND)
    with pytest.raises(ConfigError, match=r"line 14: the overlay .*air\.geojson' isn't there"):
        load_settings(str(tmp_path / "serve.toml"))
    (tmp_path / "air.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    ground = load_settings(str(tmp_path / "serve.toml")).map
    assert [(one.name, one.lat_deg, one.lon_deg, one.zoom) for one in ground.places] == [("home", 47.0, 8.0, 6.0)]
    assert ground.to_json()["overlays"] == ["air", "watched areas"]
    assert ground.origin == "https://tiles.example"
    assert json.loads(ground.overlay(0))["features"] == []
    (area,) = json.loads(ground.overlay(1))["features"]
    assert area["properties"] == {"name": "zone", "heights": "FL050 to FL100", "use": ["entry"]}
    assert area["geometry"]["coordinates"] == [[[8.0, 47.0], [8.0, 47.5], [8.5, 47.5], [8.0, 47.0]]]
    with pytest.raises(IndexError):
        ground.overlay(2)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[map]\ntiles = "https://x/y.png"\n', 13, "has no {z} and no {x} and no {y}"),
        ('[map]\n[[map.place]]\nname = "x"\nlat_deg = 91\nlon_deg = 0\n', 15, "lat_deg = 91. Expected a number"),
        ('[map]\nplace = 3\n', 13, "place = 3. Expected lines [[map.place]]"),
        (f'[map]\noverlays = "{__file__}"\n', 13, "is no GeoJSON"),
        ('[map]\noverlay = "x"\n', 13, "Did you mean 'overlays'?"),
    ],
)  # fmt: skip
def test_faults_of_the_map_are_named_by_line(text: str, line: int, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"line {line}") + ".*" + re.escape(said)):
        parse_settings(SOUND + text, "s.toml")


def test_a_radar_of_unknown_turn_is_told_of() -> None:
    assert parse_settings(SOUND).notes == ()
    (note,) = parse_settings(re.sub(r"(?m)^period_s.*\n", "", SOUND)).notes
    assert "radar 'north' has no period_s" in note
