"""Texts written by the model as it is now, read again by the model as it is trained, and rewarded.

All texts of a rollout are written by one engine, those of one prompt side by side. The log-probabilities that updates
compare themselves with are those it drew from. Some texts are read again in a pass as an update makes it: what that
says is what the engine said, or one of the two is wrong and the run stops.
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
from hornbook.objective.policy import Reading
from hornbook.text.stream import StreamDecoder
from hornbook.text.tokenizer import Tokenizer
from hornbook.train.rollout_file import Written

TOGETHER = 128  # texts written side by side: more are hardly faster, and their states take memory
TOKENS = 4096  # of a pass that reads them again
TOLERANCE = 0.01  # nats between engine and trainer; fp32 is within 0.0001
CHECKED = 8  # of so many texts one is read again

Text = tuple[list[int], int]
"""Ids, and how many of them are the prompt."""
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
        clock = [time.perf_counter()]
        writings = [Writing(p.ids, generator(seed)) for p, row in zip(prompts, seeds, strict=True) for seed in row]
        owners = [prompt for prompt, row in zip(prompts, seeds, strict=True) for _ in row]
        self._generate(writings)
        clock.append(time.perf_counter())
        texts = [(_ids(writing), len(writing.prompt)) for writing in writings]
        reference = self._reference(texts)
        clock.append(time.perf_counter())
        values = self._check(writings, texts, owners)
        clock.append(time.perf_counter())
        said = [self._said(writing, prompt) for writing, prompt in zip(writings, owners, strict=True)]
        parts = self._rewards(writings, said)
        clock.append(time.perf_counter())
        return Written(
            ids=torch.tensor([i for ids, _ in texts for i in ids]),
            prompt_tokens=torch.tensor([start for _, start in texts]),
            new_tokens=torch.tensor([len(ids) - start for ids, start in texts]),
            finished=torch.tensor([writing.end is not None for writing in writings]),
            rewards=torch.tensor([sum(part.values()) for part in parts], dtype=torch.float64),
            old=torch.tensor([number for writing in writings for number in writing.log_probabilities]),
            reference=reference,
            values=values,
            seconds=torch.tensor([clock], dtype=torch.float64).diff(),
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

    def _reference(self, texts: Sequence[Text]) -> Tensor:
        """What the model that training began with says of every token."""
        if self.reference is None:
            return torch.zeros(0)
        with self.reference() as reference:
            return read(reference.to(_device(self.model)), texts, self.reading)[0]

    def _check(self, writings: Sequence[Writing], texts: Sequence[Text], owners: Sequence[Prompt]) -> Tensor:
        """Stop where the engine and the trainer do not mean the same model; what the critic expects, if there is one.

        A critic reads all texts, and so all are compared; without one it is some of them.
        """
        critic: Any = getattr(self.model, "critic", None)
        some = range(0, len(texts), CHECKED if critic is None else 1)
        trainer, values = read(self.model, [texts[number] for number in some], self.reading, critic)
        engine = torch.tensor([each for number in some for each in writings[number].log_probabilities])
        apart = (engine - trainer).abs()
        if not float(apart.max()) <= TOLERANCE:
            lengths = torch.tensor([len(writings[number].log_probabilities) for number in some])
            worst = int(torch.where(apart.isnan(), torch.inf, apart).argmax())
            row = owners[some[int((lengths.cumsum(0) <= worst).sum())]].row["id"]
            raise UserError(
                f"{row}: the engine wrote a token at log-probability {float(engine[worst]):.4f} to which the trained "
                f"model gives {float(trainer[worst]):.4f}; take `precision: fp32` and a lower learning rate"
            )
        return values


@torch.no_grad()
def read(
    model: nn.Module, texts: Sequence[Text], reading: Reading, critic: nn.Module | None = None
) -> tuple[Tensor, Tensor]:
    """What a model, and a critic on top of it, say of every token that was written: (tokens,) each, text after text."""
    learning, head = model.training, reading.of(_head(model))
    model.eval()
    found: list[tuple[Tensor, Tensor]] = [(torch.zeros(0), torch.zeros(0))] * len(texts)
    for rows in batches([ids for ids, _ in texts]):
        inputs, labels = (each.to(_device(model)) for each in padded([texts[row] for row in rows]))
        trained = labels != IGNORE
        hidden: Tensor = model(inputs, logits=False).hidden
        lengths = trained.sum(1).tolist()
        log_p = log_probabilities(hidden, labels, head)[trained].cpu()
        values = log_p[:0] if critic is None else critic(hidden[trained]).cpu()
        split = torch.split(values, [0] * len(rows) if critic is None else lengths)
        for row, *numbers in zip(rows, torch.split(log_p, lengths), split, strict=True):
            found[row] = (numbers[0], numbers[1])
    model.train(learning)
    both = list(zip(*found, strict=True))
    return torch.cat(both[0]), torch.cat(both[1])


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


def _ids(writing: Writing) -> list[int]:
    return [*writing.prompt, *writing.new, *([] if writing.end is None else [writing.end])]


def _line(row: Row, parts: Mapping[str, float]) -> Row:
    return {"id": row["id"], "prompt": row["prompt"], "completion": row["completion"], "parts": dict(parts)}


def _head(model: nn.Module) -> nn.Module:
    head: Any = model.head
    found: nn.Module = head
    return found


def _device(model: nn.Module) -> torch.device:
    return next(model.parameters()).device
