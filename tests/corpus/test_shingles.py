"""Words and shingles as hashes, against a plain loop over the same words."""

import numpy as np
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpus import shingles
from hornbook.corpus.shingles import LETTERS, UNSPACED, WORDS, mixed, spans, tokens

WORD = regex.compile(rf"[[{UNSPACED}]&&[\p{{L}}\p{{M}}\p{{N}}]]|[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}]]+", regex.V1)
TEXTS = st.text(st.sampled_from("aB9 é,.\n学而ไม่\u0301カ🙂İ\ud800ß_"), max_size=30)


def polynomial(values: list[int], base: int) -> int:
    return sum(value * base**power for power, value in enumerate(values)) % 2**64


def plain_words(text: str) -> list[str]:
    return [shingles.lower(word) for word in WORD.findall(text)]


def plain_hash(word: str) -> int:
    return polynomial([ord(letter) for letter in word], LETTERS)


@given(st.lists(TEXTS, max_size=5))
def test_words_are_those_of_a_plain_expression(texts: list[str]) -> None:
    found = tokens(texts)
    want = [[plain_hash(word) for word in plain_words(text)] for text in texts]
    borders = list(zip(found.offsets, found.offsets[1:], strict=False))
    assert [found.hashes[a:b].tolist() for a, b in borders] == want


@given(TEXTS)
def test_spans_say_where_the_words_are(text: str) -> None:
    found = spans(text)
    cut = [text[a:b] for a, b in zip(found.starts, found.ends, strict=True)]
    assert cut == WORD.findall(text)
    assert found.hashes.tolist() == tokens([text]).hashes.tolist()


@given(st.lists(TEXTS, max_size=4), st.integers(1, 5), st.booleans())
def test_shingles_are_those_of_a_plain_loop(texts: list[str], size: int, short: bool) -> None:
    want = []
    for text in texts:
        words = [plain_hash(word) for word in plain_words(text)]
        rows = [words[i : i + size] for i in range(len(words) - size + 1)]
        rows = [words] if short and words and not rows else rows
        want.append(mixed(np.array([polynomial(row, WORDS) for row in rows], np.uint64)).tolist())
    found = shingles.shingles(tokens(texts), size, short=short)
    borders = list(zip(found.offsets, found.offsets[1:], strict=False))
    assert [found.hashes[a:b].tolist() for a, b in borders] == want


@pytest.mark.parametrize("text", ["one two three four five six seven eight nine ten " * 40, "学而时习之不亦说乎" * 60])
def test_tiles_change_nothing(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long text comes in tiles, short ones share one."""
    texts = [text, "a b", "", text[:70], "学 b"]
    whole = shingles.shingles(tokens(texts), 3, short=True)
    monkeypatch.setattr(shingles, "TILE", 64)
    tiled = shingles.shingles(tokens(texts), 3, short=True)
    assert [part.tolist() for part in whole] == [part.tolist() for part in tiled]


def test_a_word_without_end_is_cut_and_costs_no_more() -> None:
    text = "a" * (3 * shingles.TILE + 5)
    assert len(spans(text).starts) == 4
    assert spans(text).ends[-1] == len(text)
