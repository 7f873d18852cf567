"""The command line: one short function a command. What it calls is imported when it is called, so help is instant."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.cli_classify import classify
from hornbook.cli_corpus import corpus_app
from hornbook.cli_embed import embed, fill
from hornbook.cli_evaluate import evaluate_app
from hornbook.cli_export import export
from hornbook.cli_generate import generate
from hornbook.cli_merge import merge
from hornbook.cli_plan import plan
from hornbook.cli_scale import scale
from hornbook.cli_serve import serve
from hornbook.cli_show import show
from hornbook.cli_synthesize import synthesize
from hornbook.cli_tokenizer import tokenizer_app
from hornbook.core.errors import Interrupted, UserError
from hornbook.core.files import explain

Overrides = Annotated[list[str] | None, typer.Argument(help="recipe values: pretrain.steps=200 corpus.source=my/files")]
RecipeName = Annotated[str, typer.Argument(help="a recipe file, or a built-in name: demo, tiny/pretrain")]
RunFolder = Annotated[Path | None, typer.Option("--run", help="the run folder; default runs/<recipe>")]
ModelPath = Annotated[str, typer.Argument(metavar="MODEL", help="a run, a model folder, a hub id, or a .gguf file")]

app = typer.Typer(
    name="hornbook",
    help="From raw files to a language model of your own.\n\nStart with: hornbook build demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(corpus_app, name="corpus")
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(tokenizer_app, name="tokenizer")
app.command()(export)
app.command()(merge)
app.command()(plan)
app.command()(classify)
app.command()(embed)
app.command()(fill)
app.command()(generate)
app.command()(scale)
app.command()(serve)
app.command()(synthesize)
app.command()(show)


@app.command()
def build(recipe: RecipeName, overrides: Overrides = None, run: RunFolder = None) -> None:
    """Run every stage of a recipe: files, tokenizer, shards, model, evaluation, report.

    Example: hornbook build demo corpus.source=path/to/my/files
    """
    from hornbook.build import Build

    Build(recipe, overrides or [], run).everything()


@app.command()
def train(
    recipe: RecipeName,
    overrides: Overrides = None,
    run: RunFolder = None,
    stage: Annotated[str, typer.Option(help="pretrain, or a name in `stages:`")] = "pretrain",
    processes: Annotated[int | None, typer.Option(help="data-parallel processes on this machine")] = None,
) -> None:
    """Train one stage of a recipe; the same command again goes on where it was stopped.

    Example: hornbook train tiny/pretrain --run runs/first
    """
    from hornbook.build import Build

    more = [f"{stage}.processes={processes}"] if processes is not None else []
    Build(recipe, [*(overrides or []), *more], run).train(stage)


@app.command()
def chat(
    model: ModelPath,
    temperature: Annotated[float, typer.Option(min=0, help="0 is greedy")] = 0.7,
    top_p: Annotated[float, typer.Option(min=0, max=1)] = 0.95,
    tokens: Annotated[int, typer.Option("--max-new-tokens", "-n", min=1)] = 256,
    seed: Annotated[int | None, typer.Option()] = None,
    assistant: Annotated[
        str | None, typer.Option(help="a file: search, tools, memory, ranking; it says how to write")
    ] = None,
    quantise: Annotated[str | None, typer.Option(help="store matrices as int8, int4 or bf16: less to read")] = None,
) -> None:
    """Talk to a model, or to an assistant made of it.

    Example: hornbook chat runs/demo

    Example: hornbook chat runs/demo --assistant assistants/blenderbot
    """
    if assistant is not None:
        from hornbook.talk_assistant import talk_assisted

        if quantise is not None:
            raise UserError("--quantise does not go with --assistant, whose model is loaded by its file; leave one out")
        talk_assisted(model, assistant, seed=seed)
        return
    from hornbook.talk import talk

    options: Any = {"max_new_tokens": tokens, "temperature": temperature, "top_p": top_p, "seed": seed}
    talk(model, options, quantise=quantise)


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="run folders")],
    out: Annotated[Path, typer.Option(help="where the picture goes")] = Path("compare.html"),
) -> None:
    """The curves of several runs in one picture, and their figures in a table.

    Example: hornbook compare runs/demo runs/wider
    """
    from hornbook.compare import compare_runs

    compare_runs(runs, out)


@app.command()
def report(run: Annotated[Path, typer.Argument(help="a run folder")]) -> None:
    """Write the report of a run again: one HTML file that opens offline.

    Example: hornbook report runs/demo
    """
    from hornbook.report import write_report

    print(write_report(run))


@app.command()
def doctor(
    overrides: Overrides = None,
    profile: Annotated[str | None, typer.Option(metavar="RECIPE", help="where the time of its steps goes")] = None,
) -> None:
    """What this machine can do, and what is wrong with the installation; with --profile, where a step's time goes.

    Example: hornbook doctor

    Example: hornbook doctor --profile demo pretrain.threads=1
    """
    if profile is not None:
        from hornbook.doctor import print_profile

        print_profile(profile, overrides or [])
        return
    if overrides:
        raise UserError(f"{overrides[0]}: values go with a recipe; name it, as in `hornbook doctor --profile demo`")
    from hornbook.core.device import examine, print_examination
    from hornbook.installation import print_installation

    print_examination(examine())
    print_installation()


@app.command()
def version() -> None:
    """The version of hornbook."""
    from importlib.metadata import version as installed

    print(installed("hornbook"))


INTERRUPTED = 130  # the exit code of a shell's Ctrl-C


def main() -> None:
    """Run a command; what a person can mend is one sentence and exit code 2."""
    try:
        app()
    except UserError as error:
        _refuse(str(error))
    except OSError as error:
        sentence = explain(error)
        if sentence is None:
            raise
        _refuse(sentence)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # typer has caught Ctrl-C and says nothing
            print("interrupted; nothing is left half-written", file=sys.stderr)
        raise
    except Interrupted as stopped:
        print(stopped, file=sys.stderr)
        sys.exit(stopped.exit_code)


def _refuse(sentence: str) -> None:
    print(f"error: {sentence}", file=sys.stderr)
    sys.exit(2)
