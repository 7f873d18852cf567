"""From a decoder to an embedder in three steps and two stages (LLM2Vec, BehnamGhader et al. 2024, section 2.1).

1. The causal mask goes: every token sees the whole text. Both stages do it first, where it is not done yet.
2. `masked_next`: the model learns to use what it now sees, by guessing hidden tokens (data/masked_next.py).
3. `embedder`: texts that mean alike come near one another (objective/contrastive.py); without pairs it is SimCSE.

The third alone serves encoders too, from BERT to a finished MiniLM. What is saved says in sentence-transformers' files
how a text becomes a vector: the mean of its tokens, to length 1. A decoder without its mask is a design that no class
of transformers has, so its config.json says `model_type: hornbook`; an encoder keeps its own family.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from hornbook.adapt.adapter import Adapter
from hornbook.adapt.freeze import Freeze
from hornbook.core.errors import RecipeError, UserError
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus.stored import stored
from hornbook.data.masked import Mask
from hornbook.data.masked_next import MaskedNextTokens
from hornbook.data.passages import Passages
from hornbook.data.split import Parts
from hornbook.data.text_pairs import PairSource, TextPairs
from hornbook.evaluate.retrieval import recall
from hornbook.generate.language_model import LanguageModel
from hornbook.model.attend import Attend
from hornbook.model.both_ways import look_both_ways, looks_ahead
from hornbook.model.decoder import DecoderModel
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.model.pool import Take
from hornbook.objective.contrastive import Contrastive
from hornbook.objective.language import NextToken
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.tune.opened import Opened
from hornbook.tune.place import Kept, Place
from hornbook.tune.text import files_of, text_of

Pairs = TextPairs | Passages


@dataclass(frozen=True, kw_only=True)
class MaskedNext:
    """Masked next token prediction, on running text."""

    KEEPS: ClassVar[Kept] = "embedder"

    start: str | None = None
    corpus: Corpus | None = None  # None: the documents of the run
    length: int = 512  # tokens of a row, at most what the model reads; LLM2Vec, appendix D.1
    mask: Mask = field(default_factory=lambda: Mask(share=0.2))  # the same
    pooling: Take = "mean"  # which vector is a text's: theirs is the mean (section 3)
    pairs: Pairs | None = None  # whose anchors look for their partners, before and after; passages: those held out
    adapter: Adapter | None = None
    freeze: Freeze | None = None
    train: Train

    def files(self, place: Place) -> list[Path]:
        """What its text is made from, and the pairs."""
        return files_of(self.corpus) + _files(self.pairs, place)

    def job(self, place: Place) -> Job:
        """The base without its causal mask, with holes in its text."""
        opened = Opened.at(place.base)
        model = opened.lm.module
        if not isinstance(model, DecoderModel):
            raise UserError("base: is no decoder, it has learnt to look both ways already; go on with type: embedder")
        _prepare(opened.lm, self.pooling)
        opened.learns(place, self.adapter, self.freeze)
        rows = MaskedNextTokens(length=min(self.length, model.config.length), mask=self.mask)
        text, tokenizer = text_of(place, self.corpus, opened.tokenizer), opened.tokenizer
        held_out = text.held_out(rows.length)
        return Job(
            model=model,
            objective=NextToken(),
            source=rows.build(text.shards.train, tokenizer, seed=place.seed),
            validation=None if held_out is None else rows.build(held_out, tokenizer, seed=place.seed),
            seed=place.seed,
            save=opened.saving(),
        )

    def score(self, place: Place, model: Path) -> dict[str, Any]:
        """Recall at 1, where there are pairs."""
        return {} if self.pairs is None else recalls(place.base, model, _pairs(self.pairs, place), self.pooling)


@dataclass(frozen=True, kw_only=True)
class Embedder:
    """Contrastive learning on pairs of texts, or on texts alone."""

    KEEPS: ClassVar[Kept] = "embedder"

    start: str | None = None
    data: Pairs
    length: int = 128  # tokens of a text that are read in training; LLM2Vec, appendix D.1
    loss: Contrastive = field(default_factory=Contrastive)
    dropout: float | None = None  # of attention, while training; None: the model's own. LLM2Vec: 0.3
    pairs: Pairs | None = None  # to be scored on; None: those that `data` holds out
    adapter: Adapter | None = None
    freeze: Freeze | None = None
    train: Train

    def __post_init__(self) -> None:
        rows = self.train.rows_per_step
        if rows is None or rows < 2:
            raise ValueError(
                f"train.rows_per_step: {rows} leaves a row without negatives, which are the other rows of its step; "
                "give 64 or more"
            )
        if self.train.micro_batch not in (None, rows) or self.train.processes != 1:
            raise ValueError(
                f"train.micro_batch, processes: a step of {rows} rows cannot be cut, each is told from all others; "
                "leave both out, memory is spared by loss.texts_at_once"
            )
        object.__setattr__(self, "train", replace(self.train, micro_batch=rows))

    def files(self, place: Place) -> list[Path]:
        """The pairs."""
        return _files(self.data, place) + _files(self.pairs, place)

    def job(self, place: Place) -> Job:
        """The base without its causal mask, with texts that belong together."""
        opened, parts = Opened.at(place.base), _parts(self.data, place)
        place.note(str(parts))
        model, tokenizer = opened.lm.module, opened.tokenizer
        _prepare(opened.lm, self.loss.pooling)
        self._drop(model, alone=parts.train[0]["alone"])
        opened.learns(place, self.adapter, self.freeze)
        train, held_out = (
            PairSource(rows, tokenizer, min(self.length, model.config.length), seed=place.seed) if rows else None
            for rows in (parts.train, parts.validation)
        )
        assert train is not None
        return Job(
            model=model,
            objective=self.loss,
            source=train,
            validation=held_out,
            seed=place.seed,
            save=opened.saving(),
        )

    def _drop(self, model: nn.Module, *, alone: bool) -> None:
        """Set the dropout; UserError where texts are alone and nothing makes a difference between two readings."""
        for part in model.modules():
            if self.dropout is not None and isinstance(part, Attend):
                part.dropout = self.dropout
        if alone and not drops(model):
            raise UserError(
                "dropout: the model drops nothing, so a text that is read twice has one vector and nothing is learned; "
                "set dropout: 0.3, or give pairs"
            )

    def score(self, place: Place, model: Path) -> dict[str, Any]:
        """Recall at 1 over pairs that were not learned from, before and after."""
        held_out = _pairs(self.pairs or self.data, place, all_of=self.pairs is not None)
        return recalls(place.base, model, held_out, self.loss.pooling) if held_out else {}


def _prepare(lm: LanguageModel, pooling: Take) -> None:
    """Let a decoder look both ways, and say how a text becomes a vector."""
    if isinstance(lm.module, EncoderDecoderModel):
        raise UserError("base: is an encoder-decoder, whose halves are not trained apart here; take one half")
    if isinstance(lm.module, DecoderModel):
        look_both_ways(lm.module)
    lm.sentences = replace(lm.sentences, pooling=pooling, normalize=True)


def drops(model: nn.Module) -> bool:
    """Whether chance has a part in a model's training passes."""
    parts = list(model.modules())
    return any(isinstance(part, nn.Dropout) and part.p > 0 for part in parts) or any(
        isinstance(part, Attend) and part.dropout > 0 for part in parts
    )


def _files(pairs: Pairs | None, place: Place) -> list[Path]:
    return pairs.files(place.file) if isinstance(pairs, TextPairs) else []


def _parts(pairs: Pairs, place: Place) -> Parts:
    """The rows of a recipe's pairs."""
    if isinstance(pairs, TextPairs):
        return pairs.build(place.file)
    if place.corpus is None:
        raise RecipeError("data: this recipe has no documents to take passages from; give the stage a file of pairs")
    train, held_out = (
        ((document.id, document.text) for document in stored(place.corpus, side)) for side in ("train", "validation")
    )
    return pairs.parts(train, held_out)


def _pairs(pairs: Pairs, place: Place, *, all_of: bool = True) -> list[list[str]]:
    """Texts that belong together and were not learned from: a whole file, or the part that was held out."""
    if isinstance(pairs, TextPairs) and all_of:
        return [row["texts"] for row in pairs.read(place.file(pairs.source), [])]
    parts = _parts(pairs, place)
    return [row["texts"] for row in parts.test or parts.validation if not row["alone"]]


def recalls(before: Path, after: Path, pairs: list[list[str]], pooling: Take) -> dict[str, Any]:
    """Recall at 1 of the base, of the base without its causal mask, and of what was trained."""
    lm, found = LanguageModel.load(before), {}
    found["recall@1, before"] = recall(lambda texts: lm.embed(texts, pooling=pooling), pairs)
    if isinstance(lm.module, DecoderModel) and not looks_ahead(lm.module.config):
        look_both_ways(lm.module)
        found["recall@1, without the causal mask"] = recall(lambda texts: lm.embed(texts, pooling=pooling), pairs)
    found["recall@1"] = recall(LanguageModel.load(after).embed, pairs)
    return found
