"""The documents a model learned from, where they are at hand: those of its run, or files that the user names."""

from collections.abc import Iterator
from pathlib import Path

from hornbook.core.run import Run
from hornbook.corpus import sources
from hornbook.corpus.document import Document
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.read import documents
from hornbook.corpus.stored import stored


def learned_from(model: str, corpus: str | None) -> Iterator[Document] | None:
    """The training documents; None where nobody knows them.

    corpus: a run, a folder that `hornbook corpus` wrote, or files of any kind it reads (text in a column `text`); None:
    those of the model's own run, where `model` is one.
    """
    for place in (corpus, model):
        if place is not None and sources.is_corpus(Run(Path(place)).corpus):
            return stored(Run(Path(place)).corpus, "train")
    return None if corpus is None else _files(corpus)


def _files(corpus: str) -> Iterator[Document]:
    if sources.is_corpus(Path(corpus)):
        yield from stored(Path(corpus), "train")
        return
    ledger = Ledger()
    for file in sources.files([corpus], sources.ignore):
        yield from documents(file, "text", ledger, strict=True)
