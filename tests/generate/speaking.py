"""What the tests of the engine share: tiny models of every kind, a tokenizer of letters, what each writes alone."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

import torch

from hornbook.core import recipe
from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.serving import Engine, EngineSettings, Piece, Request, Ticket
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.model.models import AnyModel, Model

LENGTH = 64
# Rotary, learned, ALiBi, buckets and windows; recurrences of three kinds, one between attention; memories of a source.
DECODERS = ["llama", "gpt2", "bloom", "gemma2", "windowed", "mamba", "rwkv", "hyena", "gru", "jamba"]
WITH_SOURCE = ["t5", "bart", "rnnsearch"]


class Letters:
    """A tokenizer in which every id is a letter and a space."""

    special: ClassVar[dict[str, int]] = {}
    end = 0
    fingerprint = ""

    def __init__(self, vocab: int) -> None:
        self.vocab = vocab

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        return b"".join(b"%c " % (97 + token % 26) for token in ids)

    def decode(self, ids: Sequence[int]) -> str:
        return self.decode_bytes(ids).decode()


class Speaker:
    """A model with its tokenizer, as the engine wants them."""

    def __init__(self, module: AnyModel, *, end: frozenset[int] = frozenset()) -> None:
        self.module, self.end = module, end
        self.tokenizer: Any = Letters(module.config.vocab)

    def limits(self, max_new_tokens: int) -> Limits:
        start = 1 if isinstance(self.module, EncoderDecoderModel) else None
        return Limits(max_new_tokens=max_new_tokens, context=LENGTH, end=self.end, start=start)


@cache
def module(name: str) -> AnyModel:
    with torch.inference_mode(False), torch.no_grad():  # whoever asks first, it is kept for all
        built = recipe.load(Model, f"models/{name}-tiny").build(torch.Generator().manual_seed(0))  # type: ignore[arg-type]
        for parameter in built.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return built.eval()  # type: ignore[no-any-return]


def speaker(name: str, **options: Any) -> Speaker:
    return Speaker(module(name), **options)


def request(lm: Speaker, ids: Sequence[int], **options: Any) -> Request:
    """A prompt for a decoder, a source for the others."""
    if isinstance(lm.module, EncoderDecoderModel):
        return Request(prompt=[1], source=list(ids), **options)
    return Request(prompt=list(ids), **options)


def alone(lm: Speaker, asked: Request, *, context: int = LENGTH) -> Writing:
    """What the plain loop writes for it."""
    generator = torch.Generator()
    generator.manual_seed(asked.seed or 0)
    writing = Writing(list(asked.prompt), generator, source=list(asked.source))
    limits = replace(lm.limits(asked.max_new_tokens), context=context)
    for _ in write(lm.module, [writing], asked.sampling, limits):
        pass
    return writing


def engine(lm: Speaker, **settings: Any) -> Engine:
    return Engine(lm, EngineSettings(**{"slots": 3, "chunk": 5, "prefix_bytes": 0, **settings}))


def ids_of(ticket: Ticket | Sequence[Piece]) -> list[int]:
    return [token for piece in ticket for token in piece.ids]
