"""The result of an evaluation: numbers by name, as text, JSON or a page."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airpicture.errors import InputError
from airpicture.evaluation.consistency import Consistency
from airpicture.units import DEG
from airpicture.words import counted

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = 1  # of to_dict(); raised when a key changes its meaning or goes

Numbers = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Report:
    """Metrics of tracks against truth or a reference. NaN is "not known"; ``docs/metrics.md`` defines each figure.

    Names end in their unit. Counts "per instant" are means over the instants of the evaluation.
    """

    # what was compared
    targets: int  # targets that counted at some instant
    tracks: int  # tracks shown at some instant
    instants: int
    states: int  # targets summed over the instants

    # set distances
    gospa_m: float  # mean over the instants
    gospa_rms_m: float  # (mean of GOSPA^order)^(1/order); its parts follow, each the same mean of its share
    gospa_localisation_m: float
    gospa_missed_m: float
    gospa_false_m: float
    gospa_switching_m: float
    gospa_with_switching_m: float  # mean over the instants, with the switching penalty added
    ospa_m: float  # mean over the instants

    # completeness
    completeness: float  # share of target instants that a track held
    missed: float  # targets without a track, per instant
    false_tracks: float  # shown tracks that hold no target, per instant (redundant ones included, as in GOSPA)
    redundant_tracks: float  # of them, those that are near a target which another track holds, per instant
    tracks_never_on_target: int  # tracks that never held a target nor were near one
    targets_never_held: int

    # identity and continuity
    switches: int
    swaps: int
    breaks: int
    switches_per_target_hour: float
    breaks_per_target_hour: float
    latency_median_s: float
    latency_mean_s: float
    latency_p95_s: float
    longest_gap_s: float
    long_gap_share: float  # share of target instants that were missed in long gaps
    long_gap_s: float  # what counted as long: three update intervals and 10 %

    # accuracy at the instants, as a display shows the tracks
    rmse_m: float  # 3-D where both heights are known, horizontal elsewhere
    rmse_horizontal_m: float
    rmse_vertical_m: float
    rmse_along_m: float
    rmse_across_m: float
    median_horizontal_m: float
    p95_horizontal_m: float
    bias_along_m: float
    bias_across_m: float
    bias_vertical_m: float
    velocity_rmse_mps: float  # length of the horizontal error
    speed_rmse_mps: float
    heading_rmse_rad: float
    climb_rmse_mps: float

    # accuracy at the times of the track rows themselves
    update_rmse_horizontal_m: float
    update_rmse_vertical_m: float
    update_velocity_rmse_mps: float

    # consistency at the times of the track rows
    nees: float  # mean, horizontal position; 2 is right
    nees_lower: float
    nees_upper: float
    consistency: Mapping[str, Consistency]  # position_2d, position_3d, velocity_2d

    siap: Numbers
    phases: Mapping[str, Numbers]  # straight, turning
    per_class: Mapping[str, Numbers]
    error_histogram: Mapping[str, list[float]]  # edge_m (n + 1), count (n): horizontal errors at the instants
    settings: Mapping[str, Any]
    refused: Mapping[str, int]  # rows left out, by table and reason
    notes: tuple[str, ...]
    per_instant: pa.Table = field(repr=False)  # one row per instant
    per_target: pa.Table = field(repr=False)  # one row per target

    @property
    def gospa(self) -> float:
        """Mean GOSPA over the instants [m]."""
        return self.gospa_m

    @property
    def ospa(self) -> float:
        """Mean OSPA over the instants [m]."""
        return self.ospa_m

    def to_dict(self) -> dict[str, Any]:
        """Return all but the tables as plain numbers, texts, lists and dicts; None for unknown."""
        tables = ("per_instant", "per_target")
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in tables}
        values["consistency"] = {name: {**asdict(one), "ok": one.ok} for name, one in self.consistency.items()}
        result = _plain({"schema": SCHEMA, **values})
        assert isinstance(result, dict)
        return result

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return `to_dict` as JSON; unknown figures are null."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False, ensure_ascii=False)

    def to_text(self) -> str:
        """Return the figures as a plain table, degrees for angles."""
        return "\n".join(_text_lines(self)) + "\n"

    def to_html(self, *, title: str = "Airpicture evaluation") -> str:
        """Return one self-contained page: tables, GOSPA over time, histogram of errors."""
        from airpicture.evaluation.page import page

        return page(self, title)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the report; the ending chooses the form: .json, .html, anything else text.

        Raises
        ------
        InputError : the file can't be written
        """
        ending = Path(path).suffix.lower()
        text = (
            self.to_json() if ending == ".json" else self.to_html() if ending in (".html", ".htm") else self.to_text()
        )
        try:
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"the report can't be written: {error.strerror}", path=str(path), expected="a file in a writable folder"
            ) from None


def sections(report: Report) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what text and page show: (heading, [(label, value with unit)])."""
    r, m = report, metres
    nees = r.consistency
    return [
        (
            "Compared",
            [
                ("targets", str(r.targets)),
                ("tracks", str(r.tracks)),
                ("instants", f"{r.instants}, every {number(r.settings.get('period_s'))} s"),
                ("from", str(r.settings.get("from_utc") or "-")),
                ("to", str(r.settings.get("to_utc") or "-")),
            ],
        ),
        (
            f"Set distances (cut-off {number(r.settings.get('cutoff_m'))} m, order {number(r.settings.get('order'))})",
            [
                ("GOSPA, mean", m(r.gospa_m)),
                ("GOSPA, RMS", m(r.gospa_rms_m)),
                ("  localisation", m(r.gospa_localisation_m)),
                ("  missed", m(r.gospa_missed_m)),
                ("  false", m(r.gospa_false_m)),
                ("OSPA, mean", m(r.ospa_m)),
            ],
        ),
        (
            "Completeness",
            [
                ("target instants held", share(r.completeness)),
                ("missed per instant", number(r.missed)),
                ("false per instant", number(r.false_tracks)),
                ("  of them redundant", number(r.redundant_tracks)),
                ("tracks never on a target", str(r.tracks_never_on_target)),
                ("targets never held", str(r.targets_never_held)),
            ],
        ),
        (
            "Continuity",
            [
                ("identity switches", f"{r.switches} ({number(r.switches_per_target_hour)} per target hour)"),
                ("  of them swaps", str(r.swaps)),
                ("track breaks", f"{r.breaks} ({number(r.breaks_per_target_hour)} per target hour)"),
                ("time to confirm, median", seconds(r.latency_median_s)),
                ("time to confirm, 95 %", seconds(r.latency_p95_s)),
                ("longest gap", seconds(r.longest_gap_s)),
                (f"missed in gaps over {number(r.long_gap_s)} s", share(r.long_gap_share)),
            ],
        ),
        (
            "Accuracy, as displayed (RMS)",
            [
                ("position", m(r.rmse_m)),
                ("horizontal", m(r.rmse_horizontal_m)),
                ("  along / across track", f"{m(r.rmse_along_m)} / {m(r.rmse_across_m)}"),
                ("  median / 95 %", f"{m(r.median_horizontal_m)} / {m(r.p95_horizontal_m)}"),
                ("vertical", m(r.rmse_vertical_m)),
                ("velocity", speed(r.velocity_rmse_mps)),
                ("speed", speed(r.speed_rmse_mps)),
                ("heading", f"{number(r.heading_rmse_rad / DEG)} deg" if known(r.heading_rmse_rad) else "-"),
                ("rate of climb", speed(r.climb_rmse_mps)),
            ],
        ),
        (
            "Accuracy at the track updates (RMS)",
            [
                ("horizontal", m(r.update_rmse_horizontal_m)),
                ("vertical", m(r.update_rmse_vertical_m)),
                ("velocity", speed(r.update_velocity_rmse_mps)),
            ],
        ),
        (
            "Consistency (NEES, expected: the dimension)",
            [
                (label, consistency_text(nees[name]))
                for name, label in (
                    ("position_2d", "horizontal position, 2"),
                    ("position_3d", "position, 3"),
                    ("velocity_2d", "velocity, 2"),
                )
                if name in nees
            ],
        ),
    ]


CLASS_COLUMNS = (
    ("targets", "targets", "targets"),
    ("completeness", "complete", "share"),
    ("latency_median_s", "confirm s", "number"),
    ("rmse_horizontal_m", "RMS m", "number"),
    ("velocity_rmse_mps", "RMS m/s", "number"),
    ("switches", "switches", "targets"),
    ("breaks", "breaks", "targets"),
    ("longest_gap_s", "gap s", "number"),
    ("nees", "NEES", "number"),
)


def class_rows(report: Report) -> list[list[str]]:
    """Return the class table: a heading row and a row per class."""
    rows = [["class", *(label for _, label, _ in CLASS_COLUMNS)]]
    for name, figures in report.per_class.items():
        cells = [name]
        for key, _, form in CLASS_COLUMNS:
            value = figures.get(key, math.nan)
            cells.append(share(value) if form == "share" else str(int(value)) if form == "targets" else number(value))
        rows.append(cells)
    return rows


def _text_lines(report: Report) -> list[str]:
    lines: list[str] = []
    for heading, rows in sections(report):
        lines += [heading, *(f"  {label:<28} {value:>18}" for label, value in rows), ""]
    if report.per_class:
        table = class_rows(report)
        widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
        lines.append("By class")
        for row in table:
            cells = [
                cell.ljust(w) if k == 0 else cell.rjust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  " + "  ".join(cells))
        lines.append("")
    refused = [f"{counted(n, 'row')} of {reason.replace('_', ' ')}" for reason, n in report.refused.items() if n]
    if refused:
        lines += ["Left out: " + "; ".join(refused), ""]
    lines += [f"Note: {note}" for note in report.notes]
    return lines[:-1] if lines and not lines[-1] else lines


def known(value: Any) -> bool:
    """Return whether a figure is there and finite."""
    return value is not None and math.isfinite(value)


def number(value: Any) -> str:
    """Format a figure with four significant digits and no exponent; "-" for unknown."""
    if not known(value):
        return "-"
    size = abs(value)
    if size >= 1000 or float(value).is_integer():
        return f"{value:.0f}"
    return f"{value:.{1 if size >= 100 else 2 if size >= 10 else 3}f}"


def metres(value: float) -> str:
    """Format a length."""
    return f"{number(value)} m" if known(value) else "-"


def seconds(value: float) -> str:
    """Format a duration."""
    return f"{number(value)} s" if known(value) else "-"


def speed(value: float) -> str:
    """Format a speed."""
    return f"{number(value)} m/s" if known(value) else "-"


def share(value: float) -> str:
    """Format a share as per cent."""
    return f"{100.0 * value:.2f} %" if known(value) else "-"


def consistency_text(one: Consistency) -> str:
    """Format a mean NEES with its bounds."""
    if not known(one.mean):
        return "-"
    return f"{number(one.mean)} [{number(one.lower)}, {number(one.upper)}] {'ok' if one.ok else 'outside'}"


def _plain(value: Any) -> Any:
    """Turn numpy numbers and mappings into what JSON knows; NaN and infinity into None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
