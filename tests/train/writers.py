"""A small decoder with a tokenizer, and rollouts of it that need no stage."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from hornbook.core import recipe
from hornbook.core.run import Run
from hornbook.generate.engine import Limits
from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.objective.advantages import Normalised
from hornbook.objective.kl import Kl
from hornbook.objective.policy import Reading
from hornbook.text.bpe import BPE
from hornbook.text.tokenizer import Tokenizer
from hornbook.train.learner import prepare, reference_of
from hornbook.train.parallel import Ranks
from hornbook.train.rollout import Home, Plan, Rollouts
from hornbook.train.rollout_write import Prompt, Writer
from hornbook.tune.grpo import Compared

MOST = 10  # tokens of a text


@functools.cache
def tokenizer() -> Tokenizer:
    return BPE(vocab=300).train(["a fox and a wolf ran over two green hills. " * 20], processes=1)


def decoder(seed: int = 0) -> DecoderModel:
    sizes = ["length=64", "dim=24", f"embed.vocab={tokenizer().vocab}", "stack.layers=2"]
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", [*sizes, "stack.layer.1.hidden=48"])
    model = config.build(torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # surer of itself than a new model, so that texts differ
    return model


def letters(rows: list[dict[str, Any]]) -> list[dict[str, float]]:
    """The share of a's in each text."""
    return [{"letters": row["completion"].count("a") / 10} for row in rows]


def writer(model: DecoderModel, **changes: Any) -> Writer:
    ends = frozenset(range(0, tokenizer().vocab, 9))
    limits = Limits(max_new_tokens=MOST, context=64, end=ends, vocab=tokenizer().vocab, log_probabilities=True)
    given = {"limits": limits, "reading": Reading(1.0, tokenizer().vocab), "reward": letters}
    return Writer(model=model, tokenizer=tokenizer(), **{**given, **changes})


def prompts(count: int = 5) -> list[Prompt]:
    texts = [" ".join(["a fox"] * (1 + number % 3)) for number in range(count)]
    return [Prompt(tokenizer().encode(t), t, {"id": f"rows.jsonl:{n + 1}"}) for n, t in enumerate(texts)]


def rollouts(
    folder: Path, plan: Plan, *, kl: Kl | None = None, ranks: Ranks | None = None, change: Callable[..., Any] = writer
) -> Rollouts:
    model = decoder()
    reference = reference_of(model) if kl else None
    prepare(model, kl)
    estimate = Compared(Normalised(), plan.samples, MOST, kl)
    home = Home(Run(folder), 7, ranks or Ranks())
    return Rollouts(prompts(), plan, change(model, reference=reference), estimate=estimate, home=home)
