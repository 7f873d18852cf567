"""Prompts in the words of a chat template, or as they stand; those that leave no room are counted."""

from pathlib import Path

import pytest

from hornbook.core.errors import RecipeError, UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.text.chat import Renderer
from hornbook.tune.instruct import Functions
from hornbook.tune.prompts import parts_of, prompts_of
from tests.tune.doubles import place_at

ROWS = [
    {"prompt": [{"role": "user", "content": "a fox"}], "id": "rows.jsonl:1", "answer": "7"},
    {"prompt": [{"role": "user", "content": "a fox " * 60}], "id": "rows.jsonl:2"},
]


def test_a_model_with_a_template_is_asked_in_its_words(tiny_base: Path, tmp_path: Path) -> None:
    lm, told = LanguageModel.load(tiny_base), []
    place = place_at(tmp_path, tiny_base, note=told.append)
    assert lm.tokenizer is not None
    (plain,) = prompts_of(ROWS, lm, room=8, place=place)
    assert plain.ids == lm.tokenizer.encode("a fox")
    assert (plain.text, plain.row["answer"]) == ("a fox", "7")
    lm.renderer = Renderer(lm.tokenizer, "chatml")
    (asked,) = prompts_of(ROWS, lm, room=8, place=place)
    assert asked.ids == lm.renderer.prompt(ROWS[0]["prompt"])  # type: ignore[arg-type]
    assert told == ["1 of 2 prompts are longer than 120 tokens: left out"] * 2
    with pytest.raises(UserError, match="none of 1 leaves room for 8 of the 128 tokens"):
        prompts_of(ROWS[1:], lm, room=8, place=place)


def test_a_conversation_needs_a_template(tiny_base: Path, tmp_path: Path) -> None:
    talk = [{"role": role, "content": "a"} for role in ("user", "assistant", "user")]
    with pytest.raises(UserError, match=r"rows\.jsonl:4: a conversation of 3 messages, .* no chat template"):
        prompts_of(
            [{"prompt": talk, "id": "rows.jsonl:4"}],
            LanguageModel.load(tiny_base),
            room=8,
            place=place_at(tmp_path, tiny_base),
        )


def test_heads_of_functions_are_prompts(tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecipeError, match="come from the corpus"):
        parts_of(Functions(), place_at(tmp_path, tiny_base))
    pair = {
        "messages": [{"role": "user", "content": "def f():"}, {"role": "assistant", "content": "    return"}],
        "document": "a.py",
    }
    monkeypatch.setattr("hornbook.tune.instruct.pairs", lambda documents: [pair])
    monkeypatch.setattr("hornbook.tune.instruct.stored", lambda *_: [])
    parts = parts_of(Functions(), place_at(tmp_path, tiny_base, corpus=tmp_path))
    assert parts.train == [{"prompt": pair["messages"][:1], "id": "a.py", "answer": "    return"}]
