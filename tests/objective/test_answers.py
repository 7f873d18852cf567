"""Tokens to answers: what belongs to which, by a plain loop."""

import torch

from hornbook.objective.answers import Answers, by_answer, present
from tests.objective.answered import Case, case, padded


def test_sums_are_those_of_a_loop() -> None:
    draw = torch.Generator().manual_seed(0)
    each, labels = torch.randn(3, 30, generator=draw), torch.randint(-1, 4, (3, 30), generator=draw)
    labels[labels < 0] = -100
    documents = torch.randint(6, (3, 30), generator=draw).sort(1).values.int()  # 4 and 5 are padding
    sums, tokens = by_answer(each, labels, documents, 4)
    for row in range(3):
        for answer in range(4):
            here = (documents[row] == answer) & (labels[row] != -100)
            assert tokens[row, answer] == here.sum()
            torch.testing.assert_close(sums[row, answer], each[row][here].sum())


def test_packed_answers_are_read_as_they_are_alone() -> None:
    given = case(length=64)
    batch = given.batch()
    found = by_answer(_of_all(given), batch.labels, batch.document_ids, batch.reference.shape[1])
    alone = padded(given.answers, given.logits)
    sums, tokens = alone["log_probs"].sum(1).view(-1, 2), alone["completion_mask"].sum(1).view(-1, 2)
    for row, pack in enumerate(given.rows.packs):
        torch.testing.assert_close(found[0][row, : 2 * len(pack)], sums[pack].flatten())
        assert found[1][row, : 2 * len(pack)].tolist() == tokens[pack].flatten().tolist()
    assert present(batch).sum() == 10


def _of_all(given: Case) -> torch.Tensor:
    """log p of every place, without chunks."""
    batch = given.batch()
    logits = given.model()(batch.input_ids, document_ids=batch.document_ids, positions=batch.positions, logits=False)
    labels = batch.labels.clamp(min=0)[..., None]
    return logits.hidden.detach().log_softmax(-1).gather(-1, labels)[..., 0]


def test_a_lone_answer_is_no_pair() -> None:
    tokens = torch.tensor([[3, 2, 4, 0]])
    answers = Answers(torch.tensor([[-3.0, -4.0, -8.0, 0.0]]), tokens, torch.zeros(1, 4), torch.zeros(1, 4))
    assert [part.tolist() for part in answers.pairs(answers.mean)] == [[-1.0], [-2.0]]
    assert answers.there.tolist() == [[True, True, True, False]]
