"""A layer of attention and MLP in one of three wirings, and where its weights then are: GPT-NeoX, GPT-J, Falcon, OPT.

| wiring     | what becomes of x                                |
|------------|--------------------------------------------------|
| sequential | x + attention(norm(x)), then x + mlp(norm(x))    |
| one_norm   | x + attention(norm(x)) + mlp(norm(x))            |
| two_norms  | the same, and each of the two has its own norm   |
"""

from dataclasses import dataclass
from typing import Any, Literal

from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder
from hornbook.model.mlp import MLP
from hornbook.model.parallel import Parallel

Wiring = Literal["sequential", "one_norm", "two_norms"]
LAYER = "stack.layers.{layer}"


@dataclass(frozen=True)
class Parts:
    """The attention and the MLP of a design, and how they are wired."""

    attention: Attention
    mlp: MLP
    wiring: Wiring


@dataclass(frozen=True)
class Names:
    """Where the weights of a layer are, in our names."""

    attention: str
    attention_norm: str  # with one norm, that of both
    mlp: str
    mlp_norm: str


NAMES: dict[Wiring, Names] = {
    "sequential": Names(f"{LAYER}.0.op", f"{LAYER}.0.norm", f"{LAYER}.1.op", f"{LAYER}.1.norm"),
    "one_norm": Names(f"{LAYER}.0.op.branches.0", f"{LAYER}.0.norm", f"{LAYER}.0.op.branches.1", f"{LAYER}.0.norm"),
    "two_norms": Names(
        f"{LAYER}.0.op.branches.0", f"{LAYER}.0.op.norms.0", f"{LAYER}.0.op.branches.1", f"{LAYER}.0.op.norms.1"
    ),
}


def layer(attention: dict[str, Any], mlp: dict[str, Any], norm: Any, wiring: Wiring) -> list[dict[str, Any]]:
    """The plain data of a recipe's `layer`."""
    branches = [{"type": "attention", **attention}, {"type": "mlp", **mlp}]
    if wiring == "sequential":
        return branches
    return [{"type": "parallel", "branches": branches, "norm": norm if wiring == "two_norms" else None}]


def parts(config: Decoder) -> Parts | None:
    """What a design's layers are made of; None where they are of another kind."""
    match config.stack.layer:
        case (Attention() as attention, MLP() as mlp):
            return Parts(attention, mlp, "sequential")
        case (Parallel(branches=(Attention() as attention, MLP() as mlp), norm=norm),):
            return Parts(attention, mlp, "one_norm" if norm is None else "two_norms")
    return None


def the_parts(config: Decoder) -> Parts:
    """The same of a design that has been read from a family of this kind."""
    found = parts(config)
    assert found is not None
    return found
