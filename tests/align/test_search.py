"""BM25 by hand, by rank-bm25's published implementation where it is installed, and in two scripts."""

import math
from pathlib import Path

import pytest

from hornbook.align.search import Index, Passage, passages, read_folder, words
from hornbook.core.errors import UserError

TEXTS = [
    "the cat sat on the mat",
    "the dog sat",
    "a cat and a dog and another cat",
    "nothing of the sort, said the old grey mare to the hare",
]


def index(texts: list[str]) -> Index:
    return Index([Passage(text, f"t{number}") for number, text in enumerate(texts)])


def test_a_case_by_hand() -> None:
    """N = 2, lengths 2 and 4, mean 3; "cat" is once in the first, "tea" twice in the second."""
    found = index(["cat sat", "tea tea dog ran"]).scores("cat tea")
    idf = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))  # ln 2
    assert found[0] == pytest.approx(idf * 1 * 2.5 / (1 + 1.5 * (0.25 + 0.75 * 2 / 3)))
    assert found[1] == pytest.approx(idf * 2 * 2.5 / (2 + 1.5 * (0.25 + 0.75 * 4 / 3)))


def test_scores_are_those_of_rank_bm25() -> None:
    bm25 = pytest.importorskip("rank_bm25")

    class Lucene(bm25.BM25Okapi):  # type: ignore[misc, name-defined]
        def _calc_idf(self, nd):
            total = self.corpus_size
            self.idf = {word: math.log(1 + (total - n + 0.5) / (n + 0.5)) for word, n in nd.items()}

    theirs, ours = Lucene([words(text) for text in TEXTS]), index(TEXTS)
    for query in ("the cat", "dog dog", "grey mare of the hare", "absent"):
        expected = theirs.get_scores(words(query))
        found = ours.scores(query)
        assert [found.get(number, 0.0) for number in range(len(TEXTS))] == pytest.approx(list(expected), abs=1e-12)


def test_scores_recorded_from_rank_bm25() -> None:
    """Of rank-bm25 0.2.2 by the test above, for where it is not installed."""
    found = index(TEXTS).scores("grey mare of the hare")
    assert [round(found.get(number, 0.0), 6) for number in range(4)] == [0.53943, 0.484477, 0.0, 4.230124]


def test_a_collection_of_one_passage_finds_it() -> None:
    (hit,) = index(["The user likes tea."]).search("What tea?")
    assert hit.score > 0
    assert index(["The user likes tea."]).search("coffee") == []


def test_chinese_is_found_by_pairs_of_characters() -> None:
    assert words("北京大学在北京") == ["北京", "京大", "大学", "学在", "在北", "北京"]
    assert words("２０２６年") == ["2026", "年"]
    texts = ["孔子曰：學而時習之，不亦說乎", "孟子見梁惠王", "王曰：叟不遠千里而來"]  # noqa: RUF001
    assert index(texts).search("梁惠王是谁？")[0].passage.place == "t1"  # noqa: RUF001


def test_ties_are_in_the_order_of_the_passages() -> None:
    assert [hit.passage.place for hit in index(["a b", "a b", "a b"]).search("a", 2)] == ["t0", "t1"]


def test_a_folder_is_read_by_paragraphs_that_know_their_line(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    long = "A paragraph about foxes that goes on and on. " * 9
    (tmp_path / "deep" / "a.md").write_text(f"# Title\n\n{long}\n\nAbout cranes.\n", encoding="utf-8")
    (tmp_path / "b.txt").write_bytes("\ufeff北京是中国的首都。".encode())
    (tmp_path / "c.bin").write_bytes(b"\xff\xfe")
    found = read_folder(tmp_path)
    assert [each.place for each in found.passages] == ["b.txt:1", "deep/a.md:1", "deep/a.md:5"]
    assert found.search("cranes")[0].passage.text == "About cranes."
    assert found.search("中国首都")[0].passage.place == "b.txt:1"


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no \.txt or \.md file to search"):
        read_folder(tmp_path)
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UserError, match=r"a\.txt: not UTF-8 text"):
        passages(tmp_path / "a.txt", "a.txt")
