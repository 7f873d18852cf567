import pytest

from hornbook.corpus import document
from hornbook.corpus.document import Document, batches, size


def docs(*lengths: int) -> list[Document]:
    return [Document(str(i), "x" * length, "s") for i, length in enumerate(lengths)]


def test_a_batch_ends_by_characters_or_by_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "BATCH_CHARACTERS", 10)
    monkeypatch.setattr(document, "BATCH_DOCUMENTS", 3)
    found = [[len(d.text) for d in batch] for batch in batches(docs(4, 4, 4, 1, 1, 1, 1, 50, 2))]
    assert found == [[4, 4, 4], [1, 1, 1], [1, 50], [2]]
    assert list(batches([])) == []


@pytest.mark.parametrize("text", ["", "abc", "é", "論語", "a\U0001f600"])
def test_size_is_that_of_utf_8(text: str) -> None:
    assert size(text) == len(text.encode())
