"""N-grams of an evaluation set against a search by hand."""

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpus.evaluation_items import Item
from hornbook.corpus.evaluation_set import EvaluationSet, in_characters, plain, tokens

TEXTS = st.lists(st.text("ab ", max_size=30), max_size=6)


@given(TEXTS, TEXTS, st.integers(1, 5))
def test_hits_are_those_of_a_plain_search(passages: list[str], texts: list[str], words: int) -> None:
    known = EvaluationSet([Item("f", row, (passage,)) for row, passage in enumerate(passages)], words, 1)
    hits = known.hits(tokens(texts))
    grams = set()
    for passage in passages:
        cut = passage.split()
        length = min(words, len(cut))
        grams |= {tuple(cut[i : i + length]) for i in range(len(cut) - length + 1) if length}
    wanted, before = [], 0
    for number, text in enumerate(texts):
        cut = text.split()
        wanted += [
            (number, before + i, length)
            for length in {len(gram) for gram in grams}
            for i in range(len(cut) - length + 1)
            if tuple(cut[i : i + length]) in grams
        ]
        before += len(cut)
    assert sorted(zip(*map(np.ndarray.tolist, (hits.texts, hits.starts, hits.lengths)), strict=True)) == sorted(wanted)


def test_who_has_an_n_gram() -> None:
    known = EvaluationSet([Item("f", 0, ("a b c",)), Item("f", 1, ("x", "b c d")), Item("f", 2, ("x",))], 2, 2)
    assert known.sizes.tolist() == [2, 2, 0]
    hits = known.hits(tokens(["b c"]))
    assert sorted(known.owners(hits.grams).tolist()) == [0, 1]
    assert known.count(np.ones(len(known.grams), bool)).tolist() == [2, 2, 0]


def test_nothing_to_look_for() -> None:
    known = EvaluationSet([], 13, 4)
    assert len(known.hits(tokens(["some text"])).texts) == 0


def test_characters_where_there_are_no_spaces() -> None:
    text = "".join(random.Random(0).sample([chr(code) for code in range(0x4E00, 0x4F00)], 30))
    known = EvaluationSet([Item("f", 0, (text,))], 13, 4)
    assert known.lengths == [in_characters(13)] == [20]
    assert len(known.hits(tokens([f"前{text[:20]}后"])).texts) == 1
    assert len(known.hits(tokens([f"前{text[:19]}后"])).texts) == 0


def test_compatible_forms_are_the_same_and_stay_in_place() -> None:
    text = "x" + "\u2f64\uff21\u3000\ufb01" + "é"
    assert plain(text) == "x用A \ufb01é"
    assert len(plain(text)) == len(text)
