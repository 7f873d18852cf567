"""What a classifier says of texts: a label and its probability, by whatever folder it came from.

Of labels that exclude one another the likeliest; of labels that each hold or not, all that are likelier than not. A
head of one label says it or `not` it. Texts longer than the model reads lose their end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from hornbook.core.errors import UserError
from hornbook.data.texts import padded, whole
from hornbook.model.classifier import Regression, SequenceClassifier, TokenClassifier
from hornbook.model.models import AnyModel
from hornbook.text.tokenizer import Tokenizer

TOGETHER = 32  # texts read side by side


@dataclass(frozen=True)
class Verdict:
    """What is said of a text."""

    label: str
    """The likeliest; of labels that may hold together, those that do, with commas."""
    probability: float
    """Of the label; where several hold, of the least likely of them."""
    probabilities: dict[str, float]
    """Of every label."""


def classify(module: AnyModel, tokenizer: Tokenizer, texts: Sequence[str]) -> list[Verdict]:
    """The labels of texts, in their order; those of about the same length are read together."""
    head = classifier_of(module)
    rows = [whole(tokenizer, text, module.config.length) for text in texts]
    order = sorted(range(len(rows)), key=lambda number: len(rows[number]))
    found: dict[int, Verdict] = {}
    for first in range(0, len(order), TOGETHER):
        numbers = order[first : first + TOGETHER]
        for number, each in zip(
            numbers, _probabilities(module, head, [rows[n] for n in numbers], tokenizer), strict=True
        ):
            found[number] = verdict(head, each)
    return [found[number] for number in range(len(texts))]


def classifier_of(module: AnyModel) -> SequenceClassifier:
    """A model's head for labels of texts; UserError where it has none."""
    head = module.config.head
    if isinstance(head, SequenceClassifier):
        return head
    other = {Regression: "numbers", TokenClassifier: "labels of tokens"}.get(type(head), "no labels")
    raise UserError(f"classify: the model gives {other}; train a classifier on it with a stage of `type: classify`")


def names_of(head: SequenceClassifier) -> tuple[str, ...]:
    """The names of the labels, as config.json has them where the model has none."""
    return head.names or tuple(f"LABEL_{number}" for number in range(head.labels))


def verdict(head: SequenceClassifier, probabilities: Sequence[float]) -> Verdict:
    """What probabilities come to.

    >>> verdict(SequenceClassifier(labels=2, names=("ham", "spam")), [0.25, 0.75]).label
    'spam'
    >>> verdict(SequenceClassifier(labels=1, names=("spam",), several=True), [0.25])
    Verdict(label='not spam', probability=0.75, probabilities={'not spam': 0.75, 'spam': 0.25})
    """
    by_name = dict(zip(names_of(head), probabilities, strict=True))
    if len(by_name) == 1:
        [(name, yes)] = by_name.items()
        by_name = {f"not {name}": 1 - yes, name: yes}
    elif head.several and (holding := [name for name, share in by_name.items() if share > 0.5]):
        return Verdict(", ".join(holding), min(by_name[name] for name in holding), by_name)
    elif head.several:
        return Verdict("none", 1 - max(by_name.values()), by_name)
    best = max(by_name, key=lambda name: by_name[name])
    return Verdict(best, by_name[best], by_name)


@torch.no_grad()
def _probabilities(
    module: AnyModel, head: SequenceClassifier, rows: list[list[int]], tokenizer: Tokenizer
) -> list[list[float]]:
    device = next(module.parameters()).device
    ids, real = (part.to(device) for part in padded(rows, tokenizer))
    logits = module(ids, attention_mask=real).logits.float()
    shares: list[list[float]] = (logits.sigmoid() if head.several else logits.softmax(-1)).tolist()
    return shares
