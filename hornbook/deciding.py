"""`hornbook plan --explain`: prompt, fine-tune or train from scratch, with this user's numbers and machine."""

from dataclasses import dataclass

from hornbook.core import device
from hornbook.core.errors import UserError
from hornbook.core.machine import memory, physical_cores
from hornbook.plan.accelerators import find
from hornbook.plan.budget import Machines
from hornbook.plan.explain import User, explain
from hornbook.plan.resize import count

HERE = "here"


@dataclass(frozen=True)
class Told:
    """The command's arguments: sizes as people write them (5M, 2B)."""

    own: str
    base: str = "1B"
    examples: int = 0
    hours: float = 24.0
    private: bool = False


def decide(told: Told, on: str, mfu: float) -> str:
    """One page, the answer first."""
    tokens, base = count(told.own, what="--own"), count(told.base, what="--base")
    try:
        user = User(tokens=tokens, base=base, examples=told.examples, hours=told.hours, private=told.private)
        return explain(user, machines(on, mfu))
    except ValueError as error:
        raise UserError(str(error)) from None


def machines(on: str, mfu: float) -> Machines:
    """What it is reckoned with: `here` is this machine at its measured peak, anything else the table's."""
    if on == HERE:
        choice = device.choose()
        peak = 1e9 * device.peak_gflops(physical_cores(), choice.precision, device=choice.device)
        return Machines(name="this machine", count=1, flops=peak, memory=float(memory().available), mfu=mfu)
    kind, number = find(on)
    peak = kind.half * 1e12
    return Machines(name=kind.name, count=number, flops=peak, memory=kind.usable, mfu=mfu, price=kind.price)
