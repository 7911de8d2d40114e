"""The report as text, JSON and page: stable keys, plain numbers, nothing from outside."""

import json
import math
import re
from dataclasses import fields
from html.parser import HTMLParser

import numpy as np
import pytest

from airpicture.errors import InputError
from airpicture.evaluation import Report, evaluate


@pytest.fixture
def report(truth_of, tracks_of):
    rng = np.random.default_rng(2)
    truth = [(t, g, 100.0 * t, 8000.0 * g) for g in range(3) for t in range(100)]
    truth = truth_of(truth, velocity=(100, 0), classes=("ship <1>", "fighter"), kinds=[0, 1, 1])
    noise = rng.normal(0, 40, (200, 2))
    rows = [
        (t, 7 + g, 100.0 * t + noise[100 * g + t, 0], 8000.0 * g + noise[100 * g + t, 1])
        for g in range(2)
        for t in range(100)
    ]
    sigma = np.full(200, 40.0)
    return evaluate(truth, tracks_of(rows, velocity=(101, 1), sigma_east=sigma, sigma_north=sigma))


def test_keys_are_the_names_of_the_report_and_values_plain(report):
    values = json.loads(report.to_json())
    assert values["schema"] == 1
    assert set(values) - {"schema"} == {f.name for f in fields(Report)} - {"per_instant", "per_target"}
    for key in ("gospa_m", "ospa_m", "rmse_m", "velocity_rmse_mps", "completeness", "missed", "false_tracks", "nees"):
        assert isinstance(values[key], float), key
        assert values[key] == getattr(report, key)
    assert isinstance(values["switches"], int)
    assert values["consistency"]["position_3d"]["mean"] is None  # no sigma_up was given
    assert values["consistency"]["position_2d"]["ok"] is True
    assert values["per_class"]["ship <1>"]["targets"] == 1
    assert values["settings"]["statuses"] == ["confirmed", "coasting"]
    assert "NaN" not in report.to_json(indent=None)
    assert report.gospa == report.gospa_m


def test_text_shows_the_figures(report):
    text = report.to_text()
    for words in ("GOSPA, mean", "target instants held", "66.67 %", "fighter", "ship <1>", "horizontal position, 2"):
        assert words in text, words
    assert max(map(len, text.splitlines())) < 110
    assert "nan" not in text.lower().replace("instants", "")


class Page(HTMLParser):
    """Collects what a page would load, and checks that its elements nest."""

    def __init__(self):
        super().__init__()
        self.open, self.outside, self.seen = [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in ("meta", "path", "rect", "polyline"):
            self.open.append(tag)
        self.outside += [value for name, value in attributes if name in ("src", "href", "xlink:href")]

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        if tag in ("polyline", "rect", "path"):
            return
        assert self.open.pop() == tag


def test_page_is_whole_and_loads_nothing(report):
    html = report.to_html(title="A & B <c>")
    page = Page()
    page.feed(html)
    assert page.open == []
    assert page.outside == []
    assert not re.search(r"https?://|@import|<script|url\(", html)
    assert page.seen.count("svg") == 2
    assert page.seen.count("polyline") == 4
    assert "A &amp; B &lt;c&gt;" in html
    assert "ship &lt;1&gt;" in html
    assert "<c>" not in html
    assert "prefers-color-scheme:dark" in html
    points = re.findall(r'points="([^"]+)"', html)
    xy = np.array([[float(v) for v in pair.split(",")] for line in points for pair in line.split()])
    assert xy.min() >= 0
    assert xy[:, 0].max() <= 720
    assert xy[:, 1].max() <= 220


def test_a_short_run_is_drawn_over_seconds_and_a_long_one_over_minutes(truth_of, tracks_of):
    for seconds, unit, told in ((100, "seconds", "80"), (600, "minutes", "2")):
        times = range(seconds)
        rows = [(t, 1, 100.0 * t, 0.0) for t in times]
        html = evaluate(truth_of([(t, 0, 100.0 * t, 0.0) for t in times]), tracks_of(rows)).to_html()
        assert f"GOSPA over time, m against {unit}" in html
        assert f'text-anchor="middle">{told}</text>' in html  # and no 2.000


def test_write_goes_by_the_ending(report, tmp_path):
    for name, start in (("r.json", "{"), ("r.html", "<!doctype html>"), ("r.txt", "Compared")):
        report.write(tmp_path / name)
        assert (tmp_path / name).read_text("utf-8").startswith(start)
    with pytest.raises(InputError, match="can't be written"):
        report.write(tmp_path / "no such folder" / "r.json")


def test_tables_have_one_row_per_instant_and_target(report):
    assert report.per_instant.num_rows == report.instants == 100
    assert report.per_target.num_rows == report.targets == 3
    rows = report.per_target.to_pylist()
    assert [row["class"] for row in rows] == ["ship <1>", "fighter", "fighter"]
    assert rows[2]["rmse_horizontal_m"] is None
    assert rows[2]["latency_s"] is None
    # Squares, weighted by instants held, make up the whole.
    square = sum(row["held"] * row["rmse_horizontal_m"] ** 2 for row in rows[:2]) / 200
    assert math.sqrt(square) == pytest.approx(report.rmse_horizontal_m)
