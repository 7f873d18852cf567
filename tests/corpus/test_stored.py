from pathlib import Path

from hornbook.corpus.document import Document
from hornbook.corpus.stored import stored, texts
from hornbook.corpus.write import Writer


def test_files_come_in_order_and_splits_stay_apart(tmp_path: Path) -> None:
    for split in ("train", "validation"):
        writer = Writer(tmp_path, split)
        for number in range(3):
            writer.write(Document(f"{number}", f"{split} {number}", "s"))
        writer.close()
    assert list(texts(tmp_path, "validation")) == ["validation 0", "validation 1", "validation 2"]
    assert next(stored(tmp_path, "train")) == Document("0", "train 0", "s")
    assert list(stored(tmp_path, "test")) == []
