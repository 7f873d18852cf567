"""A model is opened to be trained and saved again as what it was."""

from pathlib import Path

import pytest
import torch

from hornbook.adapt.adapter import is_adapted
from hornbook.adapt.freeze import Freeze
from hornbook.adapt.lora import Lora
from hornbook.core.errors import RecipeError, UserError
from hornbook.exchange import folder as exchange
from hornbook.generate.language_model import LanguageModel
from hornbook.tune.opened import Opened
from tests.tune.doubles import place_at


def test_what_an_adapter_learnt_is_folded_in_when_it_is_saved(tiny_base: Path, tmp_path: Path) -> None:
    opened = Opened.at(tiny_base)
    opened.learns(place_at(tmp_path / "run", tiny_base), Lora(rank=2), None)
    ids = torch.arange(1, 9)[None]
    for name, parameter in opened.decoder.named_parameters():
        if parameter.requires_grad:
            assert "adapter" in name
            torch.nn.init.normal_(parameter, std=0.3)
    said = opened.decoder(ids).logits
    opened.saving()(tmp_path / "model")
    assert is_adapted(opened.decoder)
    torch.testing.assert_close(LanguageModel.load(tmp_path / "model").module(ids).logits, said, rtol=1e-4, atol=1e-4)


def test_a_part_of_the_weights_may_learn(tiny_base: Path, tmp_path: Path) -> None:
    opened = Opened.at(tiny_base)
    opened.learns(place_at(tmp_path / "run", tiny_base), None, Freeze(train=("final norm",)))
    assert [n for n, p in opened.decoder.named_parameters() if p.requires_grad] == ["stack.final_norm.weight"]
    with pytest.raises(RecipeError, match="give one of the two"):
        opened.learns(place_at(tmp_path / "run", tiny_base), Lora(), Freeze(train=("head",)))


def test_a_folder_without_a_tokenizer_is_refused(tiny_base: Path, tmp_path: Path) -> None:
    exchange.save(LanguageModel.load(tiny_base).module, tmp_path / "bare")
    with pytest.raises(UserError, match="base: has no tokenizer"):
        _ = Opened.at(tmp_path / "bare").tokenizer
