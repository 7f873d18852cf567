"""`hornbook evaluate text` and `hornbook evaluate perplexity`: texts without a model, and a model on texts."""

from pathlib import Path
from typing import Annotated

import typer

Written = Annotated[Path, typer.Argument(metavar="HYPOTHESES", help="what was written: lines, or rows with --key")]
References = Annotated[
    list[Path] | None, typer.Argument(metavar="[REFERENCES]...", help="what it is held against, as many segments")
]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="a run, a model folder, a hub id, a .gguf file")]
Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="texts, in UTF-8")]


def text(
    hypotheses: Written,
    references: References = None,
    metrics: Annotated[
        str, typer.Option(help="with commas: bleu,chrf,rouge,exact,f1,distinct,repetition; else all that can be had")
    ] = "",
    language: Annotated[
        str, typer.Option(help="en, zh (by character), words, characters; auto: told by the script")
    ] = "auto",
    against: Annotated[
        Path | None, typer.Option(help="what another system wrote of the same: is there a difference?")
    ] = None,
    key: Annotated[str, typer.Option(help="the column that is read, in a file of rows")] = "text",
    reference_key: Annotated[str | None, typer.Option(help="that of the references, which may be lists")] = None,
    out: Annotated[Path | None, typer.Option(help="a JSON file for scores and segments")] = None,
) -> None:
    """BLEU, chrF, ROUGE, exact match, F1, distinct-n and repetition of texts that are there already.

    Example: hornbook evaluate text written.txt references.txt --metrics bleu,chrf
    """
    from hornbook.scored_text import Texts, evaluate

    texts = Texts(
        written=hypotheses,
        references=tuple(references or ()),
        against=against,
        key=key,
        reference_key=reference_key,
        language=language,
    )
    evaluate(texts, [name.strip() for name in metrics.split(",") if name.strip()], out)


def perplexity(
    model: Model,
    files: Files,
    window: Annotated[int | None, typer.Option(help="tokens read at once; else the model's length")] = None,
    stride: Annotated[int | None, typer.Option(help="tokens from window to window; else half a window")] = None,
    out: Annotated[Path, typer.Option(help="where scores go")] = Path("evaluations"),
) -> None:
    """Perplexity over a sliding window and bits per byte, of files of text.

    Example: hornbook evaluate perplexity runs/demo held-out.txt --stride 512
    """
    from hornbook.scored_perplexity import evaluate

    evaluate(model, files, out, window=window, stride=stride)
