"""Write a tokenizer in another of the forms that tokenizers lie about in, or say why that form cannot hold it.

A form holds what its inventors needed: vocab.txt no merges, tiktoken's ranks neither a pattern nor special tokens,
GPT-2's two files only GPT-2's pattern. What cannot be said in a form is an error, never left out in silence.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hornbook.core.errors import UserError
from hornbook.text import ranks, sentencepiece_model, vocab_txt
from hornbook.text.sentencepiece import SentencePiece
from hornbook.text.tokenizer import Tokenizer


@dataclass(frozen=True)
class Form:
    """One way to write tokenizers down."""

    obstacle: Callable[[Tokenizer], str | None]  # why it cannot hold a tokenizer
    write: Callable[[Tokenizer, Path], None]  # into a folder


def _no_sentencepiece(tokenizer: Tokenizer) -> str | None:
    if isinstance(tokenizer, SentencePiece):
        return None
    return f"holds pieces with scores, Unigram's or SentencePiece's BPE's, and this one is {tokenizer.kind}"


def _write_sentencepiece(tokenizer: Tokenizer, folder: Path) -> None:
    assert isinstance(tokenizer, SentencePiece)
    sentencepiece_model.write(tokenizer, folder / "tokenizer.model")


FORMS: dict[str, Form] = {
    "hugging-face": Form(lambda _: None, lambda tokenizer, folder: tokenizer.save(folder)),
    "vocab.txt": Form(vocab_txt.obstacle, vocab_txt.write_folder),
    "tiktoken": Form(ranks.tiktoken_obstacle, ranks.write_tiktoken),
    "gpt2": Form(ranks.gpt2_obstacle, ranks.write_gpt2),
    "sentencepiece": Form(_no_sentencepiece, _write_sentencepiece),
}


def convert(tokenizer: Tokenizer, folder: Path, *, form: str) -> list[Path]:
    """Write a tokenizer into a folder in the form of that name; the files it wrote."""
    if form not in FORMS:
        raise UserError(f"format: {form!r} is not one of {', '.join(FORMS)}; give one of these")
    reason = FORMS[form].obstacle(tokenizer)
    if reason is not None:
        raise UserError(f"format {form}: {reason}; hugging-face holds every tokenizer")
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*")}
    folder.mkdir(parents=True, exist_ok=True)
    FORMS[form].write(tokenizer, folder)
    return sorted(path for path in folder.glob("*") if before.get(path) != path.stat().st_mtime_ns)
