"""`hornbook plan`: what a training takes before it is run, in memory, time, money and energy, and how to lay it out."""

from typing import Annotated

import typer


def plan(
    recipe: Annotated[str, typer.Argument(help="a recipe, or a model's alone: demo, models/llama2-7b")] = "demo",
    overrides: Annotated[list[str] | None, typer.Argument(help="recipe values: stack.layers=16")] = None,
    on: Annotated[str, typer.Option(help="devices: a100, h100x64, mi300xx8 ...")] = "h100",
    tokens: Annotated[str | None, typer.Option(help="read in all: 2T; default the recipe's, or 20 a parameter")] = None,
    size: Annotated[str | None, typer.Option(help="the same design with so many parameters: 10B")] = None,
    mesh: Annotated[str | None, typer.Option(help="a layout to look at: shard=8,tensor=8; default the best")] = None,
    budget: Annotated[str | None, typer.Option(help="dollars: 10000$; how many tokens they read")] = None,
    price: Annotated[float | None, typer.Option(help="dollars an hour and device; default the table's")] = None,
    mfu: Annotated[float, typer.Option(help="share of the peak that is got; 0.3 to 0.5 is usual")] = 0.40,
    grams: Annotated[float | None, typer.Option(help="of CO2 a kWh, where you are")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="prompt, fine-tune or train from scratch?")] = False,
    own: Annotated[str, typer.Option(help="tokens of your own text, for --explain")] = "1M",
    base: Annotated[str, typer.Option(help="parameters of the model you would prompt or tune, for --explain")] = "1B",
    examples: Annotated[int, typer.Option(help="questions with good answers that you have, for --explain")] = 0,
    hours: Annotated[float, typer.Option(help="that you would wait, for --explain")] = 24.0,
    private: Annotated[bool, typer.Option("--private", help="the text may not leave the machine")] = False,
    json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """What a training takes: operations, memory of a rank, the layout, time, money and energy.

    Example: hornbook plan models/llama2-7b --tokens 2T --on a100x1024

    Example: hornbook plan models/llama2-70b --on h100x64

    Example: hornbook plan --explain --own 5M --examples 2000 --on here
    """
    if explain:
        from hornbook.deciding import Told, decide

        print(decide(Told(own, base, examples, hours, private), on, mfu), end="")
        return
    from hornbook.planning import Wish, print_plan

    asked = Wish(recipe, tuple(overrides or ()), on, tokens, size, mesh, budget, price, mfu, grams)
    print_plan(asked, as_json=json)
