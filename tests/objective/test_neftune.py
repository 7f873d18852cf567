"""NEFTune's noise: of the paper's size, while training only, per conversation and not per row."""

import math

import pytest
import torch

from hornbook.core import recipe
from hornbook.data.batches import Batch
from hornbook.model.decoder import Decoder, DecoderModel
from hornbook.objective.language import NextToken
from hornbook.objective.neftune import NoisyNextToken, row_lengths

DOCUMENTS = torch.tensor([[0] * 4 + [1] * 9 + [2] * 3, [0] * 16], dtype=torch.int32)


@pytest.fixture
def model() -> DecoderModel:
    config: Decoder = recipe.load(Decoder, "models/llama-tiny", ["embed.vocab=50", "length=16"])
    return config.build(torch.Generator().manual_seed(0))


def batch(documents: torch.Tensor | None = None) -> Batch:
    ids = torch.arange(32).reshape(2, 16)
    return Batch(ids, ids + 1, documents)


def disturbed(model: DecoderModel, alpha: float, given: Batch) -> torch.Tensor:
    """What the noise changes in the embedded tokens, as the stack is given them."""
    seen: list[torch.Tensor] = []
    hook = model.embed.register_forward_hook(lambda _module, _given, embedded: seen.append(embedded.detach()))
    NextToken()(model, given)
    NoisyNextToken(alpha=alpha)(model, given)
    hook.remove()
    return seen[1] - seen[0]


@pytest.mark.parametrize("documents", [None, DOCUMENTS])
def test_the_noise_is_uniform_and_as_large_as_the_paper_says(
    model: DecoderModel, documents: torch.Tensor | None
) -> None:
    torch.manual_seed(0)
    noise = torch.stack([disturbed(model.train(), 5.0, batch(documents)) for _ in range(200)])
    lengths = (
        torch.full((2, 16), 16.0)
        if documents is None
        else torch.tensor([[4.0] * 4 + [9.0] * 9 + [3.0] * 3, [16.0] * 16])
    )
    size = 5.0 / (lengths * model.config.dim).sqrt()
    assert (noise.abs().amax((0, 3)) <= size + 1e-6).all()
    torch.testing.assert_close(noise.std((0, 3)), size / math.sqrt(3), rtol=0.05, atol=0)
    assert noise.mean().abs() < 0.02


def test_packing_changes_nothing() -> None:
    expected = torch.tensor([[4.0] * 4 + [9.0] * 9 + [3.0] * 3, [16.0] * 16])
    assert torch.equal(row_lengths(batch(DOCUMENTS)), expected)
    assert torch.equal(row_lengths(batch()), torch.full((2, 1), 16.0))


def test_gemmas_scale_behind_the_table_leaves_the_noise_as_it_is() -> None:
    config: Decoder = recipe.load(Decoder, "models/gemma2-tiny", ["embed.vocab=50", "length=16"])
    noise = disturbed(config.build().train(), 5.0, batch())
    assert noise.abs().max() == pytest.approx(5.0 / math.sqrt(16 * config.dim), rel=0.02)


def test_without_training_there_is_none_and_nothing_stays_behind(model: DecoderModel) -> None:
    model.train()
    NoisyNextToken(alpha=5.0)(model, batch())
    assert not model.embed.table._forward_hooks
    model.eval()
    with torch.no_grad():
        assert float(NoisyNextToken(alpha=5.0)(model, batch()).sum) == float(NextToken()(model, batch()).sum)


def test_the_same_seed_is_the_same_noise(model: DecoderModel) -> None:
    losses = []
    for _ in range(2):
        torch.manual_seed(7)
        losses.append(NoisyNextToken(alpha=5.0)(model.train(), batch()).sum.item())
    assert losses[0] == losses[1] != NextToken()(model, batch()).sum.item()


def test_no_noise_is_another_objective() -> None:
    with pytest.raises(ValueError, match=r"alpha: 0.0 is no noise; give more than 0"):
        NoisyNextToken(alpha=0.0)
