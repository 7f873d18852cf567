"""`hornbook embed` and `hornbook fill`: texts as vectors, and the words behind a mask."""

import json
from pathlib import Path
from typing import Annotated

import typer

ModelPath = Annotated[str, typer.Argument(metavar="MODEL", help="a run, a model folder, a hub id, or a .gguf file")]
SHOWN = 12  # texts whose likeness is printed beside one another


def embed(
    model: ModelPath,
    texts: Annotated[list[str], typer.Argument(metavar="TEXT|FILE...", help="texts; of a file each line is one")],
    out: Annotated[Path | None, typer.Option(help="write the vectors: .npy, or .jsonl with the texts")] = None,
    pooling: Annotated[
        str | None, typer.Option(help="mean, first or last; default what the model's folder says")
    ] = None,
    normalize: Annotated[bool | None, typer.Option(help="to length 1; default what the folder says")] = None,
) -> None:
    """Vectors of texts: written to a file, or how alike the texts are.

    Example: hornbook embed path/to/minilm "a cat" "a kitten" "the stock market"
    """
    import hornbook
    from hornbook.core.errors import UserError

    rows = [line for text in texts for line in _lines(text)]
    if out is not None and out.suffix not in (".npy", ".jsonl"):
        raise UserError(f"{out}: vectors are written as .npy or .jsonl; name it {out.stem}.npy")
    if out is None and len(rows) > SHOWN:
        raise UserError(f"{len(rows)} texts are too many to print side by side; write them with --out vectors.npy")
    vectors = hornbook.load(model).embed(rows, pooling=pooling, normalize=normalize)
    if out is None:
        _print_likeness(rows, vectors)
        return
    _write(out, rows, vectors)
    print(f"{out}: {len(rows)} vectors of {vectors.shape[1]} numbers")


def fill(
    model: ModelPath,
    text: Annotated[str, typer.Argument(help="a text with [MASK] where words are missing")],
    top: Annotated[int, typer.Option(min=1, help="guesses for each mask")] = 5,
) -> None:
    """The likeliest words behind each mask, with their probabilities.

    Example: hornbook fill google-bert/bert-base-uncased "Paris is the [MASK] of France."
    """
    import hornbook
    from hornbook.core.table import print_table

    for number, guesses in enumerate(hornbook.load(model).fill(text, top=top), 1):
        print_table([f"mask {number}", "probability"], [[guess.token, guess.probability] for guess in guesses])


def _lines(text: str) -> list[str]:
    """A text, or the lines of a file."""
    if len(text) < 256 and Path(text).is_file():
        return [line for line in Path(text).read_text(encoding="utf-8").splitlines() if line.strip()]
    return [text]


def _print_likeness(rows, vectors) -> None:  # type: ignore[no-untyped-def]  # a tensor, whose module is imported late
    from hornbook.core.table import print_table

    units = vectors / vectors.norm(dim=1, keepdim=True).clamp(min=1e-12)
    alike = (units @ units.T).tolist()
    table = [[i, text, *(round(value, 3) for value in alike[i - 1])] for i, text in enumerate(rows, 1)]
    print_table(["", "text", *map(str, range(1, len(rows) + 1))], table)


def _write(out: Path, rows, vectors) -> None:  # type: ignore[no-untyped-def]  # as above
    import numpy as np

    from hornbook.core.files import new_file, write_text

    if out.suffix == ".jsonl":
        lines = [
            json.dumps({"text": text, "embedding": vector}, ensure_ascii=False)
            for text, vector in zip(rows, vectors.tolist(), strict=True)
        ]
        write_text(out, "\n".join(lines) + "\n")
        return
    with new_file(out) as file:
        np.save(file, vectors.numpy())
