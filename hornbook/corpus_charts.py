"""The pictures of a corpus report: what each step left, why by source, how documents are spread, what took the time."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from hornbook.console import short, span
from hornbook.core import report as html
from hornbook.core.chart import Axis, Bar, Line, bars, lines
from hornbook.core.portions import Portion, portions
from hornbook.corpus.ledger import Ledger, StepAccount
from hornbook.corpus.profile import SCORE_BINS, UNKNOWN, Profile

LANGUAGES = 12  # the commonest that are shown
SOURCES = 8  # columns of the table of reasons
UNITS = {"documents": "", "bytes": "B", "characters": " characters"}


def waterfall(ledger: Ledger, measure: str) -> str:
    """What every step left of what came to it; `measure` is documents, bytes or characters."""
    steps = list(ledger.steps.values())
    if not steps:
        return ""
    first, last = (getattr(steps[0], f"{measure}_in"), getattr(steps[-1], f"{measure}_out"))
    came = f"{first:,} documents" if measure == "documents" else f"{short(first)}{UNITS[measure]}"
    answer = f"{percent(last / max(first, 1))} of {came} are left"
    worst = max(steps, key=lambda step: _lost(step, measure))
    answer += f"; {worst.name} took most" if _lost(worst, measure) else ""
    rows = [
        Portion(
            name=step.name,
            whole=getattr(step, f"{measure}_in"),
            part=getattr(step, f"{measure}_out"),
            text=_left(step, measure),
        )
        for step in steps
    ]
    return html.figure(answer, lambda width: portions(rows, width=width))


def _lost(step: StepAccount, measure: str) -> int:
    return int(getattr(step, f"{measure}_in")) - int(getattr(step, f"{measure}_out"))


def _left(step: StepAccount, measure: str) -> str:
    came, lost = getattr(step, f"{measure}_in"), _lost(step, measure)
    left = f"{short(came - lost)}{UNITS[measure]}"
    return f"{left}, {percent(-lost / came)}" if came and lost else left


def percent(share: float) -> str:
    """A share with as many digits as say something.

    >>> percent(0.5), percent(-0.031), percent(0.0004), percent(0.0)
    ('50 %', '-3.1 %', '0.04 %', '0 %')
    """
    if share and abs(share) < 0.001:
        return f"{share * 100:.1g} %"
    return f"{share * 100:.1f} %" if 0 < abs(share) < 0.0995 else f"{share * 100:.0f} %"


def reasons(ledger: Ledger) -> str:
    """Reasons by source: how many documents of each, the stronger the colour the larger the share of that source."""
    sources = sorted(ledger.read, key=lambda name: -ledger.read[name].documents)
    shown, rest = sources[:SOURCES], sources[SOURCES:]
    head = [
        "step",
        "reason",
        *shown,
        *([f"{len(rest)} others"] if rest else []),
        *(["all"] if len(sources) > 1 else []),
    ]
    rows = []
    for step in ledger.steps.values():
        ordered = sorted(step.dropped.items(), key=lambda pair: -pair[1].documents)
        for place, (why, reason) in enumerate(ordered):
            counts = [(reason.sources.get(name, 0), ledger.read[name].documents) for name in shown]
            if rest:
                others = sum(reason.sources.get(name, 0) for name in rest)
                counts.append((others, sum(ledger.read[name].documents for name in rest)))
            if len(sources) > 1:
                counts.append((reason.documents, ledger.documents_read))
            name = "" if place else escape(step.name)
            rows.append(f"<tr><td>{name}</td><td>{escape(why)}</td>{''.join(map(_cell, counts))}</tr>")
    if not rows:
        return ""
    names = "".join(f"<th{' class=number' if place > 1 else ''}>{escape(name)}</th>" for place, name in enumerate(head))
    body = f"<thead><tr>{names}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="scroll"><table class="heat">{body}</table></div>\n'


def _cell(counted: tuple[int, int]) -> str:
    count, of = counted
    if not count:
        return '<td class="number"></td>'
    share = count / max(of, 1)
    colour = f"color-mix(in srgb, var(--c1) {min(4 + 100 * share**0.5, 70):.0f}%, transparent)"
    return f'<td class="number" style="background:{colour}" title="{percent(share)} of {of:,}">{count:,}</td>'


def lengths(read: Profile, kept: Profile) -> str:
    """How long documents are, before and after."""
    curves = [
        Line(name=name, points=_points(profile.lengths), colour=colour)
        for name, profile, colour in (("read", read, 1), ("kept", kept, 0))
        if profile.lengths
    ]
    middle = [short(median_length(profile.lengths)) for profile in (read, kept) if profile.lengths]
    if not middle:
        return ""
    answer = f"Half of the documents are longer than {' characters as read, '.join(middle)} characters"
    answer += " as kept" if len(middle) > 1 else " as read"
    x = Axis(label="characters", text=short, log=True)
    y = Axis(label="documents", text=short, zero=True)
    return html.figure(answer, lambda width: lines(curves, x, y, width=width, height=260))


def _points(counts: Mapping[str, int]) -> list[tuple[float, float]]:
    """Each half octave at its middle, the empty ones between them and at both ends at zero."""
    bins = {int(name): documents for name, documents in counts.items() if int(name) >= 0}
    if not bins:
        return []
    return [(2 ** ((place + 0.5) / 2), bins.get(place, 0)) for place in range(min(bins) - 1, max(bins) + 2)]


def median_length(counts: Mapping[str, int]) -> float:
    """Where half of the documents are longer, taking those of a half octave as evenly spread in it.

    >>> median_length({"20": 1, "22": 1}), round(median_length({"20": 4}))
    (1448.1546878700494, 1218)
    """
    total, seen = sum(counts.values()), 0
    for place in sorted(map(int, counts)):
        here = counts[str(place)]
        if seen + here >= total / 2:
            return 2.0 ** ((place + (total / 2 - seen) / here) / 2) if place >= 0 else 0.0
        seen += here
    return 0.0


def languages(dropped: Profile, kept: Profile) -> str:
    """Documents by language, before and after."""
    before = {name: dropped.languages.get(name, 0) + kept.languages.get(name, 0) for name in
              (dropped.languages.keys() | kept.languages.keys())}  # fmt: skip
    known = [name for name in before if name != UNKNOWN]
    if not known:
        return ""
    rows = [
        Portion(
            name=name or "not known",
            whole=before[name],
            part=kept.languages.get(name, 0),
            text=f"{kept.languages.get(name, 0):,} of {before[name]:,}",
        )
        for name in sorted(before, key=lambda name: (-before[name], name))[:LANGUAGES]
    ]
    stayed = len(kept.languages.keys() - {UNKNOWN})
    answer = f"{kinds(len(known), 'language')} came in, {stayed or 'none'} stayed"
    return html.figure(answer, lambda width: portions(rows, width=width))


def scores(dropped: Profile, kept: Profile) -> str:
    """Documents by quality score, before and after."""
    places = range(SCORE_BINS)
    before = [dropped.scores.get(str(p), 0) + kept.scores.get(str(p), 0) for p in places]
    after = [kept.scores.get(str(place), 0) for place in places]
    if not any(before):
        return ""
    curves = [
        Line(name=name, points=[((p + 0.5) / SCORE_BINS, count) for p, count in enumerate(counts)], colour=colour)
        for name, counts, colour in (("scored", before, 1), ("kept", after, 0))
    ]
    answer = f"{percent(sum(after) / sum(before))} of the {sum(before):,} documents with a quality score are left"
    x = Axis(label="quality", text=lambda value: f"{value:.1f}")
    y = Axis(label="documents", text=short, zero=True)
    return html.figure(answer, lambda width: lines(curves, x, y, width=width, height=240))


def times(seconds: Mapping[str, float]) -> str:
    """What took the time, summed over the workers."""
    rows = [Bar(name=name, value=value, ours=True) for name, value in sorted(seconds.items(), key=lambda p: -p[1])]
    total = sum(seconds.values())
    if not total:
        return ""
    answer = f"{rows[0].name} took {percent(rows[0].value / total)} of the {span_of(total)} that the steps took"
    axis = Axis(label="seconds", text=span_of)
    return html.figure(answer, lambda width: bars(rows, axis, width=width), data="timing.json")


def span_of(seconds: float) -> str:
    """A time for a person, also a short one.

    >>> span_of(0.0312), span_of(2.04), span_of(75)
    ('31 ms', '2.0 s', '1m15s')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 10 else span(seconds)


def kinds(count: int, name: str) -> str:
    """A count with its noun.

    >>> kinds(1, "language"), kinds(2400, "source")
    ('1 language', '2,400 sources')
    """
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def by_source(ledger: Ledger) -> str:
    """What is left of every source."""
    rows = [
        Portion(
            name=name,
            whole=total.bytes,
            part=kept.bytes if (kept := ledger.kept.get(name)) else 0,
            text=f"{short(kept.bytes) if kept else 0}B of {short(total.bytes)}B",
        )
        for name, total in sorted(ledger.read.items(), key=lambda pair: -pair[1].bytes)[:LANGUAGES]
    ]
    least = min(rows, key=lambda row: row.part / max(row.whole, 1), default=None)
    if least is None or len(rows) < 2:
        return ""
    share = least.part / max(least.whole, 1)
    answer = f"Least is left of {least.name}: {percent(share) if share else 'nothing'}"
    return html.figure(answer, lambda width: portions(rows, width=width))


def steps_table(steps: Iterable[StepAccount], tokens_per_character: float) -> str:
    """Documents, bytes and tokens into and out of every step."""
    columns: Sequence[str] = ("step", "documents in", "out", "bytes in", "out", "tokens in", "out", "changed")
    rows = []
    for step in steps:
        tokens = [short(count * tokens_per_character) for count in (step.characters_in, step.characters_out)]
        sizes = [f"{short(count)}B" for count in (step.bytes_in, step.bytes_out)]
        changed = sum(reason.documents for reason in step.changed.values()) or None
        rows.append((step.name, step.documents_in, step.documents_out, *sizes, *tokens, changed))
    return html.table(columns, rows)
