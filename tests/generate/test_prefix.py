"""What is found of earlier texts: the longest shared beginning, cut or whole. The least recently used goes first."""

import pytest
import torch

from hornbook.generate.prefix import Prefixes
from hornbook.generate.snapshot import shorten, size
from hornbook.model.op import State
from tests.generate.speaking import module


@torch.inference_mode()
def read(name: str, ids: list[int]) -> State:
    model = module(name)
    state: State = model.new_state(1, 30)  # type: ignore[union-attr]
    model(torch.tensor([ids]), state=state)
    return shorten(state, len(ids))


def test_attention_shares_the_longest_beginning() -> None:
    kept = Prefixes(10**7)
    kept.keep([1, 2, 3, 4, 5], read("llama", [1, 2, 3, 4, 5]))
    kept.keep([1, 2, 9], read("llama", [1, 2, 9]))
    for ids, shared in (([1, 2, 3, 7], 3), ([1, 2, 9, 9], 3), ([1, 2, 3, 4, 5, 6], 5), ([1, 8], 1), ([7, 8], 0)):
        found = kept.find(ids)
        assert (0 if found is None else found[1]) == shared


def test_the_last_token_is_always_read_anew() -> None:
    kept = Prefixes(10**7)
    kept.keep([1, 2, 3], read("llama", [1, 2, 3]))
    found = kept.find([1, 2, 3])
    assert found is not None
    assert found[1] == 2
    assert kept.find([1]) is None


@pytest.mark.parametrize("name", ["mamba", "rwkv", "hyena", "gru", "jamba"])
def test_a_recurrence_is_taken_whole_or_not_at_all(name: str) -> None:
    kept = Prefixes(10**7)
    kept.keep([1, 2, 3], read(name, [1, 2, 3]))
    assert kept.find([1, 2, 9, 9]) is None
    assert kept.find([1, 2, 3]) is None
    found = kept.find([1, 2, 3, 4])
    assert found is not None
    assert found[1] == 3


def test_a_longer_text_takes_the_place_of_its_own_beginning() -> None:
    kept = Prefixes(10**7)
    kept.keep([1, 2], read("llama", [1, 2]))
    kept.keep([1, 2, 3], read("llama", [1, 2, 3]))
    kept.keep([1, 2], read("llama", [1, 2]))
    assert [each.ids.tolist() for each in kept.kept] == [[1, 2, 3]]
    assert kept.bytes == size(kept.kept[0].state)
    whole = Prefixes(10**7)
    for ids in ([1, 2], [1, 2, 3], [1, 2]):
        whole.keep(ids, read("mamba", ids))
    assert [each.ids.tolist() for each in whole.kept] == [[1, 2, 3], [1, 2]], "a recurrence is another after each token"


def test_what_was_not_asked_for_longest_goes_first() -> None:
    one = size(read("llama", [1, 2, 3]))
    kept = Prefixes(2 * one)
    for first in (1, 2):
        kept.keep([first, 2, 3], read("llama", [first, 2, 3]))
    assert kept.find([1, 2, 3, 4]) is not None
    kept.keep([3, 2, 3], read("llama", [3, 2, 3]))
    assert [int(each.ids[0]) for each in kept.kept] == [1, 3]
    assert kept.bytes == 2 * one
    kept.keep([4] * 7, read("llama", [4] * 7))  # larger than all
    assert [int(each.ids[0]) for each in kept.kept] == [1, 3]
