"""A classifier as a stage: a finished model gets a head for labels and learns it from the user's labelled texts.

Raschka 2024, chapter 6, on a decoder: the head stands on the last token, the only one that has seen the whole text,
and the last block, the final norm and the head may be all that learns (`freeze`). Li et al. 2023 (label-supervised
LLaMA) take the causal mask away as well (`both_ways`), so that every token sees the whole and their mean can be read;
Devlin et al. 2019 do it with an encoder. Scores are of the test rows: accuracy, F1, and which class is taken for which.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch

from hornbook.adapt import head as heads
from hornbook.adapt.adapter import Adapter
from hornbook.adapt.freeze import Freeze
from hornbook.core import device as machine
from hornbook.core.errors import RecipeError
from hornbook.corpus.stored import stored
from hornbook.data import labels as labels_of
from hornbook.data.labelled import BySource, Labelled, LabelledRows, fitting
from hornbook.data.split import Parts
from hornbook.evaluate.classes import told
from hornbook.model.both_ways import look_both_ways, looks_ahead
from hornbook.model.classifier import SequenceClassifier
from hornbook.model.cost import training_flops
from hornbook.model.decoder import DecoderModel
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.model.models import AnyModel
from hornbook.model.pool import Take
from hornbook.objective.batch import Objective
from hornbook.objective.classification import Classification, OneLogit, Weighted
from hornbook.train.config import Train
from hornbook.train.guard import Guard
from hornbook.train.job import Job
from hornbook.tune.opened import Opened
from hornbook.tune.place import Kept, Place

NO_LEAP = 1e9  # standard deviations: only what is no number stops a step, unless a recipe has a guard of its own
ROWS = 32  # of a pass when scores are taken


@dataclass(frozen=True, kw_only=True)
class Classify:
    """Learn what label a text has."""

    KEEPS: ClassVar[Kept] = "classifier"

    start: str | None = None
    data: Labelled | BySource
    take: Take | None = None  # whose vector the head reads; None: a decoder's last token, an encoder's pooled first one
    both_ways: bool = False  # take the causal mask from a decoder; its mean is then read where `take` says nothing
    one_logit: bool = False  # of two classes: one number, the logit of the second, not one for each
    dropout: float | None = None  # of the vector that the head reads; None: what the model drops in its layers
    length: int | None = None  # tokens of a text; None: what the model reads
    long: Literal["cut", "drop"] = "cut"  # a longer text loses its end, or is left out
    adapter: Adapter | None = None  # learn beside the weights; the head learns whole
    freeze: Freeze | None = None  # learn a part of the weights
    train: Train

    def __post_init__(self) -> None:
        if self.train.guard == Guard():  # a hard row among a few learnt ones makes the loss leap, and is to be learnt
            object.__setattr__(self, "train", dataclasses.replace(self.train, guard=Guard(sigmas=NO_LEAP)))

    def files(self, place: Place) -> list[Path]:
        """The rows' files."""
        return self.data.files(place.file) if isinstance(self.data, Labelled) else []

    def job(self, place: Place) -> Job:
        """The base with a new head, and the texts."""
        parts = self._parts(place)
        names = labels_of.names(parts, self.data.names)
        opened = Opened.at(place.base)
        model = opened.lm.module
        self._prepare(model, tuple(names), place.seed)
        adapter = self.adapter and dataclasses.replace(self.adapter, full=(*self.adapter.full, "head"))
        opened.learns(place, adapter, self.freeze)
        if not any(p.requires_grad for p in model.get_submodule("head").parameters()):
            raise RecipeError("freeze.train: leaves out the new head, which knows nothing yet; add `head`")
        train = self.data.balanced(parts)
        source, validation = (self._rows(rows, names, opened, place.seed) for rows in (train, parts.validation))
        assert source is not None, "there are rows to train on: labels.py"
        left = len(train) - source.rows_per_epoch
        dropped = f"; {left:,} are longer and left out" if left else ""
        place.note(f"{parts}; {source}{dropped}; {_counts(train, names)}")
        return Job(
            model=model,
            objective=self._objective(train, names),
            source=source,
            validation=validation,
            seed=place.seed,
            flops_per_token=training_flops(model.config, source.length),
            save=opened.saving(),
        )

    def score(self, place: Place, model: Path) -> dict[str, Any]:
        """Accuracy, macro-F1, each class and the confusions on the test rows, or on those for validation."""
        parts = self._parts(place)
        names = labels_of.names(parts, self.data.names)
        opened = Opened.at(model)
        source = self._rows(parts.test or parts.validation, names, opened, seed=None)
        if source is None:
            return {}
        return told(source.labels.tolist(), decided(opened.lm.module, source), names)

    def _parts(self, place: Place) -> Parts:
        """The rows for training, validation and test."""
        if isinstance(self.data, Labelled):
            return self.data.build(place.file)
        if place.corpus is None:
            raise RecipeError("data: this recipe has no documents whose sources could be told; give it a file of rows")
        sides = [stored(place.corpus, side) for side in ("train", "validation")]
        train, held_out = ([(each.id, each.text, each.source) for each in side] for side in sides)
        return self.data.parts(train, held_out)

    def _prepare(self, model: AnyModel, names: tuple[str, ...], seed: int) -> None:
        """Take the mask away, put the head on; a head with these labels is gone on with."""
        if isinstance(model, EncoderDecoderModel):
            raise RecipeError("base: has two halves; classify with a decoder or an encoder")
        if self.both_ways:
            if not isinstance(model, DecoderModel):
                raise RecipeError("both_ways: an encoder looks both ways already; leave it out")
            look_both_ways(model)
        if self.one_logit and len(names) != 2:
            raise RecipeError(f"one_logit: says one of two, and there are {len(names)} labels; leave it out")
        take = self.take
        if isinstance(model, DecoderModel) and looks_ahead(model.config) and take is None:
            take = "mean"
        dropout = model.config.stack.dropout if self.dropout is None else self.dropout
        labels = names[1:] if self.one_logit else names
        head = SequenceClassifier(
            labels=len(labels),
            names=labels,
            several=self.one_logit,
            pooling=heads.pooling_of(model, take),
            bias=not isinstance(model, DecoderModel),
            dropout=dropout,
        )
        if model.config.head != head:
            heads.put(model, head, seed=seed)

    def _objective(self, train: list[Any], names: list[str]) -> Objective:
        weights = self.data.class_weights(train, names)
        if self.one_logit:
            return OneLogit(weights=weights or (1.0, 1.0))
        return Classification() if weights is None else Weighted(weights=weights)

    def _rows(self, rows: list[Any], names: list[str], opened: Opened, seed: int | None) -> LabelledRows | None:
        """Some rows for a model; None where there are none."""
        if not rows:
            return None
        reads = opened.lm.module.config.length
        length = min(self.length or reads, reads)
        kept = fitting(rows, opened.tokenizer, length) if self.long == "drop" else rows
        return LabelledRows(kept, names, opened.tokenizer, length, seed=seed)


def _counts(rows: list[Any], names: list[str]) -> str:
    """How many rows of each class are trained on."""
    counts = {name: sum(row["label"] == name for row in rows) for name in names}
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


@torch.no_grad()
def decided(model: AnyModel, source: LabelledRows) -> list[int]:
    """The class that a model gives each row of a source."""
    device = machine.choose().device
    model.to(device).eval()
    found: list[int] = []
    for first in range(0, source.rows_per_epoch, ROWS):
        batch = source.batch(first, min(ROWS, source.rows_per_epoch - first)).to(device)
        logits = model(**batch.inputs).logits
        chosen = (OneLogit() if logits.shape[-1] == 1 else Classification()).decide(logits)
        found += chosen.tolist()
    return found
