"""What a row has read and written, against counting it anew at every token."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hornbook.generate import past
from hornbook.generate.past import Past

VOCAB = 5
TOKENS = st.lists(st.integers(0, VOCAB - 1), max_size=25)


def completing(ids: list[int], n: int) -> set[int]:
    """By brute force: every token that would make the last n tokens a run that was there before."""
    runs = {tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)}
    return {token for token in range(VOCAB) if len(ids) >= n - 1 and (*ids[len(ids) - n + 1 :], token) in runs}


@given(prompt=TOKENS, text=TOKENS, n=st.integers(1, 4))
def test_it_keeps_up_with_the_text(prompt: list[int], text: list[int], n: int) -> None:
    """Asked at every token, now and then or at the end only."""
    new: list[int] = []
    always, late = Past(prompt, new), Past(prompt, new)
    for number, token in enumerate([*text, 0]):
        for one in (always, late) if number % 3 == 0 or number == len(text) else (always,):
            assert set(one.seen()) == {*prompt, *new}
            assert one.counts() == {token: new.count(token) for token in new}
            assert set(one.completing(n)) == completing([*prompt, *new], n)
        new.append(token)


@given(prompt=TOKENS, text=TOKENS, one=TOKENS, other=TOKENS)
def test_a_fork_goes_its_own_way(prompt: list[int], text: list[int], one: list[int], other: list[int]) -> None:
    first = Past(prompt, list(text))
    first.seen(), first.counts(), first.completing(2)
    second = first.fork()
    first.new += one
    second.new += other
    for each, tail in ((first, one), (second, other)):
        ids = [*prompt, *text, *tail]
        assert set(each.seen()) == set(ids)
        assert each.counts() == Past([], [*text, *tail]).counts()
        assert set(each.completing(2)) == completing(ids, 2)


def test_rows_as_tensors() -> None:
    rows = [Past([1, 2], [3, 3]), Past([], []), Past([0, 1, 0], [1])]
    like = torch.zeros(3, 5)
    assert past.seen(rows, like).int().tolist() == [[0, 1, 1, 1, 0], [0] * 5, [1, 1, 0, 0, 0]]
    assert past.counts(rows, like).tolist() == [[0, 0, 0, 2, 0], [0] * 5, [0, 1, 0, 0, 0]]
    assert past.completing(rows, like, 2).int().tolist() == [[0, 0, 0, 1, 0], [0] * 5, [1, 0, 0, 0, 0]]
    narrow = torch.zeros(3, 3)  # a table that ends before the tokenizer's
    assert past.seen(rows, narrow).int().tolist() == [[0, 1, 1], [0, 0, 0], [1, 1, 0]]
    assert past.counts(rows, narrow).tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_blocked_runs_equal_transformers(n: int) -> None:
    processors: Any = pytest.importorskip("transformers.generation.logits_process")
    ids = torch.randint(4 if n < 3 else 2, (8, 12), generator=torch.Generator().manual_seed(n))
    logits = torch.randn(8, VOCAB, generator=torch.Generator().manual_seed(0))
    expected = processors.NoRepeatNGramLogitsProcessor(n)(ids, logits)
    rows = [Past(row[:5], row[5:]) for row in ids.tolist()]
    found = logits.masked_fill(past.completing(rows, logits, n), float("-inf"))
    assert torch.equal(found, expected)
    assert not torch.equal(found, logits)
