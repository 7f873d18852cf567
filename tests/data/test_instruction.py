"""Packs of conversations: every trained token once, the same row from whoever asks, and a loss as if alone."""

import re

import numpy as np
import pytest
import torch

from hornbook.core import recipe
from hornbook.core.errors import UserError
from hornbook.data.batches import IGNORE, Batch
from hornbook.data.instruction import Example, InstructionRows, Instructions, Long
from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.objective.language import NextToken
from hornbook.text.bpe import BPE
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.chat import Renderer


@pytest.fixture(scope="module")
def tokenizer() -> ByteBPE:
    return BPE(vocab=270, split="gpt2").train(["some text to learn from, user and assistant"], processes=1)


def conversation(number: int, size: int) -> dict[str, object]:
    messages = [{"role": "user", "content": f"n{number}"}, {"role": "assistant", "content": "x" * size}]
    return {"messages": messages, "id": f"d{number}"}


SIZES = [3, 40, 11, 25, 7, 18, 2, 33]


@pytest.fixture
def rows(tokenizer: ByteBPE) -> InstructionRows:
    some = [conversation(number, size) for number, size in enumerate(SIZES)]
    return Instructions(length=96).build(some, Renderer(tokenizer), seed=3)


def test_every_trained_token_is_a_label_exactly_once_with_the_stop(rows: InstructionRows, tokenizer: ByteBPE) -> None:
    batch = rows.batch(0, rows.rows_per_epoch)
    labels = batch.labels[batch.labels != IGNORE].tolist()
    expected = [int(label) for row in rows.rows for label in row.labels if label != IGNORE]
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


@pytest.mark.parametrize("name", ["llama", "gpt2", "mamba", "rwkv", "gru", "hyena", "jamba"])
def test_packed_loss_and_gradients_are_those_of_the_rows_alone(tokenizer: ByteBPE, name: str) -> None:
    """Attention stays inside a conversation and a recurrent state begins anew with each."""
    model = decoder(tokenizer, name)
    whole, alone = built(tokenizer), built(tokenizer, packed=False)
    assert whole.rows_per_epoch < alone.rows_per_epoch == len(SIZES)
    packed, gradients = loss(model, [whole.batch(0, whole.rows_per_epoch)])
    one_by_one, expected = loss(model, [alone.batch(row, 1) for row in range(len(SIZES))])
    together, padded = loss(model, [alone.batch(0, 3), alone.batch(3, 5)])
    assert [packed, together] == pytest.approx([one_by_one] * 2, rel=1e-6)
    for parameter, gradient in expected.items():
        torch.testing.assert_close(gradients[parameter], gradient, atol=1e-6, rtol=0)
        torch.testing.assert_close(padded[parameter], gradient, atol=1e-6, rtol=0)


def test_accumulation_of_unequal_rows_changes_nothing(tokenizer: ByteBPE) -> None:
    """The mean is over all trained tokens, not over means of micro-batches."""
    model, rows = decoder(tokenizer, "llama"), built(tokenizer)
    whole, gradients = loss(model, [rows.batch(0, rows.rows_per_epoch)])
    parts = [rows.batch(row, 1) for row in range(rows.rows_per_epoch)]
    assert len({int((part.labels != IGNORE).sum()) for part in parts}) > 1, "they are unequal"
    accumulated, expected = loss(model, parts)
    assert whole == pytest.approx(accumulated, rel=1e-6)
    for parameter, gradient in expected.items():
        torch.testing.assert_close(gradients[parameter], gradient, atol=1e-6, rtol=0)


def built(tokenizer: ByteBPE, *, packed: bool = True) -> InstructionRows:
    some = [conversation(number, size) for number, size in enumerate(SIZES)]
    return Instructions(length=96, packed=packed).build(some, Renderer(tokenizer), seed=None)


def decoder(tokenizer: ByteBPE, name: str) -> DecoderModel:
    config = recipe.load(Decoder, f"models/{name}-tiny", [f"embed.vocab={tokenizer.vocab}", "length=96"])
    return config.build(torch.Generator().manual_seed(0)).double().eval()  # no dropout, no balance of experts


def loss(model: DecoderModel, batches: list[Batch]) -> tuple[float, dict[str, torch.Tensor]]:
    """The mean loss and its gradients, as the loop has them: summed, and divided by the count of all."""
    model.zero_grad()
    losses = [NextToken()(model, batch) for batch in batches]
    count = sum(each.count for each in losses)
    total = sum((each.sum for each in losses), torch.zeros((), dtype=torch.float64)) / count
    total.backward()
    found = {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}
    return total.item(), found


def test_without_packing_a_row_is_a_conversation_filled_up_to_the_longest_beside_it(tokenizer: ByteBPE) -> None:
    """The book's chapter 7: of the end tokens only the first is a label."""
    some = [conversation(number, size) for number, size in enumerate(SIZES)]
    rows = Instructions(length=300, packed=False).build(some, Renderer(tokenizer, "book"), seed=None)
    batch = rows.batch(0, len(SIZES))
    longest = max(len(row.inputs) for row in rows.rows)
    assert batch.input_ids.shape == (len(SIZES), longest)
    assert batch.document_ids is None
    for labels in batch.labels:
        assert (labels == tokenizer.end).sum() == 1
        assert labels[labels != IGNORE][-1] == tokenizer.end
    assert rows.documents(2, 2) == [["d2"], ["d3"]]


def test_everything_may_be_trained(tokenizer: ByteBPE) -> None:
    """Shi et al. 2024."""
    some = [conversation(number, size) for number, size in enumerate(SIZES)]
    rows = Instructions(length=96, trained="everything").build(some, Renderer(tokenizer), seed=None)
    assert all(row.trained == len(row.inputs) for row in rows.rows)
    batch = rows.batch(0, rows.rows_per_epoch)
    assert int((batch.labels != IGNORE).sum()) == sum(len(row.inputs) for row in rows.rows)


@pytest.mark.parametrize(
    ("messages", "sentence"),
    [
        ([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": ""}], "the content of role assistant is"),
        ([{"role": "user", "content": "Hi"}], "nothing of this conversation is trained"),
        ([{"role": "human", "content": "Hi"}], "role 'human' is not one of system, user, assistant"),
        ([], "messages: there is none"),
    ],
)
def test_a_row_that_teaches_nothing_is_named(tokenizer: ByteBPE, messages: list[object], sentence: str) -> None:
    bad = {"messages": messages, "id": "file.jsonl:17"}
    for trained in ("responses", "everything"):
        with pytest.raises(UserError) as refusal:
            Instructions(length=64, trained=trained).build([conversation(0, 3), bad], Renderer(tokenizer), seed=0)
        assert str(refusal.value).startswith("file.jsonl:17: ")
        assert sentence in str(refusal.value)


def test_the_counts_are_a_sentence(tokenizer: ByteBPE) -> None:
    some, renderer = [conversation(0, 5), conversation(1, 500)], Renderer(tokenizer)
    told = str(Instructions(length=64).build(some, renderer, seed=None))
    assert re.fullmatch(
        r"1 conversations of \d+ tokens, \d+% of them trained, in 1 rows of 64 \(\d+% full\); "
        "1 longer than 64 tokens, left out",
        told,
    )
    cut = [*some, {"messages": [{"role": "user", "content": "y" * 90}, *some[0]["messages"][1:]], "id": "lost"}]  # type: ignore[index]
    told = str(Instructions(length=64, long="cut").build(cut, renderer, seed=None))
    assert told.endswith("; 2 longer than 64 tokens were cut, 1 left out: no answer remained")


def test_fifty_thousand_rows_are_packed_tightly(tokenizer: ByteBPE) -> None:
    """As many as Alpaca has; every row once, and hardly any room left over."""
    sizes = np.random.default_rng(0).integers(20, 400, size=52_000)
    row = np.zeros(400, dtype=np.int32)
    examples = [Example(row[:size], row[:size], str(number)) for number, size in enumerate(sizes)]
    rows = InstructionRows(examples, Instructions(length=512), seed=0, long=Long(0, 0))
    assert sorted(row for pack in rows.packs for row in pack) == list(range(52_000))
    assert max(sum(sizes[row] for row in pack) for pack in rows.packs) <= 512
    assert sizes.sum() / (512 * len(rows.packs)) > 0.98


def test_long_rows_are_dropped_or_cut_and_counted(tokenizer: ByteBPE) -> None:
    some, renderer = [conversation(0, 5), conversation(1, 500)], Renderer(tokenizer)
    dropped = Instructions(length=64).build(some, renderer, seed=None)
    assert (len(dropped.rows), dropped.long) == (1, Long(rows=1, lost=1))
    cut = Instructions(length=64, long="cut").build(some, renderer, seed=None)
    assert (len(cut.rows), cut.long) == (2, Long(rows=1, lost=0))
    assert len(cut.rows[1].inputs) == 64
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
