# ruff: noqa: RUF001  # full-width punctuation and Cyrillic letters are what is tested
import codecs
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.corpus import plain
from tests.corpus.reading import documents, pack, why

CHINESE = "子曰：“学而时习之，不亦说乎？有朋自远方来，不亦乐乎？人不知而不愠，不亦君子乎？”"
TRADITIONAL = "孟子見梁惠王。王曰：「叟不遠千里而來，亦將有以利吾國乎？」孟子對曰：「王何必曰利？亦有仁義而已矣。」"


@pytest.mark.parametrize(
    ("encoding", "mark", "note"),
    [
        ("utf-8", b"", None),
        ("utf-8", codecs.BOM_UTF8, None),
        ("utf-16-le", codecs.BOM_UTF16_LE, "read as UTF-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "read as UTF-16"),
        ("gb18030", b"", "read as GB18030"),
        ("gbk", b"", "read as GB18030"),
    ],
)
def test_encodings_are_recognised_and_noted(tmp_path: Path, encoding: str, mark: bytes, note: str | None) -> None:
    for text in (CHINESE, TRADITIONAL, "# 注释\nx = 1  # 这是一个变量的值\n" * 3):
        path = tmp_path / "a.txt"
        path.write_bytes(mark + text.encode(encoding))
        found, ledger = documents(path)
        assert [document.text for document in found] == [text]
        assert ledger.notes.get(str(path)) == note


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Un café très agréable, où l'été ne finit jamais; ça va être génial à Besançon.", "latin-1"),
        ("Größe, Übermut und Straße: schöne Wörter für müde Köpfe.", "cp1252"),
        ("吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。", "shift_jis"),
        ("吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。", "euc_jp"),
        ("모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.", "euc_kr"),
        ("人人生而自由，在尊嚴和權利上一律平等。他們賦有理性和良心。", "big5"),
        ("Все люди рождаются свободными и равными в своем достоинстве и правах.", "cp1251"),
        ("Все люди рождаются свободными и равными в своем достоинстве и правах.", "koi8-r"),
    ],
)
def test_other_encodings_are_refused_and_never_guessed(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"first line\n" + text.encode(encoding))
    assert why(path) == f"{path}:2: not UTF-8 text, nor Chinese in GB18030; save the file as UTF-8"
    with pytest.raises(UserError, match="not UTF-8 text"):
        documents(path, strict=True)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n", b"%PDF-1.7\n", b"abc\0def", b"PK\x03\x04zip"])
def test_binary_files_are_left_out_and_counted(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    found, ledger = documents(path)
    assert (found, ledger.bad, ledger.skipped) == ([], 0, {"binary file: no text to read": 1})
    with pytest.raises(UserError, match="binary file"):
        documents(path, strict=True)


def test_a_long_file_comes_in_pieces_that_join_to_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "PIECE", 1_000)
    whole = "".join(f"line {number} 論語\r\n" for number in range(500))
    path = pack(tmp_path / "a.txt", whole.encode())
    found, _ = documents(path)
    assert "".join(document.text for document in found) == whole
    assert [document.id for document in found[:2]] == ["a.txt#1", "a.txt#2"]
    assert all(document.text.endswith("\r\n") for document in found)
    assert max(len(document.text) for document in found) < 1_030
