"""NF4: the published levels, the reference's bytes, the memory that the paper counts."""

import math

import pytest
import torch

from hornbook.adapt.nf4 import BLOCK, EIGHT_BITS, FOUR_BITS, Packed

# Dettmers et al. 2023, appendix E
PUBLISHED = [
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453,
    -0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0,
    0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
]  # fmt: skip

# bitsandbytes 0.50.2 on a CPU:
#   q, s = functional.quantize_4bit(waves(), blocksize=64, compress_statistics=True, quant_type="nf4")
#   d = functional.dequantize_4bit(q, s)
REFERENCE = {
    "first bytes": [17, 17, 17, 17, 0, 0, 0, 0],
    "sum of bytes": 1223472,
    "first scales": [15, 15, 15, 16, 16, 16],
    "sum of scales": 33690,
    "steps": [0.8754764795303345, 0.7648320198059082],
    "mean": 0.7031952142715454,
    "numbers": [-0.012911083176732063, -0.012911083176732063, -0.01854526996612549, -0.09241354465484619],
    "sum of numbers": 6360.830372581608,
    "largest error": 0.0424400269985199,
}


def waves() -> torch.Tensor:
    many = BLOCK * 300
    return torch.linspace(-3, 3, many).sin().mul(torch.linspace(0.1, 2, many)).view(300, BLOCK)


def test_the_levels_are_those_of_the_paper() -> None:
    assert FOUR_BITS.tolist() == PUBLISHED


def test_they_cut_a_normal_distribution_into_equal_parts() -> None:
    """Section 3: 8 quantiles above 0 and 7 below, out to the same tail, divided by it."""
    tail = 1 - (1 / 32 + 1 / 30) / 2
    normal = torch.distributions.Normal(0.0, 1.0)
    above = normal.icdf(torch.linspace(tail, 0.5, 9)[:-1])
    below = -normal.icdf(torch.linspace(tail, 0.5, 8)[:-1])
    levels = torch.cat([above, below, torch.zeros(1)]).sort().values / above.max()
    torch.testing.assert_close(levels, FOUR_BITS, rtol=0, atol=2e-4)


def test_the_bytes_are_the_references() -> None:
    matrix = waves()
    packed = Packed(matrix)
    back = packed.matrix()
    assert packed.nibbles[:8].tolist() == REFERENCE["first bytes"]
    assert int(packed.nibbles.long().sum()) == REFERENCE["sum of bytes"]
    assert packed.scales[:6].tolist() == REFERENCE["first scales"]
    assert int(packed.scales.long().sum()) == REFERENCE["sum of scales"]
    assert packed.steps.tolist() == REFERENCE["steps"]
    assert float(packed.mean) == REFERENCE["mean"]
    assert back.flatten()[[0, 5, 77, 1000]].tolist() == REFERENCE["numbers"]
    assert float(back.double().sum()) == pytest.approx(REFERENCE["sum of numbers"], abs=1e-6)
    assert float((back - matrix).abs().max()) == REFERENCE["largest error"]


def test_eight_bits_are_seven_decades() -> None:
    assert len(EIGHT_BITS) == len(EIGHT_BITS.unique()) == 256
    assert [0.0 in EIGHT_BITS, float(EIGHT_BITS[-1])] == [True, 1.0]
    positive = EIGHT_BITS[EIGHT_BITS > 0]
    counts = [int(((positive > 10.0 ** (i - 7)) & (positive < 10.0 ** (i - 6))).sum()) for i in range(7)]
    assert counts == [1, 2, 4, 8, 16, 32, 64]


def test_a_number_is_off_by_half_a_gap_of_its_block_at_most() -> None:
    draw = torch.Generator().manual_seed(0)
    matrix = torch.randn(96, 128, generator=draw)
    off = (Packed(matrix).matrix() - matrix).view(-1, BLOCK).abs()
    largest = matrix.view(-1, BLOCK).abs().amax(1, keepdim=True)
    widest = (FOUR_BITS[1:] - FOUR_BITS[:-1]).max() / 2
    assert bool((off <= largest * widest * 1.02).all()), "2 %: scales are rounded too"
    assert float(off.square().mean().sqrt()) < 0.1


def test_half_a_byte_a_number() -> None:
    packed = Packed(torch.randn(512, 512))
    bits = 8 * packed.bytes / 512**2
    assert bits == pytest.approx(4 + 8 / 64 + 32 / (64 * 256), abs=1e-3)
    assert math.isclose(bits / 8, 0.516, abs_tol=1e-3)
    assert packed.state_dict() == {}, "it comes again from the matrix it was made of"


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 64), (65, 1), (33, 191)])
def test_any_shape_comes_back(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    back = Packed(matrix).matrix()
    assert back.shape == matrix.shape
    assert float((back - matrix).abs().max()) < 0.2 * float(matrix.abs().max())


def test_zeros_stay_zeros() -> None:
    matrix = torch.zeros(4, 64)
    assert torch.equal(Packed(matrix).matrix(), matrix)
