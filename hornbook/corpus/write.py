"""Documents to Parquet: zstd, one set of files a split, row groups small enough to be read one at a time."""

import hashlib
from pathlib import Path

import pyarrow.parquet as pq

from hornbook.corpus.document import Document
from hornbook.corpus.rows import REPEATING, SCHEMA, to_arrow

GROUP_CHARACTERS = 1_000_000  # a row group: what a tokenizing worker takes at a time
FILE_CHARACTERS = 1_000_000_000


class Writer:
    """Writes `{split}-00000.parquet`, `{split}-00001.parquet`, ... into a folder; `close` finishes the last."""

    def __init__(self, folder: Path, split: str) -> None:
        self.folder = folder
        self.split = split
        self.digest = hashlib.sha256()
        self._rows: list[Document] = []
        self._row_characters = 0
        self._file: pq.ParquetWriter | None = None
        self._file_characters = 0
        self._files = 0

    def write(self, document: Document) -> None:
        """Add one document."""
        self.digest.update(f"{document.id}\0{len(document.text)}\0".encode(errors="surrogateescape"))
        self.digest.update(document.text.encode())
        self._rows.append(document)
        self._row_characters += len(document.text)
        if self._row_characters >= GROUP_CHARACTERS:
            self._flush()

    def close(self) -> str:
        """Finish the last file (an empty split has one too) and return the hash of all that was written."""
        if self._rows or not self._files:
            self._flush()
        if self._file is not None:
            self._file.close()
        return self.digest.hexdigest()

    def _flush(self) -> None:
        if self._file is not None and self._file_characters >= FILE_CHARACTERS:
            self._file.close()
            self._file = None
        if self._file is None:
            path = self.folder / f"{self.split}-{self._files:05d}.parquet"
            self._file, self._file_characters = (
                pq.ParquetWriter(path, SCHEMA, compression="zstd", use_dictionary=REPEATING),
                0,
            )
            self._files += 1
        self._file.write_table(to_arrow(self._rows))
        self._file_characters += self._row_characters
        self._rows, self._row_characters = [], 0
