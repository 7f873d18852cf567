"""Charts: where points, ticks and names come to stand, checked against the numbers by hand."""

import itertools
import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.chart import LABEL_HEIGHT, Axis, Bar, Line, Scale, bars, letters, lines, round_values, thin

X = Axis(label="tokens <read>", text=lambda value: f"{value:g}")
LOG = Axis(label="tokens", text=lambda value: f"{value:g}", log=True)
TIME = Axis(label="time", text=lambda value: f"{value:g} s", time=True, zero=True)
Y = Axis(label="loss", text=lambda value: f"{value:g}")


def paths(svg: str, kind: str) -> list[list[tuple[float, float]]]:
    """The corner points of every path of a class."""
    found = [node.get("d", "") for node in ET.fromstring(svg).iter("path") if node.get("class") == kind]
    return [[tuple(map(float, pair)) for pair in re.findall(r"([-\d.]+) ([-\d.]+)", path)] for path in found]  # type: ignore[misc]


def texts(svg: str, kind: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter("text") if node.get("class") == kind]


def test_a_straight_line_runs_from_corner_to_corner() -> None:
    svg = lines([Line(name="", points=[(0, 0), (50, 5), (100, 10)])], X, Axis(label="y", text=str, zero=True))
    ((first, middle, last),) = paths(svg, "curve")
    assert first == (46.0, 262.0)  # LEFT, height - BOTTOM
    assert last[0] == 746.0  # width - 14
    assert middle[0] == pytest.approx((first[0] + last[0]) / 2)
    assert middle[1] == pytest.approx((first[1] + last[1]) / 2)


def test_on_a_log_axis_equal_ratios_are_equal_distances() -> None:
    ((a, b, c),) = paths(lines([Line(name="", points=[(10, 1), (100, 2), (1000, 3)])], LOG, Y), "curve")
    assert b[0] - a[0] == pytest.approx(c[0] - b[0])


def test_what_an_axis_cannot_show_is_left_out() -> None:
    points = [(0, 1), (10, math.nan), (20, math.inf), (30, 2), (40, 3)]
    ((first, last),) = paths(lines([Line(name="", points=points)], LOG, Y), "curve")
    assert first[0] < last[0]
    assert lines([Line(name="", points=[(0, 1)])], LOG, Y) == ""
    assert lines([], X, Y) == ""


@pytest.mark.parametrize("points", [[(5, 3)], [(5, 3), (6, 3)], [(5, 0), (6, 0)]])
def test_one_point_and_flat_lines_are_drawn(points: list[tuple[float, float]]) -> None:
    assert "nan" not in lines([Line(name="flat", points=points)], X, Y)


@given(
    st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.floats(2, 12), st.sampled_from([X, TIME])
)  # fmt: skip
def test_linear_ticks_are_even_and_not_too_many(low: float, span: float, room: float, axis: Axis) -> None:
    ticks = [tick for tick in round_values(axis, low, low + span, room) if low <= tick <= low + span]
    assert len(ticks) <= room + 2
    if span > 1e-9 * abs(low):
        steps = [b - a for a, b in itertools.pairwise(ticks)]
        assert all(step == pytest.approx(steps[0], rel=1e-3, abs=1e-9) for step in steps)


def test_time_ticks_are_minutes_and_hours() -> None:
    assert Scale(TIME, 0, 524, 46, 700).ticks() == [0, 120, 240, 360, 480]
    assert Scale(TIME, 0, 9000, 46, 700).ticks() == [0, 1800, 3600, 5400, 7200, 9000]
    assert Scale(TIME, 0, 5, 46, 700).ticks() == [0, 1, 2, 3, 4, 5]


def test_names_stand_at_the_ends_of_their_lines_and_apart() -> None:
    curves = [
        Line(name=name, points=[(0, 9), (1, end)], colour=i)
        for i, (name, end) in enumerate([("a", 1.0), ("b", 1.01), ("c", 8)])
    ]
    tree = ET.fromstring(lines(curves, X, Y))
    heights = {node.text: float(node.get("y", 0)) for node in tree.iter("text") if node.get("class") == "name"}
    assert heights["c"] < heights["b"] < heights["a"] <= 262 + 4
    assert heights["a"] - heights["b"] >= LABEL_HEIGHT - 0.1


def test_text_is_escaped_and_readings_say_the_values() -> None:
    svg = lines([Line(name="<b>&", points=[(1, 2), (3, 4)])], X, Y)
    assert texts(svg, "name") == ["<b>&"]
    assert texts(svg, "label") == ["loss", "tokens <read>"]
    assert [title.text for title in ET.fromstring(svg).iter("title")] == ["<b>&: 2 at 1", "<b>&: 4 at 3"]


def test_a_million_points_become_a_few_hundred() -> None:
    svg = lines([Line(name="x", points=[(i, math.sin(i / 1e4)) for i in range(100_000)])], X, Y)
    assert len(svg) < 40_000


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(-9, 9)), min_size=2))
def test_thinning_keeps_the_end_and_invents_nothing(points: list[tuple[float, float]]) -> None:
    points.sort()
    kept = thin(points, 5)
    assert kept[-1] == points[-1]
    assert min(y for _, y in points) - 1e-9 <= min(y for _, y in kept)
    assert max(y for _, y in kept) <= max(y for _, y in points) + 1e-9
    assert len(kept) <= 202


def test_bars_are_as_long_as_their_values() -> None:
    svg = bars([Bar(name="gzip", value=2.0), Bar(name="ours", value=1.0, interval=(0.5, 1.5), ours=True)], Y)
    widths = [(node.get("class"), float(node.get("width", 0))) for node in ET.fromstring(svg).iter("rect")]
    assert widths == [("theirs", 682.0), ("ours", 341.0)]
    assert texts(svg, "value") == ["2", "1"]
    (whisker,) = [node.get("d", "") for node in ET.fromstring(svg).iter("path") if node.get("class") == "whisker"]
    assert whisker.startswith("M170.5 71.5H511.5")
    assert bars([], Y) == ""


def test_chinese_names_get_more_room() -> None:
    assert letters("模型") == pytest.approx(3.6)
    right = {
        name: paths(lines([Line(name=name, points=[(0, 0), (9, 9)])], X, Y), "curve")[0][-1][0]
        for name in ("ab", "模型")
    }
    assert right["模型"] < right["ab"]


def test_dots_are_seen_and_have_neither_line_nor_name() -> None:
    runs = Line(name="runs", points=[(0, 0), (100, 10)], colour=2, dots=True)
    svg = lines([runs, Line(name="law", points=[(0, 1), (100, 9)])], X, Axis(label="y", text=str, zero=True))
    assert len(paths(svg, "curve")) == 1
    assert texts(svg, "name") == ["law"]
    dots = [node for node in ET.fromstring(svg).iter("circle") if node.get("class") == "dot"]
    assert (dots[0].get("cx"), dots[0].get("fill")) == ("46.0", "var(--c2)")
    assert [node.findtext("title") for node in dots] == ["runs: 0 at 0", "runs: 10 at 100"]
