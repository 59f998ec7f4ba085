"""A chart is SVG with two logarithmic axes, and its lines stay within them."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.bench.chart import Axis, chart

_SVG = "{http://www.w3.org/2000/svg}"


def test_axis_ends_at_powers_of_ten_and_is_logarithmic() -> None:
    axis = Axis.over([0.3, 25], 100, 400)
    assert axis.ticks() == pytest.approx([0.1, 1, 10, 100])
    assert [axis.at(value) for value in (0.1, 1, 10, 100)] == pytest.approx([100, 200, 300, 400])


def test_axis_of_one_value_has_a_length() -> None:
    assert Axis.over([10], 0, 50).ticks() == [10, 100]


def test_chart_draws_each_point_and_names_each_series() -> None:
    svg = ET.fromstring(chart("A <title>", "cards", "µs", {"one & two": {10: 100.0, 1000: 1.0}}))
    words = [element.text for element in svg.iter(f"{_SVG}text")]
    assert {"A <title>", "cards", "µs", "one & two", "10", "1,000", "100"}.issubset(words)
    (line,) = svg.iter(f"{_SVG}polyline")
    (left, top), (right, bottom) = (map(float, point.split(",")) for point in line.attrib["points"].split())
    assert left < right
    assert top < bottom  # downwards, because the values fall
    width, height = map(float, svg.attrib["viewBox"].split()[2:])
    assert all(0 < at < width for at in (left, right))
    assert all(0 < at < height for at in (top, bottom))
