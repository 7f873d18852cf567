"""Texts written by the model as it is now, read again by the model as it is trained, and rewarded.

All texts of a rollout are written by one engine, those of one prompt side by side. Then each is read once in a pass as
the update makes it, which gives the log-probabilities that the update compares itself with. They are what the engine
said while it wrote, or one of the two is wrong and the run stops.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hornbook.core.errors import UserError
from hornbook.core.run import Row
from hornbook.data.batches import IGNORE
from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.sample import Sampling
from hornbook.objective.log_probabilities import log_probabilities
from hornbook.objective.policy import Reading, told
from hornbook.text.stream import StreamDecoder
from hornbook.text.tokenizer import Tokenizer
from hornbook.train.rollout_file import Written

TOGETHER = 128  # texts written side by side: more are hardly faster, and their states take memory
TOKENS = 4096  # of a pass that reads them again
TOLERANCE = 0.01  # nats between engine and trainer; fp32 is within 0.0001

Reward = Callable[[Sequence[Row]], list[Mapping[str, float]]]
"""Rows {"id", "prompt", "completion", "row"} -> the parts whose sum is the reward of each; NaN: leave it out."""


@dataclass(frozen=True)
class Prompt:
    """What is to be answered."""

    ids: list[int]
    text: str
    row: Row
    """Everything its row has; "id" is the place a person finds it at."""


@dataclass(frozen=True)
class Writer:
    """Everything that turns prompts into rewarded texts."""

    model: nn.Module
    """Has a `critic` where values are asked for."""
    tokenizer: Tokenizer
    limits: Limits
    reading: Reading
    reward: Reward
    reference: Callable[[], AbstractContextManager[nn.Module]] | None = None
    """Within it, the model that training began with; None: nobody asks how far away it is."""
    unfinished: float | None = None
    """The reward of a text that did not come to an end; None: that of any other."""

    def write(self, prompts: Sequence[Prompt], seeds: Sequence[Sequence[int]]) -> Written:
        """A text for every seed of each prompt, in their order."""
        began = time.perf_counter()
        writings = [Writing(p.ids, generator(seed)) for p, row in zip(prompts, seeds, strict=True) for seed in row]
        self._generate(writings)
        wrote = time.perf_counter()
        ids = [[*each.prompt, *each.new, *([] if each.end is None else [each.end])] for each in writings]
        starts = [len(each.prompt) for each in writings]
        found = self._read(ids, starts)
        owners = [prompt for prompt, row in zip(prompts, seeds, strict=True) for _ in row]
        self._compare(writings, found["old"], owners)
        read = time.perf_counter()
        said = [self._said(writing, prompt) for writing, prompt in zip(writings, owners, strict=True)]
        parts = self._rewards(writings, said)
        seconds = [wrote - began, read - wrote, time.perf_counter() - read]
        return Written(
            ids=torch.tensor([i for row in ids for i in row]),
            prompt_tokens=torch.tensor(starts),
            new_tokens=torch.tensor([len(row) - start for row, start in zip(ids, starts, strict=True)]),
            finished=torch.tensor([writing.end is not None for writing in writings]),
            rewards=torch.tensor([sum(part.values()) for part in parts], dtype=torch.float64),
            **found,
            seconds=torch.tensor([seconds], dtype=torch.float64),
            said=[_line(row, part) for row, part in zip(said, parts, strict=True)],
        )

    def _generate(self, writings: list[Writing]) -> None:
        sampling = Sampling(temperature=self.reading.temperature)
        order = sorted(writings, key=lambda writing: len(writing.prompt))
        for first in range(0, len(order), TOGETHER):
            for _ in write(self.model, order[first : first + TOGETHER], sampling, self.limits):
                pass

    def _said(self, writing: Writing, prompt: Prompt) -> Row:
        decoder = StreamDecoder(self.tokenizer, after=writing.prompt)
        text = decoder.feed(writing.new) + decoder.flush()
        return {"id": prompt.row["id"], "prompt": prompt.text, "completion": text, "row": prompt.row}

    def _rewards(self, writings: Sequence[Writing], said: Sequence[Row]) -> list[Mapping[str, float]]:
        """The parts of every reward; what did not come to an end may have one of its own."""
        if self.unfinished is None:
            return self.reward(said)
        whole = [row for writing, row in zip(writings, said, strict=True) if writing.end is not None]
        found = iter(self.reward(whole) if whole else [])
        fixed = {"unfinished": self.unfinished}
        return [next(found) if writing.end is not None else fixed for writing in writings]

    @torch.no_grad()
    def _read(self, ids: Sequence[list[int]], starts: Sequence[int]) -> dict[str, Tensor]:
        """What the trained model, its critic and its reference say of every token that was written."""
        learning = self.model.training
        self.model.eval()
        found: dict[str, list[Tensor]] = {name: [torch.zeros(0)] * len(ids) for name in PER_TOKEN}
        for rows in batches(ids):
            inputs, labels = (each.to(_device(self.model)) for each in padded([(ids[r], starts[r]) for r in rows]))
            for name, numbers in self._look(inputs, labels).items():
                for row, some in zip(rows, numbers.cpu().split((labels != IGNORE).sum(1).tolist()), strict=True):  # type: ignore[no-untyped-call]
                    found[name][row] = some
        self.model.train(learning)
        joined = {name: torch.cat(parts) for name, parts in found.items() if name != "entropy"}
        return {**joined, "entropy": torch.stack([part.sum() for part in found["entropy"]])}

    def _look(self, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
        trained, model = labels != IGNORE, self.model
        hidden = model(inputs, logits=False).hidden
        head = self.reading.of(_head(model))
        found = dict(zip(("old", "entropy"), told(hidden[trained], labels[trained], head), strict=True))
        critic: Any = getattr(model, "critic", None)
        if critic is not None:
            found["values"] = critic(hidden[trained])
        if self.reference is not None:
            with self.reference() as reference:
                before = reference.to(inputs.device)(inputs, logits=False).hidden
                head = self.reading.of(_head(reference))
                found["reference"] = log_probabilities(before, labels, head)[trained]
        return found

    def _compare(self, writings: Sequence[Writing], old: Tensor, owners: Sequence[Prompt]) -> None:
        """Stop where the engine and the trainer do not mean the same model."""
        engine = torch.tensor([each for writing in writings for each in writing.log_probabilities])
        apart = (engine - old).abs()
        if len(apart) and not float(apart.max()) <= TOLERANCE:
            lengths = torch.tensor([len(writing.log_probabilities) for writing in writings])
            worst = int(torch.where(apart.isnan(), torch.inf, apart).argmax())
            row = owners[int((lengths.cumsum(0) <= worst).sum())].row["id"]
            raise UserError(
                f"{row}: the engine wrote a token at log-probability {float(engine[worst]):.4f} to which the trained "
                f"model gives {float(old[worst]):.4f}; numbers that are not finite, or too coarse for this (bf16): "
                "take `precision: fp32` and a lower learning rate"
            )


PER_TOKEN = ("old", "reference", "values", "entropy")


def generator(seed: int) -> torch.Generator:
    """Where the draws of one text come from."""
    return torch.Generator().manual_seed(seed)


def seed_of(*numbers: int) -> int:
    """One seed from several numbers; others for each of them."""
    words = np.random.SeedSequence([number & (2**64 - 1) for number in numbers]).generate_state(1, np.uint64)
    return int(words[0]) >> 1


def batches(ids: Sequence[list[int]]) -> Iterator[list[int]]:
    """Texts of about the same length together, so that little padding is read."""
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    while order:
        size = max(1, TOKENS // len(ids[order[-1]]))
        yield order[-size:]
        order = order[:-size]


def padded(texts: Sequence[tuple[list[int], int]]) -> tuple[Tensor, Tensor]:
    """Texts, each with the length of its prompt, as ids and labels (rows, longest - 1)."""
    longest = max(len(ids) for ids, _ in texts) - 1
    inputs, labels = torch.zeros(len(texts), longest, dtype=torch.long), torch.full((len(texts), longest), IGNORE)
    for row, (ids, prompt) in enumerate(texts):
        inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
        labels[row, prompt - 1 : len(ids) - 1] = torch.tensor(ids[prompt:])
    return inputs, labels


def _line(row: Row, parts: Mapping[str, float]) -> Row:
    return {"id": row["id"], "prompt": row["prompt"], "completion": row["completion"], "parts": dict(parts)}


def _head(model: nn.Module) -> nn.Module:
    head: Any = model.head
    found: nn.Module = head
    return found


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
