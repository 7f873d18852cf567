"""One model, some tasks: all questions are asked, every answer is judged, every score gets its error.

The folder of an evaluation holds `items/<task>.jsonl`, a line a question in the order of the benchmark, and
`results.json` with the scores, of each subject too where a task has subjects, with their averages (averages.py).
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.core.errors import UserError
from hornbook.core.files import read_json, write_json, write_text
from hornbook.evaluate.averages import Categories, averages
from hornbook.evaluate.request import Continuation, Rolling, Until
from hornbook.evaluate.statistics import mean
from hornbook.evaluate.task import Asked, Item, Outcome

if TYPE_CHECKING:
    from hornbook.evaluate.scorer import Scorer

RESULTS, ITEMS = "results.json", "items"
BESIDE = ("turns", "answers", "category", "references")  # of a row whose answers judges read


def outcomes(scorer: "Scorer", task: Asked, items: Sequence[Item]) -> list[Outcome]:
    """Ask everything, what follows from answers too, and judge it, in the order of the items."""
    came: list[list[Any]] = [[] for _ in items]
    put: list[list[Any]] = [[] for _ in items]
    asked = [item.requests for item in items]
    while any(asked):
        answers = iter(_answers(scorer, [request for some in asked for request in some]))
        for some, own, before in zip(asked, came, put, strict=True):
            own += [next(answers) for _ in some]
            before += some
        asked = [task.follow(item, own) if some else () for item, some, own in zip(items, asked, came, strict=True)]
    judged = task.judge_all(items, came)
    return [_as_read(scorer, outcome, some) for outcome, some in zip(judged, put, strict=True)]


def _as_read(scorer: "Scorer", outcome: Outcome, put: Sequence[Any]) -> Outcome:
    """Where answers are written: `read`, the last question where the model saw it otherwise, and `truncated`."""
    read = [scorer.as_read(request) for request in put if isinstance(request, Until)]
    if not read:
        return outcome
    cut = {"truncated": True} if any(each.truncated for each in read) else {}
    other = {"read": read[-1].text} if read[-1].text != outcome.detail.get("prompt") else {}
    return replace(outcome, detail={**outcome.detail, **other, **cut})


def _answers(scorer: "Scorer", asked: Sequence[Any]) -> list[Any]:
    """The answers to requests of any kind, each kind asked together."""
    found: dict[int, Any] = {}
    ways: dict[type, Any] = {Continuation: scorer.continuations, Rolling: scorer.rolling, Until: scorer.until}
    for kind, ask in ways.items():
        numbers = [number for number, request in enumerate(asked) if isinstance(request, kind)]
        if numbers:
            some: Any = [asked[number] for number in numbers]
            found |= dict(zip(numbers, ask(some), strict=True))
    return [found[number] for number in range(len(asked))]


def scores(some: Iterable[Outcome]) -> dict[str, Any]:
    """{metric: {value, standard_error, interval, of}}, with `subjects` and `truncated` where there are any.

    Where it is known which questions the model has read (seen.py): `clean`, the scores of those it has not, and `seen`,
    how many are of each kind.
    """
    everything = list(some)
    by_metric: dict[str, list[float]] = defaultdict(list)
    for outcome in everything:
        for name, number in outcome.metrics.items():
            by_metric[name].append(number)
    found: dict[str, Any] = {name: mean(numbers).plain() for name, numbers in by_metric.items()}
    subjects = sorted({outcome.subject for outcome in everything if outcome.subject})
    if subjects:
        each = {name: [one for one in everything if one.subject == name] for name in subjects}
        found["subjects"] = {name: scores(_without_subject(part)) for name, part in each.items()}
    if cut := sum(bool(outcome.detail.get("truncated")) for outcome in everything):
        found["truncated"] = cut
    looked = [one for one in everything if "seen" in one.detail]
    if looked:
        clean = [one for one in looked if one.detail["seen"] == 0]
        unknown = sum(one.detail["seen"] is None for one in looked)
        found["seen"] = {"seen": len(looked) - len(clean) - unknown, "clean": len(clean), "unknown": unknown}
        found["clean"] = scores(_not_looked(clean))
    return found


def _not_looked(some: Iterable[Outcome]) -> list[Outcome]:
    return [
        replace(one, subject="", detail={name: each for name, each in one.detail.items() if name != "seen"})
        for one in some
    ]


def _without_subject(part: Iterable[Outcome]) -> list[Outcome]:
    return [replace(one, subject="") for one in part]


def write(
    folder: Path, task: str, some: Sequence[Outcome], *, about: Mapping[str, Any], categories: Categories | None = None
) -> dict[str, Any]:
    """Write what came of a task into the folder of an evaluation; all results of the folder."""
    rows = [{"id": o.id, "subject": o.subject, "metrics": dict(o.metrics), **_for_judges(o)} for o in some]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / ITEMS).mkdir(parents=True, exist_ok=True)
    write_text(folder / ITEMS / f"{task}.jsonl", lines)
    before = read(folder) if (folder / RESULTS).is_file() else {"tasks": {}}
    found = {
        **before,
        "about": dict(about),
        "tasks": {**before["tasks"], task: {**scores(some), **averages(some, categories or {})}},
    }
    write_json(folder / RESULTS, found)
    return found


def _for_judges(outcome: Outcome) -> dict[str, Any]:
    """Details; what judges and people read (answered.py) stands beside them."""
    named = [name for name in BESIDE if name in outcome.detail] if "answers" in outcome.detail else []
    detail = {name: each for name, each in outcome.detail.items() if name not in named}
    return {**{name: outcome.detail[name] for name in named}, "detail": detail}


def read(folder: Path) -> dict[str, Any]:
    """The results of an evaluation."""
    path = folder / RESULTS
    if not path.is_file():
        raise UserError(f"{folder}: holds no {RESULTS}; name a folder that `hornbook evaluate` wrote")
    found: dict[str, Any] = read_json(path)
    return found


def read_items(folder: Path, task: str) -> list[Outcome]:
    """What came of each question of a task."""
    path = folder / ITEMS / f"{task}.jsonl"
    if not path.is_file():
        there = ", ".join(sorted(each.stem for each in (folder / ITEMS).glob("*.jsonl"))) or "none"
        raise UserError(f"{folder}: holds no questions of {task}; it has {there}")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Outcome(row["id"], row["subject"], row["metrics"], {**{k: row[k] for k in BESIDE if k in row}, **row["detail"]})
        for row in rows
    ]
