"""Decontamination: what a model will be asked must not be in what it learns from.

Brown et al. 2020, "Language Models are Few-Shot Learners" (GPT-3), appendix C: a document and an item of an evaluation
set that share 13 words in a row touch; n-grams in more than ten documents are phrases and no leak. `items.jsonl` says
which items are touched, so that scores can be given for the clean ones alone. Left out: the paper's n-grams of another
length for every set (`words: 8` is its lower end).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hornbook.corpus import scans as files
from hornbook.corpus import shingles
from hornbook.corpus.document import Across, Document, Result
from hornbook.corpus.evaluation_items import items
from hornbook.corpus.evaluation_report import REPORT, Report
from hornbook.corpus.evaluation_set import EvaluationSet, plain, tokens
from hornbook.corpus.scans import Places

DECIDED = pa.schema([("grams", pa.large_list(pa.int64()))])


@dataclass(frozen=True, kw_only=True)
class DropDocument:
    """A document that touches an item is dropped."""


@dataclass(frozen=True, kw_only=True)
class CutOverlap:
    """What touches an item is cut out, and the text around it; what is left between are documents by themselves."""

    around: int = 200
    """Characters before and after that go too."""
    min_piece: int = 200
    """Characters that a piece must have to stay."""
    max_pieces: int = 10
    """A document that would fall into more is dropped."""


@dataclass(frozen=True, kw_only=True)
class Decontaminate(Across):
    """Takes out what touches an evaluation set; all numbers are GPT-3's."""

    name: ClassVar[str] = "decontaminate"
    evaluation: tuple[str, ...]
    """Files, folders or globs: JSONL, JSON, CSV, Parquet, texts."""
    columns: tuple[str, ...] = ()
    """That hold what must not be known; of a CSV file without names their numbers from 0. Empty: all."""
    words: int = 13
    """In a row that make a touch; in scripts without spaces 1.5 characters for each."""
    shortest: int = 4
    """Words of an item that is looked for as a whole because it has fewer than `words`; still shorter ones are listed
    in the report and not looked for."""
    common: int = 10
    """An n-gram that is in more documents than this is a phrase, and touches nothing."""
    action: DropDocument | CutOverlap = CutOverlap()

    def __post_init__(self) -> None:
        if not self.evaluation:
            raise ValueError("evaluation: an empty list protects nothing; name the files of an evaluation set")
        if not 1 <= self.shortest <= self.words:
            raise ValueError(f"shortest: {self.shortest} is not between 1 and words ({self.words}); try 4")

    def build(self) -> "Decontaminate":
        _evaluation_set(self)
        return self

    def scan(self, documents: list[Document]) -> pa.RecordBatch:
        """Which n-grams of the evaluation set a document has."""
        hits = _evaluation_set(self).hits(tokens([document.text for document in documents]))
        pairs = np.unique(np.stack([hits.texts, hits.grams]), axis=1)
        offsets = np.searchsorted(pairs[0], np.arange(len(documents) + 1))
        ids = pa.array([document.id for document in documents], pa.string())
        return pa.record_batch({"id": ids, "grams": files.list_column(pairs[1], offsets)})

    def decide(self, scans: Sequence[Path], decisions: Sequence[Path]) -> None:
        """Leave out n-grams that are phrases; write which items are touched beside the decisions."""
        known = _evaluation_set(self)
        counts = np.zeros(len(known.grams), np.int64)
        for scan in scans:
            for grams, _ in files.lists(scan, "grams"):
                counts += np.bincount(grams, minlength=len(counts))
        leak = counts <= self.common
        report = Report(known, leak & (counts > 0), counts > self.common)
        for scan, path in zip(scans, decisions, strict=True):
            files.write(path, DECIDED, ([_leaks(batch, leak, report)] for batch in _scanned(scan)))
        report.write(decisions[0].parent / REPORT)

    def apply(self, documents: list[Document], decisions: pa.RecordBatch) -> Result:
        """Drop or cut what touches an item."""
        result = Result([])
        for document, grams in zip(documents, decisions.column("grams").to_pylist(), strict=True):
            if not grams:
                result.kept.append(document)
            elif isinstance(self.action, DropDocument):
                result.dropped.append((document, "touches an evaluation set"))
            else:
                places = touches(document.text, np.array(grams), _evaluation_set(self))
                self._cut(document, pieces(document.text, places, self.action), result)
        return result

    def _cut(self, document: Document, left: list[str], result: Result) -> None:
        assert isinstance(self.action, CutOverlap)
        if not left:
            result.dropped.append((document, "little beside an evaluation set"))
        elif len(left) > self.action.max_pieces:
            result.dropped.append((document, "touches an evaluation set in many places"))
        else:
            result.changed.append((document, "evaluation items cut out"))
            ids = [document.id] if len(left) == 1 else [f"{document.id}#{number}" for number in range(1, len(left) + 1)]
            result.kept.extend(replace(document, id=name, text=text) for name, text in zip(ids, left, strict=True))


def touches(text: str, grams: Places, known: EvaluationSet) -> NDArray[np.int64]:
    """Where a text has some n-grams of an evaluation set: first and past the last character, a row each, in order."""
    words = shingles.spans(plain(text))
    hits = known.hits(shingles.Tokens(words.hashes, np.array([0, len(words.hashes)])))
    ours = np.isin(hits.grams, grams)
    starts, lengths = hits.starts[ours], hits.lengths[ours]
    places = np.stack([words.starts[starts], words.ends[starts + lengths - 1]], axis=1)
    return places[np.argsort(places[:, 0], kind="stable")]


def pieces(text: str, places: NDArray[np.int64], cut: CutOverlap) -> list[str]:
    """What is left of a text without some places and what is around them, as far as it is long enough.

    >>> pieces("abcdefghijklmno", np.array([[4, 6], [5, 7]]), CutOverlap(around=1, min_piece=3))
    ['abc', 'ijklmno']
    """
    left, end = [], 0
    for start, stop in [*places.tolist(), (len(text) + cut.around, 0)]:
        piece = text[end : max(end, start - cut.around)]
        if len(piece) >= cut.min_piece and piece.strip():
            left.append(piece)
        end = max(end, stop + cut.around)
    return left


def _scanned(scan: Path) -> Iterator[tuple[list[str], Places, Places]]:
    """Batch by batch: the documents' names, all their n-grams, how many each has."""
    for ids, (grams, lengths) in zip(files.columns(scan, "id"), files.lists(scan, "grams"), strict=True):
        yield ids.to_pylist(), grams, lengths


def _leaks(batch: tuple[list[str], Places, Places], leak: NDArray[np.bool_], report: Report) -> pa.Array:
    """Of the n-grams of some documents those that are no phrases; the report is told of them."""
    ids, grams, lengths = batch
    documents = np.repeat(np.arange(len(ids)), lengths)[leak[grams]]
    grams = grams[leak[grams]]
    offsets = np.searchsorted(documents, np.arange(len(ids) + 1))
    for document in np.unique(documents).tolist():
        report.see(ids[document], grams[offsets[document] : offsets[document + 1]])
    return files.list_column(grams, offsets)


@lru_cache(maxsize=2)
def _evaluation_set(step: Decontaminate) -> EvaluationSet:
    """The set a step protects, read once a process."""
    return EvaluationSet(items(step.evaluation, step.columns), step.words, step.shortest)
