"""What there is to learn: which rows, documents, objective and shape of model go together.

The rows of `data:` say it all: whoever hides tokens wants them guessed, by a model that reads on both sides. So a
recipe names its rows, and the kinds of corpus and objective are lent where it leaves them out; its model is checked.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from hornbook.core.errors import RecipeError
from hornbook.core.recipe import tag
from hornbook.corpus import images, pairs, pipeline, reversals
from hornbook.corpus.engine import Progress
from hornbook.corpus.images import ImageFiles
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.pairs import PairFiles
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus.reversals import Reversals
from hornbook.data.batches import IGNORE, Batch, Windows
from hornbook.data.images import Images
from hornbook.data.masked import Masked
from hornbook.data.noise import Denoise
from hornbook.data.pack import Packed
from hornbook.data.pairs import Pairs
from hornbook.data.sentence_pairs import SentencePairs
from hornbook.data.spans import Spans
from hornbook.model import classifier, masked_head
from hornbook.model.decoder import Decoder
from hornbook.model.encoder import Encoder
from hornbook.model.encoder_decoder import EncoderDecoder
from hornbook.model.head import Language
from hornbook.model.models import Model
from hornbook.model.patches import Patches
from hornbook.objective.classification import Classification
from hornbook.objective.language import NextToken
from hornbook.objective.masked import MaskedTokens
from hornbook.objective.sequence_to_sequence import SequenceToSequence

RunningText = Windows | Packed
Rows = RunningText | Masked | SentencePairs | Denoise | Spans | Pairs | Images
Documents = Corpus | PairFiles | Reversals | ImageFiles
Objective = NextToken | MaskedTokens | SequenceToSequence | Classification


@dataclass(frozen=True)
class Task:
    """What goes with some rows."""

    objective: type
    model: type
    corpus: tuple[type, ...] = (Corpus,)
    """The first is meant where a recipe does not say."""
    heads: tuple[type, ...] = ()
    """Heads that an encoder may have for it."""


GUESS = (masked_head.Masked, masked_head.Pretraining, Language)
TASKS: dict[type, Task] = {
    Windows: Task(NextToken, Decoder),
    Packed: Task(NextToken, Decoder),
    Masked: Task(MaskedTokens, Encoder, heads=GUESS),
    SentencePairs: Task(MaskedTokens, Encoder, heads=(masked_head.Pretraining,)),
    Denoise: Task(SequenceToSequence, EncoderDecoder),
    Spans: Task(SequenceToSequence, EncoderDecoder),
    Pairs: Task(SequenceToSequence, EncoderDecoder, (PairFiles, Reversals)),
    Images: Task(Classification, Encoder, (ImageFiles,), (classifier.SequenceClassifier,)),
}


def lent_kinds(data: dict[str, Any]) -> list[str]:
    """Overrides for the `type:` of corpus and objective where they do not give their own."""
    rows = data.get("data")
    name = rows.get("type") if isinstance(rows, dict) else None
    task = next((task for kind, task in TASKS.items() if tag(kind) == name), TASKS[Windows])
    found = ["tokenizer=null"] if ImageFiles in task.corpus and "tokenizer" not in data else []
    for section, kind in (("corpus", task.corpus[0]), ("objective", task.objective)):
        given = data.get(section, {})
        if isinstance(given, dict) and "type" not in given:
            found.append(f"{section}.type={tag(kind)}")
    return found


def check(rows: Rows, **sections: object) -> None:
    """Refuse sections (corpus, objective, model) that do not go with the rows."""
    task, name = TASKS[type(rows)], tag(type(rows))
    for section, given in sections.items():
        wanted = getattr(task, section)
        if not isinstance(given, wanted):
            names = " or ".join(map(tag, wanted if isinstance(wanted, tuple) else (wanted,)))
            raise RecipeError(
                f"{section}: {tag(type(given))} does not go with data.type={name}, which wants {names}; "
                f"give that {section}, or other data"
            )
    model = sections["model"]
    if isinstance(model, Encoder) and not isinstance(model.head, task.heads):
        heads = " or ".join(tag(head) for head in task.heads)
        had = "none" if model.head is None else tag(type(model.head))
        raise RecipeError(f"model.head: {had} has no answer for data.type={name}; give {heads}")
    if isinstance(rows, SentencePairs) and getattr(getattr(model, "embed", None), "segments", 2) < 2:
        raise RecipeError("model.embed.segments: one segment cannot tell two texts apart; give 2")
    _check_images(sections["corpus"], model)


def _check_images(corpus: object, model: object) -> None:
    """Images that are made must be the images that are read."""
    if not isinstance(corpus, ImageFiles) or not isinstance(model, Encoder):
        return
    if not isinstance(model.embed, Patches):
        raise RecipeError(f"model.embed: {tag(type(model.embed))} reads no images; give patches")
    for ours, theirs in (("size", "image"), ("channels", "channels")):
        made, read = getattr(corpus, ours), getattr(model.embed, theirs)
        if made != read:
            raise RecipeError(f"corpus.{ours}: {made} is not model.embed.{theirs}={read}; make the two the same")


def read(
    config: Documents,
    folder: Path,
    *,
    progress: Progress | None = None,
    timed: Callable[[dict[str, Any]], None] | None = None,
) -> Ledger:
    """Run the corpus stage: read what the recipe names and write it into a new folder.

    `progress` and `timed` hear of what is cleaned in steps (pipeline.py); pairs and images are read at once.
    """
    match config:
        case PairFiles():
            return pairs.run(config, folder)
        case Reversals():
            return reversals.run(config, folder)
        case ImageFiles():
            return images.run(config, folder)
        case Corpus():
            return pipeline.run(config, folder, progress=progress, timed=timed)


def vocabularies(model: type) -> tuple[str, ...]:
    """The fields of a model that hold a vocabulary; the second may be left out."""
    return ("source", "target") if model is EncoderDecoder else ("embed",)


def with_vocab(model: Model, vocab: int) -> Model:
    """The same design for another vocabulary."""
    tables = {name: getattr(model, name) for name in vocabularies(type(model))}
    return replace(model, **{name: replace(each, vocab=vocab) for name, each in tables.items() if each is not None})


def row_tokens(rows: Rows) -> int:
    """Tokens that a row costs at most: its own, and those of the answer that a decoder writes."""
    return rows.length * (2 if TASKS[type(rows)].model is EncoderDecoder else 1)


def made_up(rows: Rows, model: Model, count: int) -> Batch:
    """Some rows of the right shape with nothing in them, to see how long a step takes."""
    if isinstance(model, Encoder) and isinstance(model.embed, Patches):
        side, channels = model.embed.image, model.embed.channels
        return Batch(None, torch.zeros(count, dtype=torch.int64), pixel_values=torch.zeros(count, channels, side, side))
    ids = torch.randint(model.vocab, (count, rows.length))
    if isinstance(rows, Masked | SentencePairs):
        labels = torch.where(torch.rand(ids.shape) < rows.mask.share, ids, IGNORE)
        pairs = torch.zeros_like(ids) if isinstance(rows, SentencePairs) else None
        return Batch(ids, labels, token_type_ids=pairs, next_sentence_labels=None if pairs is None else pairs[:, 0])
    return Batch(ids, ids, decoder_input_ids=ids if isinstance(model, EncoderDecoder) else None)
