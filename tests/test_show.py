"""`show` says where every value comes from, and its parameter count is the model's."""

from hornbook.core import recipe as recipes
from hornbook.model.decoder import Decoder
from hornbook.settings import load
from hornbook.show import measure_pace, micro_rows, show_recipe, training_bytes


def test_every_value_has_its_reason(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    show_recipe("tiny/pretrain", ["pretrain.steps=7"])
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "pretrain.steps 7 asked for on the command line" in lines
    assert "model.embed.vocab 1024 lent by tokenizer.vocab" in lines
    assert "model.dim 64 in the recipe" in lines
    assert "pretrain.keep 2 default" in lines
    assert "model.stack.norm.eps 1.0e-06 default" in lines  # `norm: rms_norm` says nothing of it


def test_the_parts_add_up_to_the_model(capsys):
    show_recipe("models/gpt2", [])
    out = capsys.readouterr().out
    assert "124,439,808" in out
    config = recipes.load(Decoder, "models/llama-tiny")
    show_recipe("models/llama-tiny", [])
    assert f"{sum(p.numel() for p in config.build().parameters()):,}" in capsys.readouterr().out


def test_a_small_model_is_tried_and_a_large_one_only_computed():
    small = load("tiny/pretrain")
    assert measure_pace(small, training_bytes(small, 160_000)).how == "measured on three steps"
    large = load("tiny/pretrain", ["model=models/llama2-7b", "model.embed.vocab=1024", "model.length=64"])
    pace = measure_pace(large, training_bytes(large, 6_500_000_000))
    assert pace.how.startswith("computed at 40%")
    assert pace.seconds > 1


def test_rows_at_once_hold_about_4096_tokens():
    assert micro_rows(load("tiny/pretrain")) == 16  # its steps hold no more
    assert micro_rows(load("tiny/pretrain", ["pretrain.tokens_per_step=100000"])) == 64
    assert micro_rows(load("tiny/pretrain", ["pretrain.micro_batch=5"])) == 5
