"""The best size and tokens for a budget of operations, hours or money on some machines, by the published laws.

`best_for(Budget(money=10_000), Machines(...))`. Hoffmann's 20 tokens a parameter, Besiroglu's corrected law, and where
the text is limited Muennighoff's: a model that is smaller and reads its text more than once.
"""

import math
from dataclasses import dataclass

from hornbook.plan.laws import EPOCH, MUENNIGHOFF, REPEATED_IN_VAIN, Best, Law, Repetition, positive

STATE_BYTES = (
    16.0  # a parameter: bf16 weights and gradients, fp32 weights and two moments (Rajbhandari et al. 2020, 3.1)
)
FREE_SHARE = 0.7  # of an accelerator's memory for these; the rest holds activations, logits and buffers


@dataclass(frozen=True, kw_only=True)
class Machines:
    """Accelerators of one kind."""

    name: str
    count: int
    flops: float  # of one per second at its peak, dense, in the precision that is trained in
    memory: float  # bytes of one
    mfu: float = 0.4  # share of the peak that a training reaches
    price: float | None = None  # of one for an hour, in the user's money

    def __post_init__(self) -> None:
        positive(count=self.count, flops=self.flops, memory=self.memory, mfu=self.mfu)
        if self.mfu > 1:
            raise ValueError(f"mfu: {self.mfu} is a share of the peak; give one up to 1, such as 0.4")

    def hours(self, flops: float) -> float:
        """Of the clock, for so many operations."""
        return flops / (self.count * self.flops * self.mfu) / 3600

    def cost(self, flops: float) -> float | None:
        """In the user's money; None where no price is known."""
        return None if self.price is None else self.hours(flops) * self.count * self.price


@dataclass(frozen=True, kw_only=True)
class Budget:
    """Exactly one of the three."""

    flops: float | None = None
    hours: float | None = None  # of the clock, all machines together
    money: float | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if len(given) != 1:
            had = " and ".join(given) or "none"
            raise ValueError(f"budget: give exactly one of flops, hours and money, not {had}")
        positive(**given)

    def operations(self, machines: Machines) -> float:
        """What it buys."""
        if self.flops is not None:
            return self.flops
        if self.hours is not None:
            return self.hours * 3600 * machines.count * machines.flops * machines.mfu
        assert self.money is not None, "checked above"
        if not machines.price:
            raise ValueError(f"budget: {self.money:g} of money, and no price of {machines.name} is known; give --price")
        return Budget(hours=self.money / machines.price / machines.count).operations(machines)


@dataclass(frozen=True)
class Advice:
    """What a budget should buy, where it fits, and what was taken into account."""

    best: Best
    flops: float
    hours: float
    money: float | None
    passes: float  # over the text, where it is limited; else 1
    mesh: dict[str, int]  # a hint: the fewest ranks that share the states, the rest as replicas
    sentence: str


def best_for(budget: Budget, machines: Machines, *, unique: float | None = None, law: Law = EPOCH) -> Advice:
    """The lowest loss for a budget; `unique`: tokens there are, None for as many as wanted."""
    flops = budget.operations(machines)
    best, passes = law.best(flops), 1.0
    if unique is not None and best.tokens > unique:
        best = Repetition(law=MUENNIGHOFF).best(flops, unique)
        passes = max(1.0, best.tokens / unique)
    mesh = sharing(best.parameters, machines)
    hours, money = machines.hours(flops), machines.cost(flops)
    sentence = (
        f"{flops:.2e} FLOPs on {machines.count} {machines.name} at {machines.mfu:.0%} of the peak ({hours:,.0f} hours"
        f"{'' if money is None else f', {money:,.0f} of money'}): {best.parameters / 1e9:.2f}B parameters, "
        f"{best.tokens / 1e9:,.0f}B tokens ({best.tokens_per_parameter:.0f} a parameter"
        f"{f', {passes:.1f} passes' if passes > 1 else ''})"
    )
    if passes > REPEATED_IN_VAIN:
        sentence += f"; beyond {REPEATED_IN_VAIN} passes more computing brings nothing, find more text"
    return Advice(best, flops, hours, money, passes, mesh, sentence)


def sharing(parameters: float, machines: Machines) -> dict[str, int]:
    """Ranks that share the training's states (ZeRO 3) so that they fit, as few as do, and what is left as replicas."""
    wanted = math.ceil(STATE_BYTES * parameters / (FREE_SHARE * machines.memory))
    shards = [n for n in range(1, machines.count + 1) if machines.count % n == 0 and n >= wanted]
    if not shards:
        return {"data": 1, "shard": wanted}  # more than there are: the caller says so
    return {"data": machines.count // shards[0], "shard": shards[0]}
