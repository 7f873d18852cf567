"""Which numbers the products are made of, and the scale that keeps fp16 gradients from vanishing.

Mixed precision (Micikevicius et al. 2018): weights, their gradients and the optimizer stay fp32, matrix products run
in 16 bits. bf16 has fp32's range and needs no scale; fp16 does. On a CPU without bf16 units both are a hundred times
slower than fp32, so `auto` never picks them there.
"""

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
START = 2.0**10  # torch's is 2**16 for a mean; here the loss is a sum, as much larger as a step has tokens
GROW_AFTER = 2000  # good steps before the scale is doubled: torch.amp.GradScaler's default


@dataclass
class Precision:
    """The numbers of one run; `scale` moves only with fp16."""

    name: str
    device: str
    scale: float = 1.0
    good_steps: int = 0

    def __post_init__(self) -> None:
        if self.name == "fp16" and self.scale == 1.0:
            self.scale = START

    def context(self) -> AbstractContextManager[object]:
        """Around the forward pass."""
        if self.name == "fp32":
            return nullcontext()
        return torch.autocast(self.device, DTYPES[self.name])

    def may_overflow(self, norm: float) -> bool:
        """Whether a gradient that is no number can be fp16's fault: not any more once the scale is down to 1."""
        return self.name == "fp16" and self.scale > 1 and not math.isfinite(norm)

    def overflowed(self, norm: float) -> bool:
        """Whether fp16 gradients ran over: then the step is skipped and the scale halved; else it slowly grows."""
        if self.name != "fp16":
            return False
        if math.isfinite(norm):
            self.good_steps += 1
            if self.good_steps % GROW_AFTER == 0:
                self.scale *= 2
            return False
        self.scale, self.good_steps = self.scale / 2, 0
        return True
