"""Scaled rotary positions: what each does to the rates, by hand. Beside transformers: tests/exchange/test_rope.py."""

import math

import pytest
import torch

from hornbook.model.position import Place
from hornbook.model.rope import Rope
from hornbook.model.scaling import DynamicScaling, LinearScaling, Llama3Scaling, LongScaling, YarnScaling
from tests.model.test_rope import rotated


def test_linear_scaling_is_a_slower_clock() -> None:
    q = torch.randn(16, generator=torch.Generator().manual_seed(0))
    slow = Rope(scaling=LinearScaling(factor=4.0))
    torch.testing.assert_close(rotated(slow, q, 12), rotated(Rope(), q, 3))


def test_llama3_scaling_leaves_the_fast_and_divides_the_slow() -> None:
    """Wavelengths under 8192 / 4 are kept, over 8192 / 1 are 8 times as long, between is between."""
    plain, scaled = Rope(base=5e5).rates(128), Rope(base=5e5, scaling=Llama3Scaling()).rates(128)
    waves, ratio = 2 * math.pi / plain, plain / scaled
    torch.testing.assert_close(ratio[waves < 2048], torch.ones(int((waves < 2048).sum())))
    torch.testing.assert_close(ratio[waves > 8192], torch.full((int((waves > 8192).sum()),), 8.0))
    between = ratio[(waves > 2048) & (waves < 8192)]
    assert len(between) > 3
    assert ((between > 1) & (between < 8)).all()


def test_dynamic_scaling_waits_until_the_text_is_longer() -> None:
    """At 4 times the length and a factor of 2 the base grows by 7^(d / (d - 2))."""
    position = Rope(scaling=DynamicScaling(factor=2.0, original_length=16)).build(Place(0, 1, 8, 16))
    short, long = torch.arange(16)[None], torch.arange(64)[None]
    plain = Rope().build(Place(0, 1, 8, 16))
    assert torch.equal(position.prepare(short, torch.zeros(()))[0], plain.prepare(short, torch.zeros(()))[0])
    grown = Rope(base=10_000.0 * 7 ** (8 / 6)).build(Place(0, 1, 8, 16))
    want = grown.prepare(long, torch.zeros(()))[0]
    torch.testing.assert_close(position.prepare(long, torch.zeros(()))[0], want, rtol=0, atol=1e-5)


def test_rows_of_a_batch_are_stretched_each_by_its_own_length() -> None:
    position = Rope(scaling=DynamicScaling(factor=2.0, original_length=16)).build(Place(0, 1, 8, 16))
    rows = torch.stack([torch.arange(64), torch.arange(64).clamp(max=9)])
    together, like = position.prepare(rows, torch.zeros(()))[0], torch.zeros(())
    for row in range(2):
        assert torch.equal(together[row], position.prepare(rows[row : row + 1], like)[0][0])


def test_yarn_keeps_the_fast_and_divides_the_slow() -> None:
    """At 4,096 tokens and base 10,000 a wave of 128 tokens turns 32 times; those over 4,096 less than once."""
    yarn = YarnScaling(factor=8.0, original_length=4096)
    plain, scaled = Rope().rates(128), Rope(scaling=yarn).rates(128)
    waves, ratio = 2 * math.pi / plain, plain / scaled
    assert ratio[waves < 120].max() == pytest.approx(1.0)
    assert ratio[waves > 4800].min() == pytest.approx(8.0)
    assert (ratio.diff() > -1e-5).all()
    assert yarn.attention() == pytest.approx(0.1 * math.log(8) + 1)  # section 3.4


def test_yarn_makes_scores_louder() -> None:
    q, k = torch.randn(2, 16, generator=torch.Generator().manual_seed(0))
    loud, still = (Rope(scaling=YarnScaling(factor=4.0, original_length=64, attention_factor=f)) for f in (1.5, 1.0))
    scores = [rotated(rope, q, 9) @ rotated(rope, k, 4) for rope in (loud, still)]
    assert scores[0].item() == pytest.approx(1.5**2 * scores[1].item(), rel=1e-5)


def test_long_scaling_has_one_set_of_factors_for_short_texts_and_one_for_long() -> None:
    scaling = LongScaling(short=(1.0, 2.0), long=(4.0, 8.0), factor=4.0, original_length=16)
    rope, plain = Rope(scaling=scaling), Rope().rates(4)
    longest = torch.tensor([16.0, 17.0]).view(2, 1, 1, 1)
    found = scaling.stretch(rope.rates(4), longest).flatten(1)
    torch.testing.assert_close(found, plain / torch.tensor([[1.0, 2.0], [4.0, 8.0]]))
    assert scaling.attention() == pytest.approx(math.sqrt(1 + math.log(4) / math.log(16)))
    with pytest.raises(ValueError, match="short: 2 factors for 4 turning pairs"):
        rope.build(Place(0, 1, 8, 16))
