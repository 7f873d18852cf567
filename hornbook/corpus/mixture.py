"""A mixture: how much of each source a model reads, said as shares of the text or as passes over the source.

GPT-3 read Wikipedia 3.4 times and its part of Common Crawl 0.44 times (Brown et al. 2020, table 2.2): what is good is
read more often than it is long. A source that is wanted less than once is thinned by the hash of each document, so
that more of it always includes less of it; one that is wanted more often is repeated. Held-out documents are neither.
Shares are of bytes, which for one tokenizer come close to shares of tokens where the sources are in one language.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from hornbook.core.errors import UserError
from hornbook.corpus.clean import text_hash
from hornbook.corpus.document import Document, size


@dataclass(frozen=True, kw_only=True)
class Epochs:
    """How often each source is read."""

    epochs: dict[str, float]

    def __post_init__(self) -> None:
        _check_positive(self.epochs, "epochs")

    def passes(self, sizes: Mapping[str, int]) -> dict[str, float]:
        """Passes over each source, from their bytes; UserError where the names are not those of the sources."""
        _check_names(self.epochs, sizes)
        return dict(self.epochs)


@dataclass(frozen=True, kw_only=True)
class Shares:
    """What part of the text each source is; as much as there can be with no source read too often."""

    shares: dict[str, float]
    """Any numbers above 0; only their ratio counts."""
    max_epochs: float = 1.0
    """Most passes over a source."""

    def __post_init__(self) -> None:
        _check_positive(self.shares, "shares")
        if self.max_epochs <= 0:
            raise ValueError(
                f"max_epochs: {self.max_epochs} reads nothing; give more, 1 reads every source at most once"
            )

    def passes(self, sizes: Mapping[str, int]) -> dict[str, float]:
        """Passes over each source, from their bytes; UserError where the names are not those of the sources.

        >>> Shares(shares={"web": 3, "books": 1}, max_epochs=2).passes({"web": 300, "books": 40})
        {'web': 0.8, 'books': 2.0}
        """
        _check_names(self.shares, sizes)
        whole = min(sizes[name] * self.max_epochs / share for name, share in self.shares.items())
        return {name: share * whole / sizes[name] for name, share in self.shares.items()}


Mixture = Shares | Epochs


def copies(document: Document, passes: Mapping[str, float]) -> Iterator[Document]:
    """A document as often as its source is read; the second and later ones say in their id which they are."""
    whole, part = divmod(passes.get(document.source, 1.0), 1)
    drawn = text_hash(f"{document.source}\0{document.id}") < part * 2**64
    for number in range(int(whole) + drawn):
        yield document if number == 0 else replace(document, id=f"{document.id}@{number + 1}")


class Account:
    """What a mixture was meant to be, and what became of it."""

    def __init__(self, passes: Mapping[str, float], sizes: Mapping[str, int]) -> None:
        self.passes, self.bytes = passes, dict.fromkeys(passes, 0)
        self.planned = {name: times * sizes[name] for name, times in passes.items()}

    def add(self, document: Document) -> None:
        """Count a document that was written."""
        if document.source in self.bytes:
            self.bytes[document.source] += size(document.text)

    def plain(self) -> dict[str, dict[str, float]]:
        """Per source: passes over it, its planned share of the bytes, and its share of those written."""
        planned, written = (max(sum(each.values()), 1) for each in (self.planned, self.bytes))
        return {
            name: {"epochs": times, "planned": self.planned[name] / planned, "realised": self.bytes[name] / written}
            for name, times in self.passes.items()
        }


def _check_positive(numbers: Mapping[str, float], field: str) -> None:
    for name, number in numbers.items():
        if number <= 0:
            raise ValueError(f"{field}.{name}: {number} reads nothing of it; give more, or leave the source out")
    if not numbers:
        raise ValueError(f"{field}: names no source; give each of corpus.source a number")


def _check_names(numbers: Mapping[str, float], sizes: Mapping[str, int]) -> None:
    for name in numbers:
        if name not in sizes:
            raise UserError(
                f"corpus.mixture: {name} is none of the sources ({', '.join(sizes)}); name each as they are"
            )
    for name in sizes:
        if name not in numbers:
            raise UserError(f"corpus.mixture: says nothing of the source {name}; give it a number, or leave it out")
