"""What was dropped, gathered from all tasks into one set of files, in the order of the steps.

A task writes down the first few documents of every reason, or all. Of the former the first hundred of each reason are
gathered: enough to judge a rule by, and no more for a large corpus than for a small one.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.corpus.document import Document
from hornbook.corpus.rows import REPEATING, SCHEMA, from_arrow
from hornbook.corpus.task import places, stages

DROPPED = pa.schema([*SCHEMA, ("step", pa.string()), ("reason", pa.string())])
GATHERED = 100  # of each reason, unless all are wanted
FILE_ROWS = 1_000_000
SHOWN_PAIRS = 200
PAIR = pa.schema(
    [
        ("kept_id", pa.string()),
        ("kept_text", pa.large_string()),
        ("dropped_id", pa.string()),
        ("dropped_text", pa.large_string()),
        ("similarity", pa.float64()),
    ]
)


class NearPairs:
    """The first texts that were dropped because another is nearly the same, each beside that other."""

    def __init__(self) -> None:
        self.dropped: list[Document] = []
        self.kept: dict[str, str] = {}

    def add(self, dropped: pa.Table) -> None:
        """Note those rows that name the document that stayed for them."""
        if len(self.dropped) < SHOWN_PAIRS:
            named = (each for each in from_arrow(dropped.select(SCHEMA.names)) if "similarity" in each.metadata)
            self.dropped += [each for each in named if "kept" in each.metadata][: SHOWN_PAIRS - len(self.dropped)]
            self.wanted = {each.metadata["kept"] for each in self.dropped}

    def see(self, document: Document) -> None:
        """Note the text of a document that stayed for another."""
        if self.dropped and document.id in self.wanted:
            self.kept[document.id] = document.text

    def write(self, folder: Path) -> None:
        """`near_duplicates.parquet`, where there are any; a pair both of which were dropped in the end is no pair."""
        rows = [
            (stayed, self.kept[stayed], each.id, each.text, float(each.metadata["similarity"]))
            for each in self.dropped
            if (stayed := each.metadata["kept"]) in self.kept
        ]
        if rows:
            columns = dict(zip(PAIR.names, zip(*rows, strict=True), strict=True))
            pq.write_table(pa.table(columns, schema=PAIR), folder / "near_duplicates.parquet", compression="zstd")


def gather(work: Path, folder: Path, *, everything: bool) -> NearPairs:
    """Write `dropped/00000.parquet`, ... into a folder; the near duplicates among them."""
    (folder / "dropped").mkdir()
    pairs, number, rows = NearPairs(), 0, 0
    file = _open(folder, number)
    for table in _tables(work, everything=everything):
        if rows >= FILE_ROWS:
            file.close()
            file, number, rows = _open(folder, number + 1), number + 1, 0
        file.write_table(table)
        pairs.add(table)
        rows += len(table)
    file.close()
    return pairs


def _open(folder: Path, number: int) -> pq.ParquetWriter:
    path = folder / "dropped" / f"{number:05d}.parquet"
    return pq.ParquetWriter(path, DROPPED, compression="zstd", use_dictionary=[*REPEATING, "step", "reason"])


def _tables(work: Path, *, everything: bool) -> Iterator[pa.Table]:
    """The rows to be gathered, as they lie in the files of the tasks."""
    given: dict[tuple[str, str], int] = {}
    for path in (place.dropped for stage in stages(work) for place in places(stage)):
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                taken = table if everything else table.take(_first(table, given))
                if len(taken):
                    yield taken


def _first(table: pa.Table, given: dict[tuple[str, str], int]) -> pa.Array:
    """The rows whose reason has been given less often than documents are gathered of it."""
    found = []
    for row, key in enumerate(zip(table["step"].to_pylist(), table["reason"].to_pylist(), strict=True)):
        given[key] = given.get(key, 0) + 1
        if given[key] <= GATHERED:
            found.append(row)
    return pa.array(found, pa.int64())
