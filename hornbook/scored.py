"""Models on benchmarks: every task of every model, a table, and a report; what is done is not done again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hornbook import scored_averages, scored_written
from hornbook.core import recipe as recipes
from hornbook.core.errors import UserError
from hornbook.core.files import write_text
from hornbook.core.table import print_table
from hornbook.corpus_progress import Bars
from hornbook.evaluate import evaluation, tasks
from hornbook.evaluate.cache import Cache, fingerprint
from hornbook.evaluate.scorer import Scorer
from hornbook.evaluate.seen import marked, shares
from hornbook.evaluate.statistics import compare
from hornbook.generate import hub
from hornbook.generate.language_model import LanguageModel
from hornbook.learned_from import learned_from
from hornbook.scored_names import names
from hornbook.scored_report import page

PRECISION = "float32"
SAID = (
    "acc",
    "acc_norm",
    "acc_bytes",
    "mc2",
    "surprise",
    "win_rate",
    *scored_written.SAID,
)  # in the order of the table


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is asked."""

    tasks: tuple[str, ...]
    data: Path
    limit: int | None = None
    shots: int | None = None
    fetch: bool = False
    chat: bool = False
    """Whether questions are put through the chat template."""
    corpus: str | None = None
    """What the models learned from, a run or files; None: of a run its own corpus, of others it is not known."""


def evaluate(models: Sequence[str], wish: Wish, out: Path) -> Path:
    """Evaluate models; the path of the report."""
    loaded = {Path(name).stem: tasks.load(name) for name in wish.tasks}  # a mistyped name is told at once
    questions = {name: list(_items(task, wish)) for name, task in loaded.items()}
    folders = {}
    for model, name in zip(models, names(models), strict=True):
        folders[name] = out / name
        _evaluate_one(model, folders[name], loaded, questions, wish)
    found = {name: evaluation.read(folder) for name, folder in folders.items()}
    print_scores(found)
    write_text(out / "report.html", page(found, folders))
    return out / "report.html"


def _items(task: tasks.Task, wish: Wish) -> Iterator[Any]:
    if wish.fetch:
        task.data.fetch(wish.data)
    if not wish.data.is_dir():
        raise UserError(
            f"{wish.data}: no such folder; name the one with the benchmarks' files in --data, or --fetch them"
        )
    items = task.items(wish.data, limit=wish.limit, shots=wish.shots)
    return map(task.through_chat, items) if wish.chat else items


def _evaluate_one(
    model: str, folder: Path, loaded: dict[str, tasks.Task], questions: dict[str, list[Any]], wish: Wish
) -> None:
    path = hub.find(model)
    known = fingerprint(path, PRECISION)
    lm = LanguageModel.load(path, dtype=PRECISION)
    if lm.tokenizer is None:
        raise UserError(f"{model}: has no tokenizer, so it can be asked nothing; add tokenizer.json to its folder")
    if wish.chat and not lm.chats:
        raise UserError(f"--chat: {model} has no chat template; leave it out, or fine-tune the model on conversations")
    about: dict[str, Any] = {"model": model, "fingerprint": known, "precision": PRECISION}
    about |= {"limit": wish.limit, "shots": wish.shots, "chat": wish.chat}
    with Bars(unit=" asked") as bars:
        for name, task in loaded.items():
            scorer = Scorer(lm, cache=Cache(folder, known), progress=partial(bars, name))
            came = evaluation.outcomes(scorer, task, questions[name])
            if (read := learned_from(model, wish.corpus)) is not None:
                came = marked(came, shares(questions[name], read))
            evaluation.write(folder, name, came, about=about, categories=task.categories)


def print_scores(found: dict[str, Any]) -> None:
    """Tasks by models, each score with its 95 % interval."""
    rows = []
    for task in sorted({task for results in found.values() for task in results["tasks"]}):
        some = [results["tasks"].get(task, {}) for results in found.values()]
        for metric in SAID:
            rows += _row(task, metric, [each.get(metric) for each in some])
            for part, scores in scored_averages.rows(metric, some):
                rows += _row(task, f"{metric}, {part}", scores)
            if any(each.get("seen", {}).get("seen") for each in some):  # else they are the same
                rows += _row(task, f"{metric}, clean", [each.get("clean", {}).get(metric) for each in some])
    print_table(("task", "metric", "of", *found), rows)
    print("in brackets: the 95 % interval")
    for name, results in found.items():
        for task, scores in sorted(results["tasks"].items()):
            if cut := scores.get("truncated"):
                print(f"{task}, {name}: {scored_written.lost(cut)}")


def _row(task: str, name: str, scores: Sequence[dict[str, Any] | None]) -> list[tuple[Any, ...]]:
    """The row of a metric, where any model has it."""
    there = [each for each in scores if each]
    return [(task, name, max(each["of"] for each in there), *map(_cell, scores))] if there else []


def _cell(score: dict[str, Any] | None) -> str:
    if not score:
        return ""
    low, high = score["interval"]
    return f"{score['value']:.3f} ({low:.2f}-{high:.2f})"


def compare_folders(first: Path, second: Path) -> list[str]:
    """A sentence for each task and metric that both have."""
    a, b = (evaluation.read(folder)["tasks"] for folder in (first, second))
    lines = []
    for task in sorted(a.keys() & b.keys()):
        ours, theirs = ({one.id: one for one in evaluation.read_items(each, task)} for each in (first, second))
        same = [key for key in ours if key in theirs]
        if not same:
            raise UserError(f"{task}: the two evaluations have no question in common; evaluate both on the same files")
        for metric in ours[same[0]].metrics:
            difference = compare([ours[k].metrics[metric] for k in same], [theirs[k].metrics[metric] for k in same])
            lines.append(f"{task:<14} {metric:<9} {difference.sentence(first.name, second.name)}")
    if not lines:
        raise UserError(f"{first}, {second}: have no task in common; evaluate both on the same tasks")
    return lines


def print_tasks() -> None:
    """The built-in tasks with the first line of their files."""
    folder = Path(recipes.__file__).parents[1] / "recipes" / tasks.FOLDER
    rows = [
        (path.stem, path.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")) for path in folder.glob("*.yaml")
    ]
    print_table(("task", "is"), sorted(rows))
