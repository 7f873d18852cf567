"""Rows of critique: seeds, resumption, what is mixed in, and that the constitution alone mends a rude model."""

import json
from pathlib import Path

import pytest

from hornbook.align import speaker as speakers
from hornbook.align.asking import JOURNAL
from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.data import rows as data
from hornbook.data.conversations import conversations
from hornbook.tune.critique import Critique
from tests.tune.asking import files, ledger, make
from tests.tune.doubles import place_at


def test_rows_are_conversations_with_all_that_led_to_them(tmp_path: Path) -> None:
    fields = files(tmp_path)
    found = make(Critique, tmp_path, "critique", {**fields, "rounds": 2})
    assert len(found) + sum(ledger(tmp_path, "critique")["dropped"].values()) == 40
    for row in found:
        made = row["provenance"]
        assert row["messages"][-1] == {"role": "assistant", "content": made["steps"][-1]["revision"]}
        assert len(made["steps"]) == 2
        assert made["draft"]
        assert made["source"].startswith("prompts.jsonl:")
    read = [conversations(row) for row in data.read(tmp_path / "critique" / "rows.jsonl")]
    assert [row["messages"] for row in read] == [row["messages"] for row in found]
    told = ledger(tmp_path, "critique")
    assert told["rules"].keys() == {"no_a", "no_b"}
    assert set(told["broken"]) == {"draft", "revision 1", "revision 2"}
    counted = sum("a" in row["provenance"]["draft"] for row in found) / len(found)
    assert told["broken"]["draft"]["no_a"]["value"] == pytest.approx(counted)


def test_the_seed_decides_and_a_kill_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = files(tmp_path)
    calm = make(Critique, tmp_path, "calm", fields)
    answers, lives = speakers.Local.answers, [4]

    def mortal(self, *given, **more):
        if lives[0] == 0:
            raise KeyboardInterrupt
        lives[0] -= 1
        return answers(self, *given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(speakers.Local, "answers", mortal)
        with pytest.raises(KeyboardInterrupt):
            make(Critique, tmp_path, "hurt", fields)
    assert len((tmp_path / "hurt" / JOURNAL).read_text().splitlines()) == 1
    assert make(Critique, tmp_path, "hurt", fields) == calm
    assert ledger(tmp_path, "hurt") == ledger(tmp_path, "calm")
    assert make(Critique, tmp_path, "other", fields, seed=1) != calm


def test_helpful_conversations_are_mixed_in_by_share(tmp_path: Path) -> None:
    helpful = tmp_path / "helpful.jsonl"
    helpful.write_text("".join(json.dumps({"prompt": f"q{i}", "completion": f"c{i}"}) + "\n" for i in range(90)))
    include = {"data": {"source": str(helpful)}, "share": 0.25}
    found = make(Critique, tmp_path, "critique", {**files(tmp_path), "include": include})
    told = ledger(tmp_path, "critique")
    included = [row for row in found if row["provenance"]["method"] == "include"]
    assert len(included) == told["included"] == round(told["rows"] / 3)
    first = [row["provenance"]["method"] for row in found[:12]]
    assert len(set(first)) == 2, "in a drawn order"


def test_what_makes_nothing_is_refused(tmp_path: Path) -> None:
    fields = files(tmp_path)
    with pytest.raises(RecipeError, match="rounds: 0 revise nothing"):
        make(Critique, tmp_path, "a", {**fields, "rounds": 0})
    include = {"data": {"source": "x"}, "share": 1.0}
    with pytest.raises(RecipeError, match=r"share: 1\.0 is no share of the rows"):
        make(Critique, tmp_path, "a", {**fields, "include": include})


def test_its_files_decide_whether_it_is_done(tmp_path: Path) -> None:
    fields = files(tmp_path)
    stage = recipe.parse(Critique, {**fields, "include": {"data": {"source": str(tmp_path / "prompts.jsonl")}}})
    names = [path.name for path in stage.files(place_at(tmp_path, tmp_path))]
    assert names == ["prompts.jsonl", "rules.yaml", "prompts.jsonl"]
