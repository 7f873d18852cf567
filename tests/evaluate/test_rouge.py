# ruff: noqa: RUF001 - Chinese signs are meant
"""ROUGE is rouge-score's to the last digit; a Chinese one is worked out by hand."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from hornbook.evaluate.rouge import KINDS, rouge
from hornbook.evaluate.segments import Segments

TEXT = st.text("the cat.SAT-on mat's", min_size=0, max_size=30)


@given(st.lists(st.tuples(TEXT, st.lists(TEXT, min_size=1, max_size=3)), min_size=1, max_size=5))
def test_as_rouge_score(pairs: list[tuple[str, list[str]]]) -> None:
    pairs = [*pairs, ("the cat", ["the cat sat"])]
    library = RougeScorer(list(KINDS))
    found = rouge(Segments([text for text, _ in pairs], [some for _, some in pairs]))
    for kind in KINDS:
        theirs = [library.score_multi(some, text)[kind].fmeasure for text, some in pairs]
        assert found[kind].each == pytest.approx(theirs, abs=1e-9)
        assert found[kind].score().value == pytest.approx(sum(theirs) / len(theirs), abs=1e-9)


def test_the_packages_own_cases(shared_data: Path) -> None:
    folder = shared_data / "seq2seq" / "rouge_vectors"
    written, references = ((folder / name).read_text().splitlines() for name in ("hyp.txt", "ref.txt"))
    library = RougeScorer(list(KINDS))
    found = rouge(Segments(written, [[each] for each in references]))
    for kind in KINDS:
        theirs = [library.score(one, text)[kind].fmeasure for text, one in zip(written, references, strict=True)]
        assert found[kind].each == pytest.approx(theirs, abs=1e-9)
    assert json.loads((folder / "data.json").read_text())


def test_a_chinese_one_by_hand() -> None:
    """Two of four characters, one of three pairs, a common subsequence of two."""
    found = rouge(Segments(["我爱北京。"], [["我爱上海！"]], "zh"))
    assert {kind: one.each[0] for kind, one in found.items()} == pytest.approx(
        {"rouge1": 1 / 2, "rouge2": 1 / 3, "rougeL": 1 / 2}
    )
    assert "tok:char" in found["rouge1"].signature
    assert rouge(Segments(["我爱北京。"], [["我爱北京。"]], "en"))["rouge1"].each == [0.0]  # so it would be without


def test_other_letters_count() -> None:
    found = rouge(Segments(["Ein großer Bär"], [["Ein großes Bär"]], "words"))
    assert found["rouge1"].each[0] == pytest.approx(2 / 3)
