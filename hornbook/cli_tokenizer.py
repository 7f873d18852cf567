"""`hornbook tokenizer ...`: train one, use it, look at what it does to a text."""

import importlib
from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    Path, typer.Argument(metavar="TOKENIZER", help="a run, a model folder, or a folder with a tokenizer")
]

# What can be trained: the module and the class of its configuration, imported when it is asked for.
KINDS = {
    "bpe": ("hornbook.text.bpe", "BPE"),
    "wordpiece": ("hornbook.text.wordpiece", "WordPiece"),
    "unigram": ("hornbook.text.unigram", "Unigram"),
}
FORMATS = (
    "hugging-face",
    "vocab.txt",
    "tiktoken",
    "gpt2",
    "sentencepiece",
)  # the names in text/convert.py, which is slow to import

tokenizer_app = typer.Typer(no_args_is_help=True, help="Train, use and look at tokenizers.")


@tokenizer_app.command()
def train(
    sources: Annotated[list[str], typer.Argument(help="files, folders or globs; stdlib is Python's own library")],
    out: Annotated[Path, typer.Option(help="folder to write tokenizer.json to")],
    kind: Annotated[str, typer.Option("--type", help=f"{', '.join(KINDS)}")] = "bpe",
    vocab: Annotated[int, typer.Option(help="number of ids")] = 8192,
    split: Annotated[str | None, typer.Option(help="how bpe cuts text first: gpt2, cl100k or han (default)")] = None,
    column: Annotated[str, typer.Option(help="the column that holds the text")] = "text",
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value, another field of a recipe's tokenizer section")
    ] = None,
) -> None:
    """Learn a tokenizer from text.

    Example: hornbook tokenizer train my/files --type wordpiece --set lowercase=false --out my/tokenizer
    """
    from hornbook.corpus.ledger import Ledger
    from hornbook.corpus.pipeline import Corpus, clean

    given = [f"split={split}", *(settings or [])] if split else settings or []
    config = _config(kind, [f"vocab={vocab}", *given])
    batches = clean(Corpus(source=tuple(sources), column=column), Ledger())
    tokenizer = config.train(document.text for batch in batches for document in batch)
    if shortfall := config.shortfall(tokenizer):
        print(shortfall)
    tokenizer.save(out)
    print(f"{out}: {tokenizer.vocab:,} tokens")


@tokenizer_app.command()
def encode(
    tokenizer: Folder,
    text: Annotated[str, typer.Argument(help="the text; - reads standard input")],
    special: Annotated[bool, typer.Option("--special", help="read <|endoftext|> and the like as their ids")] = False,
) -> None:
    """The ids of a text.

    Example: hornbook tokenizer encode runs/demo "def main():"
    """
    print(*_open(tokenizer).encode(_text(text), special=special))


@tokenizer_app.command()
def decode(tokenizer: Folder, ids: Annotated[list[int], typer.Argument(help="token ids", min=0)]) -> None:
    """The text of some ids.

    Example: hornbook tokenizer decode runs/demo 72 290
    """
    from hornbook.core.errors import UserError

    opened = _open(tokenizer)
    if too_high := [i for i in ids if i >= opened.vocab]:
        raise UserError(f"{too_high[0]}: no such token; this tokenizer's ids end at {opened.vocab - 1}")
    print(opened.decode(ids))


@tokenizer_app.command()
def view(
    tokenizer: Folder,
    text: Annotated[str, typer.Argument(help="the text; - reads standard input")],
    html: Annotated[Path | None, typer.Option(help="write a page to this file instead")] = None,
) -> None:
    """A text with its tokens coloured, in the terminal or as a page.

    Example: hornbook tokenizer view runs/demo "for i in range(10):" --html tokens.html
    """
    from hornbook.core.files import write_text
    from hornbook.text.view import page, terminal

    opened, shown = _open(tokenizer), _text(text)
    if html is not None:
        write_text(html, page(opened, shown))
        print(html)
        return
    from rich.console import Console

    Console(highlight=False).print(terminal(opened, shown))


@tokenizer_app.command()
def compare(
    tokenizers: Annotated[list[Path], typer.Argument(help="tokenizers of any kind")],
    text: Annotated[list[Path], typer.Option(help="a file to count on; give one for each language")],
) -> None:
    """Several tokenizers on several texts: tokens, bytes per token, speed, and whether the text comes back.

    Example: hornbook tokenizer compare runs/demo other/model --text english.txt --text chinese.txt
    """
    import time

    from hornbook.core.table import print_table
    from hornbook.text.view import compare as count

    texts = {path.name: _read(path) for path in text}
    opened = {str(folder): _open(folder) for folder in tokenizers}
    for name, content in texts.items():
        columns, rows = count(opened, content, clock=time.process_time)
        print_table(columns, rows, title=f"{name}, {len(content.encode()):,} bytes")


@tokenizer_app.command()
def convert(
    source: Folder,
    target: Annotated[Path, typer.Argument(help="folder to write to")],
    form: Annotated[str, typer.Option("--format", help=", ".join(FORMATS))] = "hugging-face",
) -> None:
    """Write a tokenizer in another form; one that cannot hold it says why.

    Example: hornbook tokenizer convert runs/demo ranks --format tiktoken
    """
    from hornbook.text.convert import convert as write

    for path in write(_open(source), target, form=form):
        print(path)


def _config(kind: str, settings: list[str]):  # type: ignore[no-untyped-def]  # one of the union in settings.py
    from hornbook.core import recipe
    from hornbook.core.errors import UserError

    if kind not in KINDS:
        raise UserError(f"--type: {kind!r} is not one of {', '.join(KINDS)}; give one of these")
    module, name = KINDS[kind]
    config = getattr(importlib.import_module(module), name)
    return recipe.parse(config, recipe.override({}, settings), "tokenizer")


def _open(folder: Path):  # type: ignore[no-untyped-def]  # a Tokenizer, whose module is imported only here
    from hornbook.text.tokenizer import load

    found = [place for place in (folder / "model", folder / "tokenizer") if (place / "tokenizer.json").is_file()]
    return load(found[0] if found else folder)


def _text(text: str) -> str:
    import sys

    return sys.stdin.read() if text == "-" else text


def _read(path: Path) -> str:
    from hornbook.core.errors import UserError

    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); name a text file") from None
