"""Continued pretraining: a finished model goes on with the documents of a new field, and keeps what it knew.

Ibrahim et al. 2024, "Simple and Scalable Strategies to Continually Pre-train Large Language Models", section 6: the
learning rate is warmed up again on a straight line and decays again along a cosine to a tenth (`Train`'s schedule of
old), and a small part of the text is replayed from what the model was made of: 5 % where the new text is near the old,
25 % where it is far (another language). The replay is a source of the corpus with its share in the `mixture`. The
optimizer begins anew, as theirs does. Leaves out their schedules without an end (`wsd` is the nearest).
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from hornbook.adapt.adapter import Adapter
from hornbook.adapt.freeze import Freeze
from hornbook.corpus.pipeline import Corpus
from hornbook.data.batches import Windows
from hornbook.evaluate import by_source
from hornbook.generate.language_model import LanguageModel
from hornbook.model.cost import training_flops
from hornbook.objective.language import NextToken
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.tune.opened import Opened
from hornbook.tune.place import Kept, Place
from hornbook.tune.text import documents_of, files_of, text_of


@dataclass(frozen=True, kw_only=True)
class Continue:
    """The next token, on more text."""

    KEEPS: ClassVar[Kept] = "language model"

    start: str | None = None
    corpus: Corpus = field(default_factory=Corpus)  # the new text, and what is replayed of the old: name both sources
    length: int | None = None  # tokens of a window; None: all that the model reads
    adapter: Adapter | None = None  # learn beside the weights, which stay as they are
    freeze: Freeze | None = None  # learn a part of the weights
    documents: int | None = None  # held-out documents of each source that are scored; None: all
    train: Train

    def files(self, place: Place) -> list[Path]:  # noqa: ARG002 -- a path of the corpus is no earlier stage's
        """What the corpus is made from."""
        return files_of(self.corpus)

    def job(self, place: Place) -> Job:
        """The base, with windows over the new text."""
        base = Opened.at(place.base)
        model, length = base.decoder, self._window(base.lm)
        base.learns(place, self.adapter, self.freeze)
        text, windows = text_of(place, self.corpus, base.tokenizer), Windows(length=length)
        held_out = text.held_out(length)
        return Job(
            model=model,
            lm=base.lm,
            objective=NextToken(),
            source=windows.build(text.shards.train, seed=place.seed),
            validation=None if held_out is None else windows.build(held_out, seed=place.seed),
            seed=place.seed,
            bytes_per_token=text.bytes_per_token,
            flops_per_token=training_flops(model.config, length),
            save=base.saving(),
        )

    def score(self, place: Place, model: Path) -> dict[str, Any]:
        """Bits per byte of each source's held-out documents, before and after."""
        texts = by_source.held_out(documents_of(place, self.corpus), most=self.documents)
        found: dict[str, Any] = {}
        for when, path in (("before", place.base), ("after", model)):
            lm = LanguageModel.load(path)
            assert lm.tokenizer is not None
            each = by_source.score_each(lm.module, lm.tokenizer, texts, length=self._window(lm))
            found |= {f"bits per byte of {source}, {when}": entry for source, entry in by_source.plain(each).items()}
        return found

    def _window(self, lm: LanguageModel) -> int:
        """Tokens of a window: no more than the model reads."""
        return min(self.length or lm.module.config.length, lm.module.config.length)
