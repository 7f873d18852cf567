"""Decontamination: planted items are found whatever their case, spaces and signs; what is left is clean."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.corpus import pipeline
from hornbook.corpus.decontaminate import CutOverlap, Decontaminate, DropDocument, pieces
from hornbook.corpus.document import Document
from hornbook.corpus.evaluation_items import Item, items
from hornbook.corpus.evaluation_report import REPORT
from tests.corpus.across import run

QUESTION = "Which of these planets has the longest day, counted in hours of the Earth and not in its own?"
CHINESE = "在农业生产中被当作极其重要的劳动对象发挥作用,最主要的不可替代的基本生产资料是"
PROSE = "It was a day like others in the village, and the old men sat before the inn and said little. " * 6
RED = "红楼梦里说的故事和别处不同,每一回都有新的人物登场,读者要慢慢地记住他们的名字和来历。" * 20


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    rows = [{"q": QUESTION, "a": ["Venus", "Mars"]}, {"q": CHINESE, "a": ["土地"]}, {"q": "Why?", "a": []}]
    rows.append({"q": "Name three moons of Jupiter", "a": []})
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    return path


def documents(*texts: str) -> list[Document]:
    return [Document(f"d{number}", text, "s") for number, text in enumerate(texts)]


def report(folder: Path) -> dict[int, dict[str, Any]]:
    return {line["row"]: line for line in map(json.loads, (folder / REPORT).read_text().splitlines())}


@pytest.mark.parametrize(
    ("planted", "row"),
    [
        (QUESTION, 0),
        (QUESTION.upper().replace(" ", "\n "), 0),
        (QUESTION.replace(",", " --").replace("?", ""), 0),
        ("which of these planets has the longest day counted in hours of the Earth", 0),
        (CHINESE, 1),
        (CHINESE.replace(",", "  "), 1),
        (CHINESE[:12] + "\n" + CHINESE[12:], 1),
        ("name THREE moons: of Jupiter", 3),
    ],
)
def test_what_is_planted_is_found(planted: str, row: int, questions: Path, tmp_path: Path) -> None:
    step = Decontaminate(evaluation=(str(questions),), action=DropDocument())
    (result,) = run(step, [documents(PROSE, f"{PROSE} {planted} {PROSE}", RED)], tmp_path)
    assert [(each.id, reason) for each, reason in result.dropped] == [("d1", "touches an evaluation set")]
    assert report(tmp_path).keys() == {2, row}
    assert report(tmp_path)[row]["first"] == ["d1"]
    assert report(tmp_path)[2] == {"file": "questions.jsonl", "row": 2, "too_short": True}


def test_less_than_thirteen_words_are_no_touch(questions: Path, tmp_path: Path) -> None:
    twelve, ten = " ".join(QUESTION.split()[:12]), " ".join(QUESTION.split()[:10])
    step = Decontaminate(evaluation=(str(questions),), action=DropDocument())
    assert not run(step, [documents(twelve, CHINESE[:19])], tmp_path)[0].dropped
    step = Decontaminate(evaluation=(str(questions),), words=8, action=DropDocument())
    assert len(run(step, [documents(ten, CHINESE[:15], " ".join(QUESTION.split()[:7]))], tmp_path)[0].dropped) == 2


def test_the_overlap_is_cut_out_with_what_is_around_it(questions: Path, tmp_path: Path) -> None:
    step = Decontaminate(evaluation=(str(questions),), columns=("q",))
    (result,) = run(step, [documents(f"{PROSE}{QUESTION} {PROSE}", f"{RED}{CHINESE}", QUESTION, PROSE)], tmp_path)
    assert [each.id for each in result.kept] == ["d0#1", "d0#2", "d1", "d3"]
    assert [each.text for each in result.kept] == [
        PROSE[:-200],
        f"{QUESTION} {PROSE}"[len(QUESTION) - 1 + 200 :],
        RED[:-200],
        PROSE,
    ]
    assert [reason for _, reason in result.changed] == ["evaluation items cut out"] * 2
    assert [(each.id, reason) for each, reason in result.dropped] == [("d2", "little beside an evaluation set")]
    again = run(step, [result.kept], tmp_path)[0]
    assert again.kept == result.kept, "what is left touches nothing"


def test_a_document_full_of_items_goes(questions: Path, tmp_path: Path) -> None:
    text = f"{QUESTION} {PROSE}{PROSE}" * 4
    step = Decontaminate(evaluation=(str(questions),), action=CutOverlap(max_pieces=3))
    assert run(step, [documents(text)], tmp_path)[0].dropped[0][1] == "touches an evaluation set in many places"


def test_what_many_documents_say_is_a_phrase(questions: Path, tmp_path: Path) -> None:
    step = Decontaminate(evaluation=(str(questions),), common=2, action=DropDocument())
    tasks = [documents(QUESTION, PROSE, QUESTION), documents(QUESTION, f"{PROSE} {CHINESE}")]
    first, second = run(step, tasks, tmp_path)
    assert (len(first.dropped), len(second.dropped)) == (0, 1)
    lines = report(tmp_path)
    assert (lines[0]["share"], lines[0]["common_share"], lines[0]["documents"]) == (0, 1, 0)
    assert (lines[1]["share"], lines[1]["documents"]) == (1, 1)


def test_tasks_do_not_matter(questions: Path, tmp_path: Path) -> None:
    step = Decontaminate(evaluation=(str(questions),))
    texts = documents(f"{PROSE}{QUESTION} {PROSE}", PROSE, f"{RED}{CHINESE}", f"{CHINESE}{RED}", QUESTION)
    seen = []
    for tasks in ([texts], [texts[:1], [], texts[1:]], [texts[:4], texts[4:]]):
        results = run(step, tasks, tmp_path)
        seen.append(([each for result in results for each in result.kept], (tmp_path / REPORT).read_text()))
    assert seen[0] == seen[1] == seen[2]


def test_the_report_stands_beside_the_corpus(questions: Path, tmp_path: Path) -> None:
    source = tmp_path / "web.jsonl"
    source.write_text(
        "\n".join(json.dumps({"text": text}) for text in (PROSE, f"{PROSE}{QUESTION}", f"{RED}{CHINESE}"))
    )
    steps = (Decontaminate(evaluation=(str(questions),), action=DropDocument()),)
    ledger = pipeline.run(pipeline.Corpus(source=str(source), steps=steps, validation=0), tmp_path / "clean")
    assert ledger.steps["decontaminate"].dropped["touches an evaluation set"].documents == 2
    lines = report(tmp_path / "clean")
    assert [lines[row]["first"] for row in (0, 1)] == [["web.jsonl:2"], ["web.jsonl:3"]]


def test_mistakes_are_said(questions: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no column 'question'; set columns to some of q, a"):
        Decontaminate(evaluation=(str(questions),), columns=("question",)).build()
    with pytest.raises(UserError, match="no such file or folder"):
        Decontaminate(evaluation=("nowhere.jsonl",)).build()
    with pytest.raises(ValueError, match="protects nothing"):
        Decontaminate(evaluation=())
    with pytest.raises(ValueError, match="not between 1 and words"):
        Decontaminate(evaluation=("x",), shortest=20)
    parsed = recipe.parse(Decontaminate, {"evaluation": ["x"], "action": {"type": "cut_overlap", "around": 50}})
    assert parsed.action == CutOverlap(around=50)


def test_pieces_by_hand() -> None:
    import numpy as np

    text = "0123456789" * 10
    cut = CutOverlap(around=5, min_piece=10)
    assert pieces(text, np.array([[30, 40], [60, 61], [95, 100]]), cut) == [text[:25], text[45:55], text[66:90]]
    assert pieces(text, np.empty((0, 2), np.int64), cut) == [text]


SETS = [
    ("arc", "question"), ("hellaswag", "query"), ("commonsense_qa", "question"), ("winogrande", "sentence"),
    ("piqa", "goal"), ("sciq", "question"), ("boolq", "question"), ("gsm8k", "question"), ("humaneval", "prompt"),
    ("lambada", "context"), ("openbookqa", "question_stem"), ("xcopa", "premise"), ("truthfulqa", "Question"),
    ("cmmlu/test", "Question"), ("mmlu/test", "0"),
]  # fmt: skip


def disturbed(text: str, chance: random.Random) -> str:
    """As a page would have it: other case, other white space, other signs between the words."""
    if chance.random() < 0.5:
        text = text.upper() if chance.random() < 0.5 else text.lower()
    return "".join(chance.choice(["\n", "  ", " - ", "\t"]) if sign == " " else sign for sign in text).replace(
        ".", " ;"
    )


@pytest.mark.parametrize(("folder", "column"), SETS)
def test_real_items_planted_in_documents(folder: str, column: str, shared_data: Path, tmp_path: Path) -> None:
    """All of them but those that are too short to be looked for; and nothing else."""
    source = str(shared_data / "benchmarks" / folder)
    listed: list[Item] = list(items([source], [column]))
    chance = random.Random(folder)
    planted = chance.sample(range(len(listed)), min(60, len(listed)))
    prose = (shared_data / "text" / "gutenberg" / "alice_11.txt").read_text()
    texts = []
    for number in planted:
        start = chance.randrange(len(prose) - 4000)
        texts.append(
            f"{prose[start : start + 1500]} {disturbed(listed[number].passages[0], chance)} {prose[start:][:900]}"
        )
    step = Decontaminate(evaluation=(source,), columns=(column,), action=DropDocument())
    (result,) = run(step, [documents(*texts, prose[5000:9000])], tmp_path)
    lines = [json.loads(line) for line in (tmp_path / REPORT).read_text().splitlines()]
    places = {(line["file"], line["row"]): line for line in lines}
    dropped = {each.id for each, _ in result.dropped}
    for number, index in enumerate(planted):
        line = places[(listed[index].file, listed[index].row)]
        assert line.get("too_short") or (line["share"] == 1 and f"d{number}" in dropped), listed[index]
    assert f"d{len(planted)}" not in dropped
    touched = sum("share" in line for line in lines)
    assert touched <= 1.5 * len(planted), "others are touched only where they say the same"
