"""The table of accelerators, and how devices are written."""

import pytest

from hornbook.core.errors import UserError
from hornbook.plan.accelerators import ACCELERATORS, find


def test_devices_and_how_many() -> None:
    assert find("H100x64") == (ACCELERATORS["h100"], 64)
    assert find("mi300x") == (ACCELERATORS["mi300x"], 1)
    assert find("mi300xx8") == (ACCELERATORS["mi300x"], 8)


@pytest.mark.parametrize("text", ["h99x8", "h100x0", "x8", ""])
def test_an_unknown_device_is_named(text: str) -> None:
    with pytest.raises(UserError, match=r"--on: .* is none of a100-40"):
        find(text)


def test_the_matrix_units_are_the_faster_and_the_node_link_too() -> None:
    assert all(each.half > each.single and each.link > each.network for each in ACCELERATORS.values())
