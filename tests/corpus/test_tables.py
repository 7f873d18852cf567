# ruff: noqa: RUF001  # full-width punctuation is what is tested
import gzip
import json
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.core.errors import UserError
from hornbook.corpus import tables
from tests.corpus.reading import documents, pack, texts, why

ROWS = [{"text": f"row {number} 論語", "n": number} for number in range(5)]


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


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "LINE_BYTES", 50)
    path = pack(
        tmp_path / "a.jsonl", b'{"text": "one"}\n{"text": "' + b"x" * 170 + b'"}\n{"text": "three"}\n' + b"y" * 99
    )
    found, ledger = documents(path, strict=True)
    assert [(document.id, document.text) for document in found] == [("a.jsonl:1", "one"), ("a.jsonl:3", "three")]
    assert ledger.bad_places == [
        {"place": f"{path}:{line}", "why": "a line of over 50 bytes; split the text into lines"} for line in (2, 4)
    ]


@pytest.mark.slow
def test_a_line_of_100_megabytes_takes_the_memory_of_the_longest_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "' + b"x" * 100_000_000 + b'"}\n{"text": "two"}\n')
    tracemalloc.start()
    try:
        found, ledger = documents(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert ([document.text for document in found], ledger.bad) == (["two"], 1)
    assert peak < 2.2 * tables.LINE_BYTES


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.parquet"])
def test_address_and_language_are_kept_where_they_are_said(tmp_path: Path, name: str) -> None:
    rows = [{"text": "a", "url": "https://a/", "language": "eng"}, {"text": "b", "url": None, "language": ""}]
    path = tmp_path / name
    if name == "a.parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text(json.dumps(rows) if name == "a.json" else "\n".join(map(json.dumps, rows)))
    found, _ = documents(path)
    assert [(document.url, document.language) for document in found] == [("https://a/", "en"), (None, None)]


def test_empty_files_are_counted(tmp_path: Path) -> None:
    table = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), table)
    for path in (table, pack(tmp_path / "a.jsonl", b"\n\n"), pack(tmp_path / "a.jsonl.gz", b"")):
        found, ledger = documents(path)
        assert (found, ledger.bad, ledger.skipped) == ([], 0, {"empty file": 1})


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


def test_the_real_poems_and_classics_read_as_they_are(shared_data: Path) -> None:
    folder = shared_data / "text" / "chinese-poetry"
    counts = {path.name: len(texts(path)) for path in folder.iterdir()}
    assert sum(counts.values()) == 2_034
    assert texts(folder / "论语__lunyu.json")[0].startswith("学而篇\n子曰：“学而时习之")
