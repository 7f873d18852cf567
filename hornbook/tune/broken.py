"""How often rules are broken, with intervals; and what the stages that ask a model by its rules have in common."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from hornbook.align import rules as rules_files
from hornbook.align.rules import Rules, tally
from hornbook.align.transcript import messages_of
from hornbook.core.errors import RecipeError
from hornbook.data.conversations import Prompts
from hornbook.evaluate.interval import wilson
from hornbook.generate.endpoint import Endpoint
from hornbook.tune.place import Place

Part = Literal["train", "validation", "test", "all"]
Row = dict[str, Any]


def share(hits: int, of: int) -> Row:
    """A share with Wilson's interval, as scores are written.

    >>> share(8, 10)
    {'value': 0.8, 'interval': [0.4902, 0.9433], 'of': 10}
    """
    low, high = wilson(hits, of)
    return {"value": hits / max(of, 1), "interval": [round(low, 4), round(high, 4)], "of": of}


def shares(rules: Rules, pairs: Sequence[tuple[str, str]]) -> dict[str, Row]:
    """How many of (prompt, answer) pairs break each rule that can be checked without a model, and `any` of them."""
    if not rules.checkable:
        return {}
    return {name: share(hits, len(pairs)) for name, hits in tally(rules, pairs).items()}


def side(prompts: Prompts, part: Part, place: Place) -> list[Row]:
    """The prompts of one side of their split."""
    parts = prompts.build(place.file)
    place.note(f"{parts}")
    found: list[Row] = [*parts.train, *parts.validation, *parts.test] if part == "all" else getattr(parts, part)
    if not found:
        raise RecipeError(f"part: no prompts are for {part}; name another part, or split the prompts otherwise")
    return found


def asked_of(prompts: Prompts | None, part: Part, place: Place, rules: Rules) -> list[Row]:
    """The prompts of one side of their split, or those of the rules' own examples."""
    if prompts is not None:
        return side(prompts, part, place)
    texts = [each.prompt for rule in rules.rules for each in rule.examples] + [shot.prompt for shot in rules.shots]
    if not texts:
        raise RecipeError("prompts: none are given and the rules have no examples; give a source of prompts")
    return [{"prompt": messages_of(text), "id": f"example {i}"} for i, text in enumerate(dict.fromkeys(texts), 1)]


def files_of(prompts: Prompts | None, rules: str, place: Place) -> list[Path]:
    """The prompts and the rules."""
    return [*(prompts.files(place.file) if prompts else []), *rules_files.files(rules)]


def model_of(given: str | Endpoint | None, place: Place) -> Path | Endpoint:
    """Who is asked: an endpoint, the model that a recipe names, or else the one the stage starts from."""
    if given is None or isinstance(given, Endpoint):
        return given or place.base
    return place.model(given)
