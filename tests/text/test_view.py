"""Views: every byte is shown once, pages need nothing else and run nothing, figures are right."""

import itertools
import re
from html import unescape

import pytest
from rich.console import Console

from hornbook.text.bpe import BPE
from hornbook.text.byte_bpe import ByteBPE
from hornbook.text.view import KINDS, compare, kinds, page, summary, terminal, tokens, vocabulary
from hornbook.text.wordpiece import WordPiece

TEXT = "def f(x):\n\treturn x  # 中 <b>&</b> <|endoftext|>\n"


@pytest.fixture(scope="module")
def tokenizer() -> ByteBPE:
    return BPE(vocab=280, split="gpt2").train(
        ["def f(x):\n\treturn x\n", "天地玄黄天地玄黄かかか", "def f(x): return y"] * 3
    )


def test_tokens_hold_every_byte_and_show_what_is_no_text(tokenizer: ByteBPE) -> None:
    found = tokens(tokenizer, TEXT)
    assert b"".join(token.bytes for token in found) == TEXT.encode()
    shown = "".join(token.text for token in found)
    assert "↵" in shown
    assert "→" in shown
    assert "⟨e4⟩⟨b8⟩⟨ad⟩" in shown
    assert [token.text for token in tokens(tokenizer, "\x07")] == ["⟨u+0007⟩"]


def test_the_terminal_colours_neighbours_differently(tokenizer: ByteBPE) -> None:
    view = terminal(tokenizer, TEXT)
    styles = [str(span.style) for span in view.spans]
    assert len(styles) == len(tokenizer.encode(TEXT))
    assert all(left != right for left, right in itertools.pairwise(styles))
    console = Console(width=80, force_terminal=True, record=True, file=None, quiet=True)
    console.print(view)
    assert view.plain.count("\n") == TEXT.count("\n")


def test_the_page_is_whole_safe_and_offline(tokenizer: ByteBPE) -> None:
    html = page(tokenizer, TEXT, title="<script>", special=True)
    spans = re.findall(r'<span class="(\w+)" data-is="([^"]*)" tabindex="0">(.*?)</span>', html)
    ids = tokenizer.encode(TEXT, special=True)
    assert [int(hover.split(" ")[1]) for _, hover, _ in spans] == ids
    assert [bytes.fromhex(hover.split(": ")[1]) for _, hover, _ in spans] == [tokenizer.decode_bytes([i]) for i in ids]
    assert [kind for kind, _, _ in spans].count("special") == 1
    assert all(re.fullmatch(r"(?:[^<>&]|&#?\w+;)*", text) for _, _, text in spans)
    assert "<b>&</b>" in "".join(unescape(text) for _, _, text in spans)
    assert not re.search(r"<script|src=|href=|@import|https?:|<b>&<", html)


def test_the_figures(tokenizer: ByteBPE) -> None:
    found = tokens(tokenizer, "天地abc")
    figures = summary(found, tokenizer.vocab)
    assert figures["characters"] == "5"
    assert figures["bytes"] == "9"
    assert figures["bytes per token"] == f"{9 / len(found):.2f}"
    assert summary([], 320)["characters per token"] == "0.00"


def test_comparing_is_bytes_by_tokens(tokenizer: ByteBPE) -> None:
    small, words = BPE(vocab=259).train(["x"]), WordPiece(vocab=12, alphabet=3).train(["a b, c"])
    clock = itertools.count(0, 2).__next__  # every reading takes two seconds
    columns, rows = compare({"small": small, "more": tokenizer, "words": words}, "天地玄黄", clock=clock)
    assert columns == ["", "small", "more", "words"]
    assert rows == [
        ["kind", "byte-level BPE", "byte-level BPE", "WordPiece"],
        ["vocabulary", 259, 280, words.vocab],
        ["tokens", 12, len(tokenizer.encode("天地玄黄")), 4],
        ["bytes per token", 1.0, round(12 / len(tokenizer.encode("天地玄黄")), 3), 3.0],
        ["unknown", 0, 0, 4],
        ["MB a second", 6e-6, 6e-6, 6e-6],
        ["text comes back", True, True, False],
    ]
    _, empty = compare({"small": small}, "", clock=lambda: 0.0)
    assert [value for _, value in empty] == ["byte-level BPE", 259, 0, 0.0, 0, None, True]


def test_words_are_shown_with_the_spaces_between_them() -> None:
    words = WordPiece(vocab=16, alphabet=5).train(["ab abc ab abc b"] * 3)
    view = terminal(words, "ab abc b")
    assert view.plain.replace("##", "") == "ab abc b"
    assert [token.text for token in tokens(words, "b a")] == ["b", " a"]


def test_what_the_vocabulary_is_spent_on(tokenizer: ByteBPE) -> None:
    found = list(kinds(tokenizer))
    assert len(found) == tokenizer.vocab
    assert found[-3:] == ["special"] * 3
    assert found.count("part of a character") >= 128
    assert "han" in found
    assert "kana" in found
    columns, rows = vocabulary({"it": tokenizer})
    assert columns == ["ids", "it"]
    assert [row[0] for row in rows] == list(KINDS)
    assert sum(row[1] for row in rows if isinstance(row[1], int)) == tokenizer.vocab
