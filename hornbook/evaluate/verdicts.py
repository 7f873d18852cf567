"""What came of judging, in the folder of an evaluation: `judged/<judge>.jsonl`, and scores in results.json.

Rows are those of a benchmark (task.Outcome): the question, the answer, the score and the judge's words. What was left
out stands among them without a score, and is counted.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hornbook.core.files import read_json, write_json, write_text
from hornbook.evaluate import evaluation
from hornbook.evaluate.heard import Heard, left_out
from hornbook.evaluate.statistics import compare
from hornbook.evaluate.task import Outcome

JUDGED = "judged"  # the folder of rows, and the key in results.json


def summary(outcomes: Sequence[Outcome], heard: Sequence[Heard[Any]] = ()) -> dict[str, Any]:
    """Means with their errors, of each subject too; what was left out, and what was empty."""
    found = evaluation.scores(outcomes)
    if missing := sum(not one.metrics for one in outcomes):
        found["left_out"] = missing
    if replies := left_out(heard):
        found["replies"] = replies
    if empty := sum(bool(one.detail.get("empty")) for one in outcomes):
        found["empty"] = empty
    return found


def against(ours: Sequence[Outcome], theirs: Sequence[Outcome], names: tuple[str, str]) -> dict[str, Any]:
    """Whether two models' scores differ, on the questions where both have one."""
    known = {one.id: one for one in theirs}
    same = [one for one in ours if one.metrics and one.id in known and known[one.id].metrics]
    if not same:
        return {}
    first, second = ([next(iter(o.metrics.values())) for o in some] for some in (same, [known[o.id] for o in same]))
    found = compare(second, first)
    return {**asdict(found), "interval": list(found.interval), "sentence": found.sentence(names[1], names[0])}


def write(folder: Path, name: str, outcomes: Sequence[Outcome], found: Mapping[str, Any]) -> None:
    """Add a judge's rows and scores to the folder of an evaluation, which may hold other scores already."""
    lines = "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in outcomes)
    write_text(folder / JUDGED / f"{file_name(name)}.jsonl", lines)
    path = folder / evaluation.RESULTS
    before = read_json(path) if path.is_file() else {"about": {}, "tasks": {}}
    write_json(path, {**before, JUDGED: {**before.get(JUDGED, {}), name: dict(found)}})


def read(folder: Path, name: str) -> list[Outcome]:
    """A judge's rows."""
    path = folder / JUDGED / f"{file_name(name)}.jsonl"
    return [Outcome(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def file_name(name: str) -> str:
    """A name as one of a file.

    >>> file_name("score by org/llama3.2:1b")
    'score-by-org-llama3.2-1b'
    """
    return re.sub(r"[^\w.-]+", "-", name)
