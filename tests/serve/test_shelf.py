"""Names and the models they stand for."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from hornbook.adapt.adapter import attach
from hornbook.adapt.lora import Lora
from hornbook.core.errors import UserError
from hornbook.generate import adapters
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.serving import EngineSettings
from hornbook.serve.errors import Refused
from hornbook.serve.shelf import Served, Shelf, name_of, open_models, share, split, writes
from tests.serve.served import decoder


def engine(capacity: int | None = None) -> Any:
    return SimpleNamespace(settings=SimpleNamespace(capacity=capacity))


@pytest.fixture(scope="module")
def lm() -> LanguageModel:
    return decoder("chatml", length=64)


def test_a_name_is_the_last_folder_that_says_something() -> None:
    assert name_of("runs/demo/instruct/model") == "instruct"
    assert split("mine=runs/demo") == ("mine", "runs/demo")
    assert split("a/b=c") == ("b=c", "a/b=c")


def test_the_first_is_taken_where_none_is_named(lm: LanguageModel) -> None:
    shelf = Shelf([Served("a", lm, engine()), Served("b", lm, None)])
    assert shelf.find(None).name == "a"
    assert shelf.find("b").name == "b"
    assert list(shelf.engines) == ["a"]
    with pytest.raises(Refused, match="'c': is not here; there is a, b") as raised:
        shelf.find("c")
    assert (raised.value.status, raised.value.code) == (404, "model_not_found")
    with pytest.raises(UserError, match="two models have this name"):
        Shelf([Served("a", lm, None), Served("a", lm, None)])


def test_a_card_says_what_a_model_can(lm: LanguageModel) -> None:
    card = Served("a", lm, engine(40)).card
    assert (card["abilities"], card["max_model_len"]) == (["completions", "chat", "embeddings"], 40)
    assert Served("a", decoder(None, length=64), engine()).card["abilities"] == ["completions", "embeddings"]
    with pytest.raises(Refused, match="ask it for /v1/embeddings"):
        Served("a", lm, None).writer()


def test_tokens_are_spelled_in_their_bytes(lm: LanguageModel) -> None:
    served = Served("a", lm, None)
    ids = served.tokenizer.encode("好 fox🌍")
    assert b"".join(map(served.spell, ids)).decode() == "好 fox🌍"


def test_who_writes(lm: LanguageModel, models: dict[str, Path]) -> None:
    assert writes(lm)
    assert not writes(LanguageModel.load(models["reader"]))


def test_an_adapter_has_a_name_and_shares_the_weights(models: dict[str, Path], tmp_path: Path) -> None:
    learned = LanguageModel.load(models["chatty"])
    attach(learned.module, Lora(rank=2), torch.Generator().manual_seed(0))
    adapters.write(learned.module, tmp_path / "law" / "adapter", base=models["chatty"])
    shelf = open_models([str(models["chatty"])], EngineSettings(slots=1), adapters=[str(tmp_path / "law" / "adapter")])
    try:
        assert list(shelf.models) == ["chatty", "law"]
        assert shelf.find("law").card["parent"] == "chatty"
        base, adapted = (dict(shelf.find(name).lm.module.named_parameters()) for name in ("chatty", "law"))
        assert {name for name in base if base[name].data_ptr() == adapted[name].data_ptr()} == set(base)
        assert share(learned.module, learned.module) == len(dict(learned.module.named_parameters()))
    finally:
        shelf.close()
    with pytest.raises(UserError, match="is no adapter's folder"):
        open_models([str(models["chatty"])], EngineSettings(), adapters=[str(models["plain"])])
