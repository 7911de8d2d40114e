"""How each class of target moves: representative kinematics, one row a class, and why.

The rows are bounds and habits for simulated traffic. They're typical of the kind, from public figures, and say nothing
exact of any one type. Speeds are ground speeds in still air; heights are above the ellipsoid over a smooth Earth.
"""

from dataclasses import dataclass

from airpicture.units import DEG, G0


@dataclass(frozen=True, slots=True)
class TargetClass:
    """Bounds (never left) and habits (defaults of a group) of one class.

    A pair is a range from which each target or each leg draws uniformly.
    """

    speed: tuple[float, float]  # m/s, bounds
    height: tuple[float, float]  # m above the ellipsoid, bounds
    cruise_speed: tuple[float, float]  # m/s, default of a group
    cruise_height: tuple[float, float]  # m, default of a group
    acceleration: float  # m/s², along the path, speeding up
    deceleration: float  # m/s², along the path, slowing down
    lateral: float  # m/s², bound across the path
    turn_rate: float  # rad/s, bound
    climb: float  # m/s, bound up and down
    vertical: float  # m/s², bound of the change of climb
    manoeuvre: str  # one of scenario.MANOEUVRES
    straight: tuple[float, float]  # s, straight legs between turns
    turn: tuple[float, float]  # rad, size of a turn
    turn_lateral: tuple[float, float]  # m/s², habit in turns
    speed_hold: tuple[float, float]  # s between changes of speed
    level_hold: tuple[float, float]  # s between changes of height
    climbers: float  # share of the targets that change height at all
    rcs: float  # m², for sensors whose detection falls with range
    pause: tuple[float, float] | None = None  # s, standing or hovering between two moves
    transponder: str = "none"  # one of scenario.TRANSPONDERS
    adsb: bool = False
    mode_c_step_ft: float = 25.0
    reason: str = ""


def lateral_of_load(load: float) -> float:
    """Return the acceleration across the path [m/s²] in a level turn of load factor n: g sqrt(n² - 1)."""
    return float(G0 * (load * load - 1.0) ** 0.5)


def lateral_of_bank(tan_bank: float) -> float:
    """Return the acceleration across the path [m/s²] in a level coordinated turn: g tan(bank)."""
    return G0 * tan_bank


_BANK_25 = lateral_of_bank(0.4663)  # ICAO Doc 8168: turns at 25° of bank or 3°/s, whichever needs less bank

# Radar cross-sections after Skolnik, Introduction to Radar Systems, 2nd edition, table 2.2, in round numbers.
CLASSES: dict[str, TargetClass] = {
    "fighter": TargetClass(
        speed=(100.0, 680.0),
        height=(100.0, 17_000.0),
        cruise_speed=(180.0, 420.0),
        cruise_height=(2_000.0, 13_000.0),
        acceleration=10.0,
        deceleration=12.0,
        lateral=lateral_of_load(9.0),
        turn_rate=22.0 * DEG,
        climb=250.0,
        vertical=20.0,
        manoeuvre="free",
        straight=(15.0, 90.0),
        turn=(30.0 * DEG, 180.0 * DEG),
        turn_lateral=(lateral_of_load(2.0), lateral_of_load(9.0)),
        speed_hold=(40.0, 120.0),
        level_hold=(40.0, 150.0),
        climbers=0.7,
        rcs=4.0,
        reason="Mach 0.3 low to 2.3 high (680 m/s at 11 km); structural limit 9 g; sustained climb 250 to 330 m/s;"
        " instantaneous turn rate a little over 20 °/s",
    ),
    "helicopter": TargetClass(
        speed=(0.0, 62.0),
        height=(5.0, 4_000.0),
        cruise_speed=(20.0, 60.0),
        cruise_height=(100.0, 1_500.0),
        acceleration=2.0,
        deceleration=2.0,
        lateral=lateral_of_bank(0.577),
        turn_rate=20.0 * DEG,
        climb=10.0,
        vertical=2.0,
        manoeuvre="hover",
        straight=(30.0, 120.0),
        turn=(20.0 * DEG, 180.0 * DEG),
        turn_lateral=(lateral_of_bank(0.176), lateral_of_bank(0.577)),
        speed_hold=(60.0, 240.0),
        level_hold=(60.0, 240.0),
        climbers=0.5,
        rcs=3.0,
        pause=(30.0, 120.0),
        transponder="mode-s",
        reason="light utility helicopter: up to 60 m/s, climb 10 m/s, bank of 10° to 30° in turns, hovers for minutes",
    ),
    "cruise-missile": TargetClass(
        speed=(200.0, 1_000.0),
        height=(4.0, 15_000.0),
        cruise_speed=(900.0, 950.0),
        cruise_height=(8.0, 15.0),
        acceleration=40.0,
        deceleration=20.0,
        lateral=8.0 * G0,
        turn_rate=20.0 * DEG,
        climb=200.0,
        vertical=40.0,
        manoeuvre="weave",
        straight=(30.0, 90.0),
        turn=(5.0 * DEG, 30.0 * DEG),
        turn_lateral=(2.0 * G0, 5.0 * G0),
        speed_hold=(600.0, 900.0),
        level_hold=(600.0, 900.0),
        climbers=0.0,
        rcs=0.5,
        reason="Mach 2.8 at sea level is 950 m/s; skims at 8 to 15 m; a weave of several g at the end",
    ),
    "air-to-air-missile": TargetClass(
        speed=(150.0, 1_250.0),
        height=(500.0, 20_000.0),
        cruise_speed=(1_100.0, 1_200.0),
        cruise_height=(4_000.0, 12_000.0),
        acceleration=250.0,
        deceleration=15.0,
        lateral=20.0 * G0,
        turn_rate=25.0 * DEG,
        climb=300.0,
        vertical=100.0,
        manoeuvre="boost",
        straight=(5.0, 15.0),
        turn=(2.0 * DEG, 20.0 * DEG),
        turn_lateral=(2.0 * G0, 8.0 * G0),
        speed_hold=(600.0, 900.0),
        level_hold=(10.0, 20.0),
        climbers=0.5,
        rcs=0.2,
        reason="a solid motor gives about 25 g for four seconds, to Mach 4 (1,180 m/s at 11 km), then drag alone",
    ),
    "transport": TargetClass(
        speed=(60.0, 275.0),
        height=(100.0, 13_100.0),
        cruise_speed=(190.0, 260.0),
        cruise_height=(7_000.0, 12_500.0),
        acceleration=0.5,
        deceleration=0.5,
        lateral=_BANK_25,
        turn_rate=3.0 * DEG,
        climb=15.0,
        vertical=1.0,
        manoeuvre="free",
        straight=(90.0, 400.0),
        turn=(10.0 * DEG, 60.0 * DEG),
        turn_lateral=(0.5 * _BANK_25, _BANK_25),
        speed_hold=(150.0, 500.0),
        level_hold=(100.0, 400.0),
        climbers=0.35,
        rcs=40.0,
        transponder="mode-s",
        adsb=True,
        reason="airliner: cruises at Mach 0.78 to 0.85, climbs at up to 15 m/s, turns at standard rate (3 °/s) but"
        " never over 25° of bank, changes climb by about 0.1 g for the passengers' sake",
    ),
    "drone": TargetClass(
        speed=(0.0, 42.0),
        height=(5.0, 3_000.0),
        cruise_speed=(5.0, 35.0),
        cruise_height=(50.0, 400.0),
        acceleration=3.0,
        deceleration=3.0,
        lateral=lateral_of_bank(0.577),
        turn_rate=45.0 * DEG,
        climb=5.0,
        vertical=2.0,
        manoeuvre="hover",
        straight=(10.0, 60.0),
        turn=(30.0 * DEG, 180.0 * DEG),
        turn_lateral=(lateral_of_bank(0.176), lateral_of_bank(0.577)),
        speed_hold=(20.0, 90.0),
        level_hold=(30.0, 120.0),
        climbers=0.5,
        rcs=0.02,
        pause=(10.0, 60.0),
        reason="small unmanned aircraft: up to 40 m/s, agile, no larger than a bird on radar",
    ),
    "ship": TargetClass(
        speed=(0.0, 18.5),
        height=(0.0, 60.0),
        cruise_speed=(4.0, 16.0),
        cruise_height=(8.0, 25.0),
        acceleration=0.05,
        deceleration=0.05,
        lateral=0.3,
        turn_rate=1.5 * DEG,
        climb=0.0,
        vertical=0.1,
        manoeuvre="free",
        straight=(200.0, 900.0),
        turn=(10.0 * DEG, 90.0 * DEG),
        turn_lateral=(0.03, 0.15),
        speed_hold=(300.0, 900.0),
        level_hold=(600.0, 900.0),
        climbers=0.0,
        rcs=1_000.0,
        reason="frigate or surfaced submarine: up to 18 m/s (35 kt), minutes to change speed; the height is that of"
        " the superstructure, which is what the radar sees",
    ),
    "vehicle": TargetClass(
        speed=(0.0, 20.0),
        height=(0.0, 3_000.0),
        cruise_speed=(6.0, 18.0),
        cruise_height=(2.0, 3.0),
        acceleration=1.0,
        deceleration=2.0,
        lateral=4.0,
        turn_rate=30.0 * DEG,
        climb=0.0,
        vertical=0.1,
        manoeuvre="stop-and-go",
        straight=(20.0, 120.0),
        turn=(10.0 * DEG, 90.0 * DEG),
        turn_lateral=(0.5, 2.0),
        speed_hold=(40.0, 150.0),
        level_hold=(600.0, 900.0),
        climbers=0.0,
        rcs=20.0,
        pause=(15.0, 60.0),
        reason="tracked vehicles on a road: up to 20 m/s, in columns 50 m apart that stop and go together",
    ),
}
