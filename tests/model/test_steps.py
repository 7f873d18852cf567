"""Padding goes behind, the state is read after the last real step, packed documents come apart and together."""

import torch

from hornbook.model.mask import Sight
from hornbook.model.steps import Steps, documents_of, steps_of

ROW = torch.arange(1.0, 13.0).view(2, 6, 1)  # 1 ... 6 and 7 ... 12
REAL = torch.tensor([[0, 0, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0]]).bool()


def test_a_row_without_padding_is_left_alone() -> None:
    steps = steps_of(Sight(6))
    assert steps == Steps()
    assert steps.line_up(ROW) is ROW
    assert steps.put_back(ROW) is ROW
    assert steps.fresh() is None


def test_real_steps_come_first_and_go_back() -> None:
    steps = steps_of(Sight(6, real=REAL))
    lined = steps.line_up(ROW)
    assert lined[..., 0].tolist() == [[3, 4, 5, 1, 2, 6], [7, 8, 9, 10, 11, 12]]
    assert torch.equal(steps.put_back(lined), ROW)
    assert steps.turned(lined)[..., 0].tolist() == [[5, 4, 3, 1, 2, 6], [10, 9, 8, 7, 11, 12]]
    assert steps.real(lined).tolist() == [[True] * 3 + [False] * 3, [True] * 4 + [False] * 2]
    assert torch.equal(Steps().turned(ROW), ROW.flip(1))


def test_only_the_columns_of_this_pass_count() -> None:
    steps = steps_of(Sight(2, start=4, real=REAL))
    assert steps.count.tolist() == [1, 0]


def test_what_is_remembered_is_what_held_after_the_last_real_step() -> None:
    steps = steps_of(Sight(6, real=REAL & torch.tensor([[True], [False]])))
    lined, before = steps.line_up(ROW), torch.tensor([[-1.0], [-2.0]])
    assert steps.last(before, lined)[:, 0].tolist() == [5, -2]  # the second row has no step at all
    few = torch.tensor([[-9.0, -8, -7, -6], [-5, -4, -3, -2]])[..., None]
    assert steps.window(few, lined)[..., 0].tolist() == [[-6, 3, 4, 5], [-5, -4, -3, -2]]
    assert Steps().window(few, ROW)[..., 0].tolist() == [[3, 4, 5, 6], [9, 10, 11, 12]]


def test_documents_begin_where_the_number_changes() -> None:
    documents = torch.tensor([[4, 4, 9, 9, 9, 4], [1, 2, 2, 2, 2, 2]])
    steps = steps_of(Sight(6, documents=documents))
    assert steps.fresh().int().tolist() == [[1, 0, 1, 0, 0, 1], [1, 1, 0, 0, 0, 0]]
    assert steps.same_document(2).int().tolist() == [[0, 0, 0, 0, 1, 0], [0, 0, 0, 1, 1, 1]]
    assert not steps.same_document(7).any()  # further back than the row is long


def test_packed_documents_become_rows_and_come_back() -> None:
    documents = torch.tensor([[4, 4, 9, 9, 9, 4], [1, 2, 2, 2, 2, 2]])
    apart = documents_of(steps_of(Sight(6, documents=documents)))
    rows = apart.apart(ROW)
    assert rows[..., 0].tolist() == [
        [1, 2, 0, 0, 0],
        [3, 4, 5, 0, 0],
        [6, 0, 0, 0, 0],
        [7, 0, 0, 0, 0],
        [8, 9, 10, 11, 12],
    ]
    assert torch.equal(apart.together(rows), ROW)
    assert documents_of(Steps()) is None
