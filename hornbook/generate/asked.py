"""A model of this machine that is asked questions as the one behind an endpoint is (endpoint.py).

One that has a chat template is asked as a user asks. One that has none goes on with the text of the question.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from hornbook.core import device
from hornbook.core.errors import UserError
from hornbook.corpus.synthetic import Sampling
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.question import Question, Reply, Told
from hornbook.generate.stream import Options, stream
from hornbook.model.decoder import DecoderModel

TOGETHER = 8  # questions answered side by side: what a kill may lose
TOP = 20  # first tokens that are told, as many as an endpoint tells


@dataclass(frozen=True, kw_only=True)
class ModelFolder:
    """A model that runs here: a run, a Hugging Face folder, a hub id, a GGUF file."""

    path: str
    max_new_tokens: int = 512
    """Of an answer."""


class Here:
    """The model of a folder."""

    def __init__(self, config: ModelFolder) -> None:
        self.config, self.name, self.lm = config, config.path, LanguageModel.load(config.path)
        self.lm.module.to(device.choose().device)
        self.counts = Counter[str]()

    def require_chat(self) -> None:
        """UserError where nobody can speak to it."""
        if not self.lm.chats:
            raise UserError(f"{self.name}: has no chat template, so it cannot be asked; fine-tune it on conversations")

    def answers(self, questions: Sequence[str], sampling: Sampling) -> list[str | None]:
        """What it answers to each question by itself, or writes after it."""
        if not self.lm.chats:
            return [*self.lm.generate(list(questions), **self._how(sampling))]
        return [*self.lm.chat_batch([[{"role": "user", "content": text}] for text in questions], **self._how(sampling))]

    def user_turns(self, count: int, sampling: Sampling) -> list[str | None]:
        """What it writes in the user's place."""
        return [*self.lm.user_turns(count, **self._how(sampling))]

    def reply_to(self, questions: Sequence[Question], told: Told = lambda *_: None) -> list[Reply | None]:
        """A reply to each question; None where it is longer than the model reads."""
        self.require_chat()
        found: list[Reply | None] = []
        for first in range(0, len(questions), TOGETHER):
            for reply in self._replies(questions[first : first + TOGETHER]):
                found.append(reply)
                told(len(found) - 1, reply)
        return found

    def _replies(self, questions: Sequence[Question]) -> list[Reply | None]:
        """Those that are alike side by side, each drawing by its own seed."""
        fits = [number for number, question in enumerate(questions) if self._fits(question)]
        found = {number: self._weighed(questions[number]) for number in fits if questions[number].weights}
        for group in _alike(questions, [number for number in fits if number not in found]):
            found |= dict(zip(group, self._written([questions[number] for number in group]), strict=True))
        return [found.get(number) for number in range(len(questions))]

    def _written(self, questions: Sequence[Question]) -> list[Reply]:
        """Replies to questions that are alike; `stream` draws for each prompt by the number it has."""
        module, tokenizer, how = self.lm.module, self.lm.tokenizer, questions[0]
        assert tokenizer is not None
        texts = {each.seed: "" for each in questions}
        limits, options = self.lm.limits(how.max_new_tokens), Options(temperature=how.temperature, seed=0)
        prompts = {each.seed: self._ids(each) for each in questions}
        for pieces in stream(module, tokenizer, prompts, limits, options):
            for seed, piece in pieces.items():
                texts[seed] += piece
        return [Reply(texts[each.seed]) for each in questions]

    @torch.inference_mode()
    def _weighed(self, question: Question) -> Reply:
        """The likely first tokens; the likeliest is the text."""
        module, tokenizer = self.lm.module, self.lm.tokenizer
        if not isinstance(module, DecoderModel):
            raise UserError(f"{self.name}: does not go on writing, so its first token says nothing; take a decoder")
        assert tokenizer is not None
        ids = torch.tensor([self._ids(question)], device=next(module.parameters()).device)
        logits = module.head(module(ids, logits=False).hidden[:, -1:])[0, 0]
        scores = logits.float().log_softmax(-1).topk(TOP)
        tokens = [tokenizer.decode([number]) for number in scores.indices.tolist()]
        return Reply(tokens[0], dict(zip(reversed(tokens), reversed(scores.values.tolist()), strict=True)))

    def _fits(self, question: Question) -> bool:
        room = self.lm.module.config.length
        fits = room is None or len(self._ids(question)) < room
        self.counts.update([] if fits else ["longer than the model reads"])
        return fits

    def _ids(self, question: Question) -> list[int]:
        assert self.lm.renderer is not None
        return self.lm.renderer.prompt(list(question.talk))

    def _how(self, sampling: Sampling) -> Any:
        return {
            "max_new_tokens": self.config.max_new_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
        }


def _alike(questions: Sequence[Question], numbers: Sequence[int]) -> list[list[int]]:
    """Groups that are answered at equal length and temperature."""
    groups: dict[tuple[float, int], list[int]] = {}
    for number in numbers:
        groups.setdefault((questions[number].temperature, questions[number].max_new_tokens), []).append(number)
    return list(groups.values())
