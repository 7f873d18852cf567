"""`hornbook classify` as a person uses it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hornbook.cli import app
from hornbook.core.errors import UserError
from tests.generate.test_classify import classifier


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("run") / "spam" / "model"
    classifier(labels=2, names=("ham", "spam")).save(folder)
    (folder.parent.parent / "stages.json").write_text(json.dumps({"spam": {"keeps": "classifier"}}))
    return str(folder)


def run(*arguments: str, given: str = "") -> list[str]:
    done = CliRunner().invoke(app, ["classify", *arguments], input=given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def test_a_text_has_a_label_and_a_probability(model: str) -> None:
    [line] = run(model, "You have won a prize!")
    label, probability = line.split()
    assert label in ("ham", "spam")
    assert 0.5 <= float(probability) <= 1


def test_several_texts_are_told_apart(model: str) -> None:
    lines = run(model, "a\nfox", "x" * 100)
    assert lines[0].endswith("  a fox")
    assert lines[1].endswith("x" * 57 + "...")


def test_lines_of_standard_input(model: str) -> None:
    assert run(model, "-", given="one\n\ntwo\n") == run(model, "one", "two")


def test_as_json(model: str) -> None:
    rows = [json.loads(line) for line in run(model, "a 狐", "b", "--jsonl")]
    assert [row["text"] for row in rows] == ["a 狐", "b"]
    assert rows[0]["probabilities"].keys() == {"ham", "spam"}
    assert rows[0]["probability"] == rows[0]["probabilities"][rows[0]["label"]]


def test_a_run_stands_for_its_classifier(model: str) -> None:
    assert run(str(Path(model).parent.parent), "a fox") == run(model, "a fox")


def test_no_classifier(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        run(str(tmp_path / "none"), "a")
