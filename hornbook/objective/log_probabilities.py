"""Log-probabilities of the labels, token by token or answer by answer, without ever holding all the logits.

What preferences and policies are learned from. The weight of an answer is known only when the log-probabilities of all
its tokens are, so unlike in cross_entropy.py the gradients cannot be found on the way forwards: a chunk's logits are
forgotten and made once more on the way back (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"), which
is a quarter of the head's work and nothing of the rest. Places without a label, such as prompts, need no logits at all.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hornbook.objective.batch import IGNORED
from hornbook.objective.cross_entropy import CHUNK


def log_probabilities(hidden: Tensor, labels: Tensor, head: nn.Module, *, chunk: int = CHUNK) -> Tensor:
    """log p(label) of every place, 0 where the label is ignored, in nats.

    hidden (..., dim), labels (...) -> (...), fp32. Differentiable by the hidden states and by the head's parameters.
    """
    places = (labels != IGNORED).flatten().nonzero()[:, 0]
    found = hidden.new_zeros(labels.numel(), dtype=torch.float32)
    if len(places):
        vectors, wanted = hidden.flatten(0, -2)[places], labels.flatten()[places]
        pieces = zip(torch.split(vectors, chunk), torch.split(wanted, chunk), strict=True)
        some = torch.cat([_again_on_the_way_back(head, vector, label) for vector, label in pieces])
        return found.index_copy(0, places, some).view(labels.shape)
    return (found + 0 * hidden.sum()).view(labels.shape)  # 0, with gradients of 0


def _again_on_the_way_back(head: nn.Module, vectors: Tensor, labels: Tensor) -> Tensor:
    if not torch.is_grad_enabled():
        return _of_labels(head, vectors, labels)
    found: Tensor = checkpoint(_of_labels, head, vectors, labels, use_reentrant=False, preserve_rng_state=False)
    return found


def _of_labels(head: nn.Module, vectors: Tensor, labels: Tensor) -> Tensor:
    """(places, dim), (places,) -> (places,)"""
    return -F.cross_entropy(head(vectors).float(), labels, reduction="none")
