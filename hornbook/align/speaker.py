"""A model that is asked: one that runs here, by its chat template or by transcripts, or one behind an endpoint.

Two questions are enough for everything in this folder: what would you say next, and how likely would you be to say
this or that next. Every question of a list draws with a seed of its own, so what is said does not depend on what else
is asked.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import torch
from torch.nn.utils.rnn import pad_sequence

from hornbook.align.transcript import Message, transcript
from hornbook.align.words import Words
from hornbook.core import device as machine
from hornbook.core.errors import UserError
from hornbook.corpus.synthetic import Sampling
from hornbook.generate.endpoint import Client, Endpoint
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.stream import Options
from hornbook.model.encoder import EncoderModel
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.text.tokenizer import Tokenizer

TOGETHER = 8  # texts whose likelihood is computed side by side: bounds the memory of their logits

Talk = Sequence[Message]


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a model is to write."""

    max_new_tokens: int = 256
    temperature: float = 1.0
    top_p: float = 1.0

    def sampling(self, seed: int) -> Sampling:
        """With what is drawn."""
        how = {"temperature": self.temperature, "top_p": self.top_p}
        return Sampling(max_new_tokens=self.max_new_tokens, seed=seed, **how)


class Speaker(Protocol):
    """Who is asked. What could not be had is None."""

    @property
    def name(self) -> str:
        """Of the model."""
        ...

    def answers(self, talks: Sequence[Talk], sampling: Sampling, *, voice: str | None = None) -> list[str | None]:
        """The next message of each conversation; `voice` is who speaks, in a transcript, if not the assistant."""
        ...

    def weigh(self, talks: Sequence[Talk], begun: Sequence[str], options: Sequence[str]) -> list[list[float] | None]:
        """How likely each next message, begun as it is, goes on with each option: shares that add up to 1."""
        ...


@dataclass
class Local:
    """A model that runs here."""

    lm: LanguageModel
    name: str = "model"
    words: Words = field(default_factory=Words)

    def answers(self, talks: Sequence[Talk], sampling: Sampling, *, voice: str | None = None) -> list[str | None]:
        """As `Speaker.answers`; a model without a chat template writes on until somebody else speaks."""
        how = Options(
            max_new_tokens=sampling.max_new_tokens,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=sampling.seed,
        )
        if self.lm.chats:
            return [text.strip() for text in self.lm.chat_batch([_plain(talk) for talk in talks], **how)]
        ends = [f"\n\n{name}:" for name in self._names()]
        texts = [transcript(talk, self.words, then=voice or self.words.assistant) for talk in talks]
        how["stop"] = ends
        return [text.strip() for text in self.lm.generate(texts, **how)]

    def weigh(self, talks: Sequence[Talk], begun: Sequence[str], options: Sequence[str]) -> list[list[float] | None]:
        """As `Speaker.weigh`, from the log-probabilities of the options' tokens."""
        befores = [self._prompt(talk, text) for talk, text in zip(talks, begun, strict=True)]
        encode = self._tokenizer.encode
        afters = [encode(option) for option in options]
        logs = likelihoods(self.lm, [(before, after) for before in befores for after in afters])
        rows = [logs[first : first + len(options)] for first in range(0, len(logs), len(options))]
        return [torch.tensor(row, dtype=torch.float64).softmax(0).tolist() for row in rows]

    def _prompt(self, talk: Talk, begun: str) -> list[int]:
        if self.lm.renderer is not None:
            return [*self.lm.renderer.prompt(talk), *self._tokenizer.encode(begun)]
        return self.lm.ids(f"{transcript(talk, self.words, then=self.words.assistant)} {begun}")

    @property
    def _tokenizer(self) -> Tokenizer:
        if self.lm.tokenizer is None:
            raise UserError(f"{self.name}: has no tokenizer, so it cannot be asked; add its tokenizer.json")
        return self.lm.tokenizer

    def _names(self) -> list[str]:
        words = self.words
        asked = (words.critique_request, words.critique, words.revision_request, words.revision)
        return [words.human, words.assistant, *asked]


@dataclass
class Remote:
    """A model behind an OpenAI-compatible endpoint."""

    client: Client

    @property
    def name(self) -> str:
        """The model's."""
        return self.client.name

    def answers(self, talks: Sequence[Talk], sampling: Sampling, *, voice: str | None = None) -> list[str | None]:  # noqa: ARG002 -- a chat knows its voices
        """As `Speaker.answers`."""
        return self.client.replies([_plain(talk) for talk in talks], sampling)

    def weigh(self, talks: Sequence[Talk], begun: Sequence[str], options: Sequence[str]) -> list[list[float] | None]:
        """As `Speaker.weigh`, from the likeliest first tokens that the endpoint tells (`top_logprobs`).

        An endpoint's answer cannot be begun for it, so it reads the beginning at the end of the question.
        """
        wanted = [option.strip() for option in options]
        ask = f"\n\nAnswer with {' or '.join(wanted)} and nothing else. "
        ends = [
            {"role": "user", "content": talk[-1]["content"] + ask + text}
            for talk, text in zip(talks, begun, strict=True)
        ]
        asked = [[*_plain(talk[:-1]), end] for talk, end in zip(talks, ends, strict=True)]
        return [shares(found, wanted) for found in self.client.first_tokens(asked)]


def shares(found: dict[str, float] | None, options: Sequence[str]) -> list[float] | None:
    """The likely first tokens of an answer (text -> log-probability) as shares of the options; None: none is there.

    >>> shares({"A": math.log(0.6), " (A": math.log(0.2), "B": math.log(0.1), "The": math.log(0.1)}, ["A", "B"])
    [0.888888888888889, 0.11111111111111112]
    """
    sums = [0.0] * len(options)
    for token, log in (found or {}).items():
        said = token.strip(" ()\n\t.*").lower()
        for number, option in enumerate(options):
            sums[number] += math.exp(log) if said and option.lower().startswith(said) else 0.0
    total = sum(sums)
    return [each / total for each in sums] if total > 0 else None


def _plain(talk: Talk) -> list[Message]:
    return [{"role": message["role"], "content": message["content"]} for message in talk]


@torch.inference_mode()
def likelihoods(lm: LanguageModel, pairs: Sequence[tuple[list[int], list[int]]]) -> list[float]:
    """The log-probability of the second ids after the first, for each pair."""
    if isinstance(lm.module, EncoderModel | EncoderDecoderModel):
        raise UserError("a judge must be a model that goes on writing (a decoder); name another")
    device = next(lm.module.parameters()).device
    found: list[float] = []
    for first in range(0, len(pairs), TOGETHER):
        group = pairs[first : first + TOGETHER]
        _check_room(lm, group)
        rows = [torch.tensor([*before, *after], device=device) for before, after in group]
        hidden = lm.module(pad_sequence(rows, batch_first=True), logits=False).hidden  # what follows is not looked at
        for row, (before, after) in enumerate(group):
            logits = lm.module.head(hidden[row, len(before) - 1 : len(before) + len(after) - 1]).float()
            found.append(float(logits.log_softmax(-1).gather(1, rows[row][len(before) :, None]).sum()))
    return found


def _check_room(lm: LanguageModel, pairs: Sequence[tuple[list[int], list[int]]]) -> None:
    longest, room = max(len(before) + len(after) for before, after in pairs), lm.module.config.length
    if room is not None and longest > room:
        raise UserError(f"a judge is asked {longest} tokens and sees {room}; shorten the texts, or take another judge")


def speaker(model: str | Path | Endpoint, words: Words) -> Speaker:
    """The speaker that a recipe means: a path, a hub id, or an endpoint."""
    if isinstance(model, Endpoint):
        key = Path(model.key).read_text(encoding="utf-8").strip() if model.key else None
        return Remote(Client(model, key))
    lm = LanguageModel.load(model)
    lm.module.to(machine.choose().device)
    return Local(lm, str(model), words)
