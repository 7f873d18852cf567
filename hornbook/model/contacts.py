"""Which residues of a protein touch, read off the attention maps (Rao et al. 2021, section 3).

A language model of proteins has seen that residues which touch change together, and its heads look from one to the
other. A logistic regression on all maps of all layers, made symmetric and freed of what a row or a column shares
(average product correction, Dunn et al. 2008), says which pairs they are. Its few numbers are fitted after the model.
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from hornbook.model.attention import SelfAttention
from hornbook.model.blank import Linear
from hornbook.model.stack import LayerStack


@dataclass(frozen=True, kw_only=True)
class Contacts:
    """A probability for every pair of residues."""

    end: int  # id of the token behind the residues, which is none

    def build(self, stack: LayerStack) -> "ContactHead":
        heads = [module.heads for module in stack.modules() if isinstance(module, SelfAttention)]
        return ContactHead(sum(heads) * stack.repeats, self.end)


class ContactHead(nn.Module):
    """(batch, maps, time, time) -> (batch, residues, residues); the first token and the last are no residues."""

    def __init__(self, maps: int, end: int) -> None:
        super().__init__()
        self.end = end
        self.regression = Linear(maps, 1)

    def forward(
        self, maps: Float[Tensor, "batch maps time time"], residues: Tensor
    ) -> Float[Tensor, "batch residues residues"]:
        """residues: (batch, time), False where a token is padding or the end."""
        pairs = (residues[:, None, :, None] & residues[:, None, None, :]).to(maps.dtype)
        inner = (maps * pairs)[:, :, 1:-1, 1:-1]
        corrected = average_product_corrected(inner + inner.transpose(-2, -1))
        scores: Tensor = self.regression(corrected.movedim(1, -1))[..., 0]
        return scores.sigmoid()


def average_product_corrected(x: Float[Tensor, "*maps n n"]) -> Float[Tensor, "*maps n n"]:
    """x - (sum of its row) * (sum of its column) / (sum of all)"""
    return x - x.sum(-1, keepdim=True) * x.sum(-2, keepdim=True) / x.sum((-2, -1), keepdim=True)
