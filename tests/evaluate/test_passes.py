"""The cheapest passes, against all ways to cut a list."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core import recipe
from hornbook.evaluate.passes import PASS, TOKENS, passes, state_bytes, takes_padding
from hornbook.model.decoder import Decoder, DecoderModel


def cost(lengths: list[int], cut: list[range]) -> int:
    return sum(len(places) * lengths[places.start] + PASS for places in cut)


def every_cut(count: int) -> list[list[range]]:
    found = []
    for inner in itertools.product((False, True), repeat=count - 1):
        ends = [place + 1 for place, ends_here in enumerate(inner) if ends_here] + [count]
        found.append([range(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)])
    return found


@given(
    st.lists(st.integers(0, 300), min_size=1, max_size=8), st.integers(0, 9), st.lists(st.integers(0, 3), min_size=8),
    st.booleans(),
)  # fmt: skip
def test_no_other_cut_is_cheaper(lengths: list[int], room: int, sizes: list[int], padded: bool) -> None:
    lengths = sorted(lengths, reverse=True)
    sizes = sizes[: len(lengths)]

    def allowed(cut: list[range]) -> bool:
        return all(
            len(places) == 1
            or (
                len(places) * lengths[places.start] <= TOKENS
                and sum(sizes[place] for place in places) <= room
                and (padded or lengths[places.start] == lengths[places.stop - 1])
            )
            for places in cut
        )

    found = passes(lengths, sizes, room, padded=padded)
    assert [place for places in found for place in places] == list(range(len(lengths)))
    assert allowed(found)
    assert cost(lengths, found) == min(cost(lengths, cut) for cut in every_cut(len(lengths)) if allowed(cut))


def test_nothing_to_read() -> None:
    assert passes([], [], 0, padded=True) == []


def build(name: str) -> DecoderModel:
    config: Decoder = recipe.load(Decoder, f"models/{name}")
    return config.build().eval()


@pytest.mark.parametrize("name", ["bloom-tiny", "mistral-tiny", "mamba-tiny", "rwkv-tiny"])
def test_who_may_have_padding(name: str) -> None:
    assert takes_padding(build("llama-tiny"), 60)
    assert not takes_padding(build(name), 60)


def test_what_a_token_leaves_behind() -> None:
    model = build("gpt2-tiny")
    (state,) = {kept.keys.numel() + kept.values.numel() for kept, _ in model.new_state(1, 1).layers}
    assert state_bytes(model) == 4 * state * len(model.new_state(1, 1).layers)
