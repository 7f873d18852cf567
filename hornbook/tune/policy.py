"""What PPO and GRPO share as stages: prompts are answered by the model itself, rewarded, and learned from.

Ouyang et al. 2022, section 3.5: a language model goes on from where instruction tuning left it, held near that by a
penalty. A rollout is `prompts_per_step` x `samples_per_prompt` texts for every optimizer step it serves. Scores are
the mean reward on held-out prompts, before and after, and how far the model has gone.
"""

import dataclasses
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from hornbook.adapt.adapter import Adapter
from hornbook.adapt.freeze import Freeze
from hornbook.align.reward import Reward
from hornbook.core import device as machine
from hornbook.core.errors import RecipeError
from hornbook.data.conversations import Prompts
from hornbook.data.split import Parts
from hornbook.evaluate.interval import bootstrap_ratio
from hornbook.model.cost import training_flops
from hornbook.objective.batch import Objective
from hornbook.objective.kl import Kl
from hornbook.objective.policy import Clip, Reading
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.train.learner import plain, prepare, reference_of
from hornbook.train.rollout import Estimate, Home, Plan, Rollouts
from hornbook.train.rollout_file import Written
from hornbook.train.rollout_write import Writer, seed_of
from hornbook.tune.opened import Opened
from hornbook.tune.place import Kept, Place
from hornbook.tune.prompts import Asked, parts_of, prompts_of
from hornbook.tune.template import renderer_of, template_files

SCORED = 256  # held-out prompts that are answered at the end
HELD_OUT = 1  # what stands in for the number of a rollout in the seeds of the scores


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A stage: prompts in, a model whose answers are worth more out."""

    KEEPS: ClassVar[Kept] = "language model"
    CRITIC: ClassVar[bool] = False

    prompts: Asked
    reward: Reward
    template: str | None = None  # a name of text/templates.py, a file, or None: the model's own, or plain text
    prompts_per_step: int = 8  # prompts whose texts an optimizer step learns from
    samples_per_prompt: int = 8  # texts written for each
    max_new_tokens: int = 64  # of a text
    temperature: float = 1.0  # with which they are drawn
    unfinished: float | None = None  # reward of a text that was cut at max_new_tokens; None: that of any other
    kl: Kl | None = field(default_factory=Kl)  # what moving away from the start costs; None: it is not even looked at
    clip: Clip = field(default_factory=Clip)  # how far one rollout may move a token's probability
    updates_per_rollout: int = 1  # optimizer steps that learn from one rollout
    passes_per_rollout: int = 1  # how often they see each of its texts; divides the updates
    adapter: Adapter | None = None  # a few numbers beside frozen weights learn; they are folded in at the end
    freeze: Freeze | None = None  # what learns, where not all does
    train: Train
    start: str | None = None  # the stage it goes on from; None: the newest language model

    def __post_init__(self) -> None:
        for name in (
            "prompts_per_step", "samples_per_prompt", "max_new_tokens", "updates_per_rollout", "passes_per_rollout"
        ):  # fmt: skip
            if getattr(self, name) < 1:
                raise RecipeError(f"{name}: {getattr(self, name)} is less than 1")
        if self.temperature <= 0:
            raise RecipeError(f"temperature: {self.temperature} leaves nothing to choose from; 1 is the model's own")
        if self.updates_per_rollout % self.passes_per_rollout:
            raise RecipeError(
                f"passes_per_rollout: {self.passes_per_rollout} does not divide the {self.updates_per_rollout} updates"
            )
        for name in ("lengths", "ramp", "rows_per_step"):
            if getattr(self.train, name) is not None:
                raise RecipeError(f"train.{name}: texts are whole and as many as prompts and samples say; leave it out")

    def objective(self, reading: Reading) -> Objective:
        """The loss."""
        raise NotImplementedError

    def estimate(self) -> Estimate:
        """From rewards to advantages."""
        raise NotImplementedError

    def files(self, place: Place) -> list[Path]:
        """What is asked and what decides the reward, where they are files."""
        asked = self.prompts.files(place.file) if isinstance(self.prompts, Prompts) else []
        return [*asked, *self.reward.files, *template_files(self.template)]

    def job(self, place: Place) -> Job:
        """The model, and the texts that it will write."""
        opened, parts = self._opened(place.base), parts_of(self.prompts, place)
        opened.learns(place, self.adapter, self.freeze)
        model = opened.decoder
        reference = reference_of(model) if self.kl is not None else None
        prepare(model, self.kl, critic=model.config.dim if self.CRITIC else None)
        writer = dataclasses.replace(self._writer(opened, place), reference=reference)
        prompts = prompts_of(parts.train, opened.lm, room=self.max_new_tokens, place=place)
        plan = Plan(self.prompts_per_step, self.samples_per_prompt, self.updates_per_rollout, self.passes_per_rollout)
        home = Home(place.run, place.seed, place.ranks)
        source = Rollouts(prompts, plan, writer, estimate=self.estimate(), home=home)
        place.note(f"{len(prompts):,} prompts; a step learns from {plan.rows:,} texts to {plan.prompts:,} of them")
        return Job(
            model=model,
            lm=opened.lm,
            objective=self.objective(writer.reading),
            source=source,  # type: ignore[arg-type]  # its batches are what the objective wants, not running text
            seed=place.seed,
            flops_per_token=training_flops(model.config, source.length),
            rows_per_step=plan.rows,
            save=_saving(model, opened.saving()),
        )

    def score(self, place: Place, model: Path) -> dict[str, Any]:
        """The mean reward of one answer to each held-out prompt, of the model it began with and of the trained one."""
        rows = held_out(parts_of(self.prompts, place))[:SCORED]
        if not rows:
            return {}
        before, after = self._opened(place.base), self._opened(model)
        device = machine.choose().device
        start: nn.Module = before.decoder.to(device)
        after.decoder.to(device)
        old = self._answers(before, rows, place)
        new = self._answers(after, rows, place, reference=start)
        lengths, apart = new.new_tokens.tolist(), new.per_text(new.old - new.reference).tolist()
        return {
            "reward": _mean(new.rewards.tolist()),
            "reward_before": _mean(old.rewards.tolist()),
            "reward_gain": _mean((new.rewards - old.rewards).tolist()),
            "kl_per_token": _ratio(apart, lengths),
            "kl": _mean(apart),
            "tokens": _mean([float(length) for length in lengths]),
            "unfinished": _mean([float(not done) for done in new.finished.tolist()]),
        }

    def _answers(self, opened: Opened, rows: list[Any], place: Place, reference: nn.Module | None = None) -> Written:
        prompts = prompts_of(rows, opened.lm, room=self.max_new_tokens, place=place)
        writer = self._writer(opened, place)
        if reference is not None:
            writer = dataclasses.replace(writer, reference=lambda: nullcontext(reference))
        return writer.write(prompts, [[seed_of(place.seed, HELD_OUT, i)] for i in range(len(prompts))])

    def _opened(self, path: Path) -> Opened:
        """A model with the template of this stage; without any it goes on with plain text."""
        opened = Opened.at(path)
        if self.template is not None:
            opened.lm.renderer = renderer_of(opened.lm, self.template)
        return opened

    def _writer(self, opened: Opened, place: Place) -> Writer:
        limits = opened.lm.limits(max_new_tokens=self.max_new_tokens)
        limits = dataclasses.replace(limits, log_probabilities=True)
        return Writer(
            model=opened.decoder,
            tokenizer=opened.tokenizer,
            limits=limits,
            reading=Reading(self.temperature, limits.vocab),
            reward=self.reward.build(place.model),
            unfinished=self.unfinished,
        )


def held_out(parts: Parts) -> list[Any]:
    """The rows that scores are of: the test or, where there is none, what is left for validation."""
    return list(parts.test or parts.validation)


def _saving(model: nn.Module, save: Callable[[Path], None]) -> Callable[[Path], None]:
    """What writes the folder of a plain language model."""

    def write(folder: Path) -> None:
        with plain(model):
            save(folder)

    return write


def _mean(numbers: list[float]) -> dict[str, Any]:
    known = [number for number in numbers if number == number]  # what was skipped is NaN
    return _ratio(known, [1] * len(known))


def _ratio(over: list[float], under: list[int]) -> dict[str, Any]:
    if not over:
        return {}
    interval = bootstrap_ratio(over, [float(number) for number in under])
    return {"value": sum(over) / sum(under), "interval": list(interval), "of": len(over)}
