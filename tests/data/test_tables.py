"""CSV and TSV as people's programs write them, and what is said of those that cannot be read."""

import csv
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.errors import UserError
from hornbook.data.rows import Row, read


def rows_of(path: Path, content: str | bytes, header: list[str] | None = None) -> list[Row]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read(path, header=header))


def test_a_record_is_numbered_by_the_line_in_which_it_begins(tmp_path: Path) -> None:
    found = rows_of(tmp_path / "a.csv", 'text,label\n"one\ntwo",a\n\n"x ""y""\r\n",b\nlast,c')
    assert found == [
        {"id": "a.csv:2", "text": "one\ntwo", "label": "a"},
        {"id": "a.csv:5", "text": 'x "y"\r\n', "label": "b"},
        {"id": "a.csv:7", "text": "last", "label": "c"},
    ]


@pytest.mark.parametrize("separator", ",;\t")
def test_the_separator_is_seen_in_the_first_line(tmp_path: Path, separator: str) -> None:
    found = rows_of(tmp_path / "a.csv", f"text{separator}label\na{separator}b\n")
    assert found == [{"id": "a.csv:2", "text": "a", "label": "b"}]


def test_a_cell_may_be_huge(tmp_path: Path) -> None:
    found = rows_of(tmp_path / "a.csv", "text,label\n" + "x" * 300_000 + ",a\n")
    assert len(found[0]["text"]) == 300_000  # Python's csv takes 131,072 by itself


cell = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(st.lists(st.tuples(cell, cell), min_size=1, max_size=6))
def test_any_table_that_python_writes_comes_back(tmp_path_factory: pytest.TempPathFactory, table: list[tuple]) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("text", "label"), *table])
    found = rows_of(tmp_path_factory.mktemp("csv") / "a.csv", stream.getvalue())
    assert [(row["text"], row["label"]) for row in found] == table
    lines = stream.getvalue().split("\r\n")  # where the record stands: its first cell is in the line that it names
    assert all(len(row["id"]) > 6 for row in found)
    assert lines[0] == '"text","label"'


def test_a_tsv_is_a_row_a_line_and_a_quotation_mark_is_only_that(tmp_path: Path) -> None:
    content = 'ham\t"Happy day" I know "it"\nham\t"whole, ""quoted"""\r\n\nspam\tone " more\x85and \u2028 more\n'
    assert rows_of(tmp_path / "SMS", content, ["label", "text"]) == [
        {"id": "SMS:1", "label": "ham", "text": '"Happy day" I know "it"'},
        {"id": "SMS:2", "label": "ham", "text": 'whole, "quoted"'},
        {"id": "SMS:4", "label": "spam", "text": 'one " more\x85and \u2028 more'},
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "text,label\na,b,c\n", ":2: 3 cells for the 2 columns text, label; fix the row, or quote the cell"),
        ("a.csv", "text,label\nx,y\na\n", ":3: 1 cell for the 2 columns text, label; fix the row, or quote the cell"),
        (
            "a.csv",
            'text,label\n"open,a\nb,c\n',
            ":2: the record that begins here cannot be read (unexpected end of data); see to its quotation marks",
        ),
        (
            "a.csv",
            'text,label\n"a"b,c\n',
            ":2: the record that begins here cannot be read (',' expected after '\"'); see to its quotation marks",
        ),
        ("a.csv", b"text,label\nok,a\n\xff,b\n", ":3: not UTF-8 text; save the file as UTF-8"),
        (
            "a.tsv",
            'text\tlabel\n"one\ntwo"\ta\n',
            ":2: 1 cell for the 2 columns text, label; fix the row; where a cell goes over several lines, save the "
            "table as CSV",
        ),
        (
            "a.csv",
            "text,text\na,b\n",
            ":1: the first row should name the columns, and 'text' is empty, there twice or too long for a name; add a "
            "row of names, or give `header: [label, text]`",
        ),
    ],
)
def test_each_fault_is_a_sentence_with_its_line(tmp_path: Path, name: str, content: str | bytes, said: str) -> None:
    with pytest.raises(UserError) as caught:
        rows_of(tmp_path / name, content)
    assert str(caught.value) == f"{tmp_path / name}{said}"


@pytest.mark.parametrize("first", ["spam,", f"{'Free entry in a weekly competition ' * 3},spam"])
def test_a_table_without_names_is_told_from_one_with(tmp_path: Path, first: str) -> None:
    with pytest.raises(UserError, match="the first row should name the columns"):
        rows_of(tmp_path / "a.csv", f"{first}\nx,ham\n")
    assert len(rows_of(tmp_path / "a.csv", f"{first}\nx,ham\n", ["text", "label"])) == 2


def test_a_table_of_columns_keeps_lists_and_numbers(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]
    rows = [{"messages": messages, "score": number} for number in range(2000)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    found = list(read(tmp_path / "a.parquet"))
    assert found[1999] == {"id": "a.parquet:2000", "messages": messages, "score": 1999}
    (tmp_path / "a.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:200])
    with pytest.raises(UserError, match=r"a.parquet: damaged Parquet file \(.*\); replace it$"):
        list(read(tmp_path / "a.parquet"))
