"""`hornbook corpus ...`: make a corpus, look at one."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

Overrides = Annotated[list[str] | None, typer.Argument(help="recipe values: source=my/files steps.0.threshold=0.7")]


class RecipeFirst(TyperGroup):
    """`hornbook corpus RECIPE` is short for `hornbook corpus run RECIPE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name where a recipe or an option of `run` comes first."""
        return super().parse_args(ctx, self._named(ctx, args))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command of some arguments, where they have not gone through `parse_args`."""
        return super().resolve_command(ctx, self._named(ctx, args))

    def _named(self, ctx: Any, args: list[str]) -> list[str]:
        given = not args or args[0] in self.commands or args[0] in ctx.help_option_names
        return args if given else ["run", *args]


corpus_app = typer.Typer(
    cls=RecipeFirst,
    no_args_is_help=True,
    help="Make clean documents from files, and look at them.\n\n"
    "Example: hornbook corpus corpus/fineweb source=path/to/warc --out clean",
)


@corpus_app.command()
def run(
    recipe: Annotated[str, typer.Argument(help="a recipe or a corpus recipe: demo, corpus/fineweb, my.yaml")],
    overrides: Overrides = None,
    out: Annotated[Path | None, typer.Option(help="the folder to write; default runs/<recipe>/corpus")] = None,
    run: Annotated[Path | None, typer.Option(help="the run folder; default runs/<recipe>")] = None,
    tokenizer: Annotated[Path | None, typer.Option(help="a run or a folder: tokens are counted with it")] = None,
    engine: Annotated[str | None, typer.Option(help="local, ray, or the address of a Ray cluster")] = None,
) -> None:
    """Read, clean, filter, deduplicate and split the documents of a recipe; the word `run` may be left out.

    Example: hornbook corpus demo corpus.source=notes/

    Example: hornbook corpus corpus/fineweb source=path/to/warc --out clean
    """
    from hornbook.corpus_report import write_corpus_report
    from hornbook.corpus_run import print_ledger, run_corpus
    from hornbook.corpus_state import open_corpus

    folder = run_corpus(recipe, overrides or [], run=run, out=out, engine=engine)
    print_ledger(open_corpus(folder).ledger)
    print(f"{folder}, {write_corpus_report(folder, tokenizer=tokenizer)}")


@corpus_app.command()
def inspect(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="a corpus, finished or still being made, or a run")],
    reason: Annotated[str | None, typer.Option(help="documents dropped for this reason")] = None,
    step: Annotated[str | None, typer.Option(help="documents dropped by this step")] = None,
    grep: Annotated[str | None, typer.Option(help="documents in which this stands (a regular expression)")] = None,
    kept: Annotated[bool, typer.Option("--kept", help="what came through instead of what was dropped")] = False,
    sample: Annotated[int | None, typer.Option(min=1, help="so many at random; default the first ones")] = None,
    seed: Annotated[int, typer.Option(help="of the choice")] = 0,
) -> None:
    """The account of a corpus and its documents, one after the other, with the reason why each was dropped.

    Example: hornbook corpus inspect runs/fineweb --reason "too few words" --sample 5
    """
    from hornbook.inspect_corpus import Wanted, show

    show(folder, Wanted(reason=reason, step=step, pattern=grep, kept=kept), sample=sample, seed=seed)


@corpus_app.command()
def train_quality(
    good: Annotated[str, typer.Argument(help="a file or folder of good text")],
    bad: Annotated[str, typer.Argument(help="a file or folder of bad text")],
    out: Annotated[Path, typer.Option(help="the folder to write, for the step `quality`")] = Path("quality"),
    column: Annotated[str, typer.Option(help="of tables, that holds the text")] = "text",
) -> None:
    """Learn to tell good text from bad; print what the judge is worth on text that was held out.

    Example: hornbook corpus train-quality books/ crawl.jsonl.gz --out quality
    """
    from hornbook.core.table import print_table
    from hornbook.corpus.quality_train import train

    judge = train([good], [bad], column)
    judge.save(out)
    measured = judge.measured
    print_table(["probability from", "texts", "mean", "share that is good"], measured.reliability)
    print(f"{out}: AUC {measured.auc:.4f} on text held out, of {measured.good:,} good and {measured.bad:,} bad pieces")


@corpus_app.command()
def train_perplexity(
    reference: Annotated[str, typer.Argument(help="a file or folder of text as it should be")],
    out: Annotated[Path, typer.Option(help="the folder to write, for the step `perplexity`")] = Path("perplexity"),
    column: Annotated[str, typer.Option(help="of tables, that holds the text")] = "text",
) -> None:
    """Count the n-grams of a reference, so that other text can be measured by how much it surprises.

    Example: hornbook corpus train-perplexity wikipedia.jsonl.gz --out perplexity
    """
    from hornbook.corpus.perplexity_train import train

    model = train([reference], column)
    model.save(out)
    low, middle, high = (model.percentiles[place] for place in (1, 50, 99))
    print(f"{out}: perplexity of the reference {middle:.1f}, of nearly all of it {low:.1f} to {high:.1f}")
