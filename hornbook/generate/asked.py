"""A model of this machine that is asked questions as the one behind an endpoint is (endpoint.py).

One that has a chat template is asked as a user asks. One that has none goes on with the text of the question.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from hornbook.core import device
from hornbook.core.errors import UserError
from hornbook.corpus.synthetic import Sampling
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.question import Question, Reply, Told
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
        """Those that are alike side by side; those that are drawn one by one, each with its seed."""
        found: dict[int, Reply] = {}
        fits = [number for number, question in enumerate(questions) if self._fits(question)]
        greedy = [n for n in fits if not questions[n].temperature and not questions[n].weights]
        for numbers in _alike(questions, greedy):
            talks = [list(questions[n].talk) for n in numbers]
            texts = self.lm.chat_batch(talks, temperature=0.0, max_new_tokens=questions[numbers[0]].max_new_tokens)
            found |= {n: Reply(text) for n, text in zip(numbers, texts, strict=True)}
        for number in set(fits) - set(greedy):
            question = questions[number]
            found[number] = self._weighed(question) if question.weights else Reply(self._drawn(question))
        return [found.get(number) for number in range(len(questions))]

    def _drawn(self, question: Question) -> str:
        talk, most = list(question.talk), question.max_new_tokens
        return self.lm.chat(talk, max_new_tokens=most, temperature=question.temperature, seed=question.seed)

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


def _alike(questions: Sequence[Question], numbers: Sequence[int]) -> Iterator[list[int]]:
    """Numbers of questions that may be answered at equal length."""
    for length in sorted({questions[number].max_new_tokens for number in numbers}):
        yield [number for number in numbers if questions[number].max_new_tokens == length]
