"""See what a tokenizer does: a text as coloured tokens, in the terminal or as a page; several of them side by side.

Pure functions: they return rich texts, rows of tables and HTML; whoever calls prints or writes them.
"""

import html
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text

from hornbook.text.plain import whole
from hornbook.text.stream import pieces
from hornbook.text.tokenizer import Tokenizer

COLOURS = ("#cfe3ff", "#d5f0d0", "#ffe3b8", "#f7d3e3", "#e3d9fb", "#cdeeea")  # light, told apart also in grey
SPECIAL = "#3b3f46"
KINDS = (
    "han",
    "kana",
    "latin",
    "other letters",
    "digits",
    "signs and spaces",
    "part of a character",
    "special",
    "unused",
)
SHOWN = {"\n": "↵", "\r": "␍", "\t": "→"}


@dataclass(frozen=True)
class Token:
    """One token of a text."""

    id: int
    bytes: bytes
    special: bool

    @property
    def text(self) -> str:
        """What to show: the text with its line ends and tabs made visible, or the bytes of a part of a character."""
        return "".join(map(_shown, self.bytes.decode("utf-8", "surrogateescape")))

    @property
    def line_ends(self) -> int:
        return self.bytes.count(b"\n")


def _shown(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # surrogateescape's name for a byte that is no text
        return f"⟨{ord(character) - 0xDC00:02x}⟩"
    return SHOWN.get(character) or (character if character.isprintable() else f"⟨u+{ord(character):04x}⟩")


def tokens(tokenizer: Tokenizer, text: str, *, special: bool = False) -> list[Token]:
    """The tokens of a text."""
    names, ids = set(tokenizer.special.values()), tokenizer.encode(text, special=special)
    return [Token(i, piece, i in names) for i, piece in zip(ids, pieces(tokenizer, ids), strict=True)]


def terminal(tokenizer: Tokenizer, text: str) -> Text:
    """A text for the terminal, each token on the next of a few colours."""
    view = Text()
    for number, token in enumerate(tokens(tokenizer, text)):
        view.append(token.text, style=f"black on {COLOURS[number % len(COLOURS)]}")
        view.append("\n" * token.line_ends)
    return view


def summary(tokens: Sequence[Token], vocab: int) -> dict[str, str]:
    """The figures beside a view: counts, and how much text a token holds."""
    data = b"".join(token.bytes for token in tokens)
    characters = len(data.decode("utf-8", "replace"))
    count = max(len(tokens), 1)
    return {
        "characters": f"{characters:,}",
        "bytes": f"{len(data):,}",
        "tokens": f"{len(tokens):,}",
        "characters per token": f"{characters / count:.2f}",
        "bytes per token": f"{len(data) / count:.2f}",
        "distinct ids": f"{len({token.id for token in tokens}):,} of {vocab:,}",
    }


def page(tokenizer: Tokenizer, text: str, *, title: str = "Tokens", special: bool = False) -> str:
    """A text as one HTML page that needs nothing else; a token's id and bytes show under the pointer."""
    found = tokens(tokenizer, text, special=special)
    figures = "".join(f"<div><b>{value}</b>{name}</div>" for name, value in summary(found, tokenizer.vocab).items())
    spans = "".join(_span(number, token) for number, token in enumerate(found))
    colours = "".join(f".c{i}{{background:{colour}}}" for i, colour in enumerate(COLOURS))
    return PAGE.format(title=html.escape(title), figures=figures, spans=spans, colours=colours, special=SPECIAL)


def _span(number: int, token: Token) -> str:
    kind = "special" if token.special else f"c{number % len(COLOURS)}"
    hover = html.escape(f"id {token.id} · {len(token.bytes)} bytes: {token.bytes.hex(' ')}")
    return (
        f'<span class="{kind}" data-is="{hover}" tabindex="0">{html.escape(token.text)}</span>' + "\n" * token.line_ends
    )


def compare(
    tokenizers: Mapping[str, Tokenizer], text: str, *, clock: Callable[[], float]
) -> tuple[list[str], list[list[object]]]:
    """Tokenizers side by side on a text: columns and rows of a table; more bytes per token are better.

    `clock` tells seconds; the speed is that of a second reading, when tables are built and words are known.
    """
    found = [_measure(tokenizer, text, clock) for tokenizer in tokenizers.values()]
    return ["", *tokenizers], [[name, *(each[name] for each in found)] for name in found[0]]


def _measure(tokenizer: Tokenizer, text: str, clock: Callable[[], float]) -> dict[str, object]:
    size = len(text.encode("utf-8", "replace"))
    ids = tokenizer.encode(text)
    began = clock()
    tokenizer.encode(text)
    seconds = clock() - began
    return {
        "kind": tokenizer.kind,
        "vocabulary": tokenizer.vocab,
        "tokens": len(ids),
        "bytes per token": round(size / max(len(ids), 1), 3),
        "unknown": ids.count(tokenizer.roles.get("unk", -1)),
        "MB a second": size / 1e6 / seconds if seconds else None,
        "text comes back": tokenizer.decode(ids) == whole(text),
    }


def vocabulary(tokenizers: Mapping[str, Tokenizer]) -> tuple[list[str], list[list[object]]]:
    """What each vocabulary is spent on: columns and rows of a table with a row a kind of token, how many ids it has."""
    counted = [Counter(kinds(tokenizer)) for tokenizer in tokenizers.values()]
    return ["ids", *tokenizers], [[kind, *(count[kind] for count in counted)] for kind in KINDS]


def kinds(tokenizer: Tokenizer) -> Iterator[str]:
    """For each id, what its token is made of; `part of a character` where its bytes are no text by themselves."""
    names = set(tokenizer.special.values())
    for i in range(tokenizer.vocab):
        try:
            yield "special" if i in names else _kind(tokenizer.decode_bytes([i]).decode())
        except UnicodeDecodeError:
            yield "part of a character"
        except ValueError:  # a gap in the ids
            yield "unused"


def _kind(text: str) -> str:
    """The first kind that a character of the text has: Han before kana before letters before digits.

    >>> _kind(" the"), _kind("不過。"), _kind("3.1"), _kind(");"), _kind("добро")
    ('latin', 'han', 'digits', 'signs and spaces', 'other letters')
    """
    scripts = {unicodedata.name(character, "").split(" ")[0] for character in text if character.isalpha()}
    for kind, script in {"han": "CJK", "kana": "HIRAGANA", "latin": "LATIN"}.items():
        if script in scripts or (kind == "kana" and "KATAKANA" in scripts):
            return kind
    if scripts:
        return "other letters"
    return "digits" if any(character.isnumeric() for character in text) else "signs and spaces"


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>
body{{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1d2025;background:#fff}}
h1{{font-size:1.3rem}}
.figures{{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:1rem 0 1.5rem;color:#5b616b}}
.figures div{{display:flex;flex-direction:column;font-size:.85rem}} .figures b{{font-size:1.25rem;color:#1d2025}}
pre{{font:15px/2 ui-monospace,"DejaVu Sans Mono","Noto Sans Mono CJK SC",monospace}}
pre{{white-space:pre-wrap;overflow-wrap:anywhere}}
span{{position:relative;border-radius:3px;padding:.2em 0;color:#1d2025}}
span:hover,span:focus{{outline:2px solid #1d2025}}
span:hover::after,span:focus::after{{content:attr(data-is);position:absolute;left:0;top:100%;z-index:1}}
span::after{{width:max-content;max-width:22rem;padding:.2em .6em;border-radius:4px;background:#1d2025;color:#fff}}
span::after{{font-size:13px;line-height:1.5;white-space:normal}}
.special{{background:{special};color:#fff;padding:.2em .3em}}{colours}
</style>
<h1>{title}</h1><div class="figures">{figures}</div>
<pre>{spans}</pre></html>
"""
