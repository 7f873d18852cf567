import json
from dataclasses import replace
from pathlib import Path

import pytest

from hornbook.corpus import synthetic
from hornbook.corpus.magpie import Magpie
from hornbook.corpus.self_instruct import Inventor, SelfInstruct
from hornbook.corpus.synthetic import Aim, Method, Row
from tests.corpus.scripted import SEEDS, Scripted


def method(name: str) -> Method:
    return Magpie(requests=8).build() if name == "magpie" else Inventor(SelfInstruct(seeds=Path()), SEEDS)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["magpie", "self-instruct"])
def test_killed_at_any_moment_and_again_ends_in_the_same_bytes(tmp_path: Path, name: str) -> None:
    aim = Aim(rows=60 if name == "magpie" else 200, seed=3)
    synthetic.run(method(name), Scripted(), tmp_path / "calm", aim=aim)
    for lives in (1, 2, 4, 7, 3):
        with pytest.raises(KeyboardInterrupt):
            synthetic.run(method(name), Scripted(lives), tmp_path / "hurt", aim=aim)
        journal = tmp_path / "hurt" / synthetic.JOURNAL
        journal.write_bytes(journal.read_bytes() + b'{"number": 3, "rows": [{"instr')  # cut short by the kill
    synthetic.run(method(name), Scripted(), tmp_path / "hurt", aim=aim)
    assert contents(tmp_path / "calm") == contents(tmp_path / "hurt")
    other = synthetic.run(method(name), Scripted(), tmp_path / "other", aim=replace(aim, seed=4))
    assert other["rows"] == aim.rows
    assert contents(tmp_path / "calm")["alpaca.jsonl"] != contents(tmp_path / "other")["alpaca.jsonl"]


def test_more_rows_go_on_where_fewer_ended(tmp_path: Path) -> None:
    for rows in (20, 60):
        synthetic.run(method("magpie"), Scripted(), tmp_path / "a", aim=Aim(rows=rows, seed=0))
    synthetic.run(method("magpie"), Scripted(), tmp_path / "b", aim=Aim(rows=60, seed=0))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_every_drop_has_a_reason_and_every_row_its_origin(tmp_path: Path) -> None:
    ledger = synthetic.run(method("self-instruct"), Scripted(), tmp_path, aim=Aim(rows=40, seed=0))
    dropped = [json.loads(line) for line in (tmp_path / "dropped.jsonl").read_text().splitlines()]
    assert sum(ledger["dropped"].values()) == len(dropped)
    assert set(ledger["dropped"]) == {
        "asks for what text cannot give",
        "like an earlier task",
        "no usable case",
        "too short",
    }
    rows = [json.loads(line) for line in (tmp_path / "alpaca.jsonl").read_text().splitlines()]
    talks = [json.loads(line) for line in (tmp_path / "messages.jsonl").read_text().splitlines()]
    assert len(rows) == len(talks) == ledger["rows"] == 40
    assert rows[0].keys() == {"instruction", "input", "output", "provenance"}
    assert {row["provenance"]["method"] for row in rows} == {"self-instruct"}
    assert {row["provenance"]["classification"] for row in rows} == {True, False}


def test_a_model_with_nothing_more_to_say_ends_the_run(tmp_path: Path) -> None:
    class Parrot(Scripted):
        def user_turns(self, count, sampling):
            return ["What is a word?"] * count

    ledger = synthetic.run(method("magpie"), Parrot(), tmp_path, aim=Aim(rows=60, seed=0))
    assert (ledger["rows"], ledger["rounds"]) == (1, 1 + synthetic.PATIENCE)


def test_a_row_in_both_forms() -> None:
    row = Row("Add.", "2 + 2", "4", {})
    assert row.messages()["messages"][0] == {"role": "user", "content": "Add.\n\n2 + 2"}
    assert row.alpaca() == {"instruction": "Add.", "input": "2 + 2", "output": "4", "provenance": {}}
