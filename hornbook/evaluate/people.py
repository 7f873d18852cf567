"""What people said of the same answers, and whether a judge agrees with them.

Rows are {"id", "rater", "winner": "a" | "b" | "tie" | "bad"}, with the models' names in `a` and `b` where they are
known, or {"id", "rater", "score": a number}, as `hornbook evaluate human` writes them (judgements.py). Where both are
bad neither wins, what was skipped says nothing, and what somebody said later of the same stands. A judge agrees with
people about as often as people with each other if it is any good (Zheng et al. 2023, section 4.2), so their agreement
stands beside it.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hornbook.core.errors import UserError
from hornbook.data import rows
from hornbook.data.rows import OWN_ID, Row
from hornbook.evaluate.agreement import cohen, kendall, krippendorff, spearman, squared
from hornbook.evaluate.interval import wilson
from hornbook.evaluate.task import Outcome

WINNERS = {"a": "a", "b": "b", "tie": "tie", "bad": "tie"}
SKIPPED, MISSING = "skip", "missing"
SCORES = ("score", "rating", "scores")

Winners = Mapping[str, Sequence[str]]  # by id what each rater said
Scores = Mapping[str, Sequence[float]]


def winners(path: Path, names: tuple[str, str]) -> Winners:
    """Who wins by what people said, `a` being the first of the names."""
    found = defaultdict(list)
    for row in _standing(path, "winner"):
        said = row.get("winner")
        if said not in WINNERS:
            raise UserError(f"{row['id']}: winner is {said!r}, not one of {', '.join(WINNERS)}; mend the row")
        pair = (str(row.get("a", names[0])), str(row.get("b", names[1])))
        if pair in (names, names[::-1]):  # people may have compared other models too
            turned = {"a": "b", "b": "a"} if pair != names else {}
            found[_id(row)].append(turned.get(said, WINNERS[said]))
    return found


def scores(path: Path, name: str) -> Scores:
    """The numbers that people gave to a model's answers; of several scales the mean."""
    found = defaultdict(list)
    for row in _standing(path, *SCORES):
        said = next((row[key] for key in SCORES if key in row), None)
        numbers: list[Any] = list(said.values()) if isinstance(said, dict) else [said]
        if not numbers or any(isinstance(each, bool) or not isinstance(each, int | float) for each in numbers):
            raise UserError(f"{row['id']}: has no number in `score`; scores of a judge are compared with scores")
        if row.get("model", name) == name:
            found[_id(row)].append(sum(numbers) / len(numbers))
    return found


def _standing(path: Path, *columns: str) -> list[Row]:
    """The rows that stand: of a person's rows about the same answers the newest, without what was skipped."""
    found: dict[tuple[str, ...], Row] = {}
    for row in rows.read(path):
        who = (str(row.get("rater", row["id"])), _id(row), *(str(row.get(name)) for name in ("a", "b", "model")))
        found.pop(who, None)
        said = next((row[name] for name in columns if name in row), MISSING)
        if said is not None and said != SKIPPED:  # null: taken back
            found[who] = row
    return list(found.values())


def _id(row: Row) -> str:
    return str(row.get(OWN_ID, row.get("question_id", str(row["id"]).rpartition(":")[2])))


def agreement_on_winners(outcomes: Sequence[Outcome], people: Winners) -> dict[str, Any]:
    """How often the judge names the winner that most people name, Cohen's kappa, and alpha among the people."""
    judged = {one.id: _winner(one.metrics["win"]) for one in outcomes if "win" in one.metrics}
    both = [name for name in judged if name in people]
    if not both:
        return _nothing(people)
    most = [_majority(people[name]) for name in both]
    same = sum(judged[name] == said for name, said in zip(both, most, strict=True))
    kappa = cohen([judged[name] for name in both], most)
    share = {"value": same / len(both), "interval": list(wilson(same, len(both))), "of": len(both)}
    among = krippendorff([people[name] for name in both])
    return {"of": len(both), "same": share, "cohen": _number(kappa), "among_people": _number(among)}


def agreement_on_scores(outcomes: Sequence[Outcome], people: Scores) -> dict[str, Any]:
    """Rank correlations of the judge's scores with the people's means, and alpha among the people."""
    judged = {one.id: next(iter(one.metrics.values())) for one in outcomes if one.metrics}
    both = [name for name in judged if name in people]
    if not both:
        return _nothing(people)
    ours = [judged[name] for name in both]
    theirs = [sum(people[name]) / len(people[name]) for name in both]
    among = krippendorff([people[name] for name in both], squared)
    found = {"spearman": spearman(ours, theirs), "kendall": kendall(ours, theirs), "among_people": among}
    return {"of": len(both)} | {name: _number(each) for name, each in found.items()}


def _nothing(people: Mapping[str, Any]) -> dict[str, Any]:
    raise UserError(
        f"ratings: none of their {len(people)} ids is one of the answers'; rate the same questions, with the same ids"
    )


def _winner(win: float) -> str:
    return "a" if win > 0.5 else "b" if win < 0.5 else "tie"


def _majority(said: Sequence[str]) -> str:
    """What most say; where several are said equally often, a tie."""
    (first, count), *rest = Counter(said).most_common()
    return "tie" if rest and rest[0][1] == count else first


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return None if value != value else value
