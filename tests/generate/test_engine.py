"""The writing loop: with and without state, alone and side by side, on a small GPT-2 and a small Llama."""

import pytest
import torch
from torch import nn

from hornbook.core.errors import UserError
from hornbook.generate.engine import Limits, Writing, write
from hornbook.generate.processors import penalize
from hornbook.generate.sample import Sampling
from hornbook.model.attention import Attention
from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.model.embed import Tokens
from hornbook.model.head import Language
from hornbook.model.init import Normal
from hornbook.model.mlp import MLP, GatedMLP
from hornbook.model.norm import RMSNorm
from hornbook.model.position import Learned
from hornbook.model.rope import Rope
from hornbook.model.stack import Stack, Sublayer

VOCAB, CONTEXT = 31, 24


def gpt2() -> DecoderModel:
    """Learned positions, layer norm, tied head."""
    layer: list[Sublayer] = [Attention(heads=2, bias=True), MLP(hidden=64)]
    stack = Stack(layers=2, layer=layer, position=Learned())
    return Decoder(dim=16, length=CONTEXT, embed=Tokens(vocab=VOCAB), stack=stack, init=Normal(std=0.3)).build()


def llama() -> DecoderModel:
    """Rotary positions, grouped heads, RMS norm, a window in every second layer, a soft-capped head of its own."""
    near: list[Sublayer] = [Attention(heads=4, kv_heads=2, window=6, qk_norm=RMSNorm()), GatedMLP(hidden=32)]
    far: list[Sublayer] = [Attention(heads=4, kv_heads=2), GatedMLP(hidden=32)]
    stack = Stack(layers=2, layer={"n": near, "f": far}, pattern="nf", norm=RMSNorm(), position=Rope())
    tokens = Tokens(vocab=VOCAB)
    init = Normal(std=0.3)
    return Decoder(
        dim=16, length=CONTEXT, embed=tokens, stack=stack, head=Language(tied=False, soft_cap=15.0), init=init
    ).build()


@pytest.fixture(params=[gpt2, llama], ids=["gpt2", "llama"])
def model(request: pytest.FixtureRequest) -> DecoderModel:
    return request.param()


def without_state(model: DecoderModel, prompt: list[int], tokens: int, penalty: float = 1.0) -> list[int]:
    """Greedy, reading everything again for every token."""
    ids = list(prompt)
    model.eval()
    for _ in range(tokens):
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[:, -1]
            seen = torch.zeros_like(logits, dtype=torch.bool)
            seen[0, ids] = True
            ids.append(int(penalize(logits, seen, penalty).argmax()))
    return ids[len(prompt) :]


def run(model: nn.Module, prompts: list[list[int]], sampling: Sampling, limits: Limits, seed: int = 0) -> list[Writing]:
    writings = [Writing(p, torch.Generator().manual_seed(seed + i)) for i, p in enumerate(prompts)]
    for _ in write(model, writings, sampling, limits):
        pass
    return writings


PROMPTS = [[3, 1, 4, 1, 5], [9], [2, 6, 5, 3, 5, 8, 9, 7], [9, 3, 2, 3]]
GREEDY = Sampling(temperature=0)


def test_with_state_equals_without_token_for_token(model: DecoderModel) -> None:
    for prompt in PROMPTS:
        (writing,) = run(model, [prompt], GREEDY, Limits(max_new_tokens=12))
        assert writing.new == without_state(model, prompt, 12)
        assert writing.reason == "length"


def test_the_repetition_penalty_knows_prompt_and_text(model: DecoderModel) -> None:
    rows = run(model, PROMPTS, Sampling(temperature=0, repetition_penalty=1.7), Limits(max_new_tokens=12))
    for row, prompt in zip(rows, PROMPTS, strict=True):
        assert row.new == without_state(model, prompt, 12, penalty=1.7)
        assert row.new != without_state(model, prompt, 12)


def test_prompts_of_different_lengths_side_by_side_equal_each_alone(model: DecoderModel) -> None:
    for sampling in (GREEDY, Sampling(temperature=1.3, top_p=0.9), Sampling(temperature=0.9, repetition_penalty=1.5)):
        together = run(model, PROMPTS, sampling, Limits(max_new_tokens=12), seed=5)
        for number, prompt in enumerate(PROMPTS):
            (alone,) = run(model, [prompt], sampling, Limits(max_new_tokens=12), seed=5 + number)
            assert together[number].new == alone.new


def test_one_pass_a_token(model: DecoderModel) -> None:
    lengths: list[int] = []
    hook = model.embed.register_forward_pre_hook(lambda module, inputs: lengths.append(inputs[0].shape[1]))
    run(model, [[1, 2], [3, 4]], GREEDY, Limits(max_new_tokens=5))
    hook.remove()
    assert lengths == [2, 1, 1, 1, 1], "the prompt at once, then a token at a time; the last one is not read"


def test_the_end_token_ends_a_row_and_is_left_out(model: DecoderModel) -> None:
    free = without_state(model, PROMPTS[0], 12)
    end = free[4]
    (writing,) = run(model, [PROMPTS[0]], GREEDY, Limits(max_new_tokens=12, end=frozenset([end])))
    assert writing.reason == "end"
    assert writing.new == free[: free.index(end)]


def test_a_row_that_ended_leaves_the_others_alone(model: DecoderModel) -> None:
    free = [without_state(model, prompt, 12) for prompt in PROMPTS]
    end = free[0][2]
    rows = run(model, PROMPTS, GREEDY, Limits(max_new_tokens=12, end=frozenset([end])))
    for row, expected in zip(rows, free, strict=True):
        assert row.new == (expected[: expected.index(end)] if end in expected else expected)


def test_writing_stops_at_the_context_each_row_at_its_own(model: DecoderModel) -> None:
    rows = run(model, PROMPTS, GREEDY, Limits(max_new_tokens=1000, context=CONTEXT))
    assert [len(row.prompt) + len(row.new) for row in rows] == [CONTEXT] * len(PROMPTS)
    assert {row.reason for row in rows} == {"length"}
    assert rows[2].new == without_state(model, PROMPTS[2], CONTEXT - 8)


def test_no_room_writes_nothing(model: DecoderModel) -> None:
    full = list(range(CONTEXT))
    for prompt, limits in [(full, Limits(context=CONTEXT)), ([1], Limits(max_new_tokens=0))]:
        (writing,) = run(model, [prompt], GREEDY, limits)
        assert (writing.new, writing.reason) == ([], "length")


def test_ids_past_the_tokenizers_are_never_written(model: DecoderModel) -> None:
    for sampling in (GREEDY, Sampling(temperature=5.0), Sampling(repetition_penalty=1.1)):
        (writing,) = run(model, [[1, 2]], sampling, Limits(max_new_tokens=20, vocab=4))
        assert max(writing.new) < 4


def test_a_reader_may_close_a_row(model: DecoderModel) -> None:
    writings = [Writing([1, 2]), Writing([3, 4])]
    for step, _ in enumerate(write(model, writings, GREEDY, Limits(max_new_tokens=9))):
        if step == 2:
            writings[0].reason = "stop"
    assert [len(writing.new) for writing in writings] == [3, 9]


def test_seeds_decide(model: DecoderModel) -> None:
    def draw(seed: int) -> list[int]:
        return run(model, [PROMPTS[0]], Sampling(), Limits(max_new_tokens=10), seed=seed)[0].new

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_training_mode_and_gradient_mode_come_back(model: DecoderModel) -> None:
    model.train()
    for _ in write(model, [Writing([1])], GREEDY, Limits(max_new_tokens=3)):
        assert torch.is_grad_enabled(), "between two steps the caller's own mode holds"
        assert not torch.is_inference_mode_enabled()
    assert model.training
    steps = write(model, [Writing([1])], GREEDY, Limits(max_new_tokens=3))
    next(steps)
    steps.close()
    assert model.training, "also when the reader goes away"


def test_prompts_that_cannot_be_written_on_are_refused(model: DecoderModel) -> None:
    with pytest.raises(UserError, match="no token to go on from"):
        run(model, [[]], GREEDY, Limits())
    with pytest.raises(UserError, match="prompt 2: 25 tokens do not fit the model's 24"):
        run(model, [[1], [1] * 25], GREEDY, Limits(context=CONTEXT))
    with pytest.raises(UserError, match="max_new_tokens: -1"):
        Limits(max_new_tokens=-1)


def test_a_prompt_that_stands_there_several_times_is_read_once(model: DecoderModel) -> None:
    """... and written on as if each stood alone."""
    read: list[int] = []
    forward = model.forward
    model.forward = lambda ids, **rest: (read.append(len(ids)), forward(ids, **rest))[1]  # type: ignore[method-assign]
    prompts = [PROMPTS[0]] * 3 + [PROMPTS[1]] * 2
    rows = run(model, prompts, Sampling(), Limits(max_new_tokens=9), seed=4)
    assert read[:2] == [2, 5]
    for number, (prompt, row) in enumerate(zip(prompts, rows, strict=True)):
        (alone,) = run(model, [prompt], Sampling(), Limits(max_new_tokens=9), seed=4 + number)
        assert row.new == alone.new


def test_finished_texts_leave(model: DecoderModel) -> None:
    """Once they are half of all; the others do not notice."""
    sizes: list[int] = []
    forward = model.forward
    model.forward = lambda ids, **rest: (sizes.append(len(ids)), forward(ids, **rest))[1]  # type: ignore[method-assign]
    end = frozenset(range(0, VOCAB, 4))
    prompts = [[1 + number, 2, 3] for number in range(16)]
    rows = run(model, prompts, Sampling(), Limits(max_new_tokens=12, end=end), seed=1)
    assert sizes[0] == 16
    assert sizes[-1] < 8
    for number, (prompt, row) in enumerate(zip(prompts, rows, strict=True)):
        (alone,) = run(model, [prompt], Sampling(), Limits(max_new_tokens=12, end=end), seed=1 + number)
        assert (row.new, row.reason, row.end) == (alone.new, alone.reason, alone.end)


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_the_engine_knows_how_likely_its_tokens_were(model: DecoderModel, temperature: float) -> None:
    """Of the distribution it drew from, the token that ended the text included."""
    limits = Limits(max_new_tokens=8, end=frozenset([0, 1, 2, 3]), vocab=VOCAB - 2, log_probabilities=True)
    rows = run(model, PROMPTS * 3, Sampling(temperature=temperature), limits)
    assert any(row.end is not None for row in rows)
    for row in rows:
        written = row.new + ([] if row.end is None else [row.end])
        logits = model(torch.tensor([row.prompt + written])).logits[0, len(row.prompt) - 1 : -1, : VOCAB - 2]
        expected = (logits / temperature).log_softmax(-1)[torch.arange(len(written)), torch.tensor(written)]
        assert row.log_probabilities == pytest.approx(expected.tolist(), abs=1e-5)
    assert run(model, PROMPTS, GREEDY, Limits(max_new_tokens=3))[0].log_probabilities == []
