"""Labelled texts: batches whose padding changes nothing, and classes evened out by rule."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import RecipeError, UserError
from hornbook.data import labels
from hornbook.data.labelled import BySource, Labelled, LabelledRows, fitting, sample
from hornbook.data.split import Parts, Split
from hornbook.text.bpe import BPE

NAMES = ["ham", "spam"]
BOOK = Split(train=0.7, validation=0.1)  # Raschka 2024, section 6.2


def rows(ham: int, spam: int) -> list[dict[str, Any]]:
    counts = {"ham": ham, "spam": spam}
    return [{"text": f"{n} {i}", "label": n, "id": f"f:{n}{i}"} for n, count in counts.items() for i in range(count)]


def written(folder: Path, given: list[dict[str, Any]]) -> str:
    path = folder / "rows.tsv"
    path.write_text("".join(f"{row['label']}\t{row['text']}\n" for row in given), encoding="utf-8")
    return str(path)


def counts(given: list[dict[str, Any]]) -> Counter[str]:
    return Counter(row["label"] for row in given)


def test_the_books_numbers(shared_data: Path) -> None:
    """747 of each of 5,574 messages, 1,045 to learn from, 149 to look at, 300 to be judged by."""
    source = shared_data / "classification/sms-spam/SMSSpamCollection"
    parts = Labelled(source=str(source), header=["label", "text"], balance="everywhere", split=BOOK).build()
    assert [len(side) for side in (parts.train, parts.validation, parts.test)] == [1045, 149, 300]
    assert counts([*parts.train, *parts.validation, *parts.test]) == {"ham": 747, "spam": 747}


def test_everywhere_is_before_the_split(tmp_path: Path) -> None:
    """As many rows as the book has; both classes are about even on every side."""
    source = written(tmp_path, rows(4827, 747))
    data = Labelled(source=source, header=["label", "text"], balance="everywhere", split=BOOK)
    parts = data.build()
    assert [len(side) for side in (parts.train, parts.validation, parts.test)] == [1045, 149, 300]
    for side in (parts.train, parts.validation, parts.test):
        assert 0.4 < counts(side)["spam"] / len(side) < 0.6
    assert data.balanced(parts) == parts.train
    assert data.build().train == parts.train


@pytest.mark.parametrize(("way", "each"), [("down", 5), ("up", 95)])
def test_training_is_evened_out_and_the_test_is_not(way: Any, each: int, tmp_path: Path) -> None:
    given = rows(95, 5)
    data, parts = Labelled(source="-", balance=way), Parts(given, given, given)
    even = data.balanced(parts)
    assert counts(even) == {"ham": each, "spam": each}
    assert parts.test == given
    backwards = data.balanced(Parts(given[::-1], [], []))
    assert sorted(row["id"] for row in backwards) == sorted(row["id"] for row in even)
    assert {row["id"] for row in given if row["label"] == "spam"} <= {row["id"] for row in even}


def test_what_is_repeated_is_repeated_equally() -> None:
    times = Counter(row["id"] for row in sample(rows(23, 5), "up") if row["label"] == "spam")
    assert sorted(times.values()) == [4, 4, 5, 5, 5]


def test_weights_make_each_class_count_the_same() -> None:
    given = rows(95, 5)
    weights = Labelled(source="-", weights="balanced").class_weights(given, NAMES)
    assert weights == pytest.approx((100 / (2 * 95), 100 / (2 * 5)))
    assert Labelled(source="-", weights={"spam": 4.0}).class_weights(given, NAMES) == (1.0, 4.0)
    assert Labelled(source="-").class_weights(given, NAMES) is None
    with pytest.raises(UserError, match=r"weights: 'spma' is no label \(did you mean 'spam'\?\)"):
        Labelled(source="-", weights={"spma": 4.0}).class_weights(given, NAMES)
    with pytest.raises(UserError, match=r"weights: 0\.0 for 'spam' teaches nothing"):
        Labelled(source="-", weights={"spam": 0.0}).class_weights(given, NAMES)


def test_a_recipe_says_it() -> None:
    data = recipe.parse(Labelled, {"source": "a.csv", "balance": "down", "weights": {"spam": 2}}, "data")
    assert data.weights == {"spam": 2.0}
    assert recipe.parse(Labelled, {"source": "a.csv", "weights": "balanced"}, "data").weights == "balanced"
    files = {"type": "files", "validation": "b.csv"}
    with pytest.raises(RecipeError, match="balance: everywhere is done before rows are split"):
        recipe.parse(Labelled, {"source": "a.csv", "split": files, "balance": "everywhere"}, "data")


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return BPE(vocab=300).train(["ham spam 0 1 2 3"] * 3)


def test_a_row_is_the_same_whoever_asks(tokenizer: Any) -> None:
    source = LabelledRows(rows(9, 4), NAMES, tokenizer, 50, seed=3)
    whole = source.batch(5, 20)
    for first in range(5, 25, 5):
        part = source.batch(first, 5)
        assert torch.equal(part.labels, whole.labels[first - 5 : first])
        for one, (ids, real) in enumerate(zip(part.input_ids, part.attention_mask, strict=True)):
            row = first - 5 + one
            assert torch.equal(ids[real], whole.input_ids[row][whole.attention_mask[row]])
    assert sorted(name for [name] in source.documents(0, 13)) == sorted(row["id"] for row in rows(9, 4))
    shortest, longest = (extreme(map(len, source.texts)) for extreme in (min, max))
    widths = {source.batch(row, 1).input_ids.shape[1] for row in range(13)}
    assert (min(widths), max(widths), source.length) == (shortest, longest, longest)
    for [name], label in zip(source.documents(5, 20), whole.labels.tolist(), strict=True):
        assert NAMES[label] in name


def test_the_order_is_the_files_without_a_seed(tokenizer: Any) -> None:
    source = LabelledRows(rows(3, 2), NAMES, tokenizer, 50, seed=None)
    assert source.batch(0, 5).labels.tolist() == [0, 0, 0, 1, 1]


def test_long_texts_are_cut_and_counted_or_left_out(tokenizer: Any) -> None:
    given = [{"text": "ham " * count, "label": "ham", "id": f"f:{count}"} for count in (1, 5, 40)]
    short = LabelledRows(given, NAMES, tokenizer, 10, seed=None)
    assert (short.cut, short.length) == (1, 10)
    assert str(short) == "1 of 3 texts lose what is behind 10 tokens"
    assert torch.equal(short.batch(2, 1).input_ids[0], torch.tensor(tokenizer.encode("ham " * 40)[:10]))
    assert [row["id"] for row in fitting(given, tokenizer, 10)] == ["f:1", "f:5"]
    with pytest.raises(UserError, match="length: no text has room in 1 tokens"):
        fitting(given[1:], tokenizer, 1)


def test_documents_are_labelled_by_their_source() -> None:
    train = [("a.txt", "one two three four five six", "mail"), ("b.txt", "x y z", "web"), ("c.txt", "u v w", "web")]
    parts = BySource(words=3, most=2).parts(train, [("d.txt", "p q r", "web")])
    assert [(row["text"], row["label"], row["id"]) for row in parts.train] == [
        ("one two three", "mail", "a.txt#0"),
        ("four five six", "mail", "a.txt#1"),
        ("x y z", "web", "b.txt#0"),
        ("u v w", "web", "c.txt#0"),
    ]
    assert labels.names(parts) == ["mail", "web"]
    assert len(BySource(words=3, most=1).parts(train, []).train) == 2
    with pytest.raises(ValueError, match="balance: everywhere is done before"):
        BySource(balance="everywhere")
    with pytest.raises(ValueError, match="leave no passage"):
        BySource(words=0)
