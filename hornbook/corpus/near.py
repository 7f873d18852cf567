"""Near duplicates: of texts that share most of their shingles one is kept.

MinHash with bands finds the candidates (Broder 1997; Lee et al. 2021, "Deduplicating Training Data Makes Language
Models Better", section 4.2), a sketch of both confirms or refuses each, union-find makes clusters of the confirmed. A
cluster is a chain: its ends may share less than the threshold. Left out: the edit distance by which Lee et al. confirm.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Literal, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from hornbook.corpus import minhash
from hornbook.corpus import scans as files
from hornbook.corpus import shingles as words
from hornbook.corpus.clusters import Clusters, candidates
from hornbook.corpus.document import Across, Document, Result
from hornbook.corpus.scans import Places, Shelf

PAIRS = 1 << 9  # compared at once: half a million shingles, 30 MB
KEPT = pa.schema([("kept", pa.string()), ("similarity", pa.float64())])
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class NearDuplicates(Across):
    """Drops all but one of texts that are nearly the same; threshold and shingles as in Lee et al. 2021."""

    name: ClassVar[str] = "near duplicates"
    threshold: float = 0.8
    """Jaccard similarity of their shingles from which two texts are nearly the same."""
    shingle: int = 5
    """Words that follow each other; characters in scripts that put no spaces between words."""
    permutations: int = 128
    """Minima of each text; more find pairs at the threshold more surely, and take longer."""
    sketch: int | None = 512
    """Smallest shingles of each text that confirm a pair, of 4 bytes; null: all, so that the similarity is exact."""
    keep: Literal["first", "longest", "last"] = "first"
    """Which of a cluster stays; of equally long ones the first."""

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold: {self.threshold} is not a similarity above 0 and up to 1; try 0.8")
        for field, least in (("shingle", 1), ("permutations", 1), ("sketch", 16)):
            if (value := getattr(self, field)) is not None and value < least:
                raise ValueError(f"{field}: {value} is too few; give {least} or more")

    @property
    def bands(self) -> minhash.Bands:
        """How the minima are grouped."""
        return minhash.bands(self.threshold, self.permutations)

    def build(self) -> "NearDuplicates":
        return self

    def scan(self, documents: list[Document]) -> pa.RecordBatch:
        """A number for each band, a sketch, and what the choice goes by."""
        found = words.shingles(words.tokens([document.text for document in documents]), self.shingle, short=True)
        bands = minhash.band_hashes(found, self.bands)
        columns = {f"band-{number}": pa.array(hashes) for number, hashes in enumerate(bands)}
        columns["sketch"] = files.list_column(*minhash.sketches(found, self.sketch))
        columns["id"] = pa.array([document.id for document in documents], pa.string())
        columns["characters"] = pa.array([len(document.text) for document in documents], pa.int64())
        return pa.record_batch(columns)

    def decide(self, scans: Sequence[Path], decisions: Sequence[Path]) -> None:
        """Compare what shares a band, band after band; then say of each text which one is kept for it."""
        with TemporaryDirectory(dir=decisions[0].parent) as aside:
            sketches = Shelf(Path(aside) / "sketches", _all(files.lists, scans, "sketch"), np.uint32)
            ids = Shelf(Path(aside) / "ids", _all(files.letters, scans, "id"), np.uint8)
            kept = self._chosen(self._clusters(scans, sketches, Path(aside)), scans)
            start = 0
            for scan, path in zip(scans, decisions, strict=True):
                sizes = [len(lengths) for lengths in files.numbers(scan, "characters")]
                ends = start + np.cumsum(sizes, dtype=np.int64)
                batches = (np.arange(end - size, end) for size, end in zip(sizes, ends, strict=True))
                files.write(path, KEPT, (self._decided(places, kept[places], (sketches, ids)) for places in batches))
                start += sum(sizes)

    def _clusters(self, scans: Sequence[Path], sketches: Shelf, folder: Path) -> Clusters:
        clusters = Clusters(len(sketches.offsets) - 1)
        for number in range(self.bands.bands):

            def read(name: str = f"band-{number}") -> Iterator[files.Hashes]:
                return _all(files.numbers, scans, name)

            for places, hashes in files.together(read, folder):
                filled = hashes != 0
                for ours, theirs in candidates(places[filled], hashes[filled]):
                    self._join(clusters, sketches, ours, theirs)
        return clusters

    def _join(self, clusters: Clusters, sketches: Shelf, ours: Places, theirs: Places) -> None:
        """Put the pairs that are nearly the same together."""
        for start in range(0, len(ours), PAIRS):
            a, b = ours[start : start + PAIRS], theirs[start : start + PAIRS]
            apart = clusters.apart(a, b)
            a, b = a[apart], b[apart]
            near = minhash.similarities(sketches(a), sketches(b), self.sketch) >= self.threshold
            clusters.join(a[near], b[near])

    def _chosen(self, clusters: Clusters, scans: Sequence[Path]) -> Places:
        """For every text the one that stays for it."""
        kept = clusters.roots(np.arange(len(clusters.parents)))
        members = np.flatnonzero(np.bincount(kept, minlength=1)[kept] > 1) if len(kept) else kept
        order = -members if self.keep == "last" else members
        if self.keep == "longest":
            lengths = np.concatenate(list(_all(files.numbers, scans, "characters")))[members]
            members = members[np.lexsort([order, -lengths, kept[members]])]
        else:
            members = members[np.lexsort([order, kept[members]])]
        _, first, which = np.unique(kept[members], return_index=True, return_inverse=True)
        kept[members] = members[first][which]
        return kept

    def _decided(self, places: Places, kept: Places, shelves: tuple[Shelf, Shelf]) -> list[pa.Array]:
        """Of every text that is dropped the id of the one that stays, and how similar they are."""
        sketches, ids = shelves
        dropped = np.flatnonzero(kept != places)
        similar: NDArray[np.float64] = np.full(len(places), np.nan)
        names: list[str | None] = [None] * len(places)
        for start in range(0, len(dropped), PAIRS):
            part = dropped[start : start + PAIRS]
            similar[part] = minhash.similarities(sketches(places[part]), sketches(kept[part]), self.sketch)
            letters, offsets = ids(kept[part])
            for place, first, last in zip(part.tolist(), offsets, offsets[1:], strict=False):
                names[place] = letters[first:last].tobytes().decode(errors="surrogatepass")
        return [pa.array(names, pa.string()), pa.array(similar)]

    def apply(self, documents: list[Document], decisions: pa.RecordBatch) -> Result:
        """Drop what another text stays for; its metadata say which one, and how similar they are."""
        result = Result([])
        for document, decision in zip(documents, decisions.to_pylist(), strict=True):
            if decision["kept"] is None:
                result.kept.append(document)
            else:
                pair = {"kept": decision["kept"], "similarity": f"{decision['similarity']:.3f}"}
                marked = replace(document, metadata={**document.metadata, **pair})
                result.dropped.append((marked, "near duplicate"))
        return result


def _all(read: Callable[[Path, str], Iterator[T]], scans: Sequence[Path], name: str) -> Iterator[T]:
    """A column of all scans, batch by batch."""
    return (batch for scan in scans for batch in read(scan, name))
