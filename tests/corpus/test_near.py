"""Near duplicates against brute force, made and real, English and Chinese; which stays; what does not matter."""

import json
import random
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import regex

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.corpus import near, scans
from hornbook.corpus.near import NearDuplicates
from hornbook.corpus.shingles import UNSPACED
from tests.corpus.over_tasks import across, made

WORD = regex.compile(rf"[{UNSPACED}]|[[\p{{L}}\p{{N}}]--[{UNSPACED}]]+", regex.V1)
SHARES = (0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1)  # of the words that a copy has otherwise


def english(count: int) -> list[str]:
    """Made-up prose of 150 to 400 words of Zipf's frequencies, a sign here and there."""
    numbers = np.random.default_rng(3)
    words = np.array(["".join(numbers.choice(list("etaoinshrdlu"), numbers.integers(2, 9))) for _ in range(4_000)])
    shares = 1 / np.arange(1, len(words) + 1)
    texts = [numbers.choice(words, numbers.integers(150, 400), p=shares / shares.sum()) for _ in range(count)]
    return [", ".join(" ".join(text).split(" e")) + "." for text in texts]


def chinese(count: int) -> list[str]:
    """The same of characters, 200 to 500 a text."""
    numbers = np.random.default_rng(4)
    characters = np.array([chr(code) for code in range(0x4E00, 0x4E00 + 2_000)])
    shares = 1 / np.arange(1, len(characters) + 1)
    texts = [numbers.choice(characters, numbers.integers(200, 500), p=shares / shares.sum()) for _ in range(count)]
    return ["、".join("".join(text).split("一")) + "。" for text in texts]


def copies(texts: list[str], others: str) -> list[str]:
    """Every text as it is and with more and more of its words changed."""
    numbers = random.Random(5)

    def changed(text: str, share: float) -> str:
        return WORD.sub(lambda word: numbers.choice(others) * 2 if numbers.random() < share else word[0], text)

    found = [*texts, *(changed(text, share) for text in texts for share in SHARES)]
    numbers.shuffle(found)
    return found


def similar(texts: list[str], size: int = 5) -> dict[tuple[int, int], float]:
    """The Jaccard similarity of every pair of texts, by sets."""
    words = [WORD.findall(text.lower()) for text in texts]
    sets = [{tuple(text[i : i + size]) for i in range(max(len(text) - size + 1, 1))} for text in words]
    return {(a, b): len(sets[a] & sets[b]) / len(sets[a] | sets[b]) for a, b in combinations(range(len(texts)), 2)}


def confirmed(texts: list[str], step: NearDuplicates, folder: Path) -> set[tuple[int, int]]:
    """Pairs that share a band and whose sketches are near enough."""
    scan = folder / "pairs"
    batch = step.scan(made(texts))
    scans.write(scan, batch.schema, [batch.columns])
    found = set()
    shelf = scans.Shelf(folder / "shelf", scans.lists(scan, "sketch"), np.uint32)
    for number in range(step.bands.bands):
        for ours, theirs in near.candidates(np.arange(len(texts)), next(scans.numbers(scan, f"band-{number}"))):
            alike = near.minhash.similarities(shelf(ours), shelf(theirs), step.sketch) >= step.threshold
            found |= set(zip(ours[alike].tolist(), theirs[alike].tolist(), strict=True))
    scan.unlink()
    (folder / "shelf").unlink()
    return found


def clusters(pairs: set[tuple[int, int]], count: int) -> list[int]:
    """The smallest member of the cluster of each, by a plain search."""
    smallest = list(range(count))
    while changes := [(a, b) for a, b in pairs if smallest[a] != smallest[b]]:
        for a, b in changes:
            smallest[a] = smallest[b] = min(smallest[a], smallest[b])
    return smallest


def check(texts: list[str], step: NearDuplicates, folder: Path) -> None:
    """Recall and precision of pairs; then that the step keeps exactly one text of each cluster of found pairs."""
    want = {pair for pair, value in similar(texts, step.shingle).items() if value >= step.threshold}
    found = confirmed(texts, step, folder)
    assert len(want) > 100
    assert len(found & want) >= 0.95 * len(want), "recall"
    assert len(found & want) >= 0.95 * len(found), "precision"
    kept = across(step, [made(texts)], folder).kept
    assert [int(document.id) for document in kept] == sorted(set(clusters(found, len(texts))))


@pytest.mark.parametrize("sketch", [None, 512])
def test_made_up_english_against_brute_force(sketch: int | None, tmp_path: Path) -> None:
    check(copies(english(20), "xyz"), NearDuplicates(sketch=sketch), tmp_path)


@pytest.mark.parametrize("sketch", [None, 512])
def test_made_up_chinese_against_brute_force(sketch: int | None, tmp_path: Path) -> None:
    check(copies(chinese(20), "甲乙丙"), NearDuplicates(sketch=sketch), tmp_path)


def test_real_english_against_brute_force(shared_data: Path, tmp_path: Path) -> None:
    """A hundred news articles, of which ten are planted near duplicates, and changed copies of twenty of them."""
    folder = shared_data / "web" / "neardup_minhash"
    lines = [line.split(" ", 1) for line in (folder / "articles_100.train").read_text().splitlines()]
    names, texts = [line[0] for line in lines], [line[1] for line in lines]
    kept = {names[int(document.id)] for document in across(NearDuplicates(threshold=0.7), [made(texts)], tmp_path).kept}
    planted = [line.split() for line in (folder / "articles_100.truth").read_text().splitlines()]
    assert all((a in kept) != (b in kept) for a, b in planted)
    assert len(kept) == len(texts) - len(planted)
    for path in tmp_path.iterdir():
        path.unlink()
    check(copies(texts[:20], "xyz") + texts[20:60], NearDuplicates(), tmp_path)


def test_real_chinese_against_brute_force(shared_data: Path, tmp_path: Path) -> None:
    """The chapters of Mencius and the Analects in pieces of some 400 characters, and changed copies."""
    texts = []
    for name in ("四书五经__mengzi.json", "论语__lunyu.json"):
        for chapter in json.loads((shared_data / "text" / "chinese-poetry" / name).read_text(encoding="utf-8")):
            whole = "\n".join(chapter["paragraphs"])
            texts += [whole[start : start + 400] for start in range(0, len(whole) - 300, 400)][:2]
    check(copies(texts[:25], "甲乙丙"), NearDuplicates(), tmp_path)


def test_what_the_tasks_and_batches_are_does_not_matter(tmp_path: Path) -> None:
    documents = made(copies(english(12), "xyz"))
    results = []
    for name, tasks, batch in (("one", [documents], 1_000), ("many", [documents[:50], [], documents[50:]], 7)):
        (tmp_path / name).mkdir()
        results.append(across(NearDuplicates(), tasks, tmp_path / name, batch=batch))
    assert results[0] == results[1]
    assert len(results[0].dropped) > 40


def test_parts_on_disk_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = made(copies(chinese(8), "甲乙"))
    whole = across(NearDuplicates(), [documents], tmp_path)
    monkeypatch.setattr(scans, "AT_ONCE", 10)
    monkeypatch.setattr(near, "PAIRS", 3)
    monkeypatch.setattr(scans.together, "__kwdefaults__", {"at_once": 10})
    assert across(NearDuplicates(), [documents], tmp_path) == whole


@pytest.mark.parametrize(("keep", "stays"), [("first", "0"), ("last", "3"), ("longest", "1")])
def test_which_of_a_cluster_stays(keep: str, stays: str, tmp_path: Path) -> None:
    text = english(1)[0]
    alike = made([text, text + " one more word", text + " two more words"[:14], text])
    result = across(NearDuplicates(keep=keep), [[*alike[:2], made(["other"])[0]], alike[2:]], tmp_path)
    assert {document.metadata["kept"] for document, _ in result.dropped} == {stays}
    assert stays in [document.id for document in result.kept]
    assert len(result.dropped) == 3
    assert Counter(reason for _, reason in result.dropped) == {"near duplicate": 3}


def test_the_dropped_say_how_similar_the_kept_is(tmp_path: Path) -> None:
    texts = english(3)
    texts.append(texts[1] + " and some words more")
    result = across(NearDuplicates(), [made(texts)], tmp_path)
    want = similar(texts)[1, 3]
    assert [(d.id, d.metadata) for d, _ in result.dropped] == [("3", {"kept": "1", "similarity": f"{want:.3f}"})]


def test_texts_without_words_and_very_short_ones(tmp_path: Path) -> None:
    """Without a word there is no similarity; fewer words than a shingle are compared whole."""
    texts = ["...", "!?", "", "Yes, sir.", "yes sir", "yes madam", "好", "好。"]
    result = across(NearDuplicates(), [made(texts)], tmp_path)
    assert [document.id for document, _ in result.dropped] == ["4", "7"]


def test_a_thousand_copies_are_one_cluster(tmp_path: Path) -> None:
    (text,) = english(1)
    texts = [f"{text} copy {number}" for number in range(1_000)]
    assert len(across(NearDuplicates(), [made(texts)], tmp_path).kept) == 1


@pytest.mark.parametrize(
    "field", [{"threshold": 0}, {"threshold": 1.1}, {"shingle": 0}, {"sketch": 4}, {"permutations": 0}]
)
def test_values_that_do_not_fit_are_refused_by_name(field: dict[str, float]) -> None:
    with pytest.raises(RecipeError, match=rf"near: {next(iter(field))}"):
        recipe.parse(NearDuplicates, field, "near")
