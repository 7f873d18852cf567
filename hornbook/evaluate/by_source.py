"""Bits per byte of each source by itself: what a model knows of a new field, and what it has kept of the old one.

A mixture has one loss and several answers. BloombergGPT (Wu et al. 2023, section 5.2) is measured on its field and on
general text apart, and so is a model that goes on from another (Ibrahim et al. 2024, section 5).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import nn

from hornbook.corpus.document import Document
from hornbook.corpus.stored import stored
from hornbook.evaluate.compression import Compression, score
from hornbook.text.tokenizer import Tokenizer


def held_out(corpus: Path, *, most: int | None = None) -> dict[str, list[str]]:
    """The held-out texts of a corpus by the source they are from; of each the first `most`, None takes all."""
    return grouped(stored(corpus, "validation"), most=most)


def grouped(documents: Iterable[Document], *, most: int | None = None) -> dict[str, list[str]]:
    """Texts by source, in order; those without a byte have no score and are left out.

    >>> web, book = (Document(id="1", text=text, source=text) for text in ("web", "book"))
    >>> grouped([web, book, web, web], most=2)
    {'web': ['web', 'web'], 'book': ['book']}
    """
    found: dict[str, list[str]] = {}
    for document in documents:
        texts = found.setdefault(document.source, [])
        if document.text and (most is None or len(texts) < most):
            texts.append(document.text)
    return {source: texts for source, texts in found.items() if texts}


def score_each(
    model: nn.Module, tokenizer: Tokenizer, texts: Mapping[str, list[str]], *, length: int
) -> dict[str, Compression]:
    """The score of each source; `length` is the window in tokens."""
    return {source: score(model, tokenizer, some, length=length) for source, some in texts.items()}


def plain(found: Mapping[str, Compression]) -> dict[str, Any]:
    """As JSON: source -> value (bits per byte), interval, of (documents), bytes."""
    return {
        source: {"value": each.bits_per_byte, "interval": each.interval, "of": each.documents, "bytes": each.bytes}
        for source, each in found.items()
    }
