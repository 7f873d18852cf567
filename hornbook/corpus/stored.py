"""Read a written corpus back, one row group at a time."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from hornbook.core.errors import UserError
from hornbook.corpus import rows
from hornbook.corpus.document import Document


def stored(folder: Path, split: str) -> Iterator[Document]:
    """The documents of a split, in the order they were written."""
    for path in sorted(folder.glob(f"{split}-*.parquet")):
        try:
            for batch in rows.read(path):
                yield from batch
        except pa.ArrowInvalid:
            raise UserError(f"{path}: damaged Parquet file; delete {folder} and run the command again") from None


def texts(folder: Path, split: str) -> Iterator[str]:
    """Only their texts."""
    return (document.text for document in stored(folder, split))
