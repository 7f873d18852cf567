"""A student learns from a teacher: a small model of one's own from a large one, of the same vocabulary.

Logits level: on the same text the student learns what the teacher thinks of every next token (objective/distill.py,
Hinton et al. 2015). The teacher is asked at every step or, with `stored`, once: then its likeliest tokens are kept on
disk. Sequence level (Kim and Rush 2016) is two other stages: `answers` has the teacher write rows, `instruct` learns
them; no vocabulary has to be the same there.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from hornbook.core import recipe as recipes
from hornbook.core.errors import RecipeError, UserError
from hornbook.corpus.pipeline import Corpus
from hornbook.data import teacher_scores
from hornbook.data.batches import Batch, Source, Windows
from hornbook.data.teacher_scores import ScoredRows
from hornbook.evaluate import by_source
from hornbook.generate.language_model import LanguageModel
from hornbook.model.cost import training_flops
from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.objective.distill import Distillation, Distilled, DistilledFromScores
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.tune.opened import Opened
from hornbook.tune.place import Kept, Place
from hornbook.tune.text import Text, documents_of, files_of, text_of


@dataclass(frozen=True, kw_only=True)
class Distill:
    """Distillation on running text."""

    KEEPS: ClassVar[Kept] = "language model"

    start: str | None = None
    teacher: str | None = None  # a path, a hub id or `stage:NAME`; None: the model this stage starts from
    student: str | None = None  # a model's recipe, built with fresh weights; None: the model this stage starts from
    corpus: Corpus | None = None  # None: the documents of the run
    length: int | None = None  # tokens of a window; None: all that both read
    loss: Distillation = field(default_factory=Distillation)
    stored: int | None = None  # the teacher's likeliest tokens that are kept of each place; None: asked at every step
    dtype: Literal["float32", "bfloat16"] = "float32"  # of the teacher's weights
    documents: int | None = None  # held-out documents of each source that are scored; None: all
    train: Train

    def __post_init__(self) -> None:
        if self.teacher is None and self.student is None:
            raise ValueError("teacher, student: a model cannot be its own teacher; name the one or the other")
        if self.stored is not None and self.stored < 1:
            raise ValueError(f"stored: {self.stored} keeps nothing; give 50, or leave it out")

    def files(self, place: Place) -> list[Path]:
        """The text, the student's recipe, and what tells the teacher from another."""
        teacher = [] if self.teacher is None else [place.model(self.teacher) / "config.json"]
        student = [] if self.student is None else [recipes.find(self.student)]
        return files_of(self.corpus) + student + [path for path in teacher if path.is_file()]

    def job(self, place: Place) -> Job:
        """The student, and its teacher beside the rows."""
        teacher = self._teacher(place)
        opened = self._student(place, teacher)
        student, text = opened.decoder, text_of(place, self.corpus, opened.tokenizer)
        length = self._window(student, teacher.decoder)
        train, held_out = Windows(length=length), text.held_out(length)
        return Job(
            model=student,
            lm=opened.lm,
            objective=self._objective(teacher),
            source=self._rows(place, text, teacher, length),
            validation=None if held_out is None or self.stored else train.build(held_out, seed=place.seed),
            seed=place.seed,
            flops_per_token=training_flops(student.config, length),
            save=opened.saving(),
        )

    def score(self, place: Place, model: Path) -> dict[str, Any]:
        """Bits per byte of held-out documents: the teacher's and the student's."""
        texts = by_source.held_out(documents_of(place, self.corpus), most=self.documents)
        found: dict[str, Any] = {}
        for who, lm in (("teacher", self._teacher(place).lm), ("student", LanguageModel.load(model))):
            assert lm.tokenizer is not None
            length = min(self.length or lm.module.config.length, lm.module.config.length)
            each = by_source.plain(by_source.score_each(lm.module, lm.tokenizer, texts, length=length))
            found |= {f"bits per byte of {source}, {who}": entry for source, entry in each.items()}
        return found

    def _teacher(self, place: Place) -> Opened:
        path = place.base if self.teacher is None else place.model(self.teacher)
        opened = Opened(LanguageModel.load(path, dtype=self.dtype))
        opened.decoder.requires_grad_(False)
        return opened

    def _student(self, place: Place, teacher: Opened) -> Opened:
        """The model of the base, or a fresh one with the teacher's tokenizer."""
        if self.student is None:
            opened = Opened.at(place.base)
            check_vocabulary(opened, teacher)
            return opened
        config = student_config(self.student, teacher.decoder.config)
        model = config.build(torch.Generator().manual_seed(place.seed))
        return Opened(LanguageModel(model, teacher.tokenizer, teacher.lm.renderer))

    def _window(self, student: DecoderModel, teacher: DecoderModel) -> int:
        most = min(student.config.length, teacher.config.length)
        return min(self.length or most, most)

    def _objective(self, teacher: Opened) -> Distilled | DistilledFromScores:
        vocab = teacher.tokenizer.vocab
        if self.stored:
            return DistilledFromScores(self.loss, vocab)
        return Distilled(self.loss, teacher.decoder, vocab)

    def _rows(self, place: Place, text: Text, teacher: Opened, length: int) -> Source:
        """The windows; with the teacher's scores, which are made where they are not there yet."""
        windows = Windows(length=length)
        if not self.stored:
            return windows.build(text.shards.train, seed=place.seed)
        folder, rows = place.run.folder / "teacher", windows.build(text.shards.train, seed=None)
        if not folder.is_dir():
            place.note(f"asks the teacher about {rows.rows_per_epoch:,} rows")
            teacher_scores.write(rows, folder, self._asked(teacher))
        return ScoredRows(rows, folder, seed=place.seed)

    def _asked(self, teacher: Opened) -> teacher_scores.Ask:
        model, vocab, k = (
            teacher.decoder.eval(),
            teacher.tokenizer.vocab,
            min(self.stored or 1, teacher.tokenizer.vocab),
        )

        @torch.inference_mode()
        def ask(batch: Batch) -> tuple[Tensor, Tensor]:
            best = self.loss.log_p(model(**batch.inputs).logits[..., :vocab]).topk(k)
            return best.indices, best.values

        return ask


def check_vocabulary(student: Opened, teacher: Opened) -> None:
    """Refuse a teacher that speaks of other tokens."""
    ours, theirs = student.tokenizer, teacher.tokenizer
    if ours.fingerprint != theirs.fingerprint:
        raise UserError(
            f"teacher: its tokenizer ({theirs.vocab} ids, {theirs.fingerprint[:12]}) is not the student's "
            f"({ours.vocab} ids, {ours.fingerprint[:12]}), so its next tokens are others; take a teacher of the same "
            "family, or have it write rows (type: answers)"
        )


def student_config(name: str, teacher: Decoder) -> Decoder:
    """The design of a model's recipe; vocabulary and length, where it says nothing of them, are the teacher's."""
    said = recipes.read(recipes.find(name))
    said = said if isinstance(said, dict) else {}
    lent = [] if "vocab" in (said.get("embed") or {}) else [f"embed.vocab={teacher.vocab}"]
    lent += [] if "length" in said else [f"length={teacher.length}"]
    config: Decoder = recipes.load(Decoder, name, lent)
    if config.vocab < teacher.vocab:
        raise RecipeError(f"student: {name} has {config.vocab} ids, the teacher {teacher.vocab}; leave embed.vocab out")
    return config
