"""What `hornbook plan` says: a recipe or a model, devices and wishes in; a table, or JSON, out."""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

from hornbook.console import short, span
from hornbook.core import recipe as recipes
from hornbook.core.errors import UserError
from hornbook.core.table import print_table
from hornbook.model.models import Model
from hornbook.plan.accelerators import find
from hornbook.plan.estimate import CHINCHILLA, USUAL, Bill, Fleet, affordable, attention_share, bill
from hornbook.plan.memory import Step, shape
from hornbook.plan.meshes import Choice, choose, fits, price, smallest_change
from hornbook.plan.resize import count, resize
from hornbook.settings import Tuning, open_recipe
from hornbook.show_model import is_model
from hornbook.tasks import row_tokens
from hornbook.train.mesh import AXES, Mesh


@dataclass(frozen=True)
class Wish:
    """The command's arguments."""

    recipe: str
    overrides: tuple[str, ...] = ()
    on: str = "h100"
    tokens: str | None = None
    size: str | None = None
    mesh: str | None = None
    budget: str | None = None
    price: float | None = None
    mfu: float = 0.40
    grams: float | None = None


@dataclass(frozen=True)
class Plan:
    """What is known of a training before it is run."""

    step: Step
    tokens: float
    why: str  # these tokens
    fleet: Fleet
    choice: Choice | None  # None: nothing fits
    change: str | None  # what makes it fit
    bill: Bill


def print_plan(wish: Wish, *, as_json: bool = False) -> None:
    """Plan, and print."""
    found = make_plan(wish)
    if as_json:
        print(json.dumps(as_plain(found), indent=2))
        return
    print_table(("plan", wish.recipe), list(_rows(found)))
    if found.choice is not None:
        room = found.fleet.device.usable
        parts = [(part, _bytes(size)) for part, size in found.choice.memory.items()]
        print_table(("memory of the fullest rank", ""), [*parts, ("there is", _bytes(room))])


def _bytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def make_plan(wish: Wish) -> Plan:
    """All that is said, as numbers."""
    device, number = find(wish.on)
    step, tokens, why = _training(wish)
    fleet = Fleet(device=device, count=number, mfu=wish.mfu, price=wish.price, half=step.half, grams=wish.grams)
    if wish.budget is not None:
        tokens, why = affordable(step.model, dollars(wish.budget), fleet), f"what {wish.budget} pays"
    if wish.mesh is not None:
        mesh = read_mesh(wish.mesh)
        mesh = dataclasses.replace(mesh, data=mesh.sizes(number)["data"])
        choice: Choice | None = price(step, mesh, fleet)
        change = None if choice is None or fits(choice, device) else _change(step, fleet)
    else:
        choice = next(iter(choose(step, fleet)), None)
        change = None if choice else _change(step, fleet)
    return Plan(step, tokens, why, fleet, choice, change, bill(step.model, tokens, fleet))


def _change(step: Step, fleet: Fleet) -> str:
    best = choose(step, fleet)
    return f"take --mesh {mesh_text(best[0])}" if best else smallest_change(step, fleet)


def _training(wish: Wish) -> tuple[Step, float, str]:
    """The step, how many tokens are read, and why so many."""
    tokens, why = (count(wish.tokens, what="tokens"), "as asked") if wish.tokens else (0.0, "")
    if is_model(recipes.read(recipes.find(wish.recipe))):
        model: Any = recipes.load(Model, wish.recipe, wish.overrides)  # type: ignore[arg-type]  # a union
        step = Step(model=_sized(model, wish.size), length=model.length)
    else:
        step, own = _of_recipe(wish)
        tokens, why = (tokens, why) if tokens else (own, "the recipe's")
    if not tokens:
        tokens, why = CHINCHILLA * shape(step.model).all, "20 a parameter (Chinchilla)"
    return step, tokens, why


def _of_recipe(wish: Wish) -> tuple[Step, float]:
    recipe = open_recipe(wish.recipe, wish.overrides)
    if isinstance(recipe, Tuning):
        raise UserError(f"{wish.recipe}: tunes a model that is there; plan takes a recipe that pretrains, or a model's")
    config, length = recipe.pretrain, row_tokens(recipe.data)
    own = float(config.tokens or (config.steps or 0) * config.tokens_per_step)
    step = Step(
        model=_sized(recipe.model, wish.size),
        length=length,
        micro_batch=config.micro_batch or 1,
        tokens=config.tokens_per_step,
        optimizer=config.optimizer,
        half=config.precision != "fp32",
        checkpoint_layers=config.checkpoint_layers,
    )
    return step, own


def _sized(model: Model, size: str | None) -> Model:
    return resize(model, count(size)) if size else model


def dollars(text: str) -> float:
    """Read `10000$` or `1.5M$`.

    >>> dollars("10000$"), dollars("$150k")
    (10000.0, 150000.0)
    """
    return count(text.strip("$ "), what="--budget")


def read_mesh(text: str) -> Mesh:
    """Read `data=8,tensor=8`."""
    names = get_type_hints(Mesh)
    values: dict[str, Any] = {}
    for item in text.split(","):
        name, _, value = item.partition("=")
        if name.strip() not in names or not value.strip():
            raise UserError(f"--mesh: {item!r} is no axis with its ranks; write data=8,tensor=8 ({', '.join(names)})")
        values[name.strip()] = int(value) if value.strip().isdigit() else value.strip()
    found: Mesh = recipes.parse(Mesh, values)
    return found


def mesh_text(choice: Choice) -> str:
    """As it is written on the command line."""
    sizes = {axis: getattr(choice.mesh, axis) for axis in AXES if getattr(choice.mesh, axis) not in (None, 1)}
    zero = [f"zero={choice.mesh.zero}"] if choice.mesh.shard > 1 else []
    return ",".join([*(f"{axis}={size}" for axis, size in sizes.items()), *zero]) or "data=1"


def _rows(found: Plan) -> Iterator[tuple[str, str]]:
    form, fleet, cost = shape(found.step.model), found.fleet, found.bill
    share = attention_share(found.step.model, found.step.length)
    yield "parameters", f"{form.all:,} ({short(form.all)})"
    yield "tokens", f"{short(found.tokens)}, {found.tokens / form.all:.1f} a parameter: {found.why}"
    yield (
        "operations",
        f"{cost.flops:.3g} FLOPs: 6 a parameter and token; attention's own, {share:.0%} more, not counted",
    )
    yield "devices", f"{fleet.count} x {fleet.device.name}, {fleet.speed / 1e12:,.0f} TFLOP/s at MFU {fleet.mfu:g}"
    yield from _layout(found)
    low, high = (cost.hours * fleet.mfu / each for each in reversed(USUAL))
    yield (
        "device hours",
        f"{cost.hours:,.3g} (MFU {USUAL[1]} to {USUAL[0]}: {low:,.3g} to {high:,.3g})"
        if high < 10
        else f"{cost.hours:,.0f} (MFU {USUAL[1]} to {USUAL[0]}: {low:,.0f} to {high:,.0f})",
    )
    time = f"{cost.days / 365.25:,.1f} years" if cost.days > 730 else f"{cost.days:,.1f} days"
    time = span(cost.days * 86400) if cost.days < 2 else time
    yield "time", f"{time}, by MFU alone"
    each = fleet.device.price if fleet.price is None else fleet.price
    yield "money", f"${cost.dollars:,.{0 if cost.dollars > 100 else 2}f} at ${each:g} an hour and device"
    carbon = "" if cost.kilograms is None else f", {cost.kilograms:,.0f} kg of CO2"
    yield (
        "energy",
        f"{cost.kwh:,.{0 if cost.kwh > 100 else 3}f} kWh at {fleet.device.watts:g} W a device, "
        f"a fifth more around it{carbon}",
    )


def _layout(found: Plan) -> Iterator[tuple[str, str]]:
    if found.choice is not None:
        best = found.choice
        again = ", activations computed again" if best.step.checkpoint_layers else ""
        yield "mesh", mesh_text(best) + again
        said = [f"{axis} {seconds:.2f} s" for axis, seconds in best.messages.items()]
        said += [f"waiting {best.waiting:.2f} s"] if best.waiting else []
        yield (
            "a step",
            f"{short(best.step.tokens)} tokens: computing {best.computing:.2f} s, "
            + ", ".join(said or ["no messages"]),
        )
    if found.change:
        yield "does not fit", f"the smallest change: {found.change}"


def as_plain(found: Plan) -> dict[str, Any]:
    """For programs: seconds, bytes, dollars."""
    form, best = shape(found.step.model), found.choice
    plain: dict[str, Any] = {"parameters": form.all, "tokens": found.tokens, **dataclasses.asdict(found.bill)}
    plain |= {"device": found.fleet.device.name, "devices": found.fleet.count, "mfu": found.fleet.mfu}
    plain |= {"does_not_fit": found.change}
    if best is not None:
        plain |= {"mesh": dataclasses.asdict(best.mesh), "memory_bytes": best.memory, "step_seconds": best.seconds}
    return plain
