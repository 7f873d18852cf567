"""All metrics of texts by name: what is computed, which way is better, and what a comparison says in words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hornbook.core.errors import UserError
from hornbook.evaluate.bleu import bleu, chrf
from hornbook.evaluate.diversity import distinct, duplicates
from hornbook.evaluate.measured import Measured
from hornbook.evaluate.repetition import repetition
from hornbook.evaluate.rouge import rouge
from hornbook.evaluate.segments import Segments
from hornbook.evaluate.short_answers import exact_match, token_f1
from hornbook.evaluate.statistics import Difference

WITH_REFERENCES: dict[str, Callable[[Segments], Mapping[str, Measured]]] = {
    "bleu": lambda segments: {"bleu": bleu(segments)},
    "chrf": lambda segments: {"chrf": chrf(segments)},
    "rouge": rouge,
    "exact": lambda segments: {"exact": exact_match(segments)},
    "f1": lambda segments: {"f1": token_f1(segments)},
}
WITHOUT: dict[str, Callable[[Segments], Mapping[str, Measured]]] = {
    "distinct": lambda segments: {**distinct(segments), "duplicates": duplicates(segments)},
    "repetition": repetition,
}
NAMES = (*WITH_REFERENCES, *WITHOUT)
LESS_IS_BETTER = ("duplicates", "rep2", "rep3", "rep4", "run", "lines")


def measure(segments: Segments, names: Iterable[str] = ()) -> dict[str, Measured]:
    """The named metrics, or all that can be computed; raises UserError for an unknown name and missing references."""
    possible = {**WITH_REFERENCES, **WITHOUT} if segments.references else WITHOUT
    chosen = list(names) or list(possible)
    for name in chosen:
        if name not in NAMES:
            raise UserError(f"--metrics: {name!r} is not known; take some of {', '.join(NAMES)}")
        if name not in possible:
            raise UserError(f"--metrics: {name} wants references to hold the texts against; name a file of them")
    return {kind: found for name in chosen for kind, found in possible[name](segments).items()}


def plain(found: Mapping[str, Measured]) -> dict[str, Any]:
    """As JSON: every score with its error and how it was computed."""
    return {name: {**each.score().plain(), "signature": each.signature} for name, each in found.items()}


def per_segment(found: Mapping[str, Measured], count: int) -> list[dict[str, float]]:
    """The scores of every segment by itself, as JSON."""
    each = {name: measured.each for name, measured in found.items() if measured.each is not None}
    return [{name: numbers[number] for name, numbers in each.items()} for number in range(count)]


def compare(first: Mapping[str, Measured], second: Mapping[str, Measured]) -> dict[str, Difference]:
    """The second system's scores less the first's, on the same segments."""
    return {name: first[name].compare(second[name]) for name in first if name in second}


def sentence(metric: str, difference: Difference, names: Sequence[str]) -> str:
    """What a comparison of two systems says; never a difference that may be none.

    >>> sentence("rep4", Difference(-0.2, (-0.3, -0.1), 0.001, "paired bootstrap", 300), ("a", "b"))
    'b is better than a: -0.200 (-0.300 to -0.100; p 0.001, paired bootstrap, 300 segments)'
    """
    low, high = difference.interval
    told = f"{difference.value:+.3f} ({low:.3f} to {high:.3f}; p {difference.chance:.2g}, {difference.test}"
    told += f", {difference.of:,} segments)"
    first, second = names
    if not difference.is_one:
        return f"no difference between {first} and {second} can be told: {told}"
    better = (difference.value > 0) != (metric in LESS_IS_BETTER)
    return f"{second if better else first} is better than {first if better else second}: {told}"
