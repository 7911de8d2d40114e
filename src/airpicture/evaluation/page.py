"""A report as one self-contained HTML page: no script, no network, light or dark as the reader's system prefers."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from airpicture.evaluation.report import class_rows, number, sections
from airpicture.tables import F64
from airpicture.units import SECOND_NS

if TYPE_CHECKING:
    from airpicture.evaluation.report import Report

POINTS_MAX = 400  # of a curve; finer ones are averaged, since a screen shows no more
SHORT_S = 180.0  # an evaluation of less is drawn over seconds
WIDTH, HEIGHT = 720, 220  # px of a chart
LEFT, RIGHT, TOP, BOTTOM = 62, 10, 12, 34  # px around the plotted area

STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--rule:#d9dee5;--paper:#fff;
  --a:#2867b2;--b:#c2571a;--c:#2d8659;--d:#7a4fb5}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#9aa5b4;--rule:#333c48;--paper:#14181e;
  --a:#6aa5ec;--b:#f0925a;--c:#63c493;--d:#b598ea}}
body{margin:2rem auto;max-width:60rem;padding:0 1rem;font:15px/1.5 system-ui,sans-serif;
  color:var(--ink);background:var(--paper)}
h1{font-size:1.5rem;margin:0 0 1rem}h2{font-size:1rem;margin:1.4rem 0 .4rem}p{color:var(--soft)}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(24rem,100%),1fr));gap:0 2.5rem}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}thead th{color:var(--soft)}
td,th{padding:.15rem .3rem;border-bottom:1px solid var(--rule);font-weight:400;text-align:left}
td+td,th+th{text-align:right;font-variant-numeric:tabular-nums}td.in{padding-left:1.2rem}
svg{width:100%;min-width:32rem;height:auto;display:block}svg text{font:11px system-ui,sans-serif;fill:var(--soft)}
.axis{stroke:var(--rule);stroke-width:1;fill:none}polyline{fill:none;stroke-width:1.6}
.a{stroke:var(--a)}.b{stroke:var(--b)}.c{stroke:var(--c)}.d{stroke:var(--d)}.bar{fill:var(--a)}
.keys span{white-space:nowrap}.key{display:inline-block;width:1.2em;height:.25em;margin:0 .35em .2em 1em}
"""


def page(report: Report, title: str) -> str:
    """Return the whole page."""
    blocks = []
    for heading, rows in sections(report):
        cells = "".join(
            f'<tr><td class="{css}">{escape(label.strip())}</td><td>{escape(value)}</td></tr>'
            for label, value in rows
            for css in ["in" if label.startswith(" ") else "out"]
        )
        blocks.append(f"<section><h2>{escape(heading)}</h2><table>{cells}</table></section>")
    notes = "".join(f"<p>{escape(note)}</p>" for note in report.notes)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{notes}"
        f'<div class="grid">{"".join(blocks)}</div>'
        f"{_classes(report)}{_gospa_chart(report)}{_error_chart(report)}</body></html>\n"
    )


def _classes(report: Report) -> str:
    if not report.per_class:
        return ""
    head, *body = class_rows(report)
    return (
        '<h2>By class</h2><div class="wide"><table><thead><tr>'
        + "".join(f"<th>{escape(cell)}</th>" for cell in head)
        + "</tr></thead><tbody>"
        + "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in body)
        + "</tbody></table></div>"
    )


def _gospa_chart(report: Report) -> str:
    """Draw GOSPA and its parts over time."""
    table = report.per_instant
    if table.num_rows < 2:
        return ""
    t_ns = table["t_ns"].to_numpy()
    time = (t_ns - t_ns[0]) / SECOND_NS
    unit = "seconds" if time[-1] < SHORT_S else "minutes"
    time = time if unit == "seconds" else time / 60.0
    curves = (
        ("a", "GOSPA", "gospa_m"),
        ("c", "localisation", "gospa_localisation_m"),
        ("b", "missed", "gospa_missed_m"),
        ("d", "false", "gospa_false_m"),
    )
    x = _thin(time)
    lines = [(css, label, _thin(table[name].to_numpy())) for css, label, name in curves]
    top = max(max(float(y.max()) for _, _, y in lines), 1e-9)
    span = max(float(time[-1]), 1e-9)
    drawn = "".join(
        f'<polyline class="{css}" points="{_points(x / span, y / top)}"><title>{label}</title></polyline>'
        for css, label, y in lines
    )
    keys = " ".join(
        f'<span><span class="key" style="background:var(--{css})"></span>{label}</span>' for css, label, _ in lines
    )
    return (
        f'<h2>GOSPA over time, m against {unit}</h2><p class="keys">{keys}</p>'
        f'<div class="wide"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="GOSPA and its parts over time">'
        f"{_axes(span, top)}{drawn}</svg></div>"
    )


def _error_chart(report: Report) -> str:
    """Draw the histogram of horizontal errors, as density so that the long last bin doesn't mislead."""
    edges, counts = np.asarray(report.error_histogram["edge_m"]), np.asarray(report.error_histogram["count"])
    if not len(counts):
        return ""
    edges, counts = edges[:-1], counts[:-1]
    span, top = float(edges[-1]), max(float(counts.max()), 1.0)
    bars = []
    for low, high, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True):
        x0, x1 = _x(low / span), _x(high / span)
        y = _y(count / top)
        bars.append(
            f'<rect class="bar" x="{x0:.1f}" y="{y:.1f}" width="{max(x1 - x0 - 1.0, 0.5):.1f}" '
            f'height="{HEIGHT - BOTTOM - y:.1f}"><title>{number(low)} to {number(high)} m: {count}</title></rect>'
        )
    return (
        "<h2>Horizontal errors, target instants against m</h2><p>The largest 1 % lie beyond the right edge.</p>"
        f'<div class="wide"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Histogram of horizontal errors">'
        f"{_axes(span, top)}{''.join(bars)}</svg></div>"
    )


def _axes(x_max: float, y_max: float) -> str:
    """Draw the frame and labels at round values."""
    parts = [f'<path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>']
    for value in _round_values(x_max):
        x = _x(value / x_max)
        anchor = "end" if x > WIDTH - RIGHT - 20 else "middle"
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="{anchor}">{value:.10g}</text>')
    for value in _round_values(y_max):
        y = _y(value / y_max)
        parts.append(f'<path class="axis" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.10g}</text>')
    return "".join(parts)


def _round_values(top: float) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten from 0 to a top, three to six of them."""
    power = 10.0 ** np.floor(np.log10(top / 2.0))
    step = next(power * k for k in (1.0, 2.0, 5.0, 10.0) if top / (power * k) < 6.0)
    return [float(step * k) for k in range(int(top / step * (1.0 + 1e-12)) + 1)]


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _points(x: F64, y: F64) -> str:
    return " ".join(f"{_x(a):.1f},{_y(b):.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))


def _thin(values: F64) -> F64:
    """Average neighbours until at most POINTS_MAX are left."""
    step = -(-len(values) // POINTS_MAX)
    starts = np.arange(0, len(values), step)
    counts = np.diff(np.append(starts, len(values)))
    return np.asarray(np.add.reduceat(np.asarray(values, np.float64), starts) / counts)
