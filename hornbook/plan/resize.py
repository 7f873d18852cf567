"""The same design at another size, and the learning rate that goes with it: the rungs of a ladder.

Width and depth grow together, so that dim / layers stays what the recipe has (Kaplan et al. 2020, section 3.1: within a
wide range the shape hardly matters, so long as it is kept). Heads keep their width and become more, the hidden layers
of the MLPs keep their ratio to dim, grouped keys and values theirs to the heads. What stays: tokens, positions, norms,
and every number of a sublayer that is not a width.
"""

import dataclasses
from typing import Any

from hornbook.core import recipe as recipes
from hornbook.core.errors import UserError
from hornbook.model.cost import cost
from hornbook.model.models import Model
from hornbook.optim.adamw import AdamW
from hornbook.optim.galore import Galore
from hornbook.optim.muon import Muon

Optimizer = AdamW | Muon | Galore
HEADLESS = 8  # steps of dim where no sublayer has heads


def count(text: str, *, what: str = "size") -> float:
    """Read a count with its letter.

    >>> count("0.1M"), count("70B"), count("2e9")
    (100000.0, 70000000000.0, 2000000000.0)
    """
    letters = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
    plain, letter = (text[:-1], text[-1:].lower()) if text[-1:].lower() in letters else (text, "")
    try:
        value = float(plain) * letters.get(letter, 1.0)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UserError(f"{what}: {text!r} is no count above 0; write it like 0.1M, 250k or 7B")
    return value


def resize(model: Model, parameters: float) -> Model:
    """The design whose number of parameters, embeddings and all, is nearest to the wanted one."""
    plain = recipes.dump(model)
    step = _head_width(plain) or HEADLESS

    def fits(times: int) -> bool:
        return cost(_at(model, plain, step * times)).parameters <= parameters

    low, high = 1, 2
    while fits(high):  # parameters grow with the width
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    two = [_at(model, plain, step * times) for times in (low, high)]
    found = min(two, key=lambda each: abs(cost(each).parameters / parameters - 1))
    if cost(found).parameters > 2 * parameters:
        least = cost(found).parameters
        raise UserError(
            f"sizes: {parameters:,.0f} parameters are fewer than the {least:,} of this design at its narrowest; "
            "give more, or a recipe with fewer tokens in its vocabulary"
        )
    return found


def carry(optimizer: Optimizer, was: int, now: int) -> tuple[Optimizer, str]:
    """The optimizer for another width (`dim`), and how its rate was carried over.

    Muon's step is scaled by sqrt(max(1, rows / columns)) already (Jordan 2024), which keeps a layer's change the same
    at any width. Adam's coordinates each move by the rate, so that a layer's change grows with its width: the rate
    falls with 1 / width (Yang et al. 2022, arXiv 2203.03466, table 8: muP; here for all groups, as they share a rate).
    """
    if isinstance(optimizer, Muon):
        return optimizer, "as it is: Muon's own scaling holds at any width"
    how = f"times {was}/{now}: muP, by 1 / width"
    if isinstance(optimizer, Galore):
        adam = dataclasses.replace(optimizer.adam, lr=optimizer.adam.lr * was / now)
        return dataclasses.replace(optimizer, adam=adam), how
    return dataclasses.replace(optimizer, lr=optimizer.lr * was / now), how


def layers_of(model: Model) -> int:
    """Layers of all stacks together."""
    return sum(int(node["layers"]) for node in _nodes(recipes.dump(model)) if "layers" in node)


def _at(model: Model, plain: dict[str, Any], dim: int) -> Model:
    """The design at a width."""
    found: Model = recipes.parse(type(model), _scaled(plain, dim / model.dim) | {"dim": dim})
    return found


def _scaled(node: Any, ratio: float) -> Any:
    if isinstance(node, list):
        return [_scaled(each, ratio) for each in node]
    if not isinstance(node, dict):
        return node
    new = {key: _scaled(value, ratio) for key, value in node.items()}
    for key, least in (("layers", 1), ("heads", 1)):
        if isinstance(node.get(key), int):
            new[key] = max(least, round(node[key] * ratio))
    if isinstance(node.get("hidden"), int):
        new["hidden"] = max(8, 8 * round(node["hidden"] * ratio / 8))
    if isinstance(node.get("kv_heads"), int):
        new["kv_heads"] = _sharing(new["heads"], new["heads"] * node["kv_heads"] / node["heads"])
    return new


def _sharing(heads: int, wanted: float) -> int:
    """The divisor of `heads` that is nearest to the wanted number.

    >>> _sharing(6, 1.5), _sharing(7, 3.5), _sharing(12, 3.0)
    (1, 1, 3)
    """
    return min((n for n in range(1, heads + 1) if heads % n == 0), key=lambda n: abs(n - wanted))


def _head_width(plain: dict[str, Any]) -> int | None:
    """dim / heads of the first sublayer that has heads."""
    return next((plain["dim"] // node["heads"] for node in _nodes(plain) if isinstance(node.get("heads"), int)), None)


def _nodes(node: Any) -> list[dict[str, Any]]:
    """Every mapping in plain data, outermost first."""
    if isinstance(node, list):
        return [found for each in node for found in _nodes(each)]
    if not isinstance(node, dict):
        return []
    return [node, *(found for each in node.values() for found in _nodes(each))]
