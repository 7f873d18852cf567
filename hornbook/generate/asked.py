"""A model of this machine that is asked questions as the one behind an endpoint is (endpoint.py).

One that has a chat template is asked as a user asks. One that has none goes on with the text of the question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hornbook.core.errors import UserError
from hornbook.corpus.synthetic import Sampling
from hornbook.generate.language_model import LanguageModel


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

    def _how(self, sampling: Sampling) -> Any:
        return {
            "max_new_tokens": self.config.max_new_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
        }
