"""`hornbook evaluate`: a run's own scores, models on benchmarks, and what two evaluations say of each other."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hornbook.cli_evaluate_human import human
from hornbook.cli_evaluate_judge import judge
from hornbook.cli_evaluate_text import perplexity, text
from hornbook.core.errors import UserError

MODELS = "models"  # the command that is meant where none is named
Tasks = Annotated[str, typer.Option("--tasks", "-t", help="names or files, with commas: arc_easy,mmlu,my-task.yaml")]


class Default(TyperGroup):
    """A group whose first argument may be a model: `hornbook evaluate runs/demo`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Puts the name of the usual command where it was left out."""
        return super().resolve_command(ctx, args if args[0] in self.commands else [MODELS, *args])


evaluate_app = typer.Typer(
    cls=Default,
    no_args_is_help=True,
    help="Scores with error bars.\n\nExample: hornbook evaluate runs/demo --tasks arc_easy,lambada --data DIR",
)


@evaluate_app.command(name=MODELS)
def models(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="runs, model folders, hub ids, .gguf files")],
    tasks: Tasks = "",
    data: Annotated[Path, typer.Option(help="the folder that holds the benchmarks' files")] = Path("benchmarks-data"),
    limit: Annotated[int | None, typer.Option(min=1, help="ask only so many questions of each task or subject")] = None,
    shots: Annotated[
        int | None, typer.Option(min=0, help="examples before each question; else as the task says")
    ] = None,
    out: Annotated[Path, typer.Option(help="where answers, scores and the report go")] = Path("evaluations"),
    engine: Annotated[str, typer.Option(help="who asks: hornbook, or lm-eval with its own tasks")] = "hornbook",
    fetch: Annotated[bool, typer.Option("--fetch", help="take what is missing in --data from the hub")] = False,
    chat: Annotated[
        bool, typer.Option("--chat", help="ask through the chat template, examples in one message")
    ] = False,
    corpus: Annotated[
        str | None, typer.Option(help="what they learned from, a run or files: clean questions get scores of their own")
    ] = None,
) -> None:
    """Models on benchmarks; a run without --tasks gets its own scores again: bits per byte, completions that parse.

    Example: hornbook evaluate runs/demo --tasks arc_easy,mmlu --data benchmarks-data --limit 100
    """
    if not tasks:
        from hornbook.build import reopen

        for run in models:
            reopen(Path(run)).evaluate()
        return
    from hornbook.scored import Wish, evaluate

    wish = Wish(
        tasks=tuple(name.strip() for name in tasks.split(",")),
        data=data,
        limit=limit,
        shots=shots,
        fetch=fetch,
        corpus=corpus,
        chat=chat,
    )
    if engine not in ("hornbook", "lm-eval"):
        raise UserError(f"--engine: {engine!r} is not known; take hornbook or lm-eval")
    if engine == "lm-eval":
        from hornbook.lm_eval_engine import evaluate as with_harness

        print(with_harness(models, wish, out))
        return
    print(evaluate(models, wish, out))


@evaluate_app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="a folder that `hornbook evaluate` wrote for a model")],
    second: Annotated[Path, typer.Argument(help="another")],
) -> None:
    """Whether two models differ, task by task, on the same questions.

    Example: hornbook evaluate compare evaluations/base evaluations/tuned
    """
    from hornbook.scored import compare_folders

    for line in compare_folders(first, second):
        print(line)


evaluate_app.command()(human)


@evaluate_app.command()
def tasks() -> None:
    """The built-in tasks.

    Example: hornbook evaluate tasks
    """
    from hornbook.scored import print_tasks

    print_tasks()


evaluate_app.command()(judge)
evaluate_app.command()(text)
evaluate_app.command()(perplexity)
