"""What a whole recipe may say: the sections of `recipes/*.yaml`, and the values that one section lends another.

A recipe begins with files (`Recipe`: corpus, tokenizer, model, pretrain) or with a finished model (`Tuning`: base).
Both may go on with `stages:`, each of which makes something of the model before it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hornbook.core import recipe as recipes
from hornbook.core.errors import RecipeError
from hornbook.corpus.pipeline import Corpus
from hornbook.data.images import Images
from hornbook.model.decoder import Decoder
from hornbook.model.encoder import Encoder
from hornbook.model.encoder_decoder import EncoderDecoder
from hornbook.objective.language import NextToken
from hornbook.tasks import Documents, Objective, Rows, RunningText, check, lent_kinds, vocabularies
from hornbook.text.bpe import BPE
from hornbook.text.unigram import Unigram
from hornbook.text.wordpiece import WordPiece
from hornbook.train.config import Train
from hornbook.tune.stages import Stage

TAKEN = ("base", "pretrain", "evaluate", "corpus", "tokenizer", "shards", "checkpoints", "model", "report")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What is measured at the end."""

    documents: int | None = None  # held-out documents that are scored; None: all
    completions: int = 0  # held-out functions that are completed and parsed; 0: none
    max_new_tokens: int = 160  # of a completion
    temperature: float = 0.5

    def __post_init__(self) -> None:
        for name in ("documents", "completions", "max_new_tokens", "temperature"):
            if (getattr(self, name) or 0) < 0:
                raise RecipeError(f"{name}: {getattr(self, name)} is below 0; give 0 or more")


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """Larger models, in order, of which the largest is taken that a time budget can afford."""

    models: tuple[Decoder, ...]
    tokens_per_parameter: float  # that a model must at least read in the budget

    def __post_init__(self) -> None:
        if not self.models or self.tokens_per_parameter <= 0:
            raise RecipeError("ladder: wants one model or more, and tokens_per_parameter above 0")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything from files to a model that writes."""

    seed: int = 0
    corpus: Documents = field(default_factory=Corpus)
    tokenizer: BPE | WordPiece | Unigram | None = field(default_factory=BPE)  # None: images have none
    data: Rows
    objective: Objective = field(default_factory=NextToken)
    model: Decoder | Encoder | EncoderDecoder
    ladder: Ladder | None = None
    pretrain: Train
    stages: dict[str, Stage] = field(default_factory=dict)  # what follows, in order, each by a name of its own
    evaluate: Evaluation = field(default_factory=Evaluation)

    def __post_init__(self) -> None:
        check_stages(self.stages)
        check(self.data, corpus=self.corpus, objective=self.objective, model=self.model)
        if (self.tokenizer is None) != isinstance(self.data, Images):
            raise RecipeError("tokenizer: images have none, and text has one; leave it out of the one, give the other")
        if not isinstance(self.data, RunningText):
            self._check_text_only()
        if self.ladder is not None and self.pretrain.budget is None:
            raise RecipeError("ladder: sizes are chosen by pretrain.budget; give a budget, or leave the ladder out")
        for model in (self.model, *(self.ladder.models if self.ladder else ())):
            if model.length < self.data.length:
                raise RecipeError(
                    f"model.length: {model.length} is shorter than the rows of data.length={self.data.length}; "
                    "make the one longer or the other shorter"
                )

    def _check_text_only(self) -> None:
        """Refuse what is meant for a model that goes on with running text."""
        asked = {
            "stages": bool(self.stages),
            "ladder": self.ladder is not None,
            "pretrain.lengths": self.pretrain.lengths is not None,
            "evaluate.completions": self.evaluate.completions > 0,
            "pretrain.prompts": bool(self.pretrain.prompts),
            "pretrain.sample_every": isinstance(self.model, Encoder) and self.pretrain.sample_every > 0,
        }
        for name, given in asked.items():
            if given:
                kind = recipes.tag(type(self.data))
                raise RecipeError(
                    f"{name}: goes with a model that continues a text, not with data.type={kind}; drop it"
                )


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """From a finished model to one that does what it is asked."""

    seed: int = 0
    base: str  # a run, a Hugging Face folder, a hub id, a GGUF file
    stages: dict[str, Stage]  # in order, each by a name of its own

    def __post_init__(self) -> None:
        if not self.stages:
            raise RecipeError("stages: there is none; give one, such as {instruct: {type: instruct, ...}}")
        check_stages(self.stages)


def check_stages(stages: Mapping[str, Stage]) -> None:
    """Refuse names of stages that cannot be folders of a run, and a start that is no stage before."""
    before = ["base"]
    for name, stage in stages.items():
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", name) or name in TAKEN:
            raise RecipeError(f"stages.{name}: is no name for a stage; take small letters, not {', '.join(TAKEN)}")
        if stage.start is not None and stage.start not in before:
            raise RecipeError(f"stages.{name}.start: {stage.start!r} is no stage before it; take {', '.join(before)}")
        before.append(name)


def load(source: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """A recipe that begins with files. The model's vocabulary and length are the tokenizer's and the data's."""
    found = open_recipe(source, overrides)
    if isinstance(found, Tuning):
        raise RecipeError(
            f"{source}: begins with a finished model (base), and here one that begins with files is meant"
        )
    return found


def open_recipe(source: str | Path, overrides: Iterable[str] = ()) -> Recipe | Tuning:
    """A recipe by path or built-in name, of either kind."""
    folder = recipes.find(source).parent
    data = plain(source, overrides)
    if isinstance(data, dict) and "base" in data:
        tuning: Tuning = recipes.parse(Tuning, data, folder=folder)
        return tuning
    if isinstance(data, dict):
        data = recipes.override(data, lent(data), folder=folder)
    recipe: Recipe = recipes.parse(Recipe, data, folder=folder)
    return recipe


def plain(source: str | Path, overrides: Iterable[str] = ()) -> Any:
    """The plain data of a recipe, overridden; a model named by a file becomes that file's content."""
    path = recipes.find(source)
    data = recipes.override(recipes.read(path), overrides, folder=path.parent)
    if isinstance(data, dict) and isinstance(data.get("model"), str):
        data["model"] = recipes.read(recipes.find(data["model"], path.parent))
    return data


def lent(data: dict[str, Any]) -> list[str]:
    """Overrides for values that the model sections leave out because other sections say them."""
    found = lent_kinds(data) + _lent(data, data.get("model"), "model")
    ladder = data.get("ladder")
    rungs = ladder.get("models", []) if isinstance(ladder, dict) else []
    for place, rung in enumerate(rungs):
        model = recipes.read(recipes.find(rung)) if isinstance(rung, str) else rung
        found += _lent(data, model, f"ladder.models.{place}")
    return found


def _lent(data: dict[str, Any], model: Any, where: str) -> list[str]:
    tokenizer, rows = data.get("tokenizer", {}), data.get("data") or {}
    if not isinstance(model, dict) or not model:
        return []
    found = []
    if isinstance(tokenizer, dict) and isinstance(rows, dict) and rows.get("type") != recipes.tag(Images):
        first, *others = vocabularies(EncoderDecoder if "source" in model or "encoder" in model else Decoder)
        for table in (first, *(name for name in others if isinstance(model.get(name), dict))):
            if "vocab" not in (model.get(table) or {}):
                found.append(f"{where}.{table}.vocab={tokenizer.get('vocab', BPE().vocab)}")
    if isinstance(rows, dict) and "length" in rows and "length" not in model:
        found.append(f"{where}.length={rows['length']}")
    return found
