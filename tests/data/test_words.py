import numpy as np

from hornbook.data.words import Words, stops
from tests.data.conftest import MarkedTokenizer


class Pieces(MarkedTokenizer):
    """A vocabulary spelt out; with `glue` its pieces are WordPiece's: words apart, except where a piece says `##`."""

    def __init__(self, pieces: list[str], *, glue: bool = False) -> None:
        super().__init__(())
        self.pieces, self.glue, self.vocab = pieces, glue, len(pieces)

    def encode(self, text: str) -> list[int]:
        return [self.pieces.index(text)]

    def decode_bytes(self, ids: list[int]) -> bytes:
        pieces = [self.pieces[id_] for id_ in ids]
        return " ".join(pieces).replace(" ##", "").encode() if self.glue else "".join(pieces).encode()


def words(tokenizer: Pieces, ids: list[str]) -> list[list[str]]:
    places = [tokenizer.pieces.index(piece) for piece in ids]
    numbers = Words(tokenizer).number(np.array(places))
    return [[piece for piece, of in zip(ids, numbers, strict=True) if of == word] for word in range(numbers[-1] + 1)]


def test_a_space_begins_a_word_and_letters_go_on_with_it() -> None:
    bpe = Pieces(["a", "the", " the", "re", ",", "(", "\n", " 12", "34", "."])
    found = words(bpe, ["the", "re", ",", " the", "re", "(", "a", "\n", "the", " 12", "34", "."])
    assert found == [["the", "re"], [","], [" the", "re"], ["("], ["a"], ["\n"], ["the"], [" 12", "34"], ["."]]


def test_wordpiece_says_it_with_two_hashes() -> None:
    wordpiece = Pieces(["a", "play", "##ing", "the", ",", "##s"], glue=True)
    assert words(wordpiece, ["play", "##ing", "##s", ",", "the", "play"]) == [
        ["play", "##ing", "##s"], [","], ["the"], ["play"],
    ]  # fmt: skip


def test_where_no_spaces_are_written_each_token_is_a_word() -> None:
    han = Pieces(["a", "學而", "時", "習之", "ก", "b"])
    assert words(han, ["學而", "時", "習之", "ก", "a", "b"]) == [["學而"], ["時"], ["習之"], ["ก"], ["a", "b"]]


def test_the_bytes_of_one_character_stay_together() -> None:
    tokenizer = MarkedTokenizer()
    numbers = Words(tokenizer).number(np.array(list("é x".encode())))
    assert numbers.tolist() == [0, 0, 1, 2]


def test_a_full_stop_ends_a_sentence() -> None:
    tokenizer = Pieces(["a", ".", " end.", ".\n", "。", "1.5", "!", ","])
    assert stops(tokenizer).tolist() == [False, True, True, True, True, False, False, False]
