"""How well a model does what it was trained for, on held-out rows: its loss, and how often it is right."""

from typing import Any

import torch

from hornbook.core.run import Run
from hornbook.data.batches import Source
from hornbook.evaluate.interval import wilson
from hornbook.exchange import folder as exchange
from hornbook.jobs import held_out
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.samples import answers, sides
from hornbook.settings import Recipe
from hornbook.text.tokenizer import Tokenizer
from hornbook.text.tokenizer import load as load_tokenizer
from hornbook.train.job import MICRO_BATCH_TOKENS
from hornbook.train.measure import measure

WRITTEN = 256  # answers that are written in full, at most: it takes a pass a token
EXACT = "answers written exactly"


def measure_task(recipe: Recipe, run: Run) -> dict[str, Any]:
    """{"rows", "loss", "shares": {name: {"right", "of", "share", "interval"}}}; empty where nothing is held out."""
    tokenizer = None if recipe.tokenizer is None else load_tokenizer(run.tokenizer)
    source = held_out(recipe, run, tokenizer)
    if source is None:
        return {}
    model = exchange.load(run.model, dtype=torch.float32)
    rows = min(recipe.evaluate.documents or source.rows_per_epoch, source.rows_per_epoch)
    size = max(1, MICRO_BATCH_TOKENS // source.length)
    batches = (source.batch(row, min(size, rows - row)) for row in range(0, rows, size))
    found = measure(model, recipe.objective, batches)
    shares = {name.replace("_", " "): share(right, of) for name, (right, of) in found.hits.items() if of}
    if isinstance(model, EncoderDecoderModel) and tokenizer is not None:
        shares[EXACT] = exact(model, source, tokenizer, min(rows, WRITTEN), recipe.evaluate.max_new_tokens)
    return {"rows": rows, "loss": found.loss, "shares": shares}


def share(right: float, of: float) -> dict[str, Any]:
    """A share with its 95 % interval, as if every answer stood for itself."""
    return {"right": int(right), "of": int(of), "share": right / of, "interval": wilson(int(right), int(of))}


def exact(
    model: EncoderDecoderModel, source: Source, tokenizer: Tokenizer, rows: int, max_new_tokens: int
) -> dict[str, Any]:
    """How many whole answers are the right ones, each token the likeliest."""
    texts, wanted = sides(source.batch(0, rows))
    written = answers(model, texts, tokenizer, max_new_tokens=max_new_tokens)
    return share(sum(one == other for one, other in zip(written, wanted, strict=True)), rows)


def task_line(found: dict[str, Any]) -> str:
    """One line for the terminal."""
    parts = [f"loss {found['loss']:.3f} on {found['rows']:,} rows"]
    for name, each in found["shares"].items():
        low, high = each["interval"]
        parts.append(f"{name} {each['share']:.1%} ({low:.1%} to {high:.1%}) of {each['of']:,}")
    return f"held out   {'; '.join(parts)}"
