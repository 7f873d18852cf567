"""Every head keeps the contract: built of (dim, vocab, width of the table), called with vectors and what is real."""

from typing import Any, get_args

import pytest
import torch

from hornbook.core.recipe import parse, tag
from hornbook.model.heads import Heads, RowsHead, TokenHead
from hornbook.model.masked_head import Pretraining
from hornbook.model.pool import RowHead

NEEDS = {"sequence_classifier": {"labels": 3}, "token_classifier": {"labels": 3}}
KINDS = {tag(kind): kind for kind in get_args(Heads)}


def build(name: str) -> Any:
    config: Any = parse(Heads, {"type": name, **NEEDS.get(name, {})}, "head")  # type: ignore[arg-type]  # a union
    head = config.build(6, 11, 6)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(parameter.numel()))
    return head


@pytest.mark.parametrize("name", KINDS)
def test_a_head_is_named_by_its_type_and_ignores_padding(name: str) -> None:
    head, hidden = build(name), torch.randn(2, 5, 6)
    found = head(hidden, torch.ones(2, 5).bool())
    torch.testing.assert_close(found, head(hidden))
    assert isinstance(head, RowHead) == (KINDS[name] in get_args(RowsHead))
    assert found.shape[:-1] == ((2,) if isinstance(head, RowHead) else (2, 5))


def test_a_head_speaks_of_tokens_or_of_rows() -> None:
    assert set(KINDS.values()) == {*get_args(TokenHead), *get_args(RowsHead), Pretraining}
