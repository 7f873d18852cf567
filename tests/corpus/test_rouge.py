import gzip
import itertools
import json
import random
import time
from functools import cache
from pathlib import Path

import pytest

from hornbook.corpus.rouge import Novelty, common, rouge_l, words


def slow_common(first: list[str], second: list[str]) -> int:
    """By the definition."""

    @cache
    def length(i: int, j: int) -> int:
        if i == len(first) or j == len(second):
            return 0
        if first[i] == second[j]:
            return 1 + length(i + 1, j + 1)
        return max(length(i + 1, j), length(i, j + 1))

    return length(0, 0)


def test_the_common_sequence_is_that_of_the_definition() -> None:
    draw = random.Random(0)
    for _ in range(200):
        first, second = ([draw.choice("abcd") for _ in range(draw.randrange(20))] for _ in range(2))
        assert common(first, second) == slow_common(first, second)


def made(count: int) -> list[str]:
    """Instructions as many and about as long as a real set's."""
    draw = random.Random(0)
    vocabulary = [f"w{int(draw.paretovariate(0.7))}" for _ in range(40 * count)]
    return [" ".join(draw.choices(vocabulary, k=draw.randrange(4, 24))) for _ in range(count)]


def test_f_is_that_of_rouge_score_on_made_up_texts() -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"], use_stemmer=False)
    texts = [text.replace("w1 ", "It's, ").replace(" w2", "-fold!") for text in made(60)]
    for first, second in itertools.pairwise(texts):
        assert rouge_l(words(first), words(second)) == pytest.approx(
            scorer.score(first, second)["rougeL"].fmeasure, abs=1e-9
        )


def test_f_is_that_of_rouge_score_on_real_instructions(shared_data: Path) -> None:
    scorer = pytest.importorskip("rouge_score.rouge_scorer").RougeScorer(["rougeL"], use_stemmer=False)
    with gzip.open(shared_data / "instruction/llama-factory/alpaca_en_demo.json.gz", "rt", encoding="utf-8") as file:
        rows = [row for row in json.load(file) if (row["instruction"] + row["output"]).isascii()]
    pairs = [(row["instruction"], row["output"]) for row in rows[:300]]
    pairs += [(rows[i]["instruction"], rows[i + 1]["instruction"]) for i in range(300)]
    for first, second in pairs:
        assert rouge_l(words(first), words(second)) == pytest.approx(
            scorer.score(first, second)["rougeL"].fmeasure, abs=1e-9
        )


def test_scripts_without_spaces_are_compared_by_characters() -> None:
    assert rouge_l(words("写一首关于春天的诗"), words("写一首关于秋天的诗。")) == pytest.approx(8 / 9)
    assert rouge_l(words("Γράψε ένα ποίημα"), words("γράψε δύο ποίημα.")) == pytest.approx(2 / 3)
    assert rouge_l(words("!"), words("?")) == 0


def test_what_is_found_alike_is_what_comparing_all_finds() -> None:
    texts = made(400)
    draw = random.Random(1)
    novelty, known = Novelty(0.7), list[str]()
    for text in texts:
        changed = " ".join(word for word in text.split() if draw.random() < 0.8)
        for candidate in (text, changed):
            scores = [rouge_l(words(candidate), words(other)) for other in known]
            best = max(scores, default=0.0)
            found = novelty.like(candidate)
            if best >= 0.7:
                assert found == (scores.index(best), best)
            else:
                assert found is None
                novelty.add(candidate)
                known.append(candidate)


@pytest.mark.slow
def test_52_000_instructions_take_less_than_two_minutes() -> None:
    """The size of Alpaca: a new one is looked up among all before it."""
    texts = made(52_000)
    began, novelty = time.process_time(), Novelty(0.7)
    for text in texts:
        if novelty.like(text) is None:
            novelty.add(text)
    assert time.process_time() - began < 120
