"""What a model writes while it learns: on from a few beginnings, or its answers beside the right ones."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import torch
from torch import nn

from hornbook.core.run import Row, Run
from hornbook.corpus.stored import texts
from hornbook.data.batches import IGNORE, Batch, Source
from hornbook.data.marks import marks
from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.sample import Sampling
from hornbook.generate.stream import Options
from hornbook.model.decoder import DecoderModel
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.text.tokenizer import Tokenizer

TOKENS = 96  # of a sample
BEGINNINGS = 3  # held-out documents whose first words samples begin with, where the recipe gives no prompts
BEGINNING = 48  # characters of them

Sample = Callable[[nn.Module], list[Row]]


def sampler(
    model: nn.Module, tokenizer: Tokenizer | None, prompts: tuple[str, ...], held_out: Source | None, run: Run
) -> Sample | None:
    """What to ask the model now and then; None where it does not write."""
    if tokenizer is None or not writes(model):
        return None
    if isinstance(model, EncoderDecoderModel):
        return None if held_out is None else answering(held_out.batch(0, BEGINNINGS), tokenizer)
    return going_on(prompts or beginnings(run), tokenizer)


def writes(model: nn.Module) -> bool:
    """Whether it goes on with a text, or answers one."""
    return isinstance(model, DecoderModel | EncoderDecoderModel)


def beginnings(run: Run) -> tuple[str, ...]:
    """How a few held-out documents begin."""
    return tuple(text[:BEGINNING] for text in islice(texts(run.corpus, "validation"), BEGINNINGS))


def going_on(prompts: tuple[str, ...], tokenizer: Tokenizer) -> Sample | None:
    """Rows of a prompt and what the model makes of it."""

    def sample(model: nn.Module) -> list[Row]:
        assert isinstance(model, DecoderModel)
        lm = LanguageModel(model, tokenizer)
        settings: Options = {"max_new_tokens": TOKENS, "temperature": 0.8, "top_p": 0.95, "seed": 0}
        return [{"prompt": prompt, "text": lm.generate(prompt, **settings)} for prompt in prompts]

    return sample if prompts else None


def answering(batch: Batch, tokenizer: Tokenizer) -> Sample:
    """Rows of a source, the model's answer and the right one."""
    sources, targets = sides(batch)

    def sample(model: nn.Module) -> list[Row]:
        found = answers(model, sources, tokenizer)
        texts = ([tokenizer.decode(ids) for ids in each] for each in (sources, found, targets))
        return [{"prompt": s, "text": t, "target": wanted} for s, t, wanted in zip(*texts, strict=True)]

    return sample


def sides(batch: Batch) -> tuple[list[list[int]], list[list[int]]]:
    """The sources of a batch and its right answers, without padding and without the answers' end."""
    assert batch.input_ids is not None
    real = torch.ones_like(batch.input_ids).bool() if batch.attention_mask is None else batch.attention_mask
    sources = [ids[there].tolist() for ids, there in zip(batch.input_ids, real, strict=True)]
    return sources, [labels[labels != IGNORE][:-1].tolist() for labels in batch.labels]


@torch.no_grad()
def answers(
    model: Any, sources: Sequence[list[int]], tokenizer: Tokenizer, *, max_new_tokens: int = TOKENS
) -> list[list[int]]:
    """The likeliest next token, again and again, for every source."""
    signs = marks(tokenizer)
    limits = Limits(
        max_new_tokens=max_new_tokens,
        context=model.config.length,
        end=frozenset([signs.end, tokenizer.end]),
        start=signs.pad,
        vocab=tokenizer.vocab,
    )
    writings = [Writing([signs.pad], source=source) for source in sources]
    for _ in write(model, writings, Sampling(temperature=0), limits):
        pass
    return [writing.new for writing in writings]
