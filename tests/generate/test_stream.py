"""Pieces of text: characters and stop strings that tokens cut, and reasons."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hornbook.core.errors import UserError
from hornbook.generate.engine import Writing
from hornbook.generate.sample import Sampling
from hornbook.generate.stream import Reader, sampling_of


class Bytes:
    """A tokenizer whose ids are bytes: every character beyond ASCII is cut."""

    vocab, end, special, fingerprint = 257, 256, {"<|endoftext|>": 256}, ""

    def decode_bytes(self, ids: list[int]) -> bytes:
        return bytes(ids)


def read(text: bytes, stop: list[str], reason: str = "length") -> tuple[list[str], Writing]:
    """The pieces of a text that comes a byte at a time."""
    writing, pieces = Writing([1]), []
    reader = Reader(writing, Bytes(), stop)
    for number, byte in enumerate(text):
        writing.new.append(byte)
        if number == len(text) - 1:
            writing.reason = reason
        pieces.append(reader.piece())
        if writing.reason == "stop":
            break
    assert reader.piece() == ""
    return pieces, writing


def test_a_character_comes_when_it_is_whole() -> None:
    pieces, _ = read("a三🌱".encode(), [])
    assert pieces == ["a", "", "", "三", "", "", "", "🌱"]


def test_a_character_that_is_never_whole_is_marked() -> None:
    pieces, _ = read("三".encode()[:2], [])
    assert "".join(pieces) == "\ufffd"


def test_a_stop_string_inside_cut_characters() -> None:
    pieces, writing = read("好的。再见".encode(), ["。再"])
    assert "".join(pieces) == "好的"
    assert writing.reason == "stop"
    assert len(writing.new) == len("好的。再".encode())


def test_what_was_held_back_comes_at_the_end() -> None:
    pieces, writing = read(b"abcEN", ["END"])
    assert pieces == ["a", "b", "c", "", "EN"]
    assert writing.reason == "length"


def test_a_stop_string_that_ends_with_the_last_token() -> None:
    pieces, writing = read(b"abEND", ["END"])
    assert ("".join(pieces), writing.reason) == ("ab", "stop")


def test_the_end_token_flushes_too() -> None:
    pieces, writing = read(b"abEN", ["END"], reason="end")
    assert ("".join(pieces), writing.reason) == ("abEN", "end")


def test_several_tokens_since_the_last_look_are_one_piece() -> None:
    writing = Writing([1], torch.Generator())
    reader = Reader(writing, Bytes(), [])
    writing.new += [97, 98]
    assert (reader.piece(), reader.piece()) == ("ab", "")


@given(
    text=st.text("三只猫🌱a。\n", min_size=1, max_size=12),
    stops=st.lists(st.text("三猫🌱a。", min_size=1, max_size=3), max_size=3),
    cuts=st.lists(st.integers(1, 5), min_size=1, max_size=40),
)
def test_no_piece_has_half_a_character_however_the_bytes_come(text: str, stops: list[str], cuts: list[int]) -> None:
    """Tokens of one to five bytes' worth between two looks, as speculation gives them."""
    data, writing, shown = text.encode(), Writing([1]), ""
    reader = Reader(writing, Bytes(), stops)
    while writing.reason is None and data:
        size = cuts[len(data) % len(cuts)]
        writing.new += data[:size]
        data = data[size:]
        if not data:
            writing.reason = "length"
        piece = reader.piece()
        assert "\ufffd" not in piece
        shown += piece
    ends = [(text.index(stop) + len(stop), text.index(stop)) for stop in stops if stop in text]
    assert shown == (text[: min(ends)[1]] if ends else text)
    assert writing.reason == ("stop" if ends else "length")


def test_an_option_that_is_none_is_refused() -> None:
    assert sampling_of({"temperature": 0.5, "top_k": 3, "seed": 1}) == Sampling(temperature=0.5, top_k=3)
    with pytest.raises(UserError, match="top_q: there is no such option; there are max_new_tokens, "):
        sampling_of({"top_q": 1})  # type: ignore[typeddict-unknown-key]
