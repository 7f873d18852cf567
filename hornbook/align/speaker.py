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
SHORT: Talk = [{"role": "user", "content": "-"}]  # asked in the place of what is too long to be read


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
        """As `Speaker.answers`; a model without a chat template writes on until somebody else speaks.

        None where a conversation is longer than the model reads.
        """
        how = Options(
            max_new_tokens=sampling.max_new_tokens,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=sampling.seed,
        )
        fits = self._fit([self._ids(talk, voice) for talk in talks])
        asked = [talk if fit else SHORT for talk, fit in zip(talks, fits, strict=True)]  # each keeps its place and seed
        if self.lm.chats:
            said = self.lm.chat_batch([_plain(talk) for talk in asked], **how)
        else:
            how["stop"] = [f"\n\n{name}:" for name in self._names()]
            said = self.lm.generate([transcript(talk, self.words, then=self._voice(voice)) for talk in asked], **how)
        return [text.strip() if fit else None for text, fit in zip(said, fits, strict=True)]

    def weigh(self, talks: Sequence[Talk], begun: Sequence[str], options: Sequence[str]) -> list[list[float] | None]:
        """As `Speaker.weigh`, from the log-probabilities of the options' tokens."""
        encode = self._tokenizer.encode
        befores = [self._ids(talk, begun=text) for talk, text in zip(talks, begun, strict=True)]
        afters = [encode(option) for option in options]
        fits = self._fit(befores, max(map(len, afters)))
        pairs = [(before, after) for before, fit in zip(befores, fits, strict=True) if fit for after in afters]
        logs = iter(likelihoods(self.lm, pairs))
        rows = [[next(logs) for _ in options] if fit else None for fit in fits]
        return [None if row is None else torch.tensor(row, dtype=torch.float64).softmax(0).tolist() for row in rows]

    def _ids(self, talk: Talk, voice: str | None = None, *, begun: str = "") -> list[int]:
        """What the model reads before it speaks."""
        if self.lm.renderer is not None:
            return [*self.lm.renderer.prompt(_plain(talk)), *self._tokenizer.encode(begun)]
        return self.lm.ids(transcript(talk, self.words, then=self._voice(voice)) + (f" {begun}" if begun else ""))

    def _fit(self, prompts: Sequence[list[int]], more: int = 1) -> list[bool]:
        """Which prompts leave room for `more` tokens; at least one must."""
        room = self.lm.module.config.length
        fits = [room is None or len(ids) + more <= room for ids in prompts]
        if prompts and not any(fits):
            least = min(map(len, prompts)) + more
            raise UserError(f"{self.name}: is asked {least} tokens or more and sees {room}; shorten the texts")
        return fits

    def _voice(self, voice: str | None) -> str:
        return voice or self.words.assistant

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

    >>> found = shares({"A": math.log(0.6), " (A": math.log(0.2), "B": math.log(0.1), "The": math.log(0.1)}, ["A", "B"])
    >>> [round(share, 6) for share in found]
    [0.888889, 0.111111]
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
        rows = [torch.tensor([*before, *after], device=device) for before, after in group]
        hidden = lm.module(pad_sequence(rows, batch_first=True), logits=False).hidden  # what follows is not looked at
        for row, (before, after) in enumerate(group):
            logits = lm.module.head(hidden[row, len(before) - 1 : len(before) + len(after) - 1]).float()
            found.append(float(logits.log_softmax(-1).gather(1, rows[row][len(before) :, None]).sum()))
    return found


def speaker(model: str | Path | Endpoint, words: Words) -> Speaker:
    """The speaker that a recipe means: a path, a hub id, or an endpoint."""
    if isinstance(model, Endpoint):
        key = Path(model.key).read_text(encoding="utf-8").strip() if model.key else None
        return Remote(Client(model, key))
    lm = LanguageModel.load(model)
    lm.module.to(machine.choose().device)
    return Local(lm, str(model), words)
