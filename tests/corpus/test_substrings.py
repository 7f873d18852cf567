"""Repeated stretches against a plain search; what is left around them reads on."""

import random
from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.corpus import scans, shingles
from hornbook.corpus.substrings import RepeatedSubstrings
from tests.corpus.over_tasks import across, made

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "near", "old", "trees"]
STRETCH = "Subscribe to our newsletter, and never miss a story again: it is free!"


def prose(words: int, seed: int) -> str:
    numbers = random.Random(seed)
    return " ".join(numbers.choice(WORDS) + str(numbers.randrange(50)) for _ in range(words)) + "."


def kept(step: RepeatedSubstrings, texts: list[str], folder: Path) -> dict[str, str]:
    return {document.id: document.text for document in across(step, [made(texts)], folder).kept}


def test_a_stretch_stays_in_the_first_document(tmp_path: Path) -> None:
    texts = [f"First. {STRETCH} Then more.", f"Second one; {STRETCH}\nA new line.", f"Third: {STRETCH.lower()}"]
    found = kept(RepeatedSubstrings(words=10), texts, tmp_path)
    assert found == {"0": texts[0], "1": "Second one; \nA new line.", "2": "Third: "}


def test_one_word_less_is_no_stretch(tmp_path: Path) -> None:
    stretch = prose(49, 1)
    texts = [f"{prose(30, 2)} {stretch}", f"{prose(30, 3)} {stretch}"]
    assert kept(RepeatedSubstrings(), texts, tmp_path) == dict(zip("01", texts, strict=True))


def test_fifty_words_inside_long_texts_go(tmp_path: Path) -> None:
    stretch = prose(50, 1)
    texts = [f"{prose(300, 2)} {stretch} {prose(100, 3)}", f"{prose(20, 4)} {stretch} {prose(70, 5)}"]
    assert kept(RepeatedSubstrings(), texts, tmp_path) == {"0": texts[0], "1": f"{prose(20, 4)} {prose(70, 5)}"}


def test_chinese_is_measured_in_characters(tmp_path: Path) -> None:
    numbers = random.Random(0)
    one, two, stretch = ("".join(chr(numbers.randrange(0x4E00, 0x9000)) for _ in range(50)) for _ in range(3))
    texts = [f"{one}、{stretch}。", f"{two}。{stretch}。{one[:49]}。"]
    assert kept(RepeatedSubstrings(), texts, tmp_path)["1"] == f"{two}。{one[:49]}。"


def test_reasons(tmp_path: Path) -> None:
    result = across(RepeatedSubstrings(words=10), [made([STRETCH]), made([STRETCH + "\n", f"But {STRETCH}"])], tmp_path)
    assert [(document.text, reason) for document, reason in result.dropped] == [(STRETCH + "\n", "only repeated text")]
    assert [(document.text, reason) for document, reason in result.changed] == [(f"But {STRETCH}", "repeated text")]


TEXTS = st.lists(st.text(st.sampled_from("ab学 ."), max_size=40), min_size=1, max_size=5)


@given(TEXTS, st.integers(1, 40))
def test_exactly_the_stretches_of_earlier_documents_go(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], at_once: int
) -> None:
    """Few words, so that they repeat; also with parts on disk."""
    words, size = [regex.findall("学|[ab]+", text) for text in texts], 5
    first: dict[tuple[str, ...], int] = {}
    want = []
    for number, each in enumerate(words):
        gone = set()
        for i in range(len(each) - size + 1):
            if first.setdefault(tuple(each[i : i + size]), number) != number:
                gone |= set(range(i, i + size))
        want += [[word for i, word in enumerate(each) if i not in gone]] if not each or len(gone) < len(each) else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hornbook.corpus.repeats.repeated.__kwdefaults__", {"at_once": at_once})
        left = across(RepeatedSubstrings(words=size), [made(texts)], tmp_path_factory.mktemp("few")).kept
    assert [regex.findall("学|[ab]+", document.text) for document in left] == want


def test_what_the_batches_are_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = [prose(60, seed) for seed in range(5)]
    documents = made([f"{prose(40, seed)}\n{shared[seed % 5]} {prose(20, seed + 99)}" for seed in range(30)])
    results = []
    for name, tasks, batch in (("one", [documents], 100), ("many", [documents[:11], documents[11:], []], 4)):
        (tmp_path / name).mkdir()
        results.append(across(RepeatedSubstrings(), tasks, tmp_path / name, batch=batch))
        monkeypatch.setattr(shingles, "TILE", 256)
    assert results[0] == results[1]
    assert len(results[0].changed) == 25


def test_a_book_in_two_editions_is_kept_once(shared_data: Path, tmp_path: Path) -> None:
    """Alice with other chapters around: of the second copy only what is its own stays."""
    alice = (shared_data / "text" / "gutenberg" / "alice_11.txt").read_text(encoding="utf-8")
    middle = alice[alice.index(" ", 20_000) : alice.index(" ", 90_000)]
    second = f"{prose(100, 1)}\n\n{middle}\n\n{prose(100, 2)}"
    left = kept(RepeatedSubstrings(), [alice, second], tmp_path)
    assert left["0"] == alice
    assert left["1"].split() == f"{prose(100, 1)} {prose(100, 2)}".split()


@pytest.mark.parametrize("words", [4, shingles.TILE + 1])
def test_lengths_that_do_not_fit_are_refused(words: int) -> None:
    with pytest.raises(RecipeError, match="substrings: words"):
        recipe.parse(RepeatedSubstrings, {"words": words}, "substrings")
    assert scans.AT_ONCE > shingles.TILE
