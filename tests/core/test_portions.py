"""Bars of what is left: their lengths are the numbers, and nothing leaves the picture."""

import re
from xml.etree import ElementTree

import pytest

from hornbook.core.portions import LEAST, Portion, portions


def widths(svg: str, kind: str) -> list[float]:
    return [float(width) for width in re.findall(rf'class="{kind}" [^>]*width="([\d.]+)"', svg)]


def test_lengths_are_the_numbers() -> None:
    rows = [Portion(name="a", whole=100, part=50, text="50"), Portion(name="b", whole=50, part=0, text="0")]
    svg = portions(rows, width=400)
    assert widths(svg, "lost") == [400.0, 200.0]
    assert widths(svg, "ours") == [200.0, 0.0]
    ElementTree.fromstring(svg)


def test_a_little_is_seen() -> None:
    assert widths(portions([Portion(name="a", whole=1e9, part=1, text="")]), "ours") == [LEAST]


def test_nothing_is_no_picture() -> None:
    assert portions([]) == portions([Portion(name="a", whole=0, part=0, text="0")]) == ""


@pytest.mark.parametrize("name", ["a very long name of a step that was given to it " * 5, "很長的名字" * 40])
def test_a_long_name_leaves_room_for_the_figure(name: str) -> None:
    svg = portions([Portion(name=name, whole=2, part=1, text="1 of 2 <&>")], width=400)
    assert "…" in svg
    assert len(ElementTree.fromstring(svg)[0].text or "") < 60
    assert ElementTree.fromstring(svg)[1].text == "1 of 2 <&>"
