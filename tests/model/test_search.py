"""RNNsearch by its formulas; it learns to turn strings around, and its alignment shows how."""

import pytest
import torch
from torch import Tensor, nn

from hornbook.core import recipe
from hornbook.core.errors import RecipeError
from hornbook.model.encoder_decoder import EncoderDecoder, EncoderDecoderModel
from hornbook.model.search import Additive, AdditiveAttend, AttentiveGRU, LastWord, SearchingRecurrence
from tests.model.recurrent import context, made, row

LETTERS = 26


@torch.no_grad()
def test_the_alignment_is_the_formula() -> None:
    attend = AdditiveAttend(5, 12, 9)
    for parameter in attend.parameters():
        parameter.normal_(generator=torch.Generator().manual_seed(0))
    q, memory = torch.randn(2, 1, 4, 5), row(2, 6)
    real = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    weights = attend.weights(q, attend.keys(memory), real[:, None, None])
    for i in range(4):
        for row_ in range(2):
            count = int(real[row_].sum())
            scores = [
                attend.score.weight[0] @ torch.tanh(attend.query.weight @ q[row_, 0, i] + attend.key.weight @ word)
                for word in memory[row_, :count]
            ]
            torch.testing.assert_close(weights[row_, 0, i, :count], torch.stack(scores).softmax(0))
    assert (weights[1, ..., 4:] == 0).all()
    found = attend(q, attend.keys(memory), memory[:, None], real[:, None, None])
    torch.testing.assert_close(found, weights @ memory[:, None])


def test_a_summary_is_the_last_real_word() -> None:
    memory, real = row(3, 5), torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 0]]).bool()
    look = LastWord()
    found = look(torch.zeros(3, 1, 2, 7), look.keys(memory), memory[:, None], real[:, None, None])
    want = torch.stack([memory[0, 4], memory[1, 1], memory[2, 3]])
    assert torch.equal(found, want[:, None, None].expand(3, 1, 2, 12))


@torch.no_grad()
def test_the_decoder_is_a_gru_given_what_it_sees() -> None:
    op = made(AttentiveGRU(hidden=7, look=Additive(hidden=9)))
    assert isinstance(op, SearchingRecurrence)
    x, memory = row(2, 4), row(2, 6).flip(2)
    cell = nn.GRUCell(24, 7)
    cell.weight_ih.copy_(torch.cat([op.input.weight, op.seen.weight], 1))
    for parameter, ours in [
        (cell.bias_ih, op.input.bias),
        (cell.weight_hh, op.onwards.weight),
        (cell.bias_hh, op.onwards.bias),
    ]:
        parameter.copy_(ours)
    h, want = torch.tanh(op.start(memory[:, 0])), []
    for t in range(4):
        seen = op.attend(h[:, None, None], op.attend.keys(memory), memory[:, None], None)[:, 0, 0]
        h = cell(torch.cat([x[:, t], seen], -1), h)
        pairs = op.output(torch.cat([h, x[:, t], seen], -1))
        want.append(torch.maximum(pairs[:, 0::2], pairs[:, 1::2]))
    given = context(4)
    given.memory = memory
    torch.testing.assert_close(op(x, given), torch.stack(want, 1), rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_keys_of_a_source_are_computed_once() -> None:
    model = load("models/rnnsearch-tiny")
    (attend,) = (module for module in model.modules() if isinstance(module, AdditiveAttend))
    calls: list[int] = []
    attend.key.register_forward_hook(lambda *_: calls.append(1))
    state, source = model.new_state(2, 5), torch.randint(1, LETTERS, (2, 8))
    model(source, decoder_input_ids=source[:, :1], state=state)
    for _ in range(4):
        model(decoder_input_ids=source[:, :1], state=state)
    assert len(calls) == 1


def load(name: str, *overrides: str) -> EncoderDecoderModel:
    config = recipe.load(
        EncoderDecoder, name, [f"source.vocab={LETTERS + 1}", f"target.vocab={LETTERS + 1}", *overrides]
    )
    return config.build(torch.Generator().manual_seed(0))


def strings(rows: int, length: int, seed: int) -> Tensor:
    return torch.randint(1, LETTERS + 1, (rows, length), generator=torch.Generator().manual_seed(seed))


def shifted(target: Tensor) -> Tensor:
    """What the decoder has before each symbol: a start, then the target so far."""
    return torch.cat([torch.zeros_like(target[:, :1]), target[:, :-1]], 1)


def learn(model: EncoderDecoderModel, length: int, steps: int) -> None:
    """Plain training to turn strings around."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    warm = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        source = strings(64, length, seed=step)
        target = source.flip(1)
        logits = model(source, decoder_input_ids=shifted(target)).logits
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        warm.step()


@torch.no_grad()
def written(model: EncoderDecoderModel, source: Tensor) -> Tensor:
    """Greedy decoding through the state, symbol by symbol."""
    state, new, found = model.new_state(*source.shape), torch.zeros_like(source[:, :1]), []
    for i in range(source.shape[1]):
        given = source if i == 0 else None
        new = model(given, decoder_input_ids=new, state=state).logits[:, -1:].argmax(-1)
        found.append(new)
    return torch.cat(found, 1)


@torch.no_grad()
def alignment(model: EncoderDecoderModel, source: Tensor) -> Tensor:
    """(rows, target, source) weights, as a hook on the attention sees them, one call per symbol."""
    (attend,) = (module for module in model.modules() if isinstance(module, AdditiveAttend))
    seen: list[Tensor] = []

    def look(module: nn.Module, given: tuple[Tensor, ...], found: Tensor) -> None:
        q, k, _, mask = given
        seen.append(attend.weights(q, k, mask))

    hook = attend.register_forward_hook(look)
    model(source, decoder_input_ids=shifted(source.flip(1)))
    hook.remove()
    return torch.cat(seen, 2)[:, 0]


@pytest.mark.slow
def test_the_translator_learns_to_turn_strings_around_and_shows_how() -> None:
    """At least 99 of 100 strings without a mistake, and every symbol looks at its mirror image."""
    model = load("models/rnnsearch-tiny")
    learn(model, length=10, steps=600)
    source = strings(1000, 10, seed=10**6)
    assert (written(model, source) == source.flip(1)).all(1).float().mean() >= 0.99
    weights = alignment(model, source)
    assert (weights.argmax(-1) == torch.arange(9, -1, -1)).float().mean() > 0.99
    assert weights.diagonal(dim1=1, dim2=2).flip(1).shape == (1000, 10)
    assert weights.flip(2).diagonal(dim1=1, dim2=2).mean() > 0.9


@pytest.mark.slow
def test_without_a_search_long_strings_are_out_of_reach() -> None:
    """Systems of before attention: the same training, strings of 20; one vector has to hold all of them."""
    right = {}
    for name in ("models/rnnsearch-tiny", "models/rnnencdec-tiny"):
        model = load(name)
        learn(model, length=20, steps=600)
        source = strings(100, 20, seed=10**6)
        right[name] = (written(model, source) == source.flip(1)).float().mean().item()
    assert right["models/rnnsearch-tiny"] > 0.9
    assert right["models/rnnencdec-tiny"] < 0.3


def test_sizes_that_cannot_be_are_named() -> None:
    with pytest.raises(RecipeError, match=r"look\.hidden: 0 channels hold nothing"):
        load("models/rnnsearch-tiny", "decoder.layer.0.look.hidden=0")
