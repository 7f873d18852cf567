"""The n-gram model on disk, and how a text is read for it."""

from pathlib import Path

import numpy as np
import pytest

from hornbook.core.errors import UserError
from hornbook.corpus.perplexity_model import NGrams, grams, grams_before, load, read
from hornbook.corpus.perplexity_train import fit

TEXTS = ["a rose is a rose", "is a rose a rose", "学而时习之 学而时习之"]


def test_case_signs_and_digits_do_not_matter() -> None:
    assert read("In 1984, A rose!")[0].tolist() == read("in 2026 a ROSE")[0].tolist()
    assert read("a1 学而")[1].tolist() == [2, 1, 1]


def test_the_words_before_are_the_n_gram_one_place_earlier() -> None:
    words = read("a rose is a rose")[0]
    assert grams_before(words, 2)[3] == grams(words, 3)[1][2]
    assert grams_before(words, 1)[4] == grams_before(words, 1)[1] == grams(words, 1)[0][0]
    assert len({*grams(words, 3)[2].tolist()}) == 5


def test_round_trip(tmp_path: Path) -> None:
    model = fit(TEXTS)
    made = NGrams(model.tables, model.letters, tuple(float(each) for each in range(101)))
    made.save(tmp_path / "model")
    loaded = load(tmp_path / "model")
    assert [loaded(text) for text in TEXTS] == [made(text) for text in TEXTS]
    assert (loaded.letters, loaded.percentiles) == (made.letters, made.percentiles)
    assert load(tmp_path / "model") is loaded


def test_tables_are_in_order() -> None:
    assert all(np.all(np.diff(table.keys.astype(object)) > 0) for table in fit(TEXTS).tables)


@pytest.mark.parametrize("broken", ["ngrams.npz", "perplexity.json"])
def test_what_is_broken_is_said(broken: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no n-gram model; make one with `hornbook corpus train-perplexity"):
        load(tmp_path)
    fit(TEXTS).save(tmp_path / "model")
    (tmp_path / "model" / broken).write_text("{}")
    with pytest.raises(UserError, match="train it again"):
        load(tmp_path / "model")
