"""Questions that stand in the training text are found, others are clean; what everybody says is no leak."""

import pytest

from hornbook.corpus.document import Document
from hornbook.evaluate.evaluation import scores
from hornbook.evaluate.seen import marked, shares
from hornbook.evaluate.task import Item, Outcome

LEAKED = "Which gas do plants take from the air around them in order to make sugar with the light of the sun?"
CLEAN = "What is the name of the long river that runs through the north of Egypt and ends in the sea there?"
CHINESE = "植物在阳光下制造糖的时候要从周围的空气中吸收哪一种气体才能完成这个过程呢"


def item(number: int, question: str) -> Item:
    return Item(str(number), "", (), {"id": str(number), "question": question, "choices": ["a", "b"], "answer": 0})


def page(number: int, text: str) -> Document:
    return Document(id=str(number), text=text, source="web")


def test_what_was_read_is_found() -> None:
    asked = [item(0, LEAKED), item(1, CLEAN), item(2, CHINESE), item(3, "Why?")]
    pages = [page(0, f"A quiz! {LEAKED.upper()} Carbon dioxide."), page(1, "Nothing."), page(2, f"题目 {CHINESE}。")]
    leaked, clean, chinese, short = shares(asked, iter(pages))
    assert leaked == chinese == 1.0
    assert clean == 0.0
    assert short is None


def test_half_of_a_question() -> None:
    (share,) = shares([item(0, LEAKED)], [page(0, " ".join(LEAKED.split()[:14]))])
    assert share == pytest.approx(2 / (len(LEAKED.split()) - 12))


def test_a_phrase_of_many_documents_is_no_leak() -> None:
    pages = [page(number, LEAKED) for number in range(11)]
    assert shares([item(0, LEAKED)], pages) == [0.0]
    assert shares([item(0, LEAKED)], pages[1:]) == [1.0]


def test_scores_of_all_and_of_clean_questions() -> None:
    outcomes = [Outcome(str(n), "", {"acc": float(n < 2)}, {}) for n in range(5)]
    found = scores(marked(outcomes, [0.5, 0.0, 0.0, 1.0, None]))
    assert found["acc"]["value"] == pytest.approx(2 / 5)
    assert found["seen"] == {"seen": 2, "clean": 2, "unknown": 1}
    assert found["clean"]["acc"]["value"] == pytest.approx(1 / 2)
    assert found["clean"]["acc"]["of"] == 2
    assert "clean" not in scores(outcomes)
