"""Read a written corpus back, one row group at a time."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.core.errors import UserError
from hornbook.corpus.document import Document


def stored(folder: Path, split: str) -> Iterator[Document]:
    """The documents of a split, in the order they were written."""
    for path in sorted(folder.glob(f"{split}-*.parquet")):
        try:
            with pq.ParquetFile(path) as file:
                for group in range(file.num_row_groups):
                    for row in file.read_row_group(group).to_pylist():
                        yield Document(row["id"], row["text"], row["source"])
        except pa.ArrowInvalid:
            raise UserError(f"{path}: damaged Parquet file; delete {folder} and run the command again") from None


def texts(folder: Path, split: str) -> Iterator[str]:
    """Only their texts."""
    return (document.text for document in stored(folder, split))
