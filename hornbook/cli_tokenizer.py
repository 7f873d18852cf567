"""`hornbook tokenizer ...`: train one, use it, look at what it does to a text."""

from pathlib import Path
from typing import Annotated

import typer

Folder = Annotated[
    Path, typer.Argument(metavar="TOKENIZER", help="a run, a model folder, or a folder with a tokenizer")
]

tokenizer_app = typer.Typer(no_args_is_help=True, help="Train, use and look at tokenizers.")


@tokenizer_app.command()
def train(
    sources: Annotated[list[str], typer.Argument(help="files, folders or globs; stdlib is Python's own library")],
    out: Annotated[Path, typer.Option(help="folder to write tokenizer.json to")],
    vocab: Annotated[int, typer.Option(help="number of ids")] = 8192,
    split: Annotated[str, typer.Option(help="how text is cut first: gpt2, cl100k or han")] = "han",
    column: Annotated[str, typer.Option(help="the column that holds the text")] = "text",
) -> None:
    """Learn a byte-level BPE tokenizer from text.

    Example: hornbook tokenizer train my/files --vocab 8192 --out my/tokenizer
    """
    from hornbook.core import recipe
    from hornbook.corpus.ledger import Ledger
    from hornbook.corpus.pipeline import Corpus, clean
    from hornbook.text.bpe import BPE

    config = recipe.parse(BPE, {"vocab": vocab, "split": split}, "tokenizer")
    corpus = Corpus(source=tuple(sources), column=column)
    batches = clean(corpus, Ledger())
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
    tokenizers: Annotated[list[Path], typer.Argument(help="folders with a tokenizer")],
    text: Annotated[list[Path], typer.Option(help="a file to count on; give one for each language")],
) -> None:
    """Bytes per token of several tokenizers on several texts.

    Example: hornbook tokenizer compare runs/demo other/model --text english.txt --text chinese.txt
    """
    from hornbook.core.table import print_table
    from hornbook.text.view import compare as count

    texts = {path.name: path.read_text(encoding="utf-8") for path in text}
    columns, rows = count({str(folder): _open(folder) for folder in tokenizers}, texts)
    print_table(columns, rows)


def _open(folder: Path):  # type: ignore[no-untyped-def]  # a Tokenizer, whose module is imported only here
    from hornbook.text.tokenizer import load

    found = [place for place in (folder / "model", folder / "tokenizer") if (place / "tokenizer.json").is_file()]
    return load(found[0] if found else folder)


def _text(text: str) -> str:
    import sys

    return sys.stdin.read() if text == "-" else text
