"""Streams of reported positions for tests: made up, in the form that real programs write."""

import json
from typing import Any

T0 = 1_714_564_800_000_000_000  # 2024-05-01 12:00:00


def sbs_message(kind: int, at: str, address: str = "4CA2D6", source: str = "MSG", more: str = "", **fields: Any) -> str:
    """Return a BaseStation message generated and logged at 2024-05-01 12:00:<at>; `more` are cells behind the 22."""
    names = ("callsign", "altitude", "speed", "course", "lat", "lon", "climb", "squawk", "alert", "emergency", "spi")
    cells = [str(fields.get(name, "")) for name in (*names, "ground")]
    date = f"2024/05/01,12:00:{at}"
    return ",".join([source, str(kind), "1", "1", address, "1", date, date, *cells]) + more


def aircraft(**changes: Any) -> dict[str, Any]:
    """Return an entry of aircraft.json."""
    full = {
        "hex": "a3e31a", "type": "adsb_icao", "flight": "N35GR   ", "alt_baro": 45000, "alt_geom": 45700, "gs": 489.0,
        "track": 90.0, "baro_rate": -640, "squawk": "3471", "lat": 35.208109, "lon": -110.373001, "seen_pos": 1.5,
        "nic": 8, "rc": 186, "nac_p": 10, "nac_v": 2, "sil": 3, "mlat": [], "tisb": [], "seen": 0.1,
    }  # fmt: skip
    return full | changes


def snapshot(*entries: dict[str, Any], now: float = 1_714_564_800.0, **more: Any) -> bytes:
    """Return an aircraft.json."""
    return json.dumps({"now": now, "messages": 1, "aircraft": list(entries)} | more).encode()


SBS = "\r\n".join(
    [
        sbs_message(1, "00.000", callsign="RYR12  "),
        sbs_message(6, "00.100", squawk="7700", altitude=35900),
        sbs_message(4, "00.500", speed=450, course=180, climb=-640),
        sbs_message(3, "01.123", altitude=36000, lat=51.5, lon=-0.1),
        sbs_message(3, "01.500", "4CA2D7", lat=52.5, lon=-0.1),
        sbs_message(3, "01.600", lat=51.499, lon=-0.1),
        sbs_message(3, "01.600", lat=51.499, lon=-0.1),
        "STA,,5,179,400AE7,10103,2024/05/01,12:00:01.000,2024/05/01,12:00:01.000,RM",
        "",
    ]
).encode()

# The first three messages and what they say are from dump978's own sample-output.txt (the values, not the program).
UAT = b"""!fa978=1;
-08ad7233356e0752cb780d29119817801f07ae2094e6c40ba2a4c280000da0000000;rs=1;rssi=-8.2;t=1714564800.000;
+00;
-00ad7233356dc752cb960d2911a814203f00;rssi=-8.1;t=1714564801.250;
-08ad7233356d2752cbcc0d1911c80ba03d066a0025ed2d0b76a4c080000d90000000;t=1714564804.500;
-10ad7233356a7f52cb120d29118e2280280000000000000000000000000db0000000;t=1714564817.000;
"""

# Payloads from pyais' tests (MIT).
AIS = (
    b"\\s:x,c:1714564801*00\\!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5C\r\n"
    b"\\c:1714564803*00\\!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C\r\n"
    b"!AIVDM,2,2,1,A,88888888880,2*25\r\n"
    b"!AIVDM,1,1,,B,91b77=h3h00nHt0Q3r@@07000<0b,0*6A,1714564805\r\n"
)

APRS = rb"""# aprsc 2.0.14-g28c5a6a 1 May 2024 12:00:05 GMT GLIDERN1 37.187.40.234:14580
FLRDDA5BA>OGFLR,qAS,LSZF:/120001h4415.41N/00600.03E'342/049/A=005524 !W05! id0ADDA5BA -454fpm -1.1rot 8.8dB gps4x5
FLRDDA5BA>OGFLR,qAS,LSZF:/120003h4415.43N/00600.02E'342/049/A=005514 !W05! id0ADDA5BA -454fpm -1.1rot 8.8dB gps4x5
ICA3D17F2>APRS,qAS,dl4mea:/120004h4821.61N\01224.49E^322/103/A=003054 !W09! id213D17F2 -039fpm +0.0rot 2.5dB FL030.50
LKHS>APRS,TCPIP*,qAC,GLIDERN2:/120004h4902.45NI01429.51E&000/000/A=001689
"""

JET1090 = b"\n".join(
    json.dumps(one).encode()
    for one in (
        {"timestamp": 1714564800.25, "frame": "8d", "df": "17", "icao24": "40621d", "bds": "08", "callsign": "EZY85MH"},
        {
            "timestamp": 1714564801.0, "frame": "8d", "df": "17", "icao24": "40621d", "bds": "09", "NACv": 1,
            "groundspeed": 159.2, "track": 182.88, "vertical_rate": -832,
        },
        {
            "timestamp": 1714564801.5, "frame": "8d", "df": "17", "icao24": "40621d", "bds": "05", "NUCp": 7,
            "altitude": 38000, "latitude": 52.26578017412606, "longitude": 3.938912527901786,
            "metadata": [{"system_timestamp": 1714564801.4, "rssi": -20.1, "serial": 1}],
        },
        {"timestamp": 1714564802.0, "frame": "a0", "df": "20", "icao24": "40621d", "altitude": 37975},
    )
)  # fmt: skip
JET1090 += b"\n"

# The messages printed in the interface specification (560-1058-00 rev. A, 2.2.4 and 3.5.4), the second with its flags.
GDL90_HEARTBEAT = bytes.fromhex("7e008141dbd00802b38b7e")
GDL90_TRAFFIC = bytes.fromhex("1400ab45491fef15a889780f09a907b0012001" + b"N825V   ".hex() + "00")

STATES = json.dumps(
    {
        "time": 1714564800,
        "states": [
            [
                "4b1901", "EDW24   ", "Switzerland", 1714564798, 1714564799, 8.54, 47.47, 1219.2, False, 82.3, 330.1,
                4.55, None, 1260.0, "3016", False, 0, 1,
            ],
            [
                "4b1902", "", "Switzerland", None, 1714564799, None, None, None, False, 82.3, 330.1, 4.55, None, None,
                None, False, 2,
            ],
        ],
    }
).encode()  # fmt: skip


def nmea(body: str) -> str:
    """Return a line of NMEA 0183 with its checksum."""
    value = 0
    for character in body:
        value ^= ord(character)
    return f"${body}*{value:02X}"


FLARM = "".join(
    nmea(body) + "\r\n"
    for body in (
        "PFLAU,0,1,1,1,0,,0,,",
        "PFLAA,0,100,0,0,2,DD8F12,180,,30,-1.4,1",  # before the owner's position
        "GPGGA,120000.00,4740.0000,N,00900.0000,E,1,08,1.1,1250.0,M,47.5,M,,",
        "GPRMC,120000.00,A,4740.0000,N,00900.0000,E,52.0,270.0,010524,,,A",
        "PFLAU,3,1,1,1,2,-30,2,-32,755",
        "PFLAA,0,-1234,1234,220,2,DD8F12,180,,30,-1.4,1",
        "PFLAA,0,500,-300,-20,1,4B1234,45,,60,2.0,3,0,1,-40",
        "PFLAA,0,5000,,100,1,4B9999,,,,,8,0,6,-70",  # Mode S: a distance alone
        "PFLAA,0,500,300,10,2,DDAAAA,45,,20,2.0,1,1",  # asks not to be shown
    )
).encode()
