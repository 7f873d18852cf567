"""Speculative decoding: guess some tokens cheaply, read them in one pass, keep what the model would have written.

Leviathan et al. 2023 (algorithm 1) and Chen et al. 2023. A guessed token x, drawn from q, is kept with probability
min(1, p(x) / q(x)), p being the model's; the first that is not is replaced by a draw from max(p - q, 0), normalized.
The text is distributed as if every token had been drawn from p, whatever is guessed; greedy, it is the same text. One
pass over a few tokens costs little more than over one, so good guesses save time and bad ones cost some.

Two things guess: a small model with the same tokenizer (`Draft`), and a look at what followed the last words when they
stood in the text before (`Lookup`; Saxena 2023), which costs nothing and pays where texts repeat their source.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from hornbook.core.errors import UserError
from hornbook.generate.engine import Limits, Writing
from hornbook.generate.past import Past
from hornbook.generate.processors import NOTHING, draw
from hornbook.generate.sample import Sampling
from hornbook.generate.walk import Walk, room

BEHIND = 16  # tokens that are read again after guesses that were not kept, at most; of a state without columns


@dataclass(frozen=True)
class Guess:
    """Tokens that may come next, and the distribution that each was drawn from; None: they were not drawn."""

    tokens: list[int]
    chances: Float[Tensor, "tokens vocab"] | None = None


class Guesser(Protocol):
    """Whatever guesses, for one text."""

    def guess(self, ids: list[int], most: int) -> Guess:
        """At most so many tokens that may follow `ids`, which begin as they did at the last call or were cut."""


class Helper(Protocol):
    """What a guesser is made of."""

    def begin(self, writing: Writing, sampling: Sampling, limits: Limits) -> Guesser: ...


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """Guess what followed the last tokens where they stood before, in the prompt or the text."""

    tokens: int = 10  # guessed at once, at most
    match: int = 3  # as many last tokens are looked for, then fewer

    def __post_init__(self) -> None:
        for name in ("tokens", "match"):
            if getattr(self, name) < 1:
                raise UserError(f"{name}: {getattr(self, name)} finds nothing; give 1 or more")

    def begin(self, writing: Writing, sampling: Sampling, limits: Limits) -> "Looking":  # noqa: ARG002 -- see Helper
        """Nothing is known yet."""
        return Looking(self)


class Looking:
    """Where each run of tokens stood last. It guesses half as much after a guess that was all wrong, twice after one
    that was all right: reading what is not kept costs time."""

    def __init__(self, config: Lookup) -> None:
        self.config, self.known, self.most = config, 0, config.tokens  # tokens
        self.places: dict[tuple[int, ...], int] = {}  # a run -> the place behind it
        self.last: list[int] = []  # what was guessed

    def guess(self, ids: list[int], most: int) -> Guess:
        """What followed the newest run that is like the end.

        >>> Looking(Lookup(tokens=3, match=2)).guess([1, 2, 3, 4, 5, 1, 2], most=9).tokens
        [3, 4, 5]
        """
        if self.last:
            kept = _common(self.last, ids[self.known :])
            self.most = max(self.most // 2, 1) if not kept else self.most
            self.most = min(2 * self.most, self.config.tokens) if kept == len(self.last) else self.most
        for place in range(max(self.known, 1), len(ids)):
            for n in range(1, min(self.config.match, place) + 1):
                self.places[tuple(ids[place - n : place])] = place
        self.known = len(ids)
        runs = (self.places.get(tuple(ids[-n:])) for n in range(self.config.match, 0, -1))
        found = next((place for place in runs if place is not None), len(ids))
        self.last = ids[found : found + min(self.most, most)]
        return Guess(self.last)


class Knows(Protocol):
    """A model with its tokenizer: language_model.py."""

    module: Any
    tokenizer: Any


@dataclass(frozen=True)
class Draft:
    """Guess what a smaller model would write."""

    model: Knows
    tokens: int = 4  # guessed at once

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise UserError(f"tokens: {self.tokens} guesses nothing; give 1 or more")

    def begin(self, writing: Writing, sampling: Sampling, limits: Limits) -> "Drafting":
        """It begins to read the same prompt."""
        return Drafting(self, writing, sampling, limits)

    def check(self, tokenizer: Any) -> None:
        """Refuse a model whose ids mean other things."""
        if self.model.tokenizer is None or self.model.tokenizer.fingerprint != tokenizer.fingerprint:
            raise UserError("draft: the model has another tokenizer, so its ids mean other texts; take one of a family")


class Drafting:
    """A small model beside a large one."""

    def __init__(self, config: Draft, writing: Writing, sampling: Sampling, limits: Limits) -> None:
        self.config, self.writing, self.sampling = config, writing, sampling
        self.walk, self.room = Walk(config.model.module, writing, limits), room(writing, limits)
        self.length: int = config.model.module.config.length  # tokens that it can see

    def guess(self, ids: list[int], most: int) -> Guess:
        """Tokens drawn as the small model draws them; before that it forgets those that were not kept."""
        most = min(self.config.tokens, most, self.length - len(ids))
        if most < 1:
            return Guess([])
        self.walk.back(_common(self.walk.ids, ids))
        hidden = self.walk.read(torch.tensor([ids[len(self.walk.ids) :]]))
        self.walk.mark()
        tokens: list[int] = []
        chances = []
        past = Past(self.writing.prompt, ids[len(self.writing.prompt) :], self.room)
        for number in range(most):
            if number:
                hidden = self.walk.read(torch.tensor([tokens[-1:]]))
            shares = self.sampling.probabilities(self.walk.logits(hidden[:, -1]), [past])
            token = _draw(shares, self.sampling, self.writing.generator)
            tokens.append(token)
            past.new.append(token)
            chances.append(shares[0])
        return Guess(tokens, torch.stack(chances))


def speculate(model: Any, writing: Writing, sampling: Sampling, limits: Limits, helper: Helper) -> Iterator[None]:
    """Write on for one prompt as `engine.write` does; after each step there may be several tokens more."""
    most = room(writing, limits)
    if not most:
        writing.reason = writing.reason or "length"
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            walk, guesser = Walk(model, writing, limits), helper.begin(writing, sampling, limits)
            if most and writing.prompt[1:]:
                walk.read(torch.tensor([writing.prompt[:-1]]))
        while writing.reason is None:
            with torch.inference_mode():
                tokens, chances = _step(walk, guesser, writing, sampling)
            for token, chance in zip(tokens, chances, strict=True):
                _put(writing, token, limits, chance)
            yield
    finally:
        model.train(training)


def _step(walk: Walk, guesser: Guesser, writing: Writing, sampling: Sampling) -> tuple[list[int], list[float]]:
    """One pass of the model: the tokens that it adds, and their log-probabilities."""
    ids, most = [*writing.prompt, *writing.new], room(writing, walk.limits)
    guess = guesser.guess(ids, most - len(writing.new) - 1)
    if len(ids) - len(walk.ids) > BEHIND:
        walk.read(torch.tensor([ids[len(walk.ids) : -1]]))
    walk.mark()
    hidden = walk.read(torch.tensor([[*ids[len(walk.ids) :], *guess.tokens]]))
    logits = walk.logits(hidden[0, -len(guess.tokens) - 1 :])
    pasts = [
        Past(writing.prompt, [*writing.new, *guess.tokens[:number]], most) for number in range(len(guess.tokens) + 1)
    ]
    shares = sampling.probabilities(logits, pasts if sampling.looks_back else ())
    tokens = accept(guess, shares, sampling, writing.generator)
    walk.back(len(ids) + len(tokens) - 1)
    return tokens, shares[torch.arange(len(tokens)), torch.tensor(tokens)].log().tolist()


def accept(
    guess: Guess, shares: Float[Tensor, "places vocab"], sampling: Sampling, generator: torch.Generator
) -> list[int]:
    """The guessed tokens that are kept and one more (algorithm 1).

    shares: the model's distribution at the place of each guessed token and behind the last.
    """
    for number, token in enumerate(guess.tokens):
        p = shares[number]
        q = None if guess.chances is None else guess.chances[number]
        likely = float(p[token]) if q is None else float(p[token] / q[token])
        if likely >= 1 or (likely > 0 and _uniform(generator) < likely):
            continue
        rest = p.index_fill(0, torch.tensor([token], device=p.device), 0.0) if q is None else (p - q).clamp(min=0)
        if not rest.any():  # p and q are the same but for rounding
            rest = p
        return [*guess.tokens[:number], _draw(rest[None] / rest.sum(), sampling, generator)]
    return [*guess.tokens, _draw(shares[len(guess.tokens)][None], sampling, generator)]


def _draw(shares: Tensor, sampling: Sampling, generator: torch.Generator) -> int:
    """A token by its probability; UserError where there is none."""
    if sampling.greedy:
        token = int(shares.argmax()) if shares.any() else NOTHING
    else:
        point = torch.tensor([_uniform(generator)], dtype=torch.float64, device=shares.device)
        token = int(draw(shares.log(), point))
    if token == NOTHING:
        raise UserError("no token can be drawn: all are ruled out, or the scores are no numbers; allow more")
    return token


def _uniform(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator, dtype=torch.float64))


def _put(writing: Writing, token: int, limits: Limits, chance: float) -> None:
    """One token more, unless the text has ended."""
    if writing.reason is not None:
        return
    if limits.log_probabilities:
        writing.log_probabilities.append(chance)
    if token in limits.end:
        writing.reason, writing.end = "end", token
        return
    writing.new.append(token)
    if len(writing.new) >= room(writing, limits):
        writing.reason = "length"


def _common(some: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two texts have in common at their beginning."""
    return next(
        (i for i, pair in enumerate(zip(some, other, strict=False)) if pair[0] != pair[1]), min(len(some), len(other))
    )
