"""Documents as a report shows them: some that were kept, some of every reason, near duplicates side by side."""

import difflib
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.core import report as html
from hornbook.core.chart import letters
from hornbook.corpus.document import Document
from hornbook.corpus.rows import SCHEMA, from_arrow
from hornbook.corpus_state import State

KEPT, DROPPED, PAIRS = 6, 4, 12  # documents of each kind on the page
LETTERS, PAIR_LETTERS = 700, 1_400  # of each that are shown; a Chinese one counts nearly two
LINES = 16
GROUPS = 24  # row groups that are looked into for documents to show
PIECE = re.compile(r"\w+|\s+|.", re.DOTALL)
UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def kept(state: State) -> list[str]:
    """Documents from all over the corpus, as likely from one place as from another."""
    places = [
        (path, group) for path in state.kept for group in range(pq.read_metadata(path).num_row_groups)
    ]  # a row group is about a million characters
    chosen = [places[len(places) * place // GROUPS] for place in range(min(GROUPS, len(places)))] if places else []
    found: list[Document] = []
    for path, group in dict.fromkeys(chosen):
        with pq.ParquetFile(path) as file:
            table = file.read_row_group(group, columns=SCHEMA.names)
            middle = range(0, len(table), max(1, len(table) // KEPT))
            found += from_arrow(table.take(list(middle)[:KEPT]))
    return [document(each) for each in found[:: max(1, len(found) // KEPT)][:KEPT]]


def dropped(state: State) -> Iterator[tuple[str, str, list[str]]]:
    """Step, reason and some documents, in the order of the steps."""
    groups: dict[tuple[str, str], list[Document]] = {
        (step.name, why): []
        for step in state.ledger.steps.values()
        for why in sorted(step.dropped, key=lambda why: -step.dropped[why].documents)
    }
    for path in state.dropped:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                keys = zip(table["step"].to_pylist(), table["reason"].to_pylist(), strict=True)
                rows = [(row, key) for row, key in enumerate(keys) if len(groups.setdefault(key, [])) < DROPPED]
                documents = from_arrow(table.select(SCHEMA.names).take(pa.array([row for row, _ in rows], pa.int64())))
                for (_, key), each in zip(rows, documents, strict=True):
                    if len(groups[key]) < DROPPED:
                        groups[key].append(each)
    for (step, why), documents in groups.items():
        yield step, why, [document(each) for each in documents]


def document(each: Document) -> str:
    """A document under the line that says where it comes from."""
    said = [f"{len(each.text):,} characters", *([each.language] if each.language else [])]
    said += [f"{name} {value}" for name, value in list(each.metadata.items())[:4] if len(value) <= 60]
    place = each.url if each.url else each.id
    head = f'<p class="note"><b>{escape(place[:160])}</b> · {escape(" · ".join(said))}</p>'
    return f'{head}<pre class="prose">{escape(shown(each.text, LETTERS)) or "(nothing)"}</pre>'


def shown(text: str, room: int) -> str:
    """The beginning of a text and how much more there is; long runs of empty lines are closed up.

    >>> shown("one two three", 20), shown("one two three", 8)
    ('one two three', 'one two ... (5 more characters)')
    """
    text = re.sub(r"\n\s*\n\s*\n+", "\n\n", text.strip())
    end = room if letters(text[:room]) <= room else int(room * room / letters(text[:room]))
    if lines := list(re.finditer("\n", text[:end]))[LINES - 1 :]:
        end = lines[0].start()
    return text if len(text) <= end else f"{text[:end]}... ({len(text) - end:,} more characters)"


def near_pairs(folder: Path) -> list[str]:
    """Pairs of which one was dropped, what differs marked."""
    path = folder / "near_duplicates.parquet"
    if not path.is_file():
        return []
    rows = sorted(pq.read_table(path).to_pylist(), key=lambda row: float(row["similarity"]))
    every = max(1, len(rows) // PAIRS)
    return [_pair(row) for row in rows[::every][:PAIRS]]


def _pair(row: dict[str, str]) -> str:
    ours, theirs = (shown(row[side], PAIR_LETTERS) for side in ("kept_text", "dropped_text"))
    sides = marked(ours, theirs)
    heads = (f"kept: {row['kept_id']}", f"dropped: {row['dropped_id']}")
    cells = [
        f'<div><p class="note"><b>{escape(head)}</b></p><pre class="prose">{side}</pre></div>'
        for head, side in zip(heads, sides, strict=True)
    ]
    return html.heading(f"similarity {float(row['similarity']):.2f}") + f'<div class="pair">{"".join(cells)}</div>'


def marked(ours: str, theirs: str) -> tuple[str, str]:
    """Two texts as HTML, with marks where they differ.

    >>> marked("a red hat", "a blue hat")
    ('a <mark>red</mark> hat', 'a <mark>blue</mark> hat')
    """
    a, b = pieces(ours), pieces(theirs)
    left, right = list[str](), list[str]()
    for kind, i, j, k, l in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():  # noqa: E741  # as there
        for side, text in ((left, "".join(a[i:j])), (right, "".join(b[k:l]))):
            side.append(escape(text) if kind == "equal" or not text.strip() else f"<mark>{escape(text)}</mark>")
    return "".join(left), "".join(right)


def pieces(text: str) -> list[str]:
    """Words, spaces and signs; every character of a script without spaces by itself.

    >>> pieces("一隻 cat")
    ['一', '隻', ' ', 'cat']
    """
    return [part for word in PIECE.findall(text) for part in (word if UNSPACED.search(word) else [word])]
