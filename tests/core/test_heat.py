"""Heat maps: the picture holds the numbers, in SVG that any reader takes."""

import io
import math
from xml.etree import ElementTree

import pytest

from hornbook.core.heat import ABOVE, BELOW, Heat, Side, grid, png


def pixels(data: bytes) -> list[list[tuple[int, ...]]]:
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(data)).convert("RGBA")
    return [[image.getpixel((x, y)) for x in range(image.width)] for y in range(image.height)]


def test_a_square_is_as_strong_as_the_root_of_its_number() -> None:
    found = pixels(png([[0.0, 1.0, 0.25], [-1.0, 2.0, -0.01]], scale=1))
    assert found[0][0][3] == 0  # nothing is not painted
    assert found[0][1] == (*ABOVE, 255)
    assert found[0][2][:3] == ABOVE
    assert math.isclose(found[0][2][3] / 255, 0.5, abs_tol=0.01)
    assert found[1][0] == (*BELOW, 255)
    assert found[1][1] == (*ABOVE, 255)  # more than all is all
    assert math.isclose(found[1][2][3] / 255, 0.1, abs_tol=0.01)


def test_squares_have_their_size() -> None:
    found = pixels(png([[0.0, 1.0]], scale=3))
    assert [len(found), len(found[0])] == [3, 6]
    assert {row[2][3] for row in found} == {0}
    assert {row[3][3] for row in found} == {255}


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 7), (250, 250)])
def test_a_grid_is_readable_xml_with_every_name_there_is_room_for(rows: int, columns: int) -> None:
    down = Side("who <looks>", [f"r{i}&" for i in range(rows)])
    across = Side("at what", [f"c{i}" for i in range(columns)])
    maps = [Heat(f"head {i}", [[0.1] * columns for _ in range(rows)]) for i in range(5)]
    root = ElementTree.fromstring(grid(maps, down, across))
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "down: who <looks>; across: at what"
    assert sum(text.startswith("head") for text in texts) == 5
    assert len(list(root.iter("{http://www.w3.org/2000/svg}image"))) == 5
    named = {text for text in texts if text.startswith(("r", "c"))}
    assert {"r0&", "c0"} <= named
    assert (len(named) == rows + columns) == (rows < 100)  # every third or so of a long text


def test_no_map_leaves_the_picture() -> None:
    across = Side("at what", ["中文字很长的一个词语啊啊", "b"])
    root = ElementTree.fromstring(grid([Heat("one", [[0.5, 0.5]])] * 7, Side("who", ["a"]), across, width=500))
    width, height = float(root.get("width") or 0), float(root.get("height") or 0)
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        x, y = map(float, (group.get("transform") or "")[10:-1].split())
        box = next(group.iter("{http://www.w3.org/2000/svg}rect"))
        assert x + float(box.get("x") or 0) + float(box.get("width") or 0) <= width
        assert y + float(box.get("y") or 0) + float(box.get("height") or 0) <= height
