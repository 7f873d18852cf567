"""One HTML file that opens offline: sections of sentences, tables, charts, writing samples and folded blocks.

Nothing outside the file is asked for: the style stands in it, the charts are SVG (see chart.py), fonts are the reader's
own, Chinese ones included. Light and dark follow the reader's system; phones get charts drawn for their width.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

from hornbook.core.table import of_numbers, text_of

WIDE, NARROW = 760, 400  # pixels a chart is drawn for

STYLE = """
:root { color-scheme: light dark; --paper: #fbfaf7; --sheet: #fff; --ink: #24221f; --soft: #6d6860; --rule: #e6e1d8;
  --c0: #2a6592; --c1: #c2502f; --c2: #3b7d4f; --c3: #7d5399; --c4: #a67c1a; --c5: #33807f; --theirs: #cfc8bb; }
@media (prefers-color-scheme: dark) { :root { --paper: #191816; --sheet: #201f1c; --ink: #e8e4dc; --soft: #a09a8f;
  --rule: #383530; --c0: #7fb3dc; --c1: #ee8d6c; --c2: #86c498; --c3: #c09add; --c4: #d9b45c; --c5: #76c2c0;
  --theirs: #4c4841; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%;
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", "PingFang SC",
  "Microsoft YaHei", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 3rem 1.5rem 5rem; }
header { margin-bottom: 2.5rem; }
h1 { font-size: 2.1rem; line-height: 1.2; margin: 0 0 .4rem; font-weight: 650; letter-spacing: -.02em; }
h2 { font-size: 1.3rem; margin: 3.5rem 0 1rem; padding-top: 1.2rem; border-top: 1px solid var(--rule);
  font-weight: 650; letter-spacing: -.01em; }
h3 { font-size: 1rem; margin: 0 0 .6rem; font-weight: 600; }
p { margin: .6rem 0; max-width: 46rem; }
.lead { font-size: 1.12rem; color: var(--soft); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.4rem, 1fr)); margin: 2rem 0 0; padding: 0;
  background: var(--sheet); border: 1px solid var(--rule); border-radius: 8px; overflow: hidden; }
.facts div { padding: .9rem 1rem; box-shadow: 0 0 0 .5px var(--rule); }
.facts dt { color: var(--soft); font-size: .82rem; }
.facts dd { margin: 0; font-size: 1.35rem; font-weight: 600; }
figure { margin: 1.8rem 0 2.4rem; }
figcaption { font-weight: 600; margin-bottom: .7rem; max-width: 46rem; }
figure small, .note { color: var(--soft); font-size: .85rem; font-weight: 400; }
svg { display: block; width: 100%; height: auto; overflow: visible; font-size: 13px; }
svg text { fill: var(--ink); font-variant-numeric: tabular-nums; }
svg .tick, svg .label { fill: var(--soft); font-size: 12px; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.faint { stroke-width: 1; opacity: .35; }
.grid { stroke: var(--rule); } .axis, .whisker { stroke: var(--soft); fill: none; }
.whisker { stroke: var(--ink); } .ours { fill: var(--c0); } .theirs { fill: var(--theirs); }
.value { font-weight: 600; } .lost { fill: var(--c1); opacity: .32; }
.reading { opacity: 0; } .reading:hover { opacity: 1; }
.narrow { display: none; }
.scroll { overflow-x: auto; margin: 1rem 0 1.6rem; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .38rem 1.4rem .38rem 0; border-bottom: 1px solid var(--rule);
  vertical-align: top; }
th { color: var(--soft); font-weight: 500; } .number { text-align: right; }
pre, code { font: .86rem/1.55 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono CJK SC",
  monospace; }
pre { background: var(--sheet); border: 1px solid var(--rule); border-radius: 8px; padding: 1rem 1.2rem;
  margin: .4rem 0 1.4rem; white-space: pre-wrap; overflow-wrap: anywhere; }
pre b { color: var(--c0); font-weight: 600; }
.heat td { padding-right: .8rem; } .heat td:nth-child(-n+2) { white-space: nowrap; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1rem; } .pair pre { margin-top: .3rem; }
.note b { color: var(--ink); font-weight: 600; } mark { background: none; color: inherit; border-radius: 2px;
  box-shadow: inset 0 -.5em color-mix(in srgb, var(--c1) 34%, transparent); }
pre.prose { font-family: inherit; font-size: .92rem; }
details { margin: .8rem 0; } summary { cursor: pointer; color: var(--soft); } summary:hover { color: var(--ink); }
footer { margin-top: 4rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 600px) { main { padding: 1.5rem 1rem 3rem; } h1 { font-size: 1.7rem; } .wide { display: none; }
  .narrow { display: block; } th, td { padding-right: 1rem; } .facts, .pair { grid-template-columns: 1fr 1fr; }
  .pair { grid-template-columns: 1fr; } }
@media print { body { background: none; } h2, figure { break-inside: avoid; } }
"""


@dataclass
class Section:
    """A heading and what stands under it; empty ones are left out of the page."""

    title: str
    parts: list[str] = field(default_factory=list)

    def add(self, *parts: str) -> "Section":
        """Put pieces (what the functions below return) at the end."""
        self.parts += [part for part in parts if part]
        return self


def page(
    title: str, lead: str, facts: Sequence[tuple[str, object]], sections: Iterable[Section], foot: str = ""
) -> str:
    """The whole file. `facts` are (name, value) pairs shown large under the title."""
    tiles = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text_of(value))}</dd></div>" for name, value in facts)
    body = "".join(f"<section><h2>{escape(s.title)}</h2>{''.join(s.parts)}</section>\n" for s in sections if s.parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><main>\n"
        f'<header><h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p>'
        f"{f'<dl class=facts>{tiles}</dl>' if tiles else ''}</header>\n{body}"
        f"<footer>{escape(foot)}</footer></main></body></html>\n"
    )


def text(sentence: str) -> str:
    """A paragraph."""
    return f"<p>{escape(sentence)}</p>"


def heading(title: str) -> str:
    """A heading inside a section."""
    return f"<h3>{escape(title)}</h3>"


def figure(answer: str, draw: Callable[[int], str], *, data: str = "") -> str:
    """A chart under the sentence that it proves; `draw` makes the SVG for a width, `data` names the file behind it."""
    wide = draw(WIDE)
    if not wide:
        return ""
    source = f" <small>({escape(data)})</small>" if data else ""
    return (
        f"<figure><figcaption>{escape(answer)}{source}</figcaption>"
        f'<div class="wide">{wide}</div><div class="narrow">{draw(NARROW)}</div></figure>\n'
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; columns of numbers stand to the right. No rows: nothing."""
    cells = [list(row) for row in rows]
    if not cells:
        return ""
    kinds = [' class="number"' if of_numbers(row[i] for row in cells) else "" for i in range(len(columns))]
    head = "".join(f"<th{kind}>{escape(name)}</th>" for kind, name in zip(kinds, columns, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{escape(text_of(cell))}</td>" for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in cells
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>\n'


def sample(prompt: str, written: str) -> str:
    """What a model wrote, the prompt it was given in bold."""
    return f"<pre><b>{escape(prompt)}</b>{escape(written)}</pre>\n"


def code(content: str) -> str:
    """A file's content."""
    return f"<pre>{escape(content)}</pre>\n"


def fold(summary: str, *parts: str) -> str:
    """Parts behind a line that opens them. No parts: nothing."""
    inner = "".join(parts)
    return f"<details><summary>{escape(summary)}</summary>{inner}</details>\n" if inner else ""


def plain(value: object) -> object:
    """A value from a JSON file, fit for a cell: no NaN, lists and mappings as words."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value
