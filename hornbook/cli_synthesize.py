"""`hornbook synthesize`: instructions that a model makes up, with a reason for each that was dropped."""

from pathlib import Path
from typing import Annotated

import typer


def synthesize(
    recipe: Annotated[str, typer.Argument(help="a recipe file, or a built-in name: synthetic/self-instruct")],
    overrides: Annotated[list[str] | None, typer.Argument(help="recipe values: rows=500 model.name=qwen")] = None,
    out: Annotated[Path | None, typer.Option(help="the folder to write; default runs/<recipe>")] = None,
    key: Annotated[Path | None, typer.Option(help="a file that holds the endpoint's key")] = None,
) -> None:
    """Let a model make up instructions and answer them; the same command again goes on where it was stopped.

    Example: hornbook synthesize synthetic/self-instruct method.seeds=seeds.jsonl model.url=http://localhost:8000/v1
    """
    from hornbook.core import recipe as recipes
    from hornbook.core.table import print_table
    from hornbook.synthesize import Synthesis
    from hornbook.synthesize import synthesize as run

    folder = out or Path("runs") / Path(recipe).with_suffix("").name
    config = recipes.load(Synthesis, recipe, overrides or [])
    ledger = run(config, folder, key=key, progress=lambda done, wanted: print(f"{done:,}/{wanted:,} rows", flush=True))
    print_table(("dropped", "times"), [list(pair) for pair in ledger["dropped"].items()])
    if ledger["rows"] < ledger["wanted"]:
        print(f"only {ledger['rows']:,} of {ledger['wanted']:,} rows: the last rounds brought nothing new")
    print(f"{folder / 'alpaca.jsonl'}, {folder / 'messages.jsonl'}: {ledger['rows']:,} rows")
