"""Where a continuation begins, what is cut and what is shared."""

import random

import pytest

from hornbook.evaluate.pairs import Branch, Pair, branches, encode, families, fit, shared, windows


def letters(text: str) -> list[int]:
    return [ord(letter) for letter in text]


def test_spaces_at_the_end_of_the_context_are_the_continuations() -> None:
    assert encode(letters, "ab  ", "c", begin=0) == Pair((97, 98), (32, 32, 99))
    assert encode(letters, "", "c", begin=0) == Pair((0,), (99,))
    assert encode(lambda text: [0, *letters(text)], "", "c", begin=0) == Pair((0,), (99,))  # it adds its own


@pytest.mark.parametrize("length", [3, 4, 5, 9])
def test_a_context_loses_its_beginning(length: int) -> None:
    cut = fit(Pair((1, 2, 3, 4), (5, 6)), length)
    assert len(cut.context) + len(cut.continuation) - 1 == min(length, 5)
    assert cut.context == (1, 2, 3, 4)[-len(cut.context) :]
    assert cut.truncated == (length < 5)


def test_families_share_their_headers_and_lose_nobody() -> None:
    draw = random.Random(0)
    one, other = [tuple(draw.randrange(50) for _ in range(60)) for _ in range(2)]
    contexts = [(*header, *(draw.randrange(50) for _ in range(draw.randint(1, 9)))) for header in (one, other) * 5]
    contexts += [one[:40], (7, 8), (7, 8, 9)]
    pairs = [Pair(context, (number,)) for number, context in enumerate(contexts)]
    draw.shuffle(pairs)
    found = list(families(branches(pairs)))
    for family in found:
        heads = {branch.context[: family.header] for branch in family.branches}
        assert len(heads) == 1
        assert all(len(branch.context) > family.header for branch in family.branches)
    numbers = [number for family in found for branch in family.branches for number in branch.continuations]
    assert sorted(numbers) == list(range(len(pairs)))
    assert sum(len(family.branches) for family in found if family.header >= 30) == 11, [f.header for f in found]


def test_one_context_is_one_branch() -> None:
    found = branches([Pair((1, 2), (3,)), Pair((1,), (4, 5)), Pair((1, 2), (6, 7, 8))])
    assert found == [Branch((1,), {1: (4, 5)}), Branch((1, 2), {0: (3,), 2: (6, 7, 8)})]
    assert [branch.longest for branch in found] == [1, 2]


def test_what_is_shared_leaves_each_context_a_token() -> None:
    assert shared((1, 2, 3), (1, 2, 3, 4), 3) == 2
    assert shared((1, 2, 3), (1, 2, 9), 2) == 2
    assert shared((1, 2, 3), (9, 2, 3), 2) == 0


@pytest.mark.parametrize(("tokens", "length", "context"), [(1, 4, 1), (10, 4, 1), (10, 4, 3), (7, 7, 2), (23, 5, 4)])
def test_every_token_of_a_text_is_judged_once(tokens: int, length: int, context: int) -> None:
    ids = list(range(100, 100 + tokens))
    cut = list(windows(ids, begin=0, length=length, context=context))
    assert [token for pair in cut for token in pair.continuation] == ids
    assert all(len(pair.context) + len(pair.continuation) - 1 <= length for pair in cut)
    assert all(len(pair.context) >= context for pair in cut[1:])
    assert list(windows([], begin=0, length=length)) == []
