"""Packs of conversations: every trained token once, the same row from whoever asks, and a loss as if alone."""

import pytest
import torch

from hornbook.core.errors import UserError
from hornbook.data.batches import IGNORE, Batch
from hornbook.data.instruction import InstructionRows, Instructions
from hornbook.text.bpe import BPE
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.chat import Renderer


@pytest.fixture(scope="module")
def tokenizer() -> ByteBPE:
    return BPE(vocab=270, split="gpt2").train(["some text to learn from, user and assistant"], processes=1)


def conversation(number: int, size: int) -> dict[str, object]:
    messages = [{"role": "user", "content": f"n{number}"}, {"role": "assistant", "content": "x" * size}]
    return {"messages": messages, "document": f"d{number}"}


SIZES = [3, 40, 11, 25, 7, 18, 2, 33]


@pytest.fixture
def rows(tokenizer: ByteBPE) -> InstructionRows:
    some = [conversation(number, size) for number, size in enumerate(SIZES)]
    return Instructions(length=96).build(some, Renderer(tokenizer), seed=3)


def test_every_trained_token_is_a_label_exactly_once_with_the_stop(rows: InstructionRows, tokenizer: ByteBPE) -> None:
    batch = rows.batch(0, rows.rows_per_epoch)
    labels = batch.labels[batch.labels != IGNORE].tolist()
    expected = [i for row in rows.rows for i, trained in zip(row.ids, row.trained, strict=True) if trained]
    assert sorted(labels) == sorted(expected)
    assert labels.count(tokenizer.special["<|im_end|>"]) == len(SIZES)
    assert rows.tokens_per_row * rows.rows_per_epoch == len(labels)
    assert rows.rows_per_epoch < len(SIZES), "rows share packs"


def test_a_label_is_the_token_after_its_input(rows: InstructionRows) -> None:
    batch = rows.batch(0, rows.rows_per_epoch)
    inside = (batch.labels[:, :-1] != IGNORE) & (batch.document_ids[:, 1:] == batch.document_ids[:, :-1])
    assert torch.equal(batch.labels[:, :-1][inside], batch.input_ids[:, 1:][inside])
    begins = batch.positions == 0
    assert torch.equal(begins[:, 1:], batch.document_ids[:, 1:] != batch.document_ids[:, :-1])


def test_a_row_is_the_same_whoever_asks_for_it(rows: InstructionRows) -> None:
    whole = rows.batch(0, 9)
    for row in range(9):
        alone = rows.batch(row, 1)
        for name in ("input_ids", "labels", "document_ids", "positions"):
            assert torch.equal(getattr(whole, name)[row : row + 1], getattr(alone, name))


def test_an_epoch_sees_every_conversation_once(rows: InstructionRows) -> None:
    for epoch in range(2):
        names = rows.documents(epoch * rows.rows_per_epoch, rows.rows_per_epoch)
        assert sorted(name for pack in names for name in pack) == [f"d{n}" for n in range(len(SIZES))]


def test_packed_loss_is_the_loss_of_the_rows_alone(rows: InstructionRows, tokenizer: ByteBPE) -> None:
    from hornbook.model.attention import Attention
    from hornbook.model.decoder import Decoder
    from hornbook.model.embed import Tokens
    from hornbook.model.mlp import MLP
    from hornbook.model.position import Learned
    from hornbook.model.stack import Stack
    from hornbook.objective.language import NextToken

    stack = Stack(layers=2, layer=[Attention(heads=2), MLP(hidden=32)], position=Learned())
    model = Decoder(dim=16, length=96, embed=Tokens(vocab=tokenizer.vocab), stack=stack).build()
    packed = NextToken()(model, rows.batch(0, rows.rows_per_epoch))
    total, count = 0.0, 0
    for row in rows.rows:
        labels = torch.tensor([[i if trained else IGNORE for i, trained in zip(row.ids, row.trained, strict=True)]])
        loss = NextToken()(model, Batch(torch.tensor([row.ids[:-1]]), labels[:, 1:]))
        total, count = total + loss.sum.item(), count + loss.count
    assert packed.count == count
    assert packed.sum.item() == pytest.approx(total, rel=1e-5)


def test_long_rows_are_dropped_or_cut_and_counted(tokenizer: ByteBPE) -> None:
    some, renderer = [conversation(0, 5), conversation(1, 500)], Renderer(tokenizer)
    dropped = Instructions(length=64).build(some, renderer, seed=None)
    assert (len(dropped.rows), dropped.long) == (1, 1)
    cut = Instructions(length=64, long="cut").build(some, renderer, seed=None)
    assert (len(cut.rows), cut.long) == (2, 1)
    assert len(cut.rows[1].ids) == 65
    with pytest.raises(UserError, match="none of the 1 rows fits 5 tokens"):
        Instructions(length=5, long="cut").build(some[1:], renderer, seed=None)
    with pytest.raises(UserError, match="no rows"):
        Instructions(length=64).build([], renderer, seed=None)


def test_a_template_that_trains_no_stop_token_is_refused(tokenizer: ByteBPE) -> None:
    endless = Renderer(
        tokenizer, "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}"
    )
    with pytest.raises(UserError, match="never learn to stop"):
        Instructions(length=64).build([conversation(0, 3)], endless, seed=0)
