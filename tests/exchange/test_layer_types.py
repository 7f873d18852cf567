"""Local and global layers of a config.json."""

import pytest

from hornbook.core.errors import UserError
from hornbook.exchange import layer_types
from hornbook.model.attention import Attention
from hornbook.model.stack import Stack

FULL, LOCAL = layer_types.FULL, layer_types.SLIDING


@pytest.mark.parametrize(
    ("types", "pattern"),
    [
        ([LOCAL, LOCAL, FULL] * 2 + [LOCAL], "llg"),
        ([FULL, FULL, LOCAL, LOCAL], "ggll"),
        ([LOCAL, FULL], "lg"),
    ],
)
def test_the_shortest_pattern_is_found(types: list[str], pattern: str) -> None:
    found = layer_types.read(types, [{"full": 1}], [{"local": 1}])
    assert found == {"layer": {"l": [{"local": 1}], "g": [{"full": 1}]}, "pattern": pattern}
    stack = Stack(
        layers=len(types), layer={"l": (Attention(heads=2, window=4),), "g": (Attention(heads=2),)}, pattern=pattern
    )
    assert (layer_types.write(stack), layer_types.window(stack)) == (types, 4)


def test_layers_that_are_all_alike_need_no_pattern() -> None:
    assert layer_types.read([LOCAL] * 3, [{"full": 1}], [{"local": 1}]) == {"layer": [{"local": 1}]}


def test_every_sixth_layer_looks_at_all() -> None:
    assert layer_types.every({"num_hidden_layers": 7}, 6) == [LOCAL] * 5 + [FULL, LOCAL]


def test_other_kinds_are_refused() -> None:
    with pytest.raises(UserError, match="layer_types names 'chunked_attention'"):
        layer_types.read([FULL, "chunked_attention"], [], [])
