"""The report of an evaluation: scores drawn with their errors, subjects, calibration, and the worst answers."""

from functools import partial
from pathlib import Path
from typing import Any

from hornbook import judged_report, scored_written
from hornbook.core import report as html
from hornbook.core.chart import Axis, Bar, Line, bars, lines
from hornbook.core.report import Section
from hornbook.evaluate import evaluation
from hornbook.evaluate.statistics import compare
from hornbook.evaluate.task import Outcome
from hornbook.scored_averages import section as averages

WORST = 6  # questions of a task that are shown
BINS = 10  # of a reliability diagram
SHARE = Axis(label="share", text=lambda value: f"{value:.0%}")
MARK = Axis(label="mark", text=lambda value: f"{value:.2f}")  # of people or judges, on a scale of theirs


def page(found: dict[str, Any], folders: dict[str, Path]) -> str:
    """The whole page."""
    tasks = sorted({task for results in found.values() for task in results["tasks"]})
    sections = [_overview(found, tasks, folders)] + [_task(task, found, folders) for task in tasks]
    sections += judged_report.sections(found, folders)
    asked = f" on {len(tasks)} benchmark{'s' * (len(tasks) != 1)}" if tasks else ""
    lead = f"{', '.join(found)}{asked}; every score with its 95 % interval."
    questions = sum(_main(found[next(iter(found))]["tasks"][task])[1]["of"] for task in tasks if task in _first(found))
    return html.page(
        "Scores", lead, [("models", len(found)), ("tasks", len(tasks)), ("questions", questions)], sections
    )


def _first(found: dict[str, Any]) -> dict[str, Any]:
    tasks: dict[str, Any] = next(iter(found.values()))["tasks"]
    return tasks


def _main(scores: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The metric that stands for a task: the normalised accuracy where there is one."""
    measured = [name for name, each in scores.items() if isinstance(each, dict) and "value" in each]
    name = next((usual for usual in ("acc_norm", "mc2", "acc") if usual in measured), measured[0])
    return name, scores[name]


def _overview(found: dict[str, Any], tasks: list[str], folders: dict[str, Path]) -> Section:
    section = Section("Scores")
    for task in tasks:
        rows = [(name, *_main(results["tasks"][task])) for name, results in found.items() if task in results["tasks"]]
        if scored_written.unscored(next(r["tasks"][task] for r in found.values() if task in r["tasks"])):
            continue
        rows.sort(key=lambda row: -float(row[2]["value"]))
        said = f"{task}, {rows[0][1]}: {_sentence(task, rows, folders)}"
        section.add(html.figure(said, partial(_drawn, [(name, score) for name, _, score in rows])))
    return section


def _drawn(rows: list[tuple[str, dict[str, Any]]], width: int) -> str:
    drawn = [Bar(name=name, value=each["value"], interval=tuple(each["interval"]), ours=True) for name, each in rows]
    axis = SHARE if all(bar.value <= 1 for bar in drawn) else MARK
    return bars(drawn, axis, most=1, width=width)


def _sentence(task: str, rows: list[tuple[str, str, dict[str, Any]]], folders: dict[str, Path]) -> str:
    """The best score, and whether the best model is better than the next one on the questions of both."""
    name, metric, score = rows[0]
    low, high = score["interval"]
    if len(rows) == 1:
        form = ".1%" if score["value"] <= 1 else ".2f"
        return f"{name} has {score['value']:{form}} ({low:{form}} to {high:{form}})"
    best, other = ({o.id: o.metrics[metric] for o in evaluation.read_items(folders[row[0]], task)} for row in rows[:2])
    same = [key for key in best if key in other]
    return compare([other[key] for key in same], [best[key] for key in same]).sentence(rows[1][0], name)


def _task(task: str, found: dict[str, Any], folders: dict[str, Path]) -> Section:
    section = Section(task)
    for name, results in found.items():
        if task not in results["tasks"]:
            continue
        scores = results["tasks"][task]
        items = evaluation.read_items(folders[name], task)
        section.add(
            html.heading(name),
            _table(scores),
            *averages(scores, _main(scores)[0]),
            _reliability(items),
            _worst(items),
            *scored_written.worst(items),
        )
        if seen := scores.get("seen"):
            section.add(html.text(_read_before(seen)), *([_table(scores["clean"])] if seen["seen"] else []))
        if cut := scores.get("truncated"):
            section.add(html.text(f"{scored_written.lost(cut)}."))
    return section


def _table(scores: dict[str, Any]) -> str:
    rows = [
        (
            name,
            f"{each['value']:.4f}",
            f"{each['standard_error']:.4f}",
            "{:.4f} to {:.4f}".format(*each["interval"]),
            each["of"],
        )
        for name, each in scores.items()
        if isinstance(each, dict) and "value" in each
    ]
    return html.table(("metric", "value", "standard error", "95 % interval", "questions"), rows)


def _read_before(seen: dict[str, int]) -> str:
    """How many questions stand in the training text, for which see evaluate/seen.py."""
    known = seen["seen"] + seen["clean"]
    short = f"; {seen['unknown']:,} are too short to be looked for" if seen["unknown"] else ""
    if not seen["seen"]:
        return f"None of {known:,} questions shares 13 words in a row with the training text{short}."
    return (
        f"{seen['seen']:,} of {known:,} questions share 13 words in a row with the training text{short}. Of the "
        f"{seen['clean']:,} clean ones:"
    )


def _reliability(items: list[Outcome]) -> str:
    """Of the answers it gave with some probability among the choices, how many were right."""
    pairs = [(float(o.detail["share"]), float(next(iter(o.metrics.values())))) for o in items if "share" in o.detail]
    points = []
    for number in range(BINS):
        some = [
            pair for pair in pairs if number <= pair[0] * BINS < number + 1 or (number == BINS - 1 and pair[0] == 1)
        ]
        if len(some) >= 10:  # fewer say nothing
            points.append((sum(p for p, _ in some) / len(some), sum(r for _, r in some) / len(some)))
    if len(points) < 3:
        return ""
    error = sum(abs(p - r) for p, r in points) / len(points)
    said = f"Where it is sure it is right to within {error:.0%}, on average over {len(points)} degrees of sureness"
    ideal = Line(name="as sure as right", points=[(0.0, 0.0), (1.0, 1.0)], colour=5, faint=True)
    curve = Line(name="right", points=points)
    across = Axis(label="probability it gave its answer among the choices", text=lambda value: f"{value:.0%}")
    upward = Axis(label="share that was right", text=lambda value: f"{value:.0%}", zero=True)
    return html.figure(said, lambda width: lines([ideal, curve], across, upward, width=width))


def _worst(items: list[Outcome]) -> str:
    """The wrong answers it was surest of, with the prompt as the model saw it."""
    wrong = [o for o in items if "share" in o.detail and not next(iter(o.metrics.values()))]
    wrong.sort(key=lambda o: -float(o.detail["share"]))
    shown = []
    for one in wrong[:WORST]:
        given, right = one.detail["choices"][one.detail["given"]], one.detail["choices"][one.detail["answer"]]
        said = f"{one.id}: it said {given!r} with {one.detail['share']:.0%}, right is {right!r}"
        shown += [html.text(said), html.sample(str(one.detail["prompt"]), f" {given}")]
    return html.fold(f"the {len(wrong[:WORST])} wrong answers it was surest of, of {len(wrong):,}", *shown)
