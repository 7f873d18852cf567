"""What is done is known by what it was made from, and told in the order in which it was done."""

import time

from hornbook.core.run import Run
from hornbook.journal import Journal, digest


def test_a_stage_is_done_while_it_is_made_from_the_same_and_there(tmp_path) -> None:
    said: list[str] = []
    journal, output = Journal(Run(tmp_path), said.append), tmp_path / "model"
    assert not journal.done("first", "a", output)
    assert journal.finish("first", "a", time.monotonic() - 75, keeps="rows") == "1m15s"
    assert not journal.done("first", "a", output)  # it was deleted
    output.mkdir()
    assert journal.done("first", "a", output)
    assert not journal.done("first", "b", output)
    assert said == [f"first      unchanged, {output}"]
    journal.finish("second", "c", time.monotonic())
    assert list(journal.entries()) == ["first", "second"]
    assert journal.entries()["first"]["keeps"] == "rows"
    assert (journal.fingerprint("second"), journal.fingerprint("third")) == ("c", None)


def test_a_digest_is_of_the_content() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})
