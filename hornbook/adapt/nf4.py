"""NF4: a matrix in half a byte a number, for weights that are only read (Dettmers et al. 2023, QLoRA, section 3).

Weights look like draws from a normal distribution. So the 16 values a number can take stand where they cut that
distribution into equally likely parts (appendix E prints them), and every 64 numbers share a scale, their largest
magnitude. Double quantisation: the scales, less their mean, are stored in 8 bits themselves, in the uneven steps of
Dettmers et al. 2022 (8-bit optimizers, section 1.3), every 256 with a scale in fp32. That makes
4 + 8/64 + 32/(64 * 256) = 4.127 bits a number. The bytes are those that bitsandbytes makes.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor, nn

BLOCK = 64  # numbers that share a scale
SCALES = 256  # scales that share one
LEVELS = (
    -1.0,
    -0.6961928009986877,
    -0.5250730514526367,
    -0.39491748809814453,
    -0.28444138169288635,
    -0.18477343022823334,
    -0.09105003625154495,
    0.0,
    0.07958029955625534,
    0.16093020141124725,
    0.24611230194568634,
    0.33791524171829224,
    0.44070982933044434,
    0.5626170039176941,
    0.7229568362236023,
    1.0,
)  # appendix E


def dynamic_levels() -> Float[Tensor, "256"]:
    """The values of 8 bits: 7 decades, each cut into twice as many parts as the one below; 0; 1."""
    levels = [0.0, 1.0]
    for decade in range(7):
        edges = torch.linspace(0.1, 1, 2**decade + 1, dtype=torch.float32)
        middles = (edges[:-1] + edges[1:]) / 2 * 10.0 ** (decade - 6)
        levels += [*middles.tolist(), *(-middles).tolist()]
    return torch.tensor(sorted(levels))


FOUR_BITS, EIGHT_BITS = torch.tensor(LEVELS), dynamic_levels()
PAIRS = torch.stack([FOUR_BITS.repeat_interleave(16), FOUR_BITS.repeat(16)], 1)  # byte -> its two numbers


class Packed(nn.Module):
    """A matrix in NF4. Its bytes are no part of a state: they come again from the matrix they were made of."""

    nibbles: UInt8[Tensor, " half"]
    scales: UInt8[Tensor, " blocks"]
    steps: Float[Tensor, " groups"]
    mean: Float[Tensor, ""]

    def __init__(self, weight: Float[Tensor, "outputs inputs"]) -> None:
        super().__init__()
        self.shape = weight.shape
        blocks = _blocks(weight.detach().flatten().float(), BLOCK)
        largest = blocks.abs().amax(1)
        indices = _nearest(_divided(blocks, largest), FOUR_BITS).flatten()
        mean = largest.mean()
        groups = _blocks(largest - mean, SCALES)
        steps = groups.abs().amax(1)
        scales = _nearest(_divided(groups, steps), EIGHT_BITS).flatten()[: len(blocks)]
        for name, tensor in {
            "nibbles": indices[::2] << 4 | indices[1::2],
            "scales": scales,
            "steps": steps,
            "mean": mean,
        }.items():
            self.register_buffer(name, tensor, persistent=False)

    def matrix(self) -> Float[Tensor, "outputs inputs"]:
        """The numbers again, in fp32."""
        device = self.nibbles.device
        spread = self.steps.repeat_interleave(SCALES)[: len(self.scales)]
        largest = EIGHT_BITS.to(device)[self.scales.int()] * spread + self.mean
        numbers = F.embedding(self.nibbles.int(), PAIRS.to(device)).view(-1, BLOCK)
        return numbers.mul_(largest[:, None]).flatten()[: self.shape.numel()].view(self.shape)

    @property
    def bytes(self) -> int:
        """Memory taken."""
        return sum(buffer.numel() * buffer.element_size() for buffer in self.buffers())


def _blocks(numbers: Tensor, size: int) -> Float[Tensor, "blocks size"]:
    """In rows of `size`, the last one filled up with zeros."""
    return F.pad(numbers, (0, -len(numbers) % size)).view(-1, size)


def _divided(blocks: Tensor, largest: Tensor) -> Tensor:
    """Each block between -1 and 1; one of zeros stays so."""
    return blocks / torch.where(largest > 0, largest, 1)[:, None]


def _nearest(numbers: Tensor, levels: Tensor) -> UInt8[Tensor, "blocks size"]:
    """Which level is nearest."""
    levels = levels.to(numbers.device)
    return torch.bucketize(numbers, (levels[:-1] + levels[1:]) / 2).to(torch.uint8)
