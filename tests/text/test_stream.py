"""Streams: no half characters, and all pieces end to end are what decoding at once gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.text.bpe import BPE
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.stream import StreamDecoder, pieces
from hornbook.text.wordpiece import WordPiece


@pytest.fixture(scope="module")
def tokenizer() -> ByteBPE:
    return BPE(vocab=270).train(["some text to learn from, some text " * 3])


def test_a_character_comes_whole(tokenizer: ByteBPE) -> None:
    decoder = StreamDecoder(tokenizer)
    pieces = [decoder.push(i) for i in tokenizer.encode("中é😀")]
    assert pieces == ["", "", "中", "", "é", "", "", "", "😀"]
    assert decoder.flush() == ""


def test_what_was_never_finished_is_replaced_and_forgotten(tokenizer: ByteBPE) -> None:
    decoder = StreamDecoder(tokenizer)
    for i in tokenizer.encode("中")[:2]:
        assert decoder.push(i) == ""
    assert decoder.flush() == "\ufffd"
    assert "".join(map(decoder.push, tokenizer.encode("a"))) == "a"


@given(ids=st.lists(st.integers(0, 269), max_size=30))
def test_the_pieces_are_the_whole(tokenizer: ByteBPE, ids: list[int]) -> None:
    decoder = StreamDecoder(tokenizer)
    assert "".join([*map(decoder.push, ids), decoder.flush()]) == tokenizer.decode(ids)


def test_the_space_in_front_of_a_word_is_kept_but_for_the_first() -> None:
    words = WordPiece(vocab=24, alphabet=5).train(["ab abc, ab abc b."] * 3)
    ids = words.encode("ab abc, b.")
    assert list(map(StreamDecoder(words).push, ids)) == ["ab", " abc", ",", " b", "."]
    assert StreamDecoder(words, after=ids[:1]).feed(ids[1:]) == " abc, b."
    assert StreamDecoder(words, after=[words.special["[CLS]"]]).push(ids[0]) == "ab"  # a text begins here
    assert b"".join(pieces(words, ids)).decode() == words.decode(ids) == "ab abc, b."
