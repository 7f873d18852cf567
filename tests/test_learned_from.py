"""What a model learned from is its run's corpus, or what the user names; of other models it is not known."""

import json
from pathlib import Path

import pytest

from hornbook.corpus.pipeline import Corpus, run
from hornbook.learned_from import learned_from
from hornbook.scored import Wish, evaluate

TASK = """type: multiple_choice
data: {files: [rivers.jsonl]}
prompt: "{{question}}"
choices: "{{choices}}"
answer: "{{answer}}"
"""
READ = "Which of these two rivers is the one that runs through the middle of the old city of Rome?"
NEW = "Which of these two rivers is the one that ends in the cold water of the sea near Hamburg?"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "quiz.jsonl").write_text(json.dumps({"text": f"A quiz of rivers. {READ} The Tiber."}) + "\n")
    (folder / "other.txt").write_text("Nothing of the kind is in this one.")
    return folder


def test_files_of_the_user(files: Path) -> None:
    found = learned_from("somebody/model", str(files))
    assert found is not None
    assert sorted(document.text[:7] for document in found) == ["A quiz ", "Nothing"]
    assert learned_from("somebody/model", None) is None


def test_the_corpus_of_a_run(files: Path, tmp_path: Path) -> None:
    run(Corpus(source=str(files), validation=0.0, steps=()), tmp_path / "run" / "corpus")
    made = tmp_path / "run"
    for model, corpus in ((str(made), None), ("other", str(made)), ("other", str(made / "corpus"))):
        found = learned_from(model, corpus)
        assert found is not None
        assert len(list(found)) == 2


def test_clean_questions_have_scores_of_their_own(
    files: Path, tmp_path: Path, tiny_base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"question": text, "choices": ["Tiber", "Elbe"], "answer": n} for n, text in enumerate((READ, NEW))]
    (tmp_path / "rivers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "rivers.yaml").write_text(TASK)
    wish = Wish(tasks=(str(tmp_path / "rivers.yaml"),), data=tmp_path, corpus=str(files))
    report = evaluate([str(tiny_base)], wish, tmp_path / "out").read_text()
    assert "1 of 2 questions share 13 words in a row with the training text" in report
    assert "acc, clean" in capsys.readouterr().out
