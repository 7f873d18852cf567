"""Documents as rows of Arrow, in Parquet files that are read and written batch by batch."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.corpus.document import Document

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.large_string()),
        ("source", pa.string()),
        ("url", pa.string()),
        ("language", pa.string()),
        ("metadata", pa.string()),  # JSON
    ]
)
REPEATING = ["source", "language", "metadata"]  # columns with few different values: written as a dictionary


def to_arrow(documents: list[Document]) -> pa.Table:
    """One row a document."""
    columns = {name: [getattr(document, name) for document in documents] for name in SCHEMA.names}
    columns["metadata"] = [
        json.dumps(dict(document.metadata), ensure_ascii=False, sort_keys=True) if document.metadata else None
        for document in documents
    ]
    return pa.table(columns, schema=SCHEMA)


def from_arrow(table: pa.Table | pa.RecordBatch) -> list[Document]:
    """The documents of some rows."""
    return [
        Document(**{**row, "metadata": json.loads(row["metadata"]) if row["metadata"] else {}})
        for row in table.to_pylist()
    ]


class RowFile:
    """A Parquet file of documents that is being written; one row group for every `write`."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetWriter(path, SCHEMA, compression="zstd", use_dictionary=REPEATING)

    def write(self, documents: list[Document]) -> None:
        """Add a row group."""
        if documents:
            self._file.write_table(to_arrow(documents))

    def __enter__(self) -> "RowFile":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()


def read(path: Path) -> Iterator[list[Document]]:
    """The documents of a file, a row group at a time."""
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield from_arrow(file.read_row_group(group, columns=SCHEMA.names))
