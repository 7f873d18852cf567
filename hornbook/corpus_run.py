"""`hornbook corpus RECIPE`: from what is typed to the documents in a folder, and the table at the end."""

import shutil
from pathlib import Path
from typing import Any

from hornbook.build import Build
from hornbook.console import short
from hornbook.core import recipe as recipes
from hornbook.core.errors import UserError
from hornbook.core.run import Run
from hornbook.core.table import print_table
from hornbook.corpus.ledger import Ledger, Reason, StepAccount
from hornbook.corpus.pipeline import Corpus
from hornbook.corpus_made import make
from hornbook.corpus_state import LEDGER
from hornbook.settings import load
from hornbook.tasks import Documents

WHOLE = {"corpus", "data", "model", "pretrain"}  # sections by which a recipe is known to say more than its documents
COMMONEST = 2  # reasons of a step that stand in the table


def run_corpus(
    source: str, overrides: list[str], *, run: Path | None = None, out: Path | None = None, engine: str | None = None
) -> Path:
    """Make the documents of a whole recipe, or of one that is only a corpus section; the folder they are in."""
    path = recipes.find(source)
    data = recipes.read(path)
    whole = isinstance(data, dict) and bool(WHOLE & data.keys())
    if engine is not None:
        overrides = [*overrides, f"{'corpus.' if whole else ''}engine={engine_of(engine)}"]
    if whole and out is None:
        build = Build(source, overrides, run)
        build.corpus()
        return build.run.corpus
    config = load(source, overrides).corpus if whole else corpus_of(source, data, overrides)
    folder = out or (run or Path("runs") / run_name(source)) / "corpus"
    _refuse_other_files(folder)
    lock = folder.with_name(f".{folder.name}.lock")
    with Run(lock).lock():
        try:
            make(config, folder)
        finally:
            shutil.rmtree(lock, ignore_errors=True)
    return folder


def corpus_of(source: str, data: Any, overrides: list[str]) -> Documents:
    """The corpus of a recipe that says nothing else; what is to be read may be said by an override."""
    folder = recipes.find(source).parent
    data = recipes.override(data, [item.removeprefix("corpus.") for item in overrides], folder=folder)
    if isinstance(data, dict) and not data.keys() & {"source", "parts", "type"}:
        raise UserError(f"{source}: names no source to read; add source=path/to/files to the command")
    kind: Any = Documents if isinstance(data, dict) and data.get("type", "corpus") != "corpus" else Corpus
    config: Documents = recipes.parse(kind, data, folder=folder)
    return config


def engine_of(name: str) -> str:
    """What a recipe says of an engine that is named in the command.

    >>> engine_of("ray"), engine_of("10.0.0.1:6379")
    ('ray', "{type: ray, address: '10.0.0.1:6379'}")
    """
    return name if name in ("local", "ray") else f"{{type: ray, address: '{name}'}}"


def run_name(source: str) -> str:
    """The name of the run that a corpus recipe makes.

    >>> run_name("corpus/fineweb"), run_name("my/web.yaml")
    ('fineweb', 'web')
    """
    return Path(source).with_suffix("").name


def _refuse_other_files(folder: Path) -> None:
    """A corpus replaces the one that was in its folder, and nothing else."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / LEDGER).is_file()):
        raise UserError(f"{folder}: holds something that is no corpus; name another folder")


def print_ledger(ledger: Ledger) -> None:
    """Documents and bytes into and out of every step, and why."""
    columns = ("step", "documents in", "out", "bytes in", "out", "dropped, mostly because")
    print_table(columns, [_row(step) for step in ledger.steps.values()])
    if ledger.bad:
        first = ledger.bad_places[0]
        print(f"{ledger.bad:,} bad files or lines were left out, first {first['place']}: {first['why']}")


def _row(step: StepAccount) -> tuple[object, ...]:
    sizes = [f"{short(count)}B" for count in (step.bytes_in, step.bytes_out)]
    reasons = step.dropped or {f"changed: {why}": reason for why, reason in step.changed.items()}
    return step.name, step.documents_in, step.documents_out, *sizes, _commonest(reasons)


def _commonest(reasons: dict[str, Reason]) -> str:
    ordered = sorted(reasons.items(), key=lambda pair: -pair[1].documents)
    shown = [f"{why} {reason.documents:,}" for why, reason in ordered[:COMMONEST]]
    return ", ".join([*shown, *(["..."] if len(ordered) > COMMONEST else [])])
