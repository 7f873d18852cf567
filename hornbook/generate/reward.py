"""A trained reward model at work: conversations in, a number each out, 0 on average over what it was trained on.

What reinforcement learning asks for (Ouyang et al. 2022, section 3.5): the number is read off the answer's stop token,
and the mean of the training answers is taken off, so that 0 is a usual answer. Conversations longer than the model
reads lose their end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.data.preference_rows import ComparisonRows, Shelf
from hornbook.data.rendered_pairs import Answer, rendered
from hornbook.exchange import folder as exchange
from hornbook.generate.hub import find
from hornbook.model.classifier import Regression
from hornbook.model.decoder import DecoderModel
from hornbook.objective.reward import read
from hornbook.text import chat
from hornbook.text import tokenizer as text
from hornbook.text.chat import Message, Renderer

MEAN = "reward_mean"  # in config.json: what a usual answer gets
TOGETHER = 4096  # tokens of a pass


@dataclass(frozen=True)
class RewardModel:
    """A decoder with one number on its last token, and the template that conversations are rendered by."""

    module: DecoderModel
    renderer: Renderer
    mean: float = 0.0

    @classmethod
    def load(cls, path: str | Path) -> "RewardModel":
        """Read the folder that a `reward` stage wrote."""
        folder = find(path)
        module = exchange.load(folder, dtype=torch.float32).eval()
        if not isinstance(module, DecoderModel) or not is_reward(module):
            raise UserError(
                f"{path}: is no reward model (a decoder with one number on top); give one of a reward stage"
            )
        renderer = chat.load(folder, text.load(folder))
        if renderer is None:
            raise UserError(f"{path}: the reward model has no chat template; copy the one it was trained with")
        return cls(module, renderer, float(exchange.read_fields(folder).get(MEAN, 0.0)))

    def scores(self, conversations: Sequence[Sequence[Message]]) -> Tensor:
        """(conversations,) fp32: the reward of the assistant's last message in each."""
        return scores(self.module, self.renderer, conversations) - self.mean


def is_reward(module: DecoderModel) -> bool:
    """Whether a decoder gives one number a text."""
    return isinstance(module.config.head, Regression) and module.config.head.values == 1


@torch.no_grad()
def scores(module: DecoderModel, renderer: Renderer, conversations: Sequence[Sequence[Message]]) -> Tensor:
    """(conversations,) fp32: what a reward model gives the last message of each, as it is; several packed in a row."""
    if not conversations:
        return torch.zeros(0)
    length = module.config.length
    answers = [_answer(messages, renderer) for messages in conversations]
    pairs = [(Answer(answer.ids[:length], min(answer.start, length - 1)), None) for answer in answers]
    names = [str(number) for number in range(len(pairs))]
    row = max(len(pair[0].ids) for pair in pairs)
    rows = ComparisonRows(Shelf(list(pairs), names, [0.0] * len(pairs), row), seed=None, long=0)
    device = next(module.parameters()).device
    found = rows.each(lambda batch: read(module, batch.to(device))[0], rows=max(1, TOGETHER // row))
    return found[:, 0]


def _answer(messages: Sequence[Message], renderer: Renderer) -> Answer:
    """The ids of a conversation; one that ends with an empty answer is its prompt and the stop token."""
    if messages and messages[-1]["role"] == "assistant" and not messages[-1]["content"].strip():
        prompt = renderer.prompt(messages[:-1])
        return Answer([*prompt, renderer.stop], len(prompt))
    return rendered(messages, renderer)
