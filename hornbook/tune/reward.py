"""A reward model as a stage: a language model whose head is exchanged for one number, learned from pairs of answers.

Stiennon et al. 2020 and Ouyang et al. 2022, section 3.5. The scores at the end are of held-out pairs: how often the
better answer gets more, whether it is right as often as sigmoid(difference) says, and how rewards are spread once their
mean over the training answers is taken off.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from hornbook.adapt import adapter as adapters
from hornbook.adapt.adapter import Adapter
from hornbook.adapt.freeze import Freeze
from hornbook.core import device as machine
from hornbook.data.preference_rows import ComparisonRows, Comparisons
from hornbook.evaluate.calibration import calibration_error, reliability
from hornbook.evaluate.interval import wilson
from hornbook.exchange import folder as exchange
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.reward import MEAN, RewardModel
from hornbook.model.classifier import LAST, Regression
from hornbook.model.cost import training_flops
from hornbook.model.decoder import DecoderModel
from hornbook.objective.reward import BradleyTerry, read
from hornbook.text.chat import Renderer
from hornbook.train.config import Train
from hornbook.train.job import Job
from hornbook.tune.compared import Compared, Sides, files_of, fitting, held_out, parts_of
from hornbook.tune.opened import Opened
from hornbook.tune.place import Kept, Place
from hornbook.tune.reference import rows_at_once
from hornbook.tune.template import renderer_of, template_files

HEAD = Regression(values=1, pooling=LAST, bias=False)


@dataclass(frozen=True, kw_only=True)
class Reward:
    """Learn a number for an answer from which of two was preferred."""

    KEEPS: ClassVar[Kept] = "reward model"

    start: str | None = None
    data: Compared
    template: str | None = None  # a name of text/templates.py, a file, or None: the model's own
    length: int | None = None  # tokens of a prompt and an answer to it; None: what the model reads, at most 1024
    long: Literal["drop", "cut"] = "drop"  # what becomes of rows that are longer
    adapter: Adapter | None = None  # learn beside the weights; the head learns whole
    freeze: Freeze | None = None  # learn a part of the weights
    train: Train

    def files(self, place: Place) -> list[Path]:
        """The rows' files, and the template where it is one."""
        return [*files_of(self.data, place), *template_files(self.template)]

    def job(self, place: Place) -> Job:
        """The base with a new head, and the pairs."""
        base = Opened.at(place.base)
        renderer = renderer_of(base.lm, self.template)
        sides = Sides.of(parts_of(self.data, place), self._rows(base.lm), renderer, place)
        sides.only_pairs("a reward model compares two")
        model = with_number(base.decoder, torch.Generator().manual_seed(place.seed))
        with_head = self.adapter and dataclasses.replace(self.adapter, full=(*self.adapter.full, "head"))
        Opened(LanguageModel(model, base.tokenizer, renderer)).learns(place, with_head, self.freeze)

        def save(folder: Path) -> None:
            with adapters.folded(model):
                write(model, renderer, folder, mean=mean_reward(model, sides.train))

        return Job(
            model=model,
            objective=BradleyTerry(),
            source=sides.train,
            validation=sides.validation,
            seed=place.seed,
            flops_per_token=training_flops(model.config, sides.train.length // 2),
            save=save,
        )

    def _rows(self, lm: LanguageModel) -> Comparisons:
        return Comparisons(length=fitting(self.length, lm), long=self.long)

    def score(self, place: Place, model: Path) -> dict[str, Any]:
        """Accuracy and calibration on held-out pairs, and how rewards are spread."""
        rows = held_out(parts_of(self.data, place))
        if not rows:
            return {}
        found, base = RewardModel.load(model), LanguageModel.load(place.base)
        packed = self._rows(base).build(rows, found.renderer, seed=None)
        return told(rewards(found.module.to(machine.choose().device), packed) - found.mean)


def with_number(model: DecoderModel, generator: torch.Generator) -> DecoderModel:
    """The same decoder with one number on its last token instead of a score for every token; its body is shared.

    The new head is drawn as in Stiennon et al. 2020, appendix B: variance 1 / (dim + 1).
    """
    with torch.device("meta"):
        scorer = DecoderModel(dataclasses.replace(model.config, head=HEAD))
    body = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("head.")}
    deviation = (model.config.dim + 1) ** -0.5
    head = torch.empty(1, model.config.dim).normal_(std=deviation, generator=generator)
    scorer.load_state_dict({**body, "head.labels.weight": head}, assign=True)
    scorer.requires_grad_(True)
    scorer.family, scorer.token_ids = model.family, dict(model.token_ids)
    return scorer


@torch.no_grad()
def rewards(model: DecoderModel, rows: ComparisonRows) -> Tensor:
    """(pairs, 2): the reward of both answers of each pair."""
    model.eval()
    device = next(model.parameters()).device
    return rows.each(lambda batch: read(model, batch.to(device))[0], rows=rows_at_once(rows))


def mean_reward(model: DecoderModel, rows: ComparisonRows) -> float:
    """Of all answers it was trained on: what InstructGPT's bias takes off before reinforcement learning."""
    return float(rewards(model, rows).mean())


def write(model: DecoderModel, renderer: Renderer, folder: Path, *, mean: float) -> None:
    """A folder that transformers reads as a classifier with one label; the mean stands in config.json."""
    tokenizer = renderer.tokenizer
    free = [i for i in (tokenizer.end, *tokenizer.special.values()) if i != renderer.stop]
    padding = {"pad_token_id": free[0]} if free else {}  # what a text does not end with: others find the end by it
    exchange.save(model, folder, tokenizer=tokenizer, extra={**padding, MEAN: mean})
    renderer.save(folder)


def told(given: Tensor) -> dict[str, Any]:
    """What held-out rewards say of a reward model; (pairs, 2)."""
    margins = (given[:, 0] - given[:, 1]).tolist()
    right, of = [margin > 0 for margin in margins], len(margins)
    sure = (given[:, 0] - given[:, 1]).abs().sigmoid().tolist()  # of the answer that it thinks is better
    diagram = reliability(sure, right, low=0.5)
    hits = sum(right)
    return {
        "accuracy": {"value": hits / of, "interval": list(wilson(hits, of)), "of": of},
        "calibration_error": {"value": calibration_error(diagram), "of": of, "bins": diagram},
        "reward_mean": {"value": float(given.mean()), "of": given.numel()},
        "reward_deviation": {"value": float(given.std()), "of": given.numel()},
        "rewards": {"chosen": given[:, 0].tolist(), "rejected": given[:, 1].tolist()},
    }
