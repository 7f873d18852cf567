"""What a task writes: whole or not at all, examples or everything, a row of the scan for every document kept."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hornbook.corpus.document import Document, Result
from hornbook.corpus.exact import ExactDuplicates
from hornbook.corpus.ledger import SAMPLES, Ledger
from hornbook.corpus.outputs import Outputs
from hornbook.corpus.rows import read
from hornbook.corpus.scans import numbers
from hornbook.corpus.task import Place
from tests.corpus.over_tasks import made


def dropping(outputs: Outputs, documents: list[Document], reason: str) -> None:
    outputs.account("test", documents, Result([], [(document, reason) for document in documents]))


def test_files_appear_when_all_is_well(tmp_path: Path) -> None:
    place, documents = Place(tmp_path, 3), made(["a", "b", "a"])
    with Outputs(place, Ledger(), ExactDuplicates(), all_dropped=False) as outputs:
        for part in (documents[:2], [], documents[2:]):
            outputs.write(part)
            outputs.note(part)
        assert not any(path.exists() for path in (place.documents, place.dropped, place.scan))
    assert list(read(place.documents)) == [documents[:2], documents[2:]]
    first, second = numbers(place.scan, "hash")
    assert (len(first), len(second), first[0]) == (2, 1, second[0])
    assert {path.name for path in tmp_path.iterdir()} == {
        path.name for path in (place.documents, place.dropped, place.scan)
    }


def test_an_error_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError), Outputs(Place(tmp_path, 0), Ledger(), None, all_dropped=False) as outputs:
        outputs.write([*made(["a"]), Document("b", 3, "not a text")])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("all_dropped", "shown"), [(False, [SAMPLES, SAMPLES]), (True, [40, 7])])
def test_examples_of_every_reason_or_all(tmp_path: Path, all_dropped: bool, shown: list[int]) -> None:
    place, ledger = Place(tmp_path, 0), Ledger()
    with Outputs(place, ledger, None, all_dropped=all_dropped) as outputs:
        for start in range(0, 40, 4):
            dropping(outputs, made(["x"] * 40)[start : start + 4], "too short")
        for document in made(["y"] * 7):
            dropping(outputs, [document], "too long")
    rows = pq.read_table(place.dropped)
    reasons = rows["reason"].to_pylist()
    assert sum(reason.documents for reason in ledger.steps["test"].dropped.values()) == 47
    assert set(rows["step"].to_pylist()) == {"test"}
    if all_dropped:
        assert [reasons.count("too short"), reasons.count("too long")] == shown
    else:  # whole batches are shown while there are few examples
        assert shown[0] <= reasons.count("too short") < shown[0] + 4
        assert reasons.count("too long") == shown[1]
