"""Stretches of words that an earlier document had, wherever in a line they begin.

ExactSubstr of Lee et al. 2021, "Deduplicating Training Data Makes Language Models Better", section 4.1. They sort all
suffixes of the corpus; here the hash of every `words` words in a row is noted (8 bytes a word) and equal ones brought
together part by part, which finds the same stretches in the memory of one part. What is certain: every stretch of that
length that an earlier document has is found; one is found wrongly with a chance of 3 % in a billion words. Left out:
their byte pairs (words are words here, characters in scripts without spaces) and repeats inside one document.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hornbook.corpus import scans as files
from hornbook.corpus import shingles
from hornbook.corpus.document import Across, Document, Result
from hornbook.corpus.repeats import repeated
from hornbook.corpus.scans import Places

STRETCHES = pa.schema([("words", pa.large_list(pa.int64()))])


@dataclass(frozen=True, kw_only=True)
class RepeatedSubstrings(Across):
    """Takes out of every document the stretches of words that an earlier document has."""

    name: ClassVar[str] = "repeated substrings"
    words: int = 50
    """The shortest stretch; Lee et al. 2021 take 50 tokens."""

    def __post_init__(self) -> None:
        if not 5 <= self.words <= shingles.TILE:
            raise ValueError(f"words: {self.words} is not between 5 and {shingles.TILE}; try 50")

    def build(self) -> "RepeatedSubstrings":
        return self

    def scan(self, documents: list[Document]) -> pa.RecordBatch:
        """The hash of every `words` words in a row."""
        tokens = shingles.tokens([document.text for document in documents])
        return pa.record_batch({"hash": files.list_column(*shingles.shingles(tokens, self.words, short=False))})

    def decide(self, scans: Sequence[Path], decisions: Sequence[Path]) -> None:
        """Which words of every text an earlier one has."""
        flags = repeated(scans, "hash", decisions[0].parent)
        for scan, path in zip(scans, decisions, strict=True):
            batches = (next(flags) for _ in files.columns(scan, "hash"))
            rows = ([files.list_column(*stretches(each, lengths, self.words))] for each, lengths in batches)
            files.write(path, STRETCHES, rows)

    def apply(self, documents: list[Document], decisions: pa.RecordBatch) -> Result:
        """Take them out; drop a document of which no word is left."""
        result = Result([])
        for document, borders in zip(documents, decisions.column("words").to_pylist(), strict=True):
            if not borders:
                result.kept.append(document)
                continue
            words = shingles.spans(document.text)
            if borders == [0, len(words.starts)]:
                result.dropped.append((document, "only repeated text"))
            else:
                result.kept.append(replace(document, text=without(document.text, words, borders)))
                result.changed.append((document, "repeated text"))
        return result


def stretches(flags: NDArray[np.bool_], lengths: Places, words: int) -> tuple[Places, Places]:
    """From the flagged starts of all texts to the words that go, from and to alternating; and where each text's begin.

    >>> flags = np.array([0, 1, 1, 0, 0, 0, 1, 1, 0], bool)
    >>> [part.tolist() for part in stretches(flags, np.array([7, 2]), 3)]
    [[1, 5, 6, 9, 0, 3], [0, 4, 6]]
    """
    row = np.repeat(np.arange(len(lengths)), lengths)
    flagged = np.flatnonzero(flags)
    row, place = row[flagged], flagged - (np.cumsum(lengths) - lengths)[row[flagged]]
    new = (np.diff(row, prepend=-1) != 0) | (np.diff(place, prepend=0) > words)
    begins = np.flatnonzero(new)
    ends = np.append(begins[1:], len(place))[: len(begins)] - 1
    borders = np.stack([place[begins], place[ends] + words], axis=1)
    counts = np.bincount(row[begins], minlength=len(lengths)) * 2
    return borders.reshape(-1), np.concatenate([[0], np.cumsum(counts)])


def without(text: str, words: shingles.Spans, borders: list[int]) -> str:
    """The text without some words and the signs that follow them; a line break among those stays.

    >>> text = "One two. Three four!\\nFive"
    >>> without(text, shingles.spans(text), [1, 3]), without(text, shingles.spans(text), [2, 4])
    ('One four!\\nFive', 'One two. \\nFive')
    """
    parts, kept_from = [], 0
    for first, last in zip(borders[::2], borders[1::2], strict=True):
        parts.append(text[kept_from : words.starts[first]])
        kept_from = int(words.starts[last]) if last < len(words.starts) else len(text)
        if "\n" in text[words.ends[last - 1] : kept_from] and parts[-1] and not parts[-1].endswith("\n"):
            parts.append("\n")
    return "".join([*parts, text[kept_from:]])
