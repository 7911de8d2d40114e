"""Short-term conflict: pairs of aircraft that are, or will be, too close; which pairs count, and how they're told of.

Left out are tracks on the ground, tracks without a height (unless asked for), two tracks of one target, and formations.
The geometry, the probability and the search for pairs are `kernels.conflict`'s.
"""

from __future__ import annotations

import math
from functools import partial
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from airpicture.alerts.ahead import SIGMA_BARO, climb_ahead, spread_now
from airpicture.alerts.alert import AlertKind, Level
from airpicture.alerts.ground import told_on_ground
from airpicture.alerts.parts import Parts, finish
from airpicture.alerts.settings import AlertSettings
from airpicture.alerts.standing import Cause
from airpicture.alerts.words import distance_words, names_of, seconds_words
from airpicture.geo import geodetic_to_ecef, rotation_enu_ecef
from airpicture.kernels.conflict import (
    TOLD,
    W_LOSS,
    W_MISS,
    W_MISS_UP,
    W_NOW,
    W_NOW_UP,
    W_P,
    W_P_SUB,
    W_SPEED,
    W_T,
    W_T_SUB,
    Flying,
    Grid,
    Minima,
    search_slice,
    widen,
)
from airpicture.kernels.wgs84 import A
from airpicture.tables import F64, I64, Tracks
from airpicture.units import DEG, FT, SECOND_NS

# Of the horizon, 40 s each. Measured for 10,000 tracks: 14 ms with one slice, three or (30 ms) eight where they are as
# thick as over Europe, 90, 53 and 65 ms where they are ten times as thick.
SLICES: Final = 3
USUAL_SPEED: Final = 300.0  # m/s; faster tracks search more cells
TILE: Final = 0.25 * DEG  # rad; some 28 km
SAME_RANGE: Final = 20_000.0  # m; nearer, one address or callsign is one aircraft that is tracked twice
NEARING: Final = 0.95  # of the distance now, to which one ahead must shrink to be called closing
# Tracks, from which on others needn't wait: 18 ms where ten times as thick as over Europe.
SEARCHED_ASIDE: Final = 5_000
TOLD_PART: Final = 300  # pairs put into words at once: 4 ms
TURNING: Final = 0.5  # probability of the turn models from which on a track is taken to turn


class ConflictWatch:
    """Which pairs are told of; remembers since when a pair has flown as a formation does."""

    def __init__(self, settings: AlertSettings) -> None:
        self._settings = settings
        self._together: dict[tuple[int, int], int] = {}  # pair of tracks -> ns since when
        self._told: frozenset[tuple[int, int]] = frozenset()  # pairs there were causes of in the last step
        self.shed = 0  # comparisons and pairs left out by bounds since the start

    def clear(self) -> None:
        """Forget all pairs."""
        self._together.clear()
        self._told = frozenset()

    def causes(self, tracks: Tracks, rows: I64, now_ns: int) -> list[Cause]:
        """Return a cause for each pair that is or will be too close; `rows` are the tracks that may be in conflict."""
        return finish(self.look(tracks, rows, now_ns))

    def look(self, tracks: Tracks, rows: I64, now_ns: int) -> Parts[list[Cause]]:
        """Do the same in parts of some milliseconds each; `rows` are the tracks that may be in conflict."""
        search = partial(self._search, tracks, rows)
        rows, pairs, told, shed = (yield search) if len(rows) > SEARCHED_ASIDE else search()
        self.shed += shed
        if len(rows) < 2:
            self.clear()
            return []
        one, other = rows[pairs[:, 0]], rows[pairs[:, 1]]
        apart = ~_same_target(tracks, one, other, told)
        one, other, told = one[apart], other[apart], told[apart]
        levels = self._levels(told)
        levels[self._formations(tracks, one, other, told, now_ns)] = -1
        chosen = self._most_serious(levels, told)
        numbers = _numbers(tracks, one[chosen], other[chosen])
        self._told = frozenset(numbers)
        causes: list[Cause] = []
        for lo in range(0, len(chosen), TOLD_PART):
            if lo:
                yield None
            part = chosen[lo : lo + TOLD_PART]
            names = [
                f"{a} and {b}" for a, b in zip(names_of(tracks, one[part]), names_of(tracks, other[part]), strict=True)
            ]
            rows_told = zip(
                numbers[lo : lo + TOLD_PART], names, told[part].tolist(), levels[part].tolist(), strict=True
            )
            causes += [self._cause(*row, now_ns) for row in rows_told]
        return causes

    def _search(self, tracks: Tracks, rows: I64) -> tuple[I64, I64, F64, int]:
        """Return the rows that count, in a new order, pairs of places among them, what's known of each, and how many
        comparisons were left out. It changes nothing, so that it may run beside other work.
        """
        rows = _neighbours_together(tracks, rows[self._counts(tracks, rows)])
        if len(rows) < 2:
            return rows, np.empty((0, 2), np.int64), np.empty((0, TOLD)), 0
        pairs, told, shed = self._find(tracks, rows)
        return rows, pairs, told, shed

    def _counts(self, tracks: Tracks, rows: I64) -> NDArray[np.bool_]:
        """Return which tracks fly, at a height and with a velocity that are known well enough."""
        limits = self._settings.conflict
        speed = np.hypot(tracks.v_east[rows], tracks.v_north[rows])
        low = np.fmin(tracks.h_baro[rows], tracks.h_ell[rows])
        high = np.isfinite(low)
        with np.errstate(invalid="ignore"):
            ground = (speed < limits.ground_speed) & ~(low > limits.ground_h) & (tracks.on_ground[rows] != 0)
        ground |= told_on_ground(tracks, rows)
        # A position so vague can't reach the probability at which a conflict is told of.
        sigma = np.nan_to_num(np.minimum(tracks.sigma_east[rows], tracks.sigma_north[rows]))
        counts: NDArray[np.bool_] = np.isfinite(speed) & ~ground & (sigma < limits.minimum / 0.3)
        if limits.unknown_height == "ignore":
            counts &= high
        return counts

    def _find(self, tracks: Tracks, rows: I64) -> tuple[I64, F64, int]:
        limits = self._settings.conflict
        z = max(NormalDist().inv_cdf(1.0 - limits.probability_off), 0.0)
        flying = self._flying(tracks, rows, z)
        usual = USUAL_SPEED * 0.5 * limits.horizon_s / SLICES + 1000.0
        minima = Minima(
            across=limits.minimum,
            up=limits.minimum_up,
            sub_across=limits.sub_minimum,
            sub_up=limits.sub_minimum_up,
            least=limits.probability_off,
            z=z,
            q=float(self._settings.q),
            slices=SLICES,
            horizon=limits.horizon_s,
            cell=limits.minimum + 2.0 * usual,
        )
        n, whole, real = len(rows), np.empty(len(rows), np.int32), np.empty((len(rows), 3))
        grid = Grid(np.empty(1 << (2 * n).bit_length(), np.int32), whole, np.empty(n, np.int64), real, whole.copy())
        pairs, told = np.empty((limits.pairs_max, 2), np.int64), np.empty((limits.pairs_max, TOLD))
        count, shed = 0, widen(flying, minima, grid)
        for k in range(minima.slices):
            count, more = search_slice(flying, minima, grid, k, 0, n, count, pairs, told)
            shed += more
        return pairs[:count], told[:count], int(shed)

    def _flying(self, tracks: Tracks, rows: I64, z: float) -> Flying:
        limits = self._settings.conflict
        lat, lon = tracks.lat[rows], tracks.lon[rows]
        R = rotation_enu_ecef(lat, lon)
        v_east, v_north = tracks.v_east[rows], tracks.v_north[rows]
        sigma = spread_now(tracks, rows)
        turning = tracks.turn_left[rows] + tracks.turn_right[rows] > TURNING  # NaN: not known, so straight
        climb = climb_ahead(tracks, rows, self._settings)
        late = limits.horizon_s
        vague = np.hypot(sigma[:, 0], sigma[:, 1]) + late * np.hypot(sigma[:, 3], sigma[:, 4])
        vague += np.sqrt(2.0 * float(self._settings.q) * late**3 / 3.0)
        speed = np.hypot(v_east, v_north)
        leaves = (speed * late) ** 2 / (2.0 * A)  # how far straight on leaves the Earth
        return Flying(
            p=geodetic_to_ecef(lat, lon, 0.0).reshape(-1, 3),
            v=v_east[:, None] * R[:, 0] + v_north[:, None] * R[:, 1],
            up=np.ascontiguousarray(R[:, 2]),
            sigma=sigma,
            h=np.column_stack([tracks.h_baro[rows], tracks.h_ell[rows]]),
            v_up=climb.v_up,
            sigma_up=np.column_stack(
                [np.full(len(rows), SIGMA_BARO), np.nan_to_num(tracks.sigma_up[rows]), climb.sigma]
            ),
            q_up=climb.q,
            horizon=np.where(turning, min(limits.turn_horizon_s, limits.horizon_s), limits.horizon_s),
            reach=speed * (0.5 * limits.horizon_s / SLICES) + z * vague + leaves,
        )

    def _formations(self, tracks: Tracks, one: I64, other: I64, told: F64, now_ns: int) -> NDArray[np.bool_]:
        """Return which pairs fly as one, or begin to: of neither an alert is raised.

        A pair that keeps to it for ``formation_s`` is a formation; until then it goes on being told of if it was.
        """
        limits = self._settings.conflict
        vague = np.hypot(_vague_v(tracks, one), _vague_v(tracks, other))
        like = (told[:, W_NOW] < limits.formation_range) & ~(told[:, W_NOW_UP] > limits.formation_up)
        like &= told[:, W_SPEED] < limits.formation_speed + vague
        together: dict[tuple[int, int], int] = {}
        quiet = np.zeros(len(one), np.bool_)
        alike = np.flatnonzero(like)
        for k, pair in zip(alike.tolist(), _numbers(tracks, one[alike], other[alike]), strict=True):
            together[pair] = since = self._together.get(pair, now_ns)
            quiet[k] = pair not in self._told or now_ns - since >= limits.formation_s * SECOND_NS
        self._together = together
        return quiet

    def _levels(self, told: F64) -> I64:
        """Return the level of each pair; -1 for one that isn't told of."""
        limits = self._settings.conflict
        near, low = told[:, W_NOW], told[:, W_NOW_UP]
        meeting = told[:, W_P_SUB] >= limits.probability_off
        now = (near < limits.minimum) & ~(low >= limits.minimum_up)
        now_sub = (near < limits.sub_minimum) & ~(low >= limits.sub_minimum_up)
        nearing = told[:, W_MISS] < NEARING * near
        levels = np.full(len(told), int(Level.NOTICE) if limits.notices else -1, np.int64)
        levels[meeting] = Level.PREDICTED
        levels[now_sub | (now & nearing & meeting)] = Level.PRESENT
        # Without a height nobody knows whether they meet: a notice, and only where they come nearest.
        unknown = np.isnan(low)
        levels[unknown] = np.where(meeting[unknown], int(Level.NOTICE), -1)
        return levels

    def _most_serious(self, levels: I64, told: F64) -> I64:
        """Return the pairs to be told of: no more than twice what may stand, the most serious ones."""
        chosen = np.flatnonzero(levels >= 0)
        most = 2 * self._settings.alerts_max
        if len(chosen) <= most:
            return chosen
        self.shed += len(chosen) - most
        order = np.lexsort((told[chosen, W_MISS], -told[chosen, W_P_SUB], -levels[chosen]))
        return chosen[np.sort(order[:most])]

    def _cause(self, pair: tuple[int, int], both: str, told: list[float], level: int, now_ns: int) -> Cause:
        limits = self._settings.conflict
        sub = level >= Level.PREDICTED
        p, t = told[W_P_SUB if sub else W_P], told[W_T_SUB if sub else W_T]
        now, miss = told[W_NOW], told[W_MISS]
        present = now < limits.minimum and not told[W_NOW_UP] >= limits.minimum_up
        ahead = miss < NEARING * now
        if present:
            text = f"{both} are {distance_words(now)}{_apart_up(told[W_NOW_UP])} apart"
            text += f", {distance_words(miss)} {seconds_words(t)}" if ahead else ", not closing"
        else:
            text = f"{both} come within {distance_words(miss)}{_apart_up(told[W_MISS_UP])} {seconds_words(t)}"
        loss = told[W_LOSS]
        expected = -1 if present else now_ns + round((loss if math.isfinite(loss) else t) * SECOND_NS)
        return Cause(
            f"conflict:{pair[0]}:{pair[1]}",
            AlertKind.CONFLICT,
            Level(level),
            text,
            pair,
            t_ns_expected=expected,
            value=miss,
            sure=present or p >= limits.probability,
            at_once=level == Level.PRESENT or (sub and t <= limits.urgent_s),
        )


def _neighbours_together(tracks: Tracks, rows: I64) -> I64:
    """Return the rows in an order in which neighbours stand near one another: the search then reads its cache."""
    tile = np.floor(tracks.lat[rows] / TILE).astype(np.int64) * 65_536 + np.floor(tracks.lon[rows] / TILE).astype(
        np.int64
    )
    return rows[np.lexsort((tracks.track[rows], tile))]


def _same_target(tracks: Tracks, one: I64, other: I64, told: F64) -> NDArray[np.bool_]:
    """Return which pairs are one aircraft tracked twice.

    They carry one address or callsign; or, where one of them has no address and their codes don't differ, place and
    velocity are alike within their errors.
    """
    address, other_address = tracks.address[one], tracks.address[other]
    code, other_code = tracks.mode_3a[one], tracks.mode_3a[other]
    named = (address >= 0) & (other_address >= 0)
    same_callsign = (tracks.callsign[one] != 0) & (tracks.callsign[one] == tracks.callsign[other])
    same_name = np.where(named, address == other_address, same_callsign)
    near = 3.0 * np.hypot(_vague(tracks, one), _vague(tracks, other))
    slow = 3.0 * np.hypot(_vague_v(tracks, one), _vague_v(tracks, other))
    alike = ~named & (told[:, W_NOW] < near) & (told[:, W_SPEED] < slow)
    alike &= (code < 0) | (other_code < 0) | (code == other_code)
    same: NDArray[np.bool_] = (told[:, W_NOW] < SAME_RANGE) & (same_name | alike)
    return same


def _vague(tracks: Tracks, rows: I64) -> F64:
    """Return the sigma of positions [m], both axes together; 0 where it isn't known."""
    sigma: F64 = np.nan_to_num(np.hypot(tracks.sigma_east[rows], tracks.sigma_north[rows]))
    return sigma


def _vague_v(tracks: Tracks, rows: I64) -> F64:
    """Return the sigma of velocities [m/s], both axes together; 0 where it isn't known."""
    sigma: F64 = np.nan_to_num(np.hypot(tracks.sigma_v_east[rows], tracks.sigma_v_north[rows]))
    return sigma


def _numbers(tracks: Tracks, one: I64, other: I64) -> list[tuple[int, int]]:
    """Return the numbers of each pair's tracks, the lower one first."""
    numbers = np.sort(np.column_stack([tracks.track[one], tracks.track[other]]), axis=1).tolist()
    return [(low, high) for low, high in numbers]


def _apart_up(metres: float) -> str:
    return f" and {round(metres / FT, -1):.0f} ft" if math.isfinite(metres) else ", height unknown,"
