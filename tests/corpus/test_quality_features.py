"""Features: the same for the same words, of length 1, for every script."""

import numpy as np

from hornbook.corpus.quality_features import BUCKETS, MOST_CHARACTERS, matrix


def test_values_have_length_one_and_count_by_logarithm() -> None:
    found = matrix(["once upon a time", "", "a"])
    assert np.allclose(np.bincount(found.rows, found.values**2, 3), [1, 0, 1])
    assert found.offsets[1] == found.offsets[2]
    assert np.all(found.buckets < BUCKETS)
    (value,) = {*np.round(matrix(["abcd"]).values, 12).tolist()}
    assert value == round(1 / np.sqrt(1 + 2 + 1), 12)  # a word, two of three characters, one of four


def test_case_and_white_space_do_not_matter_and_order_does() -> None:
    a, b, c = (matrix([text]) for text in ("Once upon  a\ntime", "once upon a time", "time upon once a"))
    assert a.buckets.tolist() == b.buckets.tolist()
    assert a.buckets.tolist() != c.buckets.tolist()


def test_chinese_has_features_of_one_to_four_characters() -> None:
    assert len(matrix(["学而时习"]).buckets) == 4 + 3 + 2 + 1


def test_the_end_of_a_long_text_is_not_looked_at() -> None:
    text = "word " * (MOST_CHARACTERS // 5 + 1)
    assert matrix([text[:MOST_CHARACTERS]]).buckets.tolist() == matrix([text + "other"]).buckets.tolist()


def test_the_product_is_that_of_the_plain_matrix() -> None:
    found = matrix(["a rose is a rose", "学而时习之", "x"])
    dense = np.zeros((3, BUCKETS))
    dense[found.rows, found.buckets] = found.values
    weights = np.random.default_rng(0).normal(size=BUCKETS)
    assert np.allclose(found.times(weights), dense @ weights)
