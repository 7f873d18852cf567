"""The mesh for a model on so many devices: of all that fit, the one that loses least to messages and waiting.

The price of a layout is stated, not measured: bytes a rank sends in a step over the link that its axis goes through
(the fast one where the axis stays within a node), nothing hidden behind computing, and for a pipeline the time in which
stages wait, (stages - 1) / micro-batches (Huang et al. 2019). What fits is by memory.py.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hornbook.core import recipe as recipes
from hornbook.model.encoder_decoder import EncoderDecoder
from hornbook.plan.accelerators import Accelerator
from hornbook.plan.estimate import Fleet, multiplied
from hornbook.plan.memory import Step, memory, shape
from hornbook.train.mesh import Mesh

INNERMOST_FIRST = ("tensor", "context", "shard", "data", "pipeline")


@dataclass(frozen=True)
class Choice:
    """A mesh, what a rank holds, and seconds of a step: computing, messages by axis, waiting."""

    mesh: Mesh
    step: Step
    memory: dict[str, float]
    computing: float
    messages: dict[str, float]
    waiting: float

    @property
    def seconds(self) -> float:
        """Of a step."""
        return self.computing + self.waiting + sum(self.messages.values())


def price(step: Step, mesh: Mesh, fleet: Fleet) -> Choice:
    """What a layout takes."""
    passes = step.passes(mesh, fleet.count)
    computing = 6 * multiplied(step.model) * step.tokens / fleet.speed
    computing *= 4 / 3 if step.checkpoint_layers else 1
    sent = traffic(step, mesh, fleet.count)
    messages = {axis: sent[axis] / _link(mesh, axis, fleet) for axis in sent if sent[axis]}
    return Choice(mesh, step, memory(step, mesh), computing, messages, computing * (mesh.pipeline - 1) / max(1, passes))


def traffic(step: Step, mesh: Mesh, world: int) -> dict[str, float]:
    """Bytes that one rank sends in a step, by axis; rings, fp32 weights and gradients, activations as computed."""
    form, passes = shape(step.model), step.passes(mesh, world)
    held = form.all / (mesh.tensor * mesh.pipeline)
    width = step.model.dim * (2 if step.half else 4)
    tokens = step.micro_batch * step.length / mesh.context
    layers = form.layers / mesh.pipeline
    data = mesh.data or 1
    gathers, sums = {1: (1, 1), 2: (1, passes), 3: (2 * passes, passes)}[mesh.zero]
    return {
        "data": 8 * held / mesh.shard * _ring(data),
        "shard": 4 * held * (gathers + sums) * _ring(mesh.shard),
        "context": 6 * passes * layers * tokens * width * _ring(mesh.context) * mesh.context,
        "tensor": 8 * passes * layers * tokens * width * _ring(mesh.tensor),
        "pipeline": 2 * passes * tokens * width if mesh.pipeline > 1 else 0.0,
    }


def _ring(ranks: int) -> float:
    """The share of a message that each of a ring passes on."""
    return (ranks - 1) / ranks


def _link(mesh: Mesh, axis: str, fleet: Fleet) -> float:
    """Bytes a second of the slowest link along an axis."""
    reach = 1
    for inner in INNERMOST_FIRST:
        reach *= getattr(mesh, inner) or 1
        if inner == axis:
            break
    return 1e9 * (fleet.device.link if reach <= fleet.device.node else fleet.device.network)


def meshes(step: Step, world: int, node: int) -> Iterator[Mesh]:
    """Every layout worth a look: tensors within a node and dividing the heads, stages dividing the layers."""
    heads, deep = _heads(step.model), shape(step.model).layers
    alone = isinstance(step.model, EncoderDecoder)
    for tensor in [each for each in _divisors(world) if each <= node and heads % each == 0]:
        for pipeline in [each for each in _divisors(world // tensor) if deep % each == 0 and not (alone and each > 1)]:
            rest = world // tensor // pipeline
            for shard in _divisors(rest):
                data = rest // shard
                if rest * step.length > step.tokens:
                    continue  # a reader without a row
                for zero in (1, 3) if shard > 1 else (3,):
                    yield Mesh(data=data, shard=shard, zero=zero, tensor=tensor, pipeline=pipeline)


def choose(step: Step, fleet: Fleet) -> list[Choice]:
    """What fits, best first; a layout is tried with and without forgetting activations."""
    found = []
    for mesh in meshes(step, fleet.count, fleet.device.node):
        for again in {step.checkpoint_layers, True}:
            tried = price(dataclasses.replace(step, checkpoint_layers=again), mesh, fleet)
            if tried.memory["together"] <= fleet.device.usable:
                found.append(tried)
    return sorted(found, key=lambda each: (each.seconds, each.mesh.tensor * each.mesh.pipeline))


def smallest_change(step: Step, fleet: Fleet) -> str:
    """What to do where nothing fits, the least first."""
    if step.micro_batch > 1 and choose(smaller := dataclasses.replace(step, micro_batch=1), fleet):
        return f"take micro-batches of {smaller.micro_batch} row instead of {step.micro_batch}"
    count = fleet.count
    while count < 2**14:
        count *= 2
        if choose(step, dataclasses.replace(fleet, count=count)):
            return f"take {count:,} devices instead of {fleet.count:,}"
    return f"take shorter rows than {step.length:,} tokens, or a smaller model"


def fits(choice: Choice, device: Accelerator) -> bool:
    """Whether the fullest rank has room."""
    return choice.memory["together"] <= device.usable


def _divisors(number: int) -> list[int]:
    return [each for each in range(1, number + 1) if number % each == 0]


def _heads(model: Any) -> int:
    """The heads that `tensor` must divide: keys' and values' where they are fewer; 1 where there are none."""
    found: list[int] = []

    def look(node: Any) -> None:
        for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            look(each)
        if isinstance(node, dict) and isinstance(node.get("heads"), int):
            found.append(node.get("kv_heads") or node["heads"])

    look(recipes.dump(model))
    return min(found, default=1)
