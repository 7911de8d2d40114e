"""Pictures by formula for the map: any number of tracks that fly about, as updates one after another."""

from __future__ import annotations

import numpy as np

from airpicture.alerts import Alert, AlertKind, Level
from airpicture.formats.sensors import sensors_from_rows
from airpicture.service.hub import Mode, SensorHealth, SensorState, Update
from airpicture.tables import Plots, Sensors, Status, Tracks, pack_callsigns
from airpicture.units import DEG, SECOND_NS

T0_NS = 1_780_315_200_000_000_000  # 2026-06-01 12:00:00 UTC
EARTH_M = 6371008.8
LAT, LON = 41.775, 2.438  # degrees, of the radar


def sensors() -> Sensors:
    """Return a radar, a receiver and a network."""
    radar = {"id": "north", "kind": "radar", "lat_deg": LAT, "lon_deg": LON, "h_ell_m": 100.0, "period_s": 10.0}
    radar |= {"range_m_max": 600e3, "range_m_min": 1000.0}
    return sensors_from_rows([radar, {"id": "adsb", "kind": "adsb"}, {"id": "mlat", "kind": "mlat"}])


class Scene:
    """`n` tracks within `reach` metres, each as it is at a time.

    The second is coasting, every tenth tentative, the third doubtful, the fourth and fifth in conflict, and the sixth
    sends 7700. Number 1 is TEST001.
    """

    def __init__(self, n: int, reach: float = 500e3, seed: int = 1) -> None:
        rng = np.random.default_rng(seed)
        self.n = n
        self.sensors = sensors()
        self.angle, self.away = rng.uniform(0, 2 * np.pi, n), reach * np.sqrt(rng.uniform(0.002, 1, n))
        self.course, self.speed = rng.uniform(0, 2 * np.pi, n), rng.uniform(30, 260, n)
        self.height, self.climb = rng.uniform(500, 12000, n), rng.choice([-8.0, 0.0, 0.0, 8.0], n)
        self.callsign = pack_callsigns(
            [f"TEST{k + 1:03d}" if k % 4 else "TEST001" if k == 0 else None for k in range(n)]
        )

    def tracks(self, t_s: float, alive: np.ndarray | None = None) -> Tracks:
        """Return the picture at a time after `T0_NS`."""
        n = self.n
        east = self.away * np.sin(self.angle) + self.speed * np.sin(self.course) * t_s
        north = self.away * np.cos(self.angle) + self.speed * np.cos(self.course) * t_s
        lat = LAT * DEG + north / EARTH_M
        now_ns = T0_NS + round(t_s * SECOND_NS)
        height = np.clip(self.height + self.climb * t_s, 0.0, 15e3)
        status = np.full(n, Status.CONFIRMED, np.uint8)
        status[9::10] = Status.TENTATIVE
        status[1:2] = Status.COASTING
        k = np.arange(n)
        seen = np.full((n, 8), -1, np.int32)
        seen[:, 0] = k % 3
        heard = np.full((n, 5), -1, np.int64)
        heard[k, np.array([2, 3, 4])[k % 3]] = now_ns - SECOND_NS
        turning = (k % 7 == 3).astype(float)
        tracks = Tracks.blank(
            n,
            self.sensors,
            t_ns=np.full(n, now_ns),
            track=k + 1,
            status=status,
            existence=np.where(status == Status.TENTATIVE, 0.6, 0.999),
            lat=lat,
            lon=LON * DEG + east / (EARTH_M * np.cos(LAT * DEG)),
            h_ell=np.where(k % 5 == 4, np.nan, height),
            h_baro=np.where(k % 3 == 2, np.nan, height),
            v_east=self.speed * np.sin(self.course),
            v_north=self.speed * np.cos(self.course),
            v_up=self.climb,
            sigma_east=np.full(n, 150.0),
            sigma_north=np.full(n, 60.0),
            rho_east_north=np.full(n, 0.4),
            sigma_up=np.full(n, 90.0),
            sigma_v_east=np.full(n, 3.0),
            sigma_v_north=np.full(n, 3.0),
            a_east=-turning * 3.0 * np.cos(self.course),
            a_north=turning * 3.0 * np.sin(self.course),
            turn_left=0.9 * turning,
            turn_right=0.02 * turning,
            address=np.where(k % 3 == 0, -1, 0x340000 + k),
            mode_3a=np.where(k == 5, 0o7700, np.where(k % 2, 0o1234, -1)),
            callsign=self.callsign,
            plot_count=np.full(n, 12),
            t_ns_plot=np.full(n, now_ns - SECOND_NS),
            t_ns_first=np.full(n, T0_NS - 60 * SECOND_NS),
            t_ns_technology=heard,
            seen=seen,
            plot_sensor=k % 3,
            category=np.select([k == 7, k == 10, k == 11], [0xA7, 0xA1, 0xC2]),
            on_ground=np.select([k == 7, k == 10], [0, 1], -1),
        )
        return tracks if alive is None else tracks.take(np.flatnonzero(alive))

    def update(
        self,
        t_s: float,
        *,
        changed: np.ndarray | None = None,
        alive: np.ndarray | None = None,
        mode: Mode = Mode.LIVE,
        alerts: bool = True,
        arrived_ns: int = -1,
    ) -> Update:
        """Return an update; `changed` are rows of its tracks, by default all."""
        tracks = self.tracks(t_s, alive)
        now_ns = T0_NS + round(t_s * SECOND_NS)
        few = np.arange(min(len(tracks), 50))
        plots = Plots.blank(
            len(few),
            self.sensors,
            t_ns=np.full(len(few), now_ns - SECOND_NS // 2),
            sensor=few % 3,
            lat=tracks.lat[few],
            lon=tracks.lon[few],
        )
        states = (
            SensorState(0, SensorHealth.OK, now_ns - SECOND_NS, 12.5, 0.4),
            SensorState(1, SensorHealth.DEGRADED, now_ns - SECOND_NS, 3.0, float("nan")),
            SensorState(2, SensorHealth.SILENT, now_ns - 90 * SECOND_NS, 0.0, float("nan")),
        )
        return Update(
            now_ns=now_ns,
            arrived_ns=arrived_ns,
            mode=mode,
            tracks=tracks,
            changed=np.arange(len(tracks)) if changed is None else changed,
            plots=plots,
            plot_lat=plots.lat,
            plot_lon=plots.lon,
            alerts=_alerts(now_ns) if alerts else (),
            sensors=states,
            counts={"plots_received": 1000 + round(10 * t_s)},
        )


def _alerts(now_ns: int) -> tuple[Alert, ...]:
    return (
        Alert("conflict:4:5", AlertKind.CONFLICT, Level.PREDICTED, now_ns, "TEST004 and TEST005 in 40 s", (4, 5)),
        Alert("emergency:6", AlertKind.EMERGENCY, Level.PRESENT, now_ns, "TEST006 sends 7700, emergency", (6,)),
        Alert("doubtful:3", AlertKind.DOUBTFUL, Level.NOTICE, now_ns, "TEST003 jumped by 4 km", (3,), value=4000.0),
        Alert("silent:mlat", AlertKind.SILENT, Level.PRESENT, now_ns, "mlat is silent", sensor="mlat"),
        Alert("lost:99", AlertKind.LOST, Level.NOTICE, now_ns, "over and gone", (99,), t_ns_ended=now_ns),
    )
