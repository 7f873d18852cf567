"""Rows: every kind of file gives the same rows, each with its place, and each fault is one sentence with that place."""

import csv
import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.errors import UserError
from hornbook.data.rows import files, read

ROWS = [{"text": '甲乙, "quoted"', "label": "a"}, {"text": "ünd so\tweiter", "label": "b"}]


def _jsonl(path: Path) -> None:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\n", encoding="utf-8")


def _json(path: Path) -> None:
    path.write_text(json.dumps(ROWS), encoding="utf-8")


def _csv(path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["text", "label"])
        table.writeheader()
        table.writerows(ROWS)


def _parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), path)


WRITERS: dict[str, tuple[Callable[[Path], None], list[int]]] = {
    ".jsonl": (_jsonl, [1, 2]),
    ".ndjson": (_jsonl, [1, 2]),
    ".json": (_json, [1, 2]),
    ".csv": (_csv, [2, 3]),
    ".parquet": (_parquet, [1, 2]),
}


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("ending", WRITERS)
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, ending: str, packed: str) -> None:
    write, places = WRITERS[ending]
    write(plain := tmp_path / f"a{ending}")
    path = tmp_path / f"b{ending}{packed}"
    path.write_bytes(gzip.compress(plain.read_bytes()) if packed else plain.read_bytes())
    expected = [{"id": f"{path.name}:{place}", **row} for place, row in zip(places, ROWS, strict=True)]
    assert list(read(path)) == expected


def _fault(path: Path, content: bytes | None = None, **options: Any) -> str:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        list(read(path, **options))
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}")


def test_a_folder_is_read_in_the_order_of_names_with_places_below_it(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / ".cache").mkdir()
    for name in ("c.jsonl", "b/a.jsonl", ".cache/x.jsonl", "README.md"):
        _jsonl(tmp_path / name)
    assert [row["id"] for row in read(tmp_path)] == ["b/a.jsonl:1", "b/a.jsonl:2", "c.jsonl:1", "c.jsonl:2"]
    (tmp_path / "empty").mkdir()
    assert _fault(tmp_path / "empty").startswith(": no file of rows in this folder")


def test_a_byte_order_mark_is_forgiven_and_empty_lines_are_passed_over(tmp_path: Path) -> None:
    bom = b"\xef\xbb\xbf"
    (path := tmp_path / "a.jsonl").write_bytes(bom + b'{"a": 1}\r\n\r\n{"a": 2}')
    assert list(read(path)) == [{"id": "a.jsonl:1", "a": 1}, {"id": "a.jsonl:3", "a": 2}]
    for name, content in (("a.json", b'[{"a": "1"}]'), ("a.csv", b"a\n1\n"), ("a.tsv", b"a\n1\n")):
        (tmp_path / name).write_bytes(bom + content)
        assert [row["a"] for row in read(tmp_path / name)] == ["1"]


def test_the_rows_own_id_is_kept_beside_its_place(tmp_path: Path) -> None:
    (path := tmp_path / "a.jsonl").write_text('{"id": "seed_7", "a": 1}')
    assert list(read(path)) == [{"id": "a.jsonl:1", "a": 1, "own_id": "seed_7"}]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b"", ": there are no rows in it; give at least one"),
        ("a.json", b"[]", ": there are no rows in it; give at least one"),
        ("a.csv", b"text,label\n", ": there are no rows in it; give at least one"),
        ("a.jsonl", b'{"a": 1}\n{"a": }\n', ":2: not JSON (Expecting value, column 7); fix or delete the line"),
        ("a.jsonl", b'{"a": 1}\n[1]\n', ':2: a list, not an object like {"prompt": ...}; fix or delete it'),
        ("a.jsonl", b'[{"a": 1}]\n', ":1: a list, not one object a line; name the file .json"),
        ("a.jsonl", b'{"a": 1}\n{"a": "\xff"}\n', ":2: not UTF-8 text (byte 7); save the file as UTF-8"),
        ("a.jsonl", b'{"a": "\\uD83D"}\n', ":1: \\ud83d is half of a character and no text; fix or delete the line"),
        ("a.jsonl", b"[" * 200_000, ":1: nested too deep; fix or delete the line"),
        ("a.json", b'{"b": [1], "c": 2}', ": an object with the keys b, c, not a list of rows; write [{...}, {...}]"),
        ("a.json", b'[{"a": 1}, "x"]', ':2: a text, not an object like {"prompt": ...}; fix or delete it'),
        ("a.json", b'[{"a": 1},\n{"a": 2]', ":2: not JSON (Expecting ',' delimiter, column 8); fix the file"),
        (
            "a.json",
            b'{"a": 1}\n{"a": 2}\n',
            ":2: not JSON (Extra data, column 1); if it holds one object a line, name it .jsonl",
        ),
        ("a.jsonl.gz", b"no gzip", ": damaged or unreadable (Not a gzipped file (b'no')); replace the file"),
    ],
)
def test_each_fault_is_a_sentence_with_its_place(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    assert _fault(tmp_path / name, content) == said


def test_a_packed_file_that_was_cut_is_damaged(tmp_path: Path) -> None:
    whole = gzip.compress(b'{"a": 1}\n' * 1000)
    assert _fault(tmp_path / "a.jsonl.gz", whole[:-20]).startswith(": damaged or unreadable")


def test_a_path_that_is_not_there_names_its_neighbour(tmp_path: Path) -> None:
    _jsonl(tmp_path / "rows.jsonl")
    assert _fault(tmp_path / "row.jsonl") == f": no such file; did you mean {tmp_path / 'rows.jsonl'}?"
    assert _fault(tmp_path / "else" / "x.csv") == ": no such file; check the path"


def test_what_holds_no_rows_is_refused_by_its_ending_before_anything_is_read(tmp_path: Path) -> None:
    (path := tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(UserError, match=re.escape("(also .gz), not from .xlsx; rename it, or give `header:")):
        read(path)
    (tmp_path / "a").write_text("ham\thi\n")
    assert "not from a file without an ending" in _fault(tmp_path / "a")
    assert list(read(tmp_path / "a", header=["label", "text"])) == [{"id": "a:1", "label": "ham", "text": "hi"}]
    _jsonl(tmp_path / "a.jsonl")
    assert "leave `header` out" in _fault(tmp_path / "a.jsonl", header=["a"])


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.fixed_dictionaries({"text": text, "label": text}), min_size=1, max_size=8))
def test_any_text_comes_back_from_json_lines(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    path = tmp_path_factory.mktemp("rows") / "a.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8", newline="")
    assert list(read(path)) == [{"id": f"a.jsonl:{number}", **row} for number, row in enumerate(rows, 1)]


def test_files_are_those_that_will_be_read(tmp_path: Path) -> None:
    _csv(tmp_path / "a.csv")
    _json(tmp_path / "b.json")
    assert files(tmp_path) == [tmp_path / "a.csv", tmp_path / "b.json"]
    assert files(tmp_path / "b.json") == [tmp_path / "b.json"]
