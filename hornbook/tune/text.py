"""The running text of a stage: documents of its own or those of the run, as token ids of the model's own vocabulary.

What a stage makes lies in its folder, `corpus/` and `shards/`, each of which appears whole or not at all; where it is
there already it is not made again (a stage whose recipe or files have changed begins with an empty folder).
"""

from dataclasses import dataclass
from pathlib import Path

from hornbook.core.errors import RecipeError, UserError
from hornbook.corpus import pipeline, sources
from hornbook.corpus.pipeline import Corpus
from hornbook.data import shards, tokenize
from hornbook.data.shards import Shards, Split
from hornbook.text.tokenizer import Tokenizer
from hornbook.tune.place import Place


@dataclass(frozen=True)
class Text:
    """Documents, and the same as ids."""

    corpus: Path
    shards: Shards

    @property
    def bytes_per_token(self) -> float:
        """UTF-8 bytes of the training text a token."""
        return self.shards.train.bytes / self.shards.train.tokens

    def held_out(self, length: int) -> Split | None:
        """The held-out part; None where it has not one window: the scores at the end still read its documents."""
        split = self.shards.validation
        try:
            split.require(length)
        except UserError:
            return None
        return split


def text_of(place: Place, corpus: Corpus | None, tokenizer: Tokenizer) -> Text:
    """The text of a stage, made if it is not there yet."""
    documents = documents_of(place, corpus)
    made = documents.with_name("shards")
    if corpus is None and made.is_dir() and shards.load(made).tokenizer == tokenizer.fingerprint:
        return Text(documents, shards.load(made))  # the run's own
    folder = place.run.shards
    if not folder.is_dir():
        written = tokenize.write(documents, folder, tokenizer)
        place.note(f"{written.train.tokens:,} tokens to learn from, {written.validation.tokens:,} held out")
    return Text(documents, shards.load(folder, tokenizer=tokenizer.fingerprint))


def documents_of(place: Place, corpus: Corpus | None) -> Path:
    """The folder of a stage's documents, made if it is not there yet."""
    if corpus is None:
        if place.corpus is None:
            raise RecipeError("corpus: this recipe begins with a finished model and has no text; give the stage some")
        return place.corpus
    folder = place.run.corpus
    if not folder.is_dir():
        ledger = pipeline.run(corpus, folder)
        train, held_out = (ledger.splits[name] for name in ("train", "validation"))
        place.note(f"{train.documents:,} documents, {train.bytes:,} bytes; {held_out.documents:,} held out")
        for name, part in ledger.mixture.items():
            place.note(f"{name}: {part['realised']:.1%} of the text, {part['epochs']:.2f} passes")
    return folder


def files_of(corpus: Corpus | None) -> list[Path]:
    """Every file that a corpus is made from."""
    return [] if corpus is None else [file.path for file in sources.files(corpus.sources, sources.ignore)]
