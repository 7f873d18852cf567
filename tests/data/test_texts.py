"""Texts read whole: their marks, their cut, their padding."""

from hornbook.data.texts import padded, whole
from hornbook.text.bpe import BPE

TOKENIZER = BPE(vocab=300, split="gpt2").train(["the cat sat on the mat\n"] * 9, processes=1)


def test_a_text_is_cut_to_what_there_is_room_for() -> None:
    ids = TOKENIZER.encode("the cat sat")
    assert whole(TOKENIZER, "the cat sat", 100) == TOKENIZER.wrap(ids)[0]
    assert whole(TOKENIZER, "the cat sat", 2) == ids[:2]
    assert whole(TOKENIZER, "", 5) == [TOKENIZER.end]


def test_rows_are_filled_up_on_the_right() -> None:
    ids, real = padded([[5, 6, 7], [8]], TOKENIZER)
    assert ids.tolist() == [[5, 6, 7], [8, TOKENIZER.end, TOKENIZER.end]]
    assert real.tolist() == [[True, True, True], [True, False, False]]
