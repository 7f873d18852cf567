"""Rows with what is trained in colour, or between brackets where there are no colours; and the counts of all."""

import io
import itertools
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from hornbook.core.errors import UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.show_mask import TRAINED, Wish, coloured, open_renderer, show_mask
from hornbook.text.bpe import BPE
from hornbook.text.chat import Renderer
from tests.tiny_chat import chat_model

ROWS = [
    {"instruction": "Say hi.", "input": "twice", "output": "Hi,\nhi!"},
    {"instruction": "说你好。", "output": "你好🌱"},
    {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "x" * 200}]},
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), encoding="utf-8")
    return path


def shown(wish: Wish, *, terminal: bool = False) -> str:
    out = io.StringIO()
    show_mask(
        wish, Console(file=out, force_terminal=terminal, color_system="256" if terminal else None, soft_wrap=True)
    )
    return out.getvalue()


def test_without_colours_what_is_trained_stands_between_brackets(rows: Path) -> None:
    said = shown(Wish(str(rows), rows=2))
    assert "rows.jsonl:1  " in said
    assert "<|im_start|>user\nSay hi.\n\ntwice<|im_end|>\n<|im_start|>assistant\n⟦Hi,↵\nhi!<|im_end|>⟧\n" in said
    assert "⟦你好🌱<|im_end|>⟧" in said
    assert "rows.jsonl:3" not in said
    assert "\x1b" not in said


def test_on_a_terminal_it_is_in_colour(rows: Path) -> None:
    said = shown(Wish(str(rows), rows=1, template="alpaca"), terminal=True)
    green = re.sub(r"\x1b\[0m|\x1b\[38;5;16;48;5;(?:157|114)m", "", said.partition("### Response:")[2])
    assert green.startswith("Hi,↵\nhi!<|endoftext|>")
    assert "\x1b[38;5;16;48;5;157m" in said
    assert "\x1b[38;5;16;48;5;114m" in said
    assert "⟦" not in said


def test_tokens_change_shade_and_a_cut_character_is_whole() -> None:
    tokenizer = BPE(vocab=300, split="gpt2").train(["hello hello"], processes=1)
    renderer = Renderer(tokenizer, "plain")
    row = renderer.render([{"role": "user", "content": "?"}, {"role": "assistant", "content": "hello 🌱"}])
    text = coloured(row, renderer)
    spans = [(text.plain[span.start : span.end], str(span.style)) for span in text.spans if str(span.style) in TRAINED]
    assert [piece for piece, _ in spans] == ["hello", " ", "🌱", "<|endoftext|>"]
    assert all(a[1] != b[1] for a, b in itertools.pairwise(spans))


def test_the_counts_are_of_all_rows(rows: Path) -> None:
    said = shown(Wish(str(rows), rows=0, length=100))
    counts = dict(re.findall(r"^ (\S[^\n]*?)  +(\S[^\n]*?) *$", said, re.MULTILINE))
    assert counts["rows"] == "3"
    assert counts["longer than 100"] == "1 (33.3%)"
    # bytes; a special token is one: 7 of "Hi,\nhi!", 10 of "你好🌱", 200, and three stop tokens
    assert counts["trained"].startswith("220 ")
    assert "bytes (no --model)" in counts


def test_a_model_brings_its_tokenizer_and_its_template(rows: Path, tmp_path: Path) -> None:
    model = chat_model()
    model.renderer = Renderer(model.tokenizer, "plain")
    model.save(tmp_path / "model")
    renderer = open_renderer(str(tmp_path / "model"), None)
    assert renderer.source == model.renderer.source
    assert renderer.tokenizer.fingerprint == model.tokenizer.fingerprint
    assert "### Response:\n⟦Hi,↵\nhi!<|endoftext|>⟧" in shown(Wish(str(rows), model=str(tmp_path / "model")))
    assert open_renderer(str(tmp_path / "model"), "chatml").stop == model.tokenizer.special["<|im_end|>"]


def test_a_gguf_file_is_opened_without_its_weights(tmp_path: Path) -> None:
    chat_model().save_gguf(tmp_path / "model.gguf", type="f32")
    renderer = open_renderer(str(tmp_path / "model.gguf"), None)
    assert renderer.source == chat_model().renderer.source


def test_the_settings_of_the_data_are_those_of_a_recipe(tmp_path: Path) -> None:
    path = tmp_path / "questions.csv"
    path.write_text("question,answer\nWho?,Me.\n")
    said = shown(Wish(str(path), ("columns.prompt=question", "columns.completion=answer")))
    assert "⟦Me.<|im_end|>⟧" in said


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"instruction": "Hi", "output": " "}, "rows.jsonl:4: output is empty"),
        ({"messages": [{"role": "narrator", "content": "Hi"}]}, "rows.jsonl:4: message 1: role 'narrator'"),
        (
            {"messages": [{"role": "user", "content": "\ufdd0"}, {"role": "assistant", "content": "a"}]},
            "rows.jsonl:4: ",
        ),
    ],
)
def test_a_bad_row_is_named(rows: Path, row: dict[str, object], sentence: str) -> None:
    with rows.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    with pytest.raises(UserError, match=re.escape(sentence)):
        shown(Wish(str(rows)))


def test_a_template_that_cannot_be_is_one_sentence(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"template: 'alpacca' is no file and none of"):
        shown(Wish(str(rows), template="alpacca"))
    model = chat_model()
    LanguageModel(model.module, model.tokenizer).save(tmp_path / "bare")
    with pytest.raises(UserError, match="template: the model has none of its own"):
        shown(Wish(str(rows), model=str(tmp_path / "bare")))
