"""The norm of queries and keys, which keeps scores from growing (QK-norm, Henry et al. 2020).

Either each head is normed by itself, all with the same gains (Qwen3, Gemma 3), or all heads of a query as one long
vector, before it is taken apart (OLMo 2, section 3.2; there a head may be large where the others are small).
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from hornbook.model.norm import LayerNorm, NoNorm, RMSNorm


@dataclass(frozen=True, kw_only=True)
class AcrossHeads:
    """All heads as one vector."""

    norm: LayerNorm | RMSNorm

    def build(self, head_dim: int, heads: int) -> nn.Module:
        return NormAcrossHeads(self.norm.build(heads * head_dim))


class NormAcrossHeads(nn.Module):
    def __init__(self, whole: nn.Module) -> None:
        super().__init__()
        self.whole = whole

    def forward(self, x: Float[Tensor, "batch time heads head_dim"]) -> Float[Tensor, "batch time heads head_dim"]:
        normed: Tensor = self.whole(x.flatten(-2))
        return normed.view_as(x)


HeadNorm = LayerNorm | RMSNorm | NoNorm | AcrossHeads


def build(config: HeadNorm | None, head_dim: int, heads: int) -> nn.Module:
    """The norm of (batch, time, heads, head_dim)."""
    if config is None:
        return nn.Identity()
    return config.build(head_dim, heads) if isinstance(config, AcrossHeads) else config.build(head_dim)
