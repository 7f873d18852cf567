"""What came of people's judgements as numbers: for the terminal, the page and results.json."""

import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

from hornbook.core.files import write_json
from hornbook.core.table import print_table
from hornbook.evaluate import evaluation, opinions
from hornbook.evaluate.bradley_terry import strengths
from hornbook.evaluate.interval import wilson
from hornbook.evaluate.judgements import Rating
from hornbook.evaluate.statistics import compare, mean
from hornbook.evaluate.study import Study
from hornbook.evaluate.task import Outcome

Numbers = dict[str, Any]


def summary(study: Study, ratings: Sequence[Rating]) -> Numbers:
    """Everything that can be said; None where there is too little to say it."""
    hits, decided = opinions.left(ratings)
    found = {
        "kind": study.kind,
        "ratings": len(ratings),
        "prompts": len({rating.id for rating in ratings}),
        "same_answers": study.same_answers(),
        "raters": [_rater(name, ratings) for name in sorted({rating.rater for rating in ratings})],
        "left": {"value": hits / decided if decided else math.nan, "interval": wilson(hits, decided), "of": decided},
        "agreement": [_agreement(each) for each in opinions.agreements(ratings, [each.name for each in study.scales])],
        **(_scales(study, ratings) if study.scales else _pairs(study, ratings)),
    }
    cleaned: Numbers = clean(found)
    return cleaned


def _rater(name: str, ratings: Sequence[Rating]) -> Numbers:
    own = [rating for rating in ratings if rating.rater == name]
    return {"name": name, "ratings": len(own), "seconds": opinions.seconds(own)}


def _agreement(found: opinions.Agreement) -> Numbers:
    kappas = [{"raters": [*pair], "kappa": kappa, "of": of} for pair, (kappa, of) in found.kappas.items()]
    numbers = {"same": found.same, "fleiss": found.fleiss, "alpha": found.alpha}
    return {"of": found.of, "things": found.things, "kappas": kappas, **numbers}


def _pairs(study: Study, ratings: Sequence[Rating]) -> Numbers:
    """Of every model its win rate against the others, of every pair who is better."""
    models = [*study.answers]
    by_prompt = opinions.wins(ratings, models)
    strong = strengths(by_prompt) if len(by_prompt) else [None] * len(models)
    rows = []
    for model, strength in zip(models, strong, strict=True):
        rows.append({"name": model, "win_rate": _against_all(ratings, model)})
        if strength is not None:
            told = {"value": strength.value, "interval": strength.interval, "chance": strength.chance}
            rows[-1]["strength"] = {**told, "elo": strength.elo}
    pairs = []
    for a, b in combinations(models, 2):
        rate = opinions.win_rate(ratings, a, b)
        numbers = {"value": rate.value, "interval": rate.interval, "chance": rate.chance, "prompts": rate.prompts}
        said = rate.sentence(a, b) if rate.prompts else f"nobody has judged {a} and {b}"
        pairs.append({"a": a, "b": b, **numbers, "counts": dict(rate.counts), "sentence": said})
    return {"models": rows, "pairs": pairs}


def _against_all(ratings: Sequence[Rating], model: str) -> Numbers:
    values = [*_points(ratings, model).values()]
    return {
        "value": fmean(values) if values else math.nan,
        "interval": wilson(sum(values), len(values)),
        "of": len(values),
    }


def _points(ratings: Sequence[Rating], model: str) -> dict[str, float]:
    """Of each prompt the share of judgements that a model won, against any other."""
    said: dict[str, list[float]] = {}
    for rating in ratings:
        if model in rating.models:
            said.setdefault(rating.id, []).append(opinions.points_of(rating, model))
    return {id: fmean(points) for id, points in said.items()}


def _scales(study: Study, ratings: Sequence[Rating]) -> Numbers:
    """Of every model its mean on every scale, of every pair on each scale whether they differ."""
    rows, differences = [], []
    for model in study.answers:
        given = {each.name: opinions.marks(ratings, model, each.name) for each in study.scales}
        rows.append({"name": model, "scales": {name: mean([*of.values()]).plain() for name, of in given.items()}})
    for scale in (each.name for each in study.scales):
        for a, b in combinations(study.answers, 2):
            first, second = (opinions.marks(ratings, model, scale) for model in (a, b))
            both = [id for id in first if id in second]
            if len(both) > 1:
                said = compare([first[id] for id in both], [second[id] for id in both]).sentence(a, b)
                differences.append({"scale": scale, "a": a, "b": b, "sentence": said})
    return {"models": rows, "differences": differences}


def clean(value: Any) -> Any:
    """Fit for JSON, which has no NaN."""
    if isinstance(value, dict):
        return {name: clean(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [clean(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_scores(study: Study, ratings: Sequence[Rating], out: Path, places: dict[str, str]) -> None:
    """Put what people said of each model beside its benchmarks: task `people_pairs` or `people_scales`."""
    for model in study.answers:
        came = [*_outcomes(study, ratings, model)]
        if not came:
            continue
        folder = out / model
        known = (
            evaluation.read(folder)["about"] if (folder / evaluation.RESULTS).is_file() else {"model": places[model]}
        )
        found = evaluation.write(folder, study.kind, came, about=known)
        if not study.scales:  # halves have an interval of their own: see evaluate/opinions.py
            found["tasks"][study.kind]["win_rate"]["interval"] = _against_all(ratings, model)["interval"]
            write_json(folder / evaluation.RESULTS, found)


def _outcomes(study: Study, ratings: Sequence[Rating], model: str) -> list[Outcome]:
    said: dict[str, dict[str, float]] = {}
    for scale in study.scales:
        for id, number in opinions.marks(ratings, model, scale.name).items():
            said.setdefault(id, {})[scale.name] = number
    if not study.scales:
        said = {id: {"win_rate": points} for id, points in _points(ratings, model).items()}
    rows = {id: [each.row() for each in ratings if each.id == id and model in each.models] for id in said}
    return [
        Outcome(
            id, "", metrics, {"prompt": study.prompts[id], "written": study.answers[model][id], "ratings": rows[id]}
        )
        for id, metrics in said.items()
    ]


def print_summary(found: Numbers) -> None:
    """The table and the sentences for the terminal."""
    if not found["ratings"]:
        print("nobody has judged anything yet")
        return
    if found["kind"] == "people_pairs":
        _print_pairs(found)
    else:
        names = [*found["models"][0]["scales"]]
        print_table(
            ("model", *names), [(each["name"], *(_cell(each["scales"][n]) for n in names)) for each in found["models"]]
        )
        for each in found["differences"]:
            print(f"{each['scale']}: {each['sentence']}")
    print("in brackets: the 95 % interval")
    for line in remarks(found):
        print(line)


def _print_pairs(found: Numbers) -> None:
    rows = []
    for each in sorted(found["models"], key=lambda each: -(each["win_rate"]["value"] or 0)):
        strength = each.get("strength")
        rows.append(
            (each["name"], _cell(each["win_rate"]), _cell(strength) if strength else "", each["win_rate"]["of"])
        )
    print_table(("model", "wins, ties half", "strength, nats", "prompts"), rows)
    for each in found["pairs"]:
        print(each["sentence"])


def _cell(score: Numbers) -> str:
    if score["value"] is None:
        return ""
    low, high = score["interval"]
    return f"{score['value']:.3f} ({low:.2f} to {high:.2f})"


def remarks(found: Numbers) -> list[str]:
    """What a reader should know beside the scores: raters, agreement, sides, what was not asked."""
    raters = ", ".join(f"{each['name']} {each['ratings']:,} ({each['seconds']:.0f} s each)" for each in found["raters"])
    lines = [f"{found['ratings']:,} judgements of {found['prompts']:,} prompts: {raters}"]
    for each in found["agreement"]:
        if each["things"]:
            lines.append(f"agreement on {each['of']}: {_agreed(each)}")
    if found["same_answers"]:
        lines.append(f"not asked, since both models said the same: {found['same_answers']:,}")
    left = found["left"]
    if left["of"] and not left["interval"][0] <= 0.5 <= left["interval"][1]:
        low, high = left["interval"]
        lines.append(
            f"the side matters to the raters: the left answer won {left['value']:.2f} ({low:.2f} to {high:.2f})"
        )
    return lines


def _agreed(found: Numbers) -> str:
    said = [f"the same in {found['same']:.0%} of pairs of judgements"] if found["same"] is not None else []
    said += [
        f"Cohen's kappa of {' and '.join(each['raters'])} {each['kappa']:.2f} ({each['of']:,})"
        for each in found["kappas"]
        if each["kappa"] is not None
    ]
    for name, title in (("fleiss", "Fleiss' kappa"), ("alpha", "Krippendorff's alpha")):
        if found[name] is not None:
            said.append(f"{title} {found[name]:.2f}")
    return ", ".join(said)
