"""A run's report: what was read, how it was learned, how good it is and what it writes, on one page that opens offline.

Everything comes from the files in the run folder; what is not there yet is left out, so the page may be written at any
moment of a run and is cheap enough to be written often.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hornbook.console import shares, short, span
from hornbook.core import report as html
from hornbook.core.chart import Axis, Bar, bars
from hornbook.core.errors import UserError
from hornbook.core.files import write_text
from hornbook.core.report import Section
from hornbook.core.run import Log, Row, Run
from hornbook.curves import Curves, figures
from hornbook.report_stages import names, read, scores

SHOWN = 4  # samples of a prompt that are not folded away: the first, the last and two between
STAGES = {"pretrain": "pretraining"}
LONGEST = 24  # tokens of the vocabulary that are shown


def write_report(folder: Path) -> Path:
    """Write RUN/report.html anew; its path."""
    run = Run(folder)
    if not run.recipe.exists() and not run.metrics.exists():
        raise UserError(f"{folder}: is no run folder (it holds neither recipe.yaml nor metrics.jsonl)")
    write_text(run.report, build(run))
    return run.report


def build(run: Run) -> str:
    """The page."""
    curves = Curves.read(run.folder)
    learned = Section("How it learned").add(*figures(curves), events(run))
    sections = [
        Section("What it writes").add(*samples(run)),
        evaluation(run),
        learned,
        *(stage(run.stage(name)) for name in names(run)),
        corpus(run),
        tokenizer(run),
        made(run),
    ]
    name = run.folder.resolve().name
    return html.page(name, lead(run, curves), facts(run, curves), sections, foot=f"hornbook, {run.folder}")


def stage(run: Run) -> Section:
    """A stage after the base model: what it came to, how it got there, what it wrote on the way."""
    section = Section(f"Then: {run.folder.name}")
    section.add(*scores(run), *figures(Curves.read(run.folder)), *samples(run), events(run))
    return section


def lead(run: Run, curves: Curves) -> str:
    """One sentence about the whole run."""
    if not run.metrics.exists() and names(run):
        return f"A finished model and what was made of it: {', '.join(names(run))}."
    trained, splits = read(run.folder / "training.json"), read(run.corpus / "ledger.json").get("splits", {})
    model = f"A language model of {short(trained['parameters'])} parameters" if trained else "A language model"
    documents = splits.get("train", {}).get("documents")
    source = f", made from {documents:,} documents ({size(splits['train']['bytes'])})" if documents else ""
    seconds = curves.last("seconds")
    if not seconds:
        return f"{model}{source}; its training has not begun."
    return f"{model}{source} in {span(seconds)} of training{'' if trained else ' so far'}."


def facts(run: Run, curves: Curves) -> list[tuple[str, object]]:
    """The figures one looks for first."""
    compressed = read(run.evaluation).get("compression", {})
    loss, held_out = curves.last("loss"), curves.last("validation_loss")
    bits = compressed.get("bits_per_byte") or curves.last("validation_bits_per_byte")
    found = [
        ("bits per byte, held out", f"{bits:.3f}" if bits else None),
        ("loss, held out", f"{held_out:.3f}" if held_out else None),
        ("loss, training", f"{loss:.3f}" if loss and not held_out else None),
        *((f"{name}, held out", f"{share:.1%}") for name, share in shares(curves.newest()).items()),
        ("tokens read", said(short, curves.last("tokens"))),
        ("training time", said(span, curves.last("seconds"))),
        ("tokens a second", said(short, curves.median("tokens_per_second"))),
    ]
    return [(name, value) for name, value in found if value is not None]


def size(count: int) -> str:
    """Bytes for a person.

    >>> size(750_000), size(12)
    ('750 kB', '12 B')
    """
    number = short(count)
    return f"{number} B" if number[-1].isdigit() else f"{number[:-1]} {number[-1]}B"


def said(words: Callable[[float], str], value: float | None) -> str | None:
    """A value in words, None where there is none."""
    return None if value is None else words(value)


def samples(run: Run) -> list[str]:
    """What the model wrote as it learned, prompt by prompt; most of it folded."""
    by_prompt: dict[str, list[Row]] = {}
    for row in Log(run.samples).rows():
        by_prompt.setdefault(str(row.get("prompt", "")), []).append(row)
    parts = []
    for number, rows in enumerate(by_prompt.values()):
        chosen = milestones(len(rows))
        shown = [_sample(rows[place]) for place in chosen]
        rest = [_sample(row) for place, row in enumerate(rows) if place not in chosen]
        more = html.fold(f"{len(rest)} more on the way", *rest)
        parts += [*shown, more] if number == 0 else [html.fold(f"from {rows[0].get('prompt')!r}", *shown, more)]
    return parts


def milestones(count: int) -> list[int]:
    """The places shown of a series that improves fast at first: the first, the last, between them by powers.

    >>> milestones(3), milestones(20), milestones(1)
    ([0, 1, 2], [0, 3, 7, 19], [0])
    """
    if count <= SHOWN:
        return list(range(count))
    return sorted({0, *(round((count - 1) ** (part / (SHOWN - 1))) for part in range(1, SHOWN))})


def _sample(row: Row) -> str:
    step, tokens = row.get("step", 0), row.get("tokens")
    when = "before training" if step == 0 else f"step {step:,}" + (f", {short(tokens)} tokens read" if tokens else "")
    prompt, written = str(row.get("prompt", "")), str(row.get("text", "")).rstrip()
    if "target" not in row:
        return html.heading(when) + html.sample(prompt, written)
    sides = (("it read", prompt), ("it wrote", written), ("right", str(row["target"])))
    return html.heading(when) + html.table(("", "text"), sides)


def evaluation(run: Run) -> Section:
    """The scores at the end."""
    found, section = read(run.evaluation), Section("How good it is")
    if compression := found.get("compression"):
        section.add(html.figure(compression_sentence(compression), lambda width: _compression(compression, width)))
        section.add(html.text(
            f"Measured on {compression['documents']:,} documents ({size(compression['bytes'])}) that it never read. "
            "Fewer bits mean better predictions; the size of the model itself is not counted."
        ))  # fmt: skip
    if task := found.get("task"):
        section.add(html.text(f"On {task['rows']:,} rows that it never saw its loss is {task['loss']:.3f}."))
        columns = ("what was asked", "right", "of", "share", "95 % interval")
        section.add(html.table(columns, [_share_row(name, each) for name, each in task["shares"].items()]))
    rates = found.get("completions") or []
    if rates:
        best = max(rates, key=lambda rate: rate["share"])
        answer = f"{best['share']:.0%} of the functions it completes are valid Python ({best['trials']} tried)"
        section.add(html.figure(answer, lambda width: _parse_rates(rates, width)))
    for rate in rates:
        written = [html.sample(shown["prompt"], shown["text"]) for shown in rate.get("examples", [])]
        section.add(html.fold(f"what it completed after {STAGES.get(rate['stage'], rate['stage'])}", *written))
    return section


def _share_row(name: str, found: dict[str, Any]) -> tuple[object, ...]:
    low, high = found["interval"]
    return name, found["right"], found["of"], f"{found['share']:.1%}", f"{low:.1%} to {high:.1%}"


def compression_sentence(found: dict[str, Any]) -> str:
    """Where the model stands among the compressors."""
    mine = found["bits_per_byte"]
    beaten = [name for name, value in sorted(found["baselines"].items(), key=lambda pair: -pair[1]) if value > mine]
    if not beaten:
        return f"It needs {mine:.3f} bits for a byte of held-out text, more than the compressors need"
    return f"It needs {mine:.3f} bits for a byte of held-out text, fewer than {' and '.join(beaten[-2:])}"


def _compression(found: dict[str, Any], width: int) -> str:
    rows = [Bar(name=name, value=value) for name, value in found["baselines"].items()]
    rows.append(Bar(name="this model", value=found["bits_per_byte"], interval=tuple(found["interval"]), ours=True))
    rows.sort(key=lambda bar: -bar.value)
    return bars(rows, Axis(label="bits per byte", text=lambda value: f"{value:.2f}"), width=width)


def _parse_rates(rates: list[dict[str, Any]], width: int) -> str:
    rows = [
        Bar(
            name=f"after {STAGES.get(r['stage'], r['stage'])}",
            value=r["share"],
            interval=tuple(r["interval"]),
            ours=True,
        )
        for r in rates
    ]
    return bars(rows, Axis(label="share", text=lambda value: f"{value:.0%}"), most=1, width=width)


def corpus(run: Run) -> Section:
    """What was read and what was dropped."""
    ledger, section = read(run.corpus / "ledger.json"), Section("What it read")
    columns = ("documents", "characters", "bytes")
    for title, totals in (("read", ledger.get("read", {})), ("written", ledger.get("splits", {}))):
        rows = [(name, *(total.get(column) for column in columns)) for name, total in totals.items()]
        section.add(html.table((title, *columns), rows))
    steps = ledger.get("steps", {}).values()
    reasons = [
        (step["name"], reason, entry.get("documents"), entry.get("bytes"))
        for step in steps
        for reason, entry in step.get("dropped", {}).items()
    ]
    section.add(html.table(("step", "dropped because", "documents", "bytes"), reasons))
    if ledger.get("bad"):
        places = [(entry["place"], entry["why"]) for entry in ledger.get("bad_places", [])[:100]]
        section.add(
            html.fold(f"files or lines that could not be read: {ledger['bad']:,}", html.table(("place", "why"), places))
        )
    return section


def tokenizer(run: Run) -> Section:
    """The vocabulary and what it makes of the text."""
    manifest, section = read(run.shards / "manifest.json"), Section("Its alphabet")
    splits = manifest.get("splits", {})
    rows = [
        (name, part["tokens"], part["bytes"], part["bytes"] / part["tokens"])
        for name, part in splits.items()
        if part.get("tokens")
    ]
    if rows:
        said = f"{manifest['vocab']:,} tokens; one stands for {rows[0][3]:.2f} bytes of text on average."
        section.add(html.text(said), html.table(("split", "tokens", "bytes", "bytes a token"), rows))
    vocab = read(run.tokenizer / "tokenizer.json").get("model", {}).get("vocab", {})
    pieces = [piece if isinstance(piece, str) else piece[0] for piece in vocab]  # a unigram model's come with scores
    longest = sorted((piece for piece in pieces if piece.isalpha() and piece.isascii()), key=len)[-LONGEST:]
    if longest:
        section.add(html.text("The longest words it learned as one token: " + ", ".join(reversed(longest)) + "."))
    return section


def events(run: Run) -> str:
    """What the guard saw."""
    rows = [(row.get("step"), row.get("why"), html.plain(row.get("documents"))) for row in Log(run.events).rows()]
    return html.table(("step", "what the guard saw", "documents left out"), rows)


def made(run: Run) -> Section:
    """The exact recipe and environment."""
    section = Section("How it was made")
    stages = [(name, span(stage["seconds"])) for name, stage in read(run.folder / "stages.json").items()]
    section.add(html.table(("stage", "time"), stages))
    if run.recipe.exists():
        section.add(html.fold("the recipe, every value written out", html.code(run.recipe.read_text(encoding="utf-8"))))
    facts = [(name, html.plain(value)) for name, value in read(run.environment).items()]
    return section.add(html.fold("the machine and the versions", html.table(("", ""), facts)))
