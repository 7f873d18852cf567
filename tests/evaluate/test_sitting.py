"""What a rater is shown and what is written down of the answer: sides turned back, undo, skip, no names."""

import json
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.evaluate.judgements import Ratings
from hornbook.evaluate.sitting import Answer, Sitting
from hornbook.evaluate.study import Scale, Study

PROMPTS = {str(number): f"question {number}" for number in range(8)}
ANSWERS = {name: {id: f"{text} {id}" for id in PROMPTS} for name, text in (("zebra", "stripes"), ("tiger", "claws"))}


def sitting(folder: Path, **more: object) -> Sitting:
    return Sitting(Study(prompts=PROMPTS, answers=ANSWERS, **more), Ratings(folder / "r.jsonl"))  # type: ignore[arg-type]


def say(some: Sitting, said: object, **more: object) -> dict[str, object]:
    number = some.state("Ann", again=bool(more.get("again")))["question"]["number"]
    return some.rate("Ann", Answer(question=number, said=said, **more))  # type: ignore[arg-type]


def test_what_is_said_of_a_side_is_kept_of_a_model(tmp_path: Path) -> None:
    some = sitting(tmp_path)
    for _ in PROMPTS:
        left = some.state("Ann")["question"]["answers"][0]
        say(some, "left" if left.startswith("stripes") else "right", seconds=1.25)
    rows = [json.loads(line) for line in some.ratings.path.read_text().splitlines()]
    assert {row["winner"] for row in rows} == {"a"}
    assert {(row["a"], row["b"]) for row in rows} == {("zebra", "tiger")}
    assert [row["side"] for row in rows].count("a") == 4
    assert some.finished("Ann")
    assert not some.finished("Bo")


def test_no_state_before_the_end_names_a_model(tmp_path: Path) -> None:
    some = sitting(tmp_path)
    for said in ("left", "right", "tie", "bad", "skip", "left"):
        shown = json.dumps([some.state("Ann"), say(some, said), some.undo("Ann"), say(some, said)])
        assert "zebra" not in shown
        assert "tiger" not in shown


def test_undo_shows_the_question_again_with_its_note(tmp_path: Path) -> None:
    some = sitting(tmp_path)
    say(some, "left")
    before = some.state("Ann")
    say(some, "tie", note=" both know it ")
    back = some.undo("Ann")
    assert back == {**before, "note": "both know it", "undone": True}
    some.undo("Ann")
    assert some.undo("Ann")["undone"] is False
    assert some.state("Ann")["done"] == 0


def test_what_is_skipped_comes_again_only_if_wanted(tmp_path: Path) -> None:
    some = sitting(tmp_path)
    say(some, "skip")
    for _ in range(7):
        last = say(some, "right")
    assert last == {"done": 7, "of": 8, "skipped": 1, "question": None}
    assert some.state("Ann", again=True)["question"]["number"] == 0
    assert say(some, "left", again=True) == {"done": 8, "of": 8, "skipped": 0, "question": None}


def test_another_visit_goes_on(tmp_path: Path) -> None:
    say(sitting(tmp_path), "left")
    say(sitting(tmp_path), "tie")
    assert sitting(tmp_path).state("Ann")["done"] == 2
    assert sitting(tmp_path).state("  Ann ")["done"] == 2
    assert sitting(tmp_path).state("Bo")["done"] == 0
    assert sitting(tmp_path).raters() == ["Ann"]


def test_marks_on_scales(tmp_path: Path) -> None:
    some = sitting(tmp_path, scales=(Scale("fluent"), Scale("true")))
    assert some.state("Ann")["of"] == 16
    say(some, {"true": 2, "fluent": 5})
    (kept,) = some.ratings.judgements()
    assert kept.row()["scores"] == {"fluent": 5, "true": 2}
    assert kept.row()["model"] in ANSWERS


@pytest.mark.parametrize(
    "said", ["a", "worst", {"helpful": 3}, {"fluent": 3}, {"fluent": 0, "true": 3}, {"fluent": 6, "true": 1}]
)
@pytest.mark.parametrize("scales", [(), (Scale("fluent"), Scale("true"))])
def test_what_is_no_judgement_is_one_sentence(tmp_path: Path, said: object, scales: tuple[Scale, ...]) -> None:
    some = sitting(tmp_path, scales=scales)
    with pytest.raises(UserError, match=r"said: .* is no judgement; give"):
        say(some, said)
    assert some.ratings.judgements() == []


def test_no_such_question_and_no_name(tmp_path: Path) -> None:
    some = sitting(tmp_path)
    with pytest.raises(UserError, match="question: 8 is none of 8"):
        some.rate("Ann", Answer(question=8, said="left"))
    with pytest.raises(UserError, match="rater: an empty name"):
        some.state("  ")


def test_judgements_of_another_pair_are_refused(tmp_path: Path) -> None:
    say(sitting(tmp_path), "left")
    other = Study(prompts=PROMPTS, answers={"zebra": ANSWERS["zebra"], "lion": ANSWERS["tiger"]})
    with pytest.raises(UserError, match=r"Ann judged zebra and tiger on \d, which is not asked here \(zebra, lion\)"):
        Sitting(other, Ratings(tmp_path / "r.jsonl"))
