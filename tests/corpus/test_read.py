# ruff: noqa: RUF001  # full-width punctuation and Cyrillic letters are what is tested
import codecs
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.core.errors import UserError
from hornbook.corpus import plain, read, tables
from hornbook.corpus.document import Document
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.sources import File

CHINESE = "子曰：“学而时习之，不亦说乎？有朋自远方来，不亦乐乎？人不知而不愠，不亦君子乎？”"
TRADITIONAL = "孟子見梁惠王。王曰：「叟不遠千里而來，亦將有以利吾國乎？」孟子對曰：「王何必曰利？亦有仁義而已矣。」"
ROWS = [{"text": f"row {number} 論語", "n": number} for number in range(5)]


def documents(path: Path, *, column: str = "text", strict: bool = False) -> tuple[list[Document], Ledger]:
    ledger = Ledger()
    file = File(path, path.name, "s")
    return list(read.documents(file, column, ledger, strict=strict)), ledger


def texts(path: Path) -> list[str]:
    found, ledger = documents(path, strict=True)
    assert ledger.bad == 0
    return [document.text for document in found]


def pack(path: Path, content: bytes) -> Path:
    """Write content, packed as the path's ending says."""
    if path.suffix == ".gz":
        content = gzip.compress(content)
    elif path.suffix == ".zst":
        content = pa.Codec("zstd").compress(content, asbytes=True)
    path.write_bytes(content)
    return path


def why(path: Path, **options: str) -> str:
    """The single fault of a file; with strict the same sentence is an error."""
    _, ledger = documents(path, **options)
    assert len(ledger.bad_places) == 1
    place = ledger.bad_places[0]
    return f"{place['place']}: {place['why']}"


@pytest.mark.parametrize("ending", [".txt", ".md", ".py", "", ".txt.gz", ".txt.zst"])
def test_text(tmp_path: Path, ending: str) -> None:
    path = pack(tmp_path / f"a{ending}", "def f():\r\n\treturn 'é'\n".encode())
    assert texts(path) == ["def f():\r\n\treturn 'é'\n"]
    assert documents(path)[0][0].id == path.name


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


@pytest.mark.parametrize("ending", [".jsonl", ".ndjson", ".jsonl.gz", ".jsonl.zst"])
def test_json_lines(tmp_path: Path, ending: str) -> None:
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n\n" for row in ROWS)
    path = pack(tmp_path / f"a{ending}", content.encode())
    assert texts(path) == [row["text"] for row in ROWS]
    assert [document.id for document in documents(path)[0]] == [f"a{ending}:{line}" for line in (1, 3, 5, 7, 9)]


def test_a_gzip_file_of_several_members(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(b"".join(gzip.compress(json.dumps(row).encode() + b"\n") for row in ROWS))
    assert len(texts(path)) == len(ROWS)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": cut', "not a JSON object (Expecting value, column 10); fix or delete the line"),
        ("[1, 2]", "a list, not a JSON object"),
        ('"a"', "text, not a JSON object"),
        ('{"text": 7}', "text is a number, not text"),
        ('{"text": null}', "text is null, not text"),
        ('{"body": "b"}', "no column 'text'; set corpus.column to one of body"),
        ("[" * 100_000, "not a JSON object (nested too deep); fix or delete the line"),
        (b'{"text": "caf\xe9"}', "not a JSON object (not UTF-8 text)"),
    ],
)
def test_a_bad_line_is_named_and_skipped(tmp_path: Path, line: str | bytes, reason: str) -> None:
    path = tmp_path / "a.jsonl"
    bad = line if isinstance(line, bytes) else line.encode()
    path.write_bytes(b'{"text": "one"}\n' + bad + b'\n{"text": "three"}\n')
    found, ledger = documents(path, strict=True)
    assert [document.text for document in found] == ["one", "three"]
    assert ledger.bad == 1
    assert ledger.bad_places[0]["place"] == f"{path}:2"
    assert ledger.bad_places[0]["why"].startswith(reason)


def test_a_line_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "LINE_BYTES", 50)
    path = pack(tmp_path / "a.jsonl", b'{"text": "one"}\n{"text": "' + b"x" * 100)
    assert why(path).startswith(f"{path}:2: a line of over 50 bytes")


@pytest.mark.parametrize("ending", [".jsonl.gz", ".txt.gz", ".jsonl.zst"])
def test_a_truncated_packed_file_gives_what_was_whole(tmp_path: Path, ending: str) -> None:
    content = b"".join(json.dumps({"text": f"{number * 7919 % 100_003}"}).encode() + b"\n" for number in range(20_000))
    path = pack(tmp_path / f"a{ending}", content)
    path.write_bytes(path.read_bytes()[:-2_000])
    assert "damaged" in why(path)
    found, _ = documents(path)
    assert len(found) > 10_000 or "txt" in ending


def test_a_missing_column_is_named_with_the_columns_there_are(tmp_path: Path) -> None:
    lines = pack(tmp_path / "a.jsonl", json.dumps(ROWS[0]).encode())
    table = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), table)
    for path, place in ((lines, f"{lines}:1"), (table, str(table))):
        with pytest.raises(UserError, match=r"no column 'body'; set corpus.column to one of text, n") as error:
            documents(path, column="body", strict=True)
        assert str(error.value).startswith(place)
    assert "column 'n' holds int64, not text" in why(table, column="n")


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist([*ROWS, {"text": None, "n": 5}]), path, row_group_size=2)
    found, ledger = documents(path)
    assert [(document.id, document.text) for document in found] == [
        (f"a.parquet:{number}", row["text"]) for number, row in enumerate(ROWS)
    ]
    assert ledger.bad_places == [{"place": f"{path}:5", "why": "text is null in this row"}]


def test_a_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    for content in (b"", b"PAR1 no parquet", b"x" * 1_000):
        path.write_bytes(content)
        assert why(path).startswith(f"{path}: damaged")


def test_json_lists_of_poems_objects_and_strings(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    poem = {"author": "李白", "paragraphs": ["床前明月光", "疑是地上霜"], "title": "靜夜思", "id": "x-1", "tags": []}
    path.write_text(json.dumps([poem, "plain", {"text": "t", "paragraphs": ["not this"]}, 7, {"n": 1}]))
    found, ledger = documents(path)
    assert [d.text for d in found] == ["李白\n靜夜思\n床前明月光\n疑是地上霜", "plain", "t"]
    assert [d.id for d in found] == ["a.json:0", "a.json:1", "a.json:2"]
    assert [place["place"] for place in ledger.bad_places] == [f"{path}[3]", f"{path}[4]"]


@pytest.mark.parametrize("content", ["{", "[" * 100_000, '{"text": 1'])
def test_a_broken_json_file_is_named(tmp_path: Path, content: str) -> None:
    path = pack(tmp_path / "a.json", content.encode())
    assert "not JSON" in why(path)


def test_no_permission_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(read, "open_packed", refuse)
    assert "no permission to read it" in why(tmp_path / "a.txt")


def test_the_real_poems_and_classics_read_as_they_are(shared_data: Path) -> None:
    folder = shared_data / "text" / "chinese-poetry"
    counts = {path.name: len(texts(path)) for path in folder.iterdir()}
    assert sum(counts.values()) == 2_034
    assert texts(folder / "论语__lunyu.json")[0].startswith("学而篇\n子曰：“学而时习之")
