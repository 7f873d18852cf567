"""Train a part of a model and leave the rest as it is: the last block, the final norm and the head, say.

Raschka, Build a Large Language Model from Scratch, section 6.5, trains just these three to classify; Lee, Tang and Lin
2019, "What Would Elsa Do?", measure how few of the upper layers are enough. A frozen weight has no gradient (None, not
0), no optimizer state and no place in a checkpoint. What is trained is said in words, or by the names of parameters:

    head, embedding, final norm, norms      parts of the model
    last block, last 3 blocks, first block  layers from either end (of every stack, where there are two)
    block 7                                 counted from 0, as in the names
    stack.layers.3, *.op.query.weight       a module or a parameter; * and ? stand for what one leaves open
    everything
"""

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from torch import nn

from hornbook.core.errors import RecipeError

BLOCK = re.compile(r"(.*\blayers)\.(\d+)\b.*")
COUNTED = re.compile(r"(first|last)(?: (\d+))? (?:block|layer)s?")
NUMBERED = re.compile(r"(?:block|layer) (\d+)")
WORDS = {
    "everything": "*",
    "head": "head.*",
    "embedding": "*embed.*",
    "embeddings": "*embed.*",
    "final norm": "*final_norm.*",
}


@dataclass(frozen=True, kw_only=True)
class Freeze:
    """What is trained; all else is frozen."""

    train: tuple[str, ...]  # words (head, last 2 blocks) or names of parameters and modules, with * and ?

    def __post_init__(self) -> None:
        if not self.train:
            raise ValueError("train: nothing is left to train; name a part, such as `last block`")

    def apply(self, model: nn.Module) -> list[str]:
        """Freeze a model in place; the names of what is still trained.

        Raises RecipeError for words and patterns that no parameter of the model has.
        """
        names = [name for name, _ in model.named_parameters(remove_duplicate=False)]
        chosen = {name for pattern in self.train for name in _chosen(pattern, names, model)}
        model.requires_grad_(False)
        parameters = dict(model.named_parameters(remove_duplicate=False))
        for name in chosen:
            parameters[name].requires_grad_(True)
        return [name for name, parameter in model.named_parameters() if parameter.requires_grad]


def _chosen(pattern: str, names: list[str], model: nn.Module) -> set[str]:
    """The parameters that a word or a pattern means; at least one."""
    found = set(_matching(pattern.strip(), names, model))
    if not found:
        blocks = sorted({int(match[2]) for name in names if (match := BLOCK.fullmatch(name))})
        near = difflib.get_close_matches(pattern, _known(names), n=3, cutoff=0.3) or sorted(WORDS)[:3]
        counted = f", blocks 0 to {blocks[-1]}" if blocks else ""
        raise RecipeError(f"freeze.train: {pattern!r} is no part of the model; it has {', '.join(near)}{counted}")
    return found


def _matching(pattern: str, names: list[str], model: nn.Module) -> Iterator[str]:
    if pattern in WORDS:
        yield from (name for name in names if fnmatchcase(name, WORDS[pattern]))
    elif pattern == "norms":
        yield from _norms(names, model)
    elif match := COUNTED.fullmatch(pattern):
        yield from _ends(names, match[1], int(match[2] or 1))
    elif match := NUMBERED.fullmatch(pattern):
        yield from (name for name in names if (block := BLOCK.fullmatch(name)) and block[2] == match[1])
    else:
        yield from (name for name in names if fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*"))


def _norms(names: list[str], model: nn.Module) -> Iterator[str]:
    """Gains and biases of all norms."""
    for name in names:
        owner = model.get_submodule(name.rpartition(".")[0])
        if isinstance(owner, nn.LayerNorm | nn.RMSNorm):
            yield name


def _ends(names: list[str], end: str, count: int) -> Iterator[str]:
    """The parameters of the first or last `count` layers of each stack; none where there are not as many."""
    stacks: dict[str, dict[int, list[str]]] = {}
    for name in names:
        if match := BLOCK.fullmatch(name):
            stacks.setdefault(match[1], {}).setdefault(int(match[2]), []).append(name)
    for layers in stacks.values():
        order = sorted(layers, reverse=end == "last")
        if 0 < count <= len(order):
            yield from (name for number in order[:count] for name in layers[number])


def _known(names: Collection[str]) -> list[str]:
    """What a person may have meant: the words that this model has parts for, its modules and its parameters."""
    words = [word for word, glob in WORDS.items() if any(fnmatchcase(name, glob) for name in names)]
    modules = {name.rpartition(".")[0] for name in names}
    return [*words, "norms", "last block", "last 2 blocks", "first block", *sorted(modules), *names]
