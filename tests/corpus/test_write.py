from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hornbook.corpus import write
from hornbook.corpus.document import Document
from hornbook.corpus.stored import stored, texts
from hornbook.corpus.write import Writer

DOCUMENTS = [Document(f"d/{i}", f"text {i} 論語 " * (i + 1), "s" if i % 2 else "t") for i in range(50)]


def write_all(folder: Path, documents: list[Document]) -> str:
    writer = Writer(folder, "train")
    for document in documents:
        writer.write(document)
    return writer.close()


def test_what_is_written_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "GROUP_CHARACTERS", 1_000)
    monkeypatch.setattr(write, "FILE_CHARACTERS", 5_000)
    write_all(tmp_path, DOCUMENTS)
    assert list(stored(tmp_path, "train")) == DOCUMENTS
    assert list(texts(tmp_path, "train")) == [document.text for document in DOCUMENTS]
    sizes = [pq.read_metadata(path).num_row_groups for path in sorted(tmp_path.iterdir())]
    assert len(sizes) > 2
    assert max(sizes) <= 6


def test_a_split_without_documents_has_an_empty_file(tmp_path: Path) -> None:
    write_all(tmp_path, [])
    assert [path.name for path in tmp_path.iterdir()] == ["train-00000.parquet"]
    assert list(stored(tmp_path, "train")) == []


def test_the_hash_tells_texts_names_and_borders_apart(tmp_path: Path) -> None:
    variants = [
        [Document("a", "xy", "s"), Document("b", "z", "s")],
        [Document("a", "x", "s"), Document("b", "yz", "s")],
        [Document("b", "xy", "s"), Document("a", "z", "s")],
        [Document("a", "xy", "s")],
        [Document("a", "xyb\0\0z", "s")],
    ]
    hashes = [write_all(tmp_path, documents) for documents in variants]
    assert len(set(hashes)) == 5
    assert write_all(tmp_path, variants[0]) == hashes[0]
