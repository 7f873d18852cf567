"""`hornbook evaluate MODEL --engine lm-eval`: lm-evaluation-harness asks, our Scorer answers, our report shows it.

Task names are the harness's (`lm_eval ls tasks`), its data come from the hub. Every task of a group gets a file of its
own; of each question those metrics are kept that are one number, what the harness averages otherwise is in its table.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.core.files import write_text
from hornbook.evaluate import evaluation
from hornbook.evaluate.cache import fingerprint
from hornbook.evaluate.task import Outcome
from hornbook.generate import hub
from hornbook.scored import PRECISION, Wish, print_scores
from hornbook.scored_names import names
from hornbook.scored_report import page


def evaluate(models: Sequence[str], wish: Wish, out: Path) -> Path:
    """Evaluate models on tasks of the harness; the path of the report."""
    harness()
    folders = {name: out / name for name in names(models)}
    for model, folder in zip(models, folders.values(), strict=True):
        _evaluate_one(model, folder, wish)
    found = {name: evaluation.read(folder) for name, folder in folders.items()}
    print_scores(found)
    write_text(out / "report.html", page(found, folders))
    return out / "report.html"


def harness() -> Any:
    """The harness, or one sentence where it is not there."""
    try:
        import lm_eval
    except ImportError:
        raise UserError("--engine lm-eval: lm-eval is not installed; `pip install hornbook[eval]`") from None
    return lm_eval


def _evaluate_one(model: str, folder: Path, wish: Wish) -> None:
    from lm_eval.tasks import TaskManager
    from lm_eval.utils import make_table

    from hornbook.lm_eval_model import Hornbook

    manager = TaskManager()
    _check(wish.tasks, manager.all_tasks)
    path = hub.find(model)
    results = harness().simple_evaluate(
        model=Hornbook(str(path), dtype=PRECISION),
        tasks=list(wish.tasks),
        num_fewshot=wish.shots,
        limit=wish.limit,
        task_manager=manager,
        log_samples=True,
    )
    about: dict[str, Any] = {"model": model, "fingerprint": fingerprint(path, PRECISION), "precision": PRECISION}
    about |= {"limit": wish.limit, "shots": wish.shots, "engine": "lm-eval"}
    for task, samples in results["samples"].items():
        evaluation.write(folder, task, list(outcomes(samples)), about=about)
    print(make_table(results))


def _check(wanted: Iterable[str], known: Iterable[str]) -> None:
    there = set(known)
    for name in wanted:
        if name not in there and not Path(name).is_file():
            raise UserError(f"--tasks: {name!r} is none of the harness's tasks; `lm_eval ls tasks` lists them")


def outcomes(samples: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    """What the harness says of each question, as ours: by the first filter, in metrics that are numbers."""
    found: dict[str, Outcome] = {}
    for sample in samples:
        metrics = {name: sample[name] for name in sample.get("metrics", ()) if isinstance(sample[name], int | float)}
        id = str(sample["doc_id"])
        if id not in found and metrics:
            found[id] = Outcome(id, "", {name: float(value) for name, value in metrics.items()}, _detail(sample))
    return list(found.values())


def _detail(sample: Mapping[str, Any]) -> dict[str, Any]:
    return {"prompt": str(sample["arguments"][0][0]), "answer": sample["target"], "given": sample["filtered_resps"]}
