"""When a mask is needed, and what it then lets through."""

import torch

from hornbook.model.mask import Sight

CPU = torch.device("cpu")


def show(sight: Sight, *, causal: bool = True, window: int | None = None, row: int = 0) -> list[str]:
    mask = sight.visible(CPU, causal=causal, window=window)
    assert mask is not None
    return ["".join(".x"[seen] for seen in line) for line in mask[row, 0].int().tolist()]


def test_no_mask_where_the_kernel_needs_none() -> None:
    assert Sight(5).visible(CPU, causal=True, window=None) is None
    assert Sight(5).visible(CPU, causal=False, window=None) is None
    assert Sight(5).visible(CPU, causal=True, window=5) is None  # the window holds everything
    assert Sight(1, start=7).visible(CPU, causal=True, window=None) is None  # one new token sees all


def test_a_prompt_in_parts_sees_what_came_before() -> None:
    assert show(Sight(2, start=3)) == ["xxxx.", "xxxxx"]


def test_windows() -> None:
    assert show(Sight(4), window=2) == ["x...", "xx..", ".xx.", "..xx"]
    assert show(Sight(4), causal=False, window=2) == ["xx..", "xxx.", ".xxx", "..xx"]
    assert show(Sight(1, start=3), window=2) == ["..xx"]


def test_padding_is_not_seen_but_sees_itself() -> None:
    real = torch.tensor([[False, True, True], [True, True, False]])
    assert show(Sight(3, real=real)) == ["x..", ".x.", ".xx"]
    assert show(Sight(3, real=real), row=1) == ["x..", "xx.", "xxx"]


def test_documents_do_not_see_each_other() -> None:
    documents = torch.tensor([[4, 4, 9, 9]])
    assert show(Sight(4, documents=documents)) == ["x...", "xx..", "..x.", "..xx"]
    assert show(Sight(4, documents=documents), causal=False) == ["xx..", "xx..", "..xx", "..xx"]


def test_the_documents_of_packed_rows_as_spans() -> None:
    documents = torch.tensor([[0, 0, 1, 1, 1, 2], [3, 3, 3, 3, 3, 3]], dtype=torch.int32)
    assert Sight(6, documents=documents).spans() == [(0, 0, 2), (0, 2, 5), (0, 5, 6), (1, 0, 6)]
    assert Sight(6).spans() is None
    assert Sight(6, real=torch.ones(2, 6, dtype=torch.bool), documents=documents).spans() is None
    again = torch.tensor([[0, 0, 1, 1, 0, 0]])  # goes on after another one
    assert Sight(6, documents=again).spans() is None
