"""Preference optimisation as a stage: a language model learns which answers are wanted, from pairs or judgements.

The model starts as its own reference (Rafailov et al. 2023, section 4): what that says of every answer is found once
(reference.py), before anything is trained or an adapter attached. The scores at the end are of held-out rows: how often
the wanted answer is rated higher, and by how much; and how far the model has gone, as the KL to the reference of what
it writes itself. Leaves out new answers while it is trained (online DPO): `grpo` and `ppo` do that.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from hornbook.adapt.adapter import Adapter
from hornbook.adapt.freeze import Freeze
from hornbook.data.preference_rows import ComparisonRows, Comparisons
from hornbook.evaluate.interval import bootstrap_ratio, wilson
from hornbook.generate.language_model import LanguageModel
from hornbook.model.cost import training_flops
from hornbook.objective.preference import DPO, KTO, Preference
from hornbook.text.chat import Renderer
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.tune.compared import Compared, Sides, files_of, fitting, held_out, parts_of
from hornbook.tune.opened import Opened
from hornbook.tune.place import Kept, Place
from hornbook.tune.points import PointRows
from hornbook.tune.reference import FILE, Reader, remember
from hornbook.tune.template import renderer_of, template_files

SCORED = "scored.safetensors"  # the reference log-probabilities of the rows that are scored
WRITTEN = 64  # answers that the KL is estimated from


@dataclass(frozen=True, kw_only=True)
class Prefer:
    """Learn from answers that were preferred."""

    KEEPS: ClassVar[Kept] = "language model"

    start: str | None = None
    data: Compared
    objective: Preference = field(default_factory=DPO)
    template: str | None = None  # a name of text/templates.py, a file, or None: the model's own
    length: int | None = None  # tokens of a prompt and an answer to it; None: what the model reads, at most 1024
    long: Literal["drop", "cut"] = "drop"  # what becomes of rows that are longer
    adapter: Adapter | None = None  # learn beside the weights, which stay those of the reference; folded in at the end
    freeze: Freeze | None = None  # learn a part of the weights
    train: Train

    def files(self, place: Place) -> list[Path]:
        """The rows' files, and the template where it is one."""
        return [*files_of(self.data, place), *template_files(self.template)]

    def job(self, place: Place) -> Job:
        """The base, and the rows with what the base says of them."""
        base = Opened.at(place.base)
        model, base.lm.renderer = base.decoder, renderer_of(base.lm, self.template)
        sides = Sides.of(parts_of(self.data, place), self._rows(base.lm), base.lm.renderer, place)
        if not isinstance(self.objective, KTO):
            sides.only_pairs("the objective compares two")
        found = self._sources(sides, Reader.of(model, self.train), place)
        base.learns(place, self.adapter, self.freeze)
        return Job(
            model=model,
            lm=base.lm,
            objective=self.objective,
            source=found["train"],
            validation=found.get("validation"),
            seed=place.seed,
            flops_per_token=training_flops(model.config, sides.train.length // 2),
            save=base.saving(),
        )

    def _sources(self, sides: Sides, reader: Reader, place: Place) -> dict[str, Any]:
        """The rows with their reference, and for KTO with the point of each step."""
        rows = sides.named
        strangers = {name: each.strangers() for name, each in rows.items()} if isinstance(self.objective, KTO) else {}
        if self.objective.REFERENCE:
            others = {f"{name} strangers": each for name, each in strangers.items()}
            remember(place.run.folder / FILE, reader, rows | others, place.note)
        group = self.train.rows_per_step or max(1, self.train.tokens_per_step // sides.train.length)
        points = {name: PointRows(rows[name], each, reader, group=group) for name, each in strangers.items()}
        return {**rows, **points}

    def _rows(self, lm: LanguageModel) -> Comparisons:
        return Comparisons(length=fitting(self.length, lm), long=self.long)

    def score(self, place: Place, model: Path) -> dict[str, Any]:
        """How held-out answers are rated, and the distance to the reference."""
        rows = held_out(parts_of(self.data, place))
        if not rows:
            return {}
        after, before = LanguageModel.load(model), LanguageModel.load(place.base)
        renderer = renderer_of(after, None)
        packed = self._rows(after).build(rows, renderer, seed=None)
        reference, policy = Reader.of(before.module, self.train), Reader.of(after.module, self.train)
        remember(place.run.folder / SCORED, reference, {"scored": packed}, place.note)
        rewards = packed.each(lambda batch: self.objective.scale * self.objective.reward(policy.answers(batch)), rows=1)
        found = preferred(rewards, packed)
        written = self._written(after, renderer, rows, place.seed)
        if written is not None:
            found["kl"] = distance(policy.log_p(written) - reference.log_p(written))
        return found

    def _written(self, lm: LanguageModel, renderer: Renderer, rows: Any, seed: int) -> ComparisonRows | None:
        """Answers that the model writes to held-out prompts, at temperature 1; None where it says nothing."""
        prompts = [row["prompt"] for row in rows[:WRITTEN]]
        room = max(1, fitting(self.length, lm) // 4)
        texts = lm.chat_batch(prompts, max_new_tokens=room, temperature=1.0, seed=seed)
        said = [
            {"prompt": prompt, "completion": text, "label": True}
            for prompt, text in zip(prompts, texts, strict=True)
            if text.strip()
        ]
        return (
            Comparisons(length=fitting(self.length, lm), long="cut").build(said, renderer, seed=None) if said else None
        )


def preferred(rewards: Tensor, rows: ComparisonRows) -> dict[str, Any]:
    """How often the wanted answer of a pair is rated higher, and by how much; (pairs, 2)."""
    both = torch.tensor([None not in pair for pair in rows.shelf.pairs])
    if not both.any():
        return _apart(rewards, rows)
    margins = (rewards[both, 0] - rewards[both, 1]).tolist()
    right, of = sum(margin > 0 for margin in margins), len(margins)
    low_high = bootstrap_ratio(margins, [1.0] * of)
    return {
        "accuracy": {"value": right / of, "interval": list(wilson(right, of)), "of": of},
        "margin": {"value": sum(margins) / of, "interval": list(low_high), "of": of},
    }


def _apart(rewards: Tensor, rows: ComparisonRows) -> dict[str, Any]:
    """Of answers judged alone: how often a wanted one is rated higher than an unwanted one, over all such twos."""
    wanted = torch.tensor([pair[0] is not None for pair in rows.shelf.pairs])
    good, bad = rewards[wanted, 0], rewards[~wanted, 1]
    if not len(good) or not len(bad):
        return {}
    return {"accuracy": {"value": float((good[:, None] > bad[None]).float().mean()), "of": len(rewards)}}


def distance(ratios: Tensor) -> dict[str, Any]:
    """KL(policy || reference) of whole answers, nats: the mean log(policy / reference) of what the policy writes."""
    values = ratios[:, 0].tolist()
    return {
        "value": sum(values) / len(values),
        "interval": list(bootstrap_ratio(values, [1.0] * len(values))),
        "of": len(values),
    }
