"""`hornbook evaluate human`: a page on which people judge answers blind."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hornbook.core.errors import UserError

if TYPE_CHECKING:
    from hornbook.evaluate.study import Scale


def human(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="A B...", help="models, or files with their answers; name=path gives one a name"),
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="a prompt a line, or JSONL; not needed where files hold the answers")
    ] = None,
    likert: Annotated[bool, typer.Option("--likert", help="rate answers one by one, 1 to 5")] = False,
    scale: Annotated[
        list[str] | None,
        typer.Option(help="'fluent: reads well', instead of helpful, correct, harmless; may be given again"),
    ] = None,
    guide: Annotated[Path | None, typer.Option(help="a text for the raters: how to judge")] = None,
    rater: Annotated[str, typer.Option(help="who judges; else the page asks")] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="of this machine; 0: any")] = 8100,
    out: Annotated[Path, typer.Option(help="where answers, judgements and scores go")] = Path("evaluations"),
    tokens: Annotated[int, typer.Option("--max-new-tokens", "-n", min=1, help="of an answer")] = 512,
    temperature: Annotated[float, typer.Option(min=0, help="of the models; 0 is greedy")] = 0.7,
    seed: Annotated[int, typer.Option(help="of the answers, the order and the sides")] = 0,
    browser: Annotated[bool, typer.Option("--open", help="open the page")] = False,
    results: Annotated[Path | None, typer.Option(help="no page: what came of an earlier one, by its --out")] = None,
) -> None:
    """Have people compare two models' answers, or rate them, without knowing whose they are.

    Example: hornbook evaluate human runs/demo runs/other --prompts questions.txt
    """
    from hornbook import human as people
    from hornbook.human_answers import Writing

    if results is not None:
        for report in people.results(results):
            print(report)
        return
    if not models:
        raise UserError("models: none; name two or more, or what came of an earlier page with --results DIR")
    wish = people.Wish(
        prompts=prompts,
        scales=scales(scale or [], likert=likert),
        rater=rater,
        guide=guide,
        port=port,
        out=out,
        browser=browser,
        writing=Writing(max_new_tokens=tokens, temperature=temperature, seed=seed),
    )
    print(people.evaluate(models, wish))


def scales(given: list[str], *, likert: bool) -> "tuple[Scale, ...]":
    """What is rated: the scales that were named, else the usual ones, none where answers are compared."""
    from hornbook.evaluate.study import USUAL, Scale

    found = [each.partition(":") for each in given]
    names = [name.strip() for name, _, _ in found]
    if not all(names) or len({*names}) < len(names):
        raise UserError(f"--scale: {', '.join(given)}: every scale has a name of its own; write 'fluent: reads well'")
    own = tuple(Scale(name.strip(), means.strip()) for name, _, means in found)
    return own or (USUAL if likert else ())
