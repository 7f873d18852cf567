"""The head for hidden words: its transform by hand, and narrow tables."""

import torch
import torch.nn.functional as F

from hornbook.model.masked_head import Masked, Pretraining
from hornbook.model.norm import LayerNorm


def test_the_transform_is_matrix_activation_norm() -> None:
    head = Masked(activation="relu", norm=LayerNorm(eps=0.1)).build(6, 11, 4)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, generator=torch.Generator().manual_seed(parameter.numel()))
    hidden = torch.randn(2, 3, 6)
    inside = F.layer_norm(F.relu(F.linear(hidden, head.dense.weight, head.dense.bias)), (4,), eps=0.1)
    inside = inside * head.norm.weight + head.norm.bias
    torch.testing.assert_close(head(hidden), F.linear(inside, head.words.weight, head.words.bias))
    torch.testing.assert_close(head(hidden[0, 1]), head(hidden)[0, 1])


def test_pretraining_has_the_same_head_for_words() -> None:
    words = Pretraining(masked=Masked(tied=False)).build(6, 11, 6)
    assert {name: tuple(p.shape) for name, p in words.named_parameters()} == {
        name: tuple(p.shape) for name, p in Masked(tied=False).build(6, 11, 6).named_parameters()
    }
