"""Mixtures: planned shares are the shares that are written, more includes less, held-out text is left alone."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.corpus import pipeline
from hornbook.corpus.document import Document
from hornbook.corpus.mixture import Epochs, Shares, copies
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus.stored import stored


def sources(folder: Path) -> dict[str, str]:
    """Two sources, of which one has three times the text of the other."""
    for name, count in {"web": 900, "books": 300}.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            (folder / name / f"{number}.txt").write_text(f"{name} {number:04d}: a document of about the same length")
    return {name: str(folder / name) for name in ("web", "books")}


@given(
    st.dictionaries(st.sampled_from("abcde"), st.floats(0.01, 100), min_size=1),
    st.floats(0.1, 5),
    st.integers(1, 10**9),
)
def test_shares_are_kept_and_nothing_is_read_too_often(shares: dict[str, float], most: float, length: int) -> None:
    sizes = {name: length + 977 * number for number, name in enumerate(shares)}
    passes = Shares(shares=shares, max_epochs=most).passes(sizes)
    total = sum(passes[name] * sizes[name] for name in shares)
    for name, share in shares.items():
        assert passes[name] * sizes[name] / total == pytest.approx(share / sum(shares.values()))
    assert max(passes.values()) == pytest.approx(most)


def test_a_fraction_is_drawn_by_the_document_and_more_includes_less() -> None:
    documents = [Document(f"d{i}", "text", "s") for i in range(4_000)]
    taken = {
        times: Counter(copy.id.partition("@")[0] for document in documents for copy in copies(document, {"s": times}))
        for times in (0.3, 0.5, 2.3)
    }
    assert abs(taken[0.3].total() - 1_200) < 4 * (4_000 * 0.3 * 0.7) ** 0.5
    assert taken[0.3].keys() <= taken[0.5].keys()
    assert set(taken[2.3].values()) == {2, 3}
    assert {name for name, times in taken[2.3].items() if times == 3} == set(taken[0.3])
    assert [copy.id for copy in copies(documents[0], {"s": 3.0})] == ["d0", "d0@2", "d0@3"]
    assert list(copies(documents[0], {})) == [documents[0]]


def test_a_corpus_is_mixed_and_says_how(tmp_path: Path) -> None:
    config = Corpus(source=sources(tmp_path), mixture=Shares(shares={"web": 60, "books": 40}, max_epochs=1.5))
    ledger = pipeline.run(config, tmp_path / "corpus")
    written: Counter[str] = Counter()  # bytes
    for document in stored(tmp_path / "corpus", "train"):
        written[document.source] += len(document.text)
    assert written["web"] / written.total() == pytest.approx(0.6, abs=0.04)
    books = ledger.mixture["books"]
    assert books["epochs"] == pytest.approx(1.5)
    assert books["planned"] == pytest.approx(0.4)
    assert books["realised"] == pytest.approx(written["books"] / written.total(), rel=1e-9)
    held_out = Counter(document.id for document in stored(tmp_path / "corpus", "validation"))
    assert set(held_out.values()) == {1}
    assert not any("@" in name for name in held_out)
    trained = {document.id.partition("@")[0] for document in stored(tmp_path / "corpus", "train")}
    assert not trained & set(held_out)


@pytest.mark.parametrize(
    ("mixture", "sentence"),
    [
        (Epochs(epochs={"web": 1.0}), "says nothing of the source books"),
        (Epochs(epochs={"web": 1.0, "books": 1.0, "wiki": 2.0}), r"wiki is none of the sources \(web, books\)"),
    ],
)
def test_names_must_be_those_of_the_sources(mixture: Epochs, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=sentence):
        pipeline.run(Corpus(source=sources(tmp_path), mixture=mixture), tmp_path / "corpus")


def test_numbers_that_read_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shares.web: 0 reads nothing of it"):
        Shares(shares={"web": 0})
    with pytest.raises(ValueError, match="epochs: names no source"):
        Epochs(epochs={})
    with pytest.raises(ValueError, match="max_epochs: 0 reads nothing"):
        Shares(shares={"web": 1}, max_epochs=0)


@pytest.mark.parametrize(("name", "whole"), [("pile", 100.0), ("gpt3", None), ("redpajama", 1_210.0)])
def test_published_shares(name: str, whole: float | None) -> None:
    mixture = recipe.load(Corpus, f"corpus/{name}").mixture
    numbers = mixture.shares if isinstance(mixture, Shares) else mixture.epochs
    assert whole is None or sum(numbers.values()) == pytest.approx(whole)
