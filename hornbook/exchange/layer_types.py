"""`layer_types` of a config.json: which layers look at all tokens and which at the nearest few only."""

from collections.abc import Sequence
from typing import Any

from hornbook.core.errors import UserError
from hornbook.exchange.family import Fields
from hornbook.model.attention import Attention
from hornbook.model.stack import Stack, Sublayer

FULL, SLIDING = "full_attention", "sliding_attention"
LETTERS = {FULL: "g", SLIDING: "l"}  # global, local

Layer = list[dict[str, Any]]


def read(types: Sequence[str], full: Layer, sliding: Layer) -> dict[str, Any]:
    """The `layer` and `pattern` of a stack."""
    unknown = [name for name in types if name not in LETTERS]
    if unknown:
        raise UserError(f"config.json: layer_types names {unknown[0]!r}; known are {FULL}, {SLIDING}")
    letters = "".join(LETTERS[name] for name in types)
    if len(set(letters)) == 1:
        return {"layer": full if letters[0] == "g" else sliding}
    return {"layer": {"l": sliding, "g": full}, "pattern": _shortest(letters)}


def _shortest(letters: str) -> str:
    """What, repeated, gives the letters again.

    >>> _shortest("llgllgl"), _shortest("gl"), _shortest("ggl")
    ('llg', 'gl', 'ggl')
    """
    for length in range(1, len(letters)):
        if all(letter == letters[i % length] for i, letter in enumerate(letters)):
            return letters[:length]
    return letters


def write(stack: Stack) -> list[str]:
    """Of each layer, by whether its attention has a window."""
    return [SLIDING if _window(layer) else FULL for layer in stack.plan()]


def window(stack: Stack) -> int | None:
    """The window of the first layer that has one."""
    return next(filter(None, (_window(layer) for layer in stack.plan())), None)


def _window(layer: tuple[Sublayer, ...]) -> int | None:
    return next((op.window for op in layer if isinstance(op, Attention)), None)


def every(fields: Fields, count: int) -> list[str]:
    """One global layer after every `count - 1` local ones."""
    return [FULL if (i + 1) % count == 0 else SLIDING for i in range(fields["num_hidden_layers"])]
