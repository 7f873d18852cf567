"""`hornbook scale`: how much better would a larger model be? A ladder of small ones says so, and is held to it."""

from pathlib import Path
from typing import Annotated

import typer

Listed = "by commas"


def scale(
    recipe: Annotated[str, typer.Argument(help="a recipe file, or a built-in name: demo, tiny/pretrain")],
    overrides: Annotated[list[str] | None, typer.Argument(help="recipe values: corpus.source=my/files")] = None,
    sizes: Annotated[str, typer.Option(help=f"parameters, {Listed}")] = "0.05M,0.1M,0.15M,0.25M,0.4M",
    tokens: Annotated[str, typer.Option(help=f"read by each size, {Listed}")] = "0.2M,0.4M,0.8M",
    predict: Annotated[str | None, typer.Option(help="PARAMETERS:TOKENS of a larger run")] = None,
    check: Annotated[str | None, typer.Option(help="the same, and it is trained: how wrong was it?")] = None,
    run: Annotated[Path | None, typer.Option("--run", help="the folder; default runs/scale/<recipe>")] = None,
) -> None:
    """Train a ladder of small models, fit L(N, D) to them, predict a larger one.

    The same command again goes on where it was stopped.

    Example: hornbook scale tiny/pretrain --sizes 0.05M,0.1M,0.15M,0.25M,0.4M --tokens 0.2M,0.4M,0.8M --check 0.9M:1.6M
    """
    from hornbook.plan.resize import count
    from hornbook.scaling import Scaling, in_words, pace
    from hornbook.scaling_report import write_scaling_report

    wished = [_run_of(text) for text in (predict, check) if text is not None]
    steps = [count(text, what="sizes") for text in sizes.split(",")]
    read = [count(text, what="tokens") for text in tokens.split(",")]
    scaling = Scaling(recipe, overrides or [], run or Path("runs/scale") / Path(recipe).with_suffix(""))
    found = scaling.climb(steps, read)
    law = found.law
    print(f"law        L = {law.E:.3f} + {law.A:.4g} / N^{law.alpha:.3f} + {law.B:.4g} / D^{law.beta:.3f}")
    print(f"           within {found.worst():.1%} of each run; {pace(scaling.ladder.rows())}")
    for text, (size, amount) in zip((name for name in (predict, check) if name), wished, strict=True):
        rung = scaling.rung(size, amount or read[-1] * size / steps[-1])
        row = scaling.check(found, rung) if text == check else scaling.predict(found, rung)
        print(f"predicted  {in_words(row)}")
    print(f"report     {write_scaling_report(scaling.folder)}")


def _run_of(text: str) -> tuple[float, float | None]:
    """PARAMETERS:TOKENS; without tokens, as many a parameter as the largest rung read."""
    from hornbook.plan.resize import count

    size, _, tokens = text.partition(":")
    return count(size, what="size"), count(tokens, what="tokens") if tokens else None
