"""What a stage trains: the model, its rows and its objective, made from a recipe and the run so far."""

import torch

from hornbook.core.errors import UserError
from hornbook.core.run import Run
from hornbook.corpus.instruct import pairs
from hornbook.corpus.stored import stored
from hornbook.data import shards
from hornbook.data.batches import Source
from hornbook.data.images import ImageRows, Images
from hornbook.exchange import folder as exchange
from hornbook.model.cost import training_flops
from hornbook.model.decoder import DecoderModel
from hornbook.objective.language import NextToken
from hornbook.settings import Recipe
from hornbook.tasks import RunningText, with_vocab
from hornbook.text.chat import Renderer
from hornbook.text.tokenizer import Tokenizer
from hornbook.train.job import Job


def pretraining(recipe: Recipe, run: Run, tokenizer: Tokenizer | None) -> Job:
    """The first stage: fresh weights, and the objective that the rows are made for."""
    config = recipe.model if tokenizer is None else with_vocab(recipe.model, tokenizer.vocab)
    source = rows(recipe, run, tokenizer, "train")
    if isinstance(source, ImageRows):
        _check_classes(recipe, source)
    return Job(
        model=config.build(torch.Generator().manual_seed(recipe.seed)),
        objective=recipe.objective,
        source=source,
        validation=held_out(recipe, run, tokenizer),
        seed=recipe.seed,
        bytes_per_token=_bytes_per_token(recipe, run),
        flops_per_token=training_flops(config, recipe.data.length),
    )


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


def instruction(recipe: Recipe, run: Run, tokenizer: Tokenizer) -> Job:
    """Answers to (signature, docstring) pairs from the corpus's own training part."""
    assert recipe.instruct is not None
    model = exchange.load(run.model, dtype=torch.float32)
    assert isinstance(model, DecoderModel)
    renderer = Renderer(tokenizer)
    sources = {
        split: recipe.instruct.build(pairs(stored(run.corpus, split)), renderer, seed=recipe.seed)
        for split in ("train", "validation")
    }
    return Job(
        model=model,
        objective=NextToken(),
        source=sources["train"],
        validation=sources["validation"],
        seed=recipe.seed,
        flops_per_token=training_flops(model.config, recipe.instruct.length),
    )


def has_pairs(run: Run) -> bool:
    """Whether the training text holds anything to instruct with: Python functions with a docstring."""
    return (
        next(pairs(stored(run.corpus, "train")), None) is not None
        and next(pairs(stored(run.corpus, "validation")), None) is not None
    )
