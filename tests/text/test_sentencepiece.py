"""What tokenizers of SentencePiece's kind share: tables, bytes, special tokens, words, faults."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.text.sentencepiece import BYTE_PIECES, Kind
from hornbook.text.sentencepiece_bpe import SentencePieceBPE
from hornbook.text.sentencepiece_rules import Rules
from hornbook.text.stream import StreamDecoder
from hornbook.text.unigram_tokenizer import UnigramTokenizer
from tests.text.made_up_pieces import ODD, whole

NAMES = ["<unk>", "<s>", "</s>", *BYTE_PIECES]
KINDS = [Kind.UNKNOWN, Kind.CONTROL, Kind.CONTROL, *[Kind.BYTE] * 256]
PIECES = [" ", "t", "h", "e", "th", "the", " the", "\n"]
LOSSLESS = Rules(dummy_prefix=False, squeeze=False, marked=False)


def unigram(rules: Rules = LOSSLESS) -> UnigramTokenizer:
    pieces = PIECES if not rules.marked else [piece.replace(" ", "▁") for piece in PIECES]
    scores = [0.0] * len(NAMES) + [-3.0, -3.0, -3.0, -3.0, -3.5, -2.5, -2.0, -4.0]
    return UnigramTokenizer.from_pieces([*NAMES, *pieces], scores, [*KINDS, *[Kind.NORMAL] * 8], rules=rules)


@given(st.text(st.characters(exclude_categories=[]), max_size=40))
def test_every_text_comes_back(text: str) -> None:
    tokenizer = unigram()
    assert tokenizer.lossless
    assert tokenizer.decode(tokenizer.encode(text)) == whole(text)
    assert tokenizer.decode_bytes(tokenizer.encode(text)) == whole(text).encode()


def test_odd_texts_come_back() -> None:
    for text in ODD:
        assert unigram().decode(unigram().encode(text)) == whole(text)


def test_special_tokens_only_where_asked_for() -> None:
    tokenizer = unigram()
    assert tokenizer.special == {"<unk>": 0, "<s>": 1, "</s>": 2}
    assert not {0, 1, 2} & {*tokenizer.encode("<s>the</s><unk>")}
    the = tokenizer.pieces.index("the")
    assert tokenizer.encode("<s>the</s>", special=True) == [1, the, 2]
    assert tokenizer.encode("<s> the", special=True) == [1, the + 1]
    assert tokenizer.encode("", special=True) == []


def test_the_space_in_front_is_dropped_again_and_only_that() -> None:
    tokenizer = unigram(Rules(squeeze=False))
    for text in ("the", " the", "  the", "x", "", " "):
        assert tokenizer.decode(tokenizer.encode(text)) == text
    assert not tokenizer.lossless  # a mark comes back as a space
    assert tokenizer.decode(tokenizer.encode("the▁the")) == "the the"


def test_text_is_streamed_as_it_is_decoded() -> None:
    for rules in (LOSSLESS, Rules(squeeze=False)):
        tokenizer, text = unigram(rules), "the  the 再\n"
        stream = StreamDecoder(tokenizer)
        assert "".join(map(stream.push, tokenizer.encode(text))) + stream.flush() == text


def test_roles_and_wrapping() -> None:
    tokenizer = unigram()
    assert tokenizer.roles == {"unk": 0, "bos": 1, "eos": 2}
    assert tokenizer.wrap([7, 8]) == ([7, 8], [0, 0])


def test_words_are_what_no_piece_reaches_across() -> None:
    assert unigram().words("the  the\n\nthe x") == ["the", "  the\n\n", "the", " x"]
    across = SentencePieceBPE.from_pieces(["<unk>", "</s>", "a b"], [0.0] * 3, [2, 3, 1], rules=Rules(marked=False))
    assert across.words("a b c") == ["a b c"]


def test_runs_of_unknown_characters_are_one_token() -> None:
    tokenizer = UnigramTokenizer.from_pieces(["<unk>", "</s>", "▁", "a"], [0, 0, -1, -1], [2, 3, 1, 1])
    assert tokenizer.encode("xx yax") == [2, 0, 2, 0, 3, 0]
    assert tokenizer.encode("xx") == [2, 0]
    assert tokenizer.decode([3, 0, 3]) == "a ⁇ a"


def test_a_copy_in_another_process_says_the_same() -> None:
    tokenizer = unigram()
    tokenizer.encode("the the")
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert (copy.fingerprint, copy.encode("the the")) == (tokenizer.fingerprint, tokenizer.encode("the the"))


def test_all_that_decides_ids_is_in_the_fingerprint() -> None:
    made = [
        unigram(),
        unigram(Rules()),
        UnigramTokenizer.from_pieces(["<unk>", "</s>", "a"], [0, 0, -1], [2, 3, 1]),
        UnigramTokenizer.from_pieces(["<unk>", "</s>", "a"], [0, 0, -2], [2, 3, 1]),
        UnigramTokenizer.from_pieces(["<unk>", "</s>", "a"], [0, 0, -1], [2, 3, 4]),
        SentencePieceBPE.from_pieces(["<unk>", "</s>", "a"], [0, 0, -1], [2, 3, 1]),
    ]
    assert len({tokenizer.fingerprint for tokenizer in made}) == len(made)


@pytest.mark.parametrize(
    ("pieces", "kinds", "sentence"),
    [
        (["<unk>", "</s>"], [2], "2 pieces, 2 scores and 1 kinds"),
        (["<unk>", "x"], [2, 1], "no piece ends a text: neither a named one nor any of </s>"),
        (["x", "</s>"], [1, 3], "no piece is of the kind UNKNOWN"),
        (["<unk>", "</s>"], [2, 8], "8 is not a valid Kind"),
    ],
)
def test_tables_that_are_none(pieces: list[str], kinds: list[int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        SentencePieceBPE.from_pieces(pieces, [0.0] * len(pieces), kinds)


def test_an_id_that_is_none() -> None:
    with pytest.raises(ValueError, match="id 999 is not one of this tokenizer's 267 ids"):
        unigram().decode([999])
