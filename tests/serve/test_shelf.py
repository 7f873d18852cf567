"""Names and the models they stand for."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from hornbook.adapt.adapter import Adapter, attach
from hornbook.adapt.dora import Dora
from hornbook.adapt.lora import Lora
from hornbook.core.errors import UserError
from hornbook.generate import adapters
from hornbook.generate.language_model import LanguageModel
from hornbook.generate.serving import EngineSettings, Request
from hornbook.model.quantised import Packed
from hornbook.serve.errors import Refused
from hornbook.serve.shelf import Opening, Served, Shelf, name_of, open_models, share, split, writes
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


def learned(where: Path, base: Path, adapter: Adapter, seed: int = 0) -> Path:
    """The folder of an adapter that learned something."""
    model = LanguageModel.load(base)
    attach(model.module, adapter, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        for name, parameter in model.module.named_parameters():
            if name.endswith("up"):
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(seed)))
    adapters.write(model.module, where, base=base)
    return where


def test_adapters_share_the_engine_or_else_the_weights(models: dict[str, Path], tmp_path: Path) -> None:
    base = models["chatty"]
    law = learned(tmp_path / "law" / "adapter", base, Lora(rank=2))
    verse = learned(tmp_path / "verse" / "adapter", base, Dora(rank=2))
    shelf = open_models([str(base)], Opening(engine=EngineSettings(slots=1)), adapters=[str(law), str(verse)])
    try:
        assert list(shelf.models) == ["chatty", "law", "verse"]
        assert [shelf.find(name).card["parent"] for name in ("law", "verse")] == ["chatty"] * 2
        assert [shelf.find(name).adapter for name in ("chatty", "law", "verse")] == [None, "law", None]
        assert list(shelf.engines) == ["chatty", "verse"], "DoRA turns the matrices themselves"
        assert shelf.find("law").engine is shelf.find("chatty").engine
        shared = share(shelf.find("verse").lm.module, shelf.find("chatty").lm.module)
        assert shared == len(dict(shelf.find("chatty").lm.module.named_parameters()))
    finally:
        shelf.close()
    with pytest.raises(UserError, match="is no adapter's folder"):
        open_models([str(base)], Opening(), adapters=[str(models["plain"])])


def test_quantised_models_take_adapters_of_both_kinds(models: dict[str, Path], tmp_path: Path) -> None:
    base = models["chatty"]
    law = learned(tmp_path / "law" / "adapter", base, Lora(rank=2))
    verse = learned(tmp_path / "verse" / "adapter", base, Dora(rank=2))
    opening = Opening(engine=EngineSettings(slots=1), quantise="int8")
    shelf = open_models([str(base)], opening, adapters=[str(law), str(verse)])
    try:
        for served in shelf.models.values():
            assert any(isinstance(each, Packed) for each in served.lm.module.modules())
            asked = Request(prompt=[5, 9, 4], max_new_tokens=4, adapter=served.adapter)
            assert list(served.writer().submit(asked))[-1].reason in ("length", "end")
    finally:
        shelf.close()
    with pytest.raises(UserError, match="'int3' is no way to store a matrix"):
        open_models([str(base)], Opening(quantise="int3"))  # type: ignore[arg-type]
