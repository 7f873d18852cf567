from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpus.document import Document
from hornbook.corpus.split import BY_END, BY_HASH, FEW, LONG, Split, cut


def documents(count: int, offset: int = 0) -> list[Document]:
    return [Document(f"d{i}", f"the text number {i} of some", "s") for i in range(offset, offset + count)]


def split(docs: Iterable[Document], share: float = 0.05, per_batch: int = 7) -> tuple[str, dict[str, list[str]]]:
    docs = list(docs)
    rule = Split(share)
    sides: dict[str, list[str]] = {"train": [], "validation": []}
    for side, document in rule(docs[i : i + per_batch] for i in range(0, len(docs), per_batch)):
        sides[side].append(document.id)
    return rule.rule, sides


def test_the_share_is_held_out_by_hash() -> None:
    rule, sides = split(documents(10_000))
    assert rule == BY_HASH
    assert 430 < len(sides["validation"]) < 570  # 500 and three standard deviations
    assert sorted([*sides["train"], *sides["validation"]]) == sorted(d.id for d in documents(10_000))


def test_added_documents_move_nothing() -> None:
    _, before = split(documents(1_000, offset=500))
    _, after = split(documents(2_000))
    assert set(before["validation"]) <= set(after["validation"])
    assert set(before["train"]) <= set(after["train"])


def test_equal_texts_are_on_the_same_side() -> None:
    pairs = [Document(f"{d.id}{copy}", d.text, "s") for d in documents(2_000) for copy in "ab"]
    _, sides = split(pairs)
    held = set(sides["validation"])
    assert all((name[:-1] + "a" in held) == (name[:-1] + "b" in held) for name in held)


def test_of_few_documents_the_ends_are_held_out() -> None:
    rule, sides = split(documents(FEW - 1))
    assert rule == BY_END
    assert len(sides["train"]) == FEW - 1
    assert set(sides["validation"]) <= {f"d{i}#end" for i in range(FEW)}
    assert split(documents(FEW))[0] == BY_HASH


def test_a_long_document_among_many_gives_its_end() -> None:
    long = Document("long", "word " * (LONG // 5 + 1), "s")
    _, sides = split([*documents(500), long])
    assert "long" in sides["train"]
    assert "long#end" in sides["validation"]


def test_no_validation_holds_nothing_out() -> None:
    for count in (3, 500):
        assert split(documents(count), share=0.0)[1]["validation"] == []


@given(st.text(st.sampled_from("ab \n"), min_size=1, max_size=400), st.floats(0.01, 0.5))
def test_the_two_parts_are_the_text(text: str, share: float) -> None:
    parts = [part.text for _, part in cut(Document("d", text, "s"), share)]
    assert text.startswith("".join(parts))
    assert not text[len("".join(parts)) :].strip()  # white space alone is not worth a document
    assert sum(map(len, parts[1:])) <= 1.5 * share * len(text) + 2


@pytest.mark.parametrize("border", ["\n\n", "\n", " "])
def test_the_cut_falls_on_a_border(border: str) -> None:
    text = border.join(["word" * 3] * 100)
    _, (_, end) = cut(Document("d", text, "s"), 0.1)
    assert end.text.startswith("word")
    assert 0.09 <= len(end.text) / len(text) <= 0.12
