"""`hornbook show`: a recipe with every value and its cost, where a model looks, which tokens of a file are trained."""

from pathlib import Path
from typing import Annotated

import typer

Shown = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE|MODEL|DATA",
        help="a recipe; for --attention a run, a folder, a hub id, a .gguf; for --mask a file or folder of rows",
    ),
]
Values = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY=VALUE]...", help="recipe values: pretrain.steps=200; of data: format=sharegpt"),
]


def show(
    shown: Shown,
    values: Values = None,
    attention: Annotated[str | None, typer.Option(metavar="TEXT", help="draw where every head looks")] = None,
    target: Annotated[str | None, typer.Option(help="what an encoder-decoder writes; default what it would")] = None,
    out: Annotated[Path, typer.Option(help="where the pictures go")] = Path("attention"),
    mask: Annotated[bool, typer.Option("--mask", help="show which tokens of a file's rows are trained")] = False,
    model: Annotated[str | None, typer.Option(help="whose tokenizer and template; default bytes and chatml")] = None,
    template: Annotated[
        str | None, typer.Option(help="alpaca, book, plain, chatml, phi3, llama3 ... or a file")
    ] = None,
    rows: Annotated[int, typer.Option(min=0, help="how many are shown; all are counted")] = 3,
    length: Annotated[int, typer.Option(min=1, help="tokens; longer rows are counted")] = 1024,
) -> None:
    """A recipe with why each value is what it is, and its cost; where a model looks; or what of a file is trained.

    Example: hornbook show demo pretrain.budget=10m

    Example: hornbook show runs/demo --attention "def read_lines(path):"

    Example: hornbook show my/rows.jsonl --mask --model runs/demo
    """
    if mask:
        from hornbook.show_mask import Wish, show_mask

        show_mask(Wish(shown, values or [], model, template, rows, length))
        return
    if attention is not None:
        from hornbook.attention_maps import open_subject, show_attention

        print(show_attention(open_subject(shown, values or []), attention, out, target=target))
        return
    from hornbook.show import show_recipe

    show_recipe(shown, values or [])
