"""Text as it is being written: from prompts to pieces of text that can be shown at once.

A piece is held back while it may still be the beginning of a stop string, or of a character whose bytes have not all
come. Joined, the pieces are the text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import chain
from typing import Any, TypedDict

import torch
from torch import nn

from hornbook.core.errors import UserError
from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.sample import Sampling
from hornbook.generate.speculative import Draft, Helper, speculate
from hornbook.generate.stop import StopStrings
from hornbook.text.stream import StreamDecoder
from hornbook.text.tokenizer import Tokenizer


class Options(TypedDict, total=False):
    """How to write; what is left out has the value in brackets."""

    max_new_tokens: int  # (64)
    temperature: float  # (1.0) 0 is greedy
    top_k: int | None  # (None) see generate/sample.py for these
    top_p: float | None  # (None)
    min_p: float | None  # (None)
    typical_p: float | None  # (None)
    repetition_penalty: float  # (1.0)
    presence_penalty: float  # (0.0)
    frequency_penalty: float  # (0.0)
    no_repeat_ngram: int | None  # (None)
    bias: Mapping[int, float]  # (none)
    banned: tuple[int, ...]  # (none)
    first: tuple[int, ...]  # (none)
    last: int | None  # (None)
    draft: Helper | None  # (None) what guesses ahead, for speed: Lookup() or Draft(lm) of generate/speculative.py
    stop: Sequence[str]  # (none) texts that end the writing; they are not part of it
    seed: int | None  # (None: different every time) prompt i of a list draws with seed + i


class Reader:
    """Reads what is written for one prompt and turns it into text."""

    def __init__(self, writing: Writing, tokenizer: Tokenizer, stop: Sequence[str]) -> None:
        self.writing, self.stops = writing, StopStrings(stop)
        self.decoder = StreamDecoder(tokenizer, after=writing.prompt)
        self.read = 0  # tokens
        self.closed = False

    def piece(self) -> str:
        """The text that has become certain since the last call."""
        if self.closed:
            return ""
        new = self.writing.new[self.read :]
        self.read += len(new)
        text = self.stops.feed(self.decoder.feed(new))
        if self.writing.reason is not None and not self.stops.stopped:  # nothing more will come
            text += self.stops.feed(self.decoder.flush())
            text += "" if self.stops.stopped else self.stops.flush()
        if self.stops.stopped:
            self.writing.reason = "stop"
        self.closed = self.writing.reason is not None
        return text


def stream(
    model: nn.Module, tokenizer: Tokenizer, prompts: Mapping[int, list[int]], limits: Limits, options: Options
) -> Iterator[dict[int, str]]:
    """For every step a piece of text, which may be empty, for every prompt; prompts go by number, for their seeds.

    Of a model with an encoder the prompts are the sources, and its answers begin with `limits.start`.
    """
    writings = {number: writing_of(prompt, limits, options, number) for number, prompt in prompts.items()}
    readers = {number: Reader(each, tokenizer, options.get("stop", ())) for number, each in writings.items()}
    sampling, helper = sampling_of(options), options.get("draft")
    if isinstance(helper, Draft):
        helper.check(tokenizer)
    if helper is None:
        steps = write(model, list(writings.values()), sampling, limits)
    else:
        steps = chain.from_iterable(speculate(model, each, sampling, limits, helper) for each in writings.values())
    for _ in steps:
        yield {number: reader.piece() for number, reader in readers.items()}


def sampling_of(options: Options) -> Sampling:
    """How options say that a token is chosen."""
    unknown = options.keys() - Options.__annotations__.keys()
    if unknown:
        raise UserError(f"{min(unknown)}: there is no such option; there are {', '.join(Options.__annotations__)}")
    given: Mapping[str, Any] = options
    return Sampling(**{each.name: given[each.name] for each in fields(Sampling) if each.name in given})


def writing_of(prompt: list[int], limits: Limits, options: Options, number: int) -> Writing:
    """Prompt number so-and-so of a list, before anything is written for it."""
    generator = _generator(options.get("seed"), number)
    return Writing(prompt, generator) if limits.start is None else Writing([limits.start], generator, source=prompt)


def _generator(seed: int | None, number: int) -> torch.Generator:
    generator = torch.Generator()
    if seed is None:
        generator.seed()
        return generator
    return generator.manual_seed(seed + number)
