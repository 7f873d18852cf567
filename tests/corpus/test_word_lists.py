"""Lists of words: what is read, and what a bad one is told."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus.word_lists import read_list


def test_a_word_a_line(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("# a comment\nb\n\n a c \nb\n", encoding="utf-8")
    assert read_list(tmp_path / "list") == ("b", "a c")


@pytest.mark.parametrize(("content", "sentence"), [
    (None, "cannot be read"), (b"\xff\xfe\xff", "not UTF-8"), (b"# nothing\n", "no words in it"),
])  # fmt: skip
def test_a_bad_list_is_one_sentence(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "list"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=f"list: {sentence}"):
        read_list(path)
