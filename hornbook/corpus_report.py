"""A corpus on one page that opens offline: what came in, what each step took and why, what is left, with examples.

Everything comes from the files in the corpus folder; tokens are estimated, unless a tokenizer is given to count with.
"""

from itertools import islice
from pathlib import Path

from hornbook import corpus_charts as charts
from hornbook import corpus_samples as samples
from hornbook.console import short
from hornbook.core import report as html
from hornbook.core.files import write_text
from hornbook.core.report import Section
from hornbook.corpus.ledger import Ledger
from hornbook.corpus.stored import texts
from hornbook.corpus_charts import kinds, percent, span_of
from hornbook.corpus_state import State, open_corpus

CHARACTERS_PER_TOKEN = 4  # English in a vocabulary of 50,000: OpenAI's rule of thumb; Chinese has 1 to 2
COUNTED = 300  # documents that a tokenizer is tried on
COUNTED_CHARACTERS = 20_000  # of each
PLACES, NOTES = 200, 100  # that are listed


def write_corpus_report(folder: Path, *, tokenizer: Path | None = None) -> Path:
    """Write FOLDER/report.html anew; its path."""
    state = open_corpus(folder)
    path = state.folder / "report.html"
    write_text(path, build(state, tokenizer))
    return path


def build(state: State, tokenizer: Path | None = None) -> str:
    """The page."""
    ledger, (per_character, how) = state.ledger, tokens_per_character(state, tokenizer)
    sections = [
        became(ledger, per_character, how),
        why(ledger),
        alike(ledger),
        Section("What was kept").add(*samples.kept(state)),
        left_out(state),
        Section("Nearly the same").add(*_pairs(state.folder)),
        unreadable(ledger),
        Section("Where the time went").add(charts.times(seconds(state))),
        made(state),
    ]
    name = state.folder.resolve().parent.name if state.folder.name == "corpus" else state.folder.name
    foot = f"hornbook, {state.folder}"
    return html.page(f"{name}: the corpus", lead(ledger), facts(state, per_character), sections, foot=foot)


def lead(ledger: Ledger) -> str:
    """One sentence about the whole."""
    read, kept = (list(totals.values()) for totals in (ledger.read, ledger.kept))
    came, left = (sum(total.documents for total in totals) for totals in (read, kept))
    sizes = [f"{short(sum(total.bytes for total in totals))}B" for totals in (read, kept)]
    origin = f"from {kinds(len(read), 'source')}" if len(read) != 1 else f"of {next(iter(ledger.read))}"
    share = percent(left / came) if came else "nothing"
    return f"{kinds(came, 'document')} {origin} ({sizes[0]}) became {kinds(left, 'document')} ({sizes[1]}): {share}."


def facts(state: State, per_character: float) -> list[tuple[str, object]]:
    """The figures one looks for first."""
    ledger = state.ledger
    kept = list(ledger.kept.values())
    tokens = sum(total.characters for total in kept) * per_character
    found: list[tuple[str, object]] = [
        ("documents read", ledger.documents_read),
        ("documents kept", sum(total.documents for total in kept)),
        ("text kept", f"{short(sum(total.bytes for total in kept))}B"),
        ("tokens, about", short(tokens)),
        ("unreadable", ledger.bad),
    ]
    took = state.timing.get("seconds")
    return [*found, *([("time", span_of(took))] if took is not None else [])]


def tokens_per_character(state: State, tokenizer: Path | None) -> tuple[float, str]:
    """Tokens that a character is, and how that is known."""
    estimate = f"Tokens are estimated: characters / {CHARACTERS_PER_TOKEN}, which is far too few for Chinese."
    if tokenizer is None or state.running:
        return 1 / CHARACTERS_PER_TOKEN, estimate
    from hornbook.text.tokenizer import load

    inner = [place for place in (tokenizer / "model", tokenizer / "tokenizer") if (place / "tokenizer.json").is_file()]
    tried = [text[:COUNTED_CHARACTERS] for text in islice(texts(state.folder, "train"), COUNTED)]
    tokens = sum(map(len, load(inner[0] if inner else tokenizer).encode_batch(tried)))
    characters = max(sum(map(len, tried)), 1)
    return tokens / characters, (
        f"Tokens are counted with {tokenizer} on {len(tried)} of the documents kept, "
        f"{characters / max(tokens, 1):.2f} characters each; the rest is in proportion."
    )


def became(ledger: Ledger, per_character: float, how: str) -> Section:
    """Step by step."""
    section = Section("What became of it").add(charts.waterfall(ledger, "documents"), charts.waterfall(ledger, "bytes"))
    section.add(charts.steps_table(ledger.steps.values(), per_character), html.text(how))
    return section.add(charts.by_source(ledger))


def why(ledger: Ledger) -> Section:
    """Reasons for dropping and for changing."""
    section = Section("Why documents were dropped").add(charts.reasons(ledger))
    if section.parts and len(ledger.read) > 1:
        section.add(html.text("The stronger the colour, the larger the share of that source's documents."))
    changed = [
        (step.name, what, reason.documents, f"{short(reason.bytes)}B")
        for step in ledger.steps.values()
        for what, reason in sorted(step.changed.items(), key=lambda pair: -pair[1].documents)
    ]
    return section.add(html.table(("step", "changed", "documents", "their size before"), changed))


def alike(ledger: Ledger) -> Section:
    """Lengths, languages, scores."""
    read, dropped, kept = (ledger.profiles[name] for name in ("read", "dropped", "kept"))
    return Section("What the documents are like").add(
        charts.lengths(read, kept), charts.languages(dropped, kept), charts.scores(dropped, kept)
    )


def left_out(state: State) -> Section:
    """Examples of every reason, folded."""
    section, steps = Section("What was dropped"), state.ledger.steps
    for step, reason, shown in samples.dropped(state):
        account = steps[step].dropped.get(reason) if step in steps else None
        count = f", {kinds(account.documents, 'document')}" if account else ""
        section.add(html.fold(f"{step}: {reason}{count}", *shown))
    return section


def _pairs(folder: Path) -> list[str]:
    pairs = samples.near_pairs(folder)
    told = "The least similar pairs first; what differs is marked."
    return [html.text(told), *pairs[:3], html.fold(f"{len(pairs) - 3} more", *pairs[3:])] if pairs else []


def unreadable(ledger: Ledger) -> Section:
    """Bad files and lines, files left out, files read in a special way."""
    section = Section("What could not be read")
    section.add(html.table(("files left out", "files"), ledger.skipped.items()))
    if ledger.bad:
        rows = [(bad["place"], bad["why"]) for bad in ledger.bad_places[:PLACES]]
        table = html.table(("place", "why"), rows)
        section.add(html.text(f"Bad files or lines: {ledger.bad:,}."))
        section.add(table if len(rows) <= 12 else html.fold(f"the first {len(rows)}", table))
    notes = list(ledger.notes.items())[:NOTES]
    return section.add(html.fold(f"read in a special way: {len(ledger.notes):,}", html.table(("file", "how"), notes)))


def seconds(state: State) -> dict[str, float]:
    """What each step took in all stages."""
    found: dict[str, float] = {}
    for stage in state.timing.get("stages", []):
        for name, took in stage["steps"].items():
            found[name] = found.get(name, 0.0) + took
    return found


def made(state: State) -> Section:
    """The splits and the recipe."""
    section, ledger = Section("How it was made"), state.ledger
    rows = [(name, total.documents, total.characters, total.bytes) for name, total in ledger.splits.items()]
    section.add(html.table(("split", "documents", "characters", "bytes"), rows))
    shares = [
        (name, round(part["epochs"], 3), f"{part['planned']:.1%}", f"{part['realised']:.1%}")
        for name, part in ledger.mixture.items()
    ]
    section.add(html.table(("source", "passes", "planned share of the bytes", "written"), shares))
    section.add(html.text(f"Held out: {ledger.split_rule}.") if ledger.split_rule else "")
    recipe = state.folder / "recipe.yaml"
    if recipe.is_file():
        section.add(html.fold("the recipe, every value written out", html.code(recipe.read_text(encoding="utf-8"))))
    return section
