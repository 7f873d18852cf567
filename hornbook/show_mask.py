"""`hornbook show DATA --mask`: rows as a model will read them, with the tokens that are trained in colour.

What is wrong with a template or a mask is seen here before the first step. Where there are no colours (a file, a pipe),
what is trained stands between brackets. Without a model the tokens are bytes, and the template is all that is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

import numpy as np
from rich.console import Console
from rich.text import Text

from hornbook.core import recipe as recipes
from hornbook.core.table import print_table
from hornbook.data import rows as files
from hornbook.data.inputs import Conversations
from hornbook.exchange import gguf_tokenizer
from hornbook.exchange.gguf import GGUF
from hornbook.generate.hub import find
from hornbook.text import chat
from hornbook.text import tokenizer as text
from hornbook.text.bpe import BPE
from hornbook.text.chat import Rendered, Renderer
from hornbook.text.templates import TEMPLATES
from hornbook.tune.template import renderer_for

TRAINED = ("color(16) on color(157)", "color(16) on color(114)")  # by turns, so that one sees where a token ends
OPEN, CLOSE = "\u27e6", "\u27e7"  # around what is trained, where there are no colours
NEW_LINE = "\u21b5"  # shown where a token is the end of a line


@dataclass(frozen=True)
class Wish:
    """What is to be shown."""

    data: str
    settings: Sequence[str] = ()  # of the data, as in a recipe: format=sharegpt, columns.prompt=question
    model: str | None = None
    template: str | None = None
    rows: int = 3
    length: int = 1024  # tokens: longer rows are counted


def show_mask(wish: Wish, console: Console | None = None) -> None:
    """Print the first rows, and of all of them what there is to learn."""
    console = console or Console(highlight=False, soft_wrap=True)
    renderer = open_renderer(wish.model, wish.template)
    given = recipes.override({"source": wish.data}, wish.settings)
    data: Conversations = recipes.parse(Conversations, given)
    sizes, trained = [], []
    for number, raw in enumerate(files.read(wish.data, header=data.header)):
        row = data.row(raw)
        found = renderer.row(row["messages"], row["id"])
        sizes.append(len(found.ids))
        trained.append(sum(found.trained))
        if number < wish.rows:
            console.print(f"{row['id']}  {sizes[-1]:,} tokens, {trained[-1]:,} trained", style="bold")
            console.print(coloured(found, renderer) if console.is_terminal else bracketed(found, renderer))
            console.print()
    _print_counts(np.array(sizes), np.array(trained), wish, console)


def open_renderer(model: str | None, template: str | None) -> Renderer:
    """A model's tokenizer with a template; its weights are not read."""
    if model is None:
        special = sorted({token for each in TEMPLATES.values() for token in each.tokens})
        stand_in = BPE(vocab=257 + len(special), special=("<|endoftext|>", *special)).train(["text"], processes=1)
        return renderer_for(stand_in, None, template or "chatml")
    place = find(model)
    if place.suffix == ".gguf":
        file = GGUF(place)
        tokenizer = gguf_tokenizer.read(file)
        own = None if tokenizer is None else gguf_tokenizer.renderer(file, tokenizer)
        return renderer_for(tokenizer, own, template)
    tokenizer = text.load(place)
    return renderer_for(tokenizer, chat.load(place, tokenizer), template)


def coloured(row: Rendered, renderer: Renderer) -> Text:
    """The text of a row, every trained token in one of two shades of green."""
    shown, turn = Text(), 0
    for piece, trained in _pieces(row, renderer):
        turn = turn + 1 if trained else 0
        shown.append(piece, TRAINED[turn % 2] if trained else None)
    return shown


def bracketed(row: Rendered, renderer: Renderer) -> Text:
    """The text of a row with brackets around each stretch that is trained."""
    shown, inside = "", False
    for piece, trained in [*_pieces(row, renderer), ("", False)]:
        shown += (OPEN if trained and not inside else CLOSE if inside and not trained else "") + piece
        inside = trained
    return Text(shown)


def _pieces(row: Rendered, renderer: Renderer) -> list[tuple[str, bool]]:
    """The text of each token; one that is only a part of a character stands with those that complete it."""
    pieces, waiting = [], []
    for i, trained in zip(row.ids, row.trained, strict=True):
        waiting.append(i)
        piece = renderer.tokenizer.decode(waiting)
        if piece.endswith("\ufffd") and len(waiting) < 4:  # bytes of a character in UTF-8
            continue
        pieces.append((piece.replace("\n", f"{NEW_LINE}\n") if trained else piece, trained))
        waiting = []
    return [*pieces, *([(renderer.tokenizer.decode(waiting), row.trained[-1])] if waiting else [])]


def _print_counts(sizes: np.ndarray, trained: np.ndarray, wish: Wish, console: Console) -> None:
    unit = "tokens" if wish.model else "bytes (no --model)"
    long = int((sizes > wish.length + 1).sum())
    table = [
        ("rows", len(sizes)),
        (unit, int(sizes.sum())),
        ("trained", f"{int(trained.sum()):,} ({trained.sum() / sizes.sum():.1%})"),
        ("longest row", int(sizes.max())),
        ("median row", int(np.median(sizes))),
        (f"longer than {wish.length:,}", f"{long:,} ({long / len(sizes):.1%})"),
    ]
    print_table((Path(wish.data).name, ""), table, file=cast(TextIO, console.file))
