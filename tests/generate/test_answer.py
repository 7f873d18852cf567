"""One answer: its tokens become pieces, held back where they must be; it ends for its own reason."""

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.generate.answer import Answer
from hornbook.generate.ticket import Ticket
from tests.generate.speaking import LENGTH, request, speaker

LOGITS = torch.linspace(0, 1, 131)


def test_pieces_hold_back_what_may_be_a_stop_string_and_end_with_a_reason() -> None:
    lm = speaker("llama", end=frozenset([99]))
    answer = Answer(Ticket(request(lm, [5], stop=("b c",), max_new_tokens=9)), lm, LENGTH)
    for token in (0, 1, 3, 1, 2):  # "a b d b c "
        answer.take(token, LOGITS)
    assert answer.ended
    assert [piece.text for piece in answer.ticket] == ["a ", "", "b d ", "", ""]


def test_the_end_token_is_not_told() -> None:
    lm = speaker("llama", end=frozenset([99]))
    answer = Answer(Ticket(request(lm, [5], top_log_probabilities=0)), lm, LENGTH)
    for token in (0, 99):
        answer.take(token, LOGITS)
    pieces = list(answer.ticket)
    assert [(piece.ids, piece.reason) for piece in pieces] == [([0], None), ([], "end")]
    assert pieces[0].log_probabilities[0].log_probability == pytest.approx(float(LOGITS.log_softmax(-1)[0]))
    assert answer.ticket.usage.new == 1


def test_a_model_without_a_tokenizer_cannot_answer() -> None:
    lm = speaker("llama")
    lm.tokenizer = None
    with pytest.raises(UserError, match=r"no tokenizer\.json"):
        Answer(Ticket(request(lm, [5])), lm, LENGTH)


def test_a_translator_wants_a_source() -> None:
    lm = speaker("t5")
    with pytest.raises(UserError, match="source: goes with"):
        Answer(Ticket(request(speaker("llama"), [5])), lm, LENGTH)
