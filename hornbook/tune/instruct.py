"""Instruction tuning: a language model learns to answer, from conversations of the user's or the run's own functions.

Supervised fine-tuning as in Ouyang et al. 2022, section 3.5: next-token prediction on whole conversations, of which by
default only what the assistant says is trained. The chat template is carried into the folder that is written.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from torch import nn

from hornbook.adapt.adapter import Adapter
from hornbook.adapt.freeze import Freeze
from hornbook.core import device as machine
from hornbook.core.errors import RecipeError
from hornbook.core.run import Row
from hornbook.corpus.instruct import pairs
from hornbook.corpus.stored import stored
from hornbook.data.inputs import Conversations
from hornbook.data.instruction import Instructions
from hornbook.data.split import Parts
from hornbook.evaluate.held_out import held_out_loss
from hornbook.generate.language_model import LanguageModel
from hornbook.model.cost import training_flops
from hornbook.model.decoder import DecoderModel
from hornbook.objective.language import NextToken
from hornbook.objective.neftune import NoisyNextToken
from hornbook.text.chat import Renderer
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.tune.opened import Opened
from hornbook.tune.place import Kept, LeftOut, Place
from hornbook.tune.template import renderer_of, template_files

USUAL_LENGTH = 1024  # tokens of a row where nobody says it: a longer mask costs more than it packs better


@dataclass(frozen=True, kw_only=True)
class Functions:
    """Python functions of the run's own corpus: signature and docstring ask, the body answers."""

    def parts(self, place: Place) -> Parts:
        """The functions of the corpus's training and held-out documents; `LeftOut` where there are none."""
        assert place.corpus is not None, "checked before"
        sides = [[_named(row) for row in pairs(stored(place.corpus, side))] for side in SIDES]
        if not all(sides):
            raise LeftOut("the corpus has no Python functions with a docstring to learn from")
        return Parts(sides[0], sides[1], [])


SIDES = ("train", "validation")  # of a corpus


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {"messages": row["messages"], "id": row["document"]}


@dataclass(frozen=True, kw_only=True)
class Instruct:
    """A stage: conversations in, a model that answers out."""

    KEEPS: ClassVar[Kept] = "language model"

    data: Conversations | Functions
    template: str | None = None  # a name of text/templates.py, a file, or None: the model's own
    length: int | None = None  # tokens of a row; None: what the model reads, at most 1024
    long: Literal["drop", "cut"] = "drop"  # a longer conversation is left out, or loses its end
    trained: Literal["responses", "everything"] = "responses"  # what is asked is learnt too (Shi et al. 2024)
    packed: bool = True  # several conversations in a row; else one, filled up: then rows_per_step counts conversations
    noise: float = 0.0  # alpha of NEFTune (Jain et al. 2023): 5 to 15; 0: none
    adapter: Adapter | None = None  # a few numbers beside frozen weights learn; they are folded in at the end
    freeze: Freeze | None = None  # what learns, where not all does
    train: Train
    start: str | None = None  # the stage it goes on from; None: the newest language model

    def __post_init__(self) -> None:
        if self.noise < 0:
            raise RecipeError(f"noise: {self.noise} is below 0; 0 has none, 5 is the paper's least")
        if self.train.lengths is not None:
            raise RecipeError("train.lengths: cuts running text, and conversations are whole; leave it out")

    def files(self, place: Place) -> list[Path]:
        """The rows and the template, where they are files."""
        read = [] if isinstance(self.data, Functions) else self.data.files(place.file)
        return [*read, *template_files(self.template)]

    def job(self, place: Place) -> Job:
        """The model, and its conversations in rows."""
        parts = self._parts(place)
        opened = Opened.at(place.base)
        model, renderer = opened.decoder, renderer_of(opened.lm, self.template)
        opened.learns(place, self.adapter, self.freeze)
        opened.lm.renderer = renderer  # it is saved with the model
        rows = self._rows(model)
        source = rows.build(parts.train, renderer, seed=place.seed)
        place.note(f"{parts}; {source}" if isinstance(self.data, Conversations) else str(source))
        return Job(
            model=model,
            lm=opened.lm,
            objective=NoisyNextToken(alpha=self.noise) if self.noise else NextToken(),
            source=source,
            validation=rows.build(parts.validation, renderer, seed=place.seed) if parts.validation else None,
            seed=place.seed,
            flops_per_token=training_flops(model.config, rows.length),
            sample=lambda module: answers(module, renderer, self.train.prompts),
            save=opened.saving(),
        )

    def score(self, place: Place, model: Path) -> dict[str, Any]:
        """The loss on conversations for the test, or where there are none on those for validation."""
        parts = self._parts(place)
        rows = parts.test or parts.validation
        if not rows:
            return {}
        trained = Opened.at(model)
        source = self._rows(trained.decoder).build(rows, renderer_of(trained.lm, None), seed=None)
        return {"held_out_loss": held_out_loss(trained.decoder.to(machine.choose().device), source.rows)}

    def _rows(self, model: DecoderModel) -> Instructions:
        most = model.config.length
        if self.length is not None and self.length > most:
            raise RecipeError(f"length: {self.length} is more than the {most} tokens that the model reads; give less")
        length = self.length or min(most, USUAL_LENGTH)
        return Instructions(length=length, long=self.long, trained=self.trained, packed=self.packed)

    def _parts(self, place: Place) -> Parts:
        if isinstance(self.data, Conversations):
            return self.data.build(place.file)
        if place.corpus is None:
            raise RecipeError("data: functions come from the corpus of a recipe that begins with files; give a source")
        return self.data.parts(place)


def answers(module: nn.Module, renderer: Renderer, prompts: tuple[str, ...]) -> list[Row]:
    """What the model says to some questions now, its likeliest words."""
    assert isinstance(module, DecoderModel)
    model = LanguageModel(module, renderer.tokenizer, renderer)
    talks = [[{"role": "user", "content": prompt}] for prompt in prompts]
    texts = model.chat_batch(talks, temperature=0.0) if talks else []
    return [{"prompt": prompt, "text": text} for prompt, text in zip(prompts, texts, strict=True)]
