"""Which template a stage speaks: the model's own, one of ours, a file; everything else is one sentence."""

from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from hornbook.generate.language_model import LanguageModel
from hornbook.text.chat import Renderer
from hornbook.text.templates import TEMPLATES
from hornbook.tune.template import renderer_of, template_files

HELLO = [{"role": "user", "content": "hello"}]


def test_without_a_name_it_is_the_models_own(tiny_base: Path) -> None:
    model = LanguageModel.load(tiny_base)
    with pytest.raises(UserError) as refusal:
        renderer_of(model, None)
    assert str(refusal.value) == (
        "template: the model has none of its own; name one that its tokenizer can write: "
        "alpaca, book, book_phi3, plain, chatml"
    )
    model.renderer = Renderer(model.tokenizer, "plain")
    assert renderer_of(model, None) is model.renderer


def test_a_name_is_one_of_ours(tiny_base: Path) -> None:
    model = LanguageModel.load(tiny_base)
    assert renderer_of(model, "alpaca").source == TEMPLATES["alpaca"].text
    assert template_files("alpaca") == template_files(None) == []


def test_a_file_is_read_with_the_words_of_the_model(tiny_base: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.jinja"
    path.write_text(
        "{{ bos_token }}{% for m in messages %}你{{ m.content }}{{ eos_token }}{% endfor %}", encoding="utf-8"
    )
    model = LanguageModel.load(tiny_base)
    end = "<|endoftext|>"
    assert model.tokenizer.decode(renderer_of(model, str(path)).prompt(HELLO)) == f"你hello{end}"
    model.renderer = Renderer(model.tokenizer, "chatml", {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"})
    assert model.tokenizer.decode(renderer_of(model, str(path)).prompt(HELLO)) == "<|im_start|>你hello<|im_end|>"
    assert template_files(str(path)) == [path]


def test_what_is_neither_is_one_sentence(tiny_base: Path) -> None:
    with pytest.raises(UserError, match=r"template: 'alpacca' is no file and none of .* \(did you mean 'alpaca'\?\)"):
        renderer_of(LanguageModel.load(tiny_base), "alpacca")
    with pytest.raises(UserError, match="base: the model's folder has no tokenizer"):
        renderer_of(LanguageModel(LanguageModel.load(tiny_base).module, None), "alpaca")
