"""Which documents are held out: a share of them by hash of the text, or the end of each where there are few.

The hash decides about a text alone, so adding files never moves an old one between training and validation, and two
copies of a text are on the same side. A hash says little about a handful of documents, and nothing about one book:
there the last part of every document is held out, as is usual for a single long text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from hornbook.corpus.clean import text_hash
from hornbook.corpus.document import Document

FEW = 100  # fewer documents: 0.05 of them would be 5 give or take 2, anything between nothing and a tenth
HELD_BACK_CHARACTERS = 64_000_000  # what may wait in memory until it is known whether there are few
LONG = 1_000_000  # characters; a longer document gives its end instead of going to one side whole

BY_HASH = "by hash of the document"
BY_END = "the end of every document"


class Split:
    """Sends documents to "train" or "validation"; `rule` says how, once the first have come out."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.rule = BY_HASH

    def __call__(self, batches: Iterable[list[Document]]) -> Iterator[tuple[str, Document]]:
        """(split, document) for every document, in order."""
        waiting: list[Document] = []
        characters = 0
        stream = iter(batches)
        for batch in stream:
            waiting += batch
            characters += sum(len(document.text) for document in batch)
            if len(waiting) >= FEW or characters >= HELD_BACK_CHARACTERS:
                break
        self.rule = BY_END if self.share and len(waiting) < FEW else BY_HASH
        yield from self._place(waiting)
        waiting.clear()
        for batch in stream:
            yield from self._place(batch)

    def _place(self, documents: list[Document]) -> Iterator[tuple[str, Document]]:
        for document in documents:
            if self.share and (self.rule is BY_END or len(document.text) > LONG):
                yield from cut(document, self.share)
            elif text_hash(document.text) < self.share * 2**64:
                yield "validation", document
            else:
                yield "train", document


def cut(document: Document, share: float) -> Iterator[tuple[str, Document]]:
    """The beginning for training and the end for validation, cut at a paragraph or line where one is near.

    >>> doc = Document("a", "one two\\n\\nthree\\nfour", "s")
    >>> [(split, part.id, part.text) for split, part in cut(doc, 0.2)]
    [('train', 'a', 'one two\\n\\nthree\\n'), ('validation', 'a#end', 'four')]
    """
    text = document.text
    wanted = round(len(text) * share)
    place = len(text) - wanted
    for border in ("\n\n", "\n", " "):
        near = text.rfind(border, max(place - wanted // 2, 0), place + len(border))
        if near >= 0:
            place = near + len(border)
            break
    yield "train", replace(document, text=text[:place])
    if text[place:].strip():
        yield "validation", replace(document, id=f"{document.id}#end", text=text[place:])
