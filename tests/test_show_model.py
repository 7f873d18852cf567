"""`show` of a model alone: every shape, its own parameters, a sentence."""

import pytest

from hornbook.core import recipe as recipes
from hornbook.model.models import Model
from hornbook.show import show_recipe
from hornbook.show_model import is_model


def shown(capsys: pytest.CaptureFixture[str], name: str, *overrides: str) -> list[str]:
    show_recipe(name, list(overrides))
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines() if line.strip()]


@pytest.mark.parametrize("name", [n for n in recipes.built_in_names() if n.startswith("models/") and "-tiny" in n])
def test_every_shape_adds_up(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    config: Model = recipes.load(Model, name)  # type: ignore[arg-type]
    lines = shown(capsys, name)
    parameters = sum(parameter.numel() for parameter in config.build().parameters())
    assert f"channels and {config.length:,} positions: {parameters:,} parameters" in lines[-1]
    (total,) = (line for line in lines if line.startswith("all "))
    assert total.split()[1] == f"{parameters:,}"
    start = lines.index("part times each together a token a token")
    rows = lines[start + 2 : lines.index(total)]
    assert sum(int(row.split()[-3].replace(",", "")) for row in rows) == parameters


def test_what_is_said_and_what_is_not(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    lines = shown(capsys, "models/pythia-70m", "stack.layers=5")
    assert "stack.layers 5 asked for on the command line" in lines
    assert "stack.position.share 0.25 in the recipe" in lines
    assert "stack.placement pre default" in lines
    assert not any(line.startswith(("stack.layer[0].branches[0].window", "embed.segments")) for line in lines)
    assert any(line.startswith("attention + mlp 5 3,152,384 15,761,920 ") for line in lines)
    assert lines[-1].startswith("a decoder of 5 layers, 512 channels and 2,048 positions: 67,274,240 parameters, ")


def test_an_encoder_remembers_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    lines = shown(capsys, "models/bart-base")
    assert any(line.startswith("encoder attention 6 2,363,904 14,183,424 ") and line.endswith(" 0") for line in lines)
    assert any(line.startswith("decoder cross_attention 6 ") and line.endswith(" 36,864") for line in lines)
    assert lines[-1].startswith("an encoder-decoder of 6 + 6 layers, 768 channels")


def test_what_is_a_model() -> None:
    assert is_model(recipes.read(recipes.find("models/gpt2")))
    assert is_model(recipes.read(recipes.find("models/bart-tiny")))
    assert not is_model(recipes.read(recipes.find("demo")))
