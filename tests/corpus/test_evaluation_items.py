"""Items out of every kind of file."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.core.errors import UserError
from hornbook.corpus.evaluation_items import Item, items

ROWS = [{"question": "Who?", "choices": {"text": ["Ann", "Bob"]}}, {"question": "When?", "choices": {"text": []}}]


def test_a_folder_of_all_kinds(tmp_path: Path) -> None:
    lines = "\n\n".join(map(json.dumps, ROWS))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "b.json").write_text(json.dumps(ROWS))
    (tmp_path / "c.csv").write_text('\ufeffquestion,answer\n"Who, now?",Ann\nWhen?,\n')
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "d.parquet")
    (tmp_path / "e.tsv").write_text("question\tx\nWho?\t1\n")
    (tmp_path / ".hidden").write_text("no")
    found = list(items([str(tmp_path)], ["question"]))
    both = [("Who?",), ("When?",)]
    assert [item.passages for item in found] == [*both, *both, ("Who, now?",), ("When?",), *both, ("Who?",)]
    assert [(item.file, item.row) for item in found[:3]] == [("a.jsonl.gz", 0), ("a.jsonl.gz", 1), ("b.json", 0)]


def test_without_columns_every_text_is_a_passage(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(ROWS[0]))
    (tmp_path / "b.txt").write_text("A page.\nOf two lines.")
    found = list(items([str(tmp_path)]))
    assert found == [Item("a.jsonl", 0, ("Who?", "Ann", "Bob")), Item("b.txt", 0, ("A page.\nOf two lines.",))]


def test_a_table_without_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Who?,Ann,Bob,A\nWhen?,x,y,B\n")
    assert [item.passages for item in items([str(tmp_path / "a.csv")], ["0", "2"])] == [("Who?", "Bob"), ("When?", "y")]
    assert len(next(iter(items([str(tmp_path / "a.csv")]))).passages) == 4


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.jsonl", b"{broken", "not an evaluation set that can be read"),
        ("a.parquet", b"PAR1", "not an evaluation set that can be read"),
        ("a.jsonl.gz", b"\x1f\x8bxx", "not an evaluation set that can be read"),
        ("a.txt", b"\xff\xfe\xfa", "not an evaluation set that can be read"),
        ("a.csv", b"x,y\n1,2\n", "no column 'question'; set columns to some of x, y"),
        ("a.jsonl", b"[1]", "no column 'question'; set columns to some of \\(none\\)"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, content: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    columns = [] if name.endswith("txt") else ["question"]
    with pytest.raises(UserError, match=rf"{name}(:0)?: {sentence}"):
        list(items([str(tmp_path)], columns))
