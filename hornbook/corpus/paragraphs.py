"""Lines or paragraphs that an earlier document had: menus, cookie notices, licences, the same text of a news agency.

CCNet (Wenzek et al. 2020, section 3.1). Of documents that hold the same line the first keeps it, so a line stands in
one document of the corpus at most; what a document says twice itself is left alone. Compared as they are but for white
space at the ends; left out: CCNet's comparison in lower case without digits and accents.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import regex

from hornbook.corpus import scans as files
from hornbook.corpus.clean import text_hash
from hornbook.corpus.document import Across, Document, Result, size
from hornbook.corpus.repeats import repeated

ENDS = {"line": regex.compile(r"\n"), "paragraph": regex.compile(r"\n\s*\n")}
REPEATED = pa.schema([("repeated", pa.large_list(pa.bool_()))])


@dataclass(frozen=True, kw_only=True)
class RepeatedParagraphs(Across):
    """Takes out of every document the paragraphs, or lines, that an earlier document has."""

    name: ClassVar[str] = "repeated paragraphs"
    unit: Literal["paragraph", "line"] = "paragraph"
    """What is compared; a paragraph ends with an empty line."""
    min_bytes: int = 40
    """In UTF-8, so 13 Chinese characters; what is shorter is left alone: dates, headings, closing brackets."""

    def __post_init__(self) -> None:
        if self.min_bytes < 1:
            raise ValueError(f"min_bytes: {self.min_bytes} would compare empty lines; give 1 or more")

    def build(self) -> "RepeatedParagraphs":
        return self

    def scan(self, documents: list[Document]) -> pa.RecordBatch:
        """The hashes of the units of every text that are long enough."""
        hashes = [[text_hash(unit) for _, unit in self._compared(document.text)] for document in documents]
        return pa.record_batch({"hash": pa.array(hashes, pa.large_list(pa.uint64()))})

    def decide(self, scans: Sequence[Path], decisions: Sequence[Path]) -> None:
        """Whether each was in an earlier document."""
        flags = repeated(scans, "hash", decisions[0].parent)
        for scan, path in zip(scans, decisions, strict=True):
            batches = (next(flags) for _ in files.columns(scan, "hash"))
            rows = ([files.list_column(each, np.cumsum([0, *lengths]))] for each, lengths in batches)
            files.write(path, REPEATED, rows)

    def apply(self, documents: list[Document], decisions: pa.RecordBatch) -> Result:
        """Take them out; drop a document of which nothing is left."""
        result = Result([])
        for document, flags in zip(documents, decisions.column("repeated").to_pylist(), strict=True):
            if not any(flags):
                result.kept.append(document)
                continue
            text = self._without(document.text, flags)
            if text.strip():
                result.kept.append(replace(document, text=text))
                result.changed.append((document, f"repeated {self.unit}s"))
            else:
                result.dropped.append((document, f"only repeated {self.unit}s"))
        return result

    def _compared(self, text: str) -> list[tuple[int, str]]:
        """The units that are long enough, and which of all they are."""
        units = enumerate(unit.strip() for unit in ENDS[self.unit].split(text))
        return [(place, unit) for place, unit in units if len(unit) >= self.min_bytes or size(unit) >= self.min_bytes]

    def _without(self, text: str, flags: list[bool]) -> str:
        """The text without the flagged ones of the units that are long enough."""
        gone = {place for (place, _), flag in zip(self._compared(text), flags, strict=True) if flag}
        borders = [0, *(match.end() for match in ENDS[self.unit].finditer(text)), len(text)]
        whole = enumerate(pairwise(borders))
        left = "".join(text[start:end] for place, (start, end) in whole if place not in gone)
        return left.rstrip("\n") if len(borders) - 2 in gone else left
