"""What judges said, in the report of an evaluation: scores with their errors, how far to trust them, worst answers."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from hornbook.core import report as html
from hornbook.core.chart import Axis, Bar, bars
from hornbook.core.report import Section
from hornbook.evaluate import verdicts
from hornbook.evaluate.task import Outcome

METRICS = {"score": "mean score", "win": "win rate", "yes": "share of yes"}
SHOWN = 5  # answers of a model that are shown with the judge's words

Found = dict[str, Any]


def sections(found: dict[str, Found], folders: dict[str, Path]) -> list[Section]:
    """A section for every judge."""
    titles = sorted({title for results in found.values() for title in results.get(verdicts.JUDGED, {})})
    return [_section(title, found, folders) for title in titles]


def _section(title: str, found: dict[str, Found], folders: dict[str, Path]) -> Section:
    section = Section(f"Judged: {title}")
    there = {
        name: each[verdicts.JUDGED][title] for name, each in found.items() if title in each.get(verdicts.JUDGED, {})
    }
    rows = [(name, *score) for name, each in there.items() if (score := main(each)) is not None]
    rows.sort(key=lambda row: -float(row[2]["value"]))
    if rows:
        scale = next(iter(there.values()))["scale"]
        section.add(html.figure(_said(rows), partial(_drawn, rows, scale)))
    for name, each in there.items():
        section.add(html.heading(name), _table(each), *(html.text(sentence) for sentence in sentences(each)))
        section.add(_subjects(each), _worst(verdicts.read(folders[name], title)))
    return section


def main(each: Found) -> tuple[str, Found] | None:
    """The metric of a judge, and its mean; None where nothing was said."""
    return next(((metric, each[metric]) for metric in METRICS if metric in each), None)


def _said(rows: list[Any]) -> str:
    name, metric, score = rows[0]
    low, high = score["interval"]
    return f"{name}: {METRICS[metric]} {score['value']:.3g} ({low:.3g} to {high:.3g}), of {score['of']:,} answers"


def _drawn(rows: list[Any], scale: list[float], width: int) -> str:
    axis = Axis(label="score", text=lambda value: f"{value:g}")
    some = [Bar(name=name, value=each["value"], interval=tuple(each["interval"]), ours=True) for name, _, each in rows]
    return bars(some, axis, most=scale[1], width=width)


def _table(each: Found) -> str:
    names = {**METRICS, "length_controlled": "win rate at equal length"}
    rows = [
        (said, f"{each[key]['value']:.4f}", "{:.4f} to {:.4f}".format(*each[key]["interval"]), each[key]["of"])
        for key, said in names.items()
        if key in each
    ]
    return html.table(("", "value", "95 % interval", "of"), rows)


def sentences(each: Found) -> Iterator[str]:
    """What a number alone would hide."""
    if "won" in each:
        yield _won(each)
    if bias := each.get("position_bias"):
        yield (
            f"the verdict turned with the order of the answers in {bias['value']:.0%} of {bias['of']:,} pairs "
            f"({bias['first']} times it liked the first place, {bias['second']} times the second)"
        )
    if controlled := each.get("length_controlled"):
        low, high = controlled["interval"]
        yield f"win rate at equal length: {controlled['value']:.1%} ({low:.1%} to {high:.1%})"
    for difference in each.get("differences", {}).values():
        if difference:
            yield difference["sentence"]
    yield from _left_out(each)
    if people := each.get("people"):
        yield _people(people)


def _won(each: Found) -> str:
    lead = "is a difference" if each["chance"] < 0.05 else "can be luck"
    return (
        f"{each['won']} won, {each['tied']} tied, {each['lost']} lost against {each['against']}: "
        f"this {lead} (p {each['chance']:.2g}, sign test on wins and losses)"
    )


def _left_out(each: Found) -> Iterator[str]:
    replies = dict(each.get("replies", {}))
    if again := replies.pop("asked twice", 0):
        yield f"{again:,} replies had no verdict and were asked for a second time"
    if missing := each.get("left_out"):
        why = ", ".join(f"{count} times {reason}" for reason, count in replies.items())
        yield f"{missing:,} left out, not scored: {why}"
    if faults := each.get("faults"):
        yield "while asking: " + ", ".join(f"{count} times {what}" for what, count in faults.items())
    if empty := each.get("empty"):
        yield f"{empty:,} empty answer{'s' * (empty > 1)}, scored as the worst there is without asking"


def _people(people: Found) -> str:
    among = "" if people["among_people"] is None else f"; among people alpha {people['among_people']:.2f}"
    if "same" in people:
        low, high = people["same"]["interval"]
        kappa = "" if people["cohen"] is None else f", Cohen's kappa {people['cohen']:.2f}"
        same = f"{people['same']['value']:.0%} of {people['of']:,} ({low:.0%} to {high:.0%})"
        return f"agrees with people on {same}{kappa}{among}"
    told = [f"{name.capitalize()} {people[name]:.2f}" for name in ("spearman", "kendall") if people[name] is not None]
    return f"with people's scores of {people['of']:,} answers: {', '.join(told) or 'no order to compare'}{among}"


def _subjects(each: Found) -> str:
    parts = each.get("subjects", {})
    rows = [(name, *score) for name, part in parts.items() if (score := main(part)) is not None]
    rows.sort(key=lambda row: -float(row[2]["value"]))
    return (
        html.figure(f"Best at {rows[0][0]}, worst at {rows[-1][0]}", partial(_drawn, rows, each["scale"]))
        if rows
        else ""
    )


def _worst(outcomes: list[Outcome]) -> str:
    """The answers with the lowest scores, and what the judge said of them."""
    scored = sorted((one for one in outcomes if one.metrics), key=lambda one: next(iter(one.metrics.values())))
    shown = []
    for one in scored[:SHOWN]:
        words = one.detail.get("words", "")
        said = " / ".join(words) if isinstance(words, list) else str(words)
        asked = "\n\n".join(turn["question"] for turn in one.detail["turns"])
        answers = "\n\n".join(turn.get("answer", turn.get("answer_a", "")) for turn in one.detail["turns"])
        shown += [
            html.text(f"{one.id}: {next(iter(one.metrics.values())):g}. {said}"),
            html.sample(f"{asked}\n\n", answers),
        ]
    return html.fold(f"the {len(scored[:SHOWN])} lowest of {len(scored):,}", *shown)
