"""Where the time of a training step goes: the operations that a profiler saw, sorted into a few kinds.

An operation belongs to the first kind that one of the operations around it names, the outermost first: the head's
product inside the chunked cross-entropy is loss, a product inside the optimizer is optimizer. Only an operation's own
time counts, so nothing counts twice; what is left of the clock is Python and waiting.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

DATA, OPTIMIZER = "doctor::data", "doctor::optimizer"  # marks around calls of the loop
KINDS = {
    "matrix products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "mkldnn::_linear", "aten::linear"),
    "attention": ("_Causal", "aten::scaled_dot_product", "aten::_scaled_dot_product", "ScaledDotProduct"),
    "loss: head, cross-entropy": (
        *("_ChunkedCrossEntropy", "_ChunkedSum", "aten::cross_entropy", "aten::log_softmax", "aten::_log_softmax"),
        *("aten::nll_loss", "LogSoftmaxBackward", "NllLoss"),
    ),
    "optimizer, clipping": (OPTIMIZER, "aten::_foreach", "Optimizer.step", "aten::_fused_adam"),
    "data": (DATA,),
}
ELEMENTWISE = "norms, activations, elementwise"
REST = "the rest: Python, waiting"
ORDER = (*KINDS, ELEMENTWISE, REST)


class Event(Protocol):
    """What torch.profiler says of an operation."""

    name: str
    cpu_parent: "Event | None"
    self_cpu_time_total: float  # microseconds


def shares(events: Iterable[Event], seconds: float) -> dict[str, float]:
    """Each kind's share of `seconds`, in ORDER; they add up to 1, or to more where threads overlap."""
    spent: dict[str, float] = defaultdict(float)
    for event in events:
        spent[kind_of(event)] += event.self_cpu_time_total / 1e6
    seconds = max(seconds, sum(spent.values()))
    spent[REST] += seconds - sum(spent.values())
    return {kind: spent[kind] / seconds for kind in ORDER}


def kind_of(event: Event) -> str:
    """The kind of an operation."""
    names = list(_outermost_first(event))
    for name in names:
        # `autograd::engine::evaluate_function: AddmmBackward0` holds the products of going back
        said = name.rpartition(": ")[2]
        for kind, beginnings in KINDS.items():
            if said.startswith(beginnings):
                return kind
    return ELEMENTWISE if names[-1].startswith("aten::") or "Backward" in names[-1] else REST


def _outermost_first(event: Event) -> Iterable[str]:
    """The names of the operations around one, and its own."""
    names, here = [], event
    while here is not None:
        names.append(here.name)
        here = here.cpu_parent  # type: ignore[assignment]  # None ends it
    return reversed(names)
