"""The best way through a word against every way written out."""

import random

import numpy as np
import pytest

from hornbook.text.viterbi import RENEWED, Trie

PIECES = {"a": -1.5, "b": -2.0, "ab": -2.9, "ba": -3.2, "aab": -4.0, "bbb": -4.5}
TRIE = Trie({piece: (i, score) for i, (piece, score) in enumerate(PIECES.items())}, (99, -12.0))


def ways(word: str) -> list[list[str]]:
    if not word:
        return [[]]
    begins = [piece for piece in PIECES if word.startswith(piece)]
    begins += [word[0]] if word[0] not in PIECES else []
    return [[piece, *rest] for piece in begins for rest in ways(word[len(piece) :])]


@pytest.mark.parametrize("seed", range(20))
def test_the_best_of_all_ways(seed: int) -> None:
    word = "".join(random.Random(seed).choices("aabbc", k=9))
    way = TRIE.best(word)
    totals = sorted((sum(PIECES.get(piece, -12.0) for piece in found) for found in ways(word)), reverse=True)
    assert way.after == pytest.approx(totals[0])
    assert "".join(piece for _, piece in way.pieces) == word
    if len(totals) > 1:
        assert way.margin >= totals[0] - totals[1] - 1e-9  # at a place on the way, other ways may already be worse


def test_edges_and_unknown_characters() -> None:
    assert [end for end, _, _ in TRIE.edges("aabc", 0)] == [1, 3]
    assert list(TRIE.edges("aabc", 3)) == [(4, 99, -12.0)]
    assert TRIE.best("cc").pieces == [(99, "c"), (99, "c")]


def test_a_character_that_only_begins_pieces_is_unknown_by_itself() -> None:
    trie = Trie({"xy": (0, -1.0), "y": (1, -1.0)}, (9, -12.0))
    assert trie.best("xxy").pieces == [(9, "x"), (0, "xy")]


def test_of_equal_ways_the_longest_last_piece() -> None:
    trie = Trie({".": (0, -1.0), "..": (1, -1.5)}, (9, -12.0))
    assert [piece for _, piece in trie.best("...").pieces] == [".", ".."]


def test_sums_in_32_bits_begin_again() -> None:
    way = TRIE.best("ab", before=RENEWED - 1)
    assert way.after == pytest.approx(-2.9)
    rounded = np.float32(-1000.3) + np.float32(-2.9)
    assert TRIE.best("ab", before=-1000.3).after == float(rounded) != -1000.3 - 2.9
