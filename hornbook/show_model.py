"""`hornbook show models/NAME`: the values of a model's recipe with where they come from, and what its parts cost.

The tables serve whole recipes too (show.py).
"""

from collections.abc import Sequence
from typing import Any

from hornbook.console import short
from hornbook.core import recipe as recipes
from hornbook.core.table import print_table
from hornbook.model.cost import Cost, cost
from hornbook.model.encoder_decoder import EncoderDecoder
from hornbook.model.models import Model
from hornbook.model.stack import Stack

PARTS = ("part", "times", "parameters\neach", "\ntogether", "FLOPs\na token", "cache bytes\na token")


def is_model(data: Any) -> bool:
    """Whether the plain data of a recipe is that of a model alone."""
    return isinstance(data, dict) and ("stack" in data or data.get("type") in ("encoder", "encoder_decoder"))


def show_model(source: str, overrides: Sequence[str]) -> None:
    """Print a model's recipe and its cost; what it does without (null, false or 0 by default) is left out."""
    data = recipes.read(recipes.find(source))
    config: Model = recipes.load(Model, source, overrides)  # type: ignore[arg-type]  # a union of classes is no class
    print_values(config, data, overrides, [], absent=False)
    counted = cost(config)
    print_parts(counted)
    print(sentence(config, counted))


def sentence(config: Model, counted: Cost) -> str:
    """A model in a sentence."""
    layers = " + ".join(str(stack.layers * stack.repeats) for stack in stacks(config))
    kind = recipes.tag(type(config)).replace("_", "-")
    return (
        f"{'an' if kind[0] == 'e' else 'a'} {kind} of {layers} layers, {config.dim:,} channels and {config.length:,} "
        f"positions: {counted.parameters:,} parameters, {short(counted.flops)} FLOPs for a token of a full context; "
        "bytes are of fp32"
    )


def stacks(model: Model) -> list[Stack]:
    """The stacks of layers of a design."""
    return [model.encoder, model.decoder] if isinstance(model, EncoderDecoder) else [model.stack]


def print_values(
    config: Any, given: Any, overrides: Sequence[str], lent_values: list[str], *, absent: bool = True
) -> None:
    """Every value and why it is what it is; without `absent` those that by default are not there are left out."""
    asked = {item.partition("=")[0] for item in overrides}
    borrowed = {item.partition("=")[0] for item in lent_values}
    rows = [(key, _short_value(value), _why(key, given, asked, borrowed)) for key, value in recipes.leaves(config)]
    kept = [row for row in rows if absent or row[2] != "default" or row[1] not in ("null", "false", "0", "0.0")]
    print_table(("value", "is", "because"), kept)


def _why(key: str, given: Any, asked: set[str], borrowed: set[str]) -> str:
    plain_key = key.replace("[", ".").replace("]", "")
    if plain_key in asked or key in asked:
        return "asked for on the command line"
    if plain_key in borrowed:
        return "lent by " + ("tokenizer.vocab" if "vocab" in key else "data.length")
    node = given
    for part in plain_key.split("."):
        if isinstance(node, list):
            node = node[int(part)] if int(part) < len(node) else None
        else:
            node = node.get(part) if isinstance(node, dict) else None  # `norm: rms_norm` leaves its fields to defaults
    return "in the recipe" if node is not None else "default"


def _short_value(value: Any) -> str:
    text = recipes.to_yaml(value).strip().removesuffix("...").strip() if not isinstance(value, str) else value
    return text if len(text) <= 60 else text[:57] + "..."


def print_parts(counted: Cost) -> None:
    """What each kind of sublayer costs: one of it, and all of it."""
    rows: list[tuple[object, ...]] = [
        (
            part.name,
            times,
            part.parameters,
            times * part.parameters,
            short(times * part.flops),
            times * part.cache * 4,
        )
        for part, times in counted.parts.items()
    ]
    rows.append(("all", None, None, counted.parameters, short(counted.flops), counted.cache_bytes()))
    print_table(PARTS, rows)
