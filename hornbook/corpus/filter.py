"""A filter: a function of one document that returns a reason to drop it, or None.

Most rules are written as `reasons`, which yields every rule that a text breaks: the first of them is why the document
is dropped, and a test can ask about each rule by itself.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from hornbook.corpus.document import Document, Result


class Filter(ABC):
    """A step that keeps or drops, and looks at nothing but the document."""

    name: ClassVar[str]

    def build(self) -> "Filter":
        return self

    @abstractmethod
    def reason(self, document: Document) -> str | None:
        """Why a document is dropped, in a few words that are the same for every document; None keeps it."""

    def __call__(self, documents: list[Document]) -> Result:
        """Keep those that no reason speaks against."""
        result = Result([])
        for document in documents:
            reason = self.reason(document)
            if reason is None:
                result.kept.append(document)
            else:
                result.dropped.append((document, reason))
        return result


class TextFilter(Filter):
    """A filter that looks at the text alone."""

    @abstractmethod
    def reasons(self, text: str) -> Iterator[str]:
        """Every rule that a text breaks, in the order of the paper."""

    def reason(self, document: Document) -> str | None:
        """The first rule that is broken."""
        return next(self.reasons(document.text), None)


def check_shares(config: object, *fields: str) -> None:
    """Raise ValueError unless the fields are shares; 0 lets nothing pass and 1 everything."""
    for field in fields:
        value = getattr(config, field)
        if not 0 <= value <= 1:
            raise ValueError(f"{field}: {value} is not a share between 0 and 1; give for instance 0.3")
