"""Looking for a text instead of drawing one: beams, contrastive search, the best of several.

A method is a config with a `run`: from a prompt's ids to hypotheses, the best first. Here they become texts. Leaves out
batches: prompts are searched for one after the other, and a beam is a batch by itself.
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from hornbook.generate.beam import Beam
from hornbook.generate.best_of import BestOf
from hornbook.generate.contrastive import Contrastive
from hornbook.generate.diverse_beam import DiverseBeam
from hornbook.generate.engine import Limits, Writing
from hornbook.generate.stream import Options, Reader, sampling_of, writing_of
from hornbook.generate.walk import Hypothesis

Method = Beam | DiverseBeam | Contrastive | BestOf


@dataclass(frozen=True)
class Found:
    """A text that a search has found."""

    text: str
    ids: list[int]  # the token that ended it is left out; a stop text is still in them
    log_probability: float  # of all its tokens and the one that ended it
    score: float  # what it was ranked by
    reason: Literal["end", "stop", "length"]


class Writes(Protocol):
    """A model with its tokenizer: language_model.py."""

    module: Any
    tokenizer: Any

    def limits(self, max_new_tokens: int) -> Limits: ...


def search(lm: Writes, prompt: list[int], method: Method, options: Options) -> list[Found]:
    """The texts that a method finds after a prompt, the best first; each ends before a stop text."""
    limits = lm.limits(options.get("max_new_tokens", 64))
    training = lm.module.training
    lm.module.eval()
    try:
        found = method.run(lm.module, writing_of(prompt, limits, options, 0), sampling_of(options), limits)
    finally:
        lm.module.train(training)
    return [_told(each, lm.tokenizer, prompt, options) for each in found]


def _told(found: Hypothesis, tokenizer: Any, prompt: list[int], options: Options) -> Found:
    writing = Writing(prompt, new=found.ids, reason=found.reason)
    text = Reader(writing, tokenizer, options.get("stop", ())).piece()
    return Found(text, found.ids, found.log_probability, found.score, writing.reason or found.reason)
