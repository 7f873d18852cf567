"""The report of people's judgements: win rates drawn with their errors, agreement, and the answers that decided."""

from collections.abc import Sequence
from functools import partial
from html import escape

from hornbook.core import report as html
from hornbook.core.chart import Axis, Bar, bars
from hornbook.core.report import Section
from hornbook.evaluate.judgements import Rating
from hornbook.evaluate.opinions import points_of
from hornbook.evaluate.study import POINTS, Study
from hornbook.human_summary import Numbers, remarks

SHOWN = 8  # prompts with their answers
SHARE = Axis(label="share", text=lambda value: f"{value:.0%}")
MARK = Axis(label=f"1 to {POINTS}", text=lambda value: f"{value:.2f}")


def page(study: Study, ratings: Sequence[Rating], found: Numbers) -> str:
    """The whole page."""
    people = len(found["raters"])
    what = "rated one by one" if study.scales else "compared two by two"
    lead = f"Answers of {', '.join(study.answers)}, {what}, without knowing whose they were."
    facts = [("people", people), ("judgements", found["ratings"]), ("prompts", found["prompts"])]
    facts.append(("models", len(study.answers)))
    sections = [_scales(found) if study.scales else _pairs(found), _raters(found), _notes(ratings)]
    return html.page("What people say", lead, facts, [*sections, *_decided(study, ratings)])


def _pairs(found: Numbers) -> Section:
    section = Section("Who is preferred")
    rows = sorted(found["models"], key=lambda each: -(each["win_rate"]["value"] or 0))
    drawn = [
        Bar(name=each["name"], value=each["win_rate"]["value"], interval=tuple(each["win_rate"]["interval"]), ours=True)
        for each in rows
        if each["win_rate"]["value"] is not None
    ]
    said = "; ".join(each["sentence"] for each in found["pairs"])
    section.add(html.figure(said, lambda width: bars(drawn, SHARE, most=1, width=width), data="ratings.jsonl"))
    section.add(html.text("Prompts won against the others; a tie and “both bad” are half a win for each."))
    columns = ("first", "second", "first is better", "second is better", "ties", "both bad", "prompts", "sign test, p")
    cells = []
    for each in found["pairs"]:
        counts, chance = each["counts"], f"{each['chance']:.2g}"
        cells.append(
            (each["a"], each["b"], counts["a"], counts["b"], counts["tie"], counts["bad"], each["prompts"], chance)
        )
    section.add(html.table(columns, cells), *_strengths(found))
    return section


def _strengths(found: Numbers) -> list[str]:
    rows = [
        (
            each["name"],
            f"{each['strength']['value']:+.2f}",
            "{:+.2f} to {:+.2f}".format(*each["strength"]["interval"]),
            f"{each['strength']['chance']:.0%}",
            f"{each['strength']['elo']:.0f}",
        )
        for each in sorted(found["models"], key=lambda each: -each.get("strength", {"value": 0})["value"])
        if "strength" in each
    ]
    columns = ("model", "log strength, nats", "95 % interval", "beats another", "as Elo")
    told = html.text(
        "Bradley and Terry's model: the chance that one beats another is its share of the two strengths. Every pair is "
        "taken to have drawn one game more, so that no strength is infinite."
    )
    return [html.heading("Strengths"), html.table(columns, rows), told] if rows else []


def _scales(found: Numbers) -> Section:
    section = Section("Marks")
    for name in found["models"][0]["scales"]:
        rows = [(each["name"], each["scales"][name]) for each in found["models"]]
        drawn = [
            Bar(name=model, value=mark["value"], interval=tuple(mark["interval"]), ours=True)
            for model, mark in rows
            if mark["value"] is not None
        ]
        differences = "; ".join(each["sentence"] for each in found["differences"] if each["scale"] == name)
        section.add(html.figure(f"{name}: {differences or 'the mean mark'}", partial(_drawn, drawn)))
    return section


def _drawn(rows: list[Bar], width: int) -> str:
    return bars(rows, MARK, most=POINTS, width=width)


def _raters(found: Numbers) -> Section:
    section = Section("The raters")
    rows = [(each["name"], each["ratings"], f"{each['seconds']:.1f}") for each in found["raters"]]
    section.add(html.table(("rater", "judgements", "seconds each, median"), rows))
    for line in remarks(found)[1:]:
        section.add(html.text(line[0].upper() + line[1:] + "."))
    if any(each["things"] for each in found["agreement"]):
        section.add(
            html.text(
                "Kappas and alpha are 1 where all agree and 0 where they agree as often as by luck; Landis and Koch "
                "(1977) call 0.41 to 0.60 moderate and 0.61 to 0.80 substantial."
            )
        )
    return section


def _notes(ratings: Sequence[Rating]) -> Section:
    section = Section("What the raters noted")
    rows = [(each.rater, each.id, each.note) for each in ratings if each.note]
    return section.add(html.table(("rater", "prompt", "note"), rows))


def _decided(study: Study, ratings: Sequence[Rating]) -> list[Section]:
    """The answers of a pair on which all who judged them were of one mind, most judgements first."""
    if study.scales:
        return []
    said: dict[tuple[str, tuple[str, ...]], list[float]] = {}
    for rating in ratings:
        said.setdefault((rating.id, rating.models), []).append(points_of(rating, rating.models[0]))
    clear = [(key, points) for key, points in said.items() if set(points) in ({0.0}, {1.0})]
    clear.sort(key=lambda each: -len(each[1]))
    section = Section("Answers that decided")
    for (id, models), points in clear[:SHOWN]:
        order = models if points[0] else models[::-1]
        section.add(html.heading(f"{id}: {order[0]} was better"), html.sample(study.prompts[id], ""))
        section.add('<div class="pair">', *(_answer(model, study.answers[model][id]) for model in order), "</div>")
    return [section]


def _answer(model: str, text: str) -> str:
    return f'<div><p class="note">{escape(model)}</p><pre class="prose">{escape(text)}</pre></div>'
