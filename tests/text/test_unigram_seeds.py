"""Alphabets, words and the first pieces, on texts small enough to see through."""

import numpy as np

from hornbook.text.unigram_seeds import SIGNS, alphabet_of, extent, script_of, seeds, words_of


def test_the_alphabet_covers_its_share() -> None:
    counts = {"aaab": 10, "bcd": 1}
    assert alphabet_of(counts, 1.0) == ["a", "b", "c", "d"]
    assert alphabet_of(counts, 0.95) == ["a", "b"]
    assert alphabet_of(counts, 0.5) == ["a"]


def test_words_are_laid_end_to_end() -> None:
    words = words_of({"ab": 2, "bxa": 5}, ["a", "b"])
    assert words.text.tolist() == [2, 0, 1, 0, 1, 2, 0]  # bxa first, since it is more frequent; x is a wall
    assert words.counts.tolist() == [5, 5, 5, 5, 2, 2, 2]


def test_pieces_do_not_mix_writing_systems() -> None:
    word = "ab1,中か カx"
    words = words_of({word: 1}, sorted({*word}))
    assert extent(words, " ")[:-1].tolist() == [2, 1, 2, 1, 2, 1, 2, 1, 1]


def test_spaces_stand_in_front_or_by_themselves() -> None:
    for word, expected in {" ab": [3, 2, 1], "   ab": [3, 2, 3, 2, 1], "  ": [2, 1], " \n": [2, 1]}.items():
        assert extent(words_of({word: 1}, sorted({*word})), " ")[:-1].tolist() == expected


def test_marks_are_of_their_letter() -> None:
    word = "e\u0301x"
    assert extent(words_of({word: 1}, sorted({*word})), " ")[0] == 3
    assert script_of("\u0301") == ""
    assert [script_of(c) for c in "aяक7!"] == ["LATIN", "CYRILLIC", "DEVANAGARI", SIGNS, SIGNS]
    assert script_of("ａ") == "LATIN"  # noqa: RUF001 - the wide one is meant
    assert len({script_of(c) for c in "中々〆かカー"}) == 1


def test_the_first_model_of_a_small_text() -> None:
    words = words_of({"abab": 3, "abc": 1}, ["a", "b", "c"])
    model = seeds(words, 16, " ")
    assert model.pieces == ["a", "b", "c", "ab"]
    assert model.single.tolist() == [True, True, True, False]
    np.testing.assert_allclose(np.exp(model.scores).sum(), 1)
    np.testing.assert_allclose(np.exp(model.scores) * (7 + 7 + 1 + 6), [7, 7, 1, 6])  # 3 distinct places of 2 letters
    assert model.counts.tolist() == [3, 1]
    ways = model.others.best(model.scores)
    assert sorted(ways.pieces.tolist()) == [0, 1]  # without itself, ab is a and b
    assert model.owners.tolist() == [3]
