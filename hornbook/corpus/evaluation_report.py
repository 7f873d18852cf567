"""Which items of an evaluation set are touched: a line each in `items.jsonl`, so that scores can be given without them.

    {"file": "arc.jsonl", "row": 17, "share": 0.62, "common_share": 0.0, "documents": 2, "first": ["web/3:118", ...]}

`share` of its n-grams are found in documents; `common_share` are phrases that too many documents have, and were let
pass. `{"file": ..., "row": ..., "too_short": true}`: an item that cannot be looked for. Items without a line are clean.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hornbook.core.files import write_text
from hornbook.corpus.evaluation_set import EvaluationSet
from hornbook.corpus.scans import Places

REPORT = "items.jsonl"
NAMED = 20  # documents named for each item; all are counted


class Report:
    """What is found of each item, and in which documents."""

    def __init__(self, known: EvaluationSet, leaks: NDArray[np.bool_], phrases: NDArray[np.bool_]) -> None:
        self.known = known
        self.leaks, self.phrases = known.count(leaks), known.count(phrases)
        self.documents: Counter[int] = Counter()
        self.first: defaultdict[int, list[str]] = defaultdict(list)

    def see(self, document: str, grams: Places) -> None:
        """A document and the n-grams it has."""
        for owner in np.unique(self.known.owners(grams)).tolist():
            self.documents[owner] += 1
            if self.documents[owner] <= NAMED:
                self.first[owner].append(document)

    def lines(self) -> Iterator[dict[str, object]]:
        """A line for each item that is touched, has phrases, or cannot be looked for."""
        for number, item in enumerate(self.known.items):
            size = int(self.known.sizes[number])
            place = {"file": item.file, "row": item.row}
            if size == 0:
                yield {**place, "too_short": True}
            elif self.leaks[number] or self.phrases[number]:
                shares = {
                    "share": round(int(self.leaks[number]) / size, 4),
                    "common_share": round(int(self.phrases[number]) / size, 4),
                }
                yield {**place, **shares, "documents": self.documents[number], "first": self.first[number]}

    def write(self, path: Path) -> None:
        """All lines, as JSON."""
        write_text(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in self.lines()))


def gather_items(work: Path, folder: Path) -> None:
    """The reports that the steps of a corpus have left in its work, as one, where there are any."""
    found = [path.read_text(encoding="utf-8") for path in sorted(work.glob(f"*/{REPORT}"))]
    if found:
        write_text(folder / REPORT, "".join(found))
