"""What pretraining trains: the model, its rows and its objective, made from a recipe and the run so far."""

from collections.abc import Callable
from pathlib import Path

import torch

from hornbook.core.errors import UserError
from hornbook.core.run import Run
from hornbook.data import shards
from hornbook.data.batches import Source
from hornbook.data.images import ImageRows, Images
from hornbook.data.marks import marks
from hornbook.data.pairs import PairRows
from hornbook.exchange import folder as exchange
from hornbook.generate.language_model import LanguageModel
from hornbook.model.cost import training_flops
from hornbook.model.encoder_decoder import EncoderDecoderModel
from hornbook.model.models import AnyModel
from hornbook.objective.language import NextToken
from hornbook.samples import sampler, writes
from hornbook.settings import Recipe
from hornbook.tasks import RunningText, with_vocab
from hornbook.text.tokenizer import Tokenizer
from hornbook.train.job import Job


def pretraining(recipe: Recipe, run: Run, tokenizer: Tokenizer | None) -> Job:
    """Fresh weights, and the objective that the rows are made for."""
    config = recipe.model if tokenizer is None else with_vocab(recipe.model, tokenizer.vocab)
    source = rows(recipe, run, tokenizer, "train")
    if isinstance(source, ImageRows):
        _check_classes(recipe, source)
    model, validation = config.build(torch.Generator().manual_seed(recipe.seed)), held_out(recipe, run, tokenizer)
    return Job(
        model=model,
        objective=recipe.objective,
        source=source,
        validation=validation,
        seed=recipe.seed,
        bytes_per_token=_bytes_per_token(recipe, run),
        flops_per_token=training_flops(config, recipe.data.length),
        sample=sampler(model, tokenizer, recipe.pretrain.prompts, validation, run),
        lm=LanguageModel(model, tokenizer) if tokenizer is not None and writes(model) else None,
        save=_saved(model, tokenizer, source),
    )


def _saved(model: AnyModel, tokenizer: Tokenizer | None, source: Source) -> Callable[[Path], None]:
    """What writes the model's folder, with what others need to know to use it."""

    def save(folder: Path) -> None:
        if tokenizer is None:
            names = source.classes if isinstance(source, ImageRows) else []
            exchange.save(model, folder, extra={"id2label": {str(i): name for i, name in enumerate(names)}})
            return
        if isinstance(model, EncoderDecoderModel):
            signs = marks(tokenizer)
            ends = {"decoder_start_token_id": signs.pad, "pad_token_id": signs.pad, "eos_token_id": signs.end}
            model.token_ids = ends
        LanguageModel(model, tokenizer).save(folder)

    return save


def left_out(job: Job) -> str:
    """How many pairs there are to learn from, and what became of those that are too long."""
    source = job.source
    if not isinstance(source, PairRows):
        return ""
    fate = "left out" if source.config.long == "drop" else "cut"
    return f"{len(source.pairs):,} pairs; {source.long:,} longer than {source.config.length} tokens were {fate}"


def rows(recipe: Recipe, run: Run, tokenizer: Tokenizer | None, split: str) -> Source:
    """The rows of a split ("train", "validation") as the recipe's data section has them."""
    if isinstance(recipe.data, Images):
        return recipe.data.build(run.corpus, split, seed=recipe.seed)
    assert tokenizer is not None, "only images come without a tokenizer"
    tokens = shards.load(run.shards, tokenizer=tokenizer.fingerprint).split(split)
    if isinstance(recipe.data, RunningText):
        return recipe.data.build(tokens, seed=recipe.seed)
    return recipe.data.build(tokens, tokenizer, seed=recipe.seed)


def held_out(recipe: Recipe, run: Run, tokenizer: Tokenizer | None) -> Source | None:
    """The held-out rows; None where there is not enough for one: the scores at the end still read the text."""
    try:
        return rows(recipe, run, tokenizer, "validation")
    except UserError:
        return None


def _bytes_per_token(recipe: Recipe, run: Run) -> float | None:
    """Bytes of the training text a token; only where every token of a text is foreseen is there a code for the text."""
    if not isinstance(recipe.objective, NextToken):
        return None
    train = shards.load(run.shards).train
    return train.bytes / train.tokens


def _check_classes(recipe: Recipe, source: ImageRows) -> None:
    labels = getattr(getattr(recipe.model, "head", None), "labels", 0)
    if labels != len(source.classes):
        raise UserError(
            f"model.head.labels: {labels} for {len(source.classes)} classes of images; set it to {len(source.classes)}"
        )
