"""Documents as rows: what is read is what was written."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpus.document import Document
from hornbook.corpus.rows import SCHEMA, RowFile, from_arrow, read, to_arrow

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
DOCUMENTS = st.lists(
    st.builds(
        Document,
        id=TEXT,
        text=TEXT,
        source=TEXT,
        url=st.none() | TEXT,
        language=st.none() | st.just("zh"),
        metadata=st.dictionaries(TEXT, TEXT, max_size=2),
    ),
    max_size=4,
)


@given(st.lists(DOCUMENTS, max_size=3))
def test_rows_come_back_group_by_group(groups: list[list[Document]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        with RowFile(path) as file:
            for group in groups:
                file.write(group)
        assert list(read(path)) == [group for group in groups if group]


@given(DOCUMENTS)
def test_arrow_and_back(documents: list[Document]) -> None:
    table = to_arrow(documents)
    assert table.schema == SCHEMA
    assert from_arrow(table) == documents


def test_metadata_do_not_depend_on_the_order_in_which_they_were_set() -> None:
    one, other = (
        Document("a", "b", "c", metadata=dict(pairs)) for pairs in ([("x", "1"), ("y", "2")], [("y", "2"), ("x", "1")])
    )
    assert to_arrow([one]).equals(to_arrow([other]))
